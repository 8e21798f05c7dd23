"""Learning-rate schedules: torch's numbers step for step, also resumed; states are interchangeable; warnings."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import framework as fw
from framework import optim
from framework.optim import lr_scheduler


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


def halve(epoch):
    return 0.5 ** (epoch // 10)


def shrink(epoch):
    return 0.95


def make_optimizer(lib):
    a, b = lib.ones(2, requires_grad=True), lib.ones(3, requires_grad=True)
    return lib.optim.SGD([{"params": [a]}, {"params": [b], "lr": 0.5}], lr=0.1, momentum=0.9)


def warm_up_then(lib, optimizer, last):
    s = lib.optim.lr_scheduler
    return s.SequentialLR(optimizer, [s.LinearLR(optimizer, start_factor=0.1, total_iters=5), last(s)], milestones=[5])


SCHEDULES = {
    "LambdaLR": lambda lib, o: lib.optim.lr_scheduler.LambdaLR(o, halve),
    "LambdaLR per group": lambda lib, o: lib.optim.lr_scheduler.LambdaLR(o, [halve, shrink]),
    "MultiplicativeLR": lambda lib, o: lib.optim.lr_scheduler.MultiplicativeLR(o, shrink),
    "StepLR": lambda lib, o: lib.optim.lr_scheduler.StepLR(o, 7, gamma=0.5),
    "MultiStepLR": lambda lib, o: lib.optim.lr_scheduler.MultiStepLR(o, [3, 8, 8, 40], gamma=0.5),
    "ExponentialLR": lambda lib, o: lib.optim.lr_scheduler.ExponentialLR(o, 0.97),
    "ConstantLR": lambda lib, o: lib.optim.lr_scheduler.ConstantLR(o, factor=0.3, total_iters=7),
    "LinearLR": lambda lib, o: lib.optim.lr_scheduler.LinearLR(o, 0.1, 0.8, total_iters=30),
    "PolynomialLR": lambda lib, o: lib.optim.lr_scheduler.PolynomialLR(o, total_iters=60, power=2.0),
    "CosineAnnealingLR": lambda lib, o: lib.optim.lr_scheduler.CosineAnnealingLR(o, T_max=30, eta_min=0.01),
    "CosineAnnealingWarmRestarts": lambda lib, o: lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 7, 2, 1e-3),
    "OneCycleLR": lambda lib, o: lib.optim.lr_scheduler.OneCycleLR(o, 0.3, total_steps=101),
    "OneCycleLR linear": lambda lib, o: lib.optim.lr_scheduler.OneCycleLR(
        o, [0.3, 0.7], epochs=20, steps_per_epoch=6, anneal_strategy="linear", three_phase=True, pct_start=0.2
    ),
    "OneCycleLR without momentum": lambda lib, o: lib.optim.lr_scheduler.OneCycleLR(
        o, 0.3, total_steps=101, cycle_momentum=False, div_factor=5.0
    ),
    "warm-up": lambda lib, o: warm_up_then(lib, o, lambda s: s.CosineAnnealingLR(o, T_max=95)),
    "SequentialLR": lambda lib, o: lib.optim.lr_scheduler.SequentialLR(
        o,
        [
            lib.optim.lr_scheduler.ConstantLR(o, factor=0.1, total_iters=10),
            lib.optim.lr_scheduler.ExponentialLR(o, 0.9),
            lib.optim.lr_scheduler.StepLR(o, 5, 0.5),
        ],
        milestones=[10, 30],
    ),
    "nested": lambda lib, o: lib.optim.lr_scheduler.SequentialLR(
        o,
        [warm_up_then(lib, o, lambda s: s.ExponentialLR(o, 0.9)), lib.optim.lr_scheduler.StepLR(o, 5, 0.5)],
        milestones=[20],
    ),
    "ChainedScheduler": lambda lib, o: lib.optim.lr_scheduler.ChainedScheduler(
        [lib.optim.lr_scheduler.ConstantLR(o, 0.1, 8), lib.optim.lr_scheduler.ExponentialLR(o, 0.95)]
    ),
}


def advance(optimizer, scheduler, n):
    """The learning rates (and momenta, which OneCycleLR changes) of n steps."""
    seen = []
    for _ in range(n):
        optimizer.step()
        scheduler.step()
        seen.append([(group["lr"], group["momentum"]) for group in optimizer.param_groups])
        assert [lr for lr, _ in seen[-1]] == scheduler.get_last_lr()
    return seen


@pytest.mark.filterwarnings("ignore:Detected call of")  # torch (and so we) warn for a SequentialLR in another
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_hundred_steps_follow_torch(torch, name):
    results = []
    for lib in (fw, torch):
        optimizer = make_optimizer(lib)
        scheduler = SCHEDULES[name](lib, optimizer)
        first = [group["lr"] for group in optimizer.param_groups]
        results.append((first, advance(optimizer, scheduler, 100), scheduler.state_dict()))
    (first, ours, state), (expected_first, theirs, expected_state) = results
    np.testing.assert_allclose(first, expected_first, rtol=1e-14)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-15)
    assert_same_state(state, expected_state)


def assert_same_state(ours, theirs):
    assert set(ours) == set(theirs)
    for key, value in theirs.items():
        if key == "_schedulers":
            for a, b in zip(ours[key], value, strict=True):
                assert_same_state(a, b)
        elif key in ("base_lrs", "_last_lr"):
            np.testing.assert_allclose(ours[key], value, rtol=1e-9, atol=1e-15)
        else:
            assert ours[key] == value, key


@pytest.mark.filterwarnings("ignore:Detected call of")  # torch (and so we) warn for a SequentialLR in another
@pytest.mark.parametrize("direction", ["within", "to torch", "from torch"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_resumed_schedules_go_on(torch, name, direction):
    first, second = {"within": (fw, fw), "to torch": (fw, torch), "from torch": (torch, fw)}[direction]
    optimizer = make_optimizer(first)
    scheduler = SCHEDULES[name](first, optimizer)
    advance(optimizer, scheduler, 23)
    other = make_optimizer(second)
    resumed = SCHEDULES[name](second, other)
    other.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    np.testing.assert_allclose(advance(other, resumed, 77), advance(optimizer, scheduler, 77), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", ["StepLR", "MultiStepLR", "ExponentialLR", "CosineAnnealingLR", "PolynomialLR"])
def test_resuming_by_last_epoch(torch, name):
    arguments = {
        "StepLR": (4,),
        "MultiStepLR": ([3, 12],),
        "ExponentialLR": (0.9,),
        "CosineAnnealingLR": (20,),
        "PolynomialLR": (50,),
    }[name]
    results = []
    for lib in (fw, torch):
        make = getattr(lib.optim.lr_scheduler, name)
        optimizer = make_optimizer(lib)
        advance(optimizer, make(optimizer, *arguments), 10)
        results.append(advance(optimizer, make(optimizer, *arguments, last_epoch=9), 20))
    np.testing.assert_allclose(*results, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("name", ["StepLR", "LinearLR", "CosineAnnealingLR", "LambdaLR", "CosineAnnealingWarmRestarts"])
def test_jumping_to_an_epoch(torch, name):
    results = []
    for lib in (fw, torch):
        optimizer = make_optimizer(lib)
        scheduler = SCHEDULES[name](lib, optimizer)
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seen = []
            for epoch in (3, 17, 1, 25):
                scheduler.step(epoch)
                seen.append(scheduler.get_last_lr())
        results.append(seen)
    np.testing.assert_allclose(*results, rtol=1e-12)


def test_jumping_to_an_epoch_is_deprecated():
    optimizer = make_optimizer(fw)
    scheduler = lr_scheduler.StepLR(optimizer, 3)
    optimizer.step()
    with pytest.warns(UserWarning, match="epoch parameter in `scheduler.step"):
        scheduler.step(4)


def test_warm_restarts_take_fractions_of_epochs(torch):
    results = []
    for lib in (fw, torch):
        scheduler = lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(make_optimizer(lib), 3, 2)
        seen = []
        for i in range(60):
            scheduler.step(i / 4)
            seen.append(scheduler.get_last_lr())
        results.append(seen)
    np.testing.assert_allclose(*results, rtol=1e-12)


def test_adam_gets_its_beta_cycled(torch):
    results = []
    for lib in (fw, torch):
        optimizer = lib.optim.Adam([lib.ones(1, requires_grad=True)], lr=0.1)
        scheduler = lib.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=20)
        seen = []
        for _ in range(19):
            optimizer.step()
            scheduler.step()
            seen.append(optimizer.param_groups[0]["betas"])
        results.append(seen)
    np.testing.assert_allclose(*results, rtol=1e-12)


class TestPlateau:
    @pytest.mark.parametrize(
        "kwargs",
        [
            {},
            {"mode": "max", "patience": 2},
            {"patience": 1, "cooldown": 3, "threshold": 0.1, "threshold_mode": "abs"},
            {"mode": "max", "patience": 1, "threshold": 0.05, "threshold_mode": "abs", "min_lr": [0.01, 0.2]},
            {"patience": 0, "factor": 0.5, "min_lr": 1e-3, "eps": 1e-4},
        ],
        ids=str,
    )
    def test_follows_torch(self, torch, kwargs):
        metrics = np.cumsum(np.random.default_rng(0).normal(size=100)) / 5 + 3
        results = []
        for lib in (fw, torch):
            scheduler = lib.optim.lr_scheduler.ReduceLROnPlateau(make_optimizer(lib), **kwargs)
            seen = []
            for i, metric in enumerate(metrics):
                scheduler.step(lib.tensor(metric) if i % 2 else metric)
                seen.append(scheduler.get_last_lr())
                if i == 50:
                    scheduler.load_state_dict(scheduler.state_dict())
            results.append((seen, scheduler.state_dict()))
        np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-12)
        assert results[0][0][0] != results[0][0][-1]
        assert_same_state(results[0][1], results[1][1])

    def test_errors(self):
        optimizer = make_optimizer(fw)
        for kwargs, message in (
            ({"factor": 1.0}, "Factor should be < 1.0"),
            ({"mode": "up"}, "mode up is unknown!"),
            ({"threshold_mode": "both"}, "threshold mode both is unknown!"),
            ({"min_lr": [1.0]}, "expected 2 min_lrs, got 1"),
        ):
            with pytest.raises(ValueError, match=message):
                lr_scheduler.ReduceLROnPlateau(optimizer, **kwargs)

    def test_added_group(self):
        optimizer = make_optimizer(fw)
        scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.0, 0.0])
        optimizer.add_param_group({"params": [fw.ones(1, requires_grad=True)]})
        scheduler.step(1.0)
        with pytest.raises(RuntimeError, match=r"number of param groups in the `optimizer` \(3\) differs"):
            scheduler.step(2.0)


class TestOrder:
    def test_scheduler_before_optimizer_warns(self):
        optimizer = make_optimizer(fw)
        scheduler = lr_scheduler.StepLR(optimizer, 3)
        with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
            scheduler.step()

    def test_steps_before_the_scheduler_was_made_do_not_count(self):
        optimizer = make_optimizer(fw)
        optimizer.step()
        scheduler = lr_scheduler.StepLR(optimizer, 3)
        with pytest.warns(UserWarning, match="Detected call of"):
            scheduler.step()

    def test_replaced_step_warns(self):
        optimizer = make_optimizer(fw)
        scheduler = lr_scheduler.StepLR(optimizer, 3)
        optimizer.step = lambda: None
        with pytest.warns(UserWarning, match=r"`optimizer.step\(\)` has been overridden"):
            scheduler.step()

    def test_right_order_is_silent(self):
        optimizer = make_optimizer(fw)
        for _ in range(2):  # a second scheduler counts the steps already taken
            scheduler = lr_scheduler.StepLR(optimizer, 3)
            optimizer.step()
            scheduler.step()

    def test_get_lr_points_to_get_last_lr(self):
        scheduler = lr_scheduler.StepLR(make_optimizer(fw), 3)
        with pytest.warns(UserWarning, match=r"please use `get_last_lr\(\)`"):
            scheduler.get_lr()


class TestBehaviour:
    def test_learning_rate_tensors_keep_their_identity(self):
        rate = fw.tensor(0.1)
        optimizer = optim.SGD([fw.ones(1, requires_grad=True)], lr=rate)
        scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
        optimizer.step()
        scheduler.step()
        assert optimizer.param_groups[0]["lr"] is rate
        assert rate.item() == pytest.approx(0.05) and scheduler.base_lrs[0].item() == pytest.approx(0.1)

    def test_callable_objects_are_saved(self):
        class Factor:
            def __init__(self, value):
                self.value = value

            def __call__(self, epoch):
                return self.value

        saved = lr_scheduler.LambdaLR(make_optimizer(fw), [Factor(0.5), halve]).state_dict()
        assert saved["lr_lambdas"] == [{"value": 0.5}, None]
        other = lr_scheduler.LambdaLR(make_optimizer(fw), [Factor(0.1), halve])
        other.load_state_dict(saved)
        assert other.lr_lambdas[0].value == 0.5 and other.lr_lambdas[1] is halve

    def test_own_schedulers(self):
        class Inverse(lr_scheduler.LRScheduler):
            def get_lr(self):
                return [lr / (1 + self.last_epoch) for lr in self.base_lrs]

        optimizer = optim.SGD([fw.ones(1, requires_grad=True)], lr=1.0)
        scheduler = Inverse(optimizer)
        rates = []
        for _ in range(3):
            rates += scheduler.get_last_lr()
            optimizer.step()
            scheduler.step()
        assert rates == [1.0, 0.5, 1 / 3]

    def test_half_a_cosine(self):
        optimizer = optim.SGD([fw.ones(1, requires_grad=True)], lr=1.0)
        scheduler = lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
        for epoch in range(1, 11):
            optimizer.step()
            scheduler.step()
            expected = (1 + math.cos(math.pi * epoch / 10)) / 2
            assert scheduler.get_last_lr()[0] == pytest.approx(expected, abs=1e-12)


BAD = {
    "not an optimizer": lambda lib: lib.optim.lr_scheduler.StepLR(3, 1),
    "no initial_lr": lambda lib: lib.optim.lr_scheduler.StepLR(make_optimizer(lib), 1, last_epoch=3),
    "wrong number of functions": lambda lib: lib.optim.lr_scheduler.LambdaLR(make_optimizer(lib), [halve]),
    "not a function": lambda lib: lib.optim.lr_scheduler.MultiplicativeLR(make_optimizer(lib), 0.5),
    "constant factor": lambda lib: lib.optim.lr_scheduler.ConstantLR(make_optimizer(lib), factor=2.0),
    "start factor": lambda lib: lib.optim.lr_scheduler.LinearLR(make_optimizer(lib), start_factor=0.0),
    "end factor": lambda lib: lib.optim.lr_scheduler.LinearLR(make_optimizer(lib), end_factor=-1.0),
    "T_0": lambda lib: lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(make_optimizer(lib), 0),
    "T_mult": lambda lib: lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(make_optimizer(lib), 3, 0),
    "eta_min": lambda lib: lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(make_optimizer(lib), 3, 1, "0"),
    "no schedulers": lambda lib: lib.optim.lr_scheduler.SequentialLR(make_optimizer(lib), [], []),
    "no chained schedulers": lambda lib: lib.optim.lr_scheduler.ChainedScheduler([]),
    "milestones": lambda lib: _sequential(lib, lambda o: [lib.optim.lr_scheduler.StepLR(o, 1)], [3]),
    "plateau in sequence": lambda lib: _sequential(lib, lambda o: [lib.optim.lr_scheduler.ReduceLROnPlateau(o)], []),
    "no scheduler": lambda lib: _sequential(lib, lambda o: [3], []),
    "total_steps": lambda lib: lib.optim.lr_scheduler.OneCycleLR(make_optimizer(lib), 0.1, total_steps=0),
    "epochs": lambda lib: lib.optim.lr_scheduler.OneCycleLR(make_optimizer(lib), 0.1, epochs=1.5, steps_per_epoch=2),
    "no steps": lambda lib: lib.optim.lr_scheduler.OneCycleLR(make_optimizer(lib), 0.1),
    "pct_start": lambda lib: lib.optim.lr_scheduler.OneCycleLR(make_optimizer(lib), 0.1, total_steps=9, pct_start=2.0),
    "strategy": lambda lib: lib.optim.lr_scheduler.OneCycleLR(
        make_optimizer(lib), 0.1, total_steps=9, anneal_strategy="up"
    ),
    "max_lr": lambda lib: lib.optim.lr_scheduler.OneCycleLR(make_optimizer(lib), [0.1], total_steps=9),
    "too many steps": lambda lib: advance_too_far(lib),
}


def _sequential(lib, make_schedulers, milestones):
    optimizer = make_optimizer(lib)
    return lib.optim.lr_scheduler.SequentialLR(optimizer, make_schedulers(optimizer), milestones)


def advance_too_far(lib):
    optimizer = make_optimizer(lib)
    advance(optimizer, lib.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=3), 5)


@pytest.mark.parametrize("case", BAD)
def test_errors_are_those_of_torch(torch, case):
    messages = []
    for lib in (fw, torch):
        with pytest.raises((TypeError, ValueError, KeyError)) as caught:
            BAD[case](lib)
        messages.append(f"{caught.type.__name__}: {caught.value}")
    if case == "no initial_lr":  # torch's message is a page long
        messages = [message[:90] for message in messages]
    assert messages[0] == messages[1]
