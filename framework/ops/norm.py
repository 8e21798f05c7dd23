"""Normalisation: by the statistics of a batch, of layers, of groups of channels, of instances, of neighbours.

Batch, layer, group and instance normalisation are one operator, `(input - mean) / sqrt(var + eps) * weight + bias`,
over different dimensions. Its statistics are computed beforehand, outside the graph; its gradient knows that they
depend on the input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..backend import namespace
from ..engine import Variable, increment_version, op, wrap
from ..engine.half import rounded_once, widened
from .activation import need_floating
from .padding import constant_pad_nd
from .pointwise import rsqrt
from .pool import avg_pool2d, avg_pool3d
from .reduce import mean, vector_norm
from .shape import expand, reshape, shape_of, squeeze, sum_to_size, unsqueeze

# --- the operator -------------------------------------------------------------------------------------------------


class _Axes(NamedTuple):
    """Over what is normalised, and how weight and bias lie beside it."""

    dims: tuple[int, ...]  # the dimensions normalised over
    shape: tuple[int, ...]  # weight and bias in this shape broadcast with the input
    own: tuple[int, ...]  # their own shape
    eps: float

    @property
    def uniform(self) -> bool:
        """Whether weight and bias are constant over what is normalised: then one factor does both."""
        return all(self.shape[d] == 1 for d in self.dims)


def _sum_of_products(a: Any, b: Any, dims: tuple[int, ...]) -> Any:
    """`(a * b).sum(dims)`, the dimensions kept, without the product in memory."""
    names = "abcdefghij"[: a.ndim]
    kept = "".join(name for d, name in enumerate(names) if d not in dims)
    total = namespace(a).einsum(f"{names},{names}->{kept}", a, b)
    return total.reshape(tuple(1 if d in dims else n for d, n in enumerate(a.shape)))


def _moments(kernel: str, input: Any, dims: tuple[int, ...]) -> tuple[Any, Any]:
    """The mean and variance of an array over `dims`, which are kept."""
    need_floating(kernel, input)
    input = widened(input)
    count = math.prod(input.shape[d] for d in dims)
    mean_ = input.sum(axis=dims, keepdims=True) / count
    centred = input - mean_
    return mean_, _sum_of_products(centred, centred, dims) / count


def _inverse_deviation(var: Any, eps: float) -> Any:
    return 1 / namespace(var).sqrt(var + eps)


def _standard_backward(needed, g, input, weight, mean, invstd, axes):
    if isinstance(g, Variable):
        return _standard_backward_again(needed, g, input, weight, axes)
    dims, uniform = axes.dims, axes.uniform
    factor, scaled = invstd, g
    if weight is not None and uniform:
        factor = invstd * weight.reshape(axes.shape)
    elif weight is not None and needed[0]:
        scaled = g * weight.reshape(axes.shape)
    standard = input - mean
    standard *= invstd
    totals = scaled.sum(axis=dims, keepdims=True) if needed[0] or uniform else None
    products = _sum_of_products(scaled, standard, dims) if needed[0] or uniform else None
    grad_weight = grad_bias = None
    outer = tuple(d for d, n in enumerate(axes.shape) if n == 1)
    if needed[1]:
        sums = sum_to_size.plain(products, axes.shape) if uniform else _sum_of_products(g, standard, outer)
        grad_weight = sums.reshape(axes.own)
    if needed[2]:
        sums = sum_to_size.plain(totals, axes.shape) if uniform else g.sum(axis=outer)
        grad_bias = sums.reshape(axes.own)
    if not needed[0]:
        return None, grad_weight, grad_bias
    count = math.prod(input.shape[d] for d in dims)
    standard *= products / -count
    standard -= totals / count
    standard += scaled
    standard *= factor
    return standard, grad_weight, grad_bias


def _standard_backward_again(needed, g, input, weight, axes):
    """The same from differentiable parts: the statistics are computed anew, inside the graph."""
    dims = axes.dims
    centred = input - mean(input, dims, True)
    invstd = rsqrt(mean(centred * centred, dims, True) + axes.eps)
    standard = centred * invstd
    scaled = g if weight is None else g * reshape(weight, axes.shape)
    away = scaled - mean(scaled, dims, True) - standard * mean(scaled * standard, dims, True)
    return (
        away * invstd if needed[0] else None,
        reshape(sum_to_size(g * standard, axes.shape), axes.own) if needed[1] else None,
        reshape(sum_to_size(g, axes.shape), axes.own) if needed[2] else None,
    )


def _standardizer(name: str) -> Any:
    """The operator under the node name that PyTorch shows for a kind of normalisation."""

    def standardize(input, weight, bias, mean, invstd, axes):
        result = input - mean
        if weight is None:
            result *= invstd
        elif axes.uniform:
            result *= invstd * weight.reshape(axes.shape)
        else:
            result *= invstd
            result *= weight.reshape(axes.shape)
        if bias is not None:
            result += bias.reshape(axes.shape)
        return result

    return op(half="mixed", joint=_standard_backward, wrt=("input", "weight", "bias"), name=name)(standardize)


_batch_standardize = _standardizer("NativeBatchNormBackward0")
_layer_standardize = _standardizer("NativeLayerNormBackward0")
_group_standardize = _standardizer("NativeGroupNormBackward0")


def _check_count(name: str, value: Any, channels: int) -> None:
    if value is not None and math.prod(shape_of(value)) != channels:
        raise RuntimeError(f"{name} should contain {channels} elements not {math.prod(shape_of(value))}")


# --- batch normalisation ------------------------------------------------------------------------------------------


def _frozen_backward(needed, g, input, weight, mean, invstd, shape):
    grad_weight = grad_bias = None
    if needed[1]:
        standard = (input - reshape(mean, shape)) * reshape(invstd, shape)
        grad_weight = reshape(sum_to_size(g * standard, shape), (-1,))
    if needed[2]:
        grad_bias = reshape(sum_to_size(g, shape), (-1,))
    scale = invstd if weight is None else invstd * weight
    return g * reshape(scale, shape) if needed[0] else None, grad_weight, grad_bias


@op(half="mixed", joint=_frozen_backward, wrt=("input", "weight", "bias"), name="NativeBatchNormBackward0")
def _frozen_batch_norm(input, weight, bias, mean, invstd, shape):
    """Normalised by given statistics, which count as constants; all of them (channels), `shape` beside the input."""
    scale = invstd if weight is None else invstd * weight
    shift = -mean * scale
    if bias is not None:
        shift = shift + bias
    result = input * scale.reshape(shape)
    result += shift.reshape(shape)
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
    axes = _Axes((0, *range(2, len(shape))), (1, shape[1], *(1,) * (len(shape) - 2)), (shape[1],), eps)
    if not training:
        # Copies: training on another batch before this goes backward must not change what it saved.
        frozen = wrap(running_mean._array.copy()), wrap(_inverse_deviation(running_var._array, eps))
        return _frozen_batch_norm(input, weight, bias, *frozen, axes.shape)
    mean_, var = _moments("batch_norm", input._array, axes.dims)
    if running_mean is not None:
        _update_running(running_mean, mean_, momentum)
    if running_var is not None:
        count = shape[0] * math.prod(shape[2:])
        _update_running(running_var, var * (count / (count - 1)), momentum)
    return _batch_standardize(input, weight, bias, wrap(mean_), wrap(_inverse_deviation(var, eps)), axes)


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


def layer_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Normalises over the last dimensions, those of `normalized_shape` (Ba et al., arXiv:1607.06450)."""
    wanted = _check_normalized_shape(input, normalized_shape, weight, bias)
    ndim = len(shape_of(input))
    axes = _Axes(tuple(range(ndim - len(wanted), ndim)), (1,) * (ndim - len(wanted)) + wanted, wanted, eps)
    mean_, var = _moments("LayerNormKernelImpl", input._array, axes.dims)
    return _layer_standardize(input, weight, bias, wrap(mean_), wrap(_inverse_deviation(var, eps)), axes)


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
    grouped = reshape(input, (batch, num_groups, inner, math.prod(shape[2:])))
    axes = _Axes((2, 3), (1, num_groups, inner, 1), (channels,), eps)
    mean_, var = _moments("GroupNormKernelImpl", grouped._array, axes.dims)
    result = _group_standardize(grouped, weight, bias, wrap(mean_), wrap(_inverse_deviation(var, eps)), axes)
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
    axes = _Axes(tuple(range(2, len(shape))), (1, shape[1], *(1,) * (len(shape) - 2)), (shape[1],), eps)
    mean_, var = _moments("batch_norm", input._array, axes.dims)
    if running_mean is not None:
        _update_running(running_mean, mean_.mean(axis=0), momentum)
    if running_var is not None:
        count = math.prod(shape[2:])
        _update_running(running_var, var.mean(axis=0) * (count / (count - 1)), momentum)
    return _batch_standardize(input, weight, bias, wrap(mean_), wrap(_inverse_deviation(var, eps)), axes)


# --- without means ------------------------------------------------------------------------------------------------


@rounded_once
def rms_norm(input: Any, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None) -> Any:
    """Divides by the root of the mean square over the last dimensions (Zhang and Sennrich, arXiv:1910.07467)."""
    wanted = _check_normalized_shape(input, normalized_shape, weight, None)
    dims = tuple(range(-len(wanted), 0))
    need_floating("rms_norm", input._array)
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
