"""Writing files so that a crash leaves the old one or the new one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of ``path`` at the end of the block; after an error it is gone.

    OSError when the folder is missing or read-only or the disk is full.
    """
    temporary = path.with_name(path.name + ".tmp")  # always the same name: what a killed run left is written over
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Replace the file ``path`` by ``text``, all of it or nothing."""
    with replacing(path) as file:
        file.write(text.encode("utf-8"))
