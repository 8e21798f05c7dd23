"""Datasets, samplers, collation and the DataLoader, in this process and in workers."""

import collections
import gc
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import framework
from framework.utils import data as ours
from framework.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    get_worker_info,
    random_split,
)

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")  # where the machine has one core


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")


def plain(value):
    """Structure, dtypes and values without the framework they come from."""
    if isinstance(value, framework.Tensor) or type(value).__module__ == "torch":
        return (str(value.dtype), value.tolist())
    if isinstance(value, collections.abc.Mapping):
        return (type(value).__name__, {key: plain(item) for key, item in value.items()})
    if isinstance(value, collections.abc.Sequence) and not isinstance(value, (str, bytes)):
        return (type(value).__name__, [plain(item) for item in value])
    return value


def no_processes_left():
    return multiprocessing.active_children() == []


def as_is(batch):
    return batch


class Squares(Dataset):
    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if not 0 <= index < self.length:
            raise IndexError(index)
        return index, index**2


class Stream(IterableDataset):
    """Worker w yields 7, 2 or 5 numbers, beginning with 100 w."""

    def __iter__(self):
        info = get_worker_info()
        worker = info.id if info else 0
        return iter(range(100 * worker, 100 * worker + (7, 2, 5)[worker]))


# Datasets


def test_tensor_dataset_has_rows_and_wants_equal_lengths():
    dataset = TensorDataset(framework.arange(6).reshape(3, 2), framework.arange(3))
    assert len(dataset) == 3
    assert [part.tolist() for part in dataset[1]] == [[2, 3], 1]
    with pytest.raises(AssertionError, match="Size mismatch between tensors"):
        TensorDataset(framework.zeros(3), framework.zeros(2))


def test_datasets_add_up():
    both = Squares(3) + Squares(2)
    assert isinstance(both, ConcatDataset)
    assert (len(both), both[2], both[3], both[-1], both.cumulative_sizes) == (5, (2, 4), (0, 0), (1, 1), [3, 5])
    with pytest.raises(ValueError, match="absolute value of index"):
        both[-6]
    with pytest.raises(AssertionError, match="should not be an empty iterable"):
        ConcatDataset([])
    with pytest.raises(AssertionError, match="does not support IterableDataset"):
        ConcatDataset([Stream()])


def test_streams_add_up():
    assert list(Stream() + Stream()) == [*range(7), *range(7)]
    with pytest.raises(AssertionError, match="only supports IterableDataset"):
        list(ours.ChainDataset([Squares(2)]))


def test_stack_dataset_pairs_samples():
    assert StackDataset(Squares(3), Squares(3))[2] == ((2, 4), (2, 4))
    named = StackDataset(a=Squares(3), b=Subset(Squares(9), [7, 8, 0]))
    assert named[1] == {"a": (1, 1), "b": (8, 64)}
    assert named.__getitems__([0, 2]) == [{"a": (0, 0), "b": (7, 49)}, {"a": (2, 4), "b": (0, 0)}]
    with pytest.raises(ValueError, match="Size mismatch between datasets"):
        StackDataset(Squares(3), Squares(2))
    with pytest.raises(ValueError, match="At least one dataset"):
        StackDataset()
    with pytest.raises(ValueError, match="both types are given"):
        StackDataset(Squares(3), b=Squares(3))


def test_subset_must_override_both_ways_to_get_samples():
    class Doubled(Subset):
        def __getitem__(self, idx):
            return 2 * super().__getitem__(idx)

    assert Subset(Squares(9), [4, 2])[0] == (4, 16)
    with pytest.raises(NotImplementedError, match="Doubled overrides __getitem__ but not __getitems__"):
        Doubled(Squares(9), [4, 2])


def test_abstract_methods_say_so():
    with pytest.raises(NotImplementedError, match="should implement __getitem__"):
        Dataset()[0]
    with pytest.raises(NotImplementedError, match="should implement __iter__"):
        iter(ours.Sampler())


