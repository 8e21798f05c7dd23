"""`framework.func`: on torch too where it is installed, since what is expected is PyTorch's behaviour."""

from __future__ import annotations

import math
from collections import OrderedDict, namedtuple

import pytest

import framework as fw
from framework.func.tree import broadcast_prefix, flatten, unflatten

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit", "ignore:Attempted to insert a get_attr Node")


@pytest.fixture(params=["framework", "torch"])
def lib(request):
    if request.param == "framework":
        return fw
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


def points(lib, *shape, dtype="float64"):
    """Numbers without symmetry, the same for both libraries."""
    count = math.prod(shape)
    values = [math.sin(1.7 * i + 0.3) + 0.1 * i for i in range(count)]
    return lib.tensor(values, dtype=getattr(lib, dtype)).reshape(shape)


def close(a, b, tolerance=1e-9):
    a, b = a.detach(), b.detach()
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    assert (a - b).abs().max().item() <= tolerance if a.numel() else True


def mixed(lib, x):
    """A function of a vector to a vector, none of whose derivatives vanish."""
    return lib.stack([x.sin().prod(), (x**3).sum() * x[0].exp(), lib.tanh(x[1] * x[2])])


def numeric_jacobian(f, x, step=1e-6):
    columns = []
    for i in range(x.numel()):
        shift = fw.zeros(x.numel(), dtype=x.dtype)
        shift[i] = step
        shift = shift.reshape(x.shape)
        columns.append((f(x + shift) - f(x - shift)) / (2 * step))
    return fw.stack(columns, -1).reshape(*columns[0].shape, *x.shape)


# --- grad ---------------------------------------------------------------------------------------------------------


def test_grad_of_a_scalar_function(lib):
    x = points(lib, 3)
    g = lib.func.grad(lambda x: (x**3).sum())(x)
    close(g, 3 * x**2)
    assert not g.requires_grad
    assert g.grad_fn is None


def test_grads_nest_to_any_depth(lib):
    x = lib.tensor(0.7, dtype=lib.float64)
    f = lib.func.grad(lib.func.grad(lib.func.grad(lib.sin)))
    assert f(x).item() == pytest.approx(-math.cos(0.7))


def test_grad_of_a_closure_over_the_outer_variable_is_not_confused(lib):
    """The classic trap: d/dx (x * d/dy (x + y)) = 1."""
    grad = lib.func.grad
    one = grad(lambda x: x * grad(lambda y: x + y)(lib.tensor(1.0)))(lib.tensor(1.0))
    assert one.item() == 1
    mixed_twice = grad(lambda x: grad(lambda y: x * x * y * y)(x))(lib.tensor(3.0))
    assert mixed_twice.item() == 6 * 9


def test_argnums_choose_and_shape_the_result(lib):
    x, y = points(lib, 2), points(lib, 2) + 1

    def f(x, y):
        return (x * y * y).sum()

    close(lib.func.grad(f, argnums=1)(x, y), 2 * x * y)
    gx, gy = lib.func.grad(f, argnums=(0, 1))(x, y)
    close(gx, y * y)
    close(gy, 2 * x * y)
    (gy,) = lib.func.grad(f, argnums=(-1,))(x, y)
    close(gy, 2 * x * y)


def test_grad_of_containers_with_aux_and_value(lib):
    parameters = {"w": points(lib, 2), "b": [lib.tensor(1.0, dtype=lib.float64)]}

    def loss(p, x, scale=1.0):
        y = (p["w"] * x).sum() * scale + p["b"][0]
        return y**2, {"y": y}

    x = points(lib, 2)
    g, aux = lib.func.grad(loss, has_aux=True)(parameters, x, scale=2.0)
    assert list(g) == ["w", "b"]
    close(g["w"], 2 * aux["y"] * 2 * x)
    close(g["b"][0], 2 * aux["y"])
    assert not aux["y"].requires_grad
    _g2, (value, aux2) = lib.func.grad_and_value(loss, has_aux=True)(parameters, x)
    close(value, aux2["y"] ** 2)
    assert not value.requires_grad


def test_an_argument_without_influence_gets_zeros(lib):
    assert lib.func.grad(lambda x, y: y.sum())(lib.ones(2), lib.ones(2)).tolist() == [0, 0]


