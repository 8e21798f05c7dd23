"""The small convolutional network of configs/digits_cnn.yaml: a training step."""

from ..case import case, training_step


@case(tolerance=1e-4)
def digits_cnn_step(torch):
    """four 3x3 convolutions on 8x8 digits, batch 64: forward, backward, SGD with momentum"""
    nn = torch.nn

    def stage(in_channels, channels):
        return [
            nn.Conv2d(in_channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]

    # Without the dropout of models/small_cnn.py: its masks are not the same numbers on both sides.
    model = nn.Sequential(*stage(1, 32), *stage(32, 64), nn.Flatten(), nn.Linear(64 * 2 * 2, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    x, y = torch.randn(64, 1, 8, 8), torch.randint(0, 10, (64,))
    return training_step(model, criterion, optimizer, x, y)
