"""Inverses, solutions and Cholesky factors that say by a number (`info`) where there is none, instead of raising."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import namespace
from ..engine import op
from .decomposition import _check, _cholesky_input, _right_side, _solve_backward, adjoint, singular_error
from .elimination import cholesky_columns, lu_factor
from .linalg import matmul, turned
from .outputs import store
from .results import named_result
from .shape import squeeze

InvExResult = named_result("linalg_inv_ex", "inverse", "info")
SolveExResult = named_result("linalg_solve_ex", "result", "info")
CholeskyExResult = named_result("linalg_cholesky_ex", "L", "info")


def _failed(info: Any) -> bool:
    array = info._array
    return bool((array != 0).any())


def _marked(xp: Any, compute: Any, matrices: Any) -> tuple[Any, Any]:
    """`(compute(matrices), info)`, with nan for the matrices that are singular."""
    if isinstance(matrices, np.ndarray):
        try:
            return compute(matrices), xp.zeros(matrices.shape[:-2], np.int32)
        except np.linalg.LinAlgError:
            pass
    info = lu_factor(matrices)[2]
    bad = (info != 0)[..., None, None]
    safe = xp.where(bad, xp.eye(matrices.shape[-1], dtype=matrices.dtype), matrices)
    result = compute(safe)
    return xp.where(bad, xp.asarray(np.nan, result.dtype), result), info


def _inv_ex_input(g, out):
    inverse = turned(out[0])
    return -matmul(inverse, matmul(g[0], inverse))


@op(name="LinalgInvExBackward0", input=_inv_ex_input)
def _inv_ex(input):
    _check("linalg.inv", input)
    xp = namespace(input)
    return InvExResult(*_marked(xp, xp.linalg.inv, input))


def inv_ex(A: Any, *, check_errors: bool = False, out: Any = None) -> Any:
    """`(inverse, info)` of square matrices: `info` (int32) is 0, or the place (from 1) of U's first zero."""
    result = _inv_ex(A)
    if check_errors and _failed(result.info):
        raise singular_error("linalg.inv_ex", result.info._array)
    return store("linalg_inv_ex", out, result)


def _solve_ex_backward(needed, g, A, out):
    return _solve_backward(needed, g[0], A, out[0])


@op(joint=_solve_ex_backward, wrt=("A", "B"), name="LinalgSolveExBackward0")
def _solve_ex(A, B):
    xp = namespace(A)
    batch = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    full_a, full_b = (xp.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (A, B))
    solution, info = _marked(xp, lambda a: xp.linalg.solve(a, full_b), full_a)
    count = len(batch) - (A.ndim - 2)  # of a matrix that served several right sides, one code
    return SolveExResult(solution, info[(0,) * count] if count and info.size else info)


def solve_ex(A: Any, B: Any, *, left: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """`(result, info)`: `linalg.solve` that does not raise; `info` (int32) is 0 where A is invertible."""
    right, vector = _right_side("linalg.solve_ex", A, B, left)
    result, info = _solve_ex(A, right) if left else _solve_ex(turned(A), turned(right))
    if check_errors and _failed(info):
        raise singular_error("torch.linalg.solve_ex", info._array)
    result = result if left else turned(result)
    return store("linalg_solve_ex", out, SolveExResult(squeeze(result, -1) if vector else result, info))


@op(name="LinalgCholeskyExBackward0", input=lambda g, out: _cholesky_input(g[0], out[0]))
def _cholesky_ex(input):
    _check("linalg.cholesky", input)
    xp = namespace(input)
    if isinstance(input, np.ndarray):
        try:
            return CholeskyExResult(np.linalg.cholesky(input), np.zeros(input.shape[:-2], np.int32))
        except np.linalg.LinAlgError:
            return CholeskyExResult(*cholesky_columns(input))
    partial, info = cholesky_columns(input)
    bad = (info != 0)[..., None, None]
    safe = xp.where(bad, xp.eye(input.shape[-1], dtype=input.dtype), input)
    return CholeskyExResult(xp.where(bad, partial, xp.linalg.cholesky(safe)), info)


def cholesky_ex(A: Any, *, upper: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """`(L, info)` of Hermitian matrices: `info` (int32) is 0, or the order of the first minor that is not positive."""
    lower, info = _cholesky_ex(A)
    if check_errors and _failed(info):
        raise singular_error("linalg.cholesky_ex", info._array)
    return store("linalg_cholesky_ex", out, CholeskyExResult(adjoint(lower) if upper else lower, info))
