"""In-place twins of operators: `exp_ = inplace(exp)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .errors import reraise
from .grad_mode import mode
from .node import Node, SavedOutput, edge_of, next_sequence
from .op import _F32, _F64, Op, check_castable
from .variable import Variable, counter_of, wrap
from .views import check_separate, check_writable, set_history


def inplace(function: Callable) -> Callable:
    """The method that computes `function(self, ...)` into `self`, under autograd's rules for in-place writes.

    RuntimeError as PyTorch raises it: for a leaf that requires grad, a view that must not be written to, a result whose
    shape or type `self` cannot hold.
    """
    op: Op = function.op  # type: ignore[attr-defined]
    method = _binary_method(op) if op.promoted == (0, 1) and op.count == 2 else _general_method(op)

    method.__name__ = method.__qualname__ = f"{op.public_name}_"
    method.__doc__ = f"In-place version of `{op.public_name}`."
    return method


def _general_method(op: Op) -> Callable:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return write_in_place(op, op.bind((self, *args), kwargs))

    return method


def _binary_method(op: Op) -> Callable:
    """The thin path of `x.f_(tensor)` of one floating type and `x.f_(number)`, where no history is to be rewritten."""
    general, plain = _general_method(op), op.plain

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != 1:
            return general(self, *args, **kwargs)
        other = args[0]
        array = self._array
        type_ = array.dtype
        if (type_ is not _F32 and type_ is not _F64) or (mode.enabled and self._requires_grad) or 0 in array.strides:
            return general(self, other)
        if isinstance(other, Variable):
            value = other._array
            if value.dtype is not type_ or (mode.enabled and other._requires_grad):
                return general(self, other)
        elif type(other) is float or type(other) is int:
            value = other
        else:
            return general(self, other)
        try:
            result = plain(array, value)
        except Exception as error:
            reraise(op, [self, other], error)
        if result.shape != array.shape or result.dtype is not type_:
            _check_fits(array, result)
        array[...] = result
        if self._counter is None:
            self._counter = [1]
        else:
            self._counter[0] += 1
        return self

    return method


def write_in_place(op: Op, args: list) -> Any:
    """Runs `op` on bound arguments, writes the result into the first of them, and rewrites its history."""
    tensor = args[0]
    arrays, _, tracked = op.arrays_of(args)
    edges = op._edges(args) if tracked and mode.enabled and op.diff else None
    if not op.uniform:
        check_separate(tensor._array)
    check_writable(tensor, edges is not None)
    if op.check is not None:
        op.check(*arrays)
    if op.promoted:
        op.promotion(args, arrays)
    try:
        result = op.run_plain(arrays)
    except Exception as error:
        reraise(op, args, error)
    place = tensor._array
    _check_fits(place, result)
    counter = counter_of(tensor)
    node: Any = None
    self_at = op.diff.index(0) if 0 in op.diff else None
    if edges is not None:
        # Formulas that want the old value get a copy: this write is about to destroy it.
        old = [_before_write(a) if a is tensor else a for a in args] if _wants_old(op, args, edges) else args
        node = op.node_for(old, edges, SavedOutput(place, counter))
    elif mode.enabled and not op.diff and edge_of(tensor) is not None:
        node, self_at = Overwritten(op.node_type.__name__, edge_of(tensor)), 0
    place[...] = result
    counter[0] += 1
    if node is not None:
        node.versions = _with_result_at(counter[0], node.saved, node.versions)
        node.shape, node.dtype = place.shape, place.dtype
        node.sequence = next_sequence()
        set_history(tensor, node, self_at)
    return tensor


class Overwritten(Node):
    """The history of a tensor overwritten by an operator that has no gradient: none flows to the old value."""

    __slots__ = ("_name",)

    def __init__(self, name: str, edge: Any) -> None:
        self._name = name
        self.edges, self.saved, self.versions, self.hooks = (edge,), (), None, None

    def name(self) -> str:
        return self._name

    def run(self, grad: Any, needed: tuple[bool, ...], as_tensors: bool) -> Any:
        return (grad * 0,)


def _with_result_at(version: int, saved: tuple, versions: tuple | None) -> tuple | None:
    """The versions of what was saved before the write, with that of the result, which is as the write leaves it."""
    if not any(type(value) is SavedOutput for value in saved):
        return versions
    before = versions or (0,) * len(saved)
    return tuple(version if type(v) is SavedOutput else b for v, b in zip(saved, before, strict=True))


def _wants_old(op: Op, args: list, edges: tuple) -> bool:
    needed = {i for i, edge in enumerate(edges) if edge is not None}
    return any(
        type(saver) is int and args[saver] is args[0] and not users.isdisjoint(needed)
        for saver, users in zip(op.savers, op.users, strict=True)
    )


def _before_write(tensor: Variable) -> Any:
    """A tensor with the same place in the graph and a copy of the values."""
    copy = wrap(tensor._array.copy())
    copy._node, copy._requires_grad = tensor._node, tensor._requires_grad is True or tensor._node is not None
    return copy


def _check_fits(place: Any, result: Any) -> None:
    if result.shape != place.shape:
        raise RuntimeError(
            f"output with shape {list(place.shape)} doesn't match the broadcast shape {list(result.shape)}"
        )
    if result.dtype is not place.dtype:
        check_castable(result, place)
