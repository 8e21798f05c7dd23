"""The arguments of ``Module.to``."""

from __future__ import annotations

from typing import Any

from ...backend import device as Device
from ...dtypes import dtype as Dtype
from ...tensor import Tensor


def parse_to(*args: Any, **kwargs: Any) -> tuple[Device | None, Dtype | None, bool]:
    """(device, dtype, non_blocking) from ``(device, dtype, non_blocking)``, ``(dtype, ...)`` or ``(tensor, ...)``.

    ``memory_format`` is accepted and means nothing: memory order is the framework's own affair.
    """
    kwargs.pop("memory_format", None)
    if args and isinstance(args[0], Tensor):
        args = (args[0].device, args[0].dtype, *args[1:])
    elif "tensor" in kwargs:
        other = kwargs.pop("tensor")
        args = (other.device, other.dtype)
    elif args and isinstance(args[0], Dtype):
        args = (None, *args)
    return _checked(*args, **kwargs)


def _checked(
    device: Any = None, dtype: Any = None, non_blocking: bool = False
) -> tuple[Device | None, Dtype | None, bool]:
    if dtype is not None and not isinstance(dtype, Dtype):
        raise TypeError(f"to() expected a dtype, such as torch.float32, but got {type(dtype).__name__} {dtype!r}")
    return (None if device is None else Device(device)), dtype, non_blocking
