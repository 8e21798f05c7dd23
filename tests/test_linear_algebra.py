"""Factorizations put together again, solutions put back in, and frequencies: what values alone do not show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import framework
from framework import linalg

KINDS = [framework.float64, framework.complex128]


@pytest.fixture(params=KINDS, ids=str)
def matrices(request: pytest.FixtureRequest) -> Any:
    framework.manual_seed(0)
    return lambda *shape: (
        framework.randn(*shape, dtype=framework.float64).to(request.param)
        * (1 + (0.3j if request.param is framework.complex128 else 0))
        + (framework.randn(*shape, dtype=framework.float64) * 1j if request.param is framework.complex128 else 0)
    )


def assert_close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("shape", [(3, 3), (5, 3), (3, 5), (2, 4, 3)])
def test_factors_multiply_to_the_matrix(matrices: Any, shape: tuple[int, ...]) -> None:
    a = matrices(*shape)
    q, r = linalg.qr(a)
    assert_close(q @ r, a)
    assert_close(r, r.triu())
    for full in (False, True):
        u, s, vh = linalg.svd(a, full_matrices=full)
        k = s.shape[-1]
        assert_close((u[..., :k] * s.unsqueeze(-2).to(u.dtype)) @ vh[..., :k, :], a)
        assert_close(u.mH @ u, framework.eye(u.shape[-1], dtype=u.dtype).expand(u.mH.shape[:-1] + (u.shape[-1],)))
    complete, _ = linalg.qr(a, mode="complete")
    assert complete.shape[-1] == shape[-2]


def test_eigenvectors(matrices: Any) -> None:
    a = matrices(4, 4)
    h = a + a.mH
    values, vectors = linalg.eigh(h)
    assert_close(h @ vectors, vectors * values.to(h.dtype))
    values, vectors = linalg.eig(a)
    assert_close(a.to(vectors.dtype) @ vectors, vectors * values)


def test_cholesky(matrices: Any) -> None:
    a = matrices(4, 4)
    spd = a @ a.mH + framework.eye(4, dtype=a.dtype)
    lower, upper = linalg.cholesky(spd), linalg.cholesky(spd, upper=True)
    assert_close(lower @ lower.mH, spd)
    assert_close(upper.mH @ upper, spd)


def test_solutions_fit(matrices: Any) -> None:
    a, b = matrices(2, 4, 4), matrices(2, 4, 3)
    assert_close(a @ linalg.solve(a, b), b)
    assert_close(linalg.solve(a, b.mT, left=False) @ a, b.mT)
    assert_close(a @ linalg.inv(a), framework.eye(4, dtype=a.dtype).expand(2, 4, 4))
    lower = a.tril()
    assert_close(lower @ linalg.solve_triangular(a, b, upper=False), b)


def test_pseudo_inverse(matrices: Any) -> None:
    a = matrices(5, 3) @ matrices(3, 4)
    p = linalg.pinv(a)
    assert_close(a @ p @ a, a)
    assert_close(p @ a @ p, p)
    assert linalg.matrix_rank(a).item() == 3


def test_determinants(matrices: Any) -> None:
    a = matrices(4, 4)
    sign, logabs = linalg.slogdet(a)
    assert_close(sign * logabs.exp().to(a.dtype), linalg.det(a))


def test_errors_are_of_a_kind_of_their_own() -> None:
    singular = framework.zeros(2, 2)
    for call in (linalg.inv, linalg.cholesky, lambda a: linalg.solve(a, framework.ones(2))):
        with pytest.raises(linalg.LinAlgError):
            call(singular)


def test_results_are_named() -> None:
    a = framework.eye(2)
    assert linalg.svd(a).Vh.shape == (2, 2)
    assert linalg.eigh(a).eigenvalues.tolist() == [1.0, 1.0]
    assert repr(linalg.slogdet(a)).startswith("torch.return_types.linalg_slogdet(\nsign=tensor(1.)")
    assert framework.cummax(framework.tensor([1, 3, 2]), 0).indices.tolist() == [0, 1, 1]


def test_chains_of_products_take_the_cheapest_order() -> None:
    wide, tall = framework.ones(1, 200), framework.ones(200, 1)
    assert linalg.multi_dot([tall, wide, tall]).shape == (200, 1)
    assert linalg.multi_dot([wide, tall, wide])[0, 0].item() == 200.0


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_frequencies(n: int) -> None:
    np.testing.assert_allclose(framework.fft.fftfreq(n, 0.5).numpy(), np.fft.fftfreq(n, 0.5), rtol=1e-6)
    np.testing.assert_allclose(framework.fft.rfftfreq(n).numpy(), np.fft.rfftfreq(n), rtol=1e-6)
    x = framework.arange(n)
    assert framework.fft.ifftshift(framework.fft.fftshift(x)).tolist() == x.tolist()


@pytest.mark.parametrize("n", [4, 5])
@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
def test_transforms_go_back(n: int, norm: str | None) -> None:
    x = framework.randn(3, n, dtype=framework.float64)
    assert_close(framework.fft.ifft(framework.fft.fft(x, norm=norm), norm=norm).real, x)
    assert_close(framework.fft.irfft(framework.fft.rfft(x, norm=norm), n, norm=norm), x)
    assert_close(framework.fft.ifftn(framework.fft.fftn(x, norm=norm), norm=norm).real, x)
    assert_close(framework.fft.irfft2(framework.fft.rfft2(x, norm=norm), (3, n), norm=norm), x)
    assert_close(framework.fft.hfft(framework.fft.ihfft(x, norm=norm), n, norm=norm), x)
