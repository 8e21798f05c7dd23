"""Sets, searching and counting."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..backend import add_at, namespace
from ..engine import Variable, numpy_names, op, wrap
from .shape import wrap_dim

# --- distinct elements --------------------------------------------------------------------------------------------


@op(half="wide")
def _unique(input, return_inverse, return_counts, dim):
    xp = namespace(input)
    axis = None if dim is None else wrap_dim(dim, input.ndim)
    found = xp.unique(input, return_inverse=return_inverse, return_counts=return_counts, axis=axis, equal_nan=False)
    values, *rest = found if isinstance(found, tuple) else (found,)
    if return_inverse:
        rest[0] = rest[0].reshape(input.shape if axis is None else -1)
    return (values, *(r.astype(np.int64) for r in rest))


def _alone_or_several(results: tuple) -> Any:
    return results if len(results) > 1 else results[0]


@numpy_names
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The distinct elements (with `dim`, the distinct slices along it), in order.

    With `return_inverse` also where each element went, with `return_counts` how often each occurs. Each nan is
    distinct. The order is ascending whatever `sorted` says.
    """
    return _alone_or_several(_unique(input, return_inverse, return_counts, dim))


@op()
def _unique_consecutive(input, return_inverse, return_counts, dim):
    xp = namespace(input)
    axis = 0 if dim is None else wrap_dim(dim, input.ndim)
    rows = input.reshape(-1) if dim is None else xp.moveaxis(input, axis, 0)
    n = rows.shape[0]
    first = xp.ones(n, bool)
    if n > 1:
        first[1:] = (rows[1:] != rows[:-1]).reshape(n - 1, -1).any(axis=1)
    starts = xp.nonzero(first)[0]
    results = [xp.moveaxis(rows[starts], 0, axis)]
    if return_inverse:
        inverse = xp.cumsum(first, dtype=np.int64) - 1
        results.append(inverse.reshape(input.shape) if dim is None else inverse)
    if return_counts:
        ends = xp.concatenate([starts[1:], xp.asarray([n] if n else [], dtype=starts.dtype)])
        results.append((ends - starts).astype(np.int64))
    return tuple(results)


def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (with `dim`, the slices along it) without those that equal the one before."""
    return _alone_or_several(_unique_consecutive(input, return_inverse, return_counts, dim))


@op()
def _isin(elements, test_elements, invert):
    return namespace(elements).isin(elements, test_elements, invert=invert)


def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Where `elements` are among `test_elements` (with `invert`, where not); one of the two may be a number."""
    if not isinstance(elements, Variable) and not isinstance(test_elements, Variable):
        raise TypeError(f"isin(): argument 'elements' (position 1) must be Tensor, not {type(elements).__name__}")
    if not isinstance(elements, Variable):
        elements = wrap(namespace(test_elements._array).asarray(elements))
    if not isinstance(test_elements, Variable):
        test_elements = wrap(namespace(elements._array).asarray(test_elements))
    return _isin(elements, test_elements, invert)


# --- searching ----------------------------------------------------------------------------------------------------


@op()
def _searchsorted(sorted_sequence, input, right, out_int32):
    xp, side = namespace(sorted_sequence), "right" if right else "left"
    if sorted_sequence.ndim == 1:
        found = xp.searchsorted(sorted_sequence, input, side=side)
    else:
        rows, values = (x.reshape(-1, x.shape[-1]) for x in (sorted_sequence, input))
        found = xp.empty(values.shape, np.int64)
        for i in range(rows.shape[0]):
            found[i] = xp.searchsorted(rows[i], values[i], side=side)
        found = found.reshape(input.shape)
    return found.astype(np.int32 if out_int32 else np.int64)


def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
    out: Any = None,
) -> Any:
    """Where each element of `input` would go in the sorted last dimension of `sorted_sequence`: before equal ones,
    or after them with `right` (or `side="right"`). `sorter` are indices that sort the sequence.
    """
    if side not in (None, "left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    if not isinstance(input, Variable):
        input = wrap(namespace(sorted_sequence._array).asarray(input, dtype=sorted_sequence._array.dtype))
    shape, wanted = sorted_sequence._array.shape, input._array.shape
    if len(shape) != 1 and (len(shape) != len(wanted) or shape[:-1] != wanted[:-1]):
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries "
            f"tensor and input value tensor must match, but we got boundaries tensor {list(shape)} and input value "
            f"tensor {list(wanted)}"
        )
    if sorter is not None:
        sorted_sequence = sorted_sequence.gather(-1, sorter)
    return _searchsorted(sorted_sequence, input, right or side == "right", out_int32, out=out)


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False, out: Any = None) -> Any:
    """Between which of the sorted `boundaries` each element lies; on a boundary below it, or above it with `right`."""
    if boundaries._array.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._array.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right, out=out)


# --- counting -----------------------------------------------------------------------------------------------------


@op()
def bincount(input, weights=None, minlength=0):
    """How often each of 0, 1, 2, ... occurs among non-negative integers, or the sums of their `weights`."""
    if input.dtype.kind not in "iu":
        named = dtypes.scalar_type_name(input.dtype)
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{named}'")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if input.ndim != 1 or (type(input) is np.ndarray and input.size and input.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights.shape != input.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    xp = namespace(input)
    if not input.size:
        return xp.zeros(minlength, np.int64)
    counts = xp.bincount(input, weights, minlength)
    return counts.astype(np.int64 if weights is None else np.float32 if weights.dtype == np.float32 else np.float64)


@op()
def histc(input, bins=100, min=0, max=0):
    """How many elements fall in each of `bins` equal intervals from `min` to `max`.

    Where those are equal, from the least element to the largest.

    Elements outside, and nan, count nowhere; the result has the type of `input`.
    """
    if input.dtype.kind not in "fV":
        named = dtypes.scalar_type_name(input.dtype)
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{named}'")
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    if max < min:
        raise RuntimeError("torch.histc: max must be larger than min")
    xp, values = namespace(input), input.reshape(-1)
    counts = xp.zeros(bins, input.dtype)
    if not values.size:
        return counts
    low, high = _histogram_range(xp, values, min, max)
    inside = (values >= low) & (values <= high)
    places = (xp.where(inside, values, low) - low) * bins / (high - low)
    places = xp.minimum(places.astype(np.int64), bins - 1)  # the last interval includes its upper end
    add_at(counts, places, inside.astype(input.dtype))
    return counts


def _histogram_range(xp: Any, values: Any, low: float, high: float) -> tuple[Any, Any]:
    if low != high:
        return xp.asarray(low, dtype=values.dtype), xp.asarray(high, dtype=values.dtype)
    least, most = values.min(), values.max()
    if type(values) is np.ndarray and not (np.isfinite(least) and np.isfinite(most)):
        raise RuntimeError(f"torch.histc: range of [{least}, {most}] is not finite")
    same = least == most
    return xp.where(same, least - 1, least).astype(values.dtype), xp.where(same, most + 1, most).astype(values.dtype)
