"""Small helpers about sizes, under the names that PyTorch's own layers and code built on them use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

__all__ = ["consume_prefix_in_state_dict_if_present"]


def as_tuple(value: Any, n: int) -> tuple[Any, ...]:
    """``value`` once per dimension if it is a single one, else its items."""
    return tuple(value) if isinstance(value, Iterable) else (value,) * n


def _ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple[Any, ...]]:
    """A function that makes a tuple of ``n`` out of a single value, and a tuple of any iterable."""

    def parse(x: Any) -> tuple[Any, ...]:
        return as_tuple(x, n)

    parse.__name__ = name
    return parse


_single = _ntuple(1, "_single")
_pair = _ntuple(2, "_pair")
_triple = _ntuple(3, "_triple")
_quadruple = _ntuple(4, "_quadruple")


def _reverse_repeat_tuple(t: Sequence[Any], n: int) -> tuple[Any, ...]:
    """The items from last to first, each ``n`` times: a convolution's padding as ``F.pad`` wants it."""
    return tuple(item for item in reversed(t) for _ in range(n))


def _list_with_default(out_size: Any, defaults: Sequence[int]) -> Any:
    """``out_size`` with each None replaced by the size in the same place, counted from the end."""
    if isinstance(out_size, int):
        return out_size
    if len(defaults) <= len(out_size):
        raise ValueError(f"Input dimension should be at least {len(out_size) + 1}")
    sizes = defaults[len(defaults) - len(out_size) :]
    return [size if wanted is None else wanted for wanted, size in zip(out_size, sizes, strict=True)]


def consume_prefix_in_state_dict_if_present(state_dict: dict[str, Any], prefix: str) -> None:
    """Take ``prefix`` (such as ``"module."``) off the keys that start with it, in place, in ``_metadata`` too."""
    for key in [key for key in state_dict if key.startswith(prefix)]:
        state_dict[key.removeprefix(prefix)] = state_dict.pop(key)
    metadata = getattr(state_dict, "_metadata", None)
    if metadata is not None:
        whole = prefix.replace(".", "")  # the prefix's own module has no dot after it
        for key in [key for key in metadata if key and (key == whole or key.startswith(prefix))]:
            metadata[key[len(prefix) :]] = metadata.pop(key)
