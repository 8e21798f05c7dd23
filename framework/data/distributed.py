"""DistributedSampler: each of several training processes sees its own share of a dataset."""

import math
from collections.abc import Iterator, Sized

from ..random import Generator
from .sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every `num_replicas`-th index, beginning with the `rank`-th, of a permutation that all replicas share.

    Args:
        dataset: what is sampled; only its length is used.
        num_replicas: number of training processes.
        rank: the number of this process, 0 ... num_replicas - 1.
        shuffle: permute the indices, by a generator seeded with `seed + epoch`.
        seed: the same number in all processes.
        drop_last: drop the tail that does not divide evenly; otherwise indices from the front are repeated.

    Call `set_epoch(epoch)` before each pass, or every pass has the same order. Raises ValueError for a rank
    outside [0, num_replicas - 1], and where `num_replicas` or `rank` is left out: there is no process group yet
    that could tell them.
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            raise ValueError(
                "Default process group has not been initialized: DistributedSampler needs num_replicas and rank, "
                f"but got num_replicas={num_replicas}, rank={rank}"
            )
        if rank >= num_replicas or rank < 0:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        share = len(dataset) / num_replicas
        self.num_samples = math.floor(share) if drop_last else math.ceil(share)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        n = len(self.dataset)
        if self.shuffle:
            indices = Generator().manual_seed(self.seed + self.epoch).randperm(n).tolist()
        else:
            indices = list(range(n))
        if self.total_size > n:
            indices = (indices * math.ceil(self.total_size / n))[: self.total_size]
        return iter(indices[self.rank : self.total_size : self.num_replicas])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Use the permutation of this epoch in the next pass."""
        self.epoch = epoch
