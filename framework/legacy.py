"""Older ways to make tensors: `Tensor(2, 3)`, `FloatTensor([1, 2])`, `range`, and memory given from outside."""

from __future__ import annotations

import builtins
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import dtypes
from .creation import empty, from_numpy, full
from .size import Size
from .tensor import TYPES, Tensor


def construct(dtype: dtypes.dtype, args: tuple) -> Tensor:
    """What `FloatTensor(*args)` makes: nothing, a size (uninitialised), data, or another name for a tensor."""
    from .creation import tensor

    if len(args) == 1 and isinstance(args[0], Tensor):
        if args[0].dtype is not dtype:
            raise TypeError(f"expected {dtype} (got {args[0].dtype})")
        return args[0].detach()
    if len(args) == 1 and isinstance(args[0], (Sequence, np.ndarray)) and not isinstance(args[0], (Size, str)):
        return tensor(args[0], dtype=dtype)
    size = args[0] if len(args) == 1 and isinstance(args[0], Size) else args
    for value in size:
        if not hasattr(value, "__index__"):
            raise TypeError(f"new(): data must be a sequence (got {type(value).__name__})")
    return empty(tuple(size) or (0,), dtype=dtype)


class _ByType(type):
    """The class of FloatTensor, ...: an instance is any tensor of the CPU with elements of the type."""

    dtype: dtypes.dtype

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype and instance.is_cpu

    def __call__(cls, *args: Any) -> Tensor:
        return construct(cls.dtype, args)

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


def _named(name: str) -> Any:
    return _ByType(name, (), {"dtype": TYPES[name], "__doc__": f"Tensors of {TYPES[name].name} on the CPU."})


FloatTensor, DoubleTensor, HalfTensor = _named("FloatTensor"), _named("DoubleTensor"), _named("HalfTensor")
BFloat16Tensor, LongTensor, IntTensor = _named("BFloat16Tensor"), _named("LongTensor"), _named("IntTensor")
ShortTensor, CharTensor, ByteTensor = _named("ShortTensor"), _named("CharTensor"), _named("ByteTensor")
BoolTensor = _named("BoolTensor")


def set_default_tensor_type(t: Any) -> None:
    """Sets the default floating type by a tensor type such as `FloatTensor`, or its name `"torch.FloatTensor"`."""
    kind = TYPES.get(t.removeprefix("torch.")) if isinstance(t, str) else getattr(t, "dtype", None)
    if not isinstance(kind, dtypes.dtype):
        raise TypeError(f"invalid type object: {t}")
    dtypes.set_default_dtype(kind)


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **_: Any) -> Tensor:
    """A number as a tensor of no dimension, of the default type unless told otherwise."""
    dtype = dtype or dtypes.get_default_dtype()
    return full((), s, dtype=dtype, device=device, requires_grad=requires_grad)


def range(start: Any, end: Any = None, step: Any = 1, **options: Any) -> Tensor:
    """The numbers from `start` (0 unless given) to `end`, which is among them, `step` apart. Use `arange` instead."""
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
        "Python's range builtin. Instead, use torch.arange, which produces values in [start, end).",
        UserWarning,
        stacklevel=2,
    )
    if end is None:
        start, end = 0, start
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    count = math.floor((end - start) / step) + 1
    kind = options.pop("dtype", None) or dtypes.get_default_dtype()
    made = from_numpy(start + step * np.arange(count)).to(kind)
    requires_grad = options.pop("requires_grad", False)
    device = options.pop("device", None)
    return (made if device is None else made.to(device)).requires_grad_(requires_grad)


def empty_strided(size: Sequence[int], stride: Sequence[int], **options: Any) -> Tensor:
    """Uninitialised memory of a size, with the distances between neighbours given."""
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides ({len(stride)})"
        )
    last = sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if 0 not in size else -1
    requires_grad = options.pop("requires_grad", False)
    return empty(last + 1, **options).as_strided(tuple(size), tuple(stride)).detach().requires_grad_(requires_grad)


def empty_permuted(size: Sequence[int], physical_layout: Sequence[int], **options: Any) -> Tensor:
    """Uninitialised memory of a size whose dimensions lie in memory in the order of `physical_layout`."""
    if sorted(physical_layout) != list(builtins.range(len(size))):
        raise RuntimeError("Duplicate or missing dim in physical_layout of empty_permuted")
    requires_grad = options.pop("requires_grad", False)
    made = empty([size[d] for d in physical_layout], **options)
    back = [list(physical_layout).index(d) for d in builtins.range(len(size))]
    return made.permute(back).detach().requires_grad_(requires_grad)


def frombuffer(
    buffer: Any, *, dtype: dtypes.dtype, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A tensor of one dimension on the memory of an object with Python's buffer interface."""
    size = memoryview(buffer).nbytes
    if size == 0 or count == 0:
        raise ValueError(f"both buffer length ({size}) and count ({count}) must not be 0")
    if not 0 <= offset < size:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({size} bytes) - 1"
        )
    if count < 0 and (size - offset) % dtype.itemsize:
        raise ValueError(
            f"buffer length ({size - offset} bytes) after offset ({offset} bytes) must be a multiple of element size "
            f"({dtype.itemsize})"
        )
    if count > 0 and offset + count * dtype.itemsize > size:
        raise ValueError(
            f"requested buffer length ({count} * {dtype.itemsize} bytes) after offset ({offset} bytes) must not be "
            f"greater than actual buffer length ({size} bytes)"
        )
    return from_numpy(np.frombuffer(buffer, dtype.numpy, count, offset)).requires_grad_(requires_grad)
