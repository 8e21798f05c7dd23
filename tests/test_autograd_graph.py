"""`framework.autograd.graph`, hooks on nodes and `is_grads_batched`: on torch too where it is installed."""

from __future__ import annotations

import gc
import importlib
import weakref

import pytest

import framework as fw


@pytest.fixture(params=["framework", "torch"])
def lib(request):
    if request.param == "framework":
        return fw
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


@pytest.fixture
def graph(lib):
    return lib.autograd.graph


def leaf(lib, values):
    return lib.tensor(values, dtype=lib.float64, requires_grad=True)


# --- nodes and edges ----------------------------------------------------------------------------------------------


def test_nodes(lib, graph):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    node = y.exp().grad_fn
    assert isinstance(node, graph.Node)
    assert node.name() == "ExpBackward0"
    assert node.next_functions[0][0] is y.grad_fn
    node.metadata["key"] = 3
    assert node.metadata == {"key": 3}
    accumulate = y.grad_fn.next_functions[0][0]
    assert isinstance(accumulate, graph.Node)
    assert accumulate.variable is x
    assert accumulate is y.grad_fn.next_functions[0][0]
    assert accumulate.name() == "torch::autograd::AccumulateGrad"
    assert repr(accumulate).startswith("<AccumulateGrad object at")


def test_hooks_on_an_accumulator(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 3
    accumulate = y.grad_fn.next_functions[0][0]
    calls = []
    accumulate.register_prehook(lambda grads: calls.append(("pre", grads[0].tolist(), x.grad)))
    handle = accumulate.register_hook(lambda ins, outs: calls.append(("post", ins, outs[0].tolist(), x.grad.tolist())))
    y.sum().backward(retain_graph=True)
    assert calls == [("pre", [3, 3], None), ("post", (), [3, 3], [3, 3])]
    handle.remove()
    y.sum().backward()
    assert len(calls) == 3


def test_hooks_on_a_node(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 3
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 10,))
    y.grad_fn.register_hook(lambda ins, outs: (ins[0] + 1, *ins[1:]))
    y.sum().backward()
    assert x.grad.tolist() == [31, 31]


def test_gradient_edges(lib, graph):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    at_y, at_x = graph.get_gradient_edge(y), graph.get_gradient_edge(x)
    assert isinstance(at_y, graph.GradientEdge)
    assert at_y.node is y.grad_fn
    assert at_y.output_nr == 0
    assert at_x.node.variable is x
    z = (y**2).sum()
    gy, gx = lib.autograd.grad(z, [at_y, at_x], retain_graph=True)
    assert gy.tolist() == [4, 8]
    assert gx.tolist() == [8, 16]
    assert lib.autograd.grad(at_y, x, lib.ones(2, dtype=lib.float64), retain_graph=True)[0].tolist() == [2, 2]
    assert lib.autograd.grad(graph.get_gradient_edge(z), at_x, retain_graph=True)[0].tolist() == [8, 16]
    z.backward(inputs=[at_x], retain_graph=True)
    lib.autograd.backward(graph.get_gradient_edge(z))
    assert x.grad.tolist() == [16, 32]
    with pytest.raises(RuntimeError, match="not possible to get the gradient edge"):
        graph.get_gradient_edge(lib.ones(2))


def test_edge_to_one_of_several_results(lib, graph):
    x = leaf(lib, [3.0, 1.0, 2.0])
    values, _ = x.sort()
    parts = x.unbind()
    edge = graph.get_gradient_edge(parts[1])
    assert edge.output_nr == 1
    assert lib.autograd.grad((parts[1] * 5 + values.sum()), [edge])[0].item() == 5


def test_increment_version(lib, graph):
    x = lib.ones(2)
    graph.increment_version(x)
    graph.increment_version([x, x])
    assert x._version == 3


# --- hooks on saved tensors ---------------------------------------------------------------------------------------


