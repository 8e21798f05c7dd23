"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from ...ops.shape import cat
from ...tensor import Tensor
from ..typename import typename


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all ``parameters`` in order, as one 1-dim tensor that is part of their graph."""
    params = list(parameters)
    _check_one_device(params)
    return cat([param.view(-1) for param in params])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make ``parameters`` views of consecutive pieces of ``vec``; elements left over are ignored."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {typename(vec)}")
    params = list(parameters)
    _check_one_device(params)
    start = 0
    for param in params:
        stop = start + param.numel()
        param.data = vec[start:stop].view_as(param).data
        start = stop


def _check_one_device(params: list[Tensor]) -> None:
    if len({str(param.device) for param in params}) > 1:
        raise TypeError("Found two parameters on different devices, this is currently not supported.")
