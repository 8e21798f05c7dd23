"""Every layer of one table side by side with torch, by finite differences, copied, and on the stand-in device."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from op_row import Const
from test_nn_layers import LAYERS as OTHER_LAYERS

import framework as fw
from framework import nn

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*NLLLoss2d:FutureWarning"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning"),
]


class Row(NamedTuple):
    """A layer: its name, its arguments (NumPy arrays stand for tensors), and the arguments of its forward."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: tuple[Any, ...]
    smooth: bool = True  # finite differences make sense
    modes: tuple[bool, ...] = (True, False)  # in training, in evaluation
    gradients: bool = True  # torch's are right


_ROOT = Path(fw.__file__).parents[1]
_random = np.random.default_rng(0)


def x(*shape: int, low: float = -2, high: float = 2) -> np.ndarray:
    """Numbers no two of which are close."""
    count = int(np.prod(shape))
    values = (_random.permutation(count) + 0.5) / max(count, 1) * (high - low) + low
    return (values + 0.013).reshape(shape).astype(np.float32)


def ints(*values: Any) -> np.ndarray:
    return np.array(values, np.int64)


def signs(*shape: int) -> Const:
    return Const(np.where(_random.random(shape) < 0.5, 1.0, -1.0).astype(np.float32))


def R(name: str, args: tuple[Any, ...], *inputs: Any, **kwargs: Any) -> Row:
    return Row(name, args, kwargs, inputs)


def _convolutions() -> list[Row]:
    rows = []
    for n in (1, 2, 3):
        sizes = (7, 6, 5)[:n]
        name, transposed = f"Conv{n}d", f"ConvTranspose{n}d"
        rows += [
            R(name, (3, 4, 3), x(2, 3, *sizes)),
            R(name, (3, 4, 3), x(3, *sizes), padding=1, bias=False),
            R(name, (4, 6, (3, 2, 2)[:n]), x(2, 4, *sizes), stride=2, padding=(1,) * n, dilation=2, groups=2),
            R(name, (2, 3, (3, 4, 2)[:n]), x(2, 2, *sizes), padding="same"),
            R(name, (2, 3, 3), x(2, 2, *sizes), padding="valid", stride=2),
            *(R(name, (2, 2, 3), x(2, 2, *sizes), padding=1, padding_mode=m) for m in ("replicate", "circular")),
            R(name, (2, 2, 3), x(2, 2, *sizes), padding="same", padding_mode="reflect"),
            R(transposed, (3, 4, 3), x(2, 3, *sizes)),
            R(transposed, (3, 4, 3), x(3, *sizes), bias=False),
            R(transposed, (4, 6, 2), x(2, 4, *sizes), stride=2, padding=1, output_padding=1, groups=2, dilation=2),
            R(transposed, (2, 3, 3), x(2, 2, *sizes), [2 * s for s in sizes], stride=2, padding=1),
            R(transposed, (2, 3, 3), x(2, 2, *sizes), [2, 3, *(2 * s - 1 for s in sizes)], stride=2, padding=1),
        ]
    return rows


def _pools() -> list[Row]:
    rows = []
    for n in (1, 2, 3):
        sizes = (6, 7, 5)[:n]
        data = x(2, 3, *sizes)
        rows += [
            R(f"MaxPool{n}d", (2,), data),
            R(f"MaxPool{n}d", (3, 2, 1), data, return_indices=True, ceil_mode=True),
            R(f"AvgPool{n}d", (2,), data),
            R(f"AvgPool{n}d", (3, 2, 1), x(3, *sizes), ceil_mode=True, count_include_pad=False),
            R(f"LPPool{n}d", (2, 2), data),
            R(f"LPPool{n}d", (3, 2), x(2, 3, *sizes, low=0.1), stride=1, ceil_mode=True),
            R(f"AdaptiveAvgPool{n}d", (3,), data),
            R(f"AdaptiveMaxPool{n}d", (3,), data),
            R(f"AdaptiveMaxPool{n}d", ((2, None, 3)[:n],), x(3, *sizes), return_indices=True),
        ]
    return [
        *rows,
        R("MaxUnpool1d", (2,), x(1, 2, 2), ints([[1, 2], [0, 3]])),
        R("MaxUnpool2d", (2, 2), x(1, 1, 2, 2), ints([[[0, 3], [9, 14]]]), [1, 1, 5, 5]),
        R("MaxUnpool3d", (2,), x(1, 1, 1, 1, 2), ints([[[[1, 6]]]])),
        R("FractionalMaxPool2d", (2,), x(2, 3, 7, 6), output_size=3, return_indices=True),
        R("FractionalMaxPool2d", ((2, 3),), x(3, 7, 8), output_ratio=0.5),
        R("FractionalMaxPool2d", (2, (3, 2)), x(2, 3, 7, 6), _random_samples=x(2, 3, 2, low=0, high=0.9)),
        R("FractionalMaxPool3d", (2,), x(2, 3, 5, 6, 7), output_ratio=(0.5, 0.4, 0.6)),
        R("FractionalMaxPool3d", ((1, 2, 2), 3), x(2, 5, 6, 7), return_indices=True),
    ]


