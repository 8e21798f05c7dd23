"""The normal distribution's functions and others near the error function: erfcx, ndtr, ndtri, log_ndtr, entr, xlog1py.

They rest on the approximations of the error function and the normal quantile in special.py.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..engine.op import op
from .double import in_double
from .pointwise import exp, log, log1p, where
from .refuse import no_complex
from .special import _CENTRE_P, _CENTRE_Q, _FAR_P, _FAR_Q, _NEAR_P, _NEAR_Q, _erf, _erfc, _polynomial, _scaled_erfc

_SQRT_HALF = math.sqrt(0.5)


def _exp_of_square(xp: Any, y: Any) -> Any:
    """`exp(y^2)` to full relative accuracy: y^2 is split where rounding it would cost digits."""
    head = xp.trunc(y * 16) / 16
    return xp.exp(head * head) * xp.exp((y - head) * (y + head))


def _erfcx(xp: Any, x: Any) -> Any:
    y = xp.abs(x)
    far = _scaled_erfc(xp, xp.maximum(y, 0.46875))
    square = _exp_of_square(xp, xp.minimum(y, 30))
    near = square * (1 - _erf(xp, xp.clip(x, -0.5, 0.5)))
    return xp.where(y <= 0.46875, near, xp.where(x < 0, 2 * square - far, far))


def _ndtr(xp: Any, x: Any) -> Any:
    return 0.5 * _erfc(xp, -_SQRT_HALF * x)


def _log_ndtr(xp: Any, x: Any) -> Any:
    t = x * _SQRT_HALF
    tail = xp.log(0.5 * _erfcx(xp, -xp.minimum(t, -0.5))) - t * t
    return xp.where(x < -1, xp.where(x == -math.inf, x, tail), xp.log1p(-0.5 * _erfc(xp, xp.maximum(t, -0.8))))


def _ndtri(xp: Any, p: Any) -> Any:
    q = xp.clip(p, 0, 1) - 0.5
    middle = xp.clip(q, -0.425, 0.425)
    r = 0.180625 - middle * middle
    centre = middle * _polynomial(_CENTRE_P, r) / _polynomial(_CENTRE_Q, r)
    tail = xp.where(q < 0, p, 1 - p)
    depth = xp.sqrt(-xp.log(xp.clip(tail, 5e-324, 0.5)))
    near, far = xp.minimum(depth, 5) - 1.6, xp.maximum(depth, 5) - 5
    outer = xp.where(
        depth <= 5,
        _polynomial(_NEAR_P, near) / _polynomial(_NEAR_Q, near),
        _polynomial(_FAR_P, far) / _polynomial(_FAR_Q, far),
    )
    result = xp.where(xp.abs(q) <= 0.425, centre, xp.copysign(xp.where(tail == 0, math.inf, outer), q))
    return xp.where((p >= 0) & (p <= 1), result, math.nan)


@op(
    check=no_complex("erfcx_cpu"),
    promote="float",
    half="gradient",
    name="SpecialErfcxBackward0",
    input=lambda g, input, out: g * (2 * input * out - 2 / math.sqrt(math.pi)),
)
def erfcx(input):
    """`exp(input^2) * erfc(input)` of float32, float64 or integers, without overflow where input is large."""
    return in_double("erfcx_cpu", _erfcx, input, half=False)


@op(
    check=no_complex("erf_vml_cpu"),
    promote="float",
    half="gradient",
    name="MulBackward1",
    input=lambda g, input: g * exp(input * input * -0.5) * (1 / math.sqrt(2 * math.pi)),
)
def ndtr(input):
    """The standard normal distribution's cumulative function, elementwise, accurate in its left tail too."""
    return in_double("erf_vml_cpu", _ndtr, input)


@op(
    check=no_complex("ndtri_cpu"),
    promote="float",
    half="gradient",
    name="SpecialNdtriBackward0",
    input=lambda g, out: g * exp(out * out * 0.5) * math.sqrt(2 * math.pi),
)
def ndtri(input):
    """The standard normal quantile, `ndtr`'s inverse: infinite at 0 and 1, nan beyond.

    M. J. Wichura's rational approximations (AS 241, Appl. Statist. 37, 1988).
    """
    return in_double("ndtri_cpu", _ndtri, input, half=False)


@op(
    check=no_complex("log_ndtr_cpu"),
    promote="float",
    half="gradient",
    name="SpecialLogNdtrBackward0",
    input=lambda g, input: g * (math.sqrt(2 / math.pi) / erfcx(input * -_SQRT_HALF)),
)
def log_ndtr(input):
    """The logarithm of `ndtr`, which does not underflow, of float32, float64 or integers."""
    return in_double("log_ndtr_cpu", _log_ndtr, input, half=False)


def _entr(xp: Any, x: Any) -> Any:
    positive = -x * xp.log(xp.where(x > 0, x, 1))
    return xp.where(x > 0, positive, xp.where(x == 0, 0.0, xp.where(x < 0, -math.inf, math.nan)))


@op(
    check=no_complex("entr_cpu"),
    promote="float",
    half="gradient",
    name="SpecialEntrBackward0",
    input=lambda g, input: g * (-1 - log(input)),
)
def entr(input):
    """`-input * log(input)`, elementwise; 0 at 0 and -inf below."""
    return in_double("entr_cpu", _entr, input)


def _xlog1py(xp: Any, x: Any, y: Any) -> Any:
    nothing = xp.equal(x, 0) & ~xp.isnan(xp.asarray(y, dtype=np.float64))
    return xp.where(nothing, 0.0, x * xp.log1p(y))


def _xlog1py_input(g, input, other):
    slope = log1p(other) if hasattr(other, "dtype") else float(np.log1p(other))
    return g * where((input == 0) & (other <= -1), 0.0, slope)


@op(
    check=no_complex("xlog1py_cpu"),
    promote="float",
    half="gradient",
    name="SpecialXlog1PyBackward0",
    input=_xlog1py_input,
    other=lambda g, input, other: g * (input / (other + 1)),
)
def xlog1py(input, other):
    """`input * log1p(other)`, 0 where input is 0 (nan where other is nan); tensors that broadcast, or one number."""
    return in_double("xlog1py_cpu", _xlog1py, input, other)


__all__ = ["entr", "erfcx", "log_ndtr", "ndtr", "ndtri", "xlog1py"]
