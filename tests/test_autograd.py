"""Autograd as a user meets it: gradients, grad modes, hooks, custom functions, errors.

The tests run on the framework and, where torch is installed, on torch too: what they expect is PyTorch's behaviour.
"""

from __future__ import annotations

import gc
import threading
import warnings
import weakref

import pytest

import framework as fw


@pytest.fixture(params=["framework", "torch"])
def lib(request):
    if request.param == "framework":
        return fw
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


def leaf(lib, values, dtype="float32"):
    return lib.tensor(values, dtype=getattr(lib, dtype), requires_grad=True)


# --- numbers ------------------------------------------------------------------------------------------------------


def test_derivative_of_a_polynomial(lib):
    x = lib.tensor(2.0, requires_grad=True)
    y = 9 * x**4 + 2 * x**3 + 3 * x**2 + 6 * x + 1
    y.backward()
    assert x.grad.item() == 330


def test_gradient_of_a_square(lib):
    x = lib.arange(6.0).reshape(2, 3).requires_grad_()
    ((x + 3) * (x + 3)).sum().backward()
    assert x.grad.tolist() == [[6, 8, 10], [12, 14, 16]]


@pytest.mark.parametrize("through_sum", [False, True])
def test_gradients_of_two_inputs(lib, through_sum):
    a, b = leaf(lib, [2.0, 3.0]), leaf(lib, [6.0, 4.0])
    q = 3 * a**3 + 2 * b**2
    if through_sum:
        q.sum().backward()
    else:
        q.backward(lib.ones(2))
    assert a.grad.tolist() == [36, 81]
    assert b.grad.tolist() == [24, 16]


def test_backward_from_a_given_gradient(lib):
    x = lib.ones(3, requires_grad=True)
    z = 3 * x**2
    z.backward(lib.tensor([0.1, 1.0, 10.0]))
    assert x.grad.tolist() == pytest.approx([0.6, 6, 60])


def test_doubling_until_the_norm_is_large(lib):
    x = leaf(lib, [0.5, -1.0, 2.0])
    y = x * 2
    doublings = 1
    while y.data.norm() < 1000:
        y = y * 2
        doublings += 1
    v = lib.tensor([0.1, 1.0, 0.0001])
    y.backward(v)
    assert doublings == 9
    assert x.grad.tolist() == pytest.approx([51.2, 512, 0.0512])


def test_a_value_used_twice_adds_up(lib):
    x = leaf(lib, 3.0)
    y = x * x
    (y * y + y).backward()
    assert x.grad.item() == 4 * 27 + 6


def test_broadcasting_is_summed_back(lib):
    row, column, scalar = leaf(lib, [1.0, 2.0, 3.0]), leaf(lib, [[10.0], [20.0]]), leaf(lib, 0.5)
    (row * column * scalar).sum().backward()
    assert row.grad.tolist() == [15, 15, 15]
    assert column.grad.tolist() == [[3], [3]]
    assert scalar.grad.item() == 180


def test_gradient_has_the_type_of_its_tensor(lib):
    half, double = leaf(lib, [1.0, 2.0], "float32"), leaf(lib, [3.0, 4.0], "float64")
    (half * double).sum().backward()
    assert half.grad.dtype == lib.float32
    assert double.grad.dtype == lib.float64


def test_integer_results_cut_the_graph(lib):
    x = leaf(lib, [1.5, -2.5])
    assert not x.argmax().requires_grad
    assert not (x > 0).requires_grad
    assert not x.long().requires_grad


# --- grad_fn ------------------------------------------------------------------------------------------------------

NAMES = {
    "AddBackward0": lambda x: x + 2,
    "SubBackward0": lambda x: x - x,
    "MulBackward0": lambda x: x * x,
    "DivBackward0": lambda x: x / 2,
    "PowBackward0": lambda x: x**2,
    "PowBackward1": lambda x: x ** x.detach(),
    "NegBackward0": lambda x: -x,
    "SumBackward0": lambda x: x.sum(),
    "SumBackward1": lambda x: x.sum(0),
    "MeanBackward0": lambda x: x.mean(),
    "MeanBackward1": lambda x: x.mean(1),
    "ExpBackward0": lambda x: x.exp(),
    "LogBackward0": lambda x: x.log(),
    "SqrtBackward0": lambda x: x.sqrt(),
    "SinBackward0": lambda x: x.sin(),
    "TanhBackward0": lambda x: x.tanh(),
    "SigmoidBackward0": lambda x: x.sigmoid(),
    "AbsBackward0": lambda x: x.abs(),
    "RsubBackward1": lambda x: 1 - x,
    "ReciprocalBackward0": lambda x: x.reciprocal(),
    "MmBackward0": lambda x: x @ x,
    "TBackward0": lambda x: x.t(),
    "TransposeBackward0": lambda x: x.transpose(0, 1),
    "PermuteBackward0": lambda x: x.permute(1, 0),
    "ViewBackward0": lambda x: x.view(-1),
    "UnsqueezeBackward0": lambda x: x.unsqueeze(0),
    "SqueezeBackward0": lambda x: x.squeeze(),
    "ExpandBackward0": lambda x: x.expand(3, 2, 2),
    "RepeatBackward0": lambda x: x.repeat(2, 1),
    "SelectBackward0": lambda x: x[0],
    "SliceBackward0": lambda x: x[:1],
    "IndexBackward0": lambda x: x[[0, 1]],
    "UnbindBackward0": lambda x: x.unbind()[0],
    "SplitBackward0": lambda x: x.split(1)[0],
    "CloneBackward0": lambda x: x.clone(),
    "ToCopyBackward0": lambda x: x.double(),
    "MaxBackward0": lambda x: x.max(0).values,
    "MaxBackward1": lambda x: x.max(),
    "CumsumBackward0": lambda x: x.cumsum(0),
    "SoftmaxBackward0": lambda x: x.softmax(0),
    "LogSoftmaxBackward0": lambda x: x.log_softmax(0),
    "DiagonalBackward0": lambda x: x.diagonal(),
    "GatherBackward0": lambda x: x.gather(0, x.detach().long() * 0),
    "MaskedFillBackward0": lambda x: x.masked_fill(x > 2, 0.0),
}


@pytest.mark.parametrize("name", NAMES)
def test_grad_fn_has_torchs_name(lib, name):
    x = leaf(lib, [[1.0, 2.0], [3.0, 4.0]])
    y = NAMES[name](x)
    assert y.grad_fn.name() == name
    assert f"grad_fn=<{name}>" in repr(y)


def test_leaves_have_no_grad_fn(lib):
    x = leaf(lib, [1.0])
    constant = lib.ones(1) * 2
    assert x.grad_fn is None and x.is_leaf
    assert constant.grad_fn is None and constant.is_leaf
    assert not (x * 2).is_leaf


def test_repr_of_a_node_names_it(lib):
    assert repr((leaf(lib, [1.0]) + 1).grad_fn).startswith("<AddBackward0 object at 0x")


def test_next_functions_lead_to_the_leaves(lib):
    x, y = leaf(lib, [1.0]), leaf(lib, [2.0])
    z = x * 2 + y
    (first, number), (second, _) = z.grad_fn.next_functions
    assert (first.name(), number) == ("MulBackward0", 0)
    assert second.name().endswith("AccumulateGrad")
    assert second.variable is y
    assert first.next_functions[0][0].variable is x