def _pads() -> list[Row]:
    rows = []
    for n in (1, 2, 3):
        data, sides = x(2, 3, *(4, 5, 3)[:n]), (1, 2, 0, 1, 2, 1)[: 2 * n]
        rows += [R(f"ConstantPad{n}d", (1, 3.5), data), R(f"ConstantPad{n}d", (sides, -1), data)]
        for kind in ("Zero", "Reflection", "Replication", "Circular"):
            rows += [R(f"{kind}Pad{n}d", (1,), data), R(f"{kind}Pad{n}d", (sides,), data[0])]
    return rows


def _norms() -> list[Row]:
    rows = []
    for n in (1, 2, 3):
        data = x(3, 4, *(5, 3, 2)[:n])
        rows += [
            R(f"InstanceNorm{n}d", (4,), data),
            R(f"InstanceNorm{n}d", (4,), data[0], affine=True, eps=1e-3),
            R(f"InstanceNorm{n}d", (4,), data, affine=True, track_running_stats=True, momentum=0.3),
            R(f"InstanceNorm{n}d", (4,), data, affine=True, bias=False),
            R(f"LazyInstanceNorm{n}d", (), data),
            R(f"LazyBatchNorm{n}d", (), data),
            R(f"LazyBatchNorm{n}d", (), data, affine=False, momentum=None),
        ]
    return [
        *rows,
        R("BatchNorm3d", (4,), x(3, 4, 2, 3, 2)),
        R("BatchNorm3d", (4,), x(3, 4, 2, 3, 2), momentum=None, affine=False),
        R("SyncBatchNorm", (4,), x(3, 4, 5)),
        R("SyncBatchNorm", (4,), x(3, 4), momentum=None, bias=False),
        R("GroupNorm", (2, 6), x(3, 6, 4)),
        R("GroupNorm", (3, 6), x(3, 6), eps=1e-3, bias=False),
        R("GroupNorm", (1, 6), x(2, 6, 2, 2), affine=False),
        R("RMSNorm", (5,), x(3, 5)),
        R("RMSNorm", ([4, 5],), x(3, 4, 5), eps=1e-3),
        R("RMSNorm", (5,), x(3, 5), elementwise_affine=False),
        R("LocalResponseNorm", (3,), x(2, 5, 4), alpha=0.1),
        R("LocalResponseNorm", (2,), x(2, 5, 3, 3), beta=0.5, k=2.0),
        Row("CrossMapLRN2d", (3,), {"alpha": 0.1}, (x(2, 5, 3, 3),), gradients=False),
        Row("CrossMapLRN2d", (4,), {"alpha": 0.2, "beta": 0.5, "k": 2}, (x(2, 4, 3, 2),), gradients=False),
    ]


