"""Reads pickles from files that may be hostile: a small stack machine for the opcodes that a checkpoint needs.

Python's own unpickler imports what a pickle names and calls it, and grows its memo to any index the pickle names. This
one only ever puts plain data together: names are looked up by the caller's function, calls go to the `Function`s that
it returned, and lists and dicts are filled only if they are exactly that.
"""

from __future__ import annotations

import pickle
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

from .format import is_plain_key

_MAX_NAME = 256


class Ingredient:
    """What calls are made of and take: functions, storages. It cannot stay in the result."""


class Function(Ingredient):
    """A name of the pickle that may be called, with the function of ours that stands for it."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call


class Unpickler:
    """Reads one pickle after the other from `data`, beginning at `position`, which then is behind the last one.

    `find_global(module, name)` and `persistent_load(id)` raise UnpicklingError for what they do not know.
    """

    def __init__(
        self,
        data: bytes,
        find_global: Callable[[str, str], Any],
        persistent_load: Callable[[Any], Any],
        position: int = 0,
    ) -> None:
        self._data = data
        self._find_global = find_global
        self._persistent_load = persistent_load
        self.position = position
        # A call copies what its arguments hold. That stands in the pickle once, and is copied at most twice (text to
        # bytes to a bytearray); a pickle that calls again and again with a memoised argument copies more.
        self._may_copy = 2 * len(data)

    def load(self) -> Any:
        """The next object. UnpicklingError for anything but a sound pickle of plain data."""
        self._stack: list[Any] = []
        self._below_marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        begin = self.position
        try:
            while (opcode := self._take(1)[0]) != pickle.STOP[0]:
                run = _OPCODES.get(opcode)
                if run is None:
                    raise UnpicklingError(f"opcode {opcode:#04x} is not one that a checkpoint uses")
                run(self)
            return self._plain(self._pop())
        except UnpicklingError as error:
            raise UnpicklingError(f"{error} (byte {self.position - begin} of the pickle)") from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise UnpicklingError(
                f"the pickle is damaged at byte {self.position - begin} ({type(error).__name__})"
            ) from error

    # --- bytes ------------------------------------------------------------------------------------------------------

    def _take(self, count: int) -> bytes:
        taken = self._data[self.position : self.position + count]
        if len(taken) != count:
            raise UnpicklingError("the pickle ends too early")
        self.position += count
        return taken

    def _number(self, code: str) -> Any:
        return struct.unpack(code, self._take(struct.calcsize(code)))[0]

    def _line(self) -> str:
        end = self._data.find(b"\n", self.position, self.position + _MAX_NAME)
        if end < 0:
            raise UnpicklingError("a name in the pickle has no end")
        return self._take(end + 1 - self.position)[:-1].decode()

    # --- stack ------------------------------------------------------------------------------------------------------

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _pop(self) -> Any:
        if not self._stack:
            raise UnpicklingError("the pickle takes more from its stack than is there")
        return self._stack.pop()

    def _pop_to_mark(self) -> list[Any]:
        if not self._below_marks:
            raise UnpicklingError("the pickle has no mark where it needs one")
        items, self._stack = self._stack, self._below_marks.pop()
        return items

    def _top(self, *kinds: type) -> Any:
        """The object to be filled, which must be of one of these types exactly."""
        if not self._stack or type(self._stack[-1]) not in kinds:
            found = type(self._stack[-1]).__name__ if self._stack else "nothing"
            expected = " or ".join(kind.__name__ for kind in kinds)
            raise UnpicklingError(f"the pickle fills a {found} where it needs a {expected}")
        return self._stack[-1]

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Ingredient):
            raise UnpicklingError(f"a {type(value).__name__} stands where data is expected")
        return value

    # --- opcodes ----------------------------------------------------------------------------------------------------

    def _proto(self) -> None:
        protocol = self._take(1)[0]
        if protocol > 3:
            raise UnpicklingError(f"it uses pickle protocol {protocol}; checkpoints use protocol 2")

    def _mark(self) -> None:
        self._below_marks.append(self._stack)
        self._stack = []

    def _global(self) -> None:
        self._push(self._find_global(self._line(), self._line()))

    def _reduce(self) -> None:
        arguments, callee = self._pop(), self._pop()
        if type(callee) is not Function or type(arguments) is not tuple:
            raise UnpicklingError(f"the pickle calls a {type(callee).__name__} with a {type(arguments).__name__}")
        self._may_copy -= sum(len(a) for a in arguments if type(a) in _COPIED)
        if self._may_copy < 0:
            raise UnpicklingError("the pickle copies the same data again and again")
        self._push(callee.call(*arguments))

    def _build(self) -> None:
        state, target = self._pop(), self._top(OrderedDict)
        if type(state) is not dict or any(type(key) is not str or hasattr(OrderedDict, key) for key in state):
            raise UnpicklingError("the attributes of an OrderedDict are not a plain dict of new names")
        vars(target).update(state)

    def _append(self) -> None:
        item = self._pop()
        self._top(list).append(self._plain(item))

    def _appends(self) -> None:
        items = self._pop_to_mark()
        self._top(list).extend(map(self._plain, items))

    def _set_item(self) -> None:
        value, key = self._pop(), self._pop()
        self._set(self._top(dict, OrderedDict, Counter), key, value)

    def _set_items(self) -> None:
        items = self._pop_to_mark()
        target = self._top(dict, OrderedDict, Counter)
        if len(items) % 2:
            raise UnpicklingError("the pickle gives a dict a key without a value")
        for key, value in zip(items[::2], items[1::2], strict=True):
            self._set(target, key, value)

    def _set(self, target: dict, key: Any, value: Any) -> None:
        if not is_plain_key(key):
            raise UnpicklingError(f"a dict has a key of type {type(key).__name__} that no checkpoint has")
        target[key] = self._plain(value)

    def _persistent(self) -> None:
        self._push(self._persistent_load(self._pop()))

    def _tuple(self) -> None:
        items = self._pop_to_mark()
        self._push(tuple(items))

    def _short_tuple(self, length: int) -> None:
        items = [self._pop() for _ in range(length)]
        self._push(tuple(reversed(items)))

    def _text(self, length: int) -> None:
        self._push(self._take(length).decode("utf-8", "surrogatepass"))

    def _get(self, index: int) -> None:
        if index not in self._memo:
            raise UnpicklingError("the pickle refers to an object that it has not read")
        self._push(self._memo[index])

    def _put(self, index: int) -> None:
        value = self._pop()
        self._memo[index] = value
        self._push(value)


#: Types whose contents a call may copy.
_COPIED = frozenset({str, bytes, list, tuple, dict})

_OPCODES: dict[int, Callable[[Unpickler], None]] = {
    code[0]: run
    for code, run in {
        pickle.PROTO: Unpickler._proto,
        pickle.MARK: Unpickler._mark,
        pickle.GLOBAL: Unpickler._global,
        pickle.REDUCE: Unpickler._reduce,
        pickle.NEWOBJ: Unpickler._reduce,
        pickle.BUILD: Unpickler._build,
        pickle.BINPERSID: Unpickler._persistent,
        pickle.APPEND: Unpickler._append,
        pickle.APPENDS: Unpickler._appends,
        pickle.SETITEM: Unpickler._set_item,
        pickle.SETITEMS: Unpickler._set_items,
        pickle.TUPLE: Unpickler._tuple,
        pickle.EMPTY_TUPLE: lambda u: u._push(()),
        pickle.TUPLE1: lambda u: u._short_tuple(1),
        pickle.TUPLE2: lambda u: u._short_tuple(2),
        pickle.TUPLE3: lambda u: u._short_tuple(3),
        pickle.EMPTY_LIST: lambda u: u._push([]),
        pickle.EMPTY_DICT: lambda u: u._push({}),
        pickle.EMPTY_SET: lambda u: u._push(set()),
        pickle.NONE: lambda u: u._push(None),
        pickle.NEWTRUE: lambda u: u._push(True),
        pickle.NEWFALSE: lambda u: u._push(False),
        pickle.BININT: lambda u: u._push(u._number("<i")),
        pickle.BININT1: lambda u: u._push(u._number("<B")),
        pickle.BININT2: lambda u: u._push(u._number("<H")),
        pickle.LONG1: lambda u: u._push(int.from_bytes(u._take(u._number("<B")), "little", signed=True)),
        pickle.BINFLOAT: lambda u: u._push(u._number(">d")),
        pickle.BINUNICODE: lambda u: u._text(u._number("<I")),
        pickle.SHORT_BINSTRING: lambda u: u._text(u._number("<B")),
        pickle.BINGET: lambda u: u._get(u._number("<B")),
        pickle.LONG_BINGET: lambda u: u._get(u._number("<I")),
        pickle.BINPUT: lambda u: u._put(u._number("<B")),
        pickle.LONG_BINPUT: lambda u: u._put(u._number("<I")),
    }.items()
}
