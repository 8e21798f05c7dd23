"""Indexing, gathering and scattering."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import add_at, device_of, namespace, to_device
from ..engine import Variable, counter_of, inplace, mode, numpy_names, op, wrap, write_in_place
from .shape import broadcast_shapes, diagonal, expand, reshape, shape_of, wrap_dim

# --- x[...] by ints, slices, None: views --------------------------------------------------------------------------


def _view_by(name: str) -> Any:
    """The same view operator under the node name that PyTorch would show."""

    def basic(input, index):
        return input[(*index, ...)]

    return op(view=True, name=name, input=lambda g, input_shape, index: _place(g, input_shape, index))(basic)


_select, _slice = _view_by("SelectBackward0"), _view_by("SliceBackward0")
_unsqueeze, _alias = _view_by("UnsqueezeBackward0"), _view_by("AliasBackward0")


@op(half="keep", name="SliceBackwardBackward0", input=lambda g, index: _slice(g, index))
def _place(input, shape, index):
    """Zeros of `shape` with `input` at `index`."""
    result = namespace(input).zeros(shape, input.dtype)
    result[(*index, ...)] = input
    return result


# --- x[...] by tensors --------------------------------------------------------------------------------------------


@op(
    half="gradient",
    sequences=("indices",),
    input=lambda g, input_shape, indices: _index_add_at(g, input_shape, indices),
)
def _index(input, indices):
    if len(indices) == 1 and indices[0].dtype.kind == "i":
        return input.take(indices[0], 0)  # three times as fast
    return input[indices]


@op(sequences=("indices",), name="IndexBackwardBackward0", input=lambda g, indices: _index(g, indices))
def _index_add_at(input, shape, indices):
    """Zeros of `shape` with `input` added at `indices`; repeated ones add up."""
    result = namespace(input).zeros(shape, input.dtype)
    add_at(result, indices, input)
    return result


def _index_put_input(g, indices, accumulate):
    return g if accumulate else index_put(g, indices, _zero_like_part(g), False)


def _zero_like_part(g: Any) -> Any:
    return (
        wrap(namespace(g._array).zeros((), g._array.dtype))
        if isinstance(g, Variable)
        else namespace(g).zeros((), g.dtype)
    )


@op(half="gradient", sequences=("indices",), input=_index_put_input, values=lambda g, indices: _index(g, indices))
def _index_put(input, indices, values, accumulate=False):
    result = input.copy()
    if values.dtype != input.dtype:
        to, from_ = dtypes.scalar_type_name(input.dtype), dtypes.scalar_type_name(values.dtype)
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {to} for the destination and {from_} "
            "for the source."
        )
    try:
        if accumulate:
            add_at(result, indices, values)
        else:
            result[indices] = values
    except (TypeError, ValueError):
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of "
            f"shape {list(input[indices].shape)}"
        ) from None
    return result


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy of `input` with `values` written (or added) at the tensors `indices`."""
    return _index_put(input, _full_index(indices), values, accumulate)


