#!/usr/bin/env python
"""Train a model from a YAML file: ``python train.py --config configs/digits_cnn.yaml optim.lr=0.05``.

Exit codes: 0 finished, 1 failed, 2 wrong usage or configuration, 130 after Ctrl-C, 143 after SIGTERM, 141 when
the reader of its output has gone.
"""

from __future__ import annotations

import os
import signal
import sys

if __name__ == "__main__":  # Ctrl-C while the libraries are being loaded: nothing to save, nothing to say
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

import argparse
import json
import shlex
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import datasets
import framework
import models
from framework.training import runfolder
from framework.training.build import build_device
from framework.training.checkpoint import load_checkpoint
from framework.training.command import run_command
from framework.training.config import Config, config_errors, config_from_dict, load_config, to_yaml
from framework.training.console import Console
from framework.training.errors import CheckpointError, ConfigError, Interrupted, TrainingError
from framework.training.files import write_text
from framework.training.finetune import freeze_all_but, load_backbone
from framework.training.header import introduce
from framework.training.logs import duration
from framework.training.trainer import Trainer
from framework.utils.data import Subset


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; what went wrong becomes a line on stderr and the exit code that is returned."""
    return run_command(lambda: run(parse(arguments)))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line; SystemExit with code 2 when it is wrong."""
    configs = ", ".join(sorted(str(path) for path in Path("configs").glob("*.yaml"))) or "none here"
    parser = argparse.ArgumentParser(
        description="Train a model as a YAML file says.",
        epilog=f"Config files: {configs}.",
        allow_abbrev=False,
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="change a setting, e.g. optim.lr=0.05")
    parser.add_argument("--config", metavar="FILE", help="the YAML file; not needed with --resume")
    parser.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN",
        help="go on with a run: its folder or one of its checkpoints (default: the newest run)",
    )
    parser.add_argument("--run-dir", metavar="DIR", help="where a new run keeps its files (default: runs/<date>-...)")
    parser.add_argument("--dry-run", action="store_true", help="one batch through everything, nothing kept")
    parser.add_argument("--print-config", action="store_true", help="print all settings as YAML and stop")
    options = parser.parse_intermixed_args(arguments)
    if options.resume and "=" in options.resume and not Path(options.resume).exists():
        options.overrides.insert(0, options.resume)  # --resume without a run, followed by an override
        options.resume = ""
    if options.config is None and options.resume is None:
        parser.error("--config FILE is required (or --resume)")
    if options.resume and options.run_dir:
        parser.error("--resume RUN already says which folder; leave out --run-dir")
    if options.dry_run and options.resume is not None:
        parser.error("--dry-run starts a new run and cannot go with --resume")
    return options


def run(options: argparse.Namespace) -> int:
    """Train, or do what the options ask for instead."""
    checkpoint, state = None, None
    config = load_config(options.config, options.overrides) if options.config else None
    if options.resume is not None:
        checkpoint = runfolder.find_checkpoint(options.resume, config, options.run_dir)
        state = load_checkpoint(checkpoint)
        config = config or config_from_dict(state["config"], str(checkpoint), options.overrides)
    assert config is not None
    if options.print_config:
        print(to_yaml(config), end="")
        return 0

    device = build_device(config.device)
    framework.manual_seed(config.seed)
    train_set, val_set = make_data(config)
    model = make_model(config, train_set)
    classes = [str(name) for name in train_set.classes]
    if config.model.checkpoint and state is None:
        take_backbone(model, Path(config.model.checkpoint), options.config)
    if config.model.head_only:
        freeze_all_but(model, model.head_name)

    if options.dry_run:
        return dry_run(model, train_set, val_set, config, device, classes)
    folder = runfolder.folder_of(checkpoint) if checkpoint else runfolder.new_folder(config, options.run_dir)
    console = Console()
    trainer = Trainer(model, train_set, val_set, config, folder, device, console, classes)
    if checkpoint and state:
        trainer.resume(state, checkpoint)
        if has_finished(trainer, checkpoint):
            print(
                f"{folder} is already finished ({count_epochs(trainer.epoch)}): nothing to do\n"
                f"   Go on: python train.py --resume {shlex.quote(str(folder))} train.epochs={2 * trainer.epoch}"
            )
            return 0
    with runfolder.claimed(folder):
        carry_out(trainer, console, checkpoint, val_images=len(val_set))
    return 0


