"""The UCI handwritten digits: 1,797 real images of 8x8 pixels, in the repository (see data/digits.txt)."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from .base import ArrayImageDataset

PATH = Path(__file__).parent / "data" / "digits.csv.gz"
SPLITS = ("train", "test")


class Digits(ArrayImageDataset):
    """Handwritten digits, (1, 8, 8) float32 in [0, 1]: 1,433 for training, 364 for testing.

    Args:
        split: "train" or "test"; of each digit's images the first and every fifth after it are for testing.
        classes: the digits to keep, labelled 0, 1, ... in this order; all ten if None.
        transform: applied to each image; see `transforms`.
        seed: what random transforms depend on, with the epoch and the sample's index.

    Raises ValueError for an unknown split and for classes that are not different digits.
    Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI, doi:10.24432/C50P49, CC BY 4.0.
    """

    mean = (0.3054,)
    std = (0.3763,)

    def __init__(
        self,
        split: str = "train",
        classes: Sequence[int] | None = None,
        transform: Callable | None = None,
        seed: int = 0,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"split should be one of {list(SPLITS)}, but got {split!r}")
        digits = list(range(10)) if classes is None else list(classes)
        if not digits or len(set(digits)) < len(digits) or not set(digits) <= set(range(10)):
            raise ValueError(f"classes should be different digits from 0 to 9, but got {digits}")
        images, labels = _read()
        rows = np.flatnonzero((_is_test(labels) == (split == "test")) & np.isin(labels, digits))
        targets = np.array([digits.index(label) for label in labels[rows].tolist()], np.int64)
        super().__init__(images[rows], targets, [str(digit) for digit in digits], transform, seed)


def _read() -> tuple[np.ndarray, np.ndarray]:
    """Images (1797, 1, 8, 8) float32 in [0, 1], and the digits (1797,)."""
    with gzip.open(PATH, "rt", encoding="ascii") as file:
        table = np.loadtxt(file, dtype=np.int64, delimiter=",")
    return (table[:, :64] / 16).astype(np.float32).reshape(-1, 1, 8, 8), table[:, 64]


def _is_test(labels: np.ndarray) -> np.ndarray:
    chosen = np.zeros(len(labels), bool)
    for digit in range(10):
        chosen[np.flatnonzero(labels == digit)[::5]] = True
    return chosen
