"""Writes the pickle of a checkpoint: protocol 2, and only what PyTorch's restricted reader accepts.

The standard library's Pickler writes a function's name only if it can import it; the names here are PyTorch's.
"""

from __future__ import annotations

import pickle
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..backend import device, device_of
from ..nn.parameter import Parameter
from ..size import Size
from ..tensor import Tensor
from .format import STORAGE_TYPES, UNTYPED, is_plain_key
from .memory import Memory

#: The way to a value inside the saved object: (way to its container, its key there), None for the object itself.
Path = tuple[Any, Any] | None

_STORAGE_NAMES = {dtype: name for name, dtype in STORAGE_TYPES.items()}
_SAVABLE = (
    "a checkpoint can hold tensors, numbers, strings, bytes, None, dtypes, devices, sizes, and dicts, lists, tuples "
    "and sets of them (of a module or an optimizer, save its state_dict())"
)


class Pickler:
    """Writes one object; the memory of its tensors is entered in `memory`, to be written beside the pickle."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._out = bytearray()
        self._memo: dict[Any, int] = {}  # id of a container or tensor, text of a string or global -> its memo index
        self._open_tuples: set[int] = set()
        self._made: list[Any] = []  # containers made on the way: while they live, no other object has their id

    def dump(self, value: Any) -> bytes:
        """The pickle of `value`. TypeError naming the place of anything that a checkpoint cannot hold."""
        self._out += pickle.PROTO + b"\x02"
        self._save(value, None)
        self._out += pickle.STOP
        return bytes(self._out)

    def _save(self, value: Any, path: Path) -> None:
        writer = _WRITERS.get(type(value))
        if writer is not None:
            writer(self, value, path)
        elif isinstance(value, Tensor):
            self._save_tensor(value, path)
        else:
            raise TypeError(f"cannot save {_place(path)}, a {_type_name(value)}: {_SAVABLE}")

    # --- memo -----------------------------------------------------------------------------------------------------

    def _recall(self, key: Any) -> bool:
        """Write a reference to what was memoised under `key`; False if nothing was."""
        index = self._memo.get(key)
        if index is None:
            return False
        self._out += pickle.BINGET + bytes([index]) if index < 256 else pickle.LONG_BINGET + struct.pack("<I", index)
        return True

    def _memoise(self, key: Any) -> None:
        index = self._memo[key] = len(self._memo)
        self._out += pickle.BINPUT + bytes([index]) if index < 256 else pickle.LONG_BINPUT + struct.pack("<I", index)

    # --- atoms ----------------------------------------------------------------------------------------------------

    def _save_none(self, value: None, path: Path) -> None:
        self._out += pickle.NONE

    def _save_bool(self, value: bool, path: Path) -> None:
        self._out += pickle.NEWTRUE if value else pickle.NEWFALSE

    def _save_int(self, value: int, path: Path) -> None:
        if 0 <= value < 256:
            self._out += pickle.BININT1 + bytes([value])
        elif 0 <= value < 65536:
            self._out += pickle.BININT2 + struct.pack("<H", value)
        elif -(2**31) <= value < 2**31:
            self._out += pickle.BININT + struct.pack("<i", value)
        else:
            size = value.bit_length() // 8 + 1
            if size > 255:
                raise TypeError(f"cannot save {_place(path)}, an integer of {size} bytes: 255 is the most")
            self._out += pickle.LONG1 + bytes([size]) + value.to_bytes(size, "little", signed=True)

    def _save_float(self, value: float, path: Path) -> None:
        self._out += pickle.BINFLOAT + struct.pack(">d", value)

    def _save_str(self, value: str, path: Path) -> None:
        if not self._recall(("str", value)):
            text = value.encode("utf-8", "surrogatepass")
            self._out += pickle.BINUNICODE + struct.pack("<I", len(text)) + text
            self._memoise(("str", value))

    def _save_bytes(self, value: bytes, path: Path) -> None:
        self._save_call("_codecs encode", path, str(value, "latin1"), "latin1")

    def _save_complex(self, value: complex, path: Path) -> None:
        self._save_call("__builtin__ complex", path, value.real, value.imag)

    def _save_dtype(self, value: dtypes.dtype, path: Path) -> None:
        self._save_global(f"torch {value.name}")

    def _save_device(self, value: device, path: Path) -> None:
        self._save_call("torch device", path, value.type, *(() if value.index is None else (value.index,)))

    # --- containers -----------------------------------------------------------------------------------------------

    def _save_list(self, value: list, path: Path) -> None:
        if not self._recall(id(value)):
            self._out += pickle.EMPTY_LIST
            self._memoise(id(value))
            self._out += pickle.MARK
            for i, item in enumerate(value):
                self._save(item, (path, i))
            self._out += pickle.APPENDS

    def _save_tuple(self, value: tuple, path: Path) -> None:
        if self._recall(id(value)):
            return
        if id(value) in self._open_tuples:
            raise TypeError(f"cannot save {_place(path)}: a tuple that contains itself")
        self._open_tuples.add(id(value))
        self._begin_tuple(len(value))
        for i, item in enumerate(value):
            self._save(item, (path, i))
        self._end_tuple(len(value))
        self._open_tuples.discard(id(value))
        self._memoise(id(value))

    def _save_set(self, value: set, path: Path) -> None:
        if not self._recall(id(value)):
            for item in value:
                self._check_key(item, path)
            self._save_call("__builtin__ set", path, list(value))
            self._memoise(id(value))

    def _save_dict(self, value: dict, path: Path) -> None:
        if not self._recall(id(value)):
            self._out += pickle.EMPTY_DICT
            self._memoise(id(value))
            self._save_items(value, path)

    def _save_ordered_dict(self, value: OrderedDict, path: Path) -> None:
        if not self._recall(id(value)):
            self._save_call("collections OrderedDict", path)
            self._memoise(id(value))
            self._save_items(value, path)
            if vars(value):  # a state_dict's versions, in _metadata
                self._save(vars(value), (path, "__dict__"))
                self._out += pickle.BUILD

    def _save_counter(self, value: Counter, path: Path) -> None:
        if not self._recall(id(value)):
            self._save_call("collections Counter", path, dict(value))
            self._memoise(id(value))

    def _save_items(self, value: dict, path: Path) -> None:
        self._out += pickle.MARK
        for key, item in value.items():
            self._check_key(key, path)
            self._save(key, path)
            self._save(item, (path, key))
        self._out += pickle.SETITEMS

    def _check_key(self, key: Any, path: Path) -> None:
        if not is_plain_key(key):
            raise TypeError(
                f"cannot save {_place(path)}: it has a key of type {_type_name(key)}; a key can be a string, bytes, a "
                "number, None, a dtype, a device or a short tuple of them"
            )

    def _save_size(self, value: Size, path: Path) -> None:
        if not self._recall(id(value)):
            self._save_call("torch Size", path, tuple(value))
            self._memoise(id(value))

    # --- calls that the reader makes -------------------------------------------------------------------------------

    def _save_global(self, name: str) -> None:
        if not self._recall(("global", name)):
            self._out += pickle.GLOBAL + name.replace(" ", "\n").encode() + b"\n"
            self._memoise(("global", name))

    def _save_call(self, name: str, path: Path, *arguments: Any) -> None:
        self._made.append(arguments)
        self._save_global(name)
        self._begin_tuple(len(arguments))
        for argument in arguments:
            self._save(argument, path)
        self._end_tuple(len(arguments))
        self._out += pickle.REDUCE

    def _begin_tuple(self, length: int) -> None:
        if length > 3:
            self._out += pickle.MARK

    def _end_tuple(self, length: int) -> None:
        short = (pickle.EMPTY_TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3)
        self._out += short[length] if length <= 3 else pickle.TUPLE

    # --- tensors ----------------------------------------------------------------------------------------------------

    def _save_tensor(self, value: Tensor, path: Path) -> None:
        if self._recall(id(value)):
            return
        if isinstance(value, Parameter):
            self._save_global("torch._utils _rebuild_parameter")
            self._save_array(value._array, False, path)
            self._save_bool(value.requires_grad, path)
            self._save_call("collections OrderedDict", path)  # the hooks, which are not saved
            self._out += pickle.TUPLE3 + pickle.REDUCE
        else:
            self._save_array(value._array, value.requires_grad, path)
        self._memoise(id(value))

    def _save_array(self, array: Any, requires_grad: bool, path: Path) -> None:
        kind = dtypes.from_numpy(array.dtype)
        untyped = kind in UNTYPED
        place = self._memory.place(array)
        sizes = tuple(array.shape), place.strides
        self._made.append(sizes)
        self._save_global(f"torch._utils _rebuild_tensor_v{3 if untyped else 2}")
        self._out += pickle.MARK
        self._out += pickle.MARK
        self._save_str("storage", path)
        self._save_global("torch.storage UntypedStorage" if untyped else f"torch {_STORAGE_NAMES[kind]}")
        self._save_str(place.key, path)
        self._save_str(str(device_of(array)), path)
        self._save_int(place.numel, path)
        self._out += pickle.TUPLE + pickle.BINPERSID
        self._save_int(place.offset, path)
        for lengths in sizes:
            self._save_tuple(lengths, path)
        self._save_bool(requires_grad, path)
        self._save_call("collections OrderedDict", path)
        if untyped:
            self._save_dtype(kind, path)
        self._out += pickle.TUPLE + pickle.REDUCE


_WRITERS: dict[type, Callable[[Pickler, Any, Path], None]] = {
    type(None): Pickler._save_none,
    bool: Pickler._save_bool,
    int: Pickler._save_int,
    float: Pickler._save_float,
    complex: Pickler._save_complex,
    str: Pickler._save_str,
    bytes: Pickler._save_bytes,
    list: Pickler._save_list,
    tuple: Pickler._save_tuple,
    set: Pickler._save_set,
    dict: Pickler._save_dict,
    OrderedDict: Pickler._save_ordered_dict,
    Counter: Pickler._save_counter,
    Size: Pickler._save_size,
    dtypes.dtype: Pickler._save_dtype,
    device: Pickler._save_device,
}


def _place(path: Path) -> str:
    """The place inside the saved object in Python's notation: `obj['optimizer']['state'][0]`."""
    keys = []
    while path is not None:
        path, key = path
        keys.append(f"[{key!r}]")
    return "obj" + "".join(reversed(keys))


def _type_name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
