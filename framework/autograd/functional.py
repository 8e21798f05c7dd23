"""`framework.autograd.functional`: derivatives of functions of tensors; torch.autograd.functional's names.

`func` takes tensors and returns a tensor or a tuple of them. What is returned follows the form of what came: a tensor
for a tensor, a tuple for a tuple. With `create_graph` the results can be differentiated again, also with respect to
inputs that require grad. With `strict` an output that does not depend on an input is a RuntimeError, else its
derivative is zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..engine import enable_grad, grad, is_grad_enabled, set_grad_enabled
from ..engine.level import Level
from ..jacobian_products import columns, or_zeros, unit_vectors
from ..ops.shape import stack
from ..tensor import Tensor

# --- inputs and outputs -------------------------------------------------------------------------------------------


def _tensors(value: Any, what: str, function: str) -> tuple[bool, tuple]:
    """Whether a tuple came, and the tensors as one; TypeError for anything else."""
    several = isinstance(value, tuple)
    for index, item in enumerate(value if several else (value,)):
        if not isinstance(item, Tensor):
            where = f"value at index {index}" if several else f"given {what}"
            raise TypeError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but the {where} has "
                f"type {type(item)}."
            )
    return several, value if several else (value,)


def _outputs(func: Callable, inputs: tuple, function: str, strict: bool) -> tuple[bool, tuple]:
    several, outputs = _tensors(func(*inputs), "outputs of the user-provided function", function)
    if strict:
        for index, output in enumerate(outputs):
            if not output.requires_grad:
                raise RuntimeError(
                    f"Output {index} of the user-provided function does not require gradients. The outputs must be "
                    "computed in a differentiable manner from the input when running in strict mode."
                )
    return several, outputs


def _single_output(func: Callable, inputs: tuple, function: str, strict: bool) -> Any:
    several, outputs = _outputs(func, inputs, function, strict)
    if several:
        raise RuntimeError(f"The function given to {function} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {function} should contain a single element")
    return outputs[0]


def _opened(tensors: tuple, create_graph: bool, need_graph: bool = True) -> tuple:
    """Tensors to differentiate with respect to; with `create_graph`, as part of the graph that they come from."""
    return tuple(
        t.view(t.shape) if create_graph and t.requires_grad else t.detach().requires_grad_(need_graph) for t in tensors
    )


def _vector(v: Any, like: tuple, several: bool, create_graph: bool, function: str, missing: str) -> tuple:
    """The vector to multiply with; None may stand for 1 where `like` is one tensor of one element."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if {missing} a single Tensor with a single element.")
        return (None,)
    _, vectors = _tensors(v, "v", function)
    vectors = _opened(vectors, create_graph, need_graph=False)
    if len(vectors) != len(like):
        if several:
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vectors)}.")
        raise RuntimeError("The given v should contain a single Tensor.")
    for index, (vector, tensor) in enumerate(zip(vectors, like, strict=True)):
        if vector.shape != tensor.shape:
            where = f"Entry {index} in " if several else ""
            raise RuntimeError(f"{where}v has invalid size: should be {tensor.shape} but got {vector.shape}.")
    return vectors


def _closed(tensors: Sequence, create_graph: bool, several: bool) -> Any:
    """Results as the caller gets them."""
    found = tuple(tensors if create_graph else [t.detach() for t in tensors])
    return found if several else found[0]


_OF_INPUT = "the input to the user-provided function is"

# --- going backward -----------------------------------------------------------------------------------------------


