"""Hooks on what the graph saves for backward: `autograd.graph.saved_tensors_hooks`.

Recording knows nothing of them. While hooks are in place in some thread, the function that makes nodes is replaced by
one that makes nodes of a subclass, whose `sequence` (the last thing that recording sets, when all that is saved is
known and in-place writes are done) packs what was saved. Without hooks, nothing is looked at and nothing is paid.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from .node import Node, Packed, SavedOutput, edge_of
from .variable import Variable, wrap


class _Hooks(threading.local):
    def __init__(self) -> None:
        self.stack: list[tuple[Callable, Callable]] = []
        self.disabled: str | None = None  # the message of the error that entering hooks raises


hooks = _Hooks()
_lock = threading.Lock()
_users = 0
_plain_new = Node.__new__
_subclasses: dict[type, type] = {}


def push(pack: Callable, unpack: Callable) -> None:
    """Puts a pair of hooks in place in this thread."""
    if hooks.disabled is not None:
        raise RuntimeError(hooks.disabled)
    hooks.stack.append((pack, unpack))
    _count(1)


def pop() -> None:
    """Takes away the pair that was put in place last."""
    hooks.stack.pop()
    _count(-1)


def _count(change: int) -> None:
    """Exchanges the maker of nodes when the first hooks of all threads come and when the last go."""
    global _users
    with _lock:
        _users += change
        maker = _new_hooked if _users else _plain_new
        for name in ("op", "function"):
            sys.modules[f"{__package__}.{name}"]._new_node = maker  # type: ignore[attr-defined]


def _new_hooked(node_type: type[Node]) -> Node:
    if not hooks.stack:
        return _plain_new(node_type)
    subclass = _subclasses.get(node_type)
    if subclass is None:
        subclass = _subclasses[node_type] = type(node_type.__name__, (node_type,), dict(_MEMBERS))
    return _plain_new(subclass)


def _set_sequence(node: Any, value: int) -> None:
    node.place_in_order = value
    if hooks.stack:
        pack, unpack = hooks.stack[-1]
        node.saved = tuple([_pack(v, pack, unpack) for v in node.saved])


_MEMBERS = {
    "__slots__": ("place_in_order",),
    "sequence": property(lambda node: node.place_in_order, _set_sequence),
}


def _pack(value: Any, pack: Callable, unpack: Callable) -> Any:
    if isinstance(value, Variable):
        return _PackedTensor(value, pack, unpack)
    if type(value) is SavedOutput:
        return _PackedOutput(value, pack, unpack)
    if type(value) is tuple or type(value) is list:
        return type(value)([_pack(v, pack, unpack) for v in value])
    return value


class _PackedTensor(Packed):
    """A saved tensor as the pack hook left it."""

    __slots__ = ("_edge", "_packed", "_unpack")

    def __init__(self, tensor: Any, pack: Callable, unpack: Callable) -> None:
        self._edge = edge_of(tensor) if tensor._requires_grad else None
        self._packed, self._unpack = _run_pack(pack, tensor if self._edge is tensor else _seen(tensor)), unpack

    def as_tensor(self, node: Node) -> Any:
        value = _run_unpack(self._unpack, self._packed)
        return value if isinstance(self._edge, Variable) and value is self._edge else _placed(value, self._edge)


class _PackedOutput(Packed):
    """The same of a node's own result, which does not hold its node."""

    __slots__ = ("_index", "_packed", "_unpack")

    def __init__(self, output: SavedOutput, pack: Callable, unpack: Callable) -> None:
        self._index = output.index
        self._packed, self._unpack = _run_pack(pack, wrap(output.array)), unpack

    def as_tensor(self, node: Node) -> Any:
        value = _run_unpack(self._unpack, self._packed)
        return SavedOutput(value._array, None, self._index).as_tensor(node)


def _seen(tensor: Any) -> Any:
    """A tensor as the hook sees it: on the same memory, outside the graph, so that keeping it closes no cycle."""
    plain = wrap(tensor._array)
    plain._counter = tensor._counter
    return plain


def _placed(value: Any, edge: Any) -> Any:
    """What the unpack hook gave, at the place in the graph of what was packed."""
    tensor = wrap(value._array)
    if isinstance(edge, Variable):
        return _at_leaf(tensor, edge)
    if edge is not None:
        tensor._node, tensor._requires_grad = edge, True
    return tensor


def _at_leaf(tensor: Any, leaf: Any) -> Any:
    """A tensor of its own values whose gradient goes to `leaf`: `Entrance` is the identity."""
    from .level import Level

    return Level().enter(tensor, leaf)


def _run_pack(pack: Callable, tensor: Any) -> Any:
    before = tensor._counter[0] if tensor._counter is not None else 0
    packed = _outside_formulas(pack, tensor)
    if (tensor._counter[0] if tensor._counter is not None else 0) != before:
        raise RuntimeError(
            "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook can not "
            "be modified by in-place operations as this can lead to unexpected side-effects. Please open an issue if "
            "you need to perform in-place operations on the input to a pack hook."
        )
    return packed


def _run_unpack(unpack: Callable, packed: Any) -> Any:
    value = _outside_formulas(unpack, packed)
    if not isinstance(value, Variable):
        raise TypeError(
            f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(value)}"
        )
    return value


def _outside_formulas(function: Callable, value: Any) -> Any:
    """Runs the user's code as it runs elsewhere: on Tensors, unrecorded, and without these hooks on what it saves."""
    from .grad_mode import mode, no_grad

    arrays, mode.arrays = mode.arrays, False
    stack, hooks.stack = hooks.stack, []
    try:
        with no_grad():
            return function(value)
    finally:
        mode.arrays, hooks.stack = arrays, stack
