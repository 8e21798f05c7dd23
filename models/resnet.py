"""Residual networks (He et al., 2015, "Deep residual learning for image recognition").

Module names and ``state_dict`` keys are torchvision's, so its published weights load as they are. As there,
ResNet-50 strides in the 3x3 convolution of a bottleneck (the variant called v1.5), not in the first 1x1.
"""

from __future__ import annotations

from framework import Tensor, nn

from .checks import positive_int


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut: ``(N, in_channels, H, W)`` to ``(N, channels, H/stride, W/stride)``."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = _conv3x3(in_channels, channels, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _conv3x3(channels, channels)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += shortcut
        return self.relu(out)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions around a shortcut; the result has ``4 * channels`` channels."""

    expansion = 4

    def __init__(self, in_channels: int, channels: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = _conv1x1(in_channels, channels)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = _conv3x3(channels, channels, stride)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = _conv1x1(channels, channels * self.expansion)
        self.bn3 = nn.BatchNorm2d(channels * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += shortcut
        return self.relu(out)


class ResNet(nn.Module):
    """A stem, four stages of residual blocks, global average pooling and one linear layer, ``fc``.

    Input ``(N, in_channels, H, W)``; output ``(N, num_classes)`` scores. ``small_input`` gives the stem that
    is usual for images of about 32 pixels or fewer: a 3x3 convolution of stride 1 and no max pooling, in place
    of 7x7 of stride 2 with pooling. ``zero_init_residual`` starts each block as the identity (Goyal et al.,
    2017, "Accurate, large minibatch SGD").
    """

    head_name = "fc"

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        layers: tuple[int, int, int, int],
        num_classes: int = 1000,
        in_channels: int = 3,
        small_input: bool = False,
        zero_init_residual: bool = False,
    ) -> None:
        super().__init__()
        positive_int("num_classes", num_classes)
        positive_int("in_channels", in_channels)
        self._channels = 64
        self.conv1: nn.Module
        self.maxpool: nn.Module
        if small_input:
            self.conv1 = _conv3x3(in_channels, 64)
        else:
            self.conv1 = nn.Conv2d(in_channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if small_input else nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._stage(block, 64, layers[0], stride=1)
        self.layer2 = self._stage(block, 128, layers[1], stride=2)
        self.layer3 = self._stage(block, 256, layers[2], stride=2)
        self.layer4 = self._stage(block, 512, layers[3], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        self._initialise(zero_init_residual)

    def _stage(self, block: type[BasicBlock] | type[Bottleneck], channels: int, count: int, stride: int) -> nn.Module:
        out_channels = channels * block.expansion
        downsample = None
        if stride != 1 or self._channels != out_channels:
            downsample = nn.Sequential(_conv1x1(self._channels, out_channels, stride), nn.BatchNorm2d(out_channels))
        blocks: list[nn.Module] = [block(self._channels, channels, stride, downsample)]
        blocks += [block(out_channels, channels, 1, None) for _ in range(count - 1)]
        self._channels = out_channels
        return nn.Sequential(*blocks)

    def _initialise(self, zero_init_residual: bool) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.weight, 1)
                nn.init.constant_(module.bias, 0)
        if zero_init_residual:
            for module in self.modules():
                if isinstance(module, Bottleneck):
                    nn.init.constant_(module.bn3.weight, 0)
                elif isinstance(module, BasicBlock):
                    nn.init.constant_(module.bn2.weight, 0)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def resnet18(
    num_classes: int = 1000, in_channels: int = 3, small_input: bool = False, zero_init_residual: bool = False
) -> ResNet:
    """ResNet-18: 11,689,512 parameters with 1000 classes. See :class:`ResNet`."""
    return ResNet(BasicBlock, (2, 2, 2, 2), num_classes, in_channels, small_input, zero_init_residual)


def resnet34(
    num_classes: int = 1000, in_channels: int = 3, small_input: bool = False, zero_init_residual: bool = False
) -> ResNet:
    """ResNet-34: 21,797,672 parameters with 1000 classes. See :class:`ResNet`."""
    return ResNet(BasicBlock, (3, 4, 6, 3), num_classes, in_channels, small_input, zero_init_residual)


def resnet50(
    num_classes: int = 1000, in_channels: int = 3, small_input: bool = False, zero_init_residual: bool = False
) -> ResNet:
    """ResNet-50: 25,557,032 parameters with 1000 classes. See :class:`ResNet`."""
    return ResNet(Bottleneck, (3, 4, 6, 3), num_classes, in_channels, small_input, zero_init_residual)


def _conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1, bias=False)


def _conv1x1(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False)
