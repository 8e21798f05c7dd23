"""Rows of sampling pictures, fractional pooling, sequence losses, and losses of several labels."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
from op_row import Const, F, Make, Row, S, Sample

_row = partial(Row, method=False)
_REDUCTIONS = ("mean", "sum", "none")


def _zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape)


def _ints(*values: object) -> np.ndarray:
    return np.array(values, np.int64)


# --- grids --------------------------------------------------------------------------------------------------------


def _affine(m: Make) -> Iterable[Sample]:
    for align in (True, False):
        yield S(m(2, 2, 3), (2, 3, 4, 5), align_corners=align)
        yield S(m(2, 3, 4), [2, 1, 3, 2, 4], align_corners=align)
    yield S(m(1, 2, 3), (1, 1, 2, 3), False)


def _places(m: Make, *shape: int) -> np.ndarray:
    """Positions away from those where the sampled elements change."""
    return np.asarray((m.distinct(*shape) % 1.17) * 2.6 - 1.52, m.dtype)


def _grids(mode: str, padding: str) -> object:
    def samples(m: Make) -> Iterable[Sample]:
        for align in (False, True):
            options = {"mode": mode, "padding_mode": padding, "align_corners": align}
            grid = _places(m, 2, 3, 4, 2)
            yield S(m(2, 3, 4, 5), Const(grid) if mode == "nearest" else grid, **options)
            if mode != "bicubic":
                grid = _places(m, 2, 2, 3, 1, 3)
                yield S(m(2, 2, 3, 4, 5), Const(grid) if mode == "nearest" else grid, **options)
        yield S(m(1, 1, 1, 1), Const(_places(m, 1, 2, 2, 2)), mode, padding, False)

    return samples


_picture, _grid = _zeros(2, 3, 4, 5), _zeros(2, 6, 7, 2)
_GRID_ERRORS = (
    F(RuntimeError, "same batch size", _picture, _grid[:1], align_corners=False),
    F(RuntimeError, "size 2 in last dimension", _picture, _grid[..., :1], align_corners=False),
    F(RuntimeError, "Double but found Float|Float but found Double", _picture, _grid.astype(np.float32),
      align_corners=False),
    F(RuntimeError, "non-empty spatial dimensions", _picture[:, :, :0], _grid, align_corners=False),
    F(RuntimeError, "bicubic interpolation only", _zeros(1, 1, 2, 2, 2), _zeros(1, 2, 2, 2, 3), "bicubic",
      align_corners=False),
    F(ValueError, "expected mode to be", _picture, _grid, "other"),
    F(ValueError, "expected padding_mode to be", _picture, _grid, padding_mode="other"),
)  # fmt: skip

GRIDS = [
    _row("nn.functional.affine_grid", _affine, errors=(
        F(ValueError, "Nx2x3", _zeros(2, 3, 4), (2, 1, 3, 3), align_corners=False),
        F(NotImplementedError, "4D and 5D", _zeros(2, 2, 3), (2, 1, 3), align_corners=False),
        F(ValueError, "non-zero, positive", _zeros(2, 2, 3), (2, 1, 0, 3), align_corners=False))),
    *(
        _row("nn.functional.grid_sample", _grids(mode, padding), variant=f"{mode} {padding}", tolerance=10,
             errors=_GRID_ERRORS if (mode, padding) == ("bilinear", "zeros") else ())
        for mode in ("bilinear", "nearest", "bicubic")
        for padding in ("zeros", "border", "reflection")
    ),
]  # fmt: skip


# --- fractional pooling -------------------------------------------------------------------------------------------


def _fractional(n: int) -> object:
    def samples(m: Make) -> Iterable[Sample]:
        sizes = (5, 7, 6)[:n]
        drawn = Const(m(2, 3, n, low=0, high=0.99))
        yield S(m.distinct(2, 3, *sizes), 2, 3, None, False, drawn)
        yield S(m.distinct(2, 3, *sizes), 2, 3, None, True, drawn)
        yield S(m.distinct(3, *sizes), (2, 3, 1)[:n], None, (0.4, 0.5, 0.6)[:n], True, drawn)
        yield S(m.distinct(2, 3, *sizes), 2, 1, _random_samples=drawn)

    return samples


def _with_indices(n: int) -> object:
    def samples(m: Make) -> Iterable[Sample]:
        yield S(m.distinct(2, 3, *(5, 7, 6)[:n]), 2, 3, _random_samples=Const(m(2, 3, n, low=0, high=0.99)))

    return samples


FRACTIONAL = [
    _row("nn.functional.fractional_max_pool2d", _fractional(2), errors=(
        F(ValueError, "either an output_size or an output_ratio", _picture, 2),
        F(RuntimeError, "pool height 2 too large relative to input height 4", _picture, 2, (5, 3)),
        F(RuntimeError, "equals to 2; got 3", _picture, 2, 3, _random_samples=_zeros(2, 3, 3)),
        F(RuntimeError, "kernel_size must either be", _picture, (2, 2, 2), 3),
        F(RuntimeError, "output_size must either be", _picture, 2, (3, 3, 3)))),
    _row("nn.functional.fractional_max_pool3d", _fractional(3)),
    _row("nn.functional.fractional_max_pool2d_with_indices", _with_indices(2)),
    _row("nn.functional.fractional_max_pool3d_with_indices", _with_indices(3)),
]  # fmt: skip


# --- losses -------------------------------------------------------------------------------------------------------


def _log_softmax(tensor: object) -> object:
    return tensor.log_softmax(-1)  # type: ignore[attr-defined]


def _ctc(m: Make) -> Iterable[Sample]:
    rows = _ints([1, 2, 2], [3, 1, 0], [2, 0, 0])
    for reduction in _REDUCTIONS:
        yield S(m(6, 3, 4), rows, (6, 5, 4), (3, 2, 1), reduction=reduction)
    yield S(m(6, 3, 4), _ints(1, 2, 2, 3, 1), _ints(6, 6, 6), _ints(3, 0, 2))
    yield S(m(6, 3, 4), _ints([0, 2, 2], [3, 0, 1], [2, 9, 9]), [6, 6, 6], [3, 2, 1], 1)
    yield S(m(6, 4), _ints(1, 2), _ints(6)[0:1], _ints(2), reduction="sum")
    yield S(m(2, 1, 3), _ints([1, 1]), (2,), (2,), zero_infinity=True).rough()
    yield S(m(2, 2, 3), _ints([1, 1], [2, 0]), (2, 0), (2, 0), reduction="none").values_only()
    yield S(m(3, 2, 3), np.zeros((2, 0), np.int64), (3, 2), (0, 0), reduction="none")


_scores, _labels = np.log(np.full((5, 2, 4), 0.25)), _ints([1, 2], [3, 0])


def _listed(m: Make) -> Iterable[Sample]:
    for reduction in _REDUCTIONS:
        yield S(m(2, 4), _ints([3, 0, -1, 1], [-1, 2, 0, 1]), reduction=reduction)
        yield S(m(4), _ints(1, 1, 2, -1), reduction=reduction)
    yield S(m(0, 3), np.zeros((0, 3), np.int64), reduction="none")


def _linear(m: Make) -> Iterable[Sample]:
    for reduction in _REDUCTIONS:
        yield S(m(4, 5), m(3, 5), _ints(0, 2, 1, 1), linear_bias=m(3), reduction=reduction)
    yield S(m(5), m(3, 5), np.array(2), label_smoothing=0.1)
    yield S(m(2, 5), m(3, 2, 5), _ints([0, 1], [2, 1]), linear_bias=m(3, 2), weight=Const(m(3, low=0.2)))
    yield S(m(2, 5), m(3, 5), m(2, 3, low=0))
    yield S(m(3, 5), m(3, 5), _ints(0, 1, 2), ignore_index=1)


LOSSES = [
    _row("nn.functional.ctc_loss", _ctc, before=_log_softmax, gradgrad=False, reads_host=True, tolerance=10, errors=(
        F(RuntimeError, "input_lengths must be of size batch_size", _scores, _labels, [5], [2, 1]),
        F(RuntimeError, "target_lengths must be of size batch_size", _scores, _labels, [5, 5], [2]),
        F(RuntimeError, "at most 5, but got value 6", _scores, _labels, [6, 5], [2, 1]),
        F(RuntimeError, "at least 0, but got value -1", _scores, _labels, [5, -1], [2, 1]),
        F(RuntimeError, "at least 3 at dimension 1, but got size 2", _scores, _labels, [5, 5], [3, 1]),
        F(RuntimeError, "size 4 at dimension 0, but got size 3", _scores, _ints(1, 2, 3), [5, 5], [2, 2]),
        F(RuntimeError, "size 2 at dimension 0, but got size 1", _scores, _labels[:1], [5, 5], [2, 1]),
        F(RuntimeError, "blank must be in label range", _scores, _labels, [5, 5], [2, 1], 4),
        F(RuntimeError, "must be integral", _scores, _labels, _zeros(2), _ints(2, 1)),
        F(RuntimeError, "must not be empty", _scores[:0], _labels, [0, 0], [2, 1]),
        F(NotImplementedError, "'Half'", _scores.astype(np.float16), _labels, [5, 5], [2, 1]),
        F(ValueError, "not a valid value for reduction", _scores, _labels, [5, 5], [2, 1], reduction="other"))),
    _row("nn.functional.multilabel_margin_loss", _listed, errors=(
        F(RuntimeError, r"inconsistent target size: \[2, 4\] for input of size: \[3, 4\]", _zeros(3, 4),
          np.zeros((2, 4), np.int64)),
        F(RuntimeError, "is out of range", _zeros(1, 4), _ints([0, 7, -1, 2])),
        F(RuntimeError, "Long but found Double", _zeros(3, 4), _zeros(3, 4)),
        F(RuntimeError, "non-empty vector or matrix", _zeros(1, 3, 4), np.zeros((1, 3, 4), np.int64)),
        F(ValueError, "not a valid value for reduction", _zeros(4), np.zeros(4, np.int64), reduction="other"))),
    _row("nn.functional.linear_cross_entropy", _linear, tolerance=10, errors=(
        F(RuntimeError, "dimensionality 1 or 2, got 3", _zeros(1, 2, 5), _zeros(3, 5), _ints(0)),
        F(RuntimeError, "at least 2, got 1", _zeros(2, 5), _zeros(5), _ints(0)),
        F(RuntimeError, "got 5 and 4, respectively", _zeros(2, 5), _zeros(3, 4), _ints(0, 1)),
        F(RuntimeError, r"expected linear_bias shape \(3,\)", _zeros(2, 5), _zeros(3, 5), _ints(0, 1),
          linear_bias=_zeros(4)))),
]  # fmt: skip


# --- others -------------------------------------------------------------------------------------------------------

OTHERS = [
    _row("nn.functional.pdist", lambda m: [
        S(m(4, 3)), S(m(5, 2), 1.0), S(m(4, 3), 3.0), S(m(4, 3), 0.0).rough(), S(m(3, 4), float("inf")), S(m(1, 3)),
        S(np.ones((3, 2), m.dtype)).rough()], tolerance=10, aliases=("pdist",), errors=(
        F(RuntimeError, "2D tensors, got: 1D", _zeros(3)),
        F(RuntimeError, "non-negative p", _zeros(3, 2), -1.0),
        F(RuntimeError, "floating-point", np.zeros((3, 2), np.int64)))),
    _row("nn.functional.conv_tbc", lambda m: [
        S(m(5, 2, 3), m(2, 3, 4), m(4)), S(m(5, 2, 3), m(3, 3, 4), m(4), 2)], tolerance=10, aliases=("conv_tbc",),
        errors=(
        F(RuntimeError, "Input must have 3 dims", _zeros(3, 2), _zeros(2, 3, 4), _zeros(4)),
        F(RuntimeError, "Bias must be 1-D", _zeros(3, 2, 3), _zeros(2, 3, 4), _zeros(4, 1)))),
]  # fmt: skip

ROWS = [*GRIDS, *FRACTIONAL, *LOSSES, *OTHERS]
