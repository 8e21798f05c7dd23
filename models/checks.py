"""Checks that the models share."""

from __future__ import annotations


def positive_int(name: str, value: object) -> int:
    """``value`` if it is an integer above zero, else an error that names the option."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
    return value
