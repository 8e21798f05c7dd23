"""Lazy modules, hooks on all modules, deprecated backward hooks, and the helpers of nn.modules.utils, as torch's."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import framework as fw


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


@pytest.fixture(params=["framework", "torch"])
def lib(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Both libraries: what a test says holds of ours and of torch."""
    yield fw if request.param == "framework" else pytest.importorskip("torch", reason="torch is not installed")


# --- lazy modules -------------------------------------------------------------------------------------------------


def test_a_lazy_layer_becomes_an_ordinary_one(lib: Any) -> None:
    layer = lib.nn.LazyConv2d(4, 3)
    assert layer.has_uninitialized_params() and isinstance(layer.weight, lib.nn.UninitializedParameter)
    assert repr(layer.weight) == "<UninitializedParameter>" and layer.weight.dtype is lib.float32
    weight = layer.weight
    layer(lib.zeros(1, 2, 5, 5))
    assert type(layer) is lib.nn.Conv2d and layer.weight is weight and type(weight) is lib.nn.Parameter
    assert tuple(weight.shape) == (4, 2, 3, 3) and weight.requires_grad and layer.in_channels == 2


def test_uninitialized_parameters_cannot_be_used(lib: Any) -> None:
    weight = lib.nn.LazyLinear(3).weight
    for use in (lambda: weight + 1, lambda: weight.numel(), lambda: weight.sum()):
        with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
            use()
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized"):
        weight.shape  # noqa: B018
    with pytest.raises(RuntimeError, match="Can't share memory on an uninitialized"):
        weight.share_memory_()


def test_dtypes_of_lazy_layers(lib: Any) -> None:
    layer = lib.nn.LazyBatchNorm1d().double()
    assert layer.weight.dtype is lib.float64 and layer.running_mean.dtype is lib.float64
    layer(lib.zeros(3, 4, dtype=lib.float64))
    assert layer.weight.dtype is lib.float64 and layer.running_var.dtype is lib.float64
    assert lib.nn.LazyLinear(2, dtype=lib.float64).weight.dtype is lib.float64
    assert type(layer.running_mean) is lib.Tensor


def test_states_of_lazy_layers(lib: Any) -> None:
    lazy = lib.nn.LazyLinear(3)
    state = lazy.state_dict()
    assert list(state) == ["weight", "bias"] and state["weight"] is lazy.weight
    lib.nn.LazyLinear(3).load_state_dict(state)
    with pytest.raises(RuntimeError, match="Can't access the shape"):
        lib.nn.Linear(2, 3).load_state_dict(state)
    full = lib.nn.Linear(5, 3)
    lazy.load_state_dict(full.state_dict())
    assert not lazy.has_uninitialized_params() and bool((lazy.weight == full.weight).all())
    lazy(lib.zeros(1, 5))
    assert type(lazy) is lib.nn.Linear and lazy.in_features == 5


def test_copies_of_lazy_layers_are_their_own(lib: Any) -> None:
    lazy = lib.nn.LazyLinear(3)
    other = copy.deepcopy(lazy)
    other(lib.zeros(1, 4))
    assert lazy.has_uninitialized_params() and tuple(other.weight.shape) == (3, 4)


def test_a_lazy_module_of_ones_own(lib: Any) -> None:
    class Scale(lib.nn.modules.lazy.LazyModuleMixin, lib.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = lib.nn.UninitializedParameter()

        def initialize_parameters(self, x: Any, times: int = 1) -> None:
            self.weight.materialize((x.shape[-1] * times,))
            with lib.no_grad():
                self.weight.fill_(2)

        def forward(self, x: Any, times: int = 1) -> Any:
            return x * self.weight[: x.shape[-1]]

    module = Scale()
    assert module(lib.ones(3), times=2).tolist() == [2, 2, 2]
    assert tuple(module.weight.shape) == (6,) and type(module) is Scale and not module._forward_pre_hooks

    class Nothing(lib.nn.modules.lazy.LazyModuleMixin, lib.nn.Linear):
        pass

    with pytest.raises(NotImplementedError, match="initialize_parameters is not implemented for Nothing"):
        Nothing(2, 3)(lib.zeros(1, 2))


# --- hooks on all modules -----------------------------------------------------------------------------------------


def events(lib: Any) -> list[str]:
    """What global and own hooks are called, in order, in a forward and a backward of two layers."""
    log: list[str] = []
    every = lib.nn.modules.module

    def note(name: str) -> Any:
        return lambda module, *args: log.append(f"{name} {type(module).__name__} {len(args)}")

    net = lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.Tanh())
    handles = [
        every.register_module_forward_pre_hook(note("all before")),
        every.register_module_forward_hook(note("all after"), with_kwargs=True),
        every.register_module_full_backward_pre_hook(note("all before backward")),
        every.register_module_full_backward_hook(note("all after backward")),
        net[0].register_forward_pre_hook(note("own before")),
        net[0].register_forward_hook(note("own after")),
        net[0].register_full_backward_hook(note("own after backward")),
        net[0].register_full_backward_pre_hook(note("own before backward")),
    ]
    net(lib.ones(1, 2, requires_grad=True)).sum().backward()
    for handle in handles:
        handle.remove()
    count = len(log)
    net(lib.ones(1, 2)).sum().backward()
    assert len(log) == count
    return log


def test_hooks_on_all_modules(torch: Any) -> None:
    assert events(fw) == events(torch)


def test_global_hooks_replace(lib: Any) -> None:
    every = lib.nn.modules.module
    before = every.register_module_forward_pre_hook(lambda module, args: (args[0] + 1,))
    after = every.register_module_forward_hook(lambda module, args, out: out * 10)
    try:
        assert lib.nn.Identity()(lib.ones(2)).tolist() == [20, 20]
    finally:
        before.remove()
        after.remove()
    assert lib.nn.Identity()(lib.ones(2)).tolist() == [1, 1]


