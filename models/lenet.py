"""LeNet-5 (LeCun et al., 1998, "Gradient-based learning applied to document recognition") for any image size."""

from __future__ import annotations

from framework import Tensor, nn

from .checks import positive_int


class LeNet(nn.Module):
    """Two 5x5 convolutions, two poolings, three linear layers; ReLU in place of the paper's scaled tanh.

    Input ``(N, in_channels, H, W)``, H and W at least 4; output ``(N, num_classes)`` scores. The convolutions
    are padded and the features averaged to 4x4, so that 8x8, 28x28 and 32x32 images all fit.
    """

    head_name = "fc3"

    def __init__(self, num_classes: int = 10, in_channels: int = 1) -> None:
        super().__init__()
        positive_int("num_classes", num_classes)
        self.conv1 = nn.Conv2d(positive_int("in_channels", in_channels), 6, kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5, padding=2)
        self.pool = nn.MaxPool2d(2)
        self.avgpool = nn.AdaptiveAvgPool2d(4)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(16 * 4 * 4, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.conv1(x)))
        x = self.pool(self.relu(self.conv2(x)))
        x = self.flatten(self.avgpool(x))
        x = self.relu(self.fc1(x))
        x = self.relu(self.fc2(x))
        return self.fc3(x)


def lenet(num_classes: int = 10, in_channels: int = 1) -> LeNet:
    """See :class:`LeNet`."""
    return LeNet(num_classes, in_channels)
