"""Parameter and Buffer: tensors that a Module registers when they are assigned to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..creation import empty
from ..tensor import Tensor


class Parameter(Tensor):
    """A leaf tensor that is learned: it requires grad by default and joins its module's ``parameters()``.

    It is on the memory of ``data`` and has none of its history. RuntimeError if it is to require grad and its dtype is
    not floating or complex.
    """

    __slots__ = ()

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        _take_memory(self, data)
        if requires_grad and not (self.is_floating_point() or self.is_complex()):
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        self.requires_grad_(requires_grad)

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """A copy of the values, without the gradient."""
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        return memo[id(self)]


class Buffer(Tensor):
    """A tensor that a module keeps but does not learn; left out of ``state_dict`` unless ``persistent``."""

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        _take_memory(self, data)
        self.requires_grad_(data is not None and data.requires_grad)
        self.persistent = persistent


def _take_memory(tensor: Tensor, data: Tensor | None) -> None:
    """Make a newly created ``tensor`` a leaf on the memory of ``data`` (None: no elements)."""
    if data is None:
        data = empty(0)
    if not isinstance(data, Tensor):
        raise TypeError(f"{type(tensor).__name__} data must be a Tensor, not {type(data).__name__}")
    tensor._array = data._array
    tensor._requires_grad = False
    tensor._node = tensor._grad = tensor._counter = tensor._view = tensor._hooks = None


def clear_gradients(params: Iterable[Tensor], set_to_none: bool) -> None:
    """Drop the gradients of ``params``, or fill them with zeros and cut them from their history."""
    for param in params:
        grad = param.grad
        if grad is None:
            continue
        if set_to_none:
            param.grad = None
            continue
        if grad.grad_fn is not None:
            grad.detach_()
        else:
            grad.requires_grad_(False)
        grad.zero_()
