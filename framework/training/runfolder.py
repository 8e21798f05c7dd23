"""Where a run keeps its files, and where a run to be resumed is found."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
_FOLDERS = {"checkpoints", "plots"}
_FILES = {"config.yaml", "env.json", "log.txt", "metrics.csv", "metrics.jsonl", "result.json", "plots/curves.png"} | {
    "checkpoints/last.pt",
    "checkpoints/best.pt",
}


def new_folder(config: Config, chosen: str | None) -> Path:
    """Where a new run will live: ``chosen``, the configured folder, or one named by date, model and data.

    ConfigError if something is there already, other than a run that ended before its first checkpoint.
    Nothing is created yet.
    """
    folder = Path(chosen or config.run_dir or RUNS / f"{datetime.now():%Y%m%d-%H%M%S}-{_suffix(config)}")
    _leftovers(folder)
    return folder


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Make the folder if it is missing, and keep other runs out of it meanwhile.

    ConfigError when it cannot be made, or while another run is using it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"run folder {folder} cannot be made: {error.strerror}") from error
    try:
        import fcntl
    except ImportError:  # only Unix has these locks, which end with their process, however it ends
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"run folder {folder} is in use by a run that has not ended") from None
        except OSError:
            pass  # a network folder without locks
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # said aloud, because worker processes hold it too
        os.close(descriptor)


def create(folder: Path, config: Config, device: str) -> bool:
    """Make the folder of a new run, with ``config.yaml`` and ``env.json``.

    Whether it began by removing what a run had left there that ended before its first checkpoint.
    """
    leftovers = _leftovers(folder)
    for path in leftovers:
        path.unlink()
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    write_text(folder / "config.yaml", to_yaml(config))
    write_json(folder / "env.json", _environment(config, device))
    return bool(leftovers)


def find_checkpoint(target: str, config: Config | None, chosen: str | None, first: Path = LAST) -> Path:
    """The file that ``target`` means: a checkpoint, or of a run folder the ``first``, else the one there is.

    Without a target, the folder ``chosen`` or configured, or the newest one of this model and data.
    CheckpointError when there is none.
    """
    folder = target or chosen or (config.run_dir if config else None)
    if folder:
        return _checkpoint_in(Path(folder), first)
    pattern = f"*-{_suffix(config)}" if config else "*"
    found = sorted(RUNS.glob(f"{pattern}/{LAST}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise CheckpointError(f"nothing to resume: no {RUNS}/{pattern}/{LAST}")
    return found[-1]


def _checkpoint_in(path: Path, first: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise CheckpointError(f"checkpoint not found: {path}")
    for name in (first, LAST, BEST):
        if (path / name).is_file():
            return path / name
    if not (path / "config.yaml").is_file() or not (path / LAST.parent).is_dir():
        raise CheckpointError(f"{path} is not the folder of a run")
    raise CheckpointError(
        f"{path} has no checkpoint yet; start that run again with:"
        f" python train.py --config {shlex.quote(str(path / 'config.yaml'))} --run-dir {shlex.quote(str(path))}"
    )


def _leftovers(folder: Path) -> list[Path]:
    """The files of a run that ended before its first checkpoint. ConfigError if ``folder`` holds anything else."""
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise ConfigError(f"run folder {folder} is a file: choose another --run-dir")
    paths = [*folder.iterdir(), *(path for name in _FOLDERS for path in folder.glob(f"{name}/*"))]
    entries = {path: path.relative_to(folder).as_posix() for path in sorted(paths)}
    saved = any(folder.glob("checkpoints/*.pt"))
    if saved and (folder / "config.yaml").is_file():
        raise ConfigError(
            f"run folder {folder} is not empty: go on with --resume {shlex.quote(str(folder))}, or choose --run-dir DIR"
        )
    ours = [path for path, name in entries.items() if name.removesuffix(".tmp") in _FILES and not saved]
    foreign = [name for path, name in entries.items() if path not in ours and name not in _FOLDERS]
    if foreign or (ours and "checkpoints" not in entries.values()):  # a folder of ours begins with checkpoints/
        names = foreign or list(entries.values())
        some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        raise ConfigError(f"run folder {folder} holds something else ({some}): choose an empty one with --run-dir DIR")
    return ours


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
