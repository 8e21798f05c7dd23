"""Names of PyTorch that are older ways, in-place twins at the top level, windows, and the names left out."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import framework

#: Expressions in `lib` that give the same tensor, number, or exception.
SAME = [
    "lib.Tensor([1, 2])",
    "lib.Tensor(2, 3).shape",
    "lib.Tensor(lib.Size([2, 3])).shape",
    "lib.Tensor().shape",
    "lib.Tensor(2.5)",
    "lib.FloatTensor(lib.ones(2).double())",
    "lib.LongTensor([1, 2])",
    "lib.ByteTensor(2, 2).dtype",
    "isinstance(lib.ones(2), lib.FloatTensor)",
    "isinstance(lib.ones(2), lib.LongTensor)",
    "isinstance(lib.ones(2, dtype=lib.int64), (lib.IntTensor, lib.LongTensor))",
    "lib.ones(2, dtype=lib.int64).new([3, 4])",
    "lib.scalar_tensor(3)",
    "lib.scalar_tensor(3, dtype=lib.int64)",
    "lib.range(1, 3, 0.5)",
    "lib.range(3, 1)",
    "lib.empty_strided((2, 3), (1, 2)).stride()",
    "lib.empty_permuted((2, 3, 4), (0, 2, 1)).stride()",
    "lib.frombuffer(bytearray(b'abcd'), dtype=lib.int16, offset=2)",
    "lib.frombuffer(bytearray(b'abcd'), dtype=lib.int32, count=2)",
    "lib.frombuffer(bytearray(b'abc'), dtype=lib.int16)",
    "lib.exp_(lib.zeros(2))",
    "lib.fix_(lib.tensor([1.5, -1.5]))",
    "lib.tensor([1.0, 2.0]).true_divide_(2)",
    "lib.tensor([1.0, 2.0]).not_equal_(2)",
    "lib.ones(2, 3).swapaxes_(0, 1).shape",
    "lib.arange(6.0).resize_(2, 2)",
    "lib.arange(6.0).resize_as_(lib.ones(3, 1))",
    "lib.ones(2, requires_grad=True).resize_(1)",
    "lib.zeros(2).set_(lib.ones(3))",
    "lib.zeros(2).set_(lib.ones(3).double())",
    "lib.arange(4.0).apply_(lambda v: v + 1)",
    "lib.arange(4.0).map_(lib.ones(4), lambda a, b: a - b)",
    "lib.ones(2, requires_grad=True).apply_(abs)",
    "lib.is_nonzero(lib.zeros(1))",
    "lib.is_nonzero(lib.zeros(2))",
    "lib.is_same_size(lib.ones(2), lib.zeros(2))",
    "lib.is_signed(lib.ones(2, dtype=lib.uint8))",
    "lib.detach(lib.ones(2, requires_grad=True)).requires_grad",
    "lib.get_device(lib.ones(1))",
]
WINDOWS = ["bartlett", "blackman", "hamming", "hann", "kaiser"]


def _outcome(expression: str, lib: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = eval(expression, {"lib": lib})
        except (RuntimeError, TypeError, ValueError) as error:
            return type(error)
    return (str(result.dtype), result.tolist()) if hasattr(result, "tolist") else str(result)


@pytest.mark.parametrize("expression", SAME)
def test_as_in_torch(expression: str) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    assert _outcome(expression, framework) == _outcome(expression, torch)


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("periodic", [True, False])
def test_windows(name: str, periodic: bool) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    for length in (0, 1, 2, 5, 8):
        ours, theirs = (getattr(lib, f"{name}_window")(length, periodic) for lib in (framework, torch))
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-6)
        assert str(ours.dtype) == str(theirs.dtype)
    with pytest.raises(RuntimeError, match="floating point dtypes"):
        getattr(framework, f"{name}_window")(4, dtype=framework.int64)


def test_default_tensor_type() -> None:
    try:
        framework.set_default_tensor_type("torch.DoubleTensor")
        assert framework.ones(1).dtype is framework.float64
        framework.set_default_tensor_type(framework.FloatTensor)
        assert framework.Tensor([1]).dtype is framework.float32
    finally:
        framework.set_default_dtype(framework.float32)
    with pytest.raises(TypeError):
        framework.set_default_tensor_type("torch.LongTensor")


def test_names_left_out_say_why() -> None:
    with pytest.raises(AttributeError, match="Tensor has no 'to_sparse': sparse tensors are left out"):
        framework.ones(1).to_sparse()
    with pytest.raises(AttributeError, match="framework has no 'quantize_per_tensor': quantized tensors are left out"):
        framework.quantize_per_tensor  # noqa: B018
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'no_such_method'"):
        framework.ones(1).no_such_method()
    assert not hasattr(framework.ones(1), "_anything")
