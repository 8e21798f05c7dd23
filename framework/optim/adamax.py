"""Adamax."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..creation import zeros_like
from ..ops.pointwise import maximum
from ..tensor import Tensor
from .options import check_betas, check_lr, check_not_negative
from .per_parameter import PerParameter, average


class Adamax(PerParameter):
    """Adamax (Kingma and Ba, arXiv:1412.6980, section 7): Adam with the infinity norm.

    Per parameter p with gradient g at step t::

        m = beta1 m + (1 - beta1) g
        u = max(beta2 u, |g| + eps)
        p = p - lr / (1 - beta1^t) m / u
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative("epsilon value", eps)
        check_betas(betas)
        check_not_negative("weight_decay value", weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": zeros_like(param), "exp_inf": zeros_like(param)}

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any], step: float) -> None:
        beta1, beta2 = group["betas"]
        mean = average(state["exp_avg"], grad, beta1)
        largest = state["exp_inf"].copy_(maximum(state["exp_inf"] * beta2, grad.abs() + group["eps"]))
        param.sub_(mean / largest * (group["lr"] / (1 - beta1**step)))
