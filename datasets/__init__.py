"""Datasets by name: `create("digits", split="train")`."""

import inspect
from typing import Any

from framework.suggestions import suggestion

from . import transforms
from .base import ArrayImageDataset
from .digits import Digits

__all__ = ["ArrayImageDataset", "Digits", "create", "names", "transforms"]

_DATASETS: dict[str, type[ArrayImageDataset]] = {"digits": Digits}


def names() -> list[str]:
    """The names that `create` knows."""
    return sorted(_DATASETS)


def create(name: str, **options: Any) -> ArrayImageDataset:
    """The dataset of this name. Raises ValueError for an unknown name, TypeError for an unknown option."""
    if name not in _DATASETS:
        raise ValueError(f"unknown dataset {name!r}{suggestion(name, names())}")
    dataset = _DATASETS[name]
    known = list(inspect.signature(dataset).parameters)
    for option in options:
        if option not in known:
            raise TypeError(f"dataset {name!r} has no option {option!r}{suggestion(option, known)}")
    return dataset(**options)
