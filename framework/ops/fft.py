"""Discrete Fourier transforms.

Three operators do all: complex to complex, real to complex (one half of the spectrum, or all of it) and back. The
transform is linear and its matrix symmetric, so the gradient of a complex transform is the same transform again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..backend import namespace
from ..engine import op, wrap
from .pointwise import conj, real
from .shape import _pad_slice, narrow, roll, shape_of, wrap_dim, wrap_dims

#: The norm under which the transform in the other direction has the same factor.
_TURNED = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _complex_transform(xp: Any, array: Any, dims: Any, norm: str, forward: bool) -> Any:
    function = xp.fft.fftn if forward else xp.fft.ifftn
    return function(array, axes=dims, norm=norm)


@op(half="keep", name="FftC2CBackward0", input=lambda g, dims, norm, forward: _fft_c2c(g, dims, norm, forward))
def _fft_c2c(input, dims, norm, forward):
    return _complex_transform(namespace(input), input, dims, norm, forward) if dims else input.copy()


@op(half="keep", name="FftR2CBackward0", input=lambda g, dims, norm, forward: real(_fft_c2c(g, dims, norm, forward)))
def _fft_r2c_whole(input, dims, norm, forward):
    return _complex_transform(namespace(input), input, dims, norm, forward)


def _half_input(g, input_shape, dim, norm):
    return real(_fft_c2c(_resized(g, dim, input_shape[dim]), (dim,), norm, True))


@op(half="keep", name="FftR2CBackward0", input=_half_input)
def _fft_r2c(input, dim, norm):
    return namespace(input).fft.rfft(input, axis=dim, norm=norm)


def _back_input(g, dim, norm, n):
    half = conj(_fft_r2c(g, dim, _TURNED[norm]))
    return half * _counts(half, dim, n)


def _counts(half: Any, dim: int, n: int) -> Any:
    """How often each number of the half spectrum stands in the whole one: twice, but at both ends once."""
    size = shape_of(half)[dim]
    array = half._array if hasattr(half, "_array") else half
    xp = namespace(array)
    places = xp.arange(size)
    once = (places == 0) | (2 * places == n)
    shape = (-1,) + (1,) * (array.ndim - dim - 1)
    counts = xp.where(once, 1, 2).astype(array.real.dtype).reshape(shape)
    return counts if array is half else wrap(counts)


@op(half="keep", name="FftC2RBackward0", input=_back_input)
def _fft_c2r(input, dim, norm, n):
    return namespace(input).fft.irfft(input, n, axis=dim, norm=norm)


# --- arguments ----------------------------------------------------------------------------------------------------


def _norm(norm: str | None) -> str:
    if norm not in (None, "forward", "backward", "ortho"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return norm or "backward"


def _floating(input: Any) -> Any:
    """The input in a type that has a transform."""
    if input.dtype.category in ("int", "bool"):
        return input.to(dtypes.get_default_dtype())
    if input.dtype in (dtypes.float16, dtypes.bfloat16):
        raise RuntimeError(f"Unsupported dtype {dtypes.scalar_type_name(input.dtype)}")
    return input


def _real(name: str, input: Any) -> Any:
    if input.is_complex():
        raise RuntimeError(f"{name} expects a real input tensor, but got {dtypes.scalar_type_name(input.dtype)}")
    return _floating(input)


def _complex(input: Any) -> Any:
    input = _floating(input)
    return input.to(input.dtype.to_complex())


def _one_dim(input: Any, dim: int) -> int:
    ndim = len(shape_of(input))
    if not ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return wrap_dim(dim, ndim)


def _several_dims(input: Any, s: Any, dim: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The dimensions to transform and the sizes to transform them at."""
    shape = shape_of(input)
    ndim = len(shape)
    if dim is None:
        dims = tuple(range(ndim)) if s is None else tuple(range(ndim - len(s), ndim))
        if s is not None and len(s) > ndim:
            raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {ndim} dimensions.")
    else:
        raw = (dim,) if isinstance(dim, int) else tuple(dim)
        dims = tuple(wrap_dim(d, ndim) for d in raw)
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
    if s is not None and len(s) != len(dims):
        raise RuntimeError("When given, dim and shape arguments must have the same length")
    given = [-1] * len(dims) if s is None else list(s)
    sizes = tuple(shape[d] if n == -1 else int(n) for d, n in zip(dims, given, strict=True))
    return dims, sizes


def _resized(input: Any, dim: int, n: int) -> Any:
    """The first `n` elements along `dim`, zeros where there are fewer."""
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    shape = shape_of(input)
    if n == shape[dim]:
        return input
    if n < shape[dim]:
        return narrow(input, dim, 0, n)
    return _pad_slice(input, (*shape[:dim], n, *shape[dim + 1 :]), dim, 0)


def _resized_all(input: Any, dims: Sequence[int], sizes: Sequence[int]) -> Any:
    for d, n in zip(dims, sizes, strict=True):
        input = _resized(input, d, n)
    return input


def _into(out: Any, result: Any) -> Any:
    return result if out is None else out.copy_(result)