@pytest.mark.parametrize("lengths", [[3, 7], [0.25, 0.75], [0.3, 0.3, 0.4], [10], [1.0], [0, 10]])
def test_random_split_as_torch(torch, lengths):
    theirs = torch.utils.data.random_split(range(10), lengths, torch.Generator().manual_seed(42))
    split = random_split(range(10), lengths, framework.Generator().manual_seed(42))
    assert [part.indices for part in split] == [part.indices for part in theirs]
    framework.manual_seed(7)
    torch.manual_seed(7)
    assert [list(part) for part in random_split(range(10), lengths)] == [
        list(part) for part in torch.utils.data.random_split(range(10), lengths)
    ]


def test_random_split_refuses_lengths_that_do_not_fit():
    with pytest.raises(ValueError, match="Sum of input lengths does not equal"):
        random_split(range(10), [3, 6])
    with pytest.raises(ValueError, match="Fraction at index 0 is not between 0 and 1"):
        random_split(range(10), [1.5, -0.5])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        random_split(range(2), [0.9, 0.1])


# Samplers


def samplers(library, generator):
    s = library.utils.data
    yield s.RandomSampler(range(50), generator=generator)
    yield s.RandomSampler(range(7), num_samples=20, generator=generator)
    yield s.RandomSampler(range(50), replacement=True, generator=generator)
    yield s.RandomSampler(range(50), replacement=True, num_samples=70, generator=generator)
    yield s.SubsetRandomSampler([5, 3, 8, 1], generator=generator)
    yield s.WeightedRandomSampler([0.1, 0.0, 3, 0.5], 20, generator=generator)
    yield s.BatchSampler(s.RandomSampler(range(10), generator=generator), 3, False)
    yield s.BatchSampler(s.RandomSampler(range(10), generator=generator), 3, True)


@pytest.mark.parametrize("own_generator", [False, True])
def test_samplers_as_torch(torch, own_generator):
    framework.manual_seed(0)
    torch.manual_seed(0)
    mine = samplers(framework, framework.Generator().manual_seed(5) if own_generator else None)
    theirs = samplers(torch, torch.Generator().manual_seed(5) if own_generator else None)
    for a, b in zip(mine, theirs, strict=True):
        assert len(a) == len(b)
        assert [list(a), list(a)] == [list(b), list(b)]


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("length", [2, 10, 12])
def test_distributed_sampler_as_torch(torch, length, drop_last):
    for rank in range(4):
        a, b = (
            library.utils.data.DistributedSampler(range(length), 4, rank, seed=3, drop_last=drop_last)
            for library in (framework, torch)
        )
        for epoch in (0, 1):
            a.set_epoch(epoch)
            b.set_epoch(epoch)
            assert (len(a), list(a)) == (len(b), list(b))


def test_weighted_sampling_without_replacement_draws_each_once():
    drawn = list(ours.WeightedRandomSampler([1, 2, 0, 4.0], 3, replacement=False))
    assert sorted(drawn) == [0, 1, 3]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda s: s.RandomSampler(range(3), replacement=1), TypeError, "replacement should be a boolean value"),
        (lambda s: s.RandomSampler(range(3), num_samples=0), ValueError, "num_samples=0"),
        (lambda s: s.RandomSampler([]), ValueError, "num_samples=0"),
        (lambda s: s.WeightedRandomSampler([1.0], 0), ValueError, "num_samples=0"),
        (lambda s: s.WeightedRandomSampler([1.0], True), ValueError, "num_samples=True"),
        (lambda s: s.WeightedRandomSampler([1.0], 1, 0), ValueError, "replacement=0"),
        (lambda s: s.WeightedRandomSampler([[1.0]], 1), ValueError, r"weights have shape \(1, 1\)"),
        (lambda s: s.BatchSampler([1], 0, False), ValueError, "batch_size=0"),
        (lambda s: s.BatchSampler([1], True, False), ValueError, "batch_size=True"),
        (lambda s: s.BatchSampler([1], 2, 1), ValueError, "drop_last=1"),
        (lambda s: s.DistributedSampler([1], 2, 2), ValueError, r"Invalid rank 2.*interval \[0, 1\]"),
        (lambda s: s.DistributedSampler([1]), ValueError, "process group has not been initialized"),
    ],
)
def test_samplers_check_their_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make(ours)


# Collation

Point = collections.namedtuple("Point", "x y")

