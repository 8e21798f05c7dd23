"""Results as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from .results import OURS, Measurement, Result, mean_speed

NONE = "-"


def text(facts: Mapping[str, str], results: Sequence[Result], reference: str | None) -> str:
    """The whole report, in Markdown: the machine, the table, what failed, the mean."""
    parts = ["\n".join(f"- {name}: {value}" for name, value in facts.items()), table(results, reference)]
    parts += [f"{result.name}: {result.error}" for result in results if result.error]
    parts += _comparisons(results)
    if reference is not None:
        parts.append(_mean(results, reference))
    return "\n\n".join(parts) + "\n"


def table(results: Sequence[Result], reference: str | None) -> str:
    """A row per case; without a reference, our own figures alone."""
    if reference is None:
        header = ["case", "time", "peak MB", "first step"]
        rows = [_own_row(result) for result in results]
    else:
        header = [
            "case", f"{reference}/{OURS}", "min..max", f"{OURS} time", f"{reference} time",
            f"memory {OURS}/{reference}", f"{OURS} peak MB", f"{reference} peak MB",
            f"{OURS} first step", f"{reference} first step",
        ]  # fmt: skip
        rows = [_row(result, reference) for result in results]
    return _align([header, *rows])


def line(result: Result, reference: str) -> str:
    """A result in one line, for those who wait."""
    ratios = result.ratios(reference)
    if result.error or not ratios:
        return f"{result.name}: {result.error or 'measured'}"
    return f"{result.name}: {reference}/{OURS} {statistics.median(ratios):.2f} ({min(ratios):.2f}..{max(ratios):.2f})"


def as_json(facts: Mapping[str, str], results: Sequence[Result], reference: str | None) -> str:
    """Everything that was measured: each round's seconds, bytes of memory, errors with their tracebacks."""
    rows = []
    for result in results:
        row = asdict(result)
        if reference is not None and (ratios := result.ratios(reference)):
            row["ratio"] = {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}
            row["memory_ratio"] = result.memory_ratio(reference)
        rows.append(row)
    document: dict[str, object] = {"machine": dict(facts), "reference": reference, "results": rows}
    if reference is not None:
        document["geometric_mean"] = mean_speed(results, reference)
    return json.dumps(document, indent=1) + "\n"


def write(path: Path, content: str) -> None:
    """Replace a file in one go, so that a report is whole or absent."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def seconds_text(seconds: float | None) -> str:
    """Three digits with a unit that suits them: ``1.23 µs``, ``45.6 ms``."""
    if seconds is None:
        return NONE
    scale, unit = next(((s, u) for s, u in ((1.0, "s"), (1e-3, "ms")) if seconds >= s), (1e-6, "µs"))
    number = seconds / scale
    return f"{number:.{0 if number >= 100 else 1 if number >= 10 else 2}f} {unit}"


def _row(result: Result, reference: str) -> list[str]:
    ratios = result.ratios(reference)
    if not ratios:
        return [result.name, "failed" if result.error else NONE] + [NONE] * 8
    ours, other = result.sides[OURS], result.sides[reference]
    memory = result.memory_ratio(reference)
    return [
        result.name,
        f"{statistics.median(ratios):.2f}",
        f"{min(ratios):.2f}..{max(ratios):.2f}",
        seconds_text(ours.median),
        seconds_text(other.median),
        NONE if memory is None else f"{memory:.2f}",
        _memory_text(ours),
        _memory_text(other),
        seconds_text(ours.first_step),
        seconds_text(other.first_step),
    ]


def _own_row(result: Result) -> list[str]:
    if result.error:
        return [result.name, "failed", NONE, NONE]
    ours = result.sides[OURS]
    return [result.name, seconds_text(ours.median), _memory_text(ours), seconds_text(ours.first_step)]


def _memory_text(side: Measurement) -> str:
    if side.peak_memory is None:
        return NONE
    text = f"{side.peak_memory / 1e6:.0f}"
    if side.base_memory is not None:
        text += f" (+{(side.peak_memory - side.base_memory) / 1e6:.0f})"
    return text


def _comparisons(results: Sequence[Result]) -> list[str]:
    """What `relative_to` and NumPy's import have to say."""
    by_name = {result.name: result for result in results if not result.error}
    lines = []
    for result in by_name.values():
        whole = by_name.get(result.relative_to or "")
        if whole is not None:
            parts = [f"{name} {side.median / whole.sides[name].median:.2f}" for name, side in result.sides.items()]
            lines.append(f"{result.name} takes, of the time of {whole.name}: {', '.join(parts)}.")
        if "numpy" in result.sides:
            inverse = [1 / ratio for ratio in result.ratios("numpy")]
            lines.append(
                f"{result.name}: {statistics.median(inverse):.2f} times as long as NumPy's"
                f" ({min(inverse):.2f}..{max(inverse):.2f})."
            )
    return lines


def _mean(results: Sequence[Result], reference: str) -> str:
    counted = [result for result in results if result.in_mean and result.ratios(reference)]
    speed = mean_speed(counted, reference)
    if speed is None:
        return "Geometric mean: no case counts in it."
    cases = f"{len(counted)} case" + "s" * (len(counted) != 1)
    return (
        f"Geometric mean of {cases}: {reference}/{OURS} {speed:.2f}.\n"
        "Times are medians, for information; a ratio is the median of those of the rounds, above 1 where we are faster."
        " Memory is the process's peak, in brackets what came after the import."
    )


def _align(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append(f"| {' | '.join(cells)} |")
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines.insert(1, f"| {' | '.join(rule)} |")
    return "\n".join(lines)
