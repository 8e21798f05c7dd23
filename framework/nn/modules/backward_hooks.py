"""Full backward hooks of a module: both edges of its part of the graph pass through an identity that calls them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ...engine import Function, is_grad_enabled
from ...tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

Grads = tuple[Tensor | None, ...]


class BackwardHooks:
    """The backward hooks of one forward call.

    The outputs' identity runs first in backward: it remembers ``grad_output`` and runs the pre-hooks. The inputs'
    identity runs when the module's own nodes are done: it has ``grad_input`` and runs the hooks.
    """

    def __init__(self, module: Module, pre_hooks: tuple[Any, ...], hooks: tuple[Any, ...]) -> None:
        self.module = module
        self.pre_hooks = pre_hooks
        self.hooks = hooks
        self.n_inputs = 0
        self.input_slots: list[int] = []
        self.n_outputs = 0
        self.output_slots: list[int] = []
        self.grad_output: Grads | None = None

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments of forward, those that require grad passed through the identity that runs the hooks."""
        self.n_inputs = len(args)
        args, self.input_slots = _through_identity(args, self._on_grad_input)
        return args

    def watch_outputs(self, result: Any) -> Any:
        """The result of forward, passed through the identity that keeps ``grad_output``; a warning if it cannot be."""
        if isinstance(result, Tensor):
            outputs = (result,)
        elif isinstance(result, tuple):
            outputs = result
        else:
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors "
                f"but received {type(result)}",
                stacklevel=4,
            )
            return result
        self.n_outputs = len(outputs)
        outputs, self.output_slots = _through_identity(outputs, self._on_grad_output)
        return outputs[0] if isinstance(result, Tensor) else outputs

    def _on_grad_output(self, grads: Sequence[Tensor | None]) -> Grads:
        grad_output = _spread(grads, self.output_slots, self.n_outputs)
        for hook in self.pre_hooks:
            changed = _as_grads(hook(self.module, grad_output))
            if changed is not None:
                _check_length(changed, grad_output, "Backward pre hook", "grad_output")
                grad_output = changed
        self.grad_output = grad_output
        if not self.input_slots:
            self._call_hooks_without_grad_input()
        return tuple(grad_output[i] for i in self.output_slots)

    def _on_grad_input(self, grads: Sequence[Tensor | None]) -> Grads:
        if self.grad_output is None:  # the graph reached the inputs without passing through the outputs
            return tuple(grads)
        grad_input = _spread(grads, self.input_slots, self.n_inputs)
        for hook in self.hooks:
            changed = _as_grads(hook(self.module, grad_input, self.grad_output))
            if changed is not None:
                _check_length(changed, grad_input, "Backward hook", "grad_input")
                grad_input = changed
        self.grad_output = None
        return tuple(grad_input[i] for i in self.input_slots)

    def _call_hooks_without_grad_input(self) -> None:
        """No input requires grad, so no node of an input will call the hooks: call them with Nones now."""
        if self.hooks:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs "
                "since no inputs require gradients.",
                stacklevel=2,
            )
        for hook in self.hooks:
            changed = hook(self.module, (None,) * self.n_inputs, self.grad_output)
            if changed is not None and not (isinstance(changed, tuple) and all(grad is None for grad in changed)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None "
                    "or None for all gradients."
                )
        self.grad_output = None


class BackwardHookFunction(Function):
    """Identity whose backward hands the gradients to ``on_grads`` and passes on what that returns."""

    @staticmethod
    def forward(ctx, on_grads, *tensors):
        ctx.on_grads = on_grads
        ctx.set_materialize_grads(False)
        return tuple(tensor.detach() for tensor in tensors)

    @staticmethod
    def backward(ctx, *grads):
        return (None, *ctx.on_grads(grads))


def _through_identity(values: tuple[Any, ...], on_grads) -> tuple[tuple[Any, ...], list[int]]:
    """Pass the tensors of ``values`` that require grad through the identity; also return their positions."""
    slots = [i for i, value in enumerate(values) if isinstance(value, Tensor) and value.requires_grad]
    if not slots or not is_grad_enabled():
        return values, []
    watched = BackwardHookFunction.apply(on_grads, *(values[i] for i in slots))
    replaced = list(values)
    for i, tensor in zip(slots, watched, strict=True):
        replaced[i] = tensor
    kind = type(values)
    return (tuple(replaced) if kind is tuple else kind(*replaced)), slots


def _spread(grads: Sequence[Tensor | None], slots: list[int], length: int) -> Grads:
    """``length`` entries with ``grads`` at the positions ``slots`` and None elsewhere."""
    spread: list[Tensor | None] = [None] * length
    for i, grad in zip(slots, grads, strict=True):
        spread[i] = grad
    return tuple(spread)


def _as_grads(returned: Any) -> Grads | None:
    """What a hook returned as a tuple; a lone Tensor counts as a tuple of one."""
    if returned is None or isinstance(returned, tuple):
        return returned
    return (returned,) if isinstance(returned, Tensor) else tuple(returned)


def _check_length(changed: Grads, expected: Grads, hook: str, name: str) -> None:
    if len(changed) != len(expected):
        raise RuntimeError(
            f"{hook} returned an invalid number of {name}, got {len(changed)}, but expected {len(expected)}"
        )


def hook_output_node(module: Module, hooks: tuple[Any, ...], result: Any) -> None:
    """Call ``hook(module, grad_input, grad_output)`` with the gradients of the node that made the first output."""
    first = result
    while not isinstance(first, Tensor):
        if isinstance(first, dict):
            first = next(value for value in first.values() if isinstance(value, Tensor))
        else:
            first = first[0]
    node = first.grad_fn
    if node is not None:
        for hook in hooks:
            node.register_hook(partial(hook, module))
