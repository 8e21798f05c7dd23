"""`framework.fft`: Fourier transforms under torch.fft's names."""

from __future__ import annotations

from typing import Any

from .creation import tensor
from .ops.fft import (
    fft,
    fft2,
    fftn,
    fftshift,
    hfft,
    ifft,
    ifft2,
    ifftn,
    ifftshift,
    ihfft,
    irfft,
    irfft2,
    irfftn,
    rfft,
    rfft2,
    rfftn,
)
from .tensor import Tensor


def _frequencies(numbers: list[int], step: float, dtype: Any, device: Any, requires_grad: bool, out: Any) -> Tensor:
    made = tensor([float(n) for n in numbers], dtype=dtype, device=device) * step
    made = made.requires_grad_() if requires_grad else made
    return made if out is None else out.copy_(made)


def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of the `n` numbers of `fft`, for samples `d` apart: from 0 up, then the negative ones."""
    numbers = [*range((n + 1) // 2), *range(-(n // 2), 0)]
    return _frequencies(numbers, 1.0 / (n * d), dtype, device, requires_grad, out)


def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The frequencies of the numbers of `rfft`: the non-negative half of `fftfreq`."""
    return _frequencies(list(range(n // 2 + 1)), 1.0 / (n * d), dtype, device, requires_grad, out)


__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]
