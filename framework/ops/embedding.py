"""Tables looked up by index: embeddings, bags of embeddings, one-hot vectors."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import add_at, namespace
from ..engine import increment_version, op, wrap
from ..engine.half import rounded_once
from .index import index_select
from .mask import gate
from .pointwise import clamp
from .reduce import _scatter_add_zeros, vector_norm
from .shape import reshape, shape_of, unsqueeze


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
        kind = dtypes.scalar_type_name(indices.dtype)
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{kind}Tensor instead (while checking arguments for {name})"
        )
    if type(indices) is np.ndarray and indices.size and (indices.min() < 0 or indices.max() >= count):
        raise IndexError("index out of range in self")


def _embedding_weight(g, weight_shape, indices, padding_idx, scale_grad_by_freq):
    return _embedding_rows(g, indices, weight_shape[0], padding_idx, scale_grad_by_freq)


@op(half="gradient", name="EmbeddingBackward0", weight=_embedding_weight)
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
        factor /= _add_rows(xp.ones((flat.size, 1), dtype), flat, count)[flat, 0]
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
    return (rows if factor is None else rows * factor).reshape(*indices.shape, input.shape[1])


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


# --- bags ---------------------------------------------------------------------------------------------------------


@op(name="EmbeddingBagBackward0", input=lambda g, bag: index_select(g, 0, bag))
def _bag_sums(input, bag, count):
    """(count, width): the sums of the rows (n, width) by the bag (n) they are in."""
    return _add_rows(input, bag, count)


def _bag_maxima_input(g, input_shape, out):
    return _scatter_add_zeros(gate(g[0], out[1] >= 0), input_shape, 0, clamp(out[1], 0))


@op(name="EmbeddingBagBackward0", input=_bag_maxima_input)
def _bag_maxima(input, kept, bounds):
    """The largest elements of the kept rows from each bound to the next, and their rows; 0 and -1 for an empty bag."""
    xp = namespace(input)
    count, width = len(bounds) - 1, input.shape[1]
    values, rows = xp.zeros((count, width), input.dtype), xp.full((count, width), -1, np.int64)
    for number, (start, end) in enumerate(pairwise(bounds)):
        inside = start + xp.flatnonzero(kept[start:end])
        if inside.size:
            part = input[inside]
            values[number], rows[number] = part.max(axis=0), inside[part.argmax(axis=0)]
    return values, rows


def _bag_bounds(input: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, list[int]]:
    """The indices in one dimension, and where each bag begins, with the end of the last."""
    shape = input._array.shape
    if len(shape) == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        return reshape(input, (-1,)), [i * shape[1] for i in range(shape[0] + 1)]
    if len(shape) != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {len(shape)}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets._array.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    bounds = offsets.tolist()
    if bounds and bounds[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
            f"got {bounds[0]}"
        )
    if bounds and bounds[-1] > shape[0]:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {shape[0]} but got offsets[-1] of {bounds[-1]}"
        )
    return input, [*(bounds[:-1] if include_last_offset else bounds), shape[0]]


@rounded_once
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The sum, mean or maximum of the rows of `weight` that each bag of indices names: (bags, width).

    Bags are the rows of a matrix `input`, or begin at `offsets` in a vector `input` (with `include_last_offset` the
    last of them is the end). `per_sample_weights`, of the input's shape, weighs a sum's rows; `padding_idx` counts for
    nothing.
    """
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if per_sample_weights is not None:
        if mode != "sum":
            raise NotImplementedError(
                "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
                f"(got mode='{mode}')."
            )
        if shape_of(per_sample_weights) != shape_of(input):
            raise ValueError(
                f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
                f"same shape as the input ({input.shape})"
            )
    indices, bounds = _bag_bounds(input, offsets, include_last_offset)
    rows = embedding(indices, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq)
    xp = namespace(indices._array)
    sizes = [max(end - start, 0) for start, end in pairwise(bounds)]
    padding = -1 if padding_idx is None else padding_idx % shape_of(weight)[0]
    kept = wrap(indices._array != padding)
    if mode == "max":
        return _bag_maxima(rows, kept, tuple(bounds))[0]
    bag = wrap(xp.asarray(np.repeat(np.arange(len(sizes)), sizes)))
    if per_sample_weights is not None:
        rows = rows * unsqueeze(reshape(per_sample_weights, (-1,)), 1)
    sums = _bag_sums(gate(rows, unsqueeze(kept, 1)) if padding_idx is not None else rows, bag, len(sizes))
    if mode == "sum":
        return sums
    counts = _add_rows(kept._array.astype(rows._array.dtype).reshape(-1, 1), bag._array, len(sizes))
    return sums / wrap(xp.maximum(counts, 1))


# --- one-hot vectors ----------------------------------------------------------------------------------------------


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
