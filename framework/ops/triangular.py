"""Triangular systems of equations."""

from __future__ import annotations

import warnings
from typing import Any

from .. import dtypes
from ..backend import namespace
from ..engine import op
from .decomposition import _check
from .elimination import substitute
from .index import tril, triu
from .linalg import matmul, turned
from .outputs import store
from .results import named_result
from .shape import shape_of

TriangularSolveResult = named_result("triangular_solve", "solution", "cloned_coefficient")


def check_equation(name: str, A: Any, B: Any, left: bool = True) -> None:
    """Refuses shapes and types with which `A @ X = B` (or `X @ A = B`) is no equation."""
    a, b = shape_of(A), shape_of(B)
    if a[-1] != b[-2 if left else -1]:
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {equation} ({a[-2]}x{a[-1]} and {b[-2]}x{b[-1]})"
        )
    if A.dtype != B.dtype:
        first, second = (dtypes.scalar_type_name(x.dtype) for x in (A, B))
        raise RuntimeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type {first} and B of type {second} "
            "instead"
        )


def _triangle(matrix: Any, upper: bool, unitriangular: bool) -> Any:
    side = 1 if unitriangular else 0
    return triu(matrix, side) if upper else tril(matrix, -side)


def _solve_triangular_backward(needed, g, A, out, upper, left, unitriangular):
    grad_b = triangular(turned(A), g, not upper, left, unitriangular)
    grad_a = None
    if needed[0]:
        whole = matmul(grad_b, turned(out)) if left else matmul(turned(out), grad_b)
        grad_a = -_triangle(whole, upper, unitriangular)
    return grad_a, grad_b


@op(joint=_solve_triangular_backward, wrt=("A", "B"), name="LinalgSolveTriangularBackward0")
def triangular(A, B, upper, left, unitriangular):
    """`solve_triangular`, of arrays too."""
    if left:
        return substitute(A, B, lower=not upper, unit=unitriangular)
    turned_a, turned_b = A.swapaxes(-1, -2), B.swapaxes(-1, -2)
    return substitute(turned_a, turned_b, lower=upper, unit=unitriangular).swapaxes(-1, -2)


def solve_triangular(
    A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False, out: Any = None
) -> Any:
    """X of `A @ X = B` (with `left=False` of `X @ A = B`) for triangular A.

    The other side of the diagonal does not count, nor the diagonal itself if `unitriangular`: it is then all ones.
    A (*, n, n), B (*, n, k); a zero on the diagonal gives infinities.
    """
    _check("linalg.solve_triangular", A._array)
    if len(shape_of(B)) < 2:
        raise RuntimeError("linalg.solve_triangular: The input tensor B must have at least 2 dimensions.")
    check_equation("linalg.solve_triangular", A, B, left)
    return store("linalg_solve_triangular", out, triangular(A, B, upper, left, unitriangular))


def _old_backward(needed, g, input, A, out, upper, transpose, unitriangular):
    # transpose of a complex A is its plain transpose, so all of this is holomorphic
    matrix = A if transpose else turned(A)
    g_solution, g_copy = g
    grad_b = triangular(matrix, g_solution, upper == transpose, True, unitriangular)
    if not needed[1]:
        return grad_b, None
    whole = matmul(out[0], turned(grad_b)) if transpose else matmul(grad_b, turned(out[0]))
    return grad_b, g_copy - _triangle(whole, upper, unitriangular)


@op(joint=_old_backward, wrt=("input", "A"), name="TriangularSolveBackward0")
def _triangular_solve(input, A, upper, transpose, unitriangular):
    matrix = A.swapaxes(-1, -2) if transpose else A
    solution = substitute(matrix, input, lower=upper == transpose, unit=unitriangular)
    coefficient = namespace(A).broadcast_to(A, (*solution.shape[:-2], *A.shape[-2:]))
    return TriangularSolveResult(solution, coefficient.copy())


def triangular_solve(
    b: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False, *, out: Any = None
) -> Any:
    """The old form of `linalg.solve_triangular`: `(solution, cloned_coefficient)`, A and b the other way round."""
    warnings.warn(
        "torch.triangular_solve is deprecated in favor of torch.linalg.solve_triangular and will be removed in a "
        "future PyTorch release. X = torch.triangular_solve(B, A).solution should be replaced with "
        "X = torch.linalg.solve_triangular(A, B).",
        UserWarning,
        stacklevel=2,
    )
    shapes = shape_of(b), shape_of(A)
    for name, shape in zip("bA", shapes, strict=True):
        if len(shape) < 2:
            raise RuntimeError(
                f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but it has {len(shape)} "
                "dimensions instead"
            )
    check_old_equation("triangular_solve", b, A)
    return store("triangular_solve", out, _triangular_solve(b, A, upper, transpose, unitriangular))


def check_old_equation(name: str, b: Any, A: Any) -> None:
    """The checks of the functions that take the right side first."""
    rows, columns = shape_of(A)[-2:]
    if b.dtype != A.dtype:
        first, second = (dtypes.scalar_type_name(x.dtype) for x in (b, A))
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {first} and A of type {second} instead."
        )
    if rows != columns:
        raise RuntimeError(f"A must be batches of square matrices, but they are {rows} by {columns} matrices")
    if shape_of(b)[-2] != rows:
        height, width = shape_of(b)[-2:]
        raise RuntimeError(
            f"Incompatible matrix sizes for {name}: each A matrix is {rows} by {columns} but each b matrix is "
            f"{height} by {width}"
        )
