"""The names that a checkpoint's pickle may use, and what each of them makes. There are no others."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from math import prod
from pickle import UnpicklingError
from typing import Any

from .. import dtypes
from ..backend import device, namespace
from ..engine import wrap
from ..nn.parameter import Parameter
from ..size import Size
from ..tensor import Tensor
from .format import STORAGE_TYPES, UNTYPED, is_plain_key
from .storage import Storage, StorageType, is_length
from .unpickler import Function

_MAX_DIMS = 32  # NumPy 1's limit; PyTorch's own is 64


def find_global(module: str, name: str) -> Any:
    """What a name of the pickle stands for; UnpicklingError, naming it, for one that is not on the list."""
    module = "builtins" if module == "__builtin__" else module  # as Python 2 called it, and protocol 2 does
    full_name = f"{module}.{name}"
    try:
        return _GLOBALS[module, name]
    except KeyError:
        raise UnpicklingError(
            f"it refers to {full_name!a}, which is refused: a checkpoint may hold tensors, numbers, "
            "strings and plain containers, and nothing that runs code. If you trust the file, load it with PyTorch and "
            "save its state_dict"
        ) from None


def _is_lengths(value: Any) -> bool:
    return type(value) in (tuple, Size) and all(map(is_length, value))


# --- tensors --------------------------------------------------------------------------------------------------------


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any) -> Tensor:
    if type(storage) is not Storage:
        raise UnpicklingError("a tensor has no storage")
    return _strided(storage.array, offset, size, stride)


def _rebuild_tensor_v2(
    storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any, metadata: Any = None
) -> Tensor:
    tensor = _rebuild_tensor(storage, offset, size, stride)
    return _finished(tensor, requires_grad, metadata)


def _rebuild_tensor_v3(
    storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any, kind: Any, metadata: Any = None
) -> Tensor:
    if type(storage) is not Storage or storage.array.dtype != dtypes.uint8.numpy or kind not in UNTYPED:
        raise UnpicklingError("a tensor stored as bytes has a malformed storage or type")
    width = kind.itemsize
    elements = storage.array[: storage.array.size // width * width].view(kind.numpy)
    return _finished(_strided(elements, offset, size, stride), requires_grad, metadata)


def _finished(tensor: Tensor, requires_grad: Any, metadata: Any) -> Tensor:
    if metadata is not None and (type(metadata) is not dict or metadata):
        raise UnpicklingError("a tensor is stored with pending conj() or neg(): resolve_conj() it before saving")
    if type(requires_grad) is not bool:
        raise UnpicklingError("a tensor's requires_grad is no bool")
    if requires_grad:
        tensor.requires_grad_()
    return tensor


def _strided(memory: Any, offset: Any, size: Any, stride: Any) -> Tensor:
    """A tensor on the 1-D array `memory`, after checking that all of its elements lie inside."""
    if not is_length(offset) or not _is_lengths(size) or not _is_lengths(stride) or len(size) != len(stride):
        raise UnpicklingError("a tensor has a malformed offset, size or stride")
    if len(size) > _MAX_DIMS:
        raise UnpicklingError(f"a tensor has {len(size)} dimensions, more than {_MAX_DIMS}")
    width = memory.dtype.itemsize
    if prod(n or 1 for n in size) * width >= 2**63:
        raise UnpicklingError("a tensor has more elements than can be addressed")
    if 0 in size:
        return wrap(memory[:0].reshape(tuple(size)))
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if last >= memory.size:
        raise UnpicklingError(f"a tensor reaches element {last} of a storage that has {memory.size}")
    inner = prod(size)
    dense = True
    for n, step in zip(size, stride, strict=True):
        inner //= n
        dense = dense and (n == 1 or step == inner)
    if dense:
        return wrap(memory[offset : offset + prod(size)].reshape(tuple(size)))
    steps = tuple(step * width for step in stride)
    return wrap(namespace(memory).lib.stride_tricks.as_strided(memory[offset:], tuple(size), steps))


def _rebuild_parameter(data: Any, requires_grad: Any, hooks: Any) -> Parameter:
    if type(data) is not Tensor or type(requires_grad) is not bool:
        raise UnpicklingError("a parameter has no tensor, or its requires_grad is no bool")
    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(data: Any, requires_grad: Any, hooks: Any, state: Any) -> Parameter:
    return _with_attributes(_rebuild_parameter(data, requires_grad, hooks), state)


def _rebuild_from_type(function: Any, kind: Any, arguments: Any, state: Any) -> Tensor:
    """A tensor that had Python attributes."""
    plain = type(function) is Function and function.call in (_rebuild_tensor_v2, _rebuild_tensor_v3)
    if not plain or kind is not Tensor or type(arguments) is not tuple:
        raise UnpicklingError("a tensor with attributes is not rebuilt as a plain tensor")
    return _with_attributes(function.call(*arguments), state)


def _with_attributes(tensor: Any, state: Any) -> Any:
    if type(state) is not dict or any(type(name) is not str or hasattr(Tensor, name) for name in state):
        raise UnpicklingError("the attributes of a tensor are not a plain dict of new names")
    vars(tensor).update(state)
    return tensor


# --- plain values ---------------------------------------------------------------------------------------------------


def _encode(text: Any, encoding: Any) -> bytes:
    """How protocol 2 spells bytes."""
    if type(text) is not str or type(encoding) is not str or encoding not in ("latin1", "latin-1"):
        raise UnpicklingError("bytes are not spelled as text in latin1")
    return text.encode("latin1")


def _bytes() -> bytes:
    return b""


def _bytearray(content: Any = b"") -> bytearray:
    if type(content) is not bytes:  # of a number it would make that many bytes
        raise UnpicklingError("a bytearray is not made from bytes")
    return bytearray(content)


def _complex(real: Any, imag: Any) -> complex:
    if type(real) is not float or type(imag) is not float:
        raise UnpicklingError("a complex number is not made of two floats")
    return complex(real, imag)


def _set(items: Any = None) -> set:
    items = [] if items is None else items
    if type(items) is not list or not all(map(is_plain_key, items)):
        raise UnpicklingError("a set is not made from a list of plain items")
    return set(items)


def _ordered_dict(items: Any = None) -> OrderedDict:
    """Empty, or, as Python 2 spelled it, from a list of pairs."""
    items = [] if items is None else items
    if type(items) is not list or not all(map(_is_pair, items)):
        raise UnpicklingError("an OrderedDict is not made from a list of keys and values")
    return OrderedDict(items)


def _is_pair(item: Any) -> bool:
    return type(item) in (list, tuple) and len(item) == 2 and is_plain_key(item[0])


def _counter(counts: Any = None) -> Counter:
    counts = {} if counts is None else counts
    if type(counts) is not dict:
        raise UnpicklingError("a Counter is not made from a dict")
    return Counter(counts)


def _size(lengths: Any) -> Size:
    if not _is_lengths(lengths):
        raise UnpicklingError("a Size is not made of lengths")
    return Size(lengths)


def _device(kind: Any, index: Any = None) -> device:
    if type(kind) is not str or kind not in ("cpu", "cuda") or not (index is None or is_length(index)):
        raise UnpicklingError("a device is neither cpu nor cuda with an index")
    return device(kind, index)


_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor_v2,
    ("torch._utils", "_rebuild_tensor_v3"): _rebuild_tensor_v3,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter_with_state,
    ("torch._tensor", "_rebuild_from_type_v2"): _rebuild_from_type,
    ("torch", "Size"): _size,
    ("torch", "device"): _device,
    ("collections", "OrderedDict"): _ordered_dict,
    ("collections", "Counter"): _counter,
    ("_codecs", "encode"): _encode,
    ("builtins", "bytes"): _bytes,
    ("builtins", "bytearray"): _bytearray,
    ("builtins", "complex"): _complex,
    ("builtins", "set"): _set,
}

_GLOBALS: dict[tuple[str, str], Any] = {
    **{path: Function(call) for path, call in _FUNCTIONS.items()},
    **{(m, name): StorageType(name, d) for m in ("torch", "torch.cuda") for name, d in STORAGE_TYPES.items()},
    **{("torch", d.name): d for d in dtypes.ALL},
    ("torch.storage", "UntypedStorage"): StorageType("UntypedStorage", dtypes.uint8),
    ("torch", "Tensor"): Tensor,
}
