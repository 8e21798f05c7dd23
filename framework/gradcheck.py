"""Gradients against finite differences: `gradcheck` and `gradgradcheck` of torch.autograd."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from .backend import namespace, to_host
from .engine import grad, wrap
from .random import Generator
from .tensor import Tensor


class GradcheckError(RuntimeError):
    """A gradient differs from what finite differences give."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the gradients of `func(*inputs)` agree with central differences of step `eps`.

    Every output that requires grad is checked with respect to every input that does, element by element; real and
    imaginary parts count as two. Inputs should be float64 or complex128.

    Args:
        func: takes the inputs, returns a tensor or a tuple of them.
        inputs: a tensor or a tuple; what is no tensor, or requires no grad, is passed on as it is.
        atol, rtol: how far a derivative `a` may be from the difference quotient `n`: `atol + rtol * |n|`.
        raise_exception: raise GradcheckError with both Jacobians where they differ, else return False.
        nondet_tol: how far two backward passes may differ.
        check_grad_dtypes: also check that gradients have the types of their inputs.
        fast_mode: compare along one random direction of each input and output, not element by element: the time of
            a few calls however large they are.
        check_undefined_grad, check_batched_grad, masked: accepted; they change nothing here.

    ValueError: no input requires grad. RuntimeError: an input whose elements share memory.
    """
    args = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    targets = _checked_inputs(args)
    try:
        if fast_mode:
            _check_fast(func, tuple(args), targets, eps, atol, rtol)
        else:
            _check(func, tuple(args), targets, eps, atol, rtol, nondet_tol, check_grad_dtypes)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the second derivatives of `func(*inputs)` agree with differences of the first.

    `grad_outputs`, drawn at random unless given, are what the first derivatives start from. Other arguments as in
    `gradcheck`.
    """
    args = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    outputs = _differentiable(func(*args))
    if grad_outputs is None:
        source = Generator().manual_seed(0)
        starts = tuple(_random_like(o, source, gen_non_contig_grad_outputs) for o in outputs)
    else:
        starts = tuple(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else (grad_outputs,)

    def first_derivatives(*values: Any) -> tuple[Any, ...]:
        own, given = values[: len(args)], values[len(args) :]
        wanted = [v for v in own if isinstance(v, Tensor) and v.requires_grad]
        found = grad(_differentiable(func(*own)), wanted, given, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first_derivatives,
        args + starts,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_grad_dtypes=check_grad_dtypes,
        fast_mode=fast_mode,
    )


def _checked_inputs(args: Sequence[Any]) -> list[tuple[int, Any]]:
    """The inputs to differentiate by, with their positions."""
    found = []
    for position, value in enumerate(args):
        if not isinstance(value, Tensor) or not value.requires_grad:
            continue
        if value._array.dtype not in (np.float64, np.complex128):
            warnings.warn(
                f"Input #{position} requires gradient and is not a double precision floating point or complex. This "
                "check will likely fail if all the inputs are not of double precision floating point or complex.",
                stacklevel=3,
            )
        array = value._array
        if array.size and any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True)):
            raise RuntimeError(
                f"The {position}th input has a dimension with stride 0. gradcheck only supports inputs that are "
                "non-overlapping to be able to compute the numerical gradients correctly. You should call .contiguous "
                "on the input before passing it to gradcheck."
            )
        found.append((position, value))
    if not found:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    return found


def _differentiable(outputs: Any) -> tuple[Any, ...]:
    several = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    return tuple(o for o in several if isinstance(o, Tensor) and o.requires_grad)


def _random_like(output: Any, source: Any, scattered: bool) -> Any:
    shape = output._array.shape
    values = source.normal(shape, dtype=np.dtype(np.float64))
    if output._array.dtype.kind == "c":
        values = values + 1j * source.normal(shape, dtype=np.dtype(np.float64))
    values = np.asarray(values).astype(output._array.dtype)
    if scattered and values.ndim:
        values = np.repeat(values, 2, axis=-1)[..., ::2]
    return wrap(namespace(output._array).asarray(values)).requires_grad_()


def _check(
    func: Callable, args: tuple, targets: list, eps: float, atol: float, rtol: float, nondet_tol: float, types: bool
) -> None:
    outputs = _differentiable(func(*args))
    numerical = [_numerical(func, args, value, eps, len(outputs)) for _, value in targets]
    if not outputs:
        _check_constant(func, args, targets, eps)
        return
    for number, output in enumerate(outputs):
        analytical = _analytical(output, [v for _, v in targets], types)
        again = _analytical(output, [v for _, v in targets], types)
        for (position, _), numeric, first, second in zip(targets, numerical, analytical, again, strict=True):
            if first.size and not np.allclose(first, numeric[number], rtol, atol, equal_nan=True):
                raise GradcheckError(
                    f"Jacobian mismatch for output {number} with respect to input {position},\n"
                    f"numerical:{numeric[number]}\nanalytical:{first}\n"
                )
            if not np.allclose(first, second, 0.0, nondet_tol, equal_nan=True):
                raise GradcheckError(
                    "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
                    "gives different values, although analytical gradient matches numerical gradient. The tolerance "
                    f"for nondeterminism was {nondet_tol}."
                )


