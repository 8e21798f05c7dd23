"""Operators: plain functions on arrays, beside the gradient formula of each differentiable argument.

    @op(input=lambda g, out: g * out)
    def exp(input):
        return namespace(input).exp(input)

    @op(input=lambda g, other: g * other, other=lambda g, input: g * input)
    def mul(input, other):
        return input * other

The decorated function takes Tensors. A formula's parameter names say what is saved for it: an argument by its name,
the result as `out`, an argument's shape as `<name>_shape`; nothing else is. Formulas never mention broadcasting: the
engine sums a gradient back to its argument's shape. They are written in operators and in other ops, which take arrays
while the engine goes backward and Tensors under `create_graph`, so every derivative can be differentiated again.

Called with arrays by a formula, an operator is its plain function; called so by anyone else it raises PyTorch's
TypeError. `exp.plain` is the undecorated function, for use inside other plain functions.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from .. import dtypes
from ..backend import is_view_of
from . import variable
from .errors import reraise
from .grad_mode import mode
from .half import MODES, common_half, narrow, wide
from .node import FREED, Node, Output, SavedOutput, edge_of, next_sequence, unpack, versions_of
from .variable import MAYBE, Variable, as_array, counter_of, wrap
from .views import ViewInfo

_F32, _F64, _BOOL = np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.bool_)
_ndarray = np.ndarray
_new = Variable.__new__

_MISSING: Any = object()

#: Other names under which PyTorch takes an argument, as NumPy calls it.
_ALIASES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "x1": "input", "x2": "other", "a": "input"}
_Function = TypeVar("_Function", bound=Callable)


def numpy_names(function: _Function) -> _Function:
    """Lets a plain function take its arguments by NumPy's names too, as operators do by themselves."""
    code = function.__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    names = {alias: name for alias, name in _ALIASES.items() if name in own and alias not in own}

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            kwargs = {names.get(key, key): value for key, value in kwargs.items()}
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]


#: Arguments that take part in type promotion when an operator promotes.
_PROMOTED = ("input", "other", "tensor1", "tensor2", "end", "min", "max", "weight")


