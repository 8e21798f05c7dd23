"""Losses. Every one ends in a reduction: "none" (each element's loss), "mean" or "sum"."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ..backend import namespace
from ..engine import op
from ..engine.half import rounded_once
from .activation import logsigmoid, relu
from .distance import cosine_similarity, pairwise_distance
from .pointwise import abs, clamp, exp, log, minimum, sigmoid, where, xlogy
from .shape import broadcast_tensors, expand, shape_of, unsqueeze

# --- reduction ----------------------------------------------------------------------------------------------------


def check_reduction(reduction: str) -> None:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")


def legacy_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that the arguments of old, where given, stand for; warns as PyTorch does."""
    if size_average is None and reduce is None:
        return reduction
    chosen = "none" if reduce is False else "sum" if size_average is False else "mean"
    warnings.warn(
        f"size_average and reduce args will be deprecated, please use reduction='{chosen}' instead.", stacklevel=3
    )
    return chosen


def reduced(loss: Any, reduction: str) -> Any:
    """An array or tensor of losses, reduced."""
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def _spread(g: Any, shape: tuple[int, ...], reduction: str) -> Any:
    """The gradient of each element's loss, from that of the reduced loss."""
    return g / max(math.prod(shape), 1) if reduction == "mean" else g


def _same_sizes(input: Any, target: Any) -> tuple[Any, Any]:
    """Both expanded to one shape; a warning if they had two."""
    if shape_of(input) == shape_of(target):
        return input, target
    warnings.warn(
        f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will likely "
        "lead to incorrect results due to broadcasting. Please ensure they have the same size.",
        stacklevel=3,
    )
    return broadcast_tensors(input, target)


def _broadcast_shape(a: Any, b: Any) -> tuple[int, ...]:
    return np.broadcast_shapes(shape_of(a), shape_of(b))


# --- regression ---------------------------------------------------------------------------------------------------


def _mse_slope(g, input, target, reduction):
    return (input - target) * (_spread(g, _broadcast_shape(input, target), reduction) * 2)


@op(name="MseLossBackward0", promote="same", promoted=("input", "target"), input=_mse_slope,
    target=lambda g, input, target, reduction: -_mse_slope(g, input, target, reduction))  # fmt: skip
def _mse_loss(input, target, reduction):
    away = input - target
    if reduction == "none" or away.dtype.kind != "f":
        return reduced(away * away, reduction)
    flat = away.reshape(-1)
    total = namespace(away).dot(flat, flat)
    return total / flat.size if reduction == "mean" else total


def mse_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """The squared difference."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    input, target = _same_sizes(input, target)
    return _weighted(lambda kind: _mse_loss(input, target, kind), weight, input, reduction)


def _weighted(loss: Any, weight: Any, input: Any, reduction: str) -> Any:
    """A regression loss, a function of its reduction, whose elements count by `weight`; a mean is a weighted mean."""
    if weight is None:
        return loss(reduction)
    _check_weight(weight, input)
    each = loss("none") * weight
    return each.sum() / weight.sum() if reduction == "mean" else reduced(each, reduction)


def _check_weight(weight: Any, input: Any) -> None:
    if shape_of(weight) != shape_of(input):
        raise ValueError("Weights and input must have the same size.")


def l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Any = None,
) -> Any:
    """The absolute difference."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    input, target = _same_sizes(input, target)
    return _weighted(lambda kind: reduced(abs(input - target), kind), weight, input, reduction)


def _smooth_slope(g, input, target, reduction, beta):
    away = input - target
    return clamp(away * (1 / beta), -1.0, 1.0) * _spread(g, _broadcast_shape(input, target), reduction)


@op(name="SmoothL1LossBackward0", promote="same", promoted=("input", "target"), input=_smooth_slope,
    target=lambda g, input, target, reduction, beta: -_smooth_slope(g, input, target, reduction, beta))  # fmt: skip
def _smooth_l1_loss(input, target, reduction, beta):
    xp = namespace(input)
    away = xp.abs(input - target)
    return reduced(xp.where(away < beta, away * away * (0.5 / beta), away - 0.5 * beta), reduction)


