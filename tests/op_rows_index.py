"""Rows of indexing, gathering and scattering."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
from op_row import EVERY, NUMERIC, Const, F, Make, Row, S, Sample

_move = partial(Row, dtypes=("float64", "int64", "complex128"))
_at = np.array
_index_error = F(IndexError, "out of bounds", np.zeros((2, 3)), 2)


def _basic(m: Make) -> Iterable[Sample]:
    x = m(4, 5, 3)
    for index in (
        0,
        -1,
        (1, 2),
        (1, 2, 0),
        slice(1, 3),
        slice(None, None, 2),
        slice(3, 1),
        (slice(None), slice(1, 4, 2)),
        (..., 0),
        (0, ..., slice(0, 2)),
        None,
        (None, 0, None, slice(2)),
        ...,
        (),
        (slice(None), -1),
    ):
        yield S(x, index)
    yield S(m(), ())
    yield S(m(), None)


def _advanced(m: Make) -> Iterable[Sample]:
    x = m(4, 5, 3)
    yield S(x, _at([0, 2, 2]))
    yield S(x, [0, 2])
    yield S(x, (_at([0, 3]), _at([1, 4])))
    yield S(x, (_at([[0], [3]]), _at([1, 4])))
    yield S(x, (slice(None), _at([0, -1])))
    yield S(x, (_at([0, 1]), slice(None), _at([0, 2])))
    yield S(x, (0, slice(None), _at([0, 2])))
    yield S(x, (_at([0, 1]), None, 2))
    yield S(x, (..., _at([2, 0, 1])))
    yield S(x, (slice(1, 3), _at([1, 1]), slice(0, 2)))
    yield S(x, _at([], np.int64))
    yield S(x, _at([[0, 1], [2, 3]]))
    yield S(x, (_at([0, 1], np.int32), _at([1, 2], np.uint8).astype(np.int64)))


def _masks(m: Make) -> Iterable[Sample]:
    x = m(4, 5, 3)
    yield S(x, m.mask(4))
    yield S(x, m.mask(4, 5))
    yield S(x, m.mask(4, 5, 3))
    yield S(x, (slice(None), m.mask(5)))
    yield S(x, (0, m.mask(5)))
    yield S(x, ([True, False, True, True], _at([0, 1, 2])))
    yield S(x, np.zeros(4, bool))
    yield S(x, True)


def _setting(m: Make) -> Iterable[Sample]:
    yield S(m(4, 5), 1, m(5))
    yield S(m(4, 5), (slice(None), 2), m(4))
    yield S(m(4, 5), (slice(1, 3), slice(None, None, 2)), m(3))
    yield S(m(4, 5), ..., m())
    yield S(m(4, 5), 0, 1)
    yield S(m(4, 5), _at([0, 2]), m(2, 5))
    yield S(m(4, 5), (_at([0, 2]), _at([1, 1])), m())
    yield S(m(4, 5), (slice(None), _at([0, 2])), m(4, 1))
    yield S(m(4, 5), (1, _at([0, 2])), 2)
    yield S(m(4, 5, 2), (1, slice(None), 0), m(1))


def _setting_masks(m: Make) -> Iterable[Sample]:
    yield S(m(4, 5), m.mask(4, 5), m())
    yield S(m(4, 5), m.mask(4), m(5))
    yield S(m(4, 5), m.mask(4, 5), 1)
    yield S(m(4), _at([True, False, True, True]), m(3))


def _gather_samples(m: Make) -> Iterable[Sample]:
    yield S(m(4, 3), 0, m.index(4, 2, 3))
    yield S(m(4, 3), 1, m.index(3, 4, 5))
    yield S(m(4, 3), -1, m.index(3, 2, 2))
    yield S(m(2, 3, 4), 1, m.index(3, 2, 2, 4))
    yield S(m(), 0, m.index(1, 2))
    yield S(m(), 0, m.index(1))
    yield S(m(4, 3), 0, m.index(4, 0, 3))


def _unique(m: Make, size: int, *shape: int) -> np.ndarray:
    """Indices in which no column repeats one, so that the order of writing does not matter."""
    columns = [m.random.permutation(size)[: shape[0]] for _ in range(int(np.prod(shape[1:])))]
    return np.stack(columns, 1).reshape(shape)


def _scatter_samples(m: Make) -> Iterable[Sample]:
    yield S(m(4, 3), 0, _unique(m, 4, 2, 3), m(2, 3))
    yield S(m(4, 3), 0, _unique(m, 4, 2, 3), m(3, 4)).values_only()  # torch has no gradient for a larger src
    yield S(m(3, 4), 1, _unique(m, 4, 2, 3).T.copy(), m(3, 2))
    yield S(m(4, 3), 0, _unique(m, 4, 2, 3), 2)
    yield S(m(4), 0, _at([1, 3]), value=1)
    yield S(m(4, 3), 0, m.index(4, 0, 3), m(0, 3))


def _scatter_add_samples(m: Make) -> Iterable[Sample]:
    yield S(m(4, 3), 0, m.index(4, 5, 3), m(5, 3))
    yield S(m(4, 3), 1, m.index(3, 4, 2), m(4, 3)).values_only()
    yield S(m(4), 0, _at([1, 1, 1]), m(3))
    yield S(m(), 0, _at(0), m())


def _index_add_samples(m: Make) -> Iterable[Sample]:
    yield S(m(4, 3), 0, _at([0, 2, 0]), m(3, 3))
    yield S(m(3, 4), 1, _at([1, 1]), m(3, 2), alpha=2)
    yield S(m(4), 0, _at([3]), m(1))


def _index_put_samples(m: Make) -> Iterable[Sample]:
    yield S(m(4, 3), (_at([0, 2]), _at([1, 1])), m(2))
    yield S(m(4, 3), (_at([0, 2]),), m(3))
    yield S(m(4, 3), (_at([0, 0]), _at([1, 1])), m(2), True)
    yield S(m(4, 3), (_at([0, 2]),), m())


def _masked_fill_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), m.mask(3, 4), 1)
    yield S(m(3, 4), m.mask(4), m())
    yield S(m(3, 4), m.mask(3, 1), 0)
    yield S(m(0, 4), m.mask(4), 0)
    if m.floating:
        yield S(m(3, 4), m.mask(3, 4), 1.5)


def _masked_select_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), m.mask(3, 4))
    yield S(m(3, 4), m.mask(4))
    yield S(m(3, 1), m.mask(4))
    yield S(m(3), np.zeros(3, bool))


def _triangles(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4))
    yield S(m(2, 3, 3), 1)
    yield S(m(4, 3), -1)
    yield S(m(0, 3))


def _take_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), _at([0, 5, 11]))
    yield S(m(3, 4), _at([[0, -1], [3, 3]]))
    yield S(m(3, 4), _at(2))


def _nonzero_samples(m: Make) -> Iterable[Sample]:
    yield S(m.of(0, 1, 2, 0))
    yield S(np.asarray(m(3, 4) * m.mask(3, 4), m.dtype))
    yield S(m(0, 3))


def _diagonal_fill(m: Make) -> Iterable[Sample]:
    yield S(m(3, 3), 2)
    yield S(m(5, 3), 1)
    yield S(m(7, 3), 1, True)
    yield S(m(2, 2, 2), 0)


def _reduce_samples(m: Make) -> Iterable[Sample]:
    index = _at([[0, 2, 1], [0, 2, 2], [3, 0, 2]])
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        make = m.distinct if m.dtype.kind != "c" else m
        yield S(make(4, 3), 0, index, make(3, 3) * 2, reduce)
        yield S(make(4, 3), 0, index, make(3, 3) * 2, reduce, include_self=False)
        yield S(make(3, 4), 1, m.index(4, 3, 2), make(3, 2) * 2, reduce)
        yield S(make(4), 0, _at([], np.int64), make(0), reduce)
        if reduce == "prod":
            yield S(m.of(2, 3, 0), 0, _at([0, 0, 1, 1, 2]), m.of(0, 3, 0, 0, 2), reduce).rough()


def _masked_scatter_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), m.mask(3, 4), m(12))
    yield S(m(3, 4), m.mask(4), m(3, 5))
    yield S(m(3, 4), np.zeros((3, 4), bool), m(0))


def _slice_scatters(m: Make) -> Iterable[Sample]:
    yield S(m(4, 3), m(2, 3), 0, 1, 3)
    yield S(m(4), m(2), start=1, step=2)
    yield S(m(2, 3), m(2, 1), 1, -1)


def _diagonal_scatters(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), m(3))
    yield S(m(3, 4), m(2), -1)
    yield S(m(2, 3, 4), m(3, 2), 0, 0, 2)


def _repeats(m: Make) -> Iterable[Sample]:
    yield S(m(2, 3), 2)
    yield S(m(2, 3), 2, 1)
    yield S(m(2, 3), 0, dim=0)
    yield S(m(), 3)


def _repeats_by_tensor(m: Make) -> Iterable[Sample]:
    yield S(m(2, 3), _at([1, 3]), 0)
    yield S(m(2, 3), _at([2]), dim=1)
    yield S(m(3), _at([0, 2, 1]))
    yield S(m(3), _at(2), 0)


_wrong_size = F(RuntimeError, "no larger than|Size does not match", np.zeros((2, 3)), 0, np.zeros((2, 4), int))
_no_matrix = F(RuntimeError, "at least 2", np.zeros(3))
_float_index = F(RuntimeError, "int64", np.zeros((2, 3)), 0, np.zeros((2, 3)))

READING = [
    _move("Tensor.__getitem__", _basic, dtypes=EVERY, errors=(
        _index_error,
        F(IndexError, "too many indices", np.zeros((2, 3)), (0, 0, 0)),
        F(ValueError, "greater than zero", np.zeros(3), slice(None, None, -1)),
        F(IndexError, "long, int, byte or bool", np.zeros(3), np.zeros(2)))),
    _move("Tensor.__getitem__", _advanced, variant="tensors", errors=(
        F(IndexError, "out of bounds", np.zeros((2, 3)), np.array([0, 2])),
        F(IndexError, "mask", np.zeros((2, 3)), np.zeros(3, bool)))),
    _move("Tensor.__getitem__", _masks, variant="masks", reads_host=True),
    _move("gather", _gather_samples, out=True, errors=(
        _wrong_size, _float_index,
        F(RuntimeError, "out of bounds", np.zeros((2, 3)), 0, np.array([[5]])),
        F(RuntimeError, "same number of dimensions", np.zeros((2, 3)), 0, np.zeros(2, int)))),
    _move("index_select", lambda m: [S(m(4, 3), 0, _at([0, 2, 2])), S(m(3, 4), -1, _at([1])), S(m(4), 0, _at(2)),
                                     S(m(), 0, _at([0]))], out=True, errors=(
        F(IndexError, "vector", np.zeros((2, 3)), 0, np.zeros((1, 1), int)),
        F(IndexError, "out of range", np.zeros((2, 3)), 0, np.array([2])))),
    _move("masked_select", _masked_select_samples, out=True, reads_host=True),
    _move("take", _take_samples, out=True, errors=(
        F(IndexError, "out of range|out of bounds", np.zeros(3), np.array([3])),)),
    _move("combinations", lambda m: [S(m(4)), S(m(3), 3), S(m(3), 2, True), S(m(3), 0), S(m(2), 3)],
          method=False, errors=(
        F(RuntimeError, "1D vector", np.zeros((2, 2))), F(RuntimeError, "non-negative", np.zeros(2), -1))),
    _move("take_along_dim", lambda m: [S(m(4, 3), m.index(4, 2, 3), 0), S(m(4, 3), m.index(12, 3)),
                                       S(m(4, 3), m.index(3, 1, 2), 1)], out=True),
    Row("nonzero", _nonzero_samples, EVERY, grad=False, out=True, reads_host=True),
    Row("nonzero", lambda m: [S(m.of(0, 1, 2), as_tuple=True), S(m(2, 3), as_tuple=True)], EVERY, grad=False,
        reads_host=True, variant="as_tuple"),
    Row("argwhere", _nonzero_samples, EVERY, grad=False, reads_host=True),
    _move("tril", _triangles, dtypes=EVERY, inplace=True, out=True, errors=(_no_matrix,)),
    _move("triu", _triangles, dtypes=EVERY, inplace=True, out=True, errors=(_no_matrix,)),
]  # fmt: skip

WRITING = [
    _move("Tensor.__setitem__", _setting, on_copy=True, errors=(
        F(IndexError, "out of bounds", np.zeros((2, 3)), 2, 0.0),
        F(RuntimeError, "expanded size|shape|match|broadcast", np.zeros((2, 3)), 0, np.zeros(2)))),
    _move("Tensor.__setitem__", _setting_masks, on_copy=True, variant="masks", reads_host=True),
    _move("scatter", _scatter_samples, inplace=True, out=True, errors=(
        F(RuntimeError, "out of bounds", np.zeros(3), 0, np.array([3]), np.ones(1)),)),
    _move("scatter_add", _scatter_add_samples, inplace=True, out=True, errors=(
        F(RuntimeError, "out of bounds", np.zeros(3), 0, np.array([3]), np.ones(1)),)),
    _move("index_add", _index_add_samples, dtypes=NUMERIC, inplace=True, out=True),
    _move("index_copy", lambda m: [S(m(4, 3), 0, _at([0, 2]), m(2, 3)), S(m(3, 4), 1, _at([3]), m(3, 1))],
          inplace=True, out=True),
    _move("index_fill", lambda m: [S(m(4, 3), 0, _at([0, 2]), 1), S(m(3, 4), 1, _at([3, 3]), m())], inplace=True),
    _move("index_put", _index_put_samples, inplace=True),
    _move("masked_fill", _masked_fill_samples, dtypes=EVERY, inplace=True, errors=(
        F(RuntimeError, "boolean|bool", np.zeros(2), np.zeros(2), 1.0),
        F(RuntimeError, "0-dim", np.zeros(2), np.zeros(2, bool), np.zeros(2)))),
    _move("Tensor.fill_", lambda m: [S(m(3, 4), 2), S(m(3), m())], on_copy=True, errors=(
        F(RuntimeError, "0-dimension", np.zeros(2), np.zeros(2)),)),
    _move("Tensor.zero_", lambda m: [S(m(3, 4))], on_copy=True),
    _move("Tensor.copy_", lambda m: [S(m(3, 4), m(3, 4)), S(m(3, 4), m(4)), S(m(3), Const(np.ones(3, np.float32)))],
          dtypes=("float64", "complex128"), on_copy=True),
    _move("Tensor.fill_diagonal_", _diagonal_fill, on_copy=True, errors=(
        F(RuntimeError, "dimensions must larger than 1", np.zeros(2), 1),)),
    _move("scatter_reduce", _reduce_samples, dtypes=("float64", "float32", "int64"), inplace=True, out=True, errors=(
        F(RuntimeError, "reduce argument must be", np.zeros(3), 0, np.array([0]), np.ones(1), "x"),
        F(RuntimeError, "dtype", np.zeros(3), 0, np.array([0]), np.ones(1, int), "sum"))),
    _move("masked_scatter", _masked_scatter_samples, dtypes=EVERY, inplace=True, errors=(
        F(RuntimeError, "Number of elements of source", np.zeros(3), np.ones(3, bool), np.zeros(2)),
        F(RuntimeError, "boolean masks", np.zeros(3), np.ones(3, int), np.zeros(3)),
        F(RuntimeError, "same dtypes", np.zeros(3), np.ones(3, bool), np.zeros(3, int)))),
    _move("select_scatter", lambda m: [S(m(2, 3), m(3), 0, 1), S(m(2, 3), m(2), -1, -1)],
          dtypes=("float64", "int64"), errors=(
        F(RuntimeError, "slice size", np.zeros((2, 3)), np.zeros(2), 0, 1),)),
    _move("slice_scatter", _slice_scatters, dtypes=("float64", "int64"), errors=(
        F(RuntimeError, "slice size", np.zeros(4), np.zeros(3), 0, 1, None, 2),)),
    _move("diagonal_scatter", _diagonal_scatters, errors=(
        F(RuntimeError, "slice size", np.zeros((2, 2)), np.zeros(1)),)),
    _move("repeat_interleave", _repeats, errors=(F(RuntimeError, "non-negative", np.zeros(2), -1),)),
    _move("repeat_interleave", _repeats_by_tensor, variant="tensor", reads_host=True, errors=(
        F(RuntimeError, "same size", np.zeros(2), np.array([1, 2, 3])),
        F(RuntimeError, "negative", np.zeros(2), np.array([1, -1])),
        F(RuntimeError, "not implemented", np.zeros(2), np.zeros(2)))),
    Row("repeat_interleave", lambda m: [S(np.abs(m(3)))], ("int64",), grad=False, variant="indices", reads_host=True),
]  # fmt: skip

ROWS = [*READING, *WRITING]
