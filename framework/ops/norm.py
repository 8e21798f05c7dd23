"""Normalisation: by the statistics of a batch, of layers, of groups of channels, of instances, of neighbours.

Batch, layer, group and instance normalisation are one operator, `(input - mean) / sqrt(var + eps) * weight + bias`,
over different dimensions. Its statistics are computed beforehand, outside the graph; its gradient knows that they
depend on the input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import namespace
from ..engine import Variable, increment_version, op
from .padding import constant_pad_nd
from .pointwise import rsqrt
from .pool import avg_pool2d, avg_pool3d
from .reduce import mean, vector_norm
from .shape import expand, reshape, shape_of, squeeze, sum_to_size, unsqueeze

# --- the operator -------------------------------------------------------------------------------------------------


def _letters(ndim: int) -> str:
    return "abcdefghij"[:ndim]


def _sum_of_products(a: Any, b: Any, dims: tuple[int, ...]) -> Any:
    """`(a * b).sum(dims)`, the dimensions kept, without the product in memory."""
    names = _letters(a.ndim)
    kept = "".join(name for d, name in enumerate(names) if d not in dims)
    total = namespace(a).einsum(f"{names},{names}->{kept}", a, b)
    return total.reshape(tuple(1 if d in dims else n for d, n in enumerate(a.shape)))


@op()
def _moments(input, dims):
    """(mean, variance) over `dims`, the dimensions kept."""
    mean_ = input.mean(axis=dims, keepdims=True)
    centred = input - mean_
    return mean_, _sum_of_products(centred, centred, dims) / math.prod(input.shape[d] for d in dims)


@op()
def _inverse_deviation(var, eps):
    return 1 / namespace(var).sqrt(var + eps)


def _standard_backward(needed, g, input, weight, mean, invstd, dims, eps):
    if isinstance(g, Variable):
        return _standard_backward_again(needed, g, input, weight, dims, eps)
    xp = namespace(g)
    grad_input = grad_weight = None
    scaled, factor = g, invstd
    if weight is not None:
        if all(weight.shape[d] == 1 for d in dims):
            factor = invstd * weight
        elif needed[0]:
            scaled = g * weight
    standard = input - mean
    standard *= invstd
    dots = None
    if needed[0] or (needed[1] and all(weight.shape[d] == 1 for d in dims)):
        dots = _sum_of_products(scaled, standard, dims)
    if needed[1]:
        same = scaled is g and all(weight.shape[d] == 1 for d in dims)
        grad_weight = (
            sum_to_size.plain(dots, weight.shape) if same else _sum_of_products(g, standard, _ones(weight.shape))
        )
    if needed[0]:
        count = math.prod(input.shape[d] for d in dims)
        total = scaled.sum(axis=dims, keepdims=True)
        standard *= dots / -count
        standard -= total / count
        standard += scaled
        standard *= factor
        grad_input = standard
    grad_bias = xp.asarray(g) if needed[2] else None  # the engine sums it to the bias's shape
    return grad_input, grad_weight, grad_bias


def _ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(d for d, n in enumerate(shape) if n == 1)


def _standard_backward_again(needed, g, input, weight, dims, eps):
    """The same from differentiable parts: the statistics are computed anew, inside the graph."""
    mean_ = mean(input, dims, True)
    centred = input - mean_
    invstd = rsqrt(mean(centred * centred, dims, True) + eps)
    standard = centred * invstd
    scaled = g if weight is None else g * weight
    grad_input = None
    if needed[0]:
        away = scaled - mean(scaled, dims, True) - standard * mean(scaled * standard, dims, True)
        grad_input = away * invstd
    return grad_input, g * standard if needed[1] else None, g if needed[2] else None


def _standardizer(name: str) -> Any:
    """The operator under the node name that PyTorch shows for a kind of normalisation.

    `weight` and `bias` have the input's number of dimensions, or are None.
    """

    def standardize(input, weight, bias, mean, invstd, dims, eps):
        result = input - mean
        if weight is not None and all(weight.shape[d] == 1 for d in dims):
            result *= invstd * weight
        else:
            result *= invstd
            if weight is not None:
                result *= weight
        if bias is not None:
            result += bias
        return result

    return op(joint=_standard_backward, wrt=("input", "weight", "bias"), name=name)(standardize)


_batch_standardize = _standardizer("NativeBatchNormBackward0")
_layer_standardize = _standardizer("NativeLayerNormBackward0")
_group_standardize = _standardizer("NativeGroupNormBackward0")


def _check_count(name: str, value: Any, channels: int) -> None:
    if value is not None and math.prod(shape_of(value)) != channels:
        raise RuntimeError(f"{name} should contain {channels} elements not {math.prod(shape_of(value))}")


def _beside_channels(value: Any, ndim: int) -> Any:
    """(channels) as (1, channels, 1, ...)."""
    return None if value is None else reshape(value, (1, -1) + (1,) * (ndim - 2))


# --- batch normalisation ------------------------------------------------------------------------------------------


def _frozen_backward(needed, g, input, weight, mean, invstd):
    return (
        g * (invstd if weight is None else invstd * weight) if needed[0] else None,
        g * ((input - mean) * invstd) if needed[1] else None,
        g if needed[2] else None,
    )


@op(joint=_frozen_backward, wrt=("input", "weight", "bias"), name="NativeBatchNormBackward0")
def _frozen_batch_norm(input, weight, bias, mean, invstd):
    """Normalised by given statistics, which count as constants."""
    scale = invstd if weight is None else invstd * weight
    shift = -mean * scale
    if bias is not None:
        shift = shift + bias
    result = input * scale
    result += shift
    return result


def _check_batch_shape(shape: tuple[int, ...]) -> None:
    if shape[0] * math.prod(shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size torch.Size({list(shape)})"
        )


def _update_running(running: Any, value: Any, momentum: float) -> None:
    array = running._array
    array *= 1 - momentum
    array += (momentum * value.reshape(array.shape)).astype(array.dtype)
    increment_version(running)


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalises each channel of (batch, channels, ...) over all else (Ioffe and Szegedy, arXiv:1502.03167).

    In training by the statistics of this batch, which also move the running ones (if given) by `momentum` in place;
    else by the running ones.
    """
    shape = shape_of(input)
    if len(shape) < 2:
        raise RuntimeError(f"batch_norm: expected input with at least 2 dimensions, but got {list(shape)}")
    if training:
        _check_batch_shape(shape)
    for name, value in (
        ("running_mean", running_mean),
        ("running_var", running_var),
        ("weight", weight),
        ("bias", bias),
    ):
        if value is None and not training and name.startswith("running"):
            raise RuntimeError(f"{name} must be defined in evaluation mode")
        _check_count(name, value, shape[1])
    weight, bias = _beside_channels(weight, len(shape)), _beside_channels(bias, len(shape))
    if not training:
        # Copies: training on another batch before this goes backward must not change what it saved.
        frozen_mean, frozen_var = (_beside_channels(v.detach(), len(shape)) for v in (running_mean, running_var))
        return _frozen_batch_norm(input, weight, bias, frozen_mean.clone(), _inverse_deviation(frozen_var, eps))
    dims = (0, *range(2, len(shape)))
    mean_, var = _moments(input, dims)
    if running_mean is not None:
        _update_running(running_mean, mean_._array, momentum)
    if running_var is not None:
        count = shape[0] * math.prod(shape[2:])
        _update_running(running_var, var._array * (count / (count - 1)), momentum)
    return _batch_standardize(input, weight, bias, mean_, _inverse_deviation(var, eps), dims, eps)


