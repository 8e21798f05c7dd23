"""gradcheck and gradgradcheck find wrong gradients, first and second, and say where."""

from __future__ import annotations

from typing import Any

import pytest

import framework
from framework.gradcheck import GradcheckError, gradcheck, gradgradcheck


def _numbers(*shape: int, dtype: Any = framework.float64) -> Any:
    return framework.randn(*shape, dtype=dtype, requires_grad=True)


class _Wrong(framework.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * 3 * x


class _WrongTwice(framework.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return g * 2 * x.detach()


@pytest.mark.parametrize("fast", [False, True])
def test_right_gradients_pass(fast: bool) -> None:
    assert gradcheck(framework.matmul, (_numbers(2, 3), _numbers(3, 2)), fast_mode=fast)
    assert gradgradcheck(framework.matmul, (_numbers(2, 3), _numbers(3, 2)), fast_mode=fast)
    assert gradcheck(lambda z: z * z.conj(), _numbers(3, dtype=framework.complex128), fast_mode=fast)
    assert gradcheck(lambda x: (x.sum(), x * 2, 3), _numbers(2, 2), fast_mode=fast)


@pytest.mark.parametrize("fast", [False, True])
def test_wrong_gradients_fail(fast: bool) -> None:
    with pytest.raises(GradcheckError, match="Jacobian mismatch for output 0 with respect to input 0"):
        gradcheck(_Wrong.apply, _numbers(3), fast_mode=fast)
    assert not gradcheck(_Wrong.apply, _numbers(3), fast_mode=fast, raise_exception=False)
    assert gradcheck(_WrongTwice.apply, _numbers(3), fast_mode=fast)
    assert not gradgradcheck(_WrongTwice.apply, _numbers(3), fast_mode=fast, raise_exception=False)


def test_a_constant_must_be_one() -> None:
    assert gradcheck(lambda x: x.detach() * 0, _numbers(2))
    assert not gradcheck(lambda x: x.detach() * 2, _numbers(2), raise_exception=False)


def test_types_of_gradients() -> None:
    assert gradcheck(framework.exp, _numbers(2), check_grad_dtypes=True)


def test_inputs_are_checked() -> None:
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        gradcheck(framework.exp, framework.ones(2))
    with pytest.warns(UserWarning, match="not a double precision"):
        gradcheck(framework.exp, framework.ones(2, requires_grad=True), atol=0.1, rtol=0.1)
    with pytest.raises(RuntimeError, match="stride 0"):
        gradcheck(framework.exp, framework.ones(1, dtype=framework.float64).expand(3).requires_grad_())


def test_inputs_keep_their_values() -> None:
    x = _numbers(3)
    before = x.tolist()
    gradcheck(framework.sin, x)
    gradcheck(framework.sin, x, fast_mode=True)
    assert x.tolist() == before


def test_global_random_numbers_are_left_alone() -> None:
    framework.manual_seed(3)
    x = _numbers(2)
    state = framework.get_rng_state()
    gradgradcheck(framework.sin, x)
    assert framework.equal(framework.get_rng_state(), state)