class Op:
    """All that the engine knows about one operator."""

    def __init__(
        self,
        plain: Callable,
        formulas: dict[str, Callable],
        joint: Callable | None,
        wrt: tuple[str, ...],
        *,
        name: str | None,
        promote: str | None,
        promoted: tuple[str, ...],
        view: bool,
        sequences: tuple[str, ...],
        varargs: str | None,
        check: Callable | None,
        uniform: bool,
        half: str | None,
    ) -> None:
        self.plain = plain
        self.check = check
        self.uniform = uniform
        self.public_name = _public_name(plain.__name__)
        self.promote = promote
        self.view = view
        self.varargs = varargs
        # Read from the code object: inspect.signature would take most of the package's import time.
        code = plain.__code__
        self.positional = code.co_argcount
        self.count = code.co_argcount + code.co_kwonlyargcount
        self.names = code.co_varnames[: self.count]
        self.positions = {name: i for i, name in enumerate(self.names)}
        given = plain.__defaults__ or ()
        keyword = plain.__kwdefaults__ or {}
        self.required = self.positional - len(given)
        self.defaults = (_MISSING,) * self.required + given + tuple(keyword[n] for n in self.names[self.positional :])
        self.compute = _positional(plain, self.names[self.positional :])
        self.sequences = frozenset(self.positions[s] for s in sequences)
        self.promoted = tuple(self.positions[p] for p in promoted if p in self.positions) if promote else ()
        self.varargs_at = self.positions[varargs] if varargs else -1
        # --- gradients
        self.joint = joint
        self.diff_names = wrt if joint else tuple(formulas)
        self.diff = tuple(self.positions[d] for d in self.diff_names)
        self.formulas = tuple(formulas.values())
        #: The one differentiable argument is a sequence of tensors: its formula gives a list of gradients.
        self.spread = not joint and len(self.diff) == 1 and self.diff[0] in self.sequences
        wanted = [_wanted(f, skip=2) for f in (joint,)] if joint else [_wanted(f, skip=1) for f in self.formulas]
        self.saved_names = tuple(dict.fromkeys(n for names in wanted for n in names))
        self.picks = tuple(tuple(self.saved_names.index(n) for n in names) for names in wanted)
        #: One formula, which takes all that is saved in the order in which it is saved.
        self.straight = not joint and len(self.formulas) == 1 and not self.spread
        self.savers = tuple(self._saver(n) for n in self.saved_names)
        # for each saved value: which differentiable arguments' formulas want it
        self.users = tuple(
            frozenset(range(len(self.diff)))
            if joint
            else frozenset(i for i, pick in enumerate(self.picks) if k in pick)
            for k in range(len(self.saved_names))
        )
        # --- 16-bit floats
        half = half or ("wide" if self.diff and not view else "keep")
        if half not in MODES:
            raise ValueError(f"{self.public_name}: half is one of {MODES}, not {half!r}")
        self.mixed, self.widens, self.widens_gradient = half == "mixed", half in ("wide", "mixed"), half != "keep"
        self.dtype_at = self.positions.get("dtype", -1)
        camel = "".join(part.capitalize() for part in self.public_name.split("_"))
        self.node_type: type[Node] = type(name or f"{camel}Backward0", (OpNode,), {"__slots__": (), "op": self})

    def _saver(self, name: str) -> Any:
        """Where a saved value comes from: an argument's position, ("shape", position), or "out"."""
        if name == "out":
            if "out" in self.positions:
                raise TypeError(f"{self.public_name}: a formula's 'out' is the result, so no argument may be called so")
            return "out"
        if name in self.positions:
            return self.positions[name]
        stem = name.removesuffix("_shape")
        if stem in self.positions:
            return "shape", self.positions[stem]
        raise TypeError(f"{self.public_name}: a gradient formula asks for '{name}', which is no argument")

    # --- calling

    def bind(self, args: tuple, kwargs: dict) -> list:
        """All arguments in order, defaults filled in; PyTorch's TypeError for what does not fit."""
        bound = list(args)
        at = self.varargs_at
        if at >= 0 and len(bound) > at and not isinstance(bound[at], (tuple, list)):
            bound[at:] = [tuple(bound[at:])]
        if not kwargs and len(bound) == self.count == self.positional:
            return bound
        if len(bound) > self.positional:
            expected = self.positional
            raise TypeError(
                f"{self.public_name}() takes {expected} positional argument{'s' if expected != 1 else ''} "
                f"but {len(bound)} were given"
            )
        given = len(bound)
        bound.extend(self.defaults[given:])
        for key, value in kwargs.items():
            position = self.positions.get(key)
            if position is None:
                position = self.positions.get(_ALIASES.get(key, ""))
                if position is None:
                    raise TypeError(f"{self.public_name}() got an unexpected keyword argument '{key}'")
            if position < given:
                raise TypeError(f"{self.public_name}() got multiple values for argument '{key}'")
            bound[position] = value
        for position in range(given, self.count):
            if bound[position] is _MISSING:
                raise TypeError(
                    f'{self.public_name}() missing 1 required positional arguments: "{self.names[position]}"'
                )
        return bound

    def arrays_of(self, args: list) -> tuple[list, bool, bool]:
        """The arguments as arrays; whether there was a Tensor; whether one may need a gradient."""
        arrays = list(args)
        found = tracked = False
        for i, value in enumerate(args):
            if isinstance(value, Variable):
                arrays[i] = value._array
                found = True
                if value._requires_grad:
                    tracked = True
            elif i in self.sequences and isinstance(value, (tuple, list)):
                items = []
                for item in value:
                    if isinstance(item, Variable):
                        items.append(item._array)
                        found = True
                        if item._requires_grad:
                            tracked = True
                    else:
                        items.append(item)
                arrays[i] = type(value)(items) if type(value) in (tuple, list) else tuple(items)
        return arrays, found, tracked

    def call(self, args: list) -> Any:
        """Runs the operator on bound arguments and records it."""
        arrays, found, tracked = self.arrays_of(args)
        if not found:
            return self._without_tensors(args)
        if self.check is not None:
            self.check(*arrays)
        if self.promoted:
            common = self.promotion(args, arrays)
        try:
            result = self.run_plain(arrays)
        except Exception as error:
            reraise(self, args, error)
        if self.promoted and result.dtype != common and result.dtype != _BOOL:
            result = result.astype(common)  # NumPy's own rules gave another type
        return self.finish(args, arrays, result, tracked)

    def run_plain(self, arrays: list) -> Any:
        """The plain function on bound arrays; 16-bit floats are computed with in float32 and rounded once."""
        if not self.widens or (self.dtype_at >= 0 and arrays[self.dtype_at] is not None):
            return self.compute(*arrays)
        kind = common_half(arrays, self.mixed)
        if kind is None:
            return self.compute(*arrays)
        return narrow(self.compute(*wide(arrays)), kind)

    def finish(self, args: list, arrays: list, result: Any, tracked: bool) -> Any:
        """Wraps the plain function's result in Tensors, records the operation, and marks views."""
        if isinstance(result, (tuple, list)):
            outputs: Any = [wrap(as_array(r)) if r is not None else None for r in result]
            if self.view:
                for index, output in enumerate(outputs):
                    self._mark_view(args, arrays, output, index)
            if tracked and mode.enabled and self.diff:
                self._record_several(args, outputs)
            fields = getattr(result, "_fields", None)
            return type(result)(*outputs) if fields else tuple(outputs)
        output = wrap(as_array(result))
        if self.view:
            self._mark_view(args, arrays, output, None)
        if tracked and mode.enabled and self.diff and output._array.dtype.kind not in "biu":
            self._record(args, output)
        return output

    def _without_tensors(self, args: list) -> Any:
        if mode.arrays:
            return self.compute(*args)
        position = self.diff[0] if self.diff else 0
        value = args[position] if args else None
        raise TypeError(
            f"{self.public_name}(): argument '{self.names[position]}' (position {position + 1}) must be Tensor, "
            f"not {type(value).__name__}"
        )

    def promotion(self, args: list, arrays: list) -> np.dtype:
        """Brings the promoted operands in `arrays` to torch's common type, which it returns."""
        return promote_operands(self.promoted, args, arrays, floating=self.promote == "float", name=self.public_name)

    # --- recording

    def _edges(self, args: list) -> tuple | None:
        """One edge per differentiable argument (a tuple of edges for a sequence); None when none is needed."""
        edges, any_edge = [], False
        for position in self.diff:
            value = args[position]
            if isinstance(value, Variable):
                edge = edge_of(value) if value._requires_grad else None
                any_edge = any_edge or edge is not None
            elif position in self.sequences and isinstance(value, (tuple, list)):
                edge = tuple(edge_of(v) if isinstance(v, Variable) and v._requires_grad else None for v in value)
                any_edge = any_edge or any(e is not None for e in edge)
            else:
                edge = None
            edges.append(edge)
        return tuple(edges) if any_edge else None

    def node_for(self, args: list, edges: tuple, saved_out: Any) -> Node:
        """A node over `edges`, with what the formulas of its needed arguments want."""
        node = _new_node(self.node_type)
        needed = {i for i, edge in enumerate(edges) if edge is not None}
        saved: list = []
        for saver, users in zip(self.savers, self.users, strict=True):
            if users.isdisjoint(needed):
                saved.append(None)
            elif saver == "out":
                saved.append(saved_out)
            elif type(saver) is tuple:
                value = args[saver[1]]
                saved.append(
                    tuple(v._array.shape for v in value) if isinstance(value, (tuple, list)) else value._array.shape
                )
            else:
                saved.append(args[saver])
        node.saved = tuple(saved)
        node.versions = versions_of(node.saved)
        node.hooks = None
        if not self.sequences.isdisjoint(self.diff):
            node.edges = tuple(e for edge in edges for e in (edge if type(edge) is tuple else (edge,)))
        else:
            node.edges = edges
        return node

    def _record(self, args: list, output: Any) -> None:
        edges = self._edges(args)
        if edges is None:
            return
        array = output._array
        saved_out = None
        if "out" in self.saved_names:
            saved_out = SavedOutput(array, counter_of(output))
        node = self.node_for(args, edges, saved_out)
        node.shape, node.dtype = array.shape, array.dtype
        node.sequence = next_sequence()
        output._node = node
        output._requires_grad = True if output._view is None else MAYBE

    def _record_several(self, args: list, outputs: list) -> None:
        edges = self._edges(args)
        if edges is None:
            return
        saved_out = None
        if "out" in self.saved_names:
            saved_out = tuple(
                o if o is None or o._array.dtype.kind in "biu" else SavedOutput(o._array, counter_of(o), i)
                for i, o in enumerate(outputs)
            )
        node = self.node_for(args, edges, saved_out)
        node.shape = tuple(None if o is None else o._array.shape for o in outputs)
        node.dtype = tuple(None if o is None else o._array.dtype for o in outputs)
        node.sequence = next_sequence()
        for index, output in enumerate(outputs):
            if output is not None and output._array.dtype.kind not in "biu":
                output._node = Output(node, index)
                output._requires_grad = True if output._view is None else MAYBE

    def _mark_view(self, args: list, arrays: list, output: Any, index: int | None) -> None:
        source = args[0]
        if isinstance(source, Variable) and is_view_of(output._array, arrays[0]):
            ViewInfo.mark(output, source, self, tuple(args[1:]), index)


