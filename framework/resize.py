"""Methods that change what memory a tensor is on, or go through its elements with a Python function."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .backend import namespace
from .engine.variable import Variable, counter_of


def resize_(self: Any, *size: Any, memory_format: Any = None) -> Any:
    """Another size, in place: the elements stay in row-major order, and new ones are uninitialised."""
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    wanted = tuple(size[0]) if len(size) == 1 and not hasattr(size[0], "__index__") else size
    sizes = tuple(int(n) for n in wanted)
    if any(n < 0 for n in sizes):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(sizes)}: {list(sizes)}")
    array, count = self._array, math.prod(sizes)
    flat = array.reshape(-1)
    if count > flat.size:
        larger = namespace(array).empty(count, array.dtype)
        larger[: flat.size] = flat
        flat = larger
    self._array = flat[:count].reshape(sizes)
    counter_of(self)[0] += 1
    return self


def resize_as_(self: Any, the_template: Any, *, memory_format: Any = None) -> Any:
    """`resize_` to the size of another tensor."""
    return resize_(self, the_template._array.shape)


def set_(self: Any, source: Any = None) -> Any:
    """Makes the tensor another name for the memory of `source`, or for none."""
    if source is None:
        self._array = namespace(self._array).empty(0, self._array.dtype)
    elif not isinstance(source, Variable):
        raise TypeError(f"set_(): argument 'source' must be Tensor, not {type(source).__name__}")
    elif source._array.dtype != self._array.dtype:
        raise RuntimeError(f"Could not set tensor of type {source.dtype} to a tensor of type {self.dtype}")  # type: ignore[attr-defined]
    else:
        self._array = source._array
    counter_of(self)[0] += 1
    return self


def _written(self: Any, values: Any) -> Any:
    self._array[...] = np.reshape(np.array(list(values), dtype=self._array.dtype), self._array.shape)
    counter_of(self)[0] += 1
    return self


def _check_host(name: str, *tensors: Any) -> None:
    for tensor in tensors:
        if not tensor.is_cpu:
            raise TypeError(f"{name} is only implemented on CPU tensors")
        if tensor.requires_grad:
            raise RuntimeError(
                f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead."
            )


def apply_(self: Any, callable: Callable) -> Any:
    """Replaces each element by what a Python function gives for it; slow."""
    _check_host("apply_", self)
    return _written(self, (callable(value) for value in self._array.reshape(-1).tolist()))


def map_(self: Any, tensor: Any, callable: Callable) -> Any:
    """Replaces each element by what a Python function gives for it and that of another tensor; slow."""
    _check_host("map_", self, tensor)
    other = np.broadcast_to(tensor._array, self._array.shape)
    pairs = zip(self._array.reshape(-1).tolist(), other.reshape(-1).tolist(), strict=True)
    return _written(self, (callable(a, b) for a, b in pairs))
