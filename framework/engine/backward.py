"""Going backward through the graph.

Nodes are visited from the latest to the earliest (a heap ordered by creation), so when a node's turn comes all its
gradients have arrived. The walk is iterative: the depth of a graph is limited by memory alone. It runs on raw arrays;
with `create_graph=True` the same formulas run on Tensors and are recorded in turn.
"""

from __future__ import annotations

import math
import sys
import threading
import warnings
from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from .. import backend
from ..dtypes import from_numpy
from ..size import Size
from .anomaly import anomaly, check_gradients
from .grad_mode import enable_grad, mode, no_grad
from .half import widened
from .node import GradientEdge, Node, NodeHooks, Output, edge_of, inner_edge, retain, type_name
from .variable import Variable, counter_of, dtype_of, wrap


class _Walk:
    """One pass backward: gradients on their way, and where they end."""

    def __init__(self, as_tensors: bool, keep: bool, wanted: _Wanted | None, captures: dict | None) -> None:
        self.as_tensors = as_tensors
        self.keep = keep
        self.wanted = wanted  # None: all
        self.captures = captures  # (node, index) -> gradient there, for inputs that are no leaves
        self.heap: list[tuple[int, Node]] = []
        self.pending: dict[Node, Any] = {}
        self.leaves: dict[Any, Any] = {}
        self.ours: set = set()  # holders of a sum that was made here and may be added to in place
        self.roots: list = []  # the edges it starts from

    def deliver(self, edge: Any, grad: Any) -> None:
        """Adds a gradient to what its receiver has got so far."""
        if isinstance(edge, Node):
            array = grad._array if self.as_tensors else grad
            if array.shape != edge.shape or array.dtype is not edge.dtype:
                grad = self.fit(grad, edge.shape, edge.dtype)
            seen = self.pending.get(edge)
            if seen is None:
                self.pending[edge] = grad
                heappush(self.heap, (edge.sequence, edge))
            else:
                self.pending[edge] = self.add(edge, seen, grad)
        elif isinstance(edge, Output):
            node, index = edge.node, edge.index
            grad = self.fit(grad, node.shape[index], node.dtype[index])
            parts = self.pending.get(node)
            if parts is None:
                parts = self.pending[node] = [None] * len(node.shape)
                heappush(self.heap, (node.sequence, node))
            parts[index] = grad if parts[index] is None else self.add((node, index), parts[index], grad)
        else:
            array = edge._array
            grad = self.fit(grad, array.shape, array.dtype)
            seen = self.leaves.get(edge)
            self.leaves[edge] = grad if seen is None else self.add(edge, seen, grad)

    def fit(self, grad: Any, shape: tuple, dtype: Any) -> Any:
        """The gradient with the shape and type of what it is the gradient of: broadcasting is undone here, once."""
        array = grad._array if self.as_tensors else grad
        if array.shape == shape and array.dtype is dtype:
            return grad
        extra = array.ndim - len(shape)
        dims = (*range(extra), *(i + extra for i, n in enumerate(shape) if n == 1 and array.shape[i + extra] != 1))
        if self.as_tensors:
            if dims:
                grad = grad.sum(dims, keepdim=True)
            if grad.shape != shape:
                grad = grad.reshape(shape)
            if grad._array.dtype is not dtype:
                grad = grad.real if grad._array.dtype.kind == "c" and dtype.kind != "c" else grad
                grad = grad.to(from_numpy(dtype))
            return grad
        if dims:
            grad = widened(grad).sum(axis=dims, keepdims=True)
        if grad.shape != shape:
            grad = grad.reshape(shape)
        if grad.dtype is not dtype:
            grad = (grad.real if grad.dtype.kind == "c" and dtype.kind != "c" else grad).astype(dtype)
        return grad

    def add(self, holder: Any, seen: Any, grad: Any) -> Any:
        if self.as_tensors:
            return seen + grad
        if holder in self.ours:
            seen += grad
            return seen
        self.ours.add(holder)
        return seen + grad

    def run(self) -> None:
        """Visits every node whose gradient arrives."""
        heap, pending, wanted, as_tensors = self.heap, self.pending, self.wanted, self.as_tensors
        deliver, captures, keep, checking = self.deliver, self.captures, self.keep, anomaly.enabled
        while heap:
            _, node = heappop(heap)
            grad = pending.pop(node)
            several = type(node.dtype) is tuple
            if node.hooks is not None:
                grad = self.call_output_hooks(node, grad, several)
            if captures is not None:
                for index in range(len(node.dtype)) if several else (0,):
                    if (node, index) in captures:
                        captures[node, index] = grad[index] if several else grad
                if node not in wanted.run:  # type: ignore[union-attr]  # captures come with wanted
                    continue
            if several:
                grad = self.materialize(node, grad)
            if node.hooks is not None and node.hooks.pre:
                grad = self.call_pre_hooks(node.hooks, grad, several)
            edges = node.edges
            if wanted is None:
                needed = tuple([edge is not None for edge in edges])
            else:
                needed = tuple([_target(edge) in wanted.receive for edge in edges])
            grads = node.run(grad, needed, as_tensors)
            if checking:
                check_gradients(node, grads, as_tensors)
            if node.hooks is not None and node.hooks.post:
                grads = self.call_post_hooks(node, grads, grad, several)
            if not keep and node.saved:
                node.release()
            for edge, need, value in zip(edges, needed, grads):  # noqa: B905  every node returns one for each edge
                if value is None or not need:
                    continue
                if as_tensors or not isinstance(edge, Node):
                    deliver(edge, value)
                    continue
                # `deliver`, inlined for the commonest case: arrays on their way to a node of one result.
                if value.shape != edge.shape or value.dtype is not edge.dtype:
                    value = self.fit(value, edge.shape, edge.dtype)
                seen = pending.get(edge)
                if seen is None:
                    pending[edge] = value
                    heappush(heap, (edge.sequence, edge))
                else:
                    pending[edge] = self.add(edge, seen, value)

    def materialize(self, node: Node, parts: list) -> tuple:
        """Zeros for the floating results that no gradient came for; None stays for the others."""
        like = next(p for p in parts if p is not None)
        xp = backend.namespace(like._array if self.as_tensors else like)
        full = []
        for part, shape, dtype in zip(parts, node.shape, node.dtype, strict=True):
            if part is None and dtype is not None and dtype.kind not in "biu" and not node.keeps_none:
                part = xp.zeros(shape, dtype)
                part = wrap(part) if self.as_tensors else part
            full.append(part)
        return tuple(full)

    def count_reached(self, targets: list) -> int:
        """How many of the nodes and leaves (None for one that is gone) get a gradient in this walk."""
        if self.wanted is not None:
            return sum(1 for t in targets if t is not None and t in self.wanted.receive)
        reached: set = set()
        stack = [_target(edge) for edge in self.roots]
        while stack:
            found = stack.pop()
            if found is not None and found not in reached:
                reached.add(found)
                if isinstance(found, Node):
                    stack.extend(_target(edge) for edge in found.edges)
        return sum(1 for t in targets if t is not None and t in reached)

    # --- hooks

    def _tensor(self, grad: Any) -> Any:
        """A gradient as hooks see it."""
        if grad is None:
            return None
        return conjugate(grad if self.as_tensors else wrap(backend.namespace(grad).asarray(grad)))

    def _plain(self, grad: Any) -> Any:
        """A gradient from a hook as it travels."""
        if grad is None:
            return None
        return conjugate(grad if self.as_tensors else grad._array)

    def call_output_hooks(self, node: Node, grad: Any, several: bool) -> Any:
        """Hooks on the node's results, then retained gradients."""
        hooks = node.hooks
        parts = list(grad) if several else [grad]
        for index, on_grad in hooks.on_output.items():
            if parts[index] is not None:
                parts[index] = self.call_tensor_hooks(on_grad, parts[index])
        for index, reference in hooks.retained.items():
            tensor = reference()
            if tensor is not None and parts[index] is not None:
                accumulate(tensor, parts[index], self.as_tensors)
        return parts if several else parts[0]

    def call_pre_hooks(self, hooks: NodeHooks, grad: Any, several: bool) -> Any:
        values = tuple(self._tensor(g) for g in (grad if several else (grad,)))
        for hook in list(hooks.pre.values()):
            changed = hook(values)
            if changed is not None:
                values = changed if isinstance(changed, tuple) else (changed,)
        parts = tuple(self._plain(v) for v in values)
        return parts if several else parts[0]

    def call_tensor_hooks(self, on_grad: dict, grad: Any) -> Any:
        for hook in list(on_grad.values()):
            changed = hook(self._tensor(grad))
            if changed is not None:
                _check_changed(hook, changed, grad._array if self.as_tensors else grad)
                grad = self._plain(changed)
        return grad

    def call_post_hooks(self, node: Node, grads: Iterable, grad: Any, several: bool) -> tuple:
        inputs = tuple(self._tensor(g) for g in grads)
        outputs = tuple(self._tensor(g) for g in (grad if several else (grad,)))
        for hook in list(node.hooks.post.values()):
            changed = hook(inputs, outputs)
            if changed is not None:
                inputs = changed if isinstance(changed, tuple) else (changed,)
        return tuple(self._plain(g) for g in inputs)


