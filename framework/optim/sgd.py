"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..backend import namespace
from ..engine import increment_version, set_grad_enabled, wrap
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import check_implementation, check_lr, check_not_negative, number, run_closure
from .scratch import Scratch


class SGD(Optimizer):
    """Stochastic gradient descent, optionally with momentum (Sutskever et al., 2013), plain or Nesterov's.

    Per parameter p with gradient g::

        g = g + weight_decay p            (-g with maximize)
        b = momentum b + (1 - dampening) g    (b = g at the first step)
        p = p - lr b                      (g + momentum b with nesterov, g without momentum)

    A parameter without gradient is left alone. ``lr`` may be a one-element Tensor. ``foreach`` and ``fused`` are
    accepted and change nothing; with ``differentiable`` the step is recorded and can be differentiated.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_not_negative("momentum value", momentum)
        check_not_negative("weight_decay value", weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        check_implementation(foreach, fused, differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        self._scratch = Scratch()
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._scratch = Scratch()
        for group in self.param_groups:
            group.setdefault("nesterov", False)
            group.setdefault("maximize", False)
            group.setdefault("foreach", None)
            group.setdefault("differentiable", False)
            group.setdefault("fused", False)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure)
        for group in self.param_groups:
            for param in group["params"]:
                if param.grad is None:
                    continue
                if group["differentiable"]:
                    self._recorded_update(param, group)
                else:
                    self._update(param, group)
        return loss

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        """One step on raw arrays, in place."""
        p, grad = param._array, param.grad._array
        lr, momentum, decay = (number(group[option]) for option in ("lr", "momentum", "weight_decay"))
        xp = namespace(p)
        work = self._scratch.like(p)
        if decay != 0:
            xp.multiply(p, decay, out=work)
            (xp.subtract if group["maximize"] else xp.add)(work, grad, out=work)
            grad = work
        elif group["maximize"]:
            grad = xp.negative(grad, out=work)
        if momentum != 0:
            buffer = self._momentum_buffer(param, grad, momentum, number(group["dampening"]))
            if group["nesterov"]:  # p -= lr (grad + momentum buffer), in two parts
                xp.multiply(grad, -lr, out=work)
                xp.add(p, work, out=p)
                lr *= momentum
            grad = buffer
        xp.multiply(grad, -lr, out=work)
        xp.add(p, work, out=p)
        increment_version(param)

    def _momentum_buffer(self, param: Tensor, grad: Any, momentum: float, dampening: float) -> Any:
        """The parameter's momentum buffer after this step's gradient; the first gradient enters undampened."""
        state = self.state[param]
        if state.get("momentum_buffer") is None:
            state["momentum_buffer"] = wrap(grad.copy())
            return state["momentum_buffer"]._array
        buffer = state["momentum_buffer"]._array
        xp = namespace(buffer)
        xp.multiply(buffer, momentum, out=buffer)
        xp.add(buffer, grad * (1 - dampening) if dampening != 0 else grad, out=buffer)
        increment_version(state["momentum_buffer"])
        return buffer

    def _recorded_update(self, param: Tensor, group: dict[str, Any]) -> None:
        """The same step by tensor operations, which autograd records."""
        momentum = group["momentum"]
        with set_grad_enabled(True):
            grad = -param.grad if group["maximize"] else param.grad
            if group["weight_decay"] != 0:
                grad = grad + param * group["weight_decay"]
            if momentum != 0:
                state = self.state[param]
                buffer = state.get("momentum_buffer")
                if buffer is None:
                    buffer = grad.detach().clone()
                else:
                    buffer = buffer * momentum + grad * (1 - group["dampening"])
                state["momentum_buffer"] = buffer
                grad = grad + buffer * momentum if group["nesterov"] else buffer
            param.sub_(grad * group["lr"])