class OpNode(Node):
    """A node of an operator: runs the formulas beside it."""

    __slots__ = ()
    op: Op

    def run(self, grad: Any, needed: tuple[bool, ...], as_tensors: bool) -> Any:
        op = self.op
        values = unpack(self, as_tensors) if self.saved else ()
        if op.widens_gradient and self.dtype is not _F32 and self.dtype is not _F64:
            grad, values = wide(grad), wide(values)
        if op.straight:
            return (op.formulas[0](grad, *values),)
        if op.joint is not None:
            return op.joint(needed, grad, *[values[k] for k in op.picks[0]])
        if op.spread:
            return op.formulas[0](grad, *[values[k] for k in op.picks[0]])
        return [
            formula(grad, *[values[k] for k in pick]) if need else None
            for formula, pick, need in zip(op.formulas, op.picks, needed, strict=True)
        ]


_new_node: Any = Node.__new__  # replaced while hooks on saved tensors are in place: see saved_hooks.py


def _public_name(name: str) -> str:
    """What messages call an operator: `_sum_all` is one form of `sum`."""
    if name.startswith("_"):
        for form in ("_all", "_dim", "_dims", "_number"):
            name = name.removesuffix(form)
    return name.strip("_")


def _positional(plain: Callable, keyword_only: tuple[str, ...]) -> Callable:
    """`plain` with its keyword-only arguments taken by position too."""
    if not keyword_only:
        return plain
    count = len(keyword_only)
    return lambda *args: plain(*args[:-count], **dict(zip(keyword_only, args[-count:], strict=True)))


