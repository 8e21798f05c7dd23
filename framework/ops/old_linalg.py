"""Linear algebra under its old top-level names, with the warnings that PyTorch has for them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import op
from . import decomposition
from .decomposition import _check, _cholesky_input, adjoint, singular_error
from .elimination import cholesky_columns, substitute
from .index import tril, triu
from .linalg import matmul, multi_dot, turned
from .norms import matrix_norm
from .outputs import store
from .pointwise import conj
from .reduce import _vector_norm, vector_norm
from .results import named_result
from .shape import clone, shape_of, transpose
from .triangular import check_old_equation

QrResult = named_result("qr", "Q", "R")
SvdResult = named_result("svd", "U", "S", "V")


def _deprecated(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=3)


def matrix_adjoint(input: Any) -> Any:
    """The conjugate transpose of matrices."""
    ndim = len(shape_of(input))
    if ndim < 2:
        raise RuntimeError(
            f"tensor.adjoint() is only supported on matrices or batches of matrices. Got {ndim}-D tensor."
        )
    flipped = transpose(input, -2, -1)
    return conj(flipped) if input.is_complex() else flipped


# --- Cholesky -----------------------------------------------------------------------------------------------------


@op(name="CholeskyBackward0", input=lambda g, out, upper: _old_cholesky_input(g, out, upper))
def _cholesky(input, upper):
    if input.dtype.kind not in "fc":
        got = dtypes.scalar_type_name(input.dtype)
        raise NotImplementedError(f"\"cholesky_cpu\" not implemented for '{got}'")
    _check("cholesky", input)
    try:
        lower = namespace(input).linalg.cholesky(input.conj().swapaxes(-1, -2) if upper else input)
    except np.linalg.LinAlgError:
        raise singular_error("cholesky", cholesky_columns(input)[1]) from None
    return lower.conj().swapaxes(-1, -2).copy() if upper else lower


def _old_cholesky_input(g, out, upper):
    if upper:
        return _cholesky_input(turned(conj(g)), adjoint(out))
    return _cholesky_input(g, out)


def cholesky(input: Any, upper: bool = False, *, out: Any = None) -> Any:
    """The old form of `linalg.cholesky`; with `upper` the upper triangle is read and U of `U.mH @ U` returned."""
    _deprecated(
        "torch.cholesky is deprecated in favor of torch.linalg.cholesky and will be removed in a future PyTorch "
        "release. L = torch.cholesky(A) should be replaced with L = torch.linalg.cholesky(A)"
    )
    return store("cholesky", out, _cholesky(input, upper))


def _gram(factor: Any, upper: bool) -> Any:
    """The positive-definite matrix that a triangular factor stands for."""
    triangle = triu(factor) if upper else tril(factor)
    return matmul(adjoint(triangle), triangle) if upper else matmul(triangle, adjoint(triangle))


def _for_factor(gram: Any, factor: Any, upper: bool) -> Any:
    """The gradient of the factor from that of its Gram matrix; in PyTorch's convention."""
    both = gram + adjoint(gram)
    if upper:
        return triu(matmul(triu(factor), both))
    return tril(matmul(both, tril(factor)))


def _cholesky_inverse_input(g, input, out, upper):
    gram = -matmul(adjoint(out), matmul(conj(g), adjoint(out)))
    return conj(_for_factor(gram, input, upper))


@op(name="CholeskyInverseBackward0", input=_cholesky_inverse_input)
def _cholesky_inverse(input, upper):
    _check("cholesky_inverse", input)
    xp, n = namespace(input), input.shape[-1]
    inverse = substitute(input, xp.eye(n, dtype=input.dtype), lower=not upper)
    across = inverse.conj().swapaxes(-1, -2)
    return xp.matmul(inverse, across) if upper else xp.matmul(across, inverse)


def cholesky_inverse(L: Any, upper: bool = False, *, out: Any = None) -> Any:
    """The inverse of `L @ L.mH` (with `upper` of `L.mH @ L`) for a triangular factor L (*, n, n).

    What is on the other side of L's diagonal is not read, and gets no gradient (in PyTorch it gets some).
    """
    return store("cholesky_inverse", out, _cholesky_inverse(L, upper))


def _cholesky_solve_backward(needed, g, input, input2, out, upper):
    grad_b = _cholesky_solve(conj(g), input2, upper)
    if not needed[1]:
        return conj(grad_b), None
    return conj(grad_b), conj(_for_factor(-matmul(grad_b, adjoint(out)), input2, upper))


