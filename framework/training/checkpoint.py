"""Checkpoints: written so that a crash leaves the old file or the new one, read without trusting the file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import Tensor, load, save
from ..nn import Module
from .errors import CheckpointError
from .files import replacing

FORMAT_VERSION = 1
_CONTENTS: dict[str, type] = {
    "format_version": int,
    "model": dict,
    "optimizer": dict,
    "scheduler": dict,
    "epoch": int,
    "step": int,
    "batch_in_epoch": int,
    "running": dict,
    "rng": dict,
    "sampler": dict,
    "best": dict,
    "config": dict,
    "classes": list,
}


def save_checkpoint(state: Mapping[str, Any], path: str | Path) -> None:
    """Write ``state`` (tensors, dicts, lists, numbers, strings, None) to ``path``, all of it or nothing.

    OSError when the folder is missing or read-only or the disk is full; the old file is then still there.
    """
    with replacing(Path(path)) as file:
        save(dict(state), file)


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """The dict that :func:`save_checkpoint` wrote for a run, tensors on the CPU.

    CheckpointError when the file is missing, damaged, or something else.
    """
    state = _read(path)
    bad = [key for key, kind in _CONTENTS.items() if not isinstance(state.get(key), kind)]
    if bad:
        raise CheckpointError(f"{path} is not a checkpoint of a training run: it has no {', '.join(bad)}")
    _check_state_dict(state["model"], path)
    if state["format_version"] != FORMAT_VERSION:
        raise CheckpointError(f"{path} has format version {state['format_version']}, expected {FORMAT_VERSION}")
    return state


def load_weights(path: str | Path) -> dict[str, Tensor]:
    """A model's ``state_dict``, on the CPU, from a run's checkpoint or from a file that holds nothing else.

    CheckpointError when the file is missing, damaged, or holds no weights.
    """
    state = _read(path)
    return _check_state_dict(state.get("model", state), path)


def check_weights(model: Module, weights: Mapping[str, Tensor], path: str | Path, skip: str | None = None) -> None:
    """CheckpointError unless ``weights`` fit ``model`` in names and shapes; submodule ``skip`` is left out."""
    own = model.state_dict()
    if skip is not None:
        own = {key: value for key, value in own.items() if not key.startswith(skip + ".")}
        weights = {key: value for key, value in weights.items() if not key.startswith(skip + ".")}
    problems = [f"no {key}" for key in own if key not in weights]
    problems += [f"unknown {key}" for key in weights if key not in own]
    problems += [
        f"{key} is {tuple(weights[key].shape)} and not {tuple(value.shape)}"
        for key, value in own.items()
        if key in weights and weights[key].shape != value.shape
    ]
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise CheckpointError(
            f"{path} holds another model than {type(model).__name__}: {', '.join(problems[:3])}{more}"
        )


def _check_state_dict(weights: Any, path: str | Path) -> dict[str, Tensor]:
    if not isinstance(weights, dict) or not weights:
        raise CheckpointError(f"{path} holds no model weights")
    for key, value in weights.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise CheckpointError(f"{path} holds no model weights: {key!r} is a {type(value).__name__}, not a tensor")
    return weights


def _read(path: str | Path) -> dict[str, Any]:
    if not Path(path).is_file():
        raise CheckpointError(f"checkpoint not found: {path}")
    try:
        state = load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged or hostile file causes, the user gets one clear line
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"{path} cannot be read, it may be truncated or no checkpoint: {reason}") from error
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} is not a checkpoint: it holds a {type(state).__name__}")
    return state
