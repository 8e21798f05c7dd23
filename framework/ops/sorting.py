"""Sorting and picking by rank."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import numpy_names, op, wrap
from .index import gather, pick_along
from .pointwise import ceil, floor, isnan, lerp, round, where
from .reduce import extreme_all_input, pick_grad
from .refuse import both, no_bool, no_complex
from .results import named_result
from .scan import last_marked
from .shape import expand, movedim, reshape, shape_of, squeeze, wrap_dim

SortResult = named_result("sort", "values", "indices")
TopkResult = named_result("topk", "values", "indices")
KthResult = named_result("kthvalue", "values", "indices")
MedianResult = named_result("median", "values", "indices")
NanmedianResult = named_result("nanmedian", "values", "indices")
ModeResult = named_result("mode", "values", "indices")


def _picked_input(g, input_shape, dim, out):
    return pick_grad(g[0], input_shape, dim, out[1])


def _order(input: Any, at: int, descending: bool) -> Any:
    """The stable order of the elements along a dimension; nan counts as the largest."""
    xp = namespace(input)
    if not descending:
        return xp.argsort(input, axis=at, kind="stable")
    backward = (slice(None),) * at + (slice(None, None, -1),)
    turned = xp.argsort(input[backward], axis=at, kind="stable")
    return input.shape[at] - 1 - turned[backward]


def _take(input: Any, indices: Any, at: int, result: Any) -> Any:
    return result(pick_along(input, indices, at), indices.astype(np.int64, copy=False))


def _take_one(input: Any, indices: Any, at: int, keepdim: bool, result: Any) -> Any:
    """`_take` of one element, whose dimension goes unless `keepdim`."""
    values, found = _take(input, indices, at, result)
    return result(values, found) if keepdim else result(values.squeeze(at), found.squeeze(at))


def _of_scalar(input: Any, result: Any) -> Any:
    return result(input.copy(), namespace(input).zeros((), np.int64))


# --- order --------------------------------------------------------------------------------------------------------


@op(check=no_complex("", "Sort does not support complex dtypes on CPU", RuntimeError), input=_picked_input)
def _sort(input, dim=-1, descending=False):
    at = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        return _of_scalar(input, SortResult)
    return _take(input, _order(input, at, descending), at, SortResult)


@numpy_names
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False, *, out: Any = None) -> Any:
    """`(values, indices)` in order along `dim`; equal elements keep their order, nan counts as the largest."""
    return _sort(input, dim, descending) if out is None else _sort(input, dim, descending, out=out)


@numpy_names
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort along `dim`."""
    return sort(input, dim, descending)[1]


def msort(input: Any, *, out: Any = None) -> Any:
    """The values in order along the first dimension."""
    values = sort(input, 0)[0]
    return values if out is None else out.copy_(values)


