"""Special functions on wide grids, against PyTorch and against identities that do not share its approximations."""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
import pytest

import framework

special = framework.special

_POSITIVE = np.concatenate([np.linspace(0.003, 60, 4001), np.logspace(-30, 30, 601), 1 + np.logspace(-9, -1, 30)])
_LINE = np.concatenate([np.linspace(-40.0007, 40, 4001), np.logspace(-200, 8, 301), -np.logspace(-200, 8, 301)])
_UNIT = np.concatenate([np.linspace(0, 1, 4001), np.logspace(-300, -1, 301)])


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")


def _values(function: Any, x: np.ndarray) -> np.ndarray:
    return np.asarray(function(framework.from_numpy(x)))


@pytest.mark.parametrize(
    ("name", "x", "floor"),
    [
        ("gammaln", _POSITIVE, 0.0),
        ("gammaln", -_POSITIVE[_POSITIVE < 1e5], 1e-2),  # beside their zeros there, both lose digits
        ("digamma", _POSITIVE, 1e-2),
        ("digamma", -_POSITIVE[_POSITIVE < 1e3], 1e-2),
        ("entr", _LINE, 0.0),
        ("erfcx", _LINE, 0.0),
        ("log_ndtr", _LINE, 0.0),
        ("ndtr", _LINE, 1e-3),  # PyTorch's left tail is rounding noise
        ("ndtri", _UNIT, 0.0),
        ("i0", _LINE, 0.0),
        ("i0e", _LINE, 0.0),
        ("i1", _LINE, 0.0),
        ("i1e", _LINE, 0.0),
        ("modified_bessel_k0", _LINE, 1e-300),
        ("modified_bessel_k1", _LINE, 1e-300),
        ("scaled_modified_bessel_k0", _LINE, 0.0),
        ("scaled_modified_bessel_k1", _LINE, 0.0),
        ("spherical_bessel_j0", _LINE, 0.0),
    ],
)
def test_functions_of_one_number_are_those_of_torch(torch: Any, name: str, x: np.ndarray, floor: float) -> None:
    wanted = getattr(torch.special, name)(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(_values(getattr(special, name), x), wanted, rtol=1e-10, atol=1e-10 * floor)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 12])
def test_polygamma_is_that_of_torch(torch: Any, n: int) -> None:
    for x in (_POSITIVE, -np.linspace(0.013, 30.01, 777)):
        wanted = torch.polygamma(n, torch.from_numpy(x)).numpy()
        found = _values(lambda t: framework.polygamma(n, t), x)
        inside = np.abs(wanted) > 1e-250
        rtol = 1e-9 if n == 1 else 1e-10  # PyTorch's trigamma has nine digits
        np.testing.assert_allclose(found[inside], wanted[inside], rtol=rtol, atol=0 if x[0] > 0 and n else 1e-11)


def test_trigamma_has_all_digits() -> None:
    scipy = pytest.importorskip("scipy.special")
    found = _values(lambda t: framework.polygamma(1, t), _POSITIVE)
    np.testing.assert_allclose(found, scipy.polygamma(1, _POSITIVE), rtol=1e-13)


def test_polygamma_of_high_order_overflows_to_infinity() -> None:
    assert framework.polygamma(200, framework.tensor([0.5])).item() == -math.inf


@pytest.mark.parametrize("s", [1.0001, 1.5, 2.0, 3.0, 7.5, 20.0, 60.0])
def test_zeta_is_that_of_torch(torch: Any, s: float) -> None:
    q = np.concatenate([np.linspace(0.01, 60, 601), np.linspace(-9.93, -0.02, 301), [0.0, -2.0]])
    found = _values(lambda t: special.zeta(s, t), q)
    np.testing.assert_allclose(found, torch.special.zeta(s, torch.from_numpy(q)).numpy(), rtol=1e-10)


