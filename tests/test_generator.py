"""The generator: PyTorch's numbers from the same seeds and calls, its state bytes, and its errors."""

import copy
import math
import pickle
import threading

import ml_dtypes
import numpy as np
import pytest

from framework.backend import device
from framework.generator import DEFAULT_SEED, MT19937Generator
from framework.random import Generator, default_generator, manual_seed

SIZES = (0, 1, 2, 15, 16, 17, 31, 33, 1000, 100003)
SEEDS = (0, 1, 42, 123456789, 2**32 + 7, 2**63 + 11, -3)
FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")


def numpy_dtype(name):
    return np.dtype(ml_dtypes.bfloat16) if name == "bfloat16" else np.dtype(name)


@pytest.fixture(scope="module")
def torch():
    torch = pytest.importorskip("torch", reason="the reference for these numbers is torch, which is not installed")
    if torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"):
        pytest.skip("torch's normal numbers differ on a processor without AVX2")
    return torch


class Pair:
    """Our generator and torch's side by side, from one seed."""

    def __init__(self, torch, seed):
        self.torch = torch
        self.ours = MT19937Generator().manual_seed(seed)
        self.theirs = torch.Generator().manual_seed(seed)

    def check_state(self):
        assert self.ours.get_state_array().tobytes() == self.theirs.get_state().numpy().tobytes()

    def check(self, ours, theirs, ulps=0):
        assert ours.shape == tuple(theirs.shape)
        assert ours.dtype.name == str(theirs.dtype).removeprefix("torch.")
        theirs = theirs.float().numpy() if theirs.dtype == self.torch.bfloat16 else theirs.numpy()
        ours = ours.astype(theirs.dtype)
        if ulps:
            np.testing.assert_array_max_ulp(ours, theirs, ulps)
        else:
            np.testing.assert_array_equal(ours, theirs)
        self.check_state()


# Recorded from PyTorch 2.13: these run without it


def test_recorded_uniform_and_normal():
    g = MT19937Generator().manual_seed(0)
    np.testing.assert_array_equal(
        g.uniform(3), np.array([0.4962565898895264, 0.7682217955589294, 0.08847743272781372], np.float32)
    )
    g.manual_seed(0)
    np.testing.assert_array_equal(
        g.normal(3), np.array([1.5409960746765137, -0.293428897857666, -2.1787893772125244], np.float32)
    )
    g.manual_seed(0)
    np.testing.assert_array_equal(
        g.normal(16)[:3], np.array([-1.1258398294448853, -1.1523602008819580, -0.2505785822868347], np.float32)
    )


def test_recorded_integers():
    g = MT19937Generator().manual_seed(0)
    assert g.randint(0, 10, 5).tolist() == [4, 9, 3, 0, 3]
    g.manual_seed(0)
    assert g.randperm(10).tolist() == [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]


# Against PyTorch


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FLOATS)
def test_uniform(torch, name, seed):
    dtype = getattr(torch, name)
    for size in SIZES:
        pair = Pair(torch, seed)
        pair.check(
            pair.ours.uniform(size, dtype=numpy_dtype(name)), torch.rand(size, dtype=dtype, generator=pair.theirs)
        )
        low, high = -0.3, 1.7
        pair.check(
            pair.ours.uniform(size, low, high, numpy_dtype(name)),
            torch.empty(size, dtype=dtype).uniform_(low, high, generator=pair.theirs),
        )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", FLOATS)
def test_normal(torch, name, seed):
    dtype = getattr(torch, name)
    for size in SIZES:
        pair = Pair(torch, seed)
        ulps = 2 if name == "float64" and size >= 16 else 0
        pair.check(
            pair.ours.normal(size, dtype=numpy_dtype(name)),
            torch.randn(size, dtype=dtype, generator=pair.theirs),
            ulps,
        )


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize(("mean", "std"), [(0.3, 0.7), (-2.0, 1.0), (5.0, 0.0), (0.0, 0.02)])
def test_normal_with_mean_and_std(torch, name, mean, std):
    for size in (3, 15, 16, 1003):
        pair = Pair(torch, 9)
        ours = pair.ours.normal(size, mean, std, numpy_dtype(name))
        theirs = torch.empty(size, dtype=getattr(torch, name)).normal_(mean, std, generator=pair.theirs)
        if name == "float64":
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=4e-16 * (abs(mean) + 4 * std))
        else:
            pair.check(ours, theirs)


