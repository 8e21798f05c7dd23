"""Neural networks: modules, parameters, functional forms, initialisation and utilities, under torch.nn's names."""

from typing import TYPE_CHECKING, Any

from . import functional, init, modules, utils
from .modules import Module
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

if TYPE_CHECKING:
    from .modules import *  # noqa: F403 - every layer, by its __all__

__all__ = [
    "Buffer",
    "Module",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "functional",
    "init",
    "modules",
    "utils",
]
__all__ += modules.__all__


def __getattr__(name: str) -> Any:
    if name in modules.__all__:  # a layer, which may have to be imported first
        value = globals()[name] = getattr(modules, name)
        return value
    raise AttributeError(f"module 'framework.nn' has no attribute '{name}': this part of torch is not covered")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
