"""`Tensor`: an array with a place in the graph. Its methods are the operators, one explicit line each."""

from __future__ import annotations

import builtins
import math
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import backend, dtypes, printing, removed, resize
from .engine import (
    RemovableHandle,
    TensorHooks,
    Variable,
    binary_method,
    counter_of,
    edge_of,
    hooks_of,
    inplace,
    mode,
    wrap,
)
from .engine import (
    backward as _backward,
)
from .engine.node import Output, retain
from .engine.variable import MAYBE
from .ops import (
    activation,
    bessel,
    convert,
    copies,
    counting,
    decomposition,
    gamma,
    householder,
    index,
    linalg,
    norms,
    number,
    old_linalg,
    pointwise,
    reduce,
    scan,
    sorting,
    special,
    statistics,
    triangular,
)
from .ops import (
    histogram as histograms,
)
from .ops import (
    lu as lu_factors,
)
from .ops import scatter_reduce as scatter_reducing
from .ops import shape as shaping
from .ops import stft as short_time
from .random import default_generator
from .size import Size

_NUMBERS = (int, float, complex, np.generic)


def _compared(function: Any, tensor: Any, other: Any) -> Any:
    """`==` and `!=`, which also take arrays: without them Python would compare identities, silently."""
    if isinstance(other, (Variable, *_NUMBERS)):
        return function(tensor, other)
    if isinstance(other, np.ndarray) and other.dtype.kind in "biufc":
        return function(tensor, wrap(other))
    return NotImplemented


