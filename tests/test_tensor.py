"""Tensors as values: making them, their types, NumPy, Python's protocols, conversions, indexing, errors, `out=`.

The tests run on the framework and, where torch is installed, on torch too: what they expect is PyTorch's behaviour.
"""

from __future__ import annotations

import copy
import itertools
import math
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import framework as fw

try:
    import torch
except ImportError:
    torch = None

needs_torch = pytest.mark.skipif(torch is None, reason="torch is the reference here and is not installed")


@pytest.fixture(params=["framework", "torch"])
def lib(request):
    if request.param == "framework":
        return fw
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


def name_of(dtype):
    return str(dtype).removeprefix("torch.")


# --- from data ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, dtype, shape",
    [
        (1, "int64", ()),
        (1.5, "float32", ()),
        (True, "bool", ()),
        (1j, "complex64", ()),
        ([], "float32", (0,)),
        ([[]], "float32", (1, 0)),
        ([1, 2.5], "float32", (2,)),
        ([True, 2], "int64", (2,)),
        ([1, 1j], "complex64", (2,)),
        (((1, 2), (3, 4)), "int64", (2, 2)),
        (range(3), "int64", (3,)),
        (np.float64(1), "float64", ()),
        (np.float32(1), "float32", ()),
        ([np.float64(1)], "float64", (1,)),
        ([np.int32(1)], "int32", (1,)),
        (np.array([1, 2], dtype=np.uint8), "uint8", (2,)),
        (np.array([[1.0]]), "float64", (1, 1)),
        ([2**63 - 1], "int64", (1,)),
    ],
)
def test_tensor_infers_type_and_shape(lib, data, dtype, shape):
    x = lib.tensor(data)
    assert name_of(x.dtype) == dtype
    assert tuple(x.shape) == shape
    assert x.is_leaf and not x.requires_grad


def test_tensor_of_tensors(lib):
    assert lib.tensor([lib.tensor(1), lib.tensor(2.5)]).tolist() == [1, 2.5]
    assert lib.tensor([lib.tensor([1]), lib.tensor([2])]).tolist() == [1, 2]
    assert lib.tensor([lib.tensor(1.5, dtype=lib.float64)]).dtype == lib.float64
    with pytest.raises(ValueError, match="only one element tensors can be converted to Python scalars"):
        lib.tensor([lib.tensor([1.0, 2.0])])


def test_tensor_copies(lib):
    array = np.ones(2)
    x = lib.tensor(array)
    array[0] = 5
    assert x.tolist() == [1, 1]


def test_tensor_of_a_tensor_warns(lib):
    x = lib.ones(2)
    with pytest.warns(UserWarning, match="To copy construct from a tensor, it is recommended to use"):
        y = lib.tensor(x, dtype=lib.int64)
    x[0] = 5
    assert y.tolist() == [1, 1] and y.dtype == lib.int64


@pytest.mark.parametrize(
    "data, dtype, expected",
    [
        ([1.7, -1.7], "int32", [1, -1]),
        ([0.5, 0.0], "bool", [True, False]),
        ([1, 0], "float64", [1.0, 0.0]),
        ([-1], "uint8", [255]),
        (5, "bfloat16", 5.0),
        ([1e300], "float32", [math.inf]),
    ],
)
def test_tensor_of_a_given_type(lib, data, dtype, expected):
    x = lib.tensor(data, dtype=getattr(lib, dtype))
    assert name_of(x.dtype) == dtype
    assert x.tolist() == expected


@pytest.mark.parametrize(
    "data, error, message",
    [
        ([[1, 2], [3]], ValueError, r"expected sequence of length 2 at dim 1 \(got 1\)"),
        ([[[1]], [[2, 3]]], ValueError, r"expected sequence of length 1 at dim 2 \(got 2\)"),
        ([[1], 2], TypeError, "not a sequence"),
        ([1, [2]], TypeError, "list"),
        ("abc", TypeError, r"new\(\): invalid data type 'str'"),
        (b"ab", TypeError, r"new\(\): invalid data type 'bytes'"),
        (["a"], ValueError, "too many dimensions 'str'"),
        ([1, None], RuntimeError, "Could not infer dtype of NoneType"),
        (None, RuntimeError, "Could not infer dtype of NoneType"),
        ({1: 2}, RuntimeError, "Could not infer dtype of dict"),
        ({1}, RuntimeError, "Could not infer dtype of set"),
        ([2**64], ValueError, "Overflow when unpacking long long"),
    ],
)
def test_tensor_of_impossible_data(lib, data, error, message):
    with pytest.raises(error, match=message):
        lib.tensor(data)


def test_tensor_of_values_that_the_type_cannot_hold(lib):
    with pytest.raises(RuntimeError, match=r"value cannot be converted to type .* without overflow"):
        lib.tensor([300], dtype=lib.uint8)
    with pytest.raises(TypeError):
        lib.tensor([1 + 1j], dtype=lib.float32)
    with pytest.raises(TypeError, match=r"argument 'dtype' must be torch.dtype, not str"):
        lib.tensor(5, dtype="float32")


def test_as_tensor_and_asarray(lib):
    array = np.ones(2, dtype=np.float32)
    x = lib.ones(2)
    assert lib.as_tensor(x) is x
    assert lib.as_tensor(x, dtype=lib.float64).dtype == lib.float64
    shared = lib.as_tensor(array)
    array[0] = 5
    assert shared.tolist() == [5, 1]
    assert lib.as_tensor(array, dtype=lib.float64).tolist() == [5, 1]
    copied = lib.asarray(array, copy=True)
    array[0] = 6
    assert copied.tolist() == [5, 1]
    assert lib.asarray([1.0], requires_grad=True).requires_grad
    with pytest.raises(ValueError, match="can't alias arbitrary sequence"):
        lib.asarray([1], copy=False)


# --- filled, sequences --------------------------------------------------------------------------------------------


def test_filled(lib):
    assert lib.zeros(2, 3).tolist() == lib.zeros((2, 3)).tolist() == lib.zeros([2, 3]).tolist() == [[0] * 3] * 2
    assert lib.ones(2, dtype=lib.long).tolist() == [1, 1]
    assert lib.zeros(2, dtype=lib.long).dtype == lib.int64
    assert lib.zeros(()).shape == () and lib.zeros(2, 0).shape == (2, 0)
    assert lib.zeros(size=(2,)).shape == (2,)
    assert lib.zeros(lib.tensor(2)).shape == (2,) and lib.zeros(np.int64(2)).shape == (2,)
    assert lib.empty(2, 3).shape == (2, 3)
    assert lib.empty(2, dtype=lib.int8).dtype == lib.int8
    assert lib.ones(2, requires_grad=True).requires_grad
    assert lib.zeros(2, dtype=float).dtype == lib.float64


@pytest.mark.parametrize("value, dtype", [(3, "int64"), (3.0, "float32"), (True, "bool"), (1j, "complex64")])
def test_full(lib, value, dtype):
    x = lib.full((2, 2), value)
    assert name_of(x.dtype) == dtype and x.tolist() == [[value] * 2] * 2
    assert lib.full((2,), value, dtype=lib.complex128).dtype == lib.complex128


@pytest.mark.parametrize(
    "args, dtype, expected",
    [
        ((5,), "int64", [0, 1, 2, 3, 4]),
        ((1, 5, 2), "int64", [1, 3]),
        ((5, 1, -2), "int64", [5, 3]),
        ((3.0,), "float32", [0, 1, 2]),
        ((0, 1, 0.25), "float32", [0, 0.25, 0.5, 0.75]),
        ((1, 2.5, 0.5), "float32", [1, 1.5, 2]),
        ((0,), "int64", []),
        ((2.5,), "float32", [0, 1, 2]),
        ((2**40, 2**40 + 2), "int64", [2**40, 2**40 + 1]),
    ],
)
def test_arange(lib, args, dtype, expected):
    x = lib.arange(*args)
    assert name_of(x.dtype) == dtype and x.tolist() == expected


def test_arange_by_name_and_type(lib):
    assert lib.arange(end=3).tolist() == [0, 1, 2]
    assert lib.arange(start=1, end=3).tolist() == [1, 2]
    assert lib.arange(3, dtype=lib.float64).dtype == lib.float64
    assert lib.arange(lib.tensor(3)).tolist() == [0, 1, 2]
    assert lib.arange(3.0, requires_grad=True).requires_grad