def test_grad_is_recorded_for_what_it_captures(lib):
    w = lib.tensor([1.0, 2.0], requires_grad=True)
    g, value = lib.func.grad_and_value(lambda x: (x * x * w).sum())(lib.tensor([3.0, 5.0]))
    assert value.requires_grad
    g.sum().backward()
    assert w.grad.tolist() == [6, 10]


def test_grad_is_recorded_for_inputs_that_require_grad(lib):
    x = lib.tensor([3.0, 5.0], requires_grad=True)
    g = lib.func.grad(lambda x: (x**3).sum())(x)
    g.sum().backward()
    assert x.grad.tolist() == [18, 30]


def test_no_grad_outside_stops_recording_outside_alone(lib):
    x = lib.tensor([3.0], requires_grad=True)
    with lib.no_grad():
        g = lib.func.grad(lambda x: (x**3).sum())(x)
    assert g.tolist() == [27]
    assert not g.requires_grad


def test_no_grad_inside_makes_constants(lib):
    def f(x):
        with lib.no_grad():
            c = x**2
        return (x**3 - c).sum()

    assert lib.func.grad(f)(lib.tensor([2.0])).tolist() == [12]


def test_inputs_are_not_written_to(lib):
    x = lib.ones(2)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        lib.func.grad(lambda x: x.mul_(2).sum())(x)
    y = x.clone()
    g = lib.func.grad(lambda x: (x.clone().mul_(3) ** 2).sum())(y)
    assert g.tolist() == [18, 18]
    assert y.tolist() == [1, 1]


def test_grad_of_complex_arguments_is_conjugate_wirtinger(lib):
    z = lib.tensor([1 + 2j, -3 + 1j], dtype=lib.complex128)
    g = lib.func.grad(lambda z: (z * z.conj()).real.sum())(z)
    close(g, 2 * z)
    assert g.dtype == lib.complex128


@pytest.mark.parametrize(
    ("f", "args", "options", "error", "message"),
    [
        (
            lambda x: x * 2,
            (1,),
            {},
            RuntimeError,
            "Expected f\\(\\*args\\) to return a scalar Tensor, got tensor with 1",
        ),
        (lambda x: (x.sum(), 1), (1,), {}, RuntimeError, "to return a Tensor, got <class 'tuple'>"),
        (lambda x: (x.sum(), 1), (1,), {"has_aux": True}, RuntimeError, "Expected tensors, got unsupported type"),
        (lambda x: x.sum(), (1,), {"has_aux": True}, RuntimeError, "should be a tuple: \\(output, aux\\)"),
        (lambda x: x.sum(), (1,), {"argnums": 2}, RuntimeError, "Got argnum=2, but only 1 positional inputs"),
        (lambda x: x.sum(), (1,), {"argnums": ()}, RuntimeError, "argnums must be non-empty"),
        (lambda x: x.sum(), (1,), {"argnums": (0, 0)}, RuntimeError, "argnums elements must be unique"),
        (lambda x: x.sum(), (1,), {"argnums": "a"}, RuntimeError, "argnums must be int or Tuple"),
        (lambda x: x.sum(), ("a",), {}, ValueError, "Thing passed to transform API must be Tensor"),
    ],
)
def test_refusals_of_grad(lib, f, args, options, error, message):
    args = tuple(lib.ones(3) if a == 1 else a for a in args)
    with pytest.raises(error, match=message):
        lib.func.grad(f, **options)(*args)


def test_integers_cannot_be_differentiated(lib):
    with pytest.raises(RuntimeError, match="only Tensors of floating point dtype can require gradients"):
        lib.func.grad(lambda x: x.sum())(lib.ones(3, dtype=lib.int64))


# --- vjp, jvp, linearize ------------------------------------------------------------------------------------------


def test_vjp_of_containers(lib):
    x, y = points(lib, 3), points(lib, 2, 3)

    def f(p):
        return {"a": p[0].sin(), "b": (p[0] * p[1],)}

    out, pull = lib.func.vjp(f, (x, y))
    close(out["a"], x.sin())
    ((gx, gy),) = pull({"a": x, "b": (y,)})
    close(gx, x * x.cos() + (y * y).sum(0))
    close(gy, y * x)
    assert not out["a"].requires_grad
    (again, _) = pull({"a": x, "b": (y,)})[0]
    close(again, gx)


