"""Which tensors a function reaches other than by its arguments."""

from __future__ import annotations

import functools
import types
from typing import Any

from ..nn import Module
from ..tensor import Tensor
from .tree import flatten


def captured(function: Any) -> list:
    """The tensors in a function's closure, defaults and named globals, and in the modules and functions found there.

    Attributes of other objects are not looked at.
    """
    tensors: dict[int, Any] = {}
    stack, seen = [function], set()
    while stack:
        value = stack.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Tensor):
            tensors[id(value)] = value
        elif isinstance(value, Module):
            stack.extend(value.parameters())
            stack.extend(value.buffers())
        elif isinstance(value, functools.partial):
            stack.extend((value.func, value.args, value.keywords))
        elif isinstance(value, types.MethodType):
            stack.extend((value.__func__, value.__self__))
        elif isinstance(value, types.FunctionType):
            stack.extend(_held_by(value))
        elif isinstance(value, (tuple, list, dict)):
            stack.extend(leaf for leaf in flatten(value)[0] if leaf is not value)
    return list(tensors.values())


def _held_by(function: types.FunctionType) -> list:
    if function.__module__ is not None and function.__module__.startswith("framework."):
        globals_ = []  # the library's own functions: what they close over counts, what their modules hold does not
    else:
        names = function.__code__.co_names
        globals_ = [function.__globals__[name] for name in names if name in function.__globals__]
    cells = []
    for cell in function.__closure__ or ():
        try:
            cells.append(cell.cell_contents)
        except ValueError:  # not yet filled
            continue
    return [*cells, *globals_, function.__defaults__ or (), function.__kwdefaults__ or {}]
