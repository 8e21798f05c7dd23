"""One pass over a DataLoader: what all iterators share, and the one that fetches in this process."""

import warnings
from typing import TYPE_CHECKING, Any

from ..backend import cuda_device_count
from .dataset import IterableDataset
from .fetch import make_fetch
from .sampler import draw_seed

if TYPE_CHECKING:
    from .dataloader import DataLoader


class LoaderIterator:
    """An iterator over batches. Subclasses define `_next_data`."""

    def __init__(self, loader: "DataLoader") -> None:
        # Not the loader itself: it may own this iterator, and workers must end with the last reference to it.
        self._dataset = loader.dataset
        self._index_sampler = loader._index_sampler
        self._num_workers = loader.num_workers
        self._reported_length = loader._reported_length
        self._num_yielded = 0
        if loader.pin_memory and cuda_device_count() == 0:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't "
                "be used.",
                stacklevel=4,
            )
        # In PyTorch's order, so that the same seed gives the same batches and leaves the same generator behind.
        self._indices = iter(self._index_sampler)
        self._base_seed = draw_seed(loader.generator)

    def __iter__(self) -> "LoaderIterator":
        return self

    def __next__(self) -> Any:
        data = self._next_data()
        self._num_yielded += 1
        self._warn_if_too_long()
        return data

    def __len__(self) -> int:
        return len(self._index_sampler)  # type: ignore[arg-type]

    def _next_data(self) -> Any:
        raise NotImplementedError

    def _warn_if_too_long(self) -> None:
        """Warn when a stream yields more than the length that it has reported."""
        reported = self._reported_length
        if not isinstance(self._dataset, IterableDataset) or reported is None or self._num_yielded <= reported:
            return
        message = (
            f"Length of IterableDataset {self._dataset} was reported to be {reported} (when accessing "
            f"len(dataloader)), but {self._num_yielded} samples have been fetched. "
        )
        if self._num_workers > 0:
            message += (
                "For multiprocessing data-loading, this could be caused by not properly configuring the "
                "IterableDataset replica at each worker: see get_worker_info()."
            )
        warnings.warn(message, stacklevel=3)


class SingleProcessIterator(LoaderIterator):
    """Fetches each batch when it is asked for."""

    def __init__(self, loader: "DataLoader") -> None:
        super().__init__(loader)
        if loader.timeout != 0:
            raise AssertionError(f"timeout option needs num_workers > 0, but got timeout={loader.timeout}")
        self._fetch = make_fetch(loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last)

    def _next_data(self) -> Any:
        return self._fetch(next(self._indices))
