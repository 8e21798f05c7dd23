"""`save`: writes a checkpoint that PyTorch can read, all of it or nothing."""

from __future__ import annotations

import io
import os
import stat
from typing import Any

from .archive import write_archive
from .format import MAX_PICKLE_BYTES
from .memory import Memory
from .pickler import Pickler


def save(obj: Any, f: Any) -> None:
    """Write `obj` to `f`, a path or a binary file object, in PyTorch's zip format.

    `obj` can be a Tensor, Parameter, number, string, bytes, None, dtype, device, Size, or a dict, OrderedDict, Counter,
    list, tuple or set of them. Views write all of the memory they lie in, once, so that sharing survives; `clone()` a
    small view of a large tensor first. Gradients, hooks and attributes of tensors are not saved, and other Tensor
    subclasses become plain tensors.

    A path is written under a temporary name in the same folder, flushed to the disk, and renamed: a crash leaves the
    old file or the new one. TypeError, naming the place in `obj`, for anything else in it; RuntimeError if the folder
    does not exist. The file is not touched then.
    """
    memory = Memory()
    pickled = Pickler(memory).dump(obj)
    if len(pickled) > MAX_PICKLE_BYTES:
        raise ValueError(
            f"cannot save an object whose description without its tensors takes {len(pickled)} bytes, more than "
            f"{MAX_PICKLE_BYTES}: keep large lists of numbers in tensors"
        )
    if isinstance(f, (str, os.PathLike)):
        _save_to_path(os.path.realpath(os.fspath(f)), pickled, memory)  # a link stays a link
    elif isinstance(f, io.TextIOBase):
        raise TypeError("save() needs a file opened in binary mode ('wb'), got one in text mode")
    elif not hasattr(f, "write"):
        raise AttributeError(
            f"expected 'f' to be string, path, or a file-like object with a 'write' attribute, got {type(f).__name__}"
        )
    else:
        write_archive(f, "archive", pickled, memory.records())


def _save_to_path(path: Any, pickled: bytes, memory: Memory) -> None:
    path = os.fsdecode(path)
    parent, name = os.path.split(path)
    if not os.path.isdir(parent):
        raise RuntimeError(f"Parent directory {parent} does not exist.")
    stem = os.path.splitext(name)[0]
    folder = stem if stem.isascii() and stem.isprintable() else "archive"
    replaces = os.path.exists(path)
    if replaces and not os.path.isfile(path):  # a directory (an error), a device, a pipe: nothing to rename over
        with open(path, "wb") as file:
            write_archive(file, folder, pickled, memory.records())
        return
    temporary = os.path.join(parent, f".{os.urandom(8).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            write_archive(file, folder, pickled, memory.records())
            file.flush()
            os.fsync(file.fileno())
        if replaces:
            os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
