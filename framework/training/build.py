"""The optimizer, the learning-rate schedule and the device that a configuration names."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable

from .. import cuda, optim
from .. import device as Device
from ..nn import Parameter
from ..optim.lr_scheduler import LambdaLR
from ..suggestions import suggestion
from .config import OptimConfig, SchedConfig, config_errors
from .errors import ConfigError

_OPTIMIZERS = {"sgd": optim.SGD, "adam": optim.Adam, "adamw": optim.AdamW}


def build_device(name: str) -> Device:
    """``auto`` is the GPU where there is one. ConfigError for a device that is not there."""
    if name == "auto":
        return Device("cuda" if cuda.is_available() else "cpu")
    try:
        device = Device(name)
    except RuntimeError as error:
        raise ConfigError(f"device must be auto, cpu or cuda, got {name!r}") from error
    if device.type == "cuda" and not cuda.is_available():
        raise ConfigError(f"device is {name!r}, but no GPU is available here; use device=cpu")
    return device


def build_optimizer(parameters: Iterable[Parameter], config: OptimConfig) -> optim.Optimizer:
    """The optimizer ``config.name`` over the parameters that are trained."""
    if config.name not in _OPTIMIZERS:
        raise ConfigError(f"optim.name: unknown optimizer {config.name!r}{suggestion(config.name, _OPTIMIZERS)}")
    kind = _OPTIMIZERS[config.name]
    chosen = {key: value for key, value in vars(config).items() if key != "name" and value is not None}
    accepted = inspect.signature(kind).parameters
    for key in chosen:
        if key not in accepted:
            raise ConfigError(f"optim.{key}: {config.name} has no option {key!r}")
    with config_errors("optim"):
        return kind([p for p in parameters if p.requires_grad], **chosen)


def build_scheduler(
    optimizer: optim.Optimizer, config: SchedConfig, lr: float, steps_per_epoch: int, epochs: int
) -> LambdaLR:
    """A schedule that moves at every step: its value is a function of the step alone."""
    warmup = round(config.warmup_epochs * steps_per_epoch)
    total = epochs * steps_per_epoch

    def factor(step: int) -> float:
        if step < warmup:
            return (config.warmup_lr + (lr - config.warmup_lr) * (step + 1) / warmup) / lr
        if config.name == "constant":
            return 1.0
        done = min(1.0, (step - warmup) / max(1, total - warmup))
        return (config.min_lr + (lr - config.min_lr) * (1 + math.cos(math.pi * done)) / 2) / lr

    return LambdaLR(optimizer, factor)
