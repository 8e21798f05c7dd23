"""Inverses, determinants, solutions and factorizations of matrices, in batches over leading dimensions.

Formulas of functions that are not holomorphic (cholesky, qr, svd, eigh, pinv) are written for PyTorch's gradients, of
which the engine carries the conjugates: they conjugate on the way in and out, which does nothing to real numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import op, wrap
from ..engine.half import is_half, rounded_once
from .elimination import cholesky_columns, first_failure, lu_factor
from .index import tril, triu
from .linalg import matmul, turned
from .pointwise import conj, imag, log, real, where
from .reduce import sum as sum_over
from .reduce import sum_keep
from .results import named_result
from .shape import cat, diag_embed, diagonal, narrow, shape_of, squeeze, unsqueeze

QrResult = named_result("linalg_qr", "Q", "R")
LstsqResult = named_result("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
SvdResult = named_result("linalg_svd", "U", "S", "Vh")
EighResult = named_result("linalg_eigh", "eigenvalues", "eigenvectors")
EigResult = named_result("linalg_eig", "eigenvalues", "eigenvectors")
SlogdetResult = named_result("linalg_slogdet", "sign", "logabsdet")


class LinAlgError(RuntimeError):
    """A matrix that has no inverse, no Cholesky factor, ..."""


def adjoint(matrix: Any) -> Any:
    """The conjugate transpose."""
    return conj(turned(matrix))


#: What PyTorch calls the routines that have no version for 16-bit floats.
_KERNELS = {
    "linalg.det": "lu_cpu",
    "linalg.solve": "lu_cpu",
    "linalg.cholesky": "cholesky_cpu",
    "linalg.qr": "geqrf_cpu",
    "linalg.svd": "linalg_svd_cpu",
    "linalg.eigh": "linalg_eigh_cpu",
    "linalg.eig": "linalg_eig_out_cpu",
}


def _check(name: str, input: Any, square: bool = True) -> None:
    if input.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    rows, columns = input.shape[-2:]
    if square and rows != columns:
        raise RuntimeError(f"{name}: A must be batches of square matrices, but they are {rows} by {columns} matrices")
    if is_half(input) and name in _KERNELS:
        kind = dtypes.scalar_type_name(input.dtype)
        raise NotImplementedError(f"\"{_KERNELS[name]}\" not implemented for '{kind}'")
    if is_half(input):
        kind = dtypes.scalar_type_name(input.dtype)
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {kind}")
    if input.dtype.kind not in "fc":
        got = dtypes.scalar_type_name(input.dtype)
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {got}")


def singular_error(name: str, info: Any) -> LinAlgError:
    """What is raised for the first matrix whose `info` (see `elimination.py`) is not 0."""
    place, which = first_failure(info)
    if "cholesky" in name:
        problem = (
            "The factorization could not be completed because the input is not positive-definite (the leading minor of "
            f"order {which} is not positive-definite)."
        )
    elif "inv" in name:
        problem = (
            f"The diagonal element {which} is zero, the inversion could not be completed because the input matrix is "
            "singular."
        )
    else:
        problem = "The solver failed because the input matrix is singular."
    return LinAlgError(f"{name}: {place}{problem}")


def _is_complex(value: Any) -> bool:
    return (value._array if hasattr(value, "_array") else value).dtype.kind == "c"


# --- inverse, determinant -----------------------------------------------------------------------------------------


@op(half="keep", name="LinalgInvExBackward0", input=lambda g, out: -matmul(turned(out), matmul(g, turned(out))))
def inv(input):
    """The inverses of square matrices; LinAlgError where there is none."""
    _check("linalg.inv", input)
    try:
        return namespace(input).linalg.inv(input)
    except np.linalg.LinAlgError:
        raise singular_error("linalg.inv", lu_factor(input)[2]) from None


def _last_two(value: Any) -> Any:
    """A number per matrix, shaped to multiply the matrices."""
    return unsqueeze(unsqueeze(value, -1), -1)


@op(half="keep", name="LinalgDetBackward0", input=lambda g, input: _last_two(g) * _cofactors(input))
def det(input):
    """The determinants of square matrices."""
    _check("linalg.det", input)
    return namespace(input).linalg.det(input)


def _cofactors_input(g, input, out):
    inverse = turned(inv(input))
    return sum_keep(g * out, (-2, -1)) * inverse - matmul(inverse, matmul(turned(g), out))


@op(half="keep", input=_cofactors_input)
def _cofactors(input):
    """The derivative of the determinant; from the singular values, so that it is right where there is no inverse."""
    xp = namespace(input)
    u, s, vh = xp.linalg.svd(input)
    n = s.shape[-1]
    others = xp.where(xp.eye(n, dtype=bool), xp.ones((), s.dtype), s[..., None, :]).prod(axis=-1)
    sign = xp.linalg.det(u) * xp.linalg.det(vh)
    return sign[..., None, None] * xp.matmul(u.conj() * others[..., None, :], vh.conj())


def _slogdet_input(g, input, out):
    scale = g[1]
    if _is_complex(input):
        scale = scale + imag(g[0] * out[0]) * 1j
    return _last_two(scale) * turned(inv(input))


@op(half="keep", name="LinalgSlogdetBackward0", input=_slogdet_input)
def slogdet(input):
    """`(sign, logabsdet)` of the determinants."""
    _check("linalg.slogdet", input)
    return SlogdetResult(*namespace(input).linalg.slogdet(input))


def logdet(input: Any) -> Any:
    """The logarithms of the determinants; nan where they are negative."""
    sign, logabs = slogdet(input)
    return logabs + log(sign)


# --- equations ----------------------------------------------------------------------------------------------------


def _solve_backward(needed, g, A, out):
    grad_b = _solve(turned(A), g)
    return (-matmul(grad_b, turned(out)) if needed[0] else None, grad_b)


@op(half="keep", joint=_solve_backward, wrt=("A", "B"), name="LinalgSolveExBackward0")
def _solve(A, B):
    xp = namespace(A)
    batch = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    full_a, full_b = (xp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (A, B))
    try:
        return xp.linalg.solve(full_a, full_b)
    except np.linalg.LinAlgError:
        raise singular_error("torch.linalg.solve", lu_factor(full_a)[2]) from None


def _right_side(name: str, A: Any, B: Any, left: bool) -> tuple[Any, bool]:
    """B as matrices, and whether it was vectors; refuses what does not fit A."""
    _check(name, A._array)
    a, b = shape_of(A), shape_of(B)
    vector = len(b) == 1 or b == a[:-1]
    right = unsqueeze(B, -1) if vector else B
    if A.dtype != B.dtype:
        first, second = (dtypes.scalar_type_name(x.dtype) for x in (A, B))
        raise RuntimeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type {first} and B of type {second} "
            "instead"
        )
    rows, width = shape_of(right)[-2:]
    if a[-1] != (rows if left else width):
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({a[-2]}x{a[-1]} and {rows}x{width})"
        )
    return right, vector


def solve(A: Any, B: Any, *, left: bool = True, out: Any = None) -> Any:
    """X of `A @ X = B` (with `left=False` of `X @ A = B`); B matrices, or vectors. LinAlgError if A is singular."""
    right, vector = _right_side("linalg.solve", A, B, left)
    result = _solve(A, right) if left else turned(_solve(turned(A), turned(right)))
    result = squeeze(result, -1) if vector else result
    return result if out is None else out.copy_(result)


# --- factorizations -----------------------------------------------------------------------------------------------


def _halved_diagonal(matrix: Any) -> Any:
    return matrix - diag_embed(diagonal(matrix, 0, -2, -1) * 0.5)


def _cholesky_input(g, out):
    inverse = inv(out)
    inside = _halved_diagonal(tril(matmul(adjoint(out), conj(g))))
    full = matmul(adjoint(inverse), matmul(inside, inverse))
    return conj((full + adjoint(full)) * 0.5)


@op(half="keep", name="LinalgCholeskyExBackward0", input=_cholesky_input)
def _cholesky(input):
    _check("linalg.cholesky", input)
    try:
        return namespace(input).linalg.cholesky(input)
    except np.linalg.LinAlgError:
        raise singular_error("linalg.cholesky", cholesky_columns(input)[1]) from None


def cholesky(input: Any, *, upper: bool = False, out: Any = None) -> Any:
    """Lower triangular L with `L @ L.mH = input`, for Hermitian positive-definite input; LinAlgError for another."""
    result = adjoint(_cholesky(input)) if upper else _cholesky(input)
    return result if out is None else out.copy_(result)


def _qr_square(gq: Any, gr: Any, q: Any, r: Any) -> Any:
    """The gradient of `q @ r` with square `r`."""
    middle = triu(matmul(gr, adjoint(r)) - matmul(adjoint(q), gq))
    whole = middle + adjoint(middle)
    whole = whole - diag_embed(real(diagonal(middle, 0, -2, -1)))
    return turned(_solve(conj(r), turned(gq + matmul(q, whole))))


def _qr_input(g, out, mode):
    if mode == "r":
        raise RuntimeError("The derivative of linalg.qr depends on Q, which is not computed when mode='r'.")
    (gq, gr), (q, r) = (conj(x) for x in g), out
    rows, columns = shape_of(q)[-2], shape_of(r)[-1]
    if mode == "complete" and rows > columns:
        raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols.")
    if rows >= columns:
        return conj(_qr_square(gq, gr, q, r))
    # input = (X | Y): X = q u is square, and r = (u | q^H Y)
    u, v = narrow(r, -1, 0, rows), narrow(r, -1, rows, columns - rows)
    gu, gv = narrow(gr, -1, 0, rows), narrow(gr, -1, rows, columns - rows)
    first = _qr_square(gq + matmul(q, matmul(v, adjoint(gv))), gu, q, u)
    return conj(cat([first, matmul(q, gv)], -1))


@op(half="keep", name="LinalgQrBackward0", input=_qr_input)
def qr(input, mode="reduced"):
    """`(Q, R)` with `Q @ R = input`, Q with orthonormal columns, R upper triangular; mode "complete" has square Q."""
    _check("linalg.qr", input, square=False)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    xp = namespace(input)
    if mode == "r":
        return QrResult(xp.zeros(0, input.dtype), xp.linalg.qr(input, mode="r"))
    return QrResult(*xp.linalg.qr(input, mode=mode))


def _gaps(values: Any) -> Any:
    """1 / (values[j] - values[i]), and 0 where they are equal."""
    difference = unsqueeze(values, -2) - unsqueeze(values, -1)
    same = difference == 0
    return where(same, 0.0, 1 / where(same, 1.0, difference))


def _skew(matrix: Any) -> Any:
    return matrix - adjoint(matrix)


def _quotient(top: Any, bottom: Any) -> Any:
    """top / bottom, but 0 / 0 is 0: the gradient of singular values alone exists where they are zero."""
    return top / where((top == 0) & (bottom == 0), 1.0, bottom)


def _svd_input(g, out):
    (gu, gs, gvh), (u, s, vh) = (conj(x) for x in g), out
    k, rows, columns = shape_of(s)[-1], shape_of(u)[-2], shape_of(vh)[-1]
    u, gu, vh, gvh = narrow(u, -1, 0, k), narrow(gu, -1, 0, k), narrow(vh, -2, 0, k), narrow(gvh, -2, 0, k)
    gaps = _gaps(s * s)
    left, right = _skew(matmul(adjoint(u), gu)), _skew(matmul(vh, adjoint(gvh)))
    row, column = unsqueeze(s, -2), unsqueeze(s, -1)
    inside = left * gaps * row + column * (right * gaps) + diag_embed(gs)
    if _is_complex(u):
        inside = inside + diag_embed(_quotient(diagonal(left, 0, -2, -1), 2 * s))
    result = matmul(u, matmul(inside, vh))
    if rows > k:
        scaled = _quotient(gu, row)
        result = result + matmul(scaled - matmul(u, matmul(adjoint(u), scaled)), vh)
    if columns > k:
        scaled = _quotient(gvh, column)
        result = result + matmul(u, scaled - matmul(matmul(scaled, adjoint(vh)), vh))
    return conj(result)


@op(half="keep", name="LinalgSvdBackward0", input=_svd_input)
def _svd(input, full_matrices):
    _check("linalg.svd", input, square=False)
    return SvdResult(*namespace(input).linalg.svd(input, full_matrices))


def svd(A: Any, full_matrices: bool = True, *, driver: str | None = None, out: Any = None) -> Any:
    """`(U, S, Vh)` with `U @ diag(S) @ Vh = A`, S in descending order; square U and Vh if `full_matrices`."""
    return _svd(A, full_matrices) if out is None else _svd(A, full_matrices, out=out)


def svdvals(A: Any, *, driver: str | None = None, out: Any = None) -> Any:
    """The singular values in descending order."""
    values = _svd(A, False)[1]
    return values if out is None else out.copy_(values)


def _eigh_input(g, out):
    (gl, gv), (values, vectors) = (conj(x) for x in g), out
    inside = matmul(adjoint(vectors), gv) * _gaps(values) + diag_embed(gl)
    return conj(matmul(vectors, matmul(inside, adjoint(vectors))))


@op(half="keep", name="LinalgEighBackward0", input=_eigh_input)
def _eigh(input, UPLO):
    if input.dtype.kind in "biu" and input.ndim >= 2:
        named = dtypes.scalar_type_name(input.dtype)
        raise NotImplementedError(f"\"linalg_eigh_cpu\" not implemented for '{named}'")
    _check("linalg.eigh", input)
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return EighResult(*namespace(input).linalg.eigh(input, UPLO.upper()))


def eigh(A: Any, UPLO: str = "L", *, out: Any = None) -> Any:
    """`(eigenvalues, eigenvectors)` of Hermitian matrices, in ascending order; only one triangle is read."""
    return _eigh(A, UPLO) if out is None else _eigh(A, UPLO, out=out)


def eigvalsh(A: Any, UPLO: str = "L", *, out: Any = None) -> Any:
    """The eigenvalues of Hermitian matrices in ascending order."""
    values = _eigh(A, UPLO)[0]
    return values if out is None else out.copy_(values)


def _eig_input(g, out):
    (gl, gv), (values, vectors) = (conj(x) for x in g), out
    across = adjoint(vectors)
    product = matmul(across, gv)
    product = product - matmul(across, vectors * unsqueeze(real(diagonal(product, 0, -2, -1)), -2))
    inside = product * conj(_gaps(values)) + diag_embed(gl)
    return conj(_solve(across, matmul(inside, across)))


@op(half="keep", name="LinalgEigBackward0", input=_eig_input)
def _eig(input):
    _check("linalg.eig", input)
    kind = np.result_type(input.dtype, np.complex64)
    values, vectors = namespace(input).linalg.eig(input)
    return EigResult(values.astype(kind), vectors.astype(kind))


def eig(A: Any, *, out: Any = None) -> Any:
    """`(eigenvalues, eigenvectors)` of square matrices, complex, in no particular order; vectors of norm 1."""
    return _eig(A) if out is None else _eig(A, out=out)


def eigvals(A: Any, *, out: Any = None) -> Any:
    """The eigenvalues of square matrices, complex, in no particular order."""
    values = _eig(A)[0]
    return values if out is None else out.copy_(values)


# --- pseudo-inverse -----------------------------------------------------------------------------------------------


def _pinv_input(g, input, out):
    g, across = conj(g), adjoint(out)
    outer, inner = matmul(matmul(adjoint(g), out), across), matmul(across, matmul(out, adjoint(g)))
    return conj(
        outer
        - matmul(input, matmul(out, outer))
        + inner
        - matmul(matmul(inner, out), input)
        - matmul(across, matmul(g, across))
    )


@op(half="keep", name="LinalgPinvBackward0", input=_pinv_input)
def _pinv(input, atol, rtol):
    _check("linalg.pinv", input, square=False)
    xp = namespace(input)
    u, s, vh = xp.linalg.svd(input, False)
    keep = s > _cutoff(xp, s, input.shape, atol, rtol)
    inverse = xp.where(keep, 1 / xp.where(keep, s, 1), 0)
    return xp.matmul(vh.conj().swapaxes(-1, -2), inverse[..., None] * u.conj().swapaxes(-1, -2))


def _cutoff(xp: Any, s: Any, shape: tuple[int, ...], atol: Any, rtol: Any) -> Any:
    """Singular values up to this count as zero: the larger of `atol` and `rtol` times the largest one."""
    if rtol is None:
        rtol = max(shape[-2:]) * np.finfo(s.dtype).eps if atol is None else 0.0
    largest = s.max(axis=-1, keepdims=True) if s.shape[-1] else xp.zeros((*s.shape[:-1], 1), s.dtype)
    return xp.maximum(largest * rtol, 0.0 if atol is None else atol)


def pinv(
    A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> Any:
    """The Moore-Penrose inverse: singular values up to max(atol, rtol * largest) count as zero.

    `rtol` is max(rows, columns) * eps unless one of the two is given; `rcond` is its old name.
    """
    result = _pinv(A, atol, rcond if rtol is None else rtol)
    return result if out is None else out.copy_(result)


@op()
def _matrix_rank(input, atol, rtol):
    _check("linalg.matrix_rank", input, square=False)
    xp = namespace(input)
    s = xp.linalg.svd(input, compute_uv=False)
    return (s > _cutoff(xp, s, input.shape, atol, rtol)).sum(axis=-1, dtype=np.int64)


def matrix_rank(
    A: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> Any:
    """How many singular values are above max(atol, rtol * largest); `tol` is the old name of `atol`."""
    return _matrix_rank(A, tol if atol is None else atol, rtol, out=out)


@rounded_once
def matrix_power(A: Any, n: int, *, out: Any = None) -> Any:
    """The n-th power of square matrices by repeated squaring; of the inverse if n is negative."""
    shape = shape_of(A)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        rows, columns = shape[-2:] if len(shape) > 1 else (1, *shape)[-2:]
        raise RuntimeError(
            f"linalg.matrix_power: A must be batches of square matrices, but they are {rows} by {columns} matrices"
        )
    base, rest = (inv(A), -n) if n < 0 else (A, n)
    result = None
    while rest:
        if rest & 1:
            result = base if result is None else matmul(result, base)
        rest >>= 1
        base = matmul(base, base) if rest else base
    result = diag_embed(diagonal(A, 0, -2, -1) * 0 + 1).to(A.dtype) if result is None else result
    return result if out is None else out.copy_(result)


def _check_least_squares(A: Any, B: Any) -> bool:
    """Whether B holds vectors; refuses what is no least squares problem."""
    a, b = shape_of(A), shape_of(B)
    if len(a) < 2:
        raise RuntimeError("torch.linalg.lstsq: input must have at least 2 dimensions.")
    if not b:
        raise RuntimeError("torch.linalg.lstsq: other must have at least 1 dimension.")
    if not 0 <= len(a) - len(b) <= 1:
        raise RuntimeError(
            "torch.linalg.lstsq: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) "
            "<= 1"
        )
    vector = len(b) == len(a) - 1
    if b[-1 if vector else -2] != a[-2]:
        raise RuntimeError("torch.linalg.lstsq: input.size(-2) should match other.size(-2)")
    if A.dtype != B.dtype:
        first, second = (dtypes.scalar_type_name(x.dtype) for x in (A, B))
        raise RuntimeError(
            "torch.linalg.lstsq: Expected input and other to have the same dtype, but got input's dtype "
            f"{first} and other's dtype {second}"
        )
    return vector


def lstsq(A: Any, B: Any, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """`(solution, residuals, rank, singular_values)` of the least squares problem `A @ X = B`.

    As in PyTorch the driver (gelsy unless given) decides what is computed beside the solution, which is the one of
    least norm: gels gives no rank, gelsd and gelss give singular values, gelsy no residuals.
    """
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError("torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")
    a, vector = shape_of(A), _check_least_squares(A, B)
    right = unsqueeze(B, -1) if vector else B
    solution = matmul(pinv(A, rtol=rcond), right)
    xp, real_type = namespace(A._array), A._array.real.dtype
    residuals = values = wrap(xp.zeros(0, real_type))
    rank = wrap(xp.zeros(0, np.int64)) if driver == "gels" else matrix_rank(A, rtol=rcond)
    if driver in ("gelsd", "gelss"):
        values = svdvals(A)
    # without full rank the drivers that find the rank give no residuals; on a GPU, where PyTorch has gels alone, all do
    full = driver == "gels" or xp is not np or not bool((rank._array < a[-1]).any())
    if driver not in (None, "gelsy") and a[-2] > a[-1] and full:
        distance = matmul(A, solution) - right
        residuals = sum_over(real(distance * conj(distance)), -2)
    return LstsqResult(squeeze(solution, -1) if vector else solution, residuals, rank, values)


# --- exponential --------------------------------------------------------------------------------------------------


def _matrix_exp_input(g, input):
    # exp of [[A, G], [0, A]] has the derivative of exp at A in the direction G above its diagonal (Van Loan, 1978)
    n = shape_of(input)[-1]
    a = turned(input)
    upper, lower = cat([a, g], -1), cat([a * 0, a], -1)
    return narrow(narrow(matrix_exp(cat([upper, lower], -2)), -2, 0, n), -1, n, n)


@op(name="LinalgMatrixExpBackward0", input=_matrix_exp_input)
def matrix_exp(input):
    """The exponential of square matrices: the Taylor series of 2**-s times the matrix, squared s times."""
    _check("linalg.matrix_exp", input)
    xp = namespace(input)
    if not input.size:
        return input.copy()
    norm = float(xp.abs(input).sum(axis=-2).max())
    squarings = max(0, int(np.ceil(np.log2(norm))) + 2) if 0 < norm < np.inf else 0
    scaled = input / 2**squarings
    result = term = xp.broadcast_to(xp.eye(input.shape[-1], dtype=input.dtype), input.shape)
    for k in range(1, 19):  # of a matrix of norm 1/4 or less: exact to the last digit of float64
        term = xp.matmul(term, scaled) / k
        result = result + term
    for _ in range(squarings):
        result = xp.matmul(result, result)
    return result
