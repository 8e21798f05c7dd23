"""Printing: the text is PyTorch's, character for character."""

import itertools

import ml_dtypes
import numpy as np
import pytest

from framework import printing
from framework.printing import format_scalar, get_printoptions, printoptions, set_printoptions, tensor_str

INTEGERS = ("uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64")
FLOATS = ("float16", "bfloat16", "float32", "float64")
COMPLEX = ("complex64", "complex128")
OPTIONS = (
    {},
    {"precision": 2},
    {"precision": 0},
    {"sci_mode": True},
    {"sci_mode": False, "precision": 6},
    {"linewidth": 40},
    {"linewidth": 5},
    {"threshold": 5},
    {"threshold": 5, "edgeitems": 1},
    {"threshold": 0, "edgeitems": 0},
    {"edgeitems": 0},
    {"profile": "short"},
    {"profile": "full"},
)


@pytest.fixture(autouse=True)
def default_options():
    yield
    set_printoptions(profile="default")


@pytest.fixture
def torch():
    torch = pytest.importorskip("torch", reason="the reference for this text is torch, which is not installed")
    yield torch
    torch.set_printoptions(profile="default")


def numpy_dtype(name):
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


def to_torch(torch, array, name):
    if name == "bfloat16":
        return torch.from_numpy(np.asarray(array).astype(np.float32)).to(torch.bfloat16)
    return torch.from_numpy(np.array(array, order="C", copy=True))


def check(torch, array, **facts):
    """Our text of ``array`` and torch's, with ``requires_grad`` and the like as given."""
    name = array.dtype.name
    theirs = to_torch(torch, array, name)
    if facts.get("requires_grad"):
        theirs.requires_grad_()
    if facts.get("grad_fn_name"):
        theirs = theirs.requires_grad_() + 0
    default_float = str(torch.get_default_dtype()).removeprefix("torch.")
    assert tensor_str(array, dtype_name=name, default_float=default_float, **facts) == repr(theirs)


def set_both(torch, options):
    set_printoptions(profile="default")
    torch.set_printoptions(profile="default")
    set_printoptions(**options)
    torch.set_printoptions(**options)


# Recorded from PyTorch 2.13: these run without it


@pytest.mark.parametrize(
    ("values", "dtype", "facts", "text"),
    [
        ([1, 2, 3], "int64", {}, "tensor([1, 2, 3])"),
        ([1.0, 2.0], "float32", {}, "tensor([1., 2.])"),
        (3.14159, "float32", {}, "tensor(3.1416)"),
        (True, "bool", {}, "tensor(True)"),
        ([True, False], "bool", {}, "tensor([ True, False])"),
        ([1, 2], "int32", {}, "tensor([1, 2], dtype=torch.int32)"),
        ([0.5, -1.25], "float64", {}, "tensor([ 0.5000, -1.2500], dtype=torch.float64)"),
        ([1e-5, 1.0], "float32", {}, "tensor([1.0000e-05, 1.0000e+00])"),
        ([np.nan, np.inf, -np.inf, 1.5], "float32", {}, "tensor([   nan,    inf,   -inf, 1.5000])"),
        ([1 + 2j, -0.5j], "complex64", {}, "tensor([1.+2.0000j, -0.-0.5000j])"),
        ([], "float32", {}, "tensor([])"),
        ([], "int64", {}, "tensor([], dtype=torch.int64)"),
        ([[1.0]], "float32", {"device_suffix": "cuda:0"}, "tensor([[1.]], device='cuda:0')"),
        ([2.0], "float32", {"requires_grad": True}, "tensor([2.], requires_grad=True)"),
        (
            [2.0],
            "float32",
            {"requires_grad": True, "grad_fn_name": "AddBackward0"},
            "tensor([2.], grad_fn=<AddBackward0>)",
        ),
        (
            [[1, 2], [3, 4]],
            "float32",
            {"requires_grad": True, "prefix": "Parameter containing:\ntensor"},
            "Parameter containing:\ntensor([[1., 2.],\n        [3., 4.]], requires_grad=True)",
        ),
        (
            np.arange(1001),
            "int64",
            {},
            "tensor([   0,    1,    2,  ...,  998,  999, 1000])",
        ),
        (
            np.full((1, 6), 0.25),
            "float64",
            {"device_suffix": "cuda:1", "grad_fn_name": "MulBackward0"},
            "tensor([[0.2500, 0.2500, 0.2500, 0.2500, 0.2500, 0.2500]], device='cuda:1',\n"
            "       dtype=torch.float64, grad_fn=<MulBackward0>)",
        ),
    ],
)
def test_recorded(values, dtype, facts, text):
    assert tensor_str(np.array(values, dtype), dtype_name=dtype, **facts) == text


