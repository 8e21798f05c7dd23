"""Random numbers: PyTorch's CPU generator, number for number, in NumPy.

The bits come from plain mt19937. What this file adds is the order in which each distribution takes them and how
it turns them into values, so that a seed gives the numbers that it gives in PyTorch on a processor with AVX2.
Everything here returns NumPy arrays and knows nothing of tensors.
"""

from __future__ import annotations

import copy
import math
import operator
import os
import struct
import threading
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

DEFAULT_SEED = 67280421310721
"""Seed of a new generator. The default generator instead starts from the system's entropy, as PyTorch's does."""

Size = int | tuple[int, ...]


class _FloatFormat(NamedTuple):
    digits: int  # of the significand
    largest: float
    c_name: str


_FLOAT_FORMATS = {
    "float16": _FloatFormat(11, 65504.0, "c10::Half"),
    "bfloat16": _FloatFormat(8, 3.3895313892515355e38, "c10::BFloat16"),
    "float32": _FloatFormat(24, 3.4028234663852886e38, "float"),
    "float64": _FloatFormat(53, 1.7976931348623157e308, "double"),
}
_INTEGER_C_NAMES = {
    "bool": "bool",
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short int",
    "int32": "int",
    "int64": "long int",
    "uint16": "short unsigned int",
    "uint32": "unsigned int",
    "uint64": "long unsigned int",
}
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_WIDE_RANGE = 2**28  # from here on integers take 64 bits, so that the modulo stays nearly even
_CHUNK = 16384  # elements converted at a time, so that the intermediate arrays stay in cache; a multiple of 16

# PyTorch's saved state: seed, left, seeded, next, 624 words (64 bits each), normal_x, normal_y, normal_rho,
# normal_is_valid, then a float sample and its flag, which only other devices use.
_STATE = struct.Struct("<QiiQ4992sdddi4xfB3x")


