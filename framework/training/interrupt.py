"""Ctrl-C and SIGTERM as a request that the loop answers between two steps, when the state is whole."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any


class StopRequest:
    """A context in which ``received`` holds the signal that came, 0 if none did. A second one acts at once."""

    def __init__(self) -> None:
        self.received = 0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        for signum in (signal.SIGINT, signal.SIGTERM):
            self._previous[signum] = signal.signal(signum, self._on_signal)
        return self

    def asked(self) -> bool:
        """Whether a signal has come."""
        return self.received != 0

    def __exit__(self, *exception: object) -> None:
        self._restore()

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        self.received = signum
        self._restore()

    def _restore(self) -> None:
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)
        self._previous.clear()
