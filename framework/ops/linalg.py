"""Matrix products and linear algebra."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..backend import namespace
from ..engine import op, scalar_type_name
from .shape import reshape, shape_of, squeeze, sum_to_size, transpose, unsqueeze


def _check_same_type(first: Any, second: Any) -> None:
    if first.dtype != second.dtype:
        a, b = (scalar_type_name(dtypes.from_numpy(x.dtype)).lower() for x in (first, second))
        raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {a} != {b}")


def _check_inner(first: Any, second: Any) -> None:
    if first.shape[-1] != second.shape[-2]:
        a, b = ("x".join(str(n) for n in x.shape[-2:]) for x in (first, second))
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({a} and {b})")
    _check_same_type(first, second)


def turned(matrix: Any) -> Any:
    """The last two dimensions exchanged."""
    return transpose(matrix, -2, -1)


# --- products -----------------------------------------------------------------------------------------------------


@op(input=lambda g, mat2: mm(g, turned(mat2)), mat2=lambda g, input: mm(turned(input), g))
def mm(input, mat2):
    """The product of two matrices."""
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    _check_inner(input, mat2)
    return namespace(input).matmul(input, mat2)


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
    return namespace(input).matmul(input, mat2)


@op(input=lambda g, vec: outer(g, vec), vec=lambda g, input: mv(turned(input), g))
def mv(input, vec):
    """The product of a matrix and a vector."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {vec.ndim}, {input.ndim}, {vec.ndim}")
    if input.shape[1] != vec.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({input.shape[0]}), mat ({input.shape[0]}x{input.shape[1]}), vec ({vec.shape[0]})"
        )
    _check_same_type(input, vec)
    return namespace(input).matmul(input, vec)


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
        a, b = (scalar_type_name(dtypes.from_numpy(x.dtype)) for x in (input, tensor))
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {a} and {b}")
    return namespace(input).dot(input, tensor)


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
    return namespace(input).matmul(input, other)


def matmul(input: Any, other: Any, *, out: Any = None) -> Any:
    """`input @ other`: dot, matrix-vector, matrix and batched products, by the operands' dimensions."""
    if out is not None:
        return out.copy_(matmul(input, other))
    n, m = len(shape_of(input)), len(shape_of(other))
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
    product = namespace(mat1).matmul(mat1, mat2)
    if alpha != 1:
        product *= alpha
    return product + (input if beta == 1 else input * beta)


def _linear_backward(needed, g, input, weight):
    flat_g = reshape(g, (-1, shape_of(g)[-1])) if len(shape_of(g)) != 2 else g
    grad_input = grad_weight = grad_bias = None
    if needed[0]:
        grad_input = reshape(mm(flat_g, weight), shape_of(input)) if len(shape_of(g)) != 2 else mm(g, weight)
    if needed[1]:
        flat = reshape(input, (-1, shape_of(input)[-1])) if len(shape_of(input)) != 2 else input
        grad_weight = mm(turned(flat_g), flat)
    if len(needed) > 2 and needed[2]:
        grad_bias = flat_g.sum(0)
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
        a, b = (scalar_type_name(dtypes.from_numpy(x.dtype)) for x in (input, weight))
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {a} and {b}")
    flat = input if input.ndim == 2 else input.reshape(-1, input.shape[-1])
    product = namespace(input).matmul(flat, weight.T)
    if bias is not None:
        product += bias
    return product if input.ndim == 2 else product.reshape(*input.shape[:-1], weight.shape[0])
