"""Named results: what `x.max(dim=1)` and other functions of several results return."""

from __future__ import annotations

from collections import namedtuple
from typing import Any


def named_result(name: str, *fields: str) -> Any:
    """A named tuple that prints as PyTorch prints `torch.return_types.<name>`."""
    base = namedtuple(name, fields)  # type: ignore[misc]  # the name is a variable

    def __repr__(self: Any) -> str:
        items = ",\n".join(f"{field}={value!r}" for field, value in zip(fields, self, strict=True))
        return f"torch.return_types.{name}(\n{items})"

    return type(name, (base,), {"__slots__": (), "__repr__": __repr__, "__module__": "torch.return_types"})
