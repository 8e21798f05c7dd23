"""The engine underneath: what stays alive and what does not, depth, threads, and who owns a gradient's memory."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
import weakref

import numpy as np
import pytest

import framework as fw
import models
from framework import nn
from framework.engine import ViewInfo, op
from framework.engine.node import AccumulateGrad, Node


@pytest.fixture
def no_gc():
    """The cycle collector is off, and when a test calls it, it looks at nothing made before the test."""
    gc.disable()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


def left_to_the_collector():
    """What of the framework was garbage in reference cycles."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return [o for o in gc.garbage if isinstance(o, (Node, ViewInfo, fw.Tensor, np.ndarray))]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


def leaf(values, dtype=fw.float32):
    return fw.tensor(values, dtype=dtype, requires_grad=True)


def nodes_below(tensor):
    """Every node of a tensor's graph."""
    found, stack = {}, [tensor.grad_fn]
    while stack:
        node = stack.pop()
        if node is None or id(node) in found:
            continue
        found[id(node)] = node
        stack.extend(n for n, _ in node.next_functions)
        stack.extend(n for n in node.saved if isinstance(n, Node))  # what a CopySlices has inside
    return list(found.values())


# --- graphs are freed by reference counting -----------------------------------------------------------------------


class Exp(fw.autograd.Function):
    """Saves its result, which would be a cycle if the node held the tensor."""

    @staticmethod
    def forward(ctx, x):
        result = x.exp()
        ctx.save_for_backward(x, result)
        return result

    @staticmethod
    def backward(ctx, g):
        _, result = ctx.saved_tensors
        return g * result


