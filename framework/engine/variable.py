"""What the engine knows of a tensor: its array, its place in the graph, its version counter, and whose view it is."""

from __future__ import annotations

from typing import Any

from .. import backend
from ..dtypes import dtype, from_numpy

#: `_requires_grad` of a differentiable view. Its base may come to need a gradient at any later in-place write, so the
#: answer is found when it is asked for: `edge_of` and `requires_grad` decide. Truthy, so that the fast paths ask.
MAYBE = "as its base does"


class Variable:
    """Base of `Tensor`: the slots that the engine works with. Only `Tensor` and its subclasses are ever made."""

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_array",  # numpy.ndarray or cupy.ndarray, 0-d for a scalar, never a NumPy scalar
        "_counter",  # [number of in-place writes], shared by all views of the memory; None while nobody counts
        "_grad",  # the Tensor accumulated by backward, or None
        "_hooks",  # TensorHooks, or None
        "_node",  # the Node that made this tensor (an Output, for one of several results), None for a leaf
        "_requires_grad",  # True, False, or MAYBE for a view
        "_view",  # ViewInfo of a view, else None
    )
    _array: Any
    _requires_grad: Any
    _node: Any
    _grad: Any
    _counter: list[int] | None
    _view: Any
    _hooks: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        global Tensor
        if Tensor is Variable:
            Tensor = cls  # the first subclass is the class that operators return


#: The class of every result. tensor.py lies later in the import order, so it is entered here when it is defined.
Tensor: type = Variable

_new = Variable.__new__


def wrap(array: Any) -> Any:
    """A leaf Tensor, without gradient, on an array (not copied)."""
    tensor: Any = _new(Tensor)
    tensor._array = array
    tensor._requires_grad = False
    tensor._node = tensor._grad = tensor._counter = tensor._view = tensor._hooks = None
    return tensor


def as_array(value: Any) -> Any:
    """An operator's result as an array: NumPy gives scalars for 0-d results, CuPy never does."""
    if type(value) in backend.ARRAY_TYPES:
        return value
    return backend.namespace(value).asarray(value)


def counter_of(tensor: Variable) -> list[int]:
    """The version counter, made on first need."""
    if tensor._counter is None:
        tensor._counter = [0]
    return tensor._counter


def increment_version(tensor: Variable) -> None:
    """Tells autograd that `tensor._array` was written to by hand: graphs that saved it refuse to go backward."""
    counter_of(tensor)[0] += 1


def dtype_of(tensor: Variable) -> dtype:
    return from_numpy(tensor._array.dtype)
