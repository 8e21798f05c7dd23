"""Averages of a model's weights over training: stochastic weight averaging and exponential moving averages."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from ..creation import tensor
from ..dtypes import int64
from ..engine import no_grad
from ..nn.modules.batchnorm import _BatchNorm
from ..nn.modules.module import Module
from ..tensor import Tensor
from .lr_scheduler.base import LRScheduler, per_group
from .optimizer import Optimizer

__all__ = [
    "AveragedModel",
    "SWALR",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

Tensors = list[Tensor] | tuple[Tensor, ...]


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Tensors, Tensors, Any], None]:
    """``average = decay average + (1 - decay) value`` for lists of tensors, in place."""
    return _for_lists(get_ema_avg_fn(decay))


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Tensor, Tensor, Any], Tensor]:
    """``decay average + (1 - decay) value``."""
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_multi_avg_fn() -> Callable[[Tensors, Tensors, Any], None]:
    """The mean of all values so far for lists of tensors, in place."""
    return _for_lists(get_swa_avg_fn())


def get_swa_avg_fn() -> Callable[[Tensor, Tensor, Any], Tensor]:
    """The mean of all values so far: ``average + (value - average) / (num_averaged + 1)``."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def _for_lists(update: Callable[[Tensor, Tensor, Any], Tensor]) -> Callable[[Tensors, Tensors, Any], None]:
    @no_grad()
    def update_lists(averages: Tensors, values: Tensors, num_averaged: Any) -> None:
        for average, value in zip(averages, values, strict=True):
            average.copy_(update(average, value, num_averaged))

    return update_lists


class AveragedModel(Module):
    """A copy of ``model`` that holds the average of its parameters (Izmailov et al., arXiv:1803.05407).

    Each ``update_parameters(model)`` takes the parameters into the average: their plain mean, or as ``avg_fn`` (of two
    tensors and the count) or ``multi_avg_fn`` (of two lists) says, such as ``get_ema_multi_avg_fn(0.999)``. With
    ``use_buffers`` the buffers are averaged too, else they are copied. The copy is called like the model.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable[[Tensor, Tensor, Any], Tensor] | None = None,
        multi_avg_fn: Callable[[Tensors, Tensors, Any], None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the model's parameters into the average; the first time they are copied."""
        averages = [a.detach() for a in self._averaged(self.module)]
        values = [v.detach().to(a.device) for a, v in zip(averages, self._averaged(model), strict=True)]
        if self.n_averaged == 0:
            for average, value in zip(averages, values, strict=True):
                average.copy_(value)
        elif self.avg_fn is not None:
            for average, value in zip(averages, values, strict=True):
                average.copy_(self.avg_fn(average, value, self.n_averaged.to(average.device)))
        else:
            (self.multi_avg_fn or get_swa_multi_avg_fn())(averages, values, self.n_averaged.item())
        if not self.use_buffers:
            for average, value in zip(self.module.buffers(), model.buffers(), strict=True):
                average.detach().copy_(value.detach())
        self.n_averaged += 1

    def _averaged(self, model: Module) -> list[Tensor]:
        return [*model.parameters(), *(model.buffers() if self.use_buffers else ())]


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of BatchNorm layers anew, from one pass over ``loader``.

    Averaged weights have activations that none of the averaged models had. Batches may be (input, ...) lists or
    tuples; the model's mode and the layers' momentum are as before afterwards.
    """
    layers = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean over all batches
    was_training = model.training
    model.train()
    for batch in loader:
        input = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(input if device is None else input.to(device))
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the groups' learning rates to ``swa_lr`` within ``anneal_epochs``, by a cosine or a line; then constant."""

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        rates = per_group("swa_lr", optimizer, swa_lr)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must by one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        step = self._step_count - 1
        before, now = (self._share(s) for s in (step - 1, step))
        rates = []
        for group in self.optimizer.param_groups:
            start = (group["lr"] - before * group["swa_lr"]) / (1 - before) if before < 1 else group["swa_lr"]
            rates.append(group["swa_lr"] * now + start * (1 - now))
        return rates

    def _share(self, step: int) -> float:
        """How far the way to ``swa_lr`` is done after ``step`` steps."""
        t = max(0.0, min(1.0, max(0, step) / max(1, self.anneal_epochs)))
        if self.anneal_epochs == 0:
            t = 1.0
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2
