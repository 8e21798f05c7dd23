"""Products of Householder reflections, and the QR factorization that is made of them.

Q = H1 H2 ... Hk with Hi = I - tau[i] v v^H, where v is column i of a matrix below its diagonal, a one on it and zeros
above. Formulas are written for PyTorch's gradients: they conjugate on the way in and out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import op
from .decomposition import adjoint
from .index import tril
from .linalg import matmul
from .lu import unit_lower
from .outputs import store
from .pointwise import conj
from .reduce import sum_keep
from .results import named_result
from .shape import cat, narrow, shape_of, squeeze, unsqueeze

GeqrfResult = named_result("geqrf", "a", "tau")


def _no_derivative(g):
    raise NotImplementedError("the derivative for 'geqrf' is not implemented.")


@op(input=_no_derivative)
def _geqrf(input):
    if input.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    if input.dtype.kind not in "fc" or input.dtype == np.float16:
        got = dtypes.scalar_type_name(input.dtype)
        raise NotImplementedError(f"\"geqrf_cpu\" not implemented for '{got}'")
    xp = namespace(input)
    *batch, rows, columns = input.shape
    rank = min(rows, columns)
    if not input.size:
        return GeqrfResult(input.copy(), xp.zeros((*batch, rank), input.dtype))
    stack = input.reshape(-1, rows, columns)
    pairs = [xp.linalg.qr(stack[i], mode="raw") for i in range(stack.shape[0])]
    packed = xp.stack([a.T for a, _ in pairs])
    return GeqrfResult(packed.reshape(input.shape), xp.stack([tau for _, tau in pairs]).reshape(*batch, rank))


def geqrf(input: Any, *, out: Any = None) -> Any:
    """`(a, tau)`: LAPACK's QR factorization, R on and above the diagonal of `a`, the reflections below it."""
    return store("geqrf", out, _geqrf(input))


def _reflected(vectors: Any, tau: Any, value: Any, inverse: bool) -> Any:
    """`Q @ value`, or `Q^H @ value`, of arrays."""
    xp = namespace(vectors)
    for i in range(tau.shape[-1]) if inverse else reversed(range(tau.shape[-1])):
        v, factor = vectors[..., :, i : i + 1], tau[..., i : i + 1, None]
        factor = factor.conj() if inverse else factor
        value = value - factor * xp.matmul(v, xp.matmul(v.conj().swapaxes(-1, -2), value))
    return value


def _unreflected(vectors: Any, tau: Any, value: Any, inverse: bool, g: Any) -> tuple[Any, Any, Any]:
    """The gradients of `_reflected` with respect to the vectors (as columns), tau and the value."""
    count = shape_of(tau)[-1]
    order = list(range(count)) if inverse else list(reversed(range(count)))
    v = [narrow(vectors, -1, i, 1) for i in range(count)]
    factor = [unsqueeze(narrow(tau, -1, i, 1), -1) for i in range(count)]
    factor = [conj(f) for f in factor] if inverse else factor
    before = []
    for i in order:
        before.append(value)
        value = value - factor[i] * matmul(v[i], matmul(adjoint(v[i]), value))
    grad_v: list[Any] = [None] * count
    grad_tau: list[Any] = [None] * count
    for i, x in zip(reversed(order), reversed(before), strict=True):
        across, w = matmul(adjoint(v[i]), g), matmul(adjoint(v[i]), x)
        along = -sum_keep(across * conj(w), (-1,))
        grad_tau[i] = squeeze(conj(along) if inverse else along, -1)
        grad_v[i] = -(conj(factor[i]) * matmul(g, adjoint(w)) + factor[i] * matmul(x, adjoint(across)))
        g = g - conj(factor[i]) * matmul(v[i], across)
    return cat(grad_v, -1), cat(grad_tau, -1), g


def _vectors(input: Any, tau: Any) -> Any:
    return unit_lower(narrow(input, -1, 0, shape_of(tau)[-1]))