def test_vjp_is_differentiable_in_the_cotangent(lib):
    x = points(lib, 3)
    _, pull = lib.func.vjp(lib.sin, x)
    g = lib.func.grad(lambda c: pull(c)[0].sum())(x)
    close(g, x.cos())


def test_vjp_with_aux(lib):
    _out, pull, aux = lib.func.vjp(lambda x: (x * 2, x * 5), points(lib, 2), has_aux=True)
    assert not aux.requires_grad
    assert pull(lib.ones(2, dtype=lib.float64))[0].tolist() == [2, 2]


def test_refusals_of_vjp(lib):
    with pytest.raises(RuntimeError, match="to return only tensors, got unsupported type"):
        lib.func.vjp(lambda x: 3, lib.ones(2))
    with pytest.raises(ValueError, match="must be Tensor"):
        lib.func.vjp(lambda x: x, 3)
    _, pull = lib.func.vjp(lambda x: x, lib.ones(2))
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        pull(lib.ones(3))
    with pytest.raises(RuntimeError, match="pytree structure of cotangents"):
        pull((lib.ones(2),))


def test_jvp(lib):
    x, t = points(lib, 3), points(lib, 3) + 2
    out, pushed = lib.func.jvp(lib.sin, (x,), (t,))
    close(out, x.sin())
    close(pushed, x.cos() * t)
    assert not pushed.requires_grad
    (_a, _b), (ta, tb) = lib.func.jvp(lambda x, y: (x * y, y * 3), (x, t), (t, x))
    close(ta, t * t + x * x)
    close(tb, x * 3)


def test_jvp_of_what_does_not_depend_is_zero(lib):
    out, pushed = lib.func.jvp(lambda x: lib.ones(2), (lib.ones(3),), (lib.ones(3),))
    assert out.tolist() == [1, 1]
    assert pushed.tolist() == [0, 0]
    with pytest.raises(RuntimeError, match="independent of the inputs"):
        lib.func.jvp(lambda x: lib.ones(2), (lib.ones(3),), (lib.ones(3),), strict=True)


def test_jvp_of_jvp_and_of_grad(lib):
    x, t = points(lib, 3), points(lib, 3) + 2
    second = lib.func.jvp(lambda x: lib.func.jvp(lib.sin, (x,), (t,))[1], (x,), (t,))[1]
    close(second, -x.sin() * t * t)
    hvp = lib.func.jvp(lib.func.grad(lambda x: (x**3).sum()), (x,), (t,))[1]
    close(hvp, 6 * x * t)


def test_jvp_of_a_linear_function_is_differentiable_in_the_tangent(lib):
    x = points(lib, 3)
    g = lib.func.grad(lambda t: (lib.func.jvp(lambda x: x * 3, (x,), (t,))[1] ** 2).sum())(x)
    close(g, 18 * x)


def test_jvp_of_complex_functions(lib):
    z = lib.tensor([1 + 2j, -3 + 1j], dtype=lib.complex128)
    t = lib.tensor([2 - 1j, 1 + 1j], dtype=lib.complex128)
    close(lib.func.jvp(lambda z: z * z, (z,), (t,))[1], 2 * z * t)
    close(lib.func.jvp(lambda z: z.conj(), (z,), (t,))[1], t.conj().clone())
    close(lib.func.jvp(lambda z: z.abs() ** 2, (z,), (t,))[1], 2 * (z.conj() * t).real)


def test_refusals_of_jvp(lib):
    jvp, x = lib.func.jvp, lib.ones(2)
    with pytest.raises(RuntimeError, match="same python structure"):
        jvp(lambda x: x, (x,), x)
    with pytest.raises(RuntimeError, match="Expected primals to be a tuple"):
        jvp(lambda x: x, x, x)
    with pytest.raises(RuntimeError, match="different size than that of the original Tensor"):
        jvp(lambda x: x, (x,), (lib.ones(3),))
    with pytest.raises(RuntimeError, match="Expected primals to only contain Tensors"):
        jvp(lambda x: x, (3,), (3,))
    with pytest.raises(RuntimeError, match="at least one Tensor"):
        jvp(lambda x: x, (), ())