class TwoExp(fw.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        results = x.exp(), x * 2
        ctx.save_for_backward(*results)
        return results

    @staticmethod
    def backward(ctx, g1, g2):
        return g1 * ctx.saved_tensors[0] + g2 * 2


class DoubleInPlace(fw.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        x.mul_(2)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx, g):
        assert len(ctx.saved_tensors) == 1
        return g * 2


def _written_by_columns(x):
    h = fw.zeros(3, 3)
    for t in range(3):
        h[:, t] = x[:, t] * (t + 1)
    return h


def _recurrent(x):
    """Each column is computed from the one before, out of the tensor that is being filled."""
    h = fw.zeros(3, 3)
    for t in range(1, 3):
        h[:, t] = h[:, t - 1].clone().sin() + x[:, t]
    return h


def _masked(x):
    y = x * 1
    y[y > 4] = 0.0
    y[[0, 1]] *= 2
    return y


def _in_place_chain(x):
    y = x * 1
    y.mul_(x).mul_(2).add_(x).exp_()
    return y


def _written_through_views_of_views(x):
    y = x * 1
    y.t()[1:][0].mul_(x[0])
    return y


def _view_used_after_a_write(x):
    y = x * 1
    v = y[0]
    y.mul_(2)
    return v * v


def _hooked(x):
    y = x * 2
    y.register_hook(lambda g: g * 2)
    y.grad_fn.register_hook(lambda grads, _: grads)
    y.grad_fn.register_prehook(lambda grads: grads)
    y.grad_fn.metadata["note"] = 1
    y.retain_grad()
    return y * y


def _retained_then_written(x):
    y = x * 2
    y.retain_grad()
    y[0].mul_(3)
    y.add_(1)
    return y


GRAPHS = {
    "saves nothing": lambda x: x + 1,
    "saves inputs": lambda x: x * x,
    "saves its result": lambda x: x.exp(),
    "two inputs": lambda x: x @ (x * 2),
    "reduction": lambda x: x.sum(0) / x.amax(1),
    "several results": lambda x: x.max(0).values,
    "one of several views": lambda x: x.unbind()[1] * x.split([1, 2])[1].sum(),
    "views": lambda x: (x.t().reshape(-1)[2:5].view(3, 1).expand(3, 2) * 3)[1:],
    "view kept": lambda x: (x * 1)[0],
    "sequence": lambda x: fw.cat([x, x * 2, x]),
    "index": lambda x: x[[0, 2], 1:] * x[x > 0].sum(),
    "in place": _in_place_chain,
    "CopySlices": _written_by_columns,
    "CopySlices recurrent": _recurrent,
    "CopySlices through views of views": _written_through_views_of_views,
    "masked writes": _masked,
    "view replayed": _view_used_after_a_write,
    "overwritten without gradient": lambda x: (x * 2).floor_divide_(2),
    "Function with saved results": lambda x: Exp.apply(x),
    "Function with several": lambda x: TwoExp.apply(x)[0] * TwoExp.apply(x)[1],
    "Function in place": lambda x: DoubleInPlace.apply(x * 1),
    "Function in place on a view": lambda x: (y := x * 1, DoubleInPlace.apply(y[0]))[0],
    "hooks": _hooked,
    "retained, then written": _retained_then_written,
    "softmax": lambda x: x.log_softmax(1),
    "var": lambda x: x.var(0),
    "prod": lambda x: x.prod(1),
    "where": lambda x: fw.where(x > 2, x, x * x),
    "to": lambda x: x.double() * 2,
}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("backward", [None, "once", "retained", "twice differentiated"])
def test_a_graph_goes_with_its_last_tensor(no_gc, name, backward):
    x = leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    y = GRAPHS[name](x)
    alive = [weakref.ref(n) for n in nodes_below(y) if not isinstance(n, AccumulateGrad)]
    alive.append(weakref.ref(y))
    alive.append(weakref.ref(y._array))
    assert len(alive) >= 3
    if backward == "once":
        y.sum().backward()
        assert x.grad is not None
    elif backward == "retained":
        y.sum().backward(retain_graph=True)
    elif backward == "twice differentiated":
        (g,) = fw.autograd.grad(y.sum(), x, create_graph=True)
        if g.requires_grad:
            alive.extend(weakref.ref(n) for n in nodes_below(g) if not isinstance(n, AccumulateGrad))
            fw.autograd.grad(g.sum(), x, allow_unused=True)
        del g
    del y
    left = [r() for r in alive if r() is not None]
    assert left == []
    assert left_to_the_collector() == []


def test_a_training_step_leaves_nothing_to_the_collector(no_gc):
    fw.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    optimizer = fw.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    x, target = fw.randn(5, 8), fw.randint(0, 4, (5,))
    gc.collect()
    for _ in range(3):
        optimizer.zero_grad()
        loss = -model(x).log_softmax(1).gather(1, target[:, None]).mean()
        loss.backward()
        optimizer.step()
    del loss
    assert left_to_the_collector() == []


def test_a_node_does_not_hold_its_output(no_gc):
    x = leaf([1.0])
    y = x.exp()
    node = y.grad_fn
    alive = weakref.ref(y)
    del y
    assert alive() is None
    assert node.name() == "ExpBackward0"


def test_an_error_in_backward_keeps_nothing_alive(no_gc):
    x = leaf([1.0, 2.0])
    y = x.exp()
    y.detach().zero_()
    alive = weakref.ref(y.grad_fn)
    with contextlib.suppress(RuntimeError):
        y.sum().backward()
    del y
    assert alive() is None


# --- saved tensors are freed as backward passes -------------------------------------------------------------------


def test_saved_tensors_are_freed_as_backward_passes():
    x = leaf([1.0, 2.0])
    a = x * 2
    b = a.exp()
    c = b * b
    saved = {"a": weakref.ref(a._array), "b": weakref.ref(b._array)}
    seen = []
    # When the gradient reaches `a`, what the later nodes saved is gone.
    a.register_hook(lambda g: seen.append({k: r() is not None for k, r in saved.items()}))
    loss = c.sum()
    del a, b, c
    assert all(r() is not None for r in saved.values()) or saved["a"]() is None
    loss.backward()
    assert seen == [{"a": False, "b": False}]


def test_retain_graph_keeps_saved_tensors():
    x = leaf([1.0, 2.0])
    b = x.exp()
    saved = weakref.ref(b._array)
    loss = (b * b).sum()
    del b
    loss.backward(retain_graph=True)
    assert saved() is not None
    loss.backward()
    assert saved() is None


def test_gradients_on_their_way_are_freed():
    """At most two gradients of a chain are alive at any time: the one that came and the one that goes."""
    alive, most = [], [0]

    def watch(g):
        alive.append(weakref.ref(g._array))
        most[0] = max(most[0], sum(r() is not None for r in alive))

    x = leaf([1.0] * 1000)
    y = x
    for _ in range(20):
        y = y.sin()
        y.register_hook(watch)
    y.sum().backward()
    assert len(alive) == 20
    assert most[0] <= 3


def test_only_what_a_formula_names_is_saved():
    x, w = leaf([1.0, 2.0]), fw.ones(2)
    y = x + 1
    alive = weakref.ref(y._array)
    z = y + w  # needs neither operand
    del y
    assert alive() is None
    y = x + 1
    alive = weakref.ref(y._array)
    v = y * w  # needs w alone: w asks for no gradient
    del y
    assert alive() is None
    (z.sum() + v.sum()).backward()
    assert x.grad.tolist() == [2, 2]


# --- depth --------------------------------------------------------------------------------------------------------

DEEP = {
    "pointwise": lambda y, x: y + x,
    "saving": lambda y, x: y * 1.0,
    "views": lambda y, x: (y + x).view(-1),
    "several results": lambda y, x: (y + x).split(1)[0],
    "in place": lambda y, x: y.add_(x),
}


@pytest.mark.parametrize("name", DEEP)
def test_a_hundred_thousand_operations(no_gc, name):
    step = DEEP[name]
    count = 100_000 if name in ("pointwise", "saving") else 30_000
    limit = sys.getrecursionlimit()
    x = leaf([1.0])
    y = x * 1
    for _ in range(count):
        y = step(y, x)
    first = weakref.ref(nodes_below(y)[-1]) if name == "pointwise" else None
    y.backward()
    assert x.grad.item() == (1 if name == "saving" else count + 1)
    (again,) = fw.autograd.grad((x * 2).sum(), x)
    assert again.item() == 2
    del y
    if first is not None:
        assert first() is None
    assert sys.getrecursionlimit() == limit


def test_a_hundred_thousand_operations_are_freed_without_backward(no_gc):
    x = leaf([1.0])
    y = x * 1
    node = weakref.ref(y.grad_fn)
    for _ in range(100_000):
        y = y * x
    assert node() is not None
    del y
    assert node() is None


def test_autograd_grad_of_a_deep_graph():
    x = leaf([1.0])
    middle = y = x * 1
    for number in range(50_000):
        y = y + x
        if number == 25_000:
            middle = y
    (g,) = fw.autograd.grad(y, middle)
    assert g.tolist() == [1]


def test_a_deep_graph_of_functions(no_gc):
    x = leaf([0.0])
    y = x
    for _ in range(10_000):
        y = Exp.apply(y) * 0
    y.backward()
    del y
    assert x.grad.tolist() == [0]


def test_a_deep_second_derivative(no_gc):
    x = leaf([1.0], fw.float64)
    y = x
    for _ in range(2_000):
        y = y * 1.0 + x * 0.0
    (g,) = fw.autograd.grad(y * y, x, create_graph=True)
    (gg,) = fw.autograd.grad(g, x)
    assert (g.item(), gg.item()) == (2, 2)


def test_many_uses_of_one_tensor_are_one_sum():
    x = leaf([1.0])
    y = x * 1
    fw.stack([y * i for i in range(3_000)]).sum().backward()
    assert x.grad.item() == sum(range(3_000))


# --- who owns a gradient ------------------------------------------------------------------------------------------


def shares(a, b):
    return np.shares_memory(a._array, b._array)


PAIRS = {
    "add": lambda x, w: x + w,
    "sub": lambda x, w: x - w,
    "views": lambda x, w: x.view(-1) + w.t().reshape(-1),
    "cat": lambda x, w: fw.cat([x, w]),
    "stack": lambda x, w: fw.stack([x, w]),
    "expand": lambda x, w: x.expand(3, 2, 2) + w,
    "clone": lambda x, w: x.clone() + w.clone(),
    "to itself": lambda x, w: x.to(fw.float32) + w.contiguous(),
    "where": lambda x, w: fw.where(x > 0, x, w),
    "maximum": lambda x, w: fw.maximum(x, w),
    "select": lambda x, w: x[0] + w[0],
    "transposed": lambda x, w: x.t() + w,
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph")
def test_gradients_never_share_memory(name, create_graph):
    x, w = leaf([[1.0, 2.0], [3.0, 4.0]]), leaf([[1.0, 2.0], [3.0, 4.0]])
    y = PAIRS[name](x, w)
    v = fw.ones_like(y)
    y.retain_grad()
    y.backward(v, create_graph=create_graph)
    assert not shares(x.grad, w.grad)
    for grad in (x.grad, w.grad, y.grad):
        assert not shares(grad, v)
        assert grad._array.flags.writeable
    assert not shares(y.grad, x.grad) and not shares(y.grad, w.grad)
    assert not shares(x.grad, x) and not shares(w.grad, w)
    before = w.grad.tolist()
    x.grad.detach().zero_()
    assert w.grad.tolist() == before
    assert v.tolist() == fw.ones_like(v).tolist()


def test_backward_leaves_the_given_gradient_alone():
    x, v = leaf([1.0, 2.0]), fw.tensor([3.0, 4.0])
    x.backward(v)
    assert x.grad is not v and not shares(x.grad, v)
    x.backward(v)
    assert x.grad.tolist() == [6, 8]
    assert v.tolist() == [3, 4]


def test_accumulation_does_not_write_into_a_given_gradient():
    """The sum of several gradients goes into memory of the engine's own."""
    x, v = leaf([1.0, 2.0]), fw.tensor([3.0, 4.0])
    y = x * 1
    fw.autograd.backward([y, y, y + 0], [v, v, v])
    assert v.tolist() == [3, 4]
    assert x.grad.tolist() == [9, 12]


def test_results_of_autograd_grad_share_nothing():
    x, w = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    v = fw.ones(2)
    y = x + w
    gx, gw, gy, again = fw.autograd.grad(y, (x, w, y, x), v)
    grads = [gx, gw, gy, again]
    assert not any(shares(a, v) for a in grads)
    assert not any(shares(a, b) for i, a in enumerate(grads) for b in grads[i + 1 :])


def test_a_gradient_kept_by_a_hook_is_not_written_to():
    x = leaf([1.0, 2.0])
    kept = []
    y = x * 1
    y.register_hook(kept.append)
    z = y + 0
    z.register_hook(kept.append)
    (z * 2 + y * 3).sum().backward()
    x.sum().backward()
    assert [k.tolist() for k in kept] == [[2, 2], [5, 5]]
    assert x.grad.tolist() == [6, 6]


def test_grad_is_updated_in_place_and_counts_versions():
    x = leaf([1.0, 2.0])
    x.sum().backward()
    grad = x.grad
    assert grad._version == 0
    x.sum().backward()
    assert x.grad is grad and grad._version == 1


# --- frozen parts -------------------------------------------------------------------------------------------------

calls = {"product_input": 0, "product_weight": 0}


def _count(name, value):
    calls[name] += 1
    return value


@op(
    input=lambda g, weight: _count("product_input", g * weight),
    weight=lambda g, input: _count("product_weight", g * input),
)
def product(input, weight):
    """A product that counts how often each of its gradients is computed."""
    return input * weight


@pytest.fixture
def counted():
    calls.update(product_input=0, product_weight=0)
    return calls


def test_only_needed_gradients_are_computed(counted):
    x, frozen, w = fw.ones(2), fw.ones(2), leaf([1.0, 2.0])
    product(x, frozen)
    product(product(x, frozen), w).sum().backward()
    assert counted == {"product_input": 0, "product_weight": 1}
    product(product(x, w), frozen).sum().backward()
    assert counted == {"product_input": 1, "product_weight": 2}


def test_a_gradient_passes_through_a_frozen_layer(counted):
    """Fine-tuning below a frozen head: its input's gradient is needed, its weight's is not."""
    w, frozen = leaf([3.0, 4.0]), fw.tensor([5.0, 6.0])
    product(product(fw.ones(2), w), frozen).sum().backward()
    assert counted == {"product_input": 1, "product_weight": 1}
    assert w.grad.tolist() == [5, 6] and frozen.grad is None


def test_autograd_grad_computes_nothing_else(counted):
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    fw.autograd.grad(product(x, w).sum(), x)
    assert counted == {"product_input": 1, "product_weight": 0}
    product(x, w).sum().backward(inputs=[w])
    assert counted == {"product_input": 1, "product_weight": 1}


def test_a_frozen_part_records_nothing():
    backbone = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8))
    head = nn.Linear(8, 2)
    for parameter in backbone.parameters():
        parameter.requires_grad = False
    features = backbone(fw.randn(3, 4))
    assert features.grad_fn is None and not features.requires_grad
    out = head(features)
    leaves = [n.variable for n in nodes_below(out) if isinstance(n, AccumulateGrad)]
    assert {id(v) for v in leaves} == {id(p) for p in head.parameters()}
    out.sum().backward()
    assert all(p.grad is None for p in backbone.parameters())
    assert all(p.grad is not None for p in head.parameters())