def _for_input(grad_vectors: Any, input: Any) -> Any:
    """The vectors' gradient, with zeros for the columns that hold no vector."""
    count, columns = shape_of(grad_vectors)[-1], shape_of(input)[-1]
    found = tril(grad_vectors, -1)
    return found if count == columns else cat([found, narrow(input, -1, count, columns - count) * 0], -1)


@op()
def _eye(like, rows, columns):
    xp = namespace(like)
    return xp.broadcast_to(xp.eye(rows, columns, dtype=like.dtype), (*like.shape[:-2], rows, columns))


def _product_backward(needed, g, A, tau):
    if not shape_of(tau)[-1]:
        return A * 0, tau * 0
    eye = _eye(A, *shape_of(A)[-2:])
    grad_v, grad_tau, _ = _unreflected(_vectors(A, tau), tau, eye, False, conj(g))
    return _for_input(conj(grad_v), A), conj(grad_tau)


@op(joint=_product_backward, wrt=("A", "tau"), name="LinalgHouseholderProductBackward0")
def _householder_product(A, tau):
    _check_reflections("torch.linalg.householder_product", A, tau)
    eye = _eye.plain(A, *A.shape[-2:])
    return _reflected(unit_lower.plain(A[..., : tau.shape[-1]]), tau, eye, False).copy()


def _check_reflections(name: str, input: Any, tau: Any) -> None:
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if "householder" in name and input.shape[-2] < input.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if tau.ndim == input.ndim - 1 and input.shape[-1] < tau.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if tau.ndim != input.ndim - 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.ndim} and "
            f"input.ndim is equal to {input.ndim}"
        )
    if tau.shape[:-1] != input.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(tau.shape[:-1])}"
        )
    if tau.dtype != input.dtype:
        first, second = (dtypes.scalar_type_name(x.dtype) for x in (tau, input))
        raise RuntimeError(f"{name}: tau dtype {first} does not match input dtype {second}")


def householder_product(A: Any, tau: Any, *, out: Any = None) -> Any:
    """The first n columns of H1 @ H2 @ ... @ Hk: A (*, m, n) with m >= n, tau (*, k) with n >= k."""
    return store("linalg_householder_product", out, _householder_product(A, tau))


def _ormqr_backward(needed, g, input, tau, other, left, transpose):
    if not shape_of(tau)[-1]:
        return input * 0, tau * 0, g
    vectors, g = _vectors(input, tau), conj(g)
    if left:
        grad_v, grad_tau, grad_other = _unreflected(vectors, tau, other, transpose, g)
    else:  # other @ Q = (Q^H @ other^H)^H
        grad_v, grad_tau, grad_other = _unreflected(vectors, tau, adjoint(other), not transpose, adjoint(g))
        grad_other = adjoint(grad_other)
    return _for_input(conj(grad_v), input), conj(grad_tau), conj(grad_other)


@op(joint=_ormqr_backward, wrt=("input", "tau", "other"), name="OrmqrBackward0")
def _ormqr(input, tau, other, left, transpose):
    _check_reflections("torch.ormqr", input, tau)
    if other.ndim < 2:
        raise RuntimeError("torch.ormqr: other must have at least 2 dimensions.")
    side = -2 if left else -1
    if other.shape[side] != input.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2]")
    if tau.shape[-1] != min(other.shape[side], input.shape[-1]):
        raise RuntimeError(f"torch.ormqr: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])")
    vectors = unit_lower.plain(input[..., : tau.shape[-1]])
    if left:
        return _reflected(vectors, tau, other, transpose).copy()
    turned_other = other.conj().swapaxes(-1, -2)
    return _reflected(vectors, tau, turned_other, not transpose).conj().swapaxes(-1, -2).copy()


def ormqr(input: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False, *, out: Any = None) -> Any:
    """`Q @ other` (with `left=False` `other @ Q`) for the full Q of `geqrf`'s results; with `transpose` Q^H."""
    return store("ormqr", out, _ormqr(input, tau, other, left, transpose))
