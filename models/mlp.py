"""A multilayer perceptron: the image as one long vector, through fully connected layers."""

from __future__ import annotations

from collections.abc import Sequence

from framework import Tensor, nn

from .checks import positive_int


class MLP(nn.Module):
    """Linear layers with ReLU between them.

    Input ``(N, in_channels, H, W)`` with ``H * W == image_size ** 2`` (or ``(height, width)``), floating
    point; output ``(N, num_classes)`` scores. The last layer, ``head``, is the only one without a ReLU.
    """

    head_name = "head"

    def __init__(
        self,
        num_classes: int = 10,
        in_channels: int = 1,
        image_size: int | Sequence[int] = 28,
        hidden: Sequence[int] = (256, 128),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        positive_int("num_classes", num_classes)
        width = positive_int("in_channels", in_channels) * _pixels(image_size)
        layers: list[nn.Module] = []
        for i, size in enumerate(_sizes(hidden)):
            layers += [nn.Linear(width, positive_int(f"hidden[{i}]", size)), nn.ReLU()]
            if dropout:
                layers.append(nn.Dropout(dropout))
            width = size
        self.flatten = nn.Flatten()
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(self.flatten(x)))


def mlp(
    num_classes: int = 10,
    in_channels: int = 1,
    image_size: int | Sequence[int] = 28,
    hidden: Sequence[int] = (256, 128),
    dropout: float = 0.0,
) -> MLP:
    """See :class:`MLP`."""
    return MLP(num_classes, in_channels, image_size, hidden, dropout)


def _pixels(image_size: int | Sequence[int]) -> int:
    if isinstance(image_size, int):
        return positive_int("image_size", image_size) ** 2
    if len(image_size) != 2:
        raise ValueError(f"image_size must be one number or (height, width), got {image_size!r}")
    return positive_int("image_size[0]", image_size[0]) * positive_int("image_size[1]", image_size[1])


def _sizes(hidden: Sequence[int]) -> Sequence[int]:
    if isinstance(hidden, (str, int)) or not isinstance(hidden, Sequence):
        raise TypeError(f"hidden must be a list of layer sizes, got {hidden!r}")
    return hidden