def test_normal_of_memory_that_is_not_contiguous(torch):
    pair = Pair(torch, 4)
    theirs = torch.empty(8, 5).t().normal_(0.5, 2.0, generator=pair.theirs)
    pair.check(pair.ours.normal((5, 8), 0.5, 2.0, contiguous=False), _iteration_order(theirs))


def _iteration_order(tensor):
    """A transposed tensor's elements as torch's random fills visit them: in the order of memory."""
    return tensor.t().reshape(tensor.shape)


@pytest.mark.parametrize("name", ["complex64", "complex128"])
def test_complex(torch, name):
    for size in (1, 5, 8, 17, 1001):
        pair = Pair(torch, 2)
        dtype = getattr(torch, name)
        pair.check(pair.ours.uniform(size, dtype=name), torch.rand(size, dtype=dtype, generator=pair.theirs))
        ours, theirs = pair.ours.normal(size, dtype=name), torch.randn(size, dtype=dtype, generator=pair.theirs)
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=0, atol=1e-15 if name == "complex128" else 0)
        pair.check_state()


def test_shapes(torch):
    for shape in ((), (3, 4), (2, 0, 3), (2, 3, 4, 5)):
        pair = Pair(torch, 1)
        pair.check(pair.ours.uniform(shape), torch.rand(shape, generator=pair.theirs))
        pair.check(pair.ours.normal(shape), torch.randn(shape, generator=pair.theirs))
        pair.check(pair.ours.randint(0, 7, shape), torch.randint(7, shape, generator=pair.theirs))


@pytest.mark.parametrize("seed", SEEDS)
def test_randint(torch, seed):
    bounds = [(0, 1), (0, 2), (-5, 5), (0, 2**24), (0, 2**28 - 1), (0, 2**28), (0, 2**28 + 1), (-7, 2**31)]
    bounds += [(0, 2**32), (-3, 2**33), (-(2**63), 2**63 - 1), (-(2**63) + 1, 2**63 - 1), (5, 2**63 - 1)]
    for low, high in bounds:
        pair = Pair(torch, seed)
        for size in (0, 1, 17, 1000):
            pair.check(pair.ours.randint(low, high, size), torch.randint(low, high, (size,), generator=pair.theirs))


@pytest.mark.parametrize("name", ["bool", *INTEGERS, "uint16", "uint32", "uint64", *FLOATS])
def test_randint_dtypes(torch, name):
    for low, high in ((0, 2), (0, 1), (-3, 100), (0, 100), (-100, 120), (0, 256), (1, 2**31)):
        pair = Pair(torch, 5)
        dtype = getattr(torch, name)
        try:
            theirs = torch.randint(low, high, (100,), dtype=dtype, generator=pair.theirs)
        except RuntimeError as error:
            with pytest.raises(RuntimeError, match=str(error)):
                pair.ours.randint(low, high, 100, numpy_dtype(name))
            pair.check_state()
        except UserWarning:
            with pytest.warns(UserWarning, match="discrete uniform distribution only within this range"):
                pair.ours.randint(low, high, 100, numpy_dtype(name))
        else:
            pair.check(pair.ours.randint(low, high, 100, numpy_dtype(name)), theirs)


