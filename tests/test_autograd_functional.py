"""`framework.autograd.functional`, on torch too where it is installed: what is expected is PyTorch's behaviour."""

from __future__ import annotations

import pytest

import framework as fw


@pytest.fixture(params=["framework", "torch"])
def lib(request):
    if request.param == "framework":
        return fw
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit", "ignore:There is a performance drop")


@pytest.fixture
def functional(lib):
    return lib.autograd.functional


def vector(lib, *values, **options):
    return lib.tensor(list(values), dtype=lib.float64, **options)


def close(a, b):
    a, b = a.detach(), b.detach()
    assert a.shape == b.shape
    assert (a - b).abs().max().item() < 1e-6


def cubic(x, y):
    return (x**3 * y).sum() + (x * y * y).sum()


# --- products -----------------------------------------------------------------------------------------------------


def test_vjp(lib, functional):
    x = vector(lib, 1, 2)
    out, g = functional.vjp(lambda x: x * x, x, vector(lib, 3, 5))
    close(out, x * x)
    close(g, vector(lib, 6, 20))
    assert not out.requires_grad
    assert not g.requires_grad
    out, (_gx, gy) = functional.vjp(lambda x, y: (x * y).sum(), (x, x))
    assert out.item() == 5
    close(gy, x)
    (_a, _b), g = functional.vjp(lambda x: (x, x * 2), x, (x, x))
    close(g, 3 * x)


def test_jvp(lib, functional):
    x, t = vector(lib, 1, 2), vector(lib, 3, 5)
    _out, p = functional.jvp(lambda x: x.exp(), x, t)
    close(p, x.exp() * t)
    (_, _), (a, b) = functional.jvp(lambda x, y: (x * y, y.sin()), (x, t), (t, x))
    close(a, t * t + x * x)
    close(b, t.cos() * x)
    assert functional.jvp(lambda x: x**3, vector(lib, 2).reshape(()))[1].item() == 12


@pytest.mark.parametrize("name", ["hvp", "vhp"])
def test_products_with_the_hessian(lib, functional, name):
    product = getattr(functional, name)
    x, y, t = vector(lib, 1, 2), vector(lib, 3, 5), vector(lib, 0.5, -1)
    out, p = product(lambda x: (x**3).sum(), x, t)
    assert out.item() == 9
    close(p, 6 * x * t)
    out, (px, py) = product(cubic, (x, y), (t, y))
    close(px, 6 * x * y * t + (3 * x**2 + 2 * y) * y)
    close(py, (3 * x**2 + 2 * y) * t + 2 * x * y)
    _, p = product(lambda x: x.sum(), x, t)
    close(p, lib.zeros(2))


def test_products_are_differentiable_with_create_graph(lib, functional):
    x = vector(lib, 1, 2, requires_grad=True)
    t = vector(lib, 3, 5, requires_grad=True)
    for name, expected in (("vjp", 2 * t), ("jvp", 2 * t)):
        out, g = getattr(functional, name)(lambda x: x * x, x, t, create_graph=True)
        assert out.requires_grad
        gx, gt = lib.autograd.grad(g.sum(), (x, t))
        close(gx, expected)
        close(gt, 2 * x)
    for name in ("hvp", "vhp"):
        _, g = getattr(functional, name)(lambda x: (x**3).sum(), x, t, create_graph=True)
        gx, gt = lib.autograd.grad(g.sum(), (x, t))
        close(gx, 6 * t)
        close(gt, 6 * x)


# --- Jacobians ----------------------------------------------------------------------------------------------------

WAYS = [{}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}]


@pytest.mark.parametrize("options", WAYS)
def test_forms_of_the_jacobian(lib, functional, options):
    x, y = vector(lib, 1, 2), vector(lib, 3, 5, 7)
    j = functional.jacobian(lambda x: x**2, x, **options)
    close(j, lib.diag(2 * x))
    jx, jy = functional.jacobian(lambda x, y: x.sum() * y, (x, y), **options)
    close(jx, y[:, None].expand(3, 2))
    close(jy, 3 * lib.eye(3, dtype=lib.float64))
    nested = functional.jacobian(lambda x, y: (x * 2, y.sum()), (x, y), **options)
    assert [[t.shape for t in row] for row in nested] == [[(2, 2), (2, 3)], [(2,), (3,)]]
    close(nested[0][1], lib.zeros(2, 3))
    (row,) = functional.jacobian(lambda x: (x * 2,), x, **options)
    close(row, 2 * lib.eye(2, dtype=lib.float64))
    assert not j.requires_grad


def test_jacobian_with_create_graph(lib, functional):
    x = vector(lib, 1, 2, requires_grad=True)
    functional.jacobian(lambda x: x**3, x, create_graph=True).sum().backward()
    close(x.grad, 6 * x)


HESSIANS = [{}, {"vectorize": True}, {"vectorize": True, "outer_jacobian_strategy": "forward-mode"}]


@pytest.mark.parametrize("options", HESSIANS)
def test_forms_of_the_hessian(lib, functional, options):
    x, y = vector(lib, 1, 2), vector(lib, 3, 5)
    close(functional.hessian(lambda x: (x**3).sum(), x, **options), lib.diag(6 * x))
    (xx, xy), (yx, yy) = functional.hessian(cubic, (x, y), **options)
    close(xx, lib.diag(6 * x * y))
    close(xy, lib.diag(3 * x**2 + 2 * y))
    close(yx, xy.T)
    close(yy, lib.diag(2 * x))


