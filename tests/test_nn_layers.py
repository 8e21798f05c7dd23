"""Layers: arguments, printing, state, values and gradients, side by side with torch."""

from __future__ import annotations

import numpy as np
import pytest

import framework as fw
from framework import nn


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


def t(lib, array):
    return lib.from_numpy(np.ascontiguousarray(array))


def close(ours, theirs, **tolerance):
    assert tuple(ours.shape) == tuple(theirs.shape) and str(ours.dtype) == str(theirs.dtype)
    tolerance = {"rtol": 1e-5, "atol": 1e-6, **tolerance}
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), **tolerance)


# name of the layer, positional arguments, keyword arguments, shape of the input
LAYERS = [
    ("Identity", (54,), {"unused": 1}, (2, 3)),
    ("Linear", (5, 4), {}, (3, 5)),
    ("Linear", (5, 4), {"bias": False}, (2, 3, 5)),
    ("Linear", (20, 30), {}, (20,)),
    ("Conv2d", (3, 4, 3), {}, (2, 3, 6, 7)),
    ("Conv2d", (3, 4, 3), {"padding": 1}, (3, 6, 7)),
    ("Conv2d", (4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}, (2, 4, 8, 9)),
    ("Conv2d", (3, 4, (3, 4)), {"padding": "same", "dilation": 2, "bias": False}, (2, 3, 7, 8)),
    ("Conv2d", (3, 4, 3), {"padding": "valid", "stride": 2}, (2, 3, 7, 8)),
    ("Conv2d", (3, 4, 3), {"padding": (1, 2), "padding_mode": "reflect"}, (2, 3, 6, 7)),
    ("Conv2d", (3, 4, 3), {"padding": 2, "padding_mode": "replicate"}, (2, 3, 6, 7)),
    ("Conv2d", (3, 4, 3), {"padding": 2, "padding_mode": "circular"}, (2, 3, 6, 7)),
    ("Conv2d", (3, 4, 4), {"padding": "same", "padding_mode": "circular"}, (2, 3, 6, 7)),
    ("BatchNorm1d", (5,), {}, (4, 5)),
    ("BatchNorm1d", (5,), {"momentum": None, "eps": 1e-3}, (4, 5, 3)),
    ("BatchNorm1d", (5,), {"affine": False}, (4, 5)),
    ("BatchNorm1d", (5,), {"bias": False}, (4, 5)),
    ("BatchNorm2d", (3,), {"momentum": 0.3}, (4, 3, 2, 5)),
    ("BatchNorm2d", (3,), {"track_running_stats": False}, (4, 3, 2, 5)),
    ("LayerNorm", (5,), {}, (4, 5)),
    ("LayerNorm", ((3, 5),), {"eps": 1e-3, "bias": False}, (4, 3, 5)),
    ("LayerNorm", ([5],), {"elementwise_affine": False}, (4, 5)),
    ("MaxPool2d", (2,), {}, (2, 3, 6, 7)),
    ("MaxPool2d", ((3, 2),), {"stride": (2, 1), "padding": 1, "dilation": 1, "ceil_mode": True}, (2, 3, 6, 7)),
    ("AvgPool2d", (2,), {}, (2, 3, 6, 7)),
    ("AvgPool2d", (3,), {"stride": 2, "padding": 1, "count_include_pad": False, "ceil_mode": True}, (2, 3, 6, 7)),
    ("AvgPool2d", ((2, 3),), {"divisor_override": 5}, (3, 6, 7)),
    ("AdaptiveAvgPool2d", (2,), {}, (2, 3, 5, 7)),
    ("AdaptiveAvgPool2d", ((3, None),), {}, (2, 3, 5, 7)),
    ("Flatten", (), {}, (2, 3, 4)),
    ("Flatten", (0, 1), {}, (2, 3, 4)),
    ("Unflatten", (1, (2, 3)), {}, (2, 6, 4)),
    ("Dropout", (), {"p": 0.0}, (2, 3)),
    ("ReLU", (), {}, (2, 3)),
    ("ReLU6", (), {}, (2, 3)),
    ("LeakyReLU", (), {"negative_slope": 0.2}, (2, 3)),
    ("LeakyReLU", (), {}, (2, 3)),
    ("PReLU", (), {}, (2, 3)),
    ("PReLU", (3,), {"init": 0.1}, (2, 3, 4)),
    ("ELU", (), {"alpha": 0.5}, (2, 3)),
    ("SELU", (), {}, (2, 3)),
    ("CELU", (), {"alpha": 2.0}, (2, 3)),
    ("GELU", (), {}, (2, 3)),
    ("GELU", (), {"approximate": "tanh"}, (2, 3)),
    ("SiLU", (), {}, (2, 3)),
    ("Mish", (), {}, (2, 3)),
    ("Sigmoid", (), {}, (2, 3)),
    ("Tanh", (), {}, (2, 3)),
    ("Hardtanh", (), {"min_val": -0.5, "max_val": 0.7}, (2, 3)),
    ("Hardtanh", (), {}, (2, 3)),
    ("Hardswish", (), {}, (2, 3)),
    ("Hardsigmoid", (), {}, (2, 3)),
    ("Softplus", (), {"beta": 2.0, "threshold": 1.0}, (2, 3)),
    ("Softplus", (), {}, (2, 3)),
    ("Softsign", (), {}, (2, 3)),
    ("LogSigmoid", (), {}, (2, 3)),
    ("Threshold", (0.1, 20.0), {}, (2, 3)),
    ("Tanhshrink", (), {}, (2, 3)),
    ("Softshrink", (), {}, (2, 3)),
    ("Hardshrink", (0.3,), {}, (2, 3)),
    ("Softmax", (), {"dim": 1}, (2, 3)),
    ("LogSoftmax", (1,), {}, (2, 3)),
    ("Softmin", (-1,), {}, (2, 3)),
    ("GLU", (), {}, (2, 6)),
    ("GLU", (0,), {}, (2, 3)),
]


