"""Windows for the short-time Fourier transform: vectors of weights, of one period or symmetric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .creation import as_tensor
from .dtypes import get_default_dtype
from .tensor import Tensor


def _window(name: str, length: int, periodic: bool, shape: Callable, options: dict) -> Tensor:
    """`shape` of the fractions 0 to 1 of the window, which a periodic one lacks the last of."""
    dtype, device = options.pop("dtype", None) or get_default_dtype(), options.pop("device", None)
    requires_grad = options.pop("requires_grad", False)
    for accepted in ("layout", "pin_memory"):
        options.pop(accepted, None)
    if options:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(options))}'")
    if not dtype.is_floating_point:
        raise RuntimeError(f"{name} expects floating point dtypes, got: {dtype}")
    if length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={length}")
    if length < 2:
        values = np.ones(length)
    else:
        points = length + 1 if periodic else length
        values = shape(np.arange(length) / (points - 1))
    made = as_tensor(values.astype(dtype.numpy), device=device)
    return made.requires_grad_(requires_grad)


def bartlett_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """A triangle from 0 to 1 and back; (window_length,)."""
    return _window("bartlett_window", window_length, periodic, lambda x: 1 - np.abs(2 * x - 1), options)


def blackman_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """Blackman's three-term cosine sum; (window_length,)."""

    def shape(x: Any) -> Any:
        return np.maximum(0.42 - 0.5 * np.cos(2 * np.pi * x) + 0.08 * np.cos(4 * np.pi * x), 0)

    return _window("blackman_window", window_length, periodic, shape, options)


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, **options: Any
) -> Tensor:
    """`alpha - beta cos(2 pi x)`; (window_length,)."""
    return _window("hamming_window", window_length, periodic, lambda x: alpha - beta * np.cos(2 * np.pi * x), options)


def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """`sin(pi x)^2`; (window_length,)."""
    return _window("hann_window", window_length, periodic, lambda x: np.sin(np.pi * x) ** 2, options)


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any) -> Tensor:
    """Kaiser's window, of Bessel functions: the larger `beta`, the narrower; (window_length,)."""

    def shape(x: Any) -> Any:
        return np.i0(beta * np.sqrt(np.maximum(1 - (2 * x - 1) ** 2, 0))) / np.i0(beta)

    return _window("kaiser_window", window_length, periodic, shape, options)