def index_put_(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """`index_put` in place."""
    return write_in_place(_index_put.op, [input, _full_index(indices), values, accumulate])  # type: ignore[attr-defined]


def _full_index(indices: Any) -> tuple:
    return tuple(slice(None) if i is None else i for i in indices)


# --- reading an index expression ----------------------------------------------------------------------------------


def _parse(tensor: Any, index: Any) -> tuple[tuple, tuple | None, str]:
    """An index expression as a basic part (ints, slices, None) and an advanced part (tensors) applied after it.

    PyTorch applies ints before tensors, NumPy together with them; in two steps both mean PyTorch's.
    """
    items = index if type(index) is tuple else (index,)
    shape = tensor._array.shape
    taken = sum(_dims_taken(i) for i in items)
    if taken > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    basic: list[Any] = []
    advanced: list[Any] = []
    has_advanced = False
    last = "alias"
    dim = 0
    for item in items:
        kind = type(item)
        if kind is int or (isinstance(item, (int, np.integer)) and kind is not bool):
            size = shape[dim]
            if not -size <= item < size:
                raise IndexError(f"index {item} is out of bounds for dimension {dim} with size {size}")
            basic.append(int(item))
            dim += 1
            last = "select"
        elif kind is slice:
            start, stop, step = (_bound(b) for b in (item.start, item.stop, item.step))
            if step is not None and step <= 0:
                raise ValueError("step must be greater than zero")
            if not (start in (None, 0) and (stop is None or stop >= shape[dim]) and step in (None, 1)):
                last = "slice"
            basic.append(slice(start, stop, step))
            advanced.append(slice(None))
            dim += 1
        elif item is Ellipsis:
            fill = len(shape) - taken
            basic.extend([slice(None)] * fill)
            advanced.extend([slice(None)] * fill)
            dim += fill
        elif item is None:
            basic.append(None)
            advanced.append(slice(None))
            last = "unsqueeze"
        else:
            value = _index_tensor(item, tensor)
            array = value._array
            if array.dtype == np.bool_:
                if array.shape != shape[dim : dim + array.ndim]:
                    bad = next(d for d in range(array.ndim) if array.shape[d] != shape[dim + d])
                    raise IndexError(
                        f"The shape of the mask {list(array.shape)} at index {bad} does not match the shape of the "
                        f"indexed tensor {list(shape)} at index {dim + bad}"
                    )
                if array.ndim == 0:
                    basic.append(None)
                    advanced.append(reshape(value, (1,)))
                else:
                    basic.extend([slice(None)] * array.ndim)
                    advanced.append(value)
                dim += array.ndim
            elif array.ndim == 0 and type(array) is np.ndarray:
                number = int(array)
                if not -shape[dim] <= number < shape[dim]:
                    raise IndexError(f"index {number} is out of bounds for dimension {dim} with size {shape[dim]}")
                basic.append(number)
                dim += 1
                last = "select"
                continue
            else:
                _check_bounds(array, shape[dim], dim)
                basic.append(slice(None))
                advanced.append(value)
                dim += 1
            has_advanced = True
    return tuple(basic), tuple(advanced) if has_advanced else None, last


def _bound(value: Any) -> int | None:
    return None if value is None else int(value.__index__())


def _dims_taken(item: Any) -> int:
    if item is None or item is Ellipsis or isinstance(item, (bool, np.bool_)):
        return 0
    if isinstance(item, Variable) and item._array.dtype in (np.bool_, np.uint8):
        return item._array.ndim
    if isinstance(item, np.ndarray) and item.dtype == np.bool_:
        return item.ndim
    if isinstance(item, list):
        depth, probe = 0, item
        while isinstance(probe, list) and probe:
            depth, probe = depth + 1, probe[0]
        return depth if isinstance(probe, bool) else 1
    return 1


def _check_bounds(index: Any, size: int, dim: int) -> None:
    """IndexError for an index out of bounds; only on the host, since it would stall a GPU."""
    if type(index) is np.ndarray and index.size:
        low, high = index.min(), index.max()
        if low < -size or high >= size:
            raise IndexError(
                f"index {low if low < -size else high} is out of bounds for dimension {dim} with size {size}"
            )


def _index_tensor(item: Any, tensor: Variable) -> Any:
    """An index given as Tensor, list, array or bool, as a Tensor on the device of `tensor`."""
    if not isinstance(item, Variable):
        if isinstance(item, (list, range)):
            item = [i.tolist() if isinstance(i, Variable) else i for i in item]  # type: ignore[attr-defined]
        array = np.asarray(item) if not isinstance(item, (list, range)) or len(item) else np.zeros(0, np.int64)
        if array.dtype.kind not in "biu":
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        return wrap(to_device(array, device_of(tensor._array)))
    if item._array.dtype.kind not in "biu":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    if item._array.dtype == np.uint8:
        warnings.warn(
            "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
            UserWarning,
            stacklevel=4,
        )
        return wrap(item._array.astype(bool))
    if type(item._array) is not type(tensor._array):
        return wrap(to_device(item._array, device_of(tensor._array)))
    return item


def _plain_view(index: tuple) -> Any:
    """The view operator for a tuple of ints and plain slices; None when the index needs to be parsed."""
    view = _alias
    for item in index:
        if type(item) is int:
            view = _select
        elif type(item) is slice and (item.step is None or (type(item.step) is int and item.step > 0)):
            if item.start is not None or item.stop is not None or item.step is not None:
                view = _slice
        else:
            return None
    return view


_VIEWS = {"select": _select, "slice": _slice, "unsqueeze": _unsqueeze, "alias": _alias}


def getitem(input: Any, index: Any) -> Any:
    """`input[index]`: a view for ints, slices, None and Ellipsis; a copy where tensors or masks take part."""
    # The commonest cases, without parsing; the array module checks the bounds.
    kind = type(index)
    if kind is int:
        return _select(input, (index,))
    if kind is slice and (index.step is None or (type(index.step) is int and index.step > 0)):
        return _slice(input, (index,))
    if kind is tuple:
        view = _plain_view(index)
        if view is not None:
            return view(input, index)
    elif isinstance(index, Variable):
        places, array = index._array, input._array
        if places.dtype == np.int64 and places.ndim and array.ndim and type(places) is type(array):
            return _index(input, (index,))
    basic, advanced, last = _parse(input, index)
    if advanced is None:
        return _VIEWS[last](input, basic)
    if any(i is None or type(i) is int or (type(i) is slice and i != slice(None)) for i in basic):
        input = _VIEWS[last](input, basic)
    return _index(input, advanced)


def setitem(input: Any, index: Any, value: Any) -> None:
    """`input[index] = value`, under the rules of in-place writes."""
    if _plain_view(index if type(index) is tuple else (index,)) and _write_plainly(input, index, value):
        return
    basic, advanced, last = _parse(input, index)
    needs_view = any(i is None or type(i) is int or (type(i) is slice and i != slice(None)) for i in basic)
    place = _VIEWS[last](input, basic) if needs_view else input
    if not isinstance(value, Variable):
        value = wrap(namespace(input._array).asarray(value, dtype=input._array.dtype))
    if advanced is None:
        extra = value._array.ndim - place._array.ndim
        if extra > 0 and all(n == 1 for n in value._array.shape[:extra]):  # PyTorch drops leading ones
            value = reshape(value, value._array.shape[extra:])
        copy_(place, value)
        return
    source = value
    if source._array.dtype is not place._array.dtype:
        source = source.to(place.dtype)
    if type(source._array) is not type(place._array) and source._array.ndim == 0:
        source = source.to(place.device)
    write_in_place(_index_put.op, [place, advanced, source, False])  # type: ignore[attr-defined]


def _write_plainly(input: Any, index: Any, value: Any) -> bool:
    """`input[index] = value` where no history is to be rewritten and nothing can go wrong but the shapes."""
    array = input._array
    if (mode.enabled and input._requires_grad) or array.dtype.kind != "f" or 0 in array.strides:
        return False
    if isinstance(value, Variable):
        if (mode.enabled and value._requires_grad) or value._array.dtype is not array.dtype:
            return False
        if type(value._array) is not type(array):
            return False
        value = value._array
    elif type(value) is not float and type(value) is not int:
        return False
    try:
        array[index] = value
    except (IndexError, ValueError):
        return False  # the careful path has PyTorch's words for it
    counter_of(input)[0] += 1
    return True


# --- copying and filling ------------------------------------------------------------------------------------------


@op(half="keep", name="CopyBackwards", input=lambda g: g * 0, src=lambda g: g)
def copy(input, src, non_blocking=False):
    """`src` in the shape and type of `input`: what `copy_` writes."""
    if type(src) is not type(input):
        src = to_device(src, device_of(input))
    if src.dtype != input.dtype:
        src = (src.real if src.dtype.kind == "c" and input.dtype.kind != "c" else src).astype(input.dtype)
    return namespace(input).broadcast_to(src, input.shape)


copy_ = inplace(copy)


@op(half="gradient", uniform=True, input=lambda g: g * 0, value=lambda g: g.sum())
def fill(input, value):
    """`value` in the shape and type of `input`."""
    if hasattr(value, "ndim") and value.ndim:
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
    if hasattr(value, "dtype"):
        value = value.astype(input.dtype)
    return namespace(input).full(input.shape, value, input.dtype)


@op(half="keep", uniform=True, name="ZeroBackward0", input=lambda g: g * 0)
def zero(input):
    """Zeros in the shape and type of `input`."""
    return namespace(input).zeros_like(input)


# --- gather and scatter -------------------------------------------------------------------------------------------


def _grid(xp: Any, index: Any, dim: int) -> tuple:
    """The full index under which `index` picks along `dim` and every other dimension goes straight."""
    parts: list[Any] = []
    for d, n in enumerate(index.shape):
        parts.append(index if d == dim else xp.arange(n).reshape((-1,) + (1,) * (index.ndim - d - 1)))
    return tuple(parts)


def _check_index(name: str, input: Any, index: Any, dim: int) -> int:
    at = wrap_dim(dim, input.ndim)
    if index.dtype.kind not in "iu":
        raise RuntimeError(f"{name}(): Expected dtype int64 for index")
    if max(index.ndim, 1) != max(input.ndim, 1):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as {'input' if name == 'gather' else 'self'} tensor"
        )
    for d, n in enumerate(index.shape):
        if d != at and n > input.shape[d]:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(index.shape)} to be no larger than "
                f"self {list(input.shape)} apart from dimension {at}"
            )
    if type(index) is np.ndarray and index.size:
        size = input.shape[at] if input.ndim else 1
        if index.astype(np.int64, copy=False).view(np.uint64).max() >= size:  # a negative one is huge without its sign
            bad = index.min() if index.min() < 0 else index.max()
            raise RuntimeError(f"index {bad} is out of bounds for dimension {at} with size {size}")
    return at


