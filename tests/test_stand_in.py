"""The stand-in device itself: what it refuses, counts and keeps, and how the framework meets it."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import framework
from framework import backend


def test_arrays_are_no_numpy_arrays_and_do_not_become_them(stand_in: ModuleType) -> None:
    x = stand_in.zeros(3)
    assert not isinstance(x, np.ndarray)
    for convert in (np.asarray, np.array, np.exp, np.sum, lambda a: np.concatenate([a])):
        with pytest.raises(TypeError):
            convert(x)


def test_numpy_arrays_are_refused(stand_in: ModuleType) -> None:
    x, y = stand_in.zeros(3), np.zeros(3)
    for meet in (
        lambda: x + y,
        lambda: y + x,
        lambda: stand_in.add(x, y),
        lambda: stand_in.concatenate([x, y]),
        lambda: x.__setitem__(slice(None), y),
        lambda: x.__getitem__(np.array([0])),
        lambda: stand_in.add.at(x, stand_in.asarray([0]), y[:1]),
    ):
        with pytest.raises(TypeError):
            meet()


def test_only_what_cupy_has(stand_in: ModuleType) -> None:
    for name in ("einsum_path", "insert", "block", "nanquantile", "vecdot", "unstack"):
        assert hasattr(np, name) or name == "unstack"
        with pytest.raises(AttributeError):
            getattr(stand_in, name)
    with pytest.raises(AttributeError):
        stand_in.linalg.vector_norm(stand_in.zeros(2))
    with pytest.raises(TypeError, match="where"):
        stand_in.sum(stand_in.zeros(3), where=True)
    with pytest.raises(TypeError, match="initial"):
        stand_in.zeros(3).max(initial=0)
    with pytest.raises(NotImplementedError):
        stand_in.maximum.accumulate(stand_in.zeros(3))


def test_atomics_exist_for_few_types(stand_in: ModuleType) -> None:
    index = stand_in.asarray([0, 0])
    total = stand_in.zeros(2, np.float32)
    stand_in.add.at(total, index, stand_in.ones(2, np.float32))
    assert total.get().tolist() == [2.0, 0.0]
    for dtype in (np.int64, np.complex64, np.int8):
        with pytest.raises(TypeError, match="does not support"):
            stand_in.add.at(stand_in.zeros(2, dtype), index, stand_in.ones(2, dtype))


def test_reductions_stay_on_the_device(stand_in: ModuleType) -> None:
    x = stand_in.arange(4.0)
    for result in (x.sum(), x.max(), x[1], stand_in.dot(x, x), stand_in.allclose(x, x), x.mean()):
        assert type(result) is stand_in.ndarray
        assert result.shape == ()


def test_reads_are_counted(stand_in: ModuleType) -> None:
    x = stand_in.arange(3.0)
    reads = stand_in.host_reads
    for number, read in enumerate(
        (
            lambda: x.sum().item(),
            lambda: float(x[0]),
            lambda: bool(x[0]),
            lambda: int(x[0]),
            lambda: x.get(),
            lambda: x.tolist(),
            lambda: x[x > 1],
            lambda: stand_in.nonzero(x),
            lambda: x.__setitem__(x > 1, 0.0),
        ),
        reads.count + 1,
    ):
        read()
        assert reads.count == number
    with reads.forbidden():
        x + 1
    with pytest.raises(AssertionError, match="item"), reads.forbidden():
        x.sum().item()


def test_views_know_their_owner(stand_in: ModuleType) -> None:
    x = stand_in.zeros((3, 4))
    for view in (x[1:], x.T, x.reshape(12), x[1:].reshape(8), stand_in.lib.stride_tricks.as_strided(x, (2,), (8,))):
        assert view.base is x
    assert (x + 1).base is None
    assert backend.is_view_of(x[1:], x)


def test_devices_do_not_mix(stand_in: ModuleType) -> None:
    x = stand_in.zeros(2)
    with stand_in.cuda.Device(1):
        y = stand_in.zeros(2)
    assert (x.device.id, y.device.id) == (0, 1)
    with pytest.raises(ValueError, match="device"):
        x + y


def test_the_framework_sees_a_device(stand_in: ModuleType) -> None:
    assert framework.cuda.is_available()
    x = framework.ones(2, device="cuda")
    assert x.device == framework.device("cuda", 0)
    assert x.cpu().numpy().tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="same device"):
        x + framework.ones(2)
    with pytest.raises(TypeError, match="convert cuda"):
        x.numpy()


def test_gradients_move_between_devices_and_back(stand_in: ModuleType) -> None:
    x = framework.tensor([1.0, 2.0], dtype=framework.float64, requires_grad=True)
    (first,) = framework.autograd.grad((x.to("cuda") ** 3).cpu().sum(), x, create_graph=True)
    assert first.tolist() == [3.0, 12.0]
    (second,) = framework.autograd.grad(first.sum(), x)
    assert second.tolist() == [6.0, 12.0]
    assert second.is_cpu
