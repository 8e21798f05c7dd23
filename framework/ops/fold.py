"""The windows of pictures as columns, and back: `unfold` and `fold`."""

from __future__ import annotations

import math
from typing import Any

from ..backend import namespace
from ..engine import op
from .columns import Geometry, positions
from .shape import reshape, shape_of, squeeze, unsqueeze
from .window import tuple_of


def _im2col_options(name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> list[tuple[int, ...]]:
    options: list[tuple[int, ...]] = []
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


@op(
    name="Col2ImBackward0",
    input=lambda g, kernel, dilation, padding, stride: _im2col(g, kernel, dilation, padding, stride),
)
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
