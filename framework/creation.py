"""Functions that make tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import backend, dtypes
from .ops.shape import broadcast_shapes
from .random import default_generator
from .tensor import Tensor, size_of, wrap


def _finish(array: Any, device: Any, requires_grad: bool) -> Tensor:
    where = backend.resolve(device if device is not None else _default_device)
    return _require_grad(wrap(backend.to_device(array, where)), requires_grad)


def _require_grad(made: Tensor, requires_grad: bool) -> Tensor:
    if requires_grad:
        if made._array.dtype.kind in "biu":
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        made._requires_grad = True
    return made


_default_device: Any = None


def set_default_device(device: Any) -> None:
    """Sets where tensors are made when no device is given (None: the CPU)."""
    global _default_device
    _default_device = None if device is None else backend.device(device)


def get_default_device() -> backend.device:
    """Where tensors are made when no device is given."""
    return _default_device or backend.CPU


def _place(device: Any) -> Any:
    """The array module of a device, of the default one for None."""
    return backend.namespace_on(backend.resolve(device if device is not None else _default_device))


def _kind(dtype: Any) -> np.dtype:
    if dtype is None:
        return dtypes.get_default_dtype().numpy
    if not isinstance(dtype, dtypes.dtype):
        if dtype not in dtypes.PYTHON_TYPES:
            raise TypeError(f"argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")
        dtype = dtypes.PYTHON_TYPES[dtype]
    return dtype.numpy


# --- from data ----------------------------------------------------------------------------------------------------


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A new tensor with a copy of `data`: numbers, nested sequences of them, arrays or tensors.

    Python floats become the default float type, ints int64, bools bool. TypeError or ValueError for ragged or
    unknown data.
    """
    if isinstance(data, Tensor):
        import warnings

        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    return _finish(_array_from(data, dtype, copy=True), _device_of_data(data, device), requires_grad)


def _device_of_data(data: Any, device: Any) -> Any:
    return data.device if device is None and isinstance(data, Tensor) else device


def _array_from(data: Any, dtype: Any, copy: bool) -> Any:
    kind = None if dtype is None else _kind(dtype)
    if isinstance(data, Tensor):
        array = data._array
        return array.astype(kind or array.dtype, copy=copy)
    if isinstance(data, np.ndarray):
        dtypes.from_numpy(data.dtype)  # TypeError for strings and objects
        native = data.dtype.newbyteorder("=")
        return np.array(data, dtype=kind or native, copy=True if copy else None)
    if isinstance(data, np.generic):
        return np.array(data, dtype=kind or data.dtype)
    if isinstance(data, (bool, int, float, complex)):
        return np.array(data, dtype=kind or dtypes.of_scalar(data).numpy)
    return _array_from_sequence(data, kind)


def _array_from_sequence(data: Any, kind: np.dtype | None) -> np.ndarray:
    if not isinstance(data, Sequence) or isinstance(data, (str, bytes)):
        if hasattr(data, "__array__"):
            return np.array(data, dtype=kind)
        if isinstance(data, (str, bytes)):
            raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    plain = _without_tensors(data)
    if kind is None:
        kind = _type_of(plain).numpy
    try:
        return np.array(plain, dtype=kind)
    except OverflowError as error:
        wrapped = _wrapped_around(plain, kind)
        if wrapped is not None:
            return wrapped
        if kind == np.int64:
            raise ValueError("Overflow when unpacking long long") from error
        raise RuntimeError(f"value cannot be converted to type {kind} without overflow") from error
    except ValueError as error:
        _check_rectangular(plain, [], 0)
        raise TypeError(f"could not make a tensor: {error}") from error
    except TypeError as error:
        raise TypeError(f"could not make a tensor of type {kind}: {error}") from error


def _wrapped_around(data: Any, kind: np.dtype) -> np.ndarray | None:
    """Negative numbers as unsigned ones, as in C, where their size allows: -1 is 255."""
    wide = np.array(data, dtype=object)
    if kind.kind != "u" or any(abs(value) > np.iinfo(kind).max for value in wide.flat):
        return None
    return wide.astype(np.int64).astype(kind)


def _without_tensors(data: Any) -> Any:
    """The data with its tensors, which must have one element each, replaced by scalars of their types."""
    if isinstance(data, Tensor):
        if data._array.size != 1:
            if data._array.dtype.kind in "biu":
                raise TypeError("only integer tensors of a single element can be converted to an index")
            raise ValueError("only one element tensors can be converted to Python scalars")
        return backend.to_host(data._array).reshape(())[()]
    if isinstance(data, (list, tuple)):
        return [_without_tensors(item) for item in data]
    return data


