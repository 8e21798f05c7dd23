"""`load`: reads a checkpoint, PyTorch's or ours, without running anything that is in it."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from pickle import UnpicklingError
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import device, to_device
from .archive import SIGNATURE, ArchiveReader
from .format import MAX_PICKLE_BYTES
from .legacy import START, LegacyReader
from .location import MapLocation, placement
from .rebuild import find_global
from .storage import Storage, StorageType, as_elements, parse_storage_id
from .unpickler import Unpickler


def load(
    f: Any, map_location: MapLocation = None, *, weights_only: bool | None = True, mmap: bool | None = None
) -> Any:
    """The object that `save` of this framework or of PyTorch wrote to `f`, a path or a seekable binary file object.

    Tensors go to the device they were saved from, or to `map_location`: a device for all of them, or a dict from old to
    new device names. Tensors that shared memory share it again. `mmap` is accepted and ignored: a file is always read.

    Nothing in the file is run, and its sizes are checked before memory is taken for them. `weights_only=False`, which
    in PyTorch allows files to run code, is refused with a RuntimeError.

    Raises FileNotFoundError; RuntimeError for a file that is damaged, truncated or no checkpoint, or for a device that
    is not there; pickle.UnpicklingError for a pickle that is unsound or refers to more than tensors and plain data.
    """
    if weights_only is False:
        raise RuntimeError("weights_only=False is refused: it would run whatever program the file contains")
    place = placement(map_location)
    with _opened(f) as (file, name):
        try:
            return _read(file, place)
        except UnpicklingError as error:
            raise UnpicklingError(f"cannot load {name}: {error}") from error
        except RuntimeError as error:
            raise RuntimeError(f"cannot load {name}: {error}") from error


@contextlib.contextmanager
def _opened(f: Any) -> Iterator[tuple[Any, str]]:
    """A binary file object for `f`, and its name for messages."""
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            yield file, repr(os.fspath(f))
        return
    if isinstance(f, io.TextIOBase):
        raise TypeError("load() needs a file opened in binary mode ('rb'), got one in text mode")
    if not all(hasattr(f, name) for name in ("read", "seek", "tell")):
        raise AttributeError(
            f"load() needs a path or a file that can be read and seeked, got {type(f).__name__}: read it into an "
            "io.BytesIO first"
        )
    named = getattr(f, "name", None)
    yield f, repr(named) if isinstance(named, str) else f"<{type(f).__name__}>"


def _read(file: Any, place: Callable[[str], device]) -> Any:
    begin = file.tell()
    head = file.read(512)
    file.seek(begin)
    if head.startswith(SIGNATURE):
        return _read_archive(ArchiveReader(file), place)
    if head.startswith(START):
        return LegacyReader(file, place).load()
    if not head:
        raise RuntimeError("it is empty")
    if head[257:262] == b"ustar":
        raise RuntimeError("it is a tar archive, PyTorch's format before 0.1.10, which cannot be read")
    if head.startswith(b"\x80"):
        raise RuntimeError("it is a pickle, but not one that torch.save wrote")
    raise RuntimeError(f"it is no checkpoint: it begins with {head[:8]!r}, neither a zip archive nor the legacy format")


def _read_archive(archive: ArchiveReader, place: Callable[[str], device]) -> Any:
    swap = archive.big_endian != (sys.byteorder == "big")
    storages: dict[str, tuple[StorageType, int, Storage]] = {}

    def persistent_load(saved_id: Any) -> Storage:
        kind, key, location, numel = parse_storage_id(saved_id, 5)
        if key in storages:
            known, known_numel, storage = storages[key]
            if (known.dtype, known_numel) != (kind.dtype, numel):
                raise UnpicklingError(f"storage {key!a} has two types or sizes")
            return storage
        storage = Storage(to_device(_read_storage(archive, kind, key, numel, swap), place(location)))
        storages[key] = kind, numel, storage
        return storage

    pickled = archive.read("data.pkl", limit=MAX_PICKLE_BYTES)
    return Unpickler(pickled, find_global, persistent_load).load()


def _read_storage(archive: ArchiveReader, kind: StorageType, key: str, numel: int, swap: bool) -> np.ndarray:
    record, needed = f"data/{key}", numel * kind.dtype.itemsize
    if archive.size(record) != needed:
        raise RuntimeError(
            f"its record {record!a} has {archive.size(record)} bytes, but {numel} elements of {kind.dtype} need "
            f"{needed}"
        )
    if swap and kind.dtype is dtypes.uint8 and kind.name == "UntypedStorage":
        raise RuntimeError("it has integers of a type that cannot be read from the other byte order")
    raw = np.empty(needed, np.uint8)
    archive.read_into(record, raw)
    return as_elements(raw, kind.dtype, swap)
