"""Elimination on stacks of matrices, in plain array code: LU, Cholesky and triangular systems as LAPACK has them.

NumPy has no LU factorization, and none that goes on past a singular matrix. These run on all matrices of a stack at
once, read nothing on the host, and choose LAPACK's pivots.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import namespace

_BLOCK = 48  # columns that are eliminated one by one before a matrix product brings the rest up to date


def stacked(matrices: Any) -> Any:
    """A copy with one leading dimension."""
    *batch, rows, columns = matrices.shape
    return matrices.reshape(math.prod(batch), rows, columns).copy()


def lu_factor(matrices: Any, pivot: bool = True) -> tuple[Any, Any, Any]:
    """`(LU, pivots, info)` of (*, m, n): unit lower L and upper U in one matrix, rows exchanged (from 1) as int32.

    `info` (*) is the first (from 1) zero on U's diagonal, or 0. Right-looking and blocked (Golub & Van Loan, 3.2.11).
    """
    xp = namespace(matrices)
    *batch, rows, columns = matrices.shape
    lu, rank = stacked(matrices), min(rows, columns)
    pivots = xp.empty((lu.shape[0], rank), np.int32)
    for start in range(0, rank, _BLOCK):
        stop = min(start + _BLOCK, rank)
        for column in range(start, stop):
            _eliminate(xp, lu, pivots, column, stop, pivot)
        if stop < columns:
            top = substitute(lu[:, start:stop, start:stop], lu[:, start:stop, stop:], lower=True, unit=True)
            lu[:, start:stop, stop:] = top
            lu[:, stop:, stop:] -= xp.matmul(lu[:, stop:, start:stop], top)
    info = first_of(xp, lu.diagonal(0, -2, -1) == 0)
    return lu.reshape(matrices.shape), pivots.reshape(*batch, rank), info.reshape(tuple(batch))


def _eliminate(xp: Any, lu: Any, pivots: Any, column: int, stop: int, pivot: bool) -> None:
    """Clears one column below the diagonal, in the columns up to `stop`."""
    if pivot:
        below = lu[:, column:, column]
        size = abs(below.real) + abs(below.imag) if lu.dtype.kind == "c" else abs(below)
        chosen = size.argmax(axis=1) + column
        each = xp.arange(lu.shape[0])
        row = lu[each, chosen]
        lu[each, chosen] = lu[:, column]
        lu[:, column] = row
        pivots[:, column] = chosen + 1
    else:
        pivots[:, column] = column + 1
    head = lu[:, column, column][:, None]
    factors = lu[:, column + 1 :, column] / xp.where(head == 0, xp.ones((), lu.dtype), head)
    lu[:, column + 1 :, column] = factors
    lu[:, column + 1 :, column + 1 : stop] -= factors[:, :, None] * lu[:, column, None, column + 1 : stop]


def first_of(xp: Any, flags: Any) -> Any:
    """The place (from 1) of the first true flag in each row, or 0; int32."""
    if not flags.shape[-1]:
        return xp.zeros(flags.shape[:-1], np.int32)
    return xp.where(flags.any(axis=-1), flags.argmax(axis=-1) + 1, 0).astype(np.int32)


def permutation(pivots: Any, rows: int) -> Any:
    """The order that the exchanges leave the rows in: (*, rows), so that `A[order]` is `L @ U`."""
    xp = namespace(pivots)
    *batch, count = pivots.shape
    exchanges = pivots.reshape(math.prod(batch), count).astype(np.int64) - 1
    order = xp.broadcast_to(xp.arange(rows), (exchanges.shape[0], rows)).copy()
    each = xp.arange(exchanges.shape[0])
    for row in range(count):
        other = exchanges[:, row]
        kept = order[each, other]
        order[each, other] = order[:, row]
        order[:, row] = kept
    return order.reshape(*batch, rows)


def permutation_matrix(pivots: Any, rows: int, dtype: Any) -> Any:
    """P of `P @ L @ U = A`: (*, rows, rows)."""
    eye = namespace(pivots).eye(rows, dtype=dtype)
    return eye[permutation(pivots, rows)].swapaxes(-1, -2).copy()


def substitute(triangle: Any, right: Any, *, lower: bool, unit: bool = False) -> Any:
    """X of `triangle @ X = right`, by halves: the other triangle is not read, and a zero on the diagonal gives inf.

    triangle (*, n, n), right (*, n, k); leading dimensions broadcast.
    """
    xp = namespace(triangle)
    batch = np.broadcast_shapes(triangle.shape[:-2], right.shape[:-2])
    right = xp.broadcast_to(right, (*batch, *right.shape[-2:]))
    return _substitute(xp, triangle, right, lower, unit)


def _substitute(xp: Any, t: Any, right: Any, lower: bool, unit: bool) -> Any:
    n = t.shape[-1]
    if n <= 1:
        return right.copy() if unit or not n else right / t
    half = n // 2
    if lower:
        first = _substitute(xp, t[..., :half, :half], right[..., :half, :], lower, unit)
        rest = right[..., half:, :] - xp.matmul(t[..., half:, :half], first)
        second = _substitute(xp, t[..., half:, half:], rest, lower, unit)
    else:
        second = _substitute(xp, t[..., half:, half:], right[..., half:, :], lower, unit)
        rest = right[..., :half, :] - xp.matmul(t[..., :half, half:], second)
        first = _substitute(xp, t[..., :half, :half], rest, lower, unit)
    return xp.concatenate([first, second], axis=-2)


def cholesky_columns(matrices: Any) -> tuple[Any, Any]:
    """`(L, info)`: as far as each Cholesky factor exists, and the first (from 1) leading minor that is not positive."""
    xp = namespace(matrices)
    lower = xp.tril(stacked(matrices))
    info = xp.zeros(lower.shape[0], np.int32)
    for j in range(lower.shape[-1]):
        head = lower[:, j, j].real
        info = xp.where((info == 0) & ~(head > 0), np.int32(j + 1), info)
        going = info == 0
        root = xp.sqrt(xp.where(going, head, 1))
        column = xp.where(going[:, None], lower[:, j + 1 :, j] / root[:, None], 0)
        lower[:, j, j] = xp.where(going, root, lower[:, j, j])
        lower[:, j + 1 :, j] = xp.where(going[:, None], column, lower[:, j + 1 :, j])
        lower[:, j + 1 :, j + 1 :] -= xp.tril(column[:, :, None] * column[:, None, :].conj())
    return lower.reshape(matrices.shape), info.reshape(matrices.shape[:-2])


def first_failure(info: Any) -> tuple[str, int]:
    """What messages say of the first matrix whose `info` is not 0: which one of a stack, and its `info`."""
    codes = info.reshape(-1)
    index = int((codes != 0).argmax())
    return (f"(Batch element {index}): " if info.ndim else "", int(codes[index]))
