"""Gradients and products with Jacobians of functions: grad, vjp, jvp, linearize."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..engine import enable_grad, mode
from ..engine.level import Level, leave, reaches_outside
from ..engine.node import edge_of
from ..jacobian_products import Push, or_zeros, pull_back
from ..tensor import Tensor
from .tree import Spec, flatten, tree_map, unflatten

# --- inputs and outputs -------------------------------------------------------------------------------------------


def arguments(args: tuple, argnums: Any) -> Any:
    """The arguments that `argnums` (a number or a tuple of them) names; RuntimeError for what it cannot."""
    if isinstance(argnums, int):
        return args[_position(argnums, len(args))]
    if not isinstance(argnums, tuple):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    if not argnums:
        raise RuntimeError("argnums must be non-empty")
    if len(set(argnums)) != len(argnums):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return tuple(args[_position(n, len(args))] for n in argnums)


def with_arguments(args: tuple, argnums: Any, chosen: Any) -> tuple:
    """`args` with the ones that `argnums` names replaced."""
    numbers, values = ((argnums,), (chosen,)) if isinstance(argnums, int) else (argnums, chosen)
    replaced = list(args)
    for number, value in zip(numbers, values, strict=True):
        replaced[number] = value
    return tuple(replaced)


def _position(number: Any, count: int) -> int:
    if not isinstance(number, int):
        raise RuntimeError(f"argnum must be int, got: {type(number)}")
    if not -count <= number < count:
        raise RuntimeError(f"Got argnum={number}, but only {count} positional inputs")
    return number


def enter(level: Level, tree: Any, outside: bool) -> Any:
    """Stand-ins at `level` for the tensors of a tree; with `outside`, gradients go on to what the tensors come from."""

    def inner(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(leaf)}")
        return level.enter(leaf, edge_of(leaf) if outside else None)

    return tree_map(inner, tree)


def leave_aux(aux: Any) -> Any:
    """What a function returned beside its output, out of the level; RuntimeError for anything but tensors."""

    def outer(leaf: Any) -> Any:
        if not isinstance(leaf, Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(leaf)}")
        return leave(leaf)

    return tree_map(outer, aux)


def split_aux(result: Any, has_aux: bool, api: str) -> tuple[Any, Any]:
    """(output, aux) of what the function returned."""
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError(f"{api}: output of function f should be a tuple: (output, aux) if has_aux is True")
    return result


def check_outputs(flat: list, output: Any, api: str) -> None:
    """RuntimeError unless the function returned tensors and nothing else."""
    if not flat:
        raise RuntimeError(f"{api}: Expected f to be a function that has non-empty output (got output = {output})")
    for value in flat:
        if not isinstance(value, Tensor):
            raise RuntimeError(
                f"{api}: expected f(*primals) to return only tensors, got unsupported type {type(value)}"
            )


# --- going backward -----------------------------------------------------------------------------------------------


def grad_and_value(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """The function that returns (gradient, value) of `func`, or (gradient, (value, aux)) with `has_aux`.

    Args:
        func: returns a tensor of no dimension, or (that, aux) with `has_aux`.
        argnums: which positional arguments to differentiate, each a tensor or a nested container of tensors.
    """

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        outside = mode.enabled
        with Level() as level, enable_grad():
            inner = enter(level, arguments(args, argnums), outside)
            result = func(*with_arguments(args, argnums, inner), **kwargs)
            api = "grad_and_value(f)(*args)"
            output, aux = split_aux(result, has_aux, api)
            _check_scalar(output, api)
        flat, spec = flatten(inner)
        record = outside and reaches_outside((output,))
        grads = pull_back((output,), flat, (None,), record)
        found = unflatten([leave(g) for g in or_zeros(grads, flat)], spec)
        value = leave(output)
        return (found, (value, leave_aux(aux))) if has_aux else (found, value)

    return wrapper


def _check_scalar(output: Any, api: str) -> None:
    if not isinstance(output, Tensor):
        raise RuntimeError(f"{api}: Expected f(*args) to return a Tensor, got {type(output)}")
    if output.dim() != 0:
        raise RuntimeError(
            f"{api}: Expected f(*args) to return a scalar Tensor, got tensor with {output.dim()} dims. Maybe you "
            "wanted to use the vjp or jacrev APIs instead?"
        )


def grad(func: Callable, argnums: int | tuple[int, ...] = 0, has_aux: bool = False) -> Callable:
    """The function that returns the gradient of `func`, or (gradient, aux) with `has_aux`; see `grad_and_value`."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return wrapper


