"""A small modern convolutional network: 3x3 convolutions, each with batch normalisation and ReLU."""

from __future__ import annotations

from framework import Tensor, nn

from .checks import positive_int


class SmallCNN(nn.Module):
    """Two stages of two 3x3 convolutions, ``width`` and ``2 * width`` channels, each stage halving the image.

    Input ``(N, in_channels, H, W)``, H and W at least 4; output ``(N, num_classes)`` scores. The features are
    averaged to 2x2 and not to one pixel: where a stroke is tells digits apart.
    """

    head_name = "fc"

    def __init__(self, num_classes: int = 10, in_channels: int = 1, width: int = 32, dropout: float = 0.2) -> None:
        super().__init__()
        positive_int("num_classes", num_classes)
        positive_int("width", width)
        self.stage1 = _stage(positive_int("in_channels", in_channels), width)
        self.stage2 = _stage(width, 2 * width)
        self.avgpool = nn.AdaptiveAvgPool2d(2)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(2 * width * 2 * 2, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage2(self.stage1(x))
        return self.fc(self.dropout(self.flatten(self.avgpool(x))))


def small_cnn(num_classes: int = 10, in_channels: int = 1, width: int = 32, dropout: float = 0.2) -> SmallCNN:
    """See :class:`SmallCNN`."""
    return SmallCNN(num_classes, in_channels, width, dropout)


def _stage(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )
