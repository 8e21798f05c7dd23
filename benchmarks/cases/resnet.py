"""ResNet-18 (He et al., 2015) for 32x32 images: full training steps, and steps of a new head on a frozen backbone."""

from ..case import case, training_step


@case(tolerance=1e-4, quick=False)
def resnet18_cifar_step(torch):
    """ResNet-18 on 32x32 images, batch 128: forward, backward, SGD with momentum"""
    return sgd_step(torch, resnet18(torch), batch_size=128)


# A float32 rounding that moves one element across a ReLU's zero changes the gradients by up to 1e-2 of their norm, in
# PyTorch as in ours (benchmarks/NOTES.md); in float64 the losses of the two agree to 1e-15.
@case(tolerance=1e-3)
def resnet18_batch8_step(torch):
    """ResNet-18 on 32x32 images, batch 8: the same full step"""
    return sgd_step(torch, resnet18(torch), batch_size=8)


@case(tolerance=1e-4, relative_to="resnet18_batch8_step")
def frozen_backbone_step(torch):
    """ResNet-18 on 32x32 images, batch 8, all but a new head frozen; the optimizer is given all parameters"""
    model = resnet18(torch)
    model.requires_grad_(False)
    model.eval()  # the frozen layers keep their statistics
    model.fc = torch.nn.Linear(512, 5)
    return sgd_step(torch, model, batch_size=8, classes=5)


def sgd_step(torch, model, batch_size, classes=10):
    """A training step on random images."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    criterion = torch.nn.CrossEntropyLoss()
    x, y = torch.randn(batch_size, 3, 32, 32), torch.randint(0, classes, (batch_size,))
    return training_step(model, criterion, optimizer, x, y)


def resnet18(torch, classes=10):
    """ResNet-18 with the stem for small images: a 3x3 convolution of stride 1, no pooling."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, in_channels, channels, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(channels)
            self.relu = nn.ReLU(inplace=True)
            self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(channels)
            self.downsample = None
            if stride != 1 or in_channels != channels:
                self.downsample = nn.Sequential(
                    nn.Conv2d(in_channels, channels, 1, stride=stride, bias=False), nn.BatchNorm2d(channels)
                )

        def forward(self, x):
            shortcut = x if self.downsample is None else self.downsample(x)
            out = self.relu(self.bn1(self.conv1(x)))
            out = self.bn2(self.conv2(out))
            out += shortcut
            return self.relu(out)

    class ResNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(64)
            self.relu = nn.ReLU(inplace=True)
            self.layers = nn.Sequential(
                Block(64, 64, 1), Block(64, 64, 1),
                Block(64, 128, 2), Block(128, 128, 1),
                Block(128, 256, 2), Block(256, 256, 1),
                Block(256, 512, 2), Block(512, 512, 1),
            )  # fmt: skip
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.fc = nn.Linear(512, classes)

        def forward(self, x):
            x = self.layers(self.relu(self.bn1(self.conv1(x))))
            return self.fc(self.avgpool(x).flatten(1))

    return ResNet()