def test_linearize(lib):
    x, t = points(lib, 3), points(lib, 3) + 2
    out, push = lib.func.linearize(lambda x: x.sin(), x)
    close(out, x.sin())
    close(push(t), x.cos() * t)
    close(push(2 * t), 2 * x.cos() * t)
    with pytest.raises(RuntimeError, match="doesn't match the shape"):
        push(points(lib, 2))


# --- Jacobians ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["jacrev", "jacfwd"])
def test_jacobians_agree_with_finite_differences(kind):
    x = points(fw, 4)
    jacobian = getattr(fw.func, kind)(lambda x: mixed(fw, x))(x)
    close(jacobian, numeric_jacobian(lambda x: mixed(fw, x), x), 1e-7)


def test_hessian_agrees_with_finite_differences():
    x = points(fw, 4)

    def f(x):
        return mixed(fw, x).sum() ** 2

    h = fw.func.hessian(f)(x)
    close(h, numeric_jacobian(fw.func.grad(f), x), 1e-5)
    close(h, fw.func.jacrev(fw.func.jacrev(f))(x))
    close(h, fw.func.jacfwd(fw.func.jacfwd(f))(x))
    close(h, fw.func.jacrev(fw.func.jacfwd(f))(x))


@pytest.mark.parametrize("kind", ["jacrev", "jacfwd"])
def test_shape_and_structure_of_jacobians(lib, kind):
    jac = getattr(lib.func, kind)
    x, y = points(lib, 2, 3), points(lib, 3)
    j = jac(lambda x, y: {"a": x @ y, "b": y.sum()}, argnums=(0, 1))(x, y)
    assert [t.shape for t in j["a"]] == [(2, 2, 3), (2, 3)]
    assert [t.shape for t in j["b"]] == [(2, 3), (3,)]
    close(j["a"][1], x)
    assert not j["b"][0].any()
    j, aux = jac(lambda y: (y * 2, y * 3), has_aux=True)(y)
    close(j, 2 * lib.eye(3, dtype=lib.float64))
    close(aux, y * 3)
    with pytest.raises(RuntimeError, match="to be real but received complex"):
        jac(lambda x: x)(lib.ones(2, dtype=lib.complex64))


def test_jacobian_is_recorded_for_what_it_captures(lib):
    w = lib.tensor([2.0, 3.0], requires_grad=True)
    for jac in (lib.func.jacrev, lib.func.jacfwd):
        w.grad = None
        jac(lambda x: x * x * w)(lib.tensor([1.0, 5.0])).sum().backward()
        assert w.grad.tolist() == [2, 10]


def test_chunk_size_changes_nothing(lib):
    x = points(lib, 3)
    close(lib.func.jacrev(lambda x: x.sin(), chunk_size=2)(x), lib.diag(x.cos()))
    with pytest.raises(ValueError, match="should be greater than 0"):
        lib.func.jacrev(lambda x: x, chunk_size=0)


# --- vmap ---------------------------------------------------------------------------------------------------------


def test_vmap_maps_over_the_first_dimension(lib):
    x, y = points(lib, 4, 3), points(lib, 4, 3) + 1
    close(lib.vmap(lib.dot)(x, y), (x * y).sum(1))
    close(lib.func.vmap(lambda x: x.sum())(x), x.sum(1))


def test_in_dims_and_out_dims(lib):
    x, w = points(lib, 3, 4), points(lib, 3)
    close(lib.vmap(lambda x, w: x * w, in_dims=(1, None), out_dims=1)(x, w), x * w[:, None])
    close(lib.vmap(lambda x: x, in_dims=-1, out_dims=-1)(x), x)
    a, b = lib.vmap(lambda p: (p["x"], p["w"]), in_dims=({"x": 1, "w": None},), out_dims=(1, 0))({"x": x, "w": w})
    close(a, x)
    close(b, w.expand(4, 3).clone())
    got = lib.vmap(lambda x, k: {"s": x * k}, in_dims=(0, None))(x, 3)
    close(got["s"], x * 3)
    same = lib.vmap(lambda x: lib.ones(2), out_dims=None)(x)
    assert same.tolist() == [1, 1]


def test_keyword_arguments_are_not_batched(lib):
    x = points(lib, 2, 2)
    close(lib.vmap(lambda x, y: x @ y)(x, y=x), x @ x)


