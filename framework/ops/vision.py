"""Rearranging and resizing pictures: pixel shuffle, channel shuffle, interpolation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import namespace
from ..engine import op
from .adaptive_pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, apply_along
from .shape import shape_of

# --- shuffles -----------------------------------------------------------------------------------------------------


@op(half="keep", input=lambda g, upscale_factor: pixel_unshuffle(g, upscale_factor))
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
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    xp, n = namespace(input), len(lead)
    parts = input.reshape(*lead, channels // (r * r), r, r, height, width)
    order = (*range(n + 1), n + 3, n + 1, n + 4, n + 2)
    return xp.ascontiguousarray(parts.transpose(order)).reshape(*lead, channels // (r * r), height * r, width * r)


@op(half="keep", input=lambda g, downscale_factor: pixel_shuffle(g, downscale_factor))
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


@op(
    half="keep",
    name="ChannelShuffleBackward0",
    input=lambda g, input_shape, groups: channel_shuffle(g, input_shape[1] // groups),
)
def channel_shuffle(input, groups):
    """Channels dealt out over `groups` in turn (Zhang et al., arXiv:1707.01083)."""
    if input.ndim < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0 or input.shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {input.shape[1]} channels and {groups} groups."
        )
    parts = input.reshape(input.shape[0], groups, input.shape[1] // groups, math.prod(input.shape[2:]))
    return namespace(input).ascontiguousarray(parts.swapaxes(1, 2)).reshape(input.shape)


native_channel_shuffle = channel_shuffle  # PyTorch's name of its CPU form


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


def _cubic_weights(distance: np.ndarray, a: float) -> np.ndarray:
    """The cubic convolution kernel (Keys, 1981) at distances from the centre."""
    d = np.abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def _cubic(size: int, out: int, scale: float, align: bool) -> np.ndarray:
    centres = _centres(size, out, scale, align)
    low = np.floor(centres).astype(np.int64)
    matrix = np.zeros((out, size))
    for place in (low - 1, low, low + 1, low + 2):
        weights = _cubic_weights(centres - place, -0.75)
        np.add.at(matrix, (np.arange(out), np.clip(place, 0, size - 1)), weights)
    return matrix


def _smoothed(size: int, out: int, scale: float, align: bool, reach: int, kernel: Any) -> np.ndarray:
    """With a kernel widened by the scale when shrinking, so that every input position counts."""
    if align:
        scale = (size - 1) / (out - 1) if out > 1 else 0.0
    widen = max(scale, 1.0)
    matrix = np.zeros((out, size))
    for row in range(out):
        centre = scale * (row + 0.5)
        start, end = max(int(centre - reach * widen + 0.5), 0), min(int(centre + reach * widen + 0.5), size)
        weights = kernel((np.arange(start, end) - centre + 0.5) / widen)
        matrix[row, start:end] = weights / weights.sum()
    return matrix


def _smooth_linear(size: int, out: int, scale: float, align: bool) -> np.ndarray:
    return _smoothed(size, out, scale, align, 1, lambda d: np.maximum(1 - np.abs(d), 0))


def _smooth_cubic(size: int, out: int, scale: float, align: bool) -> np.ndarray:
    return _smoothed(size, out, scale, align, 2, lambda d: _cubic_weights(d, -0.5))


#: For each mode and number of dimensions: PyTorch's node name, and what makes a dimension's matrix.
_MODES = {
    ("nearest", 1): ("UpsampleNearest1DBackward0", _nearest),
    ("nearest", 2): ("UpsampleNearest2DBackward0", _nearest),
    ("nearest", 3): ("UpsampleNearest3DBackward0", _nearest),
    ("nearest-exact", 1): ("UpsampleNearestExact1DBackward0", _nearest_exact),
    ("nearest-exact", 2): ("UpsampleNearestExact2DBackward0", _nearest_exact),
    ("nearest-exact", 3): ("UpsampleNearestExact3DBackward0", _nearest_exact),
    ("linear", 1): ("UpsampleLinear1DBackward0", _linear),
    ("bilinear", 2): ("UpsampleBilinear2DBackward0", _linear),
    ("trilinear", 3): ("UpsampleTrilinear3DBackward0", _linear),
    ("bicubic", 2): ("UpsampleBicubic2DBackward0", _cubic),
    ("bilinear antialias", 2): ("UpsampleBilinear2DAaBackward0", _smooth_linear),
    ("bicubic antialias", 2): ("UpsampleBicubic2DAaBackward0", _smooth_cubic),
}


def _matrices(array: Any, sizes: tuple, out: tuple, mode: str, scales: tuple, align: bool) -> list:
    make = _MODES[mode, len(sizes)][1]
    xp = namespace(array)
    return [xp.asarray(make(n, o, s, align), dtype=array.dtype) for n, o, s in zip(sizes, out, scales, strict=True)]


def _operator(name: str) -> Any:
    def upsample(input, sizes, mode, scales, align):
        result = input
        for d, matrix in enumerate(_matrices(input, input.shape[2:], sizes, mode, scales, align)):
            result = apply_along(result, 2 + d, matrix)
        return namespace(input).ascontiguousarray(result)

    def upsample_input(g, input_shape, sizes, mode, scales, align):
        return _upsample_input(g, input_shape, sizes, mode, scales, align)

    return op(name=name, input=upsample_input)(upsample)


_upsamples = {key: _operator(name) for key, (name, _) in _MODES.items()}


@op(name="UpsampleBackwardBackward0", input=lambda g, sizes, mode, scales, align: _upsamples[mode, len(sizes)](
    g, sizes, mode, scales, align))  # fmt: skip
def _upsample_input(input, shape, sizes, mode, scales, align):
    result = input
    for d, matrix in enumerate(_matrices(input, shape[2:], sizes, mode, scales, align)):
        result = apply_along(result, 2 + d, matrix.T)
    return namespace(input).ascontiguousarray(result)


# --- what users call ----------------------------------------------------------------------------------------------


def _check_mode(mode: str, n: int, align_corners: bool | None, antialias: bool) -> None:
    dimensions = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
    if n not in (1, 2, 3) or mode not in ("nearest", "nearest-exact", "area", *dimensions):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {n + 2}D) for the modes: nearest | linear | "
            f"bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
        )
    if n != dimensions.get(mode, n):
        raise NotImplementedError(f"Got {n + 2}D input, but {mode} mode needs {dimensions[mode] + 2}D input")
    if align_corners is not None and mode not in dimensions:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input"
        )


def _resized(shape: tuple, size: Any, scale_factor: Any, recompute: bool) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The output sizes, and the step in input positions from one output position to the next."""
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    given = scale_factor if size is None else size
    items = tuple(given) if isinstance(given, (tuple, list)) else (given,) * len(shape)
    if len(items) != len(shape):
        what, form = ("scale_factor", "scale_factor of shape") if size is None else ("output", "output size of")
        raise ValueError(
            f"Input and {what} must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {list(shape)} and {form} {items}. Please provide input tensor in (N, C, d1, d2, ...,dK) format."
        )
    if size is None:
        out = tuple(math.floor(n * f) for n, f in zip(shape, items, strict=True))
    else:
        out = tuple(int(v) for v in items)
    if min(out) < 1:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {list(shape)} and output {list(out)}"
        )
    if size is None and not recompute:
        return out, tuple(1 / f for f in items)
    return out, tuple(n / o for n, o in zip(shape, out, strict=True))


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

    Args:
        mode: "nearest", "nearest-exact", "linear" (one dimension), "bilinear", "bicubic" (two), "trilinear" (three) or
            "area" (the mean of what each output position covers).
        align_corners: let the centres of the corner elements coincide, not the outer corners.
        recompute_scale_factor: take the step from the sizes, not from `scale_factor`.
        antialias: widen the kernel when shrinking, so that no element is skipped.
    """
    shape = shape_of(input)
    n = len(shape) - 2
    _check_mode(mode, n, align_corners, antialias)
    out, scales = _resized(shape[2:], size, scale_factor, bool(recompute_scale_factor))
    if mode == "area":
        return (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)[n - 1](input, out)
    kind = f"{mode} antialias" if antialias else mode
    return _upsamples[kind, n](input, out, kind, scales, bool(align_corners))
