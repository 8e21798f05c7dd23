"""Similarities and distances between vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import namespace
from ..engine import wrap
from ..engine.half import rounded_once
from .index import index_select
from .pointwise import clamp, sqrt
from .reduce import vector_norm
from .shape import shape_of


@rounded_once
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along `dim`; norms below `eps` count as `eps`."""
    first, second = (x * x for x in (x1, x2))
    size1, size2 = (clamp(s.sum(dim, keepdim=True), eps * eps, None) for s in (first, second))
    return ((x1 / sqrt(size1)) * (x2 / sqrt(size2))).sum(dim)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The p-norm of `x1 - x2 + eps` along the last dimension."""
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)


def pdist(input: Any, p: float = 2.0) -> Any:
    """The p-norm distances of all pairs of rows of (n, d), the upper triangle row by row: (n (n - 1) / 2)."""
    shape = shape_of(input)
    if len(shape) != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {len(shape)}D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    first, second = np.triu_indices(shape[0], 1)
    xp = namespace(input._array)
    pairs = [index_select(input, 0, wrap(xp.asarray(rows))) for rows in (first, second)]
    return vector_norm(pairs[0] - pairs[1], p, -1)
