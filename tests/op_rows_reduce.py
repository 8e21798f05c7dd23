"""Rows of the reductions, scans and softmax."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from op_row import ANY, COMPLEX, EVERY, FLOAT, NUMERIC, REAL, DType, F, Make, Row, S, Sample, reduction

NAN, INF = math.nan, math.inf
_bad_dim = F(IndexError, "Dimension out of range", np.zeros((2, 3)), 2)
_twice = F(RuntimeError, "appears multiple times", np.zeros((2, 3)), (0, 0))


def _with_empty(**kwargs: object) -> object:
    def samples(m: Make) -> Iterable[Sample]:
        yield from reduction()(m)
        yield S(m(0, 3))
        yield S(m(0, 3), 0)
        yield S(m(0, 3), 1)
        yield S(m())
        if m.floating and not m.complex:
            yield S(m(3, 4), dtype=DType("float64"))
            yield S(m(3, 4), 0, dtype=DType("float32")).values_only()
            yield S(m.of(NAN, 1.0, INF)).values_only()

    return samples


def _mean_samples(m: Make) -> Iterable[Sample]:
    if not m.floating:
        yield S(m(3, 4), dtype=DType("float32"))
        yield S(m(3, 4), 1, dtype=DType("float64"))
        return
    yield from reduction()(m)
    yield S(m())
    yield S(m(0, 3))
    yield S(m(0, 3), 0)
    yield S(m(3, 4), 0, dtype=DType("float64" if not m.complex else "complex128"))


def _nan_samples(m: Make) -> Iterable[Sample]:
    yield from reduction()(m)
    if m.floating:
        x = m(3, 4)
        x[0, 1] = x[2, 3] = NAN
        yield S(x).rough()
        yield S(x, 1).rough()
        yield S(m.of(NAN, NAN, 1.0), 0).rough()


def _prod_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4, low=0.5))
    yield S(m(2, 3, 4), 1)
    yield S(m(2, 3), -1, keepdim=True)
    yield S(m(), 0)
    yield S(m())
    yield S(m(0, 3), 0)
    yield S(m.of(2, 0, 3))
    yield S(m.of(2, 0, 0, 3))
    yield S(m(0))
    if m.floating and not m.complex:
        yield S(m(3), dtype=DType("float64"))


def _var_samples(m: Make) -> Iterable[Sample]:
    yield from reduction()(m)
    yield S(m(2, 3, 4), 1, True)
    yield S(m(3, 4), False)
    yield S(m(3, 4), dim=1, correction=0)
    yield S(m(3, 4), dim=(0, 1), correction=2, keepdim=True)
    yield S(m(3, 1), 1, correction=0).rough()


def _moments(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4))
    yield S(m(3, 4), 1)
    yield S(m(2, 3, 4), dim=(0, 2), keepdim=True)
    yield S(m(3, 4), dim=1, correction=0)


def _extreme(m: Make) -> Iterable[Sample]:
    yield from reduction(several=False, distinct=True)(m)
    yield S(m.distinct())
    yield S(m.distinct(3), m(2, 3))
    yield S(m(0, 3), 1)
    yield S(m.of(1, 2, 2, 1)).rough()
    yield S(m.of(1, 1, 1), 0).rough()
    if m.floating:
        yield S(m.of(1.0, NAN, 3.0)).rough()
        yield S(m.of(1.0, NAN, 3.0), 0).rough()


def _amax_samples(m: Make) -> Iterable[Sample]:
    yield from reduction(distinct=True)(m)
    yield S(m(0, 3), 1)
    yield S(m.of(1, 2, 2, 1)).rough()
    if m.floating:
        yield S(m.of(1.0, NAN, 3.0), 0).rough()


def _aminmax_samples(m: Make) -> Iterable[Sample]:
    yield S(m.distinct(3, 4))
    yield S(m.distinct(3, 4), dim=1)
    yield S(m.distinct(3, 4), dim=0, keepdim=True)
    yield S(m.distinct(), dim=0)


def _arg_samples(m: Make) -> Iterable[Sample]:
    yield from reduction(several=False, distinct=True)(m)
    yield S(m.of(1, 3, 3, 2))
    yield S(m.distinct(3, 4), keepdim=True)
    if m.floating:
        yield S(m.of(1.0, NAN, 3.0, NAN))


def _truth_samples(m: Make) -> Iterable[Sample]:
    yield from reduction()(m)
    yield S(m(0, 3))
    yield S(m(0, 3), 0)
    yield S(m.of(0, 0))
    if m.floating:
        yield S(m.of(NAN, 0.0))


def _logsumexp_samples(m: Make) -> Iterable[Sample]:
    yield S(m(2, 3, 4), 1)
    yield S(m(2, 3, 4), (0, 2))
    yield S(m(2, 3), -1, keepdim=True)
    yield S(m(), 0)
    yield S(m(0, 3), 0).values_only()
    if m.floating:
        yield S(m.of(1000.0, 1000.5), 0)
        yield S(m.of(-INF, -INF), 0).values_only()
        yield S(m.of(INF, 1.0), 0).values_only()


def _norm_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4))
    for p in (2, 1, 0, 3, 1.5, INF, -INF):
        yield S(m.distinct(3, 4) if not m.complex else m(3, 4), p)
        yield S(m.distinct(3, 4) if not m.complex else m(3, 4), p, 1)
    yield S(m(2, 3, 4), 2, (0, 2), True)
    yield S(m(3), dim=0)
    yield S(m(), 2)
    yield S(m(0, 3), 2, 1).values_only()
    yield S(m.of(0, 0), 2).rough()
    yield S(m.of(0, 1), 1).rough()
    yield S(m.of(1, -1), INF).rough()


def _vector_norm_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4))
    for p in (2, 1, 0, 3, INF):
        yield S(m(3, 4), p, 1)
    yield S(m(2, 3, 4), 2, (0, 2), True)
    yield S(m(3, 4), dtype=DType("complex128" if m.complex else "float64"))


def _scan(**options: object) -> object:
    def samples(m: Make) -> Iterable[Sample]:
        yield S(m(3, 4), 0)
        yield S(m(2, 3, 4), 1)
        yield S(m(2, 3, 4), -1)
        yield S(m(), 0)
        yield S(m(0, 3), 0)
        yield S(m.of(2, 0, 3, 1), 0)
        yield S(m.of(2, 0, 3, 0, 1), 0)
        if m.floating and not m.complex:
            yield S(m(3), 0, dtype=DType("float64"))

    return samples


def _softmax_samples(m: Make) -> Iterable[Sample]:
    if not m.floating:
        yield S(m(3, 4), 1, dtype=DType("float32"))
        return
    yield S(m(3, 4), 1)
    yield S(m(2, 3, 4), 0)
    yield S(m(2, 3), dim=-1)
    yield S(m(), 0)
    yield S(m(0, 3), 1)
    yield S(m.of(1000.0, 999.0, -1000.0), 0)
    yield S(m(3, 4), 1, dtype=DType("float64"))


def _pairs_equal(m: Make) -> Iterable[Sample]:
    x = m(3, 4)
    yield S(x, x.copy())
    yield S(x, m(3, 4))
    yield S(x, m(3))


ROWS = [
    Row("sum", _with_empty(), EVERY, out=False, errors=(_bad_dim, _twice)),
    Row("mean", _mean_samples, NUMERIC, errors=(
        _bad_dim, F(RuntimeError, "could not infer output dtype", np.ones(2, int)))),
    Row("nansum", _nan_samples, REAL, errors=(_bad_dim,)),
    Row("nanmean", _nan_samples, FLOAT),
    Row("prod", _prod_samples, EVERY, errors=(_bad_dim,)),
    Row("var", _var_samples, COMPLEX, errors=(_bad_dim, _twice)),
    Row("std", _var_samples, COMPLEX, errors=(_bad_dim, _twice)),
    Row("var_mean", _moments, FLOAT, method=False),
    Row("std_mean", _moments, FLOAT, method=False),
    Row("max", _extreme, ANY, errors=(
        _bad_dim,
        F(IndexError, "non-zero size", np.zeros((0, 3)), 0),
        F(RuntimeError, "Expected reduction dim", np.zeros((0,))),
    )),
    Row("min", _extreme, ANY, errors=(_bad_dim, F(IndexError, "non-zero size", np.zeros((0, 3)), 0))),
    Row("amax", _amax_samples, ANY, out=True, errors=(_bad_dim, _twice)),
    Row("amin", _amax_samples, ANY, out=True, errors=(_bad_dim, _twice)),
    Row("aminmax", _aminmax_samples, ANY, out=True),
    Row("argmax", _arg_samples, REAL, grad=False, out=True, errors=(
        _bad_dim, F(IndexError, "Expected reduction dim", np.zeros((0,))))),
    Row("argmin", _arg_samples, REAL, grad=False, out=True, errors=(_bad_dim,)),
    Row("all", _truth_samples, (*EVERY, "uint8"), grad=False, out=True, errors=(_bad_dim,)),
    Row("any", _truth_samples, (*EVERY, "uint8"), grad=False, out=True, errors=(_bad_dim,)),
    Row("count_nonzero", lambda m: [S(m(3, 4)), S(m(3, 4), 1), S(m(2, 3, 4), (0, 2)), S(m())], EVERY, grad=False),
    Row("logsumexp", _logsumexp_samples, REAL, out=True, promotes=1, errors=(_bad_dim,)),
    Row("norm", _norm_samples, COMPLEX, errors=(F(RuntimeError, "floating point|dtype", np.ones(2, int)),)),
    Row("linalg.vector_norm", _vector_norm_samples, COMPLEX, method=False, out=True),
    Row("cumsum", _scan(), EVERY, inplace=True, out=True, errors=(_bad_dim,)),
    Row("cumprod", _scan(), NUMERIC, inplace=True, out=True, errors=(_bad_dim,)),
    Row("softmax", _softmax_samples, REAL, errors=(F(IndexError, "Dimension", np.zeros(2), 1),)),
    Row("log_softmax", _softmax_samples, REAL, errors=(F(IndexError, "Dimension", np.zeros(2), 1),)),
    Row("equal", _pairs_equal, EVERY, grad=False, reads_host=True),
    Row("allclose", lambda m: [S(m(3, 4), m(3, 4)), S(m.of(1, 2), m.of(1, 2)), S(m.of(1, 2), m.of(1, 3), rtol=1.0)],
        REAL, grad=False, reads_host=True),
]  # fmt: skip