def test_linspace_logspace_eye_triangles(lib):
    assert lib.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert lib.linspace(3, -3, 4).tolist() == [3, 1, -1, -3]
    assert lib.linspace(0, 10, 3, dtype=lib.int64).tolist() == [0, 5, 10]
    assert lib.linspace(2, 3, 1).tolist() == [2] and lib.linspace(0, 1, 0).tolist() == []
    assert lib.logspace(0, 3, 4, base=2).tolist() == [1, 2, 4, 8]
    assert lib.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert lib.tril_indices(2, 3).tolist() == [[0, 1, 1], [0, 0, 1]]
    assert lib.triu_indices(2, 3, 1).tolist() == [[0, 0, 1], [1, 2, 2]]


@needs_torch
@settings(max_examples=60, deadline=None)
@given(st.floats(-100, 100), st.floats(-100, 100), st.integers(2, 40), st.sampled_from(["float32", "float64"]))
def test_linspace_is_torchs_to_the_last_bit(start, end, steps, dtype):
    ours = fw.linspace(start, end, steps, dtype=getattr(fw, dtype))
    theirs = torch.linspace(start, end, steps, dtype=getattr(torch, dtype))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-6 if dtype == "float32" else 1e-13, atol=1e-5)
    assert ours[0].item() == theirs[0].item() and ours[-1].item() == theirs[-1].item()


def test_like(lib):
    x = lib.ones(2, 3, dtype=lib.float64)
    assert lib.zeros_like(x).tolist() == [[0] * 3] * 2 and lib.zeros_like(x).dtype == lib.float64
    assert lib.ones_like(x, dtype=lib.int32).dtype == lib.int32
    assert lib.full_like(x, 7).tolist() == [[7] * 3] * 2
    assert lib.full_like(lib.zeros(2, dtype=lib.int64), 3.7).tolist() == [3, 3]
    assert lib.empty_like(x).shape == (2, 3)
    assert not lib.zeros_like(lib.ones(2, requires_grad=True)).requires_grad
    assert lib.zeros_like(x, requires_grad=True).requires_grad
    assert lib.zeros_like(x.t()).stride() == (1, 3), "the layout is kept"
    assert lib.ones_like(lib.ones(2, 3, 4).permute(2, 0, 1)).stride() == (1, 12, 4)
    assert lib.randn_like(x).dtype == lib.float64
    assert lib.randn_like(x, dtype=lib.float32).dtype == lib.float32
    assert lib.rand_like(x).shape == (2, 3)
    assert lib.randint_like(x, 5).dtype == lib.float64


def test_new(lib):
    x = lib.ones(2, dtype=lib.float64)
    assert x.new_ones(2, 3).tolist() == [[1] * 3] * 2 and x.new_ones(2, 3).dtype == lib.float64
    assert x.new_zeros((2,), dtype=lib.bool).tolist() == [False, False]
    assert x.new_full((2,), 7).tolist() == [7, 7]
    assert x.new_empty((2, 0)).shape == (2, 0)
    assert x.new_tensor([1, 2]).dtype == lib.float64
    assert x.new_tensor(3.5, dtype=lib.float32).item() == 3.5
    assert x.new_ones((2,), requires_grad=True).requires_grad
    assert x.new_ones(2, device="cpu").device == lib.device("cpu")
    assert not lib.ones(1, requires_grad=True).new_zeros(2).requires_grad


def test_random_shapes_types_and_ranges(lib):
    lib.manual_seed(0)
    assert lib.rand(2, 3).shape == lib.randn((2, 3)).shape == (2, 3)
    assert lib.randn(()).shape == ()
    assert lib.rand(2, dtype=lib.float64).dtype == lib.float64
    u = lib.rand(1000)
    assert u.min().item() >= 0 and u.max().item() < 1 and abs(u.mean().item() - 0.5) < 0.05
    n = lib.randn(1000)
    assert abs(n.mean().item()) < 0.15 and abs(n.std().item() - 1) < 0.1
    i = lib.randint(3, 7, (1000,))
    assert i.dtype == lib.int64 and sorted(set(i.tolist())) == [3, 4, 5, 6]
    assert lib.randint(5, (2, 2)).shape == (2, 2)
    assert sorted(lib.randperm(10).tolist()) == list(range(10))
    assert lib.randperm(3, dtype=lib.int32).dtype == lib.int32
    assert set(lib.bernoulli(lib.full((100,), 0.5)).tolist()) == {0.0, 1.0}
    assert lib.multinomial(lib.tensor([0.0, 1.0, 0.0]), 3, replacement=True).tolist() == [1, 1, 1]
    assert lib.normal(5.0, 0.0, (2,)).tolist() == [5, 5]
    assert lib.normal(lib.tensor([1.0, 2.0]), lib.zeros(2)).tolist() == [1, 2]


def test_manual_seed_repeats(lib):
    lib.manual_seed(3)
    first = [lib.rand(3).tolist(), lib.randn(20).tolist(), lib.randperm(5).tolist()]
    lib.manual_seed(3)
    assert first == [lib.rand(3).tolist(), lib.randn(20).tolist(), lib.randperm(5).tolist()]


def test_recorded_random_numbers(lib):
    lib.manual_seed(0)
    assert lib.rand(3).tolist() == pytest.approx([0.4962565899, 0.7682217956, 0.0884774327], abs=1e-9)
    lib.manual_seed(0)
    assert lib.randn(2).tolist() == pytest.approx([1.5409961, -0.2934289], abs=1e-6)
    lib.manual_seed(0)
    assert lib.randint(0, 10, (5,)).tolist() == [4, 9, 3, 0, 3]
    lib.manual_seed(0)
    assert lib.randperm(5).tolist() == [4, 0, 1, 3, 2]


CREATION_ERRORS = [
    (lambda t: t.zeros(), TypeError, 'missing 1 required positional arguments: "size"'),
    (lambda t: t.zeros(1.5), TypeError, "argument 'size' .*must be tuple of ints, not float"),
    (lambda t: t.zeros("a"), TypeError, "argument 'size' .*must be tuple of ints, not str"),
    (lambda t: t.zeros([1, None]), TypeError, "argument 'size' .*NoneType"),
    (lambda t: t.zeros(2, foo=1), TypeError, r"zeros\(\) got an unexpected keyword argument 'foo'"),
    (lambda t: t.zeros(2, dtype="a"), TypeError, "argument 'dtype' must be torch.dtype, not str"),
    (lambda t: t.zeros(-1), RuntimeError, "negative"),
    (lambda t: t.ones(2).new_ones(-2), RuntimeError, "negative dimension -2"),
    (lambda t: t.ones(2).new_zeros(), TypeError, 'missing 1 required positional arguments: "size"'),
    (lambda t: t.ones(2).new_zeros(2, foo=1), TypeError, "unexpected keyword argument 'foo'"),
    (lambda t: t.full((2,), "a"), TypeError, "argument 'fill_value' .* must be Number, not str"),
    (lambda t: t.full(2, 3), TypeError, "argument 'size' .*must be tuple of ints, not int"),
    (lambda t: t.arange(0, 5, 0), RuntimeError, "step must be nonzero"),
    (lambda t: t.arange(5, 0), RuntimeError, "upper bound and lower bound inconsistent with step sign"),
    (lambda t: t.arange(float("inf")), RuntimeError, "unsupported range: 0 -> inf"),
    (lambda t: t.arange("a"), TypeError, "str"),
    (lambda t: t.arange(3, requires_grad=True), RuntimeError, "floating point"),
    (lambda t: t.linspace(0, 1, -1), RuntimeError, "number of steps must be non-negative"),
    (lambda t: t.linspace(0, 1, 2.5), TypeError, "float"),
    (lambda t: t.eye(-1), RuntimeError, "n must be greater or equal to 0, got -1"),
    (
        lambda t: t.zeros_like([1]),
        TypeError,
        r"zeros_like\(\): argument 'input' \(position 1\) must be Tensor, not list",
    ),
    (lambda t: t.from_numpy([1]), TypeError, r"expected np.ndarray \(got list\)"),
    (lambda t: t.from_numpy(np.array(["a"])), TypeError, "can't convert np.ndarray of type"),
    (lambda t: t.from_numpy(np.ones(3)[::-1]), ValueError, "At least one stride in the given numpy array is negative"),
    (lambda t: t.rand(2, dtype=t.int64), RuntimeError, "int64|Long"),
    (lambda t: t.randint(5, 5, (2,)), RuntimeError, "random_ expects 'from' to be less than 'to'"),
    (lambda t: t.randperm(-1), RuntimeError, "negative"),
    (lambda t: t.bernoulli(t.tensor([1.5])), RuntimeError, r"p_in >= 0|\[0, 1\]"),
    (lambda t: t.multinomial(t.tensor([0.0, 0.0]), 1), RuntimeError, "invalid multinomial distribution"),
    (lambda t: t.multinomial(t.tensor([-1.0, 2.0]), 1), RuntimeError, "probability tensor contains either"),
    (lambda t: t.normal(0.0, -1.0, (2,)), RuntimeError, "normal expects std >= 0.0, but found std -1"),
    (lambda t: t.normal(t.zeros(2), t.ones(3)), RuntimeError, "2.*3"),
]


