"""nn.init: the values that torch gives for the same seed."""

from __future__ import annotations

import math

import numpy as np
import pytest

import framework as fw
from framework.nn import init


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


CASES = [
    ("uniform_", (5, 7), {}),
    ("uniform_", (3,), {"a": -2.0, "b": 3.0}),
    ("normal_", (5, 7), {"mean": 1.0, "std": 2.0}),
    ("normal_", (3,), {}),
    ("trunc_normal_", (40, 50), {}),
    ("trunc_normal_", (40, 50), {"std": 0.02}),
    ("trunc_normal_", (40, 50), {"mean": 0.5, "std": 1.0, "a": 0.0, "b": 1.0}),
    ("trunc_normal_", (40, 50), {"a": 1.0, "b": 1.5}),
    ("constant_", (2, 3), {"val": 2.5}),
    ("ones_", (2, 3), {}),
    ("zeros_", (2, 3), {}),
    ("eye_", (3, 5), {}),
    ("dirac_", (4, 3, 5), {}),
    ("dirac_", (4, 2, 3, 4), {"groups": 2}),
    ("dirac_", (2, 4, 3, 3, 3), {}),
    ("xavier_uniform_", (5, 7), {"gain": 2.0}),
    ("xavier_uniform_", (5, 7, 3, 3), {}),
    ("xavier_normal_", (5, 7), {}),
    ("kaiming_uniform_", (5, 7, 3, 3), {}),
    ("kaiming_uniform_", (5, 7), {"a": 0.2, "mode": "fan_out"}),
    ("kaiming_normal_", (5, 7, 3), {"nonlinearity": "relu", "mode": "fan_out"}),
    ("kaiming_normal_", (5, 7), {"nonlinearity": "tanh"}),
    ("orthogonal_", (5, 7), {}),
    ("orthogonal_", (7, 5), {"gain": 2.0}),
    ("orthogonal_", (6, 2, 2), {}),
    ("sparse_", (10, 6), {"sparsity": 0.25}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, shape, kwargs", CASES, ids=lambda v: str(v))
def test_values_are_those_of_torch(torch, name, shape, kwargs, dtype):
    results = []
    for lib in (fw, torch):
        lib.manual_seed(7)
        tensor = lib.empty(*shape, dtype=getattr(lib, dtype), requires_grad=True)
        assert getattr(lib.nn.init, name)(tensor, **kwargs) is tensor
        assert tensor.is_leaf and tensor.requires_grad
        results.append((tensor.detach().numpy(), lib.rand(3).numpy()))  # the generator is at the same place, too
    (ours, after), (theirs, expected) = results
    # Uniform numbers agree bit for bit, normal ones to the last places of the logarithm and the cosine.
    np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)
    if name in ("uniform_", "xavier_uniform_", "kaiming_uniform_"):
        assert (ours == theirs).all()
    assert (after == expected).all()


@pytest.mark.parametrize("name", ["uniform_", "normal_", "trunc_normal_", "kaiming_uniform_", "xavier_normal_"])
def test_generator_argument(name):
    first = getattr(init, name)(fw.empty(4, 5), generator=fw.Generator().manual_seed(5))
    again = getattr(init, name)(fw.empty(4, 5), generator=fw.Generator().manual_seed(5))
    assert (first == again).all()
    assert not (first == getattr(init, name)(fw.empty(4, 5))).all()


def test_trunc_normal_stays_within():
    for bounds in ((-0.5, 0.5), (1.0, 3.0), (1.9, 2.0)):
        x = init.trunc_normal_(fw.empty(2000), a=bounds[0], b=bounds[1])
        assert bounds[0] <= x.min().item() and x.max().item() <= bounds[1]
    with pytest.warns(UserWarning, match="mean is more than 2 std from"):
        init.trunc_normal_(fw.empty(3), mean=5.0)


def test_orthogonal_is_orthogonal():
    q = init.orthogonal_(fw.empty(4, 9)).numpy()
    np.testing.assert_allclose(q @ q.T, np.eye(4), atol=1e-5)


def test_sparse_zeroes_its_share_of_each_column():
    x = init.sparse_(fw.empty(10, 6), sparsity=0.25).numpy()
    assert ((x == 0).sum(axis=0) == 3).all()


class TestGain:
    @pytest.mark.parametrize(
        "args, gain",
        [
            (("linear",), 1),
            (("conv_transpose2d",), 1),
            (("sigmoid",), 1),
            (("tanh",), 5 / 3),
            (("relu",), math.sqrt(2)),
            (("leaky_relu",), math.sqrt(2 / (1 + 0.01**2))),
            (("leaky_relu", 1), 1.0),
            (("selu",), 0.75),
        ],
    )
    def test_values(self, args, gain):
        assert init.calculate_gain(*args) == pytest.approx(gain, rel=1e-12)

    def test_errors(self):
        with pytest.raises(ValueError, match="Unsupported nonlinearity nothing"):
            init.calculate_gain("nothing")
        with pytest.raises(ValueError, match="negative_slope True not a valid number"):
            init.calculate_gain("leaky_relu", True)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: init.xavier_uniform_(fw.empty(3)), "fewer than 2 dimensions"),
        (lambda: init.kaiming_normal_(fw.empty(3, 3), mode="fan"), r"Mode fan not supported.*\['fan_in', 'fan_out'\]"),
        (lambda: init.eye_(fw.empty(3)), "Only tensors with 2 dimensions are supported"),
        (lambda: init.dirac_(fw.empty(3, 3)), "Only tensors with 3, 4, or 5 dimensions are supported"),
        (lambda: init.dirac_(fw.empty(3, 3, 3), groups=2), "dim 0 must be divisible by groups"),
        (lambda: init.orthogonal_(fw.empty(3)), "Only tensors with 2 or more dimensions are supported"),
        (lambda: init.sparse_(fw.empty(3), 0.1), "Only tensors with 2 dimensions are supported"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_empty_tensors_are_left_alone():
    with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
        init.kaiming_uniform_(fw.empty(0, 3))


def test_old_names_warn():
    with pytest.warns(FutureWarning, match="`nn.init.constant` is now deprecated in favor of `nn.init.constant_`"):
        assert init.constant(fw.empty(2), 3).tolist() == [3, 3]
