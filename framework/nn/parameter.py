"""Parameter and Buffer: tensors that a Module registers when they are assigned to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


class UninitializedTensorMixin:
    """A tensor whose shape is not known yet, only its dtype and device; using it is an error until `materialize`."""

    cls_to_become: type

    def _keep_place(self, requires_grad: bool, place: Tensor) -> None:
        self._placeholder = place
        tensor: Any = self
        tensor._requires_grad = requires_grad
        tensor._node = tensor._grad = tensor._counter = tensor._view = tensor._hooks = None

    @property
    def _array(self) -> Any:
        raise ValueError(
            "Attempted to use an uninitialized parameter in a tensor operation. This error happens when you are using "
            f"a `LazyModule` or explicitly manipulating `torch.nn.parameter.{type(self).__name__}` objects. When using "
            "LazyModules Call `forward` with a dummy batch to initialize the parameters before calling torch functions"
        )

    def materialize(self, shape: Sequence[int], device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary parameter or tensor of ``shape``, of undefined values."""
        place: Any = self.__dict__.pop("_placeholder")
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        tensor: Any = self
        tensor._array = empty(tuple(shape), device=device or place.device, dtype=dtype or place.dtype)._array

    @property
    def data(self) -> Tensor:
        """An empty tensor of the dtype, on the device."""
        return self._placeholder

    @data.setter
    def data(self, value: Any) -> None:
        self._placeholder = value.data

    @property
    def dtype(self) -> Any:
        """The element type that it will have."""
        return self._placeholder.dtype

    @property
    def device(self) -> Any:
        """Where it will be."""
        return self._placeholder.device

    @property
    def shape(self) -> Any:
        """Not known: RuntimeError."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    def is_floating_point(self) -> bool:
        """Whether the type is a floating one."""
        return self._placeholder.is_floating_point()

    def is_complex(self) -> bool:
        """Whether the type is complex."""
        return self._placeholder.is_complex()

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """The same with another dtype or device, as uninitialized as before."""
        return self._with(self._placeholder.to(*args, **kwargs))

    def float(self) -> Any:
        """The same in float32."""
        return self._with(self._placeholder.float())

    def double(self) -> Any:
        """The same in float64."""
        return self._with(self._placeholder.double())

    def half(self) -> Any:
        """The same in float16."""
        return self._with(self._placeholder.half())

    def bfloat16(self) -> Any:
        """The same in bfloat16."""
        return self._with(self._placeholder.bfloat16())

    def cuda(self, *args: Any, **kwargs: Any) -> Any:
        """The same on a GPU."""
        return self._with(self._placeholder.cuda(*args, **kwargs))

    def cpu(self) -> Any:
        """The same on the CPU."""
        return self._with(self._placeholder.cpu())

    def _with(self, place: Tensor) -> Any:
        made: Any = self
        return type(made)(made.requires_grad, device=place.device, dtype=place.dtype)

    def share_memory_(self) -> Any:
        """There is no memory to share yet: RuntimeError."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters "
            "before calling `module.share_memory()`."
        )

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = self._with(self._placeholder)
        return memo[id(self)]

    def __reduce_ex__(self, proto: Any) -> Any:
        return type(self), (self.requires_grad,)  # type: ignore[attr-defined]


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]
    """A Parameter whose shape a lazy module finds out when it is first called."""

    cls_to_become = Parameter

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        self._keep_place(requires_grad, empty(0, device=device, dtype=dtype))


class UninitializedBuffer(UninitializedTensorMixin, Tensor):  # type: ignore[misc]
    """A buffer whose shape a lazy module finds out when it is first called."""

    cls_to_become = Tensor

    def __init__(
        self, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> None:
        self._keep_place(requires_grad, empty(0, device=device, dtype=dtype))
        self.persistent = persistent


def is_lazy(param: Any) -> bool:
    """Whether the shape of ``param`` is not known yet."""
    return isinstance(param, UninitializedTensorMixin)


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
