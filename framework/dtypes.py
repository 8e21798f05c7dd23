"""Data types under torch's names, their NumPy twins, and torch's promotion rules.

A `dtype` is a small object that prints as torch prints its own (`torch.float32`). Arrays carry NumPy dtypes;
`dtype.numpy` and `from_numpy` translate. bfloat16, which NumPy lacks, comes from ml_dtypes and is loaded on first use.
"""

from __future__ import annotations

import builtins
from functools import cache
from typing import Any

import numpy as np

_CATEGORIES = {"bool": 0, "int": 1, "float": 2, "complex": 3}


class dtype:
    """An element type. Attributes follow torch: `itemsize`, `is_floating_point`, `is_complex`, `is_signed`."""

    __slots__ = ("__weakref__", "_numpy", "category", "name")

    def __init__(self, name: str, category: str) -> None:
        self.name = name
        self.category = category
        self._numpy: np.dtype | None = None if name == "bfloat16" else np.dtype(name)

    @property
    def numpy(self) -> np.dtype:
        """The NumPy dtype that arrays of this type carry."""
        if self._numpy is None:
            self._numpy = _load_bfloat16()
        return self._numpy

    @property
    def itemsize(self) -> builtins.int:
        """Bytes per element."""
        return self.numpy.itemsize

    @property
    def is_floating_point(self) -> builtins.bool:
        """Whether it is a real floating type."""
        return self.category == "float"

    @property
    def is_complex(self) -> builtins.bool:
        """Whether it is a complex type."""
        return self.category == "complex"

    @property
    def is_signed(self) -> builtins.bool:
        """Whether it has negative numbers."""
        return self.name not in ("uint8", "uint16", "uint32", "uint64", "bool")

    def to_complex(self) -> dtype:
        """The complex type of this precision (complex64 for the types that have none)."""
        return complex128 if self.name in ("float64", "complex128") else complex64

    def to_real(self) -> dtype:
        """The type of a complex type's parts; a real type itself."""
        return {"complex64": float32, "complex128": float64}.get(self.name, self)

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _by_name, (self.name,)

    def __copy__(self) -> dtype:
        return self

    def __deepcopy__(self, memo: dict) -> dtype:
        return self


def _load_bfloat16() -> np.dtype:
    try:
        import ml_dtypes
    except ImportError as error:
        raise ImportError("torch.bfloat16 needs the package ml_dtypes: pip install ml_dtypes") from error
    twin = np.dtype(ml_dtypes.bfloat16)
    _FROM_NUMPY[twin] = bfloat16
    return twin


bool = dtype("bool", "bool")
uint8 = dtype("uint8", "int")
uint16 = dtype("uint16", "int")
uint32 = dtype("uint32", "int")
uint64 = dtype("uint64", "int")
int8 = dtype("int8", "int")
int16 = dtype("int16", "int")
int32 = dtype("int32", "int")
int64 = dtype("int64", "int")
float16 = dtype("float16", "float")
bfloat16 = dtype("bfloat16", "float")
float32 = dtype("float32", "float")
float64 = dtype("float64", "float")
complex64 = dtype("complex64", "complex")
complex128 = dtype("complex128", "complex")

short, int, long = int16, int32, int64
half, float, double = float16, float32, float64
cfloat, cdouble = complex64, complex128

ALL = (
    bool,
    uint8,
    uint16,
    uint32,
    uint64,
    int8,
    int16,
    int32,
    int64,
    float16,
    bfloat16,
    float32,
    float64,
    complex64,
    complex128,
)
#: Python's types name element types too.
PYTHON_TYPES: dict[Any, dtype] = {
    builtins.bool: bool,
    builtins.int: int64,
    builtins.float: float64,
    complex: complex128,
}

_NAMES = {d.name: d for d in ALL}
_FROM_NUMPY = {d.numpy: d for d in ALL if d is not bfloat16}


def _by_name(name: str) -> dtype:
    return _NAMES[name]


def from_numpy(np_dtype: Any) -> dtype:
    """The framework's twin of a NumPy dtype; TypeError for one that has none (strings, objects, ...)."""
    found = _FROM_NUMPY.get(np_dtype)
    if found is not None:
        return found
    key = np.dtype(np_dtype)
    if key.name == "bfloat16":
        bfloat16.numpy  # noqa: B018  loads the twin and enters it in the table
    found = _FROM_NUMPY.get(key) or _FROM_NUMPY.get(key.newbyteorder("="))
    if found is None:
        raise TypeError(
            f"can't convert np.ndarray of type {key}. The only supported types are: float64, float32, float16, "
            "bfloat16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool."
        )
    return found


