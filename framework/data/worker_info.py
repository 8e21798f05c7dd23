"""What a worker process knows about itself."""

from typing import Any, NamedTuple

__all__ = ["WorkerInfo", "get_worker_info"]


class WorkerInfo(NamedTuple):
    """This worker's number `id` of `num_workers`, its random `seed`, and its own copy of the `dataset`."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_current: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a DataLoader's worker process, what it is; elsewhere None."""
    return _current


def set_worker_info(info: WorkerInfo) -> None:
    """Called once, by a worker process that starts."""
    global _current
    _current = info
