"""How far a run is: a progress bar, and its metrics as CSV and JSON lines."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .console import Column, Console, fit, terminal_width
from .files import write_text


class MetricsLog:
    """The rows of ``metrics.jsonl`` and ``metrics.csv``: one per epoch, the same keys in each."""

    def __init__(self, folder: Path, epochs: int = 0) -> None:
        """Continue the files in ``folder`` after their first ``epochs`` rows; later ones are dropped."""
        self._jsonl = folder / "metrics.jsonl"
        self._csv = folder / "metrics.csv"
        rows = self._read()
        self.rows, self.dropped = rows[:epochs], len(rows[epochs:])
        write_text(self._jsonl, "".join(json.dumps(row) + "\n" for row in self.rows))
        write_text(self._csv, _csv_text(self.rows, header=True))

    def append(self, row: Mapping[str, Any]) -> None:
        """Add an epoch's row to both files."""
        self.rows.append(dict(row))
        _append(self._jsonl, json.dumps(self.rows[-1]) + "\n")
        _append(self._csv, _csv_text(self.rows[-1:], header=len(self.rows) == 1))

    def _read(self) -> list[dict[str, Any]]:
        """The whole rows; the last line may be cut short where a run was killed while writing it."""
        if not self._jsonl.exists():
            return []
        rows = []
        for line in self._jsonl.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                break
            rows.append(row)
        return rows


class Progress:
    """How far an epoch is: a bar on a terminal, elsewhere a whole line every ``interval`` seconds."""

    def __init__(self, console: Console, title: str, total: int, done: int, interval: float) -> None:
        self._console = console
        self._title = title
        self._total = total
        self._first = self._done = done
        self._interval = interval
        self._images = 0
        self._began = self._said = time.monotonic()
        self._bar = _Bar(
            total=total,
            initial=done,
            desc=title,
            disable=None,  # silent off a terminal
            leave=False,
            dynamic_ncols=True,
            ascii="-#",
            bar_format="{desc} [{bar:12}] {n_fmt}/{total_fmt} {percentage:.0f}%  {tail}",
        )

    def update(self, images: int, loss: float) -> None:
        """After a step on ``images`` images; ``loss`` is the epoch's mean so far."""
        self._done += 1
        self._images += images
        now = time.monotonic()
        left = (self._total - self._done) * (now - self._began) / (self._done - self._first)
        tail = [
            Column(f"loss {loss:.3f}"),
            Column(f"{self.images_per_s:,.0f} img/s", rank=2),
            Column(f"ETA {clock(left)}", rank=1),
        ]
        share = f"{self._done}/{self._total} {100 * self._done / self._total:.0f}%"
        self._bar.tail = fit(tail, self._room(share))
        self._bar.update()
        if self._bar.disable and now - self._said >= self._interval and self._done < self._total:
            self._said = now
            self._console.line(f"{self._title}  {share}  {fit(tail, None)}")

    def evaluating(self) -> None:
        """All steps are done, and the epoch is not over yet."""
        self._bar.tail = "evaluating"
        self._bar.refresh()

    def _room(self, share: str) -> int | None:
        """What the terminal has left behind the bar."""
        width = terminal_width(sys.stderr)
        return None if width is None else max(1, width - len(f"{self._title} [{'':12}] {share}  "))

    @property
    def images_per_s(self) -> float:
        """The speed since the epoch began, or was resumed."""
        return self._images / max(time.monotonic() - self._began, 1e-9)

    def close(self) -> None:
        """Take the bar off the terminal."""
        shown = not self._bar.disable
        self._bar.close()
        if shown:  # the terminal has written ^C beyond what the bar clears
            self._bar.fp.write("\r\x1b[K")
            self._bar.fp.flush()


class _Bar(tqdm):
    """tqdm with a free text at the end, which its own postfix would set off by a comma."""

    tail = ""

    @property
    def format_dict(self) -> dict[str, Any]:
        return {**super().format_dict, "tail": self.tail}


def clock(seconds: float) -> str:
    """``00:15``, ``13:03``, ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def duration(seconds: float) -> str:
    """``0.8s``, ``27s``, ``13m03s``, ``1h02m``."""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def short(number: float) -> str:
    """The shorter of ``0.0005`` and ``5e-4``."""
    plain = f"{number:g}"
    mantissa, _, exponent = f"{number:e}".partition("e")
    scientific = f"{float(mantissa):g}e{int(exponent)}"
    return scientific if len(scientific) < len(plain) else plain


def _csv_text(rows: list[dict[str, Any]], header: bool) -> str:
    if not rows:
        return ""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]), lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _append(path: Path, text: str) -> None:
    with open(path, "a", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
