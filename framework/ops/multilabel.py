"""The margin loss of several labels per sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import wrap
from .activation import relu
from .index import gather
from .loss import check_reduction, legacy_reduction, reduced
from .shape import reshape, shape_of, unsqueeze


def _check(input: Any, target: Any) -> None:
    shape, wanted = shape_of(input), shape_of(target)
    if len(shape) > 2 or not all(shape[1:]):
        raise RuntimeError(
            f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(shape)}"
        )
    if wanted != shape:
        raise RuntimeError(f"inconsistent target size: {list(wanted)} for input of size: {list(shape)}")
    array = target._array
    if array.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {dtypes.scalar_type_name(target.dtype)}")
    here = type(array) is np.ndarray and array.size  # a GPU would stall
    if here and (array.min() < -1 or array.max() >= shape[-1]):
        raise RuntimeError("argument #2 'target' is out of range")


def _labels(target: Any, dtype: Any) -> tuple[Any, Any, Any]:
    """From an array of label lists: the index of each entry, 1 where it is a label, and 1 at the other classes."""
    xp = namespace(target)
    listed = xp.cumsum(target < 0, axis=1) == 0  # up to the first -1
    index = xp.where(listed, target, 0)
    classes = xp.arange(target.shape[1])
    labelled = ((index[:, :, None] == classes) & listed[:, :, None]).any(axis=1)
    return index, listed.astype(dtype), (~labelled).astype(dtype)


def multilabel_margin_loss(
    input: Any,
    target: Any,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:
    """`max(0, 1 - (score of a label - score of another class))` over all such pairs, divided by the classes.

    `input` is (batch, classes) or (classes); `target` has its shape and lists each sample's labels, ended by -1.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    check_reduction(reduction)
    _check(input, target)
    alone = len(shape_of(input)) < 2
    scores = reshape(input, (1, -1)) if alone else input
    entries = target._array.reshape(shape_of(scores))
    index, listed, others = (wrap(array) for array in _labels(entries, input._array.dtype))
    margins = relu(1 - unsqueeze(gather(scores, 1, index), 2) + unsqueeze(scores, 1))
    pairs = margins * unsqueeze(listed, 2) * unsqueeze(others, 1)
    losses = pairs.sum((1, 2)) / shape_of(scores)[1]
    return reduced(losses[0] if alone else losses, reduction)