def _losses() -> list[Row]:
    rows = []
    for r in ("mean", "sum", "none"):
        rows += [
            R("MarginRankingLoss", (), x(6), x(6), signs(6), margin=0.3, reduction=r),
            R("CosineEmbeddingLoss", (), x(4, 3), x(4, 3), signs(4), margin=0.1, reduction=r),
            R("HingeEmbeddingLoss", (), x(4, 3), signs(4, 3), reduction=r),
            R("SoftMarginLoss", (), x(4, 3), signs(4, 3), reduction=r),
            R("MultiMarginLoss", (), x(4, 3), ints(0, 2, 1, 1), reduction=r),
            R("MultiMarginLoss", (2, 0.7, x(3, low=0.2)), x(4, 3), ints(0, 2, 1, 1), reduction=r),
            R("MultiLabelMarginLoss", (), x(2, 4, high=1.7), ints([3, 0, -1, 1], [-1, 2, 0, 1]), reduction=r),
            R("MultiLabelSoftMarginLoss", (), x(4, 3), x(4, 3, low=0, high=1), reduction=r),
            R("TripletMarginLoss", (), x(4, 3), x(4, 3), x(4, 3), reduction=r),
            R("TripletMarginLoss", (0.5, 3.0), x(4, 3), x(4, 3), x(4, 3), swap=True, reduction=r),
            R("TripletMarginWithDistanceLoss", (), x(4, 3), x(4, 3), x(4, 3), margin=2, swap=True, reduction=r),
            R("PoissonNLLLoss", (), x(4, 3), x(4, 3, low=0.1, high=3), reduction=r),
            R("PoissonNLLLoss", (False, True), x(4, 3, low=0.1), x(4, 3, low=1.2, high=5), reduction=r),
            R("GaussianNLLLoss", (), x(4, 3), x(4, 3), x(4, 3, low=0.5), full=True, reduction=r),
            R("NLLLoss2d", (), x(2, 3, 2, 2), ints([[0, 1], [2, 2]], [[1, 1], [0, 2]]), reduction=r),
            R("LinearCrossEntropyLoss", (5, 3), x(4, 5), ints(0, 2, 1, 1), reduction=r, bias=True),
            Row("CTCLoss", (), {"reduction": r}, (_log_probs(5, 2, 4), ints([1, 2], [3, 0]), [5, 4], [2, 1]), False),
        ]
    many = ints([[0, 1], [2, 2]], [[1, 1], [0, 2]])
    rows.append(R("LinearCrossEntropyLoss", (5, 3), x(2, 5), many, out_features=(2, 2), label_smoothing=0.1))
    return rows


def _log_probs(*shape: int) -> np.ndarray:
    scores = x(*shape)
    return scores - np.log(np.exp(scores).sum(-1, keepdims=True))


def _lazy() -> list[Row]:
    rows = [R("LazyLinear", (4,), x(3, 5)), R("LazyLinear", (4,), x(2, 3, 5), bias=False)]
    for n in (1, 2, 3):
        data = x(2, 4, *(5, 6, 4)[:n])
        rows += [
            R(f"LazyConv{n}d", (6, 3), data),
            R(f"LazyConv{n}d", (6, 3), data[0], groups=2, bias=False, padding=1),
            R(f"LazyConvTranspose{n}d", (6, 3), data, stride=2, groups=2),
        ]
    return rows


def _others() -> list[Row]:
    picture = x(2, 8, 3, 4)
    bags = (ints(0, 3, 1, 4, 2), ints(0, 2))
    return [
        R("Bilinear", (3, 4, 5), x(2, 3), x(2, 4)),
        R("Bilinear", (3, 4, 5), x(2, 6, 3), x(2, 6, 4), bias=False),
        R("CosineSimilarity", (), x(2, 3, 4), x(2, 3, 4)),
        R("CosineSimilarity", (-1, 1e-3), x(2, 3), x(2, 3)),
        R("PairwiseDistance", (), x(4, 3), x(4, 3)),
        R("PairwiseDistance", (3.0,), x(4, 3), x(4, 3), keepdim=True),
        R("PixelShuffle", (2,), picture),
        R("PixelUnshuffle", (2,), x(2, 3, 4, 6)),
        R("ChannelShuffle", (4,), picture),
        R("Upsample", (), picture, scale_factor=2),
        R("Upsample", ((5, 7),), picture, mode="bilinear", align_corners=True),
        R("Upsample", (), picture, scale_factor=(1.5, 2.0), mode="bicubic", recompute_scale_factor=True),
        R("Upsample", (5,), x(2, 3, 4), mode="linear"),
        R("UpsamplingNearest2d", (), picture, scale_factor=2),
        R("UpsamplingBilinear2d", (5,), picture),
        R("Unfold", (2,), picture, padding=1, stride=2),
        R("Fold", ((4, 5), (2, 2)), x(2, 8, 12)),
        R("Softmax2d", (), picture),
        R("Softmax2d", (), picture[0]),
        Row("RReLU", (), {}, (x(3, 4),), modes=(False,)),
        Row("RReLU", (0.2, 0.5, True), {}, (x(3, 4),), modes=(False,)),
        *(
            Row(name, (0.3,), {}, (x(2, 3, *sizes),), modes=(False,))
            for name, sizes in (
                ("Dropout3d", (2, 2, 2)),
                ("AlphaDropout", ()),
                ("FeatureAlphaDropout", (2,)),
                ("Dropout", ()),
                ("Dropout1d", (4,)),
                ("Dropout2d", (2, 2)),
            )
        ),
        R("Embedding", (5, 3), ints([0, 4], [1, 1])),
        Row("Embedding", (5, 3, 1), {"scale_grad_by_freq": True}, (ints([0, 4], [1, 1]),), smooth=False),
        R("EmbeddingBag", (5, 3), ints([0, 4], [1, 1])),
        R("EmbeddingBag", (5, 3), *bags, mode="max"),
        R("EmbeddingBag", (5, 3), *bags, x(5), mode="sum", padding_idx=-1),
        R("EmbeddingBag", (5, 3), ints(0, 3, 1, 4), ints(0, 2, 4), include_last_offset=True, padding_idx=0),
        R("AdaptiveLogSoftmaxWithLoss", (8, 10, [2, 5]), x(5, 8), ints(0, 9, 3, 4, 1), div_value=2.0),
        R("AdaptiveLogSoftmaxWithLoss", (8, 10, [4]), x(8), np.array(7), head_bias=True),
    ]


