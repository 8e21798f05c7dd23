"""Reads the format of PyTorch before 1.6: five pickles in a row, then the bytes of each storage."""

from __future__ import annotations

import os
import pickle
import struct
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

import numpy as np

from ..backend import device, to_device
from .format import MAX_PICKLE_BYTES
from .rebuild import find_global
from .storage import Storage, StorageType, as_elements, parse_storage_id
from .unpickler import Unpickler

PROTOCOL = 1001
#: What such a file begins with: a pickled number that PyTorch chose to tell its files.
START = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)

_CHUNK = 2**20


class _Pending:
    """A storage whose bytes follow after all pickles; tensors are made on its memory before."""

    def __init__(self, kind: StorageType, numel: int, where: device) -> None:
        self.kind = kind
        self.numel = numel
        self.storage = Storage(to_device(np.empty(numel, kind.dtype.numpy), where))
        self.where = where


class LegacyReader:
    """Reads one object from a file object, beginning at its position."""

    def __init__(self, file: Any, place: Callable[[str], device]) -> None:
        self._file = file
        self._place = place
        self._begin = file.tell()
        self._left = file.seek(0, os.SEEK_END) - self._begin
        file.seek(self._begin)
        self._storages: dict[str, _Pending] = {}

    def load(self) -> Any:
        """The object. UnpicklingError or RuntimeError, saying what is wrong, for a damaged or unsafe file."""
        head = self._file.read(min(self._left, MAX_PICKLE_BYTES))
        unpickler = Unpickler(head, find_global, self._persistent_load, len(START))
        protocol, system = unpickler.load(), unpickler.load()
        if type(protocol) is not int or protocol != PROTOCOL or type(system) is not dict:
            raise UnpicklingError("it has the legacy format's first number but not its second")
        if system.get("little_endian") is not True:
            raise RuntimeError("it was written on a big-endian machine in the legacy format, which cannot be read")
        result, keys = unpickler.load(), unpickler.load()
        known = self._storages
        if type(keys) is not list or len(keys) != len(known) or {k for k in keys if type(k) is str} != known.keys():
            raise UnpicklingError("its list of storages does not match the storages that its tensors use")
        self._file.seek(self._begin + unpickler.position)
        for key in keys:
            self._fill(known[key])
        return result

    def _persistent_load(self, saved_id: Any) -> Storage:
        kind, key, location, numel = parse_storage_id(saved_id, 6)
        view = saved_id[5]
        pending = self._storages.get(key)
        if pending is None:
            self._left -= numel * kind.dtype.itemsize
            if self._left < 0:  # before memory is taken for it
                raise UnpicklingError("its storages claim more bytes than the file has")
            pending = self._storages[key] = _Pending(kind, numel, self._place(location))
        elif (pending.kind, pending.numel) != (kind, numel):
            raise UnpicklingError("a storage has two types or sizes")
        return pending.storage if view is None else self._view(pending, view)

    def _view(self, pending: _Pending, view: Any) -> Storage:
        """A part of a storage that was a storage of its own: (its key, offset, size), in elements."""
        if type(view) is not tuple or [type(item) for item in view] != [str, int, int]:
            raise UnpicklingError("a view of a storage is malformed")
        _, offset, size = view
        if not 0 <= offset <= offset + size <= pending.numel:
            raise UnpicklingError("a view of a storage reaches outside it")
        return Storage(pending.storage.array[offset : offset + size])

    def _fill(self, pending: _Pending) -> None:
        numel = self._file.read(8)
        if len(numel) != 8 or struct.unpack("<q", numel)[0] != pending.numel:
            raise RuntimeError("it is truncated or damaged: a storage does not have the size its tensors need")
        raw = np.empty(pending.numel * pending.kind.dtype.itemsize, np.uint8)
        position = 0
        while position < raw.size:
            chunk = self._file.read(min(raw.size - position, _CHUNK))
            if not chunk:
                raise RuntimeError(f"it is truncated: {raw.size - position} bytes of a storage are missing")
            raw[position : position + len(chunk)] = np.frombuffer(chunk, np.uint8)
            position += len(chunk)
        pending.storage.array[...] = to_device(as_elements(raw, pending.kind.dtype), pending.where)