@op(half="gradient", input=lambda g, input_shape, dim, index: _scatter_add_zeros(g, input_shape, dim, index))
def gather(input, dim, index, *, sparse_grad=False):
    """Elements picked along `dim`: `out[i, j] = input[index[i, j], j]` for dim 0."""
    at = _check_index("gather", input, index, dim)
    if input.ndim == 0:
        return namespace(input).broadcast_to(input, index.shape).copy()
    return pick_along(input, index, at)


def pick_along(input: Any, index: Any, at: int) -> Any:
    """The elements of an array that `index` picks along dimension `at`."""
    if not input.flags.c_contiguous:
        return input[_grid(namespace(input), index, at)]
    return input.take(_flat_places(input, index, at))  # several times as fast


def _flat_places(input: Any, index: Any, at: int) -> Any:
    """Where in the flattened `input` the elements lie that `index` picks along dimension `at`."""
    xp = namespace(input)
    step = 1
    places = None
    for d in range(input.ndim - 1, -1, -1):
        if d == at:
            part = index if step == 1 else index.astype(np.int64, copy=False) * step
        else:
            part = xp.arange(0, index.shape[d] * step, step).reshape((-1,) + (1,) * (input.ndim - d - 1))
        places = part if places is None else places + part
        step *= input.shape[d]
    return places


