"""Hooks on all modules at once: for debugging and profiling, as ``torch.nn.modules.module.register_module_*``."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ...engine import RemovableHandle

Hooks = OrderedDict[int, Any]

forward_pre_hooks: Hooks = OrderedDict()
forward_hooks: Hooks = OrderedDict()
forward_hooks_with_kwargs: Hooks = OrderedDict()
forward_hooks_always_called: Hooks = OrderedDict()
backward_pre_hooks: Hooks = OrderedDict()
full_backward_hooks: Hooks = OrderedDict()
plain_backward_hooks: Hooks = OrderedDict()  # on the node of the output alone, as `Module.register_backward_hook`
buffer_registration_hooks: Hooks = OrderedDict()
module_registration_hooks: Hooks = OrderedDict()
parameter_registration_hooks: Hooks = OrderedDict()


def registered(hooks: Hooks, module: Any, name: str, value: Any) -> Any:
    """What is to be registered in the place of ``value``, after all registration hooks."""
    for hook in tuple(hooks.values()):
        changed = hook(module, name, value)
        if changed is not None:
            value = changed
    return value


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` whenever a buffer is registered; it may return another in its place."""
    return RemovableHandle.into(buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` whenever a submodule is registered; it may return another."""
    return RemovableHandle.into(module_registration_hooks, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, param)`` whenever a parameter is registered; it may return another."""
    return RemovableHandle.into(parameter_registration_hooks, hook)


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before every module's forward, before its own hooks; may return new arguments."""
    return RemovableHandle.into(forward_pre_hooks, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after every module's forward, before its own hooks.

    What it returns, if not None, replaces the output. With ``always_call`` it also runs when forward raises.
    """
    handle = RemovableHandle.into(forward_hooks, hook)
    if with_kwargs:
        forward_hooks_with_kwargs[handle.id] = True
    if always_call:
        forward_hooks_always_called[handle.id] = True
    return handle


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before every module's backward; it may return a new ``grad_output``."""
    return RemovableHandle.into(backward_pre_hooks, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` after every module's backward; may return ``grad_input``."""
    if plain_backward_hooks:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. "
            "Please use only one of them."
        )
    return RemovableHandle.into(full_backward_hooks, hook)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """As ``register_module_full_backward_hook``, but of the output's node alone; deprecated in PyTorch."""
    if full_backward_hooks:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. "
            "Please use only one of them."
        )
    return RemovableHandle.into(plain_backward_hooks, hook)
