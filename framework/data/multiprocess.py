"""One pass over a DataLoader by worker processes.

Each worker has a pipe of its own: no lock or queue is shared that a worker could take with it when it dies, and the
death of a worker shows at once as the end of its pipe. Batches are handed to the workers in turn, `prefetch_factor`
per worker ahead of their use, and returned in the order of the sampler.
"""

import contextlib
import itertools
import multiprocessing
import os
import signal
import time
import warnings
import weakref
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from typing import TYPE_CHECKING, Any, NoReturn

from . import transport
from .iterator import LoaderIterator
from .worker import EXIT_GRACE, BeginPass, Job, Result, StreamEnd, Task, WorkerFailure, dataset_epochs, run_worker

if TYPE_CHECKING:
    from .dataloader import DataLoader

LIVENESS_INTERVAL = 2.0  # seconds between looks at whether silent workers are still alive


def resolve_context(value: Any) -> BaseContext:
    """The multiprocessing context meant by a start method's name or by a context itself."""
    if isinstance(value, str):
        methods = multiprocessing.get_all_start_methods()
        if value not in methods:
            raise ValueError(
                f"multiprocessing_context option should specify a valid start method in {methods!r}, but got "
                f"multiprocessing_context={value!r}"
            )
        return multiprocessing.get_context(value)
    if not isinstance(value, BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context object or a string specifying the start "
            f"method, but got multiprocessing_context={value}"
        )
    return value


@dataclass
class Worker:
    """A worker process as the training process sees it."""

    id: int
    process: Any
    connection: Connection
    active: bool = True  # it may be given tasks: its stream has not ended
    unanswered: int = 0  # tasks that it has and has not replied to


