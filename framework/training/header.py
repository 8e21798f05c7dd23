"""The lines with which a run introduces itself."""

from __future__ import annotations

import numpy

from .. import device as Device
from .. import get_num_threads
from ..nn import Module
from .config import Config
from .console import Console
from .logs import short


def introduce(
    console: Console,
    config: Config,
    where: str,
    device: Device,
    model: Module,
    images: tuple[int, int],
    classes: list[str],
) -> None:
    """Print run, device, data, model and optimizer; ``where`` the files go, how many ``images`` train and validate."""
    console.field("Run", f"{where}   (seed {config.seed})")
    threads = get_num_threads()
    console.field("Device", f"{device} · numpy {numpy.__version__} · {threads} thread{'s' if threads > 1 else ''}")
    workers = f" · {config.data.workers} worker{'s' if config.data.workers > 1 else ''}" if config.data.workers else ""
    data = f"{config.data.name} · train {images[0]:,} · val {images[1]:,} · {len(classes)} classes{workers}"
    console.field("Data", data)
    console.field("Model", _model(config, model))
    console.field("Optim", _optim(config))


def _model(config: Config, model: Module) -> str:
    total = sum(p.numel() for p in model.parameters())
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    text = f"{config.model.name} · {_count(total)} params ({_count(trainable)} trainable)"
    if config.model.checkpoint:
        frozen = "frozen" if config.model.head_only else "trained too"
        text += f" · new head, backbone {frozen} from {config.model.checkpoint}"
    return text


def _optim(config: Config) -> str:
    optim, sched = config.optim, config.sched
    text = f"{optim.name} lr {short(optim.lr)}"
    if optim.momentum is not None:
        text += f" momentum {short(optim.momentum)}"
    if optim.weight_decay is not None:
        text += f" wd {short(optim.weight_decay)}"
    text += f" · {sched.name}"
    if sched.warmup_epochs:
        text += f", {sched.warmup_epochs:g} warm-up epoch{'' if sched.warmup_epochs == 1 else 's'}"
    return text


def _count(number: int) -> str:
    if number >= 1_000_000:
        return f"{number / 1e6:.2f} M"
    return f"{number / 1e3:.1f} k" if number >= 1000 else str(number)
