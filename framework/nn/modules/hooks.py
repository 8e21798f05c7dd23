"""Hooks of a module: adding one, and a forward call made between them."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from ...engine import RemovableHandle
from . import global_hooks as every
from .backward_hooks import BackwardHooks, hook_output_node

if TYPE_CHECKING:
    from .module import Module


def add_hook(hooks: OrderedDict[int, Any], hook: Any, prepend: bool = False) -> RemovableHandle:
    """Put ``hook`` last, or first, into ``hooks``."""
    handle = RemovableHandle.into(hooks, hook)
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward(*args, **kwargs)`` with all modules' and its own forward and backward hooks."""
    result = None
    called: set[int] = set()
    try:
        for hook_id, hook in (*every.forward_pre_hooks.items(), *module._forward_pre_hooks.items()):
            args, kwargs = _call_pre_hook(module, hook_id, hook, args, kwargs)
        backward_hooks = None
        pre_hooks = (*every.backward_pre_hooks.values(), *module._backward_pre_hooks.values())
        full, plain = _backward_hooks(module)
        if pre_hooks or full:
            backward_hooks = BackwardHooks(module, pre_hooks, full)
            args = backward_hooks.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for hook_id, hook in (*every.forward_hooks.items(), *module._forward_hooks.items()):
            called.add(hook_id)
            result = _call_forward_hook(module, hook_id, hook, args, kwargs, result)
        if backward_hooks is not None:
            result = backward_hooks.watch_outputs(result)
        if plain:
            hook_output_node(module, plain, result)
        return result
    except Exception:
        _call_remaining_always_hooks(module, called, args, kwargs, result)
        raise


def _backward_hooks(module: Module) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The hooks on the whole module's backward, and those on its output's node alone."""
    own = tuple(module._backward_hooks.values())
    full, plain = tuple(every.full_backward_hooks.values()), tuple(every.plain_backward_hooks.values())
    return (full, (*plain, *own)) if module._is_full_backward_hook is False else ((*full, *own), plain)


def _call_pre_hook(module, hook_id, hook, args, kwargs):
    """The arguments of forward after one pre-hook: the hook's own, or unchanged if it returned None."""
    if hook_id in module._forward_pre_hooks_with_kwargs:
        changed = hook(module, args, kwargs)
        if changed is None:
            return args, kwargs
        if isinstance(changed, tuple) and len(changed) == 2:
            return changed
        raise RuntimeError(
            f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
        )
    changed = hook(module, args)
    if changed is None:
        return args, kwargs
    return changed if isinstance(changed, tuple) else (changed,), kwargs


def _call_forward_hook(module, hook_id, hook, args, kwargs, result):
    """The result of forward after one hook: the hook's own, or unchanged if it returned None."""
    if hook_id in module._forward_hooks_with_kwargs or hook_id in every.forward_hooks_with_kwargs:
        changed = hook(module, args, kwargs, result)
    else:
        changed = hook(module, args, result)
    return result if changed is None else changed


def _call_remaining_always_hooks(module, called, args, kwargs, result) -> None:
    """After an exception, run the hooks registered with ``always_call=True`` that have not run yet."""
    always = {*every.forward_hooks_always_called, *module._forward_hooks_always_called}
    for hook_id, hook in (*every.forward_hooks.items(), *module._forward_hooks.items()):
        if hook_id in called or hook_id not in always:
            continue
        try:
            result = _call_forward_hook(module, hook_id, hook, args, kwargs, result)
        except Exception as error:
            warnings.warn(
                "module forward hook with ``always_call=True`` raised an exception "
                f"that was silenced as another error was raised in forward: {error}",
                stacklevel=4,
            )
