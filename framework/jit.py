"""Names of torch.jit that library code touches in passing: nothing is ever scripted or traced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["Final", "export", "ignore", "is_scripting", "is_tracing", "script", "script_if_tracing", "unused"]


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """`obj` itself, which runs as it is."""
    return obj


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """A decorator without effect, with or without arguments."""
    return drop if callable(drop) else _same


def unused(fn: Callable) -> Callable:
    """The function itself."""
    return fn


def export(fn: Callable) -> Callable:
    """The function itself."""
    return fn


def script_if_tracing(fn: Callable) -> Callable:
    """The function itself."""
    return fn


def _overload_method(fn: Callable) -> Callable:
    return fn


def _overload(fn: Callable) -> Callable:
    return fn


def _same(value: Any) -> Any:
    return value