def _wanted(formula: Callable, skip: int) -> tuple[str, ...]:
    return formula.__code__.co_varnames[skip : formula.__code__.co_argcount]


def promote_operands(positions: tuple[int, ...], args: list, arrays: list, *, floating: bool, name: str) -> np.dtype:
    """Casts the operands at `positions` in `arrays` to torch's result type of the originals in `args`.

    Numbers stay Python numbers (NumPy gives them the arrays' type), unless they do not fit it.
    """
    dimensioned: list[dtypes.dtype] = []
    zero_dim: list[dtypes.dtype] = []
    numbers: list[dtypes.dtype] = []
    for i in positions:
        value = args[i]
        if isinstance(value, Variable):
            (dimensioned if value._array.ndim else zero_dim).append(dtypes.from_numpy(value._array.dtype))
        elif value is not None:
            if not isinstance(value, (int, float, complex, np.generic, np.bool_)):
                raise TypeError(f"{name}(): argument must be Tensor or Number, not {type(value).__name__}")
            numbers.append(dtypes.of_scalar(value))
    common = dtypes.combine(dimensioned, zero_dim, numbers)
    if floating and common.category in ("int", "bool"):
        common = dtypes.get_default_dtype()
    target = common.numpy
    for i in positions:
        value = arrays[i]
        if isinstance(args[i], Variable):
            if value.dtype is not target:
                arrays[i] = value.astype(target)
        elif value is not None:
            arrays[i] = _number(value, common)
    return target


