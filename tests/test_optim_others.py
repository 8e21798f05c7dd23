"""LBFGS, Muon, SparseAdam, averaged models; what test_optim.py's table does not cover."""

from __future__ import annotations

import copy
import importlib
import pickle

import numpy as np
import pytest
from test_optim import OTHERS

import framework as fw
from framework.optim import swa_utils


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


def rosenbrock(lib, steps, **options):
    """The losses of LBFGS on Rosenbrock's function and a quartic, its parameters in the end, and its state."""
    x = lib.tensor([-1.2, 1.0], dtype=lib.float64, requires_grad=True)
    y = lib.tensor([[0.5]], dtype=lib.float64, requires_grad=True)
    unused = lib.zeros(2, dtype=lib.float64, requires_grad=True)
    optimizer = lib.optim.LBFGS([x, y, unused], **options)

    def closure():
        optimizer.zero_grad()
        loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2 + (y**4).sum()
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(steps)]
    state = optimizer.state_dict()["state"][0]
    return losses, x.tolist(), y.tolist(), (state["func_evals"], state["n_iter"], len(state["old_dirs"]))


LBFGS_OPTIONS = [
    {"lr": 1e-3, "max_iter": 7},
    {"line_search_fn": "strong_wolfe", "max_iter": 7},
    {"line_search_fn": "strong_wolfe", "max_iter": 7, "lr": 0.5, "history_size": 2},
    {"line_search_fn": "strong_wolfe", "max_iter": 20, "max_eval": 9},
    {"line_search_fn": "strong_wolfe", "tolerance_grad": 1.0},
]


@pytest.mark.parametrize("options", LBFGS_OPTIONS, ids=str)
def test_lbfgs_as_torch(torch, options):
    ours, theirs = rosenbrock(fw, 8, **options), rosenbrock(torch, 8, **options)
    assert ours[3] == theirs[3]
    for mine, other in zip(ours[:3], theirs[:3], strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-6, atol=1e-9)


def test_lbfgs_finds_the_minimum():
    losses, x, _, _ = rosenbrock(fw, 8, line_search_fn="strong_wolfe")
    assert losses[-1] < 1e-6
    np.testing.assert_allclose(x, [1, 1], atol=1e-3)


def test_lbfgs_errors():
    params = [fw.zeros(2, requires_grad=True)]
    with pytest.raises(ValueError, match="doesn't support per-parameter options"):
        fw.optim.LBFGS([{"params": params}, {"params": [fw.zeros(1, requires_grad=True)]}])
    params[0].grad = fw.ones(2)
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        fw.optim.LBFGS(params, line_search_fn="armijo").step(lambda: fw.tensor(1.0))


@pytest.mark.parametrize("shape", [(6, 4), (4, 6)])
@pytest.mark.parametrize("options", [{}, {"nesterov": False}, {"adjust_lr_fn": "match_rms_adamw"}], ids=str)
def test_muon_as_torch(torch, shape, options):
    results = []
    for lib in (fw, torch):
        lib.manual_seed(0)
        weight = lib.randn(*shape).requires_grad_()
        optimizer = lib.optim.Muon([weight], lr=0.1, **options)
        for _ in range(5):
            optimizer.zero_grad()
            ((weight @ lib.ones(shape[1], 3) - 1) ** 2).sum().backward()
            optimizer.step()
        results.append(weight.detach().numpy())
    # The iterations are computed in bfloat16, which has eight bits.
    np.testing.assert_allclose(*results, atol=0.02)


def test_muon_makes_steps_orthogonal():
    fw.manual_seed(0)
    x = fw.randn(8, 5)
    step = importlib.import_module("framework.optim.muon").orthogonalize(x, (3.4445, -4.775, 2.0315), 5, 1e-7)
    values = fw.linalg.svdvals(step.float())
    assert values.max() < 1.3 and values.min() > 0.6


def test_muon_takes_matrices_alone():
    with pytest.raises(ValueError, match="only supports 2D parameters"):
        fw.optim.Muon([fw.zeros(3, requires_grad=True)])


def test_sparse_adam_follows_adam():
    params = [fw.ones(4, dtype=fw.float64, requires_grad=True) for _ in range(2)]
    optimizers = fw.optim.SparseAdam(params[:1], lr=0.1, eps=1e-12), fw.optim.Adam(params[1:], lr=0.1, eps=1e-12)
    for step in range(5):
        for param, optimizer in zip(params, optimizers, strict=True):
            param.grad = param.detach() * 0.3 + step
            optimizer.step()
    np.testing.assert_allclose(params[0].tolist(), params[1].tolist(), rtol=1e-9)