@pytest.mark.filterwarnings("ignore:.* is out of bounds")
@pytest.mark.parametrize("name", FLOATS)
def test_randint_with_bounds_that_a_floating_dtype_rounds(torch, name):
    for low, high in ((-3, 300), (0, 2050), (-2051, 2053), (0, 60001), (-60001, 3), (-40003, -2051), (257, 260)):
        pair = Pair(torch, 6)
        dtype = getattr(torch, name)
        theirs = torch.randint(low, high, (1000,), dtype=dtype, generator=pair.theirs)
        pair.check(pair.ours.randint(low, high, 1000, numpy_dtype(name)), theirs)


@pytest.mark.parametrize("name", ["bool", *INTEGERS, *FLOATS])
def test_random(torch, name):
    for size in (0, 1, 1000):
        pair = Pair(torch, 8)
        theirs = torch.empty(size, dtype=getattr(torch, name)).random_(generator=pair.theirs)
        pair.check(pair.ours.random(size, numpy_dtype(name)), theirs)


@pytest.mark.parametrize("name", ["bool", *INTEGERS, *FLOATS])
@pytest.mark.parametrize("low", [0, 1, -3, -(2**63)])
def test_randint_without_upper_bound(torch, name, low):
    pair = Pair(torch, 8)
    try:
        theirs = torch.empty(100, dtype=getattr(torch, name)).random_(low, None, generator=pair.theirs)
    except RuntimeError as error:
        message = "over all 64 bits" if low == -(2**63) else str(error)
        with pytest.raises(RuntimeError, match=message):
            pair.ours.randint(low, None, 100, numpy_dtype(name))
    else:
        pair.check(pair.ours.randint(low, None, 100, numpy_dtype(name)), theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_randperm(torch, seed):
    for n in (*SIZES, 3, 4, 5, 6, 7, 8, 60000):
        pair = Pair(torch, seed)
        pair.check(pair.ours.randperm(n), torch.randperm(n, generator=pair.theirs))


@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS])
def test_randperm_dtypes(torch, name):
    for n in (2, 100, 127, 128, 255, 256, 2049, 2050):
        pair = Pair(torch, 3)
        try:
            theirs = torch.randperm(n, dtype=getattr(torch, name), generator=pair.theirs)
        except RuntimeError:
            with pytest.raises(RuntimeError, match=r"value cannot be converted to type|n cannot be greater than"):
                pair.ours.randperm(n, numpy_dtype(name))
        else:
            pair.check(pair.ours.randperm(n, numpy_dtype(name)), theirs)


@pytest.mark.parametrize("name", FLOATS)
def test_exponential(torch, name):
    for size in (0, 1, 17, 1000):
        pair = Pair(torch, 7)
        theirs = torch.empty(size, dtype=getattr(torch, name)).exponential_(2.5, generator=pair.theirs)
        _skip_if_mkl(pair, 2 * size)
        pair.check(pair.ours.exponential(size, 2.5, numpy_dtype(name)), theirs, ulps=2 if name == "float64" else 0)


@pytest.mark.parametrize("name", FLOATS)
def test_bernoulli_of_probabilities(torch, name):
    pair = Pair(torch, 7)
    p = torch.rand(50, 20, dtype=getattr(torch, name), generator=pair.theirs)
    ours = pair.ours.bernoulli(pair.ours.uniform((50, 20), dtype=numpy_dtype(name)))
    pair.check(ours, torch.bernoulli(p, generator=pair.theirs))


def test_bernoulli_of_one_probability(torch):
    for p in (0, 0.3, 1):
        pair = Pair(torch, 7)
        theirs = torch.empty(1000).bernoulli_(p, generator=pair.theirs)
        _skip_if_mkl(pair, 2000)
        pair.check(pair.ours.bernoulli(p, 1000), theirs)


