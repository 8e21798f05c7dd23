"""Checks of types that an operator does not take, for `@op(check=...)`: PyTorch's error type and message.

A check sees the operator's arguments as they came: arrays for tensors, numbers and strings as they are. It says
`"kernel" not implemented for 'Type'` unless it is given a message of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import dtypes

_PYTHON_NAMES = {"b": "Bool", "i": "Long", "f": "Float", "c": "ComplexFloat"}


def _kind(value: Any) -> str:
    """NumPy's letter for the kind of an array or number; empty for anything else."""
    if hasattr(value, "dtype"):
        return value.dtype.kind
    for kind, numbers in (("b", bool), ("i", int), ("f", float), ("c", complex)):
        if isinstance(value, numbers):
            return kind
    return ""


def _refusal(value: Any, kernel: str, message: str, error: type[Exception]) -> Exception:
    if hasattr(value, "dtype"):
        name = dtypes.scalar_type_name(value.dtype)
    else:
        name = _PYTHON_NAMES[_kind(value)]
    return error(message or f"\"{kernel}\" not implemented for '{name}'")


def no_complex(kernel: str, message: str = "", error: type[Exception] = NotImplementedError) -> Callable:
    """Refuses any complex operand."""

    def check(*args: Any) -> None:
        for value in args:
            if _kind(value) == "c":
                raise _refusal(value, kernel, message, error)

    return check


def _no_kinds(kinds: str) -> Callable:
    def refuse(
        kernel: str, message: str = "", error: type[Exception] = NotImplementedError, operands: int = 1
    ) -> Callable:
        def check(*args: Any) -> None:
            if all(_kind(value) in kinds for value in args[:operands]):
                raise _refusal(args[0], kernel, message, error)

        return check

    refuse.__doc__ = f"Refuses when the first `operands` arguments are all of the kinds '{kinds}'."
    return refuse


no_bool = _no_kinds("b")
no_integers = _no_kinds("biu")


def both(first: Callable, second: Callable) -> Callable:
    """Two checks, one after the other."""

    def check(*args: Any) -> None:
        first(*args)
        second(*args)

    return check
