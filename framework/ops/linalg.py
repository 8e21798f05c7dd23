"""Matrix products, contractions and what is made of them."""

from __future__ import annotations

import math
import warnings
from itertools import pairwise
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import Variable, numpy_names, op
from ..engine.half import is_half
from .pointwise import conj, mul
from .reduce import sum as sum_over
from .shape import (
    _diagonal_input,
    expand,
    permute,
    reshape,
    shape_of,
    squeeze,
    sum_to_size,
    unsqueeze,
    wrap_dim,
    wrap_dims,
)


def _check_same_type(first: Any, second: Any) -> None:
    if first.dtype != second.dtype:
        a, b = (dtypes.scalar_type_name(x.dtype).lower() for x in (first, second))
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {a} != {b}")


def _check_inner(first: Any, second: Any) -> None:
    if first.shape[-1] != second.shape[-2]:
        a, b = ("x".join(str(n) for n in x.shape[-2:]) for x in (first, second))
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({a} and {b})")
    _check_same_type(first, second)


def turned(matrix: Any) -> Any:
    """The last two dimensions exchanged; of arrays and Tensors."""
    return matrix.swapaxes(-2, -1)


def product(first: Any, second: Any) -> Any:
    """The matrix product of arrays, of 16-bit floats in float32."""
    matmul = namespace(first).matmul
    if is_half(first):
        return matmul(first.astype(np.float32), second.astype(np.float32)).astype(first.dtype)
    return matmul(first, second)


# --- products -----------------------------------------------------------------------------------------------------


@op(input=lambda g, mat2: mm(g, turned(mat2)), mat2=lambda g, input: mm(turned(input), g))
def mm(input, mat2):
    """The product of two matrices."""
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    if input.shape[1] != mat2.shape[0] or input.dtype is not mat2.dtype:
        _check_inner(input, mat2)
    return product(input, mat2)


@op(input=lambda g, mat2: bmm(g, turned(mat2)), mat2=lambda g, input: bmm(turned(input), g))
def bmm(input, mat2):
    """The products of two batches of matrices."""
    if input.ndim != 3 or mat2.ndim != 3:
        name, value = ("batch1", input) if input.ndim != 3 else ("batch2", mat2)
        raise RuntimeError(f"{name} must be a 3D tensor, got {value.ndim}D")
    if input.shape[0] != mat2.shape[0] or input.shape[2] != mat2.shape[1]:
        raise RuntimeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{input.shape[0]}, {input.shape[2]}] but got: [{mat2.shape[0]}, {mat2.shape[1]}]."
        )
    _check_same_type(input, mat2)
    return product(input, mat2)


@op(input=lambda g, vec: outer(g, vec), vec=lambda g, input: mv(turned(input), g))
def mv(input, vec):
    """The product of a matrix and a vector."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {vec.ndim}, {input.ndim}, {vec.ndim}")
    if input.shape[1] != vec.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({input.shape[0]}), mat ({input.shape[0]}x{input.shape[1]}), "
            f"vec ({vec.shape[0]})"
        )
    _check_same_type(input, vec)
    return product(input, vec)


@op(input=lambda g, tensor: g * tensor, tensor=lambda g, input: g * input)
def dot(input, tensor):
    """The inner product of two vectors."""
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors")
    if input.shape != tensor.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{input.shape[0]}] and src [{tensor.shape[0]}] to have the "
            f"same number of elements, but got {input.shape[0]} and {tensor.shape[0]} elements respectively"
        )
    if input.dtype != tensor.dtype:
        a, b = (dtypes.scalar_type_name(x.dtype) for x in (input, tensor))
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {a} and {b}")
    return product(input, tensor)


def outer(input: Any, vec2: Any, *, out: Any = None) -> Any:
    """The matrix of all products of an element of one vector with one of the other."""
    if len(shape_of(input)) != 1 or len(shape_of(vec2)) != 1:
        raise RuntimeError(f"outer: Expected 1-D argument self, but got {len(shape_of(input))}-D")
    product = unsqueeze(input, 1) * vec2
    return product if out is None else out.copy_(product)


def _batched_input(g, input_shape, other):
    return sum_to_size(_matmul(g, turned(other)), input_shape)


def _batched_other(g, input, other_shape):
    return sum_to_size(_matmul(turned(input), g), other_shape)


@op(name="UnsafeViewBackward0", input=_batched_input, other=_batched_other)
def _matmul(input, other):
    """Batches of matrices of any leading dimensions, which broadcast."""
    _check_inner(input, other)
    return product(input, other)


def _ndim(value: Any) -> int:
    return value._array.ndim if isinstance(value, Variable) else len(shape_of(value))


def matmul(input: Any, other: Any, *, out: Any = None) -> Any:
    """`input @ other`: dot, matrix-vector, matrix and batched products, by the operands' dimensions."""
    if out is not None:
        return out.copy_(matmul(input, other))
    n, m = _ndim(input), _ndim(other)
    if n == 2 and m == 2:
        return mm(input, other)
    if n == 0 or m == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {n}D and {m}D")
    if n == 1:
        if m == 1:
            return dot(input, other)
        if shape_of(other)[-2] != shape_of(input)[0]:
            raise RuntimeError(f"size mismatch, got input ({shape_of(input)[0]}) and matrix {list(shape_of(other))}")
        return squeeze(matmul(unsqueeze(input, 0), other), -2)
    if m == 1:
        return mv(input, other) if n == 2 else squeeze(_matmul(input, unsqueeze(other, 1)), -1)
    if m == 2 and n > 2:  # one large product instead of many small ones
        shape = shape_of(input)
        if shape[-1] == shape_of(other)[0]:
            return reshape(mm(reshape(input, (-1, shape[-1])), other), (*shape[:-1], shape_of(other)[1]))
    return _matmul(input, other)


