"""The logarithm of the gamma function, its derivatives, the zeta function and the incomplete gamma functions.

lgamma is its Taylor series about 2 (whose coefficients are zeta(k) - 1) near the zeros at 1 and 2, and Stirling's
series elsewhere; digamma is the logarithm's asymptotic series after ten steps of the recurrence; zeta, and with it
polygamma, is Euler-Maclaurin summation. All work with NumPy alone; the incomplete gamma functions need SciPy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import namespace, special_functions
from ..engine.op import op
from .double import horner, in_double, require_tensors
from .pointwise import exp, log
from .refuse import no_complex

# B_2, B_4, ..., B_26
_BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330,
    854513 / 138, -236364091 / 2730, 8553103 / 6,
)  # fmt: skip
#: Where asymptotic series start, after steps of the recurrence from below.
_FAR = 10
# B_2k / (2k (2k - 1)) and B_2k / 2k, highest k first: polynomials in 1 / x^2.
_STIRLING = [b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI[:9], 1)][::-1]
_DIGAMMA = [b / (2 * k) for k, b in enumerate(_BERNOULLI[:9], 1)][::-1]
# B_2k / (2k)!
_EULER_MACLAURIN = [b / math.factorial(2 * k) for k, b in enumerate(_BERNOULLI, 1)]


def _zeta_minus_one(s: int) -> float:
    """zeta(s) - 1 for an integer s > 1: the terms up to 1/11^s, and Euler-Maclaurin for the rest."""
    n = 12.0
    tail = n ** (1 - s) / (s - 1) + n**-s / 2
    rising = float(s)
    for k, c in enumerate(_EULER_MACLAURIN[:8], 1):
        tail += c * rising * n ** (-s - 2 * k + 1)
        rising *= (s + 2 * k - 1) * (s + 2 * k)
    return math.fsum([*(float(j) ** -s for j in range(2, 12)), tail])


# lgamma(2 + z) / z for |z| <= 1/2
_ABOUT_TWO = [1 - 0.57721566490153286061, *((-1) ** k * _zeta_minus_one(k) / k for k in range(2, 30))][::-1]


def _stirling(xp: Any, x: Any) -> Any:
    """lgamma for x >= 10."""
    inverse = 1 / x
    series = horner(_STIRLING, inverse * inverse) * inverse
    return (x - 0.5) * (xp.log(x) - 1) + (0.5 * math.log(2 * math.pi) - 0.5) + series


def _rising(x: Any, count: int) -> Any:
    """x (x + 1) ... (x + count - 1)."""
    product = x
    for j in range(1, count):
        product = product * (x + j)
    return product


def _lgamma_about_one(xp: Any, z: Any) -> Any:
    """lgamma(1 + z) for |z| <= 1/2."""
    return z * horner(_ABOUT_TWO, z) - xp.log1p(z)


def _lgamma_right(xp: Any, x: Any) -> Any:
    """lgamma for x >= 1/2."""
    z = xp.clip(x, 1.5, 2.5) - 2
    near = xp.where(x < 1.5, _lgamma_about_one(xp, xp.clip(x, 0.5, 1.5) - 1), z * horner(_ABOUT_TWO, z))
    low = x < _FAR
    far = _stirling(xp, xp.clip(x, 2.5, 1e300) + xp.where(low, 8, 0))
    far = far - xp.where(low, xp.log(_rising(xp.clip(x, 2.5, _FAR), 8)), 0)
    return xp.where(x < 2.5, near, xp.where(x > 1e300, x * math.inf, far))


def _lgamma(xp: Any, x: Any) -> Any:
    size = xp.abs(x)
    small = size <= 0.5
    about_zero = _lgamma_about_one(xp, xp.where(small, x, 0)) - xp.log(size)
    right = _lgamma_right(xp, xp.where(x < 0.5, 1 - xp.minimum(x, 0.5), x))
    # Euler's reflection, with x reduced before it is multiplied by pi.
    sine = xp.abs(xp.sin(math.pi * (x - xp.round(x))))
    reflected = math.log(math.pi) - xp.log(sine) - right
    result = xp.where(small, about_zero, xp.where(x < 0.5, reflected, right))
    return xp.where(size == math.inf, math.inf, result)


def _digamma_positive(xp: Any, x: Any) -> Any:
    steps = xp.where(x < _FAR, _FAR, 0)
    middle = xp.minimum(x, _FAR)
    below = 1 / middle
    for j in range(1, _FAR):
        below = below + 1 / (middle + j)
    y = x + steps
    inverse = 1 / y
    square = inverse * inverse
    result = xp.log(y) - 0.5 * inverse - square * horner(_DIGAMMA, square)
    return xp.where(steps > 0, result - below, result)


def _digamma(xp: Any, x: Any) -> Any:
    negative = x < 0
    result = _digamma_positive(xp, xp.where(negative, 1 - x, xp.where(x == 0, 1, x)))
    part = x - xp.trunc(x)
    reflected = result - math.pi / xp.tan(math.pi * part)
    result = xp.where(negative, xp.where(part == 0, math.nan, reflected), result)
    return xp.where(x == 0, -xp.copysign(math.inf, x), result)


@op(check=no_complex("lgamma_vml_cpu"), promote="float", half="gradient", input=lambda g, input: g * digamma(input))
def lgamma(input):
    """The logarithm of |Gamma(input)|, elementwise; integers become the default float type. inf at the poles.

    Taylor's series near the zeros 1 and 2, Stirling's elsewhere, Euler's reflection below 1/2; full float64 accuracy.
    """
    return in_double("lgamma_vml_cpu", _lgamma, input)


@op(check=no_complex("digamma"), promote="float", half="gradient", input=lambda g, input: g * polygamma(1, input))
def digamma(input):
    """The derivative of lgamma, elementwise; integers become the default float type.

    nan at the negative integers, an infinity of the other sign at zeros.
    """
    return in_double("digamma", _digamma, input)


def _zeta_right(s: Any, q: Any) -> Any:
    """The sum over k of (q + k)^-s, for s > 1 and q > 0."""
    total = (1 / q) ** s
    for j in range(1, _FAR):
        total = total + (1 / (q + j)) ** s
    a = q + _FAR
    integral = (1 / a) ** (s - 1)
    power = integral / a
    total = total + integral / (s - 1) + power / 2
    factor = power * s / a
    for k, c in enumerate(_EULER_MACLAURIN, 1):
        total = total + c * factor
        factor = factor * ((s + 2 * k - 1) / a) * ((s + 2 * k) / a)
    return total


def _zeta_left(xp: Any, s: Any, q: Any) -> Any:
    """The same for q < 0 no integer, and an integer s: the terms of negative bases are summed by their magnitude."""
    above, below = q - xp.floor(q), xp.ceil(q) - q
    sign = 1 - 2 * (s % 2)
    return _zeta_right(s, above) + sign * (_zeta_right(s, below) - _zeta_right(s, 1 - q))


def _zeta_everywhere(xp: Any, s: Any, q: Any) -> Any:
    """The same for any q; s > 1, and an integer where q is negative."""
    right = xp.where(q == math.inf, 0.0, _zeta_right(s, xp.where((q > 0) & (q < math.inf), q, 1.0)))
    if xp is np and bool((q > 0).all()):
        return right
    pole = (q <= 0) & (q == xp.floor(q))
    left = _zeta_left(xp, s, xp.where((q < 0) & ~pole, q, -0.5))
    result = xp.where(q > 0, right, xp.where(pole, math.inf, left))
    return xp.where(xp.isnan(q), math.nan, result)


def _zeta(xp: Any, s: Any, q: Any) -> Any:
    s, q = xp.asarray(s, dtype=np.float64), xp.asarray(q, dtype=np.float64)
    usable = (s > 1) & (s < math.inf)
    result = _zeta_everywhere(xp, xp.where(usable, s, 2.0), q)
    outside = (q < 0) & (q != xp.floor(q)) & (s != xp.floor(s))
    return xp.where(usable & ~outside, result, xp.where(s == 1, math.inf, math.nan))


def _no_zeta_derivative(g):
    raise NotImplementedError("the derivative for 'zeta' is not implemented.")


@op(
    check=no_complex("zeta_cpu"),
    promote="float",
    half="gradient",
    name="SpecialZetaBackward0",
    input=_no_zeta_derivative,
    other=lambda g, input, other: g * -input * zeta(input + 1, other),
)
def zeta(input, other):
    """Hurwitz's zeta function, the sum over k >= 0 of (other + k)^-input; tensors that broadcast, or one number.

    inf at its poles, nan for input < 1, and for other < 0 unless input is an integer. Differentiable by `other`.
    """
    return in_double("zeta_cpu", _zeta, input, other, half=False)


def _polygamma_kernel(xp: Any, x: Any, n: int) -> Any:
    return (-1.0) ** (n + 1) * (math.gamma(n + 1) if n < 171 else math.inf) * _zeta_everywhere(xp, n + 1, x)


@op(
    check=lambda input, n: no_complex("trigamma" if n == 1 else "polygamma")(input),
    promote="float",
    half="gradient",
    input=lambda g, input, n: g * polygamma(n + 1, input),
)
def _polygamma(input, n):
    if n == 0:
        return in_double("digamma", _digamma, input)
    return in_double("polygamma", lambda xp, x: _polygamma_kernel(xp, x, n), input)


def polygamma(n: int, input: Any, *, out: Any = None) -> Any:
    """The n-th derivative of digamma, elementwise; integers become the default float type.

    TypeError unless n is an int; RuntimeError for a negative one.
    """
    n = _order("polygamma", n)
    return _polygamma(input, n) if out is None else _polygamma(input, n, out=out)


def polygamma_method(self: Any, n: int) -> Any:
    """`polygamma(n, self)`."""
    return polygamma(n, self)


def polygamma_in_place(self: Any, n: int) -> Any:
    """In-place version of `polygamma`."""
    return self._polygamma_(_order("polygamma_", n))


def _order(name: str, n: Any) -> int:
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool):
        raise TypeError(f"{name}(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return int(n)


def _mvlgamma_slope(g, input, p):
    slope = digamma(input)
    for j in range(1, p):
        slope = slope + digamma(input - 0.5 * j)
    return g * slope


def _check_mvlgamma(input: Any, p: int) -> None:
    if getattr(input, "dtype", None) == np.bool_:
        raise RuntimeError("The input tensor may not be a boolean tensor.")
    no_complex("arange_cpu")(input)


@op(check=_check_mvlgamma, promote="float", half="gradient", input=_mvlgamma_slope)
def mvlgamma(input, p):
    """The logarithm of the multivariate gamma function of dimension `p`, elementwise.

    RuntimeError unless p >= 1. Defined for input > (p - 1) / 2.
    """
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")

    def total(xp: Any, x: Any) -> Any:
        result = _lgamma(xp, x) + p * (p - 1) / 4 * math.log(math.pi)
        for j in range(1, p):
            result = result + _lgamma(xp, x - 0.5 * j)
        return result

    return in_double("mvlgamma", total, input)


def _gamma_density(input: Any, other: Any) -> Any:
    """The derivative of igamma by `other`: x^(a - 1) exp(-x) / Gamma(a)."""
    return exp((input - 1) * log(other) - other - lgamma(input))


def _no_igamma_derivative(g):
    raise NotImplementedError("the derivative for 'igamma: input' is not implemented.")


def _no_igammac_derivative(g):
    raise NotImplementedError("the derivative for 'igammac: input' is not implemented.")


def _incomplete(kernel: str, name: str, function: str, input: Any, other: Any) -> Any:
    require_tensors(name, input=input, other=other)
    compute = getattr(special_functions(namespace(input)), function)
    return in_double(kernel, lambda xp, a, x: compute(a, x), input, other)


@op(
    promote="same",
    half="gradient",
    input=_no_igamma_derivative,
    other=lambda g, input, other: g * _gamma_density(input, other),
)
def igamma(input, other):
    """The regularized lower incomplete gamma function P(input, other) of two floating tensors that broadcast.

    nan where either is negative. Differentiable by `other`. Needs SciPy (on a GPU, what CuPy has of it).
    """
    return _incomplete("igamma_cpu", "igamma", "gammainc", input, other)


@op(
    promote="same",
    half="gradient",
    input=_no_igammac_derivative,
    other=lambda g, input, other: g * -_gamma_density(input, other),
)
def igammac(input, other):
    """The regularized upper incomplete gamma function, 1 - igamma(input, other), accurate where it is small."""
    return _incomplete("igammac_cpu", "igammac", "gammaincc", input, other)


__all__ = [
    "digamma",
    "igamma",
    "igammac",
    "lgamma",
    "mvlgamma",
    "polygamma",
    "polygamma_in_place",
    "polygamma_method",
    "zeta",
]
