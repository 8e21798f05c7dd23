"""Custom differentiable functions: `autograd.Function` with PyTorch's `ctx`."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from .. import backend
from .backward import conjugate
from .grad_mode import mode, no_grad
from .node import FREED, Node, Output, SavedOutput, edge_of, next_sequence, unpack, versions_of
from .variable import Variable, as_array, counter_of, wrap
from .views import check_separate, check_writable, set_history


class FunctionCtx:
    """What `forward` hands to `backward`. Any attribute may be set on it."""

    _to_save: tuple = ()
    _dirty: tuple = ()
    _non_differentiable: tuple = ()
    _materialize = True
    _node: Any = None
    needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keeps inputs or outputs (Tensors or None) for `backward`, which finds them in `saved_tensors`.

        Only tensors kept this way are checked for later in-place writes and freed when backward has passed.
        """
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, Variable):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument is of type {type(tensor).__name__}"
                )
        self._to_save = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to `save_for_backward`."""
        if self._node is None:
            return self._to_save
        return tuple(unpack(self._node(), as_tensors=True))

    def mark_dirty(self, *tensors: Any) -> None:
        """Says that `forward` wrote to these inputs in place; it must return them."""
        self._dirty = tensors

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Says that no gradient flows through these outputs."""
        self._non_differentiable = outputs

    def set_materialize_grads(self, value: bool) -> None:
        """Whether `backward` gets zeros (the default) or None for outputs without a gradient."""
        self._materialize = bool(value)


class FunctionNode(Node):
    """A node whose backward is the user's."""

    __slots__ = ("ctx",)
    function: type
    ctx: FunctionCtx

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `forward` gave to `save_for_backward`."""
        return self.ctx.saved_tensors

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """Which arguments of `forward` require grad."""
        return self.ctx.needs_input_grad

    keeps_none = True  # `run` fills in what is missing: unlike operators, for integer results too

    def run(self, grad: Any, needed: tuple[bool, ...], as_tensors: bool) -> Any:
        if self.saved is FREED:
            unpack(self, as_tensors)  # raises
        grads = grad if type(self.dtype) is tuple else (grad,)
        if not as_tensors:
            grads = [None if g is None else wrap(backend.namespace(g).asarray(g)) for g in grads]
        if self.ctx._materialize and type(self.dtype) is tuple:
            grads = self._with_zeros(grads)
        grads = [None if g is None else conjugate(g) for g in grads]
        arrays, mode.arrays = mode.arrays, False  # the user's code works on Tensors
        try:
            results = self.function.backward(self.ctx, *grads)  # type: ignore[attr-defined]
        finally:
            mode.arrays = arrays
        if not isinstance(results, (tuple, list)):
            results = (results,)
        results = tuple(results)
        if len(results) > len(self.edges) and all(r is None for r in results[len(self.edges) :]):
            results = results[: len(self.edges)]
        if len(results) != len(self.edges):
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {len(self.edges)}, got "
                f"{len(results)})"
            )
        for position, (result, edge) in enumerate(zip(results, self.edges, strict=True)):
            self._check(position, result, edge)
        results = [None if r is None else conjugate(r) for r in results]
        return results if as_tensors else [None if r is None else r._array for r in results]

    def _with_zeros(self, grads: Sequence) -> list:
        xp = backend.namespace(next(g._array for g in grads if g is not None))
        return [
            wrap(xp.zeros(shape, dtype)) if g is None and dtype is not None else g
            for g, shape, dtype in zip(grads, self.shape, self.dtype, strict=True)
        ]

    def _check(self, position: int, result: Any, edge: Any) -> None:
        if result is None or edge is None:
            return
        if not isinstance(result, Variable):
            raise TypeError(f"expected Variable or None (got {type(result).__name__})")
        shape = _edge_shape(edge)
        ours, theirs = result._array.shape, shape
        pairs = zip(reversed(ours), reversed(theirs), strict=False)
        if len(ours) < len(theirs) or any(t not in (1, o) for o, t in pairs):
            raise RuntimeError(
                f"Function {self.name()} returned an invalid gradient at index {position} - got {list(ours)} but "
                f"expected shape compatible with {list(theirs)}"
            )


def _edge_shape(edge: Any) -> tuple:
    if isinstance(edge, Output):
        return edge.node.shape[edge.index]
    return edge._array.shape if isinstance(edge, Variable) else edge.shape


class _FunctionMeta(type):
    """Gives each Function a node class of its own, named after it."""

    def __init__(cls, name: str, bases: tuple, namespace: dict) -> None:
        super().__init__(name, bases, namespace)
        cls._node_type = type(f"{name}Backward", (FunctionNode,), {"__slots__": (), "function": cls})


class Function(metaclass=_FunctionMeta):
    """Base of custom functions: subclass with static methods `forward(ctx, ...)` and `backward(ctx, *grads)`.

    Call as `MyFunction.apply(...)`. `forward` runs without recording; `backward` returns one gradient (or None) for
    each argument of `forward`, and is itself recorded under `create_graph`. With a static `setup_context(ctx, inputs,
    output)`, `forward` takes no ctx.
    """

    _node_type: type

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The function itself, to be overridden."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the inputs, to be overridden."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    setup_context: Any = None

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Runs `forward` and records it when an argument requires grad."""
        ctx = FunctionCtx()
        tracked = [isinstance(a, Variable) and bool(a._requires_grad) and edge_of(a) is not None for a in args]
        recording = mode.enabled and any(tracked)
        ctx.needs_input_grad = tuple(tracked)
        with no_grad():
            if cls.setup_context is None:
                result = cls.forward(ctx, *args)
            else:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
        several = isinstance(result, (tuple, list))
        outputs = list(result) if several else [result]
        if recording and any(isinstance(o, Variable) for o in outputs):
            outputs = _record(cls._node_type, ctx, args, tracked, outputs, several)
        else:
            outputs = [_fresh(o, args, ctx) for o in outputs]
        return type(result)(outputs) if type(result) is list else tuple(outputs) if several else outputs[0]