def test_recorded_empty_with_shape():
    assert tensor_str(np.zeros((0, 3), np.float32), dtype_name="float32") == "tensor([], size=(0, 3))"
    assert tensor_str(np.zeros((2, 0), np.int32), dtype_name="int32") == "tensor([], size=(2, 0), dtype=torch.int32)"


# Against PyTorch

_VALUES = (
    [0.0],
    [-0.0],
    [1.0],
    [1.5, 2.0],
    [1e-4, 1.0],
    [9.9e-5, 1e-3],
    [1.0, 1000.0],
    [1.0, 1000.5],
    [1.0, 1001.0],
    [1e8],
    [1e8 + 8],
    [1e9, 1e9],
    [12345678.0, 0.0],
    [99999.5, 99999.0],
    [0.99999, 1.00001],
    [np.nan],
    [np.inf, -np.inf],
    [np.nan, 1.0],
    [-np.inf, 1.0, -3.0],
    [np.nan, 1e-7, -5.0],
    [np.inf, 0.25],
    [0.0, np.nan, -0.0],
    [1e-30, 1e30],
    [1e-40],
    [-1e-3, 0.0, 0.7],
    [-12.0, 3.0],
    [100.0, -1000.0],
    [65504.0, 1.0],
    [2.0**24, 2.0**24 - 1],
)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_crafted_values(torch, name, options):
    set_both(torch, options)
    for values in _VALUES:
        array = np.array(values).astype(np.float32 if name == "bfloat16" else name).astype(numpy_dtype(name))
        check(torch, array)
        check(torch, array[0:1].reshape(()))
        check(torch, array.reshape(1, -1, 1))


@pytest.mark.parametrize("name", COMPLEX)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_crafted_complex_values(torch, name, options):
    set_both(torch, options)
    parts = [0.0, -0.0, 1.0, -2.5, 1e-6, 3e9, np.nan, np.inf, -np.inf]
    pairs = [complex(a, b) for a, b in itertools.product(parts, parts)]
    for chosen in (*([pair] for pair in pairs), pairs, pairs[:20], pairs[9:13], pairs[30:50]):
        check(torch, np.array(chosen, name))
    check(torch, np.array(pairs, name).reshape(9, 9))
    check(torch, np.array(1 - 2j, name))


def random_array(rng, name):
    """An array of up to four dimensions, sometimes empty, sometimes above the threshold, of varied magnitudes."""
    shape = tuple(int(n) for n in rng.choice([0, 1, 1, 2, 3, 4, 5, 7, 8, 12], rng.integers(0, 5)))
    if name == "bool":
        return rng.random(shape) < 0.5
    if name in INTEGERS:
        info = np.iinfo(name)
        high = min(int(info.max), 10 ** int(rng.integers(1, 20)))
        low = max(int(info.min), -high) if rng.random() < 0.5 else 0
        return np.asarray(rng.integers(low, high, shape, dtype=name, endpoint=True))
    values = np.asarray(rng.normal(size=shape) * 10.0 ** rng.integers(-3, 4))
    style = rng.integers(5)
    if style == 0:
        values = np.round(values)
    elif style == 1:
        values = values * 10.0 ** rng.integers(-4, 4, shape)
    elif style == 2:
        values = np.where(rng.random(shape) < 0.2, rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], shape), values)
    elif style == 3:
        values = np.abs(values)
    if name in COMPLEX:
        other = np.asarray(rng.normal(size=shape) * 10.0 ** rng.integers(-3, 4))
        return np.asarray(values + 1j * other).astype(name)
    with np.errstate(over="ignore"):
        return values.astype(np.float32 if name == "bfloat16" else name).astype(numpy_dtype(name))


@pytest.mark.parametrize("name", ["bool", *INTEGERS, *FLOATS, *COMPLEX])
def test_random_arrays(torch, name):
    rng = np.random.default_rng(INTEGERS.index(name) if name in INTEGERS else 100 + len(name))
    for options in (*OPTIONS, *[{}] * 20):
        set_both(torch, options)
        for _ in range(5):
            check(torch, random_array(rng, name))


