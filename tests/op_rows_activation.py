"""Rows of activation functions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
from op_row import FLOAT, REAL, F, Make, Row, S, Sample, unary

_activation = partial(Row, method=False)
_layer = partial(_activation, on_copy=True)  # in place
INF, NAN = float("inf"), float("nan")
_LONG = np.zeros(3, np.int64)


def _not_for_integers(name: str) -> tuple:
    return (F(NotImplementedError, f"\"{name}\" not implemented for 'Long'", _LONG),)


def _prelu(m: Make) -> Iterable[Sample]:
    yield S(m(2, 3, 4), m(1))
    yield S(m(2, 3, 4), m(3))
    yield S(m(2, 3), m(3))
    yield S(m(5), m(1))
    yield S(m(0, 3), m(3))


def _glu(m: Make) -> Iterable[Sample]:
    yield S(m(2, 4))
    yield S(m(4, 3, 2), 0)
    yield S(m(2, 6, 3), dim=1)


def _along(m: Make) -> Iterable[Sample]:
    yield S(m(2, 3), 1)
    yield S(m(2, 3, 4), dim=-2)
    yield S(m(4), 0)


def _gelu(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4))
    yield S(m())
    yield S(m(3, 4), approximate="tanh")
    if m.floating:
        yield S(m.of(0.0, 9.0, -9.0, 40.0, -40.0)).rough()


def _with(*args: object) -> object:
    def samples(m: Make) -> Iterable[Sample]:
        yield S(m(3, 4), *args)
        yield S(m(), *args)

    return samples


_NAN_AND_INF = (0.0, -0.0, NAN, INF, -INF)

ROWS = [
    Row("relu", unary(at=_NAN_AND_INF), REAL, inplace=True, errors=(
        F(RuntimeError, "Boolean inputs", np.zeros(2, bool)),)),
    Row("prelu", _prelu, errors=(
        F(RuntimeError, "parameter numbers = 2 and channel size = 3", np.zeros((2, 3)), np.zeros(2)),
        F(RuntimeError, "scalar or 1D", np.zeros((2, 3)), np.zeros((1, 1))),
        F(RuntimeError, "Double and Float", np.zeros((2, 3)), np.zeros(3, np.float32)))),
    Row("hardshrink", unary(at=(0.5, -0.5, NAN)), errors=_not_for_integers("hardshrink_cpu")),
    _activation("celu", unary(at=(0.0,)), errors=(F(RuntimeError, "alpha cannot be 0", np.zeros(2), 0),)),
    _activation("selu", unary(at=(0.0,)), errors=_not_for_integers("elu_cpu")),
    _activation("rrelu", unary(at=(0.0,)), errors=(F(RuntimeError, "Lower bound", np.zeros(2), 2.0, 1.0),)),
    _activation("nn.functional.relu", unary(), REAL),
    _activation("nn.functional.relu6", unary(-2, 8, at=(0.0, 6.0, NAN)), REAL),
    _activation("nn.functional.leaky_relu", unary(at=_NAN_AND_INF), errors=_not_for_integers("leaky_relu_cpu")),
    _activation("nn.functional.leaky_relu", _with(0.3), variant="slope"),
    _activation("nn.functional.prelu", _prelu),
    _activation("nn.functional.rrelu", unary()),
    _activation("nn.functional.elu", unary(at=_NAN_AND_INF), errors=_not_for_integers("elu_cpu")),
    _activation("nn.functional.elu", _with(0.7), variant="alpha"),
    _activation("nn.functional.selu", unary()),
    _activation("nn.functional.celu", _with(0.7)),
    _activation("nn.functional.gelu", _gelu, errors=(
        *_not_for_integers("GeluKernelImpl"), F(RuntimeError, "none or tanh", np.zeros(2), approximate="other"))),
    _activation("nn.functional.silu", unary(at=(0.0, 50.0, -50.0)), errors=_not_for_integers("silu_cpu")),
    _activation("nn.functional.mish", unary(at=(0.0, 30.0, -30.0)), errors=_not_for_integers("mish_cpu")),
    _activation("nn.functional.hardtanh", unary(at=(1.0, -1.0, NAN)), REAL, errors=(
        F(ValueError, "min_val cannot be greater", np.zeros(2), 1.0, -1.0),)),
    _activation("nn.functional.hardtanh", _with(-2.0, 0.5), variant="bounds"),
    _activation("nn.functional.hardswish", unary(-5, 5, at=(-3.0, 3.0)), errors=_not_for_integers("hardswish_cpu")),
    _activation("nn.functional.hardsigmoid", unary(-5, 5, at=(-3.0, 3.0)), errors=_not_for_integers("hardsigmoid_cpu")),
    _activation("nn.functional.softplus", unary(at=(30.0, -30.0, 0.0)), errors=_not_for_integers("softplus_cpu")),
    _activation("nn.functional.softplus", _with(2.0, 3.0), variant="beta"),
    _activation("nn.functional.softsign", unary(at=(0.0,))),
    _activation("nn.functional.logsigmoid", unary(at=(0.0, 100.0, -100.0)),
                errors=_not_for_integers("log_sigmoid_cpu")),
    _activation("nn.functional.threshold", _with(0.1, 20.0), REAL),
    _activation("threshold", _with(0.1, 20.0), REAL),
    _activation("nn.functional.tanhshrink", unary()),
    _activation("nn.functional.softshrink", unary(at=(0.5, -0.5, NAN)), errors=(
        *_not_for_integers("softshrink_check"), F(RuntimeError, "lambda must be in range", np.zeros(2), -1.0))),
    _activation("nn.functional.hardshrink", _with(1.0)),
    _activation("nn.functional.glu", _glu, errors=(
        F(RuntimeError, "Halving dimension must be even, but dimension 1 is size 3", np.zeros((2, 3))),)),
    _activation("nn.functional.softmax", _along, errors=(F(IndexError, "out of range", np.zeros(2), 3),)),
    _activation("nn.functional.log_softmax", _along),
    _activation("nn.functional.softmin", _along),
    _layer("nn.functional.relu_", unary(at=_NAN_AND_INF), REAL),
    _layer("nn.functional.leaky_relu_", unary()),
    _layer("nn.functional.rrelu_", unary()),
    _layer("nn.functional.elu_", unary()),
    _layer("nn.functional.selu_", unary()),
    _layer("nn.functional.celu_", unary()),
    _layer("nn.functional.hardtanh_", unary(), FLOAT),
    _layer("nn.functional.threshold_", _with(0.1, 20.0)),
]  # fmt: skip
