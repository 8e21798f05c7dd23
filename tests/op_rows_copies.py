"""Rows of framework/ops/copies.py."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
from op_row import F, Make, Row, S, Sample
from op_rows_shape import calls

_copy = partial(Row, dtypes=("float64", "int64", "complex128"), method=False)
_short = F(RuntimeError, "one of prod, mean, amax or amin", np.zeros(2), 0, np.array([0]), np.zeros(1), "sum")


def _put(m: Make) -> Iterable[Sample]:
    yield S(m(2, 3), np.array([[0, 5], [-2, 2]]), m(2, 2))
    yield S(m(2, 3), np.array([1, 1, 4]), m(3), True)


def _index_reduce(m: Make) -> Iterable[Sample]:
    for kind in ("prod", "mean", "amax", "amin"):
        yield S(m.distinct(3, 4), 0, np.array([2, 0, 2]), m.distinct(3, 4) + 20, kind)
        yield S(m.distinct(2, 3), -1, np.array([1, 1]), m.distinct(2, 2) + 20, kind, include_self=False)


def _unravel(m: Make) -> Iterable[Sample]:
    yield S(np.array([[0, 5], [22, 3]]), (2, 3, 4))
    yield S(np.array(3), 7)


ROWS: list[Row] = [
    _copy("alias_copy", calls(((2, 3),))),
    _copy("detach_copy", calls(((2, 3),)), grad=False),
    _copy("as_strided_copy", calls(((4, 3), (2, 2), (3, 1), 1)), layouts=False),
    _copy("diagonal_copy", calls(((3, 4),), ((2, 3, 4), 1, -1, 0))),
    _copy("expand_copy", calls(((3, 1), (2, 3, 4)))),
    _copy("narrow_copy", calls(((4, 3), 0, 1, 2)), method=True),
    _copy("permute_copy", calls(((2, 3, 4), (2, 0, 1)))),
    _copy("select_copy", calls(((4, 3), 1, -1)), dtypes=("float64", "int64")),
    _copy("slice_copy", calls(((4, 3), 0, 1, None, 2), ((4, 3), 1, -2)), dtypes=("float64", "int64")),
    _copy("squeeze_copy", calls(((1, 3, 1),), ((1, 3, 1), 0))),
    _copy("t_copy", calls(((2, 3),), ((3,),))),
    _copy("transpose_copy", calls(((2, 3, 4), 0, -1))),
    _copy("unfold_copy", calls(((6, 2), 0, 3, 2))),
    _copy("unsqueeze_copy", calls(((2, 3), 1))),
    _copy("view_copy", calls(((2, 6), (3, 4))), layouts=False),
    _copy("view_as_real_copy", calls(((2, 3),)), dtypes=("complex128",)),
    _copy("view_as_complex_copy", calls(((3, 2),)), dtypes=("float64",), torch=False),
    _copy("unbind_copy", calls(((2, 3),), ((2, 3), 1))),
    _copy("split_copy", calls(((5, 3), 2), ((5, 3), 2, 1))),
    _copy("split_with_sizes_copy", calls(((5, 3), (2, 3)))),
    _copy("split_with_sizes", calls(((5, 3), (2, 3)), ((5, 3), (1, 2), 1)), method=True),
    _copy("unsafe_split", calls(((5, 3), 2)), method=True),
    _copy("unsafe_split_with_sizes", calls(((5, 3), (2, 3))), method=True),
    _copy("unsafe_chunk", calls(((5, 3), 2)), method=True),
    _copy("conj_physical", calls(((2, 3),), ((),)), method=True, inplace=True),
    _copy("resolve_conj", calls(((2, 3),)), method=True),
    _copy("resolve_neg", calls(((2, 3),)), method=True),
    _copy("fill", calls(((2, 3), 2)), variant="function"),
    _copy("put", _put, method=True, inplace=True),
    Row("index_reduce", _index_reduce, inplace=True, errors=(_short,), gradgrad=False),
    Row("unravel_index", _unravel, dtypes=("int64",), grad=False, method=False),
]
