"""torch.compile and its questions: programs run as they are."""

from __future__ import annotations

from typing import Any

from .jit import _same


def compile(model: Any = None, **options: Any) -> Any:
    """`model` itself (a function or module), or without one a decorator that returns what it is given."""
    return _same if model is None else model


def is_compiling() -> bool:
    """False."""
    return False


def is_dynamo_compiling() -> bool:
    """False."""
    return False


def disable(fn: Any = None, recursive: bool = True) -> Any:
    """`fn` itself, or without one a decorator that returns what it is given."""
    return _same if fn is None else fn
