"""Whole numbers and the parts of floats: gcd, lcm, frexp, ldexp, nextafter; powers in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import Variable, op
from .convert import cast
from .double import require_tensors
from .pointwise import pow, where
from .results import named_result


def _require_integers(name: str, input: Any, other: Any) -> None:
    require_tensors(name, input=input, other=other)
    if input.dtype.kind not in "iu":
        kind = dtypes.scalar_type_name(input.dtype)
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for '{kind}'")


@op(promote="same")
def gcd(input, other):
    """The greatest common divisor of two integer tensors that broadcast: never negative, gcd(0, 0) = 0."""
    _require_integers("gcd", input, other)
    return namespace(input).gcd(input, other)


@op(promote="same")
def lcm(input, other):
    """The least common multiple of two integer tensors that broadcast: never negative, 0 if either is."""
    _require_integers("lcm", input, other)
    return namespace(input).lcm(input, other)


@op(
    promote="same",
    half="gradient",
    input=lambda g, input, other: where(input == other, g * 0, g),
    other=lambda g: g * 0,
)
def nextafter(input, other):
    """The next number of the tensors' floating type after `input` toward `other`."""
    require_tensors("nextafter", input=input, other=other)
    if input.dtype.kind not in "fV":
        kind = dtypes.scalar_type_name(input.dtype)
        raise NotImplementedError(f"\"nextafter_cpu\" not implemented for '{kind}'")
    return namespace(input).nextafter(input, other)


_Frexp = named_result("frexp", "mantissa", "exponent")
_FrexpOut = named_result("frexp_out", "mantissa", "exponent")
_C_NAMES = {"float64": "double", "float32": "float", "float16": "at::Half", "int32": "int", "int64": "long"}


@op(input=lambda g, out: ldexp(g[0], -out[1]))
def _frexp(input):
    if input.dtype.kind not in "fV":
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    mantissa, exponent = namespace(input).frexp(input)
    return _Frexp(mantissa, exponent.astype(np.int32, copy=False))


def frexp(input: Any, *, out: Any = None) -> Any:
    """`input` as `mantissa * 2**exponent`: magnitudes from 1/2 to 1 (0, inf and nan as they are), and int32.

    RuntimeError for tensors that are not floating, or an `out` of other types than the two results have.
    """
    if out is None:
        return _frexp(input)
    for name, target, type_ in zip(("mantissa", "exponent"), out, (input.dtype, dtypes.int32), strict=True):
        if target.dtype is not type_:
            wanted, given = _C_NAMES.get(type_.name, type_.name), _C_NAMES.get(target.dtype.name, target.dtype.name)
            raise RuntimeError(f"torch.frexp() expects {name} to have dtype {wanted} but got {given}")
    return _FrexpOut(*_frexp(input, out=out))


def _scaled_by(input: Any, other: Any) -> Any:
    """`input * 2**other`, the power in two halves, of which neither overflows before the product does."""
    xp = namespace(input)
    if other.dtype.kind == "c":
        return input * xp.power(2, other)
    half = xp.trunc(other / 2)
    return input * xp.exp2(half) * xp.exp2(other - half)


def _check_exponent(input: Any, other: Any) -> None:
    require_tensors("ldexp", input=input, other=other)
    if other.dtype == np.bool_ and input.dtype.kind in "fV":
        raise NotImplementedError("\"ldexp_cpu_exp\" not implemented for 'Bool'")


@op(
    check=_check_exponent,
    promote="float",
    input=lambda g, other: ldexp(g, other),
    other=lambda g, out: g * out * math.log(2),
)
def ldexp(input, other):
    """`input * 2**other` of two tensors that broadcast, exact for whole exponents; integers become floating."""
    require_tensors("ldexp", input=input, other=other)
    return _scaled_by(input, other).astype(input.dtype, copy=False)


def _power_type(*operands: Any) -> dtypes.dtype:
    if not any(isinstance(value, Variable) for value in operands):
        raise TypeError("float_power(): one of input and exponent must be a Tensor")
    complex_ = any(isinstance(v, complex) or (isinstance(v, Variable) and v._array.dtype.kind == "c") for v in operands)
    return dtypes.complex128 if complex_ else dtypes.float64


def float_power(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """`input ** exponent` in float64, or complex128 if either is complex; either may be a number.

    RuntimeError for an `out` of another type.
    """
    type_ = _power_type(input, exponent)
    if out is not None and out.dtype is not type_:
        given, wanted = dtypes.scalar_type_name(out.dtype), dtypes.scalar_type_name(type_)
        raise RuntimeError(
            f"the output given to float_power has dtype {given} but the operation's result requires dtype {wanted}"
        )
    base, power = (cast(v, type_) if isinstance(v, Variable) else v for v in (input, exponent))
    return pow(base, power, out=out)


def float_power_(self: Any, exponent: Any) -> Any:
    """In-place version of `float_power`; RuntimeError unless the tensor has the result's type."""
    type_ = _power_type(self, exponent)
    if self.dtype is not type_:
        given, wanted = dtypes.scalar_type_name(self.dtype), dtypes.scalar_type_name(type_)
        raise RuntimeError(
            f"the base given to float_power_ has dtype {given} but the operation's result requires dtype {wanted}"
        )
    return self.pow_(cast(exponent, type_) if isinstance(exponent, Variable) else exponent)


__all__ = ["float_power", "float_power_", "frexp", "gcd", "lcm", "ldexp", "nextafter"]
