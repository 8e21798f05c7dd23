"""Padding the last dimensions of a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import namespace
from ..engine import op
from .shape import shape_of


def _sides(pad: Sequence[int], ndim: int) -> list[tuple[int, int]]:
    """(before, after) of every dimension; `pad` counts from the last one."""
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    return [(0, 0)] * (ndim - len(pairs)) + pairs[::-1]


@op(half="keep", input=lambda g, pad: constant_pad_nd(g, tuple(-p for p in pad), 0))
def constant_pad_nd(input, pad, value=0):
    """`input` with `value` around it; negative amounts cut away. `pad` is (last before, last after, ...)."""
    sides = _sides(pad, input.ndim)
    shape = tuple(n + before + after for n, (before, after) in zip(input.shape, sides, strict=True))
    if any(n < 0 for n in shape):
        bad = next(d for d, n in enumerate(shape) if n < 0)
        raise RuntimeError(
            f"The input size {input.shape[bad]}, plus negative padding {sides[bad][0]} and {sides[bad][1]} resulted in "
            f"a negative output size, which is invalid. Check dimension {bad} of your input."
        )
    source = tuple(slice(max(-b, 0), n - max(-a, 0)) for n, (b, a) in zip(input.shape, sides, strict=True))
    inside = tuple(slice(max(b, 0), n - max(a, 0)) for n, (b, a) in zip(shape, sides, strict=True))
    result = namespace(input).full(shape, value, input.dtype)
    result[inside] = input[source]
    return result


# --- by copying what is there -------------------------------------------------------------------------------------


def _mirror(size: int, before: int, after: int) -> np.ndarray:
    places = np.abs(np.arange(-before, size + after))
    return np.where(places >= size, 2 * (size - 1) - places, places)


def _repeat_edge(size: int, before: int, after: int) -> np.ndarray:
    return np.clip(np.arange(-before, size + after), 0, size - 1)


def _wrap_around(size: int, before: int, after: int) -> np.ndarray:
    return np.arange(-before, size + after) % size


#: For each mode: where along a dimension each element of the padded one comes from.
_PLACES = {"reflect": _mirror, "replicate": _repeat_edge, "circular": _wrap_around}


def _copy_operator(name: str) -> Any:
    """The operator under the node name that PyTorch shows for a mode and a number of dimensions."""

    def copy_pad(input, pad, mode):
        xp = namespace(input)
        result = input
        for dim, (before, after) in enumerate(_sides(pad, input.ndim)):
            if before or after:
                places = xp.asarray(_PLACES[mode](input.shape[dim], before, after))
                result = xp.take(result, places, axis=dim)
        return result.copy() if result is input else result

    return op(name=name, input=lambda g, input_shape, pad, mode: _copy_pad_input(g, input_shape, pad, mode))(copy_pad)


_NAMES = {"reflect": "ReflectionPad{}DBackward0", "replicate": "ReplicationPad{}DBackward0", "circular": "CopySlices"}
_copy_pads = {(mode, n): _copy_operator(name.format(n)) for mode, name in _NAMES.items() for n in (1, 2, 3)}


@op(name="CopyPadBackwardBackward0", input=lambda g, pad, mode: _copy_pads[mode, len(pad) // 2](g, pad, mode))
def _copy_pad_input(input, shape, pad, mode):
    """Every element of a padded array added to where it came from."""
    result = input
    for dim, (before, after) in enumerate(_sides(pad, input.ndim)):
        lead, size = (slice(None),) * dim, shape[dim]
        inside = result[(*lead, slice(before, before + size))]
        if before or after:
            inside = inside.copy()
            places = _PLACES[mode](size, before, after)
            for border in (*range(before), *range(before + size, before + size + after)):
                inside[(*lead, int(places[border]))] += result[(*lead, border)]
        result = inside
    return result.copy() if result is input else result


def _check_mode(shape: tuple[int, ...], pad: Sequence[int], mode: str) -> None:
    """The numbers of dimensions that PyTorch pads by copying, and the amounts it allows."""
    ndim, pairs = len(shape), len(pad) // 2
    if not 1 <= pairs <= 3 or ndim not in (pairs + 1, pairs + 2):
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {ndim}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    for dim, (before, after) in enumerate(_sides(pad, ndim)):
        if mode == "reflect" and max(before, after) >= shape[dim] and (before or after):
            raise RuntimeError(
                f"Argument #{2 * (ndim - dim) + 2}: Padding size should be less than the corresponding input "
                f"dimension, but got: padding ({before}, {after}) at dimension {dim} of input {list(shape)}"
            )
        if mode == "circular" and max(before, after) > shape[dim]:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if shape[dim] + before + after < 0 or (
            mode == "circular" and (before or after) and shape[dim] + before + after == 0
        ):
            raise RuntimeError(f"Negative padding value is resulting in an empty dimension {dim}")


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """`input` grown by `pad` = (last before, last after, next-to-last before, ...); negative amounts cut away.

    `mode`: "constant" (of `value`), "reflect", "replicate" or "circular".
    """
    if not isinstance(pad, Sequence):
        raise TypeError(f"pad(): argument 'pad' (position 2) must be tuple of ints, not {type(pad).__name__}")
    amounts = tuple(int(p.__index__()) for p in pad)
    ndim = len(shape_of(input))
    if len(amounts) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(amounts) > 2 * ndim:
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(amounts)} and input of dimension {ndim}"
        )
    if mode == "constant":
        return constant_pad_nd(input, amounts, 0 if value is None else value)
    if mode not in _PLACES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    _check_mode(shape_of(input), amounts, mode)
    if min(amounts) < 0:
        input = constant_pad_nd(input, tuple(min(p, 0) for p in amounts), 0)
        amounts = tuple(max(p, 0) for p in amounts)
    return _copy_pads[mode, len(amounts) // 2](input, amounts, mode)