@op(name="GatherBackwardBackward0", input=lambda g, dim, index: gather(g, dim, index))
def _scatter_add_zeros(input, shape, dim, index):
    result = namespace(input).zeros(shape, input.dtype)
    if not shape:
        return result + input.sum()
    add_at(result, _grid(namespace(input), index, wrap_dim(dim, len(shape))), input)
    return result


def _source_part(src: Any, index: Any) -> Any:
    if hasattr(src, "ndim") and src.ndim:
        for d, n in enumerate(index.shape):
            if n > src.shape[d]:
                raise RuntimeError(
                    f"Expected index {list(index.shape)} to be no larger than src {list(src.shape)} in all dimensions"
                )
        return src[tuple(slice(n) for n in index.shape)]
    return src


def _scatter_src(g, src_shape, dim, index):
    picked = gather(g, dim, index)
    return _place(picked, src_shape, tuple(slice(n) for n in shape_of(index)))


def _same_type(name: str, input: Any, src: Any) -> None:
    if hasattr(src, "dtype") and src.dtype != input.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype")


@op(
    half="keep", name="ScatterBackward0", input=lambda g, dim, index: _scatter_value(g, dim, index, 0), src=_scatter_src
)
def _scatter_src_op(input, dim, index, src):
    at = _check_index("scatter", input, index, dim)
    _same_type("scatter", input, src)
    result = input.copy()
    result[_grid(namespace(input), index, at) if input.ndim else ...] = _source_part(src, index)
    return result


