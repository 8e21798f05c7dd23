"""SparseAdam."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..creation import zeros_like
from ..engine import no_grad
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import check_betas, check_lr, number, run_closure
from .per_parameter import average, average_of_squares


class SparseAdam(Optimizer):
    """Adam for gradients that are zero nearly everywhere, such as an embedding's.

    PyTorch takes sparse gradients here; there are none in this framework, so this is Adam with the bias corrections
    folded into the step size: lr sqrt(1 - beta2^t) / (1 - beta1^t).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        check_lr(lr)
        if not eps > 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure)
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is not None:
                    self._update(param, group)
        return loss

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            state.update(step=0, exp_avg=zeros_like(param), exp_avg_sq=zeros_like(param))
        state["step"] += 1
        step = state["step"]
        beta1, beta2 = group["betas"]
        grad = -param.grad if group["maximize"] else param.grad
        mean = average(state["exp_avg"], grad, beta1)
        square = average_of_squares(state["exp_avg_sq"], grad, beta2)
        size = number(group["lr"]) * (1 - beta2**step) ** 0.5 / (1 - beta1**step)
        param.sub_(mean / (square.sqrt() + group["eps"]) * size)
