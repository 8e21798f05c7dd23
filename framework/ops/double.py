"""Special functions are computed in float64 whatever the type of their arguments, and rounded once.

Series, recurrences and reflections lose digits on their way that float32 and the 16-bit types do not have to spare.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine.half import is_half

#: Elements worked on at a time, so that the many temporaries stay in the cache.
_BLOCK = 16384


def in_double(kernel: str, function: Callable, *operands: Any, half: bool = True) -> Any:
    """`function(xp, *operands)` on float64 arrays of any shapes that broadcast, in the type of the first array.

    Numbers among the operands stay numbers. Complex arrays, and 16-bit ones unless `half`, are refused as PyTorch
    refuses them: NotImplementedError, `"kernel" not implemented for 'Type'`. Operators that use this say
    `half="gradient"`: else the engine would hand them 16-bit floats in float32, and round twice.
    """
    arrays = [value for value in operands if hasattr(value, "dtype")]
    type_ = arrays[0].dtype
    if type_.kind not in "fV" or (not half and is_half(arrays[0])):
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtypes.scalar_type_name(type_)}'")
    xp = namespace(arrays[0])
    wide = [value.astype(np.float64) if hasattr(value, "dtype") else value for value in operands]
    if len(wide) == 1 and wide[0].size > _BLOCK:
        return _in_blocks(xp, function, wide[0]).astype(type_, copy=False)
    return xp.asarray(function(xp, *wide)).astype(type_, copy=False)


def _in_blocks(xp: Any, function: Callable, array: Any) -> Any:
    flat = array.reshape(-1)
    result = xp.empty(flat.shape, flat.dtype)
    for start in range(0, flat.size, _BLOCK):
        result[start : start + _BLOCK] = function(xp, flat[start : start + _BLOCK])
    return result.reshape(array.shape)


def horner(coefficients: Any, x: Any) -> Any:
    """The polynomial with these coefficients, highest power first."""
    result = x * coefficients[0]
    for c in coefficients[1:-1]:
        result = (result + c) * x
    return result + coefficients[-1]


def require_tensors(name: str, **operands: Any) -> None:
    """TypeError, as PyTorch's, for a number where only a tensor will do."""
    for position, (argument, value) in enumerate(operands.items(), 1):
        if not hasattr(value, "dtype"):
            raise TypeError(
                f"{name}(): argument '{argument}' (position {position}) must be Tensor, not {type(value).__name__}"
            )