def inner(input: Any, other: Any, *, out: Any = None) -> Any:
    """Products summed over the last dimension of both; of a number of dimensions 0, the product."""
    a, b = shape_of(input), shape_of(other)
    if not a or not b:
        return mul(input, other, out=out)
    if a[-1] != b[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {list(a)} and {list(b)}"
        )
    result = tensordot(input, other, ([-1], [-1]))
    return result if out is None else out.copy_(result)


def vdot(input: Any, other: Any, *, out: Any = None) -> Any:
    """The inner product of two vectors, the first one conjugated."""
    return dot(conj(input), other, out=out)


def multi_dot(tensors: Any, *, out: Any = None) -> Any:
    """The product of several matrices, in the order of least work; the ends may be vectors."""
    items = list(tensors)
    if len(items) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(items)}")
    first_is_vector, last_is_vector = len(shape_of(items[0])) == 1, len(shape_of(items[-1])) == 1
    if first_is_vector:
        items[0] = unsqueeze(items[0], 0)
    if last_is_vector:
        items[-1] = unsqueeze(items[-1], 1)
    for place, item in enumerate(items):
        if len(shape_of(item)) != 2:
            ends = {0: "the first tensor must be 1D or 2D", len(items) - 1: "the last tensor must be 1D or 2D"}
            which = ends.get(place, f"tensor {place} must be 2D")
            raise RuntimeError(f"multi_dot(): {which} but got {len(shape_of(item))}D")
    for place, (one, two) in enumerate(pairwise(items)):
        if shape_of(one)[1] != shape_of(two)[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {place} and {place + 1} with shapes {list(shape_of(one))} and "
                f"{list(shape_of(two))} cannot be multiplied"
            )
    result = _in_best_order(items)
    dims = (0,) * first_is_vector + (-1,) * last_is_vector
    result = squeeze(result, dims) if dims else result
    return result if out is None else out.copy_(result)


def _in_best_order(items: list[Any]) -> Any:
    """The matrix chain by dynamic programming over where each stretch is split last."""
    n = len(items)
    sizes = [shape_of(items[0])[0], *(shape_of(x)[1] for x in items)]
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], split[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )

    def product(i: int, j: int) -> Any:
        return items[i] if i == j else mm(product(i, split[i][j]), product(split[i][j] + 1, j))

    return product(0, n - 1)


# --- contractions -------------------------------------------------------------------------------------------------