def _target(edge: Any) -> Any:
    return edge.node if type(edge) is Output else edge


def _check_changed(hook: Any, changed: Any, before: Any) -> None:
    if not isinstance(changed, Variable):
        raise TypeError(f"expected Variable, but hook returned '{type(changed).__name__}'")
    after, name = changed._array, getattr(hook, "__name__", type(hook).__name__)
    if after.shape != before.shape:
        raise RuntimeError(f"hook '{name}' has changed the size of value")
    if after.dtype != before.dtype:
        was, got = type_name(before), type_name(after)
        raise RuntimeError(f"hook '{name}' has changed the type of value (was {was} got {got})")


def conjugate(grad: Any) -> Any:
    """Between PyTorch's gradient of a complex value and the conjugate of it, which travels through the graph here.

    Carried conjugated, a holomorphic function's gradient is its plain derivative: formulas need no conjugates.
    """
    array = grad._array if isinstance(grad, Variable) else grad
    return grad.conj() if array.dtype.kind == "c" else grad


# --- leaves -------------------------------------------------------------------------------------------------------


def accumulate(leaf: Any, grad: Any, as_tensors: bool) -> None:
    """`leaf.grad += grad`, without ever sharing memory with another gradient."""
    current = leaf._grad
    grad = conjugate(grad)
    if as_tensors:
        leaf._grad = grad.clone() if current is None else current + grad
    elif current is None:
        leaf._grad = wrap(_owned(grad))
    else:
        place = current._array
        place += grad
        counter_of(current)[0] += 1


