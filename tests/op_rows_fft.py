"""Rows of the Fourier transforms and of complex tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
from op_row import COMPLEX, EVERY, FLOAT, REAL, F, Make, Row, S, Sample

_NORMS = (None, "backward", "forward", "ortho")


def _lines(*lengths: int) -> Callable[[Make], Iterable[Sample]]:
    """Transforms along one dimension: of its own length, cut, padded, along another one, with each norm."""

    def samples(m: Make) -> Iterable[Sample]:
        yield S(m(5))
        for n in lengths:
            yield S(m(5), n)
        yield S(m(2, 4), dim=0)
        yield S(m(4, 3), 3, 0, "ortho")
        for norm in _NORMS:
            yield S(m(2, 4), norm=norm)

    return samples


def _planes(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4))
    yield S(m(2, 3, 4))
    yield S(m(3, 4), (2, 5))
    yield S(m(3, 4, 2), dim=(0, 1), norm="ortho")
    yield S(m(3, 4), (4, -1), norm="forward")


def _spaces(m: Make) -> Iterable[Sample]:
    yield from _planes(m)
    yield S(m(3, 4), s=(3,))
    yield S(m(3, 4), dim=(1,))
    yield S(m(4), dim=0)


_fft = partial(Row, dtypes=(*COMPLEX, "int64"), method=False, out=True)
_rfft = partial(Row, dtypes=REAL, method=False, out=True)
_wrong_norm = F(RuntimeError, "Invalid normalization mode", np.zeros(2), norm="x")
_no_points = F(RuntimeError, "Invalid number of data points", np.zeros(2), 0)
_scalar = F(IndexError, "no dimensions", np.zeros(()))
_bad_dim = F(IndexError, "Dimension out of range", np.zeros(2), dim=1)
_lengths = F(RuntimeError, "same length", np.zeros((2, 2)), (2,), (0, 1))
_twice = F(RuntimeError, "unique", np.zeros((2, 2)), dim=(0, 0))
_not_real = F(RuntimeError, "real input", np.zeros(2, complex))

TRANSFORMS = [
    _fft("fft.fft", _lines(3, 7), errors=(_wrong_norm, _no_points, _scalar, _bad_dim)),
    _fft("fft.ifft", _lines(3, 7), errors=(_wrong_norm, _no_points)),
    _fft("fft.fft2", _planes, errors=(F(IndexError, "Dimension", np.zeros(2)),)),
    _fft("fft.ifft2", _planes),
    _fft("fft.fftn", _spaces, errors=(_lengths, _twice)),
    _fft("fft.ifftn", _spaces),
    _rfft("fft.rfft", _lines(3, 6, 1), errors=(_wrong_norm, _no_points, _not_real)),
    _fft("fft.irfft", _lines(4, 9, 1), errors=(_wrong_norm, F(RuntimeError, "Invalid number", np.zeros(1)))),
    _rfft("fft.rfft2", _planes),
    _fft("fft.irfft2", _planes),
    _rfft("fft.rfftn", _spaces),
    _fft("fft.irfftn", _spaces),
    _fft("fft.hfft", _lines(4, 9)),
    _rfft("fft.ihfft", _lines(3, 6), errors=(_not_real,)),
    Row("fft.fftshift", lambda m: [S(m(5)), S(m(3, 4)), S(m(3, 4), 1), S(m(3, 4), (0,))], EVERY, method=False),
    Row("fft.ifftshift", lambda m: [S(m(5)), S(m(3, 4)), S(m(3, 4), 1), S(m(3, 4), (0,))], EVERY, method=False),
]

_kinds = F(RuntimeError, "Half, Float or Double", np.zeros(1, int), np.zeros(1, int))
_different = F(RuntimeError, "scalar type", np.zeros(1), np.zeros(1, np.float32))

COMPLEX_PARTS = [
    Row("complex", lambda m: [S(m(3, 4), m(3, 4)), S(m(3, 1), m(4)), S(m(), m())], FLOAT, method=False, out=True,
        errors=(_kinds, _different)),
    Row("polar", lambda m: [S(m(3, 4, low=0.5), m(3, 4)), S(m(3, 1, low=0.5), m(4))], FLOAT, method=False,
        out=True, errors=(_kinds,)),
    Row("view_as_real", lambda m: [S(m(3, 4)), S(m()), S(m(0, 2)).values_only()], ("complex128",), method=False,
        errors=(F(RuntimeError, "complex tensors", np.zeros(2)),)),
    Row("view_as_complex", lambda m: [S(m(3, 2)), S(m(2)), S(m(2, 3, 2))], FLOAT, method=False, layouts=False,
        errors=(F(RuntimeError, "last dimension of size 2", np.zeros((2, 3))),)),
]  # fmt: skip


def _windows(m: Make) -> Iterable[Sample]:
    yield S(m(12), 4, return_complex=True)
    yield S(m(2, 12), 6, 2, 4, m(4), normalized=True, return_complex=True)
    yield S(m(12), 4, 3, center=False, onesided=False, return_complex=True)
    yield S(m(12), 5, pad_mode="constant", return_complex=False)


def _spectra(m: Make) -> Iterable[Sample]:
    yield S(m(3, 5), 4)
    yield S(m(2, 4, 6), 6, 2, 4, m(4, low=0.5).real.copy(), normalized=True)
    yield S(m(4, 5), 4, 2, onesided=False, length=9)
    yield S(m(3, 5), 4, center=False, length=20)
    yield S(m(4, 5), 4, return_complex=True)


FRAMES = [
    Row("stft", _windows, FLOAT, errors=(
        F(RuntimeError, "return_complex", np.zeros(10), 4),
        F(RuntimeError, "hop_length > 0", np.zeros(10), 4, 0, return_complex=True),
        F(RuntimeError, "win_length <= n_fft", np.zeros(10), 4, None, 5, return_complex=True),
        F(RuntimeError, "1D window", np.zeros(10), 4, None, 4, np.zeros(3), return_complex=True),
        F(RuntimeError, "1D or 2D", np.zeros((2, 2, 10)), 4, return_complex=True),
        F(RuntimeError, "n_fft", np.zeros(10), 12, center=False, return_complex=True))),
    Row("istft", _spectra, ("complex128",), errors=(
        F(RuntimeError, "complex-valued", np.zeros((3, 4)), 4),
        F(RuntimeError, "match n_fft", np.zeros((2, 4), complex), 4),
        F(RuntimeError, "hop_length <= win_length", np.zeros((3, 4), complex), 4, 5),
        F(RuntimeError, "window overlap add min", np.ones((3, 4), complex), 4, None, 4, np.zeros(4)))),
]  # fmt: skip

ROWS = [*FRAMES, *TRANSFORMS, *COMPLEX_PARTS]
