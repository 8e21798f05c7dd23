"""Turns the errors of array modules into PyTorch's: same exception type, same substance, naming what came."""

from __future__ import annotations

import re
from typing import Any, NoReturn

import numpy as np

from .. import backend
from .variable import Variable


def reraise(op: Any, args: list, error: Exception) -> NoReturn:
    """Raises PyTorch's error for what an operator's plain function raised, or `error` itself if it is that already."""
    better = _not_a_tensor(op, args, error) or _explain(op.public_name, list(_tensors(args)), error)
    if better is None:
        raise error
    raise better from None


def _not_a_tensor(op: Any, args: list, error: Exception) -> TypeError | None:
    """The plain function asked an argument for an array's attribute (`shape`, ...) that it does not have."""
    if not isinstance(error, AttributeError) or error.name is None:
        return None
    for position, (name, value) in enumerate(zip(op.names, args, strict=False), 1):
        if value is error.obj and not isinstance(value, Variable):
            kind = type(value).__name__
            return TypeError(f"{op.public_name}(): argument '{name}' (position {position}) must be Tensor, not {kind}")
    return None


def _tensors(args: Any) -> Any:
    for value in args:
        if isinstance(value, Variable):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _tensors(value)


def _explain(name: str, tensors: list[Variable], error: Exception) -> Exception | None:
    places = {str(backend.device_of(t._array)): None for t in tensors}
    if len(places) > 1:
        return RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, {' and '.join(places)}! "
            f"(when calling {name})"
        )
    if isinstance(error, np.exceptions.AxisError):
        return dimension_error(error.axis or 0, error.ndim or 0)
    if isinstance(error, IndexError):
        return _index_error(tensors, str(error))
    if isinstance(error, ValueError):
        return _broadcast_error(tensors) or RuntimeError(f"{name}(): {error}")
    if isinstance(error, TypeError) and "ufunc" in str(error):
        kinds = ", ".join(str(t._array.dtype) for t in tensors)
        return NotImplementedError(f'"{name}" not implemented for {kinds}')
    return None


def _index_error(tensors: list[Variable], text: str) -> IndexError | None:
    """NumPy's errors for an index out of bounds, or for too many of them, in PyTorch's words."""
    if "out of bounds for axis" in text:
        return IndexError(text.replace("for axis", "for dimension"))
    if text.startswith("too many indices"):
        ndim = tensors[0]._array.ndim if tensors else 0
        if ndim == 0:
            return IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                "convert a 0-dim tensor to a number"
            )
        return IndexError(f"too many indices for tensor of dimension {ndim}")
    if text.startswith("shape mismatch: indexing arrays"):
        shapes = ", ".join(str([int(n) for n in shape.split(",") if n]) for shape in re.findall(r"\(([\d,]*)\)", text))
        return IndexError(f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}")
    return None


def dimension_error(dim: int, ndim: int) -> IndexError:
    """PyTorch's error for a dimension that a tensor does not have."""
    low, high = (-ndim, ndim - 1) if ndim else (-1, 0)
    return IndexError(f"Dimension out of range (expected to be in range of [{low}, {high}], but got {dim})")


def _broadcast_error(tensors: list[Variable]) -> RuntimeError | None:
    """The first pair of shapes that do not broadcast, as PyTorch tells it."""
    for position, first in enumerate(tensors):
        for second in tensors[position + 1 :]:
            a, b = first._array.shape, second._array.shape
            for back in range(1, min(len(a), len(b)) + 1):
                if a[-back] != b[-back] and 1 not in (a[-back], b[-back]):
                    dim = max(len(a), len(b)) - back
                    return RuntimeError(
                        f"The size of tensor a ({a[-back]}) must match the size of tensor b ({b[-back]}) at "
                        f"non-singleton dimension {dim}"
                    )
    return None
