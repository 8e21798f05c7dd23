"""Anomaly detection: find the operation whose gradient first becomes nan."""

from __future__ import annotations

import threading
import warnings
from typing import Any

from .. import backend


class _Anomaly(threading.local):
    enabled = False
    check_nan = True


anomaly = _Anomaly()


class set_detect_anomaly:
    """Turns anomaly detection on or off, at once; as a context manager restores it on exit.

    While it is on, backward raises RuntimeError naming the first operation that returned nan.
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._previous = anomaly.enabled, anomaly.check_nan
        anomaly.enabled, anomaly.check_nan = mode, check_nan

    def __enter__(self) -> None:
        return None

    def __exit__(self, *exc: object) -> None:
        anomaly.enabled, anomaly.check_nan = self._previous


class detect_anomaly(set_detect_anomaly):
    """A context inside which backward checks every gradient for nan; slow, for debugging."""

    def __init__(self, check_nan: bool = True) -> None:
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )
        self._check = check_nan
        self._previous = anomaly.enabled, anomaly.check_nan

    def __enter__(self) -> None:
        super().__init__(True, self._check)


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on in this thread."""
    return anomaly.enabled


def check_gradients(node: Any, grads: Any, as_tensors: bool) -> None:
    """RuntimeError if a gradient that `node` returned holds nan."""
    if not anomaly.check_nan:
        return
    for index, value in enumerate(grads):
        array = value._array if as_tensors and value is not None else value
        if array is not None and bool(backend.namespace(array).isnan(array).any()):
            raise RuntimeError(f"Function '{node.name()}' returned nan values in its {index}th output.")
