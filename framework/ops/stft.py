"""Short-time Fourier transforms: spectra of overlapping stretches of a signal, and the signal from them."""

from __future__ import annotations

from typing import Any

from ..backend import namespace
from ..engine import wrap
from .complex import view_as_real
from .fft import fft, ifft, irfft, rfft
from .padding import pad
from .pointwise import conj, real
from .shape import _pad_slice, _unfold_input, expand, narrow, reshape, shape_of, transpose, unfold


def _window(name: str, window: Any, length: int, n_fft: int, like: Any) -> Any:
    """The window, all ones unless given, with zeros on both sides up to `n_fft`."""
    if window is None:
        window = wrap(namespace(like._array).ones(length, like._array.real.dtype))
    elif shape_of(window) != (length,):
        raise RuntimeError(
            f"{name}: expected a 1D window tensor of size equal to win_length={length}, but got window with size "
            f"{list(shape_of(window))}"
        )
    return _pad_slice(window, (n_fft,), 0, (n_fft - length) // 2) if length < n_fft else window


def _lengths(name: str, n_fft: int, hop_length: int | None, win_length: int | None) -> tuple[int, int]:
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    if hop <= 0:
        raise RuntimeError(f"{name}: expected hop_length > 0, but got hop_length={hop}")
    if not 0 < length <= n_fft:
        raise RuntimeError(f"{name}: expected 0 < win_length <= n_fft, but got win_length={length}")
    return hop, length


def stft(
    input: Any,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Any = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
) -> Any:
    """Spectra of windows of `n_fft` samples, every `hop_length` (n_fft // 4) of them: (..., frequencies, windows).

    Args:
        input: a signal, or a batch of them; (length) or (batch, length).
        window: weights of `win_length` (`n_fft`) samples, ones unless given.
        center: windows are centred on their sample; the signal is padded by `pad_mode` at both ends.
        normalized: divide by the root of `n_fft`.
        onesided: only the first n_fft // 2 + 1 frequencies; True unless given, if input and window are real.
        return_complex: complex numbers; with False, real and imaginary parts in a last dimension of two.
    """
    is_complex = input.is_complex() or (window is not None and window.is_complex())
    if return_complex is None and not is_complex:
        raise RuntimeError(
            "stft requires the return_complex parameter be given for real inputs, and will further require that "
            "return_complex=True in a future PyTorch release."
        )
    shape = shape_of(input)
    if len(shape) not in (1, 2):
        raise RuntimeError("stft: expected a 1D or 2D tensor")
    hop, length = _lengths("stft", n_fft, hop_length, win_length)
    signal = reshape(input, (-1, shape[-1]))
    if center:
        side = n_fft // 2
        signal = reshape(
            pad(reshape(signal, (1, *shape_of(signal))), (side, side), mode=pad_mode), (shape_of(signal)[0], -1)
        )
    if not 0 < n_fft <= shape_of(signal)[-1]:
        raise RuntimeError(f"stft: expected 0 < n_fft <= {shape_of(signal)[-1]}, but got n_fft={n_fft}")
    frames = unfold(signal, 1, n_fft, hop) * _window("stft", window, length, n_fft, input)
    half = not is_complex if onesided is None else onesided
    spectra = (rfft if half else fft)(frames, norm="ortho" if normalized else None)
    result = transpose(spectra, 1, 2)
    result = reshape(result, shape_of(result)[1:]) if len(shape) == 1 else result
    return view_as_real(result) if return_complex is False else result


def istft(
    input: Any,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Any = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Any:
    """The signal of the spectra that `stft` gave with the same arguments: the least squares estimate of Griffin and Lim
    (Signal estimation from modified short-time Fourier transform, IEEE Trans. ASSP 32, 1984).

    `length` is the signal's, where the windows leave it open. RuntimeError where the windows leave gaps.
    """
    if not input.is_complex():
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    shape = shape_of(input)
    if len(shape) not in (2, 3):
        raise RuntimeError(f"istft: expected a tensor with 2 or 3 dimensions, but got {len(shape)}")
    hop, win = _lengths("istft", n_fft, hop_length, win_length)
    if hop > win:
        raise RuntimeError("istft: expected 0 < hop_length <= win_length")
    half = shape[-2] != n_fft if onesided is None else onesided
    if half and return_complex:
        raise RuntimeError("istft: cannot have onesided output if window or input is complex")
    if shape[-2] != (n_fft // 2 + 1 if half else n_fft):
        raise RuntimeError(
            f"istft: expected the frequency dimension (3rd to the last) of the input tensor to match n_fft, but got "
            f"{shape[-2]} for n_fft={n_fft}"
        )
    weights = _window("istft", window, win, n_fft, input)
    spectra, norm = transpose(reshape(input, (-1, *shape[-2:])), 1, 2), "ortho" if normalized else None
    if return_complex:
        frames = ifft(spectra, norm=norm)
    else:  # the other half would be conjugates
        frames = irfft(narrow(spectra, 2, 0, n_fft // 2 + 1), n_fft, norm=norm)
    total = n_fft + hop * (shape[-1] - 1)
    summed = _unfold_input(frames * weights, (shape_of(frames)[0], total), 1, n_fft, hop)
    squares = expand(real(weights * conj(weights)), shape_of(frames))
    cover = _unfold_input(squares, shape_of(summed), 1, n_fft, hop)
    start, end = (n_fft // 2 if center else 0), total - (n_fft // 2 if center and length is None else 0)
    end = end if length is None else min(start + length, total)
    summed, cover = narrow(summed, 1, start, end - start), narrow(cover, 1, start, end - start)
    if input.is_cpu and not (cover._array > 1e-11).all():
        raise RuntimeError(f"istft: window overlap add min: {cover._array.min()}: the windows leave gaps in the signal")
    signal = summed / cover
    if length is not None and length > end - start:
        signal = _pad_slice(signal, (shape_of(signal)[0], length), 1, 0)
    return reshape(signal, (-1,)) if len(shape) == 2 else signal
