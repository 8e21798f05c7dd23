"""The digits, the registry of datasets, and the image transforms."""

import gzip
import hashlib
import math
import re

import numpy as np
import pytest

import datasets
import framework
from datasets import Digits, transforms
from datasets.base import ArrayImageDataset
from datasets.digits import PATH
from framework.utils.data import DataLoader

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")  # where the machine has one core


# Digits


def test_digits_are_the_published_ones():
    text = PATH.with_name("digits.txt").read_text()
    digest = hashlib.sha256(PATH.read_bytes()).hexdigest()
    assert digest in text
    for fact in ("CC BY 4.0", "10.24432/C50P49", "Alpaydin", "Kaynak"):
        assert fact in text
    published = pytest.importorskip("sklearn.datasets", reason="compares with scikit-learn's copy").load_digits()
    with gzip.open(PATH, "rt") as file:
        table = np.loadtxt(file, delimiter=",")
    np.testing.assert_array_equal(table[:, :64], published.data)
    np.testing.assert_array_equal(table[:, 64], published.target)


def test_digits_samples():
    train = Digits("train")
    image, label = train[0]
    assert isinstance(image, framework.Tensor)
    assert (image.shape, image.dtype, type(label)) == ((1, 8, 8), framework.float32, int)
    assert image.min().item() == 0 and image.max().item() <= 1
    assert train.images.max() == 1
    assert train.targets.dtype == np.int64
    assert (train.num_classes, train.in_channels, train.image_size) == (10, 1, (8, 8))
    assert train.classes == list("0123456789")
    with pytest.raises(IndexError):
        train[len(train)]


def test_digits_statistics_are_those_of_the_training_images():
    images = Digits("train").images
    assert Digits.mean == (pytest.approx(images.mean(), abs=5e-5),)
    assert Digits.std == (pytest.approx(images.std(), abs=5e-5),)


def test_digits_split_is_stratified_and_complete():
    train, test = Digits("train"), Digits("test")
    assert (len(train), len(test)) == (1433, 364)
    share = np.bincount(test.targets) / (np.bincount(train.targets) + np.bincount(test.targets))
    assert np.all(np.abs(share - 0.2) < 0.005)
    rows = {image.tobytes() for image in np.concatenate([train.images, test.images])}
    with gzip.open(PATH, "rt") as file:
        everything = np.loadtxt(file, delimiter=",")[:, :64]
    assert rows == {row.tobytes() for row in (everything / 16).astype(np.float32)}


def test_digits_of_some_classes_are_relabelled():
    everything, some = Digits("test"), Digits("test", classes=[7, 5])
    assert some.classes == ["7", "5"]
    assert some.num_classes == 2
    for label, digit in enumerate([7, 5]):
        np.testing.assert_array_equal(
            some.images[some.targets == label], everything.images[everything.targets == digit]
        )
    assert set(some.targets.tolist()) == {0, 1}


