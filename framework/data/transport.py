"""Messages between the training process and its workers: pickles whose array data travels beside them.

Pickle protocol 5 hands out the memory of arrays instead of copying it into the pickle. A small message goes through
the pipe. A large one goes, where the system has them, through an anonymous memory file whose descriptor is passed
along: the sender then never waits for the receiver, no name can be left behind in /dev/shm, and /dev/shm need not be
large. The memory is freed when the last process closes the file, however that process ends.
"""

import os
import pickle
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

PIPE_LIMIT = 64 * 1024  # bytes; about what a pipe takes before the writer has to wait for the reader
ALIGNMENT = 64  # bytes; where arrays may start: a multiple of every item size, and a cache line


def send(connection: Connection, message: Any) -> None:
    """Send one object. A pickling error leaves the connection as it was; OSError means that the other end is gone."""
    arrays: list[memoryview] = []
    pickled = pickle.dumps(message, protocol=5, buffer_callback=lambda buffer: arrays.append(buffer.raw()))
    parts = [memoryview(pickled), *arrays]
    sizes = [part.nbytes for part in parts]
    file = _write_memory_file(parts) if sum(sizes) > PIPE_LIMIT else None
    connection.send((sizes, file is not None))
    if file is None:
        for part in parts:
            connection.send_bytes(part)
        return
    try:
        reduction.send_handle(connection, file, None)
    finally:
        os.close(file)


def receive(connection: Connection) -> Any:
    """The next object. Raises EOFError or OSError when the other end is gone."""
    sizes, in_file = connection.recv()
    if in_file:
        file = reduction.recv_handle(connection)
        try:
            parts = _read_memory_file(file, sizes)
        finally:
            os.close(file)
    else:
        parts = [_read_part(connection, size) for size in sizes]
    return pickle.loads(parts[0], buffers=parts[1:])


def _read_part(connection: Connection, size: int) -> memoryview:
    part = np.empty(size, np.uint8).data
    connection.recv_bytes_into(part)
    return part


def _padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _write_memory_file(parts: list[memoryview]) -> int | None:
    """A descriptor of an anonymous file with these parts; None where the system has no such file to give."""
    if not hasattr(os, "memfd_create"):
        return None
    try:
        file = os.memfd_create("dataloader-batch")
    except OSError:
        return None
    try:
        offset = 0
        for part in parts:
            written = 0
            while written < part.nbytes:  # one call writes at most 2 GiB
                written += os.pwrite(file, part[written:], offset + written)
            offset += _padded(part.nbytes)
    except OSError:  # no memory left for it: the pipe needs none
        os.close(file)
        return None
    return file


def _read_memory_file(file: int, sizes: list[int]) -> list[memoryview]:
    """Copy the parts out: mapping the file instead would hold a descriptor for as long as the batch lives."""
    memory = np.empty(sum(map(_padded, sizes)), np.uint8).data
    parts, offset = [], 0
    for size in sizes:
        part = memory[offset : offset + size]
        done = 0
        while done < size:
            done += os.preadv(file, [part[done:]], offset + done)
        parts.append(part)
        offset += _padded(size)
    return parts