def _owned(grad: Any) -> Any:
    """The array itself where nobody else holds it, else a copy: two leaves may have been handed the same array."""
    array = backend.namespace(grad).asarray(grad)
    if array is grad and (array.base is not None or sys.getrefcount(array) > _unshared):
        return array.copy()
    return array


def finish_leaves(walk: _Walk, only: set | None) -> None:
    """Hands the gradients to the leaves, with their hooks."""
    leaves = walk.leaves
    while leaves:
        leaf, grad = leaves.popitem()
        if only is not None and leaf not in only:
            continue
        hooks = leaf._hooks
        if hooks is not None:
            grad = walk.call_tensor_hooks(hooks.on_grad, grad)
            if hooks.node is not None:
                grad = walk.call_pre_hooks(hooks.node, grad, several=False)
        accumulate(leaf, grad, walk.as_tensors)
        if hooks is not None:
            if hooks.node is not None and hooks.node.post:
                seen = (walk._tensor(grad),)
                for post in list(hooks.node.post.values()):
                    post((), seen)
            for hook in list(hooks.post_accumulate.values()):
                hook(leaf)


#: The reference count that `_owned` sees for an array of one leaf alone; found by trial, since it depends on how the
#: interpreter counts its own temporaries.
_unshared = 0


def _calibrate() -> None:
    global _unshared
    for _unshared in range(1, 16):
        leaf, walk = wrap(np.empty(1)), _Walk(False, False, None, None)
        array = walk.leaves[leaf] = np.empty(1)
        address = id(array)
        del array
        finish_leaves(walk, None)
        if id(leaf._grad._array) == address:
            return
    _unshared = 0


