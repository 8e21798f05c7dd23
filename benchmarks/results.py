"""What was measured, and what follows from it: agreement, ratios, means."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

OURS = "ours"


@dataclass
class Measurement:
    """One side of one case. Times in seconds, memory in bytes; None is what was not measured."""

    seconds: list[float] = field(default_factory=list)  # of one unit of work, one number per round
    first_step: float | None = None
    peak_memory: int | None = None
    base_memory: int | None = None  # the peak after the import alone

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass
class Result:
    """One row of the table: a case, its sides by name, and what went wrong, if anything did."""

    name: str
    sides: dict[str, Measurement] = field(default_factory=dict)
    error: str | None = None
    details: str | None = None  # a traceback
    in_mean: bool = True  # counts in the geometric mean
    relative_to: str | None = None

    def ratios(self, reference: str) -> list[float]:
        """For each round, the time of `reference` over ours: above 1, we are faster. Empty without both sides."""
        if self.error or OURS not in self.sides or reference not in self.sides:
            return []
        ours, other = self.sides[OURS].seconds, self.sides[reference].seconds
        return [theirs / mine for mine, theirs in zip(ours, other, strict=True)]

    def memory_ratio(self, reference: str) -> float | None:
        """Our peak memory over that of `reference`: below 1, we need less."""
        ours, other = self.sides.get(OURS), self.sides.get(reference)
        if self.error or not ours or not other or not ours.peak_memory or not other.peak_memory:
            return None
        return ours.peak_memory / other.peak_memory


def disagreement(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]], tolerance: float) -> str | None:
    """Where the checked values of two sides differ by more than `tolerance`, in words; None where they agree.

    Differences are relative to the largest magnitude among the values of the step. Values that are not finite never
    agree.
    """
    for step, (mine, other) in enumerate(zip(ours, theirs, strict=True), start=1):
        if len(mine) != len(other):
            return f"step {step}: results of different sizes"
        if not all(map(math.isfinite, (*mine, *other))):
            return f"step {step}: values that are not finite"
        # The first of several values is the sum of all magnitudes, which would hide small elements.
        groups = [(mine[:1], other[:1]), (mine[1:], other[1:])]
        for a, b in groups:
            scale = max(map(abs, (*a, *b)), default=0.0)
            for x, y in zip(a, b, strict=True):
                if abs(x - y) > tolerance * scale:
                    return f"step {step}: {x:.8g} and {y:.8g} (tolerance {tolerance:g})"
    return None


def geometric_mean(values: Iterable[float]) -> float | None:
    """None without values."""
    logarithms = [math.log(value) for value in values]
    return math.exp(statistics.fmean(logarithms)) if logarithms else None


def mean_speed(results: Iterable[Result], reference: str) -> float | None:
    """The geometric mean over the cases of the median ratio to `reference`."""
    return geometric_mean(
        statistics.median(ratios) for result in results if result.in_mean and (ratios := result.ratios(reference))
    )
