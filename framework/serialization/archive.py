"""The zip archive around a checkpoint: uncompressed records, each starting at a multiple of 64 bytes.

zipfile is imported where it is used: with its decompressors it takes as long as a third of `import framework` may.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import zipfile

#: What a zip archive begins with.
SIGNATURE = b"PK\x03\x04"
ALIGNMENT = 64
#: The version of the layout that is written, and the newest that is read, as PyTorch numbers them.
VERSION, NEWEST_VERSION = 3, 10

_CHUNK = 2**20
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ZIP64_FIELD = 20  # bytes that a local header grows by for a record whose size needs more than 32 bits
_ZIP64_FROM = 2**30
_ENCRYPTED = 0x1


# --- writing --------------------------------------------------------------------------------------------------------


class _Stream:
    """A file of which only `write` is used: whatever the caller passes then works, pipes and append mode included."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        while len(rest):
            written = self._file.write(rest)
            rest = rest[len(rest) if written is None else written :]
        return len(data)

    def flush(self) -> None:
        """Part of what zipfile expects of a file; the caller flushes once, at the end."""


def write_archive(file: Any, folder: str, pickled: bytes, storages: Iterable[np.ndarray]) -> None:
    """Write a checkpoint to a binary file object: the pickle and the storages' bytes, all records under `folder`."""
    import zipfile

    stream: Any = _Stream(file)
    with zipfile.ZipFile(stream, "w") as archive:
        _write_record(archive, f"{folder}/data.pkl", pickled)
        _write_record(archive, f"{folder}/byteorder", sys.byteorder.encode())
        for key, storage in enumerate(storages):
            _write_record(archive, f"{folder}/data/{key}", storage)
        _write_record(archive, f"{folder}/version", f"{VERSION}\n".encode())


def _write_record(archive: zipfile.ZipFile, name: str, data: Any) -> None:
    import zipfile

    info = zipfile.ZipInfo(name)  # dated 1980, so that equal contents make equal files
    info.file_size = len(data)
    zip64 = len(data) >= _ZIP64_FROM
    start = archive.fp.tell() + 30 + len(name.encode()) + 4 + (_ZIP64_FIELD if zip64 else 0)  # type: ignore[union-attr]
    padding = -start % ALIGNMENT
    info.extra = struct.pack("<2sH", b"FB", padding) + bytes(padding)
    with archive.open(info, "w", force_zip64=zip64) as record:
        for position in range(0, len(data), _CHUNK):
            record.write(data[position : position + _CHUNK])


# --- reading --------------------------------------------------------------------------------------------------------


class ArchiveReader:
    """The records of an archive, checked before any is read: uncompressed, and together no larger than the file.

    RuntimeError for anything else, and for a record whose checksum is wrong.
    """

    def __init__(self, file: Any) -> None:
        import zipfile

        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        try:
            with zipfile.ZipFile(file) as archive:
                records = archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error, EOFError) as error:
            raise RuntimeError(
                "it is truncated or damaged: it begins as a zip archive, but its table of contents cannot be read "
                f"({error})"
            ) from error
        self._records = {info.filename: info for info in records}
        if len(self._records) != len(records):
            raise RuntimeError("it has two records with the same name")
        for info in records:
            if info.flag_bits & _ENCRYPTED:
                raise RuntimeError(f"record {info.filename!r} is encrypted")
            if info.compress_type != zipfile.ZIP_STORED:
                raise RuntimeError(f"record {info.filename!r} is compressed; a checkpoint's records never are")
            if info.file_size != info.compress_size:
                raise RuntimeError(f"record {info.filename!r} is damaged: it has two different sizes")
        if sum(info.file_size for info in records) > self._size:
            raise RuntimeError("its records claim more bytes than the file has")
        # PyTorch can be told to write no checksums; they are then all 0.
        self._has_checksums = any(info.CRC for info in records)
        self._folder = self._find_folder()
        self._check_version()
        self.big_endian = self._find_byteorder() == b"big"

    def _find_folder(self) -> str:
        found = [name for name in self._records if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(found) != 1:
            raise RuntimeError("it is a zip archive but no checkpoint: it has no record data.pkl in its top folder")
        folder = found[0].removesuffix("data.pkl")
        if folder + "constants.pkl" in self._records:
            raise RuntimeError("it is a TorchScript archive, which holds a program; only checkpoints can be loaded")
        return folder

    def _check_version(self) -> None:
        text = self.read("version", limit=32).strip()
        if not text.isdigit():
            raise RuntimeError("its record 'version' is not a number")
        if int(text) > NEWEST_VERSION:
            raise RuntimeError(f"it has version {int(text)} of the format; the newest known is {NEWEST_VERSION}")

    def _find_byteorder(self) -> bytes:
        if "byteorder" not in self:
            return b"little"  # before PyTorch 2.1
        order = self.read("byteorder", limit=32)
        if order not in (b"little", b"big"):
            raise RuntimeError("its record 'byteorder' is neither 'little' nor 'big'")
        return order

    def __contains__(self, name: str) -> bool:
        return self._folder + name in self._records

    def size(self, name: str) -> int:
        """The bytes of a record; RuntimeError if there is none of this name."""
        try:
            return self._records[self._folder + name].file_size
        except KeyError:
            raise RuntimeError(f"it has no record {name!r}") from None

    def read(self, name: str, limit: int) -> bytes:
        """A whole record; RuntimeError if it is longer than `limit` bytes."""
        if self.size(name) > limit:
            raise RuntimeError(f"its record {name!r} has {self.size(name)} bytes; at most {limit} are read")
        return b"".join(self._chunks(name))

    def read_into(self, name: str, target: np.ndarray) -> None:
        """Fill a uint8 array of the record's size with its bytes."""
        position = 0
        for chunk in self._chunks(name):
            target[position : position + len(chunk)] = np.frombuffer(chunk, np.uint8)
            position += len(chunk)

    def _chunks(self, name: str) -> Iterator[bytes]:
        info = self._records[self._folder + name]
        self._file.seek(max(0, info.header_offset))  # a damaged table can give a negative one
        header = self._file.read(_LOCAL_HEADER.size)
        if len(header) != _LOCAL_HEADER.size or header[:4] != SIGNATURE:
            raise RuntimeError(f"its record {name!r} is damaged: it does not begin with a header")
        _, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        self._file.seek(name_length + extra_length, os.SEEK_CUR)
        checksum, left = 0, info.file_size
        while left:
            chunk = self._file.read(min(left, _CHUNK))
            if not chunk:
                raise RuntimeError(f"its record {name!r} is truncated: {left} of {info.file_size} bytes are missing")
            checksum = zlib.crc32(chunk, checksum)
            left -= len(chunk)
            yield chunk
        if self._has_checksums and checksum != info.CRC:
            raise RuntimeError(f"its record {name!r} is damaged: the checksum does not match")
