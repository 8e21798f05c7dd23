"""Reading pictures at arbitrary positions (spatial transformers, Jaderberg et al., 2015, arXiv:1506.02025)."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import op, wrap
from ..engine.half import rounded_once
from .index import gather
from .pointwise import where
from .shape import expand, reshape, shape_of

_ALIGN = (
    "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify "
    "align_corners=True if the old behavior is desired. See the documentation of grid_sample for details."
)

# --- affine_grid --------------------------------------------------------------------------------------------------


def _base_grid(like: Any, size: tuple[int, ...], align: bool) -> Any:
    """Positions in [-1, 1] of all elements, the last dimension's first, and a 1: (prod(sizes), dimensions + 1)."""
    axes = []
    for n in size[2:]:
        line = np.linspace(-1, 1, n) if n > 1 else np.zeros(n)
        axes.append(line if align else line * (n - 1) / n)
    mesh = np.meshgrid(*axes, indexing="ij")
    columns = [*(m.reshape(-1) for m in reversed(mesh)), np.ones(math.prod(size[2:]))]
    return namespace(like).asarray(np.stack(columns, axis=1), dtype=like.dtype)


@op(name="AffineGridGeneratorBackward0", theta=lambda g, size, align: _affine_theta(g, size, align))
def _affine_grid(theta, size, align):
    places = namespace(theta).matmul(_base_grid(theta, size, align), theta.swapaxes(1, 2))
    return places.reshape(size[0], *size[2:], len(size) - 2)


@op(name="AffineGridGeneratorBackwardBackward0", input=lambda g, size, align: _affine_grid(g, size, align))
def _affine_theta(input, size, align):
    flat = input.reshape(size[0], -1, len(size) - 2)
    return namespace(input).matmul(flat.swapaxes(1, 2), _base_grid(input, size, align))


def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """The grid for `grid_sample` of affine maps `theta`: (N, 2, 3) or (N, 3, 4) to (N, *sizes, 2 or 3).

    `size` is that of the output picture, (N, C, H, W) or (N, C, D, H, W); `align_corners` as in `grid_sample`.
    """
    if align_corners is None:
        warnings.warn(_ALIGN, stacklevel=2)
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    sizes, shape = tuple(int(n) for n in size), shape_of(theta)
    n = len(sizes) - 2
    if n not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
            f"Got size {size}."
        )
    if len(shape) != 3 or shape[1:] != (n, n + 1):
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {size}. Got {theta.shape}."
        )
    if align_corners and min(sizes[2:]) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. "
            "This is not an intended use case of affine_grid. See the documentation of affine_grid for details.",
            stacklevel=2,
        )
    elif min(sizes) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    return _affine_grid(theta, sizes, bool(align_corners))


# --- positions ----------------------------------------------------------------------------------------------------


def _constant(tensor: Any) -> Any:
    return tensor.detach()


def _reflected(x: Any, size: int, align: bool) -> Any:
    """Positions mirrored at the edges, or at the edge elements' centres with `align`, until they are inside."""
    low, high = (0.0, size - 1.0) if align else (-0.5, size - 0.5)
    span = high - low
    if span <= 0:
        return x * 0
    away = (x - low).abs()
    flips = _constant(away / span).floor()
    rest = away - flips * span
    return where(flips % 2 == 0, rest + low, span - rest + low)


def _clipped(x: Any, size: int) -> Any:
    """Positions within the picture; those moved, or at its edge, get no gradient."""
    inside = (x > 0) & (x < size - 1)
    return where(inside, x, _constant(x).clamp(0, size - 1))


def _padded(x: Any, size: int, padding: str, align: bool) -> Any:
    if padding == "border":
        return _clipped(x, size)
    if padding == "reflection":
        return _clipped(_reflected(x, size, align), size)
    return x


def _linear_taps(x: Any) -> list[tuple[Any, Any]]:
    low = _constant(x).floor()
    share = x - low
    return [(low, 1 - share), (low + 1, share)]


def _nearest_taps(x: Any) -> list[tuple[Any, Any]]:
    return [(_constant(x).round(), None)]