class MultiProcessIterator(LoaderIterator):
    """Hands tasks to worker processes and collects their results."""

    def __init__(self, loader: "DataLoader") -> None:
        super().__init__(loader)
        self._prefetch_factor: int = loader.prefetch_factor  # type: ignore[assignment]
        self._timeout = loader.timeout or float("inf")
        self._in_order = loader.in_order
        self._persistent = loader.persistent_workers
        self._workers: list[Worker] = []
        self._pass_number = 0
        self._broken: str | None = None
        self._stop = weakref.finalize(self, _stop_workers, self._workers, os.getpid())
        try:
            self._start_workers(loader)
            self._begin_pass(None)
        except BaseException:
            self._stop()
            raise

    @property
    def closed(self) -> bool:
        """Whether the workers have been stopped."""
        return not self._stop.alive

    def restart(self, loader: "DataLoader") -> None:
        """Begin another pass with the same workers; what is left of the last one is dropped."""
        self._num_yielded = 0
        self._reported_length = loader._reported_length
        self._begin_pass(dataset_epochs(self._dataset))

    def _start_workers(self, loader: "DataLoader") -> None:
        context: Any = loader.multiprocessing_context or multiprocessing.get_context()
        for worker_id in range(loader.num_workers):
            ours, theirs = context.Pipe(duplex=True)
            job = Job(
                worker_id,
                loader.num_workers,
                self._base_seed,
                loader.dataset,
                loader._auto_collation,
                loader.collate_fn,
                loader.drop_last,
                loader.worker_init_fn,
            )
            inherited = [worker.connection for worker in self._workers] + [ours]
            if context.get_start_method() != "fork":
                inherited = []
            process = context.Process(target=run_worker, args=(theirs, job, inherited), daemon=True)
            try:
                _start(process)
            except Exception as error:
                error.add_note(
                    "The DataLoader could not start a worker process. Unless processes are forked, the dataset, "
                    "collate_fn and worker_init_fn are pickled, so they cannot be lambdas or local functions."
                )
                ours.close()
                raise
            finally:
                theirs.close()
            self._workers.append(Worker(worker_id, process, ours))

    def _begin_pass(self, epochs: list[int] | None) -> None:
        self._pass_number += 1
        self._indices = iter(self._index_sampler)
        self._tasks: dict[int, Worker] = {}  # tasks whose batches have not been returned, in their order
        self._results: dict[int, Any] = {}  # those of them that have been answered
        self._numbers = itertools.count()
        self._turns = itertools.cycle(self._workers)
        for worker in self._workers:
            worker.active, worker.unanswered = True, 0
            self._send(worker, BeginPass(epochs))
        for _ in range(self._prefetch_factor * len(self._workers)):
            self._hand_out_task()

    def _send(self, worker: Worker, message: Any) -> None:
        # A worker that is dead is noticed when its answer is waited for.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            transport.send(worker.connection, message)

    def _hand_out_task(self) -> None:
        worker = self._next_worker()
        if worker is None:
            return
        try:
            index = next(self._indices)
        except StopIteration:
            return
        number = next(self._numbers)
        self._tasks[number] = worker
        worker.unanswered += 1
        self._send(worker, Task(self._pass_number, number, index))

    def _next_worker(self) -> Worker | None:
        if not self._in_order:
            active = [worker for worker in self._workers if worker.active]
            return min(active, key=lambda worker: worker.unanswered, default=None)
        for worker in itertools.islice(self._turns, len(self._workers)):
            if worker.active:
                return worker
        return None

    def _next_data(self) -> Any:
        if self._broken is not None:
            raise RuntimeError(self._broken)
        while (number := self._next_answered()) is None:
            if not self._tasks:
                if not self._persistent:
                    self._stop()
                raise StopIteration
            self._collect_results()
        del self._tasks[number]
        data = self._results.pop(number)
        self._hand_out_task()
        if isinstance(data, WorkerFailure):
            data.reraise()
        return data

    def _next_answered(self) -> int | None:
        """The number of the batch to return next, if it is here."""
        if not self._in_order:
            return next(iter(self._results), None)
        first = next(iter(self._tasks), None)
        return first if first in self._results else None

    def _collect_results(self) -> None:
        """Wait until a worker has answered, and take in what there is."""
        waiting = {worker.connection: worker for worker in self._workers if worker.unanswered > 0}
        deadline = time.monotonic() + self._timeout
        while not (ready := wait(list(waiting), min(LIVENESS_INTERVAL, max(0.0, deadline - time.monotonic())))):
            for worker in waiting.values():
                if not worker.process.is_alive() and not worker.connection.poll():
                    self._fail(_obituary(worker))
            if time.monotonic() >= deadline:
                ids = sorted(worker.id for worker in waiting.values())
                self._fail(f"DataLoader timed out after {self._timeout} seconds waiting for worker(s) {ids}")
        for connection in ready:
            self._take_result(waiting[connection])  # type: ignore[index]

    def _take_result(self, worker: Worker) -> None:
        try:
            result: Result = transport.receive(worker.connection)
        except (EOFError, OSError):
            self._fail(_obituary(worker))
        except BaseException:  # interrupted in the middle of a message: what follows could not be read
            self._fail_silently("the DataLoader's iterator was interrupted while it received a batch")
            raise
        if result.pass_number != self._pass_number:
            return
        worker.unanswered -= 1
        if isinstance(result.data, StreamEnd):
            if worker.active:
                self._retire(worker)
        else:
            self._results[result.number] = result.data

    def _retire(self, worker: Worker) -> None:
        """The worker's stream has ended: forget the tasks that it cannot fulfil, and go on with the others."""
        worker.active = False
        for number in [n for n, owner in self._tasks.items() if owner is worker and n not in self._results]:
            del self._tasks[number]
        self._hand_out_task()

    def _fail(self, message: str) -> NoReturn:
        self._fail_silently(message)
        raise RuntimeError(message)

    def _fail_silently(self, message: str) -> None:
        """Nothing more can come from these workers, so they get no time to finish."""
        self._broken = message
        for worker in self._workers:
            worker.process.kill()
        self._stop()


def _start(process: Any) -> None:
    with warnings.catch_warnings():
        # From Python 3.12 on, forking warns when BLAS or this framework have threads. A worker uses none of them:
        # it computes in its main thread alone.
        warnings.filterwarnings("ignore", ".*multi-threaded, use of fork", DeprecationWarning)
        process.start()


def _obituary(worker: Worker) -> str:
    """What became of a worker whose pipe has ended."""
    process = worker.process
    process.join(EXIT_GRACE)
    code = process.exitcode
    if code is None:
        cause = "it closed its connection"
    elif code < 0:
        cause = f"it was killed by signal {-code} ({signal.strsignal(-code)})"
        if -code == getattr(signal, "SIGKILL", None):
            cause += ", as the system does when memory runs out"
    else:
        cause = f"it ended with exit code {code}; its own message, if any, is above"
    return f"DataLoader worker (pid(s) {process.pid}) exited unexpectedly: worker {worker.id}, {cause}"


def _stop_workers(workers: list[Worker], owner: int) -> None:
    """End the processes: a little time to finish what they do, then by force."""
    if os.getpid() != owner:
        return  # a forked copy of the iterator: the workers are not its children
    for worker in workers:
        with contextlib.suppress(OSError):  # it may be gone already
            transport.send(worker.connection, None)
        worker.connection.close()
    deadline = time.monotonic() + EXIT_GRACE
    for worker in workers:
        worker.process.join(max(0.0, deadline - time.monotonic()))
        if worker.process.is_alive():
            worker.process.terminate()
            worker.process.join(1.0)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.process.close()
    workers.clear()
