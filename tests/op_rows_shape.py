"""Rows of the operators that move elements and never change them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from op_row import EVERY, Const, DType, F, Make, Row, S, Sample

_bad_dim = F(IndexError, "Dimension out of range", np.zeros((2, 3)), 2)
_move = partial(Row, dtypes=("float64", "int64", "complex128"))


def calls(*shapes_and_args: tuple) -> Callable[[Make], Iterable[Sample]]:
    """Samples from tuples of a shape and the arguments after the tensor."""

    def samples(m: Make) -> Iterable[Sample]:
        for shape, *rest in shapes_and_args:
            kwargs = rest.pop() if rest and isinstance(rest[-1], dict) else {}
            yield S(m(*shape), *rest, **kwargs)

    return samples


def lists(*shapes_and_args: tuple) -> Callable[[Make], Iterable[Sample]]:
    """Samples from tuples of a list of shapes and the arguments after the list of tensors."""

    def samples(m: Make) -> Iterable[Sample]:
        for shapes, *rest in shapes_and_args:
            kwargs = rest.pop() if rest and isinstance(rest[-1], dict) else {}
            yield S([m(*shape) for shape in shapes], *rest, **kwargs)

    return samples


def _other_types(m: Make) -> Iterable[Sample]:
    for name in ("int64", "float64", "complex128", "int32", "uint8"):
        yield S(m(2, 4), DType(name))


def _casts(m: Make) -> Iterable[Sample]:
    for name in ("float32", "float64", "complex128", "int32", "bool", "float16"):
        yield S(m(2, 3), DType(name)).values_only()
    yield S(m(2, 3), "cpu")
    yield S(m(2, 3), dtype=DType("float64"), copy=True)
    yield S(m(2, 3), Const(np.zeros(1, np.float32))).values_only()


def _mixed_types(m: Make) -> Iterable[Sample]:
    yield from lists(
        ([(2, 3), (1, 3)],),
        ([(2, 3), (2, 1), (2, 2)], 1),
        ([(2, 3), (2, 3)], {"dim": -1}),
        ([(0,), (2, 3)],),
        ([(3,)],),
    )(m)
    yield S([m(2), np.array([1, 2])])
    yield S([m(2), Const(np.array([1.5], np.float32))])


def _singles(m: Make) -> Iterable[Sample]:
    for shape in ((), (3,), (2, 3), (2, 3, 2)):
        yield S(m(*shape))
    yield S(m(), m(2))


def _take_apart(sizes: str) -> Callable[[Make], Iterable[Sample]]:
    def samples(m: Make) -> Iterable[Sample]:
        yield S(m(5, 4), 2)
        yield S(m(4, 5), 3, 1)
        yield S(m(4, 6), 2, dim=-1)
        if sizes:
            yield S(m(5, 4), [2, 3])
            yield S(m(4, 5), [1, 0, 4], 1)

    return samples


def _grids(m: Make) -> Iterable[Sample]:
    yield S(m(2), m(3), indexing="ij")
    yield S(m(2), m(3), indexing="xy")
    yield S([m(2), m(), m(3)], indexing="ij")
    yield S(m(2), indexing="xy")


def _block_samples(m: Make) -> Iterable[Sample]:
    yield S(m(2, 3), m(1, 2), m(3))
    yield S(m())
    yield S(m(2, 2), m())


_size = F(RuntimeError, "is invalid for input of size", np.zeros((2, 3)), (4, 2))

VIEWS = [
    _move("reshape", calls(((2, 6), (3, 4)), ((2, 6), (-1,)), ((2, 3), (3, -1)), ((), (1, 1)), ((0, 3), (3, 0))),
          errors=(_size, F(RuntimeError, "only one dimension", np.zeros(4), (-1, -1)))),
    _move("Tensor.view", calls(((2, 6), 3, 4), ((2, 6), (-1,)), ((2, 3), -1, 2), ((), 1), ((0, 3), 3, 0)),
          layouts=False, errors=(_size,)),
    _move("Tensor.view", _other_types, dtypes=("float64", "int64"), grad=False, variant="dtype", layouts=False, errors=(
        F(RuntimeError, "axis|divisible", np.zeros((3, 3), np.float32), DType("float64")),)),
    _move("Tensor.view_as", lambda m: [S(m(2, 6), m(3, 4))], layouts=False),
    _move("Tensor.reshape_as", lambda m: [S(m(2, 6), m(3, 4))]),
    _move("flatten", calls(((2, 3, 4),), ((2, 3, 4), 1), ((2, 3, 4), 0, 1), ((),), ((3,),)), errors=(
        F(RuntimeError, "start_dim cannot come after end_dim", np.zeros((2, 3)), 1, 0),)),
    _move("unflatten", calls(((2, 6), 1, (2, 3)), ((6,), 0, (-1, 2)), ((6, 2), -2, (3, 2))), errors=(
        F(RuntimeError, "don't multiply up", np.zeros(6), 0, (4, 2)),)),
    _move("ravel", calls(((2, 3),), ((),), ((0, 2),))),
    _move("squeeze", calls(((1, 3, 1),), ((1, 3, 1), 0), ((1, 3, 1), 1), ((1, 3, 1), (0, 2)), ((),), ((), 0)),
          inplace=True, errors=(_bad_dim,)),
    _move("unsqueeze", calls(((2, 3), 0), ((2, 3), 2), ((2, 3), -1), ((), 0)), inplace=True, errors=(
        F(IndexError, "Dimension out of range", np.zeros(2), 2),)),
    _move("transpose", calls(((2, 3, 4), 0, 2), ((2, 3), -1, 0), ((), 0, -1)), inplace=True,
          aliases=("swapaxes", "swapdims"), errors=(F(IndexError, "Dimension", np.zeros(2), 0, 1),)),
    _move("t", calls(((2, 3),), ((3,),), ((),)), inplace=True, errors=(F(RuntimeError, "2 dim", np.zeros((2, 2, 2))),)),
    _move("permute", calls(((2, 3, 4), (2, 0, 1)), ((2, 3), (-1, 0)), ((), ())), errors=(
        F(RuntimeError, "does not match", np.zeros((2, 3)), (0,)),
        F(RuntimeError, "duplicate", np.zeros((2, 3)), (0, 0)))),
    _move("movedim", calls(((2, 3, 4), 0, 2), ((2, 3, 4), (0, 1), (-1, 0))), aliases=("moveaxis",), errors=(
        F(RuntimeError, "source", np.zeros((2, 3)), (0, 1), (0,)),)),
    _move("Tensor.mT", calls(((2, 3),), ((4, 2, 3),))),
    _move("Tensor.T", calls(((2, 3),))),
    _move("Tensor.H", calls(((2, 3),))),
    _move("Tensor.mH", calls(((4, 2, 3),))),
    _move("Tensor.expand", calls(((1, 3), 2, 3), ((3,), (2, -1)), ((), (2, 2)), ((1, 3), (4, 2, 3))), errors=(
        F(RuntimeError, "must match the existing size", np.zeros((2, 3)), 2, 4),
        F(RuntimeError, "number of sizes provided", np.zeros((2, 3)), 3))),
    _move("Tensor.expand_as", lambda m: [S(m(1, 3), m(2, 3))]),
    _move("broadcast_to", calls(((1, 3), (2, 3)), ((3,), (2, 3)))),
    _move("broadcast_tensors", lambda m: [S(m(1, 3), m(2, 1)), S(m(3), m(2, 1), m())], method=False, errors=(
        F(RuntimeError, "match|broadcast", np.zeros((2, 3)), np.zeros((2, 4))),)),
    _move("narrow", calls(((4, 3), 0, 1, 2), ((3, 4), -1, -3, 2), ((3, 4), 1, 4, 0)), errors=(
        F(RuntimeError, "exceeds dimension size", np.zeros(3), 0, 2, 2),)),
    _move("select", calls(((3, 4), 0, 1), ((3, 4), 1, -1)), errors=(
        F(IndexError, "out of range", np.zeros((2, 3)), 0, 2), F(IndexError, "0-dim", np.zeros(()), 0, 0))),
    _move("split", _take_apart("sizes"), errors=(
        F(RuntimeError, "sum exactly", np.zeros(4), [1, 2]), F(RuntimeError, "non-negative", np.zeros(4), -1))),
    _move("chunk", _take_apart(""), errors=(F(RuntimeError, "greater than 0", np.zeros(4), 0),)),
    _move("tensor_split", calls(((5, 4), 2), ((4, 5), 3, 1), ((6, 2), [1, 3]), ((6, 2), (2, 2, 4), 0)), errors=(
        F(RuntimeError, "larger than 0", np.zeros(4), 0),)),
    _move("hsplit", calls(((4,), 2), ((2, 6), 3), ((2, 6), [1, 4])), errors=(
        F(RuntimeError, "at least 1", np.zeros(()), 1), F(RuntimeError, "not divisible", np.zeros(3), 2))),
    _move("vsplit", calls(((4, 2), 2), ((5, 2), [1, 4])), errors=(F(RuntimeError, "at least 2", np.zeros(3), 1),)),
    _move("dsplit", calls(((2, 2, 4), 2), ((1, 2, 5), (2, 3))), errors=(
        F(RuntimeError, "at least 3", np.zeros((2, 2)), 1),)),
    _move("unbind", calls(((3, 2),), ((2, 3), 1), ((2, 3, 4), -1)), errors=(_bad_dim,)),
    _move("diagonal", calls(((3, 4),), ((3, 4), 1), ((3, 4), -2), ((2, 3, 4), 1, 2, 1), ((3, 4), 5)), errors=(
        F(RuntimeError, "identical", np.zeros((2, 2)), 0, 1, 1),)),
    _move("Tensor.unfold", calls(((7,), 0, 3, 2), ((2, 6), 1, 2, 2), ((5, 2), 0, 5, 1)), errors=(
        F(RuntimeError, "maximum size", np.zeros(3), 0, 4, 1),)),
    _move("as_strided", calls(((12,), (3, 4), (4, 1)), ((12,), (3, 2), (1, 2), 2), ((3, 4), (2, 2), (1, 1))),
          inplace=True, layouts=False, errors=(F(RuntimeError, "out of bounds", np.zeros(4), (3, 3), (3, 1)),)),
    _move("Tensor.contiguous", calls(((2, 3),))),
    _move("Tensor.sum_to_size", calls(((2, 3), (1, 3)), ((2, 3), (3,)), ((4, 2, 3), (2, 1)))),
]  # fmt: skip

MOVES = [
    _move("Tensor.to", _casts, dtypes=("float64", "int64"), device=False),
    _move("clone", calls(((2, 3),), ((),)), dtypes=EVERY),
    _move("Tensor.repeat", calls(((2, 3), 2, 3), ((2,), (3, 1, 2)), ((), 2), ((2, 3), 0, 1)), errors=(
        F(RuntimeError, "can not be smaller", np.zeros((2, 3)), 2),)),
    _move("tile", calls(((2, 3), (2, 2)), ((2, 3), (2,)), ((2,), (2, 3)))),
    _move("cat", _mixed_types, dtypes=EVERY, method=False, out=True, aliases=("concat", "concatenate"), errors=(
        F(RuntimeError, "Sizes of tensors must match", [np.zeros((2, 3)), np.zeros((2, 4))]),
        F(RuntimeError, "same number of dimensions|zero-dimensional", [np.zeros((2, 3)), np.zeros(2)]),
        F(RuntimeError, "zero-dimensional", [np.zeros(())]),
        F(IndexError, "Dimension out of range", [np.zeros(2)], 1))),
    _move("stack", lists(([(2, 3), (2, 3)],), ([(2,), (2,)], 1), ([(2, 3)] * 3, -1), ([(), ()],)),
          method=False, out=True, errors=(F(RuntimeError, "equal size", [np.zeros(2), np.zeros(3)]),)),
    _move("hstack", lists(([(2, 3), (2, 1)],), ([(2,), (3,)],), ([(), ()],)), method=False, out=True),
    _move("vstack", lists(([(2, 3), (1, 3)],), ([(3,), (3,)],)), method=False, out=True, aliases=("row_stack",)),
    _move("dstack", lists(([(2, 3, 1), (2, 3, 2)],), ([(3,), (3,)],), ([(2, 3), (2, 3)],)), method=False, out=True),
    _move("column_stack", lists(([(2, 3), (2,)],), ([(3,), (3,)],)), method=False, out=True),
    _move("atleast_1d", _singles, method=False),
    _move("atleast_2d", _singles, method=False),
    _move("atleast_3d", _singles, method=False),
    _move("flip", calls(((2, 3), (0,)), ((2, 3), (0, 1)), ((2, 3, 4), (-1,)), ((0, 3), (1,))), errors=(
        F(IndexError, "Dimension", np.zeros(2), (1,)), F(RuntimeError, "multiple times", np.zeros((2, 2)), (0, 0)))),
    _move("fliplr", calls(((2, 3),))),
    _move("flipud", calls(((2, 3),), ((3,),))),
    _move("roll", calls(((4, 3), 1), ((4, 3), 2, 0), ((4, 3), (1, -1), (0, 1)), ((4, 3), -1, 1), ((0, 3), 1))),
    _move("rot90", calls(((2, 3),), ((2, 3), 2), ((2, 3), -1), ((2, 3, 4), 1, (1, 2)), ((2, 3), 4))),
    _move("diag", calls(((3,),), ((2,), 1), ((3, 4),), ((3, 4), -1), ((2,), -1)), errors=(
        F(RuntimeError, "1D or 2D", np.zeros((2, 2, 2))),)),
    _move("diag_embed", calls(((2, 3),), ((3,), 1), ((2, 3), -1, 0, 1))),
    _move("diagflat", calls(((2, 2),), ((3,), 1))),
    _move("meshgrid", _grids, method=False, errors=(
        F(RuntimeError, "indexing must be", np.zeros(2), np.zeros(2), indexing="ab"),)),
    _move("block_diag", _block_samples, method=False),
    _move("cartesian_prod", lambda m: [S(m(2), m(3)), S(m(2)), S(m(2), m(2), m(2))], method=False),
]  # fmt: skip

ROWS = [*VIEWS, *MOVES]
