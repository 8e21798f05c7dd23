"""Adaptive pooling: the mean or the largest element of windows that cover a picture evenly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import namespace
from ..engine import op
from .pool import check_dimensions
from .reduce import _scatter_add_zeros, mean
from .shape import reshape, shape_of

# --- windows ------------------------------------------------------------------------------------------------------


def _bounds(size: int, out: int) -> list[tuple[int, int]]:
    """Where the `out` windows that cover a dimension begin and end; neighbours may overlap by one."""
    return [(i * size // out, -(-(i + 1) * size // out)) for i in range(out)]


def _targets(name: str, input: Any, output_size: Any, n: int) -> tuple[int, ...]:
    """The output sizes, with None standing for the input's."""
    sizes = shape_of(input)[-n:]
    given = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * n
    if len(given) == 1:
        given = given * n
    if len(given) != n:
        raise RuntimeError(f"{name}: output_size must be {n}")
    out = tuple(s if g is None else int(g) for g, s in zip(given, sizes, strict=True))
    if min(out) < 0:
        listed = ", ".join(map(str, out))
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received {{{listed}}}"
        )
    return out


def _averaging(array: Any, size: int, out: int) -> Any:
    """The matrix (out, size) whose rows take the means of a dimension's windows."""
    matrix = np.zeros((out, size))
    for row, (start, end) in enumerate(_bounds(size, out)):
        matrix[row, start:end] = 1 / (end - start)
    return namespace(array).asarray(matrix, dtype=array.dtype)


def apply_along(array: Any, axis: int, matrix: Any) -> Any:
    """The matrix (out, size) times every vector along a dimension."""
    xp = namespace(array)
    return xp.moveaxis(xp.matmul(xp.moveaxis(array, axis, -1), matrix.T), -1, axis)


def _adaptive_avg_operator(name: str) -> Any:
    def adaptive_avg_pool(input, sizes):
        result = input
        for d, out in enumerate(sizes):
            axis = result.ndim - len(sizes) + d
            size = result.shape[axis]
            if size == out:
                continue
            if size % out == 0:
                split = result.reshape(*result.shape[:axis], out, size // out, *result.shape[axis + 1 :])
                result = split.mean(axis=axis + 1)
            else:
                result = apply_along(result, axis, _averaging(input, size, out))
        return result.copy() if result is input else namespace(input).ascontiguousarray(result)

    return op(name=name, input=lambda g, input_shape, sizes: _adaptive_spread(g, input_shape, sizes))(adaptive_avg_pool)


_adaptive_avgs = {
    1: _adaptive_avg_operator("AdaptiveAvgPool2DBackward0"),
    2: _adaptive_avg_operator("AdaptiveAvgPool2DBackward0"),
    3: _adaptive_avg_operator("AdaptiveAvgPool3DBackward0"),
}


@op(name="AdaptiveAvgPoolBackwardBackward0", input=lambda g, sizes: _adaptive_avgs[len(sizes)](g, sizes))
def _adaptive_spread(input, shape, sizes):
    result = input
    for d, out in enumerate(sizes):
        axis = result.ndim - len(sizes) + d
        if shape[axis] != out:
            result = apply_along(result, axis, _averaging(input, shape[axis], out).T)
    return result.copy() if result is input else namespace(input).ascontiguousarray(result)


def _adaptive_avg_pool(n: int, input: Any, output_size: Any) -> Any:
    name = f"adaptive_avg_pool{n}d"
    check_dimensions(input, n, name)
    sizes = _targets(name, input, output_size, n)
    if all(s == 1 for s in sizes):
        return mean(input, tuple(range(-n, 0)), keepdim=True)
    return _adaptive_avgs[n](input, sizes)


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The means of `output_size` windows that cover (batch, channels, length) or (channels, length) evenly."""
    return _adaptive_avg_pool(1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The means of a grid of windows that covers height and width evenly; a size of None keeps the input's."""
    return _adaptive_avg_pool(2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The means of a grid of windows that covers depth, height and width evenly."""
    return _adaptive_avg_pool(3, input, output_size)


# --- maximum ------------------------------------------------------------------------------------------------------


def _adaptive_max_input(g, input_shape, sizes, out):
    n = len(sizes)
    lead = input_shape[: len(input_shape) - n]
    flat = (*lead, math.prod(input_shape[len(lead) :]))
    picked = (*lead, math.prod(sizes))
    return reshape(_scatter_add_zeros(reshape(g[0], picked), flat, -1, reshape(out[1], picked)), input_shape)


def _adaptive_max_operator(name: str) -> Any:
    def adaptive_max_pool(input, sizes):
        xp = namespace(input)
        n = len(sizes)
        lead, inner = input.shape[:-n], input.shape[-n:]
        values, indices = xp.empty((*lead, *sizes), input.dtype), xp.empty((*lead, *sizes), np.int64)
        bounds = [_bounds(size, out) for size, out in zip(inner, sizes, strict=True)]
        for cell in np.ndindex(*sizes):
            box = [bounds[d][i] for d, i in enumerate(cell)]
            part = input[(..., *(slice(*b) for b in box))]
            index = part.reshape(*lead, -1).argmax(axis=-1)
            values[(..., *cell)] = part.max(axis=tuple(range(-n, 0)))
            indices[(..., *cell)] = _whole_index(index, box, inner)
        return values, indices

    return op(name=name, input=_adaptive_max_input)(adaptive_max_pool)


def _whole_index(index: Any, box: list[tuple[int, int]], sizes: tuple[int, ...]) -> Any:
    """An index into the flattened box as one into the flattened input dimensions."""
    total: Any = 0
    for d in reversed(range(len(sizes))):
        start, end = box[d]
        total = total + (index % (end - start) + start) * math.prod(sizes[d + 1 :])
        index = index // (end - start)
    return total


_adaptive_maxes = {
    1: _adaptive_max_operator("AdaptiveMaxPool2DBackward0"),
    2: _adaptive_max_operator("AdaptiveMaxPool2DBackward0"),
    3: _adaptive_max_operator("AdaptiveMaxPool3DBackward0"),
}


def _adaptive_max_pool(n: int, input: Any, output_size: Any, return_indices: bool) -> Any:
    name = f"adaptive_max_pool{n}d"
    check_dimensions(input, n, name)
    values, indices = _adaptive_maxes[n](input, _targets(name, input, output_size, n))
    return (values, indices) if return_indices else values


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of `output_size` windows that cover (batch, channels, length) or (channels, length) evenly."""
    return _adaptive_max_pool(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of a grid of windows that covers height and width evenly."""
    return _adaptive_max_pool(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of a grid of windows that covers depth, height and width evenly."""
    return _adaptive_max_pool(3, input, output_size, return_indices)