def test_next_functions_of_several_results(lib):
    x = leaf(lib, [[1.0, 2.0], [3.0, 4.0]])
    a, b = (x * 1).unbind()
    (_, left), (_, right) = (a + b).grad_fn.next_functions
    assert (left, right) == (0, 1)
    assert (a.output_nr, b.output_nr) == (0, 1)
    assert a.grad_fn is b.grad_fn or a.grad_fn == b.grad_fn


# --- requires_grad ------------------------------------------------------------------------------------------------


def test_a_result_requires_grad_if_an_input_does(lib):
    x, y = lib.ones(2), lib.ones(2, requires_grad=True)
    assert not (x + x).requires_grad
    assert (x + y).requires_grad
    assert (y + x).requires_grad
    assert lib.stack([x, y]).requires_grad


def test_requires_grad_on_a_computed_tensor_starts_history_there(lib):
    x = lib.tensor([2.0, 3.0])
    a = x * 3 / (x - 1)
    assert not a.requires_grad
    assert a.requires_grad_() is a
    b = (a * a).sum()
    assert b.grad_fn is not None
    b.backward()
    assert a.is_leaf and x.grad is None
    assert a.grad.tolist() == [12, 9]


@pytest.mark.parametrize("data, dtype", [([1], None), (1, None), (True, None), ([1.5], "int64"), ([True], None)])
def test_integers_cannot_require_grad(lib, data, dtype):
    with pytest.raises(RuntimeError, match="Only Tensors of floating point and complex dtype can require gradients"):
        lib.tensor(data, dtype=dtype and getattr(lib, dtype), requires_grad=True)


def test_requires_grad_of_an_integer_tensor_cannot_be_set(lib):
    x = lib.tensor([1])
    with pytest.raises(RuntimeError, match="only Tensors of floating point"):
        x.requires_grad_()
    with pytest.raises(RuntimeError, match="only Tensors of floating point"):
        x.requires_grad = True
    x.requires_grad = False


def test_requires_grad_of_a_computed_tensor_cannot_be_taken_away(lib):
    y = leaf(lib, [1.0]) * 2
    assert y.requires_grad_() is y
    with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf variables"):
        y.requires_grad = True
    with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf variables"):
        y.requires_grad = False


def test_complex_tensors_can_require_grad(lib):
    assert lib.tensor([1j], requires_grad=True).requires_grad


# --- grad ---------------------------------------------------------------------------------------------------------


def test_grad_is_none_before_backward(lib):
    x = leaf(lib, [1.0])
    y = (x * 2).sum()
    assert x.grad is None
    y.backward()
    assert x.grad.tolist() == [2]
    assert not x.grad.requires_grad


def test_grad_of_a_non_leaf_warns_and_is_none(lib):
    x = leaf(lib, [1.0])
    y = x * 2
    y.sum().backward()
    with pytest.warns(UserWarning, match="The .grad attribute of a Tensor that is not a leaf Tensor is being accessed"):
        assert y.grad is None


def test_retain_grad(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    y.retain_grad()
    assert y.retains_grad and not x.retains_grad
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert y.grad is None
    (y * y).sum().backward()
    assert y.grad.tolist() == [4, 8]
    assert x.grad.tolist() == [8, 16]


def test_retained_gradients_accumulate(lib):
    y = leaf(lib, [1.0]) * 2
    y.retain_grad()
    z = y * 3
    z.backward(retain_graph=True)
    z.backward()
    assert y.grad.tolist() == [6]


def test_retain_grad_follows_a_tensor_written_in_place(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    assert y.grad.tolist() == [1, 1]
    assert x.grad.tolist() == [6, 6]


def test_retain_grad_of_one_of_several_results(lib):
    x = leaf(lib, [[1.0, 2.0], [3.0, 4.0]])
    a, b = (x * 1).unbind()
    b.retain_grad()
    (a * b).sum().backward()
    assert b.grad.tolist() == [1, 2]


def test_retain_grad_of_a_leaf_does_nothing(lib):
    x = leaf(lib, [1.0])
    x.retain_grad()
    assert not x.retains_grad


def test_retain_grad_needs_requires_grad(lib):
    with pytest.raises(RuntimeError, match="can't retain_grad on Tensor that has requires_grad=False"):
        lib.ones(1).retain_grad()


def test_gradients_accumulate_until_zeroed(lib):
    x = leaf(lib, [1.0, 2.0])
    (x * x).sum().backward()
    first = x.grad
    (x * x).sum().backward()
    assert x.grad.tolist() == [4, 8]
    assert x.grad is first, "accumulation happens in place"
    x.grad.zero_()
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]
    x.grad = None
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]


def test_grad_can_be_assigned_and_deleted(lib):
    x = leaf(lib, [1.0, 2.0])
    x.grad = lib.tensor([10.0, 20.0])
    x.sum().backward()
    assert x.grad.tolist() == [11, 21]
    del x.grad
    assert x.grad is None


@pytest.mark.parametrize(
    "value, error, message",
    [
        (lambda lib, x: lib.ones(3), RuntimeError, "Please ensure that the gradient and the tensor are the same size"),
        (lambda lib, x: lib.ones(2, dtype=lib.float64), RuntimeError, "attempting to assign a gradient with dtype"),
        (lambda lib, x: [1.0, 1.0], TypeError, "expected to be a Tensor or None"),
        (lambda lib, x: x, RuntimeError, "can't assign Variable as its own grad"),
    ],
)
def test_assigning_an_impossible_grad(lib, value, error, message):
    x = leaf(lib, [1.0, 2.0])
    with pytest.raises(error, match=message):
        x.grad = value(lib, x)
    assert x.grad is None


# --- backward: options and errors ---------------------------------------------------------------------------------


def test_backward_needs_a_scalar_or_a_gradient(lib):
    y = leaf(lib, [1.0, 2.0]) * 2
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        y.backward()


def test_backward_of_one_element_needs_no_gradient(lib):
    x = leaf(lib, [[3.0]])
    (x * x).backward()
    assert x.grad.tolist() == [[6]]


def test_backward_without_history(lib):
    with pytest.raises(RuntimeError, match="element 0 of tensors does not require grad and does not have a grad_fn"):
        lib.ones(1).backward()
    with pytest.raises(RuntimeError, match="element 1 of tensors does not require grad"):
        lib.autograd.backward([leaf(lib, 1.0) * 2, lib.ones(1)])


def test_backward_of_a_gradient_of_another_shape(lib):
    y = leaf(lib, [1.0, 2.0]) * 2
    with pytest.raises(RuntimeError, match=r"Mismatch in shape: grad_output\[0\] has a shape of torch.Size\(\[3\]\)"):
        y.backward(lib.ones(3))


def test_backward_of_a_gradient_that_is_no_tensor(lib):
    y = leaf(lib, [1.0, 2.0]) * 2
    with pytest.raises(TypeError, match="gradients can be either Tensors or None, but got"):
        lib.autograd.backward([y], [3])


def test_second_backward_through_a_freed_graph(lib):
    x = leaf(lib, [1.0, 2.0])
    y = (x * x).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="Trying to backward through the graph a second time"):
        y.backward()
    assert x.grad.tolist() == [2, 4]


def test_second_backward_where_nothing_was_saved(lib):
    x = leaf(lib, [1.0, 2.0])
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2, 2]


def test_retain_graph(lib):
    x = leaf(lib, [1.0, 2.0])
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4, 8]
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_backward_of_several_tensors(lib):
    x = leaf(lib, [1.0, 2.0])
    lib.autograd.backward([(x * x).sum(), x * 3], [None, lib.tensor([1.0, 10.0])])
    assert x.grad.tolist() == [5, 34]


