"""The process of one side: it imports one framework and times steps as the runner asks.

Requests and answers go through a pipe as tuples. An answer is `("ok", value)` or `("error", line, traceback)`.
"""

from __future__ import annotations

import gc
import importlib
import math
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any

from .case import Case
from .memory import peak_rss

#: The first steps of a case: not timed (but for the very first), compared between the sides, and a warm-up.
CHECKED_STEPS = 3
#: How many elements of a step's result are compared, beside the sum of all magnitudes.
COMPARED_ELEMENTS = 64


@dataclass(frozen=True)
class Hello:
    """What a side says of itself when it has started."""

    version: str
    threads: int | None
    base_memory: int | None  # peak of the process after the import, bytes


@dataclass(frozen=True)
class Prepared:
    """A case that is ready to be timed."""

    first_step: float  # seconds
    values: list[list[float]]  # one list per checked step
    calls: int  # steps per turn


def serve(pipe: Connection, module_name: str) -> None:
    """Answer the runner until it closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner decides what Ctrl-C ends
    side: Side | None = None
    while True:
        try:
            request, *arguments = pipe.recv()
        except EOFError:
            return
        try:
            if side is None:
                side = Side(module_name)
            answer: tuple[Any, ...] = ("ok", getattr(side, request)(*arguments))
        except Exception as error:
            line = f"{type(error).__name__}: {error}".partition("\n")[0]
            answer = ("error", line, traceback.format_exc())
        pipe.send(answer)


class Side:
    """One framework, and the case it is at."""

    def __init__(self, module_name: str) -> None:
        self.torch: ModuleType = importlib.import_module(module_name)
        self.base_memory = peak_rss()
        self.step: Callable[[], Any] | None = None

    def hello(self) -> Hello:
        threads = getattr(self.torch, "get_num_threads", None)
        return Hello(str(self.torch.__version__), threads() if threads else None, self.base_memory)

    def prepare(self, module: str, name: str, turn_seconds: float) -> Prepared:
        """Build a case, run its checked steps, and find how many steps fill a turn."""
        self.step = None
        gc.collect()
        case: Case = getattr(importlib.import_module(module), name)
        self.torch.manual_seed(0)
        self.step = case.build(self.torch)
        first_step, values = 0.0, []
        for index in range(CHECKED_STEPS):
            start = time.perf_counter()
            result = self.step()
            if index == 0:
                first_step = time.perf_counter() - start
            values.append(comparable(result))
            del result  # a step begins without the graph of the one before it
        calls = 1
        while self.turn(calls) < turn_seconds:
            calls *= 2
        return Prepared(first_step, values, calls)

    def turn(self, calls: int) -> float:
        """Seconds that so many steps take."""
        assert self.step is not None
        step, remaining = self.step, range(calls)
        start = time.perf_counter()
        for _ in remaining:
            step()
        return time.perf_counter() - start

    def peak(self) -> int | None:
        """The most memory the process has held, bytes."""
        return peak_rss()


def comparable(result: Any) -> list[float]:
    """A step's result as a few numbers: the sum of all magnitudes, then elements evenly spread over it."""
    if not hasattr(result, "detach"):
        return [float(result)]
    flat = result.detach().double().flatten()
    stride = math.ceil(flat.numel() / COMPARED_ELEMENTS)
    return [flat.abs().sum().item(), *flat[::stride].tolist()]
