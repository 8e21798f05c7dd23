"""The windows of a convolution as the columns of a matrix ("im2col"), and back ("col2im").

A convolution is then a matrix product, which is where the arithmetic is fast. The input is taken in chunks, so that
the columns of one stay in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..backend import device_of, namespace
from .window import span, taps, windows


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

    @property
    def inside(self) -> tuple[slice, ...]:
        """Where the input lies in its padded form."""
        return tuple(slice(p, p + n) for n, p in zip(self.sizes, self.padding, strict=True))

    def taps(self) -> Iterator:
        return taps(self.sizes, self.out, self.kernel, self.stride, self.padding, self.dilation)

    def mirrored(self) -> Geometry | None:
        """The convolution, if there is one, that turns the output's gradient into the input's; for stride 1."""
        padding = tuple(span(k, d) - 1 - p for k, d, p in zip(self.kernel, self.dilation, self.padding, strict=True))
        if any(s != 1 for s in self.stride) or any(p < 0 for p in padding):
            return None
        sizes = positions(self.out, self.kernel, self.stride, padding, self.dilation)
        if sizes != self.sizes:  # a transposed convolution with output padding
            return None
        return Geometry(self.out, sizes, self.kernel, self.stride, padding, self.dilation, self.groups)


def positions(sizes: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> tuple[int, ...]:
    """How many windows fit along each dimension."""
    return tuple(
        (n + 2 * p - span(k, d)) // s + 1
        for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    )


# --- chunks -------------------------------------------------------------------------------------------------------


def column_budget(array: Any, weight_bytes: int) -> int:
    """How many bytes of columns to make at a time: what a cache holds, but enough work for each matrix product.

    A GPU wants few large steps instead.
    """
    small = 2**21 if device_of(array).type == "cpu" else 2**28
    return max(small, 4 * weight_bytes)


def chunks(geometry: Geometry, batch: int, column_bytes: int, budget: int) -> Iterator[tuple[slice, list[slice]]]:
    """(images, [lines of the output, ...]): several images at a time, or one large image in parts."""
    line = column_bytes * math.prod(geometry.out[1:])
    lines = geometry.out[0]
    images = budget // max(line * lines, 1)
    if images:
        for start in range(0, batch, images):
            yield slice(start, min(start + images, batch)), [slice(0, lines)]
        return
    step = max(1, budget // line)
    parts = [slice(start, min(start + step, lines)) for start in range(0, lines, step)]
    for image in range(batch):
        yield slice(image, image + 1), parts


# --- two layouts --------------------------------------------------------------------------------------------------


def layout_of(geometry: Geometry, channels: int) -> ChannelsLast | ChannelsFirst:
    """The layout whose copies move the longer runs of memory."""
    last = geometry.groups == 1 and channels * geometry.kernel[-1] >= 16
    return ChannelsLast(geometry) if last else ChannelsFirst(geometry)


class ChannelsLast:
    """Columns (1, kernel * channels, positions) of inputs turned to (batch, *sizes, channels); no groups."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self.ndim = len(geometry.sizes)

    def weight_matrix(self, weight: Any) -> Any:
        """(out, in, *kernel) as (1, out, kernel * in)."""
        return weight.transpose(0, *range(2, self.ndim + 2), 1).reshape(1, weight.shape[0], -1)

    def weight_from(self, matrix: Any, shape: tuple[int, ...]) -> Any:
        """The reverse of `weight_matrix`."""
        turned = matrix.reshape(shape[0], *shape[2:], shape[1])
        return namespace(matrix).ascontiguousarray(turned.transpose(0, self.ndim + 1, *range(1, self.ndim + 1)))

    def zeros(self, like: Any, count: int, channels: int) -> Any:
        return namespace(like).zeros((count, *self.geometry.padded, channels), like.dtype)

    def pad(self, input: Any) -> Any:
        """(batch, channels, *sizes) in this layout, with zeros around."""
        last = input.transpose(0, *range(2, self.ndim + 2), 1)
        if not any(self.geometry.padding):
            return namespace(input).ascontiguousarray(last)
        padded = self.zeros(input, input.shape[0], input.shape[1])
        padded[(slice(None), *self.geometry.inside)] = last
        return padded

    def crop(self, padded: Any) -> Any:
        """The reverse of `pad`."""
        inside = padded[(slice(None), *self.geometry.inside)]
        return inside.transpose(0, self.ndim + 1, *range(1, self.ndim + 1))

    def windows(self, padded: Any, lines: slice) -> Any:
        """(batch, *out, *kernel, channels)"""
        g = self.geometry
        return windows(padded, g.kernel, g.stride, g.dilation, g.out, 1)[:, lines]

    def gather(self, padded: Any, lines: slice) -> Any:
        """The columns of some lines of the output."""
        view = self.windows(padded, lines)
        return view.reshape(1, math.prod(view.shape[: self.ndim + 1]), -1).swapaxes(1, 2)

    def scatter(self, columns: Any, padded: Any, lines: slice) -> None:
        """Adds columns to where `gather` takes them from."""
        n, view = self.ndim, self.windows(padded, lines)
        columns = columns.swapaxes(1, 2).reshape(view.shape)
        for _, place, _, _ in self.geometry.taps():  # windows overlap, the elements of one place do not
            at = (slice(None),) * (n + 1) + place
            view[at] += columns[at]


class ChannelsFirst:
    """Columns (groups, channels / groups * kernel, positions) of inputs (batch, channels, *sizes)."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self.ndim = len(geometry.sizes)

    def weight_matrix(self, weight: Any) -> Any:
        """(out, in / groups, *kernel) as (groups, out / groups, in / groups * kernel)."""
        return weight.reshape(self.geometry.groups, weight.shape[0] // self.geometry.groups, -1)

    def weight_from(self, matrix: Any, shape: tuple[int, ...]) -> Any:
        """The reverse of `weight_matrix`."""
        return matrix.reshape(shape)

    def zeros(self, like: Any, count: int, channels: int) -> Any:
        return namespace(like).zeros((count, channels, *self.geometry.padded), like.dtype)

    def pad(self, input: Any) -> Any:
        """The input with zeros around."""
        if not any(self.geometry.padding):
            return input
        padded = self.zeros(input, *input.shape[:2])
        padded[(slice(None), slice(None), *self.geometry.inside)] = input
        return padded

    def crop(self, padded: Any) -> Any:
        """The reverse of `pad`."""
        return padded[(slice(None), slice(None), *self.geometry.inside)]

    def windows(self, padded: Any, lines: slice) -> Any:
        """(channels, *kernel, batch, *out)"""
        g, n = self.geometry, self.ndim
        view = windows(padded, g.kernel, g.stride, g.dilation, g.out, 2)[:, :, lines]
        return view.transpose(1, *range(n + 2, 2 * n + 2), 0, *range(2, n + 2))

    def gather(self, padded: Any, lines: slice) -> Any:
        """The columns of some lines of the output."""
        view = self.windows(padded, lines)
        return view.reshape(self.geometry.groups, -1, math.prod(view.shape[self.ndim + 1 :]))

    def scatter(self, columns: Any, padded: Any, lines: slice) -> None:
        """Adds columns to where `gather` takes them from."""
        view = self.windows(padded, lines)
        columns = columns.reshape(view.shape)
        for _, place, _, _ in self.geometry.taps():
            view[(slice(None), *place)] += columns[(slice(None), *place)]