class Tensor(Variable):
    """An n-dimensional array that can record what is computed from it.

    Made by `tensor`, `zeros`, `randn`, ... and by operators; `Tensor(2, 3)` and `Tensor([1.0])` as of old.
    """

    __slots__ = ()
    #: NumPy gives way to a Tensor's operators: `array * tensor` is `tensor.__rmul__(array)`.
    __array_priority__ = 1000

    def __init__(self, *data: Any, device: Any = None) -> None:
        """Of a size, uninitialised, or of data; of the default type. Use `empty` or `tensor` instead."""
        from .legacy import construct

        self._array = backend.to_device(construct(dtypes.get_default_dtype(), data)._array, backend.resolve(device))
        self._requires_grad = False
        self._node = self._grad = self._counter = self._view = self._hooks = None

    def __getattr__(self, name: str) -> Any:
        """The error for what a tensor has not: a sentence for what PyTorch has."""
        from .left_out import refusal

        raise AttributeError(refusal("Tensor", name) or f"'{type(self).__name__}' object has no attribute '{name}'")

    def new(self, *data: Any) -> Tensor:
        """A tensor of this one's type and place, of a size, uninitialised, or of data."""
        from .legacy import construct

        return construct(self.dtype, data).to(self.device)

    # --- what it is -----------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """The sizes of the dimensions."""
        return Size(self._array.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The element type."""
        return dtypes.from_numpy(self._array.dtype)

    @property
    def device(self) -> backend.device:
        """Where the elements are."""
        return backend.device_of(self._array)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._array.nbytes

    @property
    def is_cuda(self) -> bool:
        """Whether the elements are on a CUDA device."""
        return not isinstance(self._array, np.ndarray)

    @property
    def is_cpu(self) -> bool:
        """Whether the elements are in host memory."""
        return isinstance(self._array, np.ndarray)

    is_sparse = is_quantized = is_meta = is_mps = is_nested = is_mkldnn = False
    layout = "torch.strided"
    name = None
    names: Any = property(lambda self: (None,) * self._array.ndim)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        return self.shape if dim is None else self._array.shape[shaping.wrap_dim(dim, self._array.ndim)]

    def dim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return int(self._array.size)

    nelement = numel

    def element_size(self) -> int:
        """Bytes per element."""
        return self._array.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Elements between neighbours along each dimension, or along one."""
        width, shape = self._array.itemsize, self._array.shape
        strides = tuple(s // width for s in self._array.strides)
        if 0 in shape:  # NumPy's strides of nothing are zeros
            strides = tuple(math.prod(builtins.max(n, 1) for n in shape[d + 1 :]) for d in range(len(shape)))
        return strides if dim is None else strides[shaping.wrap_dim(dim, self._array.ndim)]

    def storage_offset(self) -> int:
        """Elements between the start of the memory and this tensor's first."""
        owner = self._array.base
        if owner is None or not hasattr(owner, "dtype"):
            return 0
        return (backend.pointer(self._array) - backend.pointer(owner)) // self._array.itemsize

    def data_ptr(self) -> int:
        """The address of the first element."""
        return backend.pointer(self._array)

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in row-major order without gaps."""
        return bool(self._array.flags.c_contiguous)

    def is_floating_point(self) -> bool:
        """Whether the type is a floating one."""
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        """Whether the type is complex."""
        return self._array.dtype.kind == "c"

    def is_signed(self) -> bool:
        """Whether the type has negative numbers."""
        return self.dtype.is_signed

    def is_inference(self) -> bool:
        """Always False: tensors made in inference mode are ordinary ones here."""
        return False

    def is_shared(self) -> bool:
        """Whether other processes see the memory."""
        return False

    def is_pinned(self) -> bool:
        """Whether the memory is page-locked."""
        return False

    def get_device(self) -> int:
        """The index of the CUDA device, -1 on the CPU."""
        return -1 if self.is_cpu else int(self._array.device.id)

    # --- autograd -------------------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor."""
        flag = self._requires_grad
        return flag if isinstance(flag, bool) else self._view.requires_grad(self)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError("requires_grad must be a bool")
        if self._view is not None:
            edge_of(self)
        if self._node is not None:
            advice = (
                " If you want to use a computed variable in a subgraph that doesn't require differentiation use "
                "var_no_grad = var.detach()."
            )
            raise RuntimeError(f"you can only change requires_grad flags of leaf variables.{'' if value else advice}")
        if value and self._array.dtype.kind in "biu":
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        if value or self._view is None:
            self._requires_grad = value
        elif self._requires_grad:
            self._requires_grad = MAYBE

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Sets `requires_grad` and returns the tensor."""
        if not (requires_grad and self._node is not None):
            self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the user made it, or it needs no gradient: it has no `grad_fn`."""
        return not self.requires_grad or edge_of(self) is self

    @property
    def grad_fn(self) -> Any:
        """The node that made this tensor; None for leaves."""
        if self._view is not None:
            edge_of(self)
        node = self._node
        return node.node if isinstance(node, Output) else node

    @property
    def output_nr(self) -> int:
        """Which of its node's results this tensor is."""
        return self._node.index if isinstance(self._node, Output) else 0

    @property
    def grad(self) -> Any:
        """The gradient that backward accumulated, or None."""
        if self._grad is None and self._node is not None and not self.retains_grad:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated "
                "for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor "
                "by mistake, make sure you access the leaf Tensor instead.",
                UserWarning,
                stacklevel=2,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
                )
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value._array.shape != self._array.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value._array.shape)}' to a tensor of size "
                    f"'{list(self._array.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
            if value._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{value.dtype}' to a tensor with dtype '{self.dtype}'"
                )
            if type(value._array) is not type(self._array):
                raise RuntimeError("assigned grad has data located on a different device")
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Adds the gradients of this tensor to the `.grad` of its graph's leaves; see `autograd.backward`."""
        _backward(self, gradient, retain_graph, create_graph, inputs)

    @property
    def retains_grad(self) -> bool:
        """Whether this non-leaf keeps its gradient in `.grad`."""
        node = self._node
        if node is None:
            return False
        owner, nr = (node.node, node.index) if isinstance(node, Output) else (node, 0)
        kept = owner.hooks.retained.get(nr) if owner.hooks is not None else None
        return kept is not None and kept() is self

    def retain_grad(self) -> None:
        """Makes a non-leaf keep its gradient in `.grad`; nothing for a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if edge_of(self) is not self:
            retain(self, self._node)

    def register_hook(self, hook: Callable) -> RemovableHandle:
        """Calls `hook(grad)` when this tensor's gradient is known; what it returns, if anything, replaces it."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if edge_of(self) is self:
            return RemovableHandle.into(self._leaf_hooks().on_grad, hook)
        hooks = hooks_of(self.grad_fn).on_output.setdefault(self.output_nr, OrderedDict())
        return RemovableHandle.into(hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable) -> RemovableHandle:
        """Calls `hook(tensor)` after a leaf's `.grad` was updated."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if edge_of(self) is not self:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        return RemovableHandle.into(self._leaf_hooks().post_accumulate, hook)

    def _leaf_hooks(self) -> TensorHooks:
        if self._hooks is None:
            self._hooks = TensorHooks()
        return self._hooks

    def detach(self) -> Tensor:
        """The same memory outside the graph."""
        out = wrap(self._array)
        out._counter = counter_of(self)
        return out

    def detach_(self) -> Tensor:
        """Cuts this tensor out of the graph: it becomes a leaf that needs no gradient."""
        if self._view is not None:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
                "training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence "
                "detach_() cannot be called on these gradients."
            )
        self._node, self._requires_grad = None, False
        return self

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph, without version tracking."""
        return wrap(self._array)

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        self._array = value._array
        counter_of(self)[0] += 1

    @property
    def _version(self) -> int:
        return self._counter[0] if self._counter is not None else 0

    @property
    def _base(self) -> Any:
        return self._view.base if self._view is not None else None

    def _is_view(self) -> bool:
        return self._view is not None

    # --- to Python and NumPy --------------------------------------------------------------------------------------

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
        return _python_number(self._array.item())

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        array = backend.to_host(self._array)
        return (array.astype(np.float64) if array.dtype.name == "bfloat16" else array).tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """A NumPy array on the same memory; with `force`, detached and fetched to the host if need be."""
        if force:
            return backend.to_host(self._array)
        if self.is_cuda:
            raise TypeError(
                f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host "
                "memory first."
            )
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_wrap__(self, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Tensor:
        """What NumPy's functions return for a Tensor: a Tensor on the result."""
        return wrap(np.asarray(array))

    def __dlpack__(self, **kwargs: Any) -> Any:
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return self._array.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()

    def __bool__(self) -> bool:
        if self._array.size != 1:
            amount = "no values" if self._array.size == 0 else "more than one value"
            raise RuntimeError(f"Boolean value of Tensor with {amount} is ambiguous")
        return bool(self._array.item())

    def _only_element(self, type: str) -> Any:
        if self._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        value = self.item()
        if isinstance(value, complex) and type != "complex":
            raise RuntimeError(f"value cannot be converted to type {type} without overflow")
        return value

    def __float__(self) -> float:
        return float(self._only_element("double"))

    def __int__(self) -> int:
        return int(self._only_element("int64_t"))

    def __complex__(self) -> complex:
        return complex(self._only_element("complex"))

    def __index__(self) -> int:
        if self._array.dtype.kind not in "biu" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self._array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(shaping.unbind(self, 0))

    def __contains__(self, element: Any) -> bool:
        if isinstance(element, (Tensor, *_NUMBERS)):
            return bool((self == element).any())
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")

    __hash__ = object.__hash__  # by identity, and faster than a method

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return self._text("tensor")

    def _text(self, prefix: str) -> str:
        try:
            node_name = None if self.grad_fn is None else self.grad_fn.name()
        except RuntimeError:  # a view made in no_grad mode whose base was written to since
            node_name = "Invalid"
        return printing.tensor_str(
            self._array,
            dtype_name=self.dtype.name,
            default_float=dtypes.get_default_dtype().name,
            device_suffix=None if self.is_cpu else str(self.device),
            requires_grad=self.requires_grad,
            grad_fn_name=node_name,
            prefix=prefix,
            to_host=backend.to_host,
        )

    def __format__(self, spec: str) -> str:
        if self._array.ndim == 0 and type(self) is Tensor:
            return printing.format_scalar(self._array, spec, to_host=backend.to_host)
        return object.__format__(self, spec)

    def __reduce_ex__(self, protocol: Any) -> Any:
        state = self.__dict__ or None
        return _rebuild, (type(self), backend.to_host(self._array), str(self.device), self.requires_grad, state)

    def __deepcopy__(self, memo: dict) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment. If you were attempting to deepcopy a module, this may be because of a weight_norm usage."
            )
        if id(self) in memo:
            return memo[id(self)]
        copy = type(self)._from_array(self._array.copy(order="K"))
        copy._requires_grad = self.requires_grad
        memo[id(self)] = copy
        if self._grad is not None:
            copy._grad = self._grad.__deepcopy__(memo)
        if self.__dict__:
            import copy as copying

            copy.__dict__.update(copying.deepcopy(self.__dict__, memo))
        return copy

    @classmethod
    def _from_array(cls, array: Any) -> Any:
        """A tensor of this class on an array."""
        made = wrap(array)
        if cls is Tensor:
            return made
        special = cls.__new__(cls)
        for slot in Variable.__slots__:
            if not slot.startswith("__"):
                setattr(special, slot, getattr(made, slot))
        return special

    # --- arithmetic -----------------------------------------------------------------------------------------------

    __add__ = __radd__ = binary_method(pointwise._add)
    __sub__ = binary_method(pointwise._sub)
    __rsub__ = binary_method(pointwise._rsub)
    __mul__ = __rmul__ = binary_method(pointwise.mul)
    __truediv__ = binary_method(pointwise._div)

    def __rtruediv__(self, other: Any) -> Any:
        return pointwise.reciprocal(self) * other

    __floordiv__ = binary_method(pointwise.floor_divide)

    def __rfloordiv__(self, other: Any) -> Any:
        return pointwise.floor_divide(other, self)

    __mod__ = binary_method(pointwise.remainder)

    def __rmod__(self, other: Any) -> Any:
        return pointwise.remainder(other, self)

    __pow__ = pointwise.pow

    def __rpow__(self, other: Any) -> Any:
        return pointwise.pow(other, self)

    def __matmul__(self, other: Any) -> Any:
        return linalg.matmul(self, other) if isinstance(other, Tensor) else NotImplemented

    def __rmatmul__(self, other: Any) -> Any:
        return linalg.matmul(other, self) if isinstance(other, Tensor) else NotImplemented

    __neg__ = pointwise.neg
    __pos__ = pointwise.positive
    __abs__ = pointwise.abs

    def __invert__(self) -> Any:
        if self._array.dtype.kind not in "biu":
            raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
        return pointwise.bitwise_not(self)

    __and__ = __rand__ = binary_method(pointwise.bitwise_and)
    __or__ = __ror__ = binary_method(pointwise.bitwise_or)
    __xor__ = __rxor__ = binary_method(pointwise.bitwise_xor)
    __lshift__ = binary_method(pointwise.bitwise_left_shift)
    __rshift__ = binary_method(pointwise.bitwise_right_shift)

    def __rlshift__(self, other: Any) -> Any:
        return pointwise.bitwise_left_shift(other, self)

    def __rrshift__(self, other: Any) -> Any:
        return pointwise.bitwise_right_shift(other, self)

    def __eq__(self, other: Any) -> Any:
        return _compared(pointwise.eq, self, other)

    def __ne__(self, other: Any) -> Any:
        return _compared(pointwise.ne, self, other)

    __lt__ = binary_method(pointwise.lt)
    __le__ = binary_method(pointwise.le)
    __gt__ = binary_method(pointwise.gt)
    __ge__ = binary_method(pointwise.ge)

    abs = absolute = pointwise.abs
    neg = negative = pointwise.neg
    positive = pointwise.positive
    add = pointwise.add
    sub = subtract = pointwise.sub
    mul = multiply = pointwise.mul
    div = divide = pointwise.div
    true_divide = pointwise._div
    floor_divide = pointwise.floor_divide
    remainder = pointwise.remainder
    fmod = pointwise.fmod
    sign = pointwise.sign
    sgn = pointwise.sgn
    addcmul = pointwise.addcmul
    addcdiv = pointwise.addcdiv
    lerp = pointwise.lerp
    pow = pointwise.pow
    exp = pointwise.exp
    exp2 = pointwise.exp2
    expm1 = pointwise.expm1
    log = pointwise.log
    log2 = pointwise.log2
    log10 = pointwise.log10
    log1p = pointwise.log1p
    sqrt = pointwise.sqrt
    rsqrt = pointwise.rsqrt
    square = pointwise.square
    reciprocal = pointwise.reciprocal
    sin = pointwise.sin
    cos = pointwise.cos
    tan = pointwise.tan
    asin = arcsin = pointwise.asin
    acos = arccos = pointwise.acos
    atan = arctan = pointwise.atan
    atan2 = arctan2 = pointwise.atan2
    sinh = pointwise.sinh
    cosh = pointwise.cosh
    tanh = pointwise.tanh
    asinh = arcsinh = pointwise.asinh
    acosh = arccosh = pointwise.acosh
    atanh = arctanh = pointwise.atanh
    sinc = pointwise.sinc
    sigmoid = pointwise.sigmoid
    logit = pointwise.logit
    ceil = pointwise.ceil
    floor = pointwise.floor
    round = pointwise.round
    trunc = fix = pointwise.trunc
    frac = pointwise.frac
    clamp = clip = pointwise.clamp
    clamp_min = pointwise.clamp_min
    clamp_max = pointwise.clamp_max
    maximum = pointwise.maximum
    minimum = pointwise.minimum
    fmax = pointwise.fmax
    fmin = pointwise.fmin
    nan_to_num = pointwise.nan_to_num
    hypot = pointwise.hypot
    logaddexp = pointwise.logaddexp
    logaddexp2 = pointwise.logaddexp2
    xlogy = pointwise.xlogy
    heaviside = pointwise.heaviside
    copysign = pointwise.copysign
    deg2rad = pointwise.deg2rad
    rad2deg = pointwise.rad2deg
    erf = special.erf
    erfc = special.erfc
    erfinv = special.erfinv
    lgamma = gamma.lgamma
    digamma = gamma.digamma
    polygamma = gamma.polygamma_method
    mvlgamma = gamma.mvlgamma
    igamma = gamma.igamma
    igammac = gamma.igammac
    i0 = bessel.i0
    gcd = number.gcd
    lcm = number.lcm
    frexp = number.frexp
    ldexp = number.ldexp
    nextafter = number.nextafter
    float_power = number.float_power
    float_power_ = number.float_power_
    relu = activation.relu
    prelu = activation.prelu
    hardshrink = activation.hardshrink
    conj = pointwise.conj
    angle = pointwise.angle

    real = property(pointwise.real, doc="The real part, a view; the tensor itself when it is real.")
    imag = property(pointwise.imag, doc="The imaginary part, a view.")

    # --- comparison, logic, bits

    eq = pointwise.eq
    ne = not_equal = pointwise.ne
    lt = less = pointwise.lt
    le = less_equal = pointwise.le
    gt = greater = pointwise.gt
    ge = greater_equal = pointwise.ge
    equal = reduce.equal
    isclose = pointwise.isclose
    allclose = reduce.allclose
    isnan = pointwise.isnan
    isinf = pointwise.isinf
    isfinite = pointwise.isfinite
    isposinf = pointwise.isposinf
    isneginf = pointwise.isneginf
    isreal = pointwise.isreal
    signbit = pointwise.signbit
    logical_not = pointwise.logical_not
    logical_and = pointwise.logical_and
    logical_or = pointwise.logical_or
    logical_xor = pointwise.logical_xor
    bitwise_not = pointwise.bitwise_not
    bitwise_and = pointwise.bitwise_and
    bitwise_or = pointwise.bitwise_or
    bitwise_xor = pointwise.bitwise_xor
    bitwise_left_shift = pointwise.bitwise_left_shift
    bitwise_right_shift = pointwise.bitwise_right_shift

    # --- in place

    _abs_ = inplace(pointwise.abs)

    def abs_(self) -> Tensor:
        """`abs` in place; RuntimeError for complex tensors, which cannot hold real results."""
        if self._array.dtype.kind == "c":
            raise RuntimeError("In-place abs is not supported for complex tensors.")
        return self._abs_()

    absolute_ = abs_
    sgn_ = inplace(pointwise.sgn)
    heaviside_ = inplace(pointwise.heaviside)
    bitwise_left_shift_ = __ilshift__ = inplace(pointwise.bitwise_left_shift)
    bitwise_right_shift_ = __irshift__ = inplace(pointwise.bitwise_right_shift)
    erf_ = inplace(special.erf)
    erfc_ = inplace(special.erfc)
    erfinv_ = inplace(special.erfinv)
    lgamma_ = inplace(gamma.lgamma)
    digamma_ = inplace(gamma.digamma)
    _polygamma_ = inplace(gamma._polygamma)
    polygamma_ = gamma.polygamma_in_place
    mvlgamma_ = inplace(gamma.mvlgamma)
    igamma_ = inplace(gamma.igamma)
    igammac_ = inplace(gamma.igammac)
    i0_ = inplace(bessel.i0)
    gcd_ = inplace(number.gcd)
    lcm_ = inplace(number.lcm)
    ldexp_ = inplace(number.ldexp)
    nextafter_ = inplace(number.nextafter)
    relu_ = inplace(activation.relu)
    cumsum_ = inplace(reduce.cumsum)
    cumprod_ = inplace(reduce.cumprod)
    neg_ = negative_ = inplace(pointwise.neg)
    mul_ = multiply_ = inplace(pointwise.mul)
    floor_divide_ = inplace(pointwise.floor_divide)
    remainder_ = inplace(pointwise.remainder)
    fmod_ = inplace(pointwise.fmod)
    sign_ = inplace(pointwise.sign)
    addcmul_ = inplace(pointwise.addcmul)
    addcdiv_ = inplace(pointwise.addcdiv)
    lerp_ = inplace(pointwise.lerp)
    exp_ = inplace(pointwise.exp)
    exp2_ = inplace(pointwise.exp2)
    expm1_ = inplace(pointwise.expm1)
    log_ = inplace(pointwise.log)
    log2_ = inplace(pointwise.log2)
    log10_ = inplace(pointwise.log10)
    log1p_ = inplace(pointwise.log1p)
    sqrt_ = inplace(pointwise.sqrt)
    rsqrt_ = inplace(pointwise.rsqrt)
    square_ = inplace(pointwise.square)
    reciprocal_ = inplace(pointwise.reciprocal)
    sin_ = inplace(pointwise.sin)
    cos_ = inplace(pointwise.cos)
    tan_ = inplace(pointwise.tan)
    asin_ = arcsin_ = inplace(pointwise.asin)
    acos_ = arccos_ = inplace(pointwise.acos)
    atan_ = arctan_ = inplace(pointwise.atan)
    atan2_ = arctan2_ = inplace(pointwise.atan2)
    sinh_ = inplace(pointwise.sinh)
    cosh_ = inplace(pointwise.cosh)
    tanh_ = inplace(pointwise.tanh)
    asinh_ = arcsinh_ = inplace(pointwise.asinh)
    acosh_ = arccosh_ = inplace(pointwise.acosh)
    atanh_ = arctanh_ = inplace(pointwise.atanh)
    sinc_ = inplace(pointwise.sinc)
    sigmoid_ = inplace(pointwise.sigmoid)
    logit_ = inplace(pointwise.logit)
    ceil_ = inplace(pointwise.ceil)
    floor_ = inplace(pointwise.floor)
    round_ = inplace(pointwise.round)
    trunc_ = fix_ = inplace(pointwise.trunc)
    frac_ = inplace(pointwise.frac)
    clamp_ = clip_ = inplace(pointwise.clamp)
    nan_to_num_ = inplace(pointwise.nan_to_num)
    hypot_ = inplace(pointwise.hypot)
    xlogy_ = inplace(pointwise.xlogy)
    copysign_ = inplace(pointwise.copysign)
    deg2rad_ = inplace(pointwise.deg2rad)
    rad2deg_ = inplace(pointwise.rad2deg)
    eq_ = inplace(pointwise.eq)
    ne_ = not_equal_ = inplace(pointwise.ne)
    lt_ = less_ = inplace(pointwise.lt)
    le_ = less_equal_ = inplace(pointwise.le)
    gt_ = greater_ = inplace(pointwise.gt)
    ge_ = greater_equal_ = inplace(pointwise.ge)
    logical_not_ = inplace(pointwise.logical_not)
    logical_and_ = inplace(pointwise.logical_and)
    logical_or_ = inplace(pointwise.logical_or)
    logical_xor_ = inplace(pointwise.logical_xor)
    bitwise_not_ = inplace(pointwise.bitwise_not)
    bitwise_and_ = inplace(pointwise.bitwise_and)
    bitwise_or_ = inplace(pointwise.bitwise_or)
    bitwise_xor_ = inplace(pointwise.bitwise_xor)
    __imul__ = mul_
    __iand__ = bitwise_and_
    __ior__ = bitwise_or_
    __ixor__ = bitwise_xor_
    __ifloordiv__ = floor_divide_
    __imod__ = remainder_

    _add_ = inplace(pointwise._add)
    _sub_ = inplace(pointwise._sub)
    _div_ = inplace(pointwise._div)

    def add_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """`self += alpha * other`."""
        return self._add_(other if alpha == 1 else pointwise._scaled(other, alpha, self))

    def sub_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """`self -= alpha * other`."""
        return self._sub_(other if alpha == 1 else pointwise._scaled(other, alpha, self))

    subtract_ = sub_

    def div_(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """`self /= other`, rounded as `div` says."""
        if rounding_mode is None:
            return self._div_(other)
        return self.copy_(pointwise.div(self, other, rounding_mode=rounding_mode))

    divide_ = true_divide_ = div_
    __iadd__, __isub__, __itruediv__ = _add_, _sub_, _div_
    _pow_number_ = inplace(pointwise._pow_number)
    _pow_tensor_ = inplace(pointwise._pow)

    def pow_(self, exponent: Any) -> Tensor:
        """`self **= exponent`."""
        return self._pow_tensor_(exponent) if isinstance(exponent, Tensor) else self._pow_number_(exponent)

    __ipow__ = pow_

    def clamp_min_(self, min: Any) -> Tensor:
        """`clamp_(min=min)`."""
        return self.clamp_(min)

    def clamp_max_(self, max: Any) -> Tensor:
        """`clamp_(max=max)`."""
        return self.clamp_(None, max)

    # --- reductions and scans -------------------------------------------------------------------------------------

    sum = reduce.sum
    mean = reduce.mean
    nansum = reduce.nansum
    nanmean = reduce.nanmean
    prod = reduce.prod
    var = reduce.var
    std = reduce.std
    max = reduce.max
    min = reduce.min
    amax = reduce.amax
    amin = reduce.amin
    aminmax = reduce.aminmax
    argmax = reduce.argmax
    argmin = reduce.argmin
    all = reduce.all
    any = reduce.any
    count_nonzero = reduce.count_nonzero
    logsumexp = reduce.logsumexp
    norm = norms.norm
    cumsum = reduce.cumsum
    cumprod = reduce.cumprod
    softmax = reduce.softmax
    log_softmax = reduce.log_softmax

    sort = sorting.sort
    argsort = sorting.argsort
    msort = sorting.msort
    topk = sorting.topk
    kthvalue = sorting.kthvalue
    median = sorting.median
    mode = sorting.mode
    nanmedian = sorting.nanmedian
    quantile = sorting.quantile
    nanquantile = sorting.nanquantile
    cummax = scan.cummax
    cummin = scan.cummin
    diff = scan.diff
    logcumsumexp = scan.logcumsumexp
    bincount = counting.bincount
    histc = counting.histc
    unique = counting.unique
    unique_consecutive = counting.unique_consecutive

    # --- shape and views ------------------------------------------------------------------------------------------

    reshape = shaping.reshape
    flatten = shaping.flatten
    unflatten = shaping.unflatten
    ravel = shaping.ravel
    squeeze = shaping.squeeze
    unsqueeze = shaping.unsqueeze
    transpose = swapaxes = swapdims = shaping.transpose
    t = shaping.t
    permute = shaping.permute
    movedim = moveaxis = shaping.movedim
    expand = shaping.expand
    broadcast_to = shaping.broadcast_to
    sum_to_size = shaping.sum_to_size
    repeat = shaping.repeat
    tile = shaping.tile
    split = shaping.split
    chunk = shaping.chunk
    tensor_split = shaping.tensor_split
    hsplit = shaping.hsplit
    vsplit = shaping.vsplit
    dsplit = shaping.dsplit
    unbind = shaping.unbind
    narrow = shaping.narrow
    resize_ = resize.resize_
    resize_as_ = resize.resize_as_
    set_ = resize.set_
    apply_ = resize.apply_
    map_ = resize.map_
    conj_physical = copies.conj_physical
    conj_physical_ = copies.conj_physical_
    index_reduce = copies.index_reduce
    index_reduce_ = copies.index_reduce_
    narrow_copy = copies.narrow_copy
    put = copies.put
    put_ = copies.put_
    resolve_conj = copies.resolve_conj
    resolve_neg = copies.resolve_neg
    split_with_sizes = copies.split_with_sizes
    unsafe_chunk = copies.unsafe_chunk
    unsafe_split = copies.unsafe_split
    unsafe_split_with_sizes = copies.unsafe_split_with_sizes
    select = index.select
    flip = shaping.flip
    fliplr = shaping.fliplr
    flipud = shaping.flipud
    rot90 = shaping.rot90
    roll = shaping.roll
    unfold = shaping.unfold
    as_strided = shaping.as_strided
    contiguous = shaping.contiguous
    clone = shaping.clone
    diagonal = shaping.diagonal
    diag = shaping.diag
    diag_embed = shaping.diag_embed
    diagflat = shaping.diagflat

    mT = property(shaping.matrix_transpose, doc="The last two dimensions exchanged.")

    @property
    def T(self) -> Any:
        """The transpose of a matrix; deprecated for other than two dimensions, which it reverses."""
        if self._array.ndim != 2:
            warnings.warn(
                "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it "
                "will throw an error in a future release. Consider `x.mT` to transpose batches of matrices or "
                "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor.",
                UserWarning,
                stacklevel=2,
            )
        return shaping.permute(self, tuple(range(self._array.ndim))[::-1])

    @property
    def H(self) -> Any:
        """The conjugate transpose of a matrix."""
        return pointwise.conj(shaping.t(self))

    @property
    def mH(self) -> Any:
        """The conjugate transpose of matrices."""
        return pointwise.conj(shaping.matrix_transpose(self))

    def view(self, *size: Any) -> Any:
        """The same memory in another shape, or read as another dtype; RuntimeError where a copy would be needed."""
        if len(size) == 1 and isinstance(size[0], dtypes.dtype):
            return shaping._reinterpret(self, size[0])
        return shaping._view(self, *size)

    def view_as(self, other: Any) -> Any:
        """`view(other.shape)`."""
        return shaping._view(self, other._array.shape)

    def reshape_as(self, other: Any) -> Any:
        """`reshape(other.shape)`."""
        return shaping.reshape(self, other._array.shape)

    def expand_as(self, other: Any) -> Any:
        """`expand(other.shape)`."""
        return shaping.expand(self, other._array.shape)

    def t_(self) -> Tensor:
        """Transposes a matrix in place (the memory stays as it is)."""
        return self._reshaped(shaping.t(self))

    def squeeze_(self, dim: Any = None) -> Tensor:
        """`squeeze` of the tensor itself."""
        return self._reshaped(shaping.squeeze(self, dim))

    def unsqueeze_(self, dim: int) -> Tensor:
        """`unsqueeze` of the tensor itself."""
        return self._reshaped(shaping.unsqueeze(self, dim))

    def transpose_(self, dim0: int, dim1: int) -> Tensor:
        """`transpose` of the tensor itself."""
        return self._reshaped(shaping.transpose(self, dim0, dim1))

    swapaxes_ = swapdims_ = transpose_

    def as_strided_(self, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
        """`as_strided` of the tensor itself."""
        return self._reshaped(shaping.as_strided(self, size, stride, storage_offset))

    def _reshaped(self, view: Tensor) -> Tensor:
        """Becomes a view of itself."""
        if mode.enabled and edge_of(self) is self:
            raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
        self._array, self._node = view._array, view._node
        if self._view is not None:
            self._view = view._view
        counter_of(self)[0] += 1
        return self

    # --- indexing -------------------------------------------------------------------------------------------------

    __getitem__ = index.getitem
    __setitem__ = index.setitem
    gather = index.gather
    scatter = index.scatter
    scatter_ = index.scatter_
    scatter_add = index.scatter_add
    scatter_add_ = inplace(index.scatter_add)
    index_select = index.index_select
    index_add = index.index_add
    index_add_ = inplace(index.index_add)
    index_copy = index.index_copy
    index_copy_ = inplace(index.index_copy)
    index_fill = index.index_fill
    index_fill_ = inplace(index.index_fill)
    index_put = index.index_put
    index_put_ = index.index_put_
    masked_fill = index.masked_fill
    masked_fill_ = inplace(index.masked_fill)
    masked_select = index.masked_select
    take = index.take
    take_along_dim = index.take_along_dim
    nonzero = index.nonzero
    argwhere = index.argwhere
    masked_scatter = index.masked_scatter
    masked_scatter_ = inplace(index.masked_scatter)
    select_scatter = index.select_scatter
    slice_scatter = index.slice_scatter
    diagonal_scatter = index.diagonal_scatter
    repeat_interleave = index.repeat_interleave
    scatter_reduce = scatter_reducing.scatter_reduce
    scatter_reduce_ = scatter_reducing.scatter_reduce_
    tril = index.tril
    tril_ = inplace(index.tril)
    triu = index.triu
    triu_ = inplace(index.triu)
    copy_ = index.copy_
    fill_ = inplace(index.fill)
    zero_ = inplace(index.zero)

    def where(self, condition: Any, other: Any) -> Any:
        """`self` where `condition` holds, `other` elsewhere."""
        return pointwise.where(condition, self, other)

    def fill_diagonal_(self, fill_value: Any, wrap: bool = False) -> Tensor:
        """Sets the main diagonal."""
        if self._array.ndim < 2:
            raise RuntimeError("dimensions must larger than 1")
        rows, columns = self._array.shape[:2]
        places = _arange(self, builtins.min(self._array.shape))
        index: tuple = (places,) * self._array.ndim
        if wrap and self._array.ndim == 2 and rows > columns:  # begins anew below, after a row left out
            flat = _arange(self, rows * columns)[:: columns + 1]
            index = (flat // columns, flat % columns)
        self[index] = fill_value
        return self

    # --- products -------------------------------------------------------------------------------------------------

    matmul = linalg.matmul
    mm = linalg.mm
    bmm = linalg.bmm
    mv = linalg.mv
    dot = linalg.dot
    outer = ger = linalg.outer
    addmm = linalg.addmm
    addmm_ = inplace(linalg.addmm)
    addbmm = linalg.addbmm
    addbmm_ = inplace(linalg.addbmm)
    addmv = linalg.addmv
    addmv_ = inplace(linalg.addmv)
    addr = linalg.addr
    addr_ = inplace(linalg.addr)
    baddbmm = linalg.baddbmm
    baddbmm_ = inplace(linalg.baddbmm)
    cross = linalg.cross
    inner = linalg.inner
    kron = linalg.kron
    trace = linalg.trace
    vdot = linalg.vdot
    det = decomposition.det
    inverse = decomposition.inv
    logdet = decomposition.logdet
    slogdet = decomposition.slogdet
    matrix_power = decomposition.matrix_power
    matrix_exp = decomposition.matrix_exp
    stft = short_time.stft
    istft = short_time.istft
    pinverse = decomposition.pinv
    adjoint = old_linalg.matrix_adjoint
    cholesky = old_linalg.cholesky
    cholesky_inverse = old_linalg.cholesky_inverse
    cholesky_solve = old_linalg.cholesky_solve
    triangular_solve = triangular.triangular_solve
    geqrf = householder.geqrf
    orgqr = householder.householder_product
    ormqr = householder.ormqr
    lu = lu_factors.old_lu
    lu_solve = lu_factors.old_lu_solve
    qr = old_linalg.qr
    svd = old_linalg.svd
    solve = removed.solve
    eig = removed.eig
    lstsq = removed.lstsq
    symeig = removed.symeig
    cov = statistics.cov
    corrcoef = statistics.corrcoef
    dist = statistics.dist
    renorm = statistics.renorm
    renorm_ = inplace(statistics.renorm)
    histogram = histograms.histogram

    # --- type and place -------------------------------------------------------------------------------------------

    to = convert.to

    def cpu(self, memory_format: Any = None) -> Tensor:
        """The tensor in host memory."""
        return convert.to(self, "cpu")

    def cuda(self, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
        """The tensor on a CUDA device."""
        return convert.to(self, "cuda" if device is None else backend.device(device))

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The type's name (`torch.FloatTensor`), or the tensor cast to a type given as dtype or such a name."""
        if dtype is None:
            return f"torch.{'cuda.' if self.is_cuda else ''}{dtypes.scalar_type_name(self._array.dtype)}Tensor"
        return convert.cast(self, _type_named(dtype) if isinstance(dtype, str) else dtype)

    def type_as(self, other: Any) -> Tensor:
        """The tensor in the type and on the device of another."""
        return convert.to(self, other)

    def float(self) -> Tensor:
        """As float32."""
        return convert.cast(self, dtypes.float32)

    def double(self) -> Tensor:
        """As float64."""
        return convert.cast(self, dtypes.float64)

    def half(self) -> Tensor:
        """As float16."""
        return convert.cast(self, dtypes.float16)

    def bfloat16(self) -> Tensor:
        """As bfloat16."""
        return convert.cast(self, dtypes.bfloat16)

    def long(self) -> Tensor:
        """As int64."""
        return convert.cast(self, dtypes.int64)

    def int(self) -> Tensor:
        """As int32."""
        return convert.cast(self, dtypes.int32)

    def short(self) -> Tensor:
        """As int16."""
        return convert.cast(self, dtypes.int16)

    def char(self) -> Tensor:
        """As int8."""
        return convert.cast(self, dtypes.int8)

    def byte(self) -> Tensor:
        """As uint8."""
        return convert.cast(self, dtypes.uint8)

    def bool(self) -> Tensor:
        """As bool."""
        return convert.cast(self, dtypes.bool)

    def cfloat(self) -> Tensor:
        """As complex64."""
        return convert.cast(self, dtypes.complex64)

    def cdouble(self) -> Tensor:
        """As complex128."""
        return convert.cast(self, dtypes.complex128)

    def share_memory_(self) -> Tensor:
        """The tensor itself: batches travel between processes by other means here."""
        return self

    def pin_memory(self, device: Any = None) -> Tensor:
        """The tensor itself: host memory is not page-locked here."""
        return self

    # --- random ---------------------------------------------------------------------------------------------------

    def _drawn(self, array: np.ndarray) -> Tensor:
        """Overwrites the tensor with random numbers drawn on the host."""
        return self.copy_(wrap(array))

    def normal_(self, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Fills with normal numbers."""
        return self._drawn((generator or default_generator).normal(self._array.shape, mean, std, self._array.dtype))

    def uniform_(self, from_: Any = 0.0, to: Any = 1.0, *, generator: Any = None, **bounds: Any) -> Tensor:
        """Fills with uniform numbers from [from, to)."""
        low = bounds.pop("from", from_)
        return self._drawn((generator or default_generator).uniform(self._array.shape, low, to, self._array.dtype))

    def random_(self, from_: Any = None, to: Any = None, *, generator: Any = None) -> Tensor:
        """Fills with integers from [0, to), [from, to), or the whole range of the type."""
        source = generator or default_generator
        if from_ is None and to is None:
            return self._drawn(source.random(self._array.shape, self._array.dtype))
        low, high = (0, from_) if to is None else (from_, to)
        return self._drawn(source.randint(low, high, self._array.shape, self._array.dtype))

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Tensor:
        """Fills with ones, of probability `p`, and zeros."""
        probs = backend.to_host(p._array) if isinstance(p, Tensor) else np.full((), p, np.float64)
        probs = np.broadcast_to(probs, self._array.shape)
        return self._drawn((generator or default_generator).bernoulli(probs).astype(self._array.dtype))

    def exponential_(self, lambd: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Fills with exponential numbers of rate `lambd`."""
        return self._drawn((generator or default_generator).exponential(self._array.shape, lambd, self._array.dtype))

    # --- new tensors of this type and place -----------------------------------------------------------------------

    def _new(self, name: str, size: tuple, options: dict, *fill: Any) -> Tensor:
        size = size_of(f"new_{name}", size)
        dtype = options.pop("dtype", None)
        device = options.pop("device", None)
        requires_grad = options.pop("requires_grad", False)
        for accepted in ("layout", "pin_memory", "names", "memory_format"):
            options.pop(accepted, None)
        if options:
            raise TypeError(f"new_{name}() got an unexpected keyword argument '{next(iter(options))}'")
        xp = backend.namespace(self._array) if device is None else backend.namespace_on(backend.resolve(device))
        kind = self._array.dtype if dtype is None else dtype.numpy
        made = wrap(getattr(xp, name)(size, *fill, dtype=kind))
        return made.requires_grad_() if requires_grad else made

    def new_zeros(self, *size: Any, **options: Any) -> Tensor:
        """Zeros of this tensor's type and place, unless told otherwise."""
        return self._new("zeros", size, options)

    def new_ones(self, *size: Any, **options: Any) -> Tensor:
        """Ones of this tensor's type and place, unless told otherwise."""
        return self._new("ones", size, options)

    def new_empty(self, *size: Any, **options: Any) -> Tensor:
        """Uninitialised memory of this tensor's type and place, unless told otherwise."""
        return self._new("empty", size, options)

    def new_full(self, size: Any, fill_value: Any, **options: Any) -> Tensor:
        """`fill_value` in this tensor's type and place, unless told otherwise."""
        return self._new("full", (size_of("new_full", (size,), sequence=True),), options, fill_value)

    def new_tensor(self, data: Any, **options: Any) -> Tensor:
        """A copy of `data` in this tensor's type and place, unless told otherwise."""
        values = data.tolist() if isinstance(data, Tensor) else data
        made = self._new("empty", (np.shape(values),), options)
        made._array[...] = backend.namespace(made._array).asarray(values, dtype=made._array.dtype)
        return made


def _arange(like: Tensor, n: int) -> Tensor:
    """0 to n - 1 on the device of `like`."""
    return wrap(backend.namespace(like._array).arange(n))


def size_of(name: str, size: tuple, *, sequence: bool = False) -> tuple[int, ...]:
    """The size that the function `name` was given: ints, or one sequence of them (with `sequence`, only that).

    TypeError for what is no size, RuntimeError for a negative one.
    """
    if not size:
        raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
    if sequence or (len(size) == 1 and not hasattr(size[0], "__index__")):
        if not isinstance(size[0], (tuple, list)):
            kind = type(size[0]).__name__
            raise TypeError(f"{name}(): argument 'size' (position 1) must be tuple of ints, not {kind}")
        size = tuple(size[0])
    sizes = []
    for position, n in enumerate(size, 1):
        if not hasattr(n, "__index__") or isinstance(n, bool):
            kind = type(n).__name__
            raise TypeError(
                f"{name}(): argument 'size' must be tuple of ints, but found element of type {kind} at pos {position}"
            )
        sizes.append(int(n.__index__()))
    if any(n < 0 for n in sizes):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(sizes)}: {sizes}")
    return tuple(sizes)


def _python_number(value: Any) -> Any:
    return float(value) if type(value).__name__ == "bfloat16" else value


TYPES = {f"{dtypes.scalar_type_name(d)}Tensor": d for d in dtypes.ALL}


def _type_named(name: str) -> dtypes.dtype:
    """The type that `torch.FloatTensor`, ... names."""
    found = TYPES.get(name.rpartition(".")[2])
    if found is None:
        raise ValueError(f"invalid type: '{name}'")
    return found


def _rebuild(cls: type, array: np.ndarray, device: str, requires_grad: bool, state: dict | None) -> Tensor:
    """Unpickles a tensor; one from a device that is missing here comes to the CPU."""
    where = backend.device(device)
    if where.type == "cuda" and not backend.cuda_device_count():
        where = backend.CPU
    made = cls._from_array(backend.to_device(array, where))  # type: ignore[attr-defined]
    made._requires_grad = requires_grad
    if state:
        made.__dict__.update(state)
    return made
