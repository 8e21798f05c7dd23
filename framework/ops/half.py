"""16-bit floats: stored in two bytes, computed with in four.

Sums of them lose their digits after a few hundred terms (and float16 overflows at 65504), and NumPy has no fast
products for them. So operators that add many numbers compute in float32 and round once, at the end, as PyTorch's do:

    wide = widened(input)
    return narrowed(wide.sum(), input)
"""

from __future__ import annotations

from typing import Any

import numpy as np


def is_half(array: Any) -> bool:
    """Whether an array holds float16 or bfloat16."""
    kind = array.dtype
    return kind.itemsize == 2 and kind.kind in "fV"  # bfloat16, which NumPy does not know, is a "V"


def widened(array: Any) -> Any:
    """The array, 16-bit floats as float32."""
    return array.astype(np.float32) if is_half(array) else array


def narrowed(result: Any, array: Any) -> Any:
    """A floating result in the type of the 16-bit array it was computed from; of another array as it is."""
    return result.astype(array.dtype) if is_half(array) else result
