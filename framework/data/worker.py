"""The worker process of a DataLoader: it fetches batches for the training process, which started it."""

import contextlib
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..random import default_generator
from ..threads import set_num_threads
from . import transport
from .dataset import Dataset
from .fetch import StreamFetch, make_fetch
from .worker_info import WorkerInfo, set_worker_info

PARENT_CHECK_INTERVAL = 2.0  # seconds between looks at whether the training process is still there
EXIT_GRACE = 5.0  # seconds that a worker may go on with a batch which nobody waits for any more


@dataclass
class Job:
    """What a worker is started with."""

    worker_id: int
    num_workers: int
    base_seed: int
    dataset: Dataset
    auto_collation: bool
    collate_fn: Callable
    drop_last: bool
    init_fn: Callable[[int], None] | None


class BeginPass(NamedTuple):
    """To a worker: a pass over the data begins. `dataset_epochs` as from `dataset_epochs()`, or None to keep them."""

    dataset_epochs: list[int] | None


class Task(NamedTuple):
    """To a worker: fetch what one item of the index sampler stands for."""

    pass_number: int
    number: int
    index: Any


class Result(NamedTuple):
    """From a worker: the batch of a task, a StreamEnd, or a WorkerFailure."""

    pass_number: int
    number: int
    data: Any


class StreamEnd:
    """In place of a batch: this worker's copy of an IterableDataset has no more samples."""


class _Literal(str):
    """Text that KeyError prints as it is, rather than quoted on one line."""

    def __repr__(self) -> str:
        return str(self)


class WorkerFailure:
    """In place of a batch: an exception, as its type and its traceback's text."""

    def __init__(self, error: BaseException, worker_id: int) -> None:
        self.type = _importable(type(error))
        trace = "".join(traceback.format_exception(error))
        self.message = f"Caught {type(error).__name__} in DataLoader worker process {worker_id}.\nOriginal {trace}"

    def reraise(self) -> NoReturn:
        """Raise the exception here: of the same type, or RuntimeError where that type takes no lone message."""
        raise self._rebuild() from None

    def _rebuild(self) -> BaseException:
        message = _Literal(self.message) if issubclass(self.type, KeyError) else self.message
        try:
            return self.type(message)
        except Exception:
            return RuntimeError(message)


def _importable(error_type: type[BaseException]) -> type[BaseException]:
    """The type itself, or RuntimeError where the training process could not find it by its name."""
    found: Any = sys.modules.get(error_type.__module__)
    for name in error_type.__qualname__.split("."):
        found = getattr(found, name, None)
    return error_type if found is error_type else RuntimeError


def run_worker(connection: Connection, job: Job, inherited: list[Connection]) -> None:
    """The main function of a worker process.

    `inherited` are the training process's ends of its workers' pipes. A forked worker has them too, and closes
    them, so that a pipe breaks when the training process is gone.
    """
    for other in inherited:
        other.close()
    _set_signal_handlers()
    tasks: SimpleQueue = SimpleQueue()
    threading.Thread(target=_receive_tasks, args=(connection, tasks, os.getppid()), daemon=True).start()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # nobody is there to be told
        _Server(connection, job).serve(tasks)


def _set_signal_handlers() -> None:
    """Ctrl-C is for the training process to act on; a forked copy of its SIGTERM handler must not run here."""
    signal.signal(signal.SIGINT, _ignore_signal)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _ignore_signal(number: int, frame: Any) -> None:
    """Not SIG_IGN, which programs that a dataset starts would inherit."""


def _receive_tasks(connection: Connection, tasks: SimpleQueue, parent: int) -> None:
    """Queue what the training process sends, so that it never waits for a busy worker; end the process with it."""
    try:
        while True:
            while not connection.poll(PARENT_CHECK_INTERVAL):
                if os.getppid() != parent:
                    raise EOFError
            tasks.put(transport.receive(connection))
    except (EOFError, OSError):
        tasks.put(None)
        time.sleep(EXIT_GRACE)
    except Exception:  # a task that cannot be unpickled here
        traceback.print_exc()
    os._exit(1)


class _Server:
    """Answers tasks one after the other, in the main thread of the worker."""

    def __init__(self, connection: Connection, job: Job) -> None:
        self.connection = connection
        self.job = job
        self.fetch: Callable | None = None
        self.failure: WorkerFailure | None = None
        set_num_threads(1)  # the processes share the cores
        seed = seed_everything(job.base_seed, job.worker_id)
        set_worker_info(WorkerInfo(job.worker_id, job.num_workers, seed, job.dataset))
        if job.init_fn is not None:
            self._attempt(job.init_fn, job.worker_id)

    def serve(self, tasks: SimpleQueue) -> None:
        while (task := tasks.get()) is not None:
            if isinstance(task, BeginPass):
                self._attempt(self._begin_pass, task.dataset_epochs)
            else:
                self._reply(task, self._answer(task))

    def _attempt(self, action: Callable[[Any], None], argument: Any) -> None:
        """Do what all tasks depend on; if it fails, that is the answer to each of them."""
        if self.failure is None:
            try:
                action(argument)
            except Exception as error:
                self.failure = WorkerFailure(error, self.job.worker_id)

    def _begin_pass(self, epochs: list[int] | None) -> None:
        job = self.job
        if epochs is not None:
            for dataset, epoch in zip(_datasets_with_epoch(job.dataset), epochs, strict=True):
                dataset.set_epoch(epoch)
        self.fetch = make_fetch(job.dataset, job.auto_collation, job.collate_fn, job.drop_last)

    def _answer(self, task: Task) -> Any:
        if self.failure is not None:
            return self.failure
        try:
            return self.fetch(task.index)  # type: ignore[misc]
        except Exception as error:
            if isinstance(error, StopIteration) and isinstance(self.fetch, StreamFetch):
                return StreamEnd()
            return WorkerFailure(error, self.job.worker_id)

    def _reply(self, task: Task, data: Any) -> None:
        try:
            transport.send(self.connection, Result(task.pass_number, task.number, data))
        except OSError:
            raise
        except Exception as error:  # the batch cannot be pickled, and nothing has been sent
            failure = WorkerFailure(error, self.job.worker_id)
            transport.send(self.connection, Result(task.pass_number, task.number, failure))


def seed_everything(base_seed: int, worker_id: int) -> int:
    """Seed this framework's, Python's and NumPy's random numbers as PyTorch seeds a worker; returns the seed."""
    seed = base_seed + worker_id
    random.seed(seed)
    default_generator.manual_seed(seed)
    # NumPy and random use the same algorithm: mixing the seed keeps their numbers apart.
    entropy = (worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0)
    np.random.seed(np.random.SeedSequence(entropy).generate_state(4))
    return seed


def _datasets_with_epoch(dataset: Any) -> Iterator[Any]:
    """This dataset and those inside it (Subset, ConcatDataset, ...) that have `epoch` and `set_epoch`."""
    if hasattr(dataset, "epoch") and hasattr(dataset, "set_epoch"):
        yield dataset
    if hasattr(dataset, "dataset"):
        yield from _datasets_with_epoch(dataset.dataset)
    parts = getattr(dataset, "datasets", ())
    for part in parts.values() if isinstance(parts, dict) else parts:
        yield from _datasets_with_epoch(part)


def dataset_epochs(dataset: Any) -> list[int]:
    """The epochs of all datasets that have one, for a persistent worker's copies to follow."""
    return [part.epoch for part in _datasets_with_epoch(dataset)]
