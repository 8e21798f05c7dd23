"""The name of a value's type, for error messages."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor


def typename(obj: Any) -> str:
    """Type of ``obj`` and its module, as ``torch.typename``: ``int``, ``torch.FloatTensor``, ..."""
    if isinstance(obj, Tensor):
        return obj.type()
    kind = obj if isinstance(obj, type) else type(obj)
    if kind.__module__ in ("builtins", "__builtin__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"
