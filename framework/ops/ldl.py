"""Factorizations of symmetric and Hermitian matrices that need not be positive definite: `A = P L D L^H P^T`.

D has blocks of 1 x 1 and 2 x 2 on its diagonal, and exchanges are chosen after Bunch and Kaufman ("Some stable methods
for calculating inertia and solving symmetric linear systems", 1977). Everything is packed as LAPACK packs it (sytrf and
hetrf, lower triangle): D and L in one matrix; a positive pivot is the row (from 1) that was exchanged, two equal
negative ones belong to a block of 2. Which rows meet depends on the values, so this runs on the host, matrix by matrix.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import namespace, to_host
from ..engine import op
from .decomposition import _check
from .elimination import first_failure
from .outputs import store
from .results import named_result

LdlResult = named_result("linalg_ldl_factor", "LD", "pivots")
LdlExResult = named_result("linalg_ldl_factor_ex", "LD", "pivots", "info")

_ALPHA = (1 + math.sqrt(17)) / 8  # bounds the growth of elements


def _size(values: Any) -> Any:
    return abs(values.real) + abs(values.imag) if values.dtype.kind == "c" else abs(values)


def _mirror(values: Any, hermitian: bool) -> Any:
    return values.conj() if hermitian else values


def _choose(a: Any, k: int, hermitian: bool) -> tuple[int, int]:
    """`(row to exchange, block size)` for column k of the lower triangle; size 0 where the column is all zero."""
    head = abs(a[k, k].real) if hermitian else _size(a[k, k])
    below = _size(a[k + 1 :, k])
    largest = below.max(initial=0)
    if max(head, largest) == 0 or head != head:
        return k, 0
    if head >= _ALPHA * largest:
        return k, 1
    row = k + 1 + int(below.argmax())
    beside = max(_size(a[row, k:row]).max(initial=0), _size(a[row + 1 :, row]).max(initial=0))
    if head >= _ALPHA * largest * (largest / beside):
        return k, 1
    diagonal = abs(a[row, row].real) if hermitian else _size(a[row, row])
    return row, 1 if diagonal >= _ALPHA * beside else 2


def _exchange(a: Any, k: int, j: int, hermitian: bool) -> None:
    """Exchanges rows and columns k and j > k of the part that begins at k; only the lower triangle counts."""
    a[j + 1 :, [k, j]] = a[j + 1 :, [j, k]]
    between = a[k + 1 : j, k].copy()
    a[k + 1 : j, k] = _mirror(a[j, k + 1 : j], hermitian)
    a[j, k + 1 : j] = _mirror(between, hermitian)
    a[j, k] = _mirror(a[j, k], hermitian)
    a[k, k], a[j, j] = a[j, j], a[k, k]


def _block(a: Any, k: int, hermitian: bool) -> Any:
    """The 2 x 2 block of D at k."""
    return np.array([[a[k, k], _mirror(a[k + 1, k], hermitian)], [a[k + 1, k], a[k + 1, k + 1]]])


def _factor(matrix: Any, hermitian: bool) -> tuple[Any, Any, int]:
    """`(LD, pivots, info)` of one matrix on the host."""
    a, n, info, k = matrix.copy(), matrix.shape[0], 0, 0
    pivots = np.empty(n, np.int32)
    if hermitian:
        np.fill_diagonal(a, a.diagonal().real)
    while k < n:
        row, size = _choose(a, k, hermitian)
        last = k + max(size, 1) - 1
        pivots[k : last + 1] = -(row + 1) if size == 2 else row + 1
        if size == 0:
            info = info or k + 1
        else:
            if row != last:
                _exchange(a, last, row, hermitian)
                if size == 2:
                    a[[last, row], k] = a[[row, last], k]
            columns = a[last + 1 :, k : last + 1]
            scaled = columns / a[k, k] if size == 1 else np.linalg.solve(_block(a, k, hermitian).T, columns.T).T
            a[last + 1 :, last + 1 :] -= scaled @ _mirror(columns, hermitian).T
            a[last + 1 :, k : last + 1] = scaled
        k = last + 1
    return np.tril(a), pivots, info


def _solve(ld: Any, pivots: Any, right: Any, hermitian: bool) -> Any:
    """X of one system on the host, from what `_factor` gave."""
    x, n, k = right.copy(), ld.shape[0], 0
    ld = ld - 1j * np.diag(ld.diagonal().imag) if hermitian else ld
    starts = []
    while k < n:
        starts.append(k)
        size = 1 if pivots[k] > 0 else 2
        last, row = k + size - 1, abs(int(pivots[k])) - 1
        x[[last, row]] = x[[row, last]]
        x[last + 1 :] -= ld[last + 1 :, k : last + 1] @ x[k : last + 1]
        x[k : last + 1] = x[k] / ld[k, k] if size == 1 else np.linalg.solve(_block(ld, k, hermitian), x[k : last + 1])
        k = last + 1
    for k in reversed(starts):
        last = k if pivots[k] > 0 else k + 1
        row = abs(int(pivots[k])) - 1
        x[k : last + 1] -= _mirror(ld[last + 1 :, k : last + 1], hermitian).T @ x[last + 1 :]
        x[[last, row]] = x[[row, last]]
    return x


def _no_factor_derivative(g):
    raise RuntimeError("derivative for aten::linalg_ldl_factor_ex is not implemented")


def _no_solve_derivative(g):
    raise RuntimeError("derivative for aten::linalg_ldl_solve is not implemented")


@op(name="NotImplemented", input=_no_factor_derivative)
def _ldl_factor_ex(input, hermitian):
    _check("torch.linalg.ldl_factor_ex", input)
    xp, (*batch, n, _) = namespace(input), input.shape
    count, across = math.prod(batch), hermitian and input.dtype.kind == "c"
    ld = to_host(input).reshape(count, n, n).copy()
    pivots, info = np.empty((count, n), np.int32), np.empty(count, np.int32)
    for i in range(count):
        ld[i], pivots[i], info[i] = _factor(ld[i], across)
    parts = ld.reshape(input.shape), pivots.reshape(*batch, n), info.reshape(tuple(batch))
    return LdlExResult(*(xp.asarray(part) for part in parts))


def ldl_factor_ex(A: Any, *, hermitian: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """`(LD, pivots, info)` of symmetric (or Hermitian) matrices (*, n, n), of which only the lower triangle is read.

    `info` (int32) is 0, or the first (from 1) zero on D's diagonal. No derivatives, as in PyTorch.
    """
    result = _ldl_factor_ex(A, hermitian)
    if check_errors:
        _raise_if_singular("torch.linalg.ldl_factor_ex", result.info)
    return store("linalg_ldl_factor_ex", out, result)


def ldl_factor(A: Any, *, hermitian: bool = False, out: Any = None) -> Any:
    """`(LD, pivots)`, see `ldl_factor_ex`; RuntimeError where D has a zero on its diagonal."""
    ld, pivots, info = _ldl_factor_ex(A, hermitian)
    _raise_if_singular("torch.linalg.ldl_factor", info)
    return store("linalg_ldl_factor", out, LdlResult(ld, pivots))


def _raise_if_singular(name: str, info: Any) -> None:
    if bool((info._array != 0).any()):
        place, which = first_failure(info._array)
        raise RuntimeError(f"{name}: {place}D[{which},{which}] is zero, so the equations have no unique solution")


@op(name="NotImplemented", LD=_no_solve_derivative, B=_no_solve_derivative)
def _ldl_solve(LD, pivots, B, hermitian):
    _check("torch.linalg.ldl_solve", LD)
    if B.ndim < 2:
        raise RuntimeError(f"torch.linalg.ldl_solve: Expected B to have at least 2 dimensions, but it has {B.ndim}")
    n = LD.shape[-1]
    if B.shape[-2] != n:
        raise RuntimeError(
            f"Incompatible matrix sizes for torch.linalg.ldl_solve: each A matrix is {n} by {n} but each b matrix is "
            f"{B.shape[-2]} by {B.shape[-1]}"
        )
    xp, across = namespace(LD), hermitian and LD.dtype.kind == "c"
    batch = np.broadcast_shapes(LD.shape[:-2], B.shape[:-2])
    result = np.empty((*batch, *B.shape[-2:]), B.dtype)
    full_ld, full_b = (np.broadcast_to(to_host(x), (*batch, *x.shape[-2:])) for x in (LD, B))
    full_pivots = np.broadcast_to(to_host(pivots), (*batch, n))
    for i in np.ndindex(batch):
        result[i] = _solve(full_ld[i], full_pivots[i], full_b[i], across)
    return xp.asarray(result)


def ldl_solve(LD: Any, pivots: Any, B: Any, *, hermitian: bool = False, out: Any = None) -> Any:
    """X of `A @ X = B` from `A`'s `ldl_factor`; LD (*, n, n), pivots (*, n), B (*, n, k). No derivatives."""
    return store("linalg_ldl_solve", out, _ldl_solve(LD, pivots, B, hermitian))
