"""RAdam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..creation import zeros_like
from ..tensor import Tensor
from .options import check_betas, check_lr, check_not_negative
from .per_parameter import PerParameter, average, average_of_squares, decay_weights


class RAdam(PerParameter):
    """Adam whose adaptive step is rectified for its variance (Liu et al., arXiv:1908.03265).

    While too few gradients were seen for the variance to be tractable (rho_t <= 5), the step is plain momentum's;
    after that it is Adam's times the rectification r_t. With ``decoupled_weight_decay`` p shrinks by
    lr weight_decay p before the step, as in AdamW.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
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
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"exp_avg": zeros_like(param), "exp_avg_sq": zeros_like(param)}

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any], step: float) -> None:
        beta1, beta2 = group["betas"]
        if group["decoupled_weight_decay"]:
            decay_weights(param, group)
        mean = average(state["exp_avg"], grad, beta1)
        square = average_of_squares(state["exp_avg_sq"], grad, beta2)
        change = mean * (group["lr"] / (1 - beta1**step))
        bias2 = 1 - beta2**step
        longest = 2 / (1 - beta2) - 1  # length of the average as the number of steps grows
        length = longest - 2 * step * beta2**step / bias2
        if length > 5.0:
            rectification = ((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)) ** 0.5
            change = change / (square.sqrt() + group["eps"]) * (bias2**0.5 * rectification)
        param.sub_(change)
