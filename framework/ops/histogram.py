"""Histograms in one and in several dimensions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import add_at, namespace
from ..engine import Variable, wrap
from .outputs import store
from .results import named_result
from .shape import reshape, shape_of

HistogramResult = named_result("histogram", "hist", "bin_edges")
HistogramDdResult = named_result("histogramdd", "hist", "bin_edges")


def _edges(xp: Any, low: Any, high: Any, bins: int, dtype: Any) -> Any:
    """The ends of equal intervals, counted from the nearer end."""
    low, high = (np.asarray(end, dtype) for end in (low, high))
    step = ((high - low) / np.asarray(bins, dtype)).astype(dtype)
    place = np.arange(bins + 1)
    up, down = low + step * place.astype(dtype), high - step * (bins - place).astype(dtype)
    edges = np.where(place < (bins + 1) // 2, up, down)
    return xp.asarray(edges.astype(dtype))


def _ends(values: Any, dim: int, given: Any) -> tuple[float, float]:
    """The least and the largest edge of a dimension."""
    if given is not None:
        low, high = float(given[2 * dim]), float(given[2 * dim + 1])
    elif not values.shape[0]:
        low, high = 0.0, 1.0
    else:
        column = values[:, dim]
        low, high = float(column.min()), float(column.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histogramdd: dimension {dim}'s range [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError(
            f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension {dim}"
        )
    return (low - 0.5, high + 0.5) if low == high else (low, high)


def _counts(input: Any, edges: list, weight: Any) -> Any:
    """How many points, or what weight of them, fall in each cell; of arrays."""
    xp = namespace(input)
    sizes = tuple(e.shape[0] - 1 for e in edges)
    inside: Any = xp.ones(input.shape[0], bool)
    flat: Any = xp.zeros(input.shape[0], np.int64)
    for dim, (edge, size) in enumerate(zip(edges, sizes, strict=True)):
        column = input[:, dim]
        inside = inside & (column >= edge[0]) & (column <= edge[-1])
        place = xp.searchsorted(edge, column, side="right") - 1
        flat = flat * size + xp.clip(place, 0, max(size - 1, 0))  # the last interval includes its upper end
    result = xp.zeros(math.prod(sizes), input.dtype)
    amount = inside.astype(input.dtype) if weight is None else xp.where(inside, weight, 0).astype(input.dtype)
    if result.size:
        add_at(result, flat, amount)
    return result.reshape(sizes)


def _resolve(values: Any, bins: list, given: Any) -> list[Any]:
    """The edges of every dimension, as Tensors, from numbers of bins or from edges."""
    array, edges = values._array, []
    if given is not None and len(given) != 2 * len(bins):
        raise RuntimeError(
            f"torch.histogramdd: for a {len(bins)}-dimensional histogram range should have {2 * len(bins)} elements, "
            f"but got {len(given)}"
        )
    for dim, item in enumerate(bins):
        if isinstance(item, Variable):
            _check_edges(values, item, dim)
            edges.append(item)
            continue
        if item <= 0:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {item} for dimension {dim}")
        low, high = _ends(array, dim, given)
        edges.append(wrap(_edges(namespace(array), low, high, int(item), array.dtype)))
    return edges


def _check_edges(values: Any, edges: Any, dim: int) -> None:
    if values.dtype != edges.dtype:
        raise RuntimeError(
            "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype "
            f"{values.dtype} and bins for dimension {dim} with dtype {edges.dtype}"
        )
    if len(shape_of(edges)) != 1:
        raise RuntimeError(
            "torch.histogramdd: bins tensor should have one dimension, but got "
            f"{len(shape_of(edges))} dimensions in the bins tensor for dimension {dim}"
        )


def _made(values: Any, bins: list, given: Any, weight: Any, density: bool) -> tuple[Any, list]:
    if values._array.dtype not in (np.float32, np.float64):
        named = dtypes.scalar_type_name(values.dtype)
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{named}'")
    values = values.detach()
    rows = shape_of(values)[:-1]
    if weight is not None and shape_of(weight) != rows:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor "
            f"excluding its innermost dimension, but got input with shape {list(shape_of(values))} and weight with "
            f"shape {list(shape_of(weight))}"
        )
    if weight is not None and weight.dtype != values.dtype:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same "
            f"dtype, but got input({values.dtype}), and weight({weight.dtype})"
        )
    flat = reshape(values, (math.prod(rows), shape_of(values)[-1]))
    edges = _resolve(flat, bins, given)
    arrays = [e._array for e in edges]
    weights = None if weight is None else weight._array.reshape(-1)
    hist = wrap(_counts(flat._array, arrays, weights))
    if density:
        hist = hist / hist.sum()
        for dim, edge in enumerate(edges):
            widths = edge[1:] - edge[:-1]
            hist = hist / reshape(widths, tuple(-1 if d == dim else 1 for d in range(len(edges))))
    return hist, edges


def histogram(
    input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False, out: Any = None
) -> Any:
    """`(hist, bin_edges)` of all elements: `bins` equal intervals over `range` (min to max unless given), or its edges.

    Every element counts 1, or its `weight`; with `density` the integral is 1. The last interval includes its end.
    """
    given = bins
    values = reshape(input, (-1, 1))
    weight = None if weight is None else reshape(weight, (-1,))
    hist, edges = _made(values, [given], range, weight, density)
    return store("histogram", out, HistogramResult(hist, edges[0]))


def histogramdd(
    input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False, out: Any = None
) -> Any:
    """`(hist, bin_edges)` of points (*, d): `bins` one number, one per dimension, or edges per dimension."""
    shape = shape_of(input)
    if len(shape) < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    several = list(bins) if isinstance(bins, (tuple, list)) else [bins] * shape[-1]
    if len(several) != shape[-1]:
        raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    hist, edges = _made(input, several, range, weight, density)
    return HistogramDdResult(hist, tuple(edges))
