"""Casting and moving between devices."""

from __future__ import annotations

import warnings
from typing import Any

from .. import backend, dtypes
from ..engine.op import op


@op(half="keep", name="ToCopyBackward0", input=lambda g: g)
def _cast(input, dtype):
    if input.dtype.kind == "c" and not dtype.is_complex:
        input = input.real
    return input.astype(dtype.numpy)


@op(half="keep", name="ToCopyBackward0", input=lambda g, source, target: _move(g, source, target))
def _move(input, target, source):
    return backend.to_device(input, target)


def cast(input: Any, dtype: dtypes.dtype) -> Any:
    """`input` as `dtype`: itself if it has it already, else a copy that gradients flow through."""
    if input.dtype is dtype:
        return input
    if input.dtype.is_complex and not dtype.is_complex and dtype is not dtypes.bool:
        warnings.warn("Casting complex values to real discards the imaginary part", UserWarning, stacklevel=3)
    return _cast(input, dtype)


def to(input: Any, *args: Any, **kwargs: Any) -> Any:
    """`to(device)`, `to(dtype)`, `to(device, dtype)`, `to(other)`: itself where nothing changes, else a copy.

    `copy=True` always copies. `non_blocking` and `memory_format` are accepted.
    """
    device, dtype, copy = _destination(args, kwargs)
    result = input
    if device is not None:
        target = backend.resolve(device)
        source = backend.device_of(input._array)
        if target != source:
            result = _move(result, target, source)
    if dtype is not None:
        result = cast(result, dtype)
    return result.clone() if copy and result is input else result


def _destination(args: tuple, kwargs: dict) -> tuple[Any, Any, bool]:
    kwargs = dict(kwargs)
    device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
    dtype = dtypes.PYTHON_TYPES.get(dtype, dtype)
    copy = kwargs.pop("copy", False)
    other = kwargs.pop("other", None)
    kwargs.pop("non_blocking", None)
    kwargs.pop("memory_format", None)
    if kwargs:
        raise TypeError(f"to() received an invalid combination of arguments - got an unexpected '{next(iter(kwargs))}'")
    for place, value in enumerate(args):
        if isinstance(value, (dtypes.dtype, type)):
            dtype = dtypes.PYTHON_TYPES.get(value, value)
        elif isinstance(value, (str, backend.device)) or (isinstance(value, int) and not isinstance(value, bool)):
            device = value
        elif hasattr(value, "_array"):
            other = value
        elif isinstance(value, bool):  # non_blocking, then copy
            copy = copy or (value and sum(isinstance(a, bool) for a in args[: place + 1]) == 2)
        elif value is not None:
            raise TypeError(f"to() received an invalid combination of arguments - got ({type(value).__name__})")
    if dtype is not None and not isinstance(dtype, dtypes.dtype):
        raise TypeError(f"to(): argument 'dtype' must be torch.dtype, not {dtype!r}")
    if other is not None:
        device, dtype = other.device, other.dtype
    return device, dtype, copy
