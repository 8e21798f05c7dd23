"""Optimizers: each step follows torch's, states are interchangeable; groups, hooks, closures, errors."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import ClassVar

import numpy as np
import pytest

import framework as fw
from framework import nn, optim


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


SHAPES = [(4, 3), (3,), ()]


def make_params(lib, dtype, seed=0):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape) for shape in SHAPES]
    return [lib.tensor(a.tolist(), dtype=getattr(lib, dtype), requires_grad=True) for a in arrays]


def set_grads(lib, params, step, dtype):
    """Gradients that depend on the parameters too, so that errors would grow from step to step."""
    rng = np.random.default_rng(1000 + step)
    for param in params:
        noise = lib.tensor(rng.normal(size=tuple(param.shape)).tolist(), dtype=getattr(lib, dtype))
        param.grad = noise + 0.1 * param.detach()


def run(lib, make, dtype, steps, params=None):
    params = make_params(lib, dtype) if params is None else params
    optimizer = make(lib.optim, params)
    for step in range(steps):
        set_grads(lib, params, step, dtype)
        optimizer.step()
    return params, optimizer


def assert_close(ours, theirs, dtype):
    tolerance = 1e-12 if "64" in dtype or "128" in dtype else 1e-6
    for a, b in zip(ours, theirs, strict=True):
        a, b = a.detach().numpy(), b.detach().numpy()
        assert a.dtype == b.dtype and a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def options(**choices):
    """Every combination of the options' values."""
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