def test_vmaps_nest(lib):
    x, y = points(lib, 3, 2), points(lib, 4, 2)
    outer = lib.vmap(lib.vmap(lib.dot, in_dims=(None, 0)), in_dims=(0, None))
    close(outer(x, y), x @ y.T)


def test_per_sample_gradients(lib):
    w, x, t = points(lib, 3), points(lib, 5, 3), points(lib, 5)

    def loss(w, x, t):
        return ((w * x).sum().tanh() - t) ** 2

    per_sample = lib.vmap(lib.func.grad(loss), in_dims=(None, 0, 0))(w, x, t)
    expected = lib.stack([lib.func.grad(loss)(w, x[i], t[i]) for i in range(5)])
    close(per_sample, expected)


def test_grad_of_vmap_and_backward_through_vmap(lib):
    x = points(lib, 4, 3)
    g = lib.func.grad(lambda x: lib.vmap(lambda r: (r**3).sum())(x).sum())(x)
    close(g, 3 * x**2)
    leaf = x.clone().requires_grad_()
    (lib.vmap(lambda r: r * r, in_dims=1, out_dims=1)(leaf)).sum().backward()
    close(leaf.grad, 2 * x)


def test_jacobian_by_vmap_of_vjp(lib):
    x = points(lib, 3)
    _, pull = lib.func.vjp(lambda x: mixed(lib, x), x)
    (rows,) = lib.vmap(pull)(lib.eye(3, dtype=lib.float64))
    close(rows, lib.func.jacrev(lambda x: mixed(lib, x))(x))


def test_writing_to_a_batched_argument_writes_to_the_batch(lib):
    x = lib.zeros(3, 2)
    y = lib.arange(3.0)
    lib.vmap(lambda x, y: x.add_(y))(x, y)
    assert x.tolist() == [[0, 0], [1, 1], [2, 2]]


def test_writing_to_an_unbatched_argument(lib):
    y = lib.ones(2)
    out = lib.vmap(lambda x, y: x + y.add_(1), in_dims=(0, None))(lib.zeros(3, 2), y)
    assert y.tolist() == [2, 2], "once, not once for each sample"
    assert out.tolist() == [[2, 2]] * 3
    with pytest.raises(RuntimeError):
        lib.vmap(lambda x, y: y.add_(x), in_dims=(0, None))(lib.arange(6.0).reshape(3, 2), y)


def test_an_empty_batch(lib):
    out = lib.vmap(lambda x: x[:, None] * lib.ones(3))(lib.ones(0, 2))
    assert out.shape == (0, 2, 3)
    assert lib.vmap(lambda x: x, out_dims=1)(lib.ones(0, 2)).shape == (2, 0)


def test_randomness(lib):
    x = lib.zeros(4, 3)

    def noisy(x):
        return x + lib.rand(3)

    with pytest.raises(RuntimeError, match="called random operation while in randomness error mode"):
        lib.vmap(noisy)(x)
    lib.manual_seed(0)
    same = lib.vmap(noisy, randomness="same")(x)
    after = lib.rand(2)
    assert same[0].tolist() == same[3].tolist()
    lib.manual_seed(0)
    close(same[1], lib.rand(3))
    close(after, lib.rand(2))
    different = lib.vmap(noisy, randomness="different")(x)
    assert len({tuple(row.tolist()) for row in different}) == 4
    with pytest.raises(RuntimeError, match="Only allowed values for randomness"):
        lib.vmap(noisy, randomness="x")(x)


def test_a_refused_draw_is_undone():
    fw.manual_seed(3)
    before = fw.get_rng_state()
    with pytest.raises(RuntimeError, match="random"):
        fw.vmap(lambda x: x + fw.rand(2))(fw.ones(3, 2))
    assert (fw.get_rng_state() == before).all()


def test_chunked(lib):
    x = points(lib, 5, 2)
    close(lib.vmap(lambda x: x.sin(), chunk_size=2)(x), x.sin())
    with pytest.raises(ValueError, match="chunk_size should be None or greater than 0"):
        lib.vmap(lambda x: x, chunk_size=0)