@op(
    check=both(
        no_complex("", "topk does not support complex dtypes on CPU", RuntimeError),
        no_bool("", "topk does not support bool dtypes on CPU", RuntimeError),
    ),
    input=_picked_input,
)
def topk(input, k, dim=-1, largest=True, sorted=True):
    """`(values, indices)` of the `k` largest (or smallest) elements along `dim`, in order."""
    at = wrap_dim(dim, input.ndim)
    if not 0 <= k <= (input.shape[at] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if input.ndim == 0:
        return _of_scalar(input, TopkResult)
    lead = (slice(None),) * at
    if 0 < k <= input.shape[at] // 4:
        chosen = _partitioned(input, k, at, largest)
        order = _order(pick_along(input, chosen, at), at, bool(largest))
        return _take(input, pick_along(chosen, order, at), at, TopkResult)
    return _take(input, _order(input, at, bool(largest))[(*lead, slice(k))], at, TopkResult)


def _partitioned(input: Any, k: int, at: int, largest: bool) -> Any:
    """Where the `k` largest or smallest elements along dimension `at` are, in the order of their places."""
    xp, n = namespace(input), input.shape[at]
    places = xp.argpartition(input, n - k if largest else k - 1, axis=at)
    chosen = places[(slice(None),) * at + (slice(n - k, None) if largest else slice(k),)]
    return xp.sort(chosen, axis=at)


@op(check=no_complex("kthvalue_cpu"), input=_picked_input)
def kthvalue(input, k, dim=-1, keepdim=False):
    """`(values, indices)` of the `k`-th smallest element along `dim` (the smallest is the first)."""
    at = wrap_dim(dim, input.ndim)
    if not 1 <= k <= (input.shape[at] if input.ndim else 1):
        raise RuntimeError("kthvalue(): selected number k out of range for dimension " + str(at))
    if input.ndim == 0:
        return _of_scalar(input, KthResult)
    lead = (slice(None),) * at
    return _take_one(input, _order(input, at, False)[(*lead, slice(k - 1, k))], at, keepdim, KthResult)


# --- medians and modes --------------------------------------------------------------------------------------------


def _median_places(input: Any, at: int, skip_nan: bool) -> Any:
    """Where in the sorted order the median stands: the lower of two; the first nan unless those are skipped."""
    xp, n = namespace(input), input.shape[at]
    if input.dtype.kind not in "fV":
        shape = tuple(1 if d == at else size for d, size in enumerate(input.shape))
        return xp.full(shape, (n - 1) // 2, np.int64)
    nans = xp.isnan(input).sum(axis=at, keepdims=True)
    if skip_nan:
        return xp.maximum((n - nans - 1) // 2, 0)
    return xp.where(nans > 0, n - nans, (n - 1) // 2)


def _median_along(name: str, input: Any, dim: Any, keepdim: bool, skip_nan: bool, result: Any) -> Any:
    at = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        return _of_scalar(input, result)
    if input.shape[at] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {at} to have non-zero size.")
    order = _order(input, at, False)
    places = _median_places(input, at, skip_nan)
    return _take_one(input, pick_along(order, places, at), at, keepdim, result)


def _median_whole(name: str, input: Any, skip_nan: bool) -> Any:
    if not input.size:
        if input.dtype.kind not in "fV":
            raise RuntimeError(f"{name}(): the median of no integers does not exist")
        return namespace(input).full((), math.nan, input.dtype)
    return _median_along(name, input.reshape(-1), 0, False, skip_nan, MedianResult)[0]


@op(check=both(no_complex("median_cpu"), no_bool("median_cpu")), name="MedianBackward1", input=_picked_input)
def _median_dim(input, dim, keepdim=False):
    return _median_along("median", input, dim, keepdim, False, MedianResult)


@op(check=both(no_complex("median_cpu"), no_bool("median_cpu")), name="NanmedianBackward1", input=_picked_input)
def _nanmedian_dim(input, dim, keepdim=False):
    return _median_along("nanmedian", input, dim, keepdim, True, NanmedianResult)


@op(check=both(no_complex("median_cpu"), no_bool("median_cpu")), name="MedianBackward0", input=extreme_all_input)
def _median_all(input):
    return _median_whole("median", input, False)


@op(check=both(no_complex("median_cpu"), no_bool("median_cpu")), name="NanmedianBackward0", input=extreme_all_input)
def _nanmedian_all(input):
    return _median_whole("nanmedian", input, True)


@numpy_names
def median(input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The median (the lower one of two), nan if there is a nan; with `dim` `(values, indices)` along it."""
    if dim is None:
        return _median_all(input)
    return _median_dim(input, dim, keepdim) if out is None else _median_dim(input, dim, keepdim, out=out)


@numpy_names
def nanmedian(input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The median of the elements that are not nan; with `dim` `(values, indices)` along it."""
    if dim is None:
        return _nanmedian_all(input)
    return _nanmedian_dim(input, dim, keepdim) if out is None else _nanmedian_dim(input, dim, keepdim, out=out)


@op(check=no_complex("mode_cpu"), input=_picked_input)
def mode(input, dim=-1, keepdim=False):
    """`(values, indices)` of the commonest value along `dim` (the smallest of several), at its last place."""
    at = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        return _of_scalar(input, ModeResult)
    if input.shape[at] == 0:
        raise IndexError(f"mode(): Expected reduction dim {at} to have non-zero size.")
    xp = namespace(input)
    rows = xp.moveaxis(input, at, -1)
    order = _order(rows, rows.ndim - 1, False)
    ordered = pick_along(rows, order, rows.ndim - 1)
    first = xp.ones(rows.shape, bool)
    first[..., 1:] = ordered[..., 1:] != ordered[..., :-1]
    length = xp.arange(rows.shape[-1]) - last_marked(first)  # of the run of equal values so far
    place = xp.expand_dims(xp.argmax(length, axis=-1), -1)
    indices = xp.moveaxis(pick_along(order, place, order.ndim - 1), -1, at)
    return _take_one(input, indices, at, keepdim, ModeResult)


# --- quantiles ----------------------------------------------------------------------------------------------------


@numpy_names
def quantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear", out: Any = None
) -> Any:
    """The `q`-th quantiles (a number from 0 to 1, or a vector of them) along `dim` or of all elements.

    `interpolation` between two elements: linear, lower, higher, midpoint or nearest. nan if there is a nan.
    """
    result = _quantile("quantile", input, q, dim, keepdim, interpolation, False)
    return result if out is None else out.copy_(result)


@numpy_names
def nanquantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear", out: Any = None
) -> Any:
    """`quantile` of the elements that are not nan."""
    result = _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)
    return result if out is None else out.copy_(result)


def _fractions(name: str, input: Any, q: Any) -> Any:
    """`q` as a tensor beside `input`, checked."""
    if isinstance(q, (int, float)):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
        return wrap(namespace(input._array).asarray(q, dtype=input._array.dtype))
    if q.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if q.dtype is not input.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    if isinstance(q._array, np.ndarray) and not ((q._array >= 0) & (q._array <= 1)).all():
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    return q


def _quantile(name: str, input: Any, q: Any, dim: Any, keepdim: bool, interpolation: str, skip_nan: bool) -> Any:
    if input.dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    if not input.numel():
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    fractions = _fractions(name, input, q)
    at = wrap_dim(0 if dim is None else dim, input.ndim)
    rows = reshape(input, (-1,)) if dim is None or not input.ndim else movedim(input, at, -1)
    ordered = sort(rows, -1)[0]
    ranks = _ranks(ordered, reshape(fractions, (-1,)), skip_nan)
    result = movedim(_at_ranks(ordered, ranks, interpolation), -1, 0)
    if keepdim:
        shape = (1,) * input.ndim if dim is None else tuple(1 if d == at else n for d, n in enumerate(input.shape))
        result = reshape(result, (shape_of(result)[0], *shape))
    return result if fractions.ndim else squeeze(result, 0)


def _ranks(ordered: Any, fractions: Any, skip_nan: bool) -> Any:
    """Where in the order the quantiles stand: real numbers, a row of them for each row of elements."""
    n = shape_of(ordered)[-1]
    if skip_nan:
        count = (~isnan(ordered)).sum(-1, keepdim=True)
        return fractions * (count - 1).clamp(min=0).to(ordered.dtype)
    ranks = expand(fractions * (n - 1), (*shape_of(ordered)[:-1], shape_of(fractions)[0]))
    return where(isnan(ordered[..., -1:]), float(n - 1), ranks)


def _at_ranks(ordered: Any, ranks: Any, interpolation: str) -> Any:
    if interpolation in ("lower", "higher", "nearest"):
        chosen = {"lower": floor, "higher": ceil, "nearest": round}[interpolation](ranks)
        return gather(ordered, -1, chosen.long())
    below = floor(ranks)
    weight = ranks - below if interpolation == "linear" else 0.5
    return lerp(gather(ordered, -1, below.long()), gather(ordered, -1, ceil(ranks).long()), weight)
