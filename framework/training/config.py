"""The settings of a run: typed, strict, from YAML and the command line.

Defaults < YAML file < command line (``optim.lr=0.05``). An unknown key, a duplicate key or a value of the
wrong type is a :class:`ConfigError` that names the full key.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import yaml
from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ..suggestions import closest
from .errors import ConfigError

METRICS = ("train/loss", "val/loss", "val/acc1", "val/acc5")


@dataclass
class ModelConfig:
    """Which model, and where its weights come from."""

    name: str = MISSING
    options: dict[str, Any] = field(default_factory=dict)  # passed to the model, e.g. width: 64
    checkpoint: str | None = None  # start from this file's backbone, with a new head
    head_only: bool = False  # freeze all but the head


@dataclass
class DataConfig:
    """Which data set."""

    name: str = MISSING
    classes: list[int] | None = None  # only these, renumbered from 0
    workers: int = 0  # processes that load data; 0 loads in the main one


@dataclass
class OptimConfig:
    """Constructor arguments of the optimizer under PyTorch's names; null means its own default."""

    name: str = "sgd"
    lr: float = 0.1
    momentum: float | None = None
    dampening: float | None = None
    nesterov: bool | None = None
    betas: list[float] | None = None
    eps: float | None = None
    amsgrad: bool | None = None
    weight_decay: float | None = None


@dataclass
class SchedConfig:
    """The learning rate over the run: a linear warm-up, then constant or falling as a cosine to ``min_lr``."""

    name: str = "cosine"
    warmup_epochs: float = 0.0
    warmup_lr: float = 0.0
    min_lr: float = 0.0


@dataclass
class TrainConfig:
    """How long and in what portions."""

    epochs: int = 10
    batch_size: int = 64
    label_smoothing: float = 0.0


@dataclass
class SaveConfig:
    """By which metric ``best.pt`` is chosen."""

    monitor: str = "val/acc1"
    mode: str = "max"


@dataclass
class LogConfig:
    """Off a terminal, a progress line every ``interval`` seconds."""

    interval: float = 10.0


@dataclass
class Config:
    """All settings of a run."""

    seed: int = 0
    device: str = "auto"  # auto, cpu, cuda, cuda:1
    run_dir: str | None = None  # null: runs/<date>-<time>-<model>-<data>
    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    sched: SchedConfig = field(default_factory=SchedConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    save: SaveConfig = field(default_factory=SaveConfig)
    log: LogConfig = field(default_factory=LogConfig)


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """The configuration in a YAML file, with ``key=value`` overrides. ConfigError when anything is wrong."""
    return _build([(str(path), _read_yaml(path)), ("command line", _read_overrides(overrides))])


def config_from_dict(values: dict[str, Any], source: str, overrides: Sequence[str] = ()) -> Config:
    """The configuration that :func:`to_dict` once returned; ``source`` says in errors where it came from."""
    return _build([(source, values), ("command line", _read_overrides(overrides))])


def to_dict(config: Config) -> dict[str, Any]:
    """Plain dicts, lists, numbers, strings and None, fit for a checkpoint."""
    return dataclasses.asdict(config)


def to_yaml(config: Config) -> str:
    """YAML text that :func:`load_config` accepts."""
    return yaml.safe_dump(to_dict(config), sort_keys=False, allow_unicode=True)


def flatten(values: dict[str, Any]) -> dict[str, Any]:
    """What :func:`to_dict` returns, with one entry per key: ``{"seed": 0, "model.name": "mlp", ...}``."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if name in _SECTIONS and isinstance(value, dict):
            flat.update({f"{name}.{key}": item for key, item in value.items()})
        else:
            flat[name] = value
    return flat


def changes(stored: dict[str, Any], config: Config) -> dict[str, tuple[Any, Any]]:
    """The keys whose value in ``config`` is not the one in ``stored``, with the stored and the new value."""
    before = flatten(stored)
    after = flatten(to_dict(config))
    return {key: (before.get(key), value) for key, value in after.items() if before.get(key) != value}


@contextmanager
def config_errors(section: str) -> Iterator[None]:
    """Turn the ValueError or TypeError of a constructor that got configured options into a ConfigError."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{section}: {error}") from error


