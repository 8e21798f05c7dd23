"""Padding the last dimensions of a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import device_of, namespace, to_device
from ..engine import op, wrap
from .index import index_select
from .shape import shape_of


def _sides(pad: Sequence[int], ndim: int) -> list[tuple[int, int]]:
    """(before, after) of every dimension; `pad` counts from the last one."""
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    return [(0, 0)] * (ndim - len(pairs)) + pairs[::-1]


@op(input=lambda g, pad: constant_pad_nd(g, tuple(-p for p in pad), 0))
def constant_pad_nd(input, pad, value=0):
    """`input` with `value` around it; negative amounts cut away. `pad` is (last before, last after, ...)."""
    if len(pad) > 2 * input.ndim:
        raise RuntimeError(
            f"Length of pad should be no more than twice the number of dimensions of the input. Pad length is {len(pad)} "
            f"while the input has {input.ndim} dimensions."
        )
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


def _mirror(size: int, before: int, after: int) -> np.ndarray:
    places = np.abs(np.arange(-before, size + after))
    return np.where(places >= size, 2 * (size - 1) - places, places)


def _repeat_edge(size: int, before: int, after: int) -> np.ndarray:
    return np.clip(np.arange(-before, size + after), 0, size - 1)


def _wrap_around(size: int, before: int, after: int) -> np.ndarray:
    return np.arange(-before, size + after) % size


_PLACES = {"reflect": _mirror, "replicate": _repeat_edge, "circular": _wrap_around}


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
                f"Argument #{2 * (ndim - dim) + 2}: Padding size should be less than the corresponding input dimension, "
                f"but got: padding ({before}, {after}) at dimension {dim} of input {list(shape)}"
            )
        if mode == "circular" and max(before, after) > shape[dim]:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if shape[dim] + before + after < 0 or (mode == "circular" and shape[dim] + before + after == 0):
            raise RuntimeError(f"Negative padding value is resulting in an empty dimension {dim}")


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """`input` grown by `pad` = (last before, last after, next-to-last before, ...); negative amounts cut away.

    `mode`: "constant" (of `value`), "reflect", "replicate" or "circular".
    """
    amounts = tuple(int(p.__index__()) for p in pad)
    if len(amounts) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if mode == "constant":
        return constant_pad_nd(input, amounts, 0 if value is None else value)
    if mode not in _PLACES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    _check_mode(shape_of(input), amounts, mode)
    if min(amounts) < 0:
        input = constant_pad_nd(input, tuple(min(p, 0) for p in amounts), 0)
        amounts = tuple(max(p, 0) for p in amounts)
    shape = shape_of(input)
    for dim, (before, after) in enumerate(_sides(amounts, len(shape))):
        if before or after:
            places = _PLACES[mode](shape[dim], before, after)
            input = index_select(input, dim, wrap(to_device(places, device_of(input._array))))
    return input
