"""Norms of vectors and matrices, distances, condition numbers."""

from __future__ import annotations

import math
from typing import Any

from ..engine import numpy_names
from .decomposition import inv, svdvals
from .pointwise import abs
from .reduce import _vector_norm, amax, amin, vector_norm
from .reduce import sum as sum_over
from .shape import movedim, shape_of, unsqueeze, wrap_dims


@numpy_names
def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, out: Any = None, dtype: Any = None) -> Any:
    """The p-norm over `dim` or of all elements ("fro": 2; "nuc": the sum of the singular values)."""
    if p == "nuc":
        return matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype, out=out)
    return _vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype, out=out)


@numpy_names
def linalg_norm(
    A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Any:
    """A vector norm (`dim` an int, or a vector, or no `ord`) or a matrix norm (two dimensions and an `ord`)."""
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype, out=out)
    dims = dim if dim is None or isinstance(dim, int) else tuple(dim)
    if isinstance(ord, str) or (isinstance(dims, tuple) and len(dims) == 2):
        return matrix_norm(A, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype, out=out)
    ndim = len(shape_of(A))
    if dims is None and ndim > 2:
        raise RuntimeError(f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {ndim}D.")
    if dims is None and ndim == 2:
        return matrix_norm(A, ord, (-2, -1), keepdim, dtype=dtype, out=out)
    return vector_norm(A, ord, dims, keepdim, dtype=dtype, out=out)


@numpy_names
def matrix_norm(
    A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Any:
    """Norms of matrices in the dimensions `dim`: "fro", "nuc", 1, -1, 2, -2, inf or -inf, as NumPy defines them."""
    ndim = len(shape_of(A))
    if ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {dim}")
    if ord not in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    rows, columns = wrap_dims(dim, ndim)
    A = A if dtype is None else A.to(dtype)
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim, out=out)
    if ord in ("nuc", 2, -2):
        result = _of_singular_values(svdvals(movedim(A, (rows, columns), (-2, -1))), ord)
        for place in sorted((rows, columns)) if keepdim else ():
            result = unsqueeze(result, place)
    else:
        summed, picked = (rows, columns) if ord in (1, -1) else (columns, rows)
        result = (amax if ord > 0 else amin)(sum_over(abs(A), summed, True), picked, True)
        result = result if keepdim else result.squeeze((rows, columns))
    return result if out is None else out.copy_(result)


def _of_singular_values(values: Any, ord: Any) -> Any:
    if ord == "nuc":
        return sum_over(values, -1)
    return amax(values, -1) if ord == 2 else amin(values, -1)


def cond(A: Any, p: Any = None, *, out: Any = None) -> Any:
    """The condition number in a matrix norm `p` (2 unless given): how much solving enlarges relative errors."""
    if p in (None, 2, -2):
        values = svdvals(A)
        largest, smallest = amax(values, -1), amin(values, -1)
        result = smallest / largest if p == -2 else largest / smallest
    else:
        result = matrix_norm(A, p) * matrix_norm(inv(A), p)
    return result if out is None else out.copy_(result)


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Any:
    """The p-norm distances between rows: x1 (*, n, d), x2 (*, m, d), the result (*, n, m)."""
    a, b = shape_of(x1), shape_of(x2)
    if len(a) < 2 or len(b) < 2:
        name, shape = ("X1", a) if len(a) < 2 else ("X2", b)
        raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {len(shape)}D")
    if a[-1] != b[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {a[-1]} X2: {b[-1]}")
    return _vector_norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, -1)