SGD_OPTIONS = options(momentum=[0, 0.9], dampening=[0, 0.3], weight_decay=[0, 0.05], maximize=[False, True]) + options(
    momentum=[0.9], nesterov=[True], weight_decay=[0, 0.05], maximize=[False, True]
)
ADAM_OPTIONS = options(weight_decay=[0, 0.05], amsgrad=[False, True], maximize=[False, True]) + [
    {"betas": (0.5, 0.8), "eps": 1e-3},
    {"decoupled_weight_decay": True, "weight_decay": 0.1},
    {"fused": True},
    {"foreach": True},
]
ADAMW_OPTIONS = options(weight_decay=[0, 0.05], amsgrad=[False, True], maximize=[False, True]) + [{}]
COMMON_OPTIONS = [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "maximize": True}]
OTHERS = {
    "ASGD": [*COMMON_OPTIONS, {"t0": 5}, {"lambd": 0.1, "alpha": 0.5}],
    "Adadelta": [*COMMON_OPTIONS, {"rho": 0.5, "eps": 1e-3}],
    "Adafactor": [*COMMON_OPTIONS, {"d": 2.0}, {"eps": (1e-3, 1e-2), "beta2_decay": -0.5}],
    "Adagrad": [*COMMON_OPTIONS, {"lr_decay": 0.1, "initial_accumulator_value": 0.3, "eps": 1e-3}],
    "Adamax": [*COMMON_OPTIONS, {"betas": (0.5, 0.8), "eps": 1e-3}],
    "NAdam": [*COMMON_OPTIONS, {"weight_decay": 0.1, "decoupled_weight_decay": True}, {"momentum_decay": 0.1}],
    "RAdam": [*COMMON_OPTIONS, {"weight_decay": 0.1, "decoupled_weight_decay": True}, {"betas": (0.5, 0.8)}],
    "RMSprop": [*COMMON_OPTIONS, *options(momentum=[0, 0.9], centered=[False, True], alpha=[0.5])],
    "Rprop": [{}, {"maximize": True}, {"etas": (0.3, 1.1), "step_sizes": (1e-3, 0.1)}],
}
CASES = (
    [("SGD", o) for o in SGD_OPTIONS + [{"fused": True}, {"foreach": True, "momentum": 0.5}]]
    + [("Adam", o) for o in ADAM_OPTIONS]
    + [("AdamW", o) for o in ADAMW_OPTIONS]
    + [(name, o) for name, choices in OTHERS.items() for o in choices]
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, kwargs", CASES, ids=lambda v: str(v))
def test_twenty_steps_follow_torch(torch, name, kwargs, dtype):
    def make(module, params):
        return getattr(module, name)(params, lr=0.05, **kwargs)

    ours, optimizer = run(fw, make, dtype, 20)
    theirs, reference = run(torch, make, dtype, 20)
    assert_close(ours, theirs, dtype)
    assert repr(optimizer) == repr(reference)
    assert_same_state(optimizer.state_dict(), reference.state_dict(), dtype)


def assert_same_state(ours, theirs, dtype):
    assert ours["param_groups"] == theirs["param_groups"]
    assert list(ours["state"]) == list(theirs["state"])
    for number, mine in ours["state"].items():
        other = theirs["state"][number]
        assert list(mine) == list(other)
        for key in mine:
            assert str(mine[key].dtype) == str(other[key].dtype), key
            assert_close([mine[key]], [other[key]], dtype)


@pytest.mark.parametrize("name", ["SGD", "Adam", *(name for name in OTHERS if name != "Adafactor")])
def test_complex_parameters(torch, name):
    def make(module, params):
        kwargs = {} if name == "Rprop" else {"weight_decay": 0.1}
        return getattr(module, name)(params, lr=0.05, **kwargs, **({"momentum": 0.9} if name == "SGD" else {}))

    results = []
    for lib in (fw, torch):
        params = [lib.tensor([1 + 2j, -0.5j, 3.0], dtype=lib.complex128, requires_grad=True)]
        optimizer = make(lib.optim, params)
        for step in range(5):
            params[0].grad = lib.tensor([step + 1j, 0.3 - 2j, -1.0], dtype=lib.complex128)
            optimizer.step()
        results.append(params)
    assert_close(*results, "complex128")


@pytest.mark.parametrize("name, kwargs", [("SGD", {"momentum": 0.9}), ("Adam", {}), ("AdamW", {"amsgrad": True})])
def test_noncontiguous_parameters(torch, name, kwargs):
    results = []
    for lib in (fw, torch):
        base = lib.arange(12.0).reshape(3, 4)
        param = lib.nn.Parameter(base.t())
        optimizer = getattr(lib.optim, name)([param], lr=0.1, **kwargs)
        for _ in range(3):
            param.grad = lib.ones(4, 3) + param.detach() * 0.1
            optimizer.step()
        results.append([param])
    assert_close(*results, "float32")


class TestState:
    @pytest.mark.parametrize("name, kwargs", [("SGD", {"momentum": 0.9}), ("Adam", {"amsgrad": True}), ("AdamW", {})])
    @pytest.mark.parametrize("direction", ["to torch", "from torch"])
    def test_goes_on_in_the_other_library(self, torch, name, kwargs, direction):
        def make(module, params):
            return getattr(module, name)(params, lr=0.05, **kwargs)

        first, second = (fw, torch) if direction == "to torch" else (torch, fw)
        params, optimizer = run(first, make, "float64", 5)
        state = translate(optimizer.state_dict(), second)
        others = [second.tensor(p.tolist(), dtype=second.float64, requires_grad=True) for p in params]
        resumed = make(second.optim, others)
        resumed.load_state_dict(state)
        for step in range(5, 10):
            for lib, ps, opt in ((first, params, optimizer), (second, others, resumed)):
                set_grads(lib, ps, step, "float64")
                opt.step()
        assert_close(others, params, "float64")

    def test_round_trip_through_pickle_and_deepcopy(self):
        params, optimizer = run(fw, lambda m, p: m.Adam(p, lr=0.1), "float32", 3)
        for duplicate in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
            ours, theirs = duplicate((params, optimizer))
            set_grads(fw, ours, 3, "float32")
            theirs.step()
            assert ours[0] is theirs.param_groups[0]["params"][0]
        expected, _ = run(fw, lambda m, p: m.Adam(p, lr=0.1), "float32", 4)
        assert_close(ours, expected, "float32")

    def test_numbers_parameters_over_groups(self):
        a, b, c = make_params(fw, "float32")
        optimizer = optim.SGD([{"params": [a]}, {"params": [b, c], "lr": 3.0}], lr=1.0)
        groups = optimizer.state_dict()["param_groups"]
        assert [g["params"] for g in groups] == [[0], [1, 2]] and [g["lr"] for g in groups] == [1.0, 3.0]

    def test_load_casts_to_the_parameter(self):
        _, optimizer = run(fw, lambda m, p: m.Adam(p), "float64", 2)
        other = optim.Adam(make_params(fw, "float32"))
        other.load_state_dict(optimizer.state_dict())
        state = other.state_dict()["state"][0]
        assert state["exp_avg"].dtype is fw.float32 and state["step"].item() == 2 and state["step"].shape == ()

    def test_load_fills_in_what_old_states_lack(self):
        optimizer = optim.Adam(make_params(fw, "float32"))
        state = optimizer.state_dict()
        for key in ("amsgrad", "maximize", "foreach", "capturable", "differentiable", "fused"):
            del state["param_groups"][0][key]
        zero = fw.zeros(4, 3)
        state["state"] = {0: {"step": 7, "exp_avg": zero, "exp_avg_sq": zero.clone()}}
        optimizer.load_state_dict(state)
        assert optimizer.param_groups[0]["amsgrad"] is False
        assert optimizer.state[optimizer.param_groups[0]["params"][0]]["step"].item() == 7

    def test_load_leaves_the_given_dictionary_alone(self):
        optimizer = optim.SGD(make_params(fw, "float32"), lr=1.0)
        state = optimizer.state_dict()
        other = optim.SGD(make_params(fw, "float32"), lr=2.0)
        other.load_state_dict(state)
        other.param_groups[0]["lr"] = 3.0
        assert state["param_groups"][0]["params"] == [0, 1, 2] and state["param_groups"][0]["lr"] == 1.0

    def test_mismatches_are_refused_before_anything_changes(self):
        a, b, c = make_params(fw, "float32")
        optimizer = optim.SGD([a, b], lr=1.0)
        two_groups = optim.SGD([{"params": [c]}, {"params": [a]}], lr=9.0).state_dict()
        with pytest.raises(ValueError, match="loaded state dict has a different number of parameter groups"):
            optimizer.load_state_dict(two_groups)
        with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
            optimizer.load_state_dict(optim.SGD([a, b, c], lr=9.0).state_dict())
        assert optimizer.param_groups[0]["lr"] == 1.0


def translate(value, lib):
    """A state dict with its tensors in the other library."""
    if isinstance(value, dict):
        return {k: translate(v, lib) for k, v in value.items()}
    if isinstance(value, list):
        return [translate(v, lib) for v in value]
    if hasattr(value, "detach"):
        return lib.tensor(value.tolist(), dtype=getattr(lib, str(value.dtype).removeprefix("torch.")))
    return value


class TestStep:
    def test_parameters_without_gradient_are_left_alone(self):
        a, b, _ = make_params(fw, "float32")
        optimizer = optim.Adam([a, b], lr=0.1, weight_decay=0.1)
        before = b.detach().clone()
        a.grad = fw.ones(4, 3)
        optimizer.step()
        assert (b == before).all() and list(optimizer.state) == [a]

    def test_frozen_parameters_are_left_alone(self):
        fw.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
        net[0].requires_grad_(False)
        before = net[0].weight.clone()
        optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
        head = net[1].weight.detach().clone()
        net(fw.ones(1, 3)).sum().backward()
        optimizer.step()
        assert (net[0].weight == before).all() and not (net[1].weight == head).any()

    def test_writes_in_place_and_tells_autograd(self):
        x = fw.tensor([2.0], requires_grad=True)
        optimizer = optim.SGD([x], lr=0.5)
        memory = x.data_ptr()
        y = x * x
        x.grad = fw.ones(1)
        optimizer.step()
        assert x.data_ptr() == memory and x.tolist() == [1.5] and x.is_leaf and x.requires_grad
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()

    def test_options_per_group(self):
        a, b = fw.tensor([1.0], requires_grad=True), fw.tensor([1.0], requires_grad=True)
        optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1)
        a.grad, b.grad = fw.ones(1), fw.ones(1)
        optimizer.step()
        np.testing.assert_allclose([a.item(), b.item()], [0.9, 0.5], rtol=1e-6)

    def test_closure_runs_with_gradients(self):
        x = fw.tensor([3.0], requires_grad=True)
        optimizer = optim.SGD([x], lr=0.1)

        def closure():
            optimizer.zero_grad()
            loss = (x * x).sum()
            loss.backward()
            return loss

        with fw.no_grad():
            loss = optimizer.step(closure)
        assert loss.item() == 9.0
        np.testing.assert_allclose(x.item(), 3 - 0.1 * 6, rtol=1e-6)

    def test_zero_grad(self):
        (x, *_) = make_params(fw, "float32")
        optimizer = optim.SGD([x], lr=0.1)
        optimizer.zero_grad()
        x.grad = fw.ones(4, 3)
        grad = x.grad
        optimizer.zero_grad(set_to_none=False)
        assert x.grad is grad and grad.abs().sum().item() == 0
        optimizer.zero_grad()
        assert x.grad is None

    def test_learning_rate_may_be_a_tensor(self, torch):
        results = []
        for lib in (fw, torch):
            rate = lib.tensor(0.1)
            params, optimizer = run(lib, lambda m, p, rate=rate: m.SGD(p, lr=rate, foreach=False), "float32", 2)
            rate.fill_(0.5)
            set_grads(lib, params, 9, "float32")
            optimizer.step()
            results.append(params)
        assert_close(*results, "float32")

    def test_numpy_learning_rate_does_not_widen(self):
        params, _ = run(fw, lambda m, p: m.Adam(p, lr=np.float64(0.1)), "float32", 2)
        assert all(p.dtype is fw.float32 for p in params)

    @pytest.mark.parametrize(
        "name, kwargs",
        [
            ("SGD", {}),
            ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
            ("SGD", {"momentum": 0.9, "dampening": 0.2, "maximize": True}),
            ("Adam", {"weight_decay": 0.1}),
            ("Adam", {"maximize": True}),
            ("AdamW", {"eps": 1e-3}),
        ],
        ids=str,
    )
    def test_differentiable_steps(self, torch, name, kwargs):
        """The derivative of the parameters after some steps with respect to what the gradients were made of."""
        results = []
        for lib in (fw, torch):
            source = lib.tensor([0.5, -1.5], dtype=lib.float64, requires_grad=True)
            param = (lib.tensor([1.0, 2.0], dtype=lib.float64, requires_grad=True) * 1).requires_grad_()
            optimizer = getattr(lib.optim, name)([param], lr=0.1, differentiable=True, **kwargs)
            for _ in range(3):
                param.grad = source * source
                optimizer.step()
            param.sum().backward()
            results.append([param.detach().numpy(), source.grad.numpy()])
        # torch computes Adam's bias correction in float32 here, and its amsgrad raises in backward
        np.testing.assert_allclose(*results, rtol=5e-5)

    def test_differentiable_amsgrad(self):
        """By finite differences: the result of three steps as a function of the gradients' source."""

        def result(source, differentiable):
            param = fw.tensor([1.0, 2.0], dtype=fw.float64, requires_grad=True) * 1
            param = param if differentiable else param.detach()
            optimizer = optim.Adam([param], lr=0.1, amsgrad=True, eps=0.1, differentiable=differentiable)
            for step in range(3):
                param.grad = source * source / (step + 1)
                optimizer.step()
            return param.sum()

        source = fw.tensor([0.5, -1.5], dtype=fw.float64, requires_grad=True)
        result(source, True).backward()
        for i, h in ((0, 1e-6), (1, 1e-6)):
            shift = fw.tensor([h if j == i else 0.0 for j in range(2)], dtype=fw.float64)
            slope = (result(source.detach() + shift, False) - result(source.detach() - shift, False)).item() / (2 * h)
            np.testing.assert_allclose(source.grad[i].item(), slope, rtol=1e-6)


