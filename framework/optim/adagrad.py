"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..creation import full_like
from ..tensor import Tensor
from .options import check_implementation, check_lr, check_not_negative, step_count
from .per_parameter import PerParameter


class Adagrad(PerParameter):
    """Adagrad (Duchi et al., JMLR 12, 2011): the step shrinks with the sum of all squared gradients so far.

    Per parameter p with gradient g at step t::

        s = s + g²
        p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)

    ``s`` begins at ``initial_accumulator_value``; the state exists from the start.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_not_negative("lr_decay value", lr_decay)
        check_not_negative("weight_decay value", weight_decay)
        check_not_negative("initial_accumulator_value value", initial_accumulator_value)
        check_not_negative("epsilon value", eps)
        check_implementation(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                self.state[param] = {"step": step_count(0.0), **self.new_state(param, group)}

    def new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        start = group["initial_accumulator_value"]
        return {"sum": full_like(param, complex(start, start) if param.is_complex() else start)}

    def share_memory(self) -> None:
        """Move the state to shared memory."""
        for state in self.state.values():
            state["sum"].share_memory_()

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any], step: float) -> None:
        total = state["sum"].add_(grad * grad)
        lr = group["lr"] / (1 + (step - 1) * group["lr_decay"])
        param.sub_(grad / (total.sqrt() + group["eps"]) * lr)