@pytest.mark.parametrize("name", OTHERS)
def test_differentiable_steps(name):
    if name == "Adafactor":
        pytest.skip("Adafactor has no `differentiable`")
    start = fw.tensor([0.3, -0.7], dtype=fw.float64, requires_grad=True)

    def trained(start):
        param = start.clone()
        optimizer = getattr(fw.optim, name)([param], lr=0.1, differentiable=True)
        param.grad = param * 2 + 1
        optimizer.step()
        return param.sum()

    (found,) = fw.autograd.grad(trained(start), start)
    for i, slope in enumerate(found.tolist()):
        values = []
        for sign in (1, -1):
            moved = start.detach().clone()
            moved[i] += sign * 1e-6
            values.append(trained(moved.requires_grad_()).item())
        assert slope == pytest.approx((values[0] - values[1]) / 2e-6, abs=1e-4)


@pytest.mark.parametrize("name", [*OTHERS, "SparseAdam"])
def test_pickle_and_copy(name):
    param = fw.ones(2, 3, requires_grad=True)
    optimizer = getattr(fw.optim, name)([param], lr=0.1)
    param.grad = fw.ones(2, 3)
    optimizer.step()
    for other in (pickle.loads(pickle.dumps(optimizer)), copy.deepcopy(optimizer)):
        assert repr(other) == repr(optimizer)
        other.param_groups[0]["params"][0].grad = fw.ones(2, 3)
        other.step()


def averaged(lib):
    utils = importlib.import_module(f"{lib.__name__}.optim.swa_utils")
    lib.manual_seed(0)
    model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4), lib.nn.Linear(4, 2))
    optimizer = lib.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    models = [
        utils.AveragedModel(model),
        utils.AveragedModel(model, multi_avg_fn=utils.get_ema_multi_avg_fn(0.9), use_buffers=True),
        utils.AveragedModel(model, avg_fn=utils.get_ema_avg_fn(0.5)),
    ]
    schedulers = [utils.SWALR(optimizer, swa_lr=0.01, anneal_epochs=4, anneal_strategy=s) for s in ("cos", "linear")]
    rates, x = [], lib.randn(8, 3)
    for step in range(7):
        optimizer.zero_grad()
        (model(x) ** 2).sum().backward()
        optimizer.step()
        schedulers[step % 2].step()
        rates.append(schedulers[step % 2].get_last_lr()[0])
        for other in models:
            other.update_parameters(model)
    utils.update_bn([x, [x + 1]], models[0])
    states = [{k: v.tolist() for k, v in other.state_dict().items()} for other in models]
    return rates, models[0](x).tolist(), states


def test_averaged_models_as_torch(torch):
    ours, theirs = averaged(fw), averaged(torch)
    np.testing.assert_allclose(ours[0], theirs[0])
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4, atol=1e-5)
    for mine, other in zip(ours[2], theirs[2], strict=True):
        assert list(mine) == list(other)
        for key in mine:
            np.testing.assert_allclose(mine[key], other[key], rtol=1e-4, atol=1e-5)


def test_averaged_model_is_the_mean():
    model = fw.nn.Linear(1, 1)
    mean = swa_utils.AveragedModel(model)
    for value in (1.0, 2.0, 6.0):
        fw.nn.init.constant_(model.weight, value)
        mean.update_parameters(model)
    assert mean.module.weight.item() == pytest.approx(3.0)
    assert mean.n_averaged.item() == 3


def cyclic_rates(lib, name, **options):
    param = lib.zeros(2, requires_grad=True)
    optimizer = getattr(lib.optim, name)([param], lr=0.1, **({"momentum": 0.9} if name == "SGD" else {}))
    scheduler = lib.optim.lr_scheduler.CyclicLR(optimizer, 0.01, 0.1, step_size_up=3, **options)
    rates = []
    for _ in range(15):
        optimizer.step()
        scheduler.step()
        group = optimizer.param_groups[0]
        rates.append([scheduler.get_last_lr()[0], group["betas"][0] if name == "Adam" else group["momentum"]])
    return rates, sorted(scheduler.state_dict()), sorted(k for k in optimizer.param_groups[0] if k != "params")


CYCLES = [
    {},
    {"mode": "triangular2"},
    {"mode": "exp_range", "gamma": 0.9},
    {"scale_fn": lambda x: 1 / x, "step_size_down": 2},
    {"cycle_momentum": False},
]


@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("options", CYCLES, ids=["plain", "halved", "exponential", "function", "without momentum"])
def test_cyclic_rates_as_torch(torch, name, options):
    ours, theirs = cyclic_rates(fw, name, **options), cyclic_rates(torch, name, **options)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
    assert ours[2] == theirs[2]


def test_cyclic_rates_need_momentum():
    optimizer = fw.optim.Adagrad([fw.zeros(1, requires_grad=True)])
    with pytest.raises(ValueError, match="must support momentum or beta1"):
        fw.optim.lr_scheduler.CyclicLR(optimizer, 0.01, 0.1)
