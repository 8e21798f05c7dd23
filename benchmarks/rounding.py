"""How far float32 gradients of ResNet-18 lie from float64's, here and in PyTorch: `python -m benchmarks.rounding`."""

import importlib

import numpy as np

from .cases.resnet import resnet18


def gradient(torch, seed, double):
    """The gradient of the first convolution's weights, for a batch of 8 images."""
    torch.manual_seed(seed)
    model, x, y = resnet18(torch), torch.randn(8, 3, 32, 32), torch.randint(0, 10, (8,))
    if double:
        model, x = model.double(), x.double()
    torch.nn.functional.cross_entropy(model(x), y).backward()
    return next(model.parameters()).grad.numpy()


def main():
    libraries = {name: importlib.import_module(name) for name in ("framework", "torch")}
    print("relative error of float32 gradients against torch's float64, by seed")
    for seed in range(6):
        exact = gradient(libraries["torch"], seed, True)
        errors = {
            name: np.linalg.norm(gradient(library, seed, False) - exact) / np.linalg.norm(exact)
            for name, library in libraries.items()
        }
        print(f"{seed}:", "  ".join(f"{name} {error:.1e}" for name, error in errors.items()), flush=True)


if __name__ == "__main__":
    main()
