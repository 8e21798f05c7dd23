"""From what goes wrong in a command to a line on stderr and an exit code."""

from __future__ import annotations

import io
import os
import shlex
import sys
from collections.abc import Callable
from contextlib import suppress

import numpy

from .errors import Interrupted, TrainingError

_PIPE_CLOSED = 141  # what a shell reports of a program that the closing of its pipe has ended


def run_command(action: Callable[[], int]) -> int:
    """``action()``, which returns the exit code; what it raises instead is said and becomes one.

    1 for a failure, 2 for a wrong configuration, 130 after Ctrl-C, 143 after SIGTERM, and 141 without a word
    when the reader of our output has gone.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that lacks a character gets a question mark
    try:
        return _run(action)
    except BrokenPipeError:
        _discard_output()
        return _PIPE_CLOSED


def _run(action: Callable[[], int]) -> int:
    try:
        # A loss that is not finite is an error of ours with its step; NumPy's warnings on the way add nothing.
        with numpy.errstate(all="ignore"):
            try:
                return action()
            finally:
                sys.stdout.flush()  # here, where a closed pipe can still be answered
    except Interrupted as stop:
        message = f"{stop}\n   Continue: python train.py --resume {shlex.quote(str(stop.folder))}"
        try:
            print(message, flush=True)
        except BrokenPipeError:  # Ctrl-C has ended the reader, such as tee, as well
            _discard_output()
            print(message, file=sys.stderr)
        return stop.exit_code
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        raise
    except OSError as error:
        what = f"{error.strerror}: {error.filename}" if error.strerror and error.filename else str(error)
        print(f"error: {what}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped without saving", file=sys.stderr)
        return 130


def _discard_output() -> None:
    """Else Python tries once more to write what it has left, and complains."""
    with suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
