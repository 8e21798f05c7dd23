"""Rows of matrix products and linear algebra."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from op_row import NUMERIC, F, Make, Row, S, Sample

_product = partial(Row, dtypes=NUMERIC, out=True)


def shapes(*cases: tuple) -> Callable[[Make], Iterable[Sample]]:
    """Samples from tuples of shapes."""

    def samples(m: Make) -> Iterable[Sample]:
        for case in cases:
            yield S(*(m(*shape) for shape in case))

    return samples


def _scaled(*cases: tuple) -> Callable[[Make], Iterable[Sample]]:
    """Samples of `beta * input + alpha * product`."""

    def samples(m: Make) -> Iterable[Sample]:
        for case in cases:
            yield S(*(m(*shape) for shape in case))
        yield S(*(m(*shape) for shape in cases[0]), beta=2, alpha=3)
        if m.floating:
            yield S(*(m(*shape) for shape in cases[0]), beta=0.5, alpha=-1.5)

    return samples


_inner = "cannot be multiplied|size mismatch|inconsistent|same number|Expected size"

PRODUCTS = [
    _product("matmul", shapes(
        ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)),
        ((5, 1, 2, 3), (4, 3, 2)), ((3,), (2, 3, 4)), ((2, 4, 3), (3,)), ((0, 3), (3, 2)), ((2, 0), (0, 3))),
        aliases=("Tensor.__matmul__",),
        errors=(F(RuntimeError, _inner, np.zeros((2, 3)), np.zeros((2, 3))), F(RuntimeError, "at least 1D", np.zeros(()), np.zeros(2)),
                F(RuntimeError, "dtype", np.zeros((2, 2)), np.zeros((2, 2), np.float32)))),
    _product("mm", shapes(((2, 3), (3, 4)), ((0, 3), (3, 2))), errors=(
        F(RuntimeError, _inner, np.zeros((2, 3)), np.zeros((2, 3))), F(RuntimeError, "matrix", np.zeros(3), np.zeros((3, 2))))),
    _product("bmm", shapes(((5, 2, 3), (5, 3, 4)), ((0, 2, 3), (0, 3, 2))), errors=(
        F(RuntimeError, _inner, np.zeros((2, 3, 4)), np.zeros((2, 3, 4))), F(RuntimeError, "3D", np.zeros((2, 2)), np.zeros((2, 2, 2))))),
    _product("mv", shapes(((2, 3), (3,)), ((0, 3), (3,))), errors=(F(RuntimeError, _inner, np.zeros((2, 3)), np.zeros(2)),)),
    _product("dot", shapes(((3,), (3,)), ((0,), (0,))), errors=(
        F(RuntimeError, _inner, np.zeros(2), np.zeros(3)), F(RuntimeError, "1D tensors", np.zeros((2, 2)), np.zeros(2)))),
    _product("outer", shapes(((3,), (2,)),), aliases=("ger",), errors=(F(RuntimeError, "1-D", np.zeros((2, 2)), np.zeros(2)),)),
    _product("addmm", _scaled(((2, 4), (2, 3), (3, 4)), ((4,), (2, 3), (3, 4)), ((), (2, 3), (3, 4))), inplace=True, errors=(
        F(RuntimeError, _inner, np.zeros(2), np.zeros((2, 3)), np.zeros((2, 3))),)),
]  # fmt: skip

ROWS = [*PRODUCTS]