_SECTIONS = {f.name for f in dataclasses.fields(Config) if dataclasses.is_dataclass(f.default_factory)}


def _known_keys() -> dict[str, Any]:
    """Every settable key with its type: ``{"seed": int, "model.name": str, ...}``."""
    keys: dict[str, Any] = {}
    for name, kind in get_type_hints(Config).items():
        if name in _SECTIONS:
            keys.update({f"{name}.{key}": item for key, item in get_type_hints(kind).items()})
        else:
            keys[name] = kind
    return keys


_KEYS = _known_keys()

# What the types cannot say: how a message describes the value, and which values of the type are right.
_RANGES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "seed": ("an integer from 0 to 4294967295", lambda x: 0 <= x < 2**32),
    "data.workers": ("an integer, 0 or more", lambda x: x >= 0),
    "optim.lr": ("a finite number above 0", lambda x: x > 0),
    "optim.betas": ("two finite numbers or null", lambda x: x is None or len(x) == 2),
    "sched.name": ("constant or cosine", lambda x: x in ("constant", "cosine")),
    "sched.warmup_epochs": ("a finite number, 0 or more", lambda x: x >= 0),
    "sched.warmup_lr": ("a finite number, 0 or more", lambda x: x >= 0),
    "sched.min_lr": ("a finite number, 0 or more", lambda x: x >= 0),
    "train.epochs": ("an integer, at least 1", lambda x: x >= 1),
    "train.batch_size": ("an integer, at least 1", lambda x: x >= 1),
    "train.label_smoothing": ("a number from 0 to below 1", lambda x: 0 <= x < 1),
    "save.monitor": (f"one of {', '.join(METRICS)}", lambda x: x in METRICS),
    "save.mode": ("max or min", lambda x: x in ("max", "min")),
    "log.interval": ("a finite number above 0", lambda x: x > 0),
}


def _build(layers: list[tuple[str, dict[str, Any]]]) -> Config:
    merged = OmegaConf.structured(Config)
    for source, values in layers:
        _merge(merged, values, source)
    missing = OmegaConf.missing_keys(merged)
    if missing:
        raise ConfigError(f"{layers[0][0]}: missing {', '.join(sorted(missing))}")
    config = OmegaConf.to_object(merged)
    assert isinstance(config, Config)
    _check_together(config)
    return config


def _merge(config: Any, values: dict[str, Any], source: str, section: str = "") -> None:
    for key, value in values.items():
        path = f"{section}{key}"
        if path in _SECTIONS:
            if not isinstance(value, dict):
                raise ConfigError(f"{source}: {path} must be a section of keys, got {value!r}")
            _merge(config, value, source, f"{path}.")
        elif path not in _KEYS:
            raise ConfigError(f"{source}: unknown key {path}{_suggestion(path, section)}")
        elif "${" in str(value):
            raise ConfigError(f"{source}: {path} holds ${{...}}, references are not supported")
        elif not _fits(_KEYS[path], value) or (path in _RANGES and not _RANGES[path][1](value)):
            expected = _RANGES[path][0] if path in _RANGES else _describe(_KEYS[path])
            raise ConfigError(f"{source}: {path} must be {expected}, got {value!r}")
        else:
            OmegaConf.update(config, path, value)


def _suggestion(path: str, section: str) -> str:
    leaf = path.rpartition(".")[2]
    elsewhere = [key for key in _KEYS if key.rpartition(".")[2] == leaf]
    guess = elsewhere[0] if elsewhere else closest(path, [*_KEYS, *_SECTIONS], cutoff=0.75)
    if guess:
        return f"; did you mean {guess}?"
    siblings = [k.removeprefix(section) for k in _KEYS if k.startswith(section)] if section else [*_SECTIONS]
    return f"; {section.rstrip('.') or 'the top level'} has: {', '.join(sorted(siblings))}"


