"""Elementwise arithmetic, exponentials, trigonometry, rounding, clamping.

Gradient formulas of complex functions carry no conjugates: the engine conjugates complex gradients where they enter
and leave the graph, so a holomorphic function's formula is its derivative, as for real numbers.
"""

from __future__ import annotations

import builtins
import cmath
import math
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import Variable, op
from ..engine.half import is_half, narrowed, widened
from .convert import cast
from .refuse import both, no_bool, no_complex, no_integers

# --- arithmetic ---------------------------------------------------------------------------------------------------


def _check_no_bool(*operands: Any) -> None:
    """PyTorch subtracts no bool, lest a mask be inverted by `1 - mask`."""
    bools = [o.dtype == np.bool_ if hasattr(o, "dtype") else isinstance(o, bool) for o in operands]
    if builtins.all(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
            "operator instead."
        )
    if builtins.any(bools):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )


@op(promote="same", input=lambda g: g, other=lambda g: g)
def _add(input, other):
    return input + other


@op(check=_check_no_bool, promote="same", input=lambda g: g, other=lambda g: -g)
def _sub(input, other):
    return input - other


@op(check=_check_no_bool, promote="same", name="RsubBackward1", input=lambda g: -g, other=lambda g: g)
def _rsub(input, other):
    return other - input


@op(promote="same", input=lambda g, other: g * other, other=lambda g, input: g * input)
def mul(input, other):
    """`input * other`, elementwise with broadcasting."""
    return input * other


@op(promote="float", input=lambda g, other: g / other, other=lambda g, input, other: -g * ((input / other) / other))
def _div(input, other):
    return input / other


def add(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """`input + alpha * other`."""
    if alpha != 1:
        other = _scaled(other, alpha, input)
    return _add(input, other) if out is None else _add(input, other, out=out)


def sub(input: Any, other: Any, *, alpha: Any = 1, out: Any = None) -> Any:
    """`input - alpha * other`."""
    if alpha != 1:
        other = _scaled(other, alpha, input)
    return _sub(input, other) if out is None else _sub(input, other, out=out)


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """`other - alpha * input`."""
    return _rsub(input if alpha == 1 else _scaled(input, alpha, other), other)


def _common_type(*operands: Any) -> dtypes.dtype:
    tensors = [x for x in operands if isinstance(x, Variable)]
    return dtypes.combine(
        [dtypes.from_numpy(x._array.dtype) for x in tensors if x._array.ndim],
        [dtypes.from_numpy(x._array.dtype) for x in tensors if not x._array.ndim],
        [dtypes.of_scalar(x) for x in operands if not isinstance(x, Variable)],
    )


def _scaled(value: Any, alpha: Any, partner: Any) -> Any:
    """`alpha * value` in the type that a sum with `partner` will have; RuntimeError for a fraction of integers."""
    if not isinstance(value, Variable):
        return value * alpha
    common = _common_type(value, partner)
    if common.category in ("int", "bool") and isinstance(alpha, float):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    return cast(value, common) * (bool(alpha) if common is dtypes.bool else alpha)


def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Any:
    """`input / other`; `rounding_mode` "trunc" rounds the quotient toward zero, "floor" down."""
    if rounding_mode is None:
        return _div(input, other) if out is None else _div(input, other, out=out)
    if rounding_mode == "floor":
        return _div_floor(input, other, out=out)
    if rounding_mode == "trunc":
        return _div_trunc(input, other, out=out)
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")


def _check_integer_division(divisor: Any) -> None:
    kind = divisor.dtype.kind if hasattr(divisor, "dtype") else "i" if isinstance(divisor, int) else "f"
    if kind in "iu" and isinstance(divisor, (int, np.ndarray)) and np.any(np.equal(divisor, 0)):
        raise RuntimeError("ZeroDivisionError")


@op(
    check=no_bool("div_floor_cpu", operands=2),
    promote="same",
    name="DivBackward1",
    input=lambda g: g * 0,
    other=lambda g: g * 0,
)
def _div_floor(input, other):
    _check_integer_division(other)
    xp = namespace(input if hasattr(input, "dtype") else other)
    return xp.floor_divide(input, other)


@op(promote="same", name="DivBackward1", input=lambda g: g * 0, other=lambda g: g * 0)
def _div_trunc(input, other):
    _check_integer_division(other)
    xp = namespace(input if hasattr(input, "dtype") else other)
    if (input.dtype if hasattr(input, "dtype") else other.dtype).kind in "iub":
        quotient = xp.floor_divide(input, other)
        return quotient + ((quotient < 0) & (quotient * other != input)).astype(quotient.dtype)
    return xp.trunc(input / other)


@op(check=no_bool("div_floor_cpu", operands=2), promote="same")
def floor_divide(input, other):
    """`floor(input / other)`; not differentiable."""
    return _div_floor.plain(input, other)


def _remainder_other(g, input, other):
    return -g * _div_floor(input, other)


@op(check=no_bool("remainder_cpu", operands=2), promote="same", input=lambda g: g, other=_remainder_other)
def remainder(input, other):
    """Python's modulus: the result has the divisor's sign."""
    _check_integer_division(other)
    xp = namespace(input if hasattr(input, "dtype") else other)
    return xp.remainder(input, other)


@op(
    check=no_bool("fmod_cpu", operands=2),
    promote="same",
    input=lambda g: g,
    other=lambda g, input, other: -g * _div_trunc(input, other),
)
def fmod(input, other):
    """C's modulus: the result has the dividend's sign."""
    _check_integer_division(other)
    xp = namespace(input if hasattr(input, "dtype") else other)
    return xp.fmod(input, other)


@op(half="keep", input=lambda g: -g)
def neg(input):
    """`-input`."""
    if input.dtype == np.bool_:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
            "the `~` or `logical_not()` operator instead."
        )
    return -input