def label(case):
    name, args, kwargs, _ = case
    return f"{name}-{'-'.join(map(str, args))}-{'-'.join(f'{k}={v}' for k, v in kwargs.items())}"


@pytest.mark.parametrize("case", LAYERS, ids=label)
def test_layer(torch, case):
    """Same repr, initial parameters, outputs, gradients and updated buffers, in training and in evaluation mode."""
    name, args, kwargs, shape = case
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32) * 2
    layers, inputs, outputs = [], [], []
    for lib in (fw, torch):
        lib.manual_seed(0)
        layer = getattr(lib.nn, name)(*args, **kwargs)
        layers.append(layer)
    ours, theirs = layers
    assert repr(ours) == repr(theirs)
    assert_same_state(ours, theirs, rtol=0, atol=0)
    for mode in (True, True, False):
        outputs.clear()
        inputs.clear()
        for lib, layer in ((fw, ours), (torch, theirs)):
            layer.train(mode).zero_grad()
            leaf = t(lib, x).requires_grad_()
            out = layer(leaf * 1)
            (out * t(lib, np.linspace(-1, 1, out.numel(), dtype=np.float32).reshape(out.shape))).sum().backward()
            inputs.append(leaf)
            outputs.append(out)
        close(*outputs)
        close(inputs[0].grad, inputs[1].grad, atol=1e-5)
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            close(a.grad, b.grad, atol=1e-5)
        assert_same_state(ours, theirs)


def assert_same_state(ours, theirs, **tolerance):
    ours, theirs = ours.state_dict(), theirs.state_dict()
    assert list(ours) == list(theirs) and ours._metadata == theirs._metadata
    for a, b in zip(ours.values(), theirs.values(), strict=True):
        close(a, b, **tolerance)