def _fits(kind: Any, value: object) -> bool:
    """Stricter than OmegaConf, which takes 5 for true and "12" for a number; no number is infinite or NaN."""
    if isinstance(kind, UnionType):
        return any(_fits(one, value) for one in get_args(kind))
    if get_origin(kind) is list:
        return isinstance(value, list) and all(_fits(get_args(kind)[0], item) for item in value)
    if get_origin(kind) is dict:
        return isinstance(value, dict) and _all_finite(value)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind) and _all_finite(value)


def _all_finite(value: object) -> bool:
    if isinstance(value, (list, dict)):
        return all(map(_all_finite, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or math.isfinite(value)


def _describe(kind: Any) -> str:
    if isinstance(kind, UnionType):
        return f"{_describe(get_args(kind)[0])} or null"
    if get_origin(kind) is list:
        return f"a list, each item {_describe(get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return "a mapping without infinite numbers"
    return {int: "an integer", float: "a finite number", bool: "true or false", str: "text"}[kind]


def _read_yaml(path: str | Path) -> dict[str, Any]:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"config file not found: {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"config file {path} cannot be read: {error}") from error
    return _parse(text, str(path))


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        # An alias can make a small file enormous, or contain itself.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ConfigError(f"{source}: YAML aliases (*name) are not supported")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            return {}
        if not isinstance(root, yaml.MappingNode):
            raise ConfigError(f"{source}: expected keys and values, got {text.strip().splitlines()[0]!r}")
        _refuse_duplicates(root, source)
        # OmegaConf's own YAML reader, because plain YAML 1.1 takes 1e-3 for text.
        values: Any = OmegaConf.to_container(OmegaConf.create(text), resolve=False)
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: not valid YAML: {_first_line(error)}") from error
    except OmegaConfBaseException as error:
        raise ConfigError(f"{source}: {str(error).splitlines()[0]}") from error
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply") from None
    return values


def _refuse_duplicates(node: yaml.Node, source: str, path: str = "") -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    seen = set()
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):  # such as {{ lr }}, which a template was to replace
            raise ConfigError(
                f"{source}: line {key.start_mark.line + 1}: a key must be a word, not a list or a mapping"
            )
        if key.value in seen:
            raise ConfigError(f"{source}: line {key.start_mark.line + 1}: duplicate key {path}{key.value}")
        seen.add(key.value)
        _refuse_duplicates(value, source, f"{path}{key.value}.")


def _first_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem


def _read_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for item in overrides:
        key, equals, text = item.partition("=")
        if not equals or not key:
            raise ConfigError(f"command line: expected key=value, got {item!r}")
        target = values
        *sections, leaf = key.split(".")
        for section in sections:
            target = target.setdefault(section, {})
            if not isinstance(target, dict):
                raise ConfigError(f"command line: {key} contradicts an earlier override")
        if leaf in target:
            what = "contradicts an earlier override" if isinstance(target[leaf], dict) else "comes twice"
            raise ConfigError(f"command line: {key} {what}")
        target[leaf] = _parse(f"value: {text}", f"command line: {item}")["value"]
    return values


def _check_together(config: Config) -> None:
    """What depends on more than one key."""
    optim, sched, train = config.optim, config.sched, config.train
    if sched.min_lr > optim.lr:
        raise ConfigError(f"sched.min_lr must be at most optim.lr = {optim.lr}, got {sched.min_lr}")
    if sched.warmup_epochs > train.epochs:
        raise ConfigError(
            f"sched.warmup_epochs must be at most train.epochs = {train.epochs}, got {sched.warmup_epochs:g}"
        )
    if config.model.head_only and config.model.checkpoint is None:
        raise ConfigError("model.head_only freezes the backbone, so it needs model.checkpoint to take one from")
