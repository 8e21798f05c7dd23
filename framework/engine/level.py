"""Levels: what a functional transform (`func.grad`, `func.vjp`, ...) differentiates with respect to.

A transform works on stand-ins for its inputs: tensors on the same memory, each made by an `Entrance`. Gradients are
asked for at the entrances, and through them the graph goes on to whatever the inputs themselves depend on, so that
transforms nest in each other and in ordinary recording. When the transform is over its level is closed; a result that
depends on nothing but closed levels is handed out as a plain tensor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .grad_mode import mode
from .node import Node, Output, edge_of, next_sequence
from .variable import Variable, counter_of, wrap


class Level:
    """One run of a transform; `open` while it lasts."""

    __slots__ = ("open",)

    def __init__(self) -> None:
        self.open = True

    def __enter__(self) -> Level:
        return self

    def __exit__(self, *exc: object) -> None:
        self.open = False

    def enter(self, tensor: Any, edge: Any = None) -> Any:
        """A stand-in for `tensor` that requires grad at this level; gradients pass it on their way to `edge`."""
        array = tensor._array
        if array.dtype.kind in "biu":
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        node = Entrance(self, edge, array)
        inner = wrap(array)
        inner._node, inner._requires_grad, inner._counter = node, True, counter_of(tensor)
        return inner


class Entrance(Node):
    """Makes the stand-in of one input of a transform: the identity."""

    __slots__ = ("level",)

    as_leaf = True

    def __init__(self, level: Level, edge: Any, array: Any) -> None:
        self.level = level
        self.edges, self.saved, self.versions, self.hooks = (edge,), (), None, None
        self.sequence = next_sequence()
        self.shape, self.dtype = array.shape, array.dtype

    def run(self, grad: Any, needed: tuple[bool, ...], as_tensors: bool) -> Any:
        return (grad,)


def reaches_outside(tensors: Iterable[Any]) -> bool:
    """Whether gradients of the tensors would flow to a leaf or into a level that is open."""
    stack = [edge_of(t) for t in tensors if isinstance(t, Variable)]
    seen: set = set()
    while stack:
        edge = stack.pop()
        node = edge.node if type(edge) is Output else edge
        if isinstance(node, Variable):
            return True
        if node is None or node in seen:
            continue
        if type(node) is Entrance and node.level.open:
            return True
        seen.add(node)
        stack.extend(node.edges)
    return False


def leave(tensor: Any, outside: bool = True) -> Any:
    """A result of a transform whose level is closed, without its dead history (with none at all unless `outside`)."""
    if not isinstance(tensor, Variable) or edge_of(tensor) is None:
        return tensor
    if outside and mode.enabled and reaches_outside((tensor,)):
        return tensor
    plain = wrap(tensor._array)
    plain._counter = tensor._counter
    return plain
