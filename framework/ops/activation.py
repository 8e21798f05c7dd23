"""Activation functions of neural networks, elementwise unless they say otherwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import device_of, namespace, to_device
from ..engine import inplace, op, wrap
from ..random import default_generator
from .index import _grid as grid
from .mask import attached, gate
from .pointwise import clamp, exp, sigmoid, tanh, where
from .reduce import softmax
from .shape import cat, narrow, reshape, shape_of, wrap_dim
from .special import erf


def need_floating(kernel: str, input: Any) -> None:
    """PyTorch's NotImplementedError for an integer or bool array where only floating ones make sense."""
    if input.dtype.kind in "biu":
        kind = dtypes.scalar_type_name(input.dtype)
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind}'")


# --- rectifiers ---------------------------------------------------------------------------------------------------


@op(half="keep", input=lambda g, out: attached(gate(g, ~(out <= 0)), out))
def relu(input):
    """`max(0, input)`."""
    if input.dtype == np.bool_:
        raise RuntimeError("Boolean inputs not supported for relu")
    return namespace(input).maximum(input, 0)


def _hardtanh_input(g, input, min_val, max_val):
    return attached(gate(g, ~((input <= min_val) | (input >= max_val))), input)


@op(input=_hardtanh_input)
def hardtanh(input, min_val=-1.0, max_val=1.0):
    """`input` limited to [min_val, max_val]."""
    low, high = namespace(input).asarray([min_val, max_val], dtype=input.dtype)
    return namespace(input).clip(input, low, high)


def relu6(input: Any) -> Any:
    """`input` limited to [0, 6]."""
    return hardtanh(input, 0.0, 6.0)


@op(input=lambda g, input, negative_slope: attached(where(input > 0, g, g * negative_slope), input))
def leaky_relu(input, negative_slope=0.01):
    """`input` where it is positive, elsewhere `negative_slope * input`."""
    need_floating("leaky_relu_cpu", input)
    return namespace(input).where(input > 0, input, input * negative_slope)


@op(input=lambda g, input, threshold: attached(gate(g, ~(input <= threshold)), input))
def threshold(input, threshold, value):
    """`input` where it is above `threshold`, elsewhere `value`."""
    return namespace(input).where(input <= threshold, value, input).astype(input.dtype)


@op(
    input=lambda g, input, weight: where(input > 0, g, g * weight),
    weight=lambda g, input: gate(g * input, ~(input > 0)),
)
def _prelu_kernel(input, weight):
    return namespace(input).where(input > 0, input, input * weight)


def prelu(input: Any, weight: Any) -> Any:
    """`input` where it is positive, elsewhere `weight * input`; weight (1) or (channels), along dimension 1."""
    shape, slopes = shape_of(input), shape_of(weight)
    if len(slopes) > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {len(slopes)}")
    if input.dtype is not weight.dtype:
        a, b = dtypes.scalar_type_name(input.dtype), dtypes.scalar_type_name(weight.dtype)
        raise RuntimeError(f"prelu: Type promoting not supported. Got {a} and {b}")
    count = math.prod(slopes)
    if count == 1:
        return _prelu_kernel(input, reshape(weight, (1,) * len(shape)))
    channels = shape[1] if len(shape) > 1 else 1
    if not shape or count != channels:
        raise RuntimeError(
            f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {count} and channel "
            f"size = {channels}."
        )
    return _prelu_kernel(input, reshape(weight, (1, count) + (1,) * (len(shape) - 2)))


@op(name="RreluWithNoiseBackward0", input=lambda g, slopes: g * slopes)
def _rrelu_with_noise(input, slopes):
    return input * slopes