_calibrate()


class _Running(threading.local):
    """The walk that hooks are being called from."""

    walk: _Walk | None = None


running = _Running()


# --- entry points -------------------------------------------------------------------------------------------------


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Adds the gradients of `tensors` to the `.grad` of the leaves of their graph (or of `inputs` alone).

    Args:
        tensors: a tensor or a sequence of them.
        grad_tensors: for each the gradient it starts from, of its shape; optional for one-element tensors.
        retain_graph: keep what the graph has saved, so that it can be gone through again (default: `create_graph`).
        create_graph: record the backward pass, so that gradients can be differentiated.
        inputs: tensors to accumulate into; others are left alone.

    RuntimeError: a tensor needs no gradient; a gradient is missing or of another shape; the graph was freed.
    """
    roots = _as_tuple(tensors)
    given = _gradients_for(roots, grad_tensors)
    keep = create_graph if retain_graph is None else retain_graph
    targets = None if inputs is None else _as_tuple(inputs)
    if targets is not None and not targets:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    grads = _root_gradients(roots, given, create_graph)
    goals = None if targets is None else [_edge_of_input(t) for t in targets]
    for target, goal in zip(targets or (), goals or (), strict=True):
        if goal is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if isinstance(target, Variable) and target._node is not None:
            retain(target, target._node)
    if create_graph:
        warnings.warn(
            "Using backward() with create_graph=True will create a reference cycle between the parameter and its "
            "gradient which can cause a memory leak. We recommend using autograd.grad when creating the graph to avoid "
            "this. If you have to use this function, make sure to reset the .grad fields of your parameters to None "
            "after use to break the cycle and avoid the leak.",
            UserWarning,
            stacklevel=3,
        )
    before = running.walk
    try:
        walk = _walk(roots, grads, keep, create_graph, goals)
        finish_leaves(walk, None if goals is None else {g for g in goals if isinstance(g, Variable)})
    finally:
        running.walk = before


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` with respect to `inputs`, as a tuple; `.grad` is touched nowhere.

    Arguments as in `backward`; outputs and inputs may be `GradientEdge`s too. An input that the outputs do not depend
    on is an error unless `allow_unused` (then its gradient is None) or `materialize_grads` (then it is zeros). With
    `is_grads_batched` each of `grad_outputs` has one more dimension in front, and so have the results: one backward
    pass for each index along it.
    """
    if not only_inputs:
        warnings.warn("only_inputs argument is deprecated and is ignored now (defaults to True)", FutureWarning, 2)
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    roots, targets = _as_tuple(outputs), _as_tuple(inputs)
    if not targets:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    goals = [_edge_of_input(t) for t in targets]
    if None in goals:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    keep = create_graph if retain_graph is None else retain_graph
    given = _gradients_for(roots, grad_outputs)
    if is_grads_batched:
        options: Any = (create_graph, True, allow_unused, False, materialize_grads)
        return _batched(roots, targets, given, keep, options)
    grads = _root_gradients(roots, given, create_graph)
    before = running.walk
    try:
        walk = _walk(roots, grads, keep, create_graph, goals)
        return _collect(walk, goals, bool(allow_unused), materialize_grads)
    finally:
        running.walk = before


