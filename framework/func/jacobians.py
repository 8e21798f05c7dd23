"""Whole Jacobians and Hessians, row by row or column by column."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..engine import enable_grad, mode
from ..engine.level import Level
from ..jacobian_products import columns, rows
from ..tensor import Tensor
from .batching import check_randomness, random_numbers
from .derivatives import arguments, check_outputs, enter, leave_aux, split_aux, with_arguments
from .tree import flatten, unflatten


def _check_real(tensors: Sequence, api: str, what: str) -> None:
    for index, tensor in enumerate(tensors):
        if isinstance(tensor, Tensor) and tensor.is_complex():
            raise RuntimeError(
                f"{api}: Expected all {what} to be real but received complex tensor at flattened input idx: {index}"
            )


def _open_function(
    func: Callable, args: tuple, kwargs: dict, argnums: Any, has_aux: bool, api: str
) -> tuple[Any, Any, Any]:
    """Stand-ins for the arguments, the output computed from them, and aux."""
    outside = mode.enabled
    chosen = arguments(args, argnums)
    _check_real(flatten(chosen)[0], api, "inputs")
    with Level() as level, enable_grad():
        inner = enter(level, chosen, outside)
        output, aux = split_aux(func(*with_arguments(args, argnums, inner), **kwargs), has_aux, api)
    return inner, output, aux


def jacrev(
    func: Callable,
    argnums: int | tuple[int, ...] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable:
    """The function that returns the Jacobian of `func`, found row by row: one backward pass for each output element.

    Its result has the structure of the output, each leaf of it that of the chosen arguments, each tensor the output's
    shape followed by the argument's. `chunk_size` is accepted: the rows are computed one at a time anyway.
    """
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        inner, output, aux = _open_function(func, args, kwargs, argnums, has_aux, "jacrev")
        outputs, output_spec = flatten(output)
        check_outputs(outputs, output, "vjp(f, *primals)")
        _check_real(outputs, "jacrev", "outputs")
        inputs, input_spec = flatten(inner)
        found = unflatten([unflatten(rows(o, inputs), input_spec) for o in outputs], output_spec)
        return (found, leave_aux(aux)) if has_aux else found

    return wrapper


def jacfwd(
    func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable:
    """The function that returns the Jacobian of `func`, found column by column: a product for each input element.

    The result's structure is that of `jacrev`. `randomness`: what random functions do inside, as in `vmap`.
    """
    check_randomness(randomness)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        numbers = random_numbers(randomness)
        with numbers:
            inner, output, aux = _open_function(func, args, kwargs, argnums, has_aux, "jacfwd")
        outputs, output_spec = flatten(output)
        check_outputs(outputs, output, "jvp(f, primals, tangents)")
        _check_real(outputs, "jacfwd", "outputs")
        inputs, input_spec = flatten(inner)
        found = unflatten([unflatten(row, input_spec) for row in columns(outputs, inputs)], output_spec)
        return (found, leave_aux(aux)) if has_aux else found

    return wrapper


def hessian(func: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """The function that returns the second derivatives of `func`: `jacfwd(jacrev(func))`."""
    return jacfwd(jacrev(func, argnums), argnums)
