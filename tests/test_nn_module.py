"""Module: registration, traversal, state, conversion, hooks, printing; alone and side by side with torch."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from typing import ClassVar

import numpy as np
import pytest

import framework as fw
from framework import nn


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


def make_block(lib):
    """A module with a parameter, both kinds of buffer, children, a shared child and an absent one."""

    class Block(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = lib.nn.Linear(3, 2)
            self.norm = lib.nn.BatchNorm1d(2)
            self.again = self.fc
            self.absent = None
            self.scale = lib.nn.Parameter(lib.ones(2))
            self.register_buffer("offset", lib.zeros(2))
            self.register_buffer("scratch", lib.zeros(1), persistent=False)
            self.register_parameter("gone", None)

        def forward(self, x):
            return self.norm(self.fc(x)) * self.scale + self.offset

    return Block()


def outcome(scenario, lib):
    """What a scenario returns, or the exception it ends in, with library names made equal."""
    try:
        result = scenario(lib)
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    text = result if isinstance(result, str) else repr(result)
    return text.replace("framework.", "torch.")


class TestRegistration:
    def test_attributes_are_registered_by_kind(self):
        block = make_block(fw)
        assert list(block._parameters) == ["scale", "gone"]
        assert list(block._buffers) == ["offset", "scratch"]
        assert list(block._modules) == ["fc", "norm", "again"]
        assert block.absent is None and "absent" in block.__dict__

    def test_assigning_another_kind_moves_the_name(self):
        block = make_block(fw)
        block.offset = nn.Parameter(fw.ones(2))
        assert "offset" in block._parameters and "offset" not in block._buffers
        block.scratch = nn.Linear(1, 1)
        assert "scratch" in block._modules and "scratch" not in block._non_persistent_buffers_set
        block.absent = nn.Parameter(fw.ones(1))
        assert "absent" not in block.__dict__

    def test_assigning_to_a_buffer_keeps_its_persistence(self):
        block = make_block(fw)
        block.scratch = fw.ones(4)
        assert "scratch" not in block.state_dict() and block.scratch.shape == (4,)
        block.kept = nn.Buffer(fw.ones(1))
        block.temporary = nn.Buffer(fw.ones(1), persistent=False)
        assert "kept" in block.state_dict() and "temporary" not in block.state_dict()

    def test_delattr(self):
        block = make_block(fw)
        del block.fc, block.scale, block.scratch
        assert [hasattr(block, n) for n in ("fc", "scale", "scratch")] == [False] * 3
        with pytest.raises(AttributeError, match="'Block' object has no attribute 'fc'"):
            _ = block.fc

    def test_constructor_arguments_are_refused(self):
        class Plain(nn.Module):
            pass

        with pytest.raises(TypeError, match=r"Plain.__init__\(\) got an unexpected keyword argument 'x'"):
            Plain(x=1)
        with pytest.raises(TypeError, match=r"takes 1 positional argument but 2 were given"):
            Plain(1)
        with pytest.raises(NotImplementedError, match=r'Module \[Plain\] is missing the required "forward" function'):
            Plain()(1)

    def test_dir_lists_members(self):
        names = dir(nn.Sequential(OrderedDict(conv=nn.Linear(1, 1))))
        assert "conv" in names and "state_dict" in names
        assert "0" not in dir(nn.Sequential(nn.Linear(1, 1)))

    BAD: ClassVar = {
        "parameter not a Parameter": lambda lib: make_block(lib).register_parameter("p", lib.ones(1)),
        "parameter non-leaf": lambda lib: make_block(lib).register_parameter("p", _non_leaf_parameter(lib)),
        "parameter dot": lambda lib: make_block(lib).register_parameter("a.b", None),
        "parameter empty": lambda lib: make_block(lib).register_parameter("", None),
        "parameter no name": lambda lib: make_block(lib).register_parameter(3, None),
        "parameter taken": lambda lib: make_block(lib).register_parameter("fc", None),
        "buffer not a tensor": lambda lib: make_block(lib).register_buffer("b", 3),
        "buffer dot": lambda lib: make_block(lib).register_buffer("a.b", None),
        "buffer empty": lambda lib: make_block(lib).register_buffer("", None),
        "buffer taken": lambda lib: make_block(lib).register_buffer("scale", None),
        "module not one": lambda lib: make_block(lib).add_module("m", 3),
        "module dot": lambda lib: make_block(lib).add_module("a.b", None),
        "module empty": lambda lib: make_block(lib).add_module("", None),
        "module no name": lambda lib: make_block(lib).add_module(1, None),
        "module taken": lambda lib: make_block(lib).add_module("forward", lib.nn.Identity()),
        "assign tensor to parameter": lambda lib: setattr(make_block(lib), "scale", lib.ones(2)),
        "assign number to module": lambda lib: setattr(make_block(lib), "fc", 3),
        "assign list to buffer": lambda lib: setattr(make_block(lib), "offset", [1.0]),
        "early parameter": lambda lib: setattr(_uninitialised(lib), "p", lib.nn.Parameter(lib.ones(1))),
        "early module": lambda lib: setattr(_uninitialised(lib), "m", lib.nn.Identity()),
        "early buffer": lambda lib: _uninitialised(lib).register_buffer("b", None),
        "missing attribute": lambda lib: make_block(lib).nothing,
        "get_submodule missing": lambda lib: make_block(lib).get_submodule("fc.nothing"),
        "get_submodule tensor": lambda lib: make_block(lib).get_submodule("fc.weight"),
        "get_parameter buffer": lambda lib: make_block(lib).get_parameter("offset"),
        "get_parameter missing": lambda lib: make_block(lib).get_parameter("fc.nothing"),
        "get_buffer parameter": lambda lib: make_block(lib).get_buffer("scale"),
        "set_submodule nothing": lambda lib: make_block(lib).set_submodule("", lib.nn.Identity()),
        "set_submodule not one": lambda lib: make_block(lib).set_submodule("fc", 3),
        "set_submodule strict": lambda lib: make_block(lib).set_submodule("new", lib.nn.Identity(), strict=True),
        "set_submodule over tensor": lambda lib: make_block(lib).set_submodule("scale", lib.nn.Identity()),
        "train not bool": lambda lib: make_block(lib).train(1),
        "to integer dtype": lambda lib: make_block(lib).to(lib.int64),
        "load_state_dict of a list": lambda lib: make_block(lib).load_state_dict([]),
        "integer parameter": lambda lib: lib.nn.Parameter(lib.ones(1, dtype=lib.int64)),
    }

    @pytest.mark.parametrize("case", BAD)
    def test_errors_are_those_of_torch(self, torch, case):
        ours = outcome(self.BAD[case], fw)
        assert ours == outcome(self.BAD[case], torch)
        assert "Error: " in ours


def _non_leaf_parameter(lib):
    param = lib.nn.Parameter(lib.ones(1), requires_grad=False)
    param.add_(lib.ones(1, requires_grad=True))  # in place: the Parameter gets a history
    return param


def _uninitialised(lib):
    return lib.nn.Module.__new__(lib.nn.Module)


class TestTraversal:
    def test_names_and_sharing(self, torch):
        def scenario(lib):
            block = make_block(lib)
            net = lib.nn.Sequential(OrderedDict(a=block, b=lib.nn.ReLU(), c=block))
            return (
                [n for n, _ in net.named_parameters()],
                [n for n, _ in net.named_parameters(prefix="p", recurse=False)],
                [n for n, _ in net.named_parameters(remove_duplicate=False)],
                [n for n, _ in net.named_buffers()],
                [n for n, _ in net.named_modules()],
                [n for n, _ in net.named_modules(prefix="x", remove_duplicate=False)],
                [n for n, _ in net.named_children()],
                [n for n, _ in block.named_children()],
                len(list(net.modules())),
                len(list(net.parameters())),
                len(list(net.buffers())),
                len(list(net.children())),
            )

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_lookup_by_path(self):
        net = nn.Sequential(make_block(fw))
        assert net.get_submodule("") is net
        assert net.get_submodule("0.fc") is net[0].fc
        assert net.get_parameter("0.fc.weight") is net[0].fc.weight
        assert net.get_buffer("0.norm.running_mean") is net[0].norm.running_mean
        new = nn.Identity()
        net.set_submodule("0.fc", new)
        assert net[0].fc is new
        net.set_submodule("0.extra", new)
        assert net[0].extra is new

    def test_apply_visits_children_first(self):
        seen = []
        net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU()))
        assert net.apply(lambda module: seen.append(type(module).__name__)) is net
        assert seen == ["Linear", "ReLU", "Sequential", "Sequential"]


class TestModes:
    def test_train_and_eval(self):
        net = make_block(fw)
        assert net.eval() is net and not any(m.training for m in net.modules())
        assert net.train() is net and all(m.training for m in net.modules())

    def test_requires_grad(self):
        net = make_block(fw).requires_grad_(False)
        assert not any(p.requires_grad for p in net.parameters())

    def test_zero_grad(self):
        layer = nn.Linear(3, 2)
        layer(fw.ones(1, 3)).sum().backward()
        grad = layer.weight.grad
        layer.zero_grad(set_to_none=False)
        assert layer.weight.grad is grad and grad.abs().sum().item() == 0 and not grad.requires_grad
        layer.zero_grad()
        assert layer.weight.grad is None and layer.bias.grad is None


class TestConversion:
    def test_dtypes_and_identity(self, torch):
        def scenario(lib):
            net = make_block(lib)
            net(lib.ones(4, 3)).sum().backward()
            params = list(net.parameters())
            seen = []
            for convert in ("double", "half", "float"):
                getattr(net, convert)()
                seen.append([str(t.dtype) for t in net.state_dict().values()])
                seen.append([str(p.grad.dtype) for p in net.parameters()])
            net.to(lib.float64)
            seen.append([str(b.dtype) for b in net.buffers()])
            net.type(lib.float32)
            seen.append([str(b.dtype) for b in net.buffers()])
            same = [a is b for a, b in zip(params, net.parameters(), strict=True)]
            return seen, same, [type(p).__name__ for p in net.parameters()], [p.requires_grad for p in params]

        assert outcome(scenario, fw) == outcome(scenario, torch)

    @pytest.mark.parametrize(
        "args", [("cpu",), ("cpu", "float64"), ("float64",), ("float64", True), ("tensor",)], ids=str
    )
    def test_to_takes_the_forms_of_torch(self, args):
        forms = {"float64": fw.float64, "tensor": fw.ones(1, dtype=fw.float64)}
        net = nn.Linear(2, 2)
        assert net.to(*[forms.get(a, a) for a in args]) is net
        assert net.weight.dtype is (fw.float32 if args == ("cpu",) else fw.float64)

    def test_to_by_keyword(self):
        assert nn.Linear(2, 2).to(dtype=fw.float64, device=fw.device("cpu")).bias.dtype is fw.float64
        assert nn.Linear(2, 2).to(tensor=fw.ones(1, dtype=fw.float64)).bias.dtype is fw.float64

    def test_to_refuses_what_is_no_dtype(self):
        with pytest.raises(TypeError, match="expected a dtype"):
            nn.Linear(2, 2).to("cpu", "float64")

    def test_to_a_device_and_back(self, stand_in):
        net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
        net[0].weight.grad = fw.ones(2, 3)
        params, values = list(net.parameters()), [p.tolist() for p in net.parameters()]
        assert net.cuda() is net and all(t.is_cuda for t in net.state_dict().values()) and net[0].weight.grad.is_cuda
        assert all(a is b and type(b) is nn.Parameter for a, b in zip(params, net.parameters(), strict=True))
        fresh = nn.Sequential(nn.Linear(3, 2, device="cuda"), nn.BatchNorm1d(2, device="cuda"))
        assert all(t.is_cuda for t in fresh.state_dict().values())
        fresh.load_state_dict({name: tensor.cpu() for name, tensor in net.state_dict().items()})
        assert fresh[0].weight.is_cuda
        assert [p.tolist() for p in fresh.to("cpu").parameters()] == values and fresh[0].weight.is_cpu

    def test_to_empty_keeps_shapes(self):
        net = nn.Linear(2, 3)
        weight = net.weight
        assert net.to_empty(device="cpu") is net and net.weight is weight and net.weight.shape == (3, 2)


class TestStateDict:
    def test_content_and_metadata(self, torch):
        def scenario(lib):
            state = make_block(lib).state_dict(prefix="net.")
            return list(state), [tuple(v.shape) for v in state.values()], dict(state._metadata)

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_values_share_memory_and_are_detached(self):
        net = nn.Linear(2, 2)
        state = net.state_dict()
        assert not state["weight"].requires_grad and type(state["weight"]) is fw.Tensor
        state["weight"].fill_(3)
        assert (net.weight == 3).all()
        assert net.state_dict(keep_vars=True)["weight"] is net.weight

    def test_round_trip(self):
        a, b = make_block(fw), make_block(fw)
        a(fw.randn(5, 3))
        result = b.load_state_dict(a.state_dict())
        assert repr(result) == "<All keys matched successfully>"
        assert result == ([], [])
        for (name, x), y in zip(a.state_dict().items(), b.state_dict().values(), strict=True):
            assert (x == y).all(), name

    def test_assign_takes_the_tensors_themselves(self):
        net = nn.Linear(2, 2, bias=False)
        given = fw.ones(2, 2, dtype=fw.float64)
        net.weight.requires_grad_(False)
        net.load_state_dict({"weight": given}, assign=True)
        assert isinstance(net.weight, nn.Parameter) and net.weight.dtype is fw.float64 and not net.weight.requires_grad
        given.fill_(7)
        assert (net.weight == 7).all()

    def test_one_element_vector_loads_into_a_scalar(self):
        norm = nn.BatchNorm1d(2)
        state = norm.state_dict()
        state["num_batches_tracked"] = fw.tensor([5])
        norm.load_state_dict(state)
        assert norm.num_batches_tracked.item() == 5

    MISMATCHES: ClassVar = {
        "missing": lambda lib, s: s.pop("fc.weight"),
        "unexpected": lambda lib, s: s.update(other=lib.ones(1)),
        "unexpected deep": lambda lib, s: s.update({"fc.weight.x": lib.ones(1), "nothing.y": lib.ones(1)}),
        "size": lambda lib, s: s.update({"fc.weight": lib.ones(5, 3), "scale": lib.ones(1)}),
        "not a tensor": lambda lib, s: s.update(scale=[1.0, 2.0]),
        "all": lambda lib, s: (s.pop("scale"), s.pop("offset"), s.update(x=lib.ones(1), y=1, offset=lib.ones(9))),
        "none": lambda lib, s: None,
    }

    @pytest.mark.parametrize("case", MISMATCHES)
    @pytest.mark.parametrize("strict", [True, False])
    def test_mismatches_are_reported_as_by_torch(self, torch, case, strict):
        def scenario(lib):
            net = make_block(lib)
            state = net.state_dict()
            self.MISMATCHES[case](lib, state)
            return net.load_state_dict(state, strict=strict)

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_extra_state(self, torch):
        def scenario(lib):
            class Counting(lib.nn.Module):
                count = 0

                def get_extra_state(self):
                    return {"count": self.count}

                def set_extra_state(self, state):
                    self.count = state["count"]

            a, b = lib.nn.Sequential(Counting()), lib.nn.Sequential(Counting())
            a[0].count = 5
            b.load_state_dict(a.state_dict())
            messages = []
            for target, state in ((b, {}), (lib.nn.Sequential(lib.nn.Identity()), a.state_dict())):
                try:
                    target.load_state_dict(state)
                except RuntimeError as error:
                    messages.append(str(error))
            return b[0].count, dict(a.state_dict()), messages

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_hooks(self, torch):
        def scenario(lib):
            log = []
            net = lib.nn.Sequential(lib.nn.Linear(1, 1))
            layer = net[0]
            layer.register_state_dict_pre_hook(lambda m, prefix, keep: log.append(("pre", prefix, keep)))
            handle = layer.register_state_dict_post_hook(
                lambda m, state, prefix, meta: state.pop(prefix + "bias") and None
            )
            layer._register_state_dict_hook(lambda m, state, prefix, meta: log.append(("post", prefix, dict(meta))))
            net.register_load_state_dict_pre_hook(
                lambda m, state, prefix, meta, strict, missing, unexpected, errors: log.append(
                    (type(m).__name__, list(state), prefix, strict)
                )
            )
            net.register_load_state_dict_post_hook(lambda m, keys: keys.missing_keys.clear())
            state = net.state_dict()
            log.append(list(state))
            result = net.load_state_dict(state)
            handle.remove()
            log.append(list(net.state_dict()))
            return log, result

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_loading_does_not_change_the_callers_dictionary(self):
        net = nn.BatchNorm1d(2)
        state = {k: v for k, v in net.state_dict().items() if k != "num_batches_tracked"}
        net.load_state_dict(state)  # version 1, without metadata: the counter is filled in
        assert "num_batches_tracked" not in state


class TestForwardHooks:
    def test_order_arguments_and_replacement(self, torch):
        def scenario(lib):
            log = []
            layer = lib.nn.Identity()
            layer.register_forward_pre_hook(lambda m, args: log.append(("pre", args)))
            layer.register_forward_pre_hook(lambda m, args: args[0] + 1, prepend=True)
            layer.register_forward_pre_hook(
                lambda m, args, kwargs: ((args[0] * 10,), kwargs) if not log.append(kwargs) else None, with_kwargs=True
            )
            layer.register_forward_hook(lambda m, args, out: log.append(("post", args, out)))
            layer.register_forward_hook(lambda m, args, kwargs, out: out + 0.5, with_kwargs=True, prepend=True)
            first = layer(1)
            handle = layer.register_forward_hook(lambda m, args, out: "replaced")
            second = layer(2)
            handle.remove()
            return first, second, layer(3), log

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_wrong_pre_hook_result(self, torch):
        def scenario(lib):
            layer = lib.nn.Identity()
            layer.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
            return layer(1)

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_always_call_runs_after_an_exception(self):
        class Failing(nn.Module):
            def forward(self, x):
                raise KeyError("broken")

        log = []
        layer = Failing()
        layer.register_forward_hook(lambda m, args, out: log.append("never"))
        layer.register_forward_hook(lambda m, args, out: log.append(out), always_call=True)
        with pytest.raises(KeyError, match="broken"):
            layer(1)
        assert log == [None]

        def raises(m, args, out):
            raise ValueError("hook too")

        layer.register_forward_hook(raises, always_call=True)
        warning = pytest.warns(UserWarning, match="silenced as another error was raised in forward: hook too")
        with warning, pytest.raises(KeyError, match="broken"):
            layer(1)


class TestBackwardHooks:
    @staticmethod
    def run(lib, register, inputs_require_grad=True):
        layer = lib.nn.Linear(3, 2)
        with lib.no_grad():
            layer.weight.copy_(lib.arange(6.0).reshape(2, 3))
            layer.bias.zero_()
        log = []
        register(layer, log)
        x = lib.ones(1, 3, requires_grad=inputs_require_grad)
        (layer(x * 1) * lib.tensor([1.0, 2.0])).sum().backward()
        return log, x.grad.tolist() if x.grad is not None else None, layer.weight.grad.tolist()

    def test_hooks_see_the_gradients(self, torch):
        def register(layer, log):
            layer.register_full_backward_pre_hook(lambda m, g: log.append(("pre", [t.tolist() for t in g])))
            layer.register_full_backward_hook(
                lambda m, gi, go: log.append(("post", [t.tolist() for t in gi], [t.tolist() for t in go]))
            )

        ours = self.run(fw, register)
        assert ours == self.run(torch, register)
        assert ours[0] == [("pre", [[[1.0, 2.0]]]), ("post", [[[6.0, 9.0, 12.0]]], [[[1.0, 2.0]]])]

    def test_hooks_replace_the_gradients(self, torch):
        def register(layer, log):
            layer.register_full_backward_pre_hook(lambda m, g: (g[0] * 10,))
            layer.register_full_backward_hook(lambda m, gi, go: (gi[0] + 1,))

        ours = self.run(fw, register)
        assert ours == self.run(torch, register)
        assert ours[1] == [[61.0, 91.0, 121.0]]

    def test_prepend_and_remove(self):
        order = []

        def register(layer, log):
            layer.register_full_backward_hook(lambda m, gi, go: order.append(1))
            layer.register_full_backward_hook(lambda m, gi, go: order.append(0), prepend=True)
            layer.register_full_backward_hook(lambda m, gi, go: order.append(2)).remove()

        self.run(fw, register)
        assert order == [0, 1]

    def test_without_input_gradients_hooks_get_none(self):
        seen = []

        def register(layer, log):
            layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].tolist())))

        with pytest.warns(UserWarning, match="no inputs require gradients"):
            self.run(fw, register, inputs_require_grad=False)
        assert seen == [((None,), [[1.0, 2.0]])]

    def test_wrong_number_of_gradients(self):
        def register(layer, log):
            layer.register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0]))

        with pytest.raises(RuntimeError, match="invalid number of grad_input, got 2, but expected 1"):
            self.run(fw, register)

    def test_several_inputs_and_outputs(self, torch):
        def scenario(lib):
            class Two(lib.nn.Module):
                def forward(self, a, n, b):
                    return a * b, n, a + b

            log = []
            two = Two()
            two.register_full_backward_hook(
                lambda m, gi, go: log.append([[None if t is None else t.tolist() for t in g] for g in (gi, go)])
            )
            a, b = lib.tensor([2.0], requires_grad=True), lib.tensor([3.0], requires_grad=True)
            product, n, _ = two(a, 5, b)
            product.sum().backward()
            return log, n, a.grad.tolist(), b.grad.tolist()

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_second_derivative_passes_through(self):
        layer = nn.Sequential(nn.Tanh())
        layer.register_full_backward_hook(lambda m, gi, go: None)
        x = fw.tensor([0.5], dtype=fw.float64, requires_grad=True)
        (first,) = fw.autograd.grad(layer(x).sum(), x, create_graph=True)
        (second,) = fw.autograd.grad(first.sum(), x)
        t = np.tanh(0.5)
        np.testing.assert_allclose(second.numpy(), [-2 * t * (1 - t * t)], rtol=1e-12)


class TestPrinting:
    def test_repr_of_nested_modules(self):
        net = nn.Sequential(OrderedDict(fc=nn.Linear(2, 3), body=nn.Sequential(nn.ReLU(), nn.Sequential())))
        assert repr(net) == (
            "Sequential(\n"
            "  (fc): Linear(in_features=2, out_features=3, bias=True)\n"
            "  (body): Sequential(\n"
            "    (0): ReLU()\n"
            "    (1): Sequential()\n"
            "  )\n"
            ")"
        )

    def test_repr_with_extra_lines(self, torch):
        def scenario(lib):
            class Odd(lib.nn.Module):
                def __init__(self, extra, child):
                    super().__init__()
                    self.extra = extra
                    if child:
                        self.child = lib.nn.ReLU()

                def extra_repr(self):
                    return self.extra

            return "\n".join(
                repr(lib.nn.Sequential(Odd(extra, child))) for extra in ("", "a=1", "a\nb") for child in (False, True)
            )

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_parameter(self):
        assert repr(nn.Parameter(fw.tensor([1.0, 2.0]))) == (
            "Parameter containing:\ntensor([1., 2.], requires_grad=True)"
        )


class TestParameter:
    def test_is_a_leaf_on_the_same_memory(self):
        data = fw.ones(2)
        param = nn.Parameter(data)
        assert isinstance(param, fw.Tensor) and param.requires_grad and param.is_leaf
        data.fill_(3)
        assert param.tolist() == [3.0, 3.0]
        assert not nn.Parameter(fw.ones(1), requires_grad=False).requires_grad
        assert nn.Parameter().shape == (0,)

    def test_of_a_computed_tensor_has_no_history(self):
        computed = fw.ones(2, requires_grad=True) * 2
        assert nn.Parameter(computed).grad_fn is None

    def test_results_are_tensors(self):
        assert type(nn.Parameter(fw.ones(2)) * 2) is fw.Tensor

    def test_must_be_a_tensor(self):
        with pytest.raises(TypeError, match="Parameter data must be a Tensor, not list"):
            nn.Parameter([1.0])

    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
    def test_copies(self, duplicate):
        param = nn.Parameter(fw.ones(2), requires_grad=False)
        other = duplicate(param)
        assert type(other) is nn.Parameter and not other.requires_grad
        other.fill_(2)
        assert param.tolist() == [1.0, 1.0]
        buffer = duplicate(nn.Buffer(fw.ones(1), persistent=False))
        assert type(buffer) is nn.Buffer and not buffer.persistent


class TestCopying:
    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
    def test_module(self, duplicate):
        net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.ReLU())
        net.append(net[0])
        other = duplicate(net)
        assert repr(other) == repr(net)
        assert other[0] is other[3] and other[0] is not net[0]
        for (name, a), b in zip(net.state_dict().items(), other.state_dict().values(), strict=True):
            assert (a == b).all(), name
        other[0].weight.data.fill_(9)
        assert not (net[0].weight == 9).any()

    def test_deepcopy_keeps_load_hooks_on_the_copy(self):
        seen = []
        net = nn.Linear(1, 1)
        net.register_load_state_dict_pre_hook(lambda m, *args: seen.append(m))
        other = copy.deepcopy(net)
        other.load_state_dict(other.state_dict())
        assert seen == [other]

    def test_compile_is_the_identity(self):
        net = nn.Linear(2, 2)
        assert net.compile(mode="max-autotune") is None and net(fw.ones(1, 2)).shape == (1, 2)


class TestSequential:
    def test_list_methods(self, torch):
        def scenario(lib):
            def layers(*sizes):
                return lib.nn.Sequential(*(lib.nn.Linear(n, n) for n in sizes))

            net = layers(1, 2, 3, 4)
            log = [repr(net[1:3]), repr(net[-1]), len(net)]
            net[0] = lib.nn.ReLU()
            del net[1]
            log.append(repr(net))
            del net[:2]
            log.append(repr(net))
            net.append(lib.nn.Tanh()).insert(0, lib.nn.Sigmoid()).extend([lib.nn.ReLU(), lib.nn.GELU()])
            log += [repr(net), repr(net.pop(0)), repr(net), [type(m).__name__ for m in net]]
            log += [repr(net + layers(7)), repr(layers(1, 2) * 2), repr(2 * layers(3))]
            net += layers(8)
            net *= 2
            log += [repr(net), net[0] is net[len(net) // 2]]
            return log

        assert outcome(scenario, fw) == outcome(scenario, torch)

    BAD: ClassVar = {
        "index": lambda s, lib: s[5],
        "negative index": lambda s, lib: s[-3],
        "delete": lambda s, lib: s.__delitem__(2),
        "insert index": lambda s, lib: s.insert(9, lib.nn.ReLU()),
        "add list": lambda s, lib: s + [1],
        "times text": lambda s, lib: s * "a",
        "times zero": lambda s, lib: s * 0,
        "append number": lambda s, lib: s.append(1),
    }

    @pytest.mark.parametrize("case", BAD)
    def test_errors(self, torch, case):
        def scenario(lib):
            return self.BAD[case](lib.nn.Sequential(lib.nn.ReLU(), lib.nn.Tanh()), lib)

        ours = outcome(scenario, fw)
        assert ours == outcome(scenario, torch) and "Error: " in ours

    def test_calls_in_order(self):
        net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        x = fw.randn(4, 2)
        assert (net(x) == net[2](net[1](net[0](x)))).all()


class TestModuleList:
    def test_list_methods(self, torch):
        def scenario(lib):
            net = lib.nn.ModuleList([lib.nn.Linear(n, n) for n in (1, 1, 1, 2, 1)])
            log = [repr(net), repr(net[1:4]), repr(net[-2]), len(net), repr(lib.nn.ModuleList())]
            net[0] = lib.nn.ReLU()
            del net[1]
            del net[-1]
            net.append(lib.nn.Tanh())
            net.insert(1, lib.nn.GELU())
            net += [lib.nn.Sigmoid()]
            net.extend(lib.nn.ModuleList([lib.nn.Sigmoid()]))
            log += [repr(net), repr(net.pop(0)), repr(net + [lib.nn.ReLU()]), [n for n, _ in net.named_modules()]]
            log.append(sorted(net.state_dict()))
            return log

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_errors(self):
        modules = nn.ModuleList([nn.ReLU()])
        with pytest.raises(IndexError, match="index 1 is out of range"):
            modules[1]
        with pytest.raises(TypeError, match=r"ModuleList.extend should be called with an iterable, but got int"):
            modules.extend(3)
        with pytest.raises(NotImplementedError, match="ModuleList"):
            modules(1)


class TestModuleDict:
    def test_dict_methods(self, torch):
        def scenario(lib):
            net = lib.nn.ModuleDict({"b": lib.nn.Linear(1, 1), "a": lib.nn.ReLU()})
            net["c"] = lib.nn.Tanh()
            net.update([("d", lib.nn.GELU()), ("a", lib.nn.SiLU())])
            net.update(lib.nn.ModuleDict({"e": lib.nn.Mish()}))
            log = [repr(net), list(net), list(net.keys()), len(net), "b" in net, "x" in net, repr(net.pop("b"))]
            log += [[type(m).__name__ for m in net.values()], [k for k, _ in net.items()]]
            del net["a"]
            log.append(list(net))
            net.clear()
            return [*log, repr(net)]

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_errors(self):
        modules = nn.ModuleDict()
        with pytest.raises(TypeError, match="iterable of key/value pairs, but got int"):
            modules.update(3)
        with pytest.raises(ValueError, match="element #0 has length 1; 2 is required"):
            modules.update([("a",)])
        with pytest.raises(TypeError, match="element #0 should be Iterable"):
            modules.update([3])
        with pytest.raises(KeyError):
            modules["a"]


class TestParameterContainers:
    def test_list(self, torch):
        def scenario(lib):
            params = lib.nn.ParameterList([lib.ones(2), lib.nn.Parameter(lib.ones(1, 3)), "text"])
            params.append(lib.zeros(1))
            params += [lib.ones(4)]
            params[0] = lib.ones(5)
            log = [repr(params), len(params), list(params.state_dict()), repr(params[1:3]), params[-1].shape == (4,)]
            return [*log, [type(p).__name__ for p in params], [n for n, _ in params.named_parameters()]]

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_dict(self, torch):
        def scenario(lib):
            params = lib.nn.ParameterDict({"b": lib.ones(2), "a": lib.nn.Parameter(lib.ones(1, 3))})
            params["text"] = "t"
            params.update([("z", lib.ones(1))])
            log = [repr(params), list(params), len(params), "a" in params, params.get("nothing"), list(params.keys())]
            log += [params.setdefault("a") is params["a"], list(reversed(params)), params.pop("text"), list(params)]
            other = lib.nn.ParameterDict({"q": lib.ones(1)})
            log += [list(params | other), list(params.copy()), [k for k, _ in params.items()], params.popitem()[0]]
            params |= other
            log += [list(params), list(params.fromkeys(["x"])), [tuple(v.shape) for v in params.values()]]
            del params["q"]
            params.clear()
            return [*log, len(params)]

        assert outcome(scenario, fw) == outcome(scenario, torch)

    def test_errors(self):
        with pytest.raises(TypeError, match=r"not a string \(type is 'int'\)"):
            nn.ParameterDict()[3] = fw.ones(1)
        with pytest.raises(IndexError, match="index 0 is out of range"):
            nn.ParameterList()[0]
        with pytest.raises(TypeError, match=r"ParameterList.extend should be called with an iterable, but got Tensor"):
            nn.ParameterList(fw.ones(2))
        with pytest.raises(RuntimeError, match="ParameterList should not be called"):
            nn.ParameterList()()
        with pytest.raises(RuntimeError, match="ParameterDict should not be called"):
            nn.ParameterDict()()


@pytest.mark.parametrize("module, name", [("nn", "Nothing"), ("optim", "Nothing")])
def test_names_that_are_not_covered_say_so(module, name):
    with pytest.raises(AttributeError, match=rf"'framework.{module}' has no attribute '{name}': .* not covered"):
        getattr(getattr(fw, module), name)
