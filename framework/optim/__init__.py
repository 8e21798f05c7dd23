"""Optimizers and learning-rate schedules, under torch.optim's names."""

from typing import Any

from . import lr_scheduler
from .adam import Adam
from .adamw import AdamW
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "lr_scheduler"]


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'framework.optim' has no attribute '{name}': this part of torch is not covered")