def tensordot(a: Any, b: Any, dims: Any = 2, out: Any = None) -> Any:
    """Products summed over pairs of dimensions: the last `dims` of `a` with the first of `b`, or two lists of them."""
    n, m = len(shape_of(a)), len(shape_of(b))
    if a.dtype != b.dtype:
        raise RuntimeError("both inputs should have same dtype")
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        first, second = list(range(n - dims, n)), list(range(dims))
        if dims > min(n, m):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
    else:
        pair = dims.tolist() if hasattr(dims, "tolist") else dims
        first, second = ([d] if isinstance(d, int) else list(d) for d in pair)
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    first, second = list(wrap_dims(first, n)), list(wrap_dims(second, m))
    for i, j in zip(first, second, strict=True):
        if shape_of(a)[i] != shape_of(b)[j] and 1 not in (shape_of(a)[i], shape_of(b)[j]):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {shape_of(a)[i]} in dim {i} and second has "
                f"size {shape_of(b)[j]} in dim {j}"
            )
    rows, columns = [d for d in range(n) if d not in first], [d for d in range(m) if d not in second]
    a, b = _summed_where_one(a, b, first, second), _summed_where_one(b, a, second, first)
    shape = tuple(shape_of(a)[d] for d in rows) + tuple(shape_of(b)[d] for d in columns)
    width = math.prod(shape_of(a)[d] for d in first)
    left = reshape(permute(a, (*rows, *first)), (math.prod(shape_of(a)[d] for d in rows), width))
    right = reshape(permute(b, (*second, *columns)), (width, math.prod(shape_of(b)[d] for d in columns)))
    result = reshape(mm(left, right), shape)
    return result if out is None else out.copy_(result)


def _summed_where_one(value: Any, partner: Any, dims: list[int], partner_dims: list[int]) -> Any:
    """`value` summed over the contracted dimensions in which its partner has size one, so that sizes agree."""
    ones = [d for d, e in zip(dims, partner_dims, strict=True) if shape_of(partner)[e] == 1 != shape_of(value)[d]]
    return value.sum(tuple(ones), keepdim=True) if ones else value