def test_a_frozen_layer_in_the_middle_has_no_edge_to_its_weight():
    frozen = nn.Linear(4, 4)
    for parameter in frozen.parameters():
        parameter.requires_grad = False
    x = fw.randn(3, 4, requires_grad=True)
    out = frozen(x)
    leaves = [n.variable for n in nodes_below(out) if isinstance(n, AccumulateGrad)]
    assert [v is x for v in leaves] == [True]


def test_a_frozen_resnet_with_a_new_head():
    """Given all parameters, the optimizer changes the head alone; the frozen part records nothing."""
    model = models.resnet18(num_classes=10)
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.fc = nn.Linear(model.fc.in_features, 3)
    optimizer = fw.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    out = model(fw.randn(2, 3, 16, 16))
    nodes = nodes_below(out)
    leaves = {id(n.variable) for n in nodes if isinstance(n, AccumulateGrad)}
    assert leaves == {id(model.fc.weight), id(model.fc.bias)}
    assert not any("Conv" in n.name() or "BatchNorm" in n.name() for n in nodes)
    assert len(nodes) <= 4, [n.name() for n in nodes]
    out.sum().backward()
    optimizer.step()
    changed = {name for name, p in model.named_parameters() if not p.equal(before[name])}
    assert changed == {"fc.weight", "fc.bias"}
    assert {name for name, p in model.named_parameters() if p.grad is not None} == changed