def _fresh(output: Any, args: tuple, ctx: FunctionCtx) -> Any:
    """An output that is an input, unmodified, comes back as a view of it, as in PyTorch."""
    if isinstance(output, Variable) and any(output is a for a in args) and not _among(output, ctx._dirty):
        return wrap(output._array)
    return output


_new_node: Any = Node.__new__  # replaced while hooks on saved tensors are in place: see saved_hooks.py


def _among(tensor: Any, tensors: tuple) -> bool:
    return any(tensor is t for t in tensors)


def _record(node_type: Any, ctx: FunctionCtx, args: tuple, tracked: list, results: list, several: bool) -> list:
    node = _new_node(node_type)
    node.ctx = ctx
    node.edges = tuple(edge_of(a) if t else None for a, t in zip(args, tracked, strict=True))
    node.hooks = None
    outputs = [_fresh(o, args, ctx) for o in results]
    floats = [isinstance(o, Variable) and o._array.dtype.kind not in "biu" for o in outputs]
    grows = [f and not _among(o, ctx._non_differentiable) for f, o in zip(floats, outputs, strict=True)]
    for dirty in ctx._dirty:
        check_separate(dirty._array)
        check_writable(dirty, recording=True)
    saved = []
    for tensor in ctx._to_save:
        index = next((i for i, r in enumerate(results) if r is tensor), None)
        if index is None or not grows[index] or (_among(tensor, args) and not _among(tensor, ctx._dirty)):
            saved.append(tensor)
        else:  # an output: holding the tensor itself would close a cycle
            saved.append(SavedOutput(as_array(tensor._array), counter_of(tensor), index if several else None))
    for dirty in ctx._dirty:
        counter_of(dirty)[0] += 1
    node.saved, node.versions = tuple(saved), versions_of(tuple(saved))
    node.sequence = next_sequence()
    if several:
        node.shape = tuple(o._array.shape if isinstance(o, Variable) else None for o in outputs)
        node.dtype = tuple(o._array.dtype if isinstance(o, Variable) else None for o in outputs)
    else:
        node.shape, node.dtype = outputs[0]._array.shape, outputs[0]._array.dtype
    ctx._node = weakref.ref(node)  # ctx belongs to the node: a strong reference back would be a cycle
    for index, (output, grow) in enumerate(zip(outputs, grows, strict=True)):
        if not grow:
            continue
        maker = Output(node, index) if several else node
        if _among(output, ctx._dirty) and output._view is not None and not several:
            set_history(output, node, next(i for i, a in enumerate(args) if a is output))
        else:
            output._node, output._requires_grad = maker, True
    ctx._to_save = ctx._dirty = ctx._non_differentiable = ()  # outputs among them would close cycles
    return outputs


def once_differentiable(backward: Callable) -> Callable:
    """Decorates a `backward` that must not be differentiated: under `create_graph` its results raise when they are."""

    @functools.wraps(backward)
    def wrapped(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            results = backward(ctx, *grads)
        if not mode.enabled or not any(isinstance(g, Variable) and edge_of(g) is not None for g in grads):
            return results
        several = isinstance(results, tuple)
        items = results if several else (results,)
        items = tuple(_NotTwice.apply(r) if isinstance(r, Variable) else r for r in items)
        return items if several else items[0]

    return wrapped


class _NotTwice(Function):
    """Passes a value on, requiring grad, and refuses to go backward."""

    @classmethod
    def apply(cls, value: Any) -> Any:
        detached = wrap(value._array)
        detached._requires_grad = True
        return super().apply(detached)

    @staticmethod
    def forward(ctx: Any, value: Any) -> Any:
        return wrap(value._array)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")
