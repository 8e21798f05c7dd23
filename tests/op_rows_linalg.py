"""Rows of matrix products and linear algebra."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from op_row import COMPLEX, FLOAT, NUMERIC, F, Make, Row, S, Sample

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
        errors=(F(RuntimeError, _inner, np.zeros((2, 3)), np.zeros((2, 3))),
                F(RuntimeError, "at least 1D", np.zeros(()), np.zeros(2)),
                F(RuntimeError, "dtype", np.zeros((2, 2)), np.zeros((2, 2), np.float32)))),
    _product("mm", shapes(((2, 3), (3, 4)), ((0, 3), (3, 2))), errors=(
        F(RuntimeError, _inner, np.zeros((2, 3)), np.zeros((2, 3))),
        F(RuntimeError, "matrix", np.zeros(3), np.zeros((3, 2))))),
    _product("bmm", shapes(((5, 2, 3), (5, 3, 4)), ((0, 2, 3), (0, 3, 2))), errors=(
        F(RuntimeError, _inner, np.zeros((2, 3, 4)), np.zeros((2, 3, 4))),
        F(RuntimeError, "3D", np.zeros((2, 2)), np.zeros((2, 2, 2))))),
    _product("mv", shapes(((2, 3), (3,)), ((0, 3), (3,))), errors=(
        F(RuntimeError, _inner, np.zeros((2, 3)), np.zeros(2)),)),
    _product("dot", shapes(((3,), (3,)), ((0,), (0,))), errors=(
        F(RuntimeError, _inner, np.zeros(2), np.zeros(3)),
        F(RuntimeError, "1D tensors", np.zeros((2, 2)), np.zeros(2)))),
    _product("outer", shapes(((3,), (2,)),), aliases=("ger",), errors=(
        F(RuntimeError, "1-D", np.zeros((2, 2)), np.zeros(2)),)),
    _product("addmm", _scaled(((2, 4), (2, 3), (3, 4)), ((4,), (2, 3), (3, 4)), ((), (2, 3), (3, 4))), inplace=True,
        errors=(
        F(RuntimeError, _inner, np.zeros(2), np.zeros((2, 3)), np.zeros((2, 3))),)),
]  # fmt: skip

_sums = _scaled(((2, 4), (5, 2, 3), (5, 3, 4)), ((4,), (2, 2, 3), (2, 3, 4)))
_expanded = "must match"

SUMS = [
    _product("addmv", _scaled(((2,), (2, 3), (3,)), ((), (2, 3), (3,))), inplace=True, errors=(
        F(RuntimeError, "size mismatch", np.zeros(2), np.zeros((2, 3)), np.zeros(2)),)),
    _product("addr", _scaled(((2, 3), (2,), (3,)), ((3,), (2,), (3,))), inplace=True, errors=(
        F(RuntimeError, _expanded, np.zeros((2, 2)), np.zeros(2), np.zeros(3)),)),
    _product("addbmm", _sums, inplace=True, errors=(
        F(RuntimeError, _expanded, np.zeros((2, 2)), np.zeros((2, 2, 3)), np.zeros((2, 3, 4))),)),
    _product("baddbmm", _scaled(((5, 2, 4), (5, 2, 3), (5, 3, 4)), ((4,), (2, 2, 3), (2, 3, 4))), inplace=True, errors=(
        F(RuntimeError, _inner, np.zeros((2, 2)), np.zeros((2, 2, 3)), np.zeros((2, 2, 3))),)),
]  # fmt: skip


def _einsum_samples(m: Make) -> Iterable[Sample]:
    a, b, c = m(2, 3), m(3, 4), m(4, 5)
    yield S("ij,jk->ik", a, b)
    yield S("ij,jk", a, b)
    yield S("ij->ji", a)
    yield S("ij->", a)
    yield S("ii->i", m(3, 3))
    yield S("ii", m(3, 3))
    yield S("i,j->ij", m(2), m(3))
    yield S("bij,bjk->bik", m(2, 3, 4), m(2, 4, 2))
    yield S("ij,jk,kl->il", a, b, c)
    yield S("...ij,...jk->...ik", m(2, 2, 3), m(3, 2))
    yield S("b...,b...->b", m(2, 3, 2), m(2, 3, 2))
    yield S("ij,ij->i", a, m(2, 3))
    yield S("ij,ij", a, m(1, 3))
    yield S(" b h i d , b h j d -> b h i j ", m(2, 2, 3, 2), m(2, 2, 2, 2))
    yield S("abc,cd,e->adb", m(2, 2, 3), m(3, 2), m(2))
    yield S(a, [0, 1], b, [1, 2], [0, 2])
    yield S(a, [0, 1], b, [1, 2])
    yield S("ij,jk->ki", m(0, 3), b)


def _tensordot_samples(m: Make) -> Iterable[Sample]:
    yield S(m(2, 3, 4), m(3, 4, 2))
    yield S(m(2, 3), m(3, 4), 1)
    yield S(m(2, 3), m(2), 0)
    yield S(m(2, 3, 4), m(4, 2, 3), dims=([0, 1], [1, 2]))
    yield S(m(2, 3), m(3), dims=([-1], [0]))


CONTRACTIONS = [
    Row("einsum", _einsum_samples, NUMERIC, method=False, errors=(
        F(RuntimeError, "does not broadcast", "ij,jk", np.zeros((2, 3)), np.zeros((2, 3))),
        F(RuntimeError, "fewer operands", "ij,jk->ik", np.zeros((2, 3))),
        F(RuntimeError, "output subscript k", "ij->ijk", np.zeros((2, 3))),
        F(RuntimeError, "invalid subscript", "i1->i", np.zeros((2, 3))),
        F(RuntimeError, "number of subscripts", "ijk->i", np.zeros((2, 3))))),
    Row("tensordot", _tensordot_samples, NUMERIC, method=False, out=True, errors=(
        F(RuntimeError, "contracted dimensions", np.zeros((2, 3)), np.zeros((2, 3)), 1),)),
    Row("inner", shapes(((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 3)), ((), (2, 3))), NUMERIC, out=True, errors=(
        F(RuntimeError, "last dimension", np.zeros((2, 3)), np.zeros(2)),)),
    _product("vdot", shapes(((3,), (3,))), errors=(F(RuntimeError, _inner, np.zeros(2), np.zeros(3)),)),
    Row("linalg.multi_dot", lambda m: [
        S([m(2, 3), m(3, 4)]), S([m(2, 3), m(3, 5), m(5, 2)]), S([m(3), m(3, 4), m(4, 2), m(2)])],
        ("float64", "complex128"), method=False, out=True,
        errors=(F(RuntimeError, "at least 2", [np.zeros((2, 2))]),)),
    Row("trace", shapes(((3, 3),), ((2, 4),), ((4, 2),)), NUMERIC, errors=(F(RuntimeError, "matrix", np.zeros(2)),)),
    Row("kron", shapes(((2, 3), (2, 2)), ((2,), (3,)), ((2,), (2, 2)), ((2, 2, 2), (2,)), ((), (2,))), NUMERIC,
        out=True),
    Row("cross", lambda m: [S(m(3), m(3), 0), S(m(2, 3), m(2, 3), 1), S(m(3, 2), m(3, 2)), S(m(2, 3), m(1, 3), -1)],
        NUMERIC, out=True, errors=(F(RuntimeError, "no dimension of size 3", np.zeros(2), np.zeros(2)),)),
    Row("linalg.cross", lambda m: [S(m(2, 3), m(2, 3)), S(m(3, 2), m(3, 1), dim=0)], NUMERIC, method=False, out=True,
        errors=(F(RuntimeError, "must have length 3", np.zeros(2), np.zeros(2)),)),
]  # fmt: skip


def _square(m: Make) -> Iterable[Sample]:
    yield S(m.well_conditioned(3, 3))
    yield S(m.well_conditioned(2, 3, 3))
    yield S(m.well_conditioned(1, 1))


def _det_samples(m: Make) -> Iterable[Sample]:
    yield from _square(m)
    yield S(m(3, 3))
    if m.complex:
        return
    singular = m(3, 3)
    singular[2] = singular[0]
    yield S(singular).rough()


def _solve_samples(m: Make) -> Iterable[Sample]:
    a = m.well_conditioned(3, 3)
    yield S(a, m(3))
    yield S(a, m(3, 2))
    yield S(m.well_conditioned(2, 3, 3), m(2, 3, 2))
    yield S(m.well_conditioned(2, 3, 3), m(3, 2))
    yield S(a, m(2, 3, 2))
    yield S(a, m(2, 3), left=False)


def _triangular_samples(m: Make) -> Iterable[Sample]:
    a = m.well_conditioned(3, 3)
    yield S(a, m(3, 2), upper=True)
    yield S(a, m(3, 2), upper=False)
    yield S(a, m(2, 3), upper=False, left=False)
    yield S(a, m(3, 2), upper=True, unitriangular=True)


def _rectangles(*options: dict) -> Callable[[Make], Iterable[Sample]]:
    def samples(m: Make) -> Iterable[Sample]:
        for option in options or ({},):
            for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2)):
                yield S(m(*shape), **option)

    return samples


def _least_squares(m: Make) -> Iterable[Sample]:
    yield S(m(5, 3), m(5, 2))
    yield S(m(2, 3), m(2, 2))
    yield S(m(4, 3), m(4))
    yield S(m(2, 4, 3), m(2, 4, 2), driver="gelsd")
    yield S(m(4, 3), m(4, 2), driver="gels")


def _power_samples(m: Make) -> Iterable[Sample]:
    for n in (0, 1, 2, 3, 5):
        yield S(m(3, 3), n)
    if m.floating:
        yield S(m.well_conditioned(2, 2, 2), -2)


def _matrix_norms(m: Make) -> Iterable[Sample]:
    for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        yield S(m(3, 4), order)
        yield S(m(2, 3, 4), order, (0, 2), True)
    yield S(m(3, 4))


def _any_norms(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4))
    yield S(m(2, 3, 4))
    yield S(m(3), 1)
    yield S(m(3, 4), "nuc")
    yield S(m(3, 4), 2)
    yield S(m(3, 4), 1, 0)
    yield S(m(2, 3, 4), "fro", (0, 1))
    yield S(m(2, 3, 4), 3, 1, True)


def _condition_numbers(m: Make) -> Iterable[Sample]:
    for p in (None, 2, -2):
        yield S(m.well_conditioned(3, 3), p)
    for p in ("fro", 1, np.inf):
        yield S(m.well_conditioned(3, 3), p).values_only()  # torch's backward overwrites what it has saved


def _cdist_samples(m: Make) -> Iterable[Sample]:
    for p in (2.0, 1.0, 3.0, np.inf):
        yield S(m(3, 2), m(4, 2), p)
    yield S(m(2, 3, 2), m(2, 4, 2))
    yield S(m(3, 2), m(0, 2))


def _sizes(result: object) -> object:
    """Of factors that are unique up to the phases of their columns, the magnitudes."""
    if isinstance(result, tuple):
        return tuple(part.abs() for part in result)
    return result.abs()  # type: ignore[attr-defined]


def _symmetric(a: object) -> object:
    return (a + a.mH) / 2  # type: ignore[attr-defined,operator]


_matrix = partial(Row, dtypes=COMPLEX, method=False, out=True, tolerance=100)
_not_square = F(RuntimeError, "square", np.zeros((2, 3)))
_integers = F(RuntimeError, "floating point", np.zeros((2, 2), int))
_too_few = F(RuntimeError, "at least 2 dimensions", np.zeros(2))

DECOMPOSITIONS = [
    _matrix("linalg.inv", _square, aliases=("inverse", "Tensor.inverse"), errors=(
        _not_square, _integers, _too_few, F(RuntimeError, "singular", np.zeros((2, 2))))),
    _matrix("linalg.det", _det_samples, aliases=("det", "Tensor.det"), gradgrad=False, errors=(_not_square, _integers)),
    _matrix("linalg.det", _square, variant="invertible"),
    _matrix("linalg.slogdet", _square, aliases=("slogdet", "Tensor.slogdet"), errors=(_not_square,)),
    Row("logdet", lambda m: [S(m.positive_definite(3, 3)), S(m.positive_definite(2, 2, 2))], COMPLEX, tolerance=100),
    _matrix("linalg.solve", _solve_samples, errors=(
        F(RuntimeError, "singular", np.zeros((2, 2)), np.zeros(2)),
        F(RuntimeError, "Incompatible shapes", np.zeros((2, 2)), np.zeros(3)))),
    _matrix("linalg.solve_triangular", _triangular_samples),
    _matrix("linalg.cholesky", lambda m: [S(m.positive_definite(3, 3)), S(m.positive_definite(2, 2, 2), upper=True)],
            before=_symmetric, errors=(F(RuntimeError, "positive-definite", -np.eye(2)), _not_square)),
    _matrix("linalg.qr", _rectangles(), after=_sizes, errors=(
        F(RuntimeError, "unrecognized mode", np.eye(2), mode="x"),)),
    _matrix("linalg.qr", lambda m: [S(m(3, 3), mode="complete"), S(m(2, 3), mode="complete")], after=_sizes,
            variant="complete"),
    _matrix("linalg.qr", lambda m: [S(m(3, 2), mode="r")], after=_sizes, grad=False, variant="r"),
    _matrix("linalg.svd", _rectangles({"full_matrices": False}), after=_sizes, errors=(_too_few,)),
    _matrix("linalg.svd", lambda m: [S(m(3, 3))], after=_sizes, variant="square"),
    _matrix("linalg.svd", _rectangles(), after=lambda usv: usv[1], variant="full"),
    _matrix("linalg.svdvals", _rectangles()),
    _matrix("linalg.eigh", lambda m: [S(m(3, 3)), S(m(2, 3, 3)), S(m(3, 3), UPLO="U")], before=_symmetric, after=_sizes,
            errors=(_not_square, F(NotImplementedError, "not implemented for 'Long'", np.zeros((2, 2), int)))),
    _matrix("linalg.eigvalsh", lambda m: [S(m(3, 3)), S(m(2, 2, 2))], before=_symmetric),
    _matrix("linalg.eig", lambda m: [S(m.positive_definite(3, 3) + 0.1 * m(3, 3))],
            after=lambda pair: _in_order(*pair)),
    _matrix("linalg.eigvals", lambda m: [S(m.positive_definite(3, 3) + 0.1 * m(3, 3))], after=lambda v: _in_order(v)),
    _matrix("linalg.pinv", _rectangles(), aliases=("pinverse", "Tensor.pinverse"), errors=(_too_few,)),
    _matrix("linalg.matrix_rank", lambda m: [S(m(3, 4)), S(m(3, 1) * m(1, 3)), S(m(2, 3, 3)), S(m(3, 3), atol=100.0)],
            grad=False),
    _matrix("linalg.lstsq", _least_squares, out=False, after=lambda result: (result[0], result[2]), errors=(
        F(RuntimeError, "driver", np.eye(2), np.eye(2), driver="x"),
        F(RuntimeError, "should match", np.eye(2), np.zeros((3, 1))))),
    _matrix("linalg.matrix_exp", lambda m: [S(m(3, 3)), S(m(2, 2, 2)), S(m(2, 2) * 10), S(m(2, 2) * 0), S(m(0, 0))],
            aliases=("matrix_exp", "Tensor.matrix_exp"), out=False, reads_host=True, errors=(_not_square,)),
    Row("linalg.matrix_power", _power_samples, NUMERIC, method=False, out=True, tolerance=100,
        aliases=("matrix_power", "Tensor.matrix_power"), errors=(F(RuntimeError, "square", np.zeros((2, 3)), 2),)),
    _matrix("linalg.matrix_norm", _matrix_norms, errors=(
        _too_few, F(RuntimeError, "not supported", np.zeros((2, 2)), "abc"))),
    _matrix("linalg.norm", _any_norms),
    _matrix("norm", lambda m: [S(m(3, 4), "nuc"), S(m(2, 3, 4), "nuc", (0, 2))], method=True, out=False, variant="nuc"),
    _matrix("linalg.cond", _condition_numbers),
    Row("cdist", _cdist_samples, FLOAT, method=False, errors=(
        F(RuntimeError, "same number of columns", np.zeros((2, 3)), np.zeros((2, 4))),)),
]  # fmt: skip


def _in_order(values: Any, vectors: Any = None) -> Any:
    """Eigenvalues by their real parts, with the magnitudes of their vectors."""
    order = values.real.argsort(-1)
    ordered = values.gather(-1, order)
    if vectors is None:
        return ordered
    return ordered, vectors.abs().gather(-1, order.unsqueeze(-2).expand(vectors.shape))


ROWS = [*PRODUCTS, *SUMS, *CONTRACTIONS, *DECOMPOSITIONS]