@op(joint=_cholesky_solve_backward, wrt=("input", "input2"), name="CholeskySolveBackward0")
def _cholesky_solve(input, input2, upper):
    across = input2.conj().swapaxes(-1, -2)
    first, second = (across, input2) if upper else (input2, across)
    return substitute(second, substitute(first, input, lower=True), lower=False)


def cholesky_solve(B: Any, L: Any, upper: bool = False, *, out: Any = None) -> Any:
    """X of `L @ L.mH @ X = B` (with `upper` of `L.mH @ L @ X = B`): L (*, n, n), B (*, n, k).

    What is on the other side of L's diagonal is not read, and gets no gradient (in PyTorch it gets some).
    """
    for name, shape in (("b", shape_of(B)), ("u", shape_of(L))):
        if len(shape) < 2:
            raise RuntimeError(f"{name} should have at least 2 dimensions, but has {len(shape)} dimensions instead")
    check_old_equation("cholesky_solve", B, L)
    return store("cholesky_solve", out, _cholesky_solve(B, L, upper))


# --- QR, SVD, products, norms -------------------------------------------------------------------------------------


def qr(input: Any, some: bool = True, *, out: Any = None) -> Any:
    """The old form of `linalg.qr`; with `some=False` the complete one."""
    _deprecated(
        "torch.qr is deprecated in favor of torch.linalg.qr and will be removed in a future PyTorch release. Q, R = "
        "torch.qr(A, some) should be replaced with Q, R = torch.linalg.qr(A, 'reduced' if some else 'complete')"
    )
    return store("qr", out, QrResult(*decomposition.qr(input, "reduced" if some else "complete")))


@op()
def _zeros(like, rows, columns):
    return namespace(like).zeros((*like.shape[:-2], rows, columns), like.dtype)


def svd(input: Any, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """`(U, S, V)` with `U @ diag(S) @ V.mH = input`; with `compute_uv=False` U and V are zeros."""
    shape = shape_of(input)
    if len(shape) < 2:
        raise RuntimeError(
            f"linalg.svd: input should have at least 2 dimensions, but has {len(shape)} dimensions instead"
        )
    if compute_uv:
        u, s, vh = decomposition.svd(input, full_matrices=not some)
        return store("svd", out, SvdResult(u, s, matrix_adjoint(vh)))
    rows, columns = shape[-2:]
    s = decomposition.svdvals(input)
    return store("svd", out, SvdResult(_zeros(input, rows, rows), s, _zeros(input, columns, columns)))


def chain_matmul(*matrices: Any, out: Any = None) -> Any:
    """The old form of `linalg.multi_dot`, with the matrices one by one."""
    _deprecated(
        "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot "
        "instead, which accepts a list of two or more tensors rather than multiple parameters."
    )
    items = matrices[0] if len(matrices) == 1 and isinstance(matrices[0], (tuple, list)) else matrices
    for place, matrix in enumerate(items):
        if len(shape_of(matrix)) != 2:
            raise RuntimeError(f"Tensor {place} has dimension {len(shape_of(matrix))}, expected a matrix")
    if not items:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    return store("chain_matmul", out, clone(items[0]) if len(items) == 1 else multi_dot(items))


def nuclear_norm(input: Any, dim: Any = (-2, -1), keepdim: bool = False, *, out: Any = None) -> Any:
    """The sum of the singular values; the old form of `linalg.matrix_norm(input, "nuc")`."""
    if isinstance(dim, bool):  # nuclear_norm(input, keepdim)
        dim, keepdim = (-2, -1), dim
    return matrix_norm(input, "nuc", dim, keepdim, out=out)


def frobenius_norm(input: Any, dim: Any, keepdim: bool = False, *, out: Any = None) -> Any:
    """The square root of the sum of squares over at most two dimensions."""
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) > 2:
        raise RuntimeError(f"Expected at most 2 dimensions, but got {len(dims)} dimensions instead.")
    return vector_norm(input, 2, dims or None, keepdim, out=out)


def norm_except_dim(v: Any, pow: int = 2, dim: int = 0) -> Any:
    """The norms of `v` over all dimensions but one, which keep their places; of everything with `dim` -1."""
    ndim = len(shape_of(v))
    if dim == -1:
        return _vector_norm(v, pow)
    if not 0 <= dim < max(ndim, 1):
        raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})")
    rest = tuple(d for d in range(ndim) if d != dim)
    return _vector_norm(v, pow, rest, True) if rest else v.abs()