# --- order --------------------------------------------------------------------------------------------------------


def test_nodes_are_visited_from_the_latest_to_the_earliest():
    x = leaf([1.0])
    order = []
    tensors = {}
    tensors["a"] = x * 1
    tensors["b"] = tensors["a"] * 2
    tensors["c"] = tensors["a"] * 3
    tensors["d"] = tensors["c"] + tensors["b"]
    for name, tensor in tensors.items():
        tensor.register_hook(lambda g, name=name: order.append(name))
    tensors["d"].backward()
    assert order == ["d", "c", "b", "a"]
    assert x.grad.tolist() == [5]


def test_a_node_runs_once_all_its_gradients_have_come():
    """A ladder has exponentially many paths, and as many nodes as rungs."""
    x = leaf([1.0])
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


# --- threads ------------------------------------------------------------------------------------------------------


def run_in_threads(work, count=2):
    errors = []

    def guarded(number):
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_threads_go_backward_through_their_own_graphs():
    results = {}
    barrier = threading.Barrier(2)

    def work(number):
        x = leaf([float(number + 1)], fw.float64)
        barrier.wait()
        for _ in range(300):
            y = x
            for _ in range(10):
                y = (y * x).sin() + x
            x.grad = None
            y.backward()
        results[number] = x.grad.item()

    def alone(value):
        x = leaf([value], fw.float64)
        y = x
        for _ in range(10):
            y = (y * x).sin() + x
        y.backward()
        return x.grad.item()

    run_in_threads(work)
    assert results == {0: alone(1.0), 1: alone(2.0)}


