"""Every operator of the table (op_db.py) in every element type: PyTorch's result types, and 16-bit floats' digits."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from op_row import Row
from test_ops import _TYPES, Call, rows, tensors_in

import framework

#: What we lack: half-precision complex numbers.
_NO_HALF_COMPLEX = {"complex", "polar", "imag", "view_as_complex", "view_as_real_copy", "view_as_complex_copy"}


#: Made of several operators, each of which rounds; or without a derivative by the first argument.
_INEXACT = {"nn.functional.tanhshrink", "igamma", "igammac", *_NO_HALF_COMPLEX}


def _in_type(row: Row, lib: Any, sample: Any, dtype: str) -> Call:
    """The sample's call with its tensors in `dtype`; integers that are indices, counts, ... stay what they are."""
    call = Call(lib, sample, False)
    everything = bool(row.promotes) or row.dtypes == ("bool",)

    def cast(value: Any) -> Any:
        if isinstance(value, (tuple, list)) and not isinstance(value, framework.Size):
            return type(value)([cast(v) for v in value])
        if hasattr(value, "requires_grad") and (everything or value.is_floating_point() or value.is_complex()):
            return value.to(getattr(lib, dtype))
        return value

    call.args = [cast(a) for a in call.args]
    call.kwargs = {key: cast(value) for key, value in call.kwargs.items()}
    return call


def _types(result: Any) -> list[str]:
    return [str(t.dtype) for t in tensors_in(result)]


def _torch_types(row: Row, torch: Any, dtype: str) -> list[str] | None:
    try:
        call = _in_type(row, torch, row.make(row.dtypes[0])[0], dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _types(row.function(torch)(*call.args, **call.kwargs))
    except (RuntimeError, TypeError, NotImplementedError, ValueError, IndexError):
        return None


@rows(lambda row: row.torch and row.name not in _NO_HALF_COMPLEX)
def test_results_have_the_types_of_torch(row: Row) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    for dtype in _TYPES:
        wanted = _torch_types(row, torch, dtype)
        if wanted is not None:
            call = _in_type(row, framework, row.make(row.dtypes[0])[0], dtype)
            assert _types(call.run(row.function(framework))) == wanted, dtype


def _floats(result: Any) -> list[Any]:
    return [t for t in tensors_in(result) if t.is_floating_point()]


def _derivatives(call: Call, function: Any) -> tuple[list[Any], list[Any]]:
    """The floating results, and the gradients of the floating arguments from ones."""
    leaves = [a for a in call.args if hasattr(a, "requires_grad") and a.is_floating_point()]
    for leaf in leaves:
        leaf.requires_grad_()
    results = _floats(call.run(function))
    outputs = [r for r in results if r.requires_grad]
    if not outputs or not leaves:
        return results, []
    return results, list(framework.autograd.grad([o.float().sum() for o in outputs], leaves, allow_unused=True))


def _numbers(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.detach().float().numpy())


@pytest.mark.parametrize(("kind", "digits"), [("float16", 2.0**-10), ("bfloat16", 2.0**-7)])
@rows(lambda row: "float32" in row.dtypes and row.grad and not row.on_copy and row.name not in _INEXACT)
def test_sixteen_bits_are_float32_rounded_once(row: Row, kind: str, digits: float) -> None:
    sample = row.make("float32")[0]
    if not sample.grad:
        return
    narrow = _in_type(row, framework, sample, kind)
    wide = _in_type(row, framework, sample, kind)
    wide.args = [a.float() if hasattr(a, "requires_grad") and a.is_floating_point() else a for a in wide.args]
    function = row.unique(framework)
    try:
        found, grads = _derivatives(narrow, function)
    except RuntimeError:
        torch = pytest.importorskip("torch", reason="asks PyTorch whether it refuses as well")
        assert _torch_types(row, torch, kind) is None
        return
    wanted, wanted_grads = _derivatives(wide, function)
    for ours, exact in zip(found, wanted, strict=True):
        np.testing.assert_allclose(_numbers(ours), _numbers(exact), rtol=1.01 * digits, atol=0.01 * digits)
    for ours, exact in zip(grads, wanted_grads, strict=True):
        if exact is not None:  # many come from the result, which was rounded before
            size = np.abs(_numbers(exact)).max(initial=1.0)
            np.testing.assert_allclose(_numbers(ours), _numbers(exact), rtol=0, atol=4 * digits * size)
    assert all(g is None or g.dtype is a.dtype for g, a in zip(grads, _floats(narrow.args), strict=False))
