"""`vmap`: a function of one sample as a function of a batch.

The function is run once for each sample and the results are stacked. So anything that works on a sample works under
`vmap`, to any depth of nesting, with its derivatives: also what PyTorch's batching refuses, such as `.item()`, or `if`
on a tensor. What the function must not do is write to a tensor that is not batched something that differs from sample
to sample.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..engine import counter_of, no_grad, wrap
from ..ops.index import select
from ..ops.shape import movedim, stack
from ..random import default_generator
from ..tensor import Tensor
from .captured import captured
from .tree import Spec, broadcast_prefix, flatten, tree_map, unflatten


def vmap(
    func: Callable,
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable:
    """The function that applies `func` to each sample of a batch and stacks the results.

    Args:
        func: takes tensors or nested containers of them, and returns such.
        in_dims: which dimension of each positional argument the samples lie along, None for an argument that is the
            same for all: a number for all, or a container matching the arguments. Keyword arguments are not batched.
        out_dims: where in each result the samples shall lie; None for a result that is the same for all.
        randomness: "error" refuses random functions inside, "different" draws anew for each sample, "same" gives all
            samples the same numbers.
        chunk_size: accepted; samples are computed one at a time anyway.
    """
    check_randomness(randomness)
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        _check_out_dims(out_dims, func)
        size, dims, leaves, spec = _open_inputs(func, in_dims, args)
        results = _Samples(func, size, dims, leaves, spec, kwargs).run(randomness)
        return _close_outputs(func, out_dims, size, results)

    return wrapped


def check_randomness(randomness: str) -> None:
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")


def _name(func: Any) -> str:
    if hasattr(func, "__name__"):
        return func.__name__
    if isinstance(func, functools.partial):
        return f"functools.partial({_name(func.func)}, ...)"
    return repr(func)


# --- inputs -------------------------------------------------------------------------------------------------------


def _open_inputs(func: Callable, in_dims: Any, args: tuple) -> tuple[int, list, list, Spec]:
    """The batch's size, and for each leaf of the arguments its batch dimension (None: not batched)."""
    start = f"vmap({_name(func)}, in_dims={in_dims}, ...)(<inputs>): "
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"{start}expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
            f"got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({_name(func)})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap "
            "over a function with no inputs. The latter is unsupported."
        )
    leaves, spec = flatten(args)
    dims = broadcast_prefix(in_dims, spec)
    if dims is None:
        raise ValueError(
            f"{start}in_dims is not compatible with the structure of `inputs`. in_dims has structure "
            f"{flatten(in_dims)[1]} but inputs has structure {spec}."
        )
    dims = [_checked_dim(dim, leaf, start) for dim, leaf in zip(dims, leaves, strict=True)]
    sizes = [leaf.shape[dim] for dim, leaf in zip(dims, leaves, strict=True) if dim is not None]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over")
    if len(set(sizes)) > 1:
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
            "mapped dimension"
        )
    return sizes[0], dims, leaves, spec


def _checked_dim(dim: Any, leaf: Any, start: str) -> int | None:
    if dim is None:
        return None
    if not isinstance(dim, int):
        raise ValueError(
            f"{start}Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
        )
    if not isinstance(leaf, Tensor):
        raise ValueError(
            f"{start}Got in_dim={dim} for an input but the input is of type {type(leaf)}. We cannot vmap over "
            "non-Tensor arguments, please use None as the respective in_dim"
        )
    count = leaf.dim()
    if not -count <= dim < count:
        raise ValueError(
            f"{start}Got in_dim={dim} for some input, but that input is a Tensor of dimensionality {count} so expected "
            f"in_dim to satisfy -{count} <= in_dim < {count}."
        )
    return dim % count


# --- running ------------------------------------------------------------------------------------------------------


class _Samples:
    """The runs of the function, one for each sample."""

    def __init__(self, func: Callable, size: int, dims: list, leaves: list, spec: Spec, kwargs: dict) -> None:
        self.func, self.size, self.dims, self.leaves, self.spec, self.kwargs = func, size, dims, leaves, spec, kwargs
        unbatched = [leaf for leaf, dim in zip(leaves, dims, strict=True) if dim is None]
        self.shared = _Shared([t for t in (*unbatched, *flatten(kwargs)[0]) if isinstance(t, Tensor)])
        batched = {id(counter_of(leaf)) for leaf, dim in zip(leaves, dims, strict=True) if dim is not None}
        known = {id(t) for t in self.shared.tensors}
        self.captured = [t for t in captured(func) if id(t) not in known and id(counter_of(t)) not in batched]

    def run(self, randomness: str) -> list:
        """What the function returned, for each sample; for an empty batch, what it returns for a sample of zeros."""
        numbers = random_numbers(randomness)
        if not self.size:
            with no_grad(), random_numbers("same"), numbers:
                return [self._call(lambda t, dim: t.new_zeros((*t.shape[:dim], *t.shape[dim + 1 :])), lambda t: t)]
        results = []
        versions = [_version(t) for t in self.captured]
        for index in range(self.size):
            with numbers:
                stand_in = self.shared.before(index)
                results.append(self._call(lambda t, dim, index=index: select(t, dim, index), stand_in))
            self.shared.after(index)
            if [_version(t) for t in self.captured] != versions:
                raise RuntimeError(_CAPTURED)
        return results

    def _call(self, sample: Callable, stand_in: Callable) -> Any:
        pairs = zip(self.leaves, self.dims, strict=True)
        leaves = [stand_in(leaf) if dim is None else sample(leaf, dim) for leaf, dim in pairs]
        return self.func(*unflatten(leaves, self.spec), **tree_map(stand_in, self.kwargs))