@pytest.mark.parametrize(
    ("f", "options", "args", "error", "message"),
    [
        (lambda x: 3, {}, (1,), ValueError, "must only return Tensors, got type <class 'int'>"),
        (lambda x: x, {"out_dims": None}, (1,), ValueError, "can not return a BatchedTensor when out_dim is None"),
        (lambda x: x, {"in_dims": 2}, (1,), ValueError, "Got in_dim=2 for some input"),
        (lambda x: x, {"in_dims": None}, (1,), ValueError, "expected `in_dims` to be int or a"),
        (lambda x: x, {"in_dims": (None,)}, (1,), ValueError, "Expected at least one Tensor to vmap over"),
        (lambda x: x, {"in_dims": (0, 0)}, (1,), ValueError, "in_dims is not compatible with the structure"),
        (lambda x: x, {"in_dims": ("a",)}, (1,), ValueError, "Got in_dim=a for an input but in_dim must be"),
        (lambda x: x, {}, (3,), ValueError, "the input is of type <class 'int'>"),
        (lambda: 3, {}, (), ValueError, "got no inputs"),
        (lambda x: x, {"out_dims": "a"}, (1,), ValueError, "`out_dims` must be an int, None or"),
        (lambda x: x, {"out_dims": (0, 0)}, (1,), ValueError, "out_dims is not compatible with the structure"),
        (lambda x: (x, x), {"out_dims": (0, 0, 0)}, (1,), ValueError, "out_dims is not compatible"),
    ],
)
def test_refusals_of_vmap(lib, f, options, args, error, message):
    args = tuple(lib.arange(6.0).reshape(3, 2) if a == 1 else a for a in args)
    with pytest.raises(error, match=message):
        lib.vmap(f, **options)(*args)


def test_batches_of_different_sizes_are_refused(lib):
    with pytest.raises(ValueError, match="same size in the mapped dimension, got sizes \\[2, 3\\]"):
        lib.vmap(lambda x, y: x)(lib.ones(2), lib.ones(3))


def test_control_flow_on_samples_works():
    """PyTorch refuses this."""
    out = fw.vmap(lambda x: x * 2 if x > 0 else -x)(fw.tensor([1.0, -3.0]))
    assert out.tolist() == [2, 3]
    with pytest.raises(RuntimeError, match="dynamic shape"):
        fw.vmap(lambda x: x[x > 0])(fw.tensor([[1.0, -3.0], [1.0, 2.0]]))


# --- modules ------------------------------------------------------------------------------------------------------


def small(lib):
    lib.manual_seed(0)
    return lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.Tanh(), lib.nn.Linear(4, 1))


def test_functional_call(lib):
    model = small(lib)
    own = {n: p.detach() for n, p in model.named_parameters()}
    doubled = {n: p * 2 for n, p in own.items()}
    x = lib.ones(2, 3)
    expected = lib.tanh(x @ doubled["0.weight"].T + doubled["0.bias"]) @ doubled["2.weight"].T + doubled["2.bias"]
    close(lib.func.functional_call(model, doubled, (x,)), expected, 1e-6)
    close(lib.func.functional_call(model, (doubled, {}), x), expected, 1e-6)
    close(model[0].weight, own["0.weight"], 0)
    assert type(model[0].weight) is lib.nn.Parameter
    g = lib.func.grad(lambda p: lib.func.functional_call(model, p, (x,)).sum())(own)
    model(x).sum().backward()
    for name, p in model.named_parameters():
        close(g[name], p.grad, 1e-6)


def test_functional_call_writes_buffers_to_the_dictionary(lib):
    model = lib.nn.BatchNorm1d(2)
    buffers = {n: b.clone() for n, b in model.named_buffers()}
    parameters = {n: p.detach() for n, p in model.named_parameters()}
    lib.func.functional_call(model, (parameters, buffers), (lib.arange(6.0).reshape(3, 2),))
    assert buffers["running_mean"].tolist() == pytest.approx([0.2, 0.3])
    assert model.running_mean.tolist() == [0, 0]


class _Tied:
    @staticmethod
    def make(lib):
        class Tied(lib.nn.Module):
            def __init__(self):
                super().__init__()
                self.a = lib.nn.Parameter(lib.ones(1))
                self.b = self.a

            def forward(self, x):
                return x + self.a + self.b

        return Tied()