def test_global_hooks_that_are_always_called(lib: Any) -> None:
    calls: list[Any] = []
    handle = lib.nn.modules.module.register_module_forward_hook(
        lambda module, args, out: calls.append(out), always_call=True
    )
    try:
        with pytest.raises(ValueError, match="3D or 4D"):
            lib.nn.Softmax2d()(lib.ones(2))
    finally:
        handle.remove()
    assert calls == [None]


def test_registration_hooks(lib: Any) -> None:
    log: list[tuple[str, str]] = []
    every = lib.nn.modules.module

    def halve(module: Any, name: str, buffer: Any) -> Any:
        log.append(("buffer", name))
        return None if buffer is None else buffer / 2

    handles = [
        every.register_module_parameter_registration_hook(lambda m, name, p: log.append(("parameter", name))),
        every.register_module_module_registration_hook(lambda m, name, s: log.append(("module", name))),
        every.register_module_buffer_registration_hook(halve),
    ]
    try:
        net = lib.nn.Module()
        net.layer = lib.nn.Linear(2, 2, bias=False)
        net.add_module("other", lib.nn.Tanh())
        net.register_buffer("mean", lib.ones(2))
    finally:
        for handle in handles:
            handle.remove()
    assert [entry for entry in log if entry[1] != "bias"] == [
        ("parameter", "weight"),
        ("module", "layer"),
        ("module", "other"),
        ("buffer", "mean"),
    ]
    assert net.mean.tolist() == [0.5, 0.5]


# --- backward hooks on the output's node --------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Using a non-full backward hook")
def test_backward_hooks_of_the_output_node(lib: Any) -> None:
    seen: list[Any] = []
    layer = lib.nn.Tanh()
    handle = layer.register_backward_hook(lambda module, grad_in, grad_out: seen.append((module, grad_in, grad_out)))
    x = lib.zeros(2, requires_grad=True)
    layer(x).backward(lib.tensor([1.0, 2.0]))
    ((module, grad_in, grad_out),) = seen
    assert module is layer and grad_out[0].tolist() == [1, 2] and grad_in[0].tolist() == [1, 2]
    with pytest.raises(RuntimeError, match="Cannot use both regular backward hooks and full backward hooks"):
        layer.register_full_backward_hook(print)
    handle.remove()
    layer(x).sum().backward()
    assert len(seen) == 1
    full = lib.nn.Tanh()
    full.register_full_backward_hook(lambda *args: None)
    with pytest.raises(RuntimeError, match="Cannot use both"):
        full.register_backward_hook(print)


# --- helpers ------------------------------------------------------------------------------------------------------


def test_tuples_and_prefixes(lib: Any) -> None:
    utils = lib.nn.modules.utils
    assert utils._pair(3) == (3, 3) and utils._triple([1, 2]) == (1, 2) and utils._single("ab") == ("a", "b")
    assert utils._quadruple(None) == (None,) * 4 and utils._pair.__name__ == "_pair"
    assert utils._reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1)
    assert utils._list_with_default([None, 3], [7, 8, 9, 5]) == [9, 3]
    with pytest.raises(ValueError, match="at least 3"):
        utils._list_with_default([None, 3], [8, 9])
    state = OrderedDict([("module.weight", 1), ("other", 2)])
    state._metadata = OrderedDict([("", {}), ("module", {"version": 1}), ("module.0", {"version": 2})])
    utils.consume_prefix_in_state_dict_if_present(state, "module.")
    assert dict(state) == {"weight": 1, "other": 2} and dict(state._metadata)["0"] == {"version": 2}


def test_batch_norms_become_synchronised_ones(lib: Any) -> None:
    net = lib.nn.Sequential(lib.nn.BatchNorm1d(3, affine=False), lib.nn.Sequential(lib.nn.BatchNorm1d(3))).eval()
    weight = net[1][0].weight
    made = lib.nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert type(made[0]) is lib.nn.SyncBatchNorm and not made[1][0].training and made[1][0].weight is weight


# --- gradients that torch defines in its own way ------------------------------------------------------------------


def test_gradient_of_ctc_loss_is_torchs(torch: Any) -> None:
    """By log_probs that came out of no log_softmax, torch's gradient still has the probabilities in it."""
    values = np.log(np.random.default_rng(0).dirichlet(np.ones(4), (6, 3))).astype(np.float64)
    rows = np.array([[1, 2, 2], [3, 1, 0], [1, 1, 1]])
    grads = []
    for lib in (fw, torch):
        for zero in (True, False):
            leaf = lib.from_numpy(values.copy()).requires_grad_()
            loss = lib.nn.functional.ctc_loss(
                leaf, lib.from_numpy(rows), (6, 5, 3), (3, 2, 3), reduction="sum", zero_infinity=zero
            )
            loss.backward()
            grads.append(leaf.grad.numpy())
    np.testing.assert_allclose(grads[0], grads[2], atol=1e-12)
    np.testing.assert_allclose(grads[1][:, :2], grads[3][:, :2], atol=1e-12)
    assert np.isnan(grads[3][:3, 2]).all() and np.isnan(grads[1][:3, 2]).all()
    leaf = fw.from_numpy(values).requires_grad_()
    loss = fw.nn.functional.ctc_loss(leaf, fw.from_numpy(rows), (6, 5, 3), (3, 2, 1))
    (grad,) = fw.autograd.grad(loss, leaf, create_graph=True)
    with pytest.raises(RuntimeError, match="derivative for aten::_ctc_loss_backward is not implemented"):
        grad.sum().backward()