SAMPLES = [
    [1, 2],
    [1, 2.5],
    [True, False],
    [1.5, 2.0],
    [np.float32(1), np.float32(2)],
    [np.float64(1), 2.0],
    [np.int32(1), np.int32(3)],
    [np.bool_(True)],
    [np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32)],
    [np.zeros(2, np.float32), np.zeros(2)],
    [np.array(1.5), np.array(2.5)],
    [np.zeros(0), np.zeros(0)],
    ["a", "b"],
    [b"a"],
    [("a", 1), ("b", 2)],
    [[1, 2.0], [3, 4.0]],
    [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
    [collections.OrderedDict(a=1.5), collections.OrderedDict(a=2.5)],
    [Point(1, "p"), Point(2, "q")],
    [(1, {"k": [np.zeros(2), 5]}), (2, {"k": [np.ones(2), 6]})],
    [range(3), range(3)],
    [(), ()],
]


@pytest.mark.parametrize("batch", SAMPLES, ids=str)
def test_default_collate_as_torch(torch, batch):
    assert plain(ours.default_collate(batch)) == plain(torch.utils.data.default_collate(batch))


@pytest.mark.parametrize("value", [*[batch[0] for batch in SAMPLES], np.array(["a"]), None, [np.zeros(1)]], ids=str)
def test_default_convert_as_torch(torch, value):
    assert plain(ours.default_convert(value)) == plain(torch.utils.data.default_convert(value))


def test_default_collate_stacks_tensors():
    batch = ours.default_collate([framework.ones(2, 3), framework.zeros(2, 3)])
    assert batch.shape == (2, 2, 3)
    assert batch[0].tolist() == [[1.0] * 3] * 2
    tensor = framework.ones(1)
    assert ours.default_convert(tensor) is tensor


def test_default_collate_keeps_the_type_of_containers():
    class Tagged(dict):
        tag = "kept"

    batch = ours.default_collate([Tagged(a=1), Tagged(a=2)])
    assert type(batch) is Tagged
    assert batch["a"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        ([None], TypeError, "found <class 'NoneType'>"),
        ([{"a": object()}], TypeError, "batch must contain tensors, numpy arrays, numbers, dicts or lists"),
        ([np.array(["a"])], TypeError, "found <U1"),
        ([(1,), (2, 3)], RuntimeError, "each element in list of batch should be of equal size"),
        ([np.zeros(2), np.zeros(3)], RuntimeError, "stack expects each tensor to be equal size"),
    ],
)
def test_default_collate_names_what_it_cannot_join(batch, error, message):
    with pytest.raises(error, match=message):
        ours.default_collate(batch)


# The DataLoader in this process


def epochs_as_torch(torch, dataset, theirs, generators=False, **options):
    """Two passes of both loaders from the same seed, and what the generators give afterwards."""
    results = []
    for library, data in ((framework, dataset), (torch, theirs)):
        library.manual_seed(11)
        if generators:
            options["generator"] = library.Generator().manual_seed(4)
        loader = library.utils.data.DataLoader(data, **options)
        passes = [[plain(batch) for batch in loader] for _ in range(2)]
        results.append((len(loader), passes, library.rand(3).tolist()))
    return results


@pytest.mark.parametrize("generators", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_size": 4},
        {"batch_size": 4, "drop_last": True},
        {"batch_size": 4, "shuffle": True},
        {"batch_size": None},
        {"batch_size": None, "shuffle": True},
        {"batch_size": 3, "shuffle": True, "collate_fn": as_is},
        {"batch_size": 3, "sampler": [5, 1, 9, 0]},
        {"batch_sampler": [[5, 1], [9], [0, 2, 4]]},
        {"batch_size": 4, "shuffle": True, "num_workers": 2},
    ],
    ids=lambda options: ", ".join(options) if isinstance(options, dict) else str(options),
)
def test_batches_as_torch(torch, options, generators):
    mine, theirs = epochs_as_torch(torch, Squares(10), Squares(10), generators, **options)
    assert mine == theirs


def test_tensor_batches_as_torch(torch):
    rows, labels = np.random.default_rng(0).random((50, 3), np.float32), np.arange(50)
    dataset, theirs = (
        library.utils.data.TensorDataset(library.tensor(rows.tolist()), library.tensor(labels.tolist()))
        for library in (framework, torch)
    )
    mine, expected = epochs_as_torch(torch, dataset, theirs, batch_size=8, shuffle=True)
    assert mine == expected
    subset, theirs = Subset(dataset, [*range(40, 10, -1)]), torch.utils.data.Subset(theirs, [*range(40, 10, -1)])
    mine, expected = epochs_as_torch(torch, subset, theirs, batch_size=8, shuffle=True)
    assert mine == expected


