"""Pooling in one to three dimensions: the largest, the mean or the p-norm of sliding windows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import namespace
from ..engine import mode, op, wrap
from .index import _grid as grid
from .index import gather
from .mask import gate
from .pointwise import _div_trunc, abs, sign
from .shape import reshape, shape_of
from .window import span, tap_slices, taps, tuple_of

# --- sizes and checks ---------------------------------------------------------------------------------------------

_WORDS = {1: "one int", 2: "two ints", 3: "three ints"}


def _option(name: str, label: str, value: Any, n: int) -> tuple[int, ...]:
    items = tuple_of(value, n)
    if len(items) != n:
        raise RuntimeError(f"{name}: {label} must either be a single int, or a tuple of {_WORDS[n]}")
    return items


def _pooled(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    """The number of windows along a dimension; with `ceil_mode` the last may run over the end, if it starts inside."""
    room = size + 2 * padding - span(kernel, dilation) + (stride - 1 if ceil_mode else 0)
    count = room // stride + 1
    if ceil_mode and (count - 1) * stride >= size + padding:
        count -= 1
    return count


def _check_window(kernel: tuple, stride: tuple, padding: tuple, dilation: tuple) -> None:
    if 0 in stride:
        raise RuntimeError("stride should not be zero")
    if min(kernel) <= 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got {_named('k', kernel)}")
    if min(stride) < 0:
        raise RuntimeError(f"stride should be greater than zero, but got {_named('d', stride)}")
    if min(dilation) <= 0:
        raise RuntimeError(f"dilation should be greater than zero, but got {_named('dilation', dilation)}")
    for k, p, d in zip(kernel, padding, dilation, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > span(k, d) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                f"dilation={d}"
            )


def _named(prefix: str, values: tuple[int, ...]) -> str:
    return " ".join(f"{prefix}{axis}: {v}" for axis, v in zip("TDHW"[-len(values) :], values, strict=True))


def check_dimensions(input: Any, n: int, name: str | None = None) -> None:
    """RuntimeError unless the input is (batch, channels, *sizes) or (channels, *sizes)."""
    shape = shape_of(input)
    if len(shape) in (n + 1, n + 2) and all(shape[-n - 1 :]):
        return
    if name is not None:
        raise RuntimeError(f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got {list(shape)}")
    raise RuntimeError(f"non-empty {n + 1}D or {n + 2}D (batch mode) tensor expected for input, but got {list(shape)}")


def _output_sizes(
    input: Any, kernel: tuple, stride: tuple, padding: tuple, dilation: tuple, ceil_mode: bool
) -> tuple[int, ...]:
    n = len(kernel)
    channels, *sizes = shape_of(input)[-n - 1 :]
    out = tuple(
        _pooled(size, k, s, p, d, ceil_mode)
        for size, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    )
    if min(out) < 1:
        given, got = ("x".join(map(str, (channels, *v))) for v in (sizes, out))
        raise RuntimeError(f"Given input size: ({given}). Calculated output size: ({got}). Output size is too small")
    return out


# --- maximum ------------------------------------------------------------------------------------------------------
# The place of the maximum is kept as its number within the window: one byte. Its gradient, `_to_places`, writes there;
# that one's gradient, `_from_places`, reads there; they are each other's gradients.


def _lowest(dtype: Any) -> Any:
    return np.iinfo(dtype).min if dtype.kind in "iu" else -math.inf


def _may_hold_nan(input: Any) -> bool:
    """Whether nan must be reckoned with; on a GPU, where the question would stall, always."""
    if input.dtype.kind in "iu":
        return False
    return type(input) is not np.ndarray or (input.size > 0 and bool(np.isnan(input.max())))


def _largest(input: Any, kernel: tuple, stride: tuple, padding: tuple, dilation: tuple, out: tuple, places: Any) -> Any:
    """The maxima of all windows; writes their numbers into `places`, zeros at first, if it is given."""
    xp = namespace(input)
    n = len(kernel)
    best = xp.full((*input.shape[:-n], *out), _lowest(input.dtype), input.dtype)
    with_nan = places is not None and _may_hold_nan(input)
    steps = list(taps(input.shape[-n:], out, kernel, stride, padding, dilation))
    if places is not None and any(padding):
        for number, _, where, _ in reversed(steps):  # the first place of a window that is no padding
            places[(..., *where)] = number
    for number, _, where, at in steps:
        seen, value = best[(..., *where)], input[(..., *at)]
        if number == 0:
            seen[...] = value
            continue
        if places is not None:
            larger = value > seen
            if with_nan:
                larger |= value != value
            kept = places[(..., *where)]
            kept *= ~larger
            kept += larger * kept.dtype.type(number)
        xp.maximum(seen, value, out=seen)
    return best


def _max_input(g, input_shape, kernel, stride, padding, dilation, out):
    return _to_places(g[0], out[1], input_shape, kernel, stride, padding, dilation)


def _max_pool_operator(name: str) -> Any:
    """The same operator under the node name that PyTorch shows for its number of dimensions."""

    def max_pool(input, kernel, stride, padding, dilation, sizes):
        kind = np.uint8 if math.prod(kernel) <= 256 else np.int32
        places = namespace(input).zeros((*input.shape[: -len(sizes)], *sizes), kind)
        return _largest(input, kernel, stride, padding, dilation, sizes, places), places

    return op(name=name, input=_max_input)(max_pool)


_max_pools = {
    1: _max_pool_operator("MaxPool2DWithIndicesBackward0"),
    2: _max_pool_operator("MaxPool2DWithIndicesBackward0"),
    3: _max_pool_operator("MaxPool3DWithIndicesBackward0"),
}


@op(name="MaxPoolBackwardBackward0", input=lambda g, places, kernel, stride, padding, dilation: _from_places(
    g, places, kernel, stride, padding, dilation))  # fmt: skip
def _to_places(input, places, shape, kernel, stride, padding, dilation):
    """Zeros of `shape`, with each window's value added at the element that `places` tells."""
    n = len(kernel)
    result = namespace(input).zeros(shape, input.dtype)
    for number, _, where, at in taps(shape[-n:], input.shape[-n:], kernel, stride, padding, dilation):
        result[(..., *at)] += gate.plain(input[(..., *where)], places[(..., *where)] == number)
    return result