# --- complex transforms -------------------------------------------------------------------------------------------


def _transform(input: Any, dims: tuple, sizes: tuple, norm: str | None, forward: bool, out: Any) -> Any:
    kind, input = _norm(norm), _resized_all(_floating(input), dims, sizes)
    if input.is_complex() or not dims:
        return _into(out, _fft_c2c(_complex(input), dims, kind, forward))
    return _into(out, _fft_r2c_whole(input, dims, kind, forward))


def fft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Any:
    """The discrete Fourier transform along `dim`, cut or padded with zeros to `n` elements.

    `norm` divides the transform by n ("forward"), by its root ("ortho"), or not at all ("backward", the default);
    transforms back divide by what is left.
    """
    at = _one_dim(input, dim)
    return _transform(input, (at,), (shape_of(input)[at] if n is None else n,), norm, True, out)


def ifft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Any:
    """The inverse of `fft`."""
    at = _one_dim(input, dim)
    return _transform(input, (at,), (shape_of(input)[at] if n is None else n,), norm, False, out)


def fftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None, *, out: Any = None) -> Any:
    """`fft` along several dimensions (all unless given), at the sizes `s`."""
    return _transform(input, *_several_dims(input, s, dim), norm, True, out)


def ifftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None, *, out: Any = None) -> Any:
    """The inverse of `fftn`."""
    return _transform(input, *_several_dims(input, s, dim), norm, False, out)


def fft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: str | None = None, *, out: Any = None) -> Any:
    """`fftn` along two dimensions, the last two unless given."""
    return fftn(input, s, dim, norm, out=out)


def ifft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: str | None = None, *, out: Any = None) -> Any:
    """The inverse of `fft2`."""
    return ifftn(input, s, dim, norm, out=out)


# --- real transforms ----------------------------------------------------------------------------------------------


def rfftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None, *, out: Any = None) -> Any:
    """`fftn` of real input: half of the spectrum, the last dimension up to n // 2."""
    input = _real("rfftn", input)
    dims, sizes = _several_dims(input, s, dim)
    if not dims:
        raise RuntimeError("rfftn must transform at least one axis")
    half = _fft_r2c(_resized_all(input, dims, sizes), dims[-1], _norm(norm))
    return _into(out, _fft_c2c(half, dims[:-1], _norm(norm), True) if dims[:-1] else half)


def irfftn(input: Any, s: Any = None, dim: Any = None, norm: str | None = None, *, out: Any = None) -> Any:
    """The inverse of `rfftn`; its last dimension has 2 (m - 1) elements unless `s` says otherwise."""
    input = _complex(input)
    dims, sizes = _several_dims(input, s, dim)
    if not dims:
        raise RuntimeError("irfftn must transform at least one axis")
    last = 2 * (sizes[-1] - 1) if s is None or s[-1] == -1 else sizes[-1]
    input = _resized_all(input, dims, (*sizes[:-1], last // 2 + 1 if last > 0 else last))
    whole = _fft_c2c(input, dims[:-1], _norm(norm), False) if dims[:-1] else input
    return _into(out, _fft_c2r(whole, dims[-1], _norm(norm), last))


def rfft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Any:
    """`fft` of real input: the first n // 2 + 1 numbers, of which the others are conjugates."""
    _real("rfft", input)
    return rfftn(input, None if n is None else (n,), (_one_dim(input, dim),), norm, out=out)


def irfft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Any:
    """The inverse of `rfft`: `n` real numbers, 2 (m - 1) unless given."""
    return irfftn(input, None if n is None else (n,), (_one_dim(input, dim),), norm, out=out)


def rfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: str | None = None, *, out: Any = None) -> Any:
    """`rfftn` along two dimensions, the last two unless given."""
    return rfftn(input, s, dim, norm, out=out)


def irfft2(input: Any, s: Any = None, dim: Any = (-2, -1), norm: str | None = None, *, out: Any = None) -> Any:
    """The inverse of `rfft2`."""
    return irfftn(input, s, dim, norm, out=out)


def hfft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Any:
    """`fft` of a signal whose other half are conjugates: a real spectrum of `n` numbers, 2 (m - 1) unless given."""
    return irfft(conj(_complex(input)), n, dim, _TURNED[_norm(norm)], out=out)


def ihfft(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Any:
    """The inverse of `hfft`, of real input."""
    _real("ihfft", input)
    return _into(out, conj(rfft(input, n, dim, _TURNED[_norm(norm)])))


# --- order of frequencies -----------------------------------------------------------------------------------------


def fftshift(input: Any, dim: Any = None) -> Any:
    """Frequency zero moved to the middle of `dim` (all dimensions unless given)."""
    dims = wrap_dims(dim, len(shape_of(input)))
    return roll(input, tuple(shape_of(input)[d] // 2 for d in dims), dims)


def ifftshift(input: Any, dim: Any = None) -> Any:
    """The inverse of `fftshift`."""
    dims = wrap_dims(dim, len(shape_of(input)))
    return roll(input, tuple(-(shape_of(input)[d] // 2) for d in dims), dims)