def _skip_if_mkl(pair, draws):
    """Where torch hands exponential_ and bernoulli_ to MKL it takes one draw of its own generator, to seed MKL's."""
    probe = MT19937Generator().manual_seed(pair.theirs.initial_seed())
    probe.random(draws, np.int32)
    if probe.get_state_array().tobytes() != pair.theirs.get_state().numpy().tobytes():
        pytest.skip("this build of torch takes these numbers from MKL")


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize(("num_samples", "replacement"), [(1, False), (5, False), (1, True), (5, True), (300, True)])
def test_multinomial(torch, name, num_samples, replacement):
    for shape in ((7,), (3, 11), (1000,)):
        pair = Pair(torch, 21)
        dtype = getattr(torch, name)
        weights = pair.ours.uniform(shape, dtype=numpy_dtype(name))
        probs = torch.rand(shape, dtype=dtype, generator=pair.theirs)
        theirs = torch.multinomial(probs, num_samples, replacement, generator=pair.theirs)
        ours = pair.ours.multinomial(weights, num_samples, replacement)
        if name in ("float16", "bfloat16") and not replacement:  # ties are common
            assert ours.shape == tuple(theirs.shape)
            pair.check_state()
        else:
            pair.check(ours, theirs)


@pytest.mark.parametrize("seed", range(20))
def test_mixed_calls_stay_in_step(torch, seed):
    """Any sequence of calls, the cached second half of a normal pair included, leaves both at the same place."""
    pair = Pair(torch, seed)
    ours, theirs = pair.ours, pair.theirs
    calls = [
        lambda n: (ours.uniform(n), torch.rand(n, generator=theirs)),
        lambda n: (ours.uniform(n, dtype=np.float64), torch.rand(n, dtype=torch.float64, generator=theirs)),
        lambda n: (ours.normal(n), torch.randn(n, generator=theirs)),
        lambda n: (ours.normal(n % 16, dtype=np.float64), torch.randn(n % 16, dtype=torch.float64, generator=theirs)),
        lambda n: (ours.randint(-4, 90, n), torch.randint(-4, 90, (n,), generator=theirs)),
        lambda n: (ours.randint(0, 2**40, n), torch.randint(2**40, (n,), generator=theirs)),
        lambda n: (ours.randperm(n), torch.randperm(n, generator=theirs)),
        lambda n: (ours.random(n, np.int32), torch.empty(n, dtype=torch.int32).random_(generator=theirs)),
    ]
    choose = np.random.default_rng(seed)
    for _ in range(60):
        pair.check(*calls[choose.integers(len(calls))](int(choose.choice([0, 1, 2, 3, 5, 15, 16, 17, 40, 311, 624]))))


# State


def test_state_goes_both_ways(torch):
    for draws in (0, 1, 3, 623, 624, 625, 1248, 1300):
        pair = Pair(torch, 77)
        pair.check(pair.ours.uniform(draws), torch.rand(draws, generator=pair.theirs))
        pair.check(pair.ours.normal(3), torch.randn(3, generator=pair.theirs))  # leaves a cached half
        state = pair.ours.get_state_array()
        restored = torch.Generator()
        restored.set_state(torch.from_numpy(state))
        back = MT19937Generator().set_state_array(pair.theirs.get_state().numpy())
        assert back.initial_seed() == 77
        for g in (restored, pair.theirs):
            np.testing.assert_array_equal(torch.randn(700, generator=g)[::7].numpy(), back.normal(700)[::7])
            back.set_state_array(state)


def test_state_restores_the_stream():
    g = MT19937Generator().manual_seed(5)
    g.normal(3)
    state = g.get_state_array()
    assert state.dtype == np.uint8
    assert state.shape == (5056,)
    expected = g.normal(5), g.randperm(9)
    state_later = g.get_state_array()
    g.set_state_array(state)
    np.testing.assert_array_equal(g.normal(5), expected[0])
    np.testing.assert_array_equal(g.randperm(9), expected[1])
    np.testing.assert_array_equal(g.get_state_array(), state_later)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda g: pickle.loads(pickle.dumps(g)),
                                       MT19937Generator.clone_state])  # fmt: skip
def test_copies_keep_their_place_and_go_their_own_way(duplicate):
    g = MT19937Generator().manual_seed(3)
    g.normal(1)
    other = duplicate(g)
    assert other.device == g.device
    assert other.initial_seed() == 3
    expected = g.normal(3)
    np.testing.assert_array_equal(other.normal(3), expected)


