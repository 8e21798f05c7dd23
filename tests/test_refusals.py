"""Types and shapes that operators refuse: PyTorch's exception, not an answer that means nothing."""

from __future__ import annotations

from typing import Any

import pytest

import framework

#: An expression in `lib`, `c` (complex), `b` (bool), `s` (no dimensions), `x` (float32, 2x3), and the exception.
REFUSED: list[tuple[str, type[Exception]]] = [
    ("c < c", NotImplementedError),
    ("c >= 1", NotImplementedError),
    ("lib.maximum(c, c)", RuntimeError),
    ("lib.fmin(c, c)", RuntimeError),
    ("c.max()", NotImplementedError),
    ("c.min(0)", RuntimeError),
    ("c.amax()", NotImplementedError),
    ("c.argmax()", RuntimeError),
    ("c.sort()", RuntimeError),
    ("c.topk(1)", RuntimeError),
    ("c.kthvalue(1)", NotImplementedError),
    ("c.median()", NotImplementedError),
    ("c.mode()", NotImplementedError),
    ("c.cummax(0)", NotImplementedError),
    ("c.clamp(0, 1)", NotImplementedError),
    ("c.floor()", NotImplementedError),
    ("c.sign()", NotImplementedError),
    ("c.signbit()", NotImplementedError),
    ("c.softmax(0)", NotImplementedError),
    ("c.nansum()", RuntimeError),
    ("lib.heaviside(c, c)", RuntimeError),
    ("b - b", RuntimeError),
    ("b - 1", RuntimeError),
    ("1 - b", RuntimeError),
    ("x - b", RuntimeError),
    ("x.clone().sub_(b[0])", RuntimeError),
    ("b.argmax()", RuntimeError),
    ("b.topk(1)", RuntimeError),
    ("b.floor_divide(b)", NotImplementedError),
    ("b % b", NotImplementedError),
    ("b ** b", NotImplementedError),
    ("b << b", NotImplementedError),
    ("b.abs()", NotImplementedError),
    ("b.median()", NotImplementedError),
    ("s.split(1)", RuntimeError),
    ("s.chunk(1)", RuntimeError),
    ("s.tensor_split(1)", RuntimeError),
    ("s.unbind()", IndexError),
    ("s.narrow(0, 0, 1)", RuntimeError),
    ("s.unflatten(0, (1, 1))", RuntimeError),
    ("s.rot90()", RuntimeError),
    ("lib.matmul(x, [1.0])", TypeError),
    ("lib.lerp(x, x.double(), 0.5)", RuntimeError),
    ("lib.heaviside(x, x.double())", RuntimeError),
    ("lib.broadcast_tensors(x, lib.ones(4))", RuntimeError),
    ("lib.zeros(3).index_add(0, lib.tensor([0, 1]), lib.ones(3))", RuntimeError),
    ("lib.zeros(2, 3).index_copy(0, lib.tensor([0]), lib.ones(2, 3))", IndexError),
    ("x.to(list)", TypeError),
]


def _evaluate(expression: str, lib: Any) -> Any:
    names = {
        "lib": lib,
        "c": lib.tensor([1 + 1j, 2 - 1j]),
        "b": lib.tensor([True, False, True]),
        "s": lib.tensor(3.0),
        "x": lib.ones(2, 3),
    }
    return eval(expression, names)


@pytest.mark.parametrize(("expression", "error"), REFUSED, ids=[expression for expression, _ in REFUSED])
def test_refused(expression: str, error: type[Exception]) -> None:
    with pytest.raises(error) as ours:
        _evaluate(expression, framework)
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    with pytest.raises(error) as theirs:
        _evaluate(expression, torch)
    assert ours.type is theirs.type


@pytest.mark.parametrize(
    "expression",
    ["s.movedim(0, -1)", "s.unfold(0, 1, 1)", "s.flip(0)", "b + b", "b * b", "x.to(float)", "x.to(int)", "x.to(bool)"],
)
def test_not_refused(expression: str) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    ours, theirs = _evaluate(expression, framework), _evaluate(expression, torch)
    assert (ours.tolist(), tuple(ours.shape), str(ours.dtype)) == (
        theirs.tolist(),
        tuple(theirs.shape),
        str(theirs.dtype),
    )


def test_copies_print_as_in_torch() -> None:
    y = framework.zeros(2).copy_(framework.ones(2, requires_grad=True))
    assert repr(y) == "tensor([1., 1.], grad_fn=<CopyBackwards>)"


def test_complex_numbers_lose_their_imaginary_part_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="Casting complex values to real discards the imaginary part"):
        assert framework.tensor([1 + 2j]).to(framework.float32).tolist() == [1.0]
