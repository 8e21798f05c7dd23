"""Image transforms, with the names and meaning of torchvision.transforms.v2.

A transform takes and returns an image (..., channels, height, width), a float NumPy array or a Tensor; leading
dimensions are a batch, whose images are all treated alike. `transform(image, rng)` draws its random numbers from a
NumPy generator; without one, the framework's default generator seeds one. Datasets pass a generator made of (seed,
epoch, sample index), so that an augmented sample depends neither on the order of samples nor on worker processes.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from framework import Tensor, default_generator, from_numpy

__all__ = ["Compose", "Normalize", "RandomAffine", "RandomCrop", "ToTensor", "Transform", "apply"]

Image = TypeVar("Image", np.ndarray, Tensor)

PADDING_MODES = ("constant", "edge", "reflect", "symmetric")


def apply(transform: Callable, image: Any, key: Sequence[int]) -> Any:
    """Transform one image; if the transform is random, by the random numbers that `key` alone determines."""
    if getattr(transform, "random", False):
        return transform(image, np.random.default_rng(key))
    return transform(image)


class Transform:
    """Base of transforms. Subclasses define `_apply(array, rng)`; `random` says whether they use `rng`."""

    random = False

    def __call__(self, image: Image, rng: np.random.Generator | None = None) -> Image:
        if self.random and rng is None:
            rng = np.random.default_rng(int(default_generator.random(())))
        if isinstance(image, Tensor):
            return from_numpy(np.ascontiguousarray(self._apply(image.numpy(), rng)))
        return self._apply(image, rng)

    def _apply(self, array: np.ndarray, rng: Any) -> np.ndarray:
        raise NotImplementedError(f"Subclasses of {Transform.__name__} should implement _apply.")


class Compose(Transform):
    """One transform after the other. Any callable on images will do; it is called with `rng` if it has `random`."""

    def __init__(self, transforms: Sequence[Callable]) -> None:
        self.transforms = list(transforms)
        if not self.transforms:
            raise ValueError("Pass at least one transform")
        self.random = any(getattr(transform, "random", False) for transform in self.transforms)

    def __call__(self, image: Any, rng: np.random.Generator | None = None) -> Any:
        for transform in self.transforms:
            image = transform(image, rng) if getattr(transform, "random", False) else transform(image)
        return image

    def __repr__(self) -> str:
        return f"Compose({self.transforms})"


class ToTensor:
    """A Pillow image or an array (height, width[, channels]) as a Tensor (channels, height, width).

    uint8 values become float32 in [0, 1]; other dtypes keep their values.
    """

    def __call__(self, image: Any) -> Tensor:
        array = np.array(image)
        if array.ndim not in (2, 3):
            raise ValueError(f"image should be 2 or 3 dimensional, but got {array.ndim} dimensions")
        array = array[:, :, None] if array.ndim == 2 else array
        array = np.ascontiguousarray(array.transpose(2, 0, 1))
        return from_numpy(array.astype(np.float32) / 255 if array.dtype == np.uint8 else array)

    def __repr__(self) -> str:
        return "ToTensor()"


class Normalize(Transform):
    """(image - mean) / std, with one mean and one standard deviation for each channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        if any(value == 0 for value in std):
            raise ValueError(f"std evaluated to zero, leading to division by zero: std={list(std)}")
        self.mean = list(mean)
        self.std = list(std)
        self._mean = np.reshape(self.mean, (-1, 1, 1))
        self._std = np.reshape(self.std, (-1, 1, 1))

    def _apply(self, array: np.ndarray, rng: Any) -> np.ndarray:
        if array.dtype.kind != "f":
            raise TypeError(f"Input tensor should be a float tensor. Got {array.dtype}.")
        if len(self._mean) not in (1, array.shape[-3]) or len(self._std) not in (1, array.shape[-3]):
            raise ValueError(
                f"Normalize has {len(self._mean)} means and {len(self._std)} standard deviations, but the image has "
                f"{array.shape[-3]} channels"
            )
        return (array - self._mean.astype(array.dtype)) / self._std.astype(array.dtype)

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


