"""framework.data.distributed under its PyTorch name."""

from ...data.distributed import DistributedSampler

__all__ = ["DistributedSampler"]
