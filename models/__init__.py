"""The model zoo: ``create("resnet18", num_classes=10, in_channels=1)`` builds a model by name.

Every model takes ``num_classes`` and ``in_channels`` and has a ``head_name``, the name of the submodule
that turns features into class scores; transfer learning replaces that one and may freeze the rest.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from framework import nn
from framework.suggestions import suggestion

from .lenet import LeNet, lenet
from .mlp import MLP, mlp
from .resnet import ResNet, resnet18, resnet34, resnet50
from .small_cnn import SmallCNN, small_cnn

__all__ = [
    "MLP",
    "LeNet",
    "ResNet",
    "SmallCNN",
    "create",
    "lenet",
    "mlp",
    "names",
    "options",
    "resnet18",
    "resnet34",
    "resnet50",
    "small_cnn",
]

_MODELS: dict[str, Callable[..., nn.Module]] = {
    "lenet": lenet,
    "mlp": mlp,
    "resnet18": resnet18,
    "resnet34": resnet34,
    "resnet50": resnet50,
    "small_cnn": small_cnn,
}


def names() -> list[str]:
    """The names that :func:`create` knows, sorted."""
    return sorted(_MODELS)


def options(name: str) -> list[str]:
    """The options that the model called ``name`` takes. ValueError for an unknown name."""
    if name not in _MODELS:
        raise ValueError(f"unknown model {name!r}{suggestion(name, names())}")
    return list(inspect.signature(_MODELS[name]).parameters)


def create(name: str, **chosen: Any) -> nn.Module:
    """Build the model called ``name``.

    ValueError for an unknown name or a value out of range, TypeError for an option that this model does
    not have or a value of the wrong type.
    """
    known = options(name)
    for option in chosen:
        if option not in known:
            raise TypeError(f"model {name!r} has no option {option!r}{suggestion(option, known)}")
    return _MODELS[name](**chosen)