def vjp(func: Callable, *primals: Any, has_aux: bool = False) -> tuple:
    """(func(*primals), pull), and aux with `has_aux`: `pull(cotangents)` is the product of them with the Jacobian.

    `cotangents` have the structure of the output; the result is a tuple with an item for each primal.
    """
    outside = mode.enabled
    with Level() as level, enable_grad():
        inner = enter(level, primals, outside)
        api = "vjp(f, *primals)"
        output, aux = split_aux(func(*inner), has_aux, api)
        outputs, spec = flatten(output)
        check_outputs(outputs, output, api)
    pull = _puller(outputs, spec, inner)
    value = unflatten([leave(o) for o in outputs], spec)
    return (value, pull, leave_aux(aux)) if has_aux else (value, pull)


def _puller(outputs: list, spec: Spec, inner: tuple) -> Callable:
    flat, inner_spec = flatten(inner)

    def pull(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given, given_spec = flatten(cotangents)
        if given_spec != spec:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function."
                f" cotangents: {given_spec}, primal output: {spec}"
            )
        record = mode.enabled and create_graph is not False and reaches_outside((*outputs, *given))
        grads = or_zeros(pull_back(outputs, flat, given, record), flat)
        return unflatten([leave(g) for g in grads], inner_spec)

    return pull


# --- going backward twice -----------------------------------------------------------------------------------------


def jvp(func: Callable, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> tuple:
    """(func(*primals), the product of its Jacobian with the tangents), and aux with `has_aux`.

    Args:
        primals: a tuple of tensors or of nested containers of them.
        tangents: the same with a tangent for each tensor.
        strict: RuntimeError for an output that depends on no primal, where else its product is zeros.

    What the function computes under `no_grad` counts as constant, unlike in PyTorch, whose rules for going forward
    know no `no_grad`.
    """
    api = "jvp(f, primals, tangents, strict=True)" if strict else "jvp(f, primals, tangents)"
    if not isinstance(primals, tuple):
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    flat, spec = flatten(primals)
    directions, directions_spec = flatten(tangents)
    if spec != directions_spec:
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same python structure. For example, "
            f"if primals is a tuple of 3 tensors, tangents also must be. Got primals with structure {spec} and "
            f"tangents with structure {directions_spec}"
        )
    _check_tensors(flat, "primals")
    _check_tensors(directions, "tangents")
    for primal, tangent in zip(flat, directions, strict=True):
        _check_tangent(primal, tangent)
    outside = mode.enabled
    with Level() as level, enable_grad():
        inner = enter(level, primals, outside)
        output, aux = split_aux(func(*inner), has_aux, "jvp(f, primals, tangents)")
        outputs, output_spec = flatten(output)
        check_outputs(outputs, output, "jvp(f, primals, tangents)")
    products = Push(outputs, flatten(inner)[0])(directions)
    if strict and None in products:
        raise RuntimeError(
            f"{api}: The output of f is independent of the inputs. This is not allowed with strict=True."
        )
    pushed = unflatten([leave(p) for p in or_zeros(products, outputs)], output_spec)
    value = unflatten([leave(o) for o in outputs], output_spec)
    return (value, pushed, leave_aux(aux)) if has_aux else (value, pushed)


def _check_tensors(flat: list, name: str) -> None:
    if not flat:
        raise RuntimeError(f"jvp(f, primals, tangents): Expected {name} to contain at least one Tensor.")
    for value in flat:
        if not isinstance(value, Tensor):
            raise RuntimeError(f"jvp(f, primals, tangents): Expected {name} to only contain Tensors, got {type(value)}")


def _check_tangent(primal: Any, tangent: Any) -> None:
    if primal.shape != tangent.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
            f"supported. Tensor is of size {list(primal.shape)} while the given forward gradient is of size "
            f"{list(tangent.shape)}."
        )


def linearize(func: Callable, *primals: Any) -> tuple[Any, Callable]:
    """(func(*primals), push): `push(*tangents)` is the product of the Jacobian at the primals with the tangents.

    The function is run once, whatever the number of products.
    """
    outside = mode.enabled
    with Level() as level, enable_grad():
        inner = enter(level, primals, outside)
        output = func(*inner)
        outputs, output_spec = flatten(output)
        check_outputs(outputs, output, "linearize(f, *primals)")
    flat, spec = flatten(inner)
    product = Push(outputs, flat)

    def push(*tangents: Any) -> Any:
        directions, directions_spec = flatten(tangents)
        if directions_spec != spec:
            raise RuntimeError(
                f"Expected the tangents {directions_spec} to have the same argspec as the primals {spec}"
            )
        for index, (tangent, primal) in enumerate(zip(directions, flat, strict=True)):
            for what in ("shape", "device", "dtype"):
                ours, theirs = getattr(tangent, what), getattr(primal, what)
                if ours != theirs:
                    raise RuntimeError(
                        f"tangent:{index} with {what} {ours} in flattened pytree doesn't match the {what} {theirs} of "
                        "the corresponding primal."
                    )
        return unflatten([leave(p) for p in or_zeros(product(directions), outputs)], output_spec)

    return unflatten([leave(o) for o in outputs], output_spec), push
