"""How tensors print: PyTorch's text, character for character.

Works on plain arrays and a few facts about the tensor, and brings to the host only the elements that are shown, so
that printing a large tensor on a GPU copies little.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ToHost = Callable[[Any], NDArray[Any]]


@dataclass
class PrintOptions:
    """The settings of ``set_printoptions``."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}

_options = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print.

    ``precision``: digits after the point. ``threshold``: tensors of more elements are summarised. ``edgeitems``: how
    many elements a summary shows at each end of a dimension. ``linewidth``: characters per line. ``profile``:
    "default", "short" or "full", which the other arguments override. ``sci_mode``: scientific notation on or off;
    None, also when the argument is left out, lets the values decide.
    """
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"profile must be one of {', '.join(_PROFILES)}, got {profile!r}")
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    settings = dict(_PROFILES[profile]) if profile is not None else {}
    settings.update({name: value for name, value in given.items() if value is not None})
    for name, value in settings.items():
        setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The settings as a dict that ``set_printoptions`` takes back as keyword arguments."""
    return asdict(_options)


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """``set_printoptions`` for the length of a ``with`` block."""
    before = get_printoptions()
    try:
        set_printoptions(**options)
        yield
    finally:
        set_printoptions(**before)


def tensor_str(
    array: Any,
    *,
    dtype_name: str,
    default_float: str = "float32",
    device_suffix: str | None = None,
    requires_grad: bool = False,
    grad_fn_name: str | None = None,
    prefix: str = "tensor",
    to_host: ToHost = np.asarray,
) -> str:
    """``repr`` of the tensor that holds ``array``.

    ``dtype_name`` and ``default_float``: names without the "torch.". ``device_suffix``: the device where it is to be
    shown ("cuda:0"), else None. ``prefix``: what stands before the bracket; only its last line counts for indenting.
    ``to_host``: turns a slice of ``array`` into a NumPy array.
    """
    head = prefix + "("
    indent = len(head) - (head.rfind("\n") + 1)
    suffixes = [] if device_suffix is None else [f"device='{device_suffix}'"]
    if array.size == 0:
        if array.ndim != 1:
            suffixes.append(f"size={tuple(array.shape)}")
        show_dtype = dtype_name != default_float
        text = "[]"
    else:
        if not _options.edgeitems:
            suffixes.append(f"size={tuple(array.shape)}")
        show_dtype = dtype_name not in _evident_dtypes(default_float)
        text = _contents(array, dtype_name, indent, to_host)
    if show_dtype:
        suffixes.append(f"dtype=torch.{dtype_name}")
    if grad_fn_name is not None:
        suffixes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    return _append_suffixes(head + text, suffixes, indent)


def format_scalar(array: Any, format_spec: str, *, to_host: ToHost = np.asarray) -> str:
    """``format`` of a tensor with no dimensions: that of its Python number."""
    return format(_python_values(to_host(array)), format_spec)


def _evident_dtypes(default_float: str) -> tuple[str, ...]:
    """Dtypes that go without saying, because ``tensor`` of the printed values would have them."""
    return default_float, "complex128" if default_float == "float64" else "complex64", "int64", "bool"


def _append_suffixes(text: str, suffixes: Sequence[str], indent: int) -> str:
    line_length = len(text) - text.rfind("\n") + 1  # PyTorch counts the bracket and one more
    for suffix in suffixes:
        if line_length + len(suffix) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + suffix
            line_length = indent + len(suffix)
        else:
            text += ", " + suffix
            line_length += len(suffix) + 2
    return text + ")"


def _contents(array: Any, dtype_name: str, indent: int, to_host: ToHost) -> str:
    """The nested brackets; of a tensor above the threshold, the ends of each dimension."""
    edge = _options.edgeitems
    summarize = array.size > _options.threshold
    cut = [summarize and length > 2 * edge for length in array.shape]
    shown = _ends(array, cut, 0, to_host)
    if shown.dtype.kind == "c":
        formats = [_number_format(shown.real), _number_format(shown.imag)]
    elif dtype_name in ("float16", "bfloat16", "float32", "float64"):
        formats = [_number_format(shown.astype(np.float64))]
    else:
        formats = [_plain_format(shown)]
    return _nested(_python_values(shown), cut, formats, indent)