class _Shared:
    """Tensors that are the same for all samples: an in-place write to one happens once, and must be so for all.

    The first run writes to the tensors themselves. If it did, the other runs get copies of the old values, and what
    they leave there must be what the first has left.
    """

    def __init__(self, tensors: Sequence) -> None:
        self.tensors = tensors
        self.old = [t._array.copy() for t in tensors]
        self.versions = [_version(t) for t in tensors]
        self.written: dict[int, tuple[Any, Any]] = {}  # id of a tensor that was written to -> (it, its old values)
        self.copies: dict[int, Any] = {}

    def before(self, index: int) -> Callable:
        """What to hand to the run for each shared tensor."""
        if not index or not self.written:
            return lambda leaf: leaf
        self.copies = {key: wrap(old.copy()) for key, (_, old) in self.written.items()}
        return lambda leaf: self.copies.get(id(leaf), leaf)

    def after(self, index: int) -> None:
        """RuntimeError if the run has written something of its own."""
        if not index:
            moved = [_version(t) != v for t, v in zip(self.tensors, self.versions, strict=True)]
            triples = zip(self.tensors, self.old, moved, strict=True)
            self.written = {id(t): (t, old) for t, old, changed in triples if changed}
            self.versions = [_version(t) for t in self.tensors]
            self.old = []
        elif any(_version(t) != v for t, v in zip(self.tensors, self.versions, strict=True)):
            raise RuntimeError(_IN_PLACE)
        for key, copy in self.copies.items():
            if not _same(copy._array, self.written[key][0]._array):
                raise RuntimeError(_IN_PLACE)


_IN_PLACE = (
    "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args "
    "that has more elements than `self`. This happened due to `other` being vmapped over but `self` not being vmapped "
    "over in a vmap. Please try to use out-of-place operators instead of inplace arithmetic."
)

_CAPTURED = (
    "vmap: the function writes in place to a tensor that it does not get as an argument, such as the running "
    "statistics of batch normalization, which would happen once for each sample. Hand the tensor in, with None as its "
    "in_dim, or write to a copy."
)


def _version(tensor: Any) -> int:
    return tensor._counter[0] if tensor._counter is not None else 0


def _same(a: Any, b: Any) -> bool:
    """Whether two arrays hold the same values, nan for nan."""
    return a is b or (a.shape == b.shape and bool(((a == b) | ((a != a) & (b != b))).all()))


# --- random numbers -----------------------------------------------------------------------------------------------


def random_numbers(randomness: str) -> AbstractContextManager:
    """A context for the runs of one `vmap`, entered anew for each: what random functions do there."""
    if randomness == "different":
        return nullcontext()
    return _Same() if randomness == "same" else _NoNumbers()


class _Same:
    """Each entry draws the same numbers from the default generator."""

    def __init__(self) -> None:
        self.start: Any = None

    def __enter__(self) -> None:
        if self.start is None:
            self.start = default_generator.get_state_array()
        else:
            default_generator.set_state_array(self.start)

    def __exit__(self, *exc: object) -> None:
        return None


class _NoNumbers:
    """RuntimeError on exit if the default generator was drawn from, which is undone."""

    def __enter__(self) -> None:
        self.start = default_generator.get_state_array()

    def __exit__(self, kind: Any, *exc: object) -> None:
        if kind is None and (default_generator.get_state_array() != self.start).any():
            default_generator.set_state_array(self.start)
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
                "'different' randomness flags on vmap or perform the randomness operation out of vmap"
            )


# --- outputs ------------------------------------------------------------------------------------------------------


def _check_out_dims(out_dims: Any, func: Callable) -> None:
    for dim in flatten(out_dims)[0]:
        if dim is not None and not isinstance(dim, int):
            raise ValueError(
                f"vmap({_name(func)}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python "
                "collection of ints representing where in the outputs the vmapped dimension should appear."
            )


def _close_outputs(func: Callable, out_dims: Any, size: int, results: list) -> Any:
    """The results of all samples as one, the samples along `out_dims`."""
    flat = [flatten(result) for result in results]
    spec = flat[0][1]
    single = isinstance(results[0], Tensor)
    prefix = out_dims[0] if single and isinstance(out_dims, tuple) and len(out_dims) == 1 else out_dims
    dims = broadcast_prefix(prefix, spec)
    if dims is None:
        raise ValueError(
            f"vmap({_name(func)}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure "
            f"of `outputs`. out_dims has structure {flatten(out_dims)[1]} but outputs has structure {spec}."
        )
    if any(other != spec for _, other in flat):
        raise RuntimeError(f"vmap({_name(func)}, ...): `{_name(func)}` returned other structures for other samples")
    columns = zip(*[leaves for leaves, _ in flat], strict=True)
    joined = [_join(_name(func), column, dim, size) for column, dim in zip(columns, dims, strict=True)]
    return unflatten(joined, spec)


def _join(name: str, column: tuple, dim: int | None, size: int) -> Any:
    """One result: of all samples, stacked along `dim`; the common one for None."""
    first = column[0]
    if dim is None:
        if isinstance(first, Tensor) and not all(_same(first._array, other._array) for other in column):
            raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
        return first
    for value in column:
        if not isinstance(value, Tensor):
            raise ValueError(
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(value)}. Did you mean to set "
                "out_dims= to None for output?"
            )
    if not size:
        return movedim(first.new_empty((0, *first.shape)), 0, dim)
    if any(value.shape != first.shape for value in column):
        raise RuntimeError(
            "vmap: We do not support batching operators that can output dynamic shape: samples gave results of shapes "
            f"{sorted({tuple(value.shape) for value in column})}"
        )
    return stack(column, dim)
