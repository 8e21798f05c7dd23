"""What the tests share: the stand-in device, and when tests of a real GPU run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import fake_cupy
import pytest

from framework import backend


def _why_no_gpu() -> str | None:
    """Why tests on a real GPU cannot run here; None where they can."""
    try:
        cupy = importlib.import_module("cupy")
    except ImportError:
        return "CuPy is not installed"
    return None if cupy.cuda.is_available() else "CuPy finds no usable NVIDIA device"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_gpu = [item for item in items if item.get_closest_marker("gpu")]
    reason = _why_no_gpu() if on_gpu else None
    if reason:
        for item in on_gpu:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The strict stand-in for CuPy (fake_cupy.py) in the place of the real one; `.host_reads` counts reads."""
    module = fake_cupy.make()
    monkeypatch.setitem(sys.modules, "cupy", module)
    monkeypatch.setitem(sys.modules, "cupyx.scipy.special", fake_cupy.make_special())
    monkeypatch.setattr(backend, "_cupy", None)
    before = dict(backend.NAMESPACES), set(backend.ARRAY_TYPES)
    yield module
    backend.NAMESPACES.clear()
    backend.NAMESPACES.update(before[0])
    backend.ARRAY_TYPES.clear()
    backend.ARRAY_TYPES.update(before[1])
