"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..creation import zeros_like
from ..tensor import Tensor
from .options import check_lr, check_not_negative
from .per_parameter import PerParameter, average, average_of_squares


class RMSprop(PerParameter):
    """RMSprop (Hinton, lecture notes, 2012), optionally centered (Graves, arXiv:1308.0850).

    Per parameter p with gradient g::

        v = alpha v + (1 - alpha) g²
        p = p - lr g / (sqrt(v) + eps)

    With ``centered`` the square of the gradient's average is taken from v; with ``momentum`` the steps accumulate.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative("epsilon value", eps)
        check_not_negative("momentum value", momentum)
        check_not_negative("weight_decay value", weight_decay)
        check_not_negative("alpha value", alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        state = {"square_avg": zeros_like(param)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(param)
        if group["centered"]:
            state["grad_avg"] = zeros_like(param)
        return state

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any], step: float) -> None:
        square = average_of_squares(state["square_avg"], grad, group["alpha"])
        if group["centered"]:
            mean = average(state["grad_avg"], grad, group["alpha"])
            square = square - mean * mean
        change = grad / (square.sqrt() + group["eps"])
        if group["momentum"] > 0:
            change = state["momentum_buffer"].mul_(group["momentum"]).add_(change)
        param.sub_(change * group["lr"])