def test_rows_of_tensors_are_fetched_at_once_only_where_that_is_the_same():
    class Negated(TensorDataset):
        def __getitem__(self, index):
            return tuple(-part for part in super().__getitem__(index))

    numbers = framework.arange(6)
    assert next(iter(DataLoader(TensorDataset(numbers), 3)))[0].tolist() == [0, 1, 2]
    assert next(iter(DataLoader(Negated(numbers), 3)))[0].tolist() == [0, -1, -2]
    assert next(iter(DataLoader(TensorDataset(numbers), batch_sampler=[[-1, 2]])))[0].tolist() == [5, 2]
    assert next(iter(DataLoader(TensorDataset(numbers), batch_sampler=[[True, True]])))[0].shape == (2, 1, 6)
    with pytest.raises(IndexError):
        next(iter(DataLoader(TensorDataset(numbers), batch_sampler=[[6]])))


def test_tensor_batches_do_not_share_memory_with_the_dataset():
    numbers = framework.zeros(4, 2)
    for (batch,) in DataLoader(TensorDataset(numbers), 2):
        batch.add_(1)
    assert numbers.sum().item() == 0


def test_gradients_flow_through_tensor_batches():
    weights = framework.ones(4, 2, requires_grad=True)
    (batch,) = next(iter(DataLoader(TensorDataset(weights), batch_sampler=[[2, 0]])))
    batch.sum().backward()
    assert weights.grad.tolist() == [[1, 1], [0, 0], [1, 1], [0, 0]]


