"""`framework.autograd`: going backward, custom functions, grad modes; torch.autograd's names."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..engine import (
    Function,
    Node,
    backward,
    detect_anomaly,
    enable_grad,
    grad,
    inference_mode,
    is_anomaly_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from ..engine import function as function
from ..gradcheck import gradcheck, gradgradcheck
from ..tensor import Tensor


def __getattr__(name: str) -> Any:
    if name in ("functional", "graph"):  # imported when first asked for
        return import_module(f".{name}", __name__)
    if name == "forward_ad":
        raise AttributeError("autograd.forward_ad is not covered: use func.jvp or func.linearize for forward products")
    raise AttributeError(f"module 'framework.autograd' has no attribute '{name}': this part of torch is not covered")


class _VariableMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_VariableMeta):
    """The old name for a tensor: `Variable(t, requires_grad=True)` is a tensor on the memory of `t`."""

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: Any = None) -> Any:
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return data.detach().requires_grad_() if requires_grad else data.detach()


__all__ = [
    "Function",
    "Node",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "function",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_anomaly_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