class RandomCrop(Transform):
    """A part of `size` at a random place, after padding each side.

    Args:
        size: height and width of the result, or one number for both.
        padding: pixels added on every side; or (left and right, top and bottom); or (left, top, right, bottom).
        fill: value of the added pixels in mode "constant".
        padding_mode: "constant", "edge", "reflect" or "symmetric".
    """

    random = True

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        fill: float = 0,
        padding_mode: str = "constant",
    ) -> None:
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode should be one of {PADDING_MODES}, but got {padding_mode!r}")
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode
        self._sides = _four_sides(padding)

    def _apply(self, array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        left, top, right, bottom = self._sides
        if any(self._sides):
            widths = [(0, 0)] * (array.ndim - 2) + [(top, bottom), (left, right)]
            fill = {"constant_values": self.fill} if self.padding_mode == "constant" else {}
            array = np.pad(array, widths, mode=self.padding_mode, **fill)  # type: ignore[call-overload]
        height, width = self.size
        spare_rows, spare_columns = array.shape[-2] - height, array.shape[-1] - width
        if spare_rows < 0 or spare_columns < 0:
            raise ValueError(
                f"Required crop size {self.size} is larger than padded input image size {array.shape[-2:]}"
            )
        row, column = rng.integers(spare_rows + 1), rng.integers(spare_columns + 1)
        return array[..., row : row + height, column : column + width]

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"


def _four_sides(padding: int | Sequence[int] | None) -> tuple[int, int, int, int]:
    """Left, top, right, bottom."""
    if padding is None:
        padding = 0
    values = (padding,) if isinstance(padding, int) else tuple(padding)
    if len(values) not in (1, 2, 4):
        raise ValueError(f"padding should be an int or have 1, 2 or 4 elements, but got {padding}")
    sides = values * (4 // len(values))
    return sides[0], sides[1], sides[2], sides[3]


class RandomAffine(Transform):
    """Turn, shift and scale about the centre by random amounts.

    Args:
        degrees: the angle is uniform in [-degrees, degrees], clockwise; or in [degrees[0], degrees[1]].
        translate: largest shifts as fractions of width and height; shifts are whole pixels.
        scale: the smallest and the largest factor.
        interpolation: "nearest" or "bilinear".
        fill: value of what comes from outside the image.
    """

    random = True

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        interpolation: str = "nearest",
        fill: float = 0,
    ) -> None:
        if isinstance(degrees, (int, float)):
            if degrees < 0:
                raise ValueError(f"If degrees is a single number, it must be positive, but got {degrees}")
            degrees = (-degrees, degrees)
        if translate is not None and not all(0 <= t <= 1 for t in translate):
            raise ValueError(f"translation values should be between 0 and 1, but got translate={translate}")
        if scale is not None and not all(s > 0 for s in scale):
            raise ValueError(f"scale values should be positive, but got scale={scale}")
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(f'interpolation should be "nearest" or "bilinear", but got {interpolation!r}')
        self.degrees = tuple(degrees)
        self.translate = translate
        self.scale = scale
        self.interpolation = interpolation
        self.fill = fill

    def _apply(self, array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        height, width = array.shape[-2:]
        angle = rng.uniform(self.degrees[0], self.degrees[1])
        across, down = self.translate or (0, 0)
        shift = (round(rng.uniform(-across, across) * width), round(rng.uniform(-down, down) * height))
        factor = rng.uniform(self.scale[0], self.scale[1]) if self.scale else 1.0
        return affine(array, angle, shift, factor, self.interpolation, self.fill)

    def __repr__(self) -> str:
        return f"RandomAffine(degrees={self.degrees}, translate={self.translate}, scale={self.scale})"


def affine(
    array: np.ndarray, angle: float, shift: tuple[int, int], factor: float, interpolation: str, fill: float
) -> np.ndarray:
    """Images (..., height, width) turned clockwise by `angle` degrees, scaled, then shifted (right, down)."""
    height, width = array.shape[-2:]
    cos, sin = math.cos(math.radians(angle)) / factor, math.sin(math.radians(angle)) / factor
    # Where each pixel comes from: the inverse map, about the centre.
    down = (np.arange(height) - (height - 1) / 2 - shift[1])[:, None]
    right = (np.arange(width) - (width - 1) / 2 - shift[0])[None, :]
    rows = (cos * down - sin * right) + (height - 1) / 2
    columns = (sin * down + cos * right) + (width - 1) / 2

    padded = np.pad(array, [(0, 0)] * (array.ndim - 2) + [(1, 1), (1, 1)], constant_values=fill)

    def pixels(row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Values at whole positions; anything outside reads the padding."""
        row = np.clip(row, -1, height).astype(np.intp) + 1
        column = np.clip(column, -1, width).astype(np.intp) + 1
        return padded[..., row, column]

    if interpolation == "nearest":
        return pixels(np.rint(rows), np.rint(columns))
    top, left = np.floor(rows), np.floor(columns)
    below = (rows - top).astype(array.dtype)
    beyond = (columns - left).astype(array.dtype)
    upper = pixels(top, left) * (1 - beyond) + pixels(top, left + 1) * beyond
    lower = pixels(top + 1, left) * (1 - beyond) + pixels(top + 1, left + 1) * beyond
    return upper * (1 - below) + lower * below
