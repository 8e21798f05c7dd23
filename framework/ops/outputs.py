"""`out=` of functions that are made of several operators."""

from __future__ import annotations

from typing import Any

from ..engine import mode
from ..engine.op import write_out


def store(name: str, out: Any, result: Any) -> Any:
    """`result` (a Tensor or a tuple of them), or with `out` given, `out` after the result was written there."""
    if out is None:
        return result
    if not isinstance(result, tuple):
        _refuse_gradients(name, result, out)
        write_out(name, out, result)
        return out
    if len(out) != len(result):
        raise TypeError(f"expected tuple of {len(result)} elements but got {len(out)}")
    for target, value in zip(out, result, strict=True):
        _refuse_gradients(name, value, target)
        write_out(name, target, value)
    return type(result)(*out) if hasattr(result, "_fields") else tuple(out)


def _refuse_gradients(name: str, value: Any, target: Any) -> None:
    if mode.enabled and (value.requires_grad or getattr(target, "requires_grad", False)):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
