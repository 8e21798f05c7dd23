"""Covariances, distances between whole tensors, and slices of bounded norm."""

from __future__ import annotations

import warnings
from typing import Any

from .. import dtypes
from ..backend import namespace
from ..engine import op
from .complex import complex as complex_of
from .linalg import matmul, turned
from .pointwise import clamp, conj, imag, real, sqrt, where
from .reduce import _norm_input, _vector_norm, sum_keep
from .reduce import sum as sum_over
from .shape import diagonal, reshape, shape_of, squeeze, unsqueeze, wrap_dim


def _check_weights(name: str, weights: Any, count: int) -> None:
    kind = weights.dtype
    if len(shape_of(weights)) > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {len(shape_of(weights))} "
            "dimensions"
        )
    fitting = kind.is_floating_point if name == "aweights" else not (kind.is_floating_point or kind.is_complex)
    if not fitting or kind.numpy.kind == "b":
        wanted = "floating point" if name == "aweights" else "integral"
        raise RuntimeError(
            f"cov(): expected {name} to have {wanted} dtype but got {name} with {dtypes.scalar_type_name(kind)} dtype"
        )
    if weights.numel() != count:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{weights.numel()} != {count}"
        )
    if count and bool((weights._array < 0).any()):
        raise RuntimeError(f"cov(): {name} cannot be negative")


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of variables (rows) over observations (columns); of one variable (a vector) its variance.

    `correction` is taken off the number of observations; `fweights` (n) says how often each one counts, `aweights` (n)
    how much. input (k, n), the result (k, k).
    """
    ndim = len(shape_of(input))
    if ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {ndim} dimensions"
        )
    if input._array.dtype.kind == "b":
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = input if ndim == 2 else reshape(input, (1, -1))
    count = shape_of(rows)[1]
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is not None:
            _check_weights(name, given, count)
    weights = fweights if aweights is None else aweights if fweights is None else fweights * aweights
    total: Any = count
    if weights is not None and count:
        total = sum_over(weights)
        if float(total) == 0:
            raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    weighted = rows if weights is None else rows * weights
    centered = rows - unsqueeze(sum_over(weighted, 1) / total, 1)
    if weights is not None and aweights is not None and correction != 0:
        freedom = total - correction * sum_over(weights * aweights) / total
    else:
        freedom = total - correction
    if freedom <= 0:
        warnings.warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.",
            UserWarning,
            stacklevel=2,
        )
        freedom = freedom * 0
    again = centered if weights is None else centered * weights
    return squeeze(matmul(centered, conj(turned(again))) / freedom)


def corrcoef(input: Any) -> Any:
    """The correlation coefficients of variables (rows): covariances of variables scaled to variance 1."""
    if len(shape_of(input)) > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{len(shape_of(input))} dimensions"
        )
    c = cov(input)
    if not shape_of(c):
        return c / c
    deviation = sqrt(real(diagonal(c)))
    c = c / unsqueeze(deviation, 1) / unsqueeze(deviation, 0)
    if c.is_complex():
        return complex_of(clamp(real(c), -1, 1), clamp(imag(c), -1, 1))
    return clamp(c, -1, 1)


# --- norms --------------------------------------------------------------------------------------------------------


def _dist_backward(needed, g, input, other, out, p):
    grad = _norm_input(g, input - other, p, None, out)
    return grad, -grad


@op(joint=_dist_backward, wrt=("input", "other"), name="DistBackward0")
def dist(input, other, p=2):
    """The p-norm of `input - other` over all elements, as a number; shapes broadcast."""
    for value in (input, other):
        if value.dtype.kind not in "fcV":
            got = dtypes.scalar_type_name(value.dtype)
            raise RuntimeError(f"norm(): input dtype should be either floating point or complex. Got {got} instead.")
    return _vector_norm.plain(input - other, p)


def _renorm_input(g, input, p, dim, maxnorm):
    axes = _other_dims(shape_of(input), dim)
    size = _vector_norm(input, p, axes, True)
    inverse = 1 / (size + 1e-7)
    along = real(sum_keep(g * input, axes)) if _is_complex(g) else sum_keep(g * input, axes)
    slope = _norm_input(along, input, p, axes, size)
    scaled = inverse * maxnorm * (g - inverse * slope)
    return where(size > maxnorm, scaled, g)


def _is_complex(value: Any) -> bool:
    return (value._array if hasattr(value, "_array") else value).dtype.kind == "c"


def _other_dims(shape: tuple[int, ...], dim: int) -> tuple[int, ...]:
    return tuple(d for d in range(len(shape)) if d != dim % len(shape))


@op(input=_renorm_input)
def renorm(input, p, dim, maxnorm):
    """`input` with its slices along `dim` scaled down to the p-norm `maxnorm` where theirs is larger."""
    p, maxnorm = (value.item() if hasattr(value, "item") else value for value in (p, maxnorm))
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    dim = wrap_dim(dim, input.ndim)
    size = _vector_norm.plain(input, p, _other_dims(input.shape, dim), True)
    factor = namespace(input).where(size > maxnorm, maxnorm / (size + 1e-7), 1)
    return (input * factor).astype(input.dtype)