ROWS = [*_convolutions(), *_pools(), *_pads(), *_norms(), *_losses(), *_lazy(), *_others()]
by_row = pytest.mark.parametrize("row", ROWS, ids=[f"{row.name}-{i}" for i, row in enumerate(ROWS)])

#: Layers without a row: tested on their own, or no layers.
ELSEWHERE = {
    *("Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"),
    *("BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "HuberLoss", "KLDivLoss", "L1Loss", "MSELoss", "NLLLoss"),
    *("SmoothL1Loss", "LinearCrossEntropyOptions"),
    *("RNN", "RNNBase", "RNNCell", "RNNCellBase", "LSTM", "LSTMCell", "GRU", "GRUCell", "MultiheadAttention"),
    *("Transformer", "TransformerDecoder", "TransformerDecoderLayer"),
    *("TransformerEncoder", "TransformerEncoderLayer"),
}


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is the reference here and is not installed")


def given(lib: Any, value: Any, double: bool = False, device: str = "cpu") -> Any:
    """An argument for one of the libraries: arrays as tensors."""
    if isinstance(value, Const):
        return given(lib, value.array, double, device)
    if not isinstance(value, np.ndarray):
        return value
    tensor = lib.from_numpy(value.copy())
    if double and tensor.is_floating_point():
        tensor = tensor.double()
    return tensor.to(device)


def build(lib: Any, row: Row) -> Any:
    lib.manual_seed(0)
    kwargs = {name: given(lib, value) for name, value in row.kwargs.items()}
    return getattr(lib.nn, row.name)(*(given(lib, value) for value in row.args), **kwargs)


def results(out: Any) -> list[Any]:
    """The tensors of a result."""
    return list(out) if isinstance(out, tuple) else [out]


def differentiable(row: Row) -> list[int]:
    """Which inputs may require grad."""
    return [i for i, v in enumerate(row.inputs) if isinstance(v, np.ndarray) and v.dtype.kind == "f"]


def run(lib: Any, layer: Any, row: Row) -> tuple[list[Any], list[Any]]:
    """The results of one forward from a fixed seed, and the gradients of inputs and parameters."""
    lib.manual_seed(1)
    layer.zero_grad()
    inputs = [given(lib, value) for value in row.inputs]
    leaves = [inputs[i] for i in differentiable(row)]
    for leaf in leaves:
        leaf.requires_grad_()
    outs = results(layer(*(t * 1 if any(t is leaf for leaf in leaves) else t for t in inputs)))
    total: Any = 0
    for out in outs:
        if out.is_floating_point():
            weight = np.linspace(-1, 1, out.numel(), dtype=np.float32).reshape(tuple(out.shape)) + 0.1
            total = total + (out * given(lib, weight)).sum()
    total.backward()
    return outs, [t.grad for t in (*leaves, *layer.parameters())]


def close(ours: Any, theirs: Any, what: str) -> None:
    if theirs is None or ours is None:
        assert ours is None or not ours.any(), what
        assert theirs is None or not theirs.any(), what
        return
    assert tuple(ours.shape) == tuple(theirs.shape) and str(ours.dtype) == str(theirs.dtype), what
    ours, theirs = ours.detach().cpu().numpy(), theirs.detach().cpu().numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-5, err_msg=what)