@op(half="keep", name="ScatterBackward1", input=lambda g, dim, index: _scatter_value(g, dim, index, 0))
def _scatter_value(input, dim, index, value):
    at = _check_index("scatter", input, index, dim)
    result = input.copy()
    result[_grid(namespace(input), index, at) if input.ndim else ...] = value
    return result


@op(input=lambda g: g, src=_scatter_src)
def scatter_add(input, dim, index, src):
    """`input` with `src` added at the places `index` gives along `dim`; repeated places add up."""
    at = _check_index("scatter_add", input, index, dim)
    _same_type("scatter", input, src)
    result = input.copy()
    add_at(result, _grid(namespace(input), index, at) if input.ndim else ..., _source_part(src, index))
    return result


def _scatter_form(input: Any, dim: int, index: Any, src: Any, value: Any, reduce: str | None) -> tuple[Any, list]:
    source = src if value is None else value
    if reduce is not None:
        raise RuntimeError("scatter(): argument 'reduce' is superseded: use scatter_reduce")
    if isinstance(source, Variable):
        return _scatter_src_op, [input, dim, index, source]
    return _scatter_value, [input, dim, index, source]


@numpy_names
def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None, out: Any = None
) -> Any:
    """`input` with `src` (a tensor or number) written at the places `index` gives along `dim`."""
    function, args = _scatter_form(input, dim, index, src, value, reduce)
    return function(*args) if out is None else function(*args, out=out)


def scatter_(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """`scatter` in place."""
    function, args = _scatter_form(input, dim, index, src, value, reduce)
    return write_in_place(function.op, args)


@op(half="gradient", input=lambda g, input_shape, dim, index: _index_add_zeros(g, input_shape, dim, index))
def index_select(input, dim, index):
    """The slices of `dim` that the vector `index` names."""
    at = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index.dtype.kind not in "iu":
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if input.ndim == 0:
        return input.copy()
    _check_bounds_below(index, input.shape[at])
    return namespace(input).take(input, index.reshape(-1), axis=at)


def _check_bounds_below(index: Any, size: int) -> None:
    if type(index) is np.ndarray and index.size and (index.min() < 0 or index.max() >= size):
        raise IndexError("index out of range in self")


@op(name="IndexSelectBackwardBackward0", input=lambda g, dim, index: index_select(g, dim, index))
def _index_add_zeros(input, shape, dim, index):
    result = namespace(input).zeros(shape, input.dtype)
    if not shape:
        return result + input.sum()
    add_at(result, (slice(None),) * wrap_dim(dim, len(shape)) + (index.reshape(-1),), input)
    return result


def _along(input: Any, dim: int, index: Any) -> tuple:
    at = wrap_dim(dim, input.ndim)
    if index.ndim > 1:
        raise IndexError("index_add_(): Index is supposed to be a vector, but got dim: " + str(index.ndim))
    _check_bounds_below(index, input.shape[at] if input.ndim else 1)
    return (slice(None),) * at + (index.reshape(-1),) if input.ndim else (...,)


def _check_slices(name: str, input: Any, dim: int, index: Any, source: Any, error: type[Exception]) -> None:
    """An exception unless `source` has the shape of the slices of `dim` that `index` names; `error` if their number is
    another one."""
    if not input.ndim:
        return
    at = wrap_dim(dim, input.ndim)
    wanted = (*input.shape[:at], index.size, *input.shape[at + 1 :])
    if source.shape != wanted:
        another_number = source.ndim != input.ndim or source.shape[at] != index.size
        raise (error if another_number else RuntimeError)(
            f"{name}(): the {index.size} slices of dimension {at} of self, of shape {list(input.shape)}, have shape "
            f"{list(wanted)}, but source has shape {list(source.shape)}"
        )


@op(input=lambda g: g, source=lambda g, dim, index, alpha: index_select(g, dim, index) * alpha)
def index_add(input, dim, index, source, *, alpha=1):
    """`input` with `alpha * source` added to the slices of `dim` that `index` names."""
    result = input.copy()
    place = _along(input, dim, index)
    _check_slices("index_add_", input, dim, index, source, RuntimeError)
    add_at(result, place, source if alpha == 1 else source * alpha)
    return result


@op(
    half="keep",
    input=lambda g, dim, index: index_fill(g, dim, index, 0),
    source=lambda g, dim, index: index_select(g, dim, index),
)
def index_copy(input, dim, index, source):
    """`input` with the slices of `dim` that `index` names replaced by `source`."""
    _same_type("index_copy", input, source)
    _check_slices("index_copy_", input, dim, index, source, IndexError)
    result = input.copy()
    result[_along(input, dim, index)] = source
    return result


@op(
    half="keep",
    input=lambda g, dim, index: index_fill(g, dim, index, 0),
    value=lambda g, dim, index: (g - index_fill(g, dim, index, 0)).sum(),
)
def index_fill(input, dim, index, value):
    """`input` with the slices of `dim` that `index` names set to `value`."""
    result = input.copy()
    result[_along(input, dim, index)] = value
    return result


def _check_slice(src: Any, place: Any) -> None:
    if src.shape != place.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = "
            f"{list(place.shape)}"
        )