def _type_of(data: Any) -> dtypes.dtype:
    """The type of nested sequences of numbers: the highest category among them."""
    found: set[Any] = set()
    _collect_types(data, found)
    if not found:
        return dtypes.get_default_dtype()
    result = None
    for one in found:
        result = one if result is None else dtypes.promote_types(result, one)
    return result  # type: ignore[return-value]


def _collect_types(data: Any, found: set) -> None:
    if isinstance(data, (list, tuple)):
        if data and type(data[0]) is float and all(type(item) is float for item in data):
            found.add(dtypes.get_default_dtype())  # the common long case, quickly
            return
        for item in data:
            _collect_types(item, found)
    elif isinstance(data, (np.ndarray, np.generic)):
        found.add(dtypes.from_numpy(data.dtype))
    elif isinstance(data, (bool, int, float, complex)):
        found.add(dtypes.of_scalar(data))
    elif isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        _collect_types(list(data), found)
    elif isinstance(data, str):
        raise ValueError("too many dimensions 'str'")
    else:
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")


def _check_rectangular(data: Any, sizes: list[int | None], dim: int) -> None:
    """ValueError or TypeError naming the place where nested sequences are ragged.

    `sizes` is the shape so far, None after its end.
    """
    size = len(data) if isinstance(data, (list, np.ndarray)) else None
    if dim == len(sizes):
        sizes.append(size)
    expected = sizes[dim]
    if size is None or expected is None:
        if size is not expected:
            what = "a sequence" if size is None else "a number"
            raise TypeError(f"not {what}: {type(data).__name__} at dim {dim} of a nested sequence")
        return
    if size != expected:
        raise ValueError(f"expected sequence of length {expected} at dim {dim} (got {size})")
    for item in data:
        _check_rectangular(item, sizes, dim + 1)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """`data` as a tensor, sharing memory with an array or returning a tensor as it is, where type and place allow."""
    if isinstance(data, Tensor):
        return data.to(device=device, dtype=dtype)
    return _finish(_array_from(data, dtype, copy=False), device, False)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """`as_tensor` with `copy` (True: always, False: never, ValueError if it must) and `requires_grad`."""
    made = as_tensor(obj, dtype=dtype, device=device)
    shares = made is obj or (isinstance(obj, np.ndarray) and np.may_share_memory(made._array, obj))
    if copy is False and not shares:
        raise ValueError("can't alias arbitrary sequence into a tensor.")
    if copy and shares:
        made = made.clone()
    return _require_grad(made.detach() if requires_grad or made is not obj else made, requires_grad)


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor on an array's memory; TypeError for a type that has no twin."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.from_numpy(ndarray.dtype)
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array with "
            "array.copy().) "
        )
    if not ndarray.flags.writeable:
        import warnings

        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means "
            "writing to this tensor will result in undefined behavior. You may want to copy the array to protect its "
            "data or make it writable before converting it to a tensor.",
            UserWarning,
            stacklevel=2,
        )
    return wrap(ndarray)


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor on the memory of anything that speaks DLPack (NumPy, CuPy, PyTorch, ...)."""
    kind = ext_tensor.__dlpack_device__()[0]
    if kind == 1:
        array = np.from_dlpack(ext_tensor)
        if not array.flags.writeable:
            # NumPy marks imports read-only out of caution; the memory is shared both ways all the same.
            array = np.lib.stride_tricks.as_strided(array, writeable=False)
        return wrap(array)
    return wrap(backend.cupy().from_dlpack(ext_tensor))


# --- filled -------------------------------------------------------------------------------------------------------


def zeros(
    *size: Any,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """Zeros of the given size."""
    made = wrap(_place(device).zeros(_given("zeros", size, options), _kind(dtype)))
    return _require_grad(made, requires_grad) if out is None else _into(out, made)


def ones(
    *size: Any,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """Ones of the given size."""
    made = wrap(_place(device).ones(_given("ones", size, options), _kind(dtype)))
    return _require_grad(made, requires_grad) if out is None else _into(out, made)


def empty(
    *size: Any,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: Any = None,
    **options: Any,
) -> Tensor:
    """Uninitialised memory of the given size."""
    made = wrap(_place(device).empty(_given("empty", size, options), _kind(dtype)))
    return _require_grad(made, requires_grad) if out is None else _into(out, made)


def _given(name: str, size: tuple, options: dict) -> tuple[int, ...]:
    """The size, given by position or by name, as a tuple of ints."""
    named = options.pop("size", None)
    options.pop("names", None)
    options.pop("pin_memory", None)
    if options:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(options))}'")
    return size_of(name, size if named is None else (tuple(named),))


def _into(out: Tensor, made: Tensor) -> Tensor:
    if out._array.shape != made._array.shape:
        out._array = made._array.astype(out._array.dtype)
        return out
    return out.copy_(made)


def full(
    size: Any,
    fill_value: Any,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`fill_value` everywhere; its type decides unless `dtype` is given."""
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    if not isinstance(value, (bool, int, float, complex, np.generic)):
        raise TypeError(f"full(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}")
    kind = dtypes.of_scalar(value).numpy if dtype is None else _kind(dtype)
    made = wrap(_place(device).full(size_of("full", (size,), sequence=True), value, kind))
    return _require_grad(made, requires_grad) if out is None else _into(out, made)


