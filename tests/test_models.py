"""The model zoo, against facts recorded from torchvision 0.29."""

import functools
import hashlib

import pytest

import framework as ft
import models
from framework import nn
from models.resnet import BasicBlock, Bottleneck

# Parameters with 1000 classes and 3 channels, entries of the state_dict, and the beginning of the SHA-256 of its
# lines "key shape".
TORCHVISION = {
    "resnet18": (11_689_512, 122, "761022b221a39ceb"),
    "resnet34": (21_797_672, 218, "1a060acae7a42530"),
    "resnet50": (25_557_032, 320, "3fa57287149b51c4"),
}
BATCH_NORM = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]


def parameters(model):
    return sum(p.numel() for p in model.parameters())


@functools.cache
def built(name):
    """The models with 1000 classes take a second to fill, so tests that only look at them share one."""
    return models.create(name)


@pytest.mark.parametrize("name", TORCHVISION)
def test_resnets_have_torchvisions_keys_shapes_and_parameters(name):
    model = built(name)
    lines = "".join(f"{key} {tuple(value.shape)}\n" for key, value in model.state_dict().items())
    digest = hashlib.sha256(lines.encode()).hexdigest()[:16]
    assert (parameters(model), lines.count("\n"), digest) == TORCHVISION[name]


def test_resnet18_keys():
    keys = ["conv1.weight", *(f"bn1.{key}" for key in BATCH_NORM)]
    for layer in (1, 2, 3, 4):
        for block in (0, 1):
            prefix = f"layer{layer}.{block}."
            for part in (1, 2):
                keys += [f"{prefix}conv{part}.weight", *(f"{prefix}bn{part}.{key}" for key in BATCH_NORM)]
            if layer > 1 and block == 0:
                keys += [f"{prefix}downsample.0.weight", *(f"{prefix}downsample.1.{key}" for key in BATCH_NORM)]
    keys += ["fc.weight", "fc.bias"]
    assert list(built("resnet18").state_dict()) == keys


def test_resnet_modules_have_torchvisions_names():
    names = [name for name, _ in built("resnet50").named_children()]
    assert names == ["conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4", "avgpool", "fc"]


@pytest.mark.parametrize(("block", "last"), [(BasicBlock, "bn2"), (Bottleneck, "bn3")])
@pytest.mark.parametrize("zero", [False, True])
def test_zero_init_residual_makes_blocks_start_as_the_identity(block, last, zero):
    model = models.ResNet(block, (1, 1, 1, 1), zero_init_residual=zero)
    weight = getattr(model.layer2[0], last).weight
    assert weight.tolist() == [0.0 if zero else 1.0] * len(weight)


def test_resnet_initialisation_is_kaiming_fan_out():
    ft.manual_seed(0)
    weight = models.create("resnet18").layer4[1].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (512 * 3 * 3)) ** 0.5, rel=0.01)
    assert abs(weight.mean().item()) < 1e-4


def test_small_input_keeps_the_image_until_the_second_stage():
    model = models.create("resnet18", num_classes=10, in_channels=1, small_input=True).eval()
    sizes = {}
    for name in ("maxpool", "layer1", "layer2", "layer4"):
        module = getattr(model, name)
        module.register_forward_hook(lambda _, __, out, name=name: sizes.__setitem__(name, tuple(out.shape[1:])))
    with ft.no_grad():
        assert model(ft.zeros(2, 1, 8, 8)).shape == (2, 10)
    assert sizes == {"maxpool": (64, 8, 8), "layer1": (64, 8, 8), "layer2": (128, 4, 4), "layer4": (512, 1, 1)}


@pytest.mark.parametrize("size", [8, 28, 32])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("name", "options"), [("mlp", {}), ("lenet", {}), ("small_cnn", {}), ("resnet18", {"small_input": True})]
)
def test_models_take_digits_mnist_and_cifar_sizes(name, options, size, channels):
    if "image_size" in models.options(name):
        options = {**options, "image_size": (size, size)}
    model = models.create(name, num_classes=7, in_channels=channels, **options).eval()
    with ft.no_grad():
        assert model(ft.zeros(2, channels, size, size)).shape == (2, 7)