@pytest.mark.parametrize("number", range(len(CREATION_ERRORS)))
def test_creation_errors(lib, number):
    make, error, message = CREATION_ERRORS[number]
    with pytest.raises(error, match=message):
        make(lib)


# --- types --------------------------------------------------------------------------------------------------------

ALL_TYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
ALL_TYPES += ["complex64", "complex128"]


@pytest.mark.parametrize(
    "a, b, expected",
    [
        ("bool", "uint8", "uint8"),
        ("uint8", "int8", "int16"),
        ("int32", "int64", "int64"),
        ("int64", "float16", "float16"),
        ("float16", "bfloat16", "float32"),
        ("bfloat16", "float32", "float32"),
        ("float32", "float64", "float64"),
        ("float64", "complex64", "complex128"),
        ("int64", "complex64", "complex64"),
        ("float16", "complex64", "complex64"),
        ("uint8", "float32", "float32"),
    ],
)
def test_promotion_of_tensors(lib, a, b, expected):
    x, y = lib.ones(2, dtype=getattr(lib, a)), lib.ones(2, dtype=getattr(lib, b))
    assert name_of((x + y).dtype) == name_of((y + x).dtype) == expected
    assert name_of(lib.promote_types(x.dtype, y.dtype)) == expected
    assert name_of(lib.result_type(x, y)) == expected


@pytest.mark.parametrize(
    "a, value, expected",
    [
        ("int32", 2, "int32"),
        ("int32", 2.5, "float32"),
        ("uint8", 300, "uint8"),
        ("float32", 2.5, "float32"),
        ("float16", 2.5, "float16"),
        ("float64", 2, "float64"),
        ("bool", 2, "int64"),
        ("bool", True, "bool"),
        ("int64", True, "int64"),
        ("float32", 1j, "complex64"),
        ("float64", 1j, "complex128"),
        ("int64", 1j, "complex64"),
        ("bfloat16", 1, "bfloat16"),
    ],
)
def test_promotion_with_numbers(lib, a, value, expected):
    x = lib.ones(2, dtype=getattr(lib, a))
    assert name_of((x + value).dtype) == name_of((value * x).dtype) == expected
    assert name_of(lib.result_type(x, value)) == expected


@pytest.mark.parametrize(
    "dimensioned, scalar, expected",
    [
        ("float32", "float64", "float32"),
        ("int32", "int64", "int32"),
        ("int32", "float64", "float64"),
        ("float32", "int64", "float32"),
        ("float16", "float32", "float16"),
        ("float32", "complex128", "complex64"),
        ("bool", "int8", "int8"),
        ("uint8", "int64", "uint8"),
    ],
)
def test_a_tensor_without_dimensions_counts_less(lib, dimensioned, scalar, expected):
    x, y = lib.ones(2, dtype=getattr(lib, dimensioned)), lib.ones((), dtype=getattr(lib, scalar))
    assert name_of((x + y).dtype) == name_of((y + x).dtype) == expected


@needs_torch
@pytest.mark.parametrize("operation", ["add", "mul", "div", "pow", "maximum", "eq", "floor_divide", "where", "sub"])
def test_promotion_is_torchs_for_all_pairs(operation):
    def apply(lib, a, b, dims):
        x, y = (lib.ones(d, dtype=getattr(lib, n)) for n, d in zip((a, b), dims, strict=True))
        if operation == "where":
            return lib.where(lib.ones(2, dtype=lib.bool), x, y)
        return getattr(lib, operation)(x, y)

    compared = 0
    for a, b in itertools.product(ALL_TYPES, ALL_TYPES):
        for dims in itertools.product([(2,), ()], repeat=2):
            try:
                with warnings.catch_warnings(action="ignore"):  # complex32 is experimental in torch; there is none here
                    expected = name_of(apply(torch, a, b, dims).dtype)
            except RuntimeError:
                continue
            if expected != "complex32":
                assert name_of(apply(fw, a, b, dims).dtype) == expected, (a, b, dims)
                compared += 1
    assert compared > 200


def test_division_of_integers_is_true_division(lib):
    x = lib.tensor([7, -7])
    assert (x / 2).tolist() == [3.5, -3.5] and (x / 2).dtype == lib.float32
    assert (x // 2).tolist() == [3, -4] and (x // 2).dtype == lib.int64
    assert (x % 4).tolist() == [3, 1]
    assert lib.div(x, 2, rounding_mode="trunc").tolist() == [3, -3]


def test_functions_of_integers_give_the_default_type(lib):
    x = lib.tensor([1, 4])
    assert x.sqrt().dtype == x.exp().dtype == lib.float32
    assert x.sqrt().tolist() == [1, 2]
    assert x.sum().dtype == lib.int64 and x.bool().sum().dtype == lib.int64
    assert lib.tensor([1, 2], dtype=lib.int8).sum().dtype == lib.int64
    assert lib.tensor([1, 2], dtype=lib.int8).cumsum(0).dtype == lib.int64


def test_the_default_type(lib):
    assert lib.get_default_dtype() == lib.float32
    lib.set_default_dtype(lib.float64)
    try:
        assert lib.tensor(1.5).dtype == lib.zeros(1).dtype == lib.rand(1).dtype == lib.float64
        assert (lib.tensor([1]) / 2).dtype == lib.float64
        assert lib.tensor(1j).dtype == lib.complex128
    finally:
        lib.set_default_dtype(lib.float32)
    for wrong in (lib.int32, "a"):
        with pytest.raises(TypeError, match="only floating-point types are supported as the default type"):
            lib.set_default_dtype(wrong)


def test_dtype_objects(lib):
    assert str(lib.float32) == repr(lib.float32) == "torch.float32"
    assert lib.float is lib.float32 and lib.double is lib.float64 and lib.long is lib.int64 and lib.half is lib.float16
    assert lib.int is lib.int32 and lib.short is lib.int16 and lib.cfloat is lib.complex64
    assert lib.float16.is_floating_point and not lib.int8.is_floating_point
    assert lib.complex64.is_complex and lib.int8.is_signed and not lib.uint8.is_signed
    assert lib.int16.itemsize == 2
    assert lib.float64.to_complex() == lib.complex128 and lib.complex64.to_real() == lib.float32
    assert pickle.loads(pickle.dumps(lib.float32)) is lib.float32
    assert copy.deepcopy(lib.float32) is lib.float32
    assert lib.finfo(lib.float32).eps == 2**-23 and lib.finfo(lib.float64).bits == 64
    assert lib.iinfo(lib.int8).max == 127 and lib.iinfo(lib.uint8).min == 0
    assert lib.can_cast(lib.int32, lib.float32) and not lib.can_cast(lib.float32, lib.int32)
    with pytest.raises(TypeError, match="floating point input type"):
        lib.finfo(lib.int32)
    with pytest.raises(TypeError, match="integer input type"):
        lib.iinfo(lib.float32)


# --- NumPy --------------------------------------------------------------------------------------------------------


def test_numpy_shares_memory_both_ways(lib):
    x = lib.ones(3)
    array = x.numpy()
    x.add_(1)
    assert array.tolist() == [2, 2, 2]
    array[0] = 7
    assert x.tolist() == [7, 2, 2]
    np.add(array, 1, out=array)
    assert x.tolist() == [8, 3, 3]
    assert isinstance(array, np.ndarray) and array.dtype == np.float32


def test_from_numpy_shares_memory_both_ways(lib):
    array = np.ones(3)
    x = lib.from_numpy(array)
    np.add(array, 1, out=array)
    assert x.tolist() == [2, 2, 2] and x.dtype == lib.float64
    x.add_(1)
    assert array.tolist() == [3, 3, 3]


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"])
def test_numpy_types(lib, dtype):
    array = np.ones((2, 3), dtype=dtype)
    x = lib.from_numpy(array)
    assert name_of(x.dtype) == dtype
    assert x.numpy().dtype == array.dtype
    assert lib.from_numpy(array.T).stride() == (1, 3)
    assert lib.from_numpy(array[:, ::2]).stride() == (3, 2)


def test_numpy_of_views_and_strides(lib):
    x = lib.arange(6).reshape(2, 3)
    x.t().numpy()[0, 1] = 50
    assert x.tolist() == [[0, 1, 2], [50, 4, 5]]
    assert x[:, 1].numpy().tolist() == [1, 4]


def test_numpy_refuses_tensors_that_require_grad(lib):
    x = lib.ones(2, requires_grad=True)
    message = r"Can't call numpy\(\) on Tensor that requires grad. Use tensor.detach\(\).numpy\(\) instead"
    with pytest.raises(RuntimeError, match=message):
        x.numpy()
    with pytest.raises(RuntimeError, match=message):
        np.asarray(x * 2)
    assert x.detach().numpy().tolist() == x.numpy(force=True).tolist() == [1, 1]


def test_a_read_only_array(lib):
    array = np.ones(2)
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="The given NumPy array is not writable"):
        assert lib.from_numpy(array).tolist() == [1, 1]