def _collect(walk: _Walk, goals: list, allow_unused: bool, materialize: bool) -> tuple[Any, ...]:
    """The gradients that arrived at the goals."""
    results = []
    for position, goal in enumerate(goals):
        if isinstance(goal, Variable):
            found = walk.leaves.get(goal)
            if found is not None and goal._hooks is not None:
                found = walk.call_tensor_hooks(goal._hooks.on_grad, found)
        else:
            found = walk.captures[_key(goal)]  # type: ignore[index]
        if found is None and not (allow_unused or materialize):
            raise RuntimeError(
                f"The differentiated Tensor at index {position} appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior."
            )
        if found is None and materialize:
            shape, dtype = _type_of(goal)
            results.append(wrap(_namespace_at(goal).zeros(shape, dtype)))
        elif found is None or walk.as_tensors:
            results.append(None if found is None else conjugate(found))
        else:
            results.append(wrap(backend.namespace(found).array(conjugate(found))))
    return tuple(results)


def _batched(roots: tuple, targets: tuple, given: tuple, keep: bool, options: tuple) -> tuple[Any, ...]:
    """`grad` once for each index of the first dimension of the given gradients, the results stacked."""
    for position, (root, start) in enumerate(zip(roots, given, strict=True)):
        shape, _ = _type_of(_edge_of_root(root, position))
        if start is not None and (not start._array.ndim or start._array.shape[1:] != shape):
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch "
                "dimension. The sizes of the remaining dimensions are expected to match the shape of corresponding "
                f"output, but a mismatch was detected: grad_output[{position}] has a shape of "
                f"{Size(start._array.shape)} and output[{position}] has a shape of {Size(shape)}. If you only want "
                "some tensors in `grad_output` to be considered batched, consider using vmap."
            )
    sizes = [start._array.shape[0] for start in given if start is not None]
    if len(set(sizes)) != 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    if not sizes[0]:  # one pass with zeros tells which inputs have gradients
        zeros = tuple(None if start is None else start.new_zeros(start._array.shape[1:]) for start in given)
        found = grad(roots, targets, zeros, True, *options)
        return tuple(None if g is None else g.new_zeros((0, *g._array.shape)) for g in found)
    rows = []
    for index in range(sizes[0]):
        starts = tuple(None if start is None else start[index] for start in given)
        rows.append(grad(roots, targets, starts, keep or index + 1 < sizes[0], *options))
    return tuple(None if column[0] is None else _stack(column) for column in zip(*rows, strict=True))


def _stack(tensors: tuple) -> Any:
    from ..ops.shape import stack  # the operators lie above the engine

    return stack(tensors)


def _walk(roots: Sequence, grads: Sequence, keep: bool, create_graph: bool, goals: Sequence | None) -> _Walk:
    wanted = captures = None
    starts = [_edge_of_root(r, i) for i, r in enumerate(roots)]
    if goals is not None:
        captures = {_key(e): None for e in goals if not isinstance(e, Variable)}
        wanted = _on_the_way(starts, {_target(e) for e in goals})
    walk = running.walk = _Walk(create_graph, keep, wanted, captures)
    walk.roots = starts
    for edge, start in zip(starts, grads, strict=True):
        walk.deliver(edge, start)
    with enable_grad() if create_graph else no_grad():
        before, mode.arrays = mode.arrays, not create_graph
        try:
            walk.run()
        finally:
            mode.arrays = before
    return walk


def _key(edge: Any) -> tuple:
    return (edge.node, edge.index) if type(edge) is Output else (edge, 0)


