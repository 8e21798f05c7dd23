"""Gradient clipping, in place and without reading a value back from the device."""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterable
from typing import Any

from ...backend import device_of, namespace, to_device
from ...creation import tensor as new_tensor
from ...engine import increment_version, wrap
from ...tensor import Tensor


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of order ``norm_type`` (``inf`` included) of ``tensors`` taken as one vector: a 0-dim tensor.

    RuntimeError for a norm that is not finite, if ``error_if_nonfinite``. ``foreach`` is accepted and means nothing.
    """
    arrays = [t._array for t in _as_list(tensors)]
    norm_type = float(norm_type)
    if not arrays:
        return new_tensor(0.0)
    xp, device = namespace(arrays[0]), device_of(arrays[0])
    norms = xp.stack([to_device(_vector_norm(array, norm_type), device) for array in arrays])
    total = _vector_norm(norms, norm_type)
    if error_if_nonfinite and not xp.isfinite(total):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, "
            "set `error_if_nonfinite=False`"
        )
    return wrap(total)


def _vector_norm(array: Any, order: float) -> Any:
    """The norm of all elements as a 0-d array of the array's precision; half precision is summed in float32."""
    xp = namespace(array)
    flat = array.ravel() if array.dtype.itemsize > 2 else array.ravel().astype(xp.float32)
    return xp.asarray(xp.linalg.norm(flat, order)).astype(array.real.dtype)


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale the gradients of ``parameters`` by ``max_norm / total_norm`` where that is below one."""
    scale = float(max_norm) / (total_norm._array + 1e-6)
    scale = namespace(scale).minimum(scale, 1.0)
    for grad in _grads(_as_list(parameters)):
        array = grad._array
        factor = to_device(namespace(scale).asarray(scale, dtype=array.real.dtype), device_of(array))
        namespace(array).multiply(array, factor, out=array)
        increment_version(grad)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients together so that their total norm is at most ``max_norm``; return the norm before.

    RuntimeError for a norm that is not finite, if ``error_if_nonfinite``.
    """
    params = _as_list(parameters)
    if isinstance(parameters, types.GeneratorType) and not params:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    total_norm = get_total_norm(_grads(params), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(params, max_norm, total_norm)
    return total_norm


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Limit every element of every gradient to [-``clip_value``, ``clip_value``]."""
    clip_value = float(clip_value)
    for grad in _grads(_as_list(parameters)):
        array = grad._array
        namespace(array).clip(array, -clip_value, clip_value, out=array)
        increment_version(grad)


def _as_list(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _grads(parameters: list[Tensor]) -> list[Tensor]:
    return [p.grad for p in parameters if p.grad is not None]