@pytest.mark.parametrize("name", [n for n in special.__all__ if "polynomial" in n])
def test_polynomials_are_those_of_torch(torch: Any, name: str) -> None:
    x = np.linspace(-2.5, 2.5, 501)
    n = np.array([[-1.0], [0], [1], [2], [3.7], [6], [7], [19], [64]])
    found = np.asarray(getattr(special, name)(framework.from_numpy(x), framework.from_numpy(n)))
    wanted = getattr(torch.special, name)(torch.from_numpy(x), torch.from_numpy(n)).numpy()
    scale = np.abs(wanted).max(axis=1, keepdims=True)  # between their zeros, these are sums of large numbers
    np.testing.assert_allclose(found / np.maximum(scale, 1), wanted / np.maximum(scale, 1), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_incomplete_gamma_functions_are_those_of_torch(torch: Any, name: str) -> None:
    a, x = np.meshgrid(np.logspace(-2, 2.5, 60), np.logspace(-2, 2.7, 60))
    found = np.asarray(getattr(framework, name)(framework.from_numpy(a), framework.from_numpy(x)))
    wanted = getattr(torch, name)(torch.from_numpy(a), torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-290)  # PyTorch's have nine digits near the diagonal


def _bessel_integral(order: int, x: np.ndarray) -> np.ndarray:
    """J_order(x) as the mean of cos(order t - x sin t), which equal steps give to all digits."""
    t = np.arange(256) * (2 * math.pi / 256)
    return np.cos(order * t - x[:, None] * np.sin(t)).mean(1)


def test_bessel_functions_are_their_integrals_and_wronskian() -> None:
    x = np.linspace(0.1, 40, 301)
    j0, j1, y0, y1 = (_values(getattr(special, f"bessel_{n}"), x) for n in ("j0", "j1", "y0", "y1"))
    np.testing.assert_allclose(j0, _bessel_integral(0, x), atol=1e-14)
    np.testing.assert_allclose(j1, _bessel_integral(1, x), atol=1e-14)
    np.testing.assert_allclose(j1 * y0 - j0 * y1, 2 / (math.pi * x), rtol=1e-12)


def test_modified_bessel_functions_have_their_wronskian() -> None:
    x = np.linspace(0.1, 40, 301)
    i0, i1 = _values(special.i0e, x), _values(special.i1e, x)
    k0, k1 = _values(special.scaled_modified_bessel_k0, x), _values(special.scaled_modified_bessel_k1, x)
    np.testing.assert_allclose(i0 * k1 + i1 * k0, 1 / x, rtol=1e-13)


def test_airy_function_solves_its_equation() -> None:
    step = 0.02
    x = np.linspace(-9, 4, 300)
    at = {k: _values(special.airy_ai, x + k * step) for k in range(-4, 5)}
    weights = {0: -205 / 72, 1: 8 / 5, 2: -1 / 5, 3: 8 / 315, 4: -1 / 560}
    second = sum(weights[abs(k)] * v for k, v in at.items()) / step**2
    np.testing.assert_allclose(second, x * at[0], atol=1e-9)
    assert special.airy_ai(framework.zeros(1).double()).item() == pytest.approx(
        3 ** (-2 / 3) / math.gamma(2 / 3), rel=1e-15
    )


def test_airy_function_far_out_joins_scipy() -> None:
    x = -np.array([9999.5, 10000.5])
    z = 2 / 3 * (-x) ** 1.5
    asymptotic = (np.sin(z + math.pi / 4) - 5 / 72 / z * np.cos(z + math.pi / 4)) / np.sqrt(math.pi * np.sqrt(-x))
    np.testing.assert_allclose(_values(special.airy_ai, x), asymptotic, atol=1e-10)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["lgamma", "digamma", "i0", "ndtr", "entr", "i1e"])
def test_half_types_are_rounded_once(name: str, dtype: str) -> None:
    function = getattr(framework, name, None) or getattr(special, name)
    x = framework.linspace(0.3, 7, 40).to(getattr(framework, dtype))
    assert framework.equal(function(x), function(x.double()).to(x.dtype))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_parts_of_16_bit_floats_are_those_of_torch(torch: Any, dtype: str) -> None:
    values = [1.0, -0.3, 100.0, 3e-5]
    ours, theirs = (lib.tensor(values, dtype=getattr(lib, dtype)) for lib in (framework, torch))
    for call in (
        lambda lib, x: lib.nextafter(x, -x).float(),
        lambda lib, x: lib.frexp(x).mantissa.float(),
        lambda lib, x: lib.frexp(x).exponent,
        lambda lib, x: lib.ldexp(x, lib.tensor([3])).float(),
    ):
        assert call(framework, ours).tolist() == call(torch, theirs).tolist()