def _embed(input: Any, src: Any, view: Any) -> Any:
    """A copy of `input` with `src` in the region that `view` gives."""
    result = input.copy()
    place = view(result)
    _check_slice(src, place)
    place[...] = src
    return result


@op(
    half="keep",
    input=lambda g, dim, index: select_scatter(g, select(g, dim, index) * 0, dim, index),
    src=lambda g, dim, index: select(g, dim, index),
)
def select_scatter(input, src, dim, index):
    """`input` with slice number `index` along `dim` replaced by `src`."""
    at = wrap_dim(dim, input.ndim)
    if input.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    if not -input.shape[at] <= index < input.shape[at]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at dimension {at}"
        )
    return _embed(input, src, lambda x: x[(slice(None),) * at + (index,)])


def _step(dim: Any, start: Any, end: Any, step: int, ndim: int) -> tuple:
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    return (slice(None),) * wrap_dim(dim, ndim) + (slice(start, end, step),)


@op(
    half="keep",
    input=lambda g, dim, start, end, step: slice_scatter(
        g, _slice(g, _step(dim, start, end, step, len(shape_of(g)))) * 0, dim, start, end, step
    ),
    src=lambda g, dim, start, end, step: _slice(g, _step(dim, start, end, step, len(shape_of(g)))),
)
def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """`input` with the elements `start:end:step` along `dim` replaced by `src`."""
    return _embed(input, src, lambda x: x[_step(dim, start, end, step, x.ndim)])


@op(
    half="keep",
    input=lambda g, offset, dim1, dim2: diagonal_scatter(g, diagonal(g, offset, dim1, dim2) * 0, offset, dim1, dim2),
    src=lambda g, offset, dim1, dim2: diagonal(g, offset, dim1, dim2),
)
def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """`input` with the diagonal of dimensions `dim1`, `dim2` replaced by `src`."""
    return _embed(input, src, lambda x: diagonal.plain(x, offset, dim1, dim2))


# --- masks --------------------------------------------------------------------------------------------------------


def _check_mask(name: str, mask: Any) -> None:
    if mask.dtype != np.bool_:
        raise RuntimeError(f"{name} only supports boolean masks, but got mask with dtype {mask.dtype}")