def _grads(outputs: Sequence, inputs: Sequence, starts: Sequence, create_graph: bool, keep: bool = False) -> tuple:
    """Gradients of the outputs that require them at the inputs, None where there is no dependence."""
    pairs = [(o, s) for o, s in zip(outputs, starts, strict=True) if o is not None and o.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    roots, given = zip(*pairs, strict=True)
    return grad(roots, inputs, given, keep or create_graph, create_graph, allow_unused=True)


def _filled(grads: Sequence, like: Sequence, strict: bool, create_graph: bool, missing: str, constant: str) -> list:
    """The gradients, zeros for None; strictly, `missing` and `constant` are the errors for input `{}`."""
    for index, found in enumerate(grads if strict else ()):
        if found is None:
            raise RuntimeError(f"{missing.format(index)} This is not allowed in strict mode.")
        if create_graph and not found.requires_grad:
            raise RuntimeError(
                f"The {constant} of the user-provided function is independent of input {index}. This is not allowed in "
                "strict mode when create_graph=True."
            )
    return or_zeros(grads, like)


def _check_first(grads: Sequence, strict: bool, constant: str) -> None:
    """Strictly, RuntimeError for a first derivative that is missing or does not depend on the inputs."""
    for index, found in enumerate(grads if strict else ()):
        if found is None:
            raise RuntimeError(
                f"The output of the user-provided function is independent of input {index}. This is not allowed in "
                "strict mode."
            )
        if not found.requires_grad:
            raise RuntimeError(constant.format(index))


_CONSTANT_GRADIENT = (
    "The gradient with respect to input {} is independent of the inputs of the user-provided function. This is not "
    "allowed in strict mode."
)
_CONSTANT_JACOBIAN = (
    "While computing the hessian, found that the jacobian of the user-provided function with respect to input {} is "
    "independent of the input. This is not allowed in strict mode. You should ensure that your function is twice "
    "differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for "
    "example)."
)


def vjp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(*inputs), the product of `v` with its Jacobian): `v` has the outputs' shapes, the product the inputs'."""
    with enable_grad():
        several_in, inputs = _tensors(inputs, "inputs", "vjp")
        inputs = _opened(inputs, create_graph)
        several, outputs = _outputs(func, inputs, "vjp", strict)
        starts = _vector(v, outputs, several, create_graph, "vjp", "the user-provided function returns")
    with set_grad_enabled(create_graph or is_grad_enabled()):
        grads = _grads(outputs, inputs, starts, create_graph)
        missing = "The output of the user-provided function is independent of input {}."
        product = _filled(grads, inputs, strict, create_graph, missing, "jacobian")
    return _closed(outputs, create_graph, several), _closed(product, create_graph, several_in)


def jvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(*inputs), the product of its Jacobian with `v`): `v` has the inputs' shapes, the product the outputs'.

    Goes backward twice; `func.jvp` does too.
    """
    with enable_grad():
        several_in, inputs = _tensors(inputs, "inputs", "jvp")
        inputs = _opened(inputs, create_graph)
        directions = _vector(v, inputs, several_in, create_graph, "jvp", _OF_INPUT)
        several, outputs = _outputs(func, inputs, "jvp", strict)
        starts = tuple(o.detach().new_zeros(o.shape).requires_grad_() for o in outputs)
        first = _grads(outputs, inputs, starts, create_graph=True)
        _check_first(first, strict, _CONSTANT_GRADIENT)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        grads = _grads(first, starts, directions, create_graph)
        missing = (
            "The gradient with respect to the input is independent of entry {} in the grad_outputs when using the "
            "double backward trick to compute forward mode gradients."
        )
        product = _filled(grads, outputs, strict, create_graph, missing, "jacobian")
    return _closed(outputs, create_graph, several), _closed(product, create_graph, several)


def vhp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(*inputs), the product of `v` with its Hessian); `func` returns a tensor of one element."""
    with enable_grad():
        several, inputs = _tensors(inputs, "inputs", "vhp")
        inputs = _opened(inputs, create_graph)
        starts = _vector(v, inputs, several, create_graph, "vhp", _OF_INPUT)
        output = _single_output(func, inputs, "vhp", strict)
        first = _grads((output,), inputs, (None,), create_graph=True)
        _check_first(first, strict, _CONSTANT_JACOBIAN)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        grads = _grads(first, inputs, starts, create_graph)
        missing = "The jacobian of the user-provided function is independent of input {}."
        product = _filled(grads, inputs, strict, create_graph, missing, "hessian")
    return _closed((output,), create_graph, False), _closed(product, create_graph, several)


def hvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(*inputs), the product of its Hessian with `v`); `vhp` gives the same for less work, save for rounding."""
    with enable_grad():
        several, inputs = _tensors(inputs, "inputs", "hvp")
        inputs = _opened(inputs, create_graph)
        directions = _vector(v, inputs, several, create_graph, "hvp", _OF_INPUT)
        output = _single_output(func, inputs, "hvp", strict)
        first = _grads((output,), inputs, (None,), create_graph=True)
        _check_first(first, strict, _CONSTANT_JACOBIAN)
        starts = tuple(x.detach().new_zeros(x.shape).requires_grad_() for x in inputs)
        second = _grads(first, inputs, starts, create_graph=True)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        grads = _grads(second, starts, directions, create_graph)
        missing = (
            "The hessian of the user-provided function is independent of entry {} in the grad_jacobian, which prevents "
            "from using the double backward trick to replace forward mode AD."
        )
        product = _filled(grads, inputs, strict, create_graph, missing, "hessian")
    return _closed((output,), create_graph, False), _closed(product, create_graph, several)


