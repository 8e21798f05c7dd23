"""Scans beyond sums and products, differences, and integrals of sampled functions.

CuPy scans sums and products alone. The others are done here in log2(n) steps over whole arrays: after the step of
length s, each element stands for the 2s elements up to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import numpy_names, op
from ..engine.half import rounded_once
from .index import _scatter_add_zeros
from .pointwise import exp, is_complex_valued, log, logaddexp, logical_xor, where
from .reduce import cumsum
from .reduce import sum as sum_over
from .refuse import no_complex
from .results import named_result
from .shape import cat, flip, narrow, shape_of, wrap_dim

CummaxResult = named_result("cummax", "values", "indices")
CumminResult = named_result("cummin", "values", "indices")


def scan_last(xp: Any, arrays: tuple[Any, ...], combine: Callable[..., tuple[Any, ...]]) -> tuple[Any, ...]:
    """Scans along the last axis: `combine(*earlier, *later)` joins neighbouring stretches and is associative."""
    n, step = arrays[0].shape[-1], 1
    while step < n:
        joined = combine(*(a[..., :-step] for a in arrays), *(a[..., step:] for a in arrays))
        arrays = tuple(xp.concatenate([a[..., :step], j], axis=-1) for a, j in zip(arrays, joined, strict=True))
        step *= 2
    return arrays


def last_marked(marks: Any) -> Any:
    """For each element of the last axis the place of the last True up to it (0 if there is none yet)."""
    xp = namespace(marks)
    places = xp.where(marks, xp.arange(marks.shape[-1]), 0)
    return scan_last(xp, (places,), lambda earlier, later: (xp.maximum(earlier, later),))[0]


# --- running extremes ---------------------------------------------------------------------------------------------


def _picked(g, input_shape, dim, out):
    return _scatter_add_zeros(g[0], input_shape, dim, out[1]) if input_shape else g[0]


def _running_extreme(input: Any, dim: Any, better: Callable, result: Any) -> Any:
    """The best element so far and its place; of equal ones the last, and a nan once there was one."""
    at, xp = wrap_dim(dim, input.ndim), namespace(input)
    if input.ndim == 0 or not input.size:
        return result(input.copy(), xp.zeros(input.shape, np.int64))

    def combine(value: Any, place: Any, later_value: Any, later_place: Any) -> tuple[Any, Any]:
        keep = (value != value) | better(value, later_value)
        keep = keep & (later_value == later_value)
        return xp.where(keep, value, later_value), xp.where(keep, place, later_place)

    rows = xp.moveaxis(input, at, -1)
    places = xp.broadcast_to(xp.arange(rows.shape[-1], dtype=np.int64), rows.shape)
    values, found = scan_last(xp, (rows, places), combine)
    return result(xp.moveaxis(values, -1, at), xp.moveaxis(found, -1, at))


@op(half="gradient", check=no_complex("cummax_cpu"), input=_picked)
def cummax(input, dim):
    """`(values, indices)` of the largest element so far along `dim`; of equal ones the last."""
    return _running_extreme(input, dim, lambda a, b: a > b, CummaxResult)


@op(half="gradient", check=no_complex("cummin_cpu"), input=_picked)
def cummin(input, dim):
    """`(values, indices)` of the smallest element so far along `dim`; of equal ones the last."""
    return _running_extreme(input, dim, lambda a, b: a < b, CumminResult)


# --- running sums of exponentials ---------------------------------------------------------------------------------


def _logcumsumexp_input(g, input, out, dim):
    # sum over later k of g[k] exp(input - out[k]), in logarithms lest it overflow, g > 0 and g < 0 apart
    lowest = float(np.finfo((input._array if hasattr(input, "_array") else input).dtype).min) / 2

    def part(size: Any, counts: Any) -> Any:
        logs = where(counts, log(where(counts, size, 1.0)), lowest) - where(counts, out, 0.0)
        return exp(flip(logcumsumexp(flip(logs, (dim,)), dim), (dim,)) + input)

    if not shape_of(input):
        return g
    return part(g, g != 0) if is_complex_valued(g) else part(g, g > 0) - part(-g, g < 0)


@op(input=_logcumsumexp_input)
def logcumsumexp(input, dim):
    """`log(cumsum(exp(input)))` along `dim` without overflow."""
    at, xp = wrap_dim(dim, input.ndim), namespace(input)
    if input.dtype.kind not in "fcV":
        named = dtypes.scalar_type_name(input.dtype)
        raise NotImplementedError(f"\"logcumsumexp_out_cpu\" not implemented for '{named}'")
    if input.ndim == 0 or not input.size:
        return input.copy()
    rows = xp.moveaxis(input, at, -1)
    return xp.moveaxis(scan_last(xp, (rows,), lambda a, b: (logaddexp.plain(a, b),))[0], -1, at)


# --- differences and integrals ------------------------------------------------------------------------------------


@numpy_names
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None, *, out: Any = None) -> Any:
    """The differences of neighbours along `dim`, taken `n` times, after joining `prepend` and `append`."""
    ndim = len(shape_of(input))
    if not ndim:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    at = wrap_dim(dim, ndim)
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    ends = [x for x in (prepend, input, append) if x is not None]
    result = cat(ends, at) if len(ends) > 1 else input
    for _ in range(min(n, shape_of(result)[at])):
        count = shape_of(result)[at] - 1
        later, earlier = narrow(result, at, 1, count), narrow(result, at, 0, count)
        result = logical_xor(later, earlier) if result.dtype is dtypes.bool else later - earlier
    return result if out is None else out.copy_(result)


def _panels(y: Any, x: Any, dx: Any, dim: int) -> Any:
    """Twice the areas between neighbouring samples."""
    at = wrap_dim(dim, len(shape_of(y)))
    count = max(shape_of(y)[at] - 1, 0)
    both = narrow(y, at, 0, count) + narrow(y, at, shape_of(y)[at] - count, count)
    if x is None:
        return both * (1 if dx is None else dx)
    if dx is not None:
        raise TypeError("trapezoid() takes x or dx, not both")
    if len(shape_of(x)) == 1:
        x = x[(..., *(None,) * (len(shape_of(y)) - at - 1))]
        return both * diff(x, dim=len(shape_of(x)) - len(shape_of(y)) + at)
    return both * diff(x, dim=dim)


@rounded_once
def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The integral of the samples `y` at the places `x` (or `dx` apart, 1 unless given), by trapezoids along `dim`."""
    return sum_over(_panels(y, x, dx, dim), dim) / 2


@rounded_once
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The integrals up to each sample but the first, by trapezoids along `dim`."""
    return cumsum(_panels(y, x, dx, dim), dim) / 2
