"""Hooks of a module: adding one, and a forward call made between them."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from ...engine import RemovableHandle
from .backward_hooks import BackwardHooks

if TYPE_CHECKING:
    from .module import Module


def add_hook(hooks: OrderedDict[int, Any], hook: Any, prepend: bool = False) -> RemovableHandle:
    """Put ``hook`` last, or first, into ``hooks``."""
    handle = RemovableHandle.into(hooks, hook)
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``module.forward(*args, **kwargs)`` with the forward and backward hooks that are registered on it."""
    result = None
    called: set[int] = set()
    try:
        for hook_id, hook in tuple(module._forward_pre_hooks.items()):
            args, kwargs = _call_pre_hook(module, hook_id, hook, args, kwargs)
        backward_hooks = None
        if module._backward_pre_hooks or module._backward_hooks:
            backward_hooks = BackwardHooks(module)
            args = backward_hooks.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for hook_id, hook in tuple(module._forward_hooks.items()):
            called.add(hook_id)
            result = _call_forward_hook(module, hook_id, hook, args, kwargs, result)
        if backward_hooks is not None:
            result = backward_hooks.watch_outputs(result)
        return result
    except Exception:
        _call_remaining_always_hooks(module, called, args, kwargs, result)
        raise


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
    if hook_id in module._forward_hooks_with_kwargs:
        changed = hook(module, args, kwargs, result)
    else:
        changed = hook(module, args, result)
    return result if changed is None else changed


def _call_remaining_always_hooks(module, called, args, kwargs, result) -> None:
    """After an exception, run the hooks registered with ``always_call=True`` that have not run yet."""
    for hook_id, hook in tuple(module._forward_hooks.items()):
        if hook_id in called or hook_id not in module._forward_hooks_always_called:
            continue
        try:
            result = _call_forward_hook(module, hook_id, hook, args, kwargs, result)
        except Exception as error:
            warnings.warn(
                "module forward hook with ``always_call=True`` raised an exception "
                f"that was silenced as another error was raised in forward: {error}",
                stacklevel=4,
            )