class TestGroups:
    def test_names(self):
        net = nn.Linear(2, 2)
        optimizer = optim.SGD(net.named_parameters(), lr=0.1)
        assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
        state = optimizer.state_dict()
        assert state["param_groups"][0]["param_names"] == ["weight", "bias"]
        with pytest.raises(ValueError, match="cannot add param group without names"):
            optimizer.add_param_group({"params": [fw.ones(1)]})

    def test_add_param_group_while_training(self):
        a, b, _ = make_params(fw, "float32")
        optimizer = optim.Adam([a], lr=0.1)
        optimizer.add_param_group({"params": b, "lr": 0.5})
        assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.5]
        b.grad = fw.ones(3)
        before = b.detach().clone()
        optimizer.step()
        np.testing.assert_allclose((before - b).detach().numpy(), 0.5, rtol=1e-5)

    def test_required_option(self):
        class Needy(optim.Optimizer):
            pass

        with pytest.raises(ValueError, match="didn't specify a value of required optimization parameter lr"):
            Needy([fw.ones(1)], {"lr": optim.optimizer.required})

    def test_duplicates_warn(self):
        x = fw.ones(1, requires_grad=True)
        with pytest.warns(UserWarning, match="duplicate parameters"):
            optim.SGD([x, x], lr=0.1)

    BAD: ClassVar = {
        "a tensor": lambda lib: lib.optim.SGD(lib.ones(2), lr=0.1),
        "nothing": lambda lib: lib.optim.SGD([], lr=0.1),
        "not tensors": lambda lib: lib.optim.SGD([1.0], lr=0.1),
        "a set": lambda lib: lib.optim.SGD([{"params": {lib.ones(1)}}], lr=0.1),
        "non-leaf": lambda lib: lib.optim.SGD([lib.ones(1, requires_grad=True) * 2], lr=0.1),
        "some named": lambda lib: lib.optim.SGD([("a", lib.ones(1)), lib.ones(1)], lr=0.1),
        "group is a list": lambda lib: lib.optim.SGD([lib.ones(1)], lr=0.1).add_param_group([lib.ones(1)]),
        "in two groups": lambda lib: _same_parameter_twice(lib),
        "lr": lambda lib: lib.optim.SGD([lib.ones(1)], lr=-1),
        "lr tensor": lambda lib: lib.optim.SGD([lib.ones(1)], lr=lib.ones(2)),
        "momentum": lambda lib: lib.optim.SGD([lib.ones(1)], momentum=-0.5),
        "weight decay": lambda lib: lib.optim.SGD([lib.ones(1)], weight_decay=-0.5),
        "nesterov": lambda lib: lib.optim.SGD([lib.ones(1)], nesterov=True),
        "nesterov dampening": lambda lib: lib.optim.SGD([lib.ones(1)], momentum=0.9, dampening=0.1, nesterov=True),
        "fused and foreach": lambda lib: lib.optim.SGD([lib.ones(1)], fused=True, foreach=True),
        "fused and differentiable": lambda lib: lib.optim.SGD([lib.ones(1)], fused=True, differentiable=True),
        "adam lr": lambda lib: lib.optim.Adam([lib.ones(1)], lr=-1),
        "adam eps": lambda lib: lib.optim.Adam([lib.ones(1)], eps=-1),
        "adam beta1": lambda lib: lib.optim.Adam([lib.ones(1)], betas=(1.0, 0.9)),
        "adam beta2": lambda lib: lib.optim.Adam([lib.ones(1)], betas=(0.9, -1.0)),
        "adam beta types": lambda lib: lib.optim.Adam([lib.ones(1)], betas=(0, 0.9)),
        "adam decay": lambda lib: lib.optim.AdamW([lib.ones(1)], weight_decay=-1),
        "adam fused": lambda lib: lib.optim.Adam([lib.ones(1)], fused=True, foreach=True),
    }

    @pytest.mark.parametrize("case", BAD)
    def test_errors_are_those_of_torch(self, torch, case):
        messages = []
        for lib in (fw, torch):
            with pytest.raises((TypeError, ValueError, RuntimeError)) as caught:
                self.BAD[case](lib)
            messages.append(f"{caught.type.__name__}: {caught.value}".replace("framework.", "torch."))
        assert messages[0] == messages[1]