@op(input=lambda g, input_shape: _diagonal_input(expand(g, (min(input_shape),)), input_shape, 0, 0, 1))
def trace(input):
    """The sum of a matrix's diagonal."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return input.trace(dtype=np.int64 if input.dtype.kind in "biu" else None)


def kron(input: Any, other: Any, *, out: Any = None) -> Any:
    """The Kronecker product: each element of `input` times all of `other`, as blocks."""
    a, b = shape_of(input), shape_of(other)
    ndim = max(len(a), len(b))
    a, b = (1,) * (ndim - len(a)) + a, (1,) * (ndim - len(b)) + b
    blocks = reshape(input, tuple(n for size in a for n in (size, 1)))
    inside = reshape(other, tuple(n for size in b for n in (1, size)))
    result = reshape(blocks * inside, tuple(i * j for i, j in zip(a, b, strict=True)))
    return result if out is None else out.copy_(result)


@op(
    promote="same",
    name="LinalgCrossBackward0",
    input=lambda g, other, dim: _cross(other, g, dim),
    other=lambda g, input, dim: _cross(g, input, dim),
)
def _cross(input, other, dim):
    roll = namespace(input).roll
    return roll(input, -1, dim) * roll(other, -2, dim) - roll(input, -2, dim) * roll(other, -1, dim)


def linalg_cross(input: Any, other: Any, *, dim: int = -1, out: Any = None) -> Any:
    """The vector product along `dim`, which has three elements; other dimensions broadcast."""
    a, b = shape_of(input), shape_of(other)
    if len(a) != len(b):
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    at = wrap_dim(dim, len(a))
    if a[at] != 3 or b[at] != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {a[at]} and {b[at]}")
    return _cross(input, other, at - len(a)) if out is None else _cross(input, other, at - len(a), out=out)


@numpy_names
def cross(input: Any, other: Any, dim: int | None = None, *, out: Any = None) -> Any:
    """`linalg.cross`; without `dim` along the first dimension of three elements (which PyTorch advises against)."""
    if dim is None:
        warnings.warn(
            "Using torch.cross without specifying the dim arg is deprecated. Please either pass the dim explicitly or "
            "simply use torch.linalg.cross.",
            UserWarning,
            stacklevel=2,
        )
        dim = next((d for d, n in enumerate(shape_of(input)) if n == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    return linalg_cross(input, other, dim=dim, out=out)


# --- products with a sum ------------------------------------------------------------------------------------------


def _addmm_backward(needed, g, mat1, mat2, beta, alpha):
    first = g if beta == 1 else g * beta
    scaled = g if alpha == 1 else g * alpha
    return (
        first if needed[0] else None,
        mm(scaled, turned(mat2)) if needed[1] else None,
        mm(turned(mat1), scaled) if needed[2] else None,
    )


@op(joint=_addmm_backward, wrt=("input", "mat1", "mat2"))
def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """`beta * input + alpha * mat1 @ mat2`."""
    if mat1.ndim != 2 or mat2.ndim != 2:
        name, value = ("mat1", mat1) if mat1.ndim != 2 else ("mat2", mat2)
        raise RuntimeError(f"{name} must be a matrix, got {value.ndim}-D tensor")
    _check_inner(mat1, mat2)
    total = product(mat1, mat2)
    if alpha != 1:
        total *= alpha
    return total + (input if beta == 1 else input * beta)


def _times(value: Any, factor: Any) -> Any:
    return value if factor == 1 else value * factor


def _plus(input: Any, beta: Any, alpha: Any, product: Any) -> Any:
    """`beta * input + alpha * product`; with `beta` 0 the input does not count, whatever is in it."""
    scaled = _times(product, alpha)
    if beta == 0:
        return scaled + namespace(input).zeros((), input.dtype)
    total = _times(input, beta) + scaled
    if total.shape != product.shape:
        raise RuntimeError(
            f"The expanded size of the tensor must match: the product has shape {list(product.shape)}, but input has "
            f"shape {list(input.shape)}"
        )
    return total


@op(
    input=lambda g, beta: _times(g, beta),
    mat=lambda g, vec, alpha: _times(outer(g, vec), alpha),
    vec=lambda g, mat, alpha: _times(mv(turned(mat), g), alpha),
)
def addmv(input, mat, vec, *, beta=1, alpha=1):
    """`beta * input + alpha * mat @ vec`."""
    return _plus(input, beta, alpha, mv.plain(mat, vec))


@op(
    promote="same",
    promoted=("input", "vec1", "vec2"),
    input=lambda g, beta: _times(g, beta),
    vec1=lambda g, vec2, alpha: _times(mv(g, vec2), alpha),
    vec2=lambda g, vec1, alpha: _times(mv(turned(g), vec1), alpha),
)
def addr(input, vec1, vec2, *, beta=1, alpha=1):
    """`beta * input + alpha * outer(vec1, vec2)`."""
    if vec1.ndim != 1 or vec2.ndim != 1:
        name, value = ("vec1", vec1) if vec1.ndim != 1 else ("vec2", vec2)
        raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {value.ndim}-D")
    return _plus(input, beta, alpha, vec1[:, None] * vec2)


@op(
    input=lambda g, beta: _times(g, beta),
    batch1=lambda g, batch2, alpha: _times(matmul(g, turned(batch2)), alpha),
    batch2=lambda g, batch1, alpha: _times(matmul(turned(batch1), g), alpha),
)
def addbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """`beta * input + alpha * (batch1 @ batch2).sum(0)`."""
    return _plus(input, beta, alpha, bmm.plain(batch1, batch2).sum(axis=0, dtype=batch1.dtype))


@op(
    input=lambda g, beta: _times(g, beta),
    batch1=lambda g, batch2, alpha: _times(bmm(g, turned(batch2)), alpha),
    batch2=lambda g, batch1, alpha: _times(bmm(turned(batch1), g), alpha),
)
def baddbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """`beta * input + alpha * batch1 @ batch2`."""
    return _plus(input, beta, alpha, bmm.plain(batch1, batch2))


def _linear_backward(needed, g, input, weight):
    flat_g = reshape(g, (-1, shape_of(g)[-1])) if len(shape_of(g)) != 2 else g
    grad_input = grad_weight = grad_bias = None
    if needed[0]:
        grad_input = reshape(mm(flat_g, weight), shape_of(input)) if len(shape_of(g)) != 2 else mm(g, weight)
    if needed[1]:
        flat = reshape(input, (-1, shape_of(input)[-1])) if len(shape_of(input)) != 2 else input
        grad_weight = mm(turned(flat_g), flat)
    if len(needed) > 2 and needed[2]:
        grad_bias = sum_over(flat_g, 0)
    return grad_input, grad_weight, grad_bias


@op(joint=_linear_backward, wrt=("input", "weight", "bias"), name="AddmmBackward0")
def linear(input, weight, bias=None):
    """`input @ weight.T + bias`; input (*, in), weight (out, in), bias (out) or None."""
    if weight.ndim != 2 or input.ndim == 0 or input.shape[-1] != weight.shape[1]:
        rows = input.size // input.shape[-1] if input.ndim and input.shape[-1] else 0
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{input.shape[-1] if input.ndim else 0} and "
            f"{'x'.join(str(n) for n in weight.shape[::-1])})"
        )
    if input.dtype != weight.dtype:
        a, b = (dtypes.scalar_type_name(x.dtype) for x in (input, weight))
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {a} and {b}")
    flat = input if input.ndim == 2 else input.reshape(-1, input.shape[-1])
    result = product(flat, weight.T)
    if bias is not None:
        result += bias
    return result if input.ndim == 2 else result.reshape(*input.shape[:-1], weight.shape[0])