def carry_out(trainer: Trainer, console: Console, checkpoint: Path | None, val_images: int) -> None:
    """The run itself, from the making of its folder, or from ``checkpoint``, to its last line."""
    config, folder = trainer.config, trainer.folder
    began_again = False
    if checkpoint:
        write_text(folder / "config.yaml", to_yaml(config))
    else:
        began_again = runfolder.create(folder, config, str(trainer.device))
    console.keep_in(folder / "log.txt")
    images = (len(trainer.train_set), val_images)
    introduce(console, config, str(folder), trainer.device, trainer.model, images, trainer.classes)
    if began_again:
        console.field("Again", "the run that was in this folder had not saved a checkpoint")
    if checkpoint:
        console.field("Resume", f"{checkpoint} · after epoch {trainer.epoch}, step {trainer.step}")
    began = time.monotonic()
    trainer.fit()
    report(console, trainer, time.monotonic() - began)


def has_finished(trainer: Trainer, checkpoint: Path) -> bool:
    """Whether nothing is left to do from ``checkpoint`` on, not even the last files of a run that was killed."""
    if trainer.epoch < trainer.config.train.epochs:
        return False
    if checkpoint.name != runfolder.LAST.name:
        return True
    try:
        result = json.loads((trainer.folder / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (result.get("status"), result.get("epoch")) == ("finished", trainer.epoch)


def make_data(config: Config) -> tuple[datasets.ArrayImageDataset, datasets.ArrayImageDataset]:
    """The training and the test set. ConfigError for a wrong name or option, or less than two classes."""
    with config_errors("data"):
        train_set = datasets.create(config.data.name, split="train", classes=config.data.classes)
        test_set = datasets.create(config.data.name, split="test", classes=config.data.classes)
    if train_set.num_classes < 2:
        raise ConfigError(
            f"data.classes must be two or more, got {config.data.classes}: there is nothing to tell apart"
        )
    return train_set, test_set


def make_model(config: Config, data: datasets.ArrayImageDataset) -> framework.nn.Module:
    """The model, made for the images and classes of ``data``. ConfigError for a wrong name or option."""
    with config_errors("model"):
        known = models.options(config.model.name)
        facts = {"num_classes": data.num_classes, "in_channels": data.in_channels, "image_size": data.image_size}
        given = {key: value for key, value in facts.items() if key in known}
        return models.create(config.model.name, **{**given, **config.model.options})


def take_backbone(model: framework.nn.Module, path: Path, config_file: str) -> None:
    """Copy the weights in ``path`` into the model, except its head. CheckpointError when they are not there."""
    if not path.is_file():
        raise CheckpointError(f"model.checkpoint: {path} does not exist{command_that_makes(path, config_file)}")
    load_backbone(model, path, model.head_name)


def command_that_makes(checkpoint: Path, config_file: str) -> str:
    """How to get a missing checkpoint, if a config beside ``config_file`` trains into its run folder."""
    for path in sorted(Path(config_file).parent.glob("*.yaml")):
        try:
            run_dir = load_config(path).run_dir
        except TrainingError:
            continue
        if run_dir and Path(run_dir) == checkpoint.parent.parent:
            return f"; make it with: python train.py --config {path}"
    return ""


def dry_run(
    model: framework.nn.Module,
    train_set: datasets.ArrayImageDataset,
    val_set: datasets.ArrayImageDataset,
    config: Config,
    device: framework.device,
    classes: list[str],
) -> int:
    """Train, evaluate, save and plot on one batch in a temporary folder."""
    config.train.epochs = 1
    batch = range(min(config.train.batch_size, len(train_set), len(val_set)))
    console = Console()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "dry-run")
        runfolder.create(folder, config, str(device))
        trainer = Trainer(
            model, Subset(train_set, batch), Subset(val_set, batch), config, folder, device, console, classes
        )
        introduce(console, config, "none, this is a dry run", device, model, (len(train_set), len(val_set)), classes)
        try:
            trainer.fit()
        except Interrupted as stop:
            console.field("Dry run", "stopped; nothing was kept")
            return stop.exit_code
    console.field("Dry run", "one batch was trained on, evaluated, saved and plotted; nothing was kept")
    return 0


def report(console: Console, trainer: Trainer, seconds: float) -> None:
    """The last lines of a run: how it went and where its files are."""
    best, last = trainer.best, trainer.metrics.rows[-1]
    figures = f"best {best['monitor']} {best['value']:.4g} (epoch {best['epoch']}) · last {last[best['monitor']]:.4g}"
    console.field("Done", f"{count_epochs(trainer.epoch)}, {duration(seconds)} · {figures}")
    console.field("Files", f"{trainer.folder}/: checkpoints/best.pt, plots/curves.png, metrics.csv")


def count_epochs(number: int) -> str:
    """``1 epoch``, ``2 epochs``."""
    return f"{number} epoch{'' if number == 1 else 's'}"


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main())
