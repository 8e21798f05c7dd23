"""Fractional max pooling: windows whose borders are drawn at random (Graham, 2014, arXiv:1412.6071)."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ..backend import device_of, namespace, to_device
from ..engine import op, wrap
from ..random import default_generator
from .pool import check_dimensions
from .reduce import _scatter_add_zeros
from .shape import reshape, shape_of
from .window import tuple_of

_AXES = {2: ("height", "width"), 3: ("time", "height", "width")}


def _starts(samples: Any, size: int, out: int, kernel: int) -> Any:
    """Where the `out` windows along a dimension begin, for each drawn number: samples.shape + (out,)."""
    xp = namespace(samples)
    result = xp.full((*samples.shape, out), size - kernel, np.int64)
    if out > 1:
        step = samples.dtype.type(size - kernel) / samples.dtype.type(out - 1)
        number = xp.arange(out - 1, dtype=samples.dtype)
        first = (samples * step).astype(np.int64)
        result[..., :-1] = ((number + samples[..., None]) * step).astype(np.int64) - first[..., None]
    return result


def _fractional_input(g, input_shape, kernel, out):
    n = len(kernel)
    lead = input_shape[: len(input_shape) - n]
    flat = (*lead, math.prod(input_shape[len(lead) :]))
    places = (*lead, math.prod(shape_of(g[0])[len(lead) :]))
    spread = _scatter_add_zeros(reshape(g[0], places), flat, -1, out[1].reshape(places))
    return reshape(spread, input_shape)


def _operator(name: str) -> Any:
    def fractional_max_pool(input, samples, kernel, sizes):
        """(maxima, their indices in the flattened position dimensions)."""
        xp, n = namespace(input), len(kernel)
        shape = input.shape[-n:]
        starts = []
        for d in range(n):
            number = n - 1 - d if n == 2 else d  # PyTorch draws for the width first in pictures
            begin = _starts(samples[..., number], shape[d], sizes[d], kernel[d])
            starts.append(begin.reshape(*begin.shape[:-1], *(1,) * d, sizes[d], *(1,) * (n - d - 1)))
        flat = input.reshape(*input.shape[:-n], math.prod(shape))
        best = where_best = None
        for tap in itertools.product(*map(range, kernel)):
            index = 0
            for d in range(n):
                index = index * shape[d] + starts[d] + tap[d]
            index = index.reshape(*flat.shape[:-1], math.prod(sizes))
            value = xp.take_along_axis(flat, index, axis=-1)
            if best is None:
                best, where_best = value, index
                continue
            larger = (value > best) | (value != value)
            best, where_best = xp.where(larger, value, best), xp.where(larger, index, where_best)
        result = (*input.shape[:-n], *sizes)
        return best.reshape(result), where_best.reshape(result)

    return op(name=name, input=_fractional_input)(fractional_max_pool)


_pools = {n: _operator(f"FractionalMaxPool{n}DBackward0") for n in (2, 3)}


def _sizes(name: str, input: Any, output_size: Any, output_ratio: Any, n: int) -> tuple[int, ...]:
    if output_size is not None:
        return _option(name, "output_size", output_size, n)
    if output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    ratios = tuple(output_ratio) if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * n
    if len(ratios) > n:
        raise ValueError(f"{name} requires output_ratio to either be a single Int or tuple of Ints.")
    return tuple(int(size * ratio) for size, ratio in zip(shape_of(input)[-n:], ratios, strict=True))


def _option(name: str, label: str, value: Any, n: int) -> tuple[int, ...]:
    items = tuple_of(value, n)
    if len(items) != n:
        raise RuntimeError(f"{name}: {label} must either be a single Int or tuple of Ints")
    return items


def _fractional_max_pool(
    n: int, input: Any, kernel_size: Any, output_size: Any, output_ratio: Any, samples: Any
) -> tuple[Any, Any]:
    name = f"fractional_max_pool{n}d"
    sizes = _sizes(name, input, output_size, output_ratio, n)
    kernel = _option(name, "kernel_size", kernel_size, n)
    check_dimensions(input, n)
    shape = shape_of(input)
    alone = len(shape) == n + 1
    if samples is None:
        count = (1 if alone else shape[0], shape[-n - 1], n)
        drawn_here = default_generator.uniform(count, dtype=input._array.dtype)
        samples = wrap(to_device(drawn_here, device_of(input._array)))
    drawn = shape_of(samples)
    if len(drawn) != 3 or drawn[2] != n:
        raise RuntimeError(f"Expect _random_samples.size(2) equals to {n}; got {drawn[-1] if drawn else 0}.")
    for axis, size, k, out in zip(_AXES[n], shape[-n:], kernel, sizes, strict=True):
        if out + k - 1 > size:
            raise RuntimeError(f"{name}(): pool {axis} {k} too large relative to input {axis} {size}")
    numbers = samples._array[0] if alone else samples._array[: shape[0]]
    return _pools[n](input, wrap(numbers), kernel, sizes)


def fractional_max_pool2d_with_indices(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> tuple[Any, Any]:
    """`fractional_max_pool2d(..., return_indices=True)`."""
    return _fractional_max_pool(2, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool2d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """The largest element of windows of (N, C, H, W) or (C, H, W) whose borders are drawn at random.

    `output_size`, or `output_ratio` of the input's, is needed. `_random_samples` (N, C, 2) in [0, 1) replaces drawing.
    With `return_indices` also where the elements are.
    """
    values, indices = _fractional_max_pool(2, input, kernel_size, output_size, output_ratio, _random_samples)
    return (values, indices) if return_indices else values


def fractional_max_pool3d_with_indices(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> tuple[Any, Any]:
    """`fractional_max_pool3d(..., return_indices=True)`."""
    return _fractional_max_pool(3, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool3d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """`fractional_max_pool2d` for (N, C, D, H, W) or (C, D, H, W)."""
    values, indices = _fractional_max_pool(3, input, kernel_size, output_size, output_ratio, _random_samples)
    return (values, indices) if return_indices else values
