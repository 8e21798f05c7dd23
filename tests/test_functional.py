"""nn.functional beyond the table of operators: random geometries, chance, state, warnings, signatures."""

from __future__ import annotations

import inspect
import itertools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import framework
from framework.nn import functional as F
from framework.ops import conv


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


def close(ours: Any, theirs: Any, tolerance: float = 1e-9) -> None:
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=tolerance, atol=tolerance)


# --- convolution --------------------------------------------------------------------------------------------------


class Geometry:
    """A random convolution: sizes, kernel, stride, padding, dilation, groups."""

    def __init__(self, random: np.random.Generator, n: int) -> None:
        def draw(*choices: int) -> tuple[int, ...]:
            return tuple(int(v) for v in random.choice(choices, n))

        self.sizes, self.kernel = draw(5, 6, 9), draw(1, 2, 3)
        self.stride, self.padding, self.dilation = draw(1, 1, 2, 3), draw(0, 1, 2), draw(1, 1, 2)
        self.groups, self.inner, self.outer, self.batch = (
            int(random.choice(c)) for c in ((1, 1, 2, 3), (1, 2, 8), (1, 2), (1, 3))
        )
        if random.random() < 0.2:
            self.kernel = self.stride = self.dilation = (1,) * n
            self.padding = (0,) * n

    @property
    def options(self) -> tuple[Any, ...]:
        return self.stride, self.padding, self.dilation, self.groups


def _check_derivatives(name: str, arrays: list[np.ndarray], options: tuple, torch: Any) -> None:
    """The result of a function, its gradients, and gradients of those, in both libraries."""
    found, wanted = [], []
    for library, results in ((framework, found), (torch, wanted)):
        leaves = [library.tensor(a, requires_grad=True) for a in arrays]
        output = getattr(library.nn.functional, name)(*leaves, *options)
        random = np.random.default_rng(0)
        start = library.tensor(random.standard_normal(tuple(output.shape)), requires_grad=True)
        first = library.autograd.grad(output, leaves, start, create_graph=True)
        total = sum((g * library.tensor(random.standard_normal(tuple(g.shape)))).sum() for g in first)
        results += [output, *first, *library.autograd.grad(total, [*leaves[:2], start])]
    for a, b in zip(found, wanted, strict=True):
        close(a, b, 1e-8)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("budget", [None, 1, 3000])
