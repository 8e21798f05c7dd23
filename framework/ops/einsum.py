"""Einstein summation: any number of products and sums over named dimensions, as matrix products."""

from __future__ import annotations

import math
import string
from typing import Any

from ..engine import Variable
from .linalg import matmul
from .reduce import sum as sum_over
from .shape import diagonal, expand, permute, reshape, shape_of

#: A term's dimensions: letters, and negative numbers for those that an ellipsis stands for, counted from the back.
Labels = tuple[Any, ...]


def einsum(equation: Any, *operands: Any) -> Any:
    """Products of the operands summed as `equation` says, such as "bij,bjk->bik".

    A letter names a dimension; repeated within a term it takes the diagonal; letters that are not in the result are
    summed over; an ellipsis stands for further dimensions, which broadcast. Without `->` the result has the letters
    that occur once, in alphabetical order. Also `einsum(a, [0, 1], b, [1, 2], [0, 2])`, with numbers for letters.

    RuntimeError: an equation that is malformed or does not fit the operands.
    """
    if isinstance(equation, Variable):
        equation, operands = _from_lists((equation, *operands))
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = tuple(operands[0])
    if not operands:
        raise RuntimeError("einsum(): must provide at least one operand")
    terms, result = _parse(equation, [len(shape_of(x)) for x in operands])
    sizes = _sizes(terms, operands)
    tensors = [_distinct(x, labels, sizes) for x, labels in zip(operands, terms, strict=True)]
    tensor, labels = tensors[0]
    for position, (other, other_labels) in enumerate(tensors[1:], 1):
        wanted = set(result).union(*(later for _, later in tensors[position + 1 :]))
        tensor, labels = _contract(tensor, labels, other, other_labels, wanted, sizes)
    tensor, labels = _sum_out(tensor, labels, set(result))
    return permute(tensor, tuple(labels.index(n) for n in result)) if labels else tensor


# --- reading the equation -----------------------------------------------------------------------------------------


