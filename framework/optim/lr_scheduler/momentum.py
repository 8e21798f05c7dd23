"""Schedulers that move the momentum too: SGD's ``momentum``, or the first of Adam's ``betas``."""

from __future__ import annotations

from typing import Any

from ..optimizer import Optimizer


def momentum_option(optimizer: Optimizer) -> str:
    """The option that holds the momentum; ValueError for an optimizer that has none."""
    for option in ("betas", "momentum"):
        if option in optimizer.defaults:
            return option
    raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")


def set_momentum(group: dict[str, Any], momentum: float, use_beta1: bool) -> None:
    if use_beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum
