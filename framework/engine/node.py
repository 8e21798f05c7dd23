"""The recorded graph: nodes, the edges between them, and what they have saved.

A node knows its operator (its class), its edges toward the inputs, and the values its gradient formulas need. It never
holds its own output tensor, so there are no reference cycles and a graph goes when its last tensor goes.

An edge is where a gradient flows to: a `Node` (the maker of an input), an `Output` (one of a node's several results),
a leaf tensor, or None where no gradient is needed.
"""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..dtypes import scalar_type_name
from .variable import Variable, wrap

#: Later nodes get smaller numbers, so a min-heap hands out the latest node first.
next_sequence = itertools.count(0, -1).__next__

#: Marks what a node saved once backward has passed it.
FREED = ("freed",)


class Node:
    """One recorded operation. Each operator has a subclass of its own, named as PyTorch names it (`MulBackward0`)."""

    __slots__ = ("__weakref__", "dtype", "edges", "hooks", "saved", "sequence", "shape", "versions")
    edges: tuple[Any, ...]
    saved: tuple[Any, ...]
    versions: tuple[Any, ...] | None  # of the saved values, when any was ever written in place
    sequence: int
    shape: Any  # of the output; a tuple of shapes when there are several
    dtype: Any  # NumPy dtype of the output(s), likewise
    hooks: Any  # NodeHooks or None

    #: Missing gradients of a node with several results arrive as None, not as zeros.
    keeps_none = False
    #: What it made counts as a leaf for in-place writes.
    as_leaf = False

    def run(self, grad: Any, needed: tuple[bool, ...], as_tensors: bool) -> Any:
        """The gradients of the inputs, one per edge (None where not `needed`), from the output's."""
        raise AssertionError("each operator's node class has its own")

    def release(self) -> None:
        """Lets go of what was saved, once backward has passed; a node that saved no tensor can be passed again."""
        for value in self.saved:
            if isinstance(value, Variable) or type(value) is SavedOutput or _holds_tensors(value):
                self.saved = FREED
                return

    # --- torch's view of a node

    def name(self) -> str:
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """(node, index of that node's output) for each input; leaves show as AccumulateGrad."""
        return tuple(_shown(edge) for edge in self.edges)

    @property
    def metadata(self) -> dict:
        """A dictionary for the user's own notes."""
        return hooks_of(self).metadata

    def register_hook(self, hook: Any) -> RemovableHandle:
        """Calls `hook(grad_inputs, grad_outputs)` after this node's backward; may return new grad_inputs."""
        return RemovableHandle.into(hooks_of(self).post, hook)

    def register_prehook(self, hook: Any) -> RemovableHandle:
        """Calls `hook(grad_outputs)` before this node's backward; may return new grad_outputs."""
        return RemovableHandle.into(hooks_of(self).pre, hook)

    def __repr__(self) -> str:
        return f"<{self.name().rpartition(':')[2]} object at {hex(id(self))}>"


class Output:
    """Result number `index` of a node that has several."""

    __slots__ = ("index", "node")

    def __init__(self, node: Node, index: int) -> None:
        self.node = node
        self.index = index


class AccumulateGrad(Node):
    """How a leaf shows in `next_functions`. The engine itself lets edges end at the leaf; this is made on request."""

    __slots__ = ("variable",)

    def __init__(self, variable: Variable) -> None:
        self.variable = variable
        self.edges, self.saved, self.versions = (), (), None
        self.hooks = variable._hooks.node = variable._hooks.node or NodeHooks()  # the leaf's: they outlive this object
        self.sequence = 1  # after every other node
        self.shape, self.dtype = variable._array.shape, variable._array.dtype

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"


def _shown(edge: Any) -> tuple[Any, int]:
    if isinstance(edge, Output):
        return edge.node, edge.index
    if isinstance(edge, Variable):
        return accumulator_of(edge), 0
    return edge, 0


def accumulator_of(leaf: Variable) -> AccumulateGrad:
    """The leaf's AccumulateGrad, the same as long as somebody holds it."""
    if leaf._hooks is None:
        leaf._hooks = TensorHooks()
    node = leaf._hooks.accumulator() if leaf._hooks.accumulator is not None else None
    if node is None:
        node = AccumulateGrad(leaf)
        leaf._hooks.accumulator = weakref.ref(node)
    return node


class GradientEdge(NamedTuple):
    """A place in the graph at which a gradient can be asked for or given: output `output_nr` of `node`."""

    node: Any
    output_nr: int
    #: Something to be kept alive with the edge.
    ownership_token: Any = None


def shown_edge(tensor: Variable) -> GradientEdge:
    """The place in the graph where `tensor` receives its gradient, which it must require."""
    return GradientEdge(*_shown(edge_of(tensor)))


def inner_edge(place: GradientEdge) -> Any:
    """The same as the engine's edge."""
    node, index = place[:2]
    if isinstance(node, AccumulateGrad):
        return node.variable
    return Output(node, index) if type(node.dtype) is tuple else node


def edge_of(tensor: Variable) -> Any:
    """The edge along which `tensor` receives its gradient; None when it needs none."""
    if tensor._view is not None:
        tensor._view.refresh(tensor)
    if tensor._node is not None:
        return tensor._node
    return tensor if tensor._requires_grad is True else None


# --- hooks --------------------------------------------------------------------------------------------------------


class NodeHooks:
    """Everything that watches a node: pre and post hooks, hooks on its outputs, and outputs that retain their grad."""

    __slots__ = ("metadata", "on_output", "post", "pre", "retained")

    def __init__(self) -> None:
        self.pre: OrderedDict[int, Any] = OrderedDict()
        self.post: OrderedDict[int, Any] = OrderedDict()
        self.on_output: dict[int, OrderedDict[int, Any]] = {}
        self.retained: dict[int, weakref.ref] = {}
        self.metadata: dict = {}


def hooks_of(node: Node) -> NodeHooks:
    if node.hooks is None:
        node.hooks = NodeHooks()
    return node.hooks


def move_retained(tensor: Variable, node: Node | Output | None) -> None:
    """Lets a tensor that retains its gradient go on doing so as the result of `node`, its maker from now on."""
    old = tensor._node
    if old is None or node is None:
        return
    owner, at = (old.node, old.index) if isinstance(old, Output) else (old, 0)
    retained = owner.hooks.retained.get(at) if owner.hooks is not None else None
    if retained is not None and retained() is tensor:
        del owner.hooks.retained[at]
        retain(tensor, node)


def retain(tensor: Variable, node: Node | Output) -> None:
    """Makes `tensor`, the result of `node`, keep its gradient."""
    owner, at = (node.node, node.index) if isinstance(node, Output) else (node, 0)
    hooks_of(owner).retained[at] = weakref.ref(tensor)


class TensorHooks:
    """Hooks on a leaf: on its gradient, after its gradient was accumulated, and on its AccumulateGrad."""

    __slots__ = ("accumulator", "node", "on_grad", "post_accumulate")

    def __init__(self) -> None:
        self.accumulator: weakref.ref | None = None
        self.node: NodeHooks | None = None
        self.on_grad: OrderedDict[int, Any] = OrderedDict()
        self.post_accumulate: OrderedDict[int, Any] = OrderedDict()


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook out again; also a context manager."""

    _ids = itertools.count().__next__

    def __init__(self, hooks: OrderedDict[int, Any]) -> None:
        self.id = RemovableHandle._ids()
        self._hooks = weakref.ref(hooks)

    @classmethod
    def into(cls, hooks: OrderedDict[int, Any], hook: Any) -> RemovableHandle:
        handle = cls(hooks)
        hooks[handle.id] = hook
        return handle

    def remove(self) -> None:
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self.id, None)

    def __getstate__(self) -> tuple[Any, int]:
        return self._hooks(), self.id

    def __setstate__(self, state: tuple[Any, int]) -> None:
        hooks, self.id = state
        self._hooks = weakref.ref(OrderedDict() if hooks is None else hooks)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


# --- saved values -------------------------------------------------------------------------------------------------


class SavedOutput:
    """A node's own result, kept as array and number: holding the tensor would close a cycle."""

    __slots__ = ("array", "counter", "index")

    def __init__(self, array: Any, counter: list[int] | None, index: int | None = None) -> None:
        self.array = array
        self.counter = counter
        self.index = index

    def as_tensor(self, node: Node) -> Any:
        tensor = wrap(self.array)
        tensor._node = node if self.index is None else Output(node, self.index)
        tensor._requires_grad = True
        tensor._counter = self.counter
        return tensor


class Packed:
    """A saved tensor in the keeping of the user's hooks."""

    __slots__ = ()

    def as_tensor(self, node: Node) -> Any:
        raise AssertionError("each kind of saved tensor has its own")


def _holds_tensors(value: Any) -> bool:
    if isinstance(value, Packed):
        return True
    if isinstance(value, Node):  # of an in-place operation, inside a CopySlices
        return any(isinstance(v, Variable) or type(v) is SavedOutput or _holds_tensors(v) for v in value.saved)
    several = type(value) is tuple or type(value) is list
    return several and any(isinstance(v, (Variable, Packed)) or type(v) is SavedOutput for v in value)


def versions_of(saved: Sequence[Any]) -> tuple[Any, ...] | None:
    """The versions of the saved values at this moment; None when none of them was ever written in place.

    A saved sequence of tensors has such a tuple of its own, or 0.
    """
    versions: list[Any] | None = None
    for position, value in enumerate(saved):
        if type(value) is tuple or type(value) is list:
            version: Any = versions_of(value)
        else:
            counter = _counter(value)
            version = counter[0] if counter is not None else 0
        if version:
            if versions is None:
                versions = [0] * len(saved)
            versions[position] = version
    return tuple(versions) if versions else None


def _counter(value: Any) -> list[int] | None:
    if isinstance(value, Variable):
        return value._counter
    return value.counter if type(value) is SavedOutput else None


def unpack(node: Node, as_tensors: bool) -> list[Any]:
    """What the node saved, as arrays or as tensors; PyTorch's errors when it was freed or written to since."""
    saved, versions = node.saved, node.versions
    if saved is FREED:
        raise RuntimeError(
            "Trying to backward through the graph a second time (or directly access saved tensors after they have "
            "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
            "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or "
            "if you need to access saved tensors after calling backward."
        )
    values = []
    for position, value in enumerate(saved):
        kind = type(value)
        if kind is SavedOutput:
            if value.counter is not None:
                _check_version(value.array, node, value.counter, versions[position] if versions else 0)
            values.append(value.as_tensor(node) if as_tensors else value.array)
        elif isinstance(value, Variable):
            counter = value._counter
            if counter is not None:
                _check_version(value._array, value._node, counter, versions[position] if versions else 0)
            values.append(value if as_tensors else value._array)
        elif kind is tuple or kind is list:
            recorded: Any = versions[position] if versions else 0
            expected = recorded or itertools.repeat(0)
            values.append(kind(_unpack_item(v, node, as_tensors, e) for v, e in zip(value, expected)))  # noqa: B905
        elif isinstance(value, Packed):
            tensor = value.as_tensor(node)
            values.append(tensor if as_tensors else tensor._array)
        else:
            values.append(value)
    return values


def _unpack_item(value: Any, node: Node, as_tensors: bool, expected: int) -> Any:
    """One of several saved results, or one tensor of a saved sequence."""
    if type(value) is SavedOutput:
        if value.counter is not None:
            _check_version(value.array, node, value.counter, expected)
        return value.as_tensor(node) if as_tensors else value.array
    if isinstance(value, Packed):
        tensor = value.as_tensor(node)
        return tensor if as_tensors else tensor._array
    if not isinstance(value, Variable):
        return value
    if value._counter is not None:
        _check_version(value._array, value._node, value._counter, expected)
    return value if as_tensors else value._array


def _check_version(array: Any, maker: Any, counter: list[int], expected: int) -> None:
    if counter[0] != expected:
        what = f"[{type_name(array)} {list(array.shape)}]"
        if maker is not None:
            node, index = _shown(maker)
            what += f", which is output {index} of {node.name().partition('Backward')[0]},"
        raise RuntimeError(
            "one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"{what} is at version {counter[0]}; expected version {expected} instead. Hint: enable anomaly detection "
            "to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, "
            "check_nan=False)."
        )


def type_name(array: Any) -> str:
    """The array's type as PyTorch's older messages name it: torch.FloatTensor, ..."""
    return f"torch.{scalar_type_name(array.dtype)}Tensor"
