"""Shuffled batches whose order depends on the seed and the epoch alone, so that a run can resume anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from .. import Generator, randperm
from ..utils.data import Sampler


class EpochBatchSampler(Sampler[list[int]]):
    """Lists of at most ``batch_size`` indices below ``size``; the last one of an epoch may be shorter.

    ``start(epoch, skip)`` chooses the epoch and leaves out its first ``skip`` batches.
    """

    def __init__(self, size: int, batch_size: int, seed: int) -> None:
        self.size = size
        self.batch_size = batch_size
        self.seed = seed
        self.start(0)

    def start(self, epoch: int, skip: int = 0) -> None:
        """Let the next pass be that of ``epoch``, from its batch ``skip`` on."""
        self.epoch = epoch
        self.skip = skip

    def __iter__(self) -> Iterator[list[int]]:
        generator = Generator().manual_seed((self.seed * 1_000_003 + self.epoch) % 2**32)
        order = randperm(self.size, generator=generator).tolist()
        for first in range(self.skip * self.batch_size, self.size, self.batch_size):
            yield order[first : first + self.batch_size]

    def __len__(self) -> int:
        return self.batches_per_epoch - self.skip

    @property
    def batches_per_epoch(self) -> int:
        """The number of batches of a whole epoch."""
        return -(-self.size // self.batch_size)

    def state_dict(self) -> dict[str, int]:
        """What must be the same for the order to be the same."""
        return {"size": self.size, "batch_size": self.batch_size, "seed": self.seed}
