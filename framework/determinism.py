"""Reproducible results: what PyTorch offers a switch for is always so here, run by run on one machine."""

from __future__ import annotations

_asked = False
_warn_only = False
_precision = "highest"


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Kept for `are_deterministic_algorithms_enabled`: operators have one algorithm each, without races, on the CPU.

    On a GPU additions at repeated indices (`index_add`, gradients of indexing) come in any order, whatever is set.
    """
    global _asked, _warn_only
    _asked, _warn_only = bool(mode), bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was last given."""
    return _asked


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """The `warn_only` that `use_deterministic_algorithms` was last given."""
    return _warn_only


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was last given."""
    return _precision


def set_float32_matmul_precision(precision: str) -> None:
    """Kept: products of float32 are always computed in float32. "highest", "high" or "medium"."""
    global _precision
    if precision not in ("highest", "high", "medium"):
        raise ValueError(f"precision must be 'highest', 'high' or 'medium', got {precision!r}")
    _precision = precision
