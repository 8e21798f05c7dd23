"""Tables looked up by index: embeddings, bags of embeddings, one-hot vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..backend import add_at, namespace
from ..engine import increment_version, op, scalar_type_name
from .index import index_add
from .reduce import vector_norm


def _add_rows(rows: Any, index: Any, count: int) -> Any:
    """(count, width): the sums of the rows (n, width) that share an index (n)."""
    xp = namespace(rows)
    result = xp.zeros((count, *rows.shape[1:]), rows.dtype)
    if type(rows) is not np.ndarray:
        add_at(result, (index,), rows)
    elif index.size:  # equal indices side by side, each run summed at once: much faster than NumPy's add.at
        order = np.argsort(index, kind="stable")
        ordered = index[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        result[ordered[starts]] = np.add.reduceat(rows[order], starts, axis=0)
    return result


def _check_indices(name: str, indices: Any, count: int) -> None:
    if indices.dtype not in (np.int64, np.int32):
        kind = scalar_type_name(dtypes.from_numpy(indices.dtype))
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{kind}Tensor instead (while checking arguments for {name})"
        )
    if type(indices) is np.ndarray and indices.size and (indices.min() < 0 or indices.max() >= count):
        raise IndexError("index out of range in self")


def _embedding_weight(g, weight_shape, indices, padding_idx, scale_grad_by_freq):
    return _embedding_rows(g, indices, weight_shape[0], padding_idx, scale_grad_by_freq)


@op(name="EmbeddingBackward0", weight=_embedding_weight)
def _embedding(weight, indices, padding_idx, scale_grad_by_freq):
    _check_indices("embedding", indices, weight.shape[0])
    return namespace(weight).take(weight, indices, axis=0)


def _factors(indices: Any, count: int, padding_idx: int, by_frequency: bool, dtype: Any) -> Any:
    """What the gradient of each looked-up row counts: 0 for the padding, by frequency if asked, None for 1 all over."""
    if padding_idx < 0 and not by_frequency:
        return None
    xp = namespace(indices)
    flat = indices.reshape(-1)
    factor = xp.ones(flat.shape, dtype)
    if by_frequency:
        factor /= xp.bincount(flat, minlength=count)[flat]
    if padding_idx >= 0:
        factor *= flat != padding_idx
    return factor.reshape(-1, 1)


@op(name="EmbeddingDenseBackwardBackward0", input=lambda g, indices, count, padding_idx, by_frequency: _looked_up(
    g, indices, count, padding_idx, by_frequency))  # fmt: skip
def _embedding_rows(input, indices, count, padding_idx, by_frequency):
    """The table's gradient (count, width) from that of what was looked up (*indices, width)."""
    rows = input.reshape(-1, input.shape[-1])
    factor = _factors(indices, count, padding_idx, by_frequency, input.dtype)
    return _add_rows(rows if factor is None else rows * factor, indices.reshape(-1), count)


@op(name="EmbeddingDenseBackwardBackward0", input=lambda g, indices, count, padding_idx, by_frequency: _embedding_rows(
    g, indices, count, padding_idx, by_frequency))  # fmt: skip
def _looked_up(input, indices, count, padding_idx, by_frequency):
    """The transpose of `_embedding_rows`."""
    rows = namespace(input).take(input, indices.reshape(-1), axis=0)
    factor = _factors(indices, count, padding_idx, by_frequency, input.dtype)
    return (rows if factor is None else rows * factor).reshape(*indices.shape, -1)


def _renormalize(weight: Any, indices: Any, max_norm: float, norm_type: float) -> None:
    """Scales the rows looked up whose norm is above `max_norm` down to it, in place and outside the graph."""
    xp = namespace(weight._array)
    rows = xp.unique(indices._array)
    norms = vector_norm(weight.detach()[rows], norm_type, -1, True)._array
    scale = xp.where(norms > max_norm, max_norm / (norms + 1e-7), 1.0).astype(weight._array.dtype)
    weight._array[rows] *= scale
    increment_version(weight)


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of `weight` (count, width) that `input` (integers of any shape) names: (*input, width).

    The row `padding_idx` gets no gradient; with `max_norm` rows are first scaled down in place to that norm;
    `scale_grad_by_freq` divides gradients by the number of times a row was looked up. Gradients are dense always.
    """
    count = weight._array.shape[0]
    if padding_idx is None:
        padding_idx = -1
    else:
        if not -count <= padding_idx < count:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= count
    if weight._array.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if max_norm is not None:
        _check_indices("embedding", input._array, count)
        _renormalize(weight, input, max_norm, norm_type)
    return _embedding(weight, input, padding_idx, scale_grad_by_freq)


@op()
def _one_hot(input, num_classes):
    if input.dtype != np.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    xp = namespace(input)
    if num_classes == -1:
        if not input.size:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        num_classes = int(input.max()) + 1
    elif num_classes < 1 and not input.size:
        raise RuntimeError("num_classes should be positive")
    if type(input) is np.ndarray and input.size:
        if input.min() < 0:
            raise RuntimeError("Class values must be non-negative.")
        if input.max() >= num_classes:
            raise RuntimeError("Class values must be smaller than num_classes.")
    return (xp.expand_dims(input, -1) == xp.arange(num_classes)).astype(np.int64)


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """1 at the place each index names, else 0: (*tensor, num_classes); by default as many as the largest needs."""
    return _one_hot(tensor, num_classes)