def _same_parameter_twice(lib):
    x = lib.ones(1, requires_grad=True)
    return lib.optim.SGD([{"params": [x]}, {"params": [x]}], lr=0.1)


class TestHooks:
    def test_step_hooks(self):
        log = []
        x = fw.ones(1, requires_grad=True)
        optimizer = optim.SGD([x], lr=0.1)
        optimizer.register_step_pre_hook(lambda o, args, kwargs: log.append(("pre", o is optimizer, args, kwargs)))
        handle = optimizer.register_step_post_hook(lambda o, args, kwargs: log.append("post"))
        optimizer.step()
        handle.remove()
        optimizer.step()
        assert log == [("pre", True, (), {}), "post", ("pre", True, (), {})]

    def test_pre_hook_changes_the_arguments(self):
        optimizer = optim.SGD([fw.ones(1, requires_grad=True)], lr=0.1)
        optimizer.register_step_pre_hook(lambda o, args, kwargs: ((lambda: 42,), {}))
        assert optimizer.step() == 42
        optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
        with pytest.raises(RuntimeError, match="must return None or a tuple of"):
            optimizer.step()

    def test_state_dict_hooks(self):
        log = []
        optimizer = optim.SGD([fw.ones(1, requires_grad=True)], lr=0.1)
        optimizer.register_state_dict_pre_hook(lambda o: log.append(1))
        optimizer.register_state_dict_pre_hook(lambda o: log.append(0), prepend=True)
        optimizer.register_state_dict_post_hook(lambda o, state: {**state, "extra": 5})
        optimizer.register_load_state_dict_pre_hook(lambda o, state: {**state, "seen": log.append(state["extra"])})
        optimizer.register_load_state_dict_post_hook(lambda o: log.append("loaded"))
        optimizer.load_state_dict(optimizer.state_dict())
        assert log == [0, 1, 5, "loaded"]

    def test_own_optimizers_have_them_too(self):
        class Sign(optim.Optimizer):
            def __init__(self, params, lr):
                super().__init__(params, {"lr": lr})

            @fw.no_grad()
            def step(self):
                for group in self.param_groups:
                    for p in group["params"]:
                        p.sub_(p.grad.sign() * group["lr"])

        x = fw.tensor([1.0, -1.0], requires_grad=True)
        optimizer = Sign([x], lr=0.5)
        log = []
        optimizer.register_step_post_hook(lambda *args: log.append("post"))
        x.grad = fw.tensor([3.0, -7.0])
        optimizer.step()
        assert x.tolist() == [0.5, -0.5] and log == ["post"]

    def test_base_class_has_no_step(self):
        with pytest.raises(NotImplementedError, match="Optimizer"):
            optim.Optimizer([fw.ones(1)], {}).step()