_SCALAR_TYPES = {
    bool: "Bool",
    uint8: "Byte",
    uint16: "UInt16",
    uint32: "UInt32",
    uint64: "UInt64",
    int8: "Char",
    int16: "Short",
    int32: "Int",
    int64: "Long",
    float16: "Half",
    bfloat16: "BFloat16",
    float32: "Float",
    float64: "Double",
    complex64: "ComplexFloat",
    complex128: "ComplexDouble",
}


def scalar_type_name(kind: Any) -> str:
    """The name in PyTorch's C++ messages of a type, the framework's or NumPy's: Float, Long, ..."""
    return _SCALAR_TYPES[kind if isinstance(kind, dtype) else from_numpy(kind)]


# --- the default type ---------------------------------------------------------------------------------------------

_default = float32


def get_default_dtype() -> dtype:
    """The floating type that Python floats and `zeros`, `rand`, ... become: float32 unless changed."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Sets the default floating type; TypeError unless `d` is one."""
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        got = d if isinstance(d, dtype) else type(d).__name__
        raise TypeError(f"only floating-point types are supported as the default type, but got {got}")
    _default = d


# --- promotion ----------------------------------------------------------------------------------------------------


@cache
def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest type that both promote to, by torch's table (int64 with float16 is float16)."""
    if type1 is type2:
        return type1
    low, high = sorted((type1, type2), key=lambda d: _CATEGORIES[d.category])
    if low.category != high.category:
        if high.is_complex and low.is_floating_point:
            return promote_types(high, low.to_complex()) if low is float64 else high
        return high
    if low.is_floating_point and {low, high} == {float16, bfloat16}:
        return float32
    if bfloat16 in (low, high):
        return high if low is bfloat16 else low
    unsigned = {uint16, uint32, uint64}
    if low.category == "int" and ((low in unsigned) != (high in unsigned)):
        raise RuntimeError(f"Promotion for uint16, uint32, uint64 types is not supported, attempted {low} and {high}")
    return from_numpy(np.promote_types(low.numpy, high.numpy))


def of_scalar(value: Any) -> dtype:
    """The type a Python number has in promotion: bool, int64, the default float, or its complex twin."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is True or value is False:
        return bool
    if isinstance(value, _int):
        return int64
    if isinstance(value, complex) and not isinstance(value, _float):
        return _default.to_complex()
    return _default


_int, _float, _bool = builtins.int, builtins.float, builtins.bool


def _over(higher: dtype | None, lower: dtype | None) -> dtype | None:
    """Combines two priority classes: the lower one counts only when its category is above the higher one's."""
    if higher is None or lower is None:
        return higher or lower
    if higher.is_complex:
        return higher
    if higher.is_floating_point:
        return higher.to_complex() if lower.is_complex else higher
    if higher is bool or lower.is_floating_point or lower.is_complex:
        return promote_types(higher, lower)
    return higher


def combine(dimensioned: list[dtype], zero_dim: list[dtype], numbers: list[dtype]) -> dtype:
    """torch's result type of operands in three priority classes: tensors with dimensions, 0-dim tensors, numbers."""
    classes = []
    for members in (dimensioned, zero_dim, numbers):
        joined: dtype | None = None
        for member in members:
            joined = member if joined is None else promote_types(joined, member)
        classes.append(joined)
    result = _over(classes[0], _over(classes[1], classes[2]))
    assert result is not None
    return result


def can_cast(from_: dtype, to: dtype) -> _bool:  # type: ignore[valid-type]
    """Whether torch's in-place rules let values of type `from_` be written into a tensor of type `to`."""
    if from_.is_complex and not to.is_complex:
        return False
    if from_.is_floating_point and to.category in ("int", "bool"):
        return False
    return not (from_.category == "int" and to is bool)


# --- limits -------------------------------------------------------------------------------------------------------


class finfo:
    """Limits of a floating type (of the default one without an argument): `eps`, `max`, `min`, `tiny`, `bits`, ..."""

    def __init__(self, type: dtype | None = None) -> None:
        kind = type or _default
        if not isinstance(kind, dtype) or kind.category not in ("float", "complex"):
            raise TypeError(f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{kind}'")
        kind = kind.to_real()
        if kind is bfloat16:
            import ml_dtypes

            info: Any = ml_dtypes.finfo(kind.numpy)
        else:
            info = np.finfo(kind.numpy)
        self.dtype = kind.name
        self.bits = info.bits
        self.eps = _float(info.eps)
        self.max = _float(info.max)
        self.min = _float(info.min)
        self.tiny = self.smallest_normal = _float(info.smallest_normal)
        self.resolution = _float(info.resolution)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer type: `min`, `max`, `bits`."""

    def __init__(self, type: dtype) -> None:
        if not isinstance(type, dtype) or type.category != "int":
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{type}'")
        info = np.iinfo(type.numpy)
        self.dtype = type.name
        self.bits, self.min, self.max = info.bits, _int(info.min), _int(info.max)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
