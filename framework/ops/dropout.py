"""Dropout: zeroing elements or whole channels at random while training (Srivastava et al., 2014)."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ..backend import device_of, to_device
from ..engine import inplace, op, wrap
from ..random import default_generator
from .shape import shape_of


@op(name="MulBackward0", input=lambda g, mask, scale: _masked(g, mask, scale))
def _masked(input, mask, scale):
    """`input * mask * scale`; mask bool, broadcasting."""
    result = input * mask
    result *= scale
    return result


_masked_ = inplace(_masked)


def _check_probability(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _keep_mask(input: Any, shape: tuple[int, ...], p: float) -> Any:
    """True with probability 1 - p; PyTorch draws nothing to drop everything."""
    mask = np.zeros(shape, np.bool_) if p == 1 else default_generator.keep_mask(shape, 1 - p)
    return wrap(to_device(mask, device_of(input._array)))


def _drop(input: Any, shape: tuple[int, ...], p: float, training: bool, in_place: bool) -> Any:
    """Dropout with a mask of `shape`, which broadcasts to the input's."""
    _check_probability(p)
    if not training or p == 0 or not input._array.size:
        return input
    function = _masked_ if in_place else _masked
    return function(input, _keep_mask(input, shape, p), 0.0 if p == 1 else 1 / (1 - p))


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zeroes each element with probability `p` and scales the others by 1 / (1 - p); nothing unless `training`."""
    return _drop(input, shape_of(input), p, training, inplace)


def _per_channel(input: Any) -> tuple[int, ...]:
    """The mask's shape that keeps or drops whole channels of (batch, channels, ...)."""
    shape = shape_of(input)
    if len(shape) < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return (*shape[:2], *(1,) * (len(shape) - 2))


def _per_channel_alone(input: Any) -> tuple[int, ...]:
    """The same of (channels, ...), without a batch."""
    shape = shape_of(input)
    return (*shape[:1], *(1,) * (len(shape) - 1))


def _purpose(name: str, n: int) -> str:
    dimensions = "dimension" if n == 1 else "dimensions"
    return (
        f"Note that {name} exists to provide channel-wise dropout on inputs with {n} spatial {dimensions}, a channel "
        f"dimension, and an optional batch dimension (i.e. {n + 1}D or {n + 2}D inputs)."
    )


def _warn_dimensions(name: str, n: int, ndim: int) -> None:
    warnings.warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an error in a future "
        f"release. To retain the behavior and silence this warning, please use dropout instead. {_purpose(name, n)}",
        stacklevel=3,
    )


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zeroes whole channels of (batch, channels, length) or (channels, length)."""
    _check_probability(p)
    ndim = len(shape_of(input))
    if ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {ndim}D input. {_purpose('dropout1d', 1)}"
        )
    return _drop(input, _per_channel(input) if ndim == 3 else _per_channel_alone(input), p, training, inplace)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zeroes whole channels of (batch, channels, height, width).

    Three dimensions are, with a warning, read as (batch, channels, length), as PyTorch does.
    """
    _check_probability(p)
    ndim = len(shape_of(input))
    if ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a "
            "future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain "
            "the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=2,
        )
    elif ndim != 4:
        _warn_dimensions("dropout2d", 2, ndim)
    return _drop(input, _per_channel(input), p, training, inplace)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zeroes whole channels of (batch, channels, depth, height, width) or (channels, depth, height, width)."""
    _check_probability(p)
    ndim = len(shape_of(input))
    if ndim not in (4, 5):
        _warn_dimensions("dropout3d", 3, ndim)
    return _drop(input, _per_channel_alone(input) if ndim == 4 else _per_channel(input), p, training, inplace)


#: The value that SELU approaches for very negative input, minus its scale times its alpha.
_SATURATION = -1.7580993408473766


@op(name="AddBackward0", input=lambda g, mask, a: _masked(g, mask, a))
def _alpha_masked(input, mask, a, dropped, b):
    return (input * mask + (~mask) * dropped) * a + b


_alpha_masked_ = inplace(_alpha_masked)


def _alpha_drop(input: Any, shape: tuple[int, ...], p: float, training: bool, in_place: bool) -> Any:
    _check_probability(p)
    if not training or p == 0 or not input._array.size:
        return input
    function = _alpha_masked_ if in_place else _alpha_masked
    if p == 1:
        return (_masked_ if in_place else _masked)(input, _keep_mask(input, shape, p), 0.0)
    a = 1 / math.sqrt((1 - p) * (1 + p * _SATURATION * _SATURATION))
    dtype = input._array.dtype.type
    return function(input, _keep_mask(input, shape, p), a, dtype(_SATURATION), -a * _SATURATION * p)


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout that keeps the mean and variance of SELU's outputs (Klambauer et al., arXiv:1706.02515)."""
    return _alpha_drop(input, shape_of(input), p, training, inplace)


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Alpha dropout of whole channels of (batch, channels, ...)."""
    return _alpha_drop(input, _per_channel(input), p, training, inplace)
