"""Transfer learning: take a backbone from a checkpoint, give it a new head, freeze it if asked."""

from __future__ import annotations

from pathlib import Path

from ..nn import BatchNorm1d, BatchNorm2d, Module
from .checkpoint import check_weights, load_weights


def load_backbone(model: Module, path: str | Path, head_name: str) -> None:
    """Copy all weights in ``path`` into ``model`` except those of its submodule ``head_name``, which stays new.

    Only the head may differ: CheckpointError names what else does, and then nothing is copied.
    """
    weights = load_weights(path)
    check_weights(model, weights, path, skip=head_name)
    own_head = {key: value for key, value in model.state_dict().items() if key.startswith(head_name + ".")}
    backbone = {key: value for key, value in weights.items() if not key.startswith(head_name + ".")}
    model.load_state_dict({**backbone, **own_head})


def freeze_all_but(model: Module, head_name: str) -> None:
    """Stop the training of every parameter outside the submodule ``head_name``."""
    model.requires_grad_(False)
    model.get_submodule(head_name).requires_grad_(True)


def train_mode(model: Module) -> Module:
    """``model.train()``, except that batch normalisation with frozen parameters stays in eval mode.

    Frozen weights with moving statistics would be a different function at every step.
    """
    model.train()
    for module in model.modules():
        if isinstance(module, (BatchNorm1d, BatchNorm2d)):
            parameters = list(module.parameters())
            if parameters and not any(parameter.requires_grad for parameter in parameters):
                module.eval()
    return model