def test_digits_do_not_change_when_a_sample_does():
    digits = Digits("test")
    before = digits.images.sum()
    digits[0][0].add_(1)
    assert digits.images.sum() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "val"}, "split should be one of ['train', 'test'], but got 'val'"),
        ({"classes": [1, 1]}, "classes should be different digits from 0 to 9, but got [1, 1]"),
        ({"classes": [10]}, "but got [10]"),
        ({"classes": []}, "but got []"),
    ],
)
def test_digits_check_their_options(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Digits(**options)


def test_digits_in_batches():
    images, labels = next(iter(DataLoader(Digits("test"), 32)))
    assert (images.shape, images.dtype) == ((32, 1, 8, 8), framework.float32)
    assert (labels.shape, labels.dtype) == ((32,), framework.int64)


# Registry


def test_datasets_by_name():
    digits = datasets.create("digits", split="test", classes=[0, 1])
    assert isinstance(digits, Digits)
    assert digits.num_classes == 2
    assert "digits" in datasets.names()


def test_unknown_names_and_options_get_a_suggestion():
    with pytest.raises(ValueError, match=r"unknown dataset 'digit'; did you mean 'digits'. Known: .*digits"):
        datasets.create("digit")
    with pytest.raises(TypeError, match=r"'digits' has no option 'spilt'; did you mean 'split'. Known: split, "):
        datasets.create("digits", spilt="test")


# Augmentation depends on seed, epoch and sample alone


AUGMENT = transforms.Compose(
    [transforms.RandomCrop(8, padding=2), transforms.RandomAffine(10, interpolation="bilinear")]
)


def all_images(dataset, **options):
    return np.concatenate([images.numpy() for images, _ in DataLoader(dataset, 50, **options)])


def test_augmentation_does_not_depend_on_workers_or_order():
    dataset = Digits("test", transform=AUGMENT, seed=3)
    images = all_images(dataset)
    framework.manual_seed(0)
    np.testing.assert_array_equal(all_images(dataset, num_workers=2), images)
    np.testing.assert_array_equal(dataset[17][0].numpy(), images[17])
    np.testing.assert_array_equal(dataset[17 - len(dataset)][0].numpy(), images[17])


def test_augmentation_changes_with_epoch_and_seed():
    dataset = Digits("test", transform=AUGMENT, seed=3)
    first = all_images(dataset)
    dataset.set_epoch(1)
    second = all_images(dataset)
    assert (first != second).any(axis=(1, 2, 3)).mean() > 0.9
    assert (first != all_images(Digits("test", transform=AUGMENT, seed=4))).any(axis=(1, 2, 3)).mean() > 0.9
    dataset.set_epoch(0)
    np.testing.assert_array_equal(all_images(dataset), first)


def test_persistent_workers_follow_the_epoch():
    dataset = Digits("test", transform=AUGMENT)
    loader = DataLoader(dataset, 50, num_workers=2, persistent_workers=True)
    for epoch in range(3):
        dataset.set_epoch(epoch)
        images = np.concatenate([images.numpy() for images, _ in loader])
        np.testing.assert_array_equal(images, all_images(dataset))


def test_any_function_can_be_a_transform():
    dataset = ArrayImageDataset(
        np.ones((1, 1, 2, 2), np.float32), np.zeros(1, np.int64), ["a"], lambda image: image * 3
    )
    assert dataset[0][0].tolist() == [[[3, 3], [3, 3]]]


# Transforms


@pytest.fixture
def image():
    return np.random.default_rng(0).random((3, 6, 9), np.float32)


def rng():
    return np.random.default_rng(1)


def test_compose_applies_one_after_the_other(image):
    both = transforms.Compose([lambda x: x + 1, transforms.Normalize([1.0] * 3, [2.0] * 3)])
    np.testing.assert_allclose(both(image), image / 2, atol=1e-6)
    assert not both.random
    assert transforms.Compose([transforms.RandomCrop(2)]).random
    with pytest.raises(ValueError, match="at least one transform"):
        transforms.Compose([])


def test_normalize(image):
    normalize = transforms.Normalize([0.1, 0.2, 0.3], [1, 2, 4])
    expected = np.stack([(image[c] - m) / s for c, (m, s) in enumerate([(0.1, 1), (0.2, 2), (0.3, 4)])])
    np.testing.assert_allclose(normalize(image), expected, rtol=1e-6, atol=1e-7)
    assert normalize(image).dtype == np.float32
    np.testing.assert_array_equal(normalize(np.stack([image, image]))[1], normalize(image))
    result = normalize(framework.from_numpy(image))
    assert isinstance(result, framework.Tensor)
    np.testing.assert_array_equal(result.numpy(), normalize(image))
    with pytest.raises(TypeError, match=r"should be a float tensor. Got uint8"):
        normalize(np.zeros((3, 2, 2), np.uint8))
    with pytest.raises(ValueError, match="3 means and 3 standard deviations, but the image has 2 channels"):
        normalize(np.zeros((2, 2, 2), np.float32))
    with pytest.raises(ValueError, match="std evaluated to zero"):
        transforms.Normalize([0.0], [0.0])


def test_to_tensor():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    result = transforms.ToTensor()(pixels)
    assert (result.shape, result.dtype) == ((3, 2, 4), framework.float32)
    np.testing.assert_array_equal(result.numpy(), pixels.transpose(2, 0, 1).astype(np.float32) / 255)
    assert transforms.ToTensor()(pixels[..., 0]).shape == (1, 2, 4)
    assert transforms.ToTensor()(pixels.astype(np.float32))[0, 0, 1].item() == 3
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    np.testing.assert_array_equal(transforms.ToTensor()(pillow.fromarray(pixels)).numpy(), result.numpy())
    with pytest.raises(ValueError, match="2 or 3 dimensional"):
        transforms.ToTensor()(np.zeros(3))


def test_random_crop_finds_every_place(image):
    crop = transforms.RandomCrop((4, 8), padding=1)
    padded = np.pad(image, [(0, 0), (1, 1), (1, 1)])
    places = [padded[:, top : top + 4, left : left + 8] for top in range(5) for left in range(4)]
    found = set()
    generator = rng()
    for _ in range(300):
        part = crop(image, generator)
        matches = [i for i, place in enumerate(places) if np.array_equal(part, place)]
        assert len(matches) == 1
        found.add(matches[0])
    assert found == set(range(20))


def test_random_crop_pads_as_told(image):
    whole = transforms.RandomCrop((6 + 3 + 1, 9 + 1 + 2), padding=[1, 3, 2, 1], fill=0.5)(image, rng())
    np.testing.assert_array_equal(whole, np.pad(image, [(0, 0), (3, 1), (1, 2)], constant_values=0.5))
    whole = transforms.RandomCrop((10, 11), padding=[1, 2], padding_mode="reflect")(image, rng())
    np.testing.assert_array_equal(whole, np.pad(image, [(0, 0), (2, 2), (1, 1)], mode="reflect"))
    batch = transforms.RandomCrop(5)(framework.from_numpy(np.stack([image, image])), rng())
    assert batch.shape == (2, 3, 5, 5)
    assert (batch[0] == batch[1]).all()
    with pytest.raises(ValueError, match=re.escape("Required crop size (7, 7) is larger than padded input image size")):
        transforms.RandomCrop(7)(image, rng())
    with pytest.raises(ValueError, match=r"padding_mode should be one of .* but got 'zeros'"):
        transforms.RandomCrop(3, padding_mode="zeros")
    with pytest.raises(ValueError, match="1, 2 or 4 elements"):
        transforms.RandomCrop(3, padding=[1, 2, 3])


def test_random_transforms_follow_manual_seed(image):
    crop = transforms.RandomCrop(3)
    results = []
    for _ in range(2):
        framework.manual_seed(9)
        results.append(np.stack([crop(image) for _ in range(10)]))
    np.testing.assert_array_equal(*results)
    assert len(np.unique(results[0], axis=0)) > 3


def test_affine_moves_whole_pixels_exactly(image):
    moved = transforms.affine(image, 0.0, (2, -1), 1.0, "bilinear", 0.0)
    expected = np.zeros_like(image)
    expected[:, :-1, 2:] = image[:, 1:, :-2]
    np.testing.assert_allclose(moved, expected, atol=1e-6)
    square = image[:, :, :6]
    np.testing.assert_allclose(  # clockwise
        transforms.affine(square, 90.0, (0, 0), 1.0, "nearest", 0.0), np.rot90(square, -1, axes=(1, 2)), atol=1e-6
    )


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize(
    ("angle", "shift", "factor"), [(20.0, (0, 0), 1.0), (-33.0, (1, -2), 1.3), (5.0, (-1, 0), 0.7)]
)
def test_affine_as_torch(image, angle, shift, factor, interpolation):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    height, width = image.shape[1:]
    cos, sin = math.cos(math.radians(angle)) / factor, math.sin(math.radians(angle)) / factor
    # The inverse map in units of half the image, as grid_sample wants it.
    x, y = -2 * shift[0] / width, -2 * shift[1] / height
    theta = [
        [cos, sin * height / width, cos * x + sin * height / width * y],
        [-sin * width / height, cos, -sin * width / height * x + cos * y],
    ]
    grid = torch.nn.functional.affine_grid(torch.tensor([theta]), (1, 3, height, width), align_corners=False)
    expected = torch.nn.functional.grid_sample(
        torch.from_numpy(image)[None], grid, mode=interpolation, padding_mode="zeros", align_corners=False
    )[0]
    result = transforms.affine(image, angle, shift, factor, interpolation, 0.0)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected.numpy(), atol=1e-5)


