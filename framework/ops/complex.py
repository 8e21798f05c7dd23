"""Complex tensors from parts, and their parts side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..backend import namespace
from ..engine import op
from .pointwise import conj, cos, sin


def _check_pair(name: str, first: Any, second: Any) -> None:
    if first.dtype != second.dtype:
        one, two = (dtypes.scalar_type_name(x.dtype) for x in (first, second))
        raise RuntimeError(f"Expected object of scalar type {one} but got scalar type {two} for second argument")
    if first.dtype not in (np.float32, np.float64):
        named = dtypes.scalar_type_name(first.dtype)
        raise RuntimeError(f"Expected both inputs to be Half, Float or Double tensors but got {named} and {named}")


@op(half="keep", real=lambda g: g, imag=lambda g: g * 1j)
def complex(real, imag):
    """`real + i imag`."""
    _check_pair("complex", real, imag)
    return real + imag * np.dtype(np.complex64 if real.dtype == np.float32 else np.complex128).type(1j)


@op(half="keep", abs=lambda g, angle: g * cos(angle) + g * sin(angle) * 1j, angle=lambda g, out: g * out * 1j)
def polar(abs, angle):
    """`abs (cos(angle) + i sin(angle))`."""
    _check_pair("polar", abs, angle)
    xp = namespace(abs)
    return complex.plain(abs * xp.cos(angle), abs * xp.sin(angle))


@op(view=True, input=lambda g: conj(view_as_complex(g)))
def view_as_real(input):
    """Real and imaginary parts as a new last dimension of two; a view."""
    if input.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    input = namespace(input).asarray(input)  # a formula may hand over a NumPy scalar
    part = input.real
    shape, strides = (*input.shape, 2), (*input.strides, part.itemsize)
    return namespace(input).lib.stride_tricks.as_strided(part, shape, strides)


@op(view=True, input=lambda g: view_as_real(conj(g)))
def view_as_complex(input):
    """Pairs in the last dimension as complex numbers; a view where they are neighbours in memory."""
    if input.dtype not in (np.float32, np.float64):
        named = dtypes.scalar_type_name(input.dtype)
        raise RuntimeError(f"view_as_complex is only supported for half, float and double tensors, but got {named}")
    if input.ndim == 0 or input.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    pairs = input if input.strides[-1] == input.itemsize else namespace(input).ascontiguousarray(input)
    return pairs.view(np.complex64 if input.dtype == np.float32 else np.complex128)[..., 0]
