"""Rows of the wider linear algebra: factorizations with exchanges, reflections, old names, statistics."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from op_row import COMPLEX, Const, F, Make, Row, S, Sample
from op_rows_linalg import _sizes, _symmetric

_matrix = partial(Row, dtypes=COMPLEX, method=False, out=True, tolerance=100)
_both = partial(Row, dtypes=COMPLEX, out=True, tolerance=100)

_not_square = F(RuntimeError, "square", np.zeros((2, 3)))
_vector = F(RuntimeError, "2 (or more )?dimensions|2 dimensions", np.zeros(3))
_singular = np.zeros((2, 2, 2)) + [[[1.0, 0], [0, 1]], [[1, 1], [1, 1]]]


def _rectangles(m: Make) -> Iterable[Sample]:
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1), (0, 3), (3, 0), (2, 0, 0), (0, 2, 2)):
        yield S(m(*shape))
    yield S(m(53, 51)).values_only()


def _squares(m: Make) -> Iterable[Sample]:
    for shape in ((3, 3), (2, 3, 3), (1, 1), (0, 0), (0, 2, 2)):
        yield S(m.well_conditioned(*shape) if shape[-1] else m(*shape))


def _packed(m: Make, *shape: int) -> tuple[np.ndarray, Any]:
    """What lu_factor might have returned: exchanges that do something."""
    rows = shape[-2]
    exchanges = np.minimum(np.arange(1, min(shape[-2:]) + 1) + np.array([1, 0, 1, 0])[: min(shape[-2:])], rows)
    return m.well_conditioned(*shape[:-2], rows, rows)[..., : shape[-1]], np.broadcast_to(
        exchanges.astype(np.int32), (*shape[:-2], min(shape[-2:]))
    ).copy()


def _lu_solve_samples(m: Make) -> Iterable[Sample]:
    lu, pivots = _packed(m, 3, 3)
    several, exchanges = _packed(m, 2, 3, 3)
    yield S(lu, pivots, m(3, 2))
    yield S(several, exchanges, m(2, 3, 1))
    yield S(several, exchanges, m(3, 1))
    yield S(lu, pivots, m(2, 3, 1))
    for left in (True, False):
        for adjoint in (True, False):
            yield S(lu, pivots, m(3, 2) if left else m(2, 3), left=left, adjoint=adjoint)


def _unpack_samples(m: Make) -> Iterable[Sample]:
    for shape in ((3, 3), (4, 2), (2, 3, 2)):
        yield S(*_packed(m, *shape))
    wide = m(2, 4)
    yield S(wide, np.array([2, 2], np.int32))
    yield S(*_packed(m, 3, 3), unpack_data=False).values_only()  # torch has no gradient of nothing
    yield S(*_packed(m, 3, 3), unpack_pivots=False)


_lu, _exchanges = np.eye(3), np.array([1, 2, 3], np.int32)

LU = [
    _matrix("linalg.lu_factor_ex", _rectangles, errors=(
        _vector, F(NotImplementedError, "lu_cpu", np.zeros((2, 2), int)),
        F(RuntimeError, "without pivoting", np.eye(2), pivot=False),
        F(RuntimeError, r"Batch element 1.*U\[2,2\] is zero", _singular, check_errors=True))),
    _matrix("linalg.lu_factor", _squares, reads_host=True, errors=(
        F(RuntimeError, r"U\[1,1\] is zero", np.zeros((2, 2))),)),
    _matrix("linalg.lu", _rectangles, errors=(_vector,)),
    _matrix("lu_unpack", _unpack_samples, errors=(F(RuntimeError, "int32", _lu, np.array([1, 2, 3])),)),
    _matrix("linalg.lu_solve", _lu_solve_samples, errors=(
        F(RuntimeError, "Incompatible shapes", _lu, _exchanges, np.zeros((2, 2))),
        F(RuntimeError, "int32", _lu, np.array([1, 2, 3]), np.zeros((3, 1))),
        F(RuntimeError, "same dtype", _lu, _exchanges, np.zeros((3, 1), np.float32)),
        F(RuntimeError, "Number of pivots", _lu, _exchanges[:2], np.zeros((3, 1))),
        F(RuntimeError, "square", _lu[:2], _exchanges, np.zeros((3, 1))))),
    _both("lu_solve", lambda m: [S(m(3, 2), *_packed(m, 3, 3)), S(m(2, 3, 1), *_packed(m, 2, 3, 3))], errors=(
        F(RuntimeError, "int32", np.zeros((3, 1)), _lu, np.array([1, 2, 3])),)),
    _both("lu", _squares, out=False, errors=(_vector,)),
    _both("lu", lambda m: [S(m(3, 2), get_infos=True)], out=False, variant="infos"),
]  # fmt: skip

_deficient = np.array([[1.0, 1], [2, 2], [3, 3]])

EXTENDED = [
    _matrix("linalg.lstsq", lambda m: [
        S(m(4, 2), m(4), driver="gels"), S(m(2, 4, 2), m(2, 4), driver="gelss"),
        S(_deficient.astype(m.dtype), m(3, 2), driver="gelsd").values_only()], out=False, layouts=False, device=False,
        variant="residuals", after=lambda result: result[:3], errors=(
            F(RuntimeError, "input must have at least 2", np.zeros(3), np.zeros(3)),
            F(RuntimeError, "other must have at least 1", np.eye(3), np.zeros(())),
            F(RuntimeError, "greater or equal", np.zeros((2, 3, 3)), np.zeros(3)),
            F(RuntimeError, "same dtype", np.eye(3), np.eye(3, dtype=np.float32)))),
    Row("linalg.multi_dot", lambda m: [S([m(2), m(2)])], method=False, out=True, variant="vectors", errors=(
        F(RuntimeError, "tensors 0 and 1 with shapes", [np.eye(2), np.eye(3)]),
        F(RuntimeError, "the first tensor must be 1D or 2D", [np.zeros((2, 2, 2)), np.eye(2)]))),
    Row("tensordot", lambda m: [S(m(2, 3), m(3, 2), dims=[[1, 0], [0, 1]])], method=False, out=True, variant="lists",
        errors=(F(RuntimeError, "same dtype", np.eye(2), np.eye(2, dtype=np.float32)),
                F(RuntimeError, "dims < ndim", np.eye(2), np.eye(2), 3))),
    _matrix("linalg.inv_ex", _squares, errors=(
        _not_square, F(RuntimeError, "Batch element 1.*diagonal element 2 is zero", _singular, check_errors=True))),
    _matrix("linalg.solve_ex", lambda m: [
        S(m.well_conditioned(3, 3), m(3)), S(m.well_conditioned(2, 3, 3), m(3, 2)),
        S(m.well_conditioned(3, 3), m(2, 3, 2)), S(m.well_conditioned(3, 3), m(2, 3), left=False)],
        errors=(F(RuntimeError, "singular", np.zeros((2, 2)), np.zeros(2), check_errors=True),)),
    _matrix("linalg.cholesky_ex", lambda m: [
        S(m.positive_definite(3, 3)), S(m.positive_definite(2, 2, 2), upper=True), S(m(0, 0)),
        S(np.array([[2, 1, 0], [1, -1, 1], [0, 1, 3]]).astype(m.dtype)).values_only()],
        before=_symmetric, errors=(
            _not_square, F(RuntimeError, "order 1 is not", -np.eye(2), check_errors=True))),
    _matrix("linalg.solve_triangular", lambda m: [
        S(m(0, 0), m(0, 2), upper=True), S(m.well_conditioned(2, 3, 3), m(3, 1), upper=True),
        S(m.well_conditioned(3, 3), m(2, 2, 3), upper=True, left=False, unitriangular=True),
        S(np.zeros((2, 2), m.dtype), m(2, 1), upper=False).values_only()] if not m.complex else [S(
            m.well_conditioned(3, 3), m(2, 3), upper=True, left=False)],
        variant="forms", errors=(
            F(RuntimeError, "Incompatible shapes", np.eye(3), np.zeros((2, 2)), upper=True),
            F(RuntimeError, "at least 2 dimensions", np.eye(3), np.zeros(3), upper=True))),
]  # fmt: skip


def _reflections(m: Make) -> Iterable[Sample]:
    for rows, columns, count in ((3, 3, 3), (4, 2, 2), (4, 3, 2), (3, 2, 0)):
        yield S(m(rows, columns, low=-1, high=1), m(count, low=-1, high=1))
    yield S(m(2, 3, 2, low=-1, high=1), m(2, 2, low=-1, high=1))
    yield S(m(0, 0), m(0))


def _ormqr_samples(m: Make) -> Iterable[Sample]:
    for left in (True, False):
        for transpose in (True, False):
            other = m(4, 2) if left else m(2, 4)
            yield S(m(4, 3, low=-1, high=1), m(3, low=-1, high=1), other, left, transpose)
    yield S(m(2, 3, 2, low=-1, high=1), m(2, 2, low=-1, high=1), m(2, 3, 1))


_reflection = "torch.linalg.householder_product|torch.ormqr"

REFLECTIONS = [
    _both("geqrf", lambda m: [S(m(3, 3)), S(m(4, 2)), S(m(2, 4)), S(m(2, 3, 2)), S(m(0, 2))], grad=False, errors=(
        _vector, F(NotImplementedError, "geqrf_cpu", np.zeros((2, 2), int)))),
    _matrix("linalg.householder_product", _reflections, errors=(
        F(RuntimeError, "one dimension less", np.eye(2), np.eye(2)),
        F(RuntimeError, r"shape\[-2\] must be greater", np.zeros((2, 3)), np.zeros(2)),
        F(RuntimeError, r"tau.shape\[-1\]", np.zeros((3, 2)), np.zeros(3)),
        F(RuntimeError, "tau dtype Float", np.eye(2), np.zeros(2, np.float32)),
        F(RuntimeError, "at least 2 dimensions", np.zeros(2), np.zeros(2))),
        aliases=("orgqr", "Tensor.orgqr")),
    _both("ormqr", _ormqr_samples, errors=(
        F(RuntimeError, "must be equal to", np.eye(3), np.zeros(3), np.zeros((2, 3))),
        F(RuntimeError, "one dimension less", np.eye(3), np.eye(3), np.eye(3)))),
]  # fmt: skip


def _indefinite(m: Make) -> Iterable[Sample]:
    yield S(m(4, 4))
    yield S(m(2, 5, 5))
    yield S(m(9, 9) * (1 - np.eye(9)).astype(m.dtype))
    yield S(m(0, 0))
    yield S(m(0, 2, 2))


def _ldl_systems(m: Make) -> Iterable[Sample]:
    yield S(m.well_conditioned(3, 3), np.array([3, 2, 3], np.int32), m(3, 2))
    yield S(m.well_conditioned(4, 4), np.array([2, -4, -4, 4], np.int32), m(4, 2))
    real = np.real(m.well_conditioned(4, 4)).astype(m.dtype) + np.tril(m(4, 4), -1)
    yield S(real, np.array([2, -4, -4, 4], np.int32), m(4, 1), hermitian=True)
    yield S(m.well_conditioned(2, 2, 2), np.array([[1, 2], [-2, -2]], np.int32), m(2, 2, 1))


def _even(a: Any) -> Any:
    return (a + a.mT) / 2


_factored = partial(_matrix, grad=False, reads_host=True)

LDL = [
    _factored("linalg.ldl_factor_ex", _indefinite, before=_even, errors=(
        _not_square, F(RuntimeError, "floating point", np.zeros((2, 2), int)))),
    _factored("linalg.ldl_factor_ex", lambda m: [S(m(5, 5), hermitian=True), S(m(2, 4, 4), hermitian=True)],
              before=_symmetric, variant="hermitian"),
    _factored("linalg.ldl_factor", lambda m: [S(m(4, 4)), S(m(2, 3, 3))], before=_even),
    _factored("linalg.ldl_solve", _ldl_systems, errors=(
        F(RuntimeError, "Incompatible matrix sizes", np.eye(3), _exchanges, np.zeros((2, 2))),)),
]  # fmt: skip


def _old_triangular(m: Make) -> Iterable[Sample]:
    for upper in (True, False):
        for transpose in (True, False):
            yield S(m(3, 2), m.well_conditioned(3, 3), upper, transpose, upper is transpose)
    yield S(m(2, 3, 1), m.well_conditioned(3, 3))


OLD = [
    _both("cholesky", lambda m: [S(m.positive_definite(3, 3)), S(m.positive_definite(2, 2, 2), True), S(m(0, 0))],
          before=_symmetric, errors=(_not_square, F(RuntimeError, "order 1 is not", -np.eye(2)),
                                     F(NotImplementedError, "cholesky_cpu", np.eye(2, dtype=int)))),
    _both("cholesky_inverse", lambda m: [S(m.well_conditioned(3, 3)), S(m.well_conditioned(2, 3, 3), True)],
          torch=False, errors=(_not_square, _vector)),  # torch gives the other triangle gradients
    _both("cholesky_inverse", lambda m: [S(m.well_conditioned(3, 3)), S(m.well_conditioned(2, 3, 3))],
          before=lambda factor: _symmetric(factor).tril(), variant="triangular"),
    _both("cholesky_solve", lambda m: [
        S(m(3, 2), m.well_conditioned(3, 3)), S(m(3, 1), m.well_conditioned(2, 3, 3), True)], torch=False, errors=(
            F(RuntimeError, "Incompatible matrix sizes", np.zeros((2, 2)), np.eye(3)),
            F(RuntimeError, "same dtype", np.zeros((3, 2)), np.eye(3, dtype=np.float32)))),
    _both("cholesky_solve", lambda m: [
        S(m(3, 2), Const(m.well_conditioned(3, 3)), True), S(m(3, 1), Const(m.well_conditioned(2, 3, 3)))],
        variant="solution"),
    _both("triangular_solve", _old_triangular, errors=(
        F(RuntimeError, "at least 2 dimensions", np.zeros(3), np.eye(3)),
        F(RuntimeError, "Incompatible matrix sizes", np.zeros((2, 2)), np.eye(3)))),
    _both("qr", lambda m: [S(m(4, 2)), S(m(2, 3)), S(m(3, 3), False)], after=_sizes, errors=(_vector,)),
    _both("svd", lambda m: [S(m(4, 2)), S(m(2, 2, 3)), S(m(3, 3), False)], after=_sizes, errors=(_vector,)),
    _both("svd", lambda m: [S(m(4, 2), compute_uv=False)], variant="values"),
    _matrix("chain_matmul", lambda m: [S(m(2, 3)), S(m(2, 3), m(3, 4)), S(m(2, 3), m(3, 4), m(4, 2))],
            dtypes=("float64",), errors=(F(RuntimeError, "expected a matrix", np.zeros(3), np.eye(3)),)),
    Row("adjoint", lambda m: [S(m(2, 3)), S(m(2, 3, 1))], COMPLEX, errors=(
        F(RuntimeError, "only supported on matrices", np.zeros(2)),)),
    _matrix("nuclear_norm", lambda m: [S(m(3, 2)), S(m(3, 2), True), S(m(2, 3, 2), (0, 2), True)]),
    _matrix("frobenius_norm", lambda m: [S(m(3, 2), 1), S(m(3, 2), (0, 1), True), S(m(2, 3, 2), [0, 2])], errors=(
        F(RuntimeError, "at most 2", np.zeros((2, 2, 2)), (0, 1, 2)),)),
    Row("norm_except_dim", lambda m: [S(m(3, 2)), S(m(3, 2), 1, 1), S(m(2, 3, 2), 2, 2), S(m(2, 3), 2, -1),
                                      S(m(2, 3, 2), 3, 1)],
        method=False, errors=(F(IndexError, "out of range", np.zeros((2, 2)), 2, 2),)),
]  # fmt: skip


def _vandermondes(m: Make) -> Iterable[Sample]:
    yield S(m(3))
    yield S(m(3), 2, True)
    yield S(m(3), N=5)
    yield S(m(3), 1)
    yield S(m(3), 0)
    yield S(m(0))


EQUATIONS = [
    _matrix("linalg.tensorinv", lambda m: [
        S(m.well_conditioned(4, 4).reshape(2, 2, 4), 2), S(m.well_conditioned(6, 6).reshape(6, 3, 2), ind=1)], errors=(
        F(RuntimeError, "strictly positive", np.eye(2), 0),
        F(RuntimeError, "to satisfy the requirement", np.zeros((2, 3)), 1))),
    _matrix("linalg.tensorsolve", lambda m: [
        S(m.well_conditioned(6, 6).reshape(2, 3, 6), m(2, 3)),
        S(m.well_conditioned(6, 6).reshape(2, 6, 3), m(2, 3), dims=(1,))], errors=(
        F(RuntimeError, "to satisfy the requirement", np.zeros((3, 2)), np.zeros((3, 3))),)),
    Row("linalg.vander", lambda m: [S(m(3)), S(m(2, 3), N=4), S(m(2), N=2), S(m(), N=3)], (*COMPLEX, "int64"),
        method=False, errors=(F(RuntimeError, "greater than 1", np.zeros(3), N=1),)),
    Row("vander", lambda m: [sample.values_only() for sample in _vandermondes(m)], (*COMPLEX, "int64"), method=False,
        errors=(F(RuntimeError, "one-dimensional", np.eye(2)), F(RuntimeError, "non-negative", np.zeros(2), -1))),
    Row("vander", _vandermondes, method=False, torch=False, variant="gradients"),  # torch's backward is spoiled
    _matrix("linalg.vecdot", lambda m: [S(m(2, 3), m(2, 3)), S(m(3, 1), m(1, 2), dim=0), S(m(2, 0), m(2, 0))], errors=(
        F(RuntimeError, "same dtype", np.zeros(3), np.zeros(3, np.float32)),
        F(RuntimeError, "floating point", np.zeros(3, int), np.zeros(3, int)))),
    Row("linalg.diagonal", lambda m: [S(m(2, 3, 4)), S(m(3, 4), offset=1), S(m(2, 3, 4), dim1=0, dim2=1)], COMPLEX,
        method=False),
]  # fmt: skip


def _covariances(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4))
    yield S(m(4))
    yield S(m())
    yield S(m(2, 3), correction=0)
    if not m.complex:
        yield S(m(3, 2), correction=3).values_only()
    yield S(m(3, 4), fweights=np.array([1, 2, 1, 3]))
    if m.dtype == np.float64:
        yield S(m(3, 4), aweights=m(4, low=0.5))
        yield S(m(3, 4), correction=0, aweights=m(4, low=0.5), fweights=np.array([1, 2, 1, 3]))
    yield S(m(0, 3))


def _renormed(m: Make) -> Iterable[Sample]:
    for p in (1, 2, 3, np.inf):
        yield S(m.distinct(3, 4) if not m.complex else m(3, 4), p, 0, 4.0)
    yield S(m(2, 3, 2), 2, -1, 2)


def _gradients(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4))
    yield S(m(3, 4), spacing=2)
    yield S(m(3, 4), spacing=[1.0, 2.0], edge_order=2)
    yield S(m(3, 4), dim=(1, 0), spacing=[1.0, 3.0])
    yield S(m(2, 3, 4), dim=-1, spacing=0.5)
    if m.floating:
        yield S(m(3, 4), spacing=(m.of(0, 1, 3), m.of(1, 2, 4, 5)))
        yield S(m(3, 4), dim=1, spacing=(m.of(0, 1, 3, 7),), edge_order=2)
        yield S(m(2), spacing=(m.of(0, 3),))


def _histograms(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), 4)
    yield S(m(30), 7, density=True)
    yield S(m(3, 4), 3, range=(-1.0, 2.0), weight=m(3, 4, low=0))
    yield S(m(3, 4), m.of(-2, 0, 1, 3))
    yield S(m.of(2, 2, 2), 2)
    yield S(m(0), 3)


def _histograms_of_points(m: Make) -> Iterable[Sample]:
    yield S(m(9, 2), 3)
    yield S(m(2, 5, 2), [2, 3], range=[-2.0, 2.0, -3.0, 3.0], weight=m(2, 5, low=0), density=True)
    yield S(m(9, 2), [m.of(-2, 0, 1), m.of(-3, 1, 2, 3)])


_statistic = partial(Row, reads_host=True, tolerance=10)

STATISTICS = [
    _statistic("cov", _covariances, (*COMPLEX, "int64"), errors=(
        F(RuntimeError, "two or fewer", np.zeros((2, 2, 2))), F(RuntimeError, "bool dtype", np.zeros(2, bool)),
        F(RuntimeError, "integral dtype", np.zeros((2, 2)), fweights=np.ones(2)),
        F(RuntimeError, "same numel", np.zeros((2, 2)), fweights=np.ones(3, int)),
        F(RuntimeError, "cannot be negative", np.zeros((2, 2)), fweights=-np.ones(2, int)))),
    _statistic("corrcoef", lambda m: [S(m(3, 5)), S(m(4)).values_only()], (*COMPLEX, "int64"), errors=(
        F(RuntimeError, "two or fewer", np.zeros((2, 2, 2))),)),
    _statistic("dist", lambda m: [
        S(m(3, 2), m(3, 2)), S(m(3, 1), m(2), 1), S(m.distinct(4), Const(m(4) * 0), np.inf),
        S(m(3, 2), m(3, 2), 3), S(m(2), m(2), 0).values_only()], COMPLEX, reads_host=False, errors=(
        F(RuntimeError, "floating point or complex", np.zeros(2, int), np.zeros(2, int)),)),
    _statistic("renorm", _renormed, COMPLEX, inplace=True, out=True, reads_host=False, errors=(
        F(RuntimeError, "at least 2 dimensions", np.zeros(2), 2, 0, 1),
        F(RuntimeError, "non-positive", np.eye(2), -1, 0, 1),
        F(RuntimeError, "maxnorm", np.eye(2), 2, 0, -1), F(IndexError, "out of range", np.eye(2), 2, 5, 1))),
    _statistic("gradient", _gradients, (*COMPLEX, "int64"), method=False, reads_host=False, errors=(
        F(IndexError, "out of range", np.zeros(3), dim=3), F(RuntimeError, "at least edge_order", np.zeros(1)),
        F(RuntimeError, "list of length 3", np.eye(2), spacing=[1.0, 2.0, 3.0]),
        F(RuntimeError, "only supports edge_order", np.eye(2), edge_order=3),
        F(RuntimeError, "multiple times", np.eye(2), dim=(0, 0)))),
    _statistic("histogram", _histograms, grad=False, out=True, errors=(
        F(RuntimeError, "bins must be > 0", np.zeros(3), 0), F(NotImplementedError, "histogramdd", np.zeros(3, int), 3),
        F(RuntimeError, "min should not exceed", np.zeros(3), 3, range=(1.0, 0.0)),
        F(RuntimeError, "not finite", np.array([np.nan]), 3),
        F(RuntimeError, "same shape", np.zeros(3), 3, weight=np.zeros(2)),
        F(RuntimeError, "same dtype", np.zeros(3), np.zeros(2, np.float32)))),
    _statistic("histogramdd", _histograms_of_points, grad=False, method=False, errors=(
        F(RuntimeError, "innermost dimension", np.eye(3), [3]), F(RuntimeError, "at least 2", np.zeros(3), [3]))),
    _statistic("svd_lowrank", lambda m: [S(m(5, 4), 4), S(m(2, 3, 5), 3), S(m(4, 4), 4, 1, m(4, 4))], COMPLEX,
               method=False, after=_sizes, device=False, layouts=False, tolerance=1e3),
    _statistic("pca_lowrank", lambda m: [S(m(6, 3), 3), S(m(2, 5, 3), 3, False)], COMPLEX, method=False, after=_sizes,
               device=False, layouts=False, tolerance=1e3, errors=(
                   F(ValueError, "must be non-negative", np.eye(3), 9),)),
]  # fmt: skip

ROWS = [*STATISTICS, *LU, *EXTENDED, *REFLECTIONS, *LDL, *OLD, *EQUATIONS]
