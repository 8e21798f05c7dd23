"""Adam."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..backend import namespace
from ..creation import zeros_like
from ..engine import increment_version, set_grad_enabled
from ..ops.pointwise import maximum
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import (
    check_betas,
    check_implementation,
    check_lr,
    check_not_negative,
    number,
    run_closure,
    step_count,
)
from .scratch import Scratch


class Adam(Optimizer):
    """Adam (Kingma and Ba, arXiv:1412.6980), optionally with AMSGrad (arXiv:1904.09237).

    Per parameter p with gradient g at step t::

        g = g + weight_decay p                 (-g with maximize)
        m = beta1 m + (1 - beta1) g
        v = beta2 v + (1 - beta2) g²           (with amsgrad the largest v so far is used below)
        p = p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

    With ``decoupled_weight_decay`` the decay is AdamW's: p shrinks by lr weight_decay p before the step instead.
    A parameter without gradient is left alone. ``foreach``, ``fused`` and ``capturable`` are accepted and change
    nothing; with ``differentiable`` the step is recorded and can be differentiated.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative("epsilon value", eps)
        _check_kinds(betas)
        check_not_negative("weight_decay value", weight_decay)
        check_implementation(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        self._scratch = Scratch()
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._scratch = Scratch()
        for group in self.param_groups:
            group.setdefault("amsgrad", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("capturable", False)
            group.setdefault("differentiable", False)
            group.setdefault("decoupled_weight_decay", False)
            group.setdefault("fused", None)
            for param in group["params"]:
                remembered = self.state.get(param)
                if remembered and not isinstance(remembered["step"], Tensor):
                    remembered["step"] = step_count(float(remembered["step"]))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure)
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is None:
                    continue
                state = self._state_of(param, group["amsgrad"])
                state["step"]._array += 1
                if group["differentiable"]:
                    _recorded_update(param, state, group)
                else:
                    self._update(param, state, group)
        return loss

    def _state_of(self, param: Tensor, amsgrad: bool) -> dict[str, Tensor]:
        state = self.state[param]
        if not state:
            state["step"] = step_count(0.0)
            state["exp_avg"] = zeros_like(param)
            state["exp_avg_sq"] = zeros_like(param)
            if amsgrad:
                state["max_exp_avg_sq"] = zeros_like(param)
        return state

    def _update(self, param: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
        """One step on raw arrays, in place; a complex parameter is two real ones."""
        tensors = [param, param.grad, state["exp_avg"], state["exp_avg_sq"]]
        if group["amsgrad"]:
            tensors.append(state["max_exp_avg_sq"])
        arrays = [t._array for t in tensors]
        step = state["step"].item()
        if param.is_complex():
            self._update_real([a.real for a in arrays], step, group)
            self._update_real([a.imag for a in arrays], step, group)
        else:
            self._update_real(arrays, step, group)
        for changed in (param, *tensors[2:]):
            increment_version(changed)

    def _update_real(self, arrays: list[Any], step: float, group: dict[str, Any]) -> None:
        p, grad, mean, square, *largest = arrays
        xp = namespace(p)
        work = self._scratch.like(p)
        lr, eps, decay = number(group["lr"]), number(group["eps"]), number(group["weight_decay"])
        beta1, beta2 = (number(beta) for beta in group["betas"])
        if decay != 0 and group["decoupled_weight_decay"]:
            xp.multiply(p, 1 - lr * decay, out=p)
            decay = 0
        if decay != 0 or group["maximize"]:
            grad = _direction(xp, p, grad, decay, group["maximize"], out=self._scratch.like(p, slot=1))

        xp.subtract(grad, mean, out=work)  # mean += (1 - beta1) (grad - mean)
        xp.multiply(work, 1 - beta1, out=work)
        xp.add(mean, work, out=mean)

        xp.multiply(square, beta2, out=square)  # square = beta2 square + (1 - beta2) grad²
        xp.multiply(grad, grad, out=work)
        xp.multiply(work, 1 - beta2, out=work)
        xp.add(square, work, out=square)
        if largest:
            square = xp.maximum(largest[0], square, out=largest[0])

        # p -= lr / bias1 * mean / (sqrt(square) / root2 + eps), the fraction expanded by root2
        bias1, root2 = 1 - beta1**step, (1 - beta2**step) ** 0.5
        xp.sqrt(square, out=work)
        xp.add(work, eps * root2, out=work)
        xp.divide(mean, work, out=work)
        xp.multiply(work, -lr / bias1 * root2, out=work)
        xp.add(p, work, out=p)


def _direction(xp: Any, p: Any, grad: Any, decay: float, maximize: bool, out: Any) -> Any:
    """``grad + decay p``, with ``-grad`` to maximize."""
    if decay == 0:
        return xp.negative(grad, out=out)
    xp.multiply(p, decay, out=out)
    return (xp.subtract if maximize else xp.add)(out, grad, out=out)


def _recorded_update(param: Tensor, state: dict[str, Tensor], group: dict[str, Any]) -> None:
    """The same step by tensor operations, which autograd records."""
    beta1, beta2 = group["betas"]
    lr, decay, step = group["lr"], group["weight_decay"], state["step"].item()
    with set_grad_enabled(True):
        grad = -param.grad if group["maximize"] else param.grad
        if decay != 0:
            if group["decoupled_weight_decay"]:
                param.mul_(1 - lr * decay)
            else:
                grad = grad + param * decay
        state["exp_avg"] = state["exp_avg"] * beta1 + grad * (1 - beta1)
        state["exp_avg_sq"] = square = state["exp_avg_sq"] * beta2 + grad * grad * (1 - beta2)
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = square = maximum(state["max_exp_avg_sq"], square)
        root2 = (1 - beta2**step) ** 0.5
        denominator = square.sqrt() / root2 + group["eps"]
        param.sub_(state["exp_avg"] / denominator * (lr / (1 - beta1**step)))


def _check_kinds(betas: Any) -> None:
    check_betas(betas)
    if not any(all(isinstance(beta, kind) for beta in betas) for kind in (float, Tensor)):
        raise ValueError("betas must be either both floats or both Tensors")