def _number(value: Any, common: dtypes.dtype) -> Any:
    """A Python number as the common type sees it: wrapped around when an integer type cannot hold it."""
    if isinstance(value, np.generic):
        value = value.item()
    if common.category == "int" and not isinstance(value, bool):
        info = np.iinfo(common.numpy)
        if not info.min <= value <= info.max:
            return np.asarray(value, dtype=np.int64).astype(common.numpy)[()]
    if common.category == "bool" and not isinstance(value, bool):
        return bool(value)
    return value


# --- wrappers -----------------------------------------------------------------------------------------------------


def _general(op: Op) -> Callable:
    """The wrapper that does everything: any arguments, `out=`, promotion."""

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if kwargs and "out" in kwargs:
            out = kwargs.pop("out")
            if out is not None:
                return into(op, op.bind(args, kwargs), out)
        return op.call(op.bind(args, kwargs))

    return wrapper


def _unary(op: Op, general: Callable) -> Callable:
    """The thin path of `f(tensor)`; everything else goes to the general wrapper."""
    plain, node_type, saves = op.plain, op.node_type, op.saved_names
    save_out, differentiable = saves == ("out",), bool(op.diff)
    floating = op.promote == "float" or op.check is not None or op.widens

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != 1 or not isinstance(args[0], Variable):
            return plain(*args) if mode.arrays and not kwargs else general(*args, **kwargs)
        input = args[0]
        a = input._array
        if floating and a.dtype is not _F32 and a.dtype is not _F64:
            return general(input)
        try:
            result = plain(a)
        except Exception as error:
            reraise(op, [input], error)
        if type(result) is not _ndarray:
            if isinstance(result, tuple):
                return op.finish([input], [a], result, bool(input._requires_grad))
            result = as_array(result)
        out: Any = _new(variable.Tensor)
        out._array = result
        out._requires_grad = False
        out._node = out._grad = out._counter = out._view = out._hooks = None
        if input._requires_grad and mode.enabled and differentiable:
            edge = edge_of(input)
            if edge is not None:
                node = _new_node(node_type)
                node.edges = (edge,)
                if save_out:
                    out._counter = counter = [0]
                    node.saved, node.versions = (SavedOutput(result, counter),), None
                elif saves:
                    node.saved = (input,)
                    node.versions = None if input._counter is None else versions_of(node.saved)
                else:
                    node.saved, node.versions = (), None
                node.hooks = None
                node.sequence = next_sequence()
                node.shape, node.dtype = result.shape, result.dtype
                out._node = node
                out._requires_grad = True
        return out

    return wrapper