def test_random_affine_stays_in_its_bounds(image):
    still = transforms.RandomAffine(0)
    np.testing.assert_allclose(still(image, rng()), image, atol=1e-6)
    shifted = transforms.RandomAffine(0, translate=(0.25, 0.0))
    generator = rng()
    seen = set()
    for _ in range(50):
        result = shifted(image, generator)
        matches = [
            shift
            for shift in range(-3, 4)
            if np.allclose(result, transforms.affine(image, 0.0, (shift, 0), 1.0, "nearest", 0.0))
        ]
        assert len(matches) == 1
        seen.add(matches[0])
    assert seen == {-2, -1, 0, 1, 2}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"degrees": -1}, "degrees is a single number, it must be positive, but got -1"),
        ({"degrees": 1, "translate": (2, 0)}, "translation values should be between 0 and 1"),
        ({"degrees": 1, "scale": (0, 1)}, "scale values should be positive"),
        ({"degrees": 1, "interpolation": "cubic"}, "but got 'cubic'"),
    ],
)
def test_random_affine_checks_its_options(options, message):
    with pytest.raises(ValueError, match=message):
        transforms.RandomAffine(**options)


def test_transforms_print_their_settings():
    text = repr(transforms.Compose([transforms.Normalize([0.5], [0.25]), transforms.RandomCrop(8, padding=1)]))
    assert text == "Compose([Normalize(mean=[0.5], std=[0.25]), RandomCrop(size=(8, 8), padding=1)])"