class MT19937Generator:
    """A source of random numbers that gives PyTorch's CPU numbers for the same seed and the same calls.

    Methods that take ``size`` accept an int or a tuple and return a new array of exactly that shape and dtype.
    Safe to share between threads; copying and pickling keep the position in the stream.
    """

    def __init__(self, device: Any = "cpu") -> None:
        self.device = device
        self._lock = threading.RLock()
        self._words: np.random.MT19937 | None = None
        self.manual_seed(DEFAULT_SEED)

    # Seeds and state

    def manual_seed(self, seed: int) -> MT19937Generator:
        """Restart the stream from ``seed``, an int in [-2**63, 2**64); a negative one counts from 2**64."""
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        seed = operator.index(seed)
        if not _INT64_MIN <= seed < 2**64:
            raise ValueError(f"Overflow when unpacking long long: seed must be in [-2**63, 2**64), got {seed}")
        with self._lock:
            self._seed = seed % 2**64
            self._pending = True  # the words are seeded when first needed: importing numpy.random takes 20 ms
            self._untouched = True
            self._spare_normal: float | None = None
        return self

    def seed(self) -> int:
        """Restart from a seed that the operating system draws, and return that seed."""
        seed = int.from_bytes(os.urandom(8), "little")
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed that the stream was last started from, in [0, 2**64)."""
        return self._seed

    def get_state_array(self) -> NDArray[np.uint8]:
        """The state as the 5056 bytes of ``torch.Generator.get_state()``."""
        with self._lock:
            mt = self._mt19937().state["state"]
            # PyTorch counts `next` up from 0 after seeding and `left` down; NumPy's position is 624 then.
            position = 0 if self._untouched else mt["pos"]
            left = 1 if self._untouched else 625 - position
            key = mt["key"].astype("<u8").tobytes()
            spare = self._spare_normal
            state = _STATE.pack(
                self._seed, left, 1, position, key, 0.0, spare or 0.0, 0.0, int(spare is not None), 0.0, 0
            )
        return np.frombuffer(bytearray(state), np.uint8)

    def set_state_array(self, state: NDArray[np.uint8]) -> MT19937Generator:
        """Continue from ``state``, an array of 5056 bytes from ``get_state_array`` or from PyTorch."""
        state = np.asarray(state)
        if state.dtype != np.uint8:
            raise TypeError(f"RNG state must be a torch.ByteTensor, got an array of {state.dtype}")
        if state.size != _STATE.size:
            raise RuntimeError(f"RNG state is wrong size: expected {_STATE.size} bytes, got {state.size}")
        seed, left, seeded, position, key, _, spare, _, spare_is_valid, _, _ = _STATE.unpack(state.tobytes())
        untouched = position == 0
        if seeded != 1 or position > 624 or left != (1 if untouched else 625 - position):
            raise RuntimeError("Invalid mt19937 state")
        words = np.frombuffer(key, "<u8").astype(np.uint32)
        with self._lock:
            self._pending = False
            self._mt19937().state = {
                "bit_generator": "MT19937",
                "state": {"key": words, "pos": 624 if untouched else position},
            }
            self._seed = seed
            self._untouched = untouched
            self._spare_normal = spare if spare_is_valid else None
        return self

    def clone_state(self) -> MT19937Generator:
        """A new generator at the same place in the same stream."""
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"device": self.device, "state": self.get_state_array()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.device = state["device"]
        self._lock = threading.RLock()
        self._words = None
        self.set_state_array(state["state"])

    # Raw bits; the caller holds the lock

    def _mt19937(self) -> np.random.MT19937:
        if self._words is None:
            self._words = np.random.MT19937(0)
        if self._pending:
            # Like PyTorch, only the low 32 bits of the seed reach mt19937.
            np.random.RandomState(self._words).seed(self._seed & 0xFFFFFFFF)
            self._pending = False
        return self._words

    def _draw32(self, count: int) -> NDArray[np.uint64]:
        """``count`` words of 32 bits, held in uint64."""
        words = self._mt19937()
        if count:
            self._untouched = False
        return words.random_raw(count)

    def _draw64(self, count: int) -> NDArray[np.uint64]:
        """``count`` words of 64 bits, the first draw of each pair on top."""
        raw = self._draw32(2 * count)
        words = raw[0::2] << np.uint64(32)
        words |= raw[1::2]
        return words

    def _uniform32(self, count: int) -> NDArray[np.float32]:
        words = self._draw32(count)
        words &= np.uint64(2**24 - 1)
        return words.astype(np.float32) * np.float32(2.0**-24)

    def _uniform64(self, count: int) -> NDArray[np.float64]:
        words = self._draw64(count)
        words &= np.uint64(2**53 - 1)
        return words.astype(np.float64) * 2.0**-53

    # Continuous distributions

    def uniform(self, size: Size, low: float = 0.0, high: float = 1.0, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Uniform numbers in [low, high): ``torch.rand`` and ``Tensor.uniform_``, for floating and complex dtypes."""
        dtype = np.dtype(dtype)
        if dtype.kind == "c":
            return self._complex(self.uniform((*_shape(size), 2), low, high, _part(dtype)), dtype)
        _check_uniform_bounds(low, high, dtype)
        out = np.empty(_shape(size), dtype)
        flat = out.reshape(-1)
        compute = np.float64 if dtype == np.float64 else np.float32
        start, stop = compute(low), compute(high)
        first, last = start.astype(dtype), stop.astype(dtype)
        with self._lock:
            draw = self._uniform64 if dtype == np.float64 else self._uniform32
            for span in _chunks(flat.size):
                values = draw(span.stop - span.start)
                part = flat[span]
                # PyTorch scales with one fused multiply-add: for float32 a product in float64 is exact.
                part[...] = (
                    _scaled64(values.astype(np.float64, copy=False), np.float64(start), np.float64(stop))
                    if compute is np.float64
                    else _fma(values.astype(np.float64), np.float64(stop - start), np.float64(start))
                )
                np.copyto(part, first, where=part == last)  # rounding may have reached the excluded bound
        return out

    def normal(
        self,
        size: Size,
        mean: float = 0.0,
        std: float = 1.0,
        dtype: DTypeLike = np.float32,
        contiguous: bool = True,
    ) -> NDArray[Any]:
        """Normal numbers: ``torch.randn`` and ``Tensor.normal_``, for floating and complex dtypes.

        From 16 elements on PyTorch fills contiguous memory in blocks; fewer elements, or a tensor that is not
        contiguous (``contiguous=False``), are drawn one by one, which gives other numbers.
        """
        dtype = np.dtype(dtype)
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
        if dtype.kind == "c":
            part_std = std / math.sqrt(2.0)
            return self._complex(self.normal((*_shape(size), 2), mean, part_std, _part(dtype), contiguous), dtype)
        _check_floating("normal", dtype)
        out = np.empty(_shape(size), dtype)
        flat = out.reshape(-1)
        with self._lock:
            if flat.size >= 16 and contiguous:
                self._fill_normal_blocks(flat, mean, std)
            else:
                flat[...] = _cast([value * std + mean for value in self._normal_samples(flat.size)], dtype)
        return out

    def _fill_normal_blocks(self, out: NDArray[Any], mean: float, std: float) -> None:
        """Fill ``out`` by blocks of 16; a last partial block is covered by redrawing the last 16 elements."""

        def blocks(count: int) -> NDArray[Any]:
            if out.dtype == np.float64:
                return _box_muller64(self._uniform64(count), mean, std)
            return _box_muller32(self._uniform32(count), mean, std)

        rest = out.size % 16
        for span in _chunks(out.size - rest):
            out[span] = blocks(span.stop - span.start)
        if rest:
            if out.dtype == np.float64:
                self._draw64(rest)  # PyTorch first fills float64 and float32 memory with uniforms to the end
            elif out.dtype == np.float32:
                self._draw32(rest)
            out[-16:] = blocks(16)

    def _normal_samples(self, count: int) -> list[float]:
        """Standard normal numbers one by one; each pair's second half waits for the next call."""
        samples = [] if self._spare_normal is None or count == 0 else [self._spare_normal]
        pairs = (count - len(samples) + 1) // 2
        uniforms = self._uniform64(2 * pairs).tolist()
        for angle, radius in zip(uniforms[0::2], uniforms[1::2], strict=True):
            r = math.sqrt(-2.0 * math.log1p(-radius))
            theta = 2.0 * math.pi * angle
            samples += [r * math.cos(theta), r * math.sin(theta)]
        if count:
            self._spare_normal = samples.pop() if len(samples) > count else None
        return samples

    def exponential(self, size: Size, lambd: float = 1.0, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Exponential numbers of rate ``lambd``: ``Tensor.exponential_`` (float64 within two ulp)."""
        dtype = np.dtype(dtype)
        if not lambd > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
        _check_floating("exponential_", dtype)
        out = np.empty(_shape(size), dtype)
        flat = out.reshape(-1)
        with self._lock:
            for span in _chunks(flat.size):
                flat[span] = _cast(-1.0 / lambd * np.log1p(-self._uniform64(span.stop - span.start)), dtype)
        return out

    @staticmethod
    def _complex(parts: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Real and imaginary parts, interleaved in the last axis, as complex numbers."""
        return parts.view(dtype)[..., 0]

    # Discrete distributions

    def randint(self, low: int, high: int | None, size: Size, dtype: DTypeLike = np.int64) -> NDArray[Any]:
        """Integers in [low, high): ``torch.randint`` and ``Tensor.random_(low, high)``.

        ``high=None`` goes up to the dtype's largest value, or 2**(significand bits) for a floating dtype; together
        with ``low=-2**63`` it covers all of int64.
        """
        dtype = np.dtype(dtype)
        base, span = _randint_range(low, high, dtype)
        shape = _shape(size)
        count = math.prod(shape)
        with self._lock:
            words = self._draw32(count) if span < _WIDE_RANGE else self._draw64(count)
        if span < 2**64:
            words %= np.uint64(span)
        words += np.uint64(base % 2**64)  # two's complement: wraps to the signed value
        return _cast(words.view(np.int64), dtype).reshape(shape)

    def random(self, size: Size, dtype: DTypeLike = np.int64) -> NDArray[Any]:
        """Integers from 0 to the dtype's largest value, or 2**(significand bits): ``Tensor.random_()``."""
        dtype = np.dtype(dtype)
        largest = _largest_integer(dtype)
        shape = _shape(size)
        with self._lock:
            wide = dtype.itemsize == 8
            words = self._draw64(math.prod(shape)) if wide else self._draw32(math.prod(shape))
        words %= np.uint64(largest + 1)
        return _cast(words.view(np.int64), dtype).reshape(shape)

    def randperm(self, n: int, dtype: DTypeLike = np.int64) -> NDArray[Any]:
        """A random permutation of 0 .. n - 1: ``torch.randperm`` (which from 2**32 // 20 on takes another order)."""
        n = operator.index(n)
        dtype = np.dtype(dtype)
        _check_randperm(n, dtype)
        steps = np.arange(n, dtype=np.int64)
        with self._lock:
            draw = self._draw32 if n < (2**32 - 1) // 20 else self._draw64
            words = draw(max(n - 1, 0))
        targets = steps.copy()
        targets[:-1] += (words % np.arange(n, 1, -1, dtype=np.uint64)).view(np.int64)
        return _cast(_apply_swaps(steps, targets), dtype)

    def bernoulli(
        self, p: float | NDArray[Any], size: Size | None = None, dtype: DTypeLike | None = None
    ) -> NDArray[Any]:
        """Zeros and ones, one with probability ``p``: ``torch.bernoulli`` and ``Tensor.bernoulli_``.

        An array ``p`` gives one sample per element, by default in its own floating dtype; a number ``p`` needs
        ``size`` and by default gives float32. PyTorch builds that hand this to MKL give other numbers.
        """
        if isinstance(p, np.ndarray):
            _check_floating("bernoulli", p.dtype)
            shape, dtype = p.shape, p.dtype if dtype is None else dtype
            double = p.dtype == np.float64
        else:
            if size is None:
                raise TypeError("bernoulli with a number p needs size")
            shape, dtype, double = _shape(size), np.float32 if dtype is None else dtype, True
            p = np.float64(p)
        if not np.all((p >= 0) & (p <= 1)):
            raise RuntimeError("bernoulli expects p to be in [0, 1]" + (f", but got p={p:g}" if p.ndim == 0 else ""))
        count = math.prod(shape)
        with self._lock:
            uniforms = self._uniform64(count) if double else self._uniform32(count)
        return (uniforms.reshape(shape) < p).astype(dtype)

    def keep_mask(self, size: Size, keep: float) -> NDArray[np.bool_]:
        """A dropout mask, True with probability ``keep``: where ``bernoulli(keep, size)`` is one, but twice as fast."""
        shape = _shape(size)
        count = math.prod(shape)
        with self._lock:
            raw = self._draw32(2 * count)
        # The uniform number is its low 53 bits / 2**53. Two words make it; the upper one nearly always decides.
        upper = raw[0::2] & np.uint64(2**21 - 1)
        threshold = divmod(math.ceil(keep * 2.0**53), 2**32)
        mask = upper < np.uint64(threshold[0])
        close = upper == np.uint64(threshold[0])
        if threshold[1] and close.any():
            mask |= close & (raw[1::2] < np.uint64(threshold[1]))
        return mask.reshape(shape)

    def multinomial(self, probs: NDArray[Any], num_samples: int, replacement: bool = False) -> NDArray[np.int64]:
        """Indices drawn with weights ``probs`` (k,) or (rows, k): ``torch.multinomial``, (num_samples,) or (rows, ...).

        Rows need not sum to one. Without replacement, weights that tie to the last bit may come in another order.
        """
        _check_multinomial(probs, num_samples, replacement)
        if replacement and num_samples > 1:
            return self._multinomial_with_replacement(probs, num_samples)
        # The largest of weight / exponential is an exact draw (the Gumbel-max trick, exponentiated).
        scores = probs / self.exponential(probs.shape, 1.0, probs.dtype)
        if num_samples == 1:
            return np.argmax(scores, axis=-1, keepdims=True)
        return np.argsort(-scores, axis=-1, kind="stable")[..., :num_samples]

    def _multinomial_with_replacement(self, probs: NDArray[Any], num_samples: int) -> NDArray[np.int64]:
        rows = probs.reshape(-1, probs.shape[-1])
        with self._lock:
            uniforms = self._uniform64(len(rows) * num_samples).reshape(len(rows), num_samples)
        compute = np.float64 if probs.dtype == np.float64 else np.float32
        out = np.empty((len(rows), num_samples), np.int64)
        for row, sample, chosen in zip(rows, uniforms, out, strict=True):
            cumulative = np.cumsum(row, dtype=compute)
            cumulative = cumulative / cumulative[-1]
            cumulative[-1] = 1
            chosen[...] = np.searchsorted(cumulative, sample)
        return out.reshape(*probs.shape[:-1], num_samples)


def _shape(size: Size) -> tuple[int, ...]:
    shape = tuple(operator.index(n) for n in size) if isinstance(size, tuple | list) else (operator.index(size),)
    for n in shape:
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: {list(shape)}")
    return shape


@cache
def _float_format(dtype: np.dtype[Any]) -> _FloatFormat | None:
    """The format of a floating dtype, None for other dtypes (bfloat16 is known by name: NumPy lacks it)."""
    return _FLOAT_FORMATS.get(dtype.name)


def _part(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of a complex dtype's real part."""
    return np.dtype(np.float32 if dtype == np.complex64 else np.float64)


def _chunks(count: int) -> Iterator[slice]:
    for start in range(0, count, _CHUNK):
        yield slice(start, min(start + _CHUNK, count))


def _cast(values: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """``values`` as ``dtype``; the 16-bit floats are rounded by way of float32, as in PyTorch."""
    values = np.asarray(values)
    if dtype.itemsize == 2 and _float_format(dtype):
        values = values.astype(np.float32)
    return values.astype(dtype, copy=False)


def _apply_swaps(steps: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """What is left of 0 .. n - 1 after swapping elements i and targets[i] >= i, for i = 0, 1, ..., all at once.

    Step i puts the content of position targets[i] at i, for good, and moves what it finds at i to targets[i].
    What it finds is i itself, or what the last earlier step that aimed at i found: these chains are followed by
    doubling. The content of targets[i] is likewise what the step before i with the same target found.
    """
    found = steps.copy()
    moved = targets > steps
    found[targets[moved]] = steps[moved]  # where a target repeats, the last step stands
    while True:
        further = found[found]
        if np.array_equal(further, found):
            break
        found = further
    by_target = np.sort((targets << 32) | steps)
    step = by_target & 0xFFFFFFFF
    repeats = (by_target[1:] >> 32) == (by_target[:-1] >> 32)
    result = targets.copy()
    result[step[1:][repeats]] = found[step[:-1][repeats]]
    return result


# Box-Muller: each block of 16 uniforms gives 16 normal numbers, the first 8 for the radius, the others for the angle


def _box_muller64(uniforms: NDArray[np.float64], mean: float, std: float) -> NDArray[np.float64]:
    pairs = uniforms.reshape(-1, 2, 8)
    radius = np.sqrt(-2.0 * np.log(1.0 - pairs[:, 0]))
    theta = 2.0 * math.pi * pairs[:, 1]
    out = np.stack([radius * np.cos(theta), radius * np.sin(theta)], axis=1)
    out *= std
    out += mean
    return out.reshape(-1)


def _box_muller32(uniforms: NDArray[np.float32], mean: float, std: float) -> NDArray[np.float32]:
    pairs = uniforms.reshape(-1, 2, 8)
    radius = np.sqrt(np.float32(-2.0) * _log32(np.float32(1.0) - pairs[:, 0]))
    sine, cosine = _sincos32(np.float32(2.0 * math.pi) * pairs[:, 1])
    samples = np.stack([radius * cosine, radius * sine], axis=1).reshape(-1)
    if std != 1.0:
        return _fma(samples.astype(np.float64), np.float32(std), np.float32(mean)).astype(np.float32)
    samples += np.float32(mean)
    return samples


# PyTorch evaluates float32 logarithm and sine with the polynomials of Moshier's Cephes library in fused
# multiply-adds. NumPy has no such instruction: float64 holds the product of two float32 numbers exactly, so that
# rounding product plus addend to float32 gives its result. Below, float64 arrays hold float32 values throughout.

_LOG = [np.float64(np.float32(c)) for c in (
    7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
    2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)]  # fmt: skip
_LN2_HIGH, _LN2_LOW = np.float64(0.693359375), np.float64(np.float32(-2.12194440e-4))
_SQRT_HALF = np.float32(0.707106781186547524)
_MINUS_QUARTER_PI = [np.float64(np.float32(c)) for c in (-0.78515625, -2.4187564849853515625e-4,
                                                         -3.77489497744594108e-8)]  # fmt: skip
_SIN = [np.float64(np.float32(c)) for c in (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)]
_COS = [np.float64(np.float32(c)) for c in (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)]


def _round32(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """``x`` rounded to float32, in place."""
    x[...] = x.astype(np.float32)
    return x


def _fma(a: Any, b: Any, c: Any) -> NDArray[np.float64]:
    """``a * b + c`` with one rounding to float32."""
    x = a * b
    x += c
    return _round32(x)


def _scaled64(u: NDArray[np.float64], start: np.float64, stop: np.float64) -> NDArray[np.float64]:
    """``u * (stop - start) + start`` in float64 with nearly one rounding: the product's error is carried on."""
    scale = stop - start
    product = u * scale
    split = 134217729.0  # 2**27 + 1: Dekker's splitting of a float64 into two halves
    u_high = u * split - (u * split - u)
    s_high = scale * split - (scale * split - scale)
    u_low, s_low = u - u_high, scale - s_high
    error = ((u_high * s_high - product) + u_high * s_low + u_low * s_high) + u_low * s_low
    total = product + start
    back = total - product
    return total + (((product - (total - back)) + (start - back)) + error)


def _log32(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Natural logarithm of positive float32 numbers that are not subnormal."""
    bits = x.view(np.int32)
    exponent = (bits >> 23) - 126
    bits = (bits & 0x7FFFFF) | 0x3F000000  # the significand, in [0.5, 1)
    below = (bits.view(np.float32) < _SQRT_HALF).astype(np.int32)
    exponent -= below
    bits += below << 23  # doubled where small: in [sqrt(0.5), sqrt(2))
    e = exponent.astype(np.float64)
    f = bits.view(np.float32).astype(np.float64)
    f -= 1.0
    z = _round32(f * f)
    y = _fma(_LOG[0], f, _LOG[1])
    for coefficient in _LOG[2:]:
        y = _fma(y, f, coefficient)
    y = _fma(_round32(y * f), z, _round32(e * _LN2_LOW))
    f += _fma(z, -0.5, y)
    return _fma(e, _LN2_HIGH, _round32(f)).astype(np.float32)


def _sincos32(theta: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sine and cosine of float32 angles in [0, 2 pi]."""
    octant = (theta * np.float32(4.0 / math.pi)).astype(np.int32)
    octant += 1
    octant &= ~1
    turns = octant.astype(np.float64)
    x = theta.astype(np.float64)
    for part in _MINUS_QUARTER_PI:
        x = _fma(turns, part, x)
    z = _round32(x * x)
    y = _fma(_fma(_COS[0], z, _COS[1]), z, _COS[2])
    y = _fma(_round32(y * z), z, -0.5 * z)
    y += 1.0
    cosine = y.astype(np.float32).view(np.int32)
    y = _fma(_fma(_SIN[0], z, _SIN[1]), z, _SIN[2])
    sine = _fma(_round32(y * z), x, x).astype(np.float32).view(np.int32)
    # In the second and fourth quarter the two change places; then the quarter gives each its sign bit.
    difference = (sine ^ cosine) & -((octant >> 1) & 1)
    sine ^= difference
    cosine ^= difference
    sine ^= (octant & 4) << 29
    cosine ^= ((octant + 2) & 4) << 29
    return sine.view(np.float32), cosine.view(np.float32)


# Checks of arguments, with PyTorch's messages


def _check_floating(name: str, dtype: np.dtype[Any]) -> _FloatFormat:
    float_format = _float_format(dtype)
    if float_format is None:
        raise RuntimeError(f"{name} expects a floating point dtype, but got {dtype}")
    return float_format


def _check_uniform_bounds(low: float, high: float, dtype: np.dtype[Any]) -> None:
    float_format = _check_floating("uniform_", dtype)
    largest = float_format.largest
    for name, bound in (("from", low), ("to", high)):
        if not -largest <= bound <= largest:
            raise RuntimeError(f"{name} is out of bounds for {float_format.c_name}")
    if low > high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    if high - low > largest:
        raise RuntimeError(
            f"uniform_ expects to-from <= the largest {float_format.c_name}, but found to={high:g} and from={low:g}"
        )


def _largest_integer(dtype: np.dtype[Any]) -> int:
    """The largest value that ``random_`` draws in ``dtype``."""
    float_format = _float_format(dtype)
    if float_format:
        return int(2**float_format.digits)
    if dtype.kind == "b":
        return 1
    if dtype.kind not in "iu":
        raise RuntimeError(f"random_ handles only integral, floating-point and boolean types, but got {dtype}")
    return min(int(np.iinfo(dtype).max), _INT64_MAX)


def _randint_range(low: int, high: int | None, dtype: np.dtype[Any]) -> tuple[int, int]:
    """The first value and the number of values of ``randint``, after checking the bounds."""
    low = operator.index(low)
    largest = _largest_integer(dtype)
    if high is None:
        if low == _INT64_MIN:
            if dtype.name not in ("int64", "float64", "float32", "bfloat16"):
                raise RuntimeError(
                    f"random_ over all 64 bits handles only int64, double, float and bfloat16, not {dtype}"
                )
            return 0, 2**64
        high = largest + 1
    high = operator.index(high)
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    float_format = _float_format(dtype)
    if float_format:
        _check_float_bounds(low, high, float_format)
        low, high = _narrow(low, high, dtype, float_format.digits)
        return low, high - low
    smallest = 0 if dtype.kind in "bu" else int(np.iinfo(dtype).min)
    for name, bound in (("from", low), ("to - 1", high - 1)):
        if not smallest <= bound <= largest:
            raise RuntimeError(f"{name} is out of bounds for {_INTEGER_C_NAMES[dtype.name]}")
    return low, high - low


def _check_float_bounds(low: int, high: int, float_format: _FloatFormat) -> None:
    digits, largest, c_name = float_format
    for name, bound in (("from", low), ("to - 1", high - 1)):
        if not max(_INT64_MIN, -largest) <= bound <= min(_INT64_MAX, largest):
            raise RuntimeError(f"{name} is out of bounds for {c_name}")
        if abs(bound) > 2**digits:
            warnings.warn(
                f"{name} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations "
                f"{c_name} can support discrete uniform distribution only within this range.",
                UserWarning,
                stacklevel=4,
            )


def _narrow(low: int, high: int, dtype: np.dtype[Any], digits: int) -> tuple[int, int]:
    """PyTorch's bounds for a floating dtype: moved inwards where rounding to the dtype would cross them."""
    new_low, new_high = low, high
    rounded = int(_cast(low + 1, dtype))
    if rounded < low:
        new_low = rounded + (1 << (abs(low + 1).bit_length() - digits))
    rounded = int(_cast(high - 1, dtype))
    if rounded >= high:
        new_high = rounded - (1 << (abs(high - 1).bit_length() - digits))
    if new_low >= new_high:
        raise RuntimeError(
            "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, "
            f"but got from={new_low} >= to={new_high}"
        )
    return new_low, new_high


def _check_randperm(n: int, dtype: np.dtype[Any]) -> None:
    if n < 0:
        raise RuntimeError(f"n must be non-negative, got {n}")
    float_format = _float_format(dtype)
    if float_format is None and dtype.kind not in "iu":
        raise RuntimeError(f'"randperm" not implemented for {dtype}')
    if float_format is None and n > np.iinfo(dtype).max + 1:
        raise RuntimeError(f"value cannot be converted to type {dtype}_t without overflow: randperm of {n}")
    # PyTorch lets bfloat16 pass, and rounds.
    if float_format and dtype.name != "bfloat16" and n > 2**float_format.digits + 1:
        raise RuntimeError(f"n cannot be greater than {2**float_format.digits + 1} for {dtype} type, got {n}")


def _check_multinomial(probs: NDArray[Any], num_samples: int, replacement: bool) -> None:
    float_format = _float_format(probs.dtype)
    if float_format is None:
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {probs.dtype}")
    if probs.ndim not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, got {probs.ndim} dimensions")
    if num_samples <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples, got {num_samples}")
    if not replacement and num_samples > probs.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
            f"{num_samples} samples of {probs.shape[-1]} categories"
        )
    if not np.all((probs >= 0) & (probs <= float_format.largest)):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if probs.shape[-1] == 0 or not np.all(probs.sum(axis=-1) > 0):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