def positive(input: Any) -> Any:
    """The tensor itself; RuntimeError for bool."""
    if input.dtype is dtypes.bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@op(half="keep", check=no_bool("abs_cpu"), input=lambda g, input: g * _abs_slope(input))
def abs(input):
    """The absolute value (of a complex number, its magnitude)."""
    return namespace(input).abs(input)


@op(
    half="keep",
    check=no_complex("", "torch.sign is not defined for complex numbers: use torch.sgn"),
    input=lambda g: g * 0,
)
def sign(input):
    """-1, 0 or 1; 0 for nan."""
    kind = input.dtype.kind
    if kind == "b":
        return input.copy()
    if kind not in "fV":
        return namespace(input).sign(input)
    return (input > 0).astype(input.dtype) - (input < 0).astype(input.dtype)


def _sgn_input(g, input, out):
    if not is_complex_valued(input):
        return g * 0
    size = abs(input)
    safe = where(size == 0, 1.0, size)
    # d sgn(z) = (dz - sgn(z) Re(conj(sgn(z)) dz)) / |z|, written for the conjugated gradient
    return where(size == 0, 0.0, (g - conj(out) * real(g * out)) / safe)


@op(half="keep", input=_sgn_input)
def sgn(input):
    """`sign` for real tensors; `z / |z|` (0 at 0) for complex ones."""
    xp = namespace(input)
    if input.dtype.kind != "c":
        return sign.plain(input)
    size = xp.abs(input)
    return xp.where(size == 0, 0, input / xp.where(size == 0, 1, size)).astype(input.dtype)


def is_complex_valued(value: Any) -> bool:
    return value._array.dtype.kind == "c" if isinstance(value, Variable) else value.dtype.kind == "c"


def _abs_slope(input):
    return conj(sgn(input)) if is_complex_valued(input) else sign(input)


@op(
    check=no_bool("addcmul_cpu_out", operands=3),
    promote="same",
    promoted=("input", "tensor1", "tensor2"),
    input=lambda g: g,
    tensor1=lambda g, tensor2, value: g * tensor2 * value,
    tensor2=lambda g, tensor1, value: g * tensor1 * value,
)
def addcmul(input, tensor1, tensor2, *, value=1):
    """`input + value * tensor1 * tensor2`."""
    return input + (tensor1 * tensor2 if value == 1 else value * tensor1 * tensor2)