def test_xlog1py_and_zeta_take_numbers_on_either_side() -> None:
    x = framework.tensor([0.5, 2.0], dtype=framework.float64)
    assert special.xlog1py(2, x).tolist() == pytest.approx([2 * math.log(1.5), 2 * math.log(3)])
    assert special.xlog1py(x, 1).tolist() == pytest.approx([0.5 * math.log(2), 2 * math.log(2)])
    assert special.zeta(2, framework.tensor([1.0])).item() == pytest.approx(math.pi**2 / 6)
    with pytest.raises(TypeError):
        special.zeta(2, 3)


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_derivatives_that_do_not_exist_say_so(name: str) -> None:
    a = framework.tensor([1.5], requires_grad=True)
    with pytest.raises(NotImplementedError, match=f"the derivative for '{name}: input' is not implemented"):
        getattr(framework, name)(a, framework.ones(1)).backward()
    with pytest.raises(NotImplementedError, match="the derivative for 'zeta' is not implemented"):
        special.zeta(a, framework.ones(1)).backward()


def test_nodes_have_the_names_of_torch(torch: Any) -> None:
    names = ["i0e", "i1", "i1e", "entr", "erfcx", "ndtr", "ndtri", "log_ndtr", "gammaln", "psi", "log1p", "i0"]
    for name in names:
        found, wanted = (
            getattr(lib.special, name)(lib.tensor([0.5], requires_grad=True)).grad_fn for lib in (framework, torch)
        )
        assert found.name() == wanted.name()
    pair = [lib.tensor([0.5], requires_grad=True) for lib in (framework, torch)]
    for function in ("ldexp", "nextafter", "igamma"):
        found, wanted = (getattr(lib, function)(x, x).grad_fn for lib, x in zip((framework, torch), pair, strict=True))
        assert found.name() == wanted.name()


def test_special_has_the_names_of_torch(torch: Any) -> None:
    theirs = {n for n in torch.special.__all__ if not n.startswith("_")}
    assert theirs <= set(special.__all__)


def test_in_place_functions_are_the_methods(torch: Any) -> None:
    missing = [n for n in dir(torch) if n.endswith("_") and hasattr(framework.Tensor, n) and not hasattr(framework, n)]
    assert missing == []
    for name in ("exp_", "arcsin_", "fix_", "sinc_", "neg_", "zero_"):
        x = framework.tensor([0.5, -0.25])
        assert getattr(framework, name)(x) is x
        assert x.tolist() == pytest.approx(getattr(torch, name)(torch.tensor([0.5, -0.25])).tolist())
    x = framework.tensor([0.5, -0.25])
    assert x.clone().true_divide_(2).tolist() == [0.25, -0.125]
    assert x.clone().greater_(0).tolist() == [1.0, 0.0]
    assert framework.zeros(2, 3).swapaxes_(0, 1).shape == (3, 2)


def test_float_power_in_place_needs_double() -> None:
    x = framework.tensor([2.0, 3.0], dtype=framework.float64)
    assert x.float_power_(2) is x and x.tolist() == [4.0, 9.0]
    with pytest.raises(RuntimeError, match="the base given to float_power_ has dtype Float"):
        framework.ones(2).float_power_(2)
    with pytest.raises(TypeError):
        framework.float_power(2, 3)


def test_frexp_writes_only_to_its_own_types() -> None:
    x = framework.tensor([8.0, -0.3])
    result = framework.frexp(x, out=(framework.empty(2), framework.empty(2, dtype=framework.int32)))
    assert type(result).__name__ == "frexp_out"
    assert framework.equal(framework.ldexp(result.mantissa, result.exponent), x)
    with pytest.raises(RuntimeError, match="expects mantissa to have dtype float but got double"):
        framework.frexp(x, out=(framework.empty(2).double(), framework.empty(2, dtype=framework.int32)))


def test_ldexp_neither_overflows_nor_underflows_on_its_way() -> None:
    x = framework.tensor([1e-300, 1e300, 1.0], dtype=framework.float64)
    assert framework.ldexp(x, framework.tensor([1050, -1050, -1074])).tolist() == [
        math.ldexp(1e-300, 1050),
        math.ldexp(1e300, -1050),
        5e-324,
    ]


def test_without_scipy_the_error_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, *rest: Any) -> Any:
        if name.startswith("scipy"):
            raise ImportError(name)
        return original(name, *rest)

    original = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", refuse)
    x = framework.ones(2)
    with pytest.raises(ImportError, match=r"pip install 'framework\[special\]'"):
        special.bessel_j0(x)
    with pytest.raises(ImportError, match="SciPy"):
        framework.igamma(x, x)
    assert framework.lgamma(x).tolist() == [0.0, 0.0]
