"""1,000 random programs of 5 to 30 operations: every value, flag and gradient is PyTorch's.

A failure prints the program; with `lib` set to either library it runs as it stands. One program again:
`pytest tests/test_random_programs.py -k "[123]"` is its group, and `random_programs.write(123, torch)` its text.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import random_programs

import framework

PROGRAMS, GROUP = 1000, 50


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")


def run(source: str, lib: Any) -> dict[str, Any]:
    """The variables of a program, and the gradient of each leaf of the sum of all of them, weighted."""
    scope: dict[str, Any] = {"lib": lib}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(source, "<program>", "exec"), scope)
        results = {k: v for k, v in scope.items() if k not in ("lib", "__builtins__")}
        outputs = [v for v in results.values() if v.requires_grad]
        total = sum(((v * (0.1 + 0.03 * i)).sum() for i, v in enumerate(outputs)), start=lib.zeros(()).double())
        total.backward()
    return results


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    """What differs, in words, in the order of the program."""
    found = []
    for name, wanted in theirs.items():
        got = ours[name]
        if str(got.dtype) != str(wanted.dtype) or tuple(got.shape) != tuple(wanted.shape):
            found.append(f"{name}: {got.dtype} {tuple(got.shape)}, torch {wanted.dtype} {tuple(wanted.shape)}")
        elif got.requires_grad != wanted.requires_grad or got.is_leaf != wanted.is_leaf:
            found.append(f"{name}: requires_grad {got.requires_grad}, torch {wanted.requires_grad}")
        elif not _close(got.numpy(force=True), wanted.numpy(force=True)):
            found.append(f"{name}: {got}\ntorch: {wanted}")
        if wanted.is_leaf and wanted.requires_grad:
            if (got.grad is None) != (wanted.grad is None):
                found.append(f"{name}.grad: {got.grad}, torch {wanted.grad}")
            elif wanted.grad is not None and not _close(got.grad.numpy(), wanted.grad.numpy()):
                found.append(f"{name}.grad: {got.grad}\ntorch: {wanted.grad}")
    return found


def _close(found: np.ndarray, wanted: np.ndarray) -> bool:
    if wanted.dtype.kind not in "fc":
        return bool(np.array_equal(found, wanted))
    finite = wanted[np.isfinite(wanted)]
    scale = max(1.0, float(np.abs(finite).max())) if finite.size else 1.0
    return bool(np.allclose(found, wanted, rtol=1e-7, atol=1e-9 * scale, equal_nan=True))


@pytest.mark.parametrize("start", range(0, PROGRAMS, GROUP))
def test_programs_compute_what_torch_computes(start: int, torch: Any) -> None:
    for seed in range(start, start + GROUP):
        source = random_programs.write(seed, torch)
        theirs = run(source, torch)
        try:
            wrong = differences(run(source, framework), theirs)
        except Exception as error:
            raise AssertionError(f"program {seed} fails with {type(error).__name__}: {error}\n{source}") from error
        assert not wrong, f"program {seed} differs:\n{source}\n" + "\n".join(wrong)


def test_programs_are_long_and_varied(torch: Any) -> None:
    sources = [random_programs.write(seed, torch) for seed in range(40)]
    assert all(5 + 2 <= source.count("\n") <= 30 + 4 for source in sources)
    assert random_programs.write(7, torch) == sources[7]
