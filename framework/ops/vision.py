"""Rearranging and resizing pictures: pixel shuffle, channel shuffle, interpolation."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ..backend import namespace
from ..engine import op
from .pool import _apply_along, adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from .shape import shape_of

# --- shuffles -----------------------------------------------------------------------------------------------------


@op(input=lambda g, upscale_factor: pixel_unshuffle(g, upscale_factor))
def pixel_shuffle(input, upscale_factor):
    """(..., channels * r^2, height, width) as (..., channels, height * r, width * r) (Shi et al., arXiv:1609.05158)."""
    r = upscale_factor
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *lead, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
            f"input.size(-3)={channels} is not divisible by {r * r}"
        )
    xp, n = namespace(input), len(lead)
    parts = input.reshape(*lead, channels // (r * r), r, r, height, width)
    order = (*range(n + 1), n + 3, n + 1, n + 4, n + 2)
    return xp.ascontiguousarray(parts.transpose(order)).reshape(*lead, channels // (r * r), height * r, width * r)


@op(input=lambda g, downscale_factor: pixel_shuffle(g, downscale_factor))
def pixel_unshuffle(input, downscale_factor):
    """The inverse of `pixel_shuffle`."""
    r = downscale_factor
    if input.ndim < 3:
        raise RuntimeError(
            f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *lead, channels, height, width = input.shape
    for name, size in (("height", height), ("width", width)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size("
                f"{-2 if name == 'height' else -1})={size} is not divisible by {r}"
            )
    xp, n = namespace(input), len(lead)
    parts = input.reshape(*lead, channels, height // r, r, width // r, r)
    order = (*range(n + 1), n + 2, n + 4, n + 1, n + 3)
    return xp.ascontiguousarray(parts.transpose(order)).reshape(*lead, channels * r * r, height // r, width // r)


@op(name="ChannelShuffleBackward0", input=lambda g, input_shape, groups: channel_shuffle(g, input_shape[1] // groups))
def channel_shuffle(input, groups):
    """Channels dealt out over `groups` in turn (Zhang et al., arXiv:1707.01083)."""
    if input.ndim < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0 or input.shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {input.shape[1]} channels and {groups} groups."
        )
    parts = input.reshape(input.shape[0], groups, input.shape[1] // groups, -1)
    return namespace(input).ascontiguousarray(parts.swapaxes(1, 2)).reshape(input.shape)


# --- interpolation ------------------------------------------------------------------------------------------------
# Every mode is a matrix for each dimension: rows of weights that make an output position from the input's.


def _nearest(size: int, out: int, scale: float, align: bool) -> np.ndarray:
    return _picks(np.floor(np.arange(out) * np.float32(scale)), size, out)


def _nearest_exact(size: int, out: int, scale: float, align: bool) -> np.ndarray:
    return _picks(np.floor((np.arange(out) + 0.5) * scale), size, out)


def _picks(places: np.ndarray, size: int, out: int) -> np.ndarray:
    matrix = np.zeros((out, size))
    matrix[np.arange(out), np.minimum(places.astype(np.int64), size - 1)] = 1
    return matrix


def _centres(size: int, out: int, scale: float, align: bool) -> np.ndarray:
    """Where output positions lie between input positions."""
    if align:
        return np.arange(out) * ((size - 1) / (out - 1) if out > 1 else 0.0)
    return (np.arange(out) + 0.5) * scale - 0.5


def _linear(size: int, out: int, scale: float, align: bool) -> np.ndarray:
    centres = np.maximum(_centres(size, out, scale, align), 0)
    low = np.minimum(centres.astype(np.int64), size - 1)
    share = np.minimum(centres - low, 1)
    matrix = np.zeros((out, size))
    rows = np.arange(out)
    np.add.at(matrix, (rows, low), 1 - share)
    np.add.at(matrix, (rows, np.minimum(low + 1, size - 1)), share)
    return matrix


#: The free parameter of the cubic kernel (Keys, 1981), as PyTorch and OpenCV set it.
_CUBIC = -0.75


def _cubic(size: int, out: int, scale: float, align: bool) -> np.ndarray:
    centres = _centres(size, out, scale, align)
    low = np.floor(centres).astype(np.int64)
    t = centres - low
    a = _CUBIC
    near = [((a + 2) * d - (a + 3)) * d * d + 1 for d in (t, 1 - t)]
    far = [((a * d - 5 * a) * d + 8 * a) * d - 4 * a for d in (t + 1, 2 - t)]
    matrix = np.zeros((out, size))
    for step, weights in zip((-1, 0, 1, 2), (far[0], near[0], near[1], far[1]), strict=True):
        np.add.at(matrix, (np.arange(out), np.clip(low + step, 0, size - 1)), weights)
    return matrix


_KERNELS = {
    "nearest": (_nearest, (1, 2, 3)),
    "nearest-exact": (_nearest_exact, (1, 2, 3)),
    "linear": (_linear, (1,)),
    "bilinear": (_linear, (2,)),
    "trilinear": (_linear, (3,)),
    "bicubic": (_cubic, (2,)),
}


def _matrices(array: Any, sizes: tuple, out: tuple, mode: str, scales: tuple, align: bool) -> list:
    xp = namespace(array)
    return [xp.asarray(_KERNELS[mode][0](n, o, s, align), dtype=array.dtype) for n, o, s in zip(sizes, out, scales, strict=True)]


@op(name="UpsampleBackward0", input=lambda g, input_shape, sizes, mode, scales, align: _interpolate_input(
    g, input_shape, sizes, mode, scales, align))  # fmt: skip
def _interpolate(input, sizes, mode, scales, align):
    result = input
    for d, matrix in enumerate(_matrices(input, input.shape[2:], sizes, mode, scales, align)):
        result = _apply_along(result, 2 + d, matrix)
    return namespace(input).ascontiguousarray(result)


@op(name="UpsampleBackwardBackward0", input=lambda g, sizes, mode, scales, align: _interpolate(g, sizes, mode, scales, align))
def _interpolate_input(input, shape, sizes, mode, scales, align):
    result = input
    for d, matrix in enumerate(_matrices(input, shape[2:], sizes, mode, scales, align)):
        result = _apply_along(result, 2 + d, matrix.T)
    return namespace(input).ascontiguousarray(result)


def _resized(shape: tuple, size: Any, scale_factor: Any, recompute: bool) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The output sizes, and the step in input positions from one output position to the next."""
    n = len(shape)
    if (size is None) == (scale_factor is None):
        raise ValueError("only one of size or scale_factor should be defined" if size is not None else "either size or scale_factor should be defined")
    given = size if size is not None else scale_factor
    items = tuple(given) if isinstance(given, (tuple, list)) else (given,) * n
    if len(items) != n:
        what = "output" if size is not None else "scale"
        raise ValueError(
            f"Input and {'output' if size is not None else 'scale_factor'} must have the same number of spatial "
            f"dimensions, but got input with spatial dimensions of {list(shape)} and {what} of {list(items)}"
        )
    if size is not None:
        out = tuple(int(v) for v in items)
        return out, tuple(n / o for n, o in zip(shape, out, strict=True))
    out = tuple(math.floor(n * f) for n, f in zip(shape, items, strict=True))
    if recompute:
        return out, tuple(n / o for n, o in zip(shape, out, strict=True))
    return out, tuple(1 / f for f in items)


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """(batch, channels, *sizes) resized to `size`, or by `scale_factor`.

    `mode`: "nearest", "nearest-exact", "linear" (one dimension), "bilinear", "bicubic" (two), "trilinear" (three) or
    "area". `align_corners` lets the corner positions coincide instead of the corners.
    """
    shape = shape_of(input)
    n = len(shape) - 2
    if mode != "area" and mode not in _KERNELS:
        raise NotImplementedError(f"Input Error: unknown interpolation mode {mode}")
    if antialias:
        raise ValueError("Anti-alias option is not supported by this framework yet")
    if mode in ("nearest", "nearest-exact", "area"):
        if align_corners is not None:
            raise ValueError("align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear")
    if n not in ((1, 2, 3) if mode == "area" else _KERNELS[mode][1]):
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported "
            f"(got {len(shape)}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
        )
    out, scales = _resized(shape[2:], size, scale_factor, bool(recompute_scale_factor))
    if min(out) < 1:
        raise RuntimeError(f"Input and output sizes should be greater than 0, but got input {list(shape[2:])} and output {list(out)}")
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[n - 1](input, out)
    return _interpolate(input, out, mode, scales, bool(align_corners))
