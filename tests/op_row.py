"""What a row of the operator table says, and how its samples are made. The table itself is op_db.py."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

FLOAT = ("float64", "float32")
COMPLEX = (*FLOAT, "complex128")
REAL = (*FLOAT, "int64")
NUMERIC = (*REAL, "complex128")
ANY = (*REAL, "bool")
EVERY = (*ANY, "complex128")
INTEGRAL = ("int64", "uint8", "bool")


@dataclass(frozen=True)
class DType:
    """A dtype argument by its name, looked up in whichever library the sample goes to."""

    name: str


@dataclass(frozen=True)
class Const:
    """A tensor argument that no gradient is asked for, though its type could have one."""

    array: np.ndarray


@dataclass(frozen=True)
class Sample:
    """One call: NumPy arrays stand for tensors. `smooth`: differentiable there, so finite differences make sense."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    smooth: bool = True
    grad: bool = True

    def rough(self) -> Sample:
        """The same at a kink, a tie or a pole: compared with torch, gradients too, but not with differences."""
        return replace(self, smooth=False)

    def values_only(self) -> Sample:
        """The same without gradients: torch itself gives arbitrary ones there."""
        return replace(self, smooth=False, grad=False)


def S(*args: Any, **kwargs: Any) -> Sample:
    """A sample call."""
    return Sample(args, kwargs)


class Make:
    """Makes sample arrays of one type, the same ones at every run."""

    def __init__(self, name: str, dtype: str) -> None:
        self.dtype = np.dtype(dtype)
        self.random = np.random.default_rng(zlib.crc32(f"{name} {dtype}".encode()))

    @property
    def floating(self) -> bool:
        return self.dtype.kind in "fc"

    @property
    def complex(self) -> bool:
        return self.dtype.kind == "c"

    def __call__(self, *shape: int, low: float = -3, high: float = 3) -> np.ndarray:
        """Numbers between `low` and `high`."""
        kind = self.dtype.kind
        if kind == "b":
            return self.mask(*shape)
        if kind in "iu":
            low = max(low, 0) if kind == "u" else low
            return np.asarray(self.random.integers(int(np.ceil(low)), int(np.floor(high)) + 1, shape), self.dtype)
        values = self.random.uniform(low, high, shape)
        if kind == "c":
            values = values + 1j * self.random.uniform(low, high, shape)
        return np.asarray(values, self.dtype)

    def of(self, *values: Any) -> np.ndarray:
        """The values given, in one dimension."""
        return np.array(values, self.dtype)

    def distinct(self, *shape: int) -> np.ndarray:
        """Numbers no two of which are close: no ties, and no change of order under a small step."""
        count = int(np.prod(shape))
        values = self.random.permutation(count) - count // 3
        if self.floating:
            values = values * 0.37 + 0.11
        return np.asarray(values).reshape(shape).astype(self.dtype)

    def index(self, size: int, *shape: int) -> np.ndarray:
        """Indices into a dimension of `size`."""
        return np.asarray(self.random.integers(0, size, shape))

    def mask(self, *shape: int) -> np.ndarray:
        """True and False."""
        return np.asarray(self.random.random(shape) < 0.5)

    def positive_definite(self, *shape: int) -> np.ndarray:
        """Hermitian matrices with eigenvalues well apart, the least of them 1."""
        n = shape[-1]
        q = np.linalg.qr(self(*shape))[0]
        return np.asarray((q * np.arange(1, n + 1)) @ np.swapaxes(q.conj(), -1, -2), self.dtype)

    def well_conditioned(self, *shape: int) -> np.ndarray:
        """Square matrices far from singular."""
        return np.asarray(self(*shape) + 4 * shape[-1] * np.eye(shape[-1]) / 2, self.dtype)


@dataclass(frozen=True)
class Fail:
    """A call that must raise `error`, as torch does, with `says` (a regular expression) in its message."""

    error: type[Exception]
    says: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def F(error: type[Exception], says: str, *args: Any, **kwargs: Any) -> Fail:
    """A failing call."""
    return Fail(error, says, args, kwargs)