def test_threads_have_their_own_grad_modes():
    barrier = threading.Barrier(2)

    def work(number):
        x = leaf([1.0])
        for _ in range(200):
            if number:
                with fw.no_grad():
                    barrier.wait()
                    assert not (x * 2).requires_grad
            else:
                barrier.wait()
                assert (x * 2).requires_grad

    run_in_threads(work)


def test_threads_differentiate_twice_while_others_run_formulas_on_arrays():
    """Whether formulas get arrays or Tensors is decided per thread."""
    barrier = threading.Barrier(2)

    def work(number):
        x = leaf([0.5, 1.5], fw.float64)
        barrier.wait()
        for _ in range(100):
            if number:
                (g,) = fw.autograd.grad((x.exp() * x).sum(), x, create_graph=True)
                (gg,) = fw.autograd.grad(g.sum(), x)
                assert np.allclose(gg._array, np.exp(x._array) * (x._array + 2))
            else:
                (g,) = fw.autograd.grad((x.exp() * x).sum(), x)
                assert np.allclose(g._array, np.exp(x._array) * (x._array + 1))

    run_in_threads(work)


def test_a_decorated_function_runs_in_several_threads():
    barrier = threading.Barrier(2)

    @fw.no_grad()
    def evaluate(x, number):
        barrier.wait()
        result = x * 2
        barrier.wait()
        return result

    def work(number):
        x = leaf([1.0])
        for _ in range(100):
            assert not evaluate(x, number).requires_grad
            assert fw.is_grad_enabled()

    run_in_threads(work)


