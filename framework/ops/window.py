"""What convolution, pooling, unfold and fold share: sliding windows over the last dimensions of an array."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from ..backend import namespace


def tuple_of(value: Any, count: int) -> tuple[int, ...]:
    """An int, or a sequence of one or `count` ints, as a tuple of `count`."""
    items = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    items = tuple(int(v.__index__()) for v in items)
    return items * count if len(items) == 1 else items


def span(kernel: int, dilation: int) -> int:
    """How many elements a window covers from its first to its last."""
    return dilation * (kernel - 1) + 1


def tap_slices(size: int, out: int, offset: int, stride: int) -> tuple[slice, slice]:
    """Where the elements at `offset` of all windows lie along one dimension: (windows, input elements).

    Only windows for which the element is inside the input; `offset` counts from the input's start for window 0, so
    padding makes it negative.
    """
    first = max(0, -(offset // stride))
    last = min(out - 1, (size - 1 - offset) // stride)
    if last < first:
        return slice(0, 0), slice(0, 0)
    start = first * stride + offset
    return slice(first, last + 1), slice(start, start + (last - first) * stride + 1, stride)


def taps(
    sizes: tuple[int, ...],
    out: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
) -> Iterator[tuple[int, tuple[int, ...], tuple[slice, ...], tuple[slice, ...]]]:
    """For each element of a window: its number, its place, the windows that have it inside the input, where it lies."""
    for number, place in enumerate(itertools.product(*map(range, kernel))):
        pairs = [
            tap_slices(n, o, k * d - p, s)
            for n, o, k, d, p, s in zip(sizes, out, place, dilation, padding, stride, strict=True)
        ]
        yield number, place, tuple(w for w, _ in pairs), tuple(i for _, i in pairs)


def windows(
    array: Any,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    out: tuple[int, ...],
    start: int,
) -> Any:
    """A view of the windows over the dimensions from `start` on: (..., *out, *kernel, ...trailing dimensions)."""
    n = len(kernel)
    steps = array.strides[start : start + n]
    return namespace(array).lib.stride_tricks.as_strided(
        array,
        (*array.shape[:start], *out, *kernel, *array.shape[start + n :]),
        (
            *array.strides[:start],
            *(a * s for a, s in zip(steps, stride, strict=True)),
            *(a * d for a, d in zip(steps, dilation, strict=True)),
            *array.strides[start + n :],
        ),
    )