@pytest.mark.parametrize("case", LAYERS, ids=label)
def test_attributes(torch, case):
    """The public attributes of torch's layer exist and have its values."""
    name, args, kwargs, _ = case
    ours, theirs = getattr(nn, name)(*args, **kwargs), getattr(torch.nn, name)(*args, **kwargs)
    for attribute, value in vars(theirs).items():
        if not attribute.startswith("_") or attribute == "_reversed_padding_repeated_twice":
            mine = getattr(ours, attribute)
            assert mine == value or list(mine) == list(value), attribute


@pytest.mark.parametrize("name", ["ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid", "Hardtanh"])
def test_inplace_activations_write_to_their_input(torch, name):
    x = np.linspace(-4, 4, 9, dtype=np.float32)
    ours, theirs = getattr(nn, name)(inplace=True), getattr(torch.nn, name)(inplace=True)
    assert repr(ours) == repr(theirs)
    given = t(fw, x.copy())
    result = ours(given)
    assert result is given
    close(result, theirs(t(torch, x.copy())))
    leaf = t(fw, x.copy()).requires_grad_()
    ours(leaf * 1).sum().backward()
    reference = t(torch, x.copy()).requires_grad_()
    theirs(reference * 1).sum().backward()
    close(leaf.grad, reference.grad)


def test_max_pool_returns_indices(torch):
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 6)).astype(np.float32)
    ours = nn.MaxPool2d(2, return_indices=True)(t(fw, x))
    theirs = torch.nn.MaxPool2d(2, return_indices=True)(t(torch, x))
    close(ours[0], theirs[0])
    assert ours[1].dtype is fw.int64 and ours[1].tolist() == theirs[1].tolist()


class TestLinear:
    def test_initial_weights_are_those_of_torch(self):
        fw.manual_seed(0)
        layer = nn.Linear(20, 30)
        expected = [-0.001674104, 0.119952433, -0.184038490, -0.164560974]  # torch 2.13
        np.testing.assert_allclose(layer.weight[0, :4].detach().numpy(), expected, rtol=1e-6)

    def test_device_and_dtype(self):
        layer = nn.Linear(2, 3, device="cpu", dtype=fw.float64)
        assert layer.weight.dtype is fw.float64 and layer.bias.dtype is fw.float64


class TestDropout:
    @pytest.mark.parametrize("name, whole", [("Dropout", None), ("Dropout1d", (2,)), ("Dropout2d", (2, 3))])
    def test_drops_and_scales(self, name, whole):
        fw.manual_seed(0)
        layer = getattr(nn, name)(p=0.25)
        shape = {None: (50, 60), (2,): (50, 60, 4), (2, 3): (50, 60, 3, 2)}[whole]
        x = fw.ones(*shape)
        out = layer(x).numpy()
        np.testing.assert_allclose(np.unique(out), [0, 1 / 0.75], rtol=1e-6)
        assert abs((out == 0).mean() - 0.25) < 0.03
        if whole is not None:
            assert (out.max(axis=whole) == out.min(axis=whole)).all()  # channels go as a whole
        assert (layer.eval()(x) == 1).all()

    def test_probability_is_checked(self):
        assert repr(nn.Dropout(0.5, inplace=True)) == "Dropout(p=0.5, inplace=True)"
        with pytest.raises(ValueError, match=r"dropout probability has to be between 0 and 1, but got 1.5"):
            nn.Dropout(1.5)