@op(
    promote="same",
    promoted=("input", "tensor1", "tensor2"),
    input=lambda g: g,
    tensor1=lambda g, tensor2, value: g * value / tensor2,
    tensor2=lambda g, tensor1, tensor2, value: -g * value * tensor1 / (tensor2 * tensor2),
)
def addcdiv(input, tensor1, tensor2, *, value=1):
    """`input + value * tensor1 / tensor2`."""
    if tensor1.dtype.kind in "iub" and tensor2.dtype.kind in "iub":
        raise RuntimeError("Integer division with addcdiv is no longer supported; cast to a floating type first.")
    return input + (tensor1 / tensor2 if value == 1 else value * tensor1 / tensor2)


@op(
    input=lambda g, weight: g * (1 - weight),
    end=lambda g, weight: g * weight,
    weight=lambda g, input, end: g * (end - input),
)
def lerp(input, end, weight):
    """`input + weight * (end - input)`, all of one type."""
    for name, value in (("end", end), ("weight", weight)):
        if hasattr(value, "dtype") and value.dtype != input.dtype:
            wanted, got = (dtypes.scalar_type_name(x.dtype).lower() for x in (input, value))
            raise RuntimeError(f"expected dtype {wanted} for `{name}` but got dtype {got}")
    return (input + weight * (end - input)).astype(input.dtype, copy=False)


# --- powers, exponentials, logarithms -----------------------------------------------------------------------------


def _pow_input(g, input, exponent):
    if isinstance(exponent, (int, float, complex)):
        if exponent == 0:
            return g * 0
        if exponent == 2 and not isinstance(input, Variable):
            return g * (2 * input)
        return g * (exponent * input ** (exponent - 1))  # a constant still hangs on input, as in PyTorch
    return where(exponent == 0, g * 0, g * (exponent * _pow(input, where(exponent == 0, 1.0, exponent) - 1)))


def _pow_exponent(g, input, exponent, out):
    # At base 0 the derivative is 0 where the exponent is positive, and log(0) where it is not.
    return where((input == 0) & _positive(exponent), g * 0, g * (out * log(input)))


def _pow_number_exponent(g, input, exponent, out):
    if isinstance(input, complex):
        return g * (out * cmath.log(input))
    slope = out * (math.log(input) if input > 0 else -math.inf if input == 0 else math.nan)
    return where(_positive(exponent), g * 0, g * slope) if input == 0 else g * slope


def _positive(exponent: Any) -> Any:
    return (exponent.real >= 0) & (exponent.imag == 0) if is_complex_valued(exponent) else exponent >= 0


@op(promote="same", promoted=("input", "exponent"), name="PowBackward0", input=_pow_input)
def _pow_number(input, exponent):
    if exponent == 2:
        return input * input
    if exponent == 0.5 and input.dtype.kind == "f":
        return namespace(input).sqrt(input)
    if input.dtype.kind in "iu" and exponent < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")
    return namespace(input).power(input, exponent)


def _power(input: Any, exponent: Any) -> Any:
    """Powers; of integers to negative integers as PyTorch rounds them: only 1 and -1 have one that is not 0."""
    xp = namespace(exponent)
    if exponent.dtype.kind != "i":
        return xp.power(input, exponent)
    whole = xp.power(input, xp.maximum(exponent, 0))
    inverse = (input == 1) + (input == -1) * (1 - 2 * (exponent & 1))
    return xp.where(exponent < 0, inverse.astype(whole.dtype), whole)


@op(
    check=no_bool("pow", operands=2),
    promote="same",
    promoted=("input", "exponent"),
    name="PowBackward1",
    input=_pow_input,
    exponent=_pow_exponent,
)
def _pow(input, exponent):
    return _power(input, exponent)


@op(promote="same", promoted=("input", "exponent"), name="PowBackward2", exponent=_pow_number_exponent)
def _number_pow(input, exponent):
    return _power(input, exponent)