def test_hessian_with_create_graph(lib, functional):
    x = vector(lib, 1, 2, requires_grad=True)
    functional.hessian(lambda x: (x**4).sum(), x, create_graph=True).sum().backward()
    close(x.grad, 24 * x)


def test_jacobian_agrees_with_finite_differences():
    x, step = vector(fw, 0.3, -0.7, 1.1), 1e-6

    def f(x):
        return fw.stack([x.prod().exp(), (x.sin() * x[0]).sum()])

    columns = []
    for i in range(3):
        shift = fw.zeros(3, dtype=fw.float64)
        shift[i] = step
        columns.append((f(x + shift) - f(x - shift)) / (2 * step))
    for options in WAYS:
        close(fw.autograd.functional.jacobian(f, x, **options), fw.stack(columns, 1))


def test_the_jacobian_of_an_empty_output():
    """PyTorch fails on it."""
    x = vector(fw, 1, 2)
    assert fw.autograd.functional.jacobian(lambda x: x[:0], x).shape == (0, 2)


# --- refusals -----------------------------------------------------------------------------------------------------


def test_wrong_types(lib, functional):
    x = vector(lib, 1, 2)
    with pytest.raises(
        TypeError, match="The inputs given to vjp must be either a Tensor or a tuple of Tensors but the g"
    ):
        functional.vjp(lambda x: x, 3)
    with pytest.raises(TypeError, match=r"The inputs given to jacobian must be .* the value at index 1 has type"):
        functional.jacobian(lambda x: x, (x, 3))
    with pytest.raises(TypeError, match="The outputs of the user-provided function given to jvp"):
        functional.jvp(lambda x: 3, x, x)
    with pytest.raises(TypeError, match="The v given to vjp"):
        functional.vjp(lambda x: x, x, 3)


def test_wrong_vectors(lib, functional):
    x = vector(lib, 1, 2)
    with pytest.raises(RuntimeError, match="v can only be None if the user-provided function returns"):
        functional.vjp(lambda x: x, x)
    with pytest.raises(RuntimeError, match="v can only be None if the input to the user-provided function is a single"):
        functional.jvp(lambda x: x, x)
    with pytest.raises(RuntimeError, match="v has invalid size: should be "):
        functional.vjp(lambda x: x, x, vector(lib, 1, 2, 3))
    with pytest.raises(RuntimeError, match="v is a tuple of invalid length: should be 2 but got 1"):
        functional.jvp(lambda x, y: x, (x, x), x)
    with pytest.raises(RuntimeError, match="The given v should contain a single Tensor"):
        functional.jvp(lambda x: x, x, (x, x))
    with pytest.raises(RuntimeError, match="Entry 1 in v has invalid size"):
        functional.jvp(lambda x, y: x, (x, x), (x, vector(lib, 1)))


@pytest.mark.parametrize("name", ["hvp", "vhp", "hessian"])
def test_functions_of_a_hessian_return_one_number(lib, functional, name):
    x = vector(lib, 1, 2)
    args = (x,) if name == "hessian" else (x, x)
    with pytest.raises(RuntimeError, match=f"given to {name} should return a single Tensor"):
        getattr(functional, name)(lambda x: (x.sum(), x), *args)
    with pytest.raises(RuntimeError, match=f"given to {name} should contain a single element"):
        getattr(functional, name)(lambda x: x, *args)


def test_strict(lib, functional):
    x = vector(lib, 1, 2)
    constant = vector(lib, 1, 2)
    for name in ("vjp", "jvp"):
        with pytest.raises(RuntimeError, match="Output 0 of the user-provided function does not require gradients"):
            getattr(functional, name)(lambda x: constant, x, x, strict=True)
    with pytest.raises(RuntimeError, match="independent of input 1"):
        functional.vjp(lambda x, y: x, (x, x), x, strict=True)
    with pytest.raises(RuntimeError, match="independent of input 0"):
        functional.jvp(lambda x, y: y * y, (x, x), (x, x), strict=True)
    with pytest.raises(RuntimeError, match="Output 0 of the user-provided function is independent of input 1"):
        functional.jacobian(lambda x, y: x, (x, x), strict=True)
    for name in ("hvp", "vhp"):
        with pytest.raises(RuntimeError, match="the jacobian of the user-provided function with respect to input 0 is"):
            getattr(functional, name)(lambda x: (x * constant).sum(), x, x, strict=True)
    with pytest.raises(RuntimeError, match="with respect to input 0 is independent of the input"):
        functional.hessian(lambda x: (x * constant).sum(), x, strict=True)
    with pytest.raises(
        RuntimeError, match=r"independent of input 0\. This is not allowed in strict mode when create_gr"
    ):
        functional.jacobian(lambda x: x * constant, x, strict=True, create_graph=True)


def test_refused_combinations(lib, functional):
    x = vector(lib, 1, 2)
    with pytest.raises(AssertionError, match="Expected strategy to be either"):
        functional.jacobian(lambda x: x, x, strategy="sideways")
    with pytest.raises(NotImplementedError, match='`create_graph=True` and `strategy="forward-mode"`'):
        functional.jacobian(lambda x: x, x, strategy="forward-mode", create_graph=True)
    with pytest.raises(NotImplementedError, match="implemented for `vectorize=True`"):
        functional.jacobian(lambda x: x, x, strategy="forward-mode")
    with pytest.raises(RuntimeError, match="`strict=True` and `vectorized=True` are not supported together"):
        functional.jacobian(lambda x: x * x, x, strict=True, vectorize=True)
    with pytest.raises(AssertionError, match="Expected strategy to be either"):
        functional.hessian(lambda x: x.sum(), x, outer_jacobian_strategy="sideways")
