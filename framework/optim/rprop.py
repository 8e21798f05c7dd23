"""Rprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..creation import full_like, ones_like, zeros_like
from ..ops.pointwise import where
from ..tensor import Tensor
from .options import check_lr
from .per_parameter import PerParameter


class Rprop(PerParameter):
    """Resilient backpropagation (Riedmiller and Braun, 1993): every element has a step size of its own.

    The step size grows by ``etas[1]`` while the gradient's sign stays, and shrinks by ``etas[0]`` where it changes;
    such elements rest for one step. Step sizes begin at ``lr`` and stay within ``step_sizes``. Only the sign of the
    gradient is used, so it is meant for full batches.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        lr = float(group["lr"])
        return {"prev": zeros_like(param), "step_size": full_like(param, complex(lr, lr) if param.is_complex() else lr)}

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any], step: float) -> None:
        agreement = (grad * state["prev"]).sign()
        size = state["step_size"]
        shrink, grow = group["etas"]
        size.mul_(where(agreement > 0, grow, where(agreement < 0, shrink, ones_like(size)))).clamp_(
            *group["step_sizes"]
        )
        grad = where(agreement < 0, 0.0, grad)
        param.sub_(grad.sign() * size)
        state["prev"].copy_(grad)
