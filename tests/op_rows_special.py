"""Rows of the special functions and of the functions of whole numbers and of the parts of floats."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial

import numpy as np
from op_row import FLOAT, REAL, Const, F, Make, Row, S, Sample, Samples, binary, unary

NAN, INF = math.nan, math.inf


def _no_complex(kernel: str) -> tuple:
    return (F(NotImplementedError, f"{kernel}.*ComplexDouble", np.ones(2, complex)),)


def _map(name: str, samples: Samples, kernel: str, **kwargs: object) -> Row:
    """A function of one tensor that takes no complex numbers."""
    return Row(name, samples, REAL, promotes=1, out=True, errors=_no_complex(kernel), **kwargs)  # type: ignore[arg-type]


def _probabilities(m: Make) -> Iterable[Sample]:
    low, high = (0.05, 0.95) if m.floating else (0, 1)
    yield from unary(low, high, at=(0.0, 1.0, 1e-20, -1.0, NAN))(m)


_method = partial(_map, inplace=True)
_function = partial(_map, method=False)


def _polygamma_samples(m: Make) -> Iterable[Sample]:
    for n in range(4):
        yield S(n, m(3, 4, low=0.3))
    yield S(2, m(low=1, high=2))
    yield S(1, m(0, 3))
    if m.floating:
        yield S(3, m.of(-0.3, -1.6, -2.2, 40.0))
        yield S(2, m.of(0.0, -1.0, NAN)).rough()


def _mvlgamma_samples(m: Make) -> Iterable[Sample]:
    for p in (1, 2, 4):
        yield S(m(3, 4, low=3, high=6), p)
    yield S(m(low=2, high=4), p=2)
    yield S(m(0, 3), 2)


def _igamma_samples(m: Make) -> Iterable[Sample]:
    shape, x = m(3, 4, low=0.2), m(4, low=0.1, high=6)
    yield S(Const(shape), x)
    yield S(Const(m(low=0.2)), m(2, low=0.1))
    yield S(Const(m(0, 3)), m(3))
    yield S(shape, x).values_only()
    yield S(m.of(0.0, 1.0, -1.0, 1.0, 2.0), m.of(1.0, 0.0, 1.0, -1.0, INF)).values_only()


_igamma = partial(Row, out=True, promotes=2, inplace=True, tolerance=10)


def _igamma_errors(name: str) -> tuple:
    return (
        F(TypeError, "argument 'other'.*must be Tensor, not float", np.ones(2), 2.0),
        F(NotImplementedError, f"{name}_cpu.*Long", np.ones(2, int), np.ones(2, int)),
        F(RuntimeError, "size of tensor a", np.ones((2, 3)), np.ones((2, 4))),
    )


GAMMA = [
    _method("lgamma", unary(0.1, 5, at=(1.0, 2.0, 1.0 + 1e-6, -0.3, -1.6, -10.3, 200.0, 0.0, -1.0, INF, NAN)),
            "lgamma_vml_cpu", aliases=("special.gammaln",)),
    _method("digamma", unary(0.3, 5, at=(0.2, -0.3, -1.6, -10.3, 200.0, 0.0, -0.0, INF, NAN)), "digamma",
            aliases=("special.digamma", "special.psi")),
    Row("polygamma", _polygamma_samples, REAL, out=True, inplace=True, promotes=1, aliases=("special.polygamma",),
        errors=(F(RuntimeError, "negative n", -1, np.ones(2)),
                F(TypeError, "'n'.*must be int, not float", 1.5, np.ones(2)),
                F(NotImplementedError, "trigamma.*ComplexDouble", 1, np.ones(2, complex)))),
    Row("Tensor.polygamma", lambda m: [S(m(3, 4, low=0.5), n) for n in range(3)], FLOAT, inplace=True,
        errors=(F(RuntimeError, "negative n", np.ones(2), -1),)),
    Row("mvlgamma", _mvlgamma_samples, REAL, out=True, inplace=True, aliases=("special.multigammaln",),
        errors=(F(RuntimeError, "p has to be greater than or equal to 1", np.ones(2), 0),
                F(RuntimeError, "may not be a boolean tensor", np.ones(2, bool), 1))),
    _igamma("igamma", _igamma_samples, errors=_igamma_errors("igamma"), aliases=("special.gammainc",)),
    _igamma("igammac", _igamma_samples, errors=_igamma_errors("igammac"), aliases=("special.gammaincc",)),
]  # fmt: skip


def _zeta_samples(m: Make) -> Iterable[Sample]:
    yield S(Const(m(3, 4, low=2, high=6)), m(4, low=1, high=5))
    yield S(Const(m(low=2, high=6)), m(2, low=1, high=5))
    yield S(3, m(3, low=1, high=5))
    yield S(m(3, low=2, high=6), 2).values_only()
    yield S(m(0, 3), m(3)).values_only()
    if m.floating:
        s, q = (1.0, 0.5, 2.0, 2.0, 2.5, 3.0, 2.0), (1.0, 1.0, 0.0, -1.5, -1.5, -1.5, NAN)
        yield S(m.of(*s), m.of(*q)).values_only()


def _xlog1py_samples(m: Make) -> Iterable[Sample]:
    yield from binary(low2=-0.5, number=2.0)(m)
    yield S(2, m(3, low=0))
    if m.floating:
        yield S(m.of(0.0, 0.0, 0.0, 1.0), m.of(-1.0, -2.0, NAN, -1.0)).values_only()
        yield S(m.of(0.0, 0.0), m.of(0.5, 3.0)).rough()


_shapes = F(RuntimeError, "size of tensor a", np.ones((2, 3)), np.ones((2, 4)))

SPECIAL = [
    _method("i0", unary(at=(0.0, 19.9, -20.1, 300.0, 800.0, NAN)), "i0_vml_cpu", aliases=("special.i0",)),
    _function("special.i0e", unary(at=(0.0, 19.9, -20.1, 800.0, INF)), "i0e_cpu"),
    _function("special.i1", unary(at=(0.0, 19.9, -20.1, 300.0)), "i1_cpu"),
    _function("special.i1e", unary(at=(0.0, 19.9, -20.1, 800.0, INF)), "i1e_cpu"),
    _function("special.entr", unary(0.1, 3, at=(0.0, -1.0, INF, NAN)), "entr_cpu"),
    _function("special.erfcx", unary(at=(0.0, 0.4, -0.47, 5.0, 100.0, -30.0, INF)), "erfcx_cpu"),
    _function("special.ndtr", unary(at=(0.0, -8.0, INF, -INF)), "erf_vml_cpu"),
    _function("special.ndtri", _probabilities, "ndtri_cpu"),
    _function("special.log_ndtr", unary(at=(0.0, -1.0, -30.0, 30.0)), "log_ndtr_cpu"),
    Row("special.xlog1py", _xlog1py_samples, REAL, method=False, out=True, promotes=2, errors=(_shapes,)),
    Row("special.zeta", _zeta_samples, REAL, method=False, out=True, promotes=2, errors=(_shapes,)),
]  # fmt: skip

#: PyTorch's Bessel and Airy functions are right to seven digits only: test_special.py proves ours.
_rough = partial(_function, grad=False, torch=False)
_smooth = partial(_function, grad=False)


def _bessel(name: str, row: partial, *at: float, low: float = 0.1, **kwargs: object) -> Row:
    return row(f"special.{name}", unary(low, 9, at=at), f"{name}_cpu", **kwargs)


BESSEL = [
    _bessel("airy_ai", _rough, 0.0, -30.0, 30.0, 200.0, reads_host=True),
    _bessel("bessel_j0", _rough, 0.0, -30.0, low=-9),
    _bessel("bessel_j1", _rough, 0.0, -30.0, low=-9),
    _bessel("bessel_y0", _rough, 0.0, -1.0, 30.0),
    _bessel("bessel_y1", _rough, 0.0, -1.0, 30.0),
    _bessel("modified_bessel_i0", _smooth, 0.0, -30.0, low=-9),
    _bessel("modified_bessel_i1", _smooth, 0.0, -30.0, low=-9),
    _bessel("modified_bessel_k0", _smooth, 0.0, -1.0, 30.0),
    _bessel("modified_bessel_k1", _smooth, 0.0, -1.0, 30.0),
    _bessel("scaled_modified_bessel_k0", _smooth, 0.0, -1.0, 900.0),
    _bessel("scaled_modified_bessel_k1", _smooth, 0.0, -1.0, 900.0),
    _bessel("spherical_bessel_j0", _smooth, 0.0, 1e-5, 30.0, INF, low=-9),
]


def _polynomial_samples(m: Make) -> Iterable[Sample]:
    for n in (-1, 0, 1, 2, 6, 7, 20):
        yield S(m(3, 4, low=-2, high=2), n)
    yield S(m(3, 1, low=-2, high=2), m(1, 5, low=0, high=9))
    yield S(2, m(4, low=0, high=5))
    yield S(m(), m())
    yield S(m(0, 3), m(3))
    if m.floating:
        yield S(m.of(1.0, -1.0, 0.0, 0.5), 9)


def _polynomial(name: str, **kwargs: object) -> Row:
    errors = (_shapes, F(NotImplementedError, f"{name}_cpu.*ComplexDouble", np.ones(2, complex), 2))
    return Row(f"special.{name}", _polynomial_samples, REAL, grad=False, method=False, out=True, promotes=2,
               errors=errors, **kwargs)  # type: ignore[arg-type]  # fmt: skip


POLYNOMIALS = [
    *(_polynomial(f"{shift}chebyshev_polynomial_{kind}") for shift in ("", "shifted_") for kind in "tuvw"),
    *(
        _polynomial(name, reads_host=True)
        for name in (
            "hermite_polynomial_h",
            "hermite_polynomial_he",
            "laguerre_polynomial_l",
            "legendre_polynomial_p",
        )
    ),
]


def _divisors(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4, low=-30, high=30), m(3, 4, low=-30, high=30))
    yield S(m(3, 1, low=0, high=100), m(4, low=0, high=100))
    yield S(m(2, low=0, high=100), m(low=0, high=100))
    yield S(m(0, 3), m(3))
    yield S(m.of(0, 0, 12), m.of(0, 5, 0))


def _whole(name: str) -> Row:
    errors = (
        F(TypeError, "argument 'other'.*must be Tensor, not int", np.ones(2, int), 2),
        F(NotImplementedError, f"{name}_cpu.*Double", np.ones(2), np.ones(2)),
        F(NotImplementedError, f"{name}_cpu.*Bool", np.ones(2, bool), np.ones(2, bool)),
        F(RuntimeError, "size of tensor a", np.ones((2, 3), int), np.ones((2, 4), int)),
    )
    return Row(name, _divisors, ("int64", "int32", "uint8"), grad=False, inplace=True, out=True, promotes=2,
               errors=errors)  # fmt: skip


def _ldexp_samples(m: Make) -> Iterable[Sample]:
    yield from binary()(m)
    yield S(m(3, 4), np.array([-3, 0, 2, 7])).values_only()  # torch's gradients are 0 for negative exponents
    if m.floating and not m.complex:
        yield S(m.of(1.0, 1e-30, 1e30), np.array([-40, 60, -60])).values_only()


def _next_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4), m(3, 4)).rough()
    yield S(m(3, 1), m(4)).rough()
    yield S(m(0, 3), m(3)).rough()
    yield S(m.of(0.0, 1.0, 1.0, INF, NAN), m.of(1.0, 1.0, -INF, 0.0, 1.0)).rough()


def _power_samples(m: Make) -> Iterable[Sample]:
    yield S(m(3, 4, low=0.2), m(4, low=0.5))
    for exponent in (2, 0.5, -1):
        yield S(m(3, low=1), exponent)
    yield S(2, m(3, low=0.5))
    yield S(m(0, 3), m(3))


NUMBERS = [
    _whole("gcd"),
    _whole("lcm"),
    Row("frexp", unary(at=(0.0, INF, -INF, NAN, 8.0, 1e-30)), FLOAT, out=True, promotes=1,
        errors=(F(RuntimeError, "only supports floating-point", np.ones(2, int)),)),
    Row("ldexp", _ldexp_samples, (*REAL, "complex128"), inplace=True, out=True,
        errors=(_shapes, F(TypeError, "argument 'other'.*must be Tensor, not int", np.ones(2), 2))),
    Row("nextafter", _next_samples, FLOAT, inplace=True, out=True, promotes=2,
        errors=(_shapes, F(TypeError, "argument 'other'.*must be Tensor, not float", np.ones(2), 2.0),
                F(NotImplementedError, "nextafter_cpu.*Long", np.ones(2, int), np.ones(2, int)))),
    Row("float_power", _power_samples, ("float64", "complex128"), inplace=True, out=True, promotes=2,
        errors=(_shapes, F(RuntimeError, "the output given to float_power has dtype Float", np.ones(2), 2,
                           out=np.ones(2, np.float32)))),
    Row("float_power", _power_samples, ("float32", "int64"), out=True, variant="wider"),
]  # fmt: skip

ROWS = [*GAMMA, *SPECIAL, *BESSEL, *POLYNOMIALS, *NUMBERS]
