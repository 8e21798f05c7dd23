"""Bessel and Airy functions.

The modified ones of the first kind, which training programs use (Kaiser windows, the von Mises distribution), are
their power series up to 20 and their asymptotic series beyond, with NumPy alone. The others need SciPy, or on a GPU
CuPy's `cupyx.scipy.special`; as in PyTorch they have no derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import special_functions, to_host
from ..engine.op import op
from .double import horner, in_double
from .pointwise import sign, where
from .refuse import no_complex

#: Where the asymptotic series take over: there their smallest term is below exp(-40).
_FAR = 20.0


def _power_series(order: int) -> list[float]:
    """I_order(x) / (x / 2)^order as a polynomial in x^2 / 4, highest power first."""
    return [1 / (math.factorial(k) * math.factorial(k + order)) for k in range(46)][::-1]


def _asymptotic_series(order: int) -> list[float]:
    """exp(-x) I_order(x) sqrt(2 pi x) as a polynomial in 1 / x, highest power first."""
    terms = [1.0]
    for k in range(1, 31):
        terms.append(terms[-1] * ((2 * k - 1) ** 2 - 4 * order * order) / (8 * k))
    return terms[::-1]


_NEAR_SERIES = [_power_series(0), _power_series(1)]
_FAR_SERIES = [_asymptotic_series(0), _asymptotic_series(1)]


def _scaled(xp: Any, x: Any, order: int) -> Any:
    """exp(-|x|) I_order(x)."""
    size = xp.abs(x)
    near = xp.minimum(size, _FAR)
    series = horner(_NEAR_SERIES[order], near * near * 0.25) * xp.exp(-near)
    far = xp.maximum(size, _FAR)
    tail = horner(_FAR_SERIES[order], 1 / far) / xp.sqrt(2 * math.pi * far)
    result = xp.where(size <= _FAR, series * (near * 0.5) ** order, tail)
    return xp.where(x < 0, -result, result) if order else result


def _unscaled(xp: Any, x: Any, order: int) -> Any:
    size = xp.abs(x)
    half = xp.exp(0.5 * size)  # exp(size) overflows before the product does
    return _scaled(xp, x, order) * half * half


def _i0(xp: Any, x: Any) -> Any:
    return _unscaled(xp, x, 0)


def _i1(xp: Any, x: Any) -> Any:
    return _unscaled(xp, x, 1)


def _over(value: Any, input: Any) -> Any:
    """I_1(x) / x, scaled or not: 1/2 at zero."""
    zero = input == 0
    return where(zero, 0.5, value / where(zero, 1.0, input))


@op(check=no_complex("i0_vml_cpu"), promote="float", half="gradient", input=lambda g, input: g * i1(input))
def i0(input):
    """The modified Bessel function of the first kind of order 0, elementwise; integers become the default float type.

    Power series up to 20, Hankel's asymptotic series beyond; full float64 accuracy.
    """
    return in_double("i0_vml_cpu", _i0, input)


@op(
    check=no_complex("i0e_cpu"),
    promote="float",
    half="gradient",
    name="SpecialI0EBackward0",
    input=lambda g, input, out: g * (i1e(input) - sign(input) * out),
)
def i0e(input):
    """`exp(-abs(input)) * i0(input)`, which does not overflow."""
    return in_double("i0e_cpu", lambda xp, x: _scaled(xp, x, 0), input)


@op(
    check=no_complex("i1_cpu"),
    promote="float",
    half="gradient",
    name="SpecialI1Backward0",
    input=lambda g, input, out: g * (i0(input) - _over(out, input)),
)
def i1(input):
    """The modified Bessel function of the first kind of order 1, elementwise, as `i0`."""
    return in_double("i1_cpu", _i1, input)


@op(
    check=no_complex("i1e_cpu"),
    promote="float",
    half="gradient",
    name="SpecialI1EBackward0",
    input=lambda g, input, out: g * (i0e(input) - sign(input) * out - _over(out, input)),
)
def i1e(input):
    """`exp(-abs(input)) * i1(input)`, which does not overflow."""
    return in_double("i1e_cpu", lambda xp, x: _scaled(xp, x, 1), input)


def _plain(name: str, compute: Callable, doc: str) -> Callable:
    """An operator without a derivative on float32 and float64: `compute(xp, x)` on float64 arrays."""
    kernel = f"{name}_cpu"

    def function(input):
        return in_double(kernel, compute, input, half=False)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return op(check=no_complex(kernel), promote="float")(function)


def _from_scipy(name: str, twin: str, what: str) -> Callable:
    def compute(xp: Any, x: Any) -> Any:
        return getattr(special_functions(xp), twin)(x)

    doc = f"{what}, elementwise, of float32, float64 or integers. Not differentiable. Needs SciPy."
    return _plain(name, compute, doc)


def _spherical(xp: Any, x: Any) -> Any:
    small = xp.abs(x) < 1e-4
    finite = xp.where(xp.isinf(x) | small, 1.0, x)
    return xp.where(small, 1 - x * x / 6, xp.where(xp.isinf(x), 0.0, xp.sin(finite) / finite))


def _airy(xp: Any, x: Any) -> Any:
    # CuPy has no Airy functions: theirs come from SciPy on the host. SciPy gives up far from zero.
    near = special_functions(np).airy(to_host(xp.asarray(xp.clip(x, -1e4, 104.0))))[0]
    z = xp.clip(-x, 1e4, 1e200)
    phase = z**1.5 / 1.5
    far = (xp.sin(phase + math.pi / 4) - xp.cos(phase + math.pi / 4) * (5 / 72) / phase) / xp.sqrt(math.pi * xp.sqrt(z))
    result = xp.where(x < -1e4, far, xp.where(x > 104.0, 0.0, xp.asarray(near)))
    return xp.where(xp.isinf(x), math.nan, result)


airy_ai = _plain("airy_ai", _airy, "Airy's function Ai, elementwise. Not differentiable. Needs SciPy, on the host.")
bessel_j0 = _from_scipy("bessel_j0", "j0", "The Bessel function of the first kind of order 0")
bessel_j1 = _from_scipy("bessel_j1", "j1", "The Bessel function of the first kind of order 1")
bessel_y0 = _from_scipy("bessel_y0", "y0", "The Bessel function of the second kind of order 0")
bessel_y1 = _from_scipy("bessel_y1", "y1", "The Bessel function of the second kind of order 1")
modified_bessel_i0 = _plain("modified_bessel_i0", _i0, "`i0`, but not differentiable.")
modified_bessel_i1 = _plain("modified_bessel_i1", _i1, "`i1`, but not differentiable.")
modified_bessel_k0 = _from_scipy("modified_bessel_k0", "k0", "The modified Bessel function of the second kind, order 0")
modified_bessel_k1 = _from_scipy("modified_bessel_k1", "k1", "The modified Bessel function of the second kind, order 1")
scaled_modified_bessel_k0 = _from_scipy("scaled_modified_bessel_k0", "k0e", "`exp(x) * modified_bessel_k0(x)`")
scaled_modified_bessel_k1 = _from_scipy("scaled_modified_bessel_k1", "k1e", "`exp(x) * modified_bessel_k1(x)`")
spherical_bessel_j0 = _plain("spherical_bessel_j0", _spherical, "`sin(x) / x`, elementwise; 1 at 0, 0 at infinity.")
