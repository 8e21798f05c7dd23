"""Sorting and picking by rank."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import namespace
from ..engine import op
from .reduce import pick_grad
from .results import named_result
from .shape import wrap_dim

SortResult = named_result("sort", "values", "indices")
TopkResult = named_result("topk", "values", "indices")
KthResult = named_result("kthvalue", "values", "indices")


def _picked_input(g, input_shape, dim, out):
    return pick_grad(g[0], input_shape, dim, out[1])


def _order(input: Any, at: int, descending: bool) -> Any:
    """The stable order of the elements along a dimension; nan counts as the largest."""
    xp = namespace(input)
    if not descending:
        return xp.argsort(input, axis=at, kind="stable")
    turned = xp.argsort(xp.flip(input, at), axis=at, kind="stable")
    return input.shape[at] - 1 - xp.flip(turned, at)


def _take(input: Any, indices: Any, at: int, result: Any) -> Any:
    return result(namespace(input).take_along_axis(input, indices, at), indices.astype(np.int64))


@op(input=_picked_input)
def _sort(input, dim=-1, descending=False):
    at = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        return SortResult(input.copy(), namespace(input).zeros((), np.int64))
    return _take(input, _order(input, at, descending), at, SortResult)


def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False, *, out: Any = None) -> Any:
    """`(values, indices)` in order along `dim`; equal elements keep their order, nan counts as the largest."""
    return _sort(input, dim, descending) if out is None else _sort(input, dim, descending, out=out)


def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort along `dim`."""
    return sort(input, dim, descending)[1]


def msort(input: Any, *, out: Any = None) -> Any:
    """The values in order along the first dimension."""
    values = sort(input, 0)[0]
    return values if out is None else out.copy_(values)


@op(input=_picked_input)
def topk(input, k, dim=-1, largest=True, sorted=True):
    """`(values, indices)` of the `k` largest (or smallest) elements along `dim`, in order."""
    at = wrap_dim(dim, input.ndim)
    if not 0 <= k <= (input.shape[at] if input.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if input.ndim == 0:
        return TopkResult(input.copy(), namespace(input).zeros((), np.int64))
    lead = (slice(None),) * at
    return _take(input, _order(input, at, bool(largest))[(*lead, slice(k))], at, TopkResult)


@op(input=_picked_input)
def kthvalue(input, k, dim=-1, keepdim=False):
    """`(values, indices)` of the `k`-th smallest element along `dim` (the smallest is the first)."""
    at = wrap_dim(dim, input.ndim)
    if not 1 <= k <= (input.shape[at] if input.ndim else 1):
        raise RuntimeError("kthvalue(): selected number k out of range for dimension " + str(at))
    if input.ndim == 0:
        return KthResult(input.copy(), namespace(input).zeros((), np.int64))
    lead = (slice(None),) * at
    indices = _order(input, at, False)[(*lead, slice(k - 1, k))]
    values, found = _take(input, indices, at, KthResult)
    return KthResult(values, found) if keepdim else KthResult(values.squeeze(at), found.squeeze(at))
