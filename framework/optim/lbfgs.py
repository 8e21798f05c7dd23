"""L-BFGS."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from ..creation import zeros
from ..engine import enable_grad, no_grad
from ..ops.complex import view_as_real
from ..ops.shape import cat
from ..tensor import Tensor
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer
from .options import check_lr, number


class LBFGS(Optimizer):
    """Limited-memory BFGS (Liu and Nocedal, 1989), as in minFunc (Schmidt, 2005).

    ``step(closure)`` makes up to ``max_iter`` iterations; the closure clears the gradients, computes the loss, calls
    ``backward`` and returns the loss, and is called up to ``max_eval`` times (1.25 max_iter if None). An iteration goes
    ``lr`` times the quasi-Newton direction, or what ``line_search_fn="strong_wolfe"`` finds along it. It ends early
    when no gradient exceeds ``tolerance_grad``, or the loss or all parameters change by less than
    ``tolerance_change``. One parameter group; ``history_size`` pairs of vectors of all parameters are remembered.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params: list[Tensor] = self.param_groups[0]["params"]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._params = self.param_groups[0]["params"]

    @no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        group = self.param_groups[0]
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        closure = enable_grad()(closure)
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        state["func_evals"] += 1
        loss, grad = float(first_loss), self._flat_grad()
        if _largest(grad) > group["tolerance_grad"]:
            self._iterate(closure, loss, grad, state, group)
        return first_loss

    def _iterate(self, closure: Callable, loss: float, grad: Tensor, state: dict, group: dict[str, Any]) -> None:
        evaluations = 1
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self._direction(grad, state, group["history_size"])
            previous_loss = loss
            state["prev_flat_grad"], state["prev_loss"] = grad.clone(), loss
            lr = number(group["lr"])
            length = min(1.0, 1.0 / grad.abs().sum().item()) * lr if state["n_iter"] == 1 else lr
            slope = grad.dot(direction).item()
            state["d"], state["t"] = direction, length
            if slope > -group["tolerance_change"]:
                return
            used = 0
            if group["line_search_fn"] is not None:
                start = [p.clone() for p in self._params]
                here = Point(0.0, loss, grad, slope)
                evaluate = functools.partial(self._evaluate, closure, start, direction)
                left = group["max_eval"] - evaluations
                there, used = strong_wolfe(evaluate, length, here, _largest(direction), max_ls=left)
                loss, grad, length = there.loss, there.grad, there.t
                self._move(length, direction)
            else:
                self._move(length, direction)
                if iteration != group["max_iter"]:
                    loss = float(closure())
                    grad, used = self._flat_grad(), 1
            state["t"] = length
            evaluations += used
            state["func_evals"] += used
            if (
                evaluations >= group["max_eval"]
                or _largest(grad) <= group["tolerance_grad"]
                or _largest(direction * length) <= group["tolerance_change"]
                or abs(loss - previous_loss) < group["tolerance_change"]
            ):
                return

    def _direction(self, grad: Tensor, state: dict[str, Any], history_size: int) -> Tensor:
        """The quasi-Newton direction from the pairs remembered, after remembering the last step's (two-loop recursion).

        State: ``old_stps`` and ``old_dirs`` are the changes of the parameters and of their gradient, ``ro`` the inverse
        products of the two, ``H_diag`` the scale of the initial Hessian's inverse.
        """
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return -grad
        change, step = grad - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = change.dot(step).item()
        if curvature > 1e-10:
            remembered = (state["old_dirs"], change), (state["old_stps"], step), (state["ro"], 1.0 / curvature)
            for values, new in remembered:
                if len(values) == history_size:
                    values.pop(0)
                values.append(new)
            state["H_diag"] = curvature / change.dot(change).item()
        pairs = list(zip(state["old_dirs"], state["old_stps"], state["ro"], strict=True))
        weights: list[Any] = [None] * history_size
        state["al"] = weights
        direction = -grad
        for i in range(len(pairs) - 1, -1, -1):
            change, step, inverse = pairs[i]
            weights[i] = step.dot(direction).item() * inverse
            direction.sub_(change * weights[i])
        direction.mul_(state["H_diag"])
        for i, (change, step, inverse) in enumerate(pairs):
            direction.add_(step * (weights[i] - change.dot(direction).item() * inverse))
        return direction

    def _evaluate(self, closure: Callable, start: list[Tensor], direction: Tensor, t: float) -> Point:
        """The loss and its gradient at ``start + t direction``; the parameters come back to ``start``."""
        self._move(t, direction)
        loss = float(closure())
        grad = self._flat_grad()
        for param, value in zip(self._params, start, strict=True):
            param.copy_(value)
        return Point(t, loss, grad, grad.dot(direction).item())

    def _move(self, t: float, direction: Tensor) -> None:
        offset = 0
        for param in self._params:
            real = view_as_real(param) if param.is_complex() else param
            count = real.numel()
            real.add_(direction[offset : offset + count].view_as(real), alpha=t)
            offset += count

    def _flat_grad(self) -> Tensor:
        """The gradient of all parameters as one real vector, zero for those without."""
        parts = []
        for param in self._params:
            grad = zeros(param.shape, dtype=param.dtype, device=param.device) if param.grad is None else param.grad
            parts.append((view_as_real(grad) if grad.is_complex() else grad).reshape(-1))
        return cat(parts, 0)


def _largest(x: Tensor) -> float:
    return x.abs().max().item()
