"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import namespace
from ..engine import wrap
from .dropout import dropout
from .index import masked_fill
from .linalg import matmul, turned
from .pointwise import logical_not
from .reduce import _softmax
from .shape import expand, reshape, shape_of, unsqueeze


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """`softmax(query key^T * scale + mask) value` (Vaswani et al., arXiv:1706.03762).

    Args:
        query, key, value: (..., target, width), (..., source, width), (..., source, value width).
        attn_mask: broadcasts to (..., target, source): bool, True where attention is allowed, or added to the scores.
        dropout_p: the share of attention weights dropped.
        is_causal: each target position sees the source positions up to its own.
        scale: 1 / sqrt(width) unless given.
        enable_gqa: fewer heads (dimension -3) of key and value than of query, each shared by several.
    """
    if attn_mask is not None and is_causal:
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    for name, x in (("query", query), ("key", key), ("value", value)):
        if len(shape_of(x)) < 2:
            raise RuntimeError(
                f"scaled_dot_product_attention: expected {name} to have at least 2 dimensions, but got {len(shape_of(x))}"
            )
    if enable_gqa:
        key, value = _shared_heads(key, query), _shared_heads(value, query)
    factor = 1 / math.sqrt(shape_of(query)[-1]) if scale is None else scale
    scores = matmul(query * factor, turned(key))
    if is_causal:
        scores = masked_fill(scores, _above_diagonal(scores), -math.inf)
    if attn_mask is None:
        weights = _softmax(scores, -1)
    elif attn_mask._array.dtype == np.bool_:
        weights = _softmax_where(scores, attn_mask)
    else:
        weights = _softmax(scores + attn_mask, -1)
    if dropout_p:
        weights = dropout(weights, dropout_p)
    return matmul(weights, value)


def _above_diagonal(scores: Any) -> Any:
    rows, columns = shape_of(scores)[-2:]
    xp = namespace(scores._array)
    return wrap(xp.arange(columns) > xp.arange(rows)[:, None])


def _softmax_where(scores: Any, allowed: Any) -> Any:
    """The softmax over allowed positions; zeros, not nan, in a row where none is."""
    shape = np.broadcast_shapes(shape_of(scores), shape_of(allowed))
    barred = expand(logical_not(allowed), shape)
    lowest = float(np.finfo(scores._array.dtype).min)
    return masked_fill(_softmax(masked_fill(expand(scores, shape), barred, lowest), -1), barred, 0.0)


def _shared_heads(x: Any, query: Any) -> Any:
    """Heads repeated, each for as many query heads as share it."""
    shape, heads = shape_of(x), shape_of(query)[-3]
    if heads % shape[-3]:
        raise RuntimeError(
            f"Number of heads in key and value must divide the number of heads in query, got {shape[-3]} and {heads}"
        )
    times = heads // shape[-3]
    if times == 1:
        return x
    wide = expand(unsqueeze(x, -3), (*shape[:-2], times, *shape[-2:]))
    return reshape(wide, (*shape[:-3], heads, *shape[-2:]))