def test_pack_and_unpack(lib, graph):
    packed, unpacked = [], []

    def pack(tensor):
        packed.append(tensor.tolist())
        return len(packed) - 1, tensor * 10

    def unpack(value):
        unpacked.append(value[0])
        return value[1]

    x = leaf(lib, [1.0, 2.0])
    with graph.saved_tensors_hooks(pack, unpack):
        y = (x * x).exp()
    z = y * x
    assert packed[-1] == y.tolist(), "the result that exp saves"
    assert len(packed) == 3
    z.sum().backward()
    assert sorted(unpacked) == [0, 1, 2]
    expected = (10 * y * x.detach() * 10 * x.detach() * 2 + y).tolist()
    assert x.grad.tolist() == pytest.approx(expected)


def test_identity_hooks_change_nothing(lib, graph):
    def run():
        x = leaf(lib, [0.5, 2.0, -1.0])
        w = leaf(lib, [[1.0, 2.0, 3.0], [4.0, 5.0, -6.0]])
        h = lib.tanh(w @ x)
        h = lib.cat([h, h.exp()]).clone()
        h[1] = h[0] * 2
        h.sigmoid_()
        s = lib.nn.functional.softmax(h, 0) * h.sort()[0]
        (g,) = lib.autograd.grad((s**2).sum(), x, create_graph=True)
        (g**2).sum().backward()
        return x.grad.tolist(), w.grad.tolist()

    plain = run()
    with graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        hooked = run()
    assert hooked[0] == pytest.approx(plain[0])
    assert hooked[1][1] == pytest.approx(plain[1][1])
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        assert run()[0] == pytest.approx(plain[0])


def test_no_version_is_checked_behind_hooks(lib, graph):
    x = leaf(lib, [1.0, 2.0])
    y = x.clone()
    with graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        z = (y**2).sum()
    y.mul_(5)
    z.backward()
    assert x.grad.tolist() == [2, 4]


def test_second_derivatives_through_hooks(lib, graph):
    x = leaf(lib, [1.0, 2.0])
    with graph.saved_tensors_hooks(
        lambda t: t.numpy().copy() if not t.requires_grad else t, lambda a: lib.as_tensor(a)
    ):
        y = (x**3).sum()
    (g,) = lib.autograd.grad(y, x, create_graph=True)
    (gg,) = lib.autograd.grad(g.sum(), x)
    assert gg.tolist() == [6, 12]