def pow(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """`input ** exponent`; either may be a number."""
    if not isinstance(input, Variable):
        function = _number_pow
    else:
        function = _pow if isinstance(exponent, Variable) else _pow_number
    return function(input, exponent) if out is None else function(input, exponent, out=out)


@op(promote="float", input=lambda g, out: g * out)
def exp(input):
    """e to the power of each element."""
    return namespace(input).exp(input)


@op(promote="float", input=lambda g, out: g * out * math.log(2))
def exp2(input):
    """2 to the power of each element."""
    return namespace(input).exp2(input)


@op(promote="float", input=lambda g, out: g * (out + 1))
def expm1(input):
    """`exp(input) - 1`, exact for small input."""
    return namespace(input).expm1(input)


@op(promote="float", input=lambda g, input: g / input)
def log(input):
    """The natural logarithm."""
    return namespace(input).log(input)


@op(promote="float", input=lambda g, input: g / (input * math.log(2)))
def log2(input):
    """The logarithm to base 2."""
    return namespace(input).log2(input)


@op(promote="float", input=lambda g, input: g / (input * math.log(10)))
def log10(input):
    """The logarithm to base 10."""
    return namespace(input).log10(input)


@op(promote="float", name="Log1PBackward0", input=lambda g, input: g / (input + 1))
def log1p(input):
    """`log(1 + input)`, exact for small input."""
    return namespace(input).log1p(input)


@op(promote="float", input=lambda g, out: g / (2 * out))
def sqrt(input):
    """The square root."""
    return namespace(input).sqrt(input)


@op(promote="float", input=lambda g, out: g * (-0.5 * out * out * out))
def rsqrt(input):
    """`1 / sqrt(input)`."""
    return 1 / namespace(input).sqrt(input)


@op(promote="float", input=lambda g, out: -g * (out * out))
def reciprocal(input):
    """`1 / input`."""
    return 1 / input


@op(name="PowBackward0", input=lambda g, input: _pow_input(g, input, 2))
def square(input):
    """`input * input`; bool counts as int64."""
    if input.dtype == np.bool_:
        return input.astype(np.int64)
    return input * input


# --- trigonometry -------------------------------------------------------------------------------------------------


@op(promote="float", input=lambda g, input: g * cos(input))
def sin(input):
    """The sine."""
    return namespace(input).sin(input)


@op(promote="float", input=lambda g, input: -g * sin(input))
def cos(input):
    """The cosine."""
    return namespace(input).cos(input)


@op(promote="float", input=lambda g, out: g * (1 + out * out))
def tan(input):
    """The tangent."""
    return namespace(input).tan(input)


@op(promote="float", input=lambda g, input: g * rsqrt(1 - input * input))
def asin(input):
    """The inverse sine."""
    return namespace(input).arcsin(input)


@op(promote="float", input=lambda g, input: -g * rsqrt(1 - input * input))
def acos(input):
    """The inverse cosine."""
    return namespace(input).arccos(input)


@op(promote="float", input=lambda g, input: g / (input * input + 1))
def atan(input):
    """The inverse tangent."""
    return namespace(input).arctan(input)


def _atan2_input(g, input, other):
    return g * (other / (input * input + other * other))


def _atan2_other(g, input, other):
    return -g * (input / (input * input + other * other))


@op(promote="float", input=_atan2_input, other=_atan2_other)
def atan2(input, other):
    """The angle of the point (other, input)."""
    xp = namespace(input if hasattr(input, "dtype") else other)
    return xp.arctan2(input, other)


@op(promote="float", input=lambda g, input: g * cosh(input))
def sinh(input):
    """The hyperbolic sine."""
    return namespace(input).sinh(input)


@op(promote="float", input=lambda g, input: g * sinh(input))
def cosh(input):
    """The hyperbolic cosine."""
    return namespace(input).cosh(input)


@op(promote="float", input=lambda g, out: g * (1 - out * out))
def tanh(input):
    """The hyperbolic tangent."""
    return namespace(input).tanh(input)


@op(promote="float", input=lambda g, input: g * rsqrt(input * input + 1))
def asinh(input):
    """The inverse hyperbolic sine."""
    return namespace(input).arcsinh(input)


@op(promote="float", input=lambda g, input: g * rsqrt(input * input - 1))
def acosh(input):
    """The inverse hyperbolic cosine."""
    return namespace(input).arccosh(input)


@op(promote="float", input=lambda g, input: g / (1 - input * input))
def atanh(input):
    """The inverse hyperbolic tangent."""
    return namespace(input).arctanh(input)


@op(promote="float", input=lambda g, input: g * _sinc_slope(input))
def sinc(input):
    """`sin(pi x) / (pi x)`, 1 at 0."""
    return namespace(input).sinc(input)


def _sinc_slope(input):
    # Nearly 0 / 0 close to the origin, where the series is exact to the last digit.
    scaled = input * math.pi
    small = abs(scaled) < 1e-3
    away = where(small, 1.0, scaled)
    series = -(math.pi / 3) * scaled * (1 - scaled * scaled / 10)
    return where(small, series, math.pi * (cos(away) * away - sin(away)) / (away * away))


# --- logistic family ----------------------------------------------------------------------------------------------


@op(promote="float", input=lambda g, out: g * ((1 - out) * out))
def sigmoid(input):
    """`1 / (1 + exp(-input))`."""
    xp = namespace(input)
    if input.dtype.kind == "c":
        return 1 / (1 + xp.exp(-input))
    # In this form nothing overflows; the result is exact where the plain quotient is.
    return 0.5 * xp.tanh(0.5 * input) + 0.5


@op(
    check=no_complex("logit_cpu"),
    promote="float",
    promoted=("input",),
    input=lambda g, input, eps: _logit_input(g, input, eps),
)
def logit(input, eps=None):
    """`log(x / (1 - x))`, with x first clamped to [eps, 1 - eps] if `eps` is given."""
    xp = namespace(input)
    x = input if eps is None else xp.clip(input, eps, 1 - eps)
    return xp.log(x / (1 - x))


def _logit_input(g, input, eps):
    slope = g / (input * (1 - input))
    if eps is None:
        return where((input < 0) | (input > 1), math.nan, slope)
    return where((input < eps) | (input > 1 - eps), g * 0, slope)


# --- rounding -----------------------------------------------------------------------------------------------------


def _keep_integers(input: Any, function: str) -> Any:
    return input.copy() if input.dtype.kind in "iu" else getattr(namespace(input), function)(input)


@op(
    half="keep",
    check=both(no_complex("", "ceil is not supported for complex inputs"), no_bool("ceil_vml_cpu")),
    input=lambda g: g * 0,
)
def ceil(input):
    """Rounds up."""
    return _keep_integers(input, "ceil")


@op(
    half="keep",
    check=both(no_complex("", "floor is not supported for complex inputs"), no_bool("floor_vml_cpu")),
    input=lambda g: g * 0,
)
def floor(input):
    """Rounds down."""
    return _keep_integers(input, "floor")


@op(check=both(no_complex("round_vml_cpu"), no_bool("round_vml_cpu")), input=lambda g: g * 0)
def round(input, *, decimals=0):
    """Rounds to the nearest integer, halves to even; or to `decimals` places."""
    return input.copy() if input.dtype.kind in "iu" else namespace(input).round(input, decimals)


@op(
    half="keep",
    check=both(no_complex("", "trunc is not supported for complex inputs"), no_bool("trunc_vml_cpu")),
    input=lambda g: g * 0,
)
def trunc(input):
    """Rounds toward zero."""
    return _keep_integers(input, "trunc")


@op(check=both(no_complex("frac_cpu"), no_integers("frac_cpu")), input=lambda g: g)
def frac(input):
    """What `trunc` takes away."""
    return input - namespace(input).trunc(input)


# --- clamping, selection ------------------------------------------------------------------------------------------


def _clamp_input(g, input, min, max):
    inside = input <= max if min is None else input >= min
    if min is not None and max is not None:
        inside = inside & (input <= max)
    return where(inside, g, g * 0)


def _clamp_min(g, input, min, max):
    chosen = input < min
    if max is not None:
        chosen = chosen & (min < max)
    return where(chosen, g, g * 0)


def _clamp_max(g, input, min, max):
    chosen = input > max
    if min is not None:
        chosen = chosen | (min > max)
    return where(chosen, g, g * 0)


@op(
    check=no_complex("", "clamp is not supported for complex types"),
    promote="same",
    promoted=("input", "min", "max"),
    input=_clamp_input,
    min=_clamp_min,
    max=_clamp_max,
)
def clamp(input, min=None, max=None):
    """Elements below `min` become `min`, above `max` become `max`; bounds are numbers, tensors or None."""
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    xp = namespace(input)
    result = input if min is None else xp.maximum(input, min)
    return result if max is None else xp.minimum(result, max)


def clamp_min(input: Any, min: Any, *, out: Any = None) -> Any:
    """`clamp(input, min=min)`."""
    return clamp(input, min, out=out)


def clamp_max(input: Any, max: Any, *, out: Any = None) -> Any:
    """`clamp(input, max=max)`."""
    return clamp(input, None, max, out=out)


def _half_where_equal(g, input, other, lost):
    return where(input == other, g * 0.5, where(lost, g * 0, g))


@op(
    check=no_complex("", "maximum not implemented for complex tensors.", RuntimeError),
    promote="same",
    input=lambda g, input, other: _half_where_equal(g, input, other, input < other),
    other=lambda g, input, other: _half_where_equal(g, input, other, input > other),
)
def maximum(input, other):
    """The larger of each pair; nan if one is nan."""
    return namespace(input).maximum(input, other)


@op(
    check=no_complex("", "minimum not implemented for complex tensors.", RuntimeError),
    promote="same",
    input=lambda g, input, other: _half_where_equal(g, input, other, input > other),
    other=lambda g, input, other: _half_where_equal(g, input, other, input < other),
)
def minimum(input, other):
    """The smaller of each pair; nan if one is nan."""
    return namespace(input).minimum(input, other)


def _keep(g, chosen):
    return where(chosen, g, g * 0)


@op(
    check=no_complex("", "fmax not implemented for complex tensors.", RuntimeError),
    promote="same",
    input=lambda g, input, other: _keep(g, (input >= other) | isnan(other)),
    other=lambda g, input, other: _keep(g, ~((input >= other) | isnan(other))),
)
def fmax(input, other):
    """The larger of each pair; a nan loses against a number."""
    return namespace(input).fmax(input, other)


@op(
    check=no_complex("", "fmin not implemented for complex tensors.", RuntimeError),
    promote="same",
    input=lambda g, input, other: _keep(g, (input <= other) | isnan(other)),
    other=lambda g, input, other: _keep(g, ~((input <= other) | isnan(other))),
)
def fmin(input, other):
    """The smaller of each pair; a nan loses against a number."""
    return namespace(input).fmin(input, other)


@op(
    promote="same",
    promoted=("input", "other"),
    name="WhereBackward0",
    input=lambda g, condition: _where(condition, g, g * 0),
    other=lambda g, condition: _where(condition, g * 0, g),
)
def _where(condition, input, other):
    xp = namespace(condition)
    if condition.dtype != np.bool_:
        if condition.dtype != np.uint8:
            raise RuntimeError(
                f"where expected condition to be a boolean tensor, but got a tensor with dtype "
                f"{dtypes.scalar_type_name(condition.dtype)}"
            )
        condition = condition.astype(bool)
    result = xp.where(condition, input, other)
    if not hasattr(input, "dtype") and not hasattr(other, "dtype"):
        both = dtypes.promote_types(dtypes.of_scalar(input), dtypes.of_scalar(other))
        result = result.astype(both.numpy)
    return result


def where(condition: Any, input: Any = None, other: Any = None, *, out: Any = None) -> Any:
    """Elements of `input` where `condition` (bool) holds, of `other` elsewhere; with `condition` alone, its indices."""
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    return _where(condition, input, other) if out is None else _where(condition, input, other, out=out)


@op(half="keep", input=lambda g, input: where(isnan(input) | isinf(input), g * 0, g))
def nan_to_num(input, nan=0.0, posinf=None, neginf=None):
    """nan becomes `nan`, infinities the largest finite numbers or the values given."""
    if input.dtype.kind in "iub":
        return input.copy()
    if is_half(input):
        limit = dtypes.finfo(dtypes.from_numpy(input.dtype)).max
        posinf, neginf = limit if posinf is None else posinf, -limit if neginf is None else neginf
        return narrowed(nan_to_num.plain(widened(input), nan, posinf, neginf), input)
    return namespace(input).nan_to_num(input, nan=0.0 if nan is None else nan, posinf=posinf, neginf=neginf)


@op(
    check=no_integers("hypot_cpu", operands=2),
    promote="float",
    input=lambda g, input, out: g * (input / out),
    other=lambda g, other, out: g * (other / out),
)
def hypot(input, other):
    """`sqrt(input^2 + other^2)` without overflow."""
    return namespace(input).hypot(input, other)


@op(promote="float", input=lambda g, input, out: g * exp(input - out), other=lambda g, other, out: g * exp(other - out))
def logaddexp(input, other):
    """`log(exp(input) + exp(other))` without overflow."""
    xp = namespace(input)
    if input.dtype.kind == "c":
        first = input.real >= other.real
        top, low = xp.where(first, input, other), xp.where(first, other, input)
        return top + xp.log1p(xp.exp(low - top))
    return xp.logaddexp(input, other)


@op(
    promote="float",
    input=lambda g, input, out: g * exp2(input - out),
    other=lambda g, other, out: g * exp2(other - out),
)
def logaddexp2(input, other):
    """`log2(2^input + 2^other)` without overflow."""
    return namespace(input).logaddexp2(input, other)


def _xlogy_input(g, input, other):
    slope = log(other) if hasattr(other, "dtype") else float(np.log(other))
    return g * where((input == 0) & (other <= 0), 0.0, slope)


@op(
    check=no_complex("xlogy_cpu"),
    promote="float",
    input=_xlogy_input,
    other=lambda g, input, other: g * (input / other),
)
def xlogy(input, other):
    """`input * log(other)`, 0 where input is 0 (nan where other is nan)."""
    xp = namespace(input if hasattr(input, "dtype") else other)
    input = xp.asarray(input, dtype=getattr(other, "dtype", None))
    other = xp.asarray(other, dtype=input.dtype)
    return xp.where((input == 0) & ~xp.isnan(other), 0, input * xp.log(other))


def _check_heaviside(input: Any, values: Any) -> None:
    if input.dtype.kind == "c" or values.dtype.kind == "c":
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if input.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")


@op(check=_check_heaviside, promote="same", promoted=("input", "values"))
def heaviside(input, values):
    """0 below zero, 1 above, `values` at zero."""
    return namespace(input).heaviside(input, values).astype(input.dtype)


@op(promote="float", input=lambda g, input, out: _copysign_input(g, input, out), other=lambda g: g * 0)
def copysign(input, other):
    """The magnitude of `input` with the sign of `other`."""
    xp = namespace(other if hasattr(other, "dtype") else input)
    return xp.copysign(input, other)


def _copysign_input(g, input, out):
    return where(input == 0, 0.0, g * (out / where(input == 0, 1.0, input)))


@op(
    check=no_complex("", "deg2rad is not supported for complex tensors.", RuntimeError),
    promote="float",
    input=lambda g: g * (math.pi / 180),
)
def deg2rad(input):
    """Degrees to radians."""
    return input * (math.pi / 180)


@op(
    check=no_complex("", "rad2deg is not supported for complex tensors.", RuntimeError),
    promote="float",
    input=lambda g: g * (180 / math.pi),
)
def rad2deg(input):
    """Radians to degrees."""
    return input * (180 / math.pi)


# --- complex parts ------------------------------------------------------------------------------------------------


@op(half="keep", input=lambda g: conj(g))
def conj(input):
    """The complex conjugate; real tensors come back as they are."""
    return namespace(input).conj(input) if input.dtype.kind == "c" else input


@op(view=True, input=lambda g: g)
def real(input):
    """The real part, a view; a real tensor comes back as it is."""
    return input.real if input.dtype.kind == "c" else input


@op(view=True, input=lambda g: g * -1j)
def imag(input):
    """The imaginary part, a view; RuntimeError for real tensors."""
    if input.dtype.kind != "c":
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return input.imag


@op(input=lambda g, input: _angle_input(g, input))
def angle(input):
    """The argument of complex numbers; of real ones 0 or pi."""
    if input.dtype.kind in "biu":
        input = input.astype(dtypes.get_default_dtype().numpy)
    return namespace(input).angle(input)


def _angle_input(g, input):
    if not is_complex_valued(input):
        return g * 0
    re, im = real(input), imag(input)
    square_ = re * re + im * im
    return where(square_ == 0, 0j, (g * (-im / square_)) + (g * (re / square_)) * -1j)


# --- comparison, logic, bits --------------------------------------------------------------------------------------


@op(promote="same")
def eq(input, other):
    """`input == other`."""
    return namespace(input).equal(input, other)


@op(promote="same")
def ne(input, other):
    """`input != other`."""
    return namespace(input).not_equal(input, other)


@op(check=no_complex("lt_cpu"), promote="same")
def lt(input, other):
    """`input < other`."""
    return namespace(input).less(input, other)


@op(check=no_complex("le_cpu"), promote="same")
def le(input, other):
    """`input <= other`."""
    return namespace(input).less_equal(input, other)


@op(check=no_complex("gt_cpu"), promote="same")
def gt(input, other):
    """`input > other`."""
    return namespace(input).greater(input, other)


@op(check=no_complex("ge_cpu"), promote="same")
def ge(input, other):
    """`input >= other`."""
    return namespace(input).greater_equal(input, other)


@op()
def isnan(input):
    """Where elements are nan."""
    return input != input


@op()
def isinf(input):
    """Where elements are infinite."""
    return namespace(input).isinf(input)


@op()
def isfinite(input):
    """Where elements are neither infinite nor nan."""
    return namespace(input).isfinite(input)


@op(check=no_complex("", "isposinf does not support complex inputs.", RuntimeError))
def isposinf(input):
    """Where elements are +inf."""
    return namespace(input).isposinf(input)


@op(check=no_complex("", "isneginf does not support complex inputs.", RuntimeError))
def isneginf(input):
    """Where elements are -inf."""
    return namespace(input).isneginf(input)


@op()
def isreal(input):
    """Where elements have no imaginary part."""
    return namespace(input).isreal(input)


@op(check=no_complex("", "signbit is not implemented for complex tensors."))
def signbit(input):
    """Where the sign bit is set."""
    return namespace(input).signbit(input) if input.dtype.kind in "fV" else input < 0


@op(promote="same")
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Where `|input - other| <= atol + rtol * |other|`."""
    return namespace(input).isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


@op()
def logical_not(input):
    """Where elements are zero."""
    return input == 0


@op()
def logical_and(input, other):
    """Where both are nonzero."""
    return namespace(input).logical_and(input, other)


@op()
def logical_or(input, other):
    """Where at least one is nonzero."""
    return namespace(input).logical_or(input, other)


@op()
def logical_xor(input, other):
    """Where exactly one is nonzero."""
    return namespace(input).logical_xor(input, other)


@op(promote="same")
def bitwise_and(input, other):
    """Bitwise (for bool, logical) and."""
    return namespace(input).bitwise_and(input, other)


@op(promote="same")
def bitwise_or(input, other):
    """Bitwise (for bool, logical) or."""
    return namespace(input).bitwise_or(input, other)


@op(promote="same")
def bitwise_xor(input, other):
    """Bitwise (for bool, logical) exclusive or."""
    return namespace(input).bitwise_xor(input, other)


@op()
def bitwise_not(input):
    """Bitwise (for bool, logical) not."""
    return namespace(input).invert(input)


@op(check=no_bool("lshift_cpu", operands=2), promote="same")
def bitwise_left_shift(input, other):
    """`input << other`."""
    return namespace(input).left_shift(input, other)


@op(check=no_bool("rshift_cpu", operands=2), promote="same")
def bitwise_right_shift(input, other):
    """`input >> other`."""
    return namespace(input).right_shift(input, other)
