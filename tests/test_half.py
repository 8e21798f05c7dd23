"""16-bit floats: results keep the type, and are float32's, rounded once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import framework as fw

KINDS = {fw.float16: 2.0**-10, fw.bfloat16: 2.0**-7}

SUMMING: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x.sum(1),
    "sum of all": lambda x: x.sum(),
    "nansum": lambda x: x.nansum(1),
    "mean": lambda x: (x + 300).mean(0),
    "mean of all": lambda x: (x + 300).mean(),
    "var": lambda x: (x * 10).var(1),
    "std": lambda x: (x * 50).std(),
    "norm": lambda x: (x * 50).norm(),
    "norm 1": lambda x: x.norm(1, 1),
    "logsumexp": lambda x: x.logsumexp(1),
    "softmax": lambda x: x.softmax(1),
    "log_softmax": lambda x: x.log_softmax(1),
    "cumsum": lambda x: x.cumsum(1),
    "prod": lambda x: x[:, :6].prod(1),
    "matmul": lambda x: x @ x.t(),
    "bmm": lambda x: x.view(3, 100, 400).bmm(x.view(3, 400, 100)),
    "dot": lambda x: x[0].dot(x[1]),
    "linear": lambda x: fw.nn.functional.linear(x, x[:5]),
    "einsum": lambda x: fw.einsum("ij,kj->ik", x[:3], x[3:6]),
    "lerp": lambda x: x.lerp(x.flip(0), 0.25),
}


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("name", SUMMING)
def test_sums_are_rounded_once(name: str, kind: Any) -> None:
    x = fw.randn(300, 400, generator=fw.Generator().manual_seed(0)).to(kind)
    found = SUMMING[name](x)
    assert found.dtype is kind
    if name in ("mean", "mean of all", "var", "std", "norm"):  # the step before the sum rounds as well
        wanted = SUMMING[name](x.float() if name == "norm" else x.to(kind).float())
        np.testing.assert_allclose(found.float().numpy(), wanted.numpy(), rtol=4 * KINDS[kind])
        return
    wanted = SUMMING[name](x.float())
    np.testing.assert_allclose(found.float().numpy(), wanted.numpy(), rtol=2 * KINDS[kind], atol=KINDS[kind])


def test_float16_sums_do_not_overflow_on_the_way() -> None:
    x = fw.full((100_000,), 2.0, dtype=fw.float16)
    assert x.mean().item() == 2.0
    assert x.view(2, -1).mean(1).tolist() == [2.0, 2.0]
    assert (x * 100).norm(2, 0).isinf().item() is False


def test_other_types_can_be_asked_for() -> None:
    x = fw.ones(3000, dtype=fw.bfloat16)
    assert x.sum(dtype=fw.float32).dtype is fw.float32
    assert x.mean(0, dtype=fw.float64).dtype is fw.float64
    assert x.cumsum(0, dtype=fw.float32)[-1].item() == 3000.0


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_gradients_keep_the_type(kind: Any) -> None:
    x = fw.ones(4, 500, dtype=kind, requires_grad=True)
    ((x * 2).softmax(1) @ fw.ones(500, 3, dtype=kind)).sum().backward()
    assert x.grad.dtype is kind
    (x.expand(300, 4, 500).sum()).backward()
    np.testing.assert_allclose(x.grad.float().numpy(), 300.0, rtol=0.01)