def _on_the_way(roots: list, goals: set) -> _Wanted:
    """What a gradient must pass on its way from the roots to the goals (nodes and leaves)."""
    passed: set = set()
    done: set = set()
    stack = [_target(r) for r in roots if isinstance(r, (Node, Output))]
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
            continue
        below = [_target(e) for e in node.edges if e is not None]
        unseen = [b for b in below if isinstance(b, Node) and b not in done]
        if unseen:
            stack.extend(unseen)
            continue
        stack.pop()
        done.add(node)
        if any(b in passed or b in goals for b in below):
            passed.add(node)
    return _Wanted(passed, passed | goals)


class _Wanted:
    """For gradients of chosen inputs alone: the nodes to run, and all that gradients are delivered to."""

    def __init__(self, run: set, receive: set) -> None:
        self.run = run
        self.receive = receive


def _root_gradients(roots: Sequence, grads: Sequence, create_graph: bool) -> list:
    starts = []
    root: Any
    given: Any
    for position, (root, given) in enumerate(zip(roots, grads, strict=True)):
        edge = _edge_of_root(root, position)
        shape, dtype = (root._array.shape, root._array.dtype) if isinstance(root, Variable) else _type_of(edge)
        if given is None:
            if math.prod(shape) != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            if dtype.kind == "c":
                raise RuntimeError(
                    f"grad can be implicitly created only for real scalar outputs but got {from_numpy(dtype)}"
                )
            xp = backend.namespace(root._array) if isinstance(root, Variable) else _namespace_at(edge)
            start = wrap(xp.ones(shape, dtype))
        elif not isinstance(given, Variable):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(given).__name__}")
        else:
            if given._array.shape != shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{position}] has a shape of {Size(given._array.shape)} and "
                    f"output[{position}] has a shape of {Size(shape)}."
                )
            if "c" in (given._array.dtype.kind, dtype.kind) and given._array.dtype != dtype:
                raise RuntimeError(
                    "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in "
                    f"dtype: grad_output[{position}] has a dtype of {dtype_of(given)} and output[{position}] "
                    f"has a dtype of {from_numpy(dtype)}."
                )
            start = given
        starts.append(conjugate(start if create_graph else start._array))
    return starts


def _edge_of_root(root: Any, position: int) -> Any:
    if isinstance(root, GradientEdge):
        return inner_edge(root)
    if not isinstance(root, Variable):
        raise TypeError(f"expected a Tensor to go backward from, got {type(root).__name__}")
    edge = edge_of(root)
    if edge is None:
        raise RuntimeError(f"element {position} of tensors does not require grad and does not have a grad_fn")
    return edge


def _type_of(edge: Any) -> tuple[tuple, Any]:
    """Shape and type of the value that receives its gradient along the edge."""
    if isinstance(edge, Output):
        return edge.node.shape[edge.index], edge.node.dtype[edge.index]
    holder = edge._array if isinstance(edge, Variable) else edge
    return holder.shape, holder.dtype


def _namespace_at(edge: Any) -> Any:
    """The array module of an edge: that of a leaf below it."""
    stack, seen = [edge], set()
    while stack:
        found = _target(stack.pop())
        if isinstance(found, Variable):
            return backend.namespace(found._array)
        if found is not None and found not in seen:
            seen.add(found)
            stack.extend(found.edges)
    return np


def _edge_of_input(tensor: Any) -> Any:
    if isinstance(tensor, GradientEdge):
        return inner_edge(tensor)
    if not isinstance(tensor, Variable):
        raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(tensor).__name__}")
    return edge_of(tensor)


def _gradients_for(roots: tuple, given: Any) -> tuple:
    """The gradients to start from, one per root (None where none was given)."""
    if given is None:
        return (None,) * len(roots)
    grads = _as_tuple(given)
    if len(grads) != len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(grads)} gradients")
    return grads


def _as_tuple(value: Any) -> tuple:
    return (value,) if isinstance(value, (Variable, GradientEdge)) else tuple(value)
