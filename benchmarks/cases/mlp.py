"""A multi-layer perceptron's training step."""

from ..case import case, training_step


@case()
def mlp_step(torch):
    """MLP 784-512-512-10, batch 128: forward, backward, SGD with momentum"""
    nn = torch.nn
    model = nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    x, y = torch.randn(128, 784), torch.randint(0, 10, (128,))
    return training_step(model, criterion, optimizer, x, y)
