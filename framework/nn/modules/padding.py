"""Padding layers.

``padding`` is one number for all sides, or the amounts before and after each dimension, the last dimension first.
"""

from __future__ import annotations

from typing import Any

from ...tensor import Tensor
from .. import functional as F
from .module import Module
from .utils import as_tuple

Padding = int | tuple[int, ...]


class _Pad(Module):
    """Padding in one mode of ``F.pad``; ``_n`` is the number of padded dimensions."""

    _n: int
    _mode: str

    def __init__(self, padding: Padding) -> None:
        super().__init__()
        self.padding = as_tuple(padding, 2 * self._n)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


# --- a constant ---------------------------------------------------------------------------------------------------


class _ConstantPadNd(Module):
    _n: int

    def __init__(self, padding: Padding, value: float) -> None:
        super().__init__()
        self.value = value
        self.padding = as_tuple(padding, 2 * self._n)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """The last dimension padded with ``value``."""

    _n = 1


class ConstantPad2d(_ConstantPadNd):
    """The last two dimensions padded with ``value``."""

    _n = 2


class ConstantPad3d(_ConstantPadNd):
    """The last three dimensions padded with ``value``."""

    _n = 3


class ZeroPad1d(ConstantPad1d):
    """The last dimension padded with zeros."""

    def __init__(self, padding: Padding) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """The last two dimensions padded with zeros."""

    def __init__(self, padding: Padding) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """The last three dimensions padded with zeros."""

    def __init__(self, padding: Padding) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


# --- what is there already ----------------------------------------------------------------------------------------


class _ReflectionPadNd(_Pad):
    _mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """(N, C, L) or (C, L) mirrored at its ends, which are not repeated."""

    _n = 1


class ReflectionPad2d(_ReflectionPadNd):
    """(N, C, H, W) or (C, H, W) mirrored at its edges, which are not repeated."""

    _n = 2


class ReflectionPad3d(_ReflectionPadNd):
    """(N, C, D, H, W) or (C, D, H, W) mirrored at its faces, which are not repeated."""

    _n = 3


class _ReplicationPadNd(_Pad):
    _mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """(N, C, L) or (C, L) with its first and last elements repeated."""

    _n = 1


class ReplicationPad2d(_ReplicationPadNd):
    """(N, C, H, W) or (C, H, W) with its edges repeated."""

    _n = 2


class ReplicationPad3d(_ReplicationPadNd):
    """(N, C, D, H, W) or (C, D, H, W) with its faces repeated."""

    _n = 3


class _CircularPadNd(_Pad):
    _mode = "circular"

    def _check_input_dim(self, input: Any) -> None:
        """Raise ValueError unless the input has a number of dimensions that the layer is for."""
        n = self._n
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        return F.pad(input, self.padding, self._mode)


class CircularPad1d(_CircularPadNd):
    """(N, C, L) or (C, L) as if it went round in a circle."""

    _n = 1


class CircularPad2d(_CircularPadNd):
    """(N, C, H, W) or (C, H, W) as if it lay on a torus."""

    _n = 2


class CircularPad3d(_CircularPadNd):
    """(N, C, D, H, W) or (C, D, H, W) as if opposite faces met."""

    _n = 3
