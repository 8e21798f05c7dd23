"""`framework.autograd.graph`: the recorded graph as the user sees it, and hooks on it; torch.autograd.graph's names."""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .. import backend
from ..engine import GradientEdge, Node, Output, RemovableHandle, edge_of, wrap
from ..engine import increment_version as _increment
from ..engine.backward import running
from ..engine.node import shown_edge
from ..engine.saved_hooks import hooks, pop, push
from ..tensor import Tensor


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """Where in the graph `tensor` receives its gradient; `grad` and `backward` take it in place of the tensor.

    Unlike the tensor it holds no values. RuntimeError if the tensor does not require grad.
    """
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return shown_edge(tensor)


def increment_version(tensor: Any) -> None:
    """Tells autograd that the memory of a tensor, or of each of several, was written to behind its back."""
    for each in (tensor,) if isinstance(tensor, Tensor) else tensor:
        _increment(each)


class saved_tensors_hooks:
    """A context in which `pack_hook(tensor)` is called for each tensor that is saved for backward.

    What it returns is kept instead, and `unpack_hook(that)` must give back a tensor of the same values when backward
    needs it. Of nested contexts the innermost counts. Tensors other than leaves are handed over without their history.
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        push(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exc: object) -> None:
        pop()


class save_on_cpu(saved_tensors_hooks):
    """A context in which what is saved for backward waits in the host's memory, not on its device.

    `pin_memory` is accepted; the copies are not asynchronous.
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def to_host(tensor: Any) -> tuple[Any, Any]:
            host = backend.to_host(tensor._array)
            return tensor.device, wrap(host.copy() if host is tensor._array else host)

        super().__init__(to_host, lambda packed: packed[1].to(packed[0]))


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """A context in which `saved_tensors_hooks` cannot be entered: RuntimeError with this message."""
    before, hooks.disabled = hooks.disabled, error_message
    try:
        yield
    finally:
        hooks.disabled = before


# --- hooks on several tensors -------------------------------------------------------------------------------------


class _Handles(RemovableHandle):
    """Removes the hooks of several tensors at once."""

    def __init__(self, handles: Sequence[RemovableHandle]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


def register_multi_grad_hook(tensors: Sequence[Any], fn: Callable, *, mode: str = "all") -> RemovableHandle:
    """Calls `fn` in each backward pass that computes gradients of the tensors.

    With mode "all" once, when all are there, with the list of them (None for those that the pass does not compute);
    with "any" for the first that is there, with it.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    state = threading.local()
    if mode == "any":
        return _Handles([t.register_hook(functools.partial(_first, state, fn)) for t in tensors])
    edges = [weakref.ref(_target(t)) for t in tensors]
    return _Handles([t.register_hook(functools.partial(_all, state, fn, edges, i)) for i, t in enumerate(tensors)])


def _target(tensor: Any) -> Any:
    edge = edge_of(tensor)
    if edge is None:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    return edge.node if isinstance(edge, Output) else edge


def _first(state: Any, fn: Callable, grad: Any) -> None:
    if getattr(state, "walk", _nothing)() is not running.walk:
        state.walk = weakref.ref(running.walk)
        fn(grad)


def _all(state: Any, fn: Callable, edges: list, index: int, grad: Any) -> None:
    if getattr(state, "walk", _nothing)() is not running.walk:
        state.walk = weakref.ref(running.walk)
        state.grads = [None] * len(edges)
        state.left = running.walk.count_reached([edge() for edge in edges])  # type: ignore[union-attr]
    state.grads[index] = grad
    state.left -= 1
    if not state.left:
        grads, state.grads = state.grads, None
        fn(grads)


def _nothing() -> None:
    return None


# --- writing to what was saved ------------------------------------------------------------------------------------


class _Kept:
    """Copies of what was saved inside one `allow_mutation_on_saved_tensors`."""

    def __init__(self) -> None:
        self.open = True

    def clear(self) -> None:
        """Ends the life of all copies: going backward raises from now on."""
        self.open = False


_mutation = threading.local()


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[_Kept]:
    """A context in which tensors saved for backward may be written to: backward uses the values that were saved.

    Each saved tensor is copied, whether it will be written to or not. Going backward after the context is an
    AssertionError, nesting it a RuntimeError.
    """
    if getattr(_mutation, "active", False):
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    kept = _Kept()

    def unpack(tensor: Any) -> Any:
        if not kept.open:
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in which the graph was "
                "originally recorded."
            )
        return tensor

    _mutation.active = True
    try:
        with saved_tensors_hooks(lambda tensor: tensor.detach().clone(), unpack):
            yield kept
    finally:
        kept.clear()
        _mutation.active = False


__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]
