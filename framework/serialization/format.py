"""What writing and reading agree on: the names of the storage types, the size of a pickle, what can be a dict's key."""

from __future__ import annotations

import types
from typing import Any

from .. import dtypes
from ..backend import device
from ..dtypes import dtype
from ..size import Size

#: The element type behind each storage class of PyTorch. The name, not the tensor, carries the type in a file.
STORAGE_TYPES: dict[str, dtype] = {
    "FloatStorage": dtypes.float32,
    "DoubleStorage": dtypes.float64,
    "HalfStorage": dtypes.float16,
    "BFloat16Storage": dtypes.bfloat16,
    "LongStorage": dtypes.int64,
    "IntStorage": dtypes.int32,
    "ShortStorage": dtypes.int16,
    "CharStorage": dtypes.int8,
    "ByteStorage": dtypes.uint8,
    "BoolStorage": dtypes.bool,
    "ComplexFloatStorage": dtypes.complex64,
    "ComplexDoubleStorage": dtypes.complex128,
}
#: Types that came after the storage classes: stored as plain bytes, and the tensor carries the type.
UNTYPED = (dtypes.uint16, dtypes.uint32, dtypes.uint64)

#: The longest description of an object (without its tensors' elements) that is written or read. Far above any real
#: checkpoint; it bounds the memory a hostile one can take, for a byte of pickle makes up to some 200 bytes of objects.
MAX_PICKLE_BYTES = 64 * 2**20

_ATOMS = frozenset({str, bytes, float, bool, types.NoneType, dtype, device})
_MAX_KEY_PARTS = 64


def is_plain_key(key: Any) -> bool:
    """Whether `key` can be a dict's key or a set's item in a checkpoint: a string, bytes, number, None, dtype, device,
    or a tuple of at most 64 of them.

    A tuple is walked before it is hashed: nested twice into itself 60 times it has few bytes and 2^60 items.
    """
    pending, parts = [key], 0
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind is tuple or kind is Size:
            parts += len(item)
            if parts > _MAX_KEY_PARTS:
                return False
            pending.extend(item)
        elif kind is int:
            if not -(2**63) <= item < 2**64:
                return False
        elif kind not in _ATOMS:
            return False
    return True
