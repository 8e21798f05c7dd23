"""What optimizers share: checking their options, and running the closure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..creation import tensor
from ..dtypes import float32, float64, get_default_dtype
from ..engine import enable_grad
from ..tensor import Tensor


def check_lr(lr: float | Tensor) -> None:
    """ValueError for a learning rate that is negative, NaN or more than one number."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    check_not_negative("learning rate", lr)


def check_not_negative(what: str, value: Any) -> None:
    """ValueError, naming ``what`` it is, for a negative number or NaN."""
    if not value >= 0.0:  # NaN too
        raise ValueError(f"Invalid {what}: {value}")


def check_betas(betas: Any) -> None:
    for i in range(2):
        if not 0.0 <= betas[i] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")


def check_implementation(foreach: bool | None, fused: bool | None, differentiable: bool) -> None:
    """RuntimeError for the combinations of implementations that PyTorch refuses."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def number(value: Any) -> float:
    """An option as a Python float, which unlike a NumPy scalar never widens the arrays that it multiplies."""
    return float(value.item() if isinstance(value, Tensor) else value)


def run_closure(closure: Callable[[], Any] | None) -> Any:
    """The loss that ``closure`` returns, computed with gradients even under ``no_grad``; None without a closure."""
    if closure is None:
        return None
    with enable_grad():
        return closure()


def step_count(value: float) -> Tensor:
    """A number that a parameter's state counts in, on the CPU, where it is read at every step."""
    dtype = float64 if get_default_dtype() is float64 else float32
    return tensor(value, dtype=dtype, device="cpu")
