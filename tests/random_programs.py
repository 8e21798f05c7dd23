"""Random small programs, as source code that runs with `lib` being torch or framework.

A program is made step by step with PyTorch running along, which tells the shapes and refuses what it cannot compute; a
step that gives huge or undefined numbers is thrown away. So every program means something, and its text alone
reproduces what it does.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

Choice = Callable[["Writer"], str]


class Writer:
    """Writes one program: `lines` is its source, `values` what torch computed so far."""

    def __init__(self, seed: int, torch: Any) -> None:
        self.random = random.Random(seed)
        self.torch = torch
        self.values: dict[str, Any] = {}
        self.lines: list[str] = []

    # --- what the steps are made of

    def pick(self, *options: Any) -> Any:
        return self.random.choice(options)

    def number(self) -> float:
        return round(self.random.uniform(-2, 2), 2)

    def some(self, condition: Callable[[Any], bool]) -> str:
        """A variable for which `condition` holds, more often a late one; LookupError if there is none."""
        names = [n for n, v in self.values.items() if condition(v)]
        if not names:
            raise LookupError
        return self.random.choice(names[-6:] if self.random.random() < 0.7 else names)

    def real(self, least: int = 0) -> str:
        """A real floating variable of at least so many dimensions."""
        return self.some(lambda v: v.is_floating_point() and v.ndim >= least)

    def same(self, name: str) -> str:
        """A real variable of the shape of another."""
        shape = self.values[name].shape
        return self.some(lambda v: v.is_floating_point() and v.shape == shape)

    def fitting(self, name: str) -> str:
        """A real variable that broadcasts with another, or a number."""
        if self.random.random() < 0.15:
            return str(self.number())
        mine = tuple(self.values[name].shape)
        return self.some(lambda v: v.is_floating_point() and _broadcasts(mine, tuple(v.shape)))

    def untied(self, name: str) -> None:
        """LookupError if two elements are equal: which of them is chosen is not defined."""
        flat = self.values[name].detach().flatten().sort().values
        if bool((flat.diff() < 1e-9).any()):
            raise LookupError

    def dim(self, name: str) -> int:
        ndim = self.values[name].ndim
        if not ndim:
            raise LookupError
        return self.random.randrange(-ndim, ndim)

    def dims(self, name: str) -> str:
        """One dimension, several, or all (nothing)."""
        ndim = self.values[name].ndim
        chosen = self.random.random()
        if chosen < 0.25:
            return ""
        if chosen < 0.7 or ndim < 2:
            return f"dim={self.dim(name)}"
        return f"dim={tuple(self.random.sample(range(ndim), 2))}"

    def keep(self) -> str:
        return self.pick("", ", keepdim=True")

    def length(self, name: str, dim: int) -> int:
        return int(self.values[name].shape[dim])

    # --- writing

    def source(self) -> list[str]:
        """The leaves of the program."""
        for index in range(self.random.randint(2, 4)):
            shape = tuple(self.random.choice((1, 2, 3, 4)) for _ in range(self.random.choice((0, 1, 2, 2, 2, 3))))
            count = 1
            for n in shape:
                count *= n
            numbers = [round(self.random.uniform(-2, 2), 3) for _ in range(count)]
            grad = self.random.random() < 0.85 or index == 0
            text = f"lib.tensor({numbers}, dtype=lib.float64).reshape({shape})"
            self._run(f"x{index} = {text}" + (".requires_grad_()" if grad else ""))
        return self.lines

    def step(self, choices: list[Choice]) -> bool:
        """Adds one operation; False when the one drawn did not suit."""
        name = f"v{len(self.lines)}"
        try:
            text = self.random.choice(choices)(self)
        except LookupError:
            return False
        return self._run(text.format(v=name) if "{v}" in text else f"{name} = {text}")

    def _run(self, line: str) -> bool:
        scope = dict(self.values, lib=self.torch)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(line, scope)
        except (RuntimeError, IndexError, TypeError, ValueError, NotImplementedError):
            return False
        new = {k: v for k, v in scope.items() if k[0] in "xv" and k[1:].isdigit()}
        if not all(self._sane(v) for k, v in new.items()):
            return False
        self.values = new
        self.lines.append(line)
        return True

    def _sane(self, value: Any) -> bool:
        if not isinstance(value, self.torch.Tensor) or not 0 < value.numel() <= 200 or value.ndim > 4:
            return False
        kept = value.detach().abs() if value.is_floating_point() or value.is_complex() else None
        return kept is None or bool((kept < 100).all())


def _broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(reversed(a), reversed(b), strict=False))


# --- the operations -----------------------------------------------------------------------------------------------

_UNARY = [
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "exp",
    "expm1",
    "erf",
    "erfc",
    "atan",
    "asinh",
    "sinc",
    "square",
    "neg",
    "abs",
    "sgn",
    "positive",
    "relu",
    "exp2",
    "cosh",
    "sinh",
    "deg2rad",
    "rad2deg",
    "frac",
    "floor",
    "ceil",
    "trunc",
    "round",
    "sign",
    "clone",
    "log_softmax_last",
    "softmax_first",
]
_POSITIVE = ["log", "log2", "log10", "log1p", "sqrt", "rsqrt", "reciprocal", "acosh"]
_BOUNDED = ["asin", "acos", "atanh", "erfinv", "logit"]
_ACTIVATION = [
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "celu",
    "gelu",
    "silu",
    "mish",
    "hardtanh",
    "hardswish",
    "hardsigmoid",
    "softplus",
    "softsign",
    "logsigmoid",
    "tanhshrink",
    "softshrink",
    "hardshrink",
]
_BINARY = ["+", "-", "*", "/", "@", "<", ">=", "==", "!="]
_BINARY_FUNCTIONS = [
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "atan2",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "xlogy_abs",
    "copysign",
    "remainder",
    "fmod",
    "mul",
    "sub",
    "rsub",
]
_REDUCTIONS = [
    "sum",
    "mean",
    "amax",
    "amin",
    "logsumexp",
    "std",
    "var",
    "nansum",
    "prod_one",
    "norm",
    "all",
    "any",
    "count_nonzero",
]


def _unary(w: Writer) -> str:
    name, x = w.pick(*_UNARY), w.real()
    if name in ("frac", "floor", "ceil", "trunc", "round", "sign", "sgn"):  # away from where rounding decides
        return f"lib.{name}({x} * 0.97 + 0.0137)"
    if name == "log_softmax_last":
        return f"{x}.log_softmax({w.dim(x)})"
    if name == "softmax_first":
        return f"lib.softmax({x}, dim={w.dim(x)})"
    return w.pick(f"lib.{name}({x})", f"{x}.{name}()")


def _positive(w: Writer) -> str:
    x = w.real()
    name = w.pick(*_POSITIVE)
    return f"({x}.abs() + {1.1 if name == 'acosh' else 0.5}).{name}()"


def _bounded(w: Writer) -> str:
    name, x = w.pick(*_BOUNDED), w.real()
    inside = f"({x}.sin() * 0.9)" if name != "logit" else f"({x}.sigmoid() * 0.8 + 0.1)"
    return f"lib.{name}({inside})"


def _activation(w: Writer) -> str:
    name, x = w.pick(*_ACTIVATION), w.real()
    return f"lib.nn.functional.{name}({x})"


def _binary(w: Writer) -> str:
    x = w.real()
    y = w.fitting(x)
    sign = w.pick(*_BINARY)
    if sign == "/":
        return f"{x} / ({y} * {y} + 0.5)"
    return f"{x} {sign} {y}" if w.random.random() < 0.8 else f"{y} {sign} {x}"


def _binary_function(w: Writer) -> str:
    x = w.real()
    y = w.fitting(x)
    name = w.pick(*_BINARY_FUNCTIONS)
    if name == "xlogy_abs":
        return f"lib.xlogy({x}, {x}.abs() + 0.3)"
    if name in ("remainder", "fmod"):
        return f"lib.{name}({x}, {x}.cos().abs() + 0.7)"
    if name == "atan2":  # a zero's sign is rounding's
        return f"lib.atan2({x} + 0.0137, {y} * 0.97)"
    if name == "hypot":  # at (0, 0) there is no gradient
        return f"lib.hypot({x}, {y} * {y} + 0.1)" if y[0] in "xv" else f"lib.hypot({x}, {x}.exp())"
    if y[0] not in "xv":
        y = f"lib.tensor({y}, dtype=lib.float64)"
    return f"lib.{name}({x}, {y})"


def _power(w: Writer) -> str:
    x = w.real()
    return w.pick(
        f"{x} ** {w.pick(0, 1, 2, 3)}",
        f"({x}.abs() + 0.4) ** {w.number()}",
        f"lib.pow({x}.abs() + 0.4, {w.same(x)})",
        f"{abs(w.number()) + 0.1} ** {x}",
    )


def _reduction(w: Writer) -> str:
    name, x = w.pick(*_REDUCTIONS), w.real()
    dims = w.dims(x)
    if name == "prod_one":
        return f"{x}.prod(dim={w.dim(x)}{w.keep()})"
    if name == "count_nonzero":
        return f"lib.count_nonzero({x}, {dims})" if dims else f"lib.count_nonzero({x})"
    if name == "norm":
        p = w.pick(1, 2, 3, "float('inf')", 2.5)
        return f"lib.linalg.vector_norm({x}, {p}{', ' + dims if dims else ''})"
    if name == "logsumexp":
        return f"{x}.logsumexp({w.dim(x)}{w.keep()})"
    if not dims:
        return f"{x}.{name}()"
    extra = w.pick("", ", correction=0") if name in ("std", "var") else ""
    return w.pick(f"{x}.{name}({dims}{w.keep()}{extra})", f"lib.{name}({x}, {dims}{w.keep()}{extra})")


def _selection(w: Writer) -> str:
    x = w.real(1)
    w.untied(x)
    d = w.dim(x)
    return w.pick(
        f"{x}.max({d}{w.keep()})[{w.pick(0, 1)}]",
        f"{x}.min(dim={d}).values",
        f"{x}.median({d}).values",
        f"{x}.sort({d}, descending={w.pick(True, False)})[{w.pick(0, 1)}]",
        f"{x}.argsort({d}, stable=True)",
        f"{x}.topk(1, {d})[{w.pick(0, 1)}]",
        f"{x}.kthvalue(1, {d}).values",
        f"{x}.cummax({d}).values",
        f"{x}.cummin({d}).values",
        f"{x}.{w.pick('argmax', 'argmin')}({d}{w.keep()})",
        f"{x}.{w.pick('max', 'min', 'median')}()",
        f"{x}.quantile({w.pick(0.0, 0.3, 0.5, 1.0)}, dim={d})",
        f"lib.aminmax({x}, dim={d})[{w.pick(0, 1)}]",
    )


def _scan(w: Writer) -> str:
    x = w.real(1)
    return f"{x}.{w.pick('cumsum', 'cumprod', 'logcumsumexp', 'diff')}(dim={w.dim(x)})"


def _shape(w: Writer) -> str:
    x = w.real()
    v = w.values[x]
    d = w.dim(x) if v.ndim else 0
    order = tuple(w.random.sample(range(v.ndim), v.ndim))
    return w.pick(
        f"{x}.reshape(-1)",
        f"{x}.flatten()",
        f"{x}.unsqueeze({w.random.randint(-v.ndim - 1, v.ndim)})",
        f"{x}.squeeze()",
        f"{x}.squeeze({d})",
        f"{x}.permute({order})",
        f"{x}.transpose({d}, 0)",
        f"{x}.movedim({d}, 0)",
        f"{x}.expand(2, {', '.join(['-1'] * v.ndim)})",
        f"{x}.repeat(2, {', '.join(['1'] * max(v.ndim - 1, 0))})",
        f"lib.tile({x}, (2,))",
        f"{x}.flip({d})",
        f"{x}.roll({w.pick(1, -1, 2)}, {d})",
        f"{x}.unflatten({d}, (1, -1))",
        f"{x}.reshape({tuple(reversed(v.shape))})",
        f"{x}.broadcast_to((2, *{x}.shape))",
        f"lib.atleast_2d({x})",
        f"{x}.repeat_interleave(2, {d})",
        f"{x}.contiguous()",
        f"{x}.view(-1, 1)",
    )


def _matrix_shape(w: Writer) -> str:
    x = w.real(2)
    return w.pick(
        f"{x}.mT",
        f"{x}.{w.pick('tril', 'triu')}({w.pick(-1, 0, 1)})",
        f"{x}.diagonal({w.pick(0, 1)}, -2, -1)",
        f"{x}.rot90(1, (0, 1))",
        f"{x}.fliplr()",
        f"{x}[0].diag_embed()",
        f"{x}.flatten(0, 1)",
    )


def _join(w: Writer) -> str:
    x = w.real(1)
    y, d = w.same(x), w.dim(x)
    return w.pick(
        f"lib.cat([{x}, {y}], {d})",
        f"lib.stack([{x}, {y}, {x}], dim={d})",
        f"lib.hstack(({x}, {y}))",
        f"lib.vstack(({x}, {y}))",
        f"lib.cat(({x}.detach(), {y}), dim={d})",
    )


def _part(w: Writer) -> str:
    x = w.real(1)
    d = w.dim(x)
    n = w.length(x, d)
    at = w.random.randrange(n)
    return w.pick(
        f"{x}.narrow({d}, {at}, {w.random.randint(1, n - at)})",
        f"{x}.select({d}, {at})",
        f"{x}.chunk(2, {d})[0]",
        f"{x}.split({w.random.randint(1, n)}, dim={d})[-1]",
        f"{x}.unbind({d})[{at}]",
        f"{x}.unfold({d}, {w.random.randint(1, n)}, 1)",
        f"lib.tensor_split({x}, 2, dim={d})[0]",
    )


def _index(w: Writer) -> str:
    x = w.real(1)
    n = w.length(x, 0)
    rows = [w.random.randrange(-n, n) for _ in range(w.random.randint(1, 4))]
    return w.pick(
        f"{x}[{rows[0]}]",
        f"{x}[{rows}]",
        f"{x}[..., {w.random.randrange(w.length(x, -1))}]",
        f"{x}[lib.tensor({rows})]",
        f"{x}[None, ::2]",
        f"{x}[{x} > {w.number()}]",
        f"{x}[..., None]",
        f"{x}[1:]",
        f"{x}.masked_select({x} < 0.5)",
        f"{x}[{x}.argsort(0, stable=True)[:2]]",
    )


def _gather(w: Writer) -> str:
    x = w.real(1)
    d = w.dim(x)
    n = w.length(x, d)
    index = [w.random.randrange(n) for _ in range(w.random.randint(1, 4))]
    return w.pick(
        f"{x}.index_select({d}, lib.tensor({index}))",
        f"{x}.gather({d}, {x}.argsort({d}, stable=True))",
        f"lib.take_along_dim({x}, {x}.argmax({d}, keepdim=True), {d})",
        f"{x}.take(lib.tensor({index}))",
        f"{x}.scatter({d}, {x}.argsort({d}, stable=True), {w.same(x)})",
        f"{x}.scatter_add({d}, lib.zeros_like({x}, dtype=lib.int64), {w.same(x)})",
        f"{x}.index_add({d}, lib.tensor({index}), {x}.index_select({d}, lib.tensor({index})))",
        f"{x}.index_fill({d}, lib.tensor({index}), {w.number()})",
        f"{x}.index_put((lib.tensor([0, 0]),), {x}[0], accumulate=True)",
        f"{x}.index_copy({d}, lib.tensor([0]), {w.same(x)}.narrow({d}, 0, 1))",
        f"{x}.scatter_reduce({d}, {x}.argsort({d}, stable=True), {w.same(x)}, {w.pick('sum', 'amax', 'mean')!r})",
    )


def _mask(w: Writer) -> str:
    x = w.real()
    return w.pick(
        f"lib.where({x} > {w.number()}, {x}, {w.fitting(x)})",
        f"{x}.masked_fill({x} < 0, {w.number()})",
        f"{x}.clamp({w.pick(-1, 'None')}, {w.pick(1, 0.5)})",
        f"{x}.clamp(min={w.number()})",
        f"lib.where({x} < 0, {w.number()}, {x}.exp())",
        f"lib.nan_to_num({x})",
        f"lib.heaviside({x}.detach(), {w.same(x)}.detach())",
    )


def _three(w: Writer) -> str:
    x = w.real()
    y, z = w.same(x), w.same(x)
    return w.pick(
        f"lib.addcmul({x}, {y}, {z}, value={w.number()})",
        f"lib.addcdiv({x}, {y}, {z}.square() + 0.5, value={w.number()})",
        f"lib.lerp({x}, {y}, {w.number()})",
        f"lib.lerp({x}, {y}, {z})",
        f"{x}.add({y}, alpha={w.number()})",
        f"lib.sub({x}, {y}, alpha=2)",
    )


def _products(w: Writer) -> str:
    x = w.real(1)
    inner = w.length(x, -1)
    y = w.some(lambda v: v.is_floating_point() and v.ndim >= 1 and v.shape[-2 if v.ndim > 1 else 0] == inner)
    return w.pick(f"{x} @ {y}", f"lib.matmul({x}, {y})", f"lib.tensordot({x}, {y}, 1)")


def _products_of_vectors(w: Writer) -> str:
    x = w.some(lambda v: v.is_floating_point() and v.ndim == 1)
    y = w.same(x)
    return w.pick(
        f"lib.dot({x}, {y})", f"lib.outer({x}, {y})", f"lib.inner({x}, {y})", f"{x}.diag()",
        f"lib.nn.functional.cosine_similarity({x}, {y} + 2.5, dim=0)", f"lib.einsum('i,j->ji', {x}, {y})",
        f"lib.kron({x}, {y})",
    )  # fmt: skip


def _products_of_matrices(w: Writer) -> str:
    x = w.some(lambda v: v.is_floating_point() and v.ndim == 2)
    y = w.same(x)
    return w.pick(
        f"lib.mm({x}, {y}.t())", f"{x}.t() @ {y}", f"lib.einsum('ij,kj->ik', {x}, {y})", f"{x}.mv({y}[0])",
        f"lib.addmm({x} @ {x}.mT, {x}, {y}.T, beta=0.5, alpha={w.number()})", f"lib.cdist({x}, {y} + 1.5)",
        f"lib.nn.functional.linear({x}, {y}, {y}[:, 0])", f"lib.trace({x})", f"lib.linalg.matrix_norm({x})",
        f"lib.bmm({x}[None], {y}.mT[None])", f"lib.addmv({x}[:, 0], {x}, {y}[0])",
    )  # fmt: skip


def _linear_algebra(w: Writer) -> str:
    x = w.some(lambda v: v.is_floating_point() and v.ndim >= 2)
    n = w.length(x, -2)
    definite = f"({x} @ {x}.mT + {n + 1} * lib.eye({n}, dtype=lib.float64))"
    return w.pick(
        f"lib.linalg.inv({definite})", f"lib.linalg.det({definite} / {n + 2})", f"lib.logdet({definite})",
        f"lib.linalg.cholesky({definite})", f"lib.linalg.solve({definite}, {x})", f"{definite}.slogdet()[1]",
        f"lib.linalg.eigvalsh({definite})", f"lib.linalg.matrix_power({definite} / 9, 2)", f"lib.linalg.svdvals({x})",
        f"lib.linalg.matrix_exp({definite} / 20)",
    )  # fmt: skip


def _neural(w: Writer) -> str:
    x = w.real(2)
    n = w.length(x, -1)
    y = w.same(x)
    return w.pick(
        f"lib.nn.functional.layer_norm({x}, ({n},))", f"lib.nn.functional.normalize({x}, dim=-1)",
        f"lib.nn.functional.mse_loss({x}, {y})", f"lib.nn.functional.smooth_l1_loss({x}, {y}, reduction='sum')",
        f"lib.nn.functional.pad({x}, (1, 0), value={w.number()})", f"lib.nn.functional.glu(lib.cat([{x}, {y}], -1))",
        f"lib.nn.functional.cross_entropy({x}.flatten(0, -2), {x}.flatten(0, -2).argmax(1))",
        f"lib.nn.functional.kl_div({x}.log_softmax(-1), {y}.softmax(-1), reduction='batchmean')",
        f"lib.nn.functional.binary_cross_entropy_with_logits({x}, {y}.sigmoid())",
        f"lib.nn.functional.rms_norm({x}, ({n},))", f"lib.nn.functional.scaled_dot_product_attention({x}, {y}, {x})",
        f"lib.nn.functional.avg_pool1d({x}.flatten(0, -2)[None], 1)", f"lib.nn.functional.huber_loss({x}, {y})",
        f"lib.nn.functional.conv1d({x}.flatten(0, -2)[None], {y}.flatten(0, -2)[None, :, :1])",
    )  # fmt: skip


def _written(w: Writer) -> str:
    """In-place operations on a copy, and through a view of it."""
    x = w.real(1)
    y = w.same(x)
    return "{v} = " + f"{x}.clone(); " + w.pick(
        f"{{v}}.mul_({y})", f"{{v}}.add_({y}, alpha=2)", "{v}.sin_()", f"{{v}}[0] = {w.number()}", f"{{v}}[0] = {y}[0]",
        "{v}[..., 0].exp_()", f"{{v}}.clamp_(min={w.number()})", f"{{v}}.copy_({y})", "{v}.t_()", "{v}.unsqueeze_(0)",
        f"{{v}}[{{v}} > 0] = {w.number()}", "{v}[1:].zero_()", f"{{v}}.masked_fill_({y} > 0, 0.5)",
        f"{{v}}.transpose(0, -1).mul_({w.number()})", f"{{v}} += {y}", f"{{v}}[::2] *= {w.number()}",
        f"{{v}}.addcmul_({y}, {y})", "{v}.cumsum_(0)", "{v}.neg_().abs_()",
    )  # fmt: skip


def _complex(w: Writer) -> str:
    x = w.real(1)
    return w.pick(
        f"lib.fft.fft({x}).abs()", f"lib.fft.rfft({x}).real", f"lib.complex({x}, {w.same(x)}).abs()",
        f"lib.view_as_real(lib.complex({x}, {w.same(x)}) ** 2)", f"lib.fft.ifft({x}).imag",
        f"(lib.complex({x}, {w.same(x)}).conj() * 1j).real", f"lib.fft.irfft(lib.fft.rfft({x}), n={w.length(x, -1)})",
    )  # fmt: skip


def _unrecorded(w: Writer) -> str:
    x = w.real()
    return w.pick(
        f"{x}.detach()", f"{x}.detach() * {w.same(x)}", f"{x}.double().to(lib.float32).double()", f"lib.ones_like({x})",
        f"{x}.data + {x}", f"lib.full_like({x}, {w.number()})", f"{x}.new_zeros(2)", f"({x} > 0).double() * {x}",
    )  # fmt: skip


CHOICES: list[Choice] = [
    _unary, _unary, _positive, _bounded, _activation, _binary, _binary, _binary_function, _power, _reduction,
    _selection, _scan, _shape, _shape, _matrix_shape, _join, _part, _index, _gather, _mask, _three, _products,
    _products_of_vectors, _products_of_matrices, _linear_algebra, _neural, _written, _complex, _unrecorded,
]  # fmt: skip


def write(seed: int, torch: Any) -> str:
    """The source of the program with this number: leaves `x0`, ... and 5 to 30 operations."""
    writer = Writer(seed, torch)
    writer.source()
    wanted = len(writer.lines) + writer.random.randint(5, 30)
    tries = 0
    while len(writer.lines) < wanted and tries < 400:
        tries += 1
        writer.step(CHOICES)
    return "\n".join(writer.lines) + "\n"
