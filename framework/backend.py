"""Devices and array modules: where arrays live, and the only file that imports cupy.

An operator never asks where it runs: it takes the array's own module from `namespace(array)` and calls NumPy's names
on it. CuPy is imported when the first CUDA device is asked for, never before.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

#: The module whose functions take arrays of a type. NumPy's scalars and Python's numbers count as host arrays.
NAMESPACES: dict[type, Any] = dict.fromkeys((np.ndarray, bool, int, float, complex), np)
NAMESPACES.update(dict.fromkeys((np.dtype(code).type for code in "?bBhHiIlLqQefdFD"), np))
#: The array types proper: what a Tensor may hold.
ARRAY_TYPES: set[type] = {np.ndarray}


def namespace(array: Any) -> Any:
    """The module (numpy, or cupy) that works on `array`; TypeError for anything else."""
    try:
        return NAMESPACES[type(array)]
    except KeyError:
        if isinstance(array, (np.ndarray, np.generic)):
            return np
        raise TypeError(f"expected an array, got {type(array).__name__}") from None


_cupy: Any = None


def cupy() -> Any:
    """CuPy, imported on first use and entered in the tables above; ImportError says how to install it."""
    global _cupy
    if _cupy is None:
        try:
            module = importlib.import_module("cupy")
        except ImportError as error:
            raise ImportError("CUDA tensors need CuPy: pip install 'framework[cuda13]' (or cuda12)") from error
        NAMESPACES[module.ndarray] = module
        ARRAY_TYPES.add(module.ndarray)
        _cupy = module
    return _cupy


def special_functions(xp: Any) -> Any:
    """SciPy's special functions for the arrays of a module, imported on first use: `scipy.special` or CuPy's own."""
    name = "scipy.special" if xp is np else "cupyx.scipy.special"
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError("this function needs SciPy: pip install 'framework[special]'") from error


def cuda_device_count() -> int:
    """How many CUDA devices can be used: 0 without CuPy, a driver or a card."""
    try:
        return int(cupy().cuda.runtime.getDeviceCount()) if cupy().cuda.is_available() else 0
    except Exception:  # CuPy raises its own errors for a missing or broken driver; each of them means: none
        return 0


class device:
    """A place for tensors: `device("cpu")`, `device("cuda", 0)`, `device("cuda:1")`, `device(0)`.

    RuntimeError for a text that names no device.
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index if index is None else index
        elif isinstance(type, int) and not isinstance(type, bool):
            type, index = "cuda", type
        elif isinstance(type, str):
            name, colon, number = type.partition(":")
            if colon:
                if not number.isdigit() or index is not None:
                    raise RuntimeError(f"Invalid device string: '{type}'")
                index = int(number)
            type = name
        else:
            raise TypeError(f"device(): argument 'type' must be str or int, not {type.__class__.__name__}")
        if type not in ("cpu", "cuda", "meta"):
            raise RuntimeError(f"Expected one of cpu, cuda device type at start of device string: {type}")
        if type == "meta":
            raise RuntimeError("this framework has no meta device; use cpu or cuda")
        self.type: str = type
        self.index = index

    def __repr__(self) -> str:
        return (
            f"device(type='{self.type}')" if self.index is None else f"device(type='{self.type}', index={self.index})"
        )

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (self.type, self.index)


CPU = device("cpu")


def device_of(array: Any) -> device:
    """The device that holds `array`."""
    return CPU if isinstance(array, np.ndarray) else device("cuda", int(array.device.id))


def resolve(where: Any) -> device:
    """A device from a device, a text, an index or None (the CPU); CUDA without an index is the current one."""
    if where is None:
        return CPU
    found = where if type(where) is device else device(where)
    if found.type == "cuda":
        require_cuda()
        if found.index is None:
            found = device("cuda", int(cupy().cuda.Device().id))
    return found


def require_cuda() -> None:
    """RuntimeError, saying what is missing, unless a CUDA device can be used."""
    try:
        usable = bool(cupy().cuda.is_available())
    except ImportError as error:
        raise RuntimeError(f"CUDA is not available: {error}") from error
    if not usable:
        raise RuntimeError("CUDA is not available: CuPy finds no usable NVIDIA device")


def to_device(array: Any, where: device) -> Any:
    """`array` on a device: the same object if it is there already, else a copy."""
    if where.type == "cpu":
        return array if isinstance(array, np.ndarray) else array.get()
    module = cupy()
    if isinstance(array, module.ndarray) and int(array.device.id) == where.index:
        return array
    with module.cuda.Device(where.index):
        return module.asarray(array)


def to_host(array: Any) -> np.ndarray:
    """`array` as a NumPy array: itself, or a copy fetched from the device."""
    return array if isinstance(array, np.ndarray) else array.get()


def namespace_on(where: device) -> Any:
    """The array module that creates arrays on a device."""
    return np if where.type == "cpu" else cupy()


def add_at(array: Any, index: Any, values: Any) -> None:
    """`array[index] += values` where repeated indices add up (NumPy's `add.at`)."""
    xp, kind = namespace(array), array.dtype.kind
    if xp is np or array.dtype.char in "efd":
        xp.add.at(array, index, values)
    elif kind == "c":  # CUDA has atomic additions for few types: others go by parts,
        add_at(array.real, index, values.real)
        add_at(array.imag, index, values.imag)
    elif array.dtype == np.int64:  # as unsigned numbers, whose sums have the same bits,
        xp.add.at(array.view(np.uint64), index, values.view(np.uint64))
    else:  # or in a wider type
        wide = array.astype(np.int32 if kind in "biu" else np.float32)
        xp.add.at(wide, index, values.astype(wide.dtype))
        array[...] = wide


def is_view_of(result: Any, array: Any) -> bool:
    """Whether `result`, made from `array` by one array operation, shares its memory.

    Both NumPy and CuPy let a view's `base` be the owner of the memory, so one comparison tells. NumPy's `as_strided`
    alone puts an object of its own in between.
    """
    base = result.base
    if base is None or base is array or base is array.base or result is array:
        return base is not None or result is array
    source: Any = getattr(base, "base", None)
    if type(source) is not type(array):
        return False
    return source is array or source.base is array or (source.base is not None and source.base is array.base)


def pointer(array: Any) -> int:
    """The address of an array's first element."""
    if isinstance(array, np.ndarray):
        return int(array.__array_interface__["data"][0])
    return int(array.data.ptr)
