"""Questions about tensors, and other functions of torch's top level that are methods at heart."""

from __future__ import annotations

from .tensor import Tensor


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of a tensor is not zero; RuntimeError for more or fewer elements."""
    if input.numel() != 1:
        what = "no values" if not input.numel() else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {what} is ambiguous")
    return bool(input.item() != 0)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have one shape."""
    return input.shape == other.shape


def is_signed(input: Tensor) -> bool:
    """Whether the type has negative numbers."""
    return input.is_signed()


def is_conj(input: Tensor) -> bool:
    """False: conjugates are computed at once here."""
    return False


def is_neg(input: Tensor) -> bool:
    """False: negatives are computed at once here."""
    return False


def is_inference(input: Tensor) -> bool:
    """Always False: tensors made in inference mode are ordinary ones here."""
    return input.is_inference()


def get_device(input: Tensor) -> int:
    """The index of the CUDA device, -1 on the CPU."""
    return input.get_device()


def detach(input: Tensor) -> Tensor:
    """The tensor's memory, outside the graph."""
    return input.detach()
