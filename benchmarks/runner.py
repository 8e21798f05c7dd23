"""Runs cases: starts the workers, checks that they agree, and lets them work in turn, round by round."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping
from typing import Any

from .case import Case
from .results import OURS, Measurement, Result, disagreement
from .worker import Hello, Prepared, serve

#: A side that has not answered for so long is taken for hung.
ANSWER_SECONDS = 900.0
#: BLAS and OpenMP threads spin for a while after their work; the other side's turn begins when they have gone to sleep.
SETTLE_SECONDS = 0.05


class SideError(Exception):
    """A worker failed: the message says how, `details` is its traceback if it has one."""

    def __init__(self, message: str, details: str | None = None) -> None:
        super().__init__(message)
        self.details = details


class Worker:
    """The process of one side, `name`, which imports `module_name`."""

    def __init__(self, name: str, module_name: str) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would take over the runner's memory and modules
        self.name = name
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, module_name), daemon=True)
        self._process.start()
        theirs.close()
        self._send("hello")
        self.hello: Hello | None = None

    def ready(self) -> Hello:
        """Wait until the framework is imported."""
        if self.hello is None:
            self.hello = self._receive()
        return self.hello

    def ask(self, request: str, *arguments: object) -> Any:
        """Call a method of the worker's Side; SideError if it fails, ends or does not answer."""
        self._send(request, *arguments)
        return self._receive()

    def stop(self) -> None:
        self._pipe.close()
        self._process.kill()
        self._process.join()

    def _send(self, *message: object) -> None:
        try:
            self._pipe.send(message)
        except (BrokenPipeError, ConnectionResetError):
            raise SideError(self._ended()) from None

    def _receive(self) -> Any:
        try:
            if not self._pipe.poll(ANSWER_SECONDS):
                raise SideError(f"{self.name}: no answer in {ANSWER_SECONDS:.0f} s")
            status, value, *details = self._pipe.recv()
        except (EOFError, ConnectionResetError):
            raise SideError(self._ended()) from None
        if status == "error":
            raise SideError(f"{self.name}: {value}", details[0])
        return value

    def _ended(self) -> str:
        self._process.join(timeout=5)
        return f"{self.name}: the process ended with exit code {self._process.exitcode}"


class Runner:
    """Runs cases on `sides` (the module to import by the side's name), `rounds` rounds of `turn_seconds` a turn.

    With `fresh`, each case gets new processes, which live through all its rounds: its first step and its peak memory
    owe nothing to other cases. Without, processes are shared, which saves their imports, and no memory is measured.
    """

    def __init__(self, sides: Mapping[str, str], rounds: int, turn_seconds: float, fresh: bool) -> None:
        self._modules = dict(sides)
        self._rounds = rounds
        self._turn_seconds = turn_seconds
        self._fresh = fresh
        self._workers: dict[str, Worker] = {}

    def start(self) -> dict[str, Hello]:
        """Start the workers that are missing, all at once, and wait for them; what each says of itself."""
        for name, module in self._modules.items():
            if name not in self._workers:
                self._workers[name] = Worker(name, module)
        return {name: worker.ready() for name, worker in self._workers.items()}

    def stop(self) -> None:
        while self._workers:
            self._workers.popitem()[1].stop()

    def run(self, case: Case, on_round: Callable[[], object] = lambda: None) -> Result:
        """Measure one case; `on_round` is called after each round. Failures are in the result, never raised."""
        result = Result(case.name, relative_to=case.relative_to)
        try:
            self._measure(case, result, on_round)
        except SideError as failure:
            result.error, result.details = str(failure), failure.details
        if self._fresh or result.error:
            self.stop()
        return result

    def _measure(self, case: Case, result: Result, on_round: Callable[[], object]) -> None:
        hellos = self.start()
        prepared: dict[str, Prepared] = {}
        for name, worker in self._workers.items():
            prepared[name] = worker.ask("prepare", case.module, case.name, self._turn_seconds)
            result.sides[name] = Measurement(first_step=prepared[name].first_step)
            time.sleep(SETTLE_SECONDS)
        self._check(case, prepared)
        order = list(self._workers.values())
        for _ in range(self._rounds):
            for worker in order:
                calls = prepared[worker.name].calls
                seconds = worker.ask("turn", calls) / (calls * case.repeats)
                result.sides[worker.name].seconds.append(seconds)
                time.sleep(SETTLE_SECONDS)
            order.reverse()  # a machine that slows down or speeds up favours neither side
            on_round()
        if self._fresh:
            for name, worker in self._workers.items():
                result.sides[name].peak_memory = worker.ask("peak")
                result.sides[name].base_memory = hellos[name].base_memory

    @staticmethod
    def _check(case: Case, prepared: Mapping[str, Prepared]) -> None:
        for name, other in prepared.items():
            if name != OURS and (what := disagreement(prepared[OURS].values, other.values, case.tolerance)):
                raise SideError(f"{OURS} and {name} differ at {what}")
