"""A run from its first step, or from a checkpoint, to its last."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from .. import Generator, get_rng_state, set_rng_state
from .. import device as Device
from ..nn import Module
from ..utils.data import DataLoader
from . import runfolder
from .build import build_optimizer, build_scheduler
from .checkpoint import FORMAT_VERSION, check_weights, save_checkpoint
from .config import Config, changes, to_dict
from .console import Column, Console
from .errors import CheckpointError, ConfigError, Interrupted, NonFiniteLoss, TrainingError
from .finetune import train_mode
from .interrupt import StopRequest
from .logs import MetricsLog, Progress, duration
from .loop import evaluate, train_step
from .plots import plot_curves
from .sampler import EpochBatchSampler

# What may change when a run is resumed; anything else would make it a different run.
_MAY_CHANGE = {"device", "run_dir", "train.epochs", "data.workers", "log.interval"}
_PLOT_EVERY = 30.0  # seconds


class Trainer:
    """Trains ``model`` on ``train_set`` and evaluates it on ``val_set`` after every epoch.

    Both sets give ``(image, label)``; one with a method ``set_epoch`` is told the epoch. All files go to
    ``folder``. The state is saved after every epoch and when the run is interrupted, so that a resumed run
    ends with the weights of one that never stopped.
    """

    def __init__(
        self,
        model: Module,
        train_set: Any,
        val_set: Any,
        config: Config,
        folder: Path,
        device: Device,
        console: Console,
        classes: list[str],
    ) -> None:
        self.model = model.to(device)
        self.config = config
        self.folder = folder
        self.device = device
        self.console = console
        self.classes = classes
        self.train_set = train_set
        self.sampler = EpochBatchSampler(len(train_set), config.train.batch_size, config.seed)
        self.train_loader = self._loader(train_set, batch_sampler=self.sampler)
        self.val_loader = self._loader(val_set, batch_size=config.train.batch_size)
        self.optimizer = build_optimizer(model.parameters(), config.optim)
        self.scheduler = build_scheduler(
            self.optimizer, config.sched, config.optim.lr, self.sampler.batches_per_epoch, config.train.epochs
        )
        if config.save.monitor == "val/acc5" and len(classes) <= 5:
            raise ConfigError(f"save.monitor is val/acc5, but there are only {len(classes)} classes")
        self.epoch = 0  # epochs finished
        self.step = 0  # optimizer steps done
        self.batch_in_epoch = 0
        self._reset_running()
        self.best: dict[str, Any] = {}
        self._seconds: list[float] = []
        self._plotted = time.monotonic()

    def fit(self) -> None:
        """Run to ``train.epochs``.

        Interrupted after Ctrl-C or SIGTERM, with the state saved; NonFiniteLoss when the loss is NaN or
        infinite, with the last checkpoint left as it was; OSError when the folder cannot be written.
        """
        self.metrics = MetricsLog(self.folder, self.epoch)
        if self.metrics.dropped:
            again = f"epochs {self.epoch + 1} to {self.epoch + self.metrics.dropped}"
            self.console.field("Again", f"{again}: their rows in metrics.csv and {runfolder.LAST} are replaced")
        with StopRequest() as stop:
            try:
                while self.epoch < self.config.train.epochs:
                    self._run_epoch(stop)
            except (TrainingError, OSError) as error:
                with suppress(OSError):
                    self._write_result("interrupted" if isinstance(error, Interrupted) else "failed")
                raise
        self._plot()
        self._write_result("finished")

    def state_dict(self) -> dict[str, Any]:
        """All that the rest of the run depends on."""
        return {
            "format_version": FORMAT_VERSION,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "batch_in_epoch": self.batch_in_epoch,
            "running": dict(self.running),
            "rng": {"cpu": get_rng_state()},
            "sampler": self.sampler.state_dict(),
            "best": dict(self.best),
            "config": to_dict(self.config),
            "classes": list(self.classes),
        }

    def resume(self, state: dict[str, Any], path: Path) -> None:
        """Go on from what :func:`load_checkpoint` read at ``path``.

        ConfigError when a setting differs that the result depends on or the state is beyond ``train.epochs``,
        CheckpointError when it is of another model or data set.
        """
        self._refuse_changes(state["config"], path)
        reached = state["epoch"] + (state["batch_in_epoch"] > 0)
        if reached > self.config.train.epochs:
            raise ConfigError(
                f"train.epochs is {self.config.train.epochs}, but {path} is in epoch {reached} already:"
                " leave train.epochs as it was, or make it larger"
            )
        check_weights(self.model, state["model"], path)
        if state["sampler"] != self.sampler.state_dict() or state["classes"] != self.classes:
            raise CheckpointError(f"{path} was trained on other data: {state['sampler']}, classes {state['classes']}")
        try:
            self.optimizer.load_state_dict(state["optimizer"])
            self.scheduler.load_state_dict(state["scheduler"])
            self.model.load_state_dict(state["model"])
            set_rng_state(state["rng"]["cpu"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"{path} does not fit this run: {error}") from error
        self.epoch, self.step, self.batch_in_epoch = state["epoch"], state["step"], state["batch_in_epoch"]
        self.running = dict(state["running"])
        self.best = dict(state["best"])

    def _loader(self, data: Any, **batches: Any) -> DataLoader:
        # With a generator of its own, a loader draws nothing from the default one: a resumed run asks its loader
        # for batches once more than a run that never stopped, and must see the same dropout.
        return DataLoader(data, num_workers=self.config.data.workers, generator=Generator(), **batches)

    def _refuse_changes(self, stored: dict[str, Any], path: Path) -> None:
        for key, (before, value) in changes(stored, self.config).items():
            if key not in _MAY_CHANGE:
                raise ConfigError(
                    f"{key} is {value!r}, but {path} was trained with {before!r}: a resumed run keeps its"
                    f" settings (only {', '.join(sorted(_MAY_CHANGE))} may change)"
                )

    def _run_epoch(self, stop: StopRequest) -> None:
        began = time.monotonic()
        epochs = self.config.train.epochs
        title = f"Epoch {self.epoch + 1:>{len(str(epochs))}}/{epochs}"
        batches = self.sampler.batches_per_epoch
        progress = Progress(self.console, title, batches, self.batch_in_epoch, self.config.log.interval)
        try:
            self._train(progress, stop)
            speed = progress.images_per_s
            progress.evaluating()
            metrics = None if stop.received else evaluate(self.model, self.val_loader, self.device, stop.asked)
        finally:
            progress.close()
        if metrics is None:
            self._save(runfolder.LAST)
            raise Interrupted(stop.received, self.epoch + 1, self.step, self.folder)
        if not math.isfinite(metrics["loss"]):
            raise NonFiniteLoss(self._explain(f"the validation loss is {metrics['loss']}", self.step))
        self._finish_epoch(title, metrics, speed, time.monotonic() - began)

    def _train(self, progress: Progress, stop: StopRequest) -> None:
        self.sampler.start(self.epoch, skip=self.batch_in_epoch)
        if hasattr(self.train_set, "set_epoch"):
            self.train_set.set_epoch(self.epoch)
        train_mode(self.model)
        running = self.running
        for images, labels in self.train_loader:
            images, labels = images.to(self.device), labels.to(self.device)
            try:
                loss = train_step(self.model, images, labels, self.optimizer, self.config.train.label_smoothing)
            except NonFiniteLoss as error:
                raise NonFiniteLoss(self._explain(str(error), self.step + 1)) from None
            running["lr"] = self.optimizer.param_groups[0]["lr"]
            running["loss_sum"] += loss * len(labels)
            running["images"] += len(labels)
            self.scheduler.step()
            self.step += 1
            self.batch_in_epoch += 1
            if stop.asked():
                return
            progress.update(len(labels), running["loss_sum"] / running["images"])

    def _finish_epoch(self, title: str, metrics: dict[str, float], speed: float, seconds: float) -> None:
        row = {
            "epoch": self.epoch + 1,
            "step": self.step,
            "train/loss": self.running["loss_sum"] / self.running["images"],
            **{f"val/{name}": value for name, value in metrics.items()},
            "lr": self.running["lr"],
            "images_per_s": round(speed, 1),
        }
        # The row comes first: after a crash in between, the resumed run drops it and writes it again.
        self.metrics.append(row)
        value = row[self.config.save.monitor]
        sign = 1 if self.config.save.mode == "max" else -1
        improved = not self.best or sign * value > sign * self.best["value"]
        if improved:
            self.best = {"monitor": self.config.save.monitor, "value": value, "epoch": self.epoch + 1}
        self.epoch += 1
        self.batch_in_epoch = 0
        self._reset_running()
        if improved:
            self._save(runfolder.BEST)
        self._save(runfolder.LAST)
        self._seconds.append(seconds)
        self._report(title, row, improved)
        if time.monotonic() - self._plotted > _PLOT_EVERY:
            self._plot()

    def _report(self, title: str, row: dict[str, Any], improved: bool) -> None:
        left = (self.config.train.epochs - self.epoch) * sum(self._seconds) / len(self._seconds)
        train_loss, val_loss = f"{row['train/loss']:.3f}", f"{row['val/loss']:.3f}"
        acc1 = f"{row['val/acc1']:.2f}"
        self.console.columns(
            [
                Column(title),
                Column(f"lr {row['lr']:.1e}", rank=1),
                Column(f"train/loss {train_loss}", short=f"train {train_loss}"),
                Column(f"val/loss {val_loss}", short=f"val {val_loss}"),
                Column(f"val/acc1 {acc1}", short=f"acc1 {acc1}"),
                *([Column(f"val/acc5 {row['val/acc5']:.2f}", rank=2)] if "val/acc5" in row else []),
                Column(f"{row['images_per_s']:,.0f} img/s", rank=5, room=11),
                Column(duration(self._seconds[-1]), rank=3, room=5),
                Column(f"ETA {duration(left)}" if left else "", rank=4, room=10),
                Column("*best" if improved else "", room=5),
            ]
        )

    def _reset_running(self) -> None:
        self.running = {"loss_sum": 0.0, "images": 0, "lr": 0.0}

    def _save(self, name: Path) -> None:
        save_checkpoint(self.state_dict(), self.folder / name)

    def _explain(self, what: str, step: int) -> str:
        kept = self.folder / runfolder.LAST
        rescue = f"{kept} is from before that" if kept.exists() else "no checkpoint was written yet"
        return f"{what} at epoch {self.epoch + 1} step {step}; {rescue}. Try a smaller optim.lr or a longer warm-up"

    def _plot(self) -> None:
        if self.metrics.rows:
            try:
                plot_curves(self.metrics.rows, self.folder / "plots" / "curves.png", self.folder.name)
            except ImportError as error:
                self.console.line(f"No curves: {error}")
        self._plotted = time.monotonic()

    def _write_result(self, status: str) -> None:
        last = self.metrics.rows[-1] if self.metrics.rows else None
        result = {"status": status, "epoch": self.epoch, "step": self.step, "best": self.best or None, "last": last}
        runfolder.write_json(self.folder / "result.json", result)