def _like(name: str, input: Tensor, dtype: Any, device: Any, requires_grad: bool, *fill: Any) -> Tensor:
    if not isinstance(input, Tensor):
        raise TypeError(f"{name}_like(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    array = input._array
    kind = array.dtype if dtype is None else _kind(dtype)
    xp = backend.namespace(array) if device is None else _place(device)
    if xp is backend.namespace(array):  # in the layout of `input`
        return _require_grad(wrap(getattr(xp, f"{name}_like")(array, *fill, dtype=kind)), requires_grad)
    return _require_grad(wrap(getattr(xp, name)(array.shape, *fill, dtype=kind)), requires_grad)


def zeros_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Zeros of the size, type and place of `input`, unless told otherwise."""
    return _like("zeros", input, dtype, device, requires_grad)


def ones_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Ones of the size, type and place of `input`, unless told otherwise."""
    return _like("ones", input, dtype, device, requires_grad)


def empty_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Uninitialised memory of the size, type and place of `input`, unless told otherwise."""
    return _like("empty", input, dtype, device, requires_grad)


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`fill_value` in the size, type and place of `input`, unless told otherwise."""
    return _like("full", input, dtype, device, requires_grad, fill_value)


# --- sequences ----------------------------------------------------------------------------------------------------


def _number(name: str, value: Any) -> Any:
    """An argument given as a number or as a tensor of one element."""
    if isinstance(value, (Tensor, np.generic)):
        return value.item()
    if not isinstance(value, (int, float, complex)):
        raise TypeError(f"{name}(): expected a Number or a Tensor of one element, but got {type(value).__name__}")
    return value


def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from `start` (0) to `end`, exclusive, in steps of `step`; int64 if all are ints."""
    if end is None:
        start, end = None, start
    if end is None:
        raise TypeError('arange() missing 1 required positional arguments: "end"')
    start, end, step = (_number("arange", v) for v in (0 if start is None else start, end, step))
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    whole = all(isinstance(v, int) for v in (start, end, step))
    kind = (np.dtype(np.int64) if whole else dtypes.get_default_dtype().numpy) if dtype is None else _kind(dtype)
    count = math.ceil((end - start) / step) if not whole else -((start - end) // step)
    wide = np.dtype(np.int64) if whole else np.dtype(np.float64)
    made = _finish((np.arange(count, dtype=wide) * step + start).astype(kind), device, requires_grad)
    return made if out is None else _into(out, made)


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers, evenly spaced from `start` to `end`, both included."""
    if not hasattr(steps, "__index__"):
        raise TypeError(f"linspace(): argument 'steps' (position 3) must be int, not {type(steps).__name__}")
    steps = int(steps.__index__())
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    start, end = (_number("linspace", v) for v in (start, end))
    kind = _kind(dtype)
    work = np.float64 if kind.kind in "iu" else kind
    step = _of_kind(end - start, work) / _of_kind(max(steps - 1, 1), work)
    places = np.arange(steps)
    rising = _of_kind(start, work) + step * places.astype(work)
    falling = _of_kind(end, work) - step * (steps - 1 - places).astype(work)
    values = np.where(places < steps // 2, rising, falling) if steps > 1 else rising
    made = _finish((np.trunc(values) if kind.kind in "iu" else values).astype(kind), device, requires_grad)
    return made if out is None else _into(out, made)


def _of_kind(value: Any, kind: Any) -> Any:
    """A number as a NumPy scalar."""
    return np.asarray(value, dtype=kind)[()]


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`base` to the powers of `linspace(start, end, steps)`."""
    exponents = linspace(start, end, steps, dtype=dtypes.float64, device="cpu")._array
    made = _finish(np.power(base, exponents).astype(_kind(dtype)), device, requires_grad)
    return made if out is None else _into(out, made)


def eye(
    n: int,
    m: int | None = None,
    *,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The identity matrix, `n` rows by `m` columns."""
    if n < 0 or (m or 0) < 0:
        raise RuntimeError(f"n must be greater or equal to 0, got {n}")
    made = _require_grad(wrap(_place(device).eye(n, m, dtype=_kind(dtype))), requires_grad)
    return made if out is None else _into(out, made)


def tril_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = dtypes.int64, device: Any = None, layout: Any = None
) -> Tensor:
    """The indices of the lower triangle of a row x col matrix, 2 x n."""
    return _finish(np.stack(np.tril_indices(row, offset, col)).astype(_kind(dtype)), device, False)


def triu_indices(
    row: int, col: int, offset: int = 0, *, dtype: Any = dtypes.int64, device: Any = None, layout: Any = None
) -> Tensor:
    """The indices of the upper triangle of a row x col matrix, 2 x n."""
    return _finish(np.stack(np.triu_indices(row, offset, col)).astype(_kind(dtype)), device, False)


# --- random -------------------------------------------------------------------------------------------------------


def rand(
    *size: Any,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """Uniform numbers from [0, 1)."""
    array = (generator or default_generator).uniform(_given("rand", size, options), dtype=_kind(dtype))
    made = _finish(array, device, requires_grad)
    return made if out is None else _into(out, made)


def randn(
    *size: Any,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Tensor:
    """Normal numbers of mean 0 and variance 1."""
    array = (generator or default_generator).normal(_given("randn", size, options), dtype=_kind(dtype))
    made = _finish(array, device, requires_grad)
    return made if out is None else _into(out, made)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from [low, high); `randint(high, size)` starts at 0."""
    if size is None:
        low, high, size = 0, low, high
    if high is None:
        low, high = 0, low
    kind = np.dtype(np.int64) if dtype is None else _kind(dtype)
    array = (generator or default_generator).randint(low, high, size_of("randint", (size,), sequence=True), kind)
    made = _finish(array, device, requires_grad)
    return made if out is None else _into(out, made)


def randperm(
    n: int,
    *,
    generator: Any = None,
    out: Any = None,
    dtype: Any = dtypes.int64,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The integers 0 to n - 1 in random order."""
    made = _finish((generator or default_generator).randperm(n, _kind(dtype)), device, requires_grad)
    return made if out is None else _into(out, made)


def rand_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Uniform numbers of the size, type and place of `input`, unless told otherwise."""
    return rand(
        input._array.shape, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad
    )


def randn_like(
    input: Tensor,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Normal numbers of the size, type and place of `input`, unless told otherwise."""
    return randn(
        input._array.shape, dtype=dtype or input.dtype, device=device or input.device, requires_grad=requires_grad
    )


def randint_like(
    input: Tensor,
    low: int,
    high: Any = None,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Integers from [low, high) of the size, type and place of `input`, unless told otherwise."""
    low, high = (0, low) if high is None else (low, high)
    return randint(
        low,
        high,
        input._array.shape,
        dtype=dtype or input.dtype,
        device=device or input.device,
        requires_grad=requires_grad,
    )


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    out: Any = None,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """Normal numbers of the given means and standard deviations (numbers or tensors)."""
    if isinstance(mean, Tensor) or isinstance(std, Tensor):
        like = mean if isinstance(mean, Tensor) else std
        shape = broadcast_shapes(*(x._array.shape for x in (mean, std) if isinstance(x, Tensor)))
        made = randn(shape, generator=generator, dtype=like.dtype, device=like.device) * std + mean
    else:
        array = (generator or default_generator).normal(
            size_of("normal", (size,), sequence=True), mean, std, _kind(dtype)
        )
        made = _finish(array, device, False)
    return made if out is None else _into(out, made)


def bernoulli(input: Tensor, p: Any = None, *, generator: Any = None, out: Any = None) -> Tensor:
    """Ones with the probabilities in `input` (or `p`), else zeros; of the type of `input`."""
    source = generator or default_generator
    probs = backend.to_host(input._array) if p is None else np.full(input._array.shape, p, np.float64)
    made = _finish(source.bernoulli(probs).astype(input._array.dtype), input.device, False)
    return made if out is None else _into(out, made)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None, out: Any = None
) -> Tensor:
    """Indices drawn with the weights in each row of `input`; int64."""
    array = (generator or default_generator).multinomial(backend.to_host(input._array), num_samples, replacement)
    made = _finish(array, input.device, False)
    return made if out is None else _into(out, made)
