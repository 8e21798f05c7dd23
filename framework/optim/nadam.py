"""NAdam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..creation import zeros_like
from ..tensor import Tensor
from .options import check_betas, check_lr, check_not_negative, step_count
from .per_parameter import PerParameter, average, average_of_squares, decay_weights


class NAdam(PerParameter):
    """Adam with Nesterov's momentum (Dozat, ICLR workshop 2016).

    Per parameter p with gradient g at step t, where mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2) and P is the product
    of mu_1 to mu_t::

        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g²
        d = sqrt(v / (1 - beta2^t)) + eps
        p = p - lr (1 - mu_t) / (1 - P) g / d - lr mu_(t+1) / (1 - P mu_(t+1)) m / d

    With ``decoupled_weight_decay`` p shrinks by lr weight_decay p before the step, as in AdamW.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_not_negative("momentum_decay value", momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        return {"mu_product": step_count(1.0), "exp_avg": zeros_like(param), "exp_avg_sq": zeros_like(param)}

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any], step: float) -> None:
        beta1, beta2 = group["betas"]
        lr = group["lr"]
        if group["decoupled_weight_decay"]:
            decay_weights(param, group)
        mu, next_mu = (beta1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1))
        state["mu_product"]._array *= mu
        product = state["mu_product"].item()
        mean = average(state["exp_avg"], grad, beta1)
        square = average_of_squares(state["exp_avg_sq"], grad, beta2)
        denominator = (square / (1 - beta2**step)).sqrt() + group["eps"]
        param.sub_(grad / denominator * (lr * (1 - mu) / (1 - product)))
        param.sub_(mean / denominator * (lr * next_mu / (1 - product * next_mu)))