class TestEmbedding:
    @pytest.mark.parametrize(
        "kwargs", [{}, {"padding_idx": 1}, {"padding_idx": -1}, {"scale_grad_by_freq": True}], ids=str
    )
    def test_lookup_and_gradients(self, torch, kwargs):
        index = np.array([[0, 1, 3], [3, 9, 3]])
        results = []
        for lib in (fw, torch):
            lib.manual_seed(3)
            layer = lib.nn.Embedding(10, 4, **kwargs)
            out = layer(t(lib, index))
            (out * out).sum().backward()
            results.append((layer, out))
        (ours, out), (theirs, expected) = results
        assert repr(ours) == repr(theirs)
        close(ours.weight, theirs.weight, rtol=1e-6)
        close(out, expected)
        close(ours.weight.grad, theirs.weight.grad)

    def test_max_norm(self, torch):
        weight = np.arange(12, dtype=np.float32).reshape(4, 3)
        ours = nn.Embedding(4, 3, max_norm=2.0, _weight=t(fw, weight.copy()))
        theirs = torch.nn.Embedding(4, 3, max_norm=2.0, _weight=t(torch, weight.copy()))
        assert repr(ours) == repr(theirs)
        close(ours(fw.tensor([1, 3])), theirs(torch.tensor([1, 3])))
        close(ours.weight, theirs.weight)

    def test_from_pretrained_shares_and_freezes(self):
        table = fw.ones(3, 2)
        layer = nn.Embedding.from_pretrained(table, padding_idx=0)
        table.fill_(5)
        assert (layer.weight == 5).all() and not layer.weight.requires_grad and layer.padding_idx == 0
        assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad

    def test_arguments_are_checked(self):
        with pytest.raises(AssertionError, match="Padding_idx must be within num_embeddings"):
            nn.Embedding(3, 2, padding_idx=3)
        with pytest.raises(AssertionError, match="Shape of weight does not match"):
            nn.Embedding(3, 2, _weight=fw.ones(2, 2))
        with pytest.raises(AssertionError, match="expected to be 2-dimensional"):
            nn.Embedding.from_pretrained(fw.ones(2))


class TestBatchNorm:
    def test_old_states_without_counter_load(self):
        layer = nn.BatchNorm1d(2)
        state = {k: v for k, v in layer.state_dict().items() if k != "num_batches_tracked"}
        layer.num_batches_tracked.fill_(3)
        layer.load_state_dict(state)
        assert layer.num_batches_tracked.item() == 3

    def test_reset(self):
        layer = nn.BatchNorm1d(2)
        layer(fw.randn(5, 2) + 3)
        assert layer.num_batches_tracked.item() == 1 and layer.running_mean.abs().sum() > 0
        layer.reset_running_stats()
        assert layer.num_batches_tracked.item() == 0 and layer.running_mean.tolist() == [0, 0]

    def test_frozen_statistics_stay(self):
        layer = nn.BatchNorm2d(2).eval()
        layer(fw.randn(3, 2, 4, 4) + 3)
        assert layer.running_mean.tolist() == [0, 0] and layer.num_batches_tracked.item() == 0

    @pytest.mark.parametrize(
        "layer, shape, message",
        [
            (nn.BatchNorm1d, (2,), r"expected 2D or 3D input \(got 1D input\)"),
            (nn.BatchNorm2d, (2, 3), r"expected 4D input \(got 2D input\)"),
        ],
    )
    def test_dimensions_are_checked(self, layer, shape, message):
        with pytest.raises(ValueError, match=message):
            layer(3)(fw.ones(*shape))


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=0), ValueError, "groups must be a positive integer"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "in_channels must be divisible by groups"),
        (lambda: nn.Conv2d(4, 3, 3, groups=2), ValueError, "out_channels must be divisible by groups"),
        (lambda: nn.Conv2d(3, 4, 3, padding="some"), ValueError, "Invalid padding string 'some'"),
        (lambda: nn.Conv2d(3, 4, 3, stride=2, padding="same"), ValueError, "not supported for strided"),
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="odd"), ValueError, "padding_mode='odd'"),
        (lambda: nn.Hardtanh(1.0, 0.0), AssertionError, r"max_val \(0.0\) must be greater than min_val \(1.0\)"),
        (lambda: nn.Unflatten(1, 3), TypeError, "must be a tuple of ints, but found type int"),
        (lambda: nn.Unflatten(1, (2, 1.5)), TypeError, "found element of type float at pos 1"),
        (lambda: nn.HuberLoss(delta="1"), TypeError, "delta must be a float or int"),
    ],
)
def test_arguments_are_checked(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_renamed_arguments_of_hardtanh():
    with pytest.warns(FutureWarning, match="`max_value` is deprecated and renamed to `max_val`"):
        assert nn.Hardtanh(max_value=3.0).max_val == 3.0


# Losses: name, keyword arguments, kind of input, kind of target
LOSSES = [
    ("L1Loss", {}, "real", "real"),
    ("MSELoss", {}, "real", "real"),
    ("SmoothL1Loss", {"beta": 0.5}, "real", "real"),
    ("HuberLoss", {"delta": 0.7}, "real", "real"),
    ("BCELoss", {}, "probability", "probability"),
    ("BCELoss", {"weight": np.array([0.5, 2.0, 1.0, 3.0], np.float32)}, "probability", "probability"),
    ("BCEWithLogitsLoss", {}, "real", "probability"),
    ("BCEWithLogitsLoss", {"pos_weight": np.array([0.5, 2.0, 1.0, 3.0], np.float32)}, "real", "probability"),
    ("KLDivLoss", {}, "log", "simplex"),
    ("KLDivLoss", {"log_target": True}, "log", "log"),
    ("NLLLoss", {}, "log", "index"),
    ("NLLLoss", {"weight": np.array([0.5, 2.0, 1.0, 3.0], np.float32), "ignore_index": 1}, "log", "index"),
    ("CrossEntropyLoss", {}, "real", "index"),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, "real", "index"),
    (
        "CrossEntropyLoss",
        {"weight": np.array([0.5, 2.0, 1.0, 3.0], np.float32), "ignore_index": 2, "label_smoothing": 0.2},
        "real",
        "index",
    ),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, "real", "simplex"),
    ("CrossEntropyLoss", {"weight": np.array([0.5, 2.0, 1.0, 3.0], np.float32)}, "real", "simplex"),
]


