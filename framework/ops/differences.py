"""Derivatives of sampled functions."""

from __future__ import annotations

from typing import Any

from ..engine import Variable
from .shape import cat, narrow, reshape, shape_of, wrap_dim


def gradient(input: Any, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple[Any, ...]:
    """The derivative of sampled values along each dimension of `dim` (all unless given), by central differences.

    `spacing` is the distance of the samples, a list of one per dimension, or a tuple of tensors of coordinates. At the
    ends it is a difference to one side, exact for polynomials of degree `edge_order` (1 or 2).
    """
    shape = shape_of(input)
    alone = isinstance(spacing, (int, float, complex))
    if dim is None:
        dims: tuple[int, ...] = tuple(range(len(shape)))
    else:
        dims = tuple(wrap_dim(d, len(shape)) for d in ((dim,) if isinstance(dim, int) else dim))
    if isinstance(spacing, Variable):
        raise TypeError(
            "gradient() received an invalid combination of arguments: spacing must be a number, a list of numbers or a "
            "tuple of Tensors, not a Tensor"
        )
    steps = [spacing] * len(dims) if alone else list(spacing)
    _check(shape, dims, dim, steps, edge_order)
    return tuple(_along(input, d, step, edge_order) for d, step in zip(dims, steps, strict=True))


def _check(shape: tuple[int, ...], dims: tuple[int, ...], dim: Any, steps: list, edge_order: int) -> None:
    if len(steps) != len(dims):
        if dim is None:
            raise RuntimeError(
                "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to "
                f"'self.dim() = {len(shape)}', since dim argument was not given, but got a list of length {len(steps)}"
            )
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the "
            f"same length, but got a spacing argument of length {len(steps)} and a dim argument of length {len(dims)}."
        )
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    for d in dims:
        if dims.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
        if shape[d] < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")


def _along(input: Any, dim: int, step: Any, edge_order: int) -> Any:
    size = shape_of(input)[dim]

    def at(place: int, count: int = 1) -> Any:
        return narrow(input, dim, place, count)

    if isinstance(step, Variable):
        return _uneven(input, dim, step, edge_order, at)
    if edge_order == 1:
        first, last = (at(1) - at(0)) / step, (at(size - 1) - at(size - 2)) / step
    else:
        first = (at(0) * -1.5 + at(1) * 2 - at(2) * 0.5) / step
        last = (at(size - 1) * 1.5 - at(size - 2) * 2 + at(size - 3) * 0.5) / step
    inside = (at(2, size - 2) - at(0, size - 2)) / (2 * step) if size > 2 else None
    return cat([part for part in (first, inside, last) if part is not None], dim)


def _uneven(input: Any, dim: int, places: Any, edge_order: int, at: Any) -> Any:
    """At the places given: the derivative of the parabola through three neighbours."""
    shape = shape_of(input)
    size, ndim = shape[dim], len(shape)
    if shape_of(places) != (size,):
        raise RuntimeError(
            f"torch.gradient expected the coordinates of dimension {dim} to have shape [{size}], but got "
            f"{list(shape_of(places))}"
        )
    gaps = reshape(narrow(places, 0, 1, size - 1) - narrow(places, 0, 0, size - 1), _shape_along(dim, size - 1, ndim))

    def gap(place: int, count: int = 1) -> Any:
        return narrow(gaps, dim, place, count)

    if edge_order == 1:
        first, last = (at(1) - at(0)) / gap(0), (at(size - 1) - at(size - 2)) / gap(size - 2)
    else:
        a, b = gap(0), gap(1)
        first = at(0) * (-(2 * a + b) / (a * (a + b))) + at(1) * ((a + b) / (a * b)) - at(2) * (a / (b * (a + b)))
        a, b = gap(size - 3), gap(size - 2)
        last = at(size - 3) * (b / (a * (a + b))) - at(size - 2) * ((a + b) / (a * b))
        last = last + at(size - 1) * ((2 * b + a) / (b * (a + b)))
    if size == 2:
        return cat([first, last], dim)
    a, b, count = gap(0, size - 2), gap(1, size - 2), size - 2
    inside = at(1, count) * ((b - a) / (a * b)) - at(0, count) * (b / (a * (a + b)))
    return cat([first, inside + at(2, count) * (a / (b * (a + b))), last], dim)


def _shape_along(dim: int, size: int, ndim: int) -> tuple[int, ...]:
    return tuple(size if d == dim else 1 for d in range(ndim))