def test_numpys_functions_take_tensors(lib):
    x = lib.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.asarray(x).tolist() == x.tolist()
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    assert np.allclose(x, x.numpy())
    assert np.stack([x, x]).shape == (2, 2, 2)
    np.testing.assert_allclose(x, [[1, 2], [3, 4]])


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")  # torch's own
def test_numpys_functions_of_tensors_give_tensors(lib):
    x = lib.tensor([0.0, 4.0])
    assert lib.is_tensor(np.sqrt(x)) and np.sqrt(x).tolist() == [0, 2]
    assert lib.is_tensor(x * np.ones(2)) and (x * np.ones(2)).dtype == lib.float64
    with pytest.raises(TypeError, match="unsupported operand"):
        np.ones(2) * x


def test_numbers_of_numpy_are_numbers(lib):
    x = lib.ones(2)
    assert (x * np.float64(2)).dtype == (np.float64(2) * x).dtype == lib.float32
    assert (np.int64(2) + x).tolist() == [3, 3]


def test_dlpack(lib):
    x = lib.ones(3)
    array = np.from_dlpack(x)
    x.add_(1)
    assert array.tolist() == [2, 2, 2]
    array = np.ones(3)
    y = lib.from_dlpack(array)
    array[0] = 5
    assert y.tolist() == [5, 1, 1]
    with pytest.raises(BufferError, match="require"):
        lib.ones(1, requires_grad=True).__dlpack__()


@needs_torch
def test_dlpack_with_torch():
    ours = fw.arange(4.0)
    theirs = torch.from_dlpack(ours)
    theirs.add_(1)
    assert ours.tolist() == [1, 2, 3, 4]
    back = fw.from_dlpack(theirs)
    back.mul_(2)
    assert ours.tolist() == [2, 4, 6, 8]


# --- Python's protocols -------------------------------------------------------------------------------------------


def test_item_and_tolist(lib):
    assert lib.tensor(3).item() == 3 and type(lib.tensor(3).item()) is int
    assert type(lib.tensor(3.0).item()) is float and type(lib.tensor(True).item()) is bool
    assert type(lib.tensor(1j).item()) is complex
    assert lib.tensor([[2.5]]).item() == 2.5
    assert type(lib.tensor(1.5, dtype=lib.bfloat16).item()) is float
    assert lib.tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert lib.tensor(2).tolist() == 2 and lib.zeros(2, 0).tolist() == [[], []]
    assert lib.tensor([1.5], dtype=lib.bfloat16).tolist() == [1.5]
    for size in (0, 2):
        with pytest.raises(RuntimeError, match=f"a Tensor with {size} elements cannot be converted to Scalar"):
            lib.zeros(size).item()


def test_len_and_iteration(lib):
    x = lib.arange(6).reshape(2, 3)
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[0, 1, 2], [3, 4, 5]]
    assert [row.tolist() for row in reversed(x)] == [[3, 4, 5], [0, 1, 2]]
    a, b = x
    assert b.tolist() == [3, 4, 5]
    a[0] = 9
    assert x[0, 0].item() == 9, "rows are views"
    assert list(lib.zeros(0)) == []
    with pytest.raises(TypeError, match=r"len\(\) of a 0-d tensor"):
        len(lib.tensor(1))
    with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
        iter(lib.tensor(1))


def test_truth(lib):
    assert lib.tensor(1) and lib.tensor([0.5]) and not lib.tensor(0) and not lib.tensor([[False]])
    with pytest.raises(RuntimeError, match="Boolean value of Tensor with more than one value is ambiguous"):
        bool(lib.ones(2))
    with pytest.raises(RuntimeError, match="Boolean value of Tensor with no values is ambiguous"):
        bool(lib.zeros(0))


def test_conversion_to_numbers(lib):
    assert int(lib.tensor(3.7)) == 3 and float(lib.tensor([3])) == 3.0 and complex(lib.tensor(2.0)) == 2
    assert list(range(lib.tensor(3))) == [0, 1, 2]
    assert [10, 20, 30][lib.tensor(1)] == 20
    assert hex(lib.tensor(255)) == "0xff"
    for convert in (int, float, complex):
        with pytest.raises(ValueError, match="only one element tensors can be converted to Python scalars"):
            convert(lib.ones(2))
    with pytest.raises(RuntimeError, match="value cannot be converted to type double without overflow"):
        float(lib.tensor(1j))
    for wrong in (lib.tensor(1.0), lib.tensor([1, 2])):
        with pytest.raises(TypeError, match="only integer tensors of a single element can be converted to an index"):
            [1, 2, 3][wrong]


def test_contains(lib):
    x = lib.tensor([1.0, 2.5])
    assert 2.5 in x and 3 not in x and lib.tensor(1) in x
    with pytest.raises(RuntimeError, match=r"Tensor.__contains__ only supports Tensor or scalar, but you passed in a"):
        "a" in x  # noqa: B015


def test_equality_and_hash(lib):
    x = lib.tensor([1, 2])
    assert (x == lib.tensor([1, 3])).tolist() == [True, False]
    assert (x != 1).tolist() == [False, True]
    assert (x == "a") is False and (x != "a") is True and (x == None) is False  # noqa: E711
    y = lib.tensor([1, 2])
    assert len({x, y}) == 2 and {x: 1}[x] == 1
    assert x.equal(y) and not lib.equal(lib.ones(2), lib.ones(3))
    assert lib.allclose(lib.ones(2), lib.ones(2) + 1e-9)


