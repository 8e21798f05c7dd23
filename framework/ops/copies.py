"""Copies where other operators give views, the "unsafe" names of splits, and small relatives of index operators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..engine import Variable, write_in_place
from . import index as indexing
from . import shape as shaping
from .complex import view_as_complex, view_as_real
from .pointwise import conj
from .scatter_reduce import scatter_reduce
from .shape import chunk, clone, expand, reshape, shape_of, split, unsqueeze, wrap_dim


def _given_out(result: Any, out: Any) -> Any:
    return result if out is None else out.copy_(result)


def _all_copied(parts: Sequence[Any], out: Any) -> Any:
    if out is None:
        return tuple(clone(part) for part in parts)
    for target, part in zip(out, parts, strict=True):
        target.copy_(part)
    return None


def alias_copy(input: Any, *, out: Any = None) -> Any:
    """A copy."""
    return _given_out(clone(input), out)


def detach_copy(input: Any, *, out: Any = None) -> Any:
    """A copy outside the graph."""
    return _given_out(input.detach().clone(), out)


def as_strided_copy(
    input: Any, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None, *, out: Any = None
) -> Any:
    """A copy of `as_strided`."""
    return _given_out(clone(shaping.as_strided(input, size, stride, storage_offset)), out)


def diagonal_copy(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1, *, out: Any = None) -> Any:
    """A copy of `diagonal`."""
    return _given_out(clone(shaping.diagonal(input, offset, dim1, dim2)), out)


def expand_copy(input: Any, size: Sequence[int], *, implicit: bool = False, out: Any = None) -> Any:
    """A copy of `expand`."""
    return _given_out(clone(expand(input, size)), out)


def narrow_copy(input: Any, dim: int, start: int, length: int, *, out: Any = None) -> Any:
    """A copy of `narrow`."""
    return _given_out(clone(shaping.narrow(input, dim, start, length)), out)


def permute_copy(input: Any, dims: Sequence[int], *, out: Any = None) -> Any:
    """A copy of `permute`."""
    return _given_out(clone(shaping.permute(input, dims)), out)


def select_copy(input: Any, dim: int, index: int, *, out: Any = None) -> Any:
    """A copy of `select`."""
    return _given_out(clone(indexing.select(input, dim, index)), out)


def slice_copy(
    input: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1, *, out: Any = None
) -> Any:
    """A copy of `input[start:end:step]` along `dim`."""
    at = wrap_dim(dim, len(shape_of(input)))
    return _given_out(clone(input[(slice(None),) * at + (slice(start, end, step),)]), out)


def squeeze_copy(input: Any, dim: Any = None, *, out: Any = None) -> Any:
    """A copy of `squeeze`."""
    return _given_out(clone(shaping.squeeze(input, dim)), out)


def t_copy(input: Any, *, out: Any = None) -> Any:
    """A copy of `t`."""
    return _given_out(clone(shaping.t(input)), out)


def transpose_copy(input: Any, dim0: int, dim1: int, *, out: Any = None) -> Any:
    """A copy of `transpose`."""
    return _given_out(clone(shaping.transpose(input, dim0, dim1)), out)


def unfold_copy(input: Any, dimension: int, size: int, step: int, *, out: Any = None) -> Any:
    """A copy of `Tensor.unfold`."""
    return _given_out(clone(shaping.unfold(input, dimension, size, step)), out)


def unsqueeze_copy(input: Any, dim: int, *, out: Any = None) -> Any:
    """A copy of `unsqueeze`."""
    return _given_out(clone(unsqueeze(input, dim)), out)


def view_copy(input: Any, size: Any, *, out: Any = None) -> Any:
    """A copy in another shape, or reinterpreted in another type."""
    return _given_out(clone(input.view(size)), out)


def view_as_complex_copy(input: Any, *, out: Any = None) -> Any:
    """A copy of `view_as_complex`."""
    return _given_out(clone(view_as_complex(input)), out)


def view_as_real_copy(input: Any, *, out: Any = None) -> Any:
    """A copy of `view_as_real`."""
    return _given_out(clone(view_as_real(input)), out)


def unbind_copy(input: Any, dim: int = 0, *, out: Any = None) -> Any:
    """Copies of what `unbind` gives; None when they go to `out`."""
    return _all_copied(shaping.unbind(input, dim), out)


def split_copy(input: Any, split_size: int, dim: int = 0, *, out: Any = None) -> Any:
    """Copies of what `split` gives; None when they go to `out`."""
    return _all_copied(split(input, split_size, dim), out)


def split_with_sizes_copy(input: Any, split_sizes: Sequence[int], dim: int = 0, *, out: Any = None) -> Any:
    """Copies of what `split_with_sizes` gives; None when they go to `out`."""
    return _all_copied(split_with_sizes(input, split_sizes, dim), out)


# --- splits -------------------------------------------------------------------------------------------------------


def split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Pieces of the sizes listed along `dim`; views."""
    return split(input, list(split_sizes), dim)


