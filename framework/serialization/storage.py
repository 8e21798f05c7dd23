"""The memory behind loaded tensors: how a file names it, and its bytes as elements."""

from __future__ import annotations

from pickle import UnpicklingError
from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import dtype
from .unpickler import Ingredient


class StorageType(Ingredient):
    """A storage class named in a pickle, and the type of its elements."""

    def __init__(self, name: str, dtype: dtype) -> None:
        self.name = name
        self.dtype = dtype


class Storage(Ingredient):
    """Memory that tensors lie in: a 1-D array on its device."""

    def __init__(self, array: Any) -> None:
        self.array = array


def parse_storage_id(saved_id: Any, length: int) -> tuple[StorageType, str, str, int]:
    """The type, key, location and element count of a persistent id with `length` items."""
    if type(saved_id) is not tuple or len(saved_id) != length:
        raise UnpicklingError("a persistent id does not name a storage")
    tag, kind, key, location, numel = saved_id[:5]
    if type(tag) is not str or tag != "storage":
        raise UnpicklingError("a persistent id does not name a storage")
    if type(kind) is not StorageType or type(key) is not str or type(location) is not str or not is_length(numel):
        raise UnpicklingError("a storage has a malformed type, key, location or size")
    return kind, key, location, numel


def is_length(value: Any) -> bool:
    """Whether `value` is an int, no bool, that can count elements."""
    return type(value) is int and 0 <= value < 2**63


def as_elements(raw: np.ndarray, kind: dtype, swap: bool = False) -> np.ndarray:
    """Bytes as elements of a type, in place; with `swap`, from the other byte order."""
    if kind is dtypes.bool:
        return raw != 0  # a byte of 2 as a bool makes NumPy miscount, and write outside an array
    width = kind.itemsize // (2 if kind.is_complex else 1)
    if swap and width > 1:
        raw.view(f"u{width}").byteswap(inplace=True)
    return raw.view(kind.numpy)
