"""Views and in-place writes under autograd.

A view remembers its base and the view operators that lead to it. Writing in place through a view rewrites the base's
history: the base's node becomes a `CopySlices`, which cuts the written region out of the gradient and sends it through
the in-place operation instead. Views notice by the shared version counter that history moved and replay their
operators on the base to find their new node.
"""

from __future__ import annotations

from typing import Any

from .grad_mode import enable_grad, mode
from .node import Node, Output, edge_of, next_sequence
from .variable import MAYBE, Variable, counter_of


class ViewInfo:
    """Whose view a tensor is, and how it was made."""

    __slots__ = ("base", "chain", "recorded", "several", "version")
    base: Any
    chain: tuple[tuple[Any, tuple, int | None], ...]  # (operator, arguments after the first, which of its results)
    version: int  # of the memory when the view's node was last found
    several: bool  # one of the results of a function that returns several views
    recorded: bool  # made while recording

    @staticmethod
    def mark(output: Variable, source: Variable, op: Any, rest: tuple, index: int | None) -> None:
        """Notes that `output` is `op(source, *rest)` (its result number `index`) and shares the memory of `source`."""
        info = _new(ViewInfo)
        parent = source._view
        if parent is None:
            info.base, info.chain = source, ((op, rest, index),)
        else:
            info.base, info.chain = parent.base, (*parent.chain, (op, rest, index))
        output._counter = counter = source._counter if source._counter is not None else counter_of(source)
        info.version = counter[0]
        info.several = index is not None or (parent is not None and parent.several)
        info.recorded = mode.enabled and (parent is None or parent.recorded)
        output._view = info
        if output._array.dtype.kind not in "biu":
            output._requires_grad = MAYBE

    def refresh(self, view: Variable) -> None:
        """Finds the view's node anew if the memory was written to since it was last found."""
        version = view._counter[0]  # type: ignore[index]  a view always has a counter
        if version == self.version:
            return
        self.version = version
        if edge_of(self.base) is not None:
            with enable_grad():
                view._node = self.replay(self.base)._node

    def replay(self, tensor: Any) -> Any:
        """The same view of another tensor of the base's shape."""
        for op, rest, index in self.chain:
            tensor = op.call([tensor, *rest])
            if index is not None:
                tensor = tensor[index]
        return tensor

    def replay_on_array(self, array: Any) -> Any:
        for op, rest, index in self.chain:
            array = op.compute(array, *rest)
            if index is not None:
                array = array[index]
        return array


_new = ViewInfo.__new__


def check_writable(tensor: Variable, recording: bool) -> None:
    """PyTorch's errors for in-place writes that autograd could not follow."""
    if not mode.enabled:
        return
    view = tensor._view
    edge = edge_of(tensor)
    if edge is tensor:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    if view is None or not (recording or edge is not None):
        return
    if edge_of(view.base) is view.base:
        raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    if view.several:
        node = edge.node if isinstance(edge, Output) else edge
        maker = f"Output {edge.index if isinstance(edge, Output) else 0} of {node.name() if node else 'a function'}"
        raise RuntimeError(
            f"{maker} is a view and is being modified inplace. This view is the output of a function that returns "
            "multiple views. Such functions do not allow the output views to be modified inplace. You should replace "
            "the inplace operation by an out-of-place one."
        )
    if not view.recorded:
        raise RuntimeError(
            "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this "
            "use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the "
            "view and the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) "
            "or both outside (if you want the inplace to be tracked)."
        )


def set_history(tensor: Variable, node: Node, self_at: int | None) -> None:
    """Makes `node` the maker of `tensor` after an in-place write; edge number `self_at` leads to its old value.

    The version counter has been incremented already, so views find their new nodes when they are next used.
    """
    view = tensor._view
    if view is None:
        tensor._node = node
        tensor._requires_grad = True
        return
    base = view.base
    slices = _new_slices(CopySlices)
    slices.inner, slices.view, slices.self_at = node, view, self_at
    others = tuple(e for i, e in enumerate(node.edges) if i != self_at)
    slices.edges = (edge_of(base), *others)
    slices.saved, slices.versions, slices.hooks = (), None, None
    slices.sequence = next_sequence()
    slices.shape, slices.dtype = base._array.shape, base._array.dtype
    base._node = slices
    base._requires_grad = True


class CopySlices(Node):
    """The history of a tensor one region of which was overwritten in place by `inner`."""

    __slots__ = ("inner", "self_at", "view")
    inner: Node
    view: ViewInfo
    self_at: int | None

    def run(self, grad: Any, needed: tuple[bool, ...], as_tensors: bool) -> Any:
        if as_tensors:
            total = grad.clone()
            region = self.view.replay(total)
            inside = region.clone()
        else:
            total = grad.copy()
            region = self.view.replay_on_array(total)
            inside = region.copy()
        others = iter(needed[1:])
        wanted = tuple(needed[0] if i == self.self_at else next(others) for i in range(len(self.inner.edges)))
        grads = list(self.inner.run(inside, wanted, as_tensors))
        into_region = grads.pop(self.self_at) if self.self_at is not None else None
        if needed[0]:
            region[...] = 0 if into_region is None else into_region
        return (total, *grads)

    def release(self) -> None:
        self.inner.release()


_new_slices = CopySlices.__new__
