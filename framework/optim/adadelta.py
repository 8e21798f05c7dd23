"""Adadelta."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..creation import zeros_like
from ..tensor import Tensor
from .options import check_lr, check_not_negative
from .per_parameter import PerParameter, average_of_squares


class Adadelta(PerParameter):
    """Adadelta (Zeiler, arXiv:1212.5701): steps in the parameter's own unit, from averages over a window.

    Per parameter p with gradient g::

        v = rho v + (1 - rho) g²
        d = sqrt(u + eps) / sqrt(v + eps) g
        u = rho u + (1 - rho) d²
        p = p - lr d
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative("epsilon value", eps)
        check_not_negative("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"square_avg": zeros_like(param), "acc_delta": zeros_like(param)}

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any], step: float) -> None:
        rho, eps = group["rho"], group["eps"]
        square = average_of_squares(state["square_avg"], grad, rho)
        delta = (state["acc_delta"] + eps).sqrt() / (square + eps).sqrt() * grad
        average_of_squares(state["acc_delta"], delta, rho)
        param.sub_(delta * group["lr"])
