"""Dropout: zeroing elements or whole channels at random while training (Srivastava et al., 2014)."""

from __future__ import annotations

import math
from typing import Any

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
    """True with probability 1 - p."""
    return wrap(to_device(default_generator.keep_mask(shape, p), device_of(input._array)))


def _drop(input: Any, shape: tuple[int, ...], p: float, training: bool, in_place: bool) -> Any:
    """Dropout with a mask of `shape`, which broadcasts to the input's."""
    _check_probability(p)
    if not training or p == 0:
        return input
    function = _masked_ if in_place else _masked
    return function(input, _keep_mask(input, shape, p), 0.0 if p == 1 else 1 / (1 - p))


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zeroes each element with probability `p` and scales the others by 1 / (1 - p); nothing unless `training`."""
    return _drop(input, shape_of(input), p, training, inplace)


def _per_channel(input: Any) -> tuple[int, ...]:
    """The mask's shape that keeps or drops whole channels of (batch, channels, ...)."""
    shape = shape_of(input)
    return (*shape[:2], *(1,) * (len(shape) - 2))


def _channel_dropout(name: str, n: int, input: Any, p: float, training: bool, inplace: bool) -> Any:
    """Drops channels of (batch, channels, n more) or of (channels, n more)."""
    _check_probability(p)
    shape = shape_of(input)
    if len(shape) not in (n + 1, n + 2):
        raise RuntimeError(
            f"{name}: Expected {n + 1}D or {n + 2}D input, but received a {len(shape)}D input. Note that {name} exists to "
            f"provide channel-wise dropout on inputs with {n} spatial dimension(s), a channel dimension, and an optional "
            "batch dimension."
        )
    alone = len(shape) == n + 1
    mask = (shape[0], *(1,) * n) if alone else _per_channel(input)
    return _drop(input, mask, p, training, inplace)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zeroes whole channels of (batch, channels, length) or (channels, length)."""
    return _channel_dropout("dropout1d", 1, input, p, training, inplace)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zeroes whole channels of (batch, channels, height, width) or (channels, height, width)."""
    _check_probability(p)
    shape = shape_of(input)
    if len(shape) == 3:  # PyTorch reads three dimensions as (batch, channels, length) here
        return _drop(input, _per_channel(input), p, training, inplace)
    return _channel_dropout("dropout2d", 2, input, p, training, inplace)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zeroes whole channels of (batch, channels, depth, height, width), or of one such volume."""
    return _channel_dropout("dropout3d", 3, input, p, training, inplace)


#: The value that SELU approaches for very negative input, minus its scale times its alpha.
_SATURATION = -1.7580993408473766


@op(name="AddBackward0", input=lambda g, mask, a: _masked(g, mask, a))
def _alpha_masked(input, mask, a, dropped, b):
    return (input * mask + (~mask) * dropped) * a + b


_alpha_masked_ = inplace(_alpha_masked)


def _alpha_drop(input: Any, shape: tuple[int, ...], p: float, training: bool, in_place: bool) -> Any:
    _check_probability(p)
    if not training or p == 0:
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
    if len(shape_of(input)) < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    return _alpha_drop(input, _per_channel(input), p, training, inplace)
