"""How many threads the matrix products use."""

from __future__ import annotations

import os

_count: int | None = None  # None: not limited by us


def get_num_threads() -> int:
    """The number of threads that the BLAS library under NumPy uses: the number of usable cores unless it was set."""
    if _count is not None:
        return _count
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def set_num_threads(int: int) -> None:  # the argument's name is PyTorch's
    """Limits the threads of the BLAS library, for the whole process; RuntimeError unless positive."""
    global _count
    if not hasattr(int, "__index__"):
        raise TypeError(f"set_num_threads expects an int, but got {type(int).__name__}")
    count = int.__index__()
    if count < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=count, user_api="blas")
    _count = count