def same_state(ours: Any, theirs: Any, exactly: bool = False) -> None:
    ours, theirs = ours.state_dict(), theirs.state_dict()
    assert list(ours) == list(theirs) and ours._metadata == theirs._metadata
    for name, value in theirs.items():
        if repr(value).startswith("<Uninitialized"):
            assert repr(ours[name]) == repr(value)
        elif exactly and value.numel() < 16 and value.is_floating_point():
            np.testing.assert_allclose(ours[name].numpy(), value.numpy(), rtol=3e-7)
        else:
            close(ours[name], value, name)


@by_row
def test_layer_is_torchs(torch: Any, row: Row) -> None:
    """Printing, initial state, results, gradients and updated buffers, in training and in evaluation."""
    ours, theirs = build(fw, row), build(torch, row)
    assert repr(ours) == repr(theirs)
    same_state(ours, theirs, exactly=True)
    for mode in row.modes:
        ours.train(mode)
        theirs.train(mode)
        (outs, grads), (outs_, grads_) = run(fw, ours, row), run(torch, theirs, row)
        assert len(outs) == len(outs_) and len(grads) == len(grads_)
        for mine, its in zip(outs, outs_, strict=True):
            close(mine, its, "result")
        for mine, its in zip(grads, grads_, strict=True):
            if row.gradients:
                close(mine, its, "gradient")
        same_state(ours, theirs)
        assert repr(ours) == repr(theirs) and type(ours).__name__ == type(theirs).__name__


@by_row
def test_attributes_and_signature_are_torchs(torch: Any, row: Row) -> None:
    ours, theirs = build(fw, row), build(torch, row)
    for attribute, value in vars(theirs).items():
        if attribute.startswith("_") and attribute != "_reversed_padding_repeated_twice":
            continue
        mine = getattr(ours, attribute)
        assert mine == value or list(mine) == list(value) or repr(mine) == repr(value), attribute
    mine, its = (inspect.signature(type(layer).__init__).parameters for layer in (ours, theirs))
    if "args" not in its:
        assert [(n, p.default, p.kind) for n, p in mine.items()] == [(n, p.default, p.kind) for n, p in its.items()]
    mine, its = (list(inspect.signature(type(layer).forward).parameters) for layer in (ours, theirs))
    assert mine == its


@by_row
def test_states_load_both_ways(torch: Any, row: Row) -> None:
    """A state of either side, after a step that filled it, loads into a layer of the other that never ran."""
    ours, theirs = build(fw, row), build(torch, row)
    run(fw, ours, row)
    run(torch, theirs, row)
    for param in theirs.parameters():
        param.data.add_(1)
    state = {k: fw.from_numpy(v.numpy().copy()) for k, v in theirs.state_dict().items()}
    fresh = build(fw, row)
    assert str(fresh.load_state_dict(state)) == "<All keys matched successfully>"
    same_state(fresh, theirs)
    fresh = build(torch, row)
    state = {k: torch.from_numpy(v.numpy().copy()) for k, v in ours.state_dict().items()}
    assert str(fresh.load_state_dict(state)) == "<All keys matched successfully>"
    same_state(ours, fresh)