@pytest.mark.parametrize("default", FLOATS)
def test_suffixes_for_each_default_dtype(torch, default):
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, default))
    try:
        for name in ("bool", *INTEGERS, *FLOATS, *COMPLEX):
            for shape in ((), (0,), (2,), (0, 3), (2, 3)):
                check(torch, np.ones(shape, numpy_dtype(name)))
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize("name", ["float32", "float64", "bfloat16"])
def test_suffixes_wrap_at_the_line_width(torch, name):
    for count in range(14):
        for facts in ({}, {"requires_grad": True}, {"grad_fn_name": "AddBackward0"}):
            check(torch, np.full(count, 0.5, numpy_dtype(name)), **facts)
            check(torch, np.full((2, count), 0.5, numpy_dtype(name)), **facts)
    for digits in range(10):
        check(torch, np.full((2, 5), 10**digits, np.int32))


def test_parameter(torch):
    array = np.arange(14, dtype=np.float64).reshape(2, 7) / 4
    expected = repr(torch.nn.Parameter(torch.from_numpy(array)))
    assert expected == tensor_str(
        array, dtype_name="float64", requires_grad=True, prefix="Parameter containing:\ntensor"
    )


def test_subclass(torch):
    class Sample(torch.Tensor):
        pass

    array = np.arange(30, dtype=np.float32).reshape(2, 15)
    expected = repr(torch.from_numpy(array).as_subclass(Sample))
    assert tensor_str(array, dtype_name="float32", prefix="Sample") == expected


def test_large_arrays_are_summarised(torch):
    for shape in ((1001,), (1000,), (40, 40), (7, 200), (200, 7), (3, 500), (6, 6, 60), (7, 8, 9, 10), (1, 1, 2000)):
        array = np.arange(np.prod(shape)).reshape(shape)
        check(torch, array)
        check(torch, array.astype(np.float32))
        check(torch, np.sqrt(array))
        check(torch, array - 1j)


def test_only_what_is_shown_reaches_the_host():
    copied = []

    def to_host(piece):
        copied.append(piece.size)
        return piece.copy()

    array = np.random.default_rng(0).normal(size=(300, 200, 100))
    text = tensor_str(array, dtype_name="float64", to_host=to_host)
    assert text == tensor_str(array, dtype_name="float64")
    assert sum(copied) == 6**3


def test_array_is_not_changed():
    array = np.array([[1.5, np.nan], [1e9, -0.0]])
    before = array.copy()
    tensor_str(array, dtype_name="float64")
    np.testing.assert_array_equal(array, before)


# Options


def test_options_keep_what_is_not_given_except_sci_mode():
    assert get_printoptions() == {
        "precision": 4,
        "threshold": 1000,
        "edgeitems": 3,
        "linewidth": 80,
        "sci_mode": None,
    }
    set_printoptions(precision=2, sci_mode=True)
    set_printoptions(linewidth=60)
    assert get_printoptions() == {
        "precision": 2,
        "threshold": 1000,
        "edgeitems": 3,
        "linewidth": 60,
        "sci_mode": None,
    }
    set_printoptions(profile="short", edgeitems=1)
    assert get_printoptions()["edgeitems"] == 1
    assert get_printoptions()["linewidth"] == 80


def test_options_agree_with_torch(torch):
    if not hasattr(torch, "_tensor_str"):
        pytest.skip("this torch keeps its options elsewhere")
    for options in OPTIONS:
        set_both(torch, options)
        assert get_printoptions() == torch._tensor_str.get_printoptions()


def test_printoptions_restores_even_after_an_error():
    before = get_printoptions()
    with pytest.raises(ZeroDivisionError), printoptions(precision=1, sci_mode=True):
        assert tensor_str(np.array([0.5]), dtype_name="float64", default_float="float64") == "tensor([5.0e-01])"
        raise ZeroDivisionError
    assert get_printoptions() == before


def test_unknown_profile_is_refused_and_changes_nothing():
    before = get_printoptions()
    with pytest.raises(ValueError, match="profile must be one of default, short, full, got 'tiny'"):
        set_printoptions(precision=1, profile="tiny")
    assert get_printoptions() == before
    assert printing.tensor_str(np.array(0.5), dtype_name="float64", default_float="float64") == "tensor(0.5000)"


# format()


def test_format_scalar(torch):
    cases = [(3.14159, "float32"), (3.14159, "float64"), (7, "int64"), (True, "bool"), (1 + 2j, "complex64")]
    for value, name in [*cases, (0.1, "float16"), (0.1, "bfloat16")]:
        array = np.array(value).astype(numpy_dtype(name))
        specs = ("", ">10") if name == "bool" else ("", ">12", ".2f") if name != "int64" else ("", "05d", ">6", ".1f")
        for spec in specs:
            assert format_scalar(array, spec) == format(to_torch(torch, array, name), spec)
    assert format_scalar(np.array(2.5), ".1f") == "2.5"
    with pytest.raises(ValueError, match="format"):
        format_scalar(np.array(2.5), "d")
