#!/usr/bin/env python
"""Measure a trained model: ``python evaluate.py runs/FOLDER``, or a checkpoint; loss, accuracy, and each class.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 130 after Ctrl-C, 141 when the reader of its output
has gone.
"""

from __future__ import annotations

import os
import signal
import sys

if __name__ == "__main__":  # Ctrl-C while the libraries are being loaded: nothing to say
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

import argparse
import math
from collections.abc import Sequence

from framework.training import runfolder
from framework.training.build import build_device
from framework.training.checkpoint import check_weights, load_checkpoint
from framework.training.command import run_command
from framework.training.config import changes, config_from_dict
from framework.training.console import Console
from framework.training.errors import CheckpointError, ConfigError, NonFiniteLoss
from framework.training.loop import evaluate
from framework.utils.data import DataLoader
from train import make_data, make_model

# Anything else is part of what was trained.
_MAY_CHANGE = {"device", "data.workers", "train.batch_size"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; what went wrong becomes a line on stderr and the exit code that is returned."""
    return run_command(lambda: run(parse(arguments)))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line; SystemExit with code 2 when it is wrong."""
    parser = argparse.ArgumentParser(
        description="Measure a trained model on its data set.",
        epilog=f"Settings that may change: {', '.join(sorted(_MAY_CHANGE))}.",
        allow_abbrev=False,
    )
    parser.add_argument("checkpoint", metavar="RUN", help="a checkpoint, or a run's folder for its best.pt")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="change a setting, e.g. device=cuda")
    parser.add_argument("--split", choices=("train", "test"), default="test", help="which images (default: test)")
    return parser.parse_intermixed_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Load, measure, print."""
    path = runfolder.find_checkpoint(options.checkpoint, None, None, first=runfolder.BEST)
    state = load_checkpoint(path)
    config = config_from_dict(state["config"], str(path), options.overrides)
    for key in changes(state["config"], config):
        if key not in _MAY_CHANGE:
            raise ConfigError(f"{key} is part of what was trained; only {', '.join(sorted(_MAY_CHANGE))} may change")
    device = build_device(config.device)
    train_set, test_set = make_data(config)
    data = train_set if options.split == "train" else test_set
    classes = [str(name) for name in data.classes]
    if classes != state["classes"]:
        raise CheckpointError(f"{path} was trained on other data: its classes are {state['classes']}")
    model = make_model(config, data)
    check_weights(model, state["model"], path)
    model.load_state_dict(state["model"])
    model.to(device)

    console = Console()
    console.field("Model", f"{config.model.name} · {path} · after epoch {state['epoch']}")
    console.field("Data", f"{config.data.name} · {options.split} {len(data):,} · {len(classes)} classes · on {device}")
    confusion = [[0] * len(classes) for _ in classes]
    loader = DataLoader(data, batch_size=config.train.batch_size, num_workers=config.data.workers)
    metrics = evaluate(model, loader, device, confusion=confusion)
    assert metrics is not None  # as nobody asked it to stop
    if not math.isfinite(metrics["loss"]):
        raise NonFiniteLoss(f"the loss of {path} is {metrics['loss']}")
    accuracies = "  ".join(f"{key} {metrics[key]:.2f}" for key in ("acc1", "acc5") if key in metrics)
    console.field("Result", f"loss {metrics['loss']:.4f}  {accuracies}")
    for line in class_table(classes, confusion):
        print(line)
    return 0


def class_table(classes: Sequence[str], confusion: Sequence[Sequence[int]]) -> list[str]:
    """Per class: its images, the percentage of them found, how many of those taken for it are, and its lookalike."""
    width = max(5, *map(len, classes))
    lines = [f"\n{'Class':{width}}  images    acc1  precision  most often taken for"]
    for label, row in enumerate(confusion):
        taken_for_it = sum(other[label] for other in confusion)
        lookalike = max((other for other in range(len(row)) if other != label), key=row.__getitem__)
        mistake = f"{classes[lookalike]} ({row[lookalike]})" if row[lookalike] else ""
        columns = (
            f"{classes[label]:{width}}",
            f"{sum(row):6,}",
            f"{_percent(row[label], sum(row)):>6}",
            f"{_percent(row[label], taken_for_it):>9}",
            mistake,
        )
        lines.append("  ".join(columns).rstrip())
    return lines


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}" if whole else "-"


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