@op(half="gradient", input=lambda g, mask: masked_fill(g, mask, 0), value=lambda g, mask: (g * mask).sum())
def masked_fill(input, mask, value):
    """`input` with `value` where `mask` is True."""
    _check_mask("masked_fill", mask)
    if hasattr(value, "ndim") and value.ndim:
        raise RuntimeError(
            f"masked_fill only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    xp = namespace(input)
    if not hasattr(value, "dtype"):
        try:
            value = xp.asarray(value, dtype=input.dtype)
        except (OverflowError, TypeError, ValueError):
            raise RuntimeError(f"value cannot be converted to type {input.dtype} without overflow") from None
    return xp.where(mask, value.astype(input.dtype), input)


@op(half="keep", input=lambda g, input_shape, mask: _mask_place(g, input_shape, mask))
def masked_select(input, mask):
    """The elements where `mask` is True, in one dimension."""
    _check_mask("masked_select", mask)
    xp = namespace(input)
    both, where = xp.broadcast_arrays(input, mask)
    return both[where]


@op(half="keep", name="MaskedSelectBackwardBackward0", input=lambda g, mask: masked_select(g, mask))
def _mask_place(input, shape, mask):
    xp = namespace(input)
    full = np.broadcast_shapes(shape, mask.shape)
    result = xp.zeros(full, input.dtype)
    result[xp.broadcast_to(mask, full)] = input
    extra = len(full) - len(shape)
    dims = (*range(extra), *(i + extra for i, n in enumerate(shape) if n == 1 and full[i + extra] != 1))
    return (result.sum(axis=dims, keepdims=True) if dims else result).reshape(shape)


def _source_places(xp: Any, mask: Any, size: int) -> Any:
    """For each element which one of the source it takes, if its mask is True."""
    count = xp.cumsum(mask.reshape(-1), dtype=np.int64).reshape(mask.shape) - 1
    return xp.minimum(xp.maximum(count, 0), max(size - 1, 0))


@op(
    half="keep",
    input=lambda g, mask: masked_fill(g, mask, 0),
    source=lambda g, source_shape, mask: _masked_gather(g, source_shape, mask),
)
def masked_scatter(input, mask, source):
    """`input` with the elements of `source`, one after another, where `mask` is True."""
    if mask.dtype != np.bool_:
        named = dtypes.scalar_type_name(mask.dtype)
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {named}")
    if source.dtype != input.dtype:
        one, two = (dtypes.scalar_type_name(x.dtype) for x in (input, source))
        raise RuntimeError(f"masked_scatter: expected self and source to have same dtypes but got {one} and {two}")
    xp = namespace(input)
    input, mask = xp.broadcast_arrays(input, mask)
    if type(mask) is np.ndarray and source.size < np.count_nonzero(mask):
        raise RuntimeError("Number of elements of source < number of ones in mask")
    if not source.size:
        return input.copy()
    return xp.where(mask, source.reshape(-1)[_source_places(xp, mask, source.size)], input)


@op(
    half="keep",
    name="MaskedScatterBackwardBackward0",
    input=lambda g, mask, input_shape: _masked_picks(g, mask, input_shape),
)
def _masked_gather(input, shape, mask):
    """Zeros of `shape` with the elements of `input` where `mask` is True, one after another."""
    xp = namespace(input)
    result = xp.zeros(math.prod(shape), input.dtype)
    mask = xp.broadcast_to(mask, input.shape)
    if result.size:
        places = _source_places(xp, mask, result.size)
        add_at(result, places, xp.where(mask, input, xp.zeros((), input.dtype)))
    return result.reshape(shape)


def _masked_picks(g, mask, shape):
    return masked_scatter(expand(reshape(g.sum() * 0, ()), shape), mask, g)


# --- where things are ---------------------------------------------------------------------------------------------


@op()
def _nonzero(input):
    xp = namespace(input)
    if input.ndim == 0:
        return xp.zeros((int(bool(input)), 0), np.int64)
    return xp.stack(xp.nonzero(input), axis=1).astype(np.int64)


def nonzero(input: Any, *, as_tuple: bool = False, out: Any = None) -> Any:
    """The indices of the nonzero elements: a row each, or a vector for each dimension."""
    rows = _nonzero(input) if out is None else _nonzero(input, out=out)
    if not as_tuple:
        return rows
    if input.ndim == 0:
        return (wrap(rows._array.reshape(-1)[:0] if not len(rows) else namespace(rows._array).zeros(1, np.int64)),)
    return tuple(rows[:, d] for d in range(input.ndim))


def argwhere(input: Any) -> Any:
    """The indices of the nonzero elements, a row each."""
    return nonzero(input)


# --- triangles ----------------------------------------------------------------------------------------------------


@op(half="keep", input=lambda g, diagonal: tril(g, diagonal))
def tril(input, diagonal=0):
    """The lower triangle of matrices; zeros above the diagonal."""
    _check_matrix("tril", input)
    return namespace(input).tril(input, diagonal)


@op(half="keep", input=lambda g, diagonal: triu(g, diagonal))
def triu(input, diagonal=0):
    """The upper triangle of matrices; zeros below the diagonal."""
    _check_matrix("triu", input)
    return namespace(input).triu(input, diagonal)


def _check_matrix(name: str, input: Any) -> None:
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")


# --- repeating ---------------------------------------------------------------------------------------------------


@op()
def _repeated_places(repeats, count):
    """0 to `count` - 1, each as often as `repeats` says."""
    if repeats.dtype.kind not in "iu":
        named = dtypes.scalar_type_name(repeats.dtype)
        raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{named}'")
    if repeats.ndim > 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    xp = namespace(repeats)
    if type(repeats) is np.ndarray and (repeats < 0).any():
        raise RuntimeError("repeats can not be negative")
    return xp.repeat(xp.arange(count), xp.broadcast_to(repeats, (count,)))


@numpy_names
def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each element (slice along `dim`) as often as `repeats`, a number or a vector, says, one after another.

    `repeat_interleave(vector)` are the indices that this takes.
    """
    if repeats is None:
        return _repeated_places(input, shape_of(input)[0])
    if dim is None:
        input, dim = reshape(input, (-1,)), 0
    at = wrap_dim(dim, len(shape_of(input)))
    count = shape_of(input)[at]
    if isinstance(repeats, Variable):
        if repeats._array.ndim == 1 and repeats._array.shape[0] not in (1, count):
            raise RuntimeError(
                "repeats must have the same size as input along dim, but got repeats.size(0) = "
                f"{repeats._array.shape[0]} and input.size({at}) = {count}"
            )
        return index_select(input, at, _repeated_places(repeats, count))
    if repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    places = namespace(input._array).arange(count * repeats) // max(repeats, 1)
    return index_select(input, at, wrap(places))


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All choices of `r` elements of a vector, a row each; with replacement an element may be chosen again."""
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if len(shape_of(input)) != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(shape_of(input))}")
    if r == 0:
        return wrap(input._array[:0].copy())
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    places = np.array(list(choose(range(shape_of(input)[0]), r)), np.int64).reshape(-1, r)
    return take(input, wrap(namespace(input._array).asarray(places)))