@by_row
def test_derivatives(row: Row) -> None:
    """In float64 against finite differences, of the inputs and of the parameters."""
    if not row.smooth:
        return
    layer = build(fw, row)
    run(fw, layer, row)  # makes lazy layers ordinary ones
    layer = layer.double().train(row.modes[0])
    inputs = [given(fw, value, double=True) for value in row.inputs]
    where = differentiable(row)
    params = dict(layer.named_parameters())

    def call(*values: Any) -> Any:
        fw.manual_seed(1)
        for path, value in zip(params, values[len(where) :], strict=True):
            owner, _, last = path.rpartition(".")
            module = layer.get_submodule(owner)
            module._parameters.pop(last, None)
            object.__setattr__(module, last, value)
        arguments = list(inputs)
        for i, value in zip(where, values, strict=False):
            arguments[i] = value * 1
        outs = [out for out in results(layer(*arguments)) if out.is_floating_point()]
        return tuple(outs) if len(outs) > 1 else outs[0]

    values = [*(inputs[i] for i in where), *(p.detach().clone() for p in params.values())]
    fw.autograd.gradcheck(call, [v.requires_grad_() for v in values], atol=1e-4, rtol=1e-3, fast_mode=True)


@by_row
def test_copies(row: Row) -> None:
    """Deep copies and pickles compute the same."""
    layer = build(fw, row)
    if row.name.startswith("Lazy"):
        assert repr(copy.deepcopy(layer)) == repr(pickle.loads(pickle.dumps(layer))) == repr(layer)
    layer.train(row.modes[-1])
    run(fw, layer, row)  # makes lazy layers ordinary ones
    wanted, _ = run(fw, layer, row)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        found, _ = run(fw, other, row)
        assert repr(other) == repr(layer)
        for mine, its in zip(found, wanted, strict=True):
            close(mine, its, "copy")


@by_row
def test_on_the_stand_in(row: Row, stand_in: ModuleType) -> None:
    """Moved to the device, a layer computes there what it computes here."""
    here, there = build(fw, row), build(fw, row).cuda()
    here.train(row.modes[-1])
    there.train(row.modes[-1])
    fw.manual_seed(1)
    wanted = results(here(*(given(fw, value) for value in row.inputs)))
    fw.manual_seed(1)
    inputs = [given(fw, value, device="cuda") for value in row.inputs]
    for i in differentiable(row):
        inputs[i] = inputs[i].requires_grad_() * 1
    found = results(there(*inputs))
    for mine, its in zip(found, wanted, strict=True):
        assert mine.is_cuda
        close(mine, its, "result")
    next(out for out in found if out.is_floating_point()).sum().backward()
    assert all(param.is_cuda for param in there.parameters())


@pytest.mark.parametrize(
    "name", ["CircularPad2d", "FractionalMaxPool2d", "ChannelShuffle", "Conv2d", "ConvTranspose2d"]
)
def test_an_empty_batch(torch: Any, name: str) -> None:
    rows = [row for row in ROWS if row.name == name and row.inputs[0].ndim == 4 and len(row.inputs) == 1]
    for row in rows:
        if "_random_samples" in row.kwargs:
            continue
        results_of = [results(build(lib, row)(given(lib, row.inputs[0][:0]))) for lib in (fw, torch)]
        for mine, its in zip(*results_of, strict=True):
            close(mine, its, "result")
    assert rows


def test_every_layer_has_a_row() -> None:
    covered = {row.name for row in ROWS} | {row[0] for row in OTHER_LAYERS} | ELSEWHERE
    assert not set(nn.modules.__all__) - covered


def test_names_are_where_torch_has_them(torch: Any) -> None:
    """Each public class under nn and nn.modules; those of torch that are missing are known."""
    for name in nn.modules.__all__:
        assert hasattr(torch.nn, name), name
        assert getattr(nn, name) is getattr(nn.modules, name)
        assert name in dir(nn)
    missing = {n for n, v in vars(torch.nn).items() if isinstance(v, type) and not hasattr(nn, n)}
    recurrent = {n for n in missing if n.startswith(("RNN", "LSTM", "GRU", "Transformer", "Multihead"))}
    assert missing - recurrent <= {"Container", "DataParallel"}


def test_the_rarer_layers_are_imported_when_asked_for() -> None:
    code = "import sys, framework; print([m for m in sys.modules if m.endswith(('.lazy', '_loss', '.padding'))])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_ROOT)
    assert found.stdout.strip() == "['framework.ops.padding']"


def test_rarer_losses_are_in_torchs_file_too() -> None:
    from framework.nn.modules import loss

    assert loss.CTCLoss is nn.CTCLoss and loss.TripletMarginLoss is nn.TripletMarginLoss
    with pytest.raises(AttributeError, match=r"loss' has no attribute 'Other'"):
        loss.Other  # noqa: B018
