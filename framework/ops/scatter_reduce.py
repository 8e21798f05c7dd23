"""`scatter_reduce`: sums, products, means and extremes of what lands on the same place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import add_at, namespace
from ..engine import op, write_in_place
from .index import _check_index, _grid, _same_type, _scatter_value, _slice, gather, masked_fill, scatter_add
from .pointwise import where
from .scan import scan_last
from .shape import shape_of

_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def _neutral(kind: str, dtype: Any) -> Any:
    """What changes nothing when a value is combined with it."""
    if kind in ("sum", "mean"):
        return 0
    if kind == "prod":
        return 1
    if dtype.kind in "fV":
        return -np.inf if kind == "amax" else np.inf
    if dtype.kind == "b":
        return kind == "amin"
    return np.iinfo(dtype).min if kind == "amax" else np.iinfo(dtype).max


def _combine_at(result: Any, grid: Any, values: Any, function: Callable) -> Any:
    """`result[grid] = function(result[grid], values)`, for all values that share a place.

    Sorted by their places the values of one place are neighbours; a scan combines them without reading on the host,
    and each place looks up the last of its own.
    """
    xp = namespace(result)
    cells = xp.arange(result.size)
    places = xp.broadcast_to(cells.reshape(result.shape)[grid], values.shape).reshape(-1)
    order = xp.argsort(places, kind="stable")
    places, values = places[order], values.reshape(-1)[order]

    def combine(place: Any, value: Any, later_place: Any, later_value: Any) -> tuple[Any, Any]:
        return later_place, xp.where(place == later_place, function(value, later_value), later_value)

    _, combined = scan_last(xp, (places, values), combine)
    last = xp.maximum(xp.searchsorted(places, cells, side="right") - 1, 0)
    flat = result.reshape(-1)
    return xp.where(places[last] == cells, function(flat, combined[last]), flat).reshape(result.shape)


def _counts(g: Any, dim: int, index: Any, include_self: bool) -> Any:
    """How many values each place has had."""
    zeros = g * 0
    ones = gather(zeros, dim, index) + 1
    counts = scatter_add(zeros + 1 if include_self else zeros, dim, index, ones)
    return where(counts == 0, 1.0, counts)


def _extreme_backward(g, input, dim, index, src, out):
    is_self, is_src = (input == out) + g * 0, (src == gather(out, dim, index)) + gather(g, dim, index) * 0
    share = g / scatter_add(is_self, dim, index, is_src)
    return share * is_self, gather(share, dim, index) * is_src


def _product_backward(g, input, dim, index, src, include_self, out):
    own = where(input == 0, 1.0, input)
    grad_input = g * _scatter_reduce(own, dim, index, src, "prod", include_self) / own
    zero = src == 0
    zeros = gather(scatter_add(g * 0, dim, index, zero + src * 0), dim, index)
    alone = zero & (zeros == 1)  # the product of the others is its slope
    others = _scatter_reduce(input, dim, index, masked_fill(src, alone, 1), "prod", include_self)
    plain = gather(g * out, dim, index) / masked_fill(src, zero, 1)
    return grad_input, where(alone, gather(g * others, dim, index), plain)


def _backward(needed, g, input, dim, index, src, reduce, include_self, out):
    if reduce == "prod":
        grad_input, grad_src = _product_backward(g, input, dim, index, src, include_self, out)
    elif reduce in ("amax", "amin"):
        grad_input, grad_src = _extreme_backward(g, input, dim, index, src, out)
    else:
        grad_input = g / _counts(g, dim, index, include_self) if reduce == "mean" else g
        grad_src = gather(grad_input, dim, index)
    if not include_self:
        grad_input = _scatter_value(grad_input, dim, index, 0)
    return grad_input, grad_src


@op(joint=_backward, wrt=("input", "src"), name="ScatterReduceBackward0")
def _scatter_reduce(input, dim, index, src, reduce, include_self=True):
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    at = _check_index("scatter_reduce", input, index, dim)
    _same_type("scatter", input, src)
    xp, result = namespace(input), input.copy()
    grid = _grid(xp, index, at) if input.ndim else ...
    if not index.size:
        return result
    if not include_self:
        result[grid] = _neutral(reduce, input.dtype)
    if reduce in ("sum", "mean"):
        add_at(result, grid, src)
        if reduce == "mean":
            counts = xp.full(input.shape, 1 if include_self else 0, np.int32)
            add_at(counts, grid, xp.ones(src.shape, np.int32))
            counts = xp.maximum(counts, 1).astype(input.dtype)
            result = result // counts if input.dtype.kind in "iu" else result / counts
        return result
    function = {"prod": xp.multiply, "amax": xp.maximum, "amin": xp.minimum}[reduce]
    return _combine_at(result, grid, src, function)


def _used(index: Any, src: Any) -> Any:
    """The part of `src` that `index` speaks of."""
    if shape_of(src) == shape_of(index):
        return src
    if any(n > m for n, m in zip(shape_of(index), shape_of(src), strict=False)):
        raise RuntimeError(
            f"Expected index {list(shape_of(index))} to be no larger than src {list(shape_of(src))} in all dimensions"
        )
    return _slice(src, tuple(slice(n) for n in shape_of(index)))


def scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True, out: Any = None
) -> Any:
    """`input` with the elements of `src` combined at the places that `index` gives along `dim`.

    `reduce` is "sum", "prod", "mean", "amax" or "amin"; what was there takes part if `include_self`.
    """
    return _scatter_reduce(input, dim, index, _used(index, src), reduce, include_self, out=out)


def scatter_reduce_(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """`scatter_reduce` in place."""
    args = [input, dim, index, _used(index, src), reduce, include_self]
    return write_in_place(_scatter_reduce.op, args)  # type: ignore[attr-defined]