def _binary(op: Op, general: Callable) -> Callable:
    """The thin path of `f(tensor, tensor)` of one floating type and `f(tensor, number)`."""
    plain, node_type, saves = op.plain, op.node_type, op.saved_names
    differentiable = bool(op.diff)
    extras, savers, count = op.defaults[2:], op.savers, len(op.savers)
    # What to save, by which of the two arguments needs its gradient (1: the first, 2: the second, 3: both).
    keeps = [tuple(bool(users & need) for users in op.users) for need in (set(), {0}, {1}, {0, 1})]
    simple = all(type(s) is int for s in op.savers) and op.diff in ((0, 1), (0,), ())
    two, numbers = op.diff == (0, 1), bool(op.promoted)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != 2 or not isinstance(args[0], Variable):
            return plain(*args) if mode.arrays and not kwargs else general(*args, **kwargs)
        input, other = args
        a = input._array
        type_ = a.dtype
        if type_ is not _F32 and type_ is not _F64:
            return general(input, other)
        if isinstance(other, Variable):
            b = other._array
            if b.dtype is not type_:
                return general(input, other)
            tracked = input._requires_grad or other._requires_grad
        elif numbers and (type(other) is float or type(other) is int):
            b = other
            tracked = input._requires_grad
        else:
            return general(input, other)
        try:
            result = plain(a, b)
        except Exception as error:
            reraise(op, [input, other], error)
        if type(result) is not _ndarray:
            result = as_array(result)
        out: Any = _new(variable.Tensor)
        out._array = result
        out._requires_grad = False
        out._node = out._grad = out._counter = out._view = out._hooks = None
        if tracked and mode.enabled and differentiable:
            first = edge_of(input) if input._requires_grad else None
            second = edge_of(other) if b is not other and two and other._requires_grad else None
            if first is None and second is None:
                return out
            if not simple:
                op._record([input, other], out)
                return out
            node = _new_node(node_type)
            node.edges = (first, second) if two else (first,)
            if saves:
                keep = keeps[(first is not None) + 2 * (second is not None)]
                values = (input, other, *extras) if extras else (input, other)
                saved: tuple
                if count == 2:
                    saved = (values[savers[0]] if keep[0] else None, values[savers[1]] if keep[1] else None)
                else:
                    saved = tuple([values[s] if k else None for s, k in zip(savers, keep)])  # noqa: B905
                node.saved = saved
                if input._counter is None and (b is other or other._counter is None):
                    node.versions = None
                else:
                    node.versions = versions_of(saved)
            else:
                node.saved, node.versions = (), None
            node.hooks = None
            node.sequence = next_sequence()
            node.shape, node.dtype = result.shape, result.dtype
            out._node = node
            out._requires_grad = True
        return out

    return wrapper


def _array_of(value: Any) -> Any:
    """A setting with its tensors, or a tuple of them, as arrays."""
    if isinstance(value, Variable):
        return value._array
    if type(value) is tuple or type(value) is list:
        return type(value)([v._array if isinstance(v, Variable) else v for v in value])
    return value


def binary_method(function: Callable) -> Callable:
    """The special method of a binary operator: `function`, but NotImplemented for an operand that it does not know.

    Python then asks the other operand, and raises its TypeError when that does not know either.
    """
    op: Op = function.op  # type: ignore[attr-defined]
    general = _general(op)

    def method(input: Any, other: Any) -> Any:
        if isinstance(other, (Variable, int, float, complex, np.generic)):
            return general(input, other)
        return NotImplemented

    return functools.update_wrapper(_binary(op, method), function)


def _pairs(op: Op) -> bool:
    """Whether the operator works on two tensors: elementwise with promotion, or a product of two."""
    if op.promoted:
        return op.required == 2 and op.promoted[:2] == (0, 1)
    return op.count == 2 and op.diff == (0, 1)