@op(name="MaxPoolBackwardBackward0", input=lambda g, places, input_shape, kernel, stride, padding, dilation: _to_places(
    g, places, input_shape, kernel, stride, padding, dilation))  # fmt: skip
def _from_places(input, places, kernel, stride, padding, dilation):
    """The element of each window that `places` tells."""
    n = len(kernel)
    result = namespace(input).zeros(places.shape, input.dtype)
    for number, _, where, at in taps(input.shape[-n:], places.shape[-n:], kernel, stride, padding, dilation):
        result[(..., *where)] += gate.plain(input[(..., *at)], places[(..., *where)] == number)
    return result


@op()
def _max_values(input, kernel, stride, padding, dilation, sizes):
    return _largest(input, kernel, stride, padding, dilation, sizes, None)


@op()
def _plane_indices(places, sizes, kernel, stride, padding, dilation):
    """Places within windows as indices into the flattened input dimensions."""
    xp = namespace(places)
    n = len(kernel)
    index, rest = 0, places.astype(np.int64)
    for d in reversed(range(n)):
        window = xp.arange(places.shape[d - n]).reshape((-1,) + (1,) * (n - d - 1))
        position = window * stride[d] - padding[d] + (rest % kernel[d]) * dilation[d]
        index = index + position * math.prod(sizes[d + 1 :])
        rest = rest // kernel[d]
    return index


