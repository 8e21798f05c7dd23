"""What most optimizers share: each parameter is updated by itself, from its gradient, its state and its group."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..engine import set_grad_enabled
from ..ops.complex import view_as_real
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import number, run_closure, step_count

#: Options that optimizers got one after another: states saved before lack them.
_LATER = {"foreach": None, "maximize": False, "differentiable": False, "capturable": False, "fused": None}


class PerParameter(Optimizer):
    """Base of optimizers that update their parameters one by one, by tensor operations.

    A subclass says what it remembers (``new_state``) and how a step is made (``update``). The step counter, closures,
    ``maximize``, coupled weight decay, complex parameters (as pairs of real ones) and ``differentiable`` are seen to
    here. ``foreach``, ``fused`` and ``capturable`` are accepted and change nothing.
    """

    #: Whether ``weight_decay`` is added to the gradient before ``update`` sees it.
    couples_weight_decay = True

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        super().__init__(params, defaults)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for option, value in _LATER.items():
                if option in self.defaults:
                    group.setdefault(option, value)
            for param in group["params"]:
                remembered = self.state.get(param)
                if remembered and not isinstance(remembered["step"], Tensor):
                    remembered["step"] = step_count(float(remembered["step"]))

    def new_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """What is remembered of a parameter beside ``step``, before its first step."""
        raise NotImplementedError(f"{type(self).__name__} does not define new_state()")

    def update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any], step: float) -> None:
        """Step number ``step`` of one real parameter: writes into ``param`` and the tensors of ``state``."""
        raise NotImplementedError(f"{type(self).__name__} does not define update()")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure)
        for group in self.param_groups:
            options = group if group.get("differentiable") else {**group, "lr": number(group["lr"])}
            with set_grad_enabled(bool(group.get("differentiable"))):
                for param in group["params"]:
                    if param.grad is not None:
                        self._step_of(param, options)
        return loss

    def _step_of(self, param: Tensor, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            state["step"] = step_count(0.0)
            state.update(self.new_state(param, group))
        state["step"]._array += 1
        step = state["step"].item()
        grad = -param.grad if group["maximize"] else param.grad
        decay = number(group.get("weight_decay", 0))
        if decay != 0 and self.couples_weight_decay and not group.get("decoupled_weight_decay"):
            grad = grad + param * decay
        if not param.is_complex():
            self.update(param, grad, state, group, step)
            return
        pairs = {k: view_as_real(v) if isinstance(v, Tensor) and v.is_complex() else v for k, v in state.items()}
        self.update(view_as_real(param), view_as_real(grad), pairs, group, step)


def decay_weights(param: Tensor, group: dict[str, Any]) -> None:
    """Decoupled weight decay: the parameter shrinks, and the averages do not see it."""
    if group["weight_decay"] != 0 and group.get("decoupled_weight_decay", True):
        param.mul_(1 - group["lr"] * group["weight_decay"])


def average(mean: Tensor, value: Tensor, beta: float) -> Tensor:
    """``mean = beta mean + (1 - beta) value``, in place."""
    return mean.add_((value - mean) * (1 - beta))


def average_of_squares(mean: Tensor, value: Tensor, beta: float) -> Tensor:
    """``mean = beta mean + (1 - beta) value²``, in place."""
    return mean.mul_(beta).add_(value * value * (1 - beta))
