"""Fetching: from what the sampler yields to a collated batch. The same in the training process and in workers."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np

from ..creation import from_numpy
from ..ops.index import index_select
from ..tensor import Tensor
from .collate import default_collate
from .dataset import Dataset, IterableDataset, Subset, TensorDataset, fetch_samples

Fetch = Callable[[Any], Any]


def make_fetch(dataset: Dataset, auto_collation: bool, collate_fn: Callable, drop_last: bool) -> Fetch:
    """The function from one item of the index sampler to one batch; it raises StopIteration at a stream's end."""
    if isinstance(dataset, IterableDataset):
        return StreamFetch(dataset, auto_collation, collate_fn, drop_last)
    if not auto_collation:
        return lambda index: collate_fn(dataset[index])
    if collate_fn is default_collate:
        return lambda indices: _tensor_rows(dataset, indices) or default_collate(fetch_samples(dataset, indices))
    return lambda indices: collate_fn(fetch_samples(dataset, indices))


class StreamFetch:
    """Batches from a stream. Once the stream has ended it is not asked again: some start over when they are."""

    def __init__(self, dataset: IterableDataset, auto_collation: bool, collate_fn: Callable, drop_last: bool) -> None:
        self.stream = iter(dataset)
        self.auto_collation = auto_collation
        self.collate_fn = collate_fn
        self.drop_last = drop_last
        self.ended = False

    def __call__(self, indices: Any) -> Any:
        if self.ended:
            raise StopIteration
        return self.collate_fn(self._samples(len(indices)) if self.auto_collation else next(self.stream))

    def _samples(self, count: int) -> list:
        samples = list(islice(self.stream, count))
        self.ended = len(samples) < count
        if not samples or (self.ended and self.drop_last):
            raise StopIteration
        return samples


def _tensor_rows(dataset: Dataset, indices: list) -> list[Tensor] | None:
    """What collating the samples of a TensorDataset gives, by one indexing call per tensor.

    None where that shortcut would not be exact: for other datasets, for subclasses, which may have their own
    `__getitem__`, and for indices that are not plain integers from 0 to the last row.
    """
    subsets = []
    while type(dataset) is Subset:
        subsets.append(dataset)
        dataset = dataset.dataset
    if type(dataset) is not TensorDataset or not _are_integers(indices):
        return None
    for subset in subsets:
        indices = [subset.indices[i] for i in indices]
        if not _are_integers(indices):
            return None
    rows = np.array(indices)
    if rows.dtype != np.int64 or rows.min() < 0 or rows.max() >= len(dataset):
        return None
    index = from_numpy(rows)
    return [index_select(tensor, 0, index.to(tensor.device)) for tensor in dataset.tensors]


def _are_integers(indices: Any) -> bool:
    return type(indices) is list and len(indices) > 0 and all(type(i) is int or type(i) is np.int64 for i in indices)