def _max_pool(
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    name = f"max_pool{n}d"
    kernel = _option(name, "kernel_size", kernel_size, n)
    stride = kernel if stride is None or stride == () else _option(name, "stride", stride, n)
    padding, dilation = _option(name, "padding", padding, n), _option(name, "dilation", dilation, n)
    _check_window(kernel, stride, padding, dilation)
    check_dimensions(input, n)
    out = _output_sizes(input, kernel, stride, padding, dilation, ceil_mode)
    options = (kernel, stride, padding, dilation, out)
    if not return_indices and not (mode.enabled and input.requires_grad):
        return _max_values(input, *options)
    values, places = _max_pools[n](input, *options)
    if not return_indices:
        return values
    return values, _plane_indices(places, shape_of(input)[-n:], kernel, stride, padding, dilation)


def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of (batch, channels, length) or (channels, length).

    With `return_indices` also where it is; `ceil_mode` keeps a last window that runs over the end.
    """
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of (batch, channels, height, width) or (channels, height, width)."""
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of (batch, channels, depth, height, width), or of one such volume."""
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


# --- mean ---------------------------------------------------------------------------------------------------------


def _sum_along(array: Any, axis: int, out: int, kernel: int, stride: int, padding: int) -> Any:
    """The sums of windows along one dimension, counted from the end."""
    axis += array.ndim
    lead = (slice(None),) * axis
    result = namespace(array).zeros((*array.shape[:axis], out, *array.shape[axis + 1 :]), array.dtype)
    for tap in range(kernel):
        where, at = tap_slices(array.shape[axis], out, tap - padding, stride)
        result[(*lead, where)] += array[(*lead, at)]
    return result


def _spread_along(array: Any, axis: int, size: int, kernel: int, stride: int, padding: int) -> Any:
    """The transpose of `_sum_along`: every window's value added to all its elements."""
    axis += array.ndim
    lead = (slice(None),) * axis
    result = namespace(array).zeros((*array.shape[:axis], size, *array.shape[axis + 1 :]), array.dtype)
    for tap in range(kernel):
        where, at = tap_slices(size, array.shape[axis], tap - padding, stride)
        result[(*lead, at)] += array[(*lead, where)]
    return result


def _counts(
    input: Any, sizes: tuple, out: tuple, kernel: tuple, stride: tuple, padding: tuple, include: bool, divisor: Any
) -> Any:
    """What each window's sum is divided by: a number, or an array that broadcasts over the positions."""
    if divisor is not None:
        return divisor
    total: Any = 1
    for d, (n, o, k, s, p) in enumerate(zip(sizes, out, kernel, stride, padding, strict=True)):
        # In ceil mode a window may run over the padded end: what lies beyond does not count.
        low, high = (-p, n + p) if include else (0, n)
        starts = [i * s - p for i in range(o)]
        counts = [min(b + k, high) - max(b, low) for b in starts]
        if all(c == counts[0] for c in counts):
            total = total * counts[0]
        else:
            here = namespace(input).asarray(counts, dtype=input.dtype)
            total = total * here.reshape((-1,) + (1,) * (len(sizes) - d - 1))
    return total


def _avg_input(g, input_shape, kernel, stride, padding, sizes, include, divisor):
    return _avg_spread(g, input_shape, kernel, stride, padding, sizes, include, divisor)


def _avg_pool_operator(name: str) -> Any:
    def avg_pool(input, kernel, stride, padding, sizes, include, divisor):
        n = len(kernel)
        counts = _counts(input, input.shape[-n:], sizes, kernel, stride, padding, include, divisor)
        result = input
        for d in range(-1, -n - 1, -1):
            result = _sum_along(result, d, sizes[d], kernel[d], stride[d], padding[d])
        if input.dtype.kind in "iu":
            return _div_trunc.plain(result, counts)
        return (result / counts).astype(input.dtype, copy=False)

    return op(name=name, input=_avg_input)(avg_pool)


_avg_pools = {
    1: _avg_pool_operator("AvgPool2DBackward0"),
    2: _avg_pool_operator("AvgPool2DBackward0"),
    3: _avg_pool_operator("AvgPool3DBackward0"),
}


def _avg_spread_input(g, kernel, stride, padding, sizes, include, divisor):
    return _avg_pools[len(kernel)](g, kernel, stride, padding, sizes, include, divisor)


@op(name="AvgPoolBackwardBackward0", input=_avg_spread_input)
def _avg_spread(input, shape, kernel, stride, padding, sizes, include, divisor):
    n = len(kernel)
    result = input / _counts(input, shape[-n:], sizes, kernel, stride, padding, include, divisor)
    for d in range(-n, 0):
        result = _spread_along(result, d, shape[d], kernel[d], stride[d], padding[d])
    return result


def _avg_pool(
    n: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    name = f"avg_pool{n}d"
    kernel = _option(name, "kernel_size", kernel_size, n)
    stride = kernel if stride is None or stride == () else _option(name, "stride", stride, n)
    padding = _option(name, "padding", padding, n)
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    _check_window(kernel, stride, padding, (1,) * n)
    check_dimensions(input, n)
    sizes = _output_sizes(input, kernel, stride, padding, (1,) * n, ceil_mode)
    return _avg_pools[n](input, kernel, stride, padding, sizes, count_include_pad, divisor_override)


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window of (batch, channels, length) or (channels, length)."""
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window of (batch, channels, height, width) or (channels, height, width).

    `count_include_pad` counts padding as zeros; `divisor_override` divides the sums by another number.
    """
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window of (batch, channels, depth, height, width), or of one such volume."""
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


# --- power mean ---------------------------------------------------------------------------------------------------


def _root(pooled: Any, norm_type: float, count: int) -> Any:
    return (sign(pooled) * abs(pooled) * count) ** (1.0 / norm_type)


def lp_pool1d(input: Any, norm_type: float, kernel_size: int, stride: Any = None, ceil_mode: bool = False) -> Any:
    """The p-norm of each window, p = `norm_type`."""
    pooled = avg_pool1d(input**norm_type, kernel_size, stride, 0, ceil_mode)
    return _root(pooled, norm_type, math.prod(tuple_of(kernel_size, 1)))


def lp_pool2d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """The p-norm of each window, p = `norm_type`."""
    pooled = avg_pool2d(input**norm_type, kernel_size, stride, 0, ceil_mode)
    return _root(pooled, norm_type, math.prod(tuple_of(kernel_size, 2)))


def lp_pool3d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """The p-norm of each window, p = `norm_type`."""
    pooled = avg_pool3d(input**norm_type, kernel_size, stride, 0, ceil_mode)
    return _root(pooled, norm_type, math.prod(tuple_of(kernel_size, 3)))


# --- the reverse of max pooling -----------------------------------------------------------------------------------


@op(half="keep", name="MaxUnpoolBackward0", input=lambda g, indices: gather(g, -1, indices))
def _place_flat(input, size, indices):
    xp = namespace(input)
    result = xp.zeros((*input.shape[:-1], size), input.dtype)
    result[grid(xp, indices, input.ndim - 1)] = input
    return result


def _max_unpool(n: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any) -> Any:
    name = f"max_unpool{n}d"
    kernel = _option(name, "kernel_size", kernel_size, n)
    stride = kernel if stride is None or stride == () else _option(name, "stride", stride, n)
    padding = _option(name, "padding", padding, n)
    shape = shape_of(input)
    if shape_of(indices) != shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(shape)}) but got indices tensor "
            f"with shape: {list(shape_of(indices))}"
        )
    natural = tuple((o - 1) * s - 2 * p + k for o, s, p, k in zip(shape[-n:], stride, padding, kernel, strict=True))
    sizes = natural if output_size is None else tuple(int(v) for v in output_size)[-n:]
    if any(not -s < a - b < s for a, b, s in zip(sizes, natural, stride, strict=True)):
        raise ValueError(f"invalid output_size {list(sizes)}: it must be within a stride of {list(natural)}")
    lead = shape[: len(shape) - n]
    flat = (*lead, math.prod(shape[len(lead) :]))
    result = _place_flat(reshape(input, flat), math.prod(sizes), wrap(indices._array.reshape(flat)))
    return reshape(result, (*lead, *sizes))


def max_unpool1d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The values of `max_pool1d` back at their `indices`, zeros elsewhere."""
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The values of `max_pool2d` back at their `indices`, zeros elsewhere."""
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The values of `max_pool3d` back at their `indices`, zeros elsewhere."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)
