"""Convolutions in one to three dimensions, and their transposes, through one machinery.

Three bilinear functions do all the work, each of them the gradient of the others, so every derivative exists:

- `_forward(input, weight)`: the convolution. Its gradients are the next two.
- `_input_gradient(grad, weight)`: the transposed convolution.
- `_weight_gradient(grad, input)`.

They take the input in chunks, copy each chunk's windows into the rows of a matrix ("im2col", channels last, so that
the copy moves long runs) and leave the arithmetic to matrix products. Depthwise convolutions, where those would be
tiny, add up shifted inputs instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .. import dtypes
from ..backend import device_of, namespace
from ..engine import Variable, op, scalar_type_name
from .padding import constant_pad_nd
from .shape import reshape, shape_of, squeeze, unsqueeze
from .window import span, taps, tuple_of, windows


@dataclass(frozen=True)
class Geometry:
    """The sizes of a convolution: `sizes` of the input and `out` of the output count positions, not channels."""

    sizes: tuple[int, ...]
    out: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int

    @property
    def padded(self) -> tuple[int, ...]:
        return tuple(n + 2 * p for n, p in zip(self.sizes, self.padding, strict=True))

    @property
    def pointwise(self) -> bool:
        """Whether each output position sees the input position of the same number alone."""
        ones = all(k == 1 for k in self.kernel) and all(s == 1 for s in self.stride)
        return ones and not any(self.padding) and self.sizes == self.out

    def inside(self) -> tuple[slice, ...]:
        """Where the input lies in its padded form."""
        return tuple(slice(p, p + n) for n, p in zip(self.sizes, self.padding, strict=True))

    def taps(self) -> Iterator:
        return taps(self.sizes, self.out, self.kernel, self.stride, self.padding, self.dilation)


def positions(sizes: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> tuple[int, ...]:
    """How many windows fit along each dimension."""
    return tuple(
        (n + 2 * p - span(k, d)) // s + 1 for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    )


# --- chunks -------------------------------------------------------------------------------------------------------


def _column_budget(array: Any, weight_bytes: int) -> int:
    """How many bytes of columns to make at a time: what a cache holds, but enough work for each matrix product.

    A GPU wants few large steps instead.
    """
    small = 2**21 if device_of(array).type == "cpu" else 2**28
    return max(small, 4 * weight_bytes)


def _chunks(geometry: Geometry, batch: int, row_bytes: int, budget: int) -> Iterator[tuple[slice, slice]]:
    """(images, rows of the output's first dimension) of each chunk: several images, or part of one large image."""
    per_line = row_bytes * math.prod(geometry.out[1:])
    lines = geometry.out[0]
    images = budget // max(per_line * lines, 1)
    if images >= 1:
        for start in range(0, batch, images):
            yield slice(start, min(start + images, batch)), slice(0, lines)
        return
    step = max(1, budget // per_line)
    for image in range(batch):
        for start in range(0, lines, step):
            yield slice(image, image + 1), slice(start, min(start + step, lines))


class _Columns:
    """The windows of a batch as matrices (groups, positions, kernel * channels), chunk by chunk."""

    def __init__(self, input: Any, geometry: Geometry) -> None:
        self.input = input
        self.geometry = geometry
        self.images: slice | None = None
        self.view: Any = None

    def of(self, images: slice, rows: slice) -> Any:
        geometry = self.geometry
        if images != self.images:
            self.images, self.view = images, self._windows(self.input[images])
        view = self.view[:, rows]
        positions = math.prod(view.shape[: len(geometry.out) + 1])
        if geometry.groups == 1:
            return view.reshape(1, positions, -1)
        grouped = view.reshape(*view.shape[:-1], geometry.groups, -1) if view.flags.c_contiguous else _split_last(view, geometry.groups)
        at = grouped.ndim - 2
        return grouped.transpose(at, *range(at), at + 1).reshape(geometry.groups, positions, -1)

    def _windows(self, input: Any) -> Any:
        geometry = self.geometry
        n = len(geometry.sizes)
        last = input.transpose(0, *range(2, n + 2), 1)
        if any(geometry.padding) or not last.flags.c_contiguous:
            make = namespace(input).zeros if any(geometry.padding) else namespace(input).empty
            padded = make((input.shape[0], *geometry.padded, input.shape[1]), input.dtype)
            padded[(slice(None), *geometry.inside())] = last
            last = padded
        return windows(last, geometry.kernel, geometry.stride, geometry.dilation, geometry.out, 1)


def _split_last(view: Any, groups: int) -> Any:
    """The last dimension as (groups, rest), without a copy."""
    size, step = view.shape[-1] // groups, view.strides[-1]
    return namespace(view).lib.stride_tricks.as_strided(
        view, (*view.shape[:-1], groups, size), (*view.strides[:-1], size * step, step)
    )


def _weight_matrix(weight: Any, groups: int) -> Any:
    """(out, in / groups, *kernel) as (groups, out / groups, kernel * in / groups), channels last."""
    n = weight.ndim - 2
    return weight.transpose(0, *range(2, n + 2), 1).reshape(groups, weight.shape[0] // groups, -1)


def _part(grad: Any, images: slice, rows: slice, groups: int) -> Any:
    """A chunk of a gradient (batch, out, *positions) as (groups, out / groups, positions)."""
    part = grad[images, :, rows]
    if part.shape[0] == 1:
        return part.reshape(groups, part.shape[1] // groups, -1)
    grouped = part.reshape(part.shape[0], groups, part.shape[1] // groups, -1)
    return grouped.transpose(1, 2, 0, 3).reshape(groups, part.shape[1] // groups, -1)


def _is_depthwise(channels: int, geometry: Geometry) -> bool:
    return geometry.groups == channels and channels > 1


#: Pointwise convolutions over at least this many positions multiply image by image, where nothing need be copied.
_MANY_POSITIONS = 128

# --- the three functions ------------------------------------------------------------------------------------------


def _forward(input: Any, weight: Any, geometry: Geometry) -> Any:
    """The convolution of (batch, in, *sizes) with (out, in / groups, *kernel): (batch, out, *positions)."""
    xp = namespace(input)
    batch, channels = input.shape[:2]
    if _is_depthwise(channels, geometry):
        return _depthwise_forward(input, weight, geometry)
    groups, out_channels = geometry.groups, weight.shape[0]
    if geometry.pointwise and groups == 1 and math.prod(geometry.out) >= _MANY_POSITIONS:
        flat = xp.matmul(weight.reshape(out_channels, channels), input.reshape(batch, channels, -1))
        return flat.reshape(batch, out_channels, *geometry.out)
    matrix = _weight_matrix(weight, groups)
    columns = _Columns(input, geometry)
    result = xp.empty((batch, out_channels, *geometry.out), input.dtype)
    row_bytes = groups * matrix.shape[2] * input.itemsize
    for images, rows in _chunks(geometry, batch, row_bytes, _column_budget(input, weight.nbytes)):
        product = xp.matmul(matrix, columns.of(images, rows).swapaxes(1, 2))
        place = result[images, :, rows]
        shape = (groups, out_channels // groups, place.shape[0], *place.shape[2:])
        place[...] = xp.moveaxis(product.reshape(shape), 2, 0).reshape(place.shape)
    return result


def _input_gradient(grad: Any, weight: Any, geometry: Geometry) -> Any:
    """What `_forward` must add up into its input: (batch, in, *sizes) from (batch, out, *positions)."""
    xp = namespace(grad)
    groups = geometry.groups
    channels = weight.shape[1] * groups
    batch = grad.shape[0]
    if _is_depthwise(channels, geometry):
        return _depthwise_input(grad, weight, geometry)
    if geometry.pointwise and groups == 1 and math.prod(geometry.out) >= _MANY_POSITIONS:
        flat = xp.matmul(weight.reshape(weight.shape[0], channels).T, grad.reshape(batch, weight.shape[0], -1))
        return flat.reshape(batch, channels, *geometry.sizes)
    if all(s == 1 for s in geometry.stride) and (back := _mirrored(geometry)) is not None:
        return _forward(grad, _mirrored_weight(weight, groups), back)
    matrix = _weight_matrix(weight, groups)
    result = xp.empty((batch, channels, *geometry.sizes), grad.dtype)
    row_bytes = groups * matrix.shape[2] * grad.itemsize
    previous, padded = None, None
    for images, rows in _chunks(geometry, batch, row_bytes, _column_budget(grad, weight.nbytes)):
        if images != previous:
            if padded is not None:
                _crop(result, previous, padded, geometry)
            count = images.stop - images.start
            previous, padded = images, xp.zeros((count, *geometry.padded, groups, channels // groups), grad.dtype)
        _add_columns(padded, xp.matmul(_part(grad, images, rows, groups).swapaxes(1, 2), matrix), rows, geometry)
    if padded is not None:
        _crop(result, previous, padded, geometry)
    return result


def _add_columns(padded: Any, columns: Any, rows: slice, geometry: Geometry) -> None:
    """Adds columns (groups, positions, kernel * channels) to the places they were copied from ("col2im")."""
    n = len(geometry.kernel)
    count, groups, channels = padded.shape[0], padded.shape[-2], padded.shape[-1]
    lines = rows.stop - rows.start
    out = (lines, *geometry.out[1:])
    columns = columns.reshape(groups, count, *out, *geometry.kernel, channels)
    view = windows(padded, geometry.kernel, geometry.stride, geometry.dilation, geometry.out, 1)[:, rows]
    for _, place, _, _ in geometry.taps():  # windows overlap, the elements of one place do not
        target = view[(slice(None),) * (n + 1) + place]
        source = columns[(slice(None),) * (n + 2) + place]
        target += namespace(source).moveaxis(source, 0, n + 1)


def _crop(result: Any, images: Any, padded: Any, geometry: Geometry) -> None:
    """Writes the inside of a padded, channels-last chunk into the result."""
    n = len(geometry.sizes)
    inside = padded[(slice(None), *geometry.inside())]
    result[images] = inside.reshape(*inside.shape[: n + 1], -1).transpose(0, n + 1, *range(1, n + 1))


def _mirrored(geometry: Geometry) -> Geometry | None:
    """The convolution, if there is one, that turns the output's gradient into the input's, for stride 1."""
    padding = tuple(span(k, d) - 1 - p for k, d, p in zip(geometry.kernel, geometry.dilation, geometry.padding, strict=True))
    if any(p < 0 for p in padding):
        return None
    back = positions(geometry.out, geometry.kernel, geometry.stride, padding, geometry.dilation)
    if back != geometry.sizes:  # a transposed convolution with output padding
        return None
    return Geometry(geometry.out, back, geometry.kernel, geometry.stride, padding, geometry.dilation, geometry.groups)


def _mirrored_weight(weight: Any, groups: int) -> Any:
    """The weight of that convolution: in and out exchanged within each group, turned around."""
    out_channels, inner = weight.shape[:2]
    kernel = weight.shape[2:]
    turned = weight[(slice(None), slice(None), *(slice(None, None, -1) for _ in kernel))]
    grouped = turned.reshape(groups, out_channels // groups, inner, *kernel)
    return grouped.swapaxes(1, 2).reshape(groups * inner, out_channels // groups, *kernel)


def _weight_gradient(grad: Any, input: Any, geometry: Geometry) -> Any:
    """(out, in / groups, *kernel) from the output's gradient (batch, out, *positions) and the input."""
    xp = namespace(grad)
    batch, channels = input.shape[:2]
    out_channels, groups = grad.shape[1], geometry.groups
    if _is_depthwise(channels, geometry):
        return _depthwise_weight(grad, input, geometry)
    inner, taps_count = channels // groups, math.prod(geometry.kernel)
    total = xp.zeros((groups, out_channels // groups, taps_count * inner), grad.dtype)
    if geometry.pointwise and groups == 1 and math.prod(geometry.out) >= _MANY_POSITIONS:
        for image in range(batch):
            total[0] += grad[image].reshape(out_channels, -1) @ input[image].reshape(channels, -1).T
    else:
        columns = _Columns(input, geometry)
        row_bytes = channels * taps_count * grad.itemsize
        for images, rows in _chunks(geometry, batch, row_bytes, _column_budget(grad, total.nbytes)):
            total += xp.matmul(_part(grad, images, rows, groups), columns.of(images, rows))
    n = len(geometry.kernel)
    return xp.ascontiguousarray(total.reshape(out_channels, *geometry.kernel, inner).transpose(0, n + 1, *range(1, n + 1)))


# --- depthwise ----------------------------------------------------------------------------------------------------


def _per_channel(array: Any, channels: int) -> Any:
    """(batch, channels * multiplier, ...) as (batch, channels, multiplier, ...)."""
    return array.reshape(array.shape[0], channels, -1, *array.shape[2:])


def _tap_weight(weight: Any, channels: int, place: tuple[int, ...]) -> Any:
    ones = (1,) * len(place)
    return weight[(slice(None), 0, *place)].reshape(channels, -1, *ones)


def _depthwise_forward(input: Any, weight: Any, geometry: Geometry) -> Any:
    batch, channels = input.shape[:2]
    result = namespace(input).zeros((batch, weight.shape[0], *geometry.out), input.dtype)
    spread = _per_channel(result, channels)
    for image in range(batch):  # one at a time: it stays in the cache for all taps
        for _, place, where, at in geometry.taps():
            source = input[(image, slice(None), *at)]
            spread[(image, slice(None), slice(None), *where)] += source[:, None] * _tap_weight(weight, channels, place)
    return result


def _depthwise_input(grad: Any, weight: Any, geometry: Geometry) -> Any:
    batch, channels = grad.shape[0], geometry.groups
    result = namespace(grad).zeros((batch, channels, *geometry.sizes), grad.dtype)
    spread = _per_channel(grad, channels)
    for image in range(batch):
        for _, place, where, at in geometry.taps():
            part = spread[(image, slice(None), slice(None), *where)] * _tap_weight(weight, channels, place)
            result[(image, slice(None), *at)] += part.sum(axis=1)
    return result


def _depthwise_weight(grad: Any, input: Any, geometry: Geometry) -> Any:
    xp = namespace(grad)
    batch, channels = input.shape[:2]
    spread = _per_channel(grad, channels)
    axes = tuple(range(2, 2 + len(geometry.kernel)))
    result = xp.zeros((channels, spread.shape[2], *geometry.kernel), grad.dtype)
    for image in range(batch):
        for _, place, where, at in geometry.taps():
            product = spread[(image, slice(None), slice(None), *where)] * input[(image, slice(None), *at)][:, None]
            result[(slice(None), slice(None), *place)] += product.sum(axis=axes)
    return result.reshape(grad.shape[1], 1, *geometry.kernel)


# --- operators ----------------------------------------------------------------------------------------------------


def _sum_over_positions(g: Any) -> Any:
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
        raise RuntimeError(
            f"Input type ({input.type()}) and weight type ({weight.type()}) should be the same"
        )
    if bias is not None and bias.dtype is not input.dtype:
        a, b = (scalar_type_name(dtypes.from_numpy(x._array.dtype)).lower() for x in (input, bias))
        raise RuntimeError(f"Input type ({a}) and bias type ({b}) should be the same")


def _check_shapes(input: Any, weight: Any, bias: Any, padding: tuple, dilation: tuple, transposed: bool, groups: int) -> None:
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


def _convolve(name: str, n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
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


def conv1d(input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    """Cross-correlation of (batch, in, length) or (in, length) with (out, in / groups, kernel).

    `padding` may be "same" (stride 1) or "valid".
    """
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    """Cross-correlation of (batch, in, height, width), or one image, with (out, in / groups, kernel height, width)."""
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    """Cross-correlation of (batch, in, depth, height, width), or one volume, with (out, in / groups, *kernel)."""
    return _convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


_AXES = {1: ("width",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def _conv_transpose(
    name: str, n: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, output_padding: Any, groups: int, dilation: Any
) -> Any:
    input, alone = _batched(name, input, n)
    stride, padding, dilation = _option("stride", stride, n), _option("padding", padding, n), _option("dilation", dilation, n)
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
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1
) -> Any:
    """The transpose of `conv1d`: (batch, in, length) with (in, out / groups, kernel)."""
    return _conv_transpose("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1
) -> Any:
    """The transpose of `conv2d`: (batch, in, height, width) with (in, out / groups, kernel height, width)."""
    return _conv_transpose("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0, groups: int = 1, dilation: Any = 1
) -> Any:
    """The transpose of `conv3d`: (batch, in, depth, height, width) with (in, out / groups, *kernel)."""
    return _conv_transpose("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


# --- unfold and fold ----------------------------------------------------------------------------------------------


def _im2col_options(name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> list[tuple[int, ...]]:
    options = []
    for label, value, least in (
        ("kernel_size", kernel_size, 1), ("dilation", dilation, 1), ("padding", padding, 0), ("stride", stride, 1)
    ):  # fmt: skip
        pair = tuple_of(value, 2)
        if len(pair) != 2:
            raise RuntimeError(f"It is expected {label} equals to 2, but got size {len(pair)}")
        if min(pair) < least:
            word = "greater than zero" if least else "non-negative"
            raise RuntimeError(f"{name}: {label} should be {word}, but got {list(pair)}")
        options.append(pair)
    return options


def _plain_geometry(sizes, kernel, stride, padding, dilation):
    out = positions(sizes, kernel, stride, padding, dilation)
    return Geometry(sizes, out, kernel, stride, padding, dilation, 1)


@op(name="Im2ColBackward0", input=lambda g, input_shape, kernel, dilation, padding, stride: _col2im(
    g, input_shape[2:], kernel, dilation, padding, stride))  # fmt: skip
def _im2col(input, kernel, dilation, padding, stride):
    geometry = _plain_geometry(input.shape[2:], kernel, stride, padding, dilation)
    batch, channels = input.shape[:2]
    result = namespace(input).zeros((batch, channels, *kernel, *geometry.out), input.dtype)
    for _, place, where, at in geometry.taps():
        result[(slice(None), slice(None), *place, *where)] = input[(slice(None), slice(None), *at)]
    return result.reshape(batch, channels * math.prod(kernel), math.prod(geometry.out))


@op(name="Col2ImBackward0", input=lambda g, kernel, dilation, padding, stride: _im2col(g, kernel, dilation, padding, stride))
def _col2im(input, sizes, kernel, dilation, padding, stride):
    geometry = _plain_geometry(sizes, kernel, stride, padding, dilation)
    batch, channels = input.shape[0], input.shape[1] // math.prod(kernel)
    columns = input.reshape(batch, channels, *kernel, *geometry.out)
    result = namespace(input).zeros((batch, channels, *sizes), input.dtype)
    for _, place, where, at in geometry.taps():
        result[(slice(None), slice(None), *at)] += columns[(slice(None), slice(None), *place, *where)]
    return result


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The windows of (batch, channels, height, width) as columns: (batch, channels * kernel, positions)."""
    kernel, dilation, padding, stride = _im2col_options("im2col", kernel_size, dilation, padding, stride)
    shape = shape_of(input)
    if len(shape) not in (3, 4):
        raise RuntimeError(f"Expected 3D or 4D (batch mode) tensor for input, but got: {list(shape)}")
    sizes = shape[-2:]
    out = positions(sizes, kernel, stride, padding, dilation)
    if min(out) < 1:
        raise RuntimeError(
            f"Given input with spatial size {sizes}, kernel_size={kernel}, dilation={dilation}, padding={padding}, "
            f"calculated shape of the array of sliding blocks as {out}, but its components must be at least one."
        )
    if len(shape) == 3:
        return squeeze(_im2col(unsqueeze(input, 0), kernel, dilation, padding, stride), 0)
    return _im2col(input, kernel, dilation, padding, stride)


def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns added up where `unfold` would take them from: (batch, channels, *output_size)."""
    kernel, dilation, padding, stride = _im2col_options("col2im", kernel_size, dilation, padding, stride)
    sizes = tuple_of(output_size, 2)
    shape = shape_of(input)
    if len(shape) not in (2, 3):
        raise RuntimeError(f"Expected 2D or 3D (batch mode) tensor for input, but got: {list(shape)}")
    if shape[-2] % math.prod(kernel):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={shape[-2]} and kernel_size={kernel}."
        )
    out = positions(sizes, kernel, stride, padding, dilation)
    if shape[-1] != math.prod(out):
        raise RuntimeError(
            f"Given output_size={sizes}, kernel_size={kernel}, dilation={dilation}, padding={padding}, "
            f"stride={stride}, expected size of input's dimension 2 to match the calculated number of sliding blocks "
            f"{' * '.join(map(str, out))} = {math.prod(out)}, but got input.size(2)={shape[-1]}."
        )
    batched = reshape(input, (1, *shape)) if len(shape) == 2 else input
    result = _col2im(batched, sizes, kernel, dilation, padding, stride)
    return squeeze(result, 0) if len(shape) == 2 else result