# --- whole Jacobians ----------------------------------------------------------------------------------------------


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of `func`: for each output (if a tuple) and input (if a tuple) one tensor of both shapes joined.

    Args:
        vectorize: accepted, and refused together with what torch refuses; the work is the same.
        strategy: "reverse-mode" goes row by row, "forward-mode" (with `vectorize` alone) column by column.
    """
    name = "torch.autograd.functional.jacobian"
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
            'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        for option, given in (("create_graph", create_graph), ("strict", strict)):
            if given:
                error = NotImplementedError if option == "create_graph" else RuntimeError
                raise error(
                    f'{name}: `{option}=True` and `strategy="forward-mode"` are not supported together (yet). Please '
                    f'either set `{option}=False` or `strategy="reverse-mode"`.'
                )
        if not vectorize:
            raise NotImplementedError(
                "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only implemented for "
                "`vectorize=True`."
            )
        return _by_columns(func, inputs)
    with enable_grad():
        several_in, inputs = _tensors(inputs, "inputs", "jacobian")
        inputs = _opened(inputs, create_graph)
        several, outputs = _outputs(func, inputs, "jacobian", strict)
        if vectorize and strict:
            raise RuntimeError(
                f"{name}: `strict=True` and `vectorized=True` are not supported together. Please either set "
                "`strict=False` or `vectorize=False`."
            )
        found = [
            _closed(_rows(index, output, inputs, create_graph, strict), create_graph, several_in)
            for index, output in enumerate(outputs)
        ]
    return tuple(found) if several else found[0]


def _rows(index: int, output: Any, inputs: tuple, create_graph: bool, strict: bool) -> list:
    """The Jacobian of output number `index` with respect to each input."""
    rows = []
    for unit in unit_vectors(output.detach()):
        grads = _grads((output,), inputs, (unit,), create_graph, keep=True)
        for place, found in enumerate(grads if strict else ()):
            if found is None:
                raise RuntimeError(
                    f"Output {index} of the user-provided function is independent of input {place}. This is not "
                    "allowed in strict mode."
                )
            if create_graph and not found.requires_grad:
                raise RuntimeError(
                    f"The jacobian of the user-provided function is independent of input {index}. This is not allowed "
                    "in strict mode when create_graph=True."
                )
        rows.append(or_zeros(grads, inputs))
    if not rows:
        return [x.new_zeros((*output.shape, *x.shape)) for x in inputs]
    return [
        stack(column).reshape(*output.shape, *x.shape)
        for column, x in zip(zip(*rows, strict=True), inputs, strict=True)
    ]


def _by_columns(func: Callable, inputs: Any) -> Any:
    several_in, inputs = _tensors(inputs, "inputs", "jacobian")
    with Level() as level, enable_grad():
        opened = tuple(level.enter(t) for t in inputs)
        several, outputs = _outputs(func, opened, "jacobian", strict=False)
    found = [_closed(row, False, several_in) for row in columns(outputs, opened)]
    return tuple(found) if several else found[0]


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of `func`, which returns a tensor of one element: one tensor for a tensor, else a tuple of tuples."""
    several, inputs = _tensors(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def first(*tensors: Any) -> Any:
        found = jacobian(lambda *t: _single_output(func, t, "hessian", strict).reshape(()), tensors, create_graph=True)
        _check_first(found, strict, _CONSTANT_JACOBIAN)
        return found

    found = jacobian(first, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)
    return found if several else found[0][0]