def loss_data(kind, seed):
    rng = np.random.default_rng(seed)
    if kind == "index":
        return rng.integers(0, 4, size=6)
    x = rng.normal(size=(6, 4))
    if kind == "probability":
        x = 1 / (1 + np.exp(-x))
    elif kind in ("log", "simplex"):
        x = x - np.log(np.exp(x).sum(1, keepdims=True))
        x = np.exp(x) if kind == "simplex" else x
    return x.astype(np.float32)


LOSSES_REDUCED = [(*case, reduction) for case in LOSSES for reduction in ("mean", "sum", "none")]
LOSSES_REDUCED += [(*case, "batchmean") for case in LOSSES if case[0] == "KLDivLoss"]


@pytest.mark.parametrize("case", LOSSES_REDUCED, ids=lambda case: f"{case[0]}-{'-'.join(case[1])}-{case[3]}-{case[4]}")
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss by both")
def test_loss(torch, case):
    name, kwargs, given, wanted, reduction = case
    x, y = loss_data(given, 0), loss_data(wanted, 1)
    results = []
    for lib in (fw, torch):
        options = {k: t(lib, v) if isinstance(v, np.ndarray) else v for k, v in kwargs.items()}
        loss = getattr(lib.nn, name)(reduction=reduction, **options)
        leaf = t(lib, x).requires_grad_()
        value = loss(leaf, t(lib, y))
        value.sum().backward()
        results.append((loss, value, leaf.grad))
    ours, theirs = results
    assert repr(ours[0]) == repr(theirs[0]) and list(ours[0].state_dict()) == list(theirs[0].state_dict())
    close(ours[1], theirs[1])
    close(ours[2], theirs[2])


@pytest.mark.parametrize(
    "kwargs, reduction",
    [({"reduce": False}, "none"), ({"size_average": False}, "sum"), ({"size_average": True}, "mean")],
    ids=str,
)
def test_old_names_of_reduction(kwargs, reduction):
    with pytest.warns(UserWarning, match=f"please use reduction='{reduction}' instead"):
        assert nn.MSELoss(**kwargs).reduction == reduction
