"""Rows of sorting, ranks, scans, sets and counting."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from op_row import ANY, COMPLEX, FLOAT, NUMERIC, REAL, Const, F, Make, Row, S, Sample, reduction

NAN, INF = math.nan, math.inf
_bad_dim = F(IndexError, "Dimension out of range", np.zeros((2, 3)), 2)
_no_elements = F(IndexError, "non-zero size", np.zeros((0, 3)), 0)


def _sort_samples(m: Make) -> Iterable[Sample]:
    yield S(m.distinct(3, 4))
    yield S(m.distinct(3, 4), 0)
    yield S(m.distinct(2, 3, 4), dim=1, descending=True)
    yield S(m.distinct(), 0)
    yield S(m(0, 3), 0)
    yield S(m.of(2, 1, 2, 1, 1), stable=True, descending=True, dim=0).rough()
    yield S(m.of(2, 1, 2, 1, 1), stable=True, dim=0).rough()
    if m.floating:
        yield S(m.of(NAN, 1.0, INF, -INF), 0).rough()


def _topk_samples(m: Make) -> Iterable[Sample]:
    yield S(m.distinct(5), 2)
    yield S(m.distinct(3, 4), 3, 0)
    yield S(m.distinct(2, 5), 2, largest=False)
    yield S(m.distinct(2, 3, 4), 4, -1, True, True)
    yield S(m.distinct(3, 4), 0, 1)
    yield S(m.distinct(), 1)


def _kth_samples(m: Make) -> Iterable[Sample]:
    yield S(m.distinct(5), 2)
    yield S(m.distinct(3, 4), 3, 0)
    yield S(m.distinct(2, 5), 1, 1, True)
    yield S(m.distinct(), 1)


def _median_samples(m: Make) -> Iterable[Sample]:
    yield from reduction(several=False, distinct=True)(m)
    yield S(m.distinct(5))
    yield S(m.distinct(2, 3), 1)
    if m.floating:
        yield S(m.of(1.0, NAN, 3.0)).rough()
        yield S(m.of(1.0, NAN, 3.0, NAN), 0).rough()
        yield S(m.of(3.0, 1.0, NAN, 2.0), 0).rough()
        yield S(m(0))


def _mode_samples(m: Make) -> Iterable[Sample]:
    yield S(m.of(1, 2, 2, 1, 1, 2)).rough()
    yield S(np.stack([m.of(1, 2, 2), m.of(3, 1, 1)]), 0).rough()
    yield S(np.stack([m.of(1, 2, 2), m.of(3, 1, 1)]), 1, True).rough()
    yield S(m.distinct(2, 3))
    yield S(m.distinct(), 0)


def _quantile_samples(m: Make) -> Iterable[Sample]:
    yield S(m.distinct(3, 4), 0.4)
    for interpolation in ("linear", "lower", "higher", "midpoint", "nearest"):
        yield S(m.distinct(4, 3), 0.4, 0, interpolation=interpolation)
    yield S(m.distinct(3, 4), Const(m.of(0.1, 0.5, 1.0)), 1)
    yield S(m.distinct(2, 3, 4), Const(m.of(0.25)), dim=1, keepdim=True)
    yield S(m.distinct(3), 1.0, keepdim=True)
    yield S(np.stack([m.of(1.0, NAN, 2.0), m.of(4.0, 5.0, 7.0)]), 0.4, 1).rough()
    yield S(m.of(1.0, NAN, 2.0, 5.0), 0.4).rough()


_quantile_errors = (
    F(RuntimeError, "float or double", np.zeros(2, int), 0.5),
    F(RuntimeError, r"range \[0, 1\]", np.zeros(2), 1.5),
    F(RuntimeError, "scalar or 1D", np.zeros(2), np.zeros((1, 1))),
    F(RuntimeError, "same dtype", np.zeros(2), np.zeros(1, np.float32)),
    F(RuntimeError, "interpolation", np.zeros(2), 0.5, interpolation="x"),
    F(RuntimeError, "non-empty", np.zeros(0), 0.5),
)

SORTING = [
    Row("sort", _sort_samples, ANY, out=True, errors=(_bad_dim,)),
    Row("argsort", _sort_samples, ANY, grad=False, errors=(_bad_dim,)),
    Row("msort", lambda m: [S(m.distinct(3, 4)), S(m.distinct(5))], ANY, out=True),
    Row("topk", _topk_samples, REAL, out=True, errors=(F(RuntimeError, "out of range", np.zeros(3), 4),)),
    Row("kthvalue", _kth_samples, REAL, out=True, errors=(F(RuntimeError, "out of range", np.zeros(3), 4),)),
    Row("median", _median_samples, REAL, errors=(_bad_dim, _no_elements)),
    Row("nanmedian", _median_samples, REAL, errors=(_bad_dim, _no_elements)),
    Row("mode", _mode_samples, REAL, out=True, errors=(_bad_dim, _no_elements)),
    Row("quantile", _quantile_samples, FLOAT, out=True, errors=_quantile_errors),
    Row("nanquantile", _quantile_samples, FLOAT, out=True, errors=_quantile_errors),
]


# --- scans --------------------------------------------------------------------------------------------------------


def _running(m: Make) -> Iterable[Sample]:
    yield S(m.distinct(3, 4), 0)
    yield S(m.distinct(2, 3, 5), -1)
    yield S(m.distinct(), 0)
    yield S(m(0, 3), 0)
    yield S(m.of(1, 3, 3, 2, 3), 0).rough()
    if m.floating:
        yield S(m.of(1.0, NAN, 2.0, 2.0, NAN), 0).rough()


def _exponentials(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), 0)
    yield S(m(2, 3, 5), -1)
    yield S(m(), 0)
    yield S(m(0, 3), 0)
    yield S(m.of(1000.0, 1.0, 1000.0), 0).rough()
    yield S(m.of(-INF, 1.0, 2.0), 0).values_only()


def _diff_samples(m: Make) -> Iterable[Sample]:
    yield S(m(5))
    yield S(m(3, 4), 2, 0)
    yield S(m(3, 4), dim=1, prepend=m(3, 1), append=m(3, 2))
    yield S(m(2), n=3)
    yield S(m(3), n=0)


def _trapezoids(m: Make) -> Iterable[Sample]:
    yield S(m(5))
    yield S(m(3, 4), dim=0)
    yield S(m(3, 4), dx=2.0 if m.floating else 2)
    yield S(m(3, 4), m(4))
    yield S(m(3, 4), m(3), dim=0)
    yield S(m(3, 4), m(3, 4))


SCANS = [
    Row("cummax", _running, ANY, out=True, errors=(_bad_dim,)),
    Row("cummin", _running, ANY, out=True, errors=(_bad_dim,)),
    Row("logcumsumexp", _exponentials, COMPLEX, out=True, errors=(_bad_dim,)),
    Row("diff", _diff_samples, (*NUMERIC, "bool"), out=True, errors=(
        F(RuntimeError, "at least one-dimensional", np.zeros(())),)),
    Row("trapezoid", _trapezoids, NUMERIC, method=False, aliases=("trapz",)),
    Row("cumulative_trapezoid", _trapezoids, COMPLEX, method=False),
]  # fmt: skip


# --- sets, searching, counting ------------------------------------------------------------------------------------


def _set_samples(m: Make) -> Iterable[Sample]:
    x = m.of(3, 1, 1, 2, 1, 3, 3)
    yield S(x)
    yield S(x, return_inverse=True)
    yield S(x, return_counts=True)
    yield S(m(2, 3, low=0, high=2), return_inverse=True, return_counts=True)
    rows = np.stack([m.of(1, 2), m.of(1, 2), m.of(0, 5), m.of(1, 2)])
    yield S(rows, dim=0, return_inverse=True, return_counts=True)
    yield S(rows, dim=1)
    yield S(m(0), return_inverse=True)
    if m.floating:
        yield S(m.of(NAN, 1.0, NAN))


def _isin_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), m(5))
    yield S(m.of(1, 2, 3), m.of(1, 3), invert=True)
    yield S(m.of(1, 2), 1)
    yield S(1, m.of(1, 2))


def _search_samples(m: Make) -> Iterable[Sample]:
    row = np.sort(m(5))
    yield S(row, m(2, 3))
    yield S(row, row, right=True)
    yield S(row, row, side="right")
    yield S(np.sort(m(2, 4), axis=-1), m(2, 3))
    yield S(row, 1)
    yield S(row, m(), out_int32=True)
    unsorted = m.distinct(4)
    yield S(unsorted, m(3), sorter=np.argsort(unsorted))


def _bucket_samples(m: Make) -> Iterable[Sample]:
    row = np.sort(m(5))
    yield S(m(2, 3), row)
    yield S(row, row, right=True)
    yield S(1, row)
    yield S(m(3), row, out_int32=True)


def _bin_samples(m: Make) -> Iterable[Sample]:
    yield S(m.of(0, 1, 1, 3))
    yield S(m.of(0, 1, 1), minlength=5)
    yield S(m.of(0, 1, 1), np.array([0.5, 1.0, 2.0]))
    yield S(m.of(0, 1, 1), np.array([0.5, 1.0, 2.0], np.float32))
    yield S(m.of(0, 1, 1), np.array([1, 2, 3]))
    yield S(m(0), minlength=2)


def _histogram_samples(m: Make) -> Iterable[Sample]:
    yield S(m(20))
    yield S(m(4, 5), 4)
    yield S(m(20), 5, -2, 2)
    yield S(m(20), 3, 0, 0.5)
    yield S(m.of(1.0, 1.0), 4)
    yield S(m.of(0.0, 1.0, 2.0, 3.0, NAN), 3, 0, 3)
    yield S(m(0), 3)


COUNTING = [
    Row("unique", _set_samples, REAL, grad=False, reads_host=True),
    Row("unique_consecutive", _set_samples, REAL, grad=False, reads_host=True),
    Row("isin", _isin_samples, REAL, grad=False, method=False),
    Row("searchsorted", _search_samples, REAL, grad=False, method=False, out=True, errors=(
        F(RuntimeError, "side can only be", np.zeros(2), np.zeros(2), side="x"),
        F(RuntimeError, "opposites", np.zeros(2), np.zeros(2), side="left", right=True),
        F(RuntimeError, "must match", np.zeros((2, 2)), np.zeros((3, 2))))),
    Row("bucketize", _bucket_samples, REAL, grad=False, method=False, out=True, errors=(
        F(RuntimeError, "must be 1 dimension", np.zeros(2), np.zeros((2, 2))),)),
    Row("bincount", _bin_samples, ("int64", "uint8"), grad=False, reads_host=True, errors=(
        F(RuntimeError, "non-negative", np.array([-1])),
        F(RuntimeError, "not implemented", np.zeros(2)),
        F(RuntimeError, "same length", np.array([1, 2]), np.zeros(1)),
        F(RuntimeError, "minlength", np.array([1]), minlength=-1))),
    Row("histc", _histogram_samples, FLOAT, grad=False, out=True, errors=(
        F(RuntimeError, "must be > 0", np.zeros(2), 0),
        F(RuntimeError, "larger than min", np.zeros(2), 2, 1, 0),
        F(RuntimeError, "not finite", np.array([NAN])),
        F(NotImplementedError, "not implemented", np.zeros(2, int)))),
]  # fmt: skip

ROWS = [*SORTING, *SCANS, *COUNTING]
