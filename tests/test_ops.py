"""Every operator of the table (op_db.py): values, types and gradients, in all its forms, on every device."""

from __future__ import annotations

import inspect
import operator
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from op_db import OPS
from op_row import Const, DType, Row, Sample, lookup

import framework
from framework.gradcheck import gradcheck, gradgradcheck

Tensor = framework.Tensor


def rows(condition: Any) -> Any:
    """Parametrizes a test by the rows for which `condition` holds."""
    chosen = [row for row in OPS if condition(row)]
    return pytest.mark.parametrize("row", chosen, ids=[_title(row) for row in chosen])


def rows_and_types(condition: Any) -> Any:
    chosen = [(row, dtype) for row in OPS if condition(row) for dtype in row.dtypes]
    return pytest.mark.parametrize(("row", "dtype"), chosen, ids=[f"{_title(row)}-{dtype}" for row, dtype in chosen])


def _title(row: Row) -> str:
    return f"{row.name}-{row.variant}" if row.variant else row.name


# --- from samples to calls ----------------------------------------------------------------------------------------


class Call:
    """A sample made into arguments for one library: its tensors, and those of them that require grad."""

    def __init__(self, library: Any, sample: Sample, grad: bool, device: str = "cpu", spread: Any = None) -> None:
        self.library, self.device, self.spread = library, device, spread
        self.grad = grad and sample.grad
        self.leaves: list[Any] = []
        self.args = [self._convert(a) for a in sample.args]
        self.kwargs = {k: self._convert(v) for k, v in sample.kwargs.items()}

    def _convert(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self._tensor(value, self.grad)
        if isinstance(value, Const):
            return self._tensor(value.array, False)
        if isinstance(value, DType):
            return getattr(self.library, value.name)
        if isinstance(value, (tuple, list)):
            return type(value)(self._convert(v) for v in value)
        return value

    def _tensor(self, array: np.ndarray, grad: bool) -> Any:
        tensor = self.library.from_numpy(array.copy() if self.spread is None else self.spread(array))
        tensor = tensor.to(self.device)
        if grad and array.dtype.kind in "fc":
            tensor.requires_grad_()
            self.leaves.append(tensor)
        return tensor

    def run(self, function: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return function(*self.args, **self.kwargs)


def tensors_in(result: Any) -> Iterator[Any]:
    """All tensors of a result, in order."""
    if isinstance(result, (tuple, list)) and not isinstance(result, framework.Size):
        for item in result:
            yield from tensors_in(item)
    elif hasattr(result, "requires_grad"):
        yield result


def gradients(call: Call, result: Any) -> list[np.ndarray]:
    """The gradients of all leaves from fixed gradients of the results."""
    outputs = [t for t in tensors_in(result) if t.requires_grad]
    if not outputs or not call.leaves:
        return []
    random = np.random.default_rng(0)
    starts = []
    for output in outputs:
        shape = tuple(output.shape)
        start = random.standard_normal(shape) + (1j * random.standard_normal(shape) if output.is_complex() else 0)
        tensor = call.library.from_numpy(np.asarray(start))
        starts.append(tensor.to(output.dtype).to(output.device))
    found = call.library.autograd.grad(outputs, call.leaves, starts, allow_unused=True)
    return [np.zeros(tuple(leaf.shape)) if g is None else host(g) for leaf, g in zip(call.leaves, found, strict=True)]


def host(tensor: Any) -> np.ndarray:
    """A tensor's elements as a NumPy array."""
    return np.array(tensor.numpy(force=True))


_SCALE = {"float64": 1e-9, "complex128": 1e-9, "float32": 1e-5, "complex64": 1e-5, "float16": 1e-3}


def assert_close(found: np.ndarray, wanted: np.ndarray, tolerance: float) -> None:
    assert found.shape == wanted.shape
    if wanted.dtype.kind in "fc" or found.dtype.kind in "fc":
        scale = max(_SCALE[d.name] for d in (found.dtype, wanted.dtype) if d.name in _SCALE) * tolerance
        np.testing.assert_allclose(found, wanted, rtol=10 * scale, atol=scale)
    else:
        np.testing.assert_array_equal(found, wanted)


def assert_same(found: Any, wanted: Any, tolerance: float = 1.0) -> None:
    """Results of the same structure, types, shapes and values."""
    if hasattr(wanted, "requires_grad"):
        assert isinstance(found, (Tensor, type(wanted)))
        assert str(found.dtype) == str(wanted.dtype)
        assert_close(host(found), host(wanted), tolerance)
    elif isinstance(wanted, (tuple, list)):
        assert len(found) == len(wanted)
        for ours, theirs in zip(found, wanted, strict=True):
            assert_same(ours, theirs, tolerance)
    else:
        assert type(found) is type(wanted)
        assert found == wanted


# --- against torch ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")


@rows_and_types(lambda row: row.torch)
def test_values_and_gradients_are_those_of_torch(row: Row, dtype: str, torch: Any) -> None:
    for sample in row.make(dtype):
        ours, theirs = Call(framework, sample, row.grad), Call(torch, sample, row.grad)
        found, wanted = ours.run(row.unique(framework)), theirs.run(row.unique(torch))
        assert_same(found, wanted, row.tolerance)
        flags = [[t.requires_grad for t in tensors_in(r)] for r in (found, wanted)]
        if row.grad and sample.grad:
            assert flags[0] == flags[1]
            for a, b in zip(gradients(ours, found), gradients(theirs, wanted), strict=True):
                assert_close(a, b, 10 * row.tolerance)


@rows(lambda row: row.errors)
def test_errors_are_those_of_torch(row: Row) -> None:
    try:
        import torch
    except ImportError:
        torch = None  # type: ignore[assignment]
    for fail in row.errors:
        sample = Sample(fail.args, fail.kwargs)
        with pytest.raises(fail.error, match=fail.says) as ours:
            Call(framework, sample, False).run(row.function(framework))
        if torch is not None:
            with pytest.raises(fail.error) as theirs:
                Call(torch, sample, False).run(row.function(torch))
            assert ours.type.__name__ == theirs.type.__name__.lstrip("_")


_TYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
    "complex128",
)  # fmt: skip


def _outcome(function: Any, *args: Any) -> str:
    try:
        result = function(*args)
    except (RuntimeError, TypeError, NotImplementedError) as error:
        return type(error).__name__
    except UserWarning as warning:  # torch's half-precision complex numbers, which we do not have
        return str(warning)
    return str((result[0] if isinstance(result, tuple) else result).dtype)


def _assert_outcome(function: Any, reference: Any, make: Any, torch: Any, what: str) -> None:
    """The result has torch's type, or torch's refusal.

    We have no half-precision complex numbers, compute 16-bit floats where torch has no kernel for them, and take
    numbers (TypeError in torch) wherever a tensor would do.
    """
    wanted = _outcome(reference, *make(torch))
    half = "float16" in what and (wanted == "NotImplementedError" or "complex" in what or "1j" in what)
    if wanted != "TypeError" and not (half and wanted != "torch.complex64"):
        assert _outcome(function, *make(framework)) == wanted, what


@rows(lambda row: row.promotes == 2)
def test_two_types_promote_as_in_torch(row: Row, torch: Any) -> None:
    function, reference = row.function(framework), row.function(torch)
    for first in _TYPES:
        for second in _TYPES:
            for shapes in (((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())):

                def pair(lib: Any, types: Any = (first, second), shapes: Any = shapes) -> list[Any]:
                    return [lib.ones(s, dtype=getattr(lib, t)) for t, s in zip(types, shapes, strict=True)]

                _assert_outcome(function, reference, pair, torch, f"{first} {shapes} {second}")
        for number in (True, 2, 2.5, 1j):
            for shape in ((2,), ()):

                def with_number(lib: Any, first: str = first, shape: Any = shape, number: Any = number) -> list[Any]:
                    return [lib.ones(shape, dtype=getattr(lib, first)), number]

                _assert_outcome(function, reference, with_number, torch, f"{first} {shape} {number}")


@rows(lambda row: row.promotes == 1)
def test_one_type_promotes_as_in_torch(row: Row, torch: Any) -> None:
    function, reference = row.function(framework), row.function(torch)
    sample = row.make(row.dtypes[0])[0]
    for dtype in _TYPES:

        def cast(lib: Any, dtype: str = dtype) -> list[Any]:
            args = Call(lib, sample, False).args
            return [a.to(getattr(lib, dtype)) if hasattr(a, "dtype") else a for a in args]

        _assert_outcome(function, reference, cast, torch, dtype)


@rows(lambda row: "." not in row.name and not row.variant and row.name not in ("real", "imag", "where"))
def test_methods_are_those_of_torch(row: Row, torch: Any) -> None:
    assert row.method == hasattr(torch.Tensor, row.name), "method"
    assert row.inplace == hasattr(torch.Tensor, f"{row.name}_"), "in-place method"


# --- derivatives --------------------------------------------------------------------------------------------------


def _smooth_calls(row: Row) -> Iterator[Call]:
    for dtype in ("float64", "complex128"):
        for sample in row.make(dtype) if dtype in row.dtypes else ():
            call = Call(framework, sample, True)
            if sample.smooth and any(leaf.numel() for leaf in call.leaves):
                yield call


def _function_of_leaves(row: Row, call: Call) -> Any:
    function = row.unique(framework)

    def of_leaves(*leaves: Any) -> Any:
        return tuple(tensors_in(call.run(function)))

    return of_leaves


def _is_large(row: Row, call: Call) -> bool:
    """Whether checking every element of the Jacobian would take long."""
    results = tensors_in(call.run(row.unique(framework)))
    return sum(leaf.numel() for leaf in call.leaves) + sum(t.numel() for t in results) > 40


@rows(lambda row: row.grad)
def test_first_derivatives(row: Row) -> None:
    for call in _smooth_calls(row):
        assert gradcheck(_function_of_leaves(row, call), tuple(call.leaves), fast_mode=_is_large(row, call))


@rows(lambda row: row.grad and row.gradgrad)
def test_second_derivatives(row: Row) -> None:
    for call in _smooth_calls(row):
        if any(t.requires_grad for t in tensors_in(call.run(row.unique(framework)))):
            fast = _is_large(row, call)
            assert gradgradcheck(_function_of_leaves(row, call), tuple(call.leaves), atol=1e-4, fast_mode=fast)


# --- forms --------------------------------------------------------------------------------------------------------


def _first_is_tensor(sample: Sample) -> bool:
    return isinstance(sample.args[0], np.ndarray)


def _is_function(row: Row) -> bool:
    return not row.name.startswith("Tensor.")


@rows(lambda row: row.method and _is_function(row))
def test_method_is_the_function(row: Row) -> None:
    for sample in filter(_first_is_tensor, row.make(row.dtypes[0])):
        wanted = Call(framework, sample, False).run(row.function(framework))
        call = Call(framework, sample, False)
        assert_same(call.run(getattr(Tensor, row.last)), wanted)


@rows_and_types(lambda row: row.inplace)
def test_in_place_is_the_function(row: Row, dtype: str) -> None:
    method = getattr(Tensor, f"{row.last}_")
    for sample in filter(_first_is_tensor, row.make(dtype)):
        plain, call = Call(framework, sample, row.grad), Call(framework, sample, row.grad)
        wanted = plain.run(row.function(framework))
        tensor = call.args[0] = call.args[0].clone()
        fits = framework.can_cast(wanted.dtype, tensor.dtype) and (
            wanted.shape == tensor.shape or row.name in ("squeeze", "unsqueeze", "t", "transpose", "as_strided")
        )
        if row.name == "abs" and tensor.is_complex():
            fits = False
        if not fits:
            with pytest.raises(RuntimeError):
                call.run(method)
            continue
        assert call.run(method) is tensor
        assert_same(tensor, wanted.to(tensor.dtype).detach())
        for a, b in zip(gradients(call, tensor), gradients(plain, wanted), strict=True):
            assert_close(a, b, 1.0)


@rows_and_types(lambda row: row.out)
def test_out_receives_the_result(row: Row, dtype: str) -> None:
    for sample in row.make(dtype):
        wanted = Call(framework, sample, False).run(row.function(framework))
        call = Call(framework, sample, False)
        outs = [framework.empty(w.shape, dtype=w.dtype) for w in tensors_in(wanted)]
        call.kwargs["out"] = tuple(outs) if isinstance(wanted, tuple) else outs[0]
        result = call.run(row.function(framework))
        assert all(r is o for r, o in zip(tensors_in(result), outs, strict=True))
        assert_same(result, wanted)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"])
@pytest.mark.parametrize("other", [2, 1.5, None])
def test_in_place_operators(name: str, other: Any) -> None:
    x = framework.tensor([1.0, 2.0, 3.0], dtype=framework.float64, requires_grad=True)
    other = framework.tensor([3.0, 2.0, 1.0], dtype=framework.float64) if other is None else other
    tensor = x.clone()
    assert getattr(operator, f"i{name}")(tensor, other) is tensor
    wanted = getattr(operator, name)(x, other)
    assert_same(tensor.detach(), wanted.detach())
    if wanted.requires_grad:
        found = [framework.autograd.grad(y.sum(), x)[0] for y in (tensor, wanted)]
        assert_same(*found)


@pytest.mark.parametrize("name", ["and_", "or_", "xor", "lshift", "rshift"])
def test_in_place_bit_operators(name: str) -> None:
    x, y = framework.tensor([1, 6, 12]), framework.tensor([3, 1, 2])
    tensor = x.clone()
    assert getattr(operator, f"i{name.rstrip('_')}")(tensor, y) is tensor
    assert_same(tensor, getattr(operator, name)(x, y))


def _columns_first(array: np.ndarray) -> np.ndarray:
    return np.array(array, order="F")


def _with_gaps(array: np.ndarray) -> np.ndarray:
    if not array.ndim:
        return array.copy()
    wide = np.repeat(np.repeat(array, 2, axis=-1), 2, axis=0) if array.ndim > 1 else np.repeat(array, 2)
    return wide[(slice(1, None, 2),) + (slice(None),) * (array.ndim - 2) + (slice(None, None, 2),) * (array.ndim > 1)]


@pytest.mark.parametrize("spread", [_columns_first, _with_gaps])
@rows(lambda row: row.layouts)
def test_strides_do_not_matter(row: Row, spread: Any) -> None:
    for sample in row.make(row.dtypes[0]):
        plain, other = Call(framework, sample, row.grad), Call(framework, sample, row.grad, spread=spread)
        wanted, found = plain.run(row.function(framework)), other.run(row.function(framework))
        assert_same(found, wanted)
        for a, b in zip(gradients(other, found), gradients(plain, wanted), strict=True):
            assert_close(a, b, 1.0)


# --- devices ------------------------------------------------------------------------------------------------------


def _check_on_cuda(row: Row, dtype: str, tolerance: float) -> None:
    for sample in row.make(dtype):
        here, there = Call(framework, sample, row.grad), Call(framework, sample, row.grad, device="cuda")
        wanted, found = here.run(row.function(framework)), there.run(row.function(framework))
        assert all(t.is_cuda for t in tensors_in(found))
        assert_same(found, wanted, tolerance)
        for a, b in zip(gradients(there, found), gradients(here, wanted), strict=True):
            assert_close(a, b, 10 * tolerance)


@rows_and_types(lambda row: row.device)
def test_on_the_stand_in(row: Row, dtype: str, stand_in: ModuleType) -> None:
    _check_on_cuda(row, dtype, row.tolerance)


@rows(lambda row: row.device and not row.reads_host)
def test_reads_nothing_on_the_host(row: Row, stand_in: ModuleType) -> None:
    for sample in row.make(row.dtypes[0]):
        call = Call(framework, sample, row.grad, device="cuda")
        with stand_in.host_reads.forbidden():
            outputs = [t for t in tensors_in(call.run(row.function(framework))) if t.requires_grad]
            starts = [framework.ones_like(o) for o in outputs]
            if outputs and call.leaves:
                framework.autograd.grad(outputs, call.leaves, starts, allow_unused=True, create_graph=True)


@pytest.mark.gpu
@rows_and_types(lambda row: row.device)
def test_on_a_gpu(row: Row, dtype: str) -> None:
    _check_on_cuda(row, dtype, 10 * row.tolerance)


# --- the table itself ---------------------------------------------------------------------------------------------

_HOMES = ("framework.ops", "framework.engine.inplace")
#: Not operators: questions about shapes.
_NO_OPERATORS = {"broadcast_shapes"}


def _public_operators() -> dict[str, Any]:
    """Every public name that leads to a function of framework/ops, or to an in-place twin of one."""
    places = {"": framework, "Tensor.": Tensor}
    for name in ("nn.functional", "linalg", "fft", "special"):
        try:
            places[f"{name}."] = lookup(framework, name)
        except AttributeError:
            continue
    found = {}
    for prefix, place in places.items():
        for name in dir(place):
            try:
                value = inspect.getattr_static(place, name)
            except AttributeError:
                continue
            function = getattr(value, "fget", value)
            home = getattr(function, "__module__", None) or ""
            hidden = name.startswith("_") and not name.startswith("__")
            if callable(function) and not isinstance(function, type) and home.startswith(_HOMES) and not hidden:
                found[prefix + name] = function
    return found


def _covered_functions() -> set[int]:
    covered = set()
    for row in OPS:
        names = [row.name, *row.aliases]
        if row.method:
            names.append(f"Tensor.{row.last}")
        if row.inplace:
            names.append(f"Tensor.{row.last}_")
            names.append(row.name + "_")
        for name in names:
            try:
                parent, _, last = name.rpartition(".")
                value = inspect.getattr_static(lookup(framework, parent) if parent else framework, last)
            except AttributeError:
                continue
            covered.add(id(getattr(value, "fget", value)))
    return covered


def test_every_public_operator_has_a_row() -> None:
    covered = _covered_functions()
    missing = [
        n for n, function in _public_operators().items() if id(function) not in covered and n not in _NO_OPERATORS
    ]
    assert not missing, f"no row in the table of operators: {', '.join(sorted(missing))}"


def test_every_name_in_the_table_exists() -> None:
    for row in OPS:
        for name in (row.name, *row.aliases):
            assert lookup(framework, name) is not None
        assert not row.inplace or hasattr(Tensor, f"{row.last}_"), f"{row.name}_"


def test_every_row_has_samples() -> None:
    for row in OPS:
        for dtype in row.dtypes:
            assert row.make(dtype), _title(row)


def test_names_of_a_row_are_one_function() -> None:
    for row in OPS:
        if _is_function(row):
            own = [lookup(framework, a) for a in row.aliases if not a.startswith("Tensor.")]
            assert all(function is row.function(framework) for function in own), row.name


def test_the_table_covers_what_issue_2_asks_for() -> None:
    assert len({row.name for row in OPS}) >= 120