def test_bad_state_is_refused_and_changes_nothing():
    g = MT19937Generator().manual_seed(3)
    good = g.get_state_array()
    with pytest.raises(RuntimeError, match="wrong size: expected 5056 bytes, got 10"):
        g.set_state_array(np.zeros(10, np.uint8))
    with pytest.raises(TypeError, match=r"must be a torch.ByteTensor, got an array of float32"):
        g.set_state_array(np.zeros(5056, np.float32))
    for position in (1, 625):
        bad = good.copy()
        bad[16:24] = np.frombuffer(np.uint64(position).tobytes(), np.uint8)
        with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
            g.set_state_array(bad)
    np.testing.assert_array_equal(g.get_state_array(), good)


# Seeds


def test_new_generators_have_the_default_seed():
    assert MT19937Generator().initial_seed() == DEFAULT_SEED == 67280421310721
    assert MT19937Generator().device == "cpu"


def test_a_generator_of_tensors_has_a_device_and_the_default_one_takes_what_int_takes():
    assert Generator().device == device("cpu")
    assert copy.deepcopy(Generator("cuda:1")).device == device("cuda", 1)
    with pytest.raises(RuntimeError, match="Expected one of cpu, cuda"):
        Generator("gpu")
    state = default_generator.get_state()
    try:
        assert [manual_seed(seed).initial_seed() for seed in ("12", 3.7, True)] == [12, 3, 1]
    finally:
        default_generator.set_state(state)


def test_default_generator_and_seed_start_anywhere():
    assert default_generator.initial_seed() != DEFAULT_SEED
    g = MT19937Generator()
    seeds = {g.seed() for _ in range(5)}
    assert len(seeds) == 5
    assert g.initial_seed() in seeds


@pytest.mark.parametrize("seed", [-1, -(2**63), 2**64 - 1, 2**32])
def test_extreme_seeds(torch, seed):
    pair = Pair(torch, seed)
    assert pair.ours.initial_seed() == pair.theirs.initial_seed()
    pair.check(pair.ours.uniform(3), torch.rand(3, generator=pair.theirs))


def test_manual_seed_returns_the_generator_and_forgets_the_cached_normal():
    g = MT19937Generator()
    first = g.manual_seed(1).normal(1)
    np.testing.assert_array_equal(g.manual_seed(1).normal(1), first)
    assert g.manual_seed(np.int64(4)).initial_seed() == 4


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_seed_out_of_range(seed):
    with pytest.raises(ValueError, match="Overflow when unpacking long long"):
        MT19937Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", [1.5, "7", None, True])
def test_seed_of_another_type(seed):
    with pytest.raises(RuntimeError, match=f"manual_seed expected a long, but got {type(seed).__name__}"):
        MT19937Generator().manual_seed(seed)


# Dropout masks


@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 1 / 3, 0.999, 1.0])
def test_keep_mask_is_bernoulli(keep):
    g = MT19937Generator().manual_seed(0)
    mask = g.keep_mask((300, 301), keep)
    assert mask.shape == (300, 301) and mask.dtype == np.bool_
    after = g.get_state_array()
    np.testing.assert_array_equal(mask, g.manual_seed(0).bernoulli(keep, (300, 301)))
    np.testing.assert_array_equal(after, g.get_state_array())


def test_keep_mask_where_the_upper_word_does_not_decide(monkeypatch):
    keep = 0.7
    exact = math.ceil(keep * 2.0**53)
    words = [divmod(exact + d, 2**32) for d in (-1, 0, 1)]
    g = MT19937Generator()
    monkeypatch.setattr(g, "_draw32", lambda count: np.array(words, np.uint64).reshape(-1))
    assert g.keep_mask(3, keep).tolist() == [True, False, False]


def test_keep_mask_of_nothing():
    assert MT19937Generator().keep_mask((0, 3), 0.5).shape == (0, 3)
    assert MT19937Generator().keep_mask((), 0.5).shape == ()


