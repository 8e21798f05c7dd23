"""Views and in-place writes under autograd.

A view remembers its base and the view operators that lead to it. Writing in place through a view rewrites the base's
history: the base's node becomes a `CopySlices`, which cuts the written region out of the gradient and sends it through
the in-place operation instead. Views notice by the shared version counter that history moved and replay their
operators on the base to find their new node.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend import pointer
from .grad_mode import enable_grad, mode
from .node import Node, Output, edge_of, move_retained, next_sequence, unpack
from .variable import MAYBE, Variable, as_array, counter_of, wrap


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
        output._requires_grad = MAYBE

    def requires_grad(self, view: Variable) -> bool:
        """Whether gradients flow to the view, without finding its node."""
        if view._node is not None:
            return True
        written = view._counter[0] != self.version  # type: ignore[index]  # a view always has a counter
        return self.recorded and written and edge_of(self.base) is not None

    def refresh(self, view: Variable) -> None:
        """Finds the view's node anew if the memory was written to since it was last found."""
        version = view._counter[0]  # type: ignore[index]  # a view always has a counter
        if version == self.version or edge_of(self.base) is None:
            return
        if not self.recorded:
            raise RuntimeError(_MADE_WITHOUT_GRAD.format("its base or another view of its base has been"))
        with enable_grad():
            again = replay(self.chain, self.base)
        if again._array.strides != view._array.strides or pointer(again._array) != pointer(view._array):
            raise RuntimeError(
                "a view cannot be used in autograd after its base was reshaped in place and written to: make the view "
                "after the in-place reshape"
            )
        self.version = version
        move_retained(view, again._node)
        view._node = again._node


def replay(chain: Sequence, tensor: Any) -> Any:
    """The view that `chain` describes, of another tensor of the base's shape."""
    for op, rest, index in chain:
        tensor = op.call(op.bind((tensor, *rest), {}))
        if index is not None:
            tensor = tensor[index]
    return tensor


def _replay_on_array(chain: Sequence, array: Any) -> Any:
    for op, rest, index in chain:
        array = op.compute(*op.bind((array, *rest), {}))
        if index is not None:
            array = array[index]
    return array


_new = ViewInfo.__new__

_MADE_WITHOUT_GRAD = (
    "A view was created in no_grad mode and {} modified inplace with grad mode enabled. Given that this use case is "
    "ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace "
    "either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want "
    "the inplace to be tracked)."
)


def check_separate(array: Any) -> None:
    """PyTorch's error for in-place writes to an expanded tensor, whose elements share memory."""
    if (
        0 in array.strides
        and array.size
        and any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True))
    ):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )


def check_writable(tensor: Variable, recording: bool) -> None:
    """PyTorch's errors for in-place writes that autograd could not follow."""
    if not mode.enabled:
        return
    view = tensor._view
    if view is None:
        edge = edge_of(tensor)
        if edge is tensor or (edge is not None and getattr(edge, "as_leaf", False)):
            raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
        return
    base_edge = edge_of(view.base)
    if not recording and base_edge is None and tensor._requires_grad is not True:
        return
    if not view.recorded:
        raise RuntimeError(_MADE_WITHOUT_GRAD.format("is being"))
    if view.several:
        edge = edge_of(tensor)
        node = edge.node if isinstance(edge, Output) else edge
        maker = f"Output {edge.index if isinstance(edge, Output) else 0} of {node.name() if node else 'a function'}"
        raise RuntimeError(
            f"{maker} is a view and is being modified inplace. This view is the output of a function that returns "
            "multiple views. Such functions do not allow the output views to be modified inplace. You should replace "
            "the inplace operation by an out-of-place one."
        )
    if view.base._node is None and (base_edge is not None or edge_of(tensor) is not None):
        raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")


def set_history(tensor: Variable, node: Node, self_at: int | None) -> None:
    """Makes `node` the maker of `tensor` after an in-place write; edge number `self_at` leads to its old value.

    The version counter has been incremented already, so views find their new nodes when they are next used.
    """
    view = tensor._view
    if view is None:
        _become(tensor, node)
        return
    base = view.base
    slices = _new_slices(CopySlices)
    # The chain alone: the base has this node, so holding the base would close a cycle.
    slices.chain, slices.self_at = view.chain, self_at
    others = tuple(e for i, e in enumerate(node.edges) if i != self_at)
    slices.edges = (edge_of(base), *others)
    slices.saved, slices.versions, slices.hooks = (node,), None, None
    slices.sequence = next_sequence()
    slices.shape, slices.dtype = base._array.shape, base._array.dtype
    slices.order = _memory_order(base._array)
    _become(base, slices)


def _become(tensor: Variable, node: Node) -> None:
    move_retained(tensor, node)
    tensor._node = node
    tensor._requires_grad = True


def _memory_order(array: Any) -> tuple[int, ...]:
    """The dimensions from the widest stride to the narrowest."""
    return tuple(sorted(range(array.ndim), key=lambda d: -array.strides[d]))


class CopySlices(Node):
    """The history of a tensor one region of which was overwritten in place.

    It has saved the node of that operation, and lets go of it as a whole: a second derivative may pass that node again.
    """

    __slots__ = ("chain", "order", "self_at")
    chain: tuple[tuple[Any, tuple, int | None], ...]  # the views that lead from the tensor to the region
    self_at: int | None  # which edge of the operation leads to the region's old value
    order: tuple[int, ...]  # of the tensor's dimensions in memory: the views of the gradient need the same

    def run(self, grad: Any, needed: tuple[bool, ...], as_tensors: bool) -> Any:
        (inner,) = unpack(self, as_tensors)
        # Gradients of complex values travel conjugated (see backward.conjugate), those of their real views do not.
        to_real = self.dtype.kind == "c" and inner.dtype.kind != "c"
        if to_real:
            grad = grad.conj()
        total, region = self._copy(grad, as_tensors)
        inside = region.clone() if as_tensors else region.copy()
        others = iter(needed[1:])
        wanted = tuple(needed[0] if i == self.self_at else next(others) for i in range(len(inner.edges)))
        grads = list(inner.run(inside, wanted, as_tensors))
        into_region = grads.pop(self.self_at) if self.self_at is not None else None
        if needed[0]:
            region[...] = 0 if into_region is None else into_region
        return (total.conj() if to_real else total, *grads)

    def _copy(self, grad: Any, as_tensors: bool) -> tuple[Any, Any]:
        """A copy of the gradient, laid out in memory as the tensor is, and the region of it."""
        back = tuple(self.order.index(d) for d in range(len(self.order)))
        array = as_array(grad._array if as_tensors else grad).transpose(self.order).copy().transpose(back)
        if as_tensors:
            total = wrap(array).copy_(grad)  # the same values again, for their history
            return total, replay(self.chain, total)
        return array, _replay_on_array(self.chain, array)


_new_slices = CopySlices.__new__