def unsafe_split(input: Any, split_size: int, dim: int = 0) -> tuple[Any, ...]:
    """`split` whose pieces may be written to in place."""
    return tuple(clone(part) for part in split(input, split_size, dim))


def unsafe_split_with_sizes(input: Any, split_sizes: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """`split_with_sizes` whose pieces may be written to in place."""
    return tuple(clone(part) for part in split_with_sizes(input, split_sizes, dim))


def unsafe_chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """`chunk` whose pieces may be written to in place."""
    return tuple(clone(part) for part in chunk(input, chunks, dim))


# --- conjugates ---------------------------------------------------------------------------------------------------


def conj_physical(input: Any, *, out: Any = None) -> Any:
    """The complex conjugate; a real tensor itself."""
    return _given_out(conj(input), out)


def conj_physical_(input: Any) -> Any:
    """In-place version of `conj_physical`."""
    return write_in_place(conj.op, [input]) if input.is_complex() else input  # type: ignore[attr-defined]


def resolve_conj(input: Any) -> Any:
    """The tensor itself: conjugates are computed at once here."""
    return input


def resolve_neg(input: Any) -> Any:
    """The tensor itself: negatives are computed at once here."""
    return input


# --- by index -----------------------------------------------------------------------------------------------------


def fill(input: Any, value: Any) -> Any:
    """A tensor like `input`, full of `value`: a number or a tensor of no dimension."""
    return clone(input).fill_(value)


def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """`input` with elements, counted in row-major order, replaced by those of `source`, or with those added."""
    if input.dtype is not source.dtype:
        raise RuntimeError("put_(): self and source expected to have the same dtype")
    if math.prod(shape_of(index)) != math.prod(shape_of(source)):
        raise RuntimeError("put_(): Expected source and index to have the same number of elements")
    flat = reshape(input, (-1,))
    return reshape(
        indexing.index_put(flat, (reshape(index, (-1,)),), reshape(source, (-1,)), accumulate), shape_of(input)
    )


def put_(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """In-place version of `put`."""
    return input.copy_(put(clone(input), index, source, accumulate))


_INDEX_REDUCTIONS = ("prod", "mean", "amax", "amin")


def index_reduce(
    input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True, out: Any = None
) -> Any:
    """`input` with the slices of `source` combined into those that `index` names: by prod, mean, amax or amin."""
    if reduce not in _INDEX_REDUCTIONS:
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    shape = shape_of(source)
    at = wrap_dim(dim, len(shape))
    places = expand(reshape(index, (1,) * at + (-1,) + (1,) * (len(shape) - at - 1)), shape)
    return _given_out(scatter_reduce(input, dim, places, source, reduce, include_self=include_self), out)


def index_reduce_(input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Any:
    """In-place version of `index_reduce`."""
    return input.copy_(index_reduce(clone(input), dim, index, source, reduce, include_self=include_self))


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Row-major places in a tensor of `shape` as one tensor of coordinates per dimension; ValueError beyond it."""
    if not isinstance(indices, Variable):
        raise TypeError(f"expected 'indices' to be integer Tensor, but got {type(indices).__name__}")
    if indices._array.dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")  # type: ignore[attr-defined]
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    rest, found = indices, []
    for n in reversed(sizes):
        found.append(rest % n)  # type: ignore[operator]
        rest = rest // n  # type: ignore[operator]
    return tuple(reversed(found))