def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """Quadratic below a difference of `beta`, linear above (Girshick, arXiv:1504.08083)."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    input, target = _same_sizes(input, target)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    return reduced(abs(input - target), reduction) if beta == 0 else _smooth_l1_loss(input, target, reduction, beta)


def _huber_slope(g, input, target, reduction, delta):
    return clamp(input - target, -delta, delta) * _spread(g, _broadcast_shape(input, target), reduction)


@op(name="HuberLossBackward0", promote="same", promoted=("input", "target"), input=_huber_slope,
    target=lambda g, input, target, reduction, delta: -_huber_slope(g, input, target, reduction, delta))  # fmt: skip
def _huber_loss(input, target, reduction, delta):
    xp = namespace(input)
    away = xp.abs(input - target)
    return reduced(xp.where(away <= delta, away * away * 0.5, (away - 0.5 * delta) * delta), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """Half the squared difference up to `delta`, linear above (Huber, 1964)."""
    check_reduction(reduction)
    input, target = _same_sizes(input, target)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    if weight is None:
        return _huber_loss(input, target, reduction, delta)
    _check_weight(weight, input)
    return reduced(_huber_loss(input, target, "none", delta) * weight, reduction)


# --- two classes --------------------------------------------------------------------------------------------------


def _bce_input(g, input, target, weight, reduction):
    slope = (input - target) / clamp((1 - input) * input, 1e-12, None)
    if weight is not None:
        slope = slope * weight
    return slope * _spread(g, shape_of(input), reduction)


def _bce_target(g, input, target, weight, reduction):
    slope = clamp(log(1 - input), -100.0, None) - clamp(log(input), -100.0, None)
    if weight is not None:
        slope = slope * weight
    return slope * _spread(g, shape_of(input), reduction)


@op(name="BinaryCrossEntropyBackward0", input=_bce_input, target=_bce_target)
def _bce(input, target, weight, reduction):
    xp = namespace(input)
    if type(input) is np.ndarray and input.size:
        for name, value in (("input", input), ("target", target)):
            if not (value.min() >= 0 and value.max() <= 1):
                raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    losses = (target - 1) * xp.maximum(xp.log(1 - input), -100) - target * xp.maximum(xp.log(input), -100)
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The cross entropy of probabilities `input` and `target` in [0, 1]; logarithms are limited to -100."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    if shape_of(input) != shape_of(target):
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    if weight is not None:
        weight = expand(weight, np.broadcast_shapes(shape_of(weight), shape_of(input)))
    return _bce(input, target, weight, reduction)


def _bce_logits_input(g, input, target, weight, pos_weight, reduction):
    if pos_weight is None:
        slope = sigmoid(input) - target
    else:
        slope = sigmoid(input) * (target * (pos_weight - 1) + 1) - target * pos_weight
    if weight is not None:
        slope = slope * weight
    return slope * _spread(g, shape_of(input), reduction)


def _bce_logits_target(g, input, weight, pos_weight, reduction):
    slope = -input if pos_weight is None else logsigmoid(-input) - logsigmoid(input) * pos_weight
    if weight is not None:
        slope = slope * weight
    return slope * _spread(g, shape_of(input), reduction)


@op(name="BinaryCrossEntropyWithLogitsBackward0", input=_bce_logits_input, target=_bce_logits_target)
def _bce_logits(input, target, weight, pos_weight, reduction):
    below = logsigmoid.plain(input)
    if pos_weight is not None:
        below = below * ((pos_weight - 1) * target + 1)
    losses = input * (1 - target) - below
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """`binary_cross_entropy(sigmoid(input), target)` without overflow; `pos_weight` weighs the positive examples."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    if shape_of(input) != shape_of(target):
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    return _bce_logits(input, target, weight, pos_weight, reduction)


# --- distributions ------------------------------------------------------------------------------------------------


@rounded_once
def kl_div(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """The Kullback-Leibler divergence, elementwise, of log-probabilities `input` from `target`.

    `reduction="batchmean"` divides the sum by the batch size, which is the divergence as defined.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
            "only by the batch size, and aligns with the KL div math definition.'mean' will be changed to behave the "
            "same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    elif reduction != "batchmean":
        check_reduction(reduction)
    losses = exp(target) * (target - input) if log_target else xlogy(target, target) - target * input
    if reduction == "batchmean" and len(shape_of(input)):
        return losses.sum() / shape_of(input)[0]
    return reduced(losses, "sum" if reduction == "batchmean" else reduction)


@rounded_once
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of counts `target`, whose expectation (or its logarithm) is `input`.

    `full` adds Stirling's approximation of the term that does not depend on the input.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    losses = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        many = target > 1
        safe = where(many, target, 1.0)
        losses = losses + where(many, safe * log(safe) - safe + 0.5 * log(2 * math.pi * safe), 0.0)
    return reduced(losses, reduction)


@rounded_once
def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """The negative log-likelihood of `target` under normal distributions of mean `input` and variance `var`."""
    if isinstance(var, (int, float)):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = input * 0 + var
    elif var._array.size and type(var._array) is np.ndarray and var._array.min() < 0:
        raise ValueError("var has negative entry/entries")
    shape = shape_of(input)
    if shape_of(var) != shape:
        if shape[:-1] == shape_of(var):
            var = unsqueeze(var, -1)
        elif not (shape[:-1] == shape_of(var)[:-1] and shape_of(var)[-1:] == (1,)):
            raise ValueError("var is of incorrect size")
    check_reduction(reduction)
    floor = clamp(var.detach(), eps, None) - var.detach() + var  # limited, yet with the variance's own gradient
    losses = 0.5 * (log(floor) + (input - target) ** 2 / floor)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduced(losses, reduction)


# --- margins ------------------------------------------------------------------------------------------------------


def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """`input` where `target` is 1, `max(0, margin - input)` where it is -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    losses = where(target == 1, input, 0) + where(target == -1, relu(margin - input), 0)
    return reduced(losses.to(input.dtype), reduction)


def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """`max(0, -target (input1 - input2) + margin)`: target 1 wants the first larger, -1 the second."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    dims = {len(shape_of(x)) for x in (input1, input2, target)}
    if len(dims) != 1:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return reduced(clamp(-target * (input1 - input2) + margin, 0, None), reduction)


def soft_margin_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Any:
    """`log(1 + exp(-target * input))`, targets 1 or -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    return reduced(-logsigmoid(target * input), reduction)


@rounded_once
def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """Binary cross entropy of logits, averaged over the classes (the last dimension)."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    return reduced(losses.mean(-1), reduction)


@rounded_once
def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """`1 - cos` where `target` is 1, `max(0, cos - margin)` where it is -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    cosine = cosine_similarity(input1, input2, -1)
    losses = where(target == 1, 1 - cosine, 0.0) + where(target == -1, relu(cosine - margin), 0.0)
    return reduced(losses, reduction)


@rounded_once
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """`max(0, d(anchor, positive) - d(anchor, negative) + margin)` with p-norm distances over the last dimension.

    `swap` takes the negative nearer to anchor or positive (Balntas et al., 2016).
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")

    def distance(a: Any, b: Any) -> Any:
        return pairwise_distance(a, b, p, eps)

    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=distance, margin=margin, swap=swap, reduction=reduction
    )


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Any = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """`triplet_margin_loss` with any distance, by default the Euclidean one."""
    check_reduction(reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp(near - far + margin, 0, None), reduction)
