"""Equations between tensors of any dimensions, Vandermonde matrices and inner products along a dimension."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from .decomposition import inv, solve
from .outputs import store
from .pointwise import conj
from .reduce import cumprod
from .reduce import sum as sum_over
from .shape import cat, diagonal, expand, flip, movedim, reshape, shape_of, unsqueeze


def tensorinv(A: Any, ind: int = 2, *, out: Any = None) -> Any:
    """The inverse of `tensordot(A, ., ind)`: A's first `ind` dimensions come last in the result."""
    shape = shape_of(A)
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    first, last = shape[:ind], shape[ind:]
    if math.prod(last) != math.prod(first):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{math.prod(last)} != {math.prod(first)}"
        )
    return store("linalg_tensorinv", out, reshape(inv(reshape(A, (math.prod(last), -1))), (*last, *first)))


def tensorsolve(A: Any, B: Any, dims: Any = None, *, out: Any = None) -> Any:
    """X of `tensordot(A, X, X.ndim) = B`; `dims` of A are moved to its end first."""
    if dims is not None:
        A = movedim(A, tuple(dims), tuple(range(-len(dims), 0)))
    count = len(shape_of(B))
    shape = shape_of(A)[count:]
    size, wanted = math.prod(shape), math.prod(shape_of(A)[:count])
    if size != wanted or wanted != math.prod(shape_of(B)):
        other = wanted if size != wanted else math.prod(shape_of(B))
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {size} != {other}"
        )
    return store("linalg_tensorsolve", out, reshape(solve(reshape(A, (wanted, size)), reshape(B, (-1,))), shape))


def vander(x: Any, N: int | None = None) -> Any:
    """The powers 0 to N - 1 of each element (*, n), N being n unless given: (*, n, N)."""
    x = x if shape_of(x) else unsqueeze(x, 0)
    shape = shape_of(x)
    count = shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    column = unsqueeze(x, -1)
    powers = cumprod(expand(column, (*shape, count - 1)), -1)
    return cat([powers.new_ones((*shape, 1)), powers], -1)


def old_vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of each element of a vector as columns, the highest first unless `increasing`."""
    shape = shape_of(x)
    if len(shape) != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = shape[0] if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    if count > 1:
        powers = vander(x, count)
    else:
        powers = x.new_ones((shape[0], count), dtype=None if x.is_floating_point() or x.is_complex() else x.sum().dtype)
    return powers if increasing else flip(powers, (1,))


def vecdot(x: Any, y: Any, *, dim: int = -1, out: Any = None) -> Any:
    """The inner products along `dim`, the first vectors conjugated; other dimensions broadcast."""
    kind = x.dtype
    if not (kind.is_floating_point or kind.is_complex):
        raise RuntimeError(
            f"linalg.vecdot: Expected a floating point or complex tensor as input. Got {dtypes.scalar_type_name(kind)}"
        )
    if kind != y.dtype:
        first, second = dtypes.scalar_type_name(kind), dtypes.scalar_type_name(y.dtype)
        raise RuntimeError(
            f"linalg.vecdot: Expected x and y to have the same dtype, but found x of type {first} and y of type "
            f"{second} instead"
        )
    return store("linalg_vecdot", out, sum_over(conj(x) * y, dim))


def diagonal_of_matrices(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """`diagonal`, of the last two dimensions unless told otherwise; a view."""
    return diagonal(A, offset, dim1, dim2)
