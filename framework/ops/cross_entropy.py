"""Losses of classification: scores or log-probabilities against class indices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import Variable, op, wrap
from ..engine.half import widened
from .activation import relu
from .index import _grid as grid
from .index import gather, pick_along
from .loss import check_reduction, legacy_reduction, reduced
from .reduce import _softmax, log_softmax
from .shape import expand, reshape, shape_of, unsqueeze

# Class scores are (batch, classes, *positions), targets (batch, *positions).


def _check_classes(input: Any, target: Any, weight: Any) -> tuple[Any, Any, bool]:
    """Input and target with a batch dimension, and whether they came without; PyTorch's errors."""
    shape, wanted = shape_of(input), shape_of(target)
    if not shape:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if len(shape) > 1 and (not wanted or shape[0] != wanted[0]):
        raise ValueError(
            f"Expected input batch_size ({shape[0]}) to match target batch_size ({wanted[0] if wanted else 1})."
        )
    if target._array.dtype not in (np.int64, np.uint8):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {dtypes.scalar_type_name(target.dtype)}")
    _check_class_weight(weight, input, shape[0] if len(shape) == 1 else shape[1])
    if len(shape) == 1:
        if math.prod(wanted) != 1:
            raise RuntimeError(f"For 1D input, 1D target must have size 1, but got target size: {math.prod(wanted)}")
        return unsqueeze(input, 0), reshape(target, (1,)), True
    if wanted[1:] != shape[2:]:
        raise RuntimeError(f"Expected target size {[shape[0], *shape[2:]]}, got {list(wanted)}")
    return input, target, False


def _check_class_weight(weight: Any, input: Any, classes: int) -> None:
    if weight is None:
        return
    if shape_of(weight) != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {list(shape_of(weight))}"
        )
    if weight.dtype is not input.dtype:
        wanted, got = dtypes.scalar_type_name(input.dtype), dtypes.scalar_type_name(weight.dtype)
        raise RuntimeError(f"expected scalar type {wanted} but found {got}")


def _class_index(target: Any, classes: int, ignore_index: int | None) -> Any:
    """An array of targets as (batch, 1, *positions), 0 where ignored; IndexError for one that names no class."""
    xp = namespace(target)
    index = target if target.dtype == np.int64 else target.astype(np.int64)
    if ignore_index is not None:
        index = xp.where(index == ignore_index, 0, index)
    if type(index) is np.ndarray and index.size and (index.min() < 0 or index.max() >= classes):  # a GPU would stall
        wrong = index[(index < 0) | (index >= classes)]
        raise IndexError(f"Target {wrong[0]} is out of bounds.")
    return xp.expand_dims(index, 1)


def _class_share(target: Any, index: Any, weight: Any, ignore_index: int, dtype: Any, reduction: str) -> Any:
    """How much each position counts in the reduced loss: (batch, 1, *positions); for a mean they sum to 1, or to 0."""
    xp = namespace(target)
    kept = xp.expand_dims(target != ignore_index, 1)
    if dtype.itemsize == 2:  # counts beyond 2048 have no place in 16 bits
        dtype = np.dtype(np.float32)
    share = kept.astype(dtype) if weight is None else widened(weight)[index] * kept
    if reduction != "mean":
        return share
    total = share.sum()
    return share / xp.where(total == 0, xp.ones_like(total), total)


def _class_target(input: Any, target: Any, weight: Any, ignore_index: int, reduction: str) -> tuple[Any, Any]:
    """The index and the share of each position; the share is None where all count alike."""
    array = target._array
    plain = weight is None and type(array) is np.ndarray and not (array == ignore_index).any()
    index = _class_index(array, shape_of(input)[1], None if plain else ignore_index)
    if plain:
        return wrap(index), None
    weights = None if weight is None else weight._array
    return wrap(index), wrap(_class_share(array, index, weights, ignore_index, input._array.dtype, reduction))


def _reduce_classes(losses: Any, share: Any, reduction: str) -> Any:
    """Losses (batch, 1, *positions), reduced."""
    if share is None:
        return reduced(losses if reduction != "none" else losses.squeeze(1), reduction)
    losses = losses * share
    if reduction == "none":
        return losses.squeeze(1)
    total = losses.sum()
    return total / share.sum() if reduction == "mean" else total  # nan where every target is ignored


def _each_position(g: Any, share: Any, shape: tuple[int, ...], reduction: str) -> Any:
    """The gradient of each position's own loss, of `shape` (batch, 1, *positions), from that of the reduced loss."""
    each = unsqueeze(g, 1) if reduction == "none" else g
    if share is not None:
        return each * share
    return expand(g / math.prod(shape) if reduction == "mean" else each, shape)


@op(name="NllLossBackwardBackward0", input=lambda g, index: gather(g, 1, index))
def _at_class(input, shape, index):
    """Zeros of `shape` with `input` at the classes that `index` names."""
    xp = namespace(input)
    result = xp.zeros(shape, input.dtype)
    result[grid(xp, index, 1)] = input
    return result


def _nll_input(g, input_shape, index, share, reduction):
    return _at_class(-_each_position(g, share, shape_of(index), reduction), input_shape, index)


def _nll_operator(name: str) -> Any:
    def nll_loss(input, index, share, reduction):
        return _reduce_classes(-pick_along(input, index, 1), share, reduction)

    return op(half="mixed", name=name, input=_nll_input)(nll_loss)


