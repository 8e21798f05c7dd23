"""What load_state_dict does: matching a state dict to a tree of modules, and saying what does not match."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ...engine import no_grad
from ...tensor import Tensor
from ..parameter import Parameter, is_lazy

if TYPE_CHECKING:
    from .module import Module

EXTRA_STATE = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What ``load_state_dict`` returns: keys that the state dict lacked, and keys that the module lacks."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys!r}, unexpected_keys={self.unexpected_keys!r})"


class ModuleHook:
    """A load_state_dict pre-hook that gets its module first; the module is held weakly, for it holds the hook."""

    def __init__(self, hook: Callable[..., Any], module: Module) -> None:
        self.hook = hook
        self.module = weakref.ref(module)

    def __call__(self, *args: Any) -> Any:
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args)

    def __getstate__(self) -> dict[str, Any]:
        return {"hook": self.hook, "module": self.module()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.hook = state["hook"]
        self.module = weakref.ref(state["module"])


def own_state(module: Module) -> dict[str, Tensor]:
    """The module's own parameters and persistent buffers that are not None."""
    members: dict[str, Tensor | None] = {**module._parameters}
    members.update((k, v) for k, v in module._buffers.items() if k not in module._non_persistent_buffers_set)
    return {name: tensor for name, tensor in members.items() if tensor is not None}


def overrides_extra_state(module: Module, method: str, base: type[Module]) -> bool:
    """Whether the module's class defines its own ``method``, one of the two for extra state."""
    return getattr(type(module), method) is not getattr(base, method)


def load_own_tensors(
    module: Module, state_dict: dict[str, Any], prefix: str, assign: bool, missing: list[str], errors: list[str]
) -> None:
    """Load each of the module's own tensors from ``state_dict``, noting what is missing and what does not fit."""
    for name, current in own_state(module).items():
        key = prefix + name
        if key not in state_dict:
            missing.append(key)
            continue
        loaded = state_dict[key]
        if not isinstance(loaded, Tensor):
            errors.append(
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object '
                f"from checkpoint but received {type(loaded)}"
            )
            continue
        if is_lazy(current) and is_lazy(loaded):
            continue
        if current.dim() == 0 and tuple(loaded.shape) == (1,):  # scalars were saved with one dimension long ago
            loaded = loaded[0]
        if loaded.shape != current.shape:
            errors.append(
                f"size mismatch for {key}: copying a param with shape {loaded.shape} from checkpoint, "
                f"the shape in current model is {current.shape}."
            )
            continue
        try:
            if assign:
                setattr(module, name, _assignable(loaded, current))
            else:
                with no_grad():
                    current.copy_(loaded)
        except Exception as error:
            errors.append(
                f'While copying the parameter named "{key}", whose dimensions in the model are {current.size()} '
                f"and whose dimensions in the checkpoint are {loaded.size()}, an exception occurred : {error.args}."
            )


def _assignable(loaded: Tensor, current: Tensor) -> Tensor:
    """``loaded`` in the role of ``current``: a Parameter for a Parameter, requiring grad just as it does."""
    if not isinstance(current, Parameter):
        return loaded
    if isinstance(loaded, Parameter):
        return loaded.requires_grad_(current.requires_grad)
    return Parameter(loaded, requires_grad=current.requires_grad)


def find_unexpected_keys(module: Module, state_dict: dict[str, Any], prefix: str, unexpected: list[str]) -> None:
    """Note the keys under ``prefix`` that neither a child nor an own tensor of the module answers to."""
    own = own_state(module)
    for key in state_dict:
        if not key.startswith(prefix) or key == prefix + EXTRA_STATE:
            continue
        first, dot, _ = key[len(prefix) :].partition(".")
        known = first in module._modules if dot else first in own
        if not known:
            unexpected.append(key)


def load_tree(root: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Load ``state_dict`` into ``root`` and everything below it; RuntimeError lists all that went wrong."""
    keys = IncompatibleKeys([], [])
    errors: list[str] = []
    metadata = getattr(state_dict, "_metadata", None) or {}

    def load(module: Module, state: dict[str, Any], prefix: str) -> None:
        local_metadata = dict(metadata.get(prefix[:-1], {}))
        if assign:
            local_metadata["assign_to_params_buffers"] = True
        module._load_from_state_dict(
            state, prefix, local_metadata, True, keys.missing_keys, keys.unexpected_keys, errors
        )
        for name, child in module._modules.items():
            if child is not None:
                child_prefix = f"{prefix}{name}."
                child_state = {key: value for key, value in state.items() if key.startswith(child_prefix)}
                load(child, child_state, child_prefix)
        _call_post_hooks(module, keys)

    state = OrderedDict(state_dict)  # hooks may change it: not the caller's
    state._metadata = metadata  # type: ignore[attr-defined]
    load(root, state, "")
    if strict and keys.unexpected_keys:
        errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(keys.unexpected_keys)}. ")
    if strict and keys.missing_keys:
        errors.insert(0, f"Missing key(s) in state_dict: {_quoted(keys.missing_keys)}. ")
    if errors:
        lines = "\n\t".join(errors)
        raise RuntimeError(f"Error(s) in loading state_dict for {type(root).__name__}:\n\t{lines}")
    return keys


def _call_post_hooks(module: Module, keys: IncompatibleKeys) -> None:
    for hook in module._load_state_dict_post_hooks.values():
        if hook(module, keys) is not None:
            raise AssertionError(
                "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values, "
                "if incompatible_keys need to be modified, it should be done inplace."
            )


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)
