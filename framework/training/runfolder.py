"""Where a run keeps its files, and where a run to be resumed is found."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy

from .. import __version__
from .config import Config, to_yaml
from .errors import CheckpointError, ConfigError
from .files import write_text

RUNS = Path("runs")
LAST = Path("checkpoints", "last.pt")
BEST = Path("checkpoints", "best.pt")


def new_folder(config: Config, chosen: str | None) -> Path:
    """Where a new run will live: ``chosen``, the configured folder, or one named by date, model and data.

    ConfigError if something is there already. Nothing is created yet.
    """
    folder = Path(chosen or config.run_dir or RUNS / f"{datetime.now():%Y%m%d-%H%M%S}-{_suffix(config)}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"run folder {folder} is not empty: go on with --resume {folder}, or choose --run-dir DIR")
    return folder


def create(folder: Path, config: Config, device: str) -> None:
    """Make the folder of a new run, with ``config.yaml`` and ``env.json``."""
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    write_text(folder / "config.yaml", to_yaml(config))
    write_json(folder / "env.json", _environment(config, device))


def find_checkpoint(target: str, config: Config | None, chosen: str | None) -> Path:
    """The file that ``--resume target`` means: a checkpoint, or the last one of a run folder.

    Without a target, the folder ``chosen`` or configured, or the newest one of this model and data.
    CheckpointError when there is none.
    """
    folder = target or chosen or (config.run_dir if config else None)
    if folder:
        path = Path(folder)
        path = path / LAST if path.is_dir() else path
        if not path.is_file():
            raise CheckpointError(f"nothing to resume: {path} does not exist")
        return path
    pattern = f"*-{_suffix(config)}" if config else "*"
    found = sorted(RUNS.glob(f"{pattern}/{LAST}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise CheckpointError(f"nothing to resume: no {RUNS}/{pattern}/{LAST}")
    return found[-1]


def folder_of(checkpoint: Path) -> Path:
    """The run folder that holds ``checkpoint``. ConfigError when it lies elsewhere."""
    folder = checkpoint.parent.parent
    if checkpoint.parent.name != "checkpoints" or not (folder / "config.yaml").is_file():
        raise ConfigError(f"--resume needs a checkpoint inside its run folder, got {checkpoint}")
    return folder


def write_json(path: Path, value: Any) -> None:
    """Replace the file ``path`` by ``value`` as JSON."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def _suffix(config: Config) -> str:
    return f"{config.model.name}-{config.data.name}"


def _environment(config: Config, device: str) -> dict[str, Any]:
    return {
        "command": sys.argv,
        "git": _git_commit(),
        "framework": __version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "platform": platform.platform(),
        "device": device,
        "seed": config.seed,
    }


def _git_commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
