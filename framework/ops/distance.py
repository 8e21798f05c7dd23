"""Similarities and distances between vectors."""

from __future__ import annotations

from typing import Any

from ..engine.half import rounded_once
from .pointwise import clamp, sqrt
from .reduce import vector_norm


@rounded_once
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along `dim`; norms below `eps` count as `eps`."""
    first, second = (x * x for x in (x1, x2))
    size1, size2 = (clamp(s.sum(dim, keepdim=True), eps * eps, None) for s in (first, second))
    return ((x1 / sqrt(size1)) * (x2 / sqrt(size2))).sum(dim)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The p-norm of `x1 - x2 + eps` along the last dimension."""
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)
