"""Rows of the elementwise operators."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

import numpy as np
from op_row import ANY, COMPLEX, EVERY, FLOAT, INTEGRAL, NUMERIC, REAL, Const, F, Make, Row, S, Sample, binary, unary

NAN, INF = math.nan, math.inf
_shapes = F(RuntimeError, "size of tensor a", np.zeros((2, 3)), np.zeros((2, 4)))

#: Functions of one tensor with a method, an in-place method and out=; integers become floating.
_map = partial(Row, inplace=True, out=True, promotes=1)
#: Functions of two tensors that promote to their common type.
_pair = partial(Row, out=True, promotes=2, errors=(_shapes,))
#: Questions: results are bool.
_ask = partial(Row, grad=False)


def _logit_samples(m: Make) -> Iterable[Sample]:
    yield from unary(0.1, 0.9, at=(0.0, 1.0, 2.0))(m)
    yield S(m(3, 4, low=-0.5, high=1.5), 0.2)


def _round_samples(m: Make) -> Iterable[Sample]:
    yield from unary(at=(0.5, 1.5, 2.5, -0.5))(m)
    if m.floating:
        yield S(m(3, 4), decimals=1)


def _nan_samples(m: Make) -> Iterable[Sample]:
    yield from unary(at=(NAN, INF, -INF, 1.0))(m)
    if m.floating:
        yield S(m.of(NAN, INF, -INF, 1.0), 1.0, 2.0, -2.0).rough()
        yield S(m.of(NAN, INF, -INF, 1.0), posinf=5.0).rough()


UNARY = [
    _map("abs", unary(at=(0.0, -0.0, INF, NAN)), (*NUMERIC,), aliases=("absolute", "Tensor.__abs__")),
    _map("acos", unary(-0.9, 0.9, at=(1.0, -1.0, 2.0)), COMPLEX, aliases=("arccos",)),
    _map("acosh", unary(1.1, 3, at=(1.0, 0.5)), COMPLEX, aliases=("arccosh",)),
    _map("angle", unary(at=(0.0, INF, NAN)), COMPLEX, inplace=False),
    _map("asin", unary(-0.9, 0.9, at=(1.0, 2.0)), COMPLEX, aliases=("arcsin",)),
    _map("asinh", unary(), COMPLEX, aliases=("arcsinh",)),
    _map("atan", unary(), COMPLEX, aliases=("arctan",)),
    _map("atanh", unary(-0.9, 0.9, at=(1.0, 2.0)), COMPLEX, aliases=("arctanh",)),
    _map("bitwise_not", unary(), INTEGRAL, grad=False, promotes=0, aliases=("Tensor.__invert__",),
         errors=(F(RuntimeError, "bitwise_not", np.zeros(2)),)),
    _map("ceil", unary(at=(1.0, -0.0)), REAL),
    _map("cos", unary(), (*COMPLEX, "int64")),
    _map("cosh", unary(), COMPLEX),
    _map("deg2rad", unary(), REAL),
    _map("erf", unary(at=(0.0, INF, NAN)), REAL),
    _map("erfc", unary(at=(0.0, INF, 8.0)), REAL),
    _map("erfinv", unary(-0.9, 0.9, at=(1.0, -1.0, 0.99)), FLOAT),
    _map("exp", unary(at=(INF, -INF, 1000.0)), (*COMPLEX, "int64", "bool")),
    _map("exp2", unary(), COMPLEX),
    _map("expm1", unary(at=(1e-9,)), FLOAT),
    _map("floor", unary(at=(1.0,)), REAL),
    _map("frac", unary(at=(1.0,)), FLOAT),
    _map("log", unary(0.1, 3, at=(0.0, -1.0, INF)), COMPLEX),
    _map("log10", unary(0.1, 3, at=(0.0,)), COMPLEX),
    _map("log1p", unary(-0.9, 3, at=(-1.0, 1e-9)), FLOAT),
    _map("log2", unary(0.1, 3, at=(0.0,)), COMPLEX),
    _map("logit", _logit_samples, FLOAT),
    _map("nan_to_num", _nan_samples, REAL),
    _map("neg", unary(), NUMERIC, aliases=("negative", "Tensor.__neg__"),
         errors=(F(RuntimeError, "bool tensor is not supported", np.zeros(2, bool)),)),
    _map("rad2deg", unary(), REAL),
    _map("reciprocal", unary(0.2, 3, at=(0.0, -0.0)), COMPLEX),
    _map("round", _round_samples, REAL),
    _map("rsqrt", unary(0.2, 3, at=(0.0, -1.0)), COMPLEX),
    _map("sgn", unary(at=(0.0,)), EVERY),
    _map("sigmoid", unary(at=(1000.0, -1000.0)), REAL),
    _map("sign", unary(at=(0.0, NAN)), ANY),
    _map("sin", unary(), (*COMPLEX, "int64", "bool")),
    _map("sinc", unary(at=(0.0, 1e-5, 1.0)), FLOAT),
    _map("sinh", unary(), COMPLEX),
    _map("sqrt", unary(0.2, 3, at=(0.0, -1.0, INF)), COMPLEX),
    _map("square", unary(), NUMERIC),
    _map("tan", unary(-1.4, 1.4), COMPLEX),
    _map("tanh", unary(at=(1000.0,)), (*COMPLEX, "int64")),
    _map("trunc", unary(at=(1.0, -0.5)), REAL, aliases=("fix",)),
]  # fmt: skip

PARTS = [
    Row("positive", unary(), NUMERIC, aliases=("Tensor.__pos__",),
        errors=(F(RuntimeError, "bool", np.zeros(2, bool)),)),
    Row("conj", unary(), COMPLEX),
    Row("real", unary(), COMPLEX, method=False, aliases=("Tensor.real",)),
    Row("imag", unary(), ("complex128",), method=False, aliases=("Tensor.imag",),
        errors=(F(RuntimeError, "non-complex", np.zeros(2)),)),
    _ask("isfinite", unary(at=(NAN, INF, 1.0)), EVERY),
    _ask("isinf", unary(at=(NAN, -INF, 1.0)), EVERY),
    _ask("isnan", unary(at=(NAN, INF, 1.0)), EVERY),
    _ask("isneginf", unary(at=(NAN, INF, -INF)), ANY, out=True),
    _ask("isposinf", unary(at=(NAN, INF, -INF)), ANY, out=True),
    _ask("isreal", unary(at=(NAN, 0.0)), EVERY),
    _ask("signbit", unary(at=(NAN, -0.0, 0.0, -INF)), ANY, out=True),
    _ask("logical_not", unary(at=(0.0, NAN, 1.0)), ANY, inplace=True, out=True),
]  # fmt: skip


def _shift_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4, low=0, high=9), m(3, 4, low=0, high=3))
    yield S(m(3, low=0, high=9), 2)
    yield S(m(0, 3), m(3, low=0, high=3))


def _with_alpha(m: Make) -> Iterable[Sample]:
    yield from binary(number=2)(m)
    yield S(m(3, 4), m(4), alpha=2)
    if m.floating:
        yield S(m(3, 4), m(4), alpha=-0.5)
        yield S(m(3), 1.5)


def _div_samples(m: Make) -> Iterable[Sample]:
    yield from binary(low2=1, high2=3, number=2)(m)
    if not m.complex:
        for mode in ("floor", "trunc"):
            yield S(m(3, 4), m(4, low=1, high=3), rounding_mode=mode)
            yield S(m(3, 4), m(4, low=-3, high=-1), rounding_mode=mode)
    if m.floating and not m.complex:
        yield S(m.of(1.0, 0.0, -1.0), m.of(0.0, 0.0, 0.0)).values_only()


def _modulus(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), m(4, low=1.2, high=3))
    yield S(m(3, 4), m(4, low=-3, high=-1.2))
    yield S(m(2, 3), 2)
    yield S(m(2, 3), m(low=2, high=3))
    yield S(m(0, 3), m(3, low=1, high=2))
    if m.floating:
        yield S(m.of(INF, 1.0, 5.0), m.of(2.0, INF, -INF)).values_only()


def _pow_samples(m: Make) -> Iterable[Sample]:
    if m.dtype.kind in "iu":
        yield S(m(3, 4), m(4, low=0, high=3))
        yield S(m(3, 4), 3)
        yield S(2, m(3, low=0, high=3))
        yield S(m(3), 0.5).values_only()
        return
    yield S(m(3, 4, low=0.2), m(4))
    yield S(m(3, 1, low=0.2), m())
    for exponent in (2, 3, 0, 0.5, -1, -1.5, 1):
        yield S(m(3, low=0.2), exponent)
    yield S(2.0, m(3))
    yield S(0.5, m(3))
    yield S(m(0, 3), m(3))
    if not m.complex:
        yield S(m(3), 2)
        yield S(m(3), 3)
        yield S(m.of(0.0, 0.0, 0.0, -1.0, 0.0), m.of(0.0, 2.0, 1.0, 2.0, -1.0)).rough()
        yield S(0, m.of(0.0, 2.0, -1.0)).rough()
        for exponent in (0, 1, 2, 0.5, -1):
            yield S(m.of(0.0), exponent).rough()


def _ties(m: Make) -> Iterable[Sample]:
    yield S(m.distinct(3, 4), m(3, 4))
    yield S(m(3, 1), m(4))
    yield S(m(2, 3), m())
    yield S(m(0, 3), m(3))
    yield S(m.of(1, 2, 0), m.of(1, 1, 1)).rough()
    if m.floating:
        yield S(m.of(NAN, 2.0, NAN, INF), m.of(1.0, NAN, NAN, 1.0)).rough()


def _compare(m: Make) -> Iterable[Sample]:
    yield from binary(number=1)(m)
    if m.floating:
        yield S(m.of(NAN, 1.0, INF, 0.0), m.of(NAN, 1.0, INF, -0.0))
        yield S(m(3), 0.5)


def _close(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), m(3, 4))
    yield S(m.of(1, 2, 3), m.of(1, 2, 4))
    if m.floating:
        yield S(m.of(1.0, 1.0, NAN, INF), m.of(1.0 + 1e-6, 1.1, NAN, INF))
        yield S(m.of(1.0, NAN), m.of(1.05, NAN), rtol=0.1, equal_nan=True)
        yield S(m.of(1.0, -INF), m.of(1.05, INF), atol=0.1)


def _clamp_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), -1, 1)
    yield S(m(3, 4), min=0)
    yield S(m(3, 4), max=1)
    yield S(m(3, 4), m(4, low=-2, high=-1), m(3, 1, low=1, high=2))
    yield S(m(3, 4), min=m(4))
    yield S(m(3, 4), max=m())
    yield S(m(0, 4), 0, 1)
    yield S(m(3), 1, -1)
    yield S(m.of(-1, 0, 1), -1, 1).rough()
    if m.floating:
        yield S(m.of(NAN, INF, -INF), -1.0, 1.0).rough()
        yield S(m(3, 4), -0.5)


def _where_samples(m: Make) -> Iterable[Sample]:
    yield S(m.mask(3, 4), m(3, 4), m(3, 4))
    yield S(m.mask(3, 1), m(4), m())
    yield S(m.mask(3), m(3), 1)
    yield S(m.mask(3), 2, m(3))
    yield S(m.mask(0, 3), m(1, 3), m(3))
    yield S(m.mask(3), 1.5, 2)


def _lerp_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), m(3, 4), 0.3)
    yield S(m(3, 4), m(4), 0.7)
    yield S(m(3, 1), m(4), m(3, 4))
    yield S(m(0, 4), m(4), 0.5)


def _muladd(low: float) -> object:
    def samples(m: Make) -> Iterable[Sample]:
        yield S(m(3, 4), m(3, 4), m(3, 4, low=low))
        yield S(m(3, 1), m(4), m(1, 4, low=low), value=2)
        if m.floating:
            yield S(m(3), m(3), m(3, low=low), value=-0.5)
        yield S(m(0, 3), m(3), m(1, 3, low=low))

    return samples


def _heaviside_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), m(4))
    yield S(m.of(0, 1, 0), m(3))


_int_shapes = F(RuntimeError, "size of tensor a", np.zeros((2, 3), int), np.zeros((2, 4), int))
_float_bits = F(RuntimeError, "not implemented", np.zeros(2), np.zeros(2))
_zero_divide = F(RuntimeError, "ZeroDivisionError", np.array([1]), np.array([0]))

BINARY = [
    _pair("add", _with_alpha, EVERY, inplace=True),
    _pair("sub", _with_alpha, NUMERIC, inplace=True, aliases=("subtract",),
          errors=(_shapes, F(RuntimeError, "two bool tensors", np.zeros(2, bool), np.zeros(2, bool)))),
    _pair("rsub", _with_alpha, NUMERIC, method=False, out=False),
    _pair("mul", binary(number=2), EVERY, inplace=True,
          aliases=("multiply", "Tensor.__mul__", "Tensor.__rmul__", "Tensor.__imul__")),
    _pair("div", _div_samples, NUMERIC, inplace=True,
          aliases=("divide", "true_divide", "Tensor.true_divide", "Tensor.__truediv__", "Tensor.__itruediv__"),
          errors=(_shapes, F(RuntimeError, "rounding_mode", np.zeros(2), np.ones(2), rounding_mode="up"))),
    _pair("floor_divide", binary(low2=1, high2=3, number=2), REAL, grad=False, inplace=True,
          aliases=("Tensor.__floordiv__", "Tensor.__ifloordiv__"), errors=(_shapes, _zero_divide)),
    _pair("remainder", _modulus, REAL, inplace=True, aliases=("Tensor.__mod__", "Tensor.__imod__"),
          errors=(_shapes, _zero_divide)),
    _pair("fmod", _modulus, REAL, inplace=True, errors=(_shapes, _zero_divide)),
    _pair("pow", _pow_samples, (*COMPLEX, "int64"), inplace=True, aliases=("Tensor.__pow__", "Tensor.__ipow__"),
          errors=(_shapes, F(RuntimeError, "negative integer powers", np.array([2]), -1))),
    _pair("atan2", binary(low2=0.5), FLOAT, inplace=True, aliases=("arctan2",)),
    _pair("maximum", _ties, ANY),
    _pair("minimum", _ties, ANY),
    _pair("fmax", _ties, ANY),
    _pair("fmin", _ties, ANY),
    _pair("hypot", binary(low=0.5), FLOAT, inplace=True),
    _pair("logaddexp", binary(), COMPLEX, promotes=0),
    _pair("logaddexp2", binary(), FLOAT, promotes=0),
    _pair("xlogy", binary(low2=0.5, number=2.0), REAL, inplace=True),
    _pair("heaviside", _heaviside_samples, REAL, grad=False, inplace=True, promotes=0),
    _pair("copysign", binary(low=0.5, number=-1.0), FLOAT, inplace=True),
    _pair("eq", _compare, EVERY, grad=False, inplace=True),
    _pair("ne", _compare, EVERY, grad=False, inplace=True, aliases=("not_equal",)),
    _pair("lt", _compare, ANY, grad=False, inplace=True, aliases=("less", "Tensor.__lt__")),
    _pair("le", _compare, ANY, grad=False, inplace=True, aliases=("less_equal", "Tensor.__le__")),
    _pair("gt", _compare, ANY, grad=False, inplace=True, aliases=("greater", "Tensor.__gt__")),
    _pair("ge", _compare, ANY, grad=False, inplace=True, aliases=("greater_equal", "Tensor.__ge__")),
    _ask("isclose", _close, REAL),
    _pair("logical_and", binary(), ANY, grad=False, inplace=True),
    _pair("logical_or", binary(), ANY, grad=False, inplace=True),
    _pair("logical_xor", binary(), ANY, grad=False, inplace=True),
    _pair("bitwise_and", binary(number=3), INTEGRAL, grad=False, inplace=True, errors=(_int_shapes, _float_bits),
          aliases=("Tensor.__and__", "Tensor.__rand__", "Tensor.__iand__")),
    _pair("bitwise_or", binary(number=3), INTEGRAL, grad=False, inplace=True, errors=(_int_shapes, _float_bits),
          aliases=("Tensor.__or__", "Tensor.__ror__", "Tensor.__ior__")),
    _pair("bitwise_xor", binary(number=3), INTEGRAL, grad=False, inplace=True, errors=(_int_shapes, _float_bits),
          aliases=("Tensor.__xor__", "Tensor.__rxor__", "Tensor.__ixor__")),
    _pair("bitwise_left_shift", _shift_samples, ("int64", "uint8"), grad=False, inplace=True,
          errors=(_int_shapes, _float_bits),
          aliases=("Tensor.__lshift__",)),
    _pair("bitwise_right_shift", _shift_samples, ("int64", "uint8"), grad=False, inplace=True,
          errors=(_int_shapes, _float_bits),
          aliases=("Tensor.__rshift__",)),
]  # fmt: skip

OPERATORS = [
    Row("Tensor.__add__", binary(number=2), NUMERIC, promotes=2, aliases=("Tensor.__radd__", "Tensor.__iadd__")),
    Row("Tensor.__sub__", binary(number=2), NUMERIC, promotes=2, aliases=("Tensor.__isub__",)),
    Row("Tensor.__rsub__", binary(number=2), NUMERIC),
    Row("Tensor.__rtruediv__", lambda m: [S(m(3, low=1), 2), S(m(low=1), 2.5)], NUMERIC),
    Row("Tensor.__rpow__", lambda m: [S(m(3, low=0), 2), S(m(low=0), 2.5)], REAL),
    Row("Tensor.__rfloordiv__", lambda m: [S(m(3, low=1), 7)], REAL, grad=False),
    Row("Tensor.__rmod__", lambda m: [S(m(3, low=1), 7)], REAL, grad=False),
    Row("Tensor.__rmatmul__", lambda m: [S(m(3, 2), m(2, 3)), S(m(3), m(2, 3))], NUMERIC),
    Row("Tensor.__eq__", _compare, EVERY, grad=False),
    Row("Tensor.__ne__", _compare, EVERY, grad=False),
]  # fmt: skip

SEVERAL = [
    Row("addcmul", _muladd(-3), NUMERIC, inplace=True, out=True, promotes=1),
    Row("addcdiv", _muladd(0.5), COMPLEX, inplace=True, out=True,
        errors=(F(RuntimeError, "Integer division", np.array([1]), np.array([1]), np.array([2])),)),
    Row("lerp", _lerp_samples, COMPLEX, inplace=True, out=True,
        errors=(F(RuntimeError, "expected dtype", np.zeros(2), np.zeros(2, np.float32), 0.5),)),
    Row("clamp", _clamp_samples, REAL, inplace=True, out=True, aliases=("clip",),
        errors=(F(RuntimeError, "At least one of", np.zeros(2)),)),
    Row("clamp_min", lambda m: [S(m(3, 4), 0), S(m(3, 4), m(4))], REAL, inplace=True, out=True),
    Row("clamp_max", lambda m: [S(m(3, 4), 0), S(m(3, 4), m(4))], REAL, inplace=True, out=True),
    Row("where", _where_samples, EVERY, method=False, out=True,
        errors=(F(RuntimeError, "boolean|bool", np.zeros(2), np.zeros(2), np.zeros(2)),)),
    Row("Tensor.where", lambda m: [S(m(3, 4), Const(m.mask(3, 4)), m(3, 4)), S(m(3), Const(m.mask(3)), 1)], EVERY),
]  # fmt: skip

ROWS = [*UNARY, *PARTS, *BINARY, *OPERATORS, *SEVERAL]