# --- operators ----------------------------------------------------------------------------------------------------


def test_every_operator_has_a_node_type_of_its_own():
    a = (leaf([1.0]) * 2).grad_fn
    b = (leaf([1.0]) * 3).grad_fn
    assert type(a) is type(b) and type(a) is not Node
    assert isinstance(a, Node) and type(a).__name__ == "MulBackward0"


def test_a_formula_that_asks_for_no_argument_is_refused():
    with pytest.raises(TypeError, match="wrong: a gradient formula asks for 'weight', which is no argument"):

        @op(input=lambda g, weight: g)
        def wrong(input):
            return input


def test_an_argument_called_out_is_refused():
    with pytest.raises(TypeError, match="wrong: a formula's 'out' is the result, so no argument may be called so"):

        @op(input=lambda g, out: g * out)
        def wrong(input, out):
            return input


def test_operators_take_tensors_alone():
    with pytest.raises(TypeError, match=r"product\(\): argument 'input' \(position 1\) must be Tensor, not ndarray"):
        product(np.ones(2), np.ones(2))


@pytest.mark.parametrize("wrong", [[1.0], 3, "text", None])
def test_an_argument_that_must_be_a_tensor(wrong):
    kind = type(wrong).__name__
    with pytest.raises(TypeError, match=rf"mv\(\): argument 'vec' \(position 2\) must be Tensor, not {kind}"):
        fw.mv(fw.ones(2, 2), wrong)
    with pytest.raises(TypeError, match=rf"gather\(\): argument 'index' \(position 3\) must be Tensor, not {kind}"):
        fw.gather(fw.ones(2), 0, wrong)


def test_missing_surplus_and_unknown_arguments():
    x = fw.ones(2)
    with pytest.raises(TypeError, match=r"gather\(\) missing 1 required positional argument"):
        fw.gather(x, 0)
    with pytest.raises(TypeError, match=r"exp\(\) takes 1 positional argument but 2 were given"):
        fw.exp(x, x)
    with pytest.raises(TypeError, match=r"exp\(\) got an unexpected keyword argument 'base'"):
        fw.exp(x, base=2)
    with pytest.raises(TypeError, match=r"sum\(\) got multiple values for argument 'dim'"):
        fw.sum(x, 0, dim=0)