# --- layers, groups, instances ------------------------------------------------------------------------------------


def _check_normalized_shape(input: Any, normalized_shape: Sequence[int], weight: Any, bias: Any) -> tuple[int, ...]:
    wanted = tuple(int(n) for n in normalized_shape)
    if not wanted:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and shape_of(value) != wanted:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(shape_of(value))} and normalized_shape = {list(wanted)}"
            )
    shape = shape_of(input)
    if shape[len(shape) - len(wanted) :] != wanted or len(shape) < len(wanted):
        sizes = ", ".join(map(str, wanted))
        raise RuntimeError(
            f"Given normalized_shape={list(wanted)}, expected input with shape [*, {sizes}], but got input of "
            f"size{list(shape)}"
        )
    return wanted


def _leading_ones(value: Any, ndim: int) -> Any:
    return None if value is None else reshape(value, (1,) * (ndim - len(shape_of(value))) + shape_of(value))


def layer_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Normalises over the last dimensions, those of `normalized_shape` (Ba et al., arXiv:1607.06450)."""
    wanted = _check_normalized_shape(input, normalized_shape, weight, bias)
    ndim = len(shape_of(input))
    dims = tuple(range(ndim - len(wanted), ndim))
    mean_, var = _moments(input, dims)
    weight, bias = _leading_ones(weight, ndim), _leading_ones(bias, ndim)
    return _layer_standardize(input, weight, bias, mean_, _inverse_deviation(var, eps), dims, eps)


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Normalises each of `num_groups` groups of channels of (batch, channels, ...) (Wu and He, arXiv:1803.08494)."""
    shape = shape_of(input)
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    batch, channels = shape[:2]
    if num_groups <= 0:
        raise RuntimeError("Expected num groups to be greater than 0, got " + str(num_groups))
    if channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(shape)} and num_groups={num_groups}"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and shape_of(value) != (channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(shape_of(value))} and input of shape {list(shape)}"
            )
    inner = channels // num_groups
    grouped = reshape(
        input, (batch, num_groups, inner, -1) if math.prod(shape) else (batch, num_groups, inner, math.prod(shape[2:]))
    )
    weight, bias = (None if v is None else reshape(v, (1, num_groups, inner, 1)) for v in (weight, bias))
    mean_, var = _moments(grouped, (2, 3))
    result = _group_standardize(grouped, weight, bias, mean_, _inverse_deviation(var, eps), (2, 3), eps)
    return reshape(result, shape)


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalises each channel of each instance over its positions (Ulyanov et al., arXiv:1607.08022)."""
    shape = shape_of(input)
    if len(shape) < 2:
        raise RuntimeError(f"instance_norm: expected input with at least 2 dimensions, but got {list(shape)}")
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if math.prod(shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size torch.Size({list(shape)})"
        )
    for name, value in (
        ("running_mean", running_mean),
        ("running_var", running_var),
        ("weight", weight),
        ("bias", bias),
    ):
        _check_count(name, value, shape[1])
    dims = tuple(range(2, len(shape)))
    mean_, var = _moments(input, dims)
    if running_mean is not None:
        _update_running(running_mean, mean_._array.mean(axis=0), momentum)
    if running_var is not None:
        count = math.prod(shape[2:])
        _update_running(running_var, var._array.mean(axis=0) * (count / (count - 1)), momentum)
    weight, bias = _beside_channels(weight, len(shape)), _beside_channels(bias, len(shape))
    return _batch_standardize(input, weight, bias, mean_, _inverse_deviation(var, eps), dims, eps)


# --- without means ------------------------------------------------------------------------------------------------


def rms_norm(input: Any, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    """Divides by the root of the mean square over the last dimensions (Zhang and Sennrich, arXiv:1910.07467)."""
    wanted = _check_normalized_shape(input, normalized_shape, weight, None)
    dims = tuple(range(-len(wanted), 0))
    floor = float(np.finfo(input._array.dtype).eps) if eps is None else eps
    result = input * rsqrt(mean(input * input, dims, True) + floor)
    return result if weight is None else result * weight


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """Divided by its p-norm along `dim`, or by `eps` where that is larger."""
    size = vector_norm(input, p, dim, True)
    floor = size.clamp_min(eps)
    result = input / expand(floor, shape_of(input))
    return result if out is None else out.copy_(result)


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Divided by a power of the mean square of `size` neighbouring channels (Krizhevsky et al., 2012)."""
    shape = shape_of(input)
    if len(shape) < 3:
        raise ValueError(
            f"Expected 3D or higher dimensionality                          input (got {len(shape)} dimensions)"
        )
    if not math.prod(shape):
        return input
    around = size // 2, (size - 1) // 2
    squared = unsqueeze(input * input, 1)
    if len(shape) == 3:
        sums = squeeze(avg_pool2d(constant_pad_nd(squared, (0, 0, *around), 0.0), (size, 1), 1), 1)
    else:
        flat = reshape(squared, (shape[0], 1, shape[1], shape[2], -1))
        sums = reshape(avg_pool3d(constant_pad_nd(flat, (0, 0, 0, 0, *around), 0.0), (size, 1, 1), 1), shape)
    return input / (sums * alpha + k) ** beta