# --- taking flat --------------------------------------------------------------------------------------------------


def _take_input(g, input_shape, index):
    return reshape(_index_add_at(g, (math.prod(input_shape),), (index,)), input_shape)


@op(half="gradient", input=_take_input)
def take(input, index):
    """Elements by their place in the flattened tensor."""
    if index.dtype.kind not in "iu":
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {dtypes.scalar_type_name(index.dtype)}")
    _check_bounds(index, input.size, 0)
    return input.reshape(-1)[index]


@numpy_names
def take_along_dim(input: Any, indices: Any, dim: int | None = None, *, out: Any = None) -> Any:
    """`gather` with broadcasting; without `dim`, from the flattened tensor."""
    if dim is None:
        return gather(reshape(input, (-1,)), 0, reshape(indices, (-1,)), out=out)
    at = wrap_dim(dim, input.ndim)

    ones_in = tuple(1 if d == at else n for d, n in enumerate(shape_of(input)))
    ones_ix = tuple(1 if d == at else n for d, n in enumerate(shape_of(indices)))
    common = broadcast_shapes(ones_in, ones_ix)
    big = tuple(shape_of(input)[at] if d == at else n for d, n in enumerate(common))
    picks = tuple(shape_of(indices)[at] if d == at else n for d, n in enumerate(common))
    return gather(expand(input, big), at, expand(indices, picks), out=out)


@numpy_names
def select(input: Any, dim: int, index: int) -> Any:
    """Slice number `index` along `dim`, without it; a view."""
    shape = shape_of(input)
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    at = wrap_dim(dim, len(shape))
    index = int(index)
    if not -shape[at] <= index < shape[at]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {at}")
    return _select(input, (slice(None),) * at + (index,))
