"""Muon."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..creation import zeros_like
from ..dtypes import bfloat16
from ..engine import no_grad
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import check_lr, check_not_negative, number, run_closure


class Muon(Optimizer):
    """Muon (Jordan et al., 2024): momentum whose matrix is made nearly orthogonal before the step.

    For matrices alone: the hidden weights of a network, while embeddings, heads and biases go to AdamW. The momentum
    is orthogonalized by ``ns_steps`` Newton-Schulz iterations with ``ns_coefficients``, computed in bfloat16. The
    learning rate of an (n, m) matrix is lr sqrt(max(1, n / m)), or lr 0.2 sqrt(max(n, m)) with
    ``adjust_lr_fn="match_rms_adamw"`` (Moonshot, arXiv:2502.16982). Weight decay is decoupled.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        check_not_negative("learning rate", lr)
        check_not_negative("momentum value", momentum)
        check_not_negative("weight decay value", weight_decay)
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                if param.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {param.size()}"
                    )

    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure)
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    self._update(param, group)
        return loss

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        if param.is_complex():
            raise RuntimeError("Muon does not support complex parameters")
        state = self.state[param]
        if not state:
            state["momentum_buffer"] = zeros_like(param)
        momentum, lr = group["momentum"], number(group["lr"])
        buffer = state["momentum_buffer"].lerp_(param.grad, 1 - momentum)
        update = param.grad.lerp(buffer, momentum) if group["nesterov"] else buffer
        update = orthogonalize(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = param.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            adjusted = lr * 0.2 * max(rows, columns) ** 0.5
        else:
            adjusted = lr * max(1, rows / columns) ** 0.5
        param.mul_(1 - lr * group["weight_decay"]).sub_(update.to(param.dtype) * adjusted)


def orthogonalize(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """A matrix with the singular vectors of ``matrix`` and singular values near one, in bfloat16.

    Newton-Schulz iterations of the quintic a X + b (X Xᵀ) X + c (X Xᵀ)² X.
    """
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if matrix.ndim != 2:
        raise ValueError("Input tensor gradient must be a 2D matrix")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    x = matrix.to(bfloat16)
    tall = matrix.shape[0] > matrix.shape[1]
    if tall:
        x = x.T
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if tall else x
