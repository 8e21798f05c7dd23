"""16-bit floats: stored in two bytes, computed with in four.

Sums of them lose their digits after a few hundred terms (and float16 overflows at 65504), chains of roundings lose
them sooner, and NumPy has no fast products for them and knows nothing of bfloat16. So operators compute in float32 and
round once, at the end, as PyTorch's do; so do their gradient formulas. `@op(half=...)` says which do:

    "wide"      the plain function and the formulas; the tensors must be of one type. Differentiable operators do so
                unless they say something else.
    "mixed"     the same, and float32 tensors may stand beside the 16-bit ones: the result has the first one's type.
    "gradient"  the formulas alone: the operator moves elements, its gradient sums them.
    "keep"      neither: elements are only moved, or the operator minds its types itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from .variable import Variable

_F32 = np.dtype(np.float32)
#: What `@op(half=...)` takes.
MODES = ("wide", "mixed", "gradient", "keep")


def is_half(array: Any) -> bool:
    """Whether an array holds float16 or bfloat16."""
    kind = array.dtype
    return kind.itemsize == 2 and kind.kind in "fV"  # bfloat16, which NumPy does not know, is a "V"


def widened(array: Any) -> Any:
    """The array, 16-bit floats as float32."""
    return array.astype(_F32) if is_half(array) else array


def narrowed(result: Any, array: Any) -> Any:
    """A floating result in the type of the 16-bit array it was computed from; of another array as it is."""
    return result.astype(array.dtype) if is_half(array) else result


def common_half(values: list, mixed: bool) -> Any:
    """The 16-bit type that all floating arrays among `values` (and lists in it) have; None if they have no such one.

    With `mixed` the first one decides alone.
    """
    found = None
    for value in values:
        for item in value if type(value) in (tuple, list) else (value,):
            kind = getattr(item, "dtype", None)
            if isinstance(kind, np.dtype) and kind.kind in "fcV":
                if found is None and is_half(item):
                    found = kind
                elif kind is not found and kind != found and not mixed:
                    return None
                if mixed:
                    return found
    return found


def _deep(value: Any, change: Any) -> Any:
    if type(value) in (tuple, list):
        return type(value)([_deep(v, change) for v in value])
    return change(value)


def _wide_value(value: Any) -> Any:
    if isinstance(value, Variable):
        return value.to(dtypes.float32) if is_half(value._array) else value  # type: ignore[attr-defined]
    return widened(value) if isinstance(getattr(value, "dtype", None), np.dtype) else value


def wide(values: Any) -> Any:
    """A list of anything, with the 16-bit arrays and Tensors in it (and in lists in it) as float32."""
    return _deep(values, _wide_value)


def narrow(result: Any, kind: Any) -> Any:
    """A plain function's result, or the several of a tuple, with float32 rounded to `kind`."""
    if isinstance(result, (tuple, list)):
        items = [narrow(r, kind) for r in result]
        return type(result)(*items) if hasattr(result, "_fields") else type(result)(items)
    return result.astype(kind) if getattr(result, "dtype", None) == _F32 else result


def rounded_once(function: Callable) -> Callable:
    """A function made of several operators that hands 16-bit tensors on in float32, and rounds its result alone."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        values = (*args, *kwargs.values())
        for value in values:
            if isinstance(value, Variable) and is_half(value._array):
                break
        else:
            return function(*args, **kwargs)
        kind = common_half([v._array for v in values if isinstance(v, Variable)], False)
        if kind is None:
            return function(*args, **kwargs)
        own = dtypes.from_numpy(kind)
        result = function(*[_wide_value(a) for a in args], **{k: _wide_value(v) for k, v in kwargs.items()})
        return result.to(own)

    return wrapper
