"""Schedules given by functions: LambdaLR and MultiplicativeLR."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, values_of

Factor = Callable[[int], float]


class _FactorScheduler(LRScheduler):
    """A schedule made of ``lr_lambdas``, one function of the epoch for each parameter group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1) -> None:
        n = len(optimizer.param_groups)
        if not isinstance(lr_lambda, (list, tuple)):
            lr_lambda = [lr_lambda] * n
        elif len(lr_lambda) != n:
            raise ValueError(f"Expected {n} lr_lambdas, but got {len(lr_lambda)}")
        for function in lr_lambda:
            if not callable(function):
                raise TypeError(f"lr_lambda should be a function, but got {type(function).__name__}")
        self.lr_lambdas = list(lr_lambda)
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """As every scheduler's, with the attributes of ``lr_lambdas`` that are objects; functions are not saved."""
        return {**super().state_dict(), "lr_lambdas": _states_of(self.lr_lambdas)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for function, state in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if state is not None:
                function.__dict__.update(state)
        super().load_state_dict({name: value for name, value in state_dict.items() if name != "lr_lambdas"})


def _states_of(functions: list[Any]) -> list[dict[str, Any] | None]:
    """What can be saved of functions: the attributes of callable objects, None for plain functions."""
    return [None if isinstance(f, types.FunctionType) else f.__dict__.copy() for f in functions]


class LambdaLR(_FactorScheduler):
    """The initial learning rate times ``lr_lambda(epoch)``, one function for all groups or one for each."""

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        return [lr * factor(self.last_epoch) for factor, lr in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(_FactorScheduler):
    """The learning rate of the epoch before times ``lr_lambda(epoch)``, one function for all groups or one for each."""

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        rates = values_of(self.optimizer, "lr")
        if self._is_initial:
            return rates
        return [lr * factor(self.last_epoch) for factor, lr in zip(self.lr_lambdas, rates, strict=True)]