def test_training_a_small_network_follows_torch(torch):
    """Twenty steps of a real network: losses and weights of both libraries stay together."""
    x = np.random.default_rng(0).normal(size=(16, 5)).astype(np.float32)
    y = np.random.default_rng(1).integers(0, 3, size=16)
    results = []
    for lib in (fw, torch):
        lib.manual_seed(0)
        net = lib.nn.Sequential(lib.nn.Linear(5, 16), lib.nn.BatchNorm1d(16), lib.nn.ReLU(), lib.nn.Linear(16, 3))
        optimizer = lib.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3, nesterov=True)
        losses = []
        for _ in range(20):
            optimizer.zero_grad()
            loss = lib.nn.CrossEntropyLoss()(net(lib.from_numpy(x)), lib.from_numpy(y))
            loss.backward()
            lib.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        results.append((losses, [p.detach().numpy() for p in net.state_dict().values()]))
    (losses, state), (expected_losses, expected_state) = results
    assert losses[-1] < 0.5 * losses[0]
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-4)
    for a, b in zip(state, expected_state, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


class TestClipping:
    @pytest.mark.parametrize("norm_type", [1, 2, 3.5, 0, float("inf")])
    @pytest.mark.parametrize("max_norm", [0.5, 1e6])
    def test_norm(self, torch, norm_type, max_norm):
        results = []
        for lib in (fw, torch):
            params = make_params(lib, "float32")
            set_grads(lib, params[:2], 0, "float32")
            grads = [p.grad for p in params[:2]]
            total = lib.nn.utils.clip_grad_norm_(params, max_norm, norm_type=norm_type)
            assert all(p.grad is g for p, g in zip(params[:2], grads, strict=True))
            results.append([total, *grads, lib.nn.utils.get_total_norm(grads, norm_type)])
        assert_close(*results, "float32")

    def test_value(self, torch):
        results = []
        for lib in (fw, torch):
            params = make_params(lib, "float64")
            set_grads(lib, params, 0, "float64")
            lib.nn.utils.clip_grad_value_(params, 0.3)
            results.append([p.grad for p in params])
        assert_close(*results, "float64")

    def test_half_precision_does_not_overflow(self):
        x = fw.ones(100, dtype=fw.float16, requires_grad=True)
        x.grad = fw.full((100,), 200.0, dtype=fw.float16)
        assert nn.utils.clip_grad_norm_(x, 1.0).item() == 2000
        np.testing.assert_allclose(x.grad.numpy().astype(float), 0.1, rtol=1e-2)

    def test_non_finite(self):
        x = fw.ones(2, requires_grad=True)
        x.grad = fw.tensor([float("nan"), 1.0])
        with pytest.raises(
            RuntimeError, match=r"total norm of order 2.0 for gradients from `parameters` is non-finite"
        ):
            nn.utils.clip_grad_norm_(x, 1.0, error_if_nonfinite=True)
        assert x.grad[1].item() == 1.0
        assert np.isnan(nn.utils.clip_grad_norm_(x, 1.0).item())

    def test_nothing_to_clip(self):
        assert nn.utils.clip_grad_norm_([], 1.0).item() == 0
        with pytest.warns(UserWarning, match="empty generator"):
            nn.utils.clip_grad_norm_((p for p in []), 1.0)


class TestVectors:
    def test_there_and_back(self):
        net = nn.Linear(3, 2)
        vector = nn.utils.parameters_to_vector(net.parameters())
        assert vector.shape == (8,) and vector.requires_grad
        nn.utils.vector_to_parameters(fw.arange(8.0), net.parameters())
        assert net.weight.tolist() == [[0, 1, 2], [3, 4, 5]] and net.bias.tolist() == [6, 7]
        assert isinstance(net.weight, nn.Parameter) and net.weight.requires_grad

    def test_errors(self):
        with pytest.raises(TypeError, match=r"expected torch.Tensor, but got: list"):
            nn.utils.vector_to_parameters([1.0], [])


class TestDevice:
    """On the strict stand-in for a GPU: the same numbers as on the CPU, and no step waits for the device."""

    @pytest.mark.parametrize(
        "name, kwargs", [*CASES[:3], ("SGD", {"momentum": 0.9, "nesterov": True}), *CASES[-6:]], ids=str
    )
    def test_steps(self, stand_in, name, kwargs):
        def make(module, params):
            return getattr(module, name)(params, lr=0.05, **kwargs)

        expected, _ = run(fw, make, "float32", 4)
        params = [p.detach().cuda().requires_grad_() for p in make_params(fw, "float32")]
        optimizer = make(optim, params)
        for step in range(4):
            set_device_grads(params, step)
            with stand_in.host_reads.forbidden():
                optimizer.step()
        assert_close([p.cpu() for p in params], expected, "float32")
        for state in optimizer.state.values():
            assert all(value.is_cuda != (key == "step") for key, value in state.items())

    def test_clipping(self, stand_in):
        params = [p.detach().cuda().requires_grad_() for p in make_params(fw, "float32")]
        set_device_grads(params, 0)
        expected = make_params(fw, "float32")
        set_grads(fw, expected, 0, "float32")
        with stand_in.host_reads.forbidden():
            total = nn.utils.clip_grad_norm_(params, 0.5)
            nn.utils.clip_grad_value_(params, 0.1)
        assert_close([total.cpu()], [nn.utils.clip_grad_norm_(expected, 0.5)], "float32")
        nn.utils.clip_grad_value_(expected, 0.1)
        assert_close([p.grad.cpu() for p in params], [p.grad for p in expected], "float32")

    def test_state_loads_onto_the_device(self, stand_in):
        _, optimizer = run(fw, lambda m, p: m.Adam(p), "float32", 2)
        params = [p.detach().cuda().requires_grad_() for p in make_params(fw, "float32")]
        other = optim.Adam(params)
        other.load_state_dict(optimizer.state_dict())
        state = other.state[params[0]]
        assert state["exp_avg"].is_cuda and not state["step"].is_cuda
        set_device_grads(params, 2)
        other.step()


def set_device_grads(params, step):
    hosts = [p.detach().cpu().requires_grad_() for p in params]
    set_grads(fw, hosts, step, "float32")
    for param, host in zip(params, hosts, strict=True):
        param.grad = host.grad.cuda()
