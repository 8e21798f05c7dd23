"""What the image datasets share."""

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from framework import Tensor, from_numpy
from framework.utils.data import Dataset

from . import transforms


class ArrayImageDataset(Dataset):
    """Labelled images held in memory. A sample is (image, label): a Tensor (channels, height, width) and an int.

    Args:
        images: float32, (samples, channels, height, width), in [0, 1].
        targets: int64, (samples,): labels 0 ... len(classes) - 1.
        classes: the name of each label.
        transform: applied to each image, an array; see `transforms`.
        seed: with `epoch` and the sample's index, what random transforms depend on.

    Subclasses give `mean` and `std`, one number per channel over the training images.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __init__(
        self,
        images: np.ndarray,
        targets: np.ndarray,
        classes: Sequence[str],
        transform: Callable | None = None,
        seed: int = 0,
    ) -> None:
        self.images = images
        self.targets = targets
        self.classes = list(classes)
        self.transform = transform
        self.seed = seed
        self.epoch = 0

    @property
    def num_classes(self) -> int:
        """How many labels there are."""
        return len(self.classes)

    @property
    def in_channels(self) -> int:
        """The channels of an image."""
        return self.images.shape[1]

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width."""
        return self.images.shape[2], self.images.shape[3]

    def set_epoch(self, epoch: int) -> None:
        """Give the samples the random transforms of this epoch. Persistent workers follow at the next pass."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        index = operator.index(index)
        image: Any = self.images[index].copy()
        if self.transform is not None:
            key = (self.seed, self.epoch, index % len(self))
            image = transforms.apply(self.transform, image, key)
        if isinstance(image, np.ndarray):
            image = from_numpy(np.ascontiguousarray(image))
        return image, int(self.targets[index])
