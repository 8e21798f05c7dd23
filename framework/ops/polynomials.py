"""Orthogonal polynomials by their three-term recurrences, Chebyshev's of higher degree by their trigonometric forms.

The degree `n` may be a tensor: then the host reads the largest one, to know how far the recurrence runs.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.op import op
from .double import in_double
from .refuse import no_complex

#: Up to here Chebyshev polynomials are computed by recurrence, as in PyTorch: their values at integers are exact.
_LOW = 6


def _degree(xp: Any, n: Any) -> Any:
    """`n` as an array of whole numbers; nan counts as negative."""
    n = xp.trunc(xp.asarray(n, dtype=np.float64))
    return xp.where(xp.isnan(n), -1.0, n)


def _largest(n: Any, degrees: Any) -> int:
    """The largest degree, without a look at the device where `n` is a number."""
    if not hasattr(n, "dtype"):
        return int(n)
    return int(degrees.max()) if degrees.size else 0


def _recurrence(xp: Any, x: Any, n: Any, top: int, first: Any, step: Callable) -> Any:
    """p_n(x) for 0 <= n <= top, 0 for n < 0, where p_0 = 1, p_1 = first and p_k+1 = step(k, p_k, p_k-1)."""
    before, now = x * 0 + 1, first
    result = xp.where(n < 0, 0.0, xp.where(n == 0, 1.0, now))
    for k in range(1, top):
        before, now = now, step(k, now, before)
        result = xp.where(n == k + 1, now, result)
    return result


def _high_t(xp: Any, x: Any, n: Any, angle: Any, big: Any) -> Any:
    return xp.cos(n * angle), xp.cosh(n * big)


def _high_u(xp: Any, x: Any, n: Any, angle: Any, big: Any) -> Any:
    return xp.sin((n + 1) * angle) / xp.sin(angle), xp.sinh((n + 1) * big) / xp.sinh(big)


def _high_v(xp: Any, x: Any, n: Any, angle: Any, big: Any) -> Any:
    of_negative = xp.sinh((n + 0.5) * big) / xp.sinh(big / 2)
    outside = xp.where(x > 0, xp.cosh((n + 0.5) * big) / xp.cosh(big / 2), of_negative)
    return xp.cos((n + 0.5) * angle) / xp.cos(angle / 2), outside


def _high_w(xp: Any, x: Any, n: Any, angle: Any, big: Any) -> Any:
    of_negative = xp.cosh((n + 0.5) * big) / xp.cosh(big / 2)
    outside = xp.where(x > 0, xp.sinh((n + 0.5) * big) / xp.sinh(big / 2), of_negative)
    return xp.sin((n + 0.5) * angle) / xp.sin(angle / 2), outside


# By kind: p_1 = a x + b, the value at 1 of degree n as c n + d, the form for high degrees, and that value at -1.
_KINDS: dict[str, tuple] = {
    "t": (1, 0, (0, 1), (0, 1), _high_t),
    "u": (2, 0, (1, 1), (1, 1), _high_u),
    "v": (2, -1, (0, 1), (2, 1), _high_v),
    "w": (2, 1, (2, 1), (0, 1), _high_w),
}


def _chebyshev(xp: Any, x: Any, n: Any, kind: str) -> Any:
    a, b, at_one, at_minus_one, high = _KINDS[kind]
    x, n = xp.asarray(x, dtype=np.float64), _degree(xp, n)
    low = _recurrence(xp, x, n, _LOW, a * x + b, lambda k, now, before: 2 * x * now - before)
    size = xp.abs(x)
    sign = xp.where((x < 0) & (n % 2 == 1), -1.0, 1.0)
    inside, outside = high(xp, x, n, xp.arccos(xp.where(size < 1, x, 0.5)), xp.arccosh(xp.where(size > 1, size, 2.0)))
    at_end = xp.where(x > 0, at_one[0] * n + at_one[1], at_minus_one[0] * n + at_minus_one[1])
    far = xp.where(size < 1, inside, sign * xp.where(size > 1, outside, at_end))
    return xp.where(n <= _LOW, low, xp.where(xp.isnan(x), x, far))


def _by_degree(xp: Any, x: Any, n: Any, first: Callable, step: Callable, limit: int = sys.maxsize) -> Any:
    """The recurrence from p_1 = first(x) as far as `n` asks; nan beyond the degree `limit`."""
    x, degrees = xp.asarray(x, dtype=np.float64), _degree(xp, n)
    top = min(_largest(n, degrees), limit)
    result = _recurrence(xp, x, degrees, top, first(x), lambda k, now, before: step(x, k, now, before))
    return xp.where(degrees > limit, math.nan, result)


def _hermite(scale: int) -> Callable:
    def compute(xp: Any, x: Any, n: Any) -> Any:
        # PyTorch's values end at degree 512
        return _by_degree(xp, x, n, lambda x: scale * x, lambda x, k, now, before: scale * (x * now - k * before), 512)

    return compute


def _legendre(xp: Any, x: Any, n: Any) -> Any:
    return _by_degree(xp, x, n, lambda x: x, lambda x, k, now, before: ((2 * k + 1) * x * now - k * before) / (k + 1))


def _laguerre(xp: Any, x: Any, n: Any) -> Any:
    def step(x: Any, k: int, now: Any, before: Any) -> Any:
        return ((2 * k + 1 - x) * now - k * before) / (k + 1)

    return _by_degree(xp, x, n, lambda x: 1 - x, step)


def _polynomial_op(name: str, what: str, compute: Callable) -> Callable:
    """An operator `f(input, n)` without a derivative, on float32 and float64."""
    kernel = f"{name}_cpu"

    def function(input, n):
        return in_double(kernel, compute, input, n, half=False)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"{what} of degree `n` (rounded toward zero; 0 below zero) at `input`, elementwise.\n\n"
        "    Real tensors that broadcast, or a tensor and a number; integers become the default float type.\n"
        "    Not differentiable.\n    "
    )
    return op(check=no_complex(kernel), promote="float", promoted=("input", "n"))(function)


def _chebyshev_op(kind: str, ordinal: str, shifted: bool) -> Callable:
    def compute(xp: Any, x: Any, n: Any) -> Any:
        return _chebyshev(xp, 2 * x - 1 if shifted else x, n, kind)

    name = f"{'shifted_' if shifted else ''}chebyshev_polynomial_{kind}"
    what = f"The Chebyshev polynomial of the {ordinal} kind"
    return _polynomial_op(name, what + (", at 2 input - 1," if shifted else ""), compute)


chebyshev_polynomial_t = _chebyshev_op("t", "first", False)
chebyshev_polynomial_u = _chebyshev_op("u", "second", False)
chebyshev_polynomial_v = _chebyshev_op("v", "third", False)
chebyshev_polynomial_w = _chebyshev_op("w", "fourth", False)
shifted_chebyshev_polynomial_t = _chebyshev_op("t", "first", True)
shifted_chebyshev_polynomial_u = _chebyshev_op("u", "second", True)
shifted_chebyshev_polynomial_v = _chebyshev_op("v", "third", True)
shifted_chebyshev_polynomial_w = _chebyshev_op("w", "fourth", True)
hermite_polynomial_h = _polynomial_op("hermite_polynomial_h", "The physicist's Hermite polynomial", _hermite(2))
hermite_polynomial_he = _polynomial_op("hermite_polynomial_he", "The probabilist's Hermite polynomial", _hermite(1))
laguerre_polynomial_l = _polynomial_op("laguerre_polynomial_l", "The Laguerre polynomial", _laguerre)
legendre_polynomial_p = _polynomial_op("legendre_polynomial_p", "The Legendre polynomial", _legendre)
