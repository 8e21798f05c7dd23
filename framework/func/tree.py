"""Nested containers of values: flattening, rebuilding, and broadcasting a prefix over one.

Containers are tuples, named tuples, lists and dictionaries (plain, ordered, default); all else, None too, is a leaf.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any


class Spec:
    """The structure of a nested container without its leaves."""

    __slots__ = ("children", "count", "factory", "keys", "kind")

    def __init__(self, kind: Any, keys: Any, children: list[Spec], factory: Any = None) -> None:
        self.kind = kind  # the container's class; None for a leaf
        self.keys = keys  # of a dictionary
        self.children = children
        self.factory = factory  # of a defaultdict
        self.count: int = sum(c.count for c in children) if kind is not None else 1

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spec) or not self.same_node(other):
            return False
        return all(a == b for a, b in zip(self.children, other.children, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def same_node(self, other: Spec) -> bool:
        """Whether both are the same container at the top, of as many items under the same keys."""
        return self.kind is other.kind and self.keys == other.keys and len(self.children) == len(other.children)

    def __repr__(self) -> str:
        if self.kind is None:
            return "*"
        return f"TreeSpec({self.kind.__name__}, {self.keys}, [{', '.join(map(repr, self.children))}])"


_LEAF = Spec(None, None, [])


def flatten(tree: Any) -> tuple[list, Spec]:
    """The leaves from left to right, and the structure."""
    leaves: list = []
    return leaves, _flatten_into(leaves, tree)


def _flatten_into(leaves: list, tree: Any) -> Spec:
    kind = type(tree)
    if kind is tuple or kind is list or _is_named(kind):
        return Spec(kind, None, [_flatten_into(leaves, item) for item in tree])
    if kind is dict or kind is OrderedDict or kind is defaultdict:
        factory = tree.default_factory if kind is defaultdict else None
        return Spec(kind, list(tree), [_flatten_into(leaves, item) for item in tree.values()], factory)
    leaves.append(tree)
    return _LEAF


def _is_named(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def unflatten(leaves: Any, spec: Spec) -> Any:
    """The container of structure `spec` around the leaves."""
    return _build(iter(leaves), spec)


def _build(leaves: Any, spec: Spec) -> Any:
    if spec.kind is None:
        return next(leaves)
    items = [_build(leaves, child) for child in spec.children]
    if spec.keys is None:
        return spec.kind(*items) if _is_named(spec.kind) else spec.kind(items)
    pairs = zip(spec.keys, items, strict=True)
    return spec.kind(spec.factory, pairs) if spec.kind is defaultdict else spec.kind(pairs)


def tree_map(function: Callable, tree: Any) -> Any:
    """The same container around `function(leaf)` for each leaf."""
    leaves, spec = flatten(tree)
    return unflatten([function(leaf) for leaf in leaves], spec)


def broadcast_prefix(prefix: Any, spec: Spec) -> list | None:
    """One leaf of `prefix` for each leaf of `spec`: a leaf stands for all below it. None if it is no prefix."""
    leaves, outline = flatten(prefix)
    spread: list = []
    return spread if _spread(iter(leaves), outline, spec, spread) else None


def _spread(leaves: Any, outline: Spec, spec: Spec, spread: list) -> bool:
    if outline.kind is None:
        spread.extend([next(leaves)] * spec.count)
        return True
    if not outline.same_node(spec):
        return False
    return all(_spread(leaves, a, b, spread) for a, b in zip(outline.children, spec.children, strict=True))