def _from_lists(args: tuple) -> tuple[str, tuple]:
    """The form with lists of numbers, as an equation."""
    pairs, rest = args[: len(args) // 2 * 2], args[len(args) // 2 * 2 :]
    texts = ["".join("..." if n is Ellipsis else string.ascii_letters[n] for n in term) for term in pairs[1::2]]
    equation = ",".join(texts)
    if rest:
        equation += "->" + "".join("..." if n is Ellipsis else string.ascii_letters[n] for n in rest[0])
    return equation, pairs[::2]


def _parse(equation: str, ndims: list[int]) -> tuple[list[Labels], Labels]:
    """The labels of each operand and of the result."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    parts = left.split(",")
    if len(parts) != len(ndims):
        few = "fewer operands were" if len(parts) > len(ndims) else "more operands were"
        raise RuntimeError(f"einsum(): {few} provided than specified in the equation")
    terms = [_labels(part, ndim, position) for position, (part, ndim) in enumerate(zip(parts, ndims, strict=True))]
    covered = max((len(ndim) for ndim in ([n for n in term if isinstance(n, int)] for term in terms)), default=0)
    ellipsis = tuple(range(-covered, 0))
    if not arrow:
        letters = [n for term in terms for n in term if isinstance(n, str)]
        return terms, ellipsis + tuple(sorted(n for n in set(letters) if letters.count(n) == 1))
    result: list[Any] = []
    for part in right.replace("...", "."):
        result.extend(ellipsis if part == "." else _letter(part, right.index(part)))
    used = {n for term in terms for n in term}
    for n in result:
        if n not in used:
            raise RuntimeError(f"einsum(): output subscript {n} does not appear in the equation for any input operand")
        if result.count(n) > 1:
            raise RuntimeError(f"einsum(): output subscript {n} appears more than once in the output")
    return terms, tuple(result)


def _letter(character: str, at: int) -> str:
    if character not in string.ascii_letters:
        raise RuntimeError(
            f"einsum(): invalid subscript given at index {at} in the equation string, subscripts must be in [a-zA-Z]"
        )
    return character


def _labels(part: str, ndim: int, position: int) -> Labels:
    before, dots, after = part.partition("...")
    named = [_letter(c, i) for i, c in enumerate(before + after)]
    if len(named) > ndim or (not dots and len(named) != ndim):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(named)}) "
            f"{'is more than' if dots else 'does not match'} the number of dimensions ({ndim}) for operand {position}"
            f"{'' if dots else ' and no ellipsis was given'}"
        )
    covered = ndim - len(named)
    return (*named[: len(before)], *range(-covered, 0), *named[len(before) :])


def _sizes(terms: list[Labels], operands: tuple) -> dict[Any, int]:
    sizes: dict[Any, int] = {}
    for position, (labels, operand) in enumerate(zip(terms, operands, strict=True)):
        for n, size in zip(labels, shape_of(operand), strict=True):
            seen = sizes.setdefault(n, size)
            if seen == 1:
                sizes[n] = size
            elif size not in (1, seen):
                raise RuntimeError(
                    f"einsum(): subscript {n} has size {size} for operand {position} which does not broadcast with "
                    f"previously seen size {seen}"
                )
    return sizes


# --- computing ----------------------------------------------------------------------------------------------------


def _distinct(tensor: Any, labels: Labels, sizes: dict[Any, int]) -> tuple[Any, Labels]:
    """A tensor with each label once: diagonals where one was repeated."""
    names = list(labels)
    for n in dict.fromkeys(labels):
        while names.count(n) > 1:
            first = names.index(n)
            second = names.index(n, first + 1)
            tensor = diagonal(tensor, 0, first, second)
            del names[second], names[first]
            names.append(n)
    return tensor, tuple(names)


def _sum_out(tensor: Any, labels: Labels, wanted: set) -> tuple[Any, Labels]:
    """Sums over the dimensions that nobody wants."""
    dims = tuple(d for d, n in enumerate(labels) if n not in wanted)
    if dims:
        tensor = sum_over(tensor, dims)
    return tensor, tuple(n for n in labels if n in wanted)


def _contract(
    a: Any, a_labels: Labels, b: Any, b_labels: Labels, wanted: set, sizes: dict[Any, int]
) -> tuple[Any, Labels]:
    """The product of two tensors, summed over the labels that are in both and wanted no more: one matrix product."""
    a, a_labels = _sum_out(a, a_labels, wanted | set(b_labels))
    b, b_labels = _sum_out(b, b_labels, wanted | set(a_labels))
    shared = [n for n in a_labels if n in b_labels]
    batch, summed = [n for n in shared if n in wanted], [n for n in shared if n not in wanted]
    a_only, b_only = [n for n in a_labels if n not in shared], [n for n in b_labels if n not in shared]
    left, left_sizes = _grouped(a, a_labels, (batch, a_only, summed), sizes, shared)
    right, right_sizes = _grouped(b, b_labels, (batch, summed, b_only), sizes, shared)
    labels, known = (*batch, *a_only, *b_only), left_sizes | right_sizes
    return reshape(matmul(left, right), tuple(known[n] for n in labels)), labels


def _grouped(
    tensor: Any, labels: Labels, groups: tuple[list, list, list], sizes: dict[Any, int], shared: list
) -> tuple[Any, dict[Any, int]]:
    """The tensor in three dimensions, one for each group of labels, and the size of each label.

    Shared labels broadcast to their common size.
    """
    order = [n for group in groups for n in group]
    tensor = permute(tensor, tuple(labels.index(n) for n in order)) if order else tensor
    known = {n: sizes[n] if n in shared else size for n, size in zip(order, shape_of(tensor), strict=True)}
    tensor = expand(tensor, tuple(known.values())) if known else tensor
    return reshape(tensor, tuple(math.prod(known[n] for n in group) for group in groups)), known
