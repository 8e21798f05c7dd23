"""The error function and its relatives.

erf and erfc are W. J. Cody's rational approximations (Rational Chebyshev approximations for the error function,
Math. Comp. 23, 1969), erfinv is M. J. Wichura's normal quantile (AS 241, Appl. Statist. 37, 1988): all to the last
digits of float64.
"""

from __future__ import annotations

import math
from typing import Any

from ..backend import namespace
from ..engine import op
from .pointwise import exp
from .refuse import no_complex

_TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)

# erf(x) = x P(x^2) / Q(x^2) for |x| <= 0.46875
_SMALL_P = (
    1.85777706184603153e-1,
    3.16112374387056560e00,
    1.13864154151050156e02,
    3.77485237685302021e02,
    3.20937758913846947e03,
)
_SMALL_Q = (1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03)
# erfc(x) = exp(-x^2) P(x) / Q(x) for 0.46875 <= x <= 4
_MIDDLE_P = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e00, 6.61191906371416295e01,
    2.98635138197400131e02, 8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03,
    1.23033935479799725e03,
)  # fmt: skip
_MIDDLE_Q = (
    1.0, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02, 1.62138957456669019e03,
    3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03, 1.23033935480374942e03,
)  # fmt: skip
# erfc(x) = exp(-x^2) / x (1 / sqrt(pi) - y P(y) / Q(y)), y = 1 / x^2, for x >= 4
_LARGE_P = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
_LARGE_Q = (
    1.0,
    2.56852019228982242e00,
    1.87295284992346047e00,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    """Horner's scheme, highest power first."""
    result = x * coefficients[0]
    for c in coefficients[1:-1]:
        result += c
        result *= x
    result += coefficients[-1]
    return result


def _small_erf(xp: Any, x: Any) -> Any:
    square = x * x
    return x * _polynomial(_SMALL_P, square) / _polynomial(_SMALL_Q, square)


def _scaled_erfc(xp: Any, y: Any) -> Any:
    """`exp(y^2) erfc(y)` for y >= 0.46875."""
    near = xp.minimum(y, 4)
    middle = _polynomial(_MIDDLE_P, near) / _polynomial(_MIDDLE_Q, near)
    far = xp.maximum(y, 4)
    inverse = 1 / (far * far)
    tail = inverse * _polynomial(_LARGE_P, inverse) / _polynomial(_LARGE_Q, inverse)
    return xp.where(y <= 4, middle, (1 / math.sqrt(math.pi) - tail) / far)


def _gaussian(xp: Any, y: Any) -> Any:
    """`exp(-y^2)` to full relative accuracy: y^2 is split where rounding it would cost digits."""
    head = xp.trunc(y * 16) / 16
    return xp.exp(-head * head) * xp.exp(-(y - head) * (y + head))


def _complement(xp: Any, y: Any) -> Any:
    """erfc(y) for y >= 0.46875; zero where it underflows."""
    y = xp.minimum(y, 30)
    return _gaussian(xp, y) * _scaled_erfc(xp, y)


def _erf(xp: Any, x: Any) -> Any:
    y = xp.abs(x)
    if x.dtype.itemsize < 8:  # beyond 4 nothing is left to tell from 1
        y = xp.minimum(y, 4)
        near = xp.maximum(y, 0.46875)
        tail = xp.exp(-near * near) * (_polynomial(_MIDDLE_P, near) / _polynomial(_MIDDLE_Q, near))
        return xp.where(y <= 0.46875, _small_erf(xp, xp.clip(x, -0.5, 0.5)), xp.copysign(1 - tail, x))
    return xp.where(
        y <= 0.46875, _small_erf(xp, xp.clip(x, -0.5, 0.5)), xp.copysign(1 - _complement(xp, xp.maximum(y, 0.46875)), x)
    )


def _erfc(xp: Any, x: Any) -> Any:
    y = xp.abs(x)
    far = _complement(xp, xp.maximum(y, 0.46875))
    return xp.where(y <= 0.46875, 1 - _small_erf(xp, xp.clip(x, -0.5, 0.5)), xp.where(x < 0, 2 - far, far))


#: Elements worked on at a time, so that the many temporaries stay in the cache.
_BLOCK = 16384


def _in_blocks(function: Any, input: Any) -> Any:
    xp = namespace(input)
    if input.size <= _BLOCK:
        return function(xp, input)
    flat = input.reshape(-1)
    result = xp.empty(flat.shape, input.dtype)
    for start in range(0, flat.size, _BLOCK):
        result[start : start + _BLOCK] = function(xp, flat[start : start + _BLOCK])
    return result.reshape(input.shape)


@op(promote="float", input=lambda g, input: g * exp(-(input * input)) * _TWO_OVER_SQRT_PI)
def erf(input):
    """The error function, `2 / sqrt(pi)` times the integral of `exp(-t^2)` from 0 to `input`."""
    return _in_blocks(_erf, input)


@op(
    check=no_complex("erfc_vml_cpu"),
    promote="float",
    input=lambda g, input: g * exp(-(input * input)) * -_TWO_OVER_SQRT_PI,
)
def erfc(input):
    """`1 - erf(input)`, accurate where it is small."""
    return _in_blocks(_erfc, input)


# The normal quantile as a rational function, by distance from the middle.
_CENTRE_P = (
    2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
    1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
)  # fmt: skip
_CENTRE_Q = (
    5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
    5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
)  # fmt: skip
_NEAR_P = (
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
    3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0,
)  # fmt: skip
_NEAR_Q = (
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
    6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0,
)  # fmt: skip
_FAR_P = (
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
    2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0,
)  # fmt: skip
_FAR_Q = (
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
    1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
)  # fmt: skip


def _erfinv(xp: Any, x: Any) -> Any:
    y = xp.abs(x)
    inside = xp.minimum(y, 1)
    q = xp.clip(x, -0.85, 0.85) * 0.5
    r = 0.180625 - q * q
    centre = q * _polynomial(_CENTRE_P, r) / _polynomial(_CENTRE_Q, r)
    depth = xp.sqrt(-xp.log(xp.maximum((1 - inside) * 0.5, 1e-30)))
    near = xp.minimum(depth, 5) - 1.6
    far = xp.maximum(depth, 5) - 5
    tail = xp.where(
        depth <= 5,
        _polynomial(_NEAR_P, near) / _polynomial(_NEAR_Q, near),
        _polynomial(_FAR_P, far) / _polynomial(_FAR_Q, far),
    )
    result = xp.where(y <= 0.85, centre, xp.copysign(tail, x)) * math.sqrt(0.5)
    result = xp.where(y == 1, xp.copysign(math.inf, x), result)
    return xp.where(y <= 1, result, math.nan).astype(x.dtype)


@op(promote="float", input=lambda g, out: g * exp(out * out) * (1 / _TWO_OVER_SQRT_PI))
def erfinv(input):
    """The inverse of `erf`: infinite at -1 and 1, nan beyond."""
    return _in_blocks(_erfinv, input)