def test_operators(lib):
    x = lib.tensor([2, 5])
    assert (-x).tolist() == [-2, -5] and (+x).tolist() == [2, 5] and abs(-x).tolist() == [2, 5]
    assert (~x).tolist() == [-3, -6] and (~lib.tensor([True])).tolist() == [False]
    assert (x & 4).tolist() == [0, 4] and (1 | x).tolist() == [3, 5] and (x ^ 1).tolist() == [3, 4]
    assert (x << 1).tolist() == [4, 10] and (x >> 1).tolist() == [1, 2] and (1 << x).tolist() == [4, 32]
    assert (3 - x).tolist() == [1, -2] and (2**x).tolist() == [4, 32] and (x**2).tolist() == [4, 25]
    assert (10 // x).tolist() == [5, 2] and (7 % x).tolist() == [1, 2] and (1 / x).tolist() == [0.5, pytest.approx(0.2)]
    assert (x > 2).tolist() == [False, True] and (2 >= x).tolist() == [True, False]  # noqa: SIM300
    assert (lib.ones(2, 2) @ lib.ones(2)).tolist() == [2, 2]
    assert sum([lib.tensor(1.0), lib.tensor(2.0)]).item() == 3
    assert max(lib.tensor(1), lib.tensor(2)).item() == 2


@pytest.mark.parametrize("other", ["a", [1, 2], None, {}])
def test_operators_with_what_is_no_number(lib, other):
    for operate in (
        lambda x: x + other,
        lambda x: x * other,
        lambda x: x / other,
        lambda x: x < other,
        lambda x: x @ other,
    ):
        with pytest.raises(TypeError):
            operate(lib.ones(2))


def test_operators_leave_it_to_an_operand_that_knows_better(lib):
    class Unit:
        def __radd__(self, other):
            return "added"

        def __rmatmul__(self, other):
            return "multiplied"

        def __lt__(self, other):
            return "compared"

    x = lib.ones(2)
    assert (x + Unit(), x @ Unit(), x > Unit()) == ("added", "multiplied", "compared")
    assert [0] * lib.tensor(3) == [0, 0, 0]
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+: 'Tensor' and 'str'"):
        x + "a"


def test_format(lib):
    assert f"{lib.tensor(3.14159):.2f}" == "3.14"
    assert f"{lib.tensor(3.14159, requires_grad=True):.2f}" == "3.14"
    assert f"{lib.tensor(3)}" == "3" and f"{lib.tensor(3):5d}" == "    3"
    assert f"{lib.tensor(True)}" == "True"
    assert f"{lib.tensor(3.5)}" == "3.5"
    assert f"{lib.tensor([1.0, 2.0])}" == "tensor([1., 2.])"
    assert "%.2f" % lib.tensor(3.5) == "3.50"  # noqa: UP031
    with pytest.raises(TypeError, match=r"unsupported format string passed to Tensor.__format__"):
        f"{lib.ones(2):.2f}"


def test_copy_and_deepcopy(lib):
    x = lib.arange(4.0).requires_grad_()
    x.grad = lib.ones(4)
    shallow, deep = copy.copy(x), copy.deepcopy(x)
    assert deep.tolist() == x.tolist() and deep.requires_grad and deep.is_leaf
    assert deep.grad.tolist() == [1] * 4 and deep.grad is not x.grad
    with lib.no_grad():
        x[0] = 9
    assert deep[0].item() == 0 and shallow.tolist()[1:] == x.tolist()[1:]
    x.note = "kept"
    assert copy.deepcopy(x).note == "kept"
    a, b = copy.deepcopy([x, x])
    assert a is b
    assert copy.deepcopy(lib.arange(6).reshape(2, 3).t()).stride() == (1, 3)
    with pytest.raises(
        RuntimeError, match=r"Only Tensors created explicitly by the user .* support the deepcopy protocol"
    ):
        copy.deepcopy(x * 2)


def test_pickle(lib):
    x = lib.arange(6.0).reshape(2, 3).t().requires_grad_()
    y = pickle.loads(pickle.dumps(x))
    assert y.tolist() == x.tolist() and y.requires_grad and y.dtype == x.dtype and type(y) is lib.Tensor
    assert y.stride() == x.stride()
    for dtype in ("bool", "int8", "float16", "bfloat16", "complex64"):
        z = lib.ones(2, dtype=getattr(lib, dtype))
        again = pickle.loads(pickle.dumps(z))
        assert again.dtype == z.dtype and again.tolist() == z.tolist()
    again.add_(1)
    assert again.tolist() == [2, 2]


# --- shape --------------------------------------------------------------------------------------------------------


def test_size(lib):
    x = lib.zeros(2, 3)
    assert isinstance(x.size(), tuple) and x.size() == x.shape == (2, 3)
    assert x.size(1) == x.size(-1) == 3
    assert repr(x.shape) == "torch.Size([2, 3])"
    assert repr(x.shape[:1]) == "torch.Size([2])" and x.shape + (1,) == (2, 3, 1)
    assert x.shape.numel() == x.numel() == x.nelement() == 6
    rows, columns = x.shape
    assert (rows, columns) == (2, 3)
    assert x.dim() == x.ndim == 2 and x.element_size() == x.itemsize == 4 and x.nbytes == 24
    assert lib.zeros(()).shape == () and lib.zeros(()).dim() == 0
    assert pickle.loads(pickle.dumps(x.shape)) == x.shape
    with pytest.raises(IndexError, match=r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)"):
        x.size(2)


def test_strides(lib):
    assert lib.zeros(2, 3, 4).stride() == (12, 4, 1)
    assert lib.zeros(2, 3).stride(0) == 3
    assert lib.zeros(0, 3).stride() == (3, 1)
    assert lib.zeros(2, 1, 3).stride() == (3, 3, 1)
    assert lib.zeros(()).stride() == ()


def test_view_with_a_size_to_infer(lib):
    x = lib.arange(6.0)
    assert x.view(-1, 2).shape == (3, 2)
    assert x.view(2, -1).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert x.reshape((3, -1)).shape == (3, 2)


def test_transposes(lib):
    x = lib.arange(24).reshape(2, 3, 4)
    assert x.mT.shape == (2, 4, 3) and x[0].T.tolist() == x[0].t().tolist()
    with pytest.warns(UserWarning, match="The use of `x.T` on tensors of dimension other than 2"):
        assert x.T.shape == (4, 3, 2)
    with pytest.raises(RuntimeError, match=r"t\(\) expects a tensor with <= 2 dimensions, but self is 3D"):
        x.t()


# --- type and place -----------------------------------------------------------------------------------------------


def test_to(lib):
    x = lib.tensor([1.7, -1.7])
    assert x.to(lib.float64).dtype == lib.float64
    assert x.to("cpu", lib.float64).dtype == lib.float64
    assert x.to(device="cpu", dtype=lib.int32).tolist() == [1, -1]
    assert x.to(lib.ones(1, dtype=lib.float64)).dtype == lib.float64
    assert x.to(lib.float32) is x and x.to("cpu") is x and x.float() is x and x.cpu() is x
    copied = x.to(lib.float32, copy=True)
    assert copied is not x and copied.data_ptr() != x.data_ptr()
    with pytest.raises(TypeError, match="invalid combination of arguments"):
        x.to([1])
    with pytest.raises(RuntimeError, match=r"Expected one of cpu, .*device type at start of device string: abc"):
        x.to("abc")


def test_to_is_differentiable(lib):
    x = lib.tensor([1.5, 2.5], requires_grad=True)
    y = x.to("cpu", lib.float64)
    assert y.requires_grad and not y.is_leaf
    (y * y).sum().backward()
    assert x.grad.tolist() == [3, 5] and x.grad.dtype == lib.float32


@pytest.mark.parametrize(
    "method, dtype",
    [
        ("float", "float32"),
        ("double", "float64"),
        ("half", "float16"),
        ("bfloat16", "bfloat16"),
        ("long", "int64"),
        ("int", "int32"),
        ("short", "int16"),
        ("char", "int8"),
        ("byte", "uint8"),
        ("bool", "bool"),
        ("cfloat", "complex64"),
        ("cdouble", "complex128"),
    ],
)
def test_named_conversions(lib, method, dtype):
    y = getattr(lib.tensor([0.0, 1.0]), method)()
    assert name_of(y.dtype) == dtype and y.tolist() == [0, 1]


def test_conversions_of_values(lib):
    assert lib.tensor([1.7, -1.7]).long().tolist() == [1, -1]
    assert lib.tensor([0.0, 2.0, math.nan]).bool().tolist() == [False, True, True]
    assert lib.tensor([300]).byte().tolist() == [44]
    assert lib.tensor([1.5, math.inf]).half().tolist() == [1.5, math.inf]


def test_type(lib):
    x = lib.tensor([1])
    assert x.type() == "torch.LongTensor" and lib.tensor([True]).type() == "torch.BoolTensor"
    assert x.type(lib.float32).dtype == x.type("torch.FloatTensor").dtype == x.type_as(lib.ones(1)).dtype == lib.float32
    assert lib.is_tensor(x) and not lib.is_tensor(3)
    assert isinstance(x, lib.Tensor)
    assert x.is_floating_point() is False and lib.ones(1).is_floating_point() is True


def test_devices(lib):
    x = lib.ones(2)
    assert x.device == lib.device("cpu") and x.device.type == "cpu" and x.device.index is None
    assert str(lib.device("cuda:1")) == "cuda:1" and lib.device("cuda", 1) == lib.device("cuda:1")
    assert repr(lib.device("cuda:1")) == "device(type='cuda', index=1)" and repr(x.device) == "device(type='cpu')"
    assert not x.is_cuda and x.get_device() == -1
    assert len({lib.device("cpu"), lib.device("cpu")}) == 1
    assert pickle.loads(pickle.dumps(lib.device("cuda:1"))) == lib.device("cuda:1")
    with pytest.raises(RuntimeError, match="Invalid device string: 'cuda:x'"):
        lib.device("cuda:x")
    with pytest.raises(RuntimeError, match="device type at start of device string: tpu"):
        lib.zeros(1, device="tpu")


@pytest.mark.skipif(fw.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_that_is_not_there():
    for use in (lambda: fw.ones(2).cuda(), lambda: fw.ones(2).to("cuda"), lambda: fw.zeros(2, device="cuda")):
        with pytest.raises(RuntimeError, match="CUDA is not available"):
            use()


# --- indexing -----------------------------------------------------------------------------------------------------


def test_indexing_by_ints_slices_and_none(lib):
    x = lib.arange(24).reshape(2, 3, 4)
    assert x[1, 2, 3].item() == 23 and x[-1, -1, -1].item() == 23
    assert x[:, 1].tolist() == [[4, 5, 6, 7], [16, 17, 18, 19]]
    assert x[..., 0].tolist() == [[0, 4, 8], [12, 16, 20]]
    assert x[0, 1:, ::2].tolist() == [[4, 6], [8, 10]]
    assert x[None].shape == (1, 2, 3, 4) and x[:, None, ..., None].shape == (2, 1, 3, 4, 1)
    assert x[5:].shape == (0, 3, 4) and x[1:0].shape == (0, 3, 4) and x[-10:10].shape == (2, 3, 4)
    assert x[lib.tensor(1), lib.tensor(2)].tolist() == [20, 21, 22, 23]
    assert x[np.int64(1)].shape == (3, 4)


def test_indexing_by_tensors_and_masks(lib):
    x = lib.arange(12).reshape(3, 4)
    assert x[lib.tensor([2, 0])].tolist() == [[8, 9, 10, 11], [0, 1, 2, 3]]
    assert x[[0, 2], [1, 3]].tolist() == [1, 11]
    assert x[:, [1, -1]].tolist() == [[1, 3], [5, 7], [9, 11]]
    assert x[lib.tensor([[0], [2]]), lib.tensor([1, 3])].tolist() == [[1, 3], [9, 11]]
    assert x[x > 8].tolist() == [9, 10, 11]
    assert x[lib.tensor([True, False, True]), 0].tolist() == [0, 8]
    assert x[x > 100].shape == (0,)
    assert x[np.array([1])].tolist() == [[4, 5, 6, 7]]
    assert x[True].shape == (1, 3, 4) and x[False].shape == (0, 3, 4)
    assert x[lib.tensor([], dtype=lib.long)].shape == (0, 4)


def test_ints_come_before_tensors(lib):
    """PyTorch applies an int and then the tensors; NumPy would move the dimension to the front."""
    x = lib.arange(24).reshape(2, 3, 4)
    assert x[0, :, [0, 1]].shape == (3, 2)
    assert x[:, [0, 1], 0].shape == (2, 2)
    assert x[[0, 1], :, [0, 1]].shape == (2, 3)


def test_assignment(lib):
    x = lib.zeros(3, 4)
    x[0] = 1
    x[1, ::2] = lib.tensor([5.0, 6.0])
    x[2, [0, 3]] = lib.tensor([7.0, 8.0])
    x[x == 1] = -1
    x[:, 1] = [1, 2, 3] if lib is fw else lib.tensor([1.0, 2.0, 3.0])
    assert x.tolist() == [[-1, 1, -1, -1], [5, 2, 6, 0], [7, 3, 0, 8]]
    x[...] = 0
    x[True] = 2
    assert x.tolist() == [[2] * 4] * 3


def test_assignment_converts_types(lib):
    x = lib.zeros(2, dtype=lib.int64)
    x[0] = 1.7
    x[1:] = lib.tensor([2.9])
    assert x.tolist() == [1, 2]
    y = lib.zeros(2)
    y[0] = lib.tensor(3)
    y[1] = True
    assert y.tolist() == [3, 1]


INDEX_ERRORS = [
    (lambda x, t: x[2], IndexError, "index 2 is out of bounds for dimension 0 with size 2"),
    (lambda x, t: x[0, 3], IndexError, "index 3 is out of bounds for dimension [01] with size 3"),
    (lambda x, t: x[0, 0, 0], IndexError, "too many indices for tensor of dimension 2"),
    (lambda x, t: x[::-1], ValueError, "step must be greater than zero"),
    (lambda x, t: x[1.5], IndexError, "indices"),
    (lambda x, t: x[t.ones(2)], IndexError, "tensors used as indices must be long, int, byte or bool tensors"),
    (lambda x, t: x[t.tensor([True] * 3)], IndexError, r"The shape of the mask \[3\] at index 0 does not match"),
    (lambda x, t: x[t.tensor([5])], IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
    (lambda x, t: x[[0, 1], [0, 1, 2]], IndexError, "shape mismatch: indexing .* could not be broadcast together"),
    (lambda x, t: t.tensor(3.0)[0], IndexError, "tensor|0-dim"),
    (lambda x, t: x.__setitem__(t.tensor([5]), 1), IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
    (lambda x, t: x.__setitem__((0, 3), 1), IndexError, "out of bounds"),
    (lambda x, t: x.__setitem__([0, 1], t.ones(3, 3)), RuntimeError, "shape mismatch|must match"),
    (lambda x, t: x.__setitem__(0, t.ones(2)), RuntimeError, "size"),
]


@pytest.mark.parametrize("number", range(len(INDEX_ERRORS)))
def test_index_errors(lib, number):
    use, error, message = INDEX_ERRORS[number]
    x = lib.zeros(2, 3)
    with pytest.raises(error, match=message):
        use(x, lib)
    assert x.tolist() == [[0] * 3] * 2


index_item = st.one_of(
    st.integers(-3, 2),
    st.builds(slice, *[st.none() | st.integers(-5, 5)] * 2, st.none() | st.integers(1, 3)),
    st.just(Ellipsis),
    st.none(),
    st.booleans(),
    st.lists(st.integers(-2, 1), min_size=1, max_size=3).map(lambda v: ("list", v)),
    st.lists(st.integers(-2, 1), min_size=0, max_size=4).map(lambda v: ("tensor", v)),
    st.lists(st.lists(st.integers(-2, 1), min_size=2, max_size=2), min_size=1, max_size=2).map(lambda v: ("tensor", v)),
    st.integers(-2, 1).map(lambda v: ("tensor", v)),
    st.lists(st.booleans(), min_size=2, max_size=3).map(lambda v: ("mask", v)),
    st.lists(st.booleans(), min_size=6, max_size=6).map(lambda v: ("mask", [v[:3], v[3:]])),
)
index_expression = st.one_of(index_item, st.lists(index_item, min_size=0, max_size=4).map(tuple)).filter(
    lambda e: not isinstance(e, tuple) or sum(i is Ellipsis for i in e) <= 1
)


def index_for(lib, expression):
    if isinstance(expression, tuple) and expression[:1] in (("list",), ("tensor",), ("mask",)):
        kind, values = expression
        if kind == "list":
            return values
        return lib.tensor(values, dtype=lib.bool if kind == "mask" else lib.int64)
    if isinstance(expression, tuple):
        return tuple(index_for(lib, item) for item in expression)
    return expression


def outcome_of(function, *args):
    try:
        return function(*args)
    except (IndexError, RuntimeError, ValueError, TypeError) as error:
        return type(error)


@needs_torch
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(index_expression)
def test_random_index_expressions_read_as_in_torch(expression):
    def read(lib):
        x = lib.arange(24.0, dtype=lib.float64).reshape(2, 3, 4).requires_grad_()
        y = x[index_for(lib, expression)]
        shares = y._is_view()
        (y * y.detach().cos()).sum().backward()
        return tuple(y.shape), y.tolist(), shares, x.grad.tolist()

    ours, theirs = outcome_of(read, fw), outcome_of(read, torch)
    assert ours == theirs


@needs_torch
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(index_expression, st.sampled_from(["number", "0-dim", "row", "same", "wrong", "repeated"]))
def test_random_index_expressions_write_as_in_torch(expression, kind):
    assume(expression is not False)  # PyTorch looks at nothing then, not even at the value

    def write(lib):
        index = index_for(lib, expression)
        x = lib.arange(24.0, dtype=lib.float64).reshape(2, 3, 4).requires_grad_()
        y = x * 1
        shape = tuple(y[index].shape)
        value = {
            "number": lambda: 5.5,
            "0-dim": lambda: lib.tensor(2.5, dtype=lib.float64, requires_grad=True),
            "row": lambda: lib.arange(1.0, 1.0 + (shape or (1,))[-1], dtype=lib.float64).requires_grad_(),
            "same": lambda: lib.arange(float(math.prod(shape)), dtype=lib.float64).reshape(shape).requires_grad_(),
            "wrong": lambda: lib.ones(5, 7, dtype=lib.float64),
            "repeated": lambda: lib.ones((1,) * len(shape), dtype=lib.float64, requires_grad=True),
        }[kind]()
        y[index] = value
        (y * y.detach().cos()).sum().backward()
        grad = value.grad if lib.is_tensor(value) and value.requires_grad else None
        return y.tolist(), x.grad.tolist(), None if grad is None else grad.tolist()

    ours, theirs = outcome_of(write, fw), outcome_of(write, torch)
    if repeats(expression):  # which of several values stays is open: compare what is not written, and the errors
        assert isinstance(ours, type) == isinstance(theirs, type)
        return
    if isinstance(ours, type) or isinstance(theirs, type):
        assert ours == theirs
        return
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        assert a is None or np.allclose(a, b, rtol=1e-12)


def repeats(expression):
    """Whether an index may name one element twice."""
    items = expression if isinstance(expression, tuple) and expression[:1] != ("tensor",) else (expression,)
    for item in items:
        if isinstance(item, tuple) and item[:1] in (("list",), ("tensor",)):
            values = np.asarray(item[1]).reshape(-1) % 2
            if len(set(values.tolist())) < values.size:
                return True
    return (
        isinstance(expression, tuple)
        and expression[:1] == ("list",)
        and len({v % 2 for v in expression[1]}) < len(expression[1])
    )


# --- errors -------------------------------------------------------------------------------------------------------

ERRORS = [
    # shapes
    (
        lambda t: t.ones(2, 3) + t.ones(2, 2),
        RuntimeError,
        r"size of tensor a \(3\) must match the size of tensor b \(2\)",
    ),
    (lambda t: t.ones(2, 3) @ t.ones(2, 3), RuntimeError, r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 2x3\)"),
    (lambda t: t.bmm(t.ones(2, 3), t.ones(2, 3)), RuntimeError, "batch1 must be a 3D tensor"),
    (lambda t: t.dot(t.ones(2), t.ones(3)), RuntimeError, "2.*3"),
    (lambda t: t.ones(2, 3).view(4), RuntimeError, r"shape '\[4\]' is invalid for input of size 6"),
    (lambda t: t.ones(2, 3).view(-1, -1), RuntimeError, "only one dimension can be inferred"),
    (lambda t: t.ones(2, 3).reshape(-1, 4), RuntimeError, r"shape '\[-1, 4\]' is invalid for input of size 6"),
    (
        lambda t: t.ones(2, 3).expand(2, 4),
        RuntimeError,
        r"expanded size of the tensor \(4\) must match the existing size",
    ),
    (lambda t: t.ones(2, 3).expand(3), RuntimeError, "number of sizes provided"),
    (lambda t: t.cat([t.ones(2, 3), t.ones(2, 2)]), RuntimeError, "Sizes of tensors must match except in dimension 0"),
    (lambda t: t.cat([t.ones(2), t.ones(2, 2)]), RuntimeError, "same number of dimensions"),
    (lambda t: t.cat([]), (RuntimeError, ValueError), "expected a non-empty list of Tensors"),
    (lambda t: t.stack([t.ones(2), t.ones(3)]), RuntimeError, "stack expects each tensor to be equal size"),
    (lambda t: t.ones(2, 3).split([1, 2]), RuntimeError, "split_with_sizes expects split_sizes to sum exactly to 2"),
    (lambda t: t.ones(2).narrow(0, 1, 2), RuntimeError, "exceeds dimension size"),
    (lambda t: t.ones(2, 2).repeat(2), RuntimeError, "Number of dimensions of repeat dims can not be smaller"),
    (lambda t: t.ones(2).unfold(0, 3, 1), RuntimeError, "maximum size for tensor at dimension 0 is 2 but size is 3"),
    (lambda t: t.ones(2, 2, 2).diag(), RuntimeError, "3D"),
    # axes
    (
        lambda t: t.ones(2, 3).sum(2),
        IndexError,
        r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2",
    ),
    (lambda t: t.ones(2, 2).sum((0, 0)), RuntimeError, "dim 0 appears multiple times in the list of dims"),
    (lambda t: t.ones(2, 3).permute(0, 0), RuntimeError, "duplicate dims are not allowed"),
    (lambda t: t.ones(2, 3).permute(0), RuntimeError, "number of dimensions"),
    (lambda t: t.ones(2, 3).transpose(0, 2), IndexError, "Dimension out of range"),
    (lambda t: t.ones(2, 3).squeeze(5), IndexError, "Dimension out of range"),
    (lambda t: t.ones(2).unsqueeze(3), IndexError, r"expected to be in range of \[-2, 1\], but got 3"),
    (lambda t: t.ones(2).flip(2), IndexError, "Dimension out of range"),
    (lambda t: t.ones(2, 2).diagonal(0, 0, 0), RuntimeError, "diagonal dimensions cannot be identical 0, 0"),
    (lambda t: t.zeros(0).max(), RuntimeError, "max.*(dim|numel)"),
    (lambda t: t.zeros(0).argmax(), IndexError, "Expected reduction dim to be specified for input.numel"),
    # types
    (lambda t: t.ones(2, dtype=t.int64).mean(), RuntimeError, "Got: Long"),
    (lambda t: t.ones(2, dtype=t.bool) - t.ones(2, dtype=t.bool), RuntimeError, "two bool tensors is not supported"),
    (lambda t: -t.ones(2, dtype=t.bool), RuntimeError, "on a bool tensor is not supported"),
    (lambda t: ~t.ones(2), TypeError, "only implemented on integer and Boolean-type tensors"),
    (lambda t: t.ones(2) & t.ones(2), RuntimeError, "not implemented for"),
    (lambda t: t.mm(t.ones(2, 2), t.ones(2, 2, dtype=t.float64)), RuntimeError, "dtype"),
    (lambda t: t.ones(2).masked_fill(t.ones(2), 0), RuntimeError, "only supports boolean masks"),
    (lambda t: t.ones(2).gather(0, t.tensor([0.0])), RuntimeError, r"gather\(\): Expected dtype int"),
    (
        lambda t: t.ones(2).scatter(0, t.tensor([0]), t.ones(1, dtype=t.float64)),
        RuntimeError,
        "self.dtype to be equal to src",
    ),
    (lambda t: t.ones(2, 2).dot(t.ones(2)), RuntimeError, "1D tensors expected"),
    # indices
    (
        lambda t: t.ones(2).gather(0, t.tensor([5])),
        RuntimeError,
        "index 5 is out of bounds for dimension 0 with size 2",
    ),
    (lambda t: t.ones(2).index_select(0, t.tensor([3])), (IndexError, RuntimeError), "out of range|out of bounds"),
    (lambda t: t.ones(2).select(0, 5), IndexError, "index 5 out of range for tensor of size"),
    # arguments
    (lambda t: t.exp(3), TypeError, r"exp\(\): argument 'input' \(position 1\) must be Tensor, not int"),
    (lambda t: t.ones(2).add(None), TypeError, "NoneType"),
    (lambda t: t.ones(2).softmax(), TypeError, "missing 1 required positional argument"),
    (lambda t: t.ones(2).sum(foo=1), TypeError, "foo"),
    (lambda t: t.div(t.ones(2), 2, rounding_mode="up"), RuntimeError, "rounding_mode to be one of"),
    (lambda t: t.ones(2).clamp(), RuntimeError, "At least one of 'min' or 'max' must not be None"),
    (lambda t: t.tensor([1]) // 0, RuntimeError, "ZeroDivisionError"),
    (lambda t: t.ones(2).foo, AttributeError, "'Tensor' object has no attribute 'foo'"),
    (lambda t: t.foo, AttributeError, "has no attribute 'foo'"),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(lib, number):
    use, error, message = ERRORS[number]
    with pytest.raises(error, match=message):
        use(lib)


# --- out= ---------------------------------------------------------------------------------------------------------


def test_out(lib):
    x, y, z = lib.tensor([1.0, 2.0]), lib.tensor([3.0, 4.0]), lib.empty(2)
    assert lib.add(x, y, out=z) is z and z.tolist() == [4, 6]
    lib.exp(x * 0, out=z)
    lib.add(z, z, out=z)
    assert z.tolist() == [2, 2] and z._version == 3
    wide = lib.empty(2, dtype=lib.float64)
    assert lib.mul(x, y, out=wide).tolist() == [3, 8] and wide.dtype == lib.float64
    row = lib.zeros(2, 2)
    lib.add(x, y, out=row[1])
    assert row.tolist() == [[0, 0], [4, 6]]
    assert lib.cat([x, y], out=lib.empty(4)).tolist() == [1, 2, 3, 4]
    values, indices = lib.empty(1), lib.empty(1, dtype=lib.long)
    lib.max(x[None], 1, out=(values, indices))
    assert values.tolist() == [2] and indices.tolist() == [1]
    assert lib.zeros(2, out=z) is z and z.tolist() == [0, 0]


def test_out_grows_when_empty_and_warns_otherwise(lib):
    x = lib.ones(2)
    z = lib.empty(0)
    lib.add(x, 1, out=z)
    assert z.tolist() == [2, 2]
    with pytest.warns(UserWarning, match="An output with one or more elements was resized since it had shape"):
        lib.add(lib.ones(3), 1, out=z)
    assert z.tolist() == [2, 2, 2]


def test_out_errors(lib):
    x = lib.ones(2)
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        lib.add(x, 1, out=lib.empty(2, dtype=lib.int64))
    message = "functions with out=... arguments don't support automatic differentiation"
    g = lib.ones(2, requires_grad=True)
    for use in (
        lambda: lib.add(g, 1, out=lib.empty(2)),
        lambda: lib.add(x, 1, out=g),
        lambda: lib.cat([x, g], out=lib.empty(4)),
    ):
        with pytest.raises(RuntimeError, match=message):
            use()
    with lib.no_grad():
        assert lib.add(g, 1, out=lib.empty(2)).tolist() == [2, 2]


# --- the functions that the issue names ---------------------------------------------------------------------------


def test_gather_agrees_and_differentiates(lib):
    x = lib.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = lib.gather(x, 1, lib.tensor([[0, 0], [1, 0]]))
    assert y.tolist() == [[1, 1], [4, 3]]
    (y * lib.tensor([[1.0, 10.0], [100.0, 1000.0]])).sum().backward()
    assert x.grad.tolist() == [[11, 0], [1000, 100]]


@pytest.mark.parametrize("largest, expected, grad", [(True, [5, 4], [0, 2, 1, 0]), (False, [1, 3], [1, 0, 0, 2])])
def test_topk_agrees_and_differentiates(lib, largest, expected, grad):
    x = lib.tensor([1.0, 4.0, 5.0, 3.0], requires_grad=True)
    values, indices = lib.topk(x, 2, largest=largest)
    assert values.tolist() == expected
    assert x.detach()[indices].tolist() == expected
    (values * lib.tensor([1.0, 2.0])).sum().backward()
    assert x.grad.tolist() == grad
    unsorted = lib.topk(x, 2, largest=largest, sorted=False).values
    assert sorted(unsorted.tolist()) == sorted(expected)


def test_shape_functions_differentiate(lib):
    x = lib.tensor([[[1.0, 2.0, 3.0]]], requires_grad=True)
    assert x.squeeze().shape == (3,) and x.squeeze(0).shape == (1, 3)
    (x.squeeze().unsqueeze(1).t().transpose(0, 1) * lib.tensor([[1.0], [2.0], [3.0]])).sum().backward()
    assert x.grad.tolist() == [[[1, 2, 3]]]


def test_max_and_min_agree_and_differentiate(lib):
    x = lib.tensor([[1.0, 5.0], [7.0, 2.0]], requires_grad=True)
    values, indices = x.max(1)
    assert values.tolist() == [5, 7] and indices.tolist() == [1, 0]
    lowest = lib.min(x, dim=0)
    assert lowest.values.tolist() == [1, 2] and lowest.indices.tolist() == [0, 1]
    (values.sum() + 10 * lowest.values.sum() + 100 * x.max() + 1000 * x.min()).backward()
    assert x.grad.tolist() == [[1010, 1], [101, 10]]


def test_isnan_eye_and_diag(lib):
    assert lib.isnan(lib.tensor([1.0, math.nan])).tolist() == [False, True]
    x = lib.eye(2, requires_grad=True)
    (lib.diag(x) * lib.tensor([2.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [[2, 0], [0, 3]]
    v = lib.tensor([1.0, 2.0], requires_grad=True)
    assert lib.diag(v).tolist() == [[1, 0], [0, 2]]
    (lib.diag(v) * lib.tensor([[5.0, 6.0], [7.0, 8.0]])).sum().backward()
    assert v.grad.tolist() == [5, 8]


def test_fft_agrees_and_differentiates(lib):
    x = lib.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    y = lib.fft.fft(x)
    assert y.dtype == lib.complex64
    assert y.tolist() == pytest.approx([10, -2 + 2j, -2, -2 - 2j])
    (y * y.conj()).real.sum().backward()
    assert x.grad.tolist() == pytest.approx([8, 16, 24, 32])


def test_histc(lib):
    x = lib.tensor([1.0, 2.0, 1.0, 4.0])
    assert lib.histc(x, bins=4, min=0, max=4).tolist() == [0, 2, 1, 1]
    assert lib.histc(x, 3).tolist() == [2, 1, 1]


def test_masked_fill_casts_a_fraction_to_integers_and_refuses_what_does_not_fit() -> None:
    mask = fw.tensor([True, False])
    assert fw.tensor([1, 2]).masked_fill(mask, 1.7).tolist() == [1, 2]
    with pytest.raises(RuntimeError, match="without overflow"):
        fw.tensor([1, 2]).masked_fill(mask, float("inf"))


def test_type_by_an_unknown_name() -> None:
    with pytest.raises(ValueError, match="invalid type: 'foo'"):
        fw.ones(2).type("foo")
    assert fw.ones(2, dtype=fw.uint16).type() == "torch.UInt16Tensor"


# --- NumPy's names and arrays -------------------------------------------------------------------------------------


@pytest.mark.parametrize("expression", [
    "x.sum(1, keepdims=True)", "x.sum(axis=1)", "x.mean(axis=0, keepdims=True)", "x.max(axis=1).values",
    "x.softmax(axis=1)", "x.std(axis=0, keepdims=True)", "x.var(axis=1)", "x.argmax(axis=1)", "x.cumsum(axis=0)",
    "lib.sum(x, axis=0, keepdims=True)", "lib.stack([x, x], axis=1)", "lib.squeeze(x[None], axis=0)",
    "lib.cat([x, x], axis=1)", "x.sort(axis=0).values", "x.median(axis=0).values", "x.unsqueeze(axis=1)",
    "lib.sum(x=x)", "lib.mul(x1=x, x2=x)", "x.norm(dim=1, keepdim=True)", "lib.prod(x, axis=1)", "x.all(axis=1)",
])  # fmt: skip
def test_arguments_by_the_names_of_numpy(expression):
    torch = pytest.importorskip("torch", reason="torch is the reference here and is not installed")
    found = []
    for lib in (fw, torch):
        x = lib.arange(6.0).reshape(2, 3)
        found.append(eval(expression, {"lib": lib, "x": x}).tolist())
    assert found[0] == pytest.approx(found[1], rel=1e-6) if not isinstance(found[0], list) else np.allclose(*found)


def test_broadcast_shapes_gives_a_size():
    shape = fw.broadcast_shapes((1, 3), (2, 1))
    assert isinstance(shape, fw.Size) and shape == (2, 3)


def test_comparison_with_an_array_is_elementwise():
    x, array = fw.tensor([1.0, 2.0]), np.array([1.0, 3.0])
    assert (x == array).tolist() == (array == x).tolist() == [True, False]
    assert (x != array).tolist() == (array != x).tolist() == [False, True]
    assert (x == "a") is False and (x != None) is True  # noqa: E711
