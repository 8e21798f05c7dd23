"""Truncated decompositions from random projections.

N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with randomness", 2009: algorithms 4.4 and 5.1.
"""

from __future__ import annotations

from typing import Any

from .decomposition import adjoint, qr, svd
from .linalg import matmul
from .reduce import mean
from .shape import shape_of


def _basis(A: Any, count: int, niter: int) -> Any:
    """Orthonormal columns that nearly span what A maps to, by subspace iteration."""
    from ..creation import randn  # creation makes Tensors, of which the operators know nothing

    start = randn(shape_of(A)[-1], count, dtype=A.dtype, device=A.device)
    q = qr(matmul(A, start)).Q
    for _ in range(niter):
        q = qr(matmul(adjoint(A), q)).Q
        q = qr(matmul(A, q)).Q
    return q


def svd_lowrank(A: Any, q: int | None = 6, niter: int | None = 2, M: Any = None) -> tuple[Any, Any, Any]:
    """`(U, S, V)` with `U @ diag(S) @ V.mH` near A (less M, if given): its `q` largest singular values.

    A (*, m, n), U (*, m, q), S (*, q), V (*, n, q). Random numbers come from the default generator.
    """
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    A = A if M is None else A - M
    wide = shape_of(A)[-2] < shape_of(A)[-1]
    A = adjoint(A) if wide else A
    basis = _basis(A, q, niter)
    u, s, vh = svd(matmul(adjoint(basis), A), full_matrices=False)
    u, v = matmul(basis, u), adjoint(vh)
    return (v, s, u) if wide else (u, s, v)


def pca_lowrank(A: Any, q: int | None = None, center: bool = True, niter: int = 2) -> tuple[Any, Any, Any]:
    """`svd_lowrank` of A (*, m, n) with its columns centred: V's columns are the `q` principal directions."""
    least = min(shape_of(A)[-2:])
    q = min(6, least) if q is None else q
    if not 0 <= q <= least:
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={least}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - mean(A, -2, True) if center else A, q, niter)
