"""What a run prints: whole lines that fit the terminal, kept in full in ``log.txt``."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Column:
    """A part of a line that a narrow terminal may shorten or leave out, the highest ``rank`` first; 0 stays."""

    text: str
    rank: int = 0
    room: int = 0  # at least so much is reckoned with, so that the lines of a run show the same columns
    short: str = ""


class Console:
    """Prints whole lines, and keeps them in ``log.txt`` once the run has a folder."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._early: list[str] = []

    def line(self, text: str) -> None:
        """One line, at once."""
        self._say(text, wrap(text, terminal_width(sys.stdout), indent=3))

    def field(self, label: str, text: str) -> None:
        """One line of the header: ``Model    resnet18 ...``."""
        text = f"{label:<8} {text}"
        self._say(text, wrap(text, terminal_width(sys.stdout), indent=9))

    def columns(self, columns: Sequence[Column]) -> None:
        """One line of a table; on a narrow terminal less of it."""
        self._say(fit(columns, None), fit(columns, terminal_width(sys.stdout)))

    def keep_in(self, path: Path) -> None:
        """From now on append to ``path``, beginning with what was printed before."""
        self._path = path
        self._flush()

    def _say(self, text: str, shown: str) -> None:
        print(shown, flush=True)
        self._early.append(text)
        self._flush()

    def _flush(self) -> None:
        if self._path is not None and self._early:
            with open(self._path, "a", encoding="utf-8") as file:
                file.writelines(text + "\n" for text in self._early)
            self._early.clear()


def terminal_width(stream: Any) -> int | None:
    """The columns of the terminal behind ``stream``; None when it is none, or does not say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (AttributeError, OSError, ValueError):  # a pipe, a file, a test's stand-in
        return None


def wrap(text: str, width: int | None, indent: int) -> str:
    """``text`` broken between words to lines of at most ``width``; no word is cut, so paths can be copied."""
    if width is None or len(text) <= width:
        return text
    return textwrap.fill(text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def fit(columns: Sequence[Column], width: int | None) -> str:
    """The columns side by side, as many as ``width`` has room for; None has room for all."""
    for rank in sorted({column.rank for column in columns}, reverse=True):
        kept = [column for column in columns if column.rank <= rank]
        needed = sum(max(len(column.text), column.room) + 2 for column in kept) - 2
        if width is None or needed <= width:
            return "  ".join(column.text for column in kept if column.text)
    texts = [column.short or column.text for column in columns if column.rank == 0]
    return wrap("  ".join(text for text in texts if text), width, indent=3)