def test_backward_of_several_tensors_needs_as_many_gradients(lib):
    y = leaf(lib, [1.0]) * 2
    with pytest.raises(RuntimeError, match="got 2 tensors and 1 gradients"):
        lib.autograd.backward([y, y], [lib.ones(1)])


def test_backward_of_the_same_tensor_twice_adds_up(lib):
    x = leaf(lib, [3.0])
    y = x * x
    lib.autograd.backward([y, y])
    assert x.grad.tolist() == [12]


def test_backward_of_a_leaf(lib):
    x = leaf(lib, [1.0, 2.0])
    x.backward(lib.tensor([3.0, 4.0]))
    assert x.grad.tolist() == [3, 4]


def test_backward_into_chosen_inputs(lib):
    x, w = leaf(lib, [1.0, 2.0]), leaf(lib, [3.0, 4.0])
    (x * w).sum().backward(inputs=[x])
    assert x.grad.tolist() == [3, 4]
    assert w.grad is None


def test_backward_into_one_input_given_alone(lib):
    x, w = leaf(lib, [1.0, 2.0]), leaf(lib, [3.0, 4.0])
    (x * w).sum().backward(inputs=w)
    assert x.grad is None
    assert w.grad.tolist() == [1, 2]


def test_backward_into_a_non_leaf(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    (y * y).sum().backward(inputs=[y])
    assert y.grad.tolist() == [4, 8]
    assert x.grad is None


def test_backward_into_a_non_leaf_that_retains_its_gradient(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    y.retain_grad()
    (y * y).sum().backward(inputs=[y, x])
    assert y.grad.tolist() == [4, 8]
    assert x.grad.tolist() == [8, 16]


def test_backward_into_inputs_goes_only_where_it_must(lib):
    x, w = leaf(lib, [1.0, 2.0]), leaf(lib, [3.0, 4.0])
    side = w.exp()
    loss = (x * x).sum() + side.sum()
    loss.backward(inputs=[x])
    side.sum().backward()  # its saved tensors are still there
    assert x.grad.tolist() == [2, 4]
    assert w.grad.tolist() == pytest.approx([20.085537, 54.598150])


def test_backward_into_no_inputs(lib):
    with pytest.raises(RuntimeError, match=r"`inputs` argument to `backward\(\)` cannot be empty"):
        (leaf(lib, 1.0) * 2).backward(inputs=[])


def test_backward_into_what_is_no_tensor(lib):
    y = leaf(lib, 1.0) * 2
    with pytest.raises(RuntimeError, match="all inputs have to be Tensors or GradientEdges, but got int"):
        y.backward(inputs=[3])


def test_backward_into_a_tensor_that_needs_no_gradient(lib):
    x, constant = leaf(lib, [1.0]), lib.ones(1)
    with pytest.raises(RuntimeError, match="requires_grad=False"):
        (x * constant).backward(inputs=[constant])
    assert constant.grad is None


def test_an_error_in_backward_leaves_leaves_alone(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x.exp()
    z = y.sum() + x.sum()
    with lib.no_grad():
        y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()
    assert y.is_leaf is False
    if lib is fw:
        assert x.grad is None, "gradients reach the leaves all together or not at all"


# --- autograd.grad ------------------------------------------------------------------------------------------------


def test_grad_returns_gradients_and_touches_no_leaf(lib):
    x, w = leaf(lib, [1.0, 2.0]), leaf(lib, [3.0, 4.0])
    gx, gw = lib.autograd.grad((x * w).sum(), (x, w))
    assert gx.tolist() == [3, 4]
    assert gw.tolist() == [1, 2]
    assert x.grad is None and w.grad is None
    assert not gx.requires_grad


def test_grad_of_one_input_is_a_tuple_of_one(lib):
    x = leaf(lib, [1.0])
    result = lib.autograd.grad(x * 3, x)
    assert type(result) is tuple and len(result) == 1
    assert result[0].tolist() == [3]


def test_grad_at_a_non_leaf(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    z = (y * y).sum()
    gy, gx = lib.autograd.grad(z, (y, x))
    assert gy.tolist() == [4, 8]
    assert gx.tolist() == [8, 16]


def test_grad_of_a_tensor_at_itself(lib):
    y = leaf(lib, [1.0, 2.0]) * 2
    assert lib.autograd.grad(y, y, lib.tensor([3.0, 4.0]))[0].tolist() == [3, 4]


def test_grad_at_one_of_several_results(lib):
    x = leaf(lib, [[1.0, 2.0], [3.0, 4.0]])
    a, b = (x * 1).unbind()
    ga, gb = lib.autograd.grad((a * b * b).sum(), (a, b))
    assert ga.tolist() == [9, 16]
    assert gb.tolist() == [6, 16]


def test_grad_of_the_same_input_twice(lib):
    x = leaf(lib, [2.0])
    first, second = lib.autograd.grad(x * x, (x, x))
    assert first.tolist() == second.tolist() == [4]


def test_grad_outputs(lib):
    x = leaf(lib, [1.0, 2.0])
    a, b = x * 2, x * x
    (g,) = lib.autograd.grad([a, b], [x], grad_outputs=[lib.tensor([1.0, 0.0]), lib.tensor([0.0, 1.0])])
    assert g.tolist() == [2, 4]


def test_grad_of_an_unused_input(lib):
    x, unused = leaf(lib, [1.0]), leaf(lib, [1.0, 2.0])
    y = x * x
    with pytest.raises(RuntimeError, match="appears to not have been used in the graph"):
        lib.autograd.grad(y, [x, unused], retain_graph=True)
    g, none = lib.autograd.grad(y, [x, unused], retain_graph=True, allow_unused=True)
    assert g.tolist() == [2] and none is None
    _, zeros = lib.autograd.grad(y, [x, unused], materialize_grads=True)
    assert zeros.tolist() == [0, 0]


def test_materialize_grads_excludes_allow_unused_false(lib):
    x = leaf(lib, [1.0])
    with pytest.raises(ValueError, match="Expected allow_unused to be True or not passed when materialize_grads=True"):
        lib.autograd.grad(x * 2, x, allow_unused=False, materialize_grads=True)


def test_grad_at_a_tensor_that_needs_none(lib):
    with pytest.raises(RuntimeError, match="One of the differentiated Tensors does not require grad"):
        lib.autograd.grad(leaf(lib, [1.0]) * 2, lib.ones(1))


def test_grad_needs_inputs(lib):
    with pytest.raises(RuntimeError, match=r"`inputs` argument to `grad\(\)` cannot be empty"):
        lib.autograd.grad(leaf(lib, [1.0]) * 2, [])


def test_grad_frees_the_graph_unless_told(lib):
    x = leaf(lib, [2.0])
    y = x * x
    lib.autograd.grad(y, x, retain_graph=True)
    lib.autograd.grad(y, x)
    with pytest.raises(RuntimeError, match="second time"):
        lib.autograd.grad(y, x)


def test_only_inputs_is_deprecated(lib):
    x = leaf(lib, [2.0])
    with pytest.warns(FutureWarning, match="only_inputs"):
        lib.autograd.grad(x * x, x, only_inputs=False)


# --- higher derivatives -------------------------------------------------------------------------------------------


def test_derivatives_to_third_order(lib):
    x = leaf(lib, 2.0, "float64")
    y = x**5
    expected = [5 * 2**4, 20 * 2**3, 60 * 2**2, 120 * 2]
    for value in expected:
        (y,) = lib.autograd.grad(y, x, create_graph=True)
        assert y.item() == value


def test_third_derivative_of_a_composition(lib):
    x = leaf(lib, [0.3, -1.2], "float64")
    y = x.sin().exp()
    for _ in range(3):
        (y,) = lib.autograd.grad(y.sum(), x, create_graph=True)
    s, c = x.detach().sin(), x.detach().cos()
    expected = (c**3 - 3 * s * c - c) * s.exp()
    assert y.tolist() == pytest.approx(expected.tolist())


def test_backward_through_a_gradient(lib):
    """A gradient penalty: the loss holds the norm of another gradient."""
    x, w = leaf(lib, [1.0, 2.0], "float64"), leaf(lib, [3.0, 4.0], "float64")
    y = (x * x * w).sum()
    (gx,) = lib.autograd.grad(y, x, create_graph=True)
    assert gx.requires_grad
    (gx**2).sum().backward()
    assert x.grad.tolist() == [8 * 1 * 9, 8 * 2 * 16]
    assert w.grad.tolist() == [8 * 1 * 3, 8 * 4 * 4]


def test_backward_with_create_graph(lib):
    x = leaf(lib, [2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of the reference cycle that it makes
        (x**3).backward(create_graph=True)
    first = x.grad
    assert first.tolist() == [12] and first.requires_grad
    x.grad = None
    first.backward()
    assert x.grad.tolist() == [12]


def test_backward_with_create_graph_warns_of_the_cycle():
    with pytest.warns(UserWarning, match="will create a reference cycle between the parameter and its gradient"):
        (leaf(fw, [2.0]) ** 3).backward(create_graph=True)


def test_create_graph_keeps_the_graph(lib):
    x = leaf(lib, [2.0])
    y = x * x
    lib.autograd.grad(y, x, create_graph=True)
    lib.autograd.grad(y, x)


def test_second_derivative_of_a_linear_function(lib):
    x = leaf(lib, [1.0, 2.0])
    (g,) = lib.autograd.grad((x * 3).sum(), x, create_graph=True)
    assert g.tolist() == [3, 3]
    assert not g.requires_grad
    (zero,) = lib.autograd.grad((x * 3).sum() + (x * 0).sum(), x, create_graph=True)
    assert zero.tolist() == [3, 3]


def test_gradient_with_respect_to_the_given_gradient(lib):
    """Double backward trick: the vector-Jacobian product differentiated by its vector is a Jacobian-vector product."""
    x, v = leaf(lib, [1.0, 2.0, 3.0], "float64"), leaf(lib, [1.0, 1.0, 1.0], "float64")
    (vjp,) = lib.autograd.grad(x**3, x, v, create_graph=True)
    (jvp,) = lib.autograd.grad(vjp, v, lib.tensor([1.0, 10.0, 100.0], dtype=lib.float64))
    assert jvp.tolist() == [3, 120, 2700]


def test_create_graph_shares_no_gradient_between_leaves(lib):
    x, w = leaf(lib, [1.0]), leaf(lib, [1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (x + w).backward(create_graph=True)
    x.grad.detach().zero_()
    assert w.grad.tolist() == [1]


# --- no_grad and its kin ------------------------------------------------------------------------------------------


def test_no_grad(lib):
    x = leaf(lib, [1.0])
    with lib.no_grad():
        y = x * 2
        assert not lib.is_grad_enabled()
        assert x.requires_grad, "tensors' own flags never change"
    assert not y.requires_grad and y.grad_fn is None
    assert (x * 2).requires_grad
    assert lib.is_grad_enabled()


def test_enable_grad_inside_no_grad(lib):
    x = leaf(lib, [1.0])
    with lib.no_grad():
        with lib.enable_grad():
            y = x * 2
        z = x * 2
    assert y.requires_grad and not z.requires_grad


def test_grad_mode_is_restored_after_an_error(lib):
    with pytest.raises(KeyError), lib.no_grad():
        raise KeyError
    assert lib.is_grad_enabled()


def test_one_context_object_nests(lib):
    mode = lib.no_grad()
    with mode:
        with lib.enable_grad(), mode:
            assert not lib.is_grad_enabled()
        assert not lib.is_grad_enabled()
    assert lib.is_grad_enabled()


def test_set_grad_enabled_as_a_function(lib):
    x = leaf(lib, [1.0])
    lib.set_grad_enabled(False)
    try:
        assert not (x * 2).requires_grad
    finally:
        lib.set_grad_enabled(True)
    assert (x * 2).requires_grad


@pytest.mark.parametrize("flag", [True, False])
def test_set_grad_enabled_as_a_context(lib, flag):
    x = leaf(lib, [1.0])
    with lib.no_grad():
        with lib.set_grad_enabled(flag):
            y = x * 2
        assert not lib.is_grad_enabled()
    assert y.requires_grad is flag
    assert lib.is_grad_enabled()


def test_inference_mode(lib):
    x = lib.ones(2, requires_grad=True)
    with lib.inference_mode():
        assert lib.is_inference_mode_enabled()
        assert not lib.is_grad_enabled()
        assert not (x * 2).requires_grad
        with lib.inference_mode(False):
            assert not lib.is_inference_mode_enabled()
            assert (x * 2).requires_grad
    assert not lib.is_inference_mode_enabled()
    assert (x * 2).requires_grad


DECORATORS = {
    "no_grad()": lambda lib: lib.no_grad(),
    "no_grad": lambda lib: lib.no_grad,
    "inference_mode()": lambda lib: lib.inference_mode(),
    "inference_mode": lambda lib: lib.inference_mode,
    "set_grad_enabled": lambda lib: lib.set_grad_enabled(False),
}


@pytest.mark.parametrize("name", DECORATORS)
def test_decorated_functions(lib, name):
    decorate = DECORATORS[name](lib)

    @decorate
    def double(x, *, by=2):
        """Doubles."""
        return x * by

    x = leaf(lib, [1.0])
    assert lib.is_grad_enabled(), "decorating changes nothing outside"
    assert not double(x).requires_grad
    assert double(x, by=3).tolist() == [3]
    assert (x * 2).requires_grad
    assert double.__name__ == "double" and double.__doc__ == "Doubles."


def test_enable_grad_as_a_decorator(lib):
    @lib.enable_grad()
    def double(x):
        return x * 2

    with lib.no_grad():
        assert double(leaf(lib, [1.0])).requires_grad
        assert not lib.is_grad_enabled()


def test_decorated_methods(lib):
    class Model:
        factor = 2

        @lib.no_grad()
        def called(self, x):
            return x * self.factor

        @lib.no_grad
        def bare(self, x):
            return x * self.factor

    x = leaf(lib, [1.0])
    assert Model().called(x).tolist() == [2] and not Model().called(x).requires_grad
    assert Model().bare(x).tolist() == [2] and not Model().bare(x).requires_grad


def test_decorated_recursion(lib):
    @lib.no_grad()
    def count(n):
        assert not lib.is_grad_enabled()
        return 0 if n == 0 else 1 + count(n - 1)

    assert count(5) == 5
    assert lib.is_grad_enabled()


def test_decorated_generators_run_in_the_mode_and_their_consumers_do_not(lib):
    @lib.no_grad()
    def numbers():
        assert not lib.is_grad_enabled()
        got = yield 1
        assert not lib.is_grad_enabled()
        try:
            yield got
        except KeyError:
            assert not lib.is_grad_enabled()
            yield "caught"
        return "done"

    generator = numbers()
    assert lib.is_grad_enabled()
    assert next(generator) == 1
    assert lib.is_grad_enabled()
    assert generator.send("sent") == "sent"
    assert generator.throw(KeyError()) == "caught"
    assert lib.is_grad_enabled()
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "done"
    assert lib.is_grad_enabled()


def test_decorated_generators_clean_up_in_the_mode(lib):
    seen = []

    @lib.no_grad()
    def numbers():
        try:
            yield 1
        finally:
            seen.append(lib.is_grad_enabled())

    generator = numbers()
    next(generator)
    generator.close()
    assert seen == [False]
    assert lib.is_grad_enabled()


def test_grad_mode_is_thread_local(lib):
    seen = []
    with lib.no_grad():
        thread = threading.Thread(target=lambda: seen.append(lib.is_grad_enabled()))
        thread.start()
        thread.join()
        assert not lib.is_grad_enabled()
    assert seen == [True]


def test_leaves_may_be_written_to_in_no_grad(lib):
    w = leaf(lib, [1.0, 2.0])
    w.sum().backward()
    with lib.no_grad():
        w -= 0.5 * w.grad
    assert w.tolist() == [0.5, 1.5]
    assert w.requires_grad and w.is_leaf


# --- detach and data ----------------------------------------------------------------------------------------------


def test_detach_shares_memory_and_cuts_history(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    d = y.detach()
    assert not d.requires_grad and d.is_leaf and d.grad_fn is None
    d[0] = 10
    assert y.tolist() == [10, 4]
    assert d._version == y._version == 1
    (y * d).sum().backward()
    assert x.grad.tolist() == [20, 8]


def test_a_write_through_detach_is_noticed(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x.exp()
    z = y.sum()
    y.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


def test_data_shares_memory_and_escapes_the_version_counter(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * x
    x.data[0] = 5
    assert x._version == 0
    assert not x.data.requires_grad
    y.sum().backward()
    assert x.grad.tolist() == [10, 4], "PyTorch's known hazard of .data"


def test_data_can_be_replaced(lib):
    x = leaf(lib, [1.0, 2.0])
    x.data = lib.tensor([7.0, 8.0, 9.0])
    assert x.tolist() == [7, 8, 9] and x.requires_grad
    x.sum().backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_detach_in_place(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    assert y.detach_() is y
    assert not y.requires_grad and y.grad_fn is None
    with pytest.raises(RuntimeError, match="Can't detach views in-place"):
        (x * 2)[0].detach_()


# --- in-place errors ----------------------------------------------------------------------------------------------


def test_leaves_cannot_be_written_to(lib):
    x = leaf(lib, [1.0])
    for write in (lambda: x.add_(1), lambda: x.mul_(x), lambda: x.zero_(), lambda: x.__setitem__(0, 1.0)):
        with pytest.raises(RuntimeError, match=r"leaf Variable that requires grad is being used in an in-place"):
            write()
    assert x.tolist() == [1]


def test_a_stale_saved_tensor_is_named(lib):
    x = leaf(lib, [[1.0, 2.0, 3.0]])
    y = x.exp()
    z = y * 2
    y.add_(1)
    message = (
        r"one of the variables needed for gradient computation has been modified by an inplace operation: "
        r"\[torch.FloatTensor \[1, 3\]\], which is output 0 of Exp(Backward0)?, is at version 1; "
        r"expected version 0 instead"
    )
    with pytest.raises(RuntimeError, match=message):
        z.sum().backward()


def test_an_unneeded_value_may_be_overwritten(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    z = y + 1  # saves nothing
    y.mul_(100)
    z.sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_a_value_saved_after_a_write_is_current(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2
    y.add_(1)
    (y * y).sum().backward()
    assert x.grad.tolist() == [12, 20]


# --- hooks --------------------------------------------------------------------------------------------------------


def test_a_hook_sees_and_replaces_a_gradient(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 3
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.sum().backward()
    assert seen == [[1, 1], [10, 10]]
    assert x.grad.tolist() == [30, 30]


def test_a_hook_on_a_leaf(lib):
    x = leaf(lib, [1.0, 2.0])
    handle = x.register_hook(lambda g: g + 1)
    y = x * x + x
    y.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [4, 6], "called once, with the whole gradient"
    handle.remove()
    x.grad = None
    y.sum().backward()
    assert x.grad.tolist() == [3, 5]


def test_a_hook_on_a_leaf_applies_to_autograd_grad(lib):
    x = leaf(lib, [1.0, 2.0])
    x.register_hook(lambda g: g * 5)
    assert lib.autograd.grad((x * x).sum(), x)[0].tolist() == [10, 20]


def test_a_hook_runs_after_all_uses_have_sent_their_gradients(lib):
    x = leaf(lib, [1.0])
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(g.item()))
    (y * 3 + y * 4).backward()
    assert seen == [7]


def test_a_hook_is_a_context_manager(lib):
    x = leaf(lib, [1.0])
    with x.register_hook(lambda g: g * 0):
        (x * 2).backward()
    (x * 2).backward()
    assert x.grad.tolist() == [2]


def test_a_removed_hook_may_be_removed_again(lib):
    handle = leaf(lib, [1.0]).register_hook(lambda g: None)
    handle.remove()
    handle.remove()


def test_a_hook_needs_requires_grad(lib):
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        lib.ones(1).register_hook(lambda g: None)


def test_a_hook_must_return_a_tensor(lib):
    x = leaf(lib, [1.0])
    x.register_hook(lambda g: 3)
    with pytest.raises((TypeError, RuntimeError), match="hook"):
        (x * 2).backward()


def test_a_hook_keeps_working_on_the_value_it_was_registered_on(lib):
    x = leaf(lib, [1.0])
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(g.item()))
    y.mul_(3)
    (y * 5).backward()
    assert seen == [15]


def test_hooks_on_several_results(lib):
    x = leaf(lib, [[1.0, 2.0], [3.0, 4.0]])
    a, b = (x * 1).unbind()
    a.register_hook(lambda g: g * 10)
    (a + b).sum().backward()
    assert x.grad.tolist() == [[10, 10], [1, 1]]


def test_retained_gradients_come_after_hooks(lib):
    x = leaf(lib, [1.0])
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    (y * 3).backward()
    assert y.grad.tolist() == [30]


def test_a_hook_may_keep_a_gradient(lib):
    x = leaf(lib, [1.0, 2.0])
    kept = []
    x.register_hook(kept.append)
    (x * 2).sum().backward()
    x.grad.zero_()
    assert kept[0].tolist() == [2, 2]


def test_hooks_see_graphs_under_create_graph(lib):
    x = leaf(lib, [2.0])
    x.register_hook(lambda g: g * x)
    (g,) = lib.autograd.grad(x**3, x, create_graph=True)
    assert g.tolist() == [24]
    assert lib.autograd.grad(g, x)[0].tolist() == [72]


def test_node_hooks(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 3
    seen = []

    def hook(grad_inputs, grad_outputs):
        seen.append(([None if g is None else g.tolist() for g in grad_inputs], [g.tolist() for g in grad_outputs]))
        return tuple(None if g is None else g * 10 for g in grad_inputs)

    handle = y.grad_fn.register_hook(hook)
    y.sum().backward(retain_graph=True)
    assert seen[0][0][0] == [3, 3] and seen[0][1] == [[1, 1]]
    assert x.grad.tolist() == [30, 30]
    handle.remove()
    y.sum().backward()
    assert x.grad.tolist() == [33, 33] and len(seen) == 1


def test_node_prehooks(lib):
    x = leaf(lib, [1.0, 2.0])
    y = x * 3
    handle = y.grad_fn.register_prehook(lambda grads: (grads[0] * 10,))
    y.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [30, 30]
    handle.remove()
    y.sum().backward()
    assert x.grad.tolist() == [33, 33]


def test_prehooks_come_after_hooks_and_retained_gradients(lib):
    x = lib.ones(3, requires_grad=True)
    y = x * 2
    y.retain_grad()
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 10,))
    y.register_hook(lambda g: g + 1)
    z = y.sum()
    (captured,) = lib.autograd.grad(z, y, retain_graph=True)
    assert captured.tolist() == [2, 2, 2]
    z.backward()
    assert y.grad.tolist() == [4, 4, 4], "the walk for autograd.grad retained too"
    assert x.grad.tolist() == [40, 40, 40]


def test_post_accumulate_grad_hooks(lib):
    x = leaf(lib, [1.0, 2.0])
    seen = []

    def step(tensor):
        seen.append(tensor.grad.tolist())
        tensor.grad = None

    handle = x.register_post_accumulate_grad_hook(step)
    (x * 2).sum().backward()
    assert seen == [[2, 2]] and x.grad is None
    lib.autograd.grad((x * 2).sum(), x)
    assert len(seen) == 1, "nothing is accumulated by autograd.grad"
    handle.remove()
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_post_accumulate_grad_hooks_are_for_leaves(lib):
    with pytest.raises(RuntimeError, match="post accumulate grad hooks cannot be registered on non-leaf tensors"):
        (leaf(lib, [1.0]) * 2).register_post_accumulate_grad_hook(lambda t: None)
    with pytest.raises(RuntimeError, match="that doesn't require gradient"):
        lib.ones(1).register_post_accumulate_grad_hook(lambda t: None)


def test_an_error_in_a_hook_reaches_the_caller(lib):
    x = leaf(lib, [1.0])
    y = x * x

    def fail(g):
        raise KeyError("from the hook")

    handle = y.register_hook(fail)
    with pytest.raises(KeyError, match="from the hook"):
        (y * 1).backward()
    handle.remove()
    y.backward()
    assert x.grad.tolist() == [2], "the engine is in order afterwards"
    assert lib.is_grad_enabled()


def test_node_metadata(lib):
    node = (leaf(lib, [1.0]) * 2).grad_fn
    node.metadata["made by"] = "me"
    assert node.metadata == {"made by": "me"}


# --- custom functions ---------------------------------------------------------------------------------------------


def make_exp(lib):
    class Exp(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            result = x.exp()
            ctx.save_for_backward(result)
            return result

        @staticmethod
        def backward(ctx, grad_output):
            (result,) = ctx.saved_tensors
            return grad_output * result

    return Exp


def make_scale(lib):
    class Scale(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, w, factor):
            ctx.save_for_backward(x, w)
            ctx.factor = factor
            assert not lib.is_grad_enabled()
            return x * w * factor

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            gx = g * w * ctx.factor if ctx.needs_input_grad[0] else None
            gw = g * x * ctx.factor if ctx.needs_input_grad[1] else None
            return gx, gw, None

    return Scale


def test_function(lib):
    x, w = leaf(lib, [1.0, 2.0]), leaf(lib, [3.0, 4.0])
    y = make_scale(lib).apply(x, w, 10)
    assert y.tolist() == [30, 80]
    assert y.grad_fn.name() == "ScaleBackward"
    assert "grad_fn=<ScaleBackward>" in repr(y)
    y.sum().backward()
    assert x.grad.tolist() == [30, 40]
    assert w.grad.tolist() == [10, 20]


def test_function_of_a_saved_output(lib):
    x = leaf(lib, [0.0, 1.0], "float64")
    y = make_exp(lib).apply(x)
    y.sum().backward()
    assert x.grad.tolist() == y.tolist()


def test_function_differentiated_twice(lib):
    x = leaf(lib, [0.0, 1.0], "float64")
    y = make_exp(lib).apply(x)
    for _ in range(3):
        (y,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        assert y.tolist() == x.detach().exp().tolist()


def test_function_of_saved_inputs_differentiated_twice(lib):
    x, w = leaf(lib, [1.0, 2.0]), leaf(lib, [3.0, 4.0])
    y = make_scale(lib).apply(x, w, 10)
    (gx,) = lib.autograd.grad(y.sum(), x, create_graph=True)
    (gxw,) = lib.autograd.grad(gx.sum(), w)
    assert gxw.tolist() == [10, 10]


def test_function_needs_input_grad(lib):
    seen = []

    class Probe(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a, b, c, d):
            seen.append(ctx.needs_input_grad)
            return a + b

        @staticmethod
        def backward(ctx, g):
            seen.append(ctx.needs_input_grad)
            return g, g, None, None

    Probe.apply(lib.ones(1), leaf(lib, [1.0]), 3, lib.tensor([1])).backward()
    assert seen == [(False, True, False, False)] * 2


def test_function_without_tensors_that_need_grad(lib):
    y = make_exp(lib).apply(lib.zeros(2))
    assert not y.requires_grad and y.grad_fn is None
    with lib.no_grad():
        assert not make_exp(lib).apply(leaf(lib, [1.0])).requires_grad


def test_function_with_several_results(lib):
    class SumAndProduct(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a + b, a * b

        @staticmethod
        def backward(ctx, g_sum, g_product):
            a, b = ctx.saved_tensors
            return g_sum + g_product * b, g_sum + g_product * a

    a, b = leaf(lib, [2.0]), leaf(lib, [5.0])
    total, product = SumAndProduct.apply(a, b)
    (total * 100 + product).backward(retain_graph=True)
    assert a.grad.tolist() == [105] and b.grad.tolist() == [102]
    a.grad = None
    product.backward()
    assert a.grad.tolist() == [5], "the gradient that is missing arrives as zeros"


@pytest.mark.parametrize("materialize", [True, False])
def test_function_set_materialize_grads(lib, materialize):
    seen = []

    class Two(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(materialize)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, g1, g2):
            seen.append(None if g1 is None else g1.tolist())
            return g2 * 2

    x = leaf(lib, [1.0, 2.0])
    Two.apply(x)[1].sum().backward()
    assert seen == ([[0, 0]] if materialize else [None])
    assert x.grad.tolist() == [2, 2]


def test_function_mark_non_differentiable(lib):
    seen = []

    class Sort(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            largest = x.argmax()
            copy = x * 2
            ctx.mark_non_differentiable(largest, copy)
            return x * 3, largest, copy

        @staticmethod
        def backward(ctx, g, g_largest, g_copy):
            seen.append((g_largest.tolist(), g_copy.tolist()))
            return g * 3

    x = leaf(lib, [1.0, 2.0])
    y, largest, copy = Sort.apply(x)
    assert y.requires_grad and not largest.requires_grad and not copy.requires_grad
    y.sum().backward()
    assert seen == [(0, [0, 0])]
    assert x.grad.tolist() == [3, 3]


def test_function_mark_dirty(lib):
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(lib, [1.0, 2.0])
    y = x * 1
    version = y._version
    z = Double.apply(y)
    assert z is y
    assert y._version > version
    assert y.grad_fn.name() == "DoubleBackward"
    (y * y).sum().backward()
    assert x.grad.tolist() == [8, 16]


def test_function_mark_dirty_of_a_leaf(lib):
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, g):
            return g * 2

    with pytest.raises(RuntimeError, match=r"a leaf Variable that requires grad (is being|has been) used"):
        Double.apply(leaf(lib, [1.0]))


def test_function_mark_dirty_of_a_view(lib):
    class Double(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(lib, [[1.0, 2.0], [3.0, 4.0]])
    y = x * 1
    Double.apply(y[0])
    assert y.tolist() == [[2, 4], [3, 4]]
    y.sum().backward()
    assert x.grad.tolist() == [[2, 2], [1, 1]]


def test_function_that_returns_its_input(lib):
    class Identity(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 7

    x = leaf(lib, [1.0])
    y = Identity.apply(x)
    assert y is not x and x.is_leaf
    y.backward()
    assert x.grad.tolist() == [7]


def test_function_that_returns_no_tensor(lib):
    class Three(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 3

    assert Three.apply(leaf(lib, [1.0])) == 3


def test_function_node_shows_what_was_saved(lib):
    x = leaf(lib, [1.0])
    node = make_scale(lib).apply(x, lib.ones(1), 2).grad_fn
    assert node.saved_tensors[0] is x
    assert node.needs_input_grad == (True, False, False)


def test_function_with_setup_context(lib):
    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(x, times):
            return x**3 * times

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, times = inputs
            ctx.save_for_backward(x, output)
            ctx.times = times

        @staticmethod
        def backward(ctx, g):
            x, output = ctx.saved_tensors
            return g * 3 * output / x, None

    x = leaf(lib, [2.0], "float64")
    y = Cube.apply(x, 10)
    assert y.tolist() == [80]
    (g,) = lib.autograd.grad(y, x, create_graph=True)
    assert g.tolist() == [120]
    assert lib.autograd.grad(g, x)[0].tolist() == [120]


@pytest.mark.parametrize(
    "changed, message",
    [
        (lambda g: g[:1], "hook 'change' has changed the size of value"),
        (
            lambda g: g.double(),
            r"has changed the type of value \(was torch.FloatTensor got torch.DoubleTensor",
        ),
    ],
)
@pytest.mark.parametrize("on_leaf", [True, False])
def test_a_hook_must_keep_shape_and_type(lib, changed, message, on_leaf):
    x = leaf(lib, [1.0, 2.0])
    y = x * 2

    def change(g):
        return changed(g)

    (x if on_leaf else y).register_hook(change)
    with pytest.raises(RuntimeError, match=message):
        y.sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("count", [1, 3])
def test_function_with_a_wrong_number_of_gradients(lib, count):
    class Wrong(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            return (g,) * count

    y = Wrong.apply(leaf(lib, [1.0]), leaf(lib, [1.0]))
    message = rf"returned an incorrect number of gradients \(expected 2, got {count}\)"
    with pytest.raises(RuntimeError, match=f"function WrongBackward {message}"):
        y.backward()


def test_function_with_trailing_nones(lib):
    class Trailing(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2, None, None

    x = leaf(lib, [1.0])
    Trailing.apply(x).backward()
    assert x.grad.tolist() == [2]


def test_function_with_a_gradient_of_a_wrong_shape(lib):
    class Wrong(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return lib.ones(3)

    with pytest.raises(RuntimeError, match=r"returned an invalid gradient at index 0 - got \[3\]"):
        Wrong.apply(leaf(lib, [1.0, 2.0])).sum().backward()


def test_function_with_a_broadcast_gradient(lib):
    class Wide(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return lib.ones(3, 2)

    x = leaf(lib, [1.0, 2.0])
    Wide.apply(x).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_function_with_a_gradient_that_is_no_tensor(lib):
    class Wrong(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return 2.0

    with pytest.raises((TypeError, RuntimeError), match=r"expected Variable or None \(got float\)"):
        Wrong.apply(leaf(lib, [1.0])).backward()


def test_function_without_a_gradient_for_an_input(lib):
    class Half(lib.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, g):
            return g, None

    a, b = leaf(lib, [1.0]), leaf(lib, [1.0])
    Half.apply(a, b).backward()
    assert a.grad.tolist() == [1] and b.grad is None


def test_function_once_differentiable(lib):
    class Once(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        @lib.autograd.function.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            assert not lib.is_grad_enabled()
            return g * 2 * x

    x = leaf(lib, [3.0])
    assert lib.autograd.grad(Once.apply(x), x)[0].tolist() == [6]
    g_out = leaf(lib, [1.0])
    (g,) = lib.autograd.grad(Once.apply(x), x, g_out, create_graph=True)
    with pytest.raises(RuntimeError, match="marked with @once_differentiable"):
        g.backward()


def test_function_saves_only_tensors(lib):
    class Bad(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(3)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(TypeError, match="save_for_backward can only save variables"):
        Bad.apply(leaf(lib, [1.0]))


def test_function_saves_none_too(lib):
    class Optional(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, bias):
            ctx.save_for_backward(x, bias)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            x, bias = ctx.saved_tensors
            assert bias is None and x.tolist() == [1]
            return g * 2, None

    x = leaf(lib, [1.0])
    Optional.apply(x, None).backward()
    assert x.grad.tolist() == [2]


def test_function_saved_tensors_are_freed(lib):
    x = leaf(lib, [1.0])
    y = make_exp(lib).apply(x)
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_function_saved_tensors_are_checked_for_writes(lib):
    x = leaf(lib, [1.0])
    y = make_exp(lib).apply(x)
    z = y * 1
    with lib.no_grad():
        y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


def test_function_must_be_applied(lib):
    class Forgot(lib.autograd.Function):
        pass

    with pytest.raises(NotImplementedError, match="You must implement the forward function"):
        Forgot.apply(leaf(lib, [1.0]))


def test_function_without_backward(lib):
    class OneWay(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    y = OneWay.apply(leaf(lib, [1.0]))
    with pytest.raises((NotImplementedError, RuntimeError), match="You must implement either the backward or vjp"):
        y.backward()


def test_function_error_in_backward_leaves_the_engine_in_order(lib):
    class Fails(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise KeyError("in backward")

    x = leaf(lib, [1.0])
    with pytest.raises(KeyError, match="in backward"):
        Fails.apply(x).backward()
    assert lib.is_grad_enabled()
    (x * x).backward()
    assert x.grad.tolist() == [2]


def test_function_backward_may_go_backward_itself(lib):
    """Checkpointing: the forward pass is computed again, and differentiated, inside backward."""

    class Checkpoint(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return (x * x).sin()

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            with lib.enable_grad():
                x = x.detach().requires_grad_()
                y = (x * x).sin()
            y.backward(g)
            return x.grad

    x, reference = leaf(lib, [0.5, 1.5], "float64"), leaf(lib, [0.5, 1.5], "float64")
    Checkpoint.apply(x * 2).sum().backward()
    ((reference * 2) ** 2).sin().sum().backward()
    assert x.grad.tolist() == pytest.approx(reference.grad.tolist())


def test_function_results_may_be_written_to_in_place(lib):
    x = leaf(lib, [1.0, 2.0])
    y = make_scale(lib).apply(x, lib.ones(2), 3)
    y.mul_(2)
    y.sum().backward()
    assert x.grad.tolist() == [6, 6]


def test_function_ctx_attributes_and_plain_results(lib):
    class Mixed(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.note = "kept"
            return x * 2, "text", None

        @staticmethod
        def backward(ctx, g, *others):
            assert ctx.note == "kept" and others == (None, None)
            return g * 2

    x = leaf(lib, [1.0])
    y, text, none = Mixed.apply(x)
    assert text == "text" and none is None
    y.backward()
    assert x.grad.tolist() == [2]


# --- Variable -----------------------------------------------------------------------------------------------------


def test_variable_the_old_name(lib):
    Variable = lib.autograd.Variable
    x = Variable(lib.ones(2, 2), requires_grad=True)
    assert isinstance(x, Variable) and isinstance(lib.ones(1), Variable)
    assert isinstance(x, lib.Tensor)
    y = x + 2
    z = y * y * 3
    z.mean().backward()
    assert x.grad.tolist() == [[4.5, 4.5], [4.5, 4.5]]


def test_variable_shares_memory(lib):
    t = lib.zeros(2)
    v = lib.autograd.Variable(t)
    assert not v.requires_grad
    v.fill_(3)
    assert t.tolist() == [3, 3]


# --- anomaly mode -------------------------------------------------------------------------------------------------


def test_anomaly_mode_names_the_operation_that_gave_nan(lib):
    x = leaf(lib, [0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with lib.autograd.detect_anomaly():
            y = (x.sqrt() * 0).sum()
            with pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan values in its 0th output"):
                y.backward()
    (x.sqrt() * 0).sum().backward()
    assert x.grad.isnan().all()


def test_anomaly_mode_warns_of_its_cost(lib):
    with pytest.warns(UserWarning, match="Anomaly Detection has been enabled"), lib.autograd.detect_anomaly():
        pass


def test_set_detect_anomaly(lib):
    x = leaf(lib, [0.0])
    with lib.autograd.set_detect_anomaly(True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(RuntimeError, match="returned nan values"):
                (x.sqrt() * 0).backward()
        with lib.autograd.set_detect_anomaly(False):
            (x.sqrt() * 0).backward()
    with lib.autograd.set_detect_anomaly(True, check_nan=False):
        (x.sqrt() * 0).backward()


# --- complex numbers ----------------------------------------------------------------------------------------------

COMPLEX = {
    "square modulus": (lambda z: (z * z.conj()).real.sum(), lambda z: 2 * z),
    "abs": (lambda z: z.abs().sum(), lambda z: z / abs(z)),
    "real": (lambda z: z.real.sum(), lambda z: 1 + 0j),
    "imag": (lambda z: z.imag.sum(), lambda z: 1j),
    "holomorphic": (lambda z: (z * z).real.sum(), lambda z: (2 * z).conjugate()),
    "cube": (lambda z: (z**3).imag.sum(), lambda z: 1j * (3 * z * z).conjugate()),
    "exp": (lambda z: z.exp().real.sum(), lambda z: None),
    "angle": (lambda z: z.angle().sum(), lambda z: 1j * z / abs(z) ** 2),
    "conj": (lambda z: (z.conj() * (2 + 3j)).real.sum(), lambda z: 2 + 3j),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_gradients_are_conjugated_as_torchs(lib, name):
    """For a real loss L, `z.grad` is dL/dRe(z) + i dL/dIm(z): the direction of steepest ascent."""
    function, expected = COMPLEX[name]
    points = [1 + 2j, 3 - 1j, -0.5 + 0.25j]
    z = lib.tensor(points, dtype=lib.complex128, requires_grad=True)
    function(z).backward()
    eps = 1e-6
    for point, got in zip(points, z.grad.tolist(), strict=True):

        def at(value):
            return function(lib.tensor([value], dtype=lib.complex128)).item()

        numeric = (at(point + eps) - at(point - eps)) / (2 * eps)
        numeric += 1j * (at(point + 1j * eps) - at(point - 1j * eps)) / (2 * eps)
        assert got == pytest.approx(numeric, abs=1e-6)
        if expected(point) is not None:
            assert got == pytest.approx(expected(point))


def test_backward_of_a_complex_scalar_needs_a_gradient(lib):
    z = lib.tensor(1 + 1j, requires_grad=True)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for real scalar outputs but got"):
        (z * z).backward()


def test_complex_gradient_for_a_real_result(lib):
    y = leaf(lib, [1.0]) * 2
    with pytest.raises(RuntimeError, match="both grad_output and output are required to have the same dtype"):
        y.backward(lib.tensor([1j]))


def test_complex_gradient_given(lib):
    z = lib.tensor([1 + 2j], requires_grad=True)
    (z * (3 + 1j)).backward(lib.tensor([1j]))
    assert z.grad.tolist() == [1j * (3 - 1j)]


def test_complex_times_real_leaf(lib):
    x, z = leaf(lib, [2.0]), lib.tensor([1 + 2j], requires_grad=True)
    (x * z * (1 + 1j)).real.sum().backward()
    assert x.grad.dtype == lib.float32 and x.grad.tolist() == [-1]
    assert z.grad.tolist() == [2 - 2j]


def test_complex_hooks_retained_and_captured_gradients(lib):
    z = lib.tensor([1 + 2j], requires_grad=True)
    y = z * (1 + 1j)
    y.retain_grad()
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    loss = (y * y).real.sum()
    (captured,) = lib.autograd.grad(loss, y, retain_graph=True)
    loss.backward()
    y_value = (1 + 2j) * (1 + 1j)
    assert captured.tolist() == seen[0] == seen[1] == [(2 * y_value).conjugate()]
    assert y.grad.tolist() == [2 * (2 * y_value).conjugate()], "the first walk retained too"
    assert z.grad.tolist() == [(2 * y_value * (1 + 1j)).conjugate()]


def test_complex_function(lib):
    class Square(lib.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z * z

        @staticmethod
        def backward(ctx, g):
            (z,) = ctx.saved_tensors
            return g * 2 * z.conj()

    points = [1 + 2j, 3 - 1j]
    z = lib.tensor(points, requires_grad=True)
    Square.apply(z).real.sum().backward()
    assert z.grad.tolist() == [(2 * p).conjugate() for p in points]


def test_complex_second_derivative(lib):
    z = lib.tensor([1 + 2j, 3 - 1j], dtype=lib.complex128, requires_grad=True)
    (g,) = lib.autograd.grad((z**3).real.sum(), z, create_graph=True)
    (gg,) = lib.autograd.grad((g * g.conj()).real.sum(), z)
    # |3 z^2|^2 = 9 |z|^4, whose gradient is 36 |z|^2 z
    assert gg.tolist() == pytest.approx([36 * abs(p) ** 2 * p for p in (1 + 2j, 3 - 1j)])


# --- what stays alive ---------------------------------------------------------------------------------------------


def test_hooks_and_handles_keep_no_tensor_alive():
    gc.disable()
    try:
        x = leaf(fw, [1.0])
        y = x * 2
        handle = y.register_hook(lambda g: None)
        alive = weakref.ref(y)
        del y
        assert alive() is None
        handle.remove()
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["square", "pow", "relu", "relu6", "leaky_relu", "threshold", "softshrink", "abs"])
def test_gradients_that_have_become_constant_can_be_differentiated(name):
    function = {
        "square": lambda x: x.square(),
        "pow": lambda x: x**2,
        "relu": fw.relu,
        "relu6": fw.nn.functional.relu6,
        "leaky_relu": fw.nn.functional.leaky_relu,
        "threshold": lambda x: fw.nn.functional.threshold(x, 0.1, 0.0),
        "softshrink": fw.nn.functional.softshrink,
        "abs": lambda x: x.abs(),
    }[name]
    x = fw.tensor([1.0, -2.0], requires_grad=True)
    (g,) = fw.autograd.grad(function(x).sum(), x, create_graph=True)
    assert g.requires_grad
    (gg,) = fw.autograd.grad(g.sum(), x, create_graph=name in ("square", "pow"))
    if name in ("square", "pow"):
        assert gg.tolist() == [2, 2]
        (gg,) = fw.autograd.grad(gg.sum(), x)
    assert gg.tolist() == [0, 0]
