"""A line search for the strong Wolfe conditions (Nocedal and Wright, Numerical Optimization, section 3.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..tensor import Tensor


class Point(NamedTuple):
    """A place on the line: how far along it, the loss there, its gradient, and its slope along the line."""

    t: float
    loss: float
    grad: Tensor
    slope: float


class _Search:
    """What both phases of the search ask of a point."""

    def __init__(self, evaluate: Callable[[float], Point], start: Point, c1: float, c2: float, max_ls: int) -> None:
        self._evaluate, self._start, self._c1, self._c2, self._max_ls = evaluate, start, c1, c2, max_ls
        self.evaluations = 0

    def at(self, t: float) -> Point:
        self.evaluations += 1
        return self._evaluate(t)

    def too_high(self, point: Point) -> bool:
        """Armijo's condition fails: the loss did not fall in proportion to the way."""
        return point.loss > self._start.loss + self._c1 * point.t * self._start.slope

    def flat(self, point: Point) -> bool:
        """The curvature condition holds."""
        return abs(point.slope) <= -self._c2 * self._start.slope

    @property
    def exhausted(self) -> bool:
        return self.evaluations > self._max_ls


def strong_wolfe(
    evaluate: Callable[[float], Point],
    t: float,
    start: Point,
    extent: float,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_ls: int = 25,
) -> tuple[Point, int]:
    """A point where the loss fell enough (``c1``) and is flat enough (``c2``), and how often the loss was computed.

    ``evaluate(t)`` gives the point at t, ``start`` is the one at 0, ``t`` the first try. ``extent`` is the largest
    element of the direction: the search ends when the bracket times it falls below ``tolerance_change``. After
    ``max_ls`` more tries the best point is returned.
    """
    search = _Search(evaluate, start, c1, c2, max_ls)
    bracket = _bracket(search, start, search.at(t))
    if len(bracket) == 2:
        return _zoom(search, bracket, extent, tolerance_change), search.evaluations
    return bracket[0], search.evaluations


def _bracket(search: _Search, start: Point, point: Point) -> list[Point]:
    """Goes on, faster and faster, to two points with a good one between them, or to a good one."""
    previous = start
    while not search.exhausted:
        if search.too_high(point) or (search.evaluations > 2 and point.loss >= previous.loss):
            return [previous, point]
        if search.flat(point):
            return [point]
        if point.slope >= 0:
            return [previous, point]
        nearest, farthest = point.t + 0.01 * (point.t - previous.t), point.t * 10
        previous, point = point, search.at(_cubic_minimum(previous, point, nearest, farthest))
    return [start, point]


def _zoom(search: _Search, bracket: list[Point], extent: float, tolerance_change: float) -> Point:
    """Narrows the bracket down to a good point."""
    low, high = sorted(bracket, key=lambda point: point.loss)
    stalled = False
    while not search.exhausted:
        left, right = sorted((low.t, high.t))
        if (right - left) * extent < tolerance_change:
            break
        t = _cubic_minimum(low, high, left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # near an end: twice in a row, or at the end itself, is not let pass
            if stalled or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stalled = False
            else:
                stalled = True
        else:
            stalled = False
        point = search.at(t)
        if search.too_high(point) or point.loss >= low.loss:
            high = point
            if high.loss < low.loss:
                low, high = high, low
            continue
        if search.flat(point):
            return point
        if point.slope * (high.t - low.t) >= 0:
            high = low
        low = point
    return low


def _cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """Where the cubic through two points with their slopes has its minimum, within [low, high]."""
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if square < 0:
        return (low + high) / 2.0
    d2 = square**0.5
    if a.t > b.t:
        a, b = b, a
    minimum = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(minimum, low), high)