@dataclass(frozen=True)
class Row:
    """One operator under torch's name: what to call it with, and what is to hold."""

    name: str  # under `torch.`: "exp", "linalg.inv", "nn.functional.relu", "Tensor.expand"
    samples: Callable[[Make], Iterable[Sample]]
    dtypes: tuple[str, ...] = FLOAT
    grad: bool = True  # floating results are differentiable
    gradgrad: bool = True
    method: bool = True  # Tensor has it too
    inplace: bool = False  # Tensor has it with an underscore
    out: bool = False  # it takes out=
    reads_host: bool = False  # its meaning demands that the host reads the device (shapes that depend on values)
    promotes: int = 0  # how many leading arguments take part in type promotion: 1 or 2
    aliases: tuple[str, ...] = ()  # other names of the same function
    errors: tuple[Fail, ...] = ()
    device: bool = True  # it runs where its arguments are
    layouts: bool = True  # results do not depend on the strides of the arguments
    torch: bool = True  # torch computes the same numbers
    tolerance: float = 1.0  # times the usual one
    variant: str = ""  # tells rows of one operator apart
    on_copy: bool = False  # it writes to its first argument: call it on a copy, which is the result
    before: Callable[[Any], Any] | None = None  # makes the first argument what the operator expects (symmetric, ...)
    after: Callable[[Any], Any] | None = None  # of a result that is not unique, what is (magnitudes, ...)

    @property
    def last(self) -> str:
        return self.name.rpartition(".")[2]

    def function(self, library: Any) -> Callable[..., Any]:
        """What to call with a sample, from our library or from torch."""
        found = lookup(library, self.name)
        if isinstance(found, property) or not callable(found):  # torch's are getset descriptors
            return lambda tensor: getattr(tensor, self.last)
        if not self.on_copy:
            return found

        def on_copy(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            written = tensor.clone()
            found(written, *args, **kwargs)
            return written

        return on_copy

    def unique(self, library: Any) -> Callable[..., Any]:
        """`function` with `before` and `after`: what can be compared and differentiated."""
        found, before, after = self.function(library), self.before, self.after
        if before is None and after is None:
            return found

        def call(first: Any, *args: Any, **kwargs: Any) -> Any:
            result = found(first if before is None else before(first), *args, **kwargs)
            return result if after is None else after(result)

        return call

    def make(self, dtype: str) -> list[Sample]:
        """The samples with arrays of one type."""
        return list(self.samples(Make(self.name, dtype)))


def lookup(library: Any, name: str) -> Any:
    """What a dotted name means in a library; AttributeError if it has none."""
    found = library
    for part in name.split("."):
        found = getattr(found, part)
    return found


# --- samples that many operators share ----------------------------------------------------------------------------

Samples = Callable[[Make], Iterable[Sample]]


def unary(low: float = -3, high: float = 3, at: tuple[float, ...] = (), **kwargs: Any) -> Samples:
    """A matrix, a 0-dim tensor and an empty one with elements in a range, and given points (kinks, poles)."""

    def samples(m: Make) -> Iterable[Sample]:
        yield S(m(3, 4, low=low, high=high), **kwargs)
        yield S(m(low=low, high=high), **kwargs)
        yield S(m(0, 3), **kwargs)
        if at and m.floating:
            yield S(m.of(*at), **kwargs).rough()

    return samples


def binary(
    low: float = -3, high: float = 3, low2: float | None = None, high2: float | None = None, number: Any = None
) -> Samples:
    """Pairs of equal shape, broadcasting, with a 0-dim partner, empty, and with a number."""
    first = {"low": low, "high": high}
    second = {"low": low if low2 is None else low2, "high": high if high2 is None else high2}

    def samples(m: Make) -> Iterable[Sample]:
        yield S(m(3, 4, **first), m(3, 4, **second))
        yield S(m(3, 1, **first), m(4, **second))
        yield S(m(2, 3, **first), m(**second))
        yield S(m(**first), m(2, **second))
        yield S(m(0, 3), m(1, 3, **second))
        if number is not None:
            yield S(m(2, 3, **first), number)

    return samples


def reduction(several: bool = True, whole: bool = True, distinct: bool = False, **kwargs: Any) -> Samples:
    """All elements, one dimension with and without keepdim, several dimensions, 0-dim."""

    def samples(m: Make) -> Iterable[Sample]:
        make = m.distinct if distinct else m
        if whole:
            yield S(make(3, 4), **kwargs)
        yield S(make(2, 3, 4), 1, **kwargs)
        yield S(make(2, 3, 4), -1, keepdim=True, **kwargs)
        yield S(make(2, 3), dim=0, **kwargs)
        yield S(make(), 0, **kwargs)
        if several:
            yield S(make(2, 3, 4), (0, -1), **kwargs)
            yield S(make(2, 3, 4), (1, 2), True, **kwargs)

    return samples