def _first(op: Op, general: Callable) -> Callable:
    """The thin path of operators of one differentiable tensor and some settings: reductions, views, gathers, ..."""
    sequences = op.sequences
    # Where each saved value comes from, as a number: an argument's place, -1 for the result, -2 - place for a shape.
    places = [-1 if s == "out" else s if type(s) is int else -2 - s[1] for s in op.savers]
    saves_tensor = 0 in places or -1 in places
    plain, node_type, defaults, at = op.plain, op.node_type, op.defaults, op.varargs_at
    differentiable, view = bool(op.diff), op.view
    floating = op.promote == "float" or op.check is not None or op.widens

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if kwargs or not args or not isinstance(args[0], Variable):
            return plain(*args) if mode.arrays and not kwargs else general(*args, **kwargs)
        input = args[0]
        a = input._array
        type_ = a.dtype
        if floating and type_ is not _F32 and type_ is not _F64:
            return general(*args)
        if at > 0 and len(args) > at and not isinstance(args[at], (tuple, list)):
            args = (*args[:at], args[at:])
        rest = settings = args[1:]
        for value in rest:
            if sequences or isinstance(value, Variable):
                settings = tuple([_array_of(v) for v in rest])
                break
        try:
            result = plain(a, *settings)
        except Exception as error:
            reraise(op, list(args), error)
        if type(result) is not _ndarray:
            if isinstance(result, tuple):
                bound = op.bind(args, kwargs)
                return op.finish(bound, [a], result, bool(input._requires_grad))
            result = as_array(result)
        out: Any = _new(variable.Tensor)
        out._array = result
        out._requires_grad = False
        out._node = out._grad = out._counter = out._view = out._hooks = None
        if view:
            base = result.base
            if (base is not None and (base is a or base is a.base or is_view_of(result, a))) or result is a:
                ViewInfo.mark(out, input, op, rest, None)
        if input._requires_grad and mode.enabled and differentiable:
            if result.dtype is not type_ and result.dtype.kind in "biu":
                return out
            edge = edge_of(input)
            if edge is None:
                return out
            node = _new_node(node_type)
            node.edges = (edge,)
            node.versions = None
            saved: list = []
            for place in places:
                if place > 0:
                    saved.append(args[place] if place < len(args) else defaults[place])
                elif place == 0:
                    saved.append(input)
                elif place == -1:
                    saved.append(SavedOutput(result, counter_of(out)))
                else:
                    saved.append(a.shape)
            node.saved = tuple(saved)
            if settings is not rest or saves_tensor:
                node.versions = versions_of(node.saved)
            node.hooks = None
            node.sequence = next_sequence()
            node.shape, node.dtype = result.shape, result.dtype
            out._node = node
            out._requires_grad = True if out._view is None else MAYBE
        return out

    return wrapper


def _joined(op: Op, general: Callable) -> Callable:
    """The thin path of operators of a list of tensors and some settings: `cat`, `stack`."""
    plain, node_type, savers, defaults = op.plain, op.node_type, op.savers, op.defaults

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if kwargs or not args or type(args[0]) not in (list, tuple):
            return general(*args, **kwargs)
        tensors, *rest = args
        tracked = False
        arrays = []
        for tensor in tensors:
            if not isinstance(tensor, Variable):
                return general(*args)
            arrays.append(tensor._array)
            if tensor._requires_grad:
                tracked = True
        try:
            result = plain(arrays, *rest)
        except Exception as error:
            reraise(op, list(args), error)
        out = wrap(result)
        if tracked and mode.enabled and result.dtype.kind not in "biu":
            edges = tuple([edge_of(t) if t._requires_grad else None for t in tensors])
            if edges.count(None) == len(edges):
                return out
            node = _new_node(node_type)
            node.edges = edges
            node.saved = tuple(
                [
                    tuple([a.shape for a in arrays]) if type(s) is tuple else (*args, *defaults[len(args) :])[s]
                    for s in savers
                ]
            )
            node.versions = node.hooks = None
            node.sequence = next_sequence()
            node.shape, node.dtype = result.shape, result.dtype
            out._node = node
            out._requires_grad = True
        return out

    return wrapper


