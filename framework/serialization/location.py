"""Where loaded memory goes: the device it was saved from, or the one that `map_location` names."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..backend import CPU, cuda_device_count, device, resolve

#: What `load` takes: nothing, a device or its name for everything, or the new device of each old one.
MapLocation = str | device | dict[str, Any] | None


def placement(map_location: MapLocation) -> Callable[[str], device]:
    """The function from a storage's location in the file (`cpu`, `cuda:0`) to the device to put it on.

    TypeError for a `map_location` of another type. The function raises RuntimeError for a device that is not there.
    """
    if map_location is None:
        return functools.cache(_available)
    if isinstance(map_location, dict):
        return functools.cache(lambda location: _available(str(map_location.get(location, location))))
    if isinstance(map_location, (str, device)):
        return functools.cache(lambda location: _available(str(map_location)))
    raise TypeError(
        f"map_location must be None, a str, a device or a dict, not {type(map_location).__name__} (for a function that "
        "returns its storage, write map_location='cpu')"
    )


def _available(location: str) -> device:
    kind, _, number = location.partition(":")
    if kind not in ("cpu", "cuda") or (number and not (number.isdecimal() and len(number) < 10)):
        raise RuntimeError(
            f"don't know how to restore memory from the device {location[:40]!a}: use map_location='cpu' to map it to "
            "the CPU"
        )
    if kind == "cpu":
        return CPU
    count = cuda_device_count()
    if count == 0:
        raise RuntimeError(
            "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you are "
            "running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your "
            "storages to the CPU."
        )
    if number and int(number) >= count:
        raise RuntimeError(
            f"Attempting to deserialize object on CUDA device {int(number)} but torch.cuda.device_count() is {count}. "
            "Please use torch.load with map_location to map your storages to an existing device."
        )
    return resolve(location)
