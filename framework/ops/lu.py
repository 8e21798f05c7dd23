"""LU factorizations with exchanges of rows, and what is solved with them.

Given the exchanges the factors are holomorphic functions of the matrix, so the formulas have no conjugates.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import op
from .elimination import first_failure, permutation_matrix, substitute
from .elimination import lu_factor as eliminated
from .index import tril, triu
from .linalg import matmul, turned
from .outputs import store
from .pointwise import conj
from .results import named_result
from .shape import cat, narrow, shape_of
from .triangular import triangular

LuResult = named_result("linalg_lu", "P", "L", "U")
LuFactorResult = named_result("linalg_lu_factor", "LU", "pivots")
LuFactorExResult = named_result("linalg_lu_factor_ex", "LU", "pivots", "info")
LuUnpackResult = named_result("lu_unpack", "P", "L", "U")
LuWithInfo = named_result("_lu_with_info", "LU", "pivots", "info")


# --- the factors --------------------------------------------------------------------------------------------------


def _check(name: str, input: Any, pivot: bool) -> None:
    if input.ndim < 2:
        raise RuntimeError(f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(input.shape)} instead")
    if input.dtype not in (np.float32, np.float64, np.complex64, np.complex128):
        got = dtypes.scalar_type_name(input.dtype)
        raise NotImplementedError(f"\"lu_cpu\" not implemented for '{got}'")
    if not pivot and isinstance(input, np.ndarray):
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")


def _factors_input(p: Any, l: Any, u: Any, gl: Any, gu: Any) -> Any:  # noqa: E741
    """The gradient of `p @ l @ u` from the gradients of its factors; of any shape."""
    rows, rank, columns = shape_of(l)[-2], shape_of(l)[-1], shape_of(u)[-1]
    l1, u1 = narrow(l, -2, 0, rank), narrow(u, -1, 0, rank)
    lower = matmul(turned(l1), tril(narrow(gl, -2, 0, rank), -1))
    upper = matmul(triu(narrow(gu, -1, 0, rank)), turned(u1))
    if columns > rank:  # columns of u that have no square part: u2 = l1^-1 a2
        gu2 = narrow(gu, -1, rank, columns - rank)
        lower = lower - matmul(gu2, turned(narrow(u, -1, rank, columns - rank)))
    if rows > rank:  # and rows of l: l2 = a2 u1^-1
        gl2 = narrow(gl, -2, rank, rows - rank)
        upper = upper - matmul(turned(narrow(l, -2, rank, rows - rank)), gl2)
    middle = tril(lower, -1) + triu(upper)
    inside = triangular(turned(u1), middle, False, False, False)
    if columns > rank:
        inside = cat([inside, gu2], -1)
    whole = triangular(turned(l1), inside, True, True, True)
    if rows > rank:
        whole = cat([whole, triangular(turned(u1), gl2, False, False, False)], -2)
    return matmul(p, whole)


@op(input=lambda g: tril(g, -1))
def unit_lower(input):
    """What is below the diagonal, with ones on it."""
    xp = namespace(input)
    return xp.tril(input, -1) + xp.eye(*input.shape[-2:], dtype=input.dtype)


def _parts(lu: Any) -> tuple[Any, Any]:
    """L and U as two matrices."""
    rank = min(shape_of(lu)[-2:])
    return unit_lower(narrow(lu, -1, 0, rank)), triu(narrow(lu, -2, 0, rank))


@op()
def _permutation(pivots, like, rows):
    return permutation_matrix(pivots, rows, like.dtype)


def _lu_factor_input(g, out):
    lower, upper = _parts(out[0])
    p, rank = _permutation(out[1], out[0], shape_of(lower)[-2]), shape_of(lower)[-1]
    return _factors_input(p, lower, upper, narrow(g[0], -1, 0, rank), narrow(g[0], -2, 0, rank))


@op(name="LinalgLuFactorExBackward0", input=_lu_factor_input)
def _lu_factor_ex(input, pivot):
    _check("torch.lu_factor", input, pivot)
    return LuFactorExResult(*eliminated(input, pivot))


def _raise_if_singular(name: str, info: Any) -> None:
    array = info._array
    if array.size and bool((array != 0).any()):
        place, which = first_failure(array)
        raise RuntimeError(
            f"{name}: {place}U[{which},{which}] is zero and using it on lu_solve would result in a division by zero. "
            "If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
            "linalg.lu_factor_ex(A, pivot)"
        )


def lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """`(LU, pivots, info)` of (*, m, n): L below and U on and above the diagonal of one matrix.

    Row i was exchanged with row `pivots[i]` (from 1, int32); `info` is the first zero on U's diagonal (from 1), or 0.
    """
    result = _lu_factor_ex(A, pivot)
    if check_errors:
        _raise_if_singular("torch.linalg.lu_factor_ex", result.info)
    return store("linalg_lu_factor_ex", out, result)


def lu_factor(A: Any, *, pivot: bool = True, out: Any = None) -> Any:
    """`(LU, pivots)`, see `lu_factor_ex`; RuntimeError where U has a zero on its diagonal."""
    lu, pivots, info = _lu_factor_ex(A, pivot)
    _raise_if_singular("torch.linalg.lu_factor", info)
    return store("linalg_lu_factor", out, LuFactorResult(lu, pivots))


def _lu_input(g, out):
    lower, upper, pivots = out
    p = _permutation(pivots, lower, shape_of(lower)[-2])
    return _factors_input(p, lower, upper, g[0], g[1])


@op(name="LinalgLuBackward0", input=_lu_input)
def _lu(input, pivot):
    _check("linalg.lu", input, pivot)
    xp = namespace(input)
    lu, pivots, _ = eliminated(input, pivot)
    rank = min(input.shape[-2:])
    return unit_lower.plain(lu[..., :rank]), xp.triu(lu[..., :rank, :]), pivots


def lu(A: Any, *, pivot: bool = True, out: Any = None) -> Any:
    """`(P, L, U)` with `P @ L @ U = A`: (*, m, m), (*, m, k), (*, k, n), k the smaller of m and n.

    L has ones on its diagonal. On a GPU `pivot=False` leaves the rows in place (P is then empty).
    """
    lower, upper, pivots = _lu(A, pivot)
    p = _permutation(pivots, lower, shape_of(A)[-2]) if pivot else _nothing(lower)
    return store("linalg_lu", out, LuResult(p, lower, upper))


@op()
def _nothing(like):
    return namespace(like).zeros(0, like.dtype)


# --- unpacking ----------------------------------------------------------------------------------------------------


def _unpack_input(g, LU_data_shape, unpack_data):
    if not unpack_data:
        return None
    (rows, columns), (gl, gu) = LU_data_shape[-2:], g
    rank = min(rows, columns)
    square = tril(narrow(gl, -2, 0, rank), -1) + triu(narrow(gu, -1, 0, rank))
    if rows > rank:
        return cat([square, narrow(gl, -2, rank, rows - rank)], -2)
    return cat([square, narrow(gu, -1, rank, columns - rank)], -1) if columns > rank else square


@op(name="LuUnpackBackward0", LU_data=_unpack_input)
def _unpack(LU_data, unpack_data):
    xp = namespace(LU_data)
    if not unpack_data:
        return xp.zeros(0, LU_data.dtype), xp.zeros(0, LU_data.dtype)
    rank = min(LU_data.shape[-2:])
    return unit_lower.plain(LU_data[..., :rank]), xp.triu(LU_data[..., :rank, :])


def lu_unpack(
    LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True, *, out: Any = None
) -> Any:
    """`(P, L, U)` from the results of `linalg.lu_factor`; empty tensors for what is not asked for."""
    if unpack_pivots and LU_pivots._array.dtype != np.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\n"
            "Note: this function is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    lower, upper = _unpack(LU_data, unpack_data)
    p = _permutation(LU_pivots, LU_data, shape_of(LU_data)[-2]) if unpack_pivots else _nothing(LU_data)
    return store("lu_unpack", out, LuUnpackResult(p, lower, upper))


# --- equations ----------------------------------------------------------------------------------------------------


def _lu_solve_backward(needed, g, LU, pivots, B, out, transposed):
    lower, upper = _parts(LU)
    p = _permutation(pivots, LU, shape_of(LU)[-1])
    if transposed:  # X = P L^-T U^-T B
        gz = triangular(lower, matmul(turned(p), g), False, True, True)
        grad_b = triangular(upper, gz, True, True, False)
        if not needed[0]:
            return None, grad_b
        z = triangular(turned(upper), B, False, True, False)
        gl, gu = matmul(matmul(turned(p), out), turned(gz)), matmul(z, turned(grad_b))
    else:  # X = U^-1 L^-1 P^T B
        gy = triangular(turned(upper), g, False, True, False)
        gr = triangular(turned(lower), gy, True, True, True)
        grad_b = matmul(p, gr)
        if not needed[0]:
            return None, grad_b
        gl, gu = matmul(gr, turned(matmul(upper, out))), matmul(gy, turned(out))
    return -(tril(gl, -1) + triu(gu)), grad_b


@op(joint=_lu_solve_backward, wrt=("LU", "B"), name="LinalgLuSolveBackward0")
def _lu_solve(LU, pivots, B, transposed):
    xp = namespace(LU)
    p = permutation_matrix(pivots, LU.shape[-1], LU.dtype)
    if transposed:
        z = substitute(LU.swapaxes(-1, -2), B, lower=True)
        return xp.matmul(p, substitute(LU.swapaxes(-1, -2), z, lower=False, unit=True))
    y = substitute(LU, xp.matmul(p.swapaxes(-1, -2), B), lower=True, unit=True)
    return substitute(LU, y, lower=False)


def lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False, out: Any = None) -> Any:
    """X of `A @ X = B` from `A`'s `lu_factor`; with `left=False` of `X @ A = B`, with `adjoint` for A's adjoint.

    LU (*, n, n), pivots (*, n) int32, B (*, n, k), or (*, k, n) with `left=False`; leading dimensions broadcast.
    """
    _check_lu_solve(LU, pivots, B, left)
    right = B if left else turned(B)
    if adjoint and B._array.dtype.kind == "c":
        result = conj(_lu_solve(LU, pivots, conj(right), left))
    else:
        result = _lu_solve(LU, pivots, right, left == adjoint)
    return store("linalg_lu_solve", out, result if left else turned(result))


def _check_lu_solve(LU: Any, pivots: Any, B: Any, left: bool) -> None:
    rows, columns = shape_of(LU)[-2:]
    if rows != columns:
        raise RuntimeError(
            f"torch.linalg.lu_solve: A must be batches of square matrices, but they are {rows} by {columns} matrices"
        )
    if pivots._array.dtype != np.int32:
        raise RuntimeError("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    if LU.dtype != B.dtype:
        first, second = (dtypes.scalar_type_name(x.dtype) for x in (LU, B))
        raise RuntimeError(
            f"linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type {first} and B of type "
            f"{second} instead"
        )
    height, width = shape_of(B)[-2:]
    if (height if left else width) != rows:
        raise RuntimeError(
            f"linalg.lu_solve: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({rows}x{columns} and {height}x{width})"
        )
    if shape_of(pivots)[-1] != rows:
        raise RuntimeError("linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix")


# --- the old names ------------------------------------------------------------------------------------------------


def old_lu_solve(b: Any, LU_data: Any, LU_pivots: Any, *, out: Any = None) -> Any:
    """The old form of `linalg.lu_solve`, with the right side first."""
    warnings.warn(
        "torch.lu_solve is deprecated in favor of torch.linalg.lu_solve and will be removed in a future PyTorch "
        "release. X = torch.lu_solve(B, LU, pivots) should be replaced with X = torch.linalg.lu_solve(LU, pivots, B)",
        UserWarning,
        stacklevel=2,
    )
    return lu_solve(LU_data, LU_pivots, b, out=out)


def old_lu(A: Any, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """The old form of `linalg.lu_factor_ex`: `(LU, pivots)`, and with `get_infos` `info` too."""
    warnings.warn(
        "torch.lu is deprecated in favor of torch.linalg.lu_factor / torch.linalg.lu_factor_ex and will be removed in "
        "a future PyTorch release.",
        UserWarning,
        stacklevel=2,
    )
    result = _lu_factor_ex(A, pivot)
    return store("lu", out, LuWithInfo(*result) if get_infos else (result.LU, result.pivots))
