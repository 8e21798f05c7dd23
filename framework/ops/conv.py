"""Convolutions in one to three dimensions, and their transposes, through one machinery.

Three bilinear functions do all the work, each of them the gradient of the others, so every derivative exists:

- `_forward(input, weight)`: the convolution. Its gradients are the next two.
- `_input_gradient(grad, weight)`: the transposed convolution.
- `_weight_gradient(grad, input)`.

They leave the arithmetic to matrix products with the windows of the input (columns.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from .. import dtypes
from ..backend import namespace
from ..engine import Variable, op
from .columns import ChannelsLast, Geometry, chunks, column_budget, layout_of, positions
from .padding import constant_pad_nd
from .shape import permute, shape_of, squeeze, unsqueeze
from .window import span, tuple_of

#: Pointwise convolutions over at least this many positions multiply image by image, where nothing need be copied.
_MANY_POSITIONS = 128

# --- the three functions ------------------------------------------------------------------------------------------


def _flat_pointwise(geometry: Geometry) -> bool:
    return geometry.pointwise and geometry.groups == 1 and math.prod(geometry.out) >= _MANY_POSITIONS


def _forward(input: Any, weight: Any, geometry: Geometry) -> Any:
    """The convolution of (batch, in, *sizes) with (out, in / groups, *kernel): (batch, out, *positions)."""
    xp = namespace(input)
    batch, channels = input.shape[:2]
    groups, produced = geometry.groups, weight.shape[0]
    if _is_depthwise(channels, geometry):
        return _depthwise_forward(input, weight, geometry)
    if _flat_pointwise(geometry):
        flat = xp.matmul(weight.reshape(produced, channels), input.reshape(batch, channels, -1))
        return flat.reshape(batch, produced, *geometry.out).astype(input.dtype, copy=False)
    layout = layout_of(geometry, channels)
    matrix = layout.weight_matrix(weight)
    result = xp.empty((batch, produced, *geometry.out), input.dtype)
    column_bytes = groups * matrix.shape[2] * input.itemsize
    for images, parts in chunks(geometry, batch, column_bytes, column_budget(input, weight.nbytes)):
        padded = layout.pad(input[images])
        for lines in parts:
            product = xp.matmul(matrix, layout.gather(padded, lines))
            _ungroup(product, result[images, :, lines])
    return result


def _input_gradient(grad: Any, weight: Any, geometry: Geometry) -> Any:
    """What `_forward` must add up into its input: (batch, in, *sizes) from (batch, out, *positions)."""
    xp = namespace(grad)
    batch, produced = grad.shape[:2]
    groups = geometry.groups
    channels = weight.shape[1] * groups
    if _flat_pointwise(geometry):
        flat = xp.matmul(weight.reshape(produced, channels).T, grad.reshape(batch, produced, -1))
        return flat.reshape(batch, channels, *geometry.sizes).astype(grad.dtype, copy=False)
    mirrored = geometry.mirrored()
    if mirrored is not None:
        return _forward(grad, _mirrored_weight(weight, groups), mirrored)
    if _is_depthwise(channels, geometry):
        return _depthwise_input(grad, weight, geometry)
    layout = layout_of(geometry, channels)
    matrix = layout.weight_matrix(weight).swapaxes(1, 2)
    result = xp.empty((batch, channels, *geometry.sizes), grad.dtype)
    column_bytes = groups * matrix.shape[1] * grad.itemsize
    for images, parts in chunks(geometry, batch, column_bytes, column_budget(grad, weight.nbytes)):
        padded = layout.zeros(grad, images.stop - images.start, channels)
        for lines in parts:
            layout.scatter(xp.matmul(matrix, _grouped(grad[images, :, lines], groups)), padded, lines)
        result[images] = layout.crop(padded)
    return result


def _weight_gradient(grad: Any, input: Any, geometry: Geometry) -> Any:
    """(out, in / groups, *kernel) from the output's gradient (batch, out, *positions) and the input."""
    xp = namespace(grad)
    batch, channels = input.shape[:2]
    produced, groups = grad.shape[1], geometry.groups
    if _is_depthwise(channels, geometry):
        return _depthwise_weight(grad, input, geometry)
    shape = (produced, channels // groups, *geometry.kernel)
    if _flat_pointwise(geometry):
        total = xp.zeros((produced, channels), grad.dtype)
        for image in range(batch):
            total += grad[image].reshape(produced, -1) @ input[image].reshape(channels, -1).T
        return total.reshape(shape)
    layout = layout_of(geometry, channels)
    total = xp.zeros((groups, produced // groups, math.prod(shape[1:])), grad.dtype)
    column_bytes = groups * total.shape[2] * grad.itemsize
    for images, parts in chunks(geometry, batch, column_bytes, column_budget(grad, total.nbytes)):
        padded = layout.pad(input[images])
        for lines in parts:
            columns = layout.gather(padded, lines)
            total += xp.matmul(_grouped(grad[images, :, lines], groups), columns.swapaxes(1, 2))
    return layout.weight_from(total, shape)


def _grouped(part: Any, groups: int) -> Any:
    """(images, channels, *positions) as (groups, channels / groups, images * positions)."""
    images, channels = part.shape[:2]
    split = part.reshape(images, groups, channels // groups, -1)
    return split[0] if images == 1 else split.transpose(1, 2, 0, 3).reshape(groups, channels // groups, -1)


def _ungroup(product: Any, place: Any) -> None:
    """Writes (groups, channels / groups, images * positions) to its place (images, channels, *positions)."""
    images = place.shape[0]
    split = product.reshape(product.shape[0] * product.shape[1], images, *place.shape[2:])
    place[...] = split.swapaxes(0, 1)


def _mirrored_weight(weight: Any, groups: int) -> Any:
    """The weight of the mirrored convolution: in and out exchanged within each group, turned around."""
    produced, inner = weight.shape[:2]
    kernel = weight.shape[2:]
    turned = weight[(slice(None), slice(None), *(slice(None, None, -1) for _ in kernel))]
    split = turned.reshape(groups, produced // groups, inner, *kernel)
    return split.swapaxes(1, 2).reshape(groups * inner, produced // groups, *kernel)


# --- depthwise ----------------------------------------------------------------------------------------------------
# One input channel for each group: matrices of one column. Summing over the windows directly is faster.


def _is_depthwise(channels: int, geometry: Geometry) -> bool:
    return geometry.groups == channels and channels > 1


def _depthwise_names(geometry: Geometry) -> tuple[str, str]:
    """Letters for the output's and the kernel's dimensions in `einsum`."""
    n = len(geometry.kernel)
    return "xyz"[:n], "ijk"[:n]


def _depthwise_chunks(input: Any, geometry: Geometry) -> Iterator:
    column_bytes = input.shape[1] * math.prod(geometry.stride) * input.itemsize
    return chunks(geometry, input.shape[0], column_bytes, column_budget(input, 0))


def _depthwise_forward(input: Any, weight: Any, geometry: Geometry) -> Any:
    xp = namespace(input)
    channels = input.shape[1]
    outs, taps_ = _depthwise_names(geometry)
    layout = ChannelsLast(geometry)
    kernel = xp.ascontiguousarray(xp.moveaxis(weight.reshape(channels, -1, *geometry.kernel), (0, 1), (-2, -1)))
    result = xp.empty((input.shape[0], weight.shape[0], *geometry.out), input.dtype)
    for images, parts in _depthwise_chunks(input, geometry):
        padded = layout.pad(input[images])
        for lines in parts:
            view = layout.windows(padded, lines)
            place = result[images, :, lines]
            split = place.reshape(place.shape[0], channels, -1, *place.shape[2:])
            for number in range(kernel.shape[-1]):
                sums = xp.einsum(f"b{outs}{taps_}c,{taps_}c->b{outs}c", view, kernel[..., number])
                split[:, :, number] = xp.moveaxis(sums, -1, 1)
    return result


def _depthwise_input(grad: Any, weight: Any, geometry: Geometry) -> Any:
    batch, channels = grad.shape[0], geometry.groups
    result = namespace(grad).zeros((batch, channels, *geometry.sizes), grad.dtype)
    split = grad.reshape(batch, channels, -1, *grad.shape[2:])
    kernel = weight.reshape(channels, -1, *geometry.kernel)
    ones = (1,) * len(geometry.kernel)
    for image in range(batch):  # one at a time: it stays in the cache for all taps
        for _, place, where, at in geometry.taps():
            factor = kernel[(slice(None), slice(None), *place)].reshape(channels, -1, *ones)
            part = split[(image, slice(None), slice(None), *where)] * factor
            result[(image, slice(None), *at)] += part.sum(axis=1)
    return result


def _depthwise_weight(grad: Any, input: Any, geometry: Geometry) -> Any:
    xp = namespace(grad)
    channels = input.shape[1]
    outs, taps_ = _depthwise_names(geometry)
    layout = ChannelsLast(geometry)
    times = grad.shape[1] // channels
    total = xp.zeros((times, *geometry.kernel, channels), grad.dtype)
    for images, parts in _depthwise_chunks(input, geometry):
        padded = layout.pad(input[images])
        for lines in parts:
            view = layout.windows(padded, lines)
            part = grad[images, :, lines]
            split = part.reshape(part.shape[0], channels, times, *part.shape[2:])
            for number in range(times):
                turned = xp.ascontiguousarray(xp.moveaxis(split[:, :, number], 1, -1))
                total[number] += xp.einsum(f"b{outs}{taps_}c,b{outs}c->{taps_}c", view, turned)
    n = len(geometry.kernel)
    turned = total.transpose(n + 1, 0, *range(1, n + 1))
    return xp.ascontiguousarray(turned).reshape(grad.shape[1], 1, *geometry.kernel)


# --- operators ----------------------------------------------------------------------------------------------------


def _sum_over_positions(g):
    """The bias's gradient."""
    dims = (0, *range(2, len(shape_of(g))))
    return g.sum(dims) if isinstance(g, Variable) else g.sum(axis=dims)


def _convolution_backward(needed, g, input, weight, stride, padding, dilation, transposed, groups):
    grad_input = grad_weight = grad_bias = None
    options = (stride, padding, dilation, groups)
    sizes, kernel = shape_of(input)[2:], shape_of(weight)[2:]
    if needed[0]:
        grad_input = _conv(g, weight, sizes, *options) if transposed else _conv_input(g, weight, sizes, *options)
    if needed[1]:
        pair = (input, g) if transposed else (g, input)
        grad_weight = _conv_weight(*pair, kernel, *options)
    if needed[2]:
        grad_bias = _sum_over_positions(g)
    return grad_input, grad_weight, grad_bias


@op(joint=_convolution_backward, wrt=("input", "weight", "bias"))
def convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """The general form of all convolutions: (batch, in, *sizes), (out, in / groups, *kernel), (out) or None.

    With `transposed` the weight is (in, out / groups, *kernel). All options but `transposed` and `groups` are tuples
    with an item for each position dimension.
    """
    kernel, sizes = weight.shape[2:], input.shape[2:]
    if transposed:
        reach = [span(k, d) for k, d in zip(kernel, dilation, strict=True)]
        grown = tuple(
            (n - 1) * s - 2 * p + r + o
            for n, s, p, r, o in zip(sizes, stride, padding, reach, output_padding, strict=True)
        )
        result = _input_gradient(input, weight, Geometry(grown, sizes, kernel, stride, padding, dilation, groups))
    else:
        out = positions(sizes, kernel, stride, padding, dilation)
        result = _forward(input, weight, Geometry(sizes, out, kernel, stride, padding, dilation, groups))
    if bias is not None:
        result += bias.reshape(-1, *(1,) * len(kernel))
    return result


_SECOND = "ConvolutionBackwardBackward0"


def _conv_backward(needed, g, input, weight, stride, padding, dilation, groups):
    options = (stride, padding, dilation, groups)
    return (
        _conv_input(g, weight, shape_of(input)[2:], *options) if needed[0] else None,
        _conv_weight(g, input, shape_of(weight)[2:], *options) if needed[1] else None,
    )


@op(joint=_conv_backward, wrt=("input", "weight"), name=_SECOND)
def _conv(input, weight, out, stride, padding, dilation, groups):
    return _forward(input, weight, Geometry(input.shape[2:], out, weight.shape[2:], stride, padding, dilation, groups))


def _conv_input_backward(needed, g, grad, weight, stride, padding, dilation, groups):
    options = (stride, padding, dilation, groups)
    return (
        _conv(g, weight, shape_of(grad)[2:], *options) if needed[0] else None,
        _conv_weight(grad, g, shape_of(weight)[2:], *options) if needed[1] else None,
    )


@op(joint=_conv_input_backward, wrt=("grad", "weight"), name=_SECOND)
def _conv_input(grad, weight, sizes, stride, padding, dilation, groups):
    geometry = Geometry(sizes, grad.shape[2:], weight.shape[2:], stride, padding, dilation, groups)
    return _input_gradient(grad, weight, geometry)


def _conv_weight_backward(needed, g, grad, input, stride, padding, dilation, groups):
    options = (stride, padding, dilation, groups)
    return (
        _conv(input, g, shape_of(grad)[2:], *options) if needed[0] else None,
        _conv_input(grad, g, shape_of(input)[2:], *options) if needed[1] else None,
    )


@op(joint=_conv_weight_backward, wrt=("grad", "input"), name=_SECOND)
def _conv_weight(grad, input, kernel, stride, padding, dilation, groups):
    geometry = Geometry(input.shape[2:], grad.shape[2:], kernel, stride, padding, dilation, groups)
    return _weight_gradient(grad, input, geometry)


# --- checks -------------------------------------------------------------------------------------------------------


def _option(name: str, value: Any, n: int) -> tuple[int, ...]:
    items = tuple_of(value, n)
    if len(items) != n:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {n} values to match the convolution "
            f"dimensions, but got {name}={list(items)}"
        )
    return items


def _check_types(input: Any, weight: Any, bias: Any) -> None:
    if input.dtype is not weight.dtype or input.device != weight.device:
        raise RuntimeError(f"Input type ({input.type()}) and weight type ({weight.type()}) should be the same")
    if bias is not None and bias.dtype is not input.dtype:
        a, b = (dtypes.scalar_type_name(x._array.dtype).lower() for x in (input, bias))
        raise RuntimeError(f"Input type ({a}) and bias type ({b}) should be the same")


def _check_shapes(
    input: Any, weight: Any, bias: Any, padding: tuple, dilation: tuple, transposed: bool, groups: int
) -> None:
    shape, filters = list(shape_of(input)), list(shape_of(weight))
    if filters[0] < groups or filters[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size [{filters}] instead"
        )
    expected = filters[0] if transposed else filters[1] * groups
    if shape[1] != expected:
        start = "Given transposed=1" if transposed else f"Given groups={groups}"
        raise RuntimeError(
            f"{start}, weight of size {filters}, expected input{shape} to have {expected} channels, but got {shape[1]} "
            "channels instead"
        )
    produced = filters[1] * groups if transposed else filters[0]
    if bias is not None and shape_of(bias) != (produced,):
        raise RuntimeError(
            f"Given weight of size {filters}, expected bias to be 1-dimensional with {produced} elements, but got bias "
            f"of size {list(shape_of(bias))} instead"
        )
    padded = [n + 2 * p for n, p in zip(shape[2:], padding, strict=True)]
    reach = [span(k, d) for k, d in zip(filters[2:], dilation, strict=True)]
    if not transposed and any(n < k for n, k in zip(padded, reach, strict=True)):
        inside, kernel = (" x ".join(map(str, v)) for v in (padded, reach))
        raise RuntimeError(
            f"Calculated padded input size per channel: ({inside}). Kernel size: ({kernel}). Kernel size can't be "
            "greater than actual input size"
        )


def _batched(name: str, input: Any, n: int) -> tuple[Any, bool]:
    """The input with a batch dimension, and whether it came without."""
    ndim = len(shape_of(input))
    if ndim == n + 2:
        return input, False
    if ndim == n + 1:
        return unsqueeze(input, 0), True
    raise RuntimeError(
        f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input of size: "
        f"{list(shape_of(input))}"
    )


def _check_options(weight: Any, n: int, stride: tuple, padding: tuple, dilation: tuple, groups: int) -> None:
    if len(shape_of(weight)) != n + 2:
        raise RuntimeError(f"weight should have {n + 2} dimensions, but got weight of size: {list(shape_of(weight))}")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) <= 0:
        raise RuntimeError("non-positive dilation is not supported")


# --- what users call ----------------------------------------------------------------------------------------------


def _convolve(
    name: str, n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    input, alone = _batched(name, input, n)
    stride, dilation = _option("stride", stride, n), _option("dilation", dilation, n)
    if isinstance(padding, str):
        input, padding = _named_padding(input, weight, padding, stride, dilation)
    else:
        padding = _option("padding", padding, n)
    _check_options(weight, n, stride, padding, dilation, groups)
    _check_shapes(input, weight, bias, padding, dilation, False, groups)
    _check_types(input, weight, bias)
    result = convolution(input, weight, bias, stride, padding, dilation, False, (0,) * n, groups)
    return squeeze(result, 0) if alone else result


def _named_padding(input: Any, weight: Any, padding: str, stride: tuple, dilation: tuple) -> tuple[Any, tuple]:
    """The padding that "valid" and "same" stand for; an uneven one is put on the input at once."""
    if padding == "valid":
        return input, (0,) * len(stride)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [span(k, d) - 1 for k, d in zip(shape_of(weight)[2:], dilation, strict=True)]
    if any(t % 2 for t in totals):
        uneven = [side for t in reversed(totals) for side in (0, t % 2)]
        input = constant_pad_nd(input, tuple(uneven), 0)
    return input, tuple(t // 2 for t in totals)


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Cross-correlation of (batch, in, length) or (in, length) with (out, in / groups, kernel).

    `padding` may be "same" (stride 1) or "valid".
    """
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Cross-correlation of (batch, in, height, width), or one image, with (out, in / groups, kernel height, width)."""
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Cross-correlation of (batch, in, depth, height, width), or one volume, with (out, in / groups, *kernel)."""
    return _convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


_AXES = {1: ("width",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def _conv_transpose(
    name: str,
    n: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    input, alone = _batched(name, input, n)
    stride, padding, dilation = (
        _option("stride", stride, n),
        _option("padding", padding, n),
        _option("dilation", dilation, n),
    )
    output_padding = _option("output_padding", output_padding, n)
    _check_options(weight, n, stride, padding, dilation, groups)
    _check_shapes(input, weight, bias, padding, dilation, True, groups)
    _check_types(input, weight, bias)
    if any(o >= s and o >= d for o, s, d in zip(output_padding, stride, dilation, strict=True)):
        parts = [
            f"{what}_{axis}: {value}"
            for what, values in (("output_padding", output_padding), ("stride", stride), ("dilation", dilation))
            for axis, value in zip(_AXES[n], values, strict=True)
        ]
        raise RuntimeError(f"output padding must be smaller than either stride or dilation, but got {' '.join(parts)}")
    result = convolution(input, weight, bias, stride, padding, dilation, True, output_padding, groups)
    return squeeze(result, 0) if alone else result


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of `conv1d`: (batch, in, length) with (in, out / groups, kernel)."""
    return _conv_transpose(
        "conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of `conv2d`: (batch, in, height, width) with (in, out / groups, kernel height, width)."""
    return _conv_transpose(
        "conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of `conv3d`: (batch, in, depth, height, width) with (in, out / groups, *kernel)."""
    return _conv_transpose(
        "conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_tbc(input: Any, weight: Any, bias: Any, pad: int = 0) -> Any:
    """`conv1d` of (length, batch, in) with (kernel, in, out) and a bias (out): (length, batch, out)."""
    if len(shape_of(input)) != 3:
        raise RuntimeError("Input must have 3 dims: time, batch, in_channel")
    if len(shape_of(weight)) != 3:
        raise RuntimeError("Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.")
    if len(shape_of(bias)) != 1:
        raise RuntimeError("Bias must be 1-D")
    result = conv1d(permute(input, (1, 2, 0)), permute(weight, (2, 1, 0)), bias, padding=pad)
    return permute(result, (2, 0, 1))
