"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import namespace
from ..engine import op, wrap
from ..engine.half import rounded_once
from .dropout import dropout
from .linalg import matmul, turned
from .reduce import _softmax_input
from .shape import expand, reshape, shape_of, unsqueeze


@rounded_once
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
    _check(query, key, value)
    if enable_gqa:
        key, value = _shared_heads(key, query), _shared_heads(value, query)
    factor = 1 / math.sqrt(shape_of(query)[-1]) if scale is None else scale
    scores = matmul(query * factor, turned(key))
    barred = _above_diagonal(scores) if is_causal else None
    if attn_mask is not None:
        if attn_mask._array.dtype == np.bool_:
            barred = ~attn_mask if barred is None else barred | ~attn_mask
        else:
            scores = scores + attn_mask
    weights = _attention_weights(scores, barred)
    if dropout_p:
        weights = dropout(weights, dropout_p)
    return matmul(weights, value)


def _check(query: Any, key: Any, value: Any) -> None:
    dims = [len(shape_of(x)) for x in (query, key, value)]
    if min(dims) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got "
            f"query.dim: {dims[0]} key.dim: {dims[1]} and value.dim: {dims[2]} instead."
        )
    if not query.dtype is key.dtype is value.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got "
            f"query.dtype: {query.dtype} key.dtype: {key.dtype} and value.dtype: {value.dtype} instead."
        )


def _above_diagonal(scores: Any) -> Any:
    rows, columns = shape_of(scores)[-2:]
    xp = namespace(scores._array)
    return wrap(xp.arange(columns) > xp.arange(rows)[:, None])


@op(name="SoftmaxBackward0", input=lambda g, out: _softmax_input(g, out, -1))
def _attention_weights(input, barred):
    """The softmax along the last dimension over what is not barred; a row that is barred throughout becomes zeros."""
    xp = namespace(input)
    scores = input if barred is None else xp.where(barred, -math.inf, input).astype(input.dtype)
    top = scores.max(axis=-1, keepdims=True)
    weights = xp.exp(scores - xp.where(xp.isinf(top), 0, top).astype(input.dtype))
    total = weights.sum(axis=-1, keepdims=True)
    weights /= xp.where(total == 0, 1, total).astype(input.dtype)
    return weights


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