def _cubic_taps(x: Any) -> list[tuple[Any, Any]]:
    """Cubic convolution (Keys, 1981) with a = -0.75."""
    a, low = -0.75, _constant(x).floor()
    taps = []
    for offset in (-1, 0, 1, 2):
        d = (x - (low + offset)).abs()
        if offset in (0, 1):
            weight = ((a + 2) * d - (a + 3)) * d * d + 1
        else:
            weight = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        taps.append((low + offset, weight))
    return taps


_TAPS = {"bilinear": _linear_taps, "nearest": _nearest_taps, "bicubic": _cubic_taps}


def _axis_taps(x: Any, size: int, mode: str, padding: str, align: bool) -> list[tuple[Any, Any, Any]]:
    """For one dimension: the elements that a position is made of (indices), their weights, and which of them exist."""
    x = (x + 1) * ((size - 1) / 2) if align else ((x + 1) * size - 1) / 2
    if mode != "bicubic":
        x = _padded(x, size, padding, align)
    taps = []
    for place, weight in _TAPS[mode](x):
        if mode == "bicubic":  # here the elements are padded, not the positions
            place = _padded(place, size, padding, align)
        exists = (place >= 0) & (place <= size - 1)
        taps.append((wrap(_whole(place._array, exists._array)), weight, exists))
    return taps


def _whole(places: Any, exists: Any) -> Any:
    """Positions as indices, 0 for those that do not exist."""
    return namespace(places).where(exists, places, 0).astype(np.int64)


# --- grid_sample --------------------------------------------------------------------------------------------------


def _check(input: Any, grid: Any, mode: str, padding_mode: str) -> None:
    if mode not in _TAPS:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', "
            f"but got: '{padding_mode}'"
        )
    shape, places = shape_of(input), shape_of(grid)
    found = f"but got input with sizes {list(shape)} and grid with sizes {list(places)}"
    if shape[:1] != places[:1]:
        raise RuntimeError(f"grid_sampler(): expected grid and input to have same batch size, {found}")
    if places[-1] != len(shape) - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {len(shape) - 2} in last dimension, but got grid with sizes "
            f"{list(places)}"
        )
    if len(shape) not in (4, 5) or len(places) != len(shape):
        raise RuntimeError(f"grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, {found}")
    for dim, size in enumerate(shape[2:], 2):
        if not size:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
                f"{list(shape)} with dimension {dim} being empty"
            )
    if mode == "bicubic" and len(shape) == 5:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if input.dtype is not grid.dtype:
        wanted, got = (dtypes.scalar_type_name(t.dtype) for t in (input, grid))
        raise RuntimeError(f"expected scalar type {wanted} but found {got}")


@rounded_once
def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Any:
    """The elements of (N, C, H, W) or (N, C, D, H, W) at the positions `grid`: (N, *out, 2 or 3) to (N, C, *out).

    Args:
        grid: positions in [-1, 1], the last dimension's first.
        mode: "bilinear", "nearest" or "bicubic" (pictures only).
        padding_mode: what lies outside: "zeros", the "border" repeated, or a "reflection".
        align_corners: -1 and 1 are the centres of the corner elements, not the outer corners.
    """
    _check(input, grid, mode, padding_mode)
    if align_corners is None:
        warnings.warn(_ALIGN, stacklevel=2)
    shape, out = shape_of(input), shape_of(grid)[1:-1]
    batch, channels, *sizes = shape
    flat = reshape(input, (batch, channels, math.prod(sizes)))
    places = reshape(grid, (batch, 1, math.prod(out), len(sizes)))
    axes = [
        _axis_taps(places[..., len(sizes) - 1 - d], size, mode, padding_mode, bool(align_corners))
        for d, size in enumerate(sizes)
    ]
    total = None
    for corner in itertools.product(*axes):
        index, share = _corner(corner, sizes)
        part = gather(flat, 2, expand(index, (batch, channels, math.prod(out)))) * share
        total = part if total is None else total + part
    return reshape(total, (batch, channels, *out))


def _corner(corner: tuple[tuple[Any, Any, Any], ...], sizes: list[int]) -> tuple[Any, Any]:
    """The index in the flattened picture, and the weight, of one element for each dimension."""
    index: Any = 0
    weight = exists = None
    for (place, part, inside), size in zip(corner, sizes, strict=True):
        index = index * size + place
        exists = inside if exists is None else exists & inside
        if part is not None:
            weight = part if weight is None else weight * part
    return index, exists if weight is None else where(exists, weight, 0.0)
