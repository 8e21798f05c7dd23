"""The errors that end a run, each with the exit code that the command returns."""

from __future__ import annotations

import signal
from pathlib import Path


class TrainingError(Exception):
    """A run cannot go on; the message is for the user, without a traceback."""

    exit_code = 1


class ConfigError(TrainingError):
    """The configuration or the command line is wrong; nothing was started."""

    exit_code = 2


class CheckpointError(TrainingError):
    """A checkpoint is missing, damaged, or belongs to another model; nothing was changed."""


class NonFiniteLoss(TrainingError):
    """The loss became NaN or infinite; the last checkpoint was written before that."""


class Interrupted(TrainingError):
    """Ctrl-C or SIGTERM came; the run was saved as it stood and can be resumed."""

    def __init__(self, signum: int, epoch: int, step: int, folder: Path) -> None:
        self.exit_code = 128 + signum
        self.folder = folder
        what = "Interrupted" if signum == signal.SIGINT else "Terminated"
        super().__init__(f"{what} at epoch {epoch} step {step}: saved checkpoints/last.pt")
