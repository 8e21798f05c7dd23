"""Reusable working memory for optimizer steps."""

from __future__ import annotations

from typing import Any

from ..backend import device_of, namespace


class Scratch:
    """Arrays to compute in: one flat buffer per dtype, device and slot, as large as the largest request so far.

    Fresh memory costs about as much as the arithmetic on it; a step over many parameters reuses the same.
    """

    def __init__(self) -> None:
        self._buffers: dict[Any, Any] = {}

    def like(self, array: Any, slot: int = 0) -> Any:
        """An uninitialised array of ``array``'s shape and dtype; the next request for the same slot overwrites it."""
        key = (array.dtype, device_of(array), slot)
        buffer = self._buffers.get(key)
        if buffer is None or buffer.size < array.size:
            buffer = self._buffers[key] = namespace(array).empty(array.size, array.dtype)
        return buffer[: array.size].reshape(array.shape)