def _check_fast(func: Callable, args: tuple, targets: list, eps: float, atol: float, rtol: float) -> None:
    """Compares directional derivatives, of one random combination of each output along a random direction."""
    outputs = _differentiable(func(*args))
    if not outputs:
        _check_constant(func, args, targets, eps)
        return
    source = Generator().manual_seed(1)
    starts = [_random_like(o, source, False).detach() for o in outputs]
    found = [
        grad(o, [v for _, v in targets], start, retain_graph=True, allow_unused=True)
        for o, start in zip(outputs, starts, strict=True)
    ]
    for place, (position, value) in enumerate(targets):
        direction = to_host(_random_like(value, source, False)._array)
        slopes = _slopes(func, args, value, direction, eps)
        for number, (start, slope) in enumerate(zip(starts, slopes, strict=True)):
            numeric = np.vdot(to_host(start._array), slope).real
            g = found[number][place]
            analytic = 0.0 if g is None else np.vdot(to_host(g._array), direction).real
            if not np.isclose(analytic, numeric, rtol, atol, equal_nan=True):
                raise GradcheckError(
                    f"Jacobian mismatch for output {number} with respect to input {position}, along random directions,"
                    f"\nnumerical:{numeric}\nanalytical:{analytic}\n"
                )


def _slopes(func: Callable, args: tuple, value: Any, direction: np.ndarray, eps: float) -> list[np.ndarray]:
    """The difference quotient of each output when `value` moves along a direction."""
    array = value._array
    kept, step = array.copy(), namespace(array).asarray(eps * direction)
    results = []
    for moved in (kept + step, kept - step):
        array[...] = moved
        results.append([np.array(to_host(o._array)) for o in _differentiable(func(*args))])
    array[...] = kept
    return [(above - below) / (2 * eps) for above, below in zip(*results, strict=True)]


def _check_constant(func: Callable, args: tuple, targets: list, eps: float) -> None:
    """An output that requires no grad must not depend on the inputs."""
    results = func(*args)
    count = len(results) if isinstance(results, (tuple, list)) else 1
    for _, value in targets:
        for jacobian in _numerical(func, args, value, eps, count, every=True):
            if np.any(np.abs(jacobian) > 0):
                raise GradcheckError("Numerical gradient for function expected to be zero")


def _places(array: Any) -> Iterator[tuple[tuple[int, ...], complex]]:
    """Each element's index with each direction it can move in: 1, and 1j for complex ones."""
    directions = (1.0, 1j) if array.dtype.kind == "c" else (1.0,)
    return product(np.ndindex(array.shape), directions)


def _real_rows(values: Any) -> np.ndarray:
    """The elements as real numbers in one dimension, real and imaginary parts as neighbours."""
    flat = np.ascontiguousarray(values).reshape(-1)
    return flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat


def _numerical(
    func: Callable, args: tuple, value: Any, eps: float, count: int, every: bool = False
) -> list[np.ndarray]:
    """For each output the matrix of its difference quotients: a row for each (real) element of `value`."""
    array = value._array
    rows: list[list[np.ndarray]] = [[] for _ in range(count)]

    def evaluate() -> list[np.ndarray]:
        results = func(*args)
        several = results if isinstance(results, (tuple, list)) else (results,)
        used = [r for r in several if isinstance(r, Tensor)] if every else _differentiable(results)
        return [np.array(to_host(r._array)) for r in used]

    for index, direction in _places(array):
        kept = array[index].copy()
        array[index] = kept + eps * direction
        above = evaluate()
        array[index] = kept - eps * direction
        below = evaluate()
        array[index] = kept
        for row, a, b in zip(rows, above, below, strict=True):
            row.append(_real_rows((a.astype(np.result_type(a, np.float64)) - b) / (2 * eps)))
    return [np.stack(r) if r else np.zeros((0, 0)) for r in rows]


def _analytical(output: Any, values: list, types: bool) -> list[np.ndarray]:
    """For each input the matrix of derivatives of one output, laid out as `_numerical` does."""
    array = output._array
    columns: list[list[np.ndarray]] = [[] for _ in values]
    for index, direction in _places(array):
        start = namespace(array).zeros(array.shape, array.dtype)
        start[index] = direction
        found = grad(output, values, wrap(start), retain_graph=True, allow_unused=True)
        for column, value, g in zip(columns, values, found, strict=True):
            if g is not None and types and g.dtype is not value.dtype:
                raise GradcheckError(f"Expected gradient of dtype {value.dtype}, but got {g.dtype}")
            made = np.zeros(value._array.shape, value._array.dtype) if g is None else to_host(g._array)
            column.append(_real_rows(made))
    return [
        np.stack(c, axis=1) if c else np.zeros((_real_rows(to_host(v._array)).size, 0))
        for c, v in zip(columns, values, strict=True)
    ]
