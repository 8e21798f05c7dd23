"""Modules as functions of their parameters: functional_call, stack_module_state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..nn import Module
from ..ops.shape import stack
from ..tensor import Tensor


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """`module(*args, **kwargs)` with the parameters and buffers given, by name, in place of the module's own.

    Args:
        parameter_and_buffer_dicts: one dictionary from names to tensors, or several without a name in common. Names
            left out keep the module's own tensors. A buffer that the call replaces is replaced in the dictionary.
        args: a tuple of positional arguments, or the only one.
        tie_weights: a tensor given for one name of a tied parameter stands for all its names.
        strict: RuntimeError for unknown names and for names left out.
    """
    given = _merged(parameter_and_buffer_dicts)
    positional = () if args is None else args if isinstance(args, tuple) else (args,)
    with replaced(module, given, tie_weights, strict):
        return module(*positional, **(kwargs or {}))


def _merged(dicts: Any) -> Any:
    if isinstance(dicts, Mapping):
        return dicts
    if not isinstance(dicts, Sequence):
        raise ValueError(
            f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(dicts)}"
        )
    if not all(isinstance(d, Mapping) for d in dicts):
        raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
    names = [name for d in dicts for name in d]
    repeated = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else set()
    if repeated:
        raise ValueError(
            f"{sorted(repeated)} appeared in multiple dictionaries; behavior of functional call is ambiguous"
        )
    return {name: value for d in dicts for name, value in d.items()}


def _names_by_tensor(module: Module) -> list[set[str]]:
    """The sets of names under which one tensor is found more than once."""
    tensors = [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]
    names: dict[int, set[str]] = {}
    for name, tensor in tensors:
        names.setdefault(id(tensor), set()).add(name)
    return [tied for tied in names.values() if len(tied) > 1]


def _untied(module: Module, given: Mapping) -> dict:
    """The tensors given, for all names of tied ones."""
    full = dict(given)
    for tied in _names_by_tensor(module):
        named = sorted(tied & given.keys())
        if len({id(given[name]) for name in named}) > 1:
            raise ValueError(
                f"functional_call got multiple values for keys {named}, which are tied. Consider using "
                "tie_weights=False"
            )
        if named:
            full.update(dict.fromkeys(tied, given[named[0]]))
    return full


@contextmanager
def replaced(module: Module, given: Any, tie_weights: bool = True, strict: bool = False) -> Iterator[None]:
    """A context in which the module has the tensors given, by name, in place of its own."""
    full = _untied(module, given) if tie_weights else dict(given)
    if strict:
        _check_names(module, full)
    own: list[tuple[dict, str, str, Any]] = []
    try:
        for name, value in full.items():
            store, key = _store_of(module, name)
            if not isinstance(value, Tensor):
                raise TypeError(f"{value} is not an instance of torch.Tensor")
            own.append((store, key, name, store.get(key, _ABSENT)))
            store[key] = value
        yield
    finally:
        for store, key, name, before in reversed(own):
            if name in given and store[key] is not given[name]:
                given[name] = store[key]
            if before is _ABSENT:
                del store[key]
            else:
                store[key] = before


_ABSENT = object()


def _store_of(module: Module, name: str) -> tuple[dict, str]:
    """The dictionary that holds a module's tensor, and its key there; an unknown one is an attribute for the time."""
    path, _, key = name.rpartition(".")
    owner = module.get_submodule(path) if path else module
    for store in (owner._parameters, owner._buffers):
        if key in store:
            return store, key
    return owner.__dict__, key


def _check_names(module: Module, full: Mapping) -> None:
    known = {n for n, _ in module.named_parameters(remove_duplicate=False)}
    known |= {n for n, _ in module.named_buffers(remove_duplicate=False)}
    problems = []
    if unexpected := sorted(set(full) - known):
        problems.append(f"Unexpected key(s): {', '.join(map(repr, unexpected))}.")
    if missing := sorted(known - set(full)):
        problems.append(f"Missing key(s): {', '.join(map(repr, missing))}.")
    if problems:
        raise RuntimeError(f"Error(s) in reparametrizing for {type(module).__name__}:\n\t" + "\n\t".join(problems))


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(parameters, buffers) of models of one class, each stacked along a new first dimension, by name.

    Together with `vmap` and `functional_call` they run the models as an ensemble.
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = [dict(m.named_parameters()) for m in models]
    buffers = [dict(m.named_buffers()) for m in models]
    return (
        {name: _stacked(name, [p[name] for p in parameters]) for name in parameters[0]},
        {name: _stacked(name, [b[name] for b in buffers]) for name in buffers[0]},
    )


def _stacked(name: str, tensors: list) -> Any:
    if len({t.requires_grad for t in tensors}) > 1:
        raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
    if not tensors[0].requires_grad:
        return stack(tensors)
    return stack([t.detach() for t in tensors]).requires_grad_()
