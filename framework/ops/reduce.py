"""Reductions and scans."""

from __future__ import annotations

import builtins
import math
import warnings
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import Variable, numpy_names, op
from ..engine.half import narrowed, widened
from . import pointwise
from .index import _scatter_add_zeros
from .pointwise import _abs_slope, abs, conj, exp, isclose, where
from .refuse import both, no_bool, no_complex
from .results import named_result
from .shape import cat, expand, flip, narrow, reshape, shape_of, unsqueeze, wrap_dim, wrap_dims


def kept_shape(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` with the reduced dimensions as ones."""
    return tuple(1 if d in dims else n for d, n in enumerate(shape))


def spread(g: Any, shape: tuple[int, ...], dim: Any) -> Any:
    """A reduction's gradient, of any keepdim, expanded back to the input's shape."""
    return expand(keep(g, shape, dim), shape)


def keep(value: Any, shape: tuple[int, ...], dim: Any) -> Any:
    """A reduction's result with its reduced dimensions as ones."""
    return reshape(value, kept_shape(shape, _dims(dim, len(shape)) if shape else ()))


def _dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """Dimensions to reduce; an empty list means all, as in PyTorch."""
    if type(dim) is int and -ndim <= dim < ndim:
        return (dim % ndim,)
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return tuple(range(ndim))
    return wrap_dims(dim, ndim) if ndim else _check_scalar_dims(dim)


def _check_scalar_dims(dim: Any) -> tuple[int, ...]:
    wrap_dims(dim, 0)
    return ()


# --- sums and means -----------------------------------------------------------------------------------------------


def _sum_type(input: Any, dtype: Any) -> Any:
    if dtype is not None:
        return dtype.numpy
    return np.dtype(np.int64) if input.dtype.kind in "biu" else None


def _added(input: Any, axes: Any, keepdim: bool, dtype: Any) -> Any:
    own = input.dtype
    if dtype is None and own.kind in "fc" and own.itemsize > 2:
        if type(input) is np.ndarray:  # the method takes a detour through Python, from where it warns of overflow
            return np.add.reduce(input, axes, keepdims=keepdim)  # type: ignore[call-overload]
        return input.sum(axis=axes, keepdims=keepdim)
    if dtype is None:
        return narrowed(widened(input).sum(axis=axes, keepdims=keepdim, dtype=_sum_type(input, None)), input)
    return input.sum(axis=axes, keepdims=keepdim, dtype=dtype.numpy)


@op(name="SumBackward0", input=lambda g, input_shape: expand(g, input_shape))
def _sum_all(input, dtype=None):
    return _added(input, None, False, dtype)


@op(name="SumBackward1", input=lambda g, input_shape, dim: spread(g, input_shape, dim))
def _sum(input, dim, keepdim=False, dtype=None):
    return _added(input, _dims(dim, input.ndim), keepdim, dtype)


@numpy_names
def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> Any:
    """The sum over `dim` (an int, several, or all); integers sum to int64."""
    if dim is None and not keepdim and out is None:
        return _sum_all(input) if dtype is None else _sum_all(input, dtype)
    if dim is not None and out is None:
        return _sum(input, dim, keepdim, dtype)
    return _sum(input, () if dim is None else dim, keepdim, dtype, out=out)


def _check_float(name: str, input: Any, dtype: Any) -> None:
    kind = input.dtype if dtype is None else dtype.numpy
    if kind.kind in "biu":
        raise RuntimeError(
            f"{name}(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. "
            f"Got: {dtypes.scalar_type_name(kind)}"
        )


def _count(shape: tuple[int, ...], dim: Any) -> int:
    return math.prod(shape[d] for d in _dims(dim, len(shape))) if shape else 1


@op(name="MeanBackward0", input=lambda g, input_shape: expand(g / math.prod(input_shape), input_shape))
def _mean_all(input, dtype=None):
    _check_float("mean", input, dtype)
    if not input.size:
        return _empty_mean(input, (), dtype)
    wide = widened(input) if dtype is None else input.astype(dtype.numpy)
    mean_ = _added(wide, None, False, None) / input.size
    return narrowed(mean_, input) if dtype is None else mean_


def _empty_mean(input: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    return namespace(input).full(shape, math.nan, input.dtype if dtype is None else dtype.numpy)


@op(name="MeanBackward1", input=lambda g, input_shape, dim: spread(g / _count(input_shape, dim), input_shape, dim))
def _mean(input, dim, keepdim=False, dtype=None):
    _check_float("mean", input, dtype)
    axes = _dims(dim, input.ndim)
    wide = widened(input) if dtype is None else input.astype(dtype.numpy)
    total = _added(wide, axes, keepdim, None)
    mean_ = total / namespace(input).asarray(_count(input.shape, dim), dtype=total.dtype)
    return narrowed(mean_, input) if dtype is None else mean_


@numpy_names
def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> Any:
    """The arithmetic mean over `dim` (an int, several, or all); RuntimeError for integers."""
    if dim is None and not keepdim and out is None:
        return _mean_all(input) if dtype is None else _mean_all(input, dtype)
    return _mean(input, () if dim is None else dim, keepdim, dtype, out=out)


@op(
    check=no_complex("", "nansum on CPU does not support complex inputs", RuntimeError),
    input=lambda g, input, dim: where(input != input, 0.0, spread(g, shape_of(input), dim)),
)
def nansum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum in which nan counts as zero."""
    clean = widened(input)
    if clean.dtype.kind not in "biu":
        clean = namespace(input).nan_to_num(clean, nan=0.0, posinf=math.inf, neginf=-math.inf)
    total = _added(clean, _dims(dim, input.ndim), keepdim, dtype)
    return narrowed(total, input) if dtype is None else total


@numpy_names
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> Any:
    """The mean of the elements that are not nan."""
    count = (~(input != input)).sum(() if dim is None else dim, keepdim)
    result = nansum(input, dim, keepdim, dtype=dtype) / count
    return result if out is None else out.copy_(result)


def _prod_input(g, input, dim):
    # The product of all others, by scans from both sides: exact where elements are zero, and differentiable again.
    shape = shape_of(input)
    if not shape:
        return g
    if dim is None:
        flat = reshape(input, (-1,))
        return reshape(g * _others(flat, 0), shape)
    at = wrap_dim(dim, len(shape))
    return spread(g, shape, at) * _others(input, at)


def _others(x: Any, dim: int) -> Any:
    n = shape_of(x)[dim]
    if n <= 1:
        return x * 0 + 1
    ones = narrow(x, dim, 0, 1) * 0 + 1
    before = cumprod(cat([ones, narrow(x, dim, 0, n - 1)], dim), dim)
    after = flip(cumprod(cat([ones, narrow(flip(x, (dim,)), dim, 0, n - 1)], dim), dim), (dim,))
    return before * after


@op(input=_prod_input)
def prod(input, dim=None, keepdim=False, *, dtype=None):
    """The product over `dim`, or of all elements."""
    axis = None if dim is None else _dims(dim, input.ndim)
    if dtype is None:
        return narrowed(widened(input).prod(axis=axis, keepdims=keepdim, dtype=_sum_type(input, None)), input)
    return input.prod(axis=axis, keepdims=keepdim, dtype=dtype.numpy)


# --- spread -------------------------------------------------------------------------------------------------------


def _variance(name: str, input: Any, dim: Any, correction: Any, keepdim: bool) -> Any:
    if input.dtype.kind in "biu":
        raise RuntimeError("std and var only support floating point and complex dtypes")
    axes = _dims(dim, input.ndim)
    xp = namespace(input)
    mean_ = input.mean(axis=axes, keepdims=True)
    away = input - mean_
    square = (away * away.conj()).real if input.dtype.kind == "c" else away * away
    freedom = _count(input.shape, axes) - correction
    total = square.sum(axis=axes, keepdims=keepdim)
    if freedom <= 0:
        warnings.warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor "
            "(input numel divided by output numel).",
            UserWarning,
            stacklevel=5,
        )
    scale = xp.asarray(builtins.max(freedom, 0), dtype=total.dtype)
    return total / scale


def _var_input(g, input, dim, correction):
    shape = shape_of(input)
    freedom = _count(shape, dim) - correction
    centred = conj(input - _mean(input, () if dim is None else dim, True))
    scale = 2.0 / freedom if freedom > 0 else math.nan if freedom == 0 else 0.0
    return spread(g, shape, dim) * (centred * scale)


@op(name="VarBackward0", input=_var_input)
def _var(input, dim=None, correction=1, keepdim=False):
    return narrowed(_variance("var", widened(input), dim, correction, keepdim), input)


def _std_input(g, input, dim, correction, out):
    safe = where(out == 0, 1.0, out)
    return _var_input(where(out == 0, g * 0, g / (2 * safe)), input, dim, correction)


@op(name="StdBackward0", input=_std_input)
def _std(input, dim=None, correction=1, keepdim=False):
    return narrowed(namespace(input).sqrt(_variance("std", widened(input), dim, correction, keepdim)), input)


def _spread_form(dim: Any, unbiased: Any, correction: Any) -> tuple[Any, Any]:
    if isinstance(dim, bool):  # var(x, unbiased)
        dim, unbiased = None, dim
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    return dim, correction


@numpy_names
def var(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
    out: Any = None,
) -> Any:
    """The variance over `dim`, divided by n - `correction` (1 unless told otherwise)."""
    dim, correction = _spread_form(dim, unbiased, correction)
    return _var(input, dim, correction, keepdim, out=out)


@numpy_names
def std(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: Any = None,
    out: Any = None,
) -> Any:
    """The standard deviation: the root of `var`."""
    dim, correction = _spread_form(dim, unbiased, correction)
    return _std(input, dim, correction, keepdim, out=out)


@numpy_names
def var_mean(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> tuple:
    """`(var, mean)`."""
    dim, correction = _spread_form(dim, unbiased, correction)
    return _var(input, dim, correction, keepdim), mean(input, dim, keepdim)


@numpy_names
def std_mean(
    input: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> tuple:
    """`(std, mean)`."""
    dim, correction = _spread_form(dim, unbiased, correction)
    return _std(input, dim, correction, keepdim), mean(input, dim, keepdim)


# --- extremes -----------------------------------------------------------------------------------------------------


def _shared_among(g, mask, shape, dim):
    """The gradient of an extreme, shared equally by the elements that attain it."""
    return spread(g, shape, dim) * mask / sum_keep(mask, dim)


def _amax_input(g, input, out, dim):
    shape = shape_of(input)
    return _shared_among(g, input == spread(out, shape, dim), shape, dim)


def extreme_all_input(g, input, out):
    """The gradient of one of all elements, shared equally by those that have its value."""
    mask = (input == out) | ((input != input) & (out != out))  # a nan is the largest and the smallest
    return _shared_among(g, mask, shape_of(input), None)


def _check_nonempty(name: str, input: Any, dim: Any) -> None:
    axes = _dims(dim, input.ndim)
    if input.ndim and builtins.any(input.shape[d] == 0 for d in axes):
        if dim is None or dim == ():
            raise RuntimeError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim "
                "with the 'dim' argument."
            )
        raise IndexError(f"{name}(): Expected reduction dim {axes[0]} to have non-zero size.")


@op(half="gradient", check=no_complex("max_values_cpu"), input=_amax_input)
def amax(input, dim=(), keepdim=False):
    """The largest elements over `dim`; equal ones share the gradient."""
    _check_nonempty("amax", input, dim)
    return input.max(axis=_dims(dim, input.ndim), keepdims=keepdim)


@op(half="gradient", check=no_complex("min_values_cpu"), input=_amax_input)
def amin(input, dim=(), keepdim=False):
    """The smallest elements over `dim`; equal ones share the gradient."""
    _check_nonempty("amin", input, dim)
    return input.min(axis=_dims(dim, input.ndim), keepdims=keepdim)


@numpy_names
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False, out: Any = None) -> Any:
    """`(min, max)` over `dim` or of all elements."""
    dims = () if dim is None else dim
    low, high = (None, None) if out is None else out
    return AminMax(amin(input, dims, keepdim, out=low), amax(input, dims, keepdim, out=high))


AminMax = named_result("aminmax", "min", "max")
MaxResult = named_result("max", "values", "indices")
MinResult = named_result("min", "values", "indices")


def pick_grad(g: Any, shape: tuple[int, ...], dim: int, indices: Any) -> Any:
    """The gradient of elements picked along `dim`, of any keepdim, put back where they came from."""
    if not shape:
        return g
    at = wrap_dim(dim, len(shape))
    if len(shape_of(indices)) < len(shape):
        g, indices = unsqueeze(g, at), unsqueeze(indices, at)
    return _scatter_add_zeros(g, shape, at, indices)


def _max_dim_input(g, input_shape, dim, out):
    return pick_grad(g[0], input_shape, dim, out[1])


def _extreme_dim(name: str, input: Any, dim: Any, keepdim: bool, result: Any) -> Any:
    if input.ndim == 0:
        wrap_dim(dim, 0)
        return result(input.copy(), namespace(input).zeros((), np.int64))
    at = _reduced_dim(name, input, dim)
    indices = _positions(name, input, at)
    values = getattr(input, name)(axis=at)
    if keepdim:
        place = (slice(None),) * at + (None, ...)
        values, indices = values[place], indices[place]
    return result(values, indices)


def _reduced_dim(name: str, input: Any, dim: Any) -> int:
    at = wrap_dim(dim, input.ndim)
    if input.shape[at] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {at} to have non-zero size.")
    return at


def _positions(name: str, input: Any, at: int | None) -> Any:
    indices = input.argmax(axis=at) if name == "max" else input.argmin(axis=at)
    return indices if type(indices) is np.ndarray else namespace(input).asarray(indices)


def _ordered(name: str) -> Any:
    return no_complex("", f"{name}(): does not support complex input", RuntimeError)


@op(
    half="gradient",
    check=_ordered("max"),
    name="MaxBackward0",
    input=_max_dim_input,
)
def _max_dim(input, dim, keepdim=False):
    return _extreme_dim("max", input, dim, keepdim, MaxResult)


@op(
    half="gradient",
    check=_ordered("min"),
    name="MinBackward0",
    input=_max_dim_input,
)
def _min_dim(input, dim, keepdim=False):
    return _extreme_dim("min", input, dim, keepdim, MinResult)


@op(half="gradient", check=no_complex("max_all"), name="MaxBackward1", input=extreme_all_input)
def _max_all(input):
    _check_nonempty("max", input, None)
    return input.max()


@op(half="gradient", check=no_complex("min_all"), name="MinBackward1", input=extreme_all_input)
def _min_all(input):
    _check_nonempty("min", input, None)
    return input.min()


@numpy_names
def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
    """The largest element; with `dim` `(values, indices)` along it; with a second tensor the elementwise maximum."""
    return _extreme(input, dim, keepdim, other, out, _max_all, _max_dim, "maximum")


@numpy_names
def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
    """The smallest element; with `dim` `(values, indices)` along it; with a second tensor the elementwise minimum."""
    return _extreme(input, dim, keepdim, other, out, _min_all, _min_dim, "minimum")


def _extreme(input: Any, dim: Any, keepdim: bool, other: Any, out: Any, whole: Any, along: Any, pair: str) -> Any:
    if isinstance(dim, Variable):
        other, dim = dim, None
    if other is not None:
        return (
            getattr(pointwise, pair)(input, other) if out is None else getattr(pointwise, pair)(input, other, out=out)
        )
    if dim is None:
        return whole(input) if out is None else whole(input, out=out)
    return along(input, dim, keepdim) if out is None else along(input, dim, keepdim, out=out)


def _arg(name: str, input: Any, dim: Any, keepdim: bool) -> Any:
    if dim is None:
        if not input.size:
            raise IndexError(
                f"arg{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction "
                "dim with the 'dim' argument."
            )
        return _positions(name, input, None).reshape((1,) * input.ndim if keepdim else ())
    if keepdim or not input.ndim:
        return _extreme_dim(name, input, dim, keepdim, MaxResult)[1]
    return _positions(name, input, _reduced_dim(f"arg{name}", input, dim))


@op(
    check=both(
        _ordered("argmax"),
        no_bool("", "argmax(): does not support bool input", RuntimeError),
    )
)
def argmax(input, dim=None, keepdim=False):
    """The index of the largest element along `dim`, or in the flattened tensor."""
    return _arg("max", input, dim, keepdim)


@op(
    check=both(
        _ordered("argmin"),
        no_bool("", "argmin(): does not support bool input", RuntimeError),
    )
)
def argmin(input, dim=None, keepdim=False):
    """The index of the smallest element along `dim`, or in the flattened tensor."""
    return _arg("min", input, dim, keepdim)


# --- logic and counting -------------------------------------------------------------------------------------------


def _bool_type(input: Any, result: Any) -> Any:
    return result.astype(np.uint8) if input.dtype == np.uint8 else result


@op()
def all(input, dim=None, keepdim=False):
    """Whether all elements (along `dim`) are nonzero."""
    axes = None if dim is None else _dims(dim, input.ndim)
    return _bool_type(input, namespace(input).all(input, axis=axes, keepdims=keepdim))


@op()
def any(input, dim=None, keepdim=False):
    """Whether any element (along `dim`) is nonzero."""
    axes = None if dim is None else _dims(dim, input.ndim)
    return _bool_type(input, namespace(input).any(input, axis=axes, keepdims=keepdim))


@op()
def count_nonzero(input, dim=None):
    """How many elements (along `dim`) are nonzero."""
    axes = None if dim is None else _dims(dim, input.ndim)
    return namespace(input).asarray((input != 0).sum(axis=axes, dtype=np.int64))


# --- norms and exponential sums -----------------------------------------------------------------------------------


@op(promote="float", promoted=("input",), input=lambda g, input, out, dim: _logsumexp_input(g, input, out, dim))
def logsumexp(input, dim, keepdim=False):
    """`log(sum(exp(input)))` over `dim` without overflow."""
    axes = _dims(dim, input.ndim)
    xp = namespace(input)
    wide = widened(input)
    top = wide.max(axis=axes, keepdims=True) if input.size else xp.zeros(kept_shape(input.shape, axes), wide.dtype)
    top = xp.where(xp.isinf(top), xp.zeros_like(top), top)
    result = narrowed(xp.log(xp.exp(wide - top).sum(axis=axes, keepdims=True)) + top, input)
    return result if keepdim else result.reshape(tuple(n for d, n in enumerate(input.shape) if d not in axes))


def _logsumexp_input(g, input, out, dim):
    shape = shape_of(input)
    return spread(g, shape, dim) * exp(input - spread(out, shape, dim))


def _norm_input(g, input, p, dim, out):
    shape = shape_of(input)
    total, grad = spread(out, shape, dim), spread(g, shape, dim)
    size = abs(input)
    direction = _abs_slope(input)
    if p == 0:
        return grad * 0 * direction
    if p == 1:
        return grad * direction
    if p == 2:
        return grad * where(total == 0, 0.0, conj(input) / where(total == 0, 1.0, total))
    if p in (math.inf, -math.inf):
        mask = size == total
        count = spread(mask.sum(_dims(dim, len(shape))), shape, dim)
        return grad * direction * mask / count
    safe = where(total == 0, 1.0, total)
    powered = where(size == 0, 0.0 if p > 1 else 1.0, where(size == 0, 1.0, size) ** (p - 1))
    return where(total == 0, 0.0, grad * direction * powered / safe ** (p - 1))


@op(name="LinalgVectorNormBackward0", input=_norm_input)
def _vector_norm(input, p=2, dim=None, keepdim=False, dtype=None):
    if dtype is not None:
        input = input.astype(dtype.numpy)
    if input.dtype.kind not in "fcV":
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{dtypes.scalar_type_name(input.dtype)}"
        )
    return narrowed(_norm(widened(input), p, _dims(dim, input.ndim), keepdim), input)


def _norm(input: Any, p: Any, axes: tuple[int, ...], keepdim: bool) -> Any:
    xp = namespace(input)
    if p == 2:
        square = (input * input.conj()).real if input.dtype.kind == "c" else input * input
        return xp.sqrt(square.sum(axis=axes, keepdims=keepdim))
    size = xp.abs(input)
    if p == 1:
        return size.sum(axis=axes, keepdims=keepdim)
    if p == 0:
        return (size != 0).sum(axis=axes, keepdims=keepdim).astype(size.dtype)
    if p == math.inf:
        return size.max(axis=axes, keepdims=keepdim)
    if p == -math.inf:
        return size.min(axis=axes, keepdims=keepdim)
    return (size**p).sum(axis=axes, keepdims=keepdim) ** (1.0 / p)


@numpy_names
def vector_norm(
    x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Any:
    """The `ord`-norm of vectors along `dim`, or of all elements."""
    return _vector_norm(x, ord, dim, keepdim, dtype, out=out)


# --- scans --------------------------------------------------------------------------------------------------------


def _from_behind(value: Any, dim: int) -> Any:
    """The running sum along `dim`, from its end."""
    return flip(cumsum(flip(value, (dim,)), dim), (dim,))


@op(input=lambda g, dim: _from_behind(g, dim) if shape_of(g) else g)
def cumsum(input, dim, *, dtype=None):
    """The running sum along `dim`."""
    if input.ndim == 0:
        wrap_dim(dim, 0)
        return input.astype(_sum_type(input, dtype) or input.dtype)
    if dtype is None:
        return narrowed(widened(input).cumsum(axis=wrap_dim(dim, input.ndim), dtype=_sum_type(input, None)), input)
    return input.cumsum(axis=wrap_dim(dim, input.ndim), dtype=dtype.numpy)


def _cumprod_input(g, input, dim, out):
    shape = shape_of(input)
    if not shape:
        return g
    if not isinstance(g, Variable):
        return _cumprod_input_once(g, input, out, dim)
    if not _surely_without_zeros(input):
        return _cumprod_input_with_zeros(g, input, dim)
    return _from_behind(g * out, dim) / input


def _cumprod_input_once(g, input, out, dim):
    # Up to the first zero the quotient rule; at it the products without it; after it nothing. Not to be differentiated
    # again: the slopes of what lies after a zero would be missing.
    zeros = cumsum(input == 0, dim)
    first = (input == 0) & (zeros == 1)
    before = _from_behind(g * out, dim) / where(zeros == 0, input, 1.0)
    at_first = _from_behind(g * cumprod(where(first, 1.0, input), dim), dim)
    return where(zeros == 0, before, where(first, at_first, g * 0))


def _surely_without_zeros(value: Any) -> bool:
    """Whether there is no zero; not asked of a device, which would have to stop for the answer."""
    return type(value._array) is np.ndarray and bool((value._array != 0).all())


def _cumprod_input_with_zeros(g, input, dim):
    # Column by column: d out[k] / d x[j] is the product of the others up to k.
    at = wrap_dim(dim, len(shape_of(input)))
    n = shape_of(input)[at]
    if not n:
        return g * 0
    columns = []
    for j in range(n):
        ones = narrow(input, at, j, 1) * 0 + 1
        replaced = cat([narrow(input, at, 0, j), ones, narrow(input, at, j + 1, n - j - 1)], at)
        tail = narrow(cumprod(replaced, at), at, j, n - j)
        product = narrow(g, at, j, n - j) * tail
        columns.append(
            product.sum(at, keepdim=True) if isinstance(product, Variable) else product.sum(axis=at, keepdims=True)
        )
    return cat(columns, at)


@op(input=_cumprod_input)
def cumprod(input, dim, *, dtype=None):
    """The running product along `dim`."""
    if input.ndim == 0:
        wrap_dim(dim, 0)
        return input.astype(_sum_type(input, dtype) or input.dtype)
    if dtype is None:
        return narrowed(widened(input).cumprod(axis=wrap_dim(dim, input.ndim), dtype=_sum_type(input, None)), input)
    return input.cumprod(axis=wrap_dim(dim, input.ndim), dtype=dtype.numpy)


# --- softmax ------------------------------------------------------------------------------------------------------


def _softmax_input(g, out, dim):
    weighted = g * out
    return weighted - out * sum_keep(weighted, dim)


def sum_keep(value: Any, dim: Any) -> Any:
    """The sum of an array or Tensor with the summed dimensions as ones."""
    axes = _dims(dim, len(shape_of(value)))
    return _sum(value, axes, True) if isinstance(value, Variable) else _sum.plain(value, axes, True)  # type: ignore[attr-defined]


@op(check=no_complex("softmax_lastdim_kernel_impl"), promote="float", promoted=("input",), input=_softmax_input)
def _softmax(input, dim):
    xp = namespace(input)
    axes = _dims(dim, input.ndim)
    if not input.size:
        return input.copy()
    wide = widened(input)
    result = xp.exp(wide - wide.max(axis=axes, keepdims=True))
    result /= result.sum(axis=axes, keepdims=True)
    return narrowed(result, input)


@op(
    check=no_complex("log_softmax_lastdim_kernel_impl"),
    promote="float",
    promoted=("input",),
    input=lambda g, out, dim: g - exp(out) * sum_keep(g, dim),
)
def _log_softmax(input, dim):
    xp = namespace(input)
    axes = _dims(dim, input.ndim)
    if not input.size:
        return input.copy()
    wide = widened(input)
    result = wide - wide.max(axis=axes, keepdims=True)
    result -= xp.log(xp.exp(result).sum(axis=axes, keepdims=True))
    return narrowed(result, input)


def _typed(input: Any, dtype: Any) -> Any:
    if dtype is not None:
        return input.to(dtype)
    if input.dtype.category in ("int", "bool"):
        named = dtypes.scalar_type_name(input.dtype)
        raise NotImplementedError(f"\"softmax_lastdim_kernel_impl\" not implemented for '{named}'")
    return input


@numpy_names
def softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """`exp(input) / sum(exp(input))` along `dim`."""
    return _softmax(_typed(input, dtype), dim)


@numpy_names
def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """`log(softmax(input))` along `dim`, without underflow."""
    return _log_softmax(_typed(input, dtype), dim)


# --- equality -----------------------------------------------------------------------------------------------------


def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and elements."""
    if shape_of(input) != shape_of(other):
        return False
    return bool((input._array == other._array).all())


def allclose(input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close, as `isclose` says."""
    if input.dtype is not other.dtype:
        one, two = dtypes.scalar_type_name(input.dtype), dtypes.scalar_type_name(other.dtype)
        raise RuntimeError(f"{one} did not match {two}")
    return bool(isclose(input, other, rtol, atol, equal_nan)._array.all())