def op(
    *,
    joint: Callable | None = None,
    wrt: tuple[str, ...] = (),
    name: str | None = None,
    promote: str | None = None,
    promoted: tuple[str, ...] = _PROMOTED,
    view: bool = False,
    sequences: tuple[str, ...] = (),
    varargs: str | None = None,
    check: Callable | None = None,
    uniform: bool = False,
    half: str | None = None,
    **formulas: Callable,
) -> Callable[[Callable], Callable]:
    """Makes a plain function on arrays an operator on Tensors.

    Args:
        formulas: for each differentiable argument its gradient, from `g`, the gradient of the result (a tuple of them
            when the plain function returns a tuple).
        joint: one function `(needed, g, *saved)` for all gradients, where they share work; `wrt` names the arguments
            in the order of its results. `needed` tells which results are wanted.
        name: the node's printed name, when it is not `<Function>Backward0`.
        promote: "same" brings the operands to torch's common type, "float" to a floating one; None leaves them.
        promoted: the arguments that promotion looks at.
        view: the result may share the first argument's memory; whether it does is seen from the result.
        sequences: arguments that are lists of tensors.
        varargs: the argument that also takes its items one by one, as in `permute(1, 0)`.
        check: called with the arguments (arrays for tensors) before they are promoted, to refuse types. Costs float32
            and float64 nothing: the thin paths take them without asking.
        uniform: all elements of the result are equal, so that its in-place form may write to an expanded tensor.
        half: what is computed in float32 for 16-bit floats; engine/half.py says which words there are.
    """

    def decorate(plain: Callable) -> Callable:
        descriptor = Op(
            plain,
            formulas,
            joint,
            wrt,
            name=name,
            promote=promote,
            promoted=promoted,
            view=view,
            sequences=sequences,
            varargs=varargs,
            check=check,
            uniform=uniform,
            half=half,
        )
        general = _general(descriptor)
        wrapper = general
        if descriptor.spread and not {0, "out"} & set(descriptor.savers):
            wrapper = _joined(descriptor, general)
        elif joint is None and not descriptor.spread and 0 not in descriptor.sequences:
            if (
                not view
                and descriptor.count == 1
                and set(descriptor.savers) <= {0, "out"}
                and len(descriptor.savers) <= 1
            ):
                wrapper = _unary(descriptor, general)
            elif not view and _pairs(descriptor):
                wrapper = _binary(descriptor, general)
            elif descriptor.diff in ((), (0,)) and len(descriptor.promoted) <= 1 and promote != "same":
                wrapper = _first(descriptor, general)
        functools.update_wrapper(wrapper, plain)
        wrapper.op = descriptor  # type: ignore[attr-defined]
        wrapper.plain = plain  # type: ignore[attr-defined]
        return wrapper

    return decorate


def into(op: Op, args: list, out: Any) -> Any:
    """`f(..., out=tensor)`: the result goes into the given tensor(s), which take its shape."""
    targets = out if isinstance(out, (tuple, list)) else (out,)
    members = [v for a in args for v in (a if isinstance(a, (tuple, list)) else (a,))]
    if mode.enabled and any(
        isinstance(v, Variable) and v._requires_grad and edge_of(v) is not None for v in (*members, *targets)
    ):
        raise RuntimeError(
            f"{op.public_name}(): functions with out=... arguments don't support automatic differentiation, but one "
            "of the arguments requires grad."
        )
    result = op.call(args)
    results = result if isinstance(result, tuple) else (result,)
    if len(results) != len(targets):
        raise TypeError(f"{op.public_name}(): argument 'out' must have {len(results)} tensors, got {len(targets)}")
    for target, value in zip(targets, results, strict=True):
        write_out(op.public_name, target, value)
    return out


def write_out(name: str, target: Any, value: Any) -> None:
    """Writes a result into the tensor given as `out`, which takes its shape."""
    if not isinstance(target, Variable):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(target).__name__}")
    source, place = value._array, target._array
    check_castable(source, place)
    if place.shape != source.shape:
        if place.size:
            warnings.warn(
                f"An output with one or more elements was resized since it had shape {list(place.shape)}, which does "
                f"not match the required output shape {list(source.shape)}. This behavior is deprecated.",
                UserWarning,
                stacklevel=4,
            )
        target._array = source.astype(place.dtype)
    else:
        place[...] = source
    counter_of(target)[0] += 1


def check_castable(source: Any, place: Any) -> None:
    """PyTorch's error where the values of one array may not be written into another for its type."""
    from_, to = dtypes.from_numpy(source.dtype), dtypes.from_numpy(place.dtype)
    if not dtypes.can_cast(from_, to):
        names = dtypes.scalar_type_name(from_), dtypes.scalar_type_name(to)
        raise RuntimeError("result type {} can't be cast to the desired output type {}".format(*names))


__all__ = ["FREED", "Op", "OpNode", "into", "numpy_names", "op", "promote_operands"]
