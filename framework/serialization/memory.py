"""Which memory saved tensors lie in: views of one array share one record of the file, as in PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from .. import backend, dtypes
from .format import UNTYPED


class Place(NamedTuple):
    """Where a tensor's elements are: `numel` counts elements of the storage's type, `offset` and `strides` the
    tensor's own (they differ for the types that are stored as plain bytes)."""

    key: str
    numel: int
    offset: int
    strides: tuple[int, ...]


class _Block(NamedTuple):
    owner: Any  # kept alive, for its id is the block's key
    flat: Any
    kind: dtypes.dtype

    @property
    def numel(self) -> int:
        return self.flat.nbytes // self.kind.itemsize


class Memory:
    """The blocks of memory that the saved tensors lie in, each once."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._index: dict[int, int] = {}

    def place(self, array: Any) -> Place:
        """Where `array` is, entering all of the memory that it is a view of.

        An array that PyTorch could not describe (negative strides, gaps, foreign byte order) is copied first.
        RuntimeError if a tensor of another type lies in the same memory.
        """
        kind = dtypes.from_numpy(array.dtype)
        owner = _owner(array)
        flat = _in_memory_order(owner)
        if flat is None or not _describable(array, flat):
            owner = array = array.astype(kind.numpy, order="C", copy=True)
            flat = owner.reshape(-1)
        index = self._index.setdefault(id(owner), len(self._blocks))
        if index == len(self._blocks):
            self._blocks.append(_Block(owner, flat, dtypes.uint8 if kind in UNTYPED else kind))
        block = self._blocks[index]
        if block.kind is not kind and not (block.kind is dtypes.uint8 and kind in UNTYPED):
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different types "
                f"({block.kind} and {kind})"
            )
        width = array.itemsize
        offset = (backend.pointer(array) - backend.pointer(flat)) // width if array.size else 0
        return Place(str(index), block.numel, offset, tuple(s // width for s in array.strides))

    def records(self) -> Iterator[np.ndarray]:
        """The bytes of each block, on the host, in the order of the keys."""
        for block in self._blocks:
            yield backend.to_host(block.flat).view(np.uint8)[: block.numel * block.kind.itemsize]


def _owner(array: Any) -> Any:
    """The array that owns the memory of `array`: the last one along its chain of bases."""
    owner, link = array, array.base
    while link is not None:
        if isinstance(link, tuple(backend.ARRAY_TYPES)):
            owner = link
        link = getattr(link, "base", None)
    return owner


def _in_memory_order(owner: Any) -> Any:
    """A 1-D view of all elements in the order of their addresses; None if they have gaps or overlap."""
    order = sorted(range(owner.ndim), key=lambda axis: -owner.strides[axis])
    ordered = owner.transpose(order)
    return ordered.reshape(-1) if ordered.flags.c_contiguous else None


def _describable(array: Any, flat: Any) -> bool:
    """Whether `array` is the memory of `flat` seen with an offset and strides of whole elements, none negative."""
    width = array.itemsize
    if not array.dtype.isnative or any(stride < 0 or stride % width for stride in array.strides):
        return False
    if array.size == 0:
        return True
    start = backend.pointer(array) - backend.pointer(flat)
    last = start + sum((n - 1) * stride for n, stride in zip(array.shape, array.strides, strict=True))
    return start >= 0 and start % width == 0 and last + width <= flat.nbytes
