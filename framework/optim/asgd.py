"""ASGD."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..creation import zeros_like
from ..tensor import Tensor
from .options import check_lr, check_not_negative, step_count
from .per_parameter import PerParameter


class ASGD(PerParameter):
    """Averaged stochastic gradient descent (Polyak and Juditsky, 1992).

    Per parameter p with gradient g at step t::

        p = (1 - lambd eta) p - eta g
        a = a + mu (p - a)                          (the average, in ``state["ax"]``; p itself until step t0)
        eta = lr / (1 + lambd lr t)^alpha,  mu = 1 / max(1, t - t0)
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"eta": step_count(float(group["lr"])), "mu": step_count(1.0), "ax": zeros_like(param)}

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any], step: float) -> None:
        eta, mu, mean = state["eta"].item(), state["mu"].item(), state["ax"]
        param.mul_(1 - group["lambd"] * eta).sub_(grad * eta)
        if mu == 1:
            mean.copy_(param)
        else:
            mean.add_((param - mean) * mu)
        lr = float(group["lr"])
        state["eta"]._array[...] = lr / (1 + group["lambd"] * lr * step) ** group["alpha"]
        state["mu"]._array[...] = 1 / max(1, step - group["t0"])
