"""Products of a recorded function's Jacobian with vectors, from the left and from the right, and all of it.

Going backward gives products from the left. It is linear in what it starts from, so it can itself be differentiated
there, and that gives products from the right: no rules for going forward are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .engine import enable_grad, grad, mode
from .engine.level import Level, leave, reaches_outside
from .ops.shape import stack


def pull_back(outputs: Sequence, inputs: Sequence, cotangents: Sequence, record: bool) -> list:
    """Gradients of the outputs at the inputs (None where there is no dependence), nothing freed."""
    pairs = [(o, c) for o, c in zip(outputs, cotangents, strict=True) if o.requires_grad]
    if not pairs or not inputs:
        return [None] * len(inputs)
    roots, starts = zip(*pairs, strict=True)
    with enable_grad():
        return list(grad(roots, inputs, starts, retain_graph=True, create_graph=record, allow_unused=True))


def or_zeros(grads: Sequence, like: Sequence) -> list:
    """The gradients, zeros for None."""
    return [x.new_zeros(x.shape) if g is None else g for g, x in zip(grads, like, strict=True)]


class Push:
    """The Jacobian of recorded outputs, ready to be multiplied with tangents.

    The double-backward trick: Jamie Townsend, "A new trick for calculating Jacobian vector products", 2017.
    """

    def __init__(self, outputs: Sequence, inputs: Sequence) -> None:
        self.outputs, self.inputs = outputs, inputs
        with Level() as level:
            self.starts = [level.enter(o.new_zeros(o.shape)) if o.requires_grad else None for o in outputs]
        kept = [(o, s) for o, s in zip(outputs, self.starts, strict=True) if s is not None]
        self.active = [s for _, s in kept]
        self.grads = pull_back([o for o, _ in kept], inputs, self.active, record=True)
        self.recorded = reaches_outside([g for g in self.grads if g is not None])

    def __call__(self, tangents: Sequence) -> list:
        """The products, one for each output (None where it depends on no input)."""
        pairs = [(g, t) for g, t in zip(self.grads, tangents, strict=True) if g is not None]
        record = mode.enabled and (self.recorded or reaches_outside([t for _, t in pairs]))
        found = iter(pull_back([g for g, _ in pairs], self.active, [t for _, t in pairs], record))
        return [None if s is None else next(found) for s in self.starts]


def unit_vectors(like: Any) -> Iterator[Any]:
    """The standard basis of tensors of one shape, one after the other, each of that shape."""
    count = like.numel()
    for index in range(count):
        vector = like.new_zeros(count)
        vector._array[index] = 1
        yield vector.reshape(like.shape)


def rows(output: Any, inputs: Sequence) -> list:
    """The Jacobian of one output with respect to each input."""
    record = mode.enabled and reaches_outside((output,))
    found = [or_zeros(pull_back((output,), inputs, (unit,), record), inputs) for unit in unit_vectors(output)]
    if not found:
        return [x.new_zeros((*output.shape, *x.shape)) for x in inputs]
    columns = zip(*found, strict=True)
    return [leave(stack(c).reshape(*output.shape, *x.shape)) for c, x in zip(columns, inputs, strict=True)]


def columns(outputs: Sequence, inputs: Sequence) -> list[list]:
    """For each output its Jacobian with respect to each input."""
    push = Push(outputs, inputs)
    zeros = [x.new_zeros(x.shape) for x in inputs]
    found: list[list] = [[] for _ in outputs]
    for place, x in enumerate(inputs):
        products = [or_zeros(push([*zeros[:place], unit, *zeros[place + 1 :]]), outputs) for unit in unit_vectors(x)]
        for index, output in enumerate(outputs):
            shape = (*output.shape, *x.shape)
            if products:
                joined = stack([p[index] for p in products], -1)
                found[index].append(leave(joined.reshape(shape)))
            else:
                found[index].append(output.new_zeros(shape))
    return found
