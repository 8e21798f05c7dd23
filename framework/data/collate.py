"""Putting the samples of a batch together into Tensors."""

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from ..creation import as_tensor, from_numpy, tensor
from ..dtypes import float64
from ..ops.shape import stack
from ..tensor import Tensor

__all__ = ["default_collate", "default_convert"]

_NOT_NUMBERS = "SUO"  # NumPy's kinds of arrays of bytes, text and objects, which no Tensor can hold


def default_collate(batch: Sequence[Any]) -> Any:
    """Join samples of like structure into one batch with a new first dimension.

    Tensors, NumPy arrays and NumPy numbers are stacked; floats become a float64 Tensor and ints an int64 one (bools
    a bool one); str and bytes stay a list. Dicts, named tuples, tuples (to a list) and lists are joined item by item.

    Raises TypeError for anything else, RuntimeError for tensors or lists of different sizes.
    """
    elem = batch[0]
    if isinstance(elem, Tensor):
        return stack(batch, 0)
    if isinstance(elem, np.ndarray):
        return _collate_arrays(batch)
    if isinstance(elem, (np.bool_, np.number)):
        return as_tensor(batch)
    if isinstance(elem, float):
        return tensor(batch, dtype=float64)
    if isinstance(elem, int):
        return tensor(batch)
    if isinstance(elem, (str, bytes)):
        return batch
    if isinstance(elem, Mapping):
        return _like_mapping(elem, {key: default_collate([sample[key] for sample in batch]) for key in elem})
    if _is_namedtuple(elem):
        return type(elem)(*(default_collate(values) for values in zip(*batch, strict=False)))
    if isinstance(elem, Sequence):
        if any(len(sample) != len(elem) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return _like_sequence(elem, [default_collate(values) for values in zip(*batch, strict=True)])
    raise _cannot_collate(type(elem))


def default_convert(data: Any) -> Any:
    """Turn NumPy arrays and numbers, also inside dicts, lists and tuples, into Tensors; leave the rest as it is."""
    if isinstance(data, (Tensor, str, bytes)):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if data.dtype.kind in _NOT_NUMBERS else as_tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(data[key]) for key in data})
    if _is_namedtuple(data):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, Sequence):
        return _like_sequence(data, [default_convert(value) for value in data])
    return data


def _collate_arrays(batch: Sequence[np.ndarray]) -> Tensor:
    first = batch[0]
    if first.dtype.kind in _NOT_NUMBERS:
        raise _cannot_collate(first.dtype)
    if all(type(array) is np.ndarray and array.dtype == first.dtype and array.shape == first.shape for array in batch):
        return from_numpy(np.stack(batch))
    return stack([as_tensor(array) for array in batch], 0)  # promotes dtypes, and raises on unequal shapes


def _cannot_collate(found: Any) -> TypeError:
    return TypeError(
        f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {found}"
    )


def _is_namedtuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")


def _like_mapping(example: Mapping, items: dict) -> Mapping:
    """`items` in a mapping of the example's type, keeping further attributes of that type where it is mutable."""
    try:
        if isinstance(example, MutableMapping):
            clone = copy.copy(example)
            clone.update(items)
            return clone
        return type(example)(items)  # type: ignore[call-arg]
    except TypeError:  # a type that can be neither copied nor built from a dict
        return items


def _like_sequence(example: Sequence, values: list) -> Sequence:
    """`values` in a sequence of the example's type; a list for a tuple, as PyTorch has it."""
    if isinstance(example, (tuple, list)) and type(example) in (tuple, list):
        return values
    try:
        if isinstance(example, MutableSequence):
            clone = copy.copy(example)
            for i, value in enumerate(values):
                clone[i] = value
            return clone
        return values if isinstance(example, tuple) else type(example)(values)  # type: ignore[call-arg]
    except TypeError:  # a type that can be neither copied nor built from a list, such as range
        return values