_nll_flat, _nll_spatial = _nll_operator("NllLossBackward0"), _nll_operator("NllLoss2DBackward0")


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of class indices; input (batch, classes, ...) holds log-probabilities.

    `weight` (classes) weighs the classes; targets equal to `ignore_index` count for nothing.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    batched, target, alone = _check_classes(input, target, weight)
    index, share = _class_target(batched, target, weight, ignore_index, reduction)
    operator = _nll_flat if len(shape_of(batched)) == 2 else _nll_spatial
    loss = operator(batched, index, share, reduction)
    return reshape(loss, ()) if alone and reduction == "none" else loss


def _log_sum_exp(input: Any) -> Any:
    """Of an array over the classes: (batch, 1, *positions)."""
    xp = namespace(input)
    input = widened(input)
    top = input.max(axis=1, keepdims=True)
    return xp.log(xp.exp(input - top).sum(axis=1, keepdims=True)) + top


def _cross_entropy_input(g, input, index, share, total, reduction):
    each = _each_position(g, share, shape_of(index), reduction)
    if isinstance(g, Variable):
        # Recorded: `total` is a constant to the graph, so the probabilities come from the input anew.
        return _softmax(input, 1) * each - _at_class(each, shape_of(input), index)
    grad = input - total
    xp = namespace(grad)
    xp.exp(grad, out=grad)
    grad *= each
    grad[grid(xp, index, 1)] -= each
    return grad


def _cross_entropy_operator(name: str) -> Any:
    """Softmax and negative log-likelihood in one; `total` is the log of the sum of exponentials over the classes."""

    def cross_entropy(input, index, share, total, reduction):
        return _reduce_classes(total - pick_along(input, index, 1), share, reduction)

    return op(half="mixed", name=name, input=_cross_entropy_input)(cross_entropy)


_entropy_flat, _entropy_spatial = (_cross_entropy_operator(n) for n in ("NllLossBackward0", "NllLoss2DBackward0"))


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The cross entropy of scores (batch, classes, ...) and class indices (batch, ...) or probabilities (as input).

    `weight` (classes) weighs the classes; target indices equal to `ignore_index` count for nothing; `label_smoothing`
    mixes the targets with the uniform distribution (Szegedy et al., arXiv:1512.00567).
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if shape_of(input) == shape_of(target) and target.is_floating_point():
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    batched, target, alone = _check_classes(input, target, weight)
    index, share = _class_target(batched, target, weight, ignore_index, reduction)
    if label_smoothing:
        loss = _smoothed_cross_entropy(batched, target, index, share, weight, ignore_index, reduction, label_smoothing)
    else:
        operator = _entropy_flat if len(shape_of(batched)) == 2 else _entropy_spatial
        loss = operator(batched, index, share, wrap(_log_sum_exp(batched._array)), reduction)
    return reshape(loss, ()) if alone and reduction == "none" else loss


def _class_vector(weight: Any, ndim: int) -> Any:
    return reshape(weight, (1, -1) + (1,) * (ndim - 2))


def _smoothed_cross_entropy(
    input: Any, target: Any, index: Any, share: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Any:
    shape = shape_of(input)
    scores = log_softmax(input, 1)
    hard = (_nll_flat if len(shape) == 2 else _nll_spatial)(scores, index, share, reduction)
    all_classes = scores if weight is None else scores * _class_vector(weight, len(shape))
    smooth = -all_classes.sum(1).masked_fill(target == ignore_index, 0.0)
    if reduction == "mean" and weight is not None:
        kept = _class_share(target._array, index._array, weight._array, ignore_index, input._array.dtype, "sum")
        smooth = smooth.sum() / wrap(kept).sum()
    elif reduction == "mean":
        smooth = smooth.mean() if share is None else smooth.sum() / (target != ignore_index).sum()
    else:
        smooth = reduced(smooth, reduction)
    return hard * (1 - smoothing) + smooth * (smoothing / shape[1])


def _soft_cross_entropy(input: Any, target: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    shape = shape_of(input)
    dim = 1 if len(shape) > 1 else 0
    _check_class_weight(weight, input, shape[dim])
    if smoothing:
        target = target * (1 - smoothing) + smoothing / shape[dim]
    terms = log_softmax(input, dim) * target
    if weight is not None:
        terms = terms * (_class_vector(weight, len(shape)) if dim else weight)
    if reduction == "mean":
        return -terms.sum() / max(math.prod(shape) // max(shape[dim], 1), 1)
    return -(terms.sum() if reduction == "sum" else terms.sum(dim))


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The mean over the other classes of `max(0, margin - score of the target + score)^p`; p is 1 or 2."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    batched, target, alone = _check_classes(input, target, weight)
    index = wrap(_class_index(target._array, shape_of(batched)[1], None))
    margins = relu(batched - gather(batched, 1, index) + margin)
    losses = margins if p == 1 else margins * margins
    if weight is not None:
        losses = losses * weight[target].unsqueeze(1)
    losses = (losses * _not_target(batched, index)).sum(1) / shape_of(batched)[1]
    return reduced(reshape(losses, ()) if alone else losses, reduction)


@op()
def _not_target(input, index):
    """1 for every class but the target, for which it is 0."""
    xp = namespace(input)
    result = xp.ones(input.shape, input.dtype)
    result[grid(xp, index, 1)] = 0
    return result