def _ends(array: Any, cut: Sequence[bool], axis: int, to_host: ToHost) -> NDArray[Any]:
    """The part of ``array`` that a summary shows, on the host: both ends of each dimension that is cut."""
    if axis == array.ndim:
        return to_host(array)
    if not cut[axis]:
        return _ends(array, cut, axis + 1, to_host)
    edge = _options.edgeitems
    before = (slice(None),) * axis
    first = _ends(array[(*before, slice(edge))], cut, axis + 1, to_host)
    last = _ends(array[(*before, slice(array.shape[axis] - edge, None))], cut, axis + 1, to_host)
    return np.concatenate([first, last], axis)


def _python_values(array: NDArray[Any]) -> Any:
    """Python numbers, nested in lists as the array's dimensions are."""
    if array.dtype.kind not in "biufc":  # bfloat16, which NumPy does not know
        array = array.astype(np.float32)
    return array.tolist()


def _nested(values: Any, cut: Sequence[bool], formats: Sequence[_Format], indent: int) -> str:
    """The text of ``values``, a number or nested lists; ``cut`` tells the dimensions to put an ellipsis in."""
    if not cut:
        return _number(values, formats)
    if len(cut) == 1:
        return _vector(values, cut[0], formats, indent)
    rows = [_nested(row, cut[1:], formats, indent + 1) for row in values]
    if cut[0]:
        rows.insert(_options.edgeitems, "...")
    separator = "," + "\n" * (len(cut) - 1) + " " * (indent + 1)
    return "[" + separator.join(rows) + "]"


def _vector(values: Sequence[Any], cut: bool, formats: Sequence[_Format], indent: int) -> str:
    items = [_number(value, formats) for value in values]
    if cut:
        items.insert(_options.edgeitems, " ..." if items else "...")
    width = sum(part.width for part in formats) + 2  # with comma and space
    if len(formats) == 2:
        width += 1  # the j
    per_line = max(1, (_options.linewidth - indent) // width)
    lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def _number(value: Any, formats: Sequence[_Format]) -> str:
    if len(formats) == 1:
        return formats[0].pad(value)
    real, imaginary = formats
    imaginary_text = imaginary.pad(value.imag).lstrip() + "j"
    sign = "" if imaginary_text[0] in "+-" else "+"
    return real.pad(value.real) + sign + imaginary_text


@dataclass(frozen=True)
class _Format:
    """One way of writing all numbers of a tensor, at one width."""

    spec: str
    point: bool = False  # a point after finite numbers, which marks whole numbers as floating
    width: int = 1

    def write(self, value: Any) -> str:
        text = format(value, self.spec)
        return text + "." if self.point and math.isfinite(value) else text

    def pad(self, value: Any) -> str:
        return self.write(value).rjust(self.width)

    def fitted(self, values: Sequence[Any]) -> _Format:
        """This format, as wide as the widest of ``values``."""
        return _Format(self.spec, self.point, max((len(self.write(value)) for value in values), default=1))


def _plain_format(shown: NDArray[Any]) -> _Format:
    """For integers and booleans."""
    return _Format("").fitted(shown.ravel().tolist())


def _number_format(shown: NDArray[Any]) -> _Format:
    """For real numbers: scientific, whole (``1.``) or fixed, as their magnitudes ask for.

    Zeros, infinities and NaN have no say in this, nor in the width.
    """
    values = shown[np.isfinite(shown) & (shown != 0)].astype(np.float64)
    if not values.size:
        return _Format(".0f", point=True)
    if _use_scientific(np.abs(values)):
        return _Format(f".{_options.precision}e").fitted(values.tolist())
    if np.all(values == np.ceil(values)):
        return _Format(".0f", point=True).fitted(values.tolist())
    return _Format(f".{_options.precision}f").fitted(values.tolist())


def _use_scientific(magnitudes: NDArray[np.float64]) -> bool:
    if _options.sci_mode is not None:
        return _options.sci_mode
    smallest, largest = float(magnitudes.min()), float(magnitudes.max())
    return largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4