def test_functional_call_of_tied_weights(lib):
    model, x = _Tied.make(lib), lib.zeros(1)
    call = lib.func.functional_call
    assert call(model, {"a": lib.zeros(1)}, x).tolist() == [0]
    assert call(model, {"a": lib.zeros(1)}, x, tie_weights=False).tolist() == [1]
    assert call(model, {"a": lib.zeros(1), "b": lib.ones(1) * 5}, x, tie_weights=False).tolist() == [5]
    with pytest.raises(ValueError, match="functional_call got multiple values for keys"):
        call(model, {"a": lib.zeros(1), "b": lib.zeros(1)}, x)


def test_refusals_of_functional_call(lib):
    model, x, call = small(lib), lib.ones(2, 3), lib.func.functional_call
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\): 'zz'"):
        call(model, {"zz": lib.ones(1)}, x, strict=True)
    with pytest.raises(RuntimeError, match=r"Missing key\(s\): "):
        call(model, {}, x, strict=True)
    with pytest.raises(ValueError, match="Expected parameter_and_buffer_dicts to be a dict"):
        call(model, 3, x)
    with pytest.raises(ValueError, match="to be dictionaries"):
        call(model, [3], x)
    with pytest.raises(ValueError, match="appeared in multiple dictionaries"):
        call(model, [{"0.bias": lib.ones(4)}, {"0.bias": lib.ones(4)}], x)
    assert call(model, {"zz": lib.ones(1)}, x).shape == (2, 1)
    assert not hasattr(model, "zz")


def test_an_ensemble(lib):
    models = [small(lib) for _ in range(3)]
    with lib.no_grad():
        for k, m in enumerate(models):
            m[0].weight.mul_(k)
    parameters, buffers = lib.func.stack_module_state(models)
    assert parameters["0.weight"].shape == (3, 4, 3)
    assert parameters["0.weight"].requires_grad
    assert parameters["0.weight"].is_leaf
    assert buffers == {}
    x = lib.ones(2, 3)
    out = lib.vmap(lambda p, b, x: lib.func.functional_call(models[0], (p, b), (x,)), in_dims=(0, 0, None))(
        parameters, buffers, x
    )
    close(out, lib.stack([m(x) for m in models]), 1e-6)
    with pytest.raises(RuntimeError, match="at least one model"):
        lib.func.stack_module_state([])
    with pytest.raises(RuntimeError, match="same class"):
        lib.func.stack_module_state([models[0], lib.nn.Linear(1, 1)])
    with pytest.raises(RuntimeError, match="same training/eval mode"):
        lib.func.stack_module_state([models[0], small(lib).eval()])


# --- the stand-in device, and trees -------------------------------------------------------------------------------


def test_on_the_stand_in(stand_in):
    x = points(fw, 3).to("cuda")
    assert fw.func.hessian(lambda x: (x**3).sum())(x).device.type == "cuda"
    assert fw.vmap(fw.func.grad(lambda x: (x**3).sum()))(points(fw, 2, 3).to("cuda")).device.type == "cuda"
    assert fw.func.jvp(fw.sin, (x,), (x,))[1].device.type == "cuda"


def test_trees():
    Pair = namedtuple("Pair", "a b")
    tree = {"x": [1, (2, None)], "y": Pair(3, OrderedDict(z=4))}
    leaves, spec = flatten(tree)
    assert leaves == [1, 2, None, 3, 4]
    assert unflatten(leaves, spec) == tree
    assert type(unflatten(leaves, spec)["y"]) is Pair
    assert flatten(tree)[1] == spec
    assert flatten({"x": 1})[1] != spec
    assert broadcast_prefix({"x": 0, "y": Pair(1, 2)}, spec) == [0, 0, 0, 1, 2]
    assert broadcast_prefix([0, 1], spec) is None
    assert broadcast_prefix(None, spec) == [None] * 5


COUNTER = fw.zeros(2)


def _counts(x):
    return x + COUNTER.add_(1)