# Threads


def test_threads_share_one_stream_without_tearing_it():
    g = MT19937Generator().manual_seed(0)
    parts = []
    threads = [threading.Thread(target=lambda: parts.extend(g.uniform(50) for _ in range(40))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = np.sort(np.concatenate(parts))
    np.testing.assert_array_equal(together, np.sort(MT19937Generator().manual_seed(0).uniform(8000)))


# Bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: g.uniform(3, 2.0, 1.0), r"from, to\) range, but found from=2 > to=1"),
        (lambda g: g.uniform(3, 0.0, 1e39), "to is out of bounds for float"),
        (lambda g: g.uniform(3, 0.0, float("nan")), "to is out of bounds for float"),
        (lambda g: g.uniform(3, -1e5, 0.0, np.float16), "from is out of bounds for c10::Half"),
        (lambda g: g.uniform(3, -3e38, 3e38), r"to=3e\+38 and from=-3e\+38"),
        (lambda g: g.uniform(3, dtype=np.int32), "uniform_ expects a floating point dtype, but got int32"),
        (lambda g: g.uniform((2, -1)), r"negative dimension -1: \[2, -1\]"),
        (lambda g: g.normal(3, 0.0, -1.0), "normal expects std >= 0.0, but found std -1"),
        (lambda g: g.normal(3, dtype=np.int64), "normal expects a floating point dtype, but got int64"),
        (lambda g: g.exponential(3, 0.0), "expects lambda > 0.0, but found lambda=0"),
        (lambda g: g.exponential(3, 1.0, np.bool_), "exponential_ expects a floating point dtype, but got bool"),
        (lambda g: g.randint(3, 3, 5), "'from' to be less than 'to', but got from=3 >= to=3"),
        (lambda g: g.randint(0, 300, 5, np.uint8), "to - 1 is out of bounds for unsigned char"),
        (lambda g: g.randint(-300, 3, 5, np.int8), "from is out of bounds for signed char"),
        (lambda g: g.randint(0, 3, 5, np.complex64), "only integral, floating-point and boolean"),
        (lambda g: g.random(5, np.complex64), "only integral, floating-point and boolean"),
        (lambda g: g.randperm(-1), "n must be non-negative, got -1"),
        (lambda g: g.randperm(3, np.bool_), '"randperm" not implemented for bool'),
        (lambda g: g.bernoulli(1.5, 3), r"p to be in \[0, 1\], but got p=1.5"),
        (lambda g: g.bernoulli(np.array([0.5, np.nan])), r"p to be in \[0, 1\]"),
        (lambda g: g.bernoulli(np.array([0, 1])), "bernoulli expects a floating point dtype, but got int64"),
        (lambda g: g.multinomial(np.array([0.5, -1.0]), 1), "either `inf`, `nan` or element < 0"),
        (lambda g: g.multinomial(np.array([np.inf, 1.0]), 1), "either `inf`, `nan` or element < 0"),
        (lambda g: g.multinomial(np.zeros(3), 1), r"sum of probabilities <= 0"),
        (lambda g: g.multinomial(np.ones(3), 4), "n_sample > prob_dist.size.* without replacement: 4 samples of 3"),
        (lambda g: g.multinomial(np.ones(3), 0), "n_sample <= 0 samples, got 0"),
        (lambda g: g.multinomial(np.ones((2, 2, 2)), 1), "must be 1 or 2 dim, got 3"),
        (lambda g: g.multinomial(np.ones(3, np.int64), 1), "only supports floating-point dtypes for input, got: int64"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_drawn(call, message):
    g = MT19937Generator().manual_seed(0)
    before = g.get_state_array()
    with pytest.raises(RuntimeError, match=message):
        call(g)
    np.testing.assert_array_equal(g.get_state_array(), before)


def test_bad_bernoulli_calls():
    with pytest.raises(TypeError, match="bernoulli with a number p needs size"):
        MT19937Generator().bernoulli(0.5)