def rrelu(input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Any:
    """Leaky ReLU whose slope is drawn from [lower, upper) for each element, or in evaluation is their middle."""
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    array = input._array
    drawn = to_device(default_generator.uniform(array.shape, lower, upper, array.dtype), device_of(array))
    return _rrelu_with_noise(input, wrap(namespace(array).where(array > 0, 1.0, drawn).astype(array.dtype)))


# --- exponential units --------------------------------------------------------------------------------------------


def _elu_input(g, input, alpha, scale, input_scale):
    below = exp(clamp(input, None, 0.0) * input_scale) * (alpha * scale * input_scale)
    return where(input <= 0, g * below, g * scale)


@op(input=_elu_input)
def elu(input, alpha=1.0, scale=1.0, input_scale=1.0):
    """`scale * input` where it is positive, elsewhere `scale * alpha * (exp(input_scale * input) - 1)`."""
    need_floating("elu_cpu", input)
    xp = namespace(input)
    below = xp.expm1(xp.minimum(input, 0) * input_scale) * (alpha * scale)
    return xp.where(input > 0, input * scale, below)


#: Fixed points of mean 0 and variance 1 (Klambauer et al., arXiv:1706.02515).
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def selu(input: Any) -> Any:
    """ELU with the constants of self-normalising networks (arXiv:1706.02515)."""
    return elu(input, SELU_ALPHA, SELU_SCALE)


@op(input=lambda g, input, alpha: _elu_input(g, input, alpha, 1.0, 1.0 / alpha))
def celu(input, alpha=1.0):
    """`max(0, input) + min(0, alpha * (exp(input / alpha) - 1))` (arXiv:1704.07483)."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return elu.plain(input, alpha, 1.0, 1.0 / alpha)


# --- smooth units -------------------------------------------------------------------------------------------------

_GELU_CUBIC = 0.044715


def _gelu_slope(input, approximate):
    if approximate == "none":
        normal_cdf = (erf(input * math.sqrt(0.5)) + 1) * 0.5
        return normal_cdf + input * exp(input * input * -0.5) * (1 / math.sqrt(2 * math.pi))
    square = input * input
    t = tanh((input + input * square * _GELU_CUBIC) * math.sqrt(2 / math.pi))
    inner = (square * (3 * _GELU_CUBIC) + 1) * math.sqrt(2 / math.pi)
    return ((t + 1) + input * (1 - t * t) * inner) * 0.5


@op(input=lambda g, input, approximate: g * _gelu_slope(input, approximate))
def gelu(input, *, approximate="none"):
    """`input` times the normal distribution's cdf, exact or by tanh (`approximate="tanh"`) (arXiv:1606.08415)."""
    need_floating("GeluKernelImpl", input)
    if approximate == "none":
        return input * (erf.plain(input * math.sqrt(0.5)) + 1) * 0.5
    if approximate != "tanh":
        raise RuntimeError("approximate argument must be either none or tanh.")
    inner = (input + input * input * input * _GELU_CUBIC) * math.sqrt(2 / math.pi)
    return input * (namespace(input).tanh(inner) + 1) * 0.5


def _silu_input(g, input):
    s = sigmoid(input)
    return g * (s * (input * (1 - s) + 1))


@op(input=_silu_input)
def silu(input):
    """`input * sigmoid(input)`, also called swish (arXiv:1702.03118)."""
    need_floating("silu_cpu", input)
    return input * sigmoid.plain(input)


def _mish_input(g, input):
    t = tanh(softplus(input))
    return g * (t + input * sigmoid(input) * (1 - t * t))


@op(input=_mish_input)
def mish(input):
    """`input * tanh(softplus(input))` (arXiv:1908.08681)."""
    need_floating("mish_cpu", input)
    return input * namespace(input).tanh(softplus.plain(input))


def _softplus_input(g, input, beta, threshold):
    scaled = input * beta
    return where(scaled > threshold, g, g * sigmoid(scaled))


@op(input=_softplus_input)
def softplus(input, beta=1.0, threshold=20.0):
    """`log(1 + exp(beta * input)) / beta`; `input` itself where `beta * input` is above `threshold`."""
    need_floating("softplus_cpu", input)
    xp = namespace(input)
    scaled = input * beta
    smooth = xp.maximum(scaled, 0) + xp.log1p(xp.exp(-xp.abs(scaled)))
    return xp.where(scaled > threshold, input, smooth * (1 / beta))


@op(name="LogSigmoidBackward0", input=lambda g, input: g * sigmoid(-input))
def logsigmoid(input):
    """`log(sigmoid(input))` without underflow."""
    need_floating("log_sigmoid_cpu", input)
    xp = namespace(input)
    return xp.minimum(input, 0) - xp.log1p(xp.exp(-xp.abs(input)))


def softsign(input: Any) -> Any:
    """`input / (1 + abs(input))`."""
    return input / (input.abs() + 1)


def tanhshrink(input: Any) -> Any:
    """`input - tanh(input)`."""
    return input - tanh(input)


# --- piecewise linear units ---------------------------------------------------------------------------------------


def _hardswish_input(g, input):
    middle = g * (input * (1 / 3) + 0.5)
    return where(input <= -3, 0.0, where(input < 3, middle, g))


@op(input=_hardswish_input)
def hardswish(input):
    """`input * relu6(input + 3) / 6` (arXiv:1905.02244)."""
    need_floating("hardswish_cpu", input)
    return input * namespace(input).clip(input + 3, 0, 6) / 6


@op(input=lambda g, input: attached(gate(g * (1 / 6), (input > -3) & (input < 3)), input))
def hardsigmoid(input):
    """`relu6(input + 3) / 6`."""
    need_floating("hardsigmoid_cpu", input)
    return namespace(input).clip(input + 3, 0, 6) / 6


@op(input=lambda g, input, lambd: attached(gate(g, ~((input >= -lambd) & (input <= lambd))), input))
def softshrink(input, lambd=0.5):
    """`input` moved toward zero by `lambd`, zero within it."""
    need_floating("softshrink_check", input)
    if not lambd >= 0:
        top = np.finfo(input.dtype).max
        kind = dtypes.scalar_type_name(input.dtype)
        raise RuntimeError(f"lambda must be in range [0, {top:g}] for input dtype {kind}, but found {lambd:g}")
    xp = namespace(input)
    return xp.where(input > lambd, input - lambd, xp.where(input < -lambd, input + lambd, input * 0))


@op(input=lambda g, input, lambd: attached(gate(g, ~((input >= -lambd) & (input <= lambd))), input))
def hardshrink(input, lambd=0.5):
    """`input`, and zero where its magnitude is at most `lambd`."""
    need_floating("hardshrink_cpu", input)
    return namespace(input).where((input >= -lambd) & (input <= lambd), 0, input).astype(input.dtype)


# --- along a dimension --------------------------------------------------------------------------------------------


def _halves(value: Any, dim: int) -> tuple[Any, Any]:
    half = shape_of(value)[dim] // 2
    return narrow(value, dim, 0, half), narrow(value, dim, half, half)


def _glu_input(g, input, dim):
    at = wrap_dim(dim, len(shape_of(input)))
    first, second = _halves(input, at)
    gate = sigmoid(second)
    passed = g * gate
    return cat([passed, passed * first * (1 - gate)], at)


@op(input=_glu_input)
def glu(input, dim=-1):
    """The first half of dimension `dim` times the sigmoid of the second half (arXiv:1612.08083)."""
    need_floating("glu_cpu", input)
    if input.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    at = wrap_dim(dim, input.ndim)
    if input.shape[at] % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {at} is size {input.shape[at]}")
    lead = (slice(None),) * at
    half = input.shape[at] // 2
    return input[(*lead, slice(half))] * sigmoid.plain(input[(*lead, slice(half, None))])


def softmin(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """`softmax(-input)` along `dim`."""
    return softmax(-input, dim, dtype=dtype)


def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, dim: int = -1) -> Any:
    """A sample of the Gumbel-softmax distribution (arXiv:1611.01144); `hard` makes it one-hot, with the gradient of
    the soft sample."""
    array = logits._array
    drawn = default_generator.exponential(array.shape, 1.0, array.dtype)
    gumbels = wrap(to_device(-np.log(drawn), device_of(array)))
    soft = softmax((logits + gumbels) / tau, dim)
    if not hard:
        return soft
    xp = namespace(array)
    values = soft._array
    chosen = xp.zeros_like(values)
    chosen[grid(xp, xp.expand_dims(values.argmax(axis=dim), dim), wrap_dim(dim, values.ndim))] = 1
    return wrap(chosen) - soft.detach() + soft


# --- in place -----------------------------------------------------------------------------------------------------

relu_ = inplace(relu)
leaky_relu_ = inplace(leaky_relu)
threshold_ = inplace(threshold)
hardtanh_ = inplace(hardtanh)
elu_ = inplace(elu)
celu_ = inplace(celu)
silu_ = inplace(silu)
mish_ = inplace(mish)
hardswish_ = inplace(hardswish)
hardsigmoid_ = inplace(hardsigmoid)


def relu6_(input: Any) -> Any:
    """In-place version of `relu6`."""
    return hardtanh_(input, 0.0, 6.0)


def selu_(input: Any) -> Any:
    """In-place version of `selu`."""
    return elu_(input, SELU_ALPHA, SELU_SCALE)


def rrelu_(input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Any:
    """In-place version of `rrelu`."""
    return leaky_relu_(input, (lower + upper) / 2) if not training else input.copy_(rrelu(input, lower, upper, True))