@pytest.mark.parametrize(("name", "count"), [("mlp", 235_146), ("lenet", 44_426), ("small_cnn", 67_754)])
def test_parameter_counts(name, count):
    assert parameters(models.create(name)) == count


@pytest.mark.parametrize("name", models.names())
def test_the_head_is_a_linear_layer_to_the_classes_and_registered_last(name):
    model = built(name)
    head = model.get_submodule(model.head_name)
    assert isinstance(head, nn.Linear)
    assert head.out_features == (1000 if name in TORCHVISION else 10)
    assert list(model.state_dict())[-1] == f"{model.head_name}.bias"


def test_mlp_hidden_sizes():
    model = models.create("mlp", image_size=8, hidden=[5, 4], num_classes=3)
    shapes = [tuple(p.shape) for p in model.parameters()]
    assert shapes == [(5, 64), (5,), (4, 5), (4,), (3, 4), (3,)]
    assert parameters(models.create("mlp", image_size=8, hidden=[], num_classes=3)) == 64 * 3 + 3


def test_every_parameter_gets_a_gradient():
    for name in ("mlp", "lenet", "small_cnn"):
        options = {"image_size": 8} if name == "mlp" else {}
        model = models.create(name, **options)
        model(ft.randn(4, 1, 8, 8)).sum().backward()
        assert all(p.grad is not None for p in model.parameters())


def test_names():
    assert models.names() == ["lenet", "mlp", "resnet18", "resnet34", "resnet50", "small_cnn"]


@pytest.mark.parametrize(
    ("name", "options", "kind", "message"),
    [
        ("resnt18", {}, ValueError, "unknown model 'resnt18'; did you mean 'resnet18'? Known: lenet, mlp, resnet18"),
        ("zzz", {}, ValueError, "unknown model 'zzz'. Known: lenet, mlp"),
        ("mlp", {"hiden": [3]}, TypeError, "model 'mlp' has no option 'hiden'; did you mean 'hidden'? Known: num_cl"),
        ("mlp", {"hidden": 3}, TypeError, "hidden must be a list of layer sizes, got 3"),
        ("mlp", {"hidden": [3, "x"]}, TypeError, "hidden[1] must be an integer, got 'x'"),
        ("mlp", {"hidden": [0]}, ValueError, "hidden[0] must be at least 1, got 0"),
        ("mlp", {"image_size": [8, 8, 8]}, ValueError, "image_size must be one number or (height, width)"),
        ("lenet", {"num_classes": 0}, ValueError, "num_classes must be at least 1, got 0"),
        ("small_cnn", {"width": 2.5}, TypeError, "width must be an integer, got 2.5"),
        ("resnet18", {"in_channels": True}, TypeError, "in_channels must be an integer, got True"),
    ],
)
def test_wrong_names_and_options(name, options, kind, message):
    with pytest.raises(kind) as error:
        models.create(name, **options)
    assert str(error.value).startswith(message)


def test_small_cnn_has_the_scores_of_the_same_layers_in_torch():
    torch = pytest.importorskip("torch", reason="compares with PyTorch")

    def block(i, o):
        return [torch.nn.Conv2d(i, o, 3, padding=1, bias=False), torch.nn.BatchNorm2d(o), torch.nn.ReLU()]

    ft.manual_seed(3)
    ours = models.create("small_cnn", num_classes=4)
    torch.manual_seed(3)
    theirs = torch.nn.Sequential(
        *block(1, 32),
        *block(32, 32),
        torch.nn.MaxPool2d(2),
        *block(32, 64),
        *block(64, 64),
        torch.nn.MaxPool2d(2),
        torch.nn.AdaptiveAvgPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(256, 4),
    )
    images = torch.rand(5, 1, 8, 8)
    got = ours.eval()(ft.tensor(images.tolist()))
    expected = theirs.eval()(images)
    for row, reference in zip(got.tolist(), expected.tolist(), strict=True):
        assert row == pytest.approx(reference, abs=1e-5)
