"""Neural networks: modules, parameters, functional forms, initialisation and utilities, under torch.nn's names."""

from typing import Any

from . import functional, init, modules, utils
from .modules import *  # noqa: F403 - every layer, by its __all__
from .parameter import Buffer, Parameter

__all__ = ["Buffer", "Parameter", "functional", "init", "modules", "utils"]
__all__ += modules.__all__


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'framework.nn' has no attribute '{name}': this part of torch is not covered")