def test_hooks_on_what_a_custom_function_saves(lib, graph):
    class Square(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x

    seen = []
    x = leaf(lib, [1.0, 2.0])
    with graph.saved_tensors_hooks(lambda t: seen.append(1) or t, lambda t: t + 1):
        y = Square.apply(x)
    y.sum().backward()
    assert len(seen) == 1
    assert x.grad.tolist() == [4, 6]


def test_innermost_hooks_count(lib, graph):
    x = leaf(lib, [1.0])
    calls = []

    def hooks(name):
        return graph.saved_tensors_hooks(lambda t: calls.append(name) or t, lambda t: t)

    with hooks("outer"):
        x.exp()
        with hooks("inner"):
            x.exp()
        x.exp()
    x.exp()
    assert calls == ["outer", "inner", "outer"]


def test_wrong_hooks(lib, graph):
    x = leaf(lib, [1.0, 2.0])
    with graph.saved_tensors_hooks(lambda t: 3, lambda t: 3):
        y = (x * x).sum()
    with pytest.raises(TypeError, match="expected to be a Tensor but got result of type"):
        y.backward()

    def write(t):
        t.mul_(2)
        return t

    with (
        pytest.raises(RuntimeError, match="pack hook is modifying its input in place"),
        graph.saved_tensors_hooks(write, lambda t: t),
    ):
        (x * 2).exp()


def test_freed_as_without_hooks(lib, graph):
    x = leaf(lib, [1.0])
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        y = x * x
    y.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward()


def test_hooked_graphs_make_no_cycles():
    x = leaf(fw, [1.0, 2.0])
    gc.collect()
    gc.disable()
    try:
        with fw.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            y = (x * 3).exp().sigmoid()
        node = weakref.ref(y.grad_fn)
        del y
        assert node() is None
    finally:
        gc.enable()


def test_without_hooks_nodes_are_made_as_ever():
    op = importlib.import_module("framework.engine.op")
    x = leaf(fw, [1.0])
    with fw.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        assert op._new_node is not object.__new__
        assert type(x.exp().grad_fn) is not type(x.exp().grad_fn).__mro__[1]
    assert op._new_node is fw.autograd.Node.__new__


def test_disabled_hooks(lib, graph):
    def enter():
        with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
            pass

    with graph.disable_saved_tensors_hooks("none today"), pytest.raises(RuntimeError, match="none today"):
        enter()
    enter()


def test_save_on_cpu(lib, graph):
    x = leaf(lib, [1.0, 2.0])
    with graph.save_on_cpu():
        y = x.exp() * x
    y.sum().backward()
    e = x.detach().exp()
    assert x.grad.tolist() == pytest.approx((e * x.detach() + e).tolist())


def test_save_on_cpu_from_a_device(stand_in):
    x = fw.tensor([1.0, 2.0], device="cuda", requires_grad=True)
    with fw.autograd.graph.save_on_cpu():
        y = x.exp()
    del stand_in
    y.sum().backward()
    assert x.grad.device.type == "cuda"
    assert x.grad.tolist() == y.tolist()


def test_mutation_of_saved_tensors(lib, graph):
    x = leaf(lib, [1.0, 2.0])
    with graph.allow_mutation_on_saved_tensors() as kept:
        y = x.clone()
        z = (y**2).sum()
        y.sin_()
        z.backward(retain_graph=True)
        assert x.grad.tolist() == [2, 4]
        with (
            pytest.raises(RuntimeError, match="cannot be nested"),
            graph.allow_mutation_on_saved_tensors(),
        ):
            pass
    with pytest.raises(AssertionError, match="outside of the 'allow_mutation_on_saved_tensors'"):
        z.backward()
    assert kept is not None


# --- hooks on several tensors -------------------------------------------------------------------------------------


def test_multi_grad_hook(lib, graph):
    a, b, c, d = (leaf(lib, [1.0, 2.0]) for _ in range(4))
    e = a * b
    seen = []
    handle = graph.register_multi_grad_hook((a, b, e, d), lambda grads: seen.append([g is not None for g in grads]))
    loss = (e * c).sum()
    loss.backward(retain_graph=True)
    assert seen == [[True, True, True, False]]
    loss.backward(inputs=(a,), retain_graph=True)
    assert seen[1] == [True, False, True, False]
    handle.remove()
    loss.backward()
    assert len(seen) == 2


def test_multi_grad_hook_for_any(lib, graph):
    a, b = leaf(lib, [1.0, 2.0]), leaf(lib, [1.0, 2.0])
    e = a * b
    seen = []
    graph.register_multi_grad_hook((a, b, e), lambda grad: seen.append(grad.tolist()), mode="any")
    loss = (e * 7).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    assert seen == [[7, 7], [7, 7]]
    with pytest.raises(ValueError, match="Expects mode to be one of"):
        graph.register_multi_grad_hook((a,), print, mode="x")


# --- is_grads_batched ---------------------------------------------------------------------------------------------


def test_batched_gradients(lib):
    x = leaf(lib, [1.0, 2.0, 3.0])
    y = x**2
    rows = lib.eye(3, dtype=lib.float64)
    (g,) = lib.autograd.grad(y, x, rows, is_grads_batched=True, retain_graph=True, create_graph=True)
    assert g.tolist() == [[2, 0, 0], [0, 4, 0], [0, 0, 6]]
    g.sum().backward()
    assert x.grad.tolist() == [2, 2, 2]
    g, unused = lib.autograd.grad(y, [x, leaf(lib, [1.0])], rows, is_grads_batched=True, allow_unused=True)
    assert unused is None
    with pytest.raises(RuntimeError, match="we interpret the first dimension of each grad_output as the batch"):
        lib.autograd.grad(x * 2, x, lib.ones(4, 2), is_grads_batched=True)


def test_an_empty_batch_of_gradients():
    x = leaf(fw, [1.0, 2.0])
    (g,) = fw.autograd.grad(x * 2, x, fw.ones(0, 2, dtype=fw.float64), is_grads_batched=True)
    assert g.shape == (0, 2)


def test_what_is_left_out_is_named():
    with pytest.raises(AttributeError, match=r"use func\.jvp"):
        fw.autograd.forward_ad  # noqa: B018
    with pytest.raises(AttributeError, match="not covered"):
        fw.func.functionalize  # noqa: B018