def test_writing_to_what_is_captured_is_refused():
    """PyTorch runs the function once; here it is run once for each sample, so this cannot be done right."""
    total = fw.zeros(2)
    with pytest.raises(RuntimeError, match="writes in place to a tensor that it does not get as an argument"):
        fw.vmap(lambda x: total.add_(x))(fw.ones(3, 2))
    with pytest.raises(RuntimeError, match="writes in place"):
        fw.vmap(fw.func.grad(lambda x: _counts(x).sum()))(fw.ones(3, 2))
    norm = fw.nn.BatchNorm1d(2)
    with pytest.raises(RuntimeError, match="running statistics"):
        fw.vmap(norm)(fw.ones(3, 4, 2))
    assert fw.vmap(norm.eval())(fw.ones(3, 4, 2)).shape == (3, 4, 2)
    x = fw.zeros(3, 2)
    fw.vmap(lambda row, unused=x: row.add_(1))(x)
    assert x.tolist() == [[1, 1]] * 3


def test_batch_normalization_is_refused(lib):
    with pytest.raises(RuntimeError):
        lib.vmap(lib.nn.BatchNorm1d(2))(lib.arange(24.0).reshape(3, 4, 2))


def test_dropout_is_random(lib):
    drop = lib.nn.Dropout(0.5)
    with pytest.raises(RuntimeError, match="random"):
        lib.vmap(drop)(lib.ones(3, 8))
    assert lib.vmap(drop, randomness="different")(lib.ones(4, 64)).std(0).any()
    same = lib.vmap(drop, randomness="same")(lib.ones(4, 64))
    assert (same == same[0]).all()


# --- many functions under all transforms, against torch -----------------------------------------------------------


def _written(lib, x):
    y = x.clone()
    y[1] = y[0].clone() * y[2].clone()
    y[:, 0].mul_(3)
    return y.sum(0).exp()


FUNCTIONS = {
    "product": lambda lib, x: (x @ x.T).flatten()[:4],
    "softmax": lambda lib, x: lib.softmax(x, -1).reshape(-1)[:5],
    "sort": lambda lib, x: x.sort(0)[0][1] * x[0],
    "written": _written,
    "conv": lambda lib, x: lib.nn.functional.conv1d(x.reshape(1, 1, -1), x[:1, :3].reshape(1, 1, -1).tanh()).flatten(),
    "norm": lambda lib, x: lib.linalg.norm(x) * x[0],
    "scan": lambda lib, x: x.cumsum(0).prod(0),
    "where": lambda lib, x: lib.where(x > 0, x.exp(), x**2).sum(1),
    "inverse": lambda lib, x: lib.linalg.inv(x @ x.T + lib.eye(3, dtype=lib.float64)).flatten()[:3],
    "indexed": lambda lib, x: x[[0, 2, 0]].prod(1),
    "extremes": lambda lib, x: x.max(1)[0] * x.min(0)[0].sum(),
    "variance": lambda lib, x: x.var(0),
}


def _transformed(lib, f):
    """Results of the transforms of `f`, a function of a matrix, and of their compositions."""
    x, t, batch = points(lib, 3, 4), points(lib, 3, 4) * 0.7 + 0.2, lib.cos(points(lib, 2, 3, 4) * 3)
    func, functional = lib.func, lib.autograd.functional

    def once(x):
        return f(lib, x)

    def scalar(x):
        return (f(lib, x) ** 2).sum()

    yield func.jacrev(once)(x)
    yield func.jacfwd(once)(x)
    yield func.jvp(once, (x,), (t,))[1]
    yield func.hessian(scalar)(x)
    yield lib.vmap(once)(batch)
    yield lib.vmap(func.grad(scalar))(batch)
    yield func.grad(lambda b: (lib.vmap(once)(b) ** 2).sum())(batch)
    yield lib.vmap(func.jacrev(once), 1, -1)(batch.transpose(0, 1))
    yield func.grad(lambda x: func.jvp(once, (x,), (t,))[1].sum())(x)
    yield functional.hvp(scalar, x, t)[1]
    yield functional.hessian(scalar, x)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_transforms_agree_with_torch(name):
    torch = pytest.importorskip("torch", reason="torch is the reference here and is not installed")
    ours, theirs = _transformed(fw, FUNCTIONS[name]), _transformed(torch, FUNCTIONS[name])
    for mine, expected in zip(ours, theirs, strict=True):
        close(mine, fw.tensor(expected.detach().numpy()), 1e-8 * (1 + expected.abs().max().item()))