def test_convolutions_of_random_geometry(
    n: int, budget: int | None, torch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in small chunks: several images, one image, a few lines of one image at a time."""
    if budget is not None:
        monkeypatch.setattr(conv, "column_budget", lambda array, weight_bytes: budget)
    random = np.random.default_rng(n)
    for _ in range(12):
        g = Geometry(random, n)
        arrays = [
            random.standard_normal((g.batch, g.groups * g.inner, *g.sizes)),
            random.standard_normal((g.groups * g.outer, g.inner, *g.kernel)),
            random.standard_normal(g.groups * g.outer),
        ]
        _check_derivatives(f"conv{n}d", arrays, g.options, torch)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("budget", [None, 1, 3000])
def test_transposed_convolutions_of_random_geometry(
    n: int, budget: int | None, torch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if budget is not None:
        monkeypatch.setattr(conv, "column_budget", lambda array, weight_bytes: budget)
    random = np.random.default_rng(10 + n)
    for _ in range(12):
        g = Geometry(random, n)
        output_padding = tuple(int(random.integers(max(s, d))) for s, d in zip(g.stride, g.dilation, strict=True))
        arrays = [
            random.standard_normal((g.batch, g.groups * g.inner, *g.sizes)),
            random.standard_normal((g.groups * g.inner, g.outer, *g.kernel)),
            random.standard_normal(g.groups * g.outer),
        ]
        options = (g.stride, g.padding, output_padding, g.groups, g.dilation)
        _check_derivatives(f"conv_transpose{n}d", arrays, options, torch)


def test_convolution_computes_only_the_gradients_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("_input_gradient", "_weight_gradient"):
        plain = getattr(conv, name)
        monkeypatch.setattr(conv, name, lambda *a, name=name, plain=plain: (calls.append(name), plain(*a))[1])
    input, weight = framework.randn(1, 2, 5, 5), framework.randn(3, 2, 3, 3)
    F.conv2d(input, weight.clone().requires_grad_()).sum().backward()
    assert calls == ["_weight_gradient"]
    calls.clear()
    F.conv2d(input.clone().requires_grad_(), weight, stride=2).sum().backward()
    assert calls == ["_input_gradient"]


# --- activations --------------------------------------------------------------------------------------------------


def test_a_closed_gate_stops_infinite_gradients() -> None:
    x = framework.tensor([-1.0, 0.0, 4.0], requires_grad=True)
    F.relu(x).sqrt().sum().backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.25]


_WITH_INPLACE = (
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "silu", "mish", "hardtanh", "hardswish", "hardsigmoid"
)  # fmt: skip


@pytest.mark.parametrize("name", _WITH_INPLACE)
def test_activations_in_place(name: str) -> None:
    function = getattr(F, name)
    start = framework.tensor([-4.0, -1.0, 0.5, 2.0, 7.0], requires_grad=True)
    wanted = function(start * 1)
    (expected,) = framework.autograd.grad(wanted.sum(), start)
    tensor = start * 1
    assert function(tensor, inplace=True) is tensor
    (found,) = framework.autograd.grad(tensor.sum(), start)
    close(tensor, wanted, 1e-6)
    close(found, expected, 1e-6)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        function(start, inplace=True)


def test_rrelu_draws_slopes_between_its_bounds() -> None:
    x = framework.full((1000,), -1.0, requires_grad=True)
    y = F.rrelu(x, 0.2, 0.4, training=True)
    y.sum().backward()
    slopes = x.grad.numpy()
    assert np.allclose(slopes, -y.detach().numpy())
    assert slopes.min() >= 0.2 and slopes.max() < 0.4 and slopes.std() > 0.03
    assert F.rrelu(framework.ones(3), training=True).tolist() == [1, 1, 1]


def test_gumbel_softmax() -> None:
    framework.manual_seed(0)
    logits = framework.tensor([[0.0, 1.0, 2.0]]).repeat(4000, 1).requires_grad_()
    soft = F.gumbel_softmax(logits)
    assert np.allclose(soft.sum(1).detach().numpy(), 1, atol=1e-5)
    hard = F.gumbel_softmax(logits, tau=0.5, hard=True)
    assert set(hard.detach().unique().tolist() if hasattr(hard, "unique") else np.unique(hard.detach().numpy())) == {
        0.0,
        1.0,
    }
    shares = hard.mean(0).detach().numpy()
    assert np.allclose(shares, np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum(), atol=0.03)
    hard[:, 0].sum().backward()
    assert logits.grad.abs().sum() > 0


# --- dropout ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, p, shape", [
    ("dropout", 0.3, (7, 5)), ("dropout", 0.5, (1000,)), ("dropout", 1.0, (4,)), ("dropout", 0.0, (4,)),
    ("dropout1d", 0.4, (6, 5, 3)), ("dropout2d", 0.4, (6, 5, 3, 2)), ("dropout3d", 0.4, (3, 4, 2, 2, 2)),
    ("alpha_dropout", 0.3, (7, 5)), ("feature_alpha_dropout", 0.3, (7, 5, 2)),
])  # fmt: skip
def test_dropout_has_the_numbers_of_torch(name: str, p: float, shape: tuple) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    found = []
    for lib in (framework, torch):
        lib.manual_seed(3)
        x = lib.arange(1.0, 1 + math.prod(shape)).reshape(shape)
        y = getattr(lib.nn.functional, name)(x, p, training=True)
        found.append((y.numpy(), lib.rand(2).tolist()))
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-6)
    assert found[0][1] == found[1][1]


def test_dropout_zeroes_a_share_and_scales_the_rest() -> None:
    framework.manual_seed(0)
    x = framework.ones(100, 200, requires_grad=True)
    y = F.dropout(x, 0.3)
    values = y.detach().numpy()
    assert set(np.unique(values)) == {0.0, np.float32(1 / 0.7)}
    assert abs((values == 0).mean() - 0.3) < 0.02
    y.sum().backward()
    assert np.array_equal(x.grad.numpy(), values)
    framework.manual_seed(0)
    assert np.array_equal(F.dropout(x, 0.3).detach().numpy(), values)


@pytest.mark.parametrize(
    ("function", "shape", "channels"),
    [
        (F.dropout1d, (40, 50, 3), 2),
        (F.dropout1d, (500, 3), 1),
        (F.dropout2d, (40, 50, 2, 3), 2),
        (F.dropout3d, (40, 50, 2, 2, 2), 2),
        (F.dropout3d, (500, 2, 2, 2), 1),
    ],
)
def test_channel_dropout_drops_whole_channels(function: Callable, shape: tuple, channels: int) -> None:
    flat = function(framework.ones(*shape), 0.5).numpy().reshape(*shape[:channels], -1)
    assert (flat == flat[..., :1]).all()
    assert abs((flat == 0).mean() - 0.5) < 0.1


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    framework.manual_seed(1)
    x = framework.randn(200_000, requires_grad=True)
    y = F.alpha_dropout(x, 0.2, training=True)
    assert abs(y.mean().item()) < 0.02 and abs(y.std().item() - 1) < 0.02
    y.sum().backward()
    assert abs((x.grad.numpy() == 0).mean() - 0.2) < 0.01
    channels = F.feature_alpha_dropout(framework.ones(50, 40, 3), 0.5, training=True).numpy()
    assert (channels == channels[..., :1]).all() and len(np.unique(channels)) == 2


def test_dropout_in_place() -> None:
    x = framework.ones(1000)
    assert F.dropout(x, 0.5, inplace=True) is x
    assert set(np.unique(x.numpy())) == {0.0, 2.0}
    z = framework.ones(10)
    assert F.alpha_dropout(z, 0.5, True, inplace=True) is z


def test_unusual_dimensions_of_dropout2d_warn() -> None:
    with pytest.warns(UserWarning, match="assuming that channel-wise 1D dropout"):
        F.dropout2d(framework.ones(2, 3, 4))
    with pytest.warns(UserWarning, match="Received a 2-D input"):
        F.dropout2d(framework.ones(2, 3))
    with pytest.warns(UserWarning, match="Received a 3-D input to dropout3d"):
        F.dropout3d(framework.ones(2, 3, 4))


# --- state and side effects ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["batch_norm", "instance_norm"])
def test_running_statistics_move_as_in_torch(function: str, torch: Any) -> None:
    x = np.random.default_rng(0).standard_normal((4, 3, 5))
    results = []
    for library in (framework, torch):
        mean, var = library.zeros(3, dtype=library.float64), library.ones(3, dtype=library.float64)
        call = getattr(library.nn.functional, function)
        for _ in range(2):
            call(library.tensor(x), mean, var, None, None, True, 0.3)
        results.append((mean, var))
    for ours, theirs in zip(*results, strict=True):
        close(ours, theirs)


def test_frozen_batch_norm_keeps_the_statistics_it_used() -> None:
    """Training on another batch before going backward moves the running statistics, but not this gradient."""
    x, mean, var = framework.ones(2, 3, requires_grad=True), framework.zeros(3), framework.ones(3)
    frozen = F.batch_norm(x, mean, var, eps=0)
    F.batch_norm(framework.randn(4, 3) * 9, mean, var, training=True)
    frozen.sum().backward()
    assert x.grad.tolist() == [[1.0] * 3] * 2


def test_batch_norm_of_large_means_stays_exact(torch: Any) -> None:
    x = (np.random.default_rng(0).standard_normal((64, 3, 8, 8)) + 1000).astype(np.float32)
    ours = F.batch_norm(framework.tensor(x), None, None, training=True)
    theirs = torch.nn.functional.batch_norm(torch.tensor(x), None, None, training=True)
    close(ours, theirs, 1e-3)


def test_embedding_scales_long_rows_down_in_place(torch: Any) -> None:
    table = np.random.default_rng(0).standard_normal((5, 4))
    results = []
    for library in (framework, torch):
        weight = library.tensor(table)
        index = library.tensor([1, 3, 3])
        results.append((library.nn.functional.embedding(index, weight, max_norm=0.5), weight))
    for ours, theirs in zip(*results, strict=True):
        close(ours, theirs)


def test_repeated_indices_add_up_in_the_gradient_of_an_embedding() -> None:
    weight = framework.zeros(3, 2, requires_grad=True)
    F.embedding(framework.tensor([[0, 2], [2, 2]]), weight).sum().backward()
    assert weight.grad.tolist() == [[1, 1], [0, 0], [3, 3]]


def test_one_hot_finds_the_number_of_classes() -> None:
    assert F.one_hot(framework.tensor([0, 2])).tolist() == [[1, 0, 0], [0, 0, 1]]


def test_softmax_of_large_scores_is_finite() -> None:
    loss = F.cross_entropy(framework.tensor([[1000.0, -1000.0]], requires_grad=True), framework.tensor([1]))
    assert loss.item() == 2000
    loss.backward()


# --- warnings -----------------------------------------------------------------------------------------------------


def test_losses_warn_about_sizes_that_broadcast() -> None:
    with pytest.warns(UserWarning, match=r"target size \(torch.Size\(\[1, 3\]\)\) that is different"):
        F.mse_loss(framework.zeros(2, 3), framework.zeros(1, 3))
    with warnings.catch_warnings(), pytest.raises(RuntimeError, match=r"must match|broadcast"):
        warnings.simplefilter("ignore")
        F.l1_loss(framework.zeros(2, 3), framework.zeros(4, 3))


def test_kl_div_and_softmax_warn_about_their_defaults() -> None:
    with pytest.warns(UserWarning, match="batchmean"):
        F.kl_div(framework.zeros(2, 3), framework.ones(2, 3))
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax"):
        assert F.softmax(framework.zeros(2, 4)).tolist() == [[0.25] * 4] * 2


def test_reductions_of_old_still_work() -> None:
    x, y = framework.tensor([1.0, 3.0]), framework.zeros(2)
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert F.mse_loss(x, y, size_average=False).item() == 10
    with pytest.warns(UserWarning, match="reduction='none'"):
        assert F.l1_loss(x, y, reduce=False).tolist() == [1, 3]


# --- compositions in functional.py --------------------------------------------------------------------------------


def test_pooling_with_indices_has_its_own_name() -> None:
    x = framework.arange(16.0).reshape(1, 1, 4, 4)
    values, indices = F.max_pool2d_with_indices(x, 2)
    assert values.flatten().tolist() == [5, 7, 13, 15] == indices.flatten().tolist()
    assert F.adaptive_max_pool2d_with_indices(x, 1)[1].item() == 15
    assert F.max_pool1d_with_indices(x[0], 2)[1].shape == (1, 4, 2)
    assert F.max_pool3d_with_indices(x[None], (1, 2, 2))[1].shape == (1, 1, 1, 2, 2)
    assert F.adaptive_max_pool1d_with_indices(x[0], 2)[1].shape == (1, 4, 2)
    assert F.adaptive_max_pool3d_with_indices(x[None], 1)[1].item() == 15


def test_pooling_without_gradients_gives_the_same() -> None:
    x = framework.randn(2, 3, 7, 6, requires_grad=True)
    with framework.no_grad():
        quick = F.max_pool2d(x, 3, 2, 1)
    assert np.array_equal(quick.numpy(), F.max_pool2d(x, 3, 2, 1).detach().numpy())


def test_means_of_integers_round_toward_zero() -> None:
    assert F.avg_pool2d(framework.tensor([[[-1, -2], [-1, -1]]]), 2).item() == -1


def test_bilinear(torch: Any) -> None:
    random = np.random.default_rng(0)
    arrays = [random.standard_normal(s) for s in ((2, 6, 3), (2, 6, 4), (5, 3, 4), (5,))]
    _check_derivatives("bilinear", arrays, (), torch)


def test_upsample_is_interpolate(torch: Any) -> None:
    x = np.random.default_rng(0).standard_normal((1, 2, 3, 4))
    for name, options in (("upsample_nearest", {"scale_factor": 2}), ("upsample_bilinear", {"size": (5, 7)})):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = getattr(torch.nn.functional, name)(torch.tensor(x), **options)
        close(getattr(F, name)(framework.tensor(x), **options), theirs)


def test_attention_drops_weights() -> None:
    framework.manual_seed(0)
    query = key = framework.zeros(1, 1, 200, 8)
    weights = F.scaled_dot_product_attention(query, key, framework.eye(200).reshape(1, 1, 200, 200), dropout_p=0.25)
    assert abs((weights.numpy() == 0).mean() - 0.25) < 0.02


# --- names --------------------------------------------------------------------------------------------------------


def _parameters(function: Callable) -> list[tuple[str, Any]] | None:
    """Names and defaults, None where Python cannot tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return None
    return [(p.name, p.default) for p in parameters]


def test_arguments_are_those_of_torch(torch: Any) -> None:
    differ = {}
    for name in F.__all__:
        ours, theirs = _parameters(getattr(F, name)), _parameters(getattr(torch.nn.functional, name))
        if theirs is not None and theirs[0][0] != "args" and repr(ours) != repr(theirs):  # repr: defaults, 2 unlike 2.0
            differ[name] = ours, theirs
    assert not differ


@pytest.mark.parametrize(
    ("name", "shapes", "options"),
    [
        ("relu", [(2, 3)], {}),
        ("relu6", [(2, 3)], {}),
        ("selu", [(2, 3)], {}),
        ("logsigmoid", [(2, 3)], {}),
        ("prelu", [(2, 3), (3,)], {}),
        ("conv2d", [(1, 2, 5, 5), (3, 2, 3, 3)], {}),
        ("conv_transpose2d", [(1, 2, 5, 5), (2, 3, 3, 3)], {}),
        ("max_pool2d", [(1, 2, 4, 4)], {"kernel_size": 2}),
        ("max_pool3d", [(1, 2, 4, 4)], {"kernel_size": 2}),
        ("avg_pool2d", [(1, 2, 4, 4)], {"kernel_size": 2}),
        ("adaptive_avg_pool2d", [(1, 2, 4, 4)], {"output_size": 1}),
        ("adaptive_avg_pool2d", [(1, 2, 4, 4)], {"output_size": 3}),
        ("batch_norm", [(4, 3)], {"running_mean": None, "running_var": None, "training": True}),
        ("layer_norm", [(4, 3)], {"normalized_shape": (3,)}),
        ("dropout", [(4, 3)], {}),
        ("alpha_dropout", [(4, 3)], {"training": True}),
        ("pad", [(1, 2, 4, 4)], {"pad": (1, 1)}),
        ("pad", [(1, 2, 4, 4)], {"pad": (1, 1, 1, 1), "mode": "reflect"}),
        ("interpolate", [(1, 2, 4, 4)], {"size": 3, "mode": "bilinear", "align_corners": False}),
        ("mse_loss", [(2, 3), (2, 3)], {}),
        ("smooth_l1_loss", [(2, 3), (2, 3)], {}),
        ("huber_loss", [(2, 3), (2, 3)], {}),
        ("binary_cross_entropy_with_logits", [(2, 3), (2, 3)], {}),
    ],
)
def test_nodes_are_named_as_in_torch(name: str, shapes: list, options: dict, torch: Any) -> None:
    names = []
    for library in (framework, torch):
        tensors = [library.ones(*shape, requires_grad=True) for shape in shapes]
        names.append(getattr(library.nn.functional, name)(*tensors, **options).grad_fn.name())
    assert names[0] == names[1]


def test_cross_entropy_is_named_as_in_torch() -> None:
    scores, target = framework.zeros(2, 3, requires_grad=True), framework.tensor([0, 1])
    assert F.cross_entropy(scores, target).grad_fn.name() == "NllLossBackward0"
    spatial = F.cross_entropy(scores.reshape(1, 3, 2), framework.tensor([[0, 1]]))
    assert spatial.grad_fn.name() == "NllLoss2DBackward0"


def test_every_function_of_the_list_exists() -> None:
    assert not [name for name in F.__all__ if not callable(getattr(F, name, None))]
    assert list(F.__all__) == list(dict.fromkeys(F.__all__))
    assert not [a for a, b in itertools.pairwise(sorted(F.__all__)) if a == b]