def test_streams_in_batches():
    assert [batch.tolist() for batch in DataLoader(Stream(), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [batch.tolist() for batch in DataLoader(Stream(), 3, drop_last=True)] == [[0, 1, 2], [3, 4, 5]]
    assert list(DataLoader(Stream(), batch_size=None)) == list(range(7))
    with pytest.raises(TypeError, match="len"):
        len(DataLoader(Stream()))


def test_a_stream_that_starts_over_is_not_asked_again():
    class StartsOver(IterableDataset):
        count = 0

        def __iter__(self):
            return self

        def __next__(self):
            self.count += 1
            if self.count == 6:
                self.count = 0
                raise StopIteration
            return self.count

    loader = DataLoader(StartsOver(), 2)
    assert [[batch.tolist() for batch in loader] for _ in range(2)] == [[[1, 2], [3, 4], [5]]] * 2


def test_a_stream_longer_than_it_said_is_warned_of():
    class Understated(Stream):
        def __len__(self):
            return 2

    loader = DataLoader(Understated(), batch_size=None)
    assert len(loader) == 2
    assert len(DataLoader(Understated(), 4)) == 1
    with pytest.warns(UserWarning, match=r"was reported to be 2 .* but \d samples have been fetched"):
        list(loader)


BAD_OPTIONS = [
    {"num_workers": -1},
    {"timeout": -1},
    {"prefetch_factor": 2},
    {"num_workers": 1, "prefetch_factor": -1},
    {"persistent_workers": True},
    {"sampler": [1], "shuffle": True},
    {"batch_sampler": [[1]], "batch_size": 2},
    {"batch_sampler": [[1]], "shuffle": True},
    {"batch_sampler": [[1]], "drop_last": True},
    {"batch_size": None, "drop_last": True},
    {"batch_size": 0},
    {"batch_size": 2.0},
    {"multiprocessing_context": "fork"},
    {"num_workers": 1, "multiprocessing_context": "bad"},
    {"num_workers": 1, "multiprocessing_context": 5},
]


@pytest.mark.parametrize("options", BAD_OPTIONS, ids=str)
def test_bad_options_as_torch(torch, options):
    with pytest.raises((ValueError, TypeError)) as theirs:
        torch.utils.data.DataLoader(Squares(5), **options)
    with pytest.raises(type(theirs.value)) as mine:
        DataLoader(Squares(5), **options)
    assert str(mine.value) == str(theirs.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shuffle": True}, "expected unspecified shuffle option, but got shuffle=True"),
        ({"sampler": [1]}, "expected unspecified sampler option, but got sampler="),
        ({"batch_sampler": [[1]]}, "expected unspecified batch_sampler option"),
    ],
)
def test_streams_take_no_sampler(options, message):
    with pytest.raises(ValueError, match=f"DataLoader with IterableDataset: {message}"):
        DataLoader(Stream(), **options)


def test_what_a_loader_is_made_of_stays():
    loader = DataLoader(Squares(5))
    with pytest.raises(ValueError, match="batch_size attribute should not be set after DataLoader is initialized"):
        loader.batch_size = 2
    with pytest.raises(TypeError, match="num_workers='2'"):
        DataLoader(Squares(5), num_workers="2")
    with pytest.raises(AssertionError, match="timeout"):
        iter(DataLoader(Squares(5), timeout=3))


def test_pin_memory_is_accepted():
    if framework.cuda.is_available():
        pytest.skip("only a machine without a GPU warns")
    with pytest.warns(UserWarning, match="'pin_memory' argument is set as true but no accelerator is found"):
        assert len(list(DataLoader(Squares(4), 2, pin_memory=True))) == 2


# Worker processes


class Chatty(Dataset):
    """Samples tell about the worker that they were fetched in."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        info = get_worker_info()
        numbers = (random.random(), float(np.random.rand()), float(framework.rand(1).item()))
        return index, info.id, info.num_workers, info.seed, os.getpid() != PARENT, numbers


PARENT = os.getpid()


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_workers_by_every_start_method(method):
    framework.manual_seed(2)
    loader = DataLoader(Chatty(), 2, num_workers=2, collate_fn=as_is, multiprocessing_context=method)
    samples = [sample for batch in loader for sample in batch]
    assert [sample[0] for sample in samples] == list(range(8))
    assert [sample[1:3] for sample in samples] == [(0, 2), (0, 2), (1, 2), (1, 2)] * 2
    seeds = {sample[1]: sample[3] for sample in samples}
    assert seeds[1] == seeds[0] + 1
    assert get_worker_info() is None
    assert no_processes_left()
    generator = framework.Generator().manual_seed(seeds[0])
    assert samples[0][5][2] == framework.rand(1, generator=generator).item()
    assert samples[0][5][0] == random.Random(seeds[0]).random()


def test_worker_seeds_as_torch(torch):
    class ChattyTorch(Chatty):
        def __getitem__(self, index):
            info = torch.utils.data.get_worker_info()
            numbers = (random.random(), float(np.random.rand()), float(torch.rand(1).item()))
            return index, info.id, info.num_workers, info.seed, os.getpid() != PARENT, numbers

    options = {"batch_size": 2, "num_workers": 2, "shuffle": True, "collate_fn": as_is}
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("local datasets need forked workers")
    options["multiprocessing_context"] = "fork"
    mine, theirs = epochs_as_torch(torch, Chatty(), ChattyTorch(), **options)
    assert mine == theirs


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_streams_by_workers_as_torch(torch, workers):
    class StreamTorch(torch.utils.data.IterableDataset):
        def __iter__(self):
            worker = torch.utils.data.get_worker_info().id
            return iter(range(100 * worker, 100 * worker + (7, 2, 5)[worker]))

    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("local datasets need forked workers")
    options = {"batch_size": 2, "num_workers": workers, "multiprocessing_context": "fork"}
    mine = [batch.tolist() for batch in DataLoader(Stream(), **options)]
    theirs = [batch.tolist() for batch in torch.utils.data.DataLoader(StreamTorch(), **options)]
    assert mine == theirs


@pytest.mark.parametrize("memory_files", [True, False])
def test_large_and_odd_batches_arrive_whole(memory_files, monkeypatch):
    if not memory_files:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    arrays = [np.arange(size, dtype=dtype) for size in (0, 1, 7, 100_003) for dtype in (np.uint8, np.float32, np.int64)]
    arrays.append(np.asfortranarray(np.arange(40_000.0).reshape(200, 200)))
    arrays.append(np.arange(40_000.0).reshape(200, 200)[::2, ::3])
    samples = [*arrays, "text" * 50_000, {"key": (None, 1.5)}]
    for index, batch in enumerate(DataLoader(samples, batch_size=None, num_workers=2, collate_fn=as_is)):
        if isinstance(samples[index], np.ndarray):
            assert batch.dtype == samples[index].dtype
            np.testing.assert_array_equal(batch, samples[index])
            batch += 1  # writable
        else:
            assert batch == samples[index]


@pytest.mark.parametrize("memory_files", [True, False])
def test_large_tasks_and_results_do_not_block_each_other(memory_files, monkeypatch):
    if not memory_files:
        monkeypatch.delattr(os, "memfd_create", raising=False)
    loader = DataLoader(range(400_000), 50_000, shuffle=True, num_workers=2, prefetch_factor=4)
    assert sum(batch.sum().item() for batch in loader) == sum(range(400_000))


def test_tensors_from_workers_are_ordinary_tensors():
    dataset = TensorDataset(framework.rand(300, 784), framework.arange(300))
    for images, labels in DataLoader(dataset, 128, shuffle=True, num_workers=2):
        assert images.is_leaf and not images.requires_grad
        assert (images == dataset.tensors[0][labels]).all()
        images.mul_(2)


def test_many_batches_kept_do_not_use_up_descriptors():
    loader = DataLoader(np.zeros((60, 20_000)), batch_size=None, num_workers=2)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    batches = list(loader)
    assert len(batches) == 60
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before + 1


def test_results_out_of_order_are_complete():
    loader = DataLoader(SlowFirst(), batch_size=None, num_workers=2, in_order=False)
    order = list(loader)
    assert sorted(order) == list(range(8))
    assert order[0] != 0
    assert list(DataLoader(SlowFirst(), batch_size=None, num_workers=2)) == list(range(8))


class SlowFirst(Squares):
    def __init__(self):
        super().__init__(8)

    def __getitem__(self, index):
        time.sleep(0.3 if index == 0 else 0)
        return index


def test_persistent_workers_serve_every_pass():
    loader = DataLoader(WithEpoch(), 2, num_workers=2, persistent_workers=True, collate_fn=as_is)
    seen = []
    for epoch in range(3):
        loader.dataset.set_epoch(epoch)
        for batch in loader:
            seen.append(batch)
            if epoch == 1:
                break  # what is left of this pass must not show up in the next
    assert [index for batch in seen for index, _, _ in batch] == [*range(6), 0, 1, *range(6)]
    assert [epoch for batch in seen for _, epoch, _ in batch] == [0] * 6 + [1] * 2 + [2] * 6
    assert len({pid for batch in seen for _, _, pid in batch}) == 2
    del loader
    assert no_processes_left()


class WithEpoch(Squares):
    epoch = 0

    def __init__(self):
        super().__init__(6)

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __getitem__(self, index):
        return index, self.epoch, os.getpid()


def test_epochs_reach_datasets_inside_others():
    subset = Subset(ConcatDataset([WithEpoch(), WithEpoch()]), [0, 7])
    loader = DataLoader(subset, None, num_workers=1, persistent_workers=True, collate_fn=as_is)
    assert [epoch for _, epoch, _ in loader] == [0, 0]
    subset.dataset.datasets[1].set_epoch(5)
    assert [epoch for _, epoch, _ in loader] == [0, 5]


class Trouble(Dataset):
    """Sample 5 of 12 is not a sample."""

    def __init__(self, kind):
        self.kind = kind

    def __len__(self):
        return 12

    def __getitem__(self, index):
        if index == 5:
            getattr(self, self.kind)()
        return np.zeros(30_000)

    def value(self):
        raise ValueError("sample 5 is bad")

    def key(self):
        raise KeyError("two\nlines")

    def odd(self):
        b"\xff".decode("ascii")

    def kill(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def exit(self):
        sys.exit(3)

    def hang(self):
        time.sleep(100)


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("value", ValueError, r"(?s)Caught ValueError in DataLoader worker process 0.*in value\n.*sample 5 is bad"),
        ("key", KeyError, r"(?s)Caught KeyError in DataLoader worker process 0\.\nOriginal Traceback"),
        ("odd", RuntimeError, r"(?s)Caught UnicodeDecodeError .*can't decode byte 0xff"),
        ("kill", RuntimeError, r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly: .*killed by signal 9"),
        ("exit", RuntimeError, r"DataLoader worker .* exited unexpectedly: .*exit code 3"),
        ("hang", RuntimeError, r"DataLoader timed out after 0.7 seconds"),
    ],
)
@pytest.mark.parametrize("persistent", [False, True])
def test_trouble_in_a_worker(kind, error, message, persistent):
    loader = DataLoader(
        Trouble(kind), 2, num_workers=2, timeout=0.7 if kind == "hang" else 0, persistent_workers=persistent
    )
    batches = 0
    gc.disable()  # processes must end with the last reference, not when garbage is collected
    try:
        with pytest.raises(error, match=message) as caught:
            for _ in loader:
                batches += 1
        assert batches == 2 or (kind in ("kill", "exit") and batches < 2)  # the dead are noticed at once
        del caught, loader
        assert no_processes_left()
    finally:
        gc.enable()


def test_a_persistent_loader_recovers_after_a_worker_died():
    loader = DataLoader(Trouble("kill"), 2, num_workers=2, persistent_workers=True)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="exited unexpectedly"):
            list(loader)


def test_iteration_can_go_on_after_a_bad_batch():
    iterator = iter(DataLoader(Trouble("value"), 2, num_workers=2))
    outcomes = []
    for _ in range(6):
        try:
            outcomes.append(tuple(next(iterator).shape))
        except ValueError:
            outcomes.append("bad")
    assert outcomes == [(2, 30_000)] * 2 + ["bad"] + [(2, 30_000)] * 3
    assert next(iterator, None) is None


def fail_to_start(worker_id):
    raise OSError(f"no disk for worker {worker_id}")


def test_a_failing_worker_init_fn_is_reported():
    with pytest.raises(OSError, match=r"(?s)DataLoader worker process 0.*no disk for worker 0"):
        list(DataLoader(Squares(4), num_workers=1, worker_init_fn=fail_to_start))


def test_what_cannot_be_pickled_is_reported():
    dataset = [lambda: 0]
    with pytest.raises((AttributeError, pickle_error()), match=r"(?s)in DataLoader worker process 0.*pickle"):
        list(DataLoader(Lambdas(), None, num_workers=1))
    with pytest.raises((AttributeError, pickle_error(), TypeError)) as caught:
        iter(DataLoader(dataset, None, num_workers=1, multiprocessing_context="spawn"))
    assert "could not start a worker process" in caught.value.__notes__[0]
    assert no_processes_left()


def pickle_error():
    import pickle

    return pickle.PicklingError


class Lambdas(Squares):
    def __init__(self):
        super().__init__(1)

    def __getitem__(self, index):
        return lambda: 0


def test_leaving_a_pass_ends_the_workers():
    for _ in DataLoader(Squares(100), num_workers=2):
        break
    assert no_processes_left()


def test_more_workers_than_cores_are_warned_of():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        DataLoader(Squares(3), num_workers=1000)
    assert "will create 1000 worker processes" in str(caught[0].message)


SCRIPT = """
import os, sys, time
from framework.utils.data import DataLoader, Dataset
class Slow(Dataset):
    def __len__(self):
        return 1000
    def __getitem__(self, index):
        time.sleep({delay})
        return os.getpid()
if __name__ == "__main__":
    for batch in DataLoader(Slow(), 1, num_workers=2, multiprocessing_context="{method}"):
        print(batch.item(), flush=True)
"""


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks for processes in /proc")
@pytest.mark.parametrize(("method", "number"), [("fork", "SIGKILL"), ("fork", "SIGINT"), ("spawn", "SIGKILL")])
def test_workers_end_with_the_training_process(tmp_path, method, number):
    path = tmp_path / "train_slowly.py"
    path.write_text(SCRIPT.format(delay=0.05, method=method))
    paths = os.pathsep.join([str(Path(framework.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": paths},
    )
    workers = {int(process.stdout.readline()) for _ in range(4)}
    assert len(workers) == 2
    if number == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: to all of them
    else:
        process.send_signal(getattr(signal, number))
    errors = process.communicate(timeout=20)[1]
    deadline = time.monotonic() + 10
    while any(map(running, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(running, workers))
    assert errors.count("Traceback") == (1 if number == "SIGINT" else 0), errors
