"""Checkpoints: what `save` writes and `load` reads, exchange with PyTorch, and files made to do harm."""

import contextlib
import io
import os
import pickle
import random
import stat
import struct
import subprocess
import sys
import textwrap
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
import pytest

import framework
from framework import Tensor, dtypes
from framework.engine import wrap
from framework.nn import Parameter
from framework.serialization import archive, legacy, load, pickler, save
from framework.serialization.format import STORAGE_TYPES

CLEAN = (RuntimeError, pickle.UnpicklingError)


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")


def saved(value) -> io.BytesIO:
    file = io.BytesIO()
    save(value, file)
    file.seek(0)
    return file


def round_trip(value):
    return load(saved(value))


def values(dtype) -> np.ndarray:
    """Six values that each type can hold, bytes all different."""
    numbers = np.array([0, 1, 2, 3, 100, 127])
    return (numbers % 3 == 1 if dtype is dtypes.bool else numbers.astype(dtype.numpy)).reshape(2, 3)


def same_memory(a: Tensor, b: Tensor) -> bool:
    return np.shares_memory(a._array, b._array)


# --- round trips ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", dtypes.ALL, ids=str)
def test_every_dtype_survives(dtype):
    array = values(dtype)
    out = round_trip(wrap(array))
    assert out.dtype is dtype and out.shape == (2, 3) and not out.requires_grad
    np.testing.assert_array_equal(out._array, array)


PLAIN = [
    *[None, True, False, 0, 255, 256, 65535, 65536, -1, 2**31 - 1, 2**31, -(2**31), 2**63, -(2**200), 1 << 2030],
    *[0.0, -0.0, 1e300, float("inf"), 2 - 3j, "", "text", "é\ud800", "x" * 70000, b"", b"\x00\xff", bytes(range(256))],
    *[(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1, [2, (3,)]], {}, {"a": {1: None, (2, "b"): 3.5}}, set()],
    *[{1, "a", (2, 3)}, Counter("abca"), OrderedDict(b=1, a=2), framework.Size([2, 3]), framework.Size([])],
    *[dtypes.bfloat16, dtypes.uint16, framework.device("cpu"), framework.device("cuda:1"), framework.device("cuda")],
]


def _title(value):
    """A value's text; of a set its size, since its order varies from process to process."""
    return f"set of {len(value)}" if isinstance(value, set) else repr(value)[:30]


@pytest.mark.parametrize("value", PLAIN, ids=_title)
def test_plain_values_survive(value):
    out = round_trip(value)
    assert type(out) is type(value) and out == value
    if isinstance(value, OrderedDict):
        assert list(out) == list(value)


def test_nan_and_the_sign_of_zero_survive():
    nan, zero = round_trip([float("nan"), -0.0])
    assert nan != nan and np.signbit(zero)


def test_shared_objects_and_cycles_survive():
    inner, tensor = [1], framework.ones(2)
    value = {"a": inner, "b": inner, "t": tensor, "u": tensor, "many": [f"key{i}" for i in range(600)] * 2}
    value["self"] = value
    out = round_trip(value)
    assert out["a"] is out["b"] and out["t"] is out["u"] and out["self"] is out and out["many"] == value["many"]


def test_a_tuple_that_contains_itself_is_refused():
    loop: list = []
    value = (loop,)
    loop.append(value)
    with pytest.raises(TypeError, match=r"obj\[0\]\[0\]: a tuple that contains itself"):
        saved(value)


def test_an_ordered_dict_keeps_its_attributes():
    state = OrderedDict(weight=framework.ones(2))
    state._metadata = OrderedDict({"": {"version": 1}, "bn": {"version": 2}})
    out = round_trip(state)
    assert type(out) is OrderedDict and type(out._metadata) is OrderedDict and out._metadata == state._metadata


def test_requires_grad_and_parameters_survive():
    leaf = framework.ones(2, requires_grad=True)
    out = round_trip([leaf, leaf * 2, Parameter(framework.ones(3)), Parameter(framework.ones(3), False)])
    assert [t.requires_grad for t in out] == [True, True, True, False]
    assert [type(t) for t in out] == [Tensor, Tensor, Parameter, Parameter]
    assert all(t.is_leaf for t in out)


def test_layouts_survive():
    base = np.arange(24.0).reshape(2, 3, 4)
    arrays = [
        *[base, base.T, base[1], base[:, ::2], base[0, 1, 2, ...], base[:0], base[:, :0], np.array(5.0)],
        *[base[::-1], base[..., ::-1], np.broadcast_to(np.array([1.0, 2.0]), (3, 2)), base.astype(">f8")],
        *[np.asfortranarray(base), base.transpose(1, 0, 2).copy(order="F"), np.zeros((0, 3)), base[:1, :, :1]],
    ]
    for array, out in zip(arrays, round_trip([wrap(a) for a in arrays]), strict=True):
        assert out.shape == array.shape and out.dtype is dtypes.float64
        np.testing.assert_array_equal(out._array, array)
    assert round_trip(wrap(base.T)).stride() == (1, 4, 12)
    assert round_trip(wrap(np.broadcast_to(np.array([1.0, 2.0]), (3, 2)))).stride() == (0, 1)


def test_views_share_memory_again():
    base = wrap(np.arange(12.0).reshape(3, 4))
    windows = np.lib.stride_tricks.as_strided(base._array, (3, 3, 2), (32, 8, 8))
    whole, row, transposed, overlapping = round_trip([base, base[1], base.t(), wrap(windows)])
    row.fill_(-1)
    assert same_memory(whole, overlapping) and whole[1, 2].item() == transposed[2, 1].item() == -1
    assert overlapping[1, 0, 0].item() == -1


def test_a_view_writes_all_of_its_memory_once():
    base = wrap(np.zeros(10_000, np.float32))
    sizes = {i.filename: i.file_size for i in zipfile.ZipFile(saved([base[:2], base[5:]])).infolist()}
    assert sizes["archive/data/0"] == 40_000 and "archive/data/1" not in sizes


def test_loaded_tensors_are_saved_again_and_writeable():
    first = load(saved([framework.ones(2, 3), framework.arange(3.0)[1:]]))
    first[0].add_(1)
    again = load(saved(first))
    assert again[0].tolist() == [[2.0] * 3] * 2 and again[1].tolist() == [1.0, 2.0]


def test_one_memory_as_two_types_is_refused():
    base = np.zeros(4, np.float32)
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        saved([wrap(base), wrap(base.view(np.int32))])


def test_modules_and_optimizers_resume(tmp_path):
    def build():
        framework.manual_seed(0)
        model = framework.nn.Sequential(framework.nn.Linear(3, 4), framework.nn.BatchNorm1d(4))
        return model, framework.optim.Adam(model.parameters(), lr=0.1)

    def step(model, optimizer):
        optimizer.zero_grad()
        model(framework.arange(6.0).reshape(2, 3)).pow(2).sum().backward()
        optimizer.step()

    model, optimizer = build()
    step(model, optimizer)
    save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "last.pt")
    step(model, optimizer)

    resumed, resumed_optimizer = build()
    state = load(tmp_path / "last.pt")
    resumed.load_state_dict(state["model"])
    resumed_optimizer.load_state_dict(state["optimizer"])
    step(resumed, resumed_optimizer)
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[key]._array, value._array)


# --- the file -------------------------------------------------------------------------------------------------------


def test_the_archive_is_laid_out_as_pytorchs(tmp_path):
    path = tmp_path / "model.v2.pt"
    save({"a": framework.ones(5), "b": framework.zeros(3, dtype=framework.int8)}, path)
    data = path.read_bytes()
    records = zipfile.ZipFile(path).infolist()
    names = ["data.pkl", "byteorder", "data/0", "data/1", "version"]
    assert [info.filename for info in records] == [f"model.v2/{name}" for name in names]
    for info in records:
        assert info.compress_type == zipfile.ZIP_STORED
        name_length, extra_length = struct.unpack_from("<HH", data, info.header_offset + 26)
        start = info.header_offset + 30 + name_length + extra_length
        assert start % 64 == 0
        assert data[start : start + info.file_size] == zipfile.ZipFile(path).read(info)
    assert zipfile.ZipFile(path).testzip() is None
    assert zipfile.ZipFile(path).read("model.v2/version") == b"3\n"


def test_equal_objects_make_equal_files():
    value = {"a": framework.ones(5), "b": [1, "x"]}
    assert saved(value).getvalue() == saved(value).getvalue()


def test_records_of_over_a_gigabyte_have_zip64_headers(monkeypatch, torch):
    monkeypatch.setattr(archive, "_ZIP64_FROM", 1000)
    file = saved({"a": framework.ones(1000), "b": framework.ones(2)})
    for info in zipfile.ZipFile(file).infolist():
        if info.file_size == 4000:
            local = file.getvalue()[info.header_offset :]
            assert (30 + sum(struct.unpack_from("<HH", local, 26)) + info.header_offset) % 64 == 0
    file.seek(0)
    assert torch.load(file, weights_only=True)["a"].sum().item() == 1000
    file.seek(0)
    assert load(file)["a"].sum().item() == 1000


def test_any_writable_object_will_do(tmp_path):
    class Pipe:
        def __init__(self):
            self.data = b""

        def write(self, data):  # a few bytes at a time, as a raw file may
            self.data += bytes(data[:1000])
            return min(len(data), 1000)

    pipe = Pipe()
    save(framework.arange(1000), pipe)
    assert load(io.BytesIO(pipe.data)).sum().item() == 499500
    with open(tmp_path / "appended.pt", "ab") as file:
        save(framework.arange(3), file)
    assert load(tmp_path / "appended.pt").tolist() == [0, 1, 2]
    with open(tmp_path / "appended.pt", "rb") as file:
        assert load(file).tolist() == [0, 1, 2]


def test_wrong_kinds_of_file(tmp_path):
    with pytest.raises(AttributeError, match="'write' attribute, got int"):
        save(1, 5)
    with pytest.raises(AttributeError, match="read and seeked, got int"):
        load(5)
    with open(tmp_path / "x", "w+") as text:
        with pytest.raises(TypeError, match="binary mode"):
            save(1, text)
        with pytest.raises(TypeError, match="binary mode"):
            load(text)
    with pytest.raises(FileNotFoundError, match=r"missing\.pt"):
        load(tmp_path / "missing.pt")
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
    with pytest.raises(IsADirectoryError):
        save(1, tmp_path)
    with pytest.raises(RuntimeError, match=r"Parent directory .*nowhere does not exist"):
        save(1, tmp_path / "nowhere" / "x.pt")


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    save("old", path)
    with pytest.raises(TypeError):
        save({"new": object()}, path)

    def full(*args):
        raise OSError(28, "No space left on device")

    for broken in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, broken, full)
            with pytest.raises(OSError, match="No space left"):
                save("new", path)
    assert load(path) == "old" and [p.name for p in tmp_path.iterdir()] == ["last.pt"]


def test_saving_keeps_links_and_permissions(tmp_path):
    real, link = tmp_path / "epoch_1.pt", tmp_path / "last.pt"
    save(1, real)
    real.chmod(0o600)
    link.symlink_to(real)
    save(2, link)
    assert link.is_symlink() and load(real) == 2 and stat.S_IMODE(real.stat().st_mode) == 0o600
    save(3, "/dev/null")
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize(
    ("make", "place", "kind"),
    [
        (lambda: object(), "obj", "object"),
        (lambda: {"a": [0, {"b": object()}]}, r"obj\['a'\]\[1\]\['b'\]", "object"),
        (lambda: {"lr": np.float64(0.1)}, r"obj\['lr'\]", "numpy.float64"),
        (lambda: [np.zeros(2)], r"obj\[0\]", "numpy.ndarray"),
        (lambda: (Path("x"),), r"obj\[0\]", "pathlib"),
        (lambda: {"f": len}, r"obj\['f'\]", "builtin_function_or_method"),
        (lambda: {"m": framework.nn.Linear(1, 1)}, r"obj\['m'\]", "Linear"),
        (lambda: frozenset([1]), "obj", "frozenset"),
        (lambda: {"a": {framework.ones(1): 1}}, r"obj\['a'\]: it has a key of type .*Tensor", ""),
        (lambda: {frozenset(): 1}, "obj: it has a key of type frozenset", ""),
        (lambda: {2**64: 1}, "obj: it has a key of type int", ""),
        (lambda: [1 << 3000], r"obj\[0\], an integer of 376 bytes", ""),
    ],
)
def test_what_cannot_be_saved_is_named(make, place, kind):
    with pytest.raises(TypeError, match=f"cannot save {place}.*{kind}"):
        saved(make())


def test_a_pickle_too_long_to_be_read_is_not_written(monkeypatch):
    monkeypatch.setattr("framework.serialization.saving.MAX_PICKLE_BYTES", 1000)
    with pytest.raises(ValueError, match="keep large lists of numbers in tensors"):
        saved(list(range(1000)))


# --- devices --------------------------------------------------------------------------------------------------------


def with_location(location: str) -> io.BytesIO:
    return crafted(tensor(storage(location=location)), {"data/0": bytes(16)})


@pytest.mark.parametrize(
    "where", ["cpu", framework.device("cpu"), {"cuda:0": "cpu"}, {"cuda:0": framework.device("cpu")}]
)
def test_map_location_moves_to_the_cpu(where):
    assert load(with_location("cuda:0"), map_location=where).device == framework.device("cpu")


def test_locations_that_are_not_there(monkeypatch):
    monkeypatch.setattr("framework.serialization.location.cuda_device_count", lambda: 0)
    for arguments in [{}, {"map_location": {"cuda:1": "cpu"}}]:
        with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device but"):
            load(with_location("cuda:0"), **arguments)
    with pytest.raises(RuntimeError, match="CUDA device"):
        load(with_location("cpu"), map_location="cuda")
    with pytest.raises(RuntimeError, match=r"from the device 'mps'.*map_location='cpu'"):
        load(with_location("mps"))
    assert load(with_location("mps"), map_location="cpu").shape == (4,)
    monkeypatch.setattr("framework.serialization.location.cuda_device_count", lambda: 1)
    with pytest.raises(RuntimeError, match=r"CUDA device 3 but torch\.cuda\.device_count\(\) is 1"):
        load(with_location("cuda:3"))
    with pytest.raises(TypeError, match=r"not function .*map_location='cpu'"):
        load(with_location("cpu"), map_location=lambda storage, location: storage)


def test_only_weights_are_loaded():
    with pytest.raises(RuntimeError, match="weights_only=False is refused"):
        load(saved(1), weights_only=False)
    assert load(saved(1), weights_only=True, mmap=True) == 1


# --- exchange with PyTorch ------------------------------------------------------------------------------------------


def from_torch(torch, value, **kwargs):
    file = io.BytesIO()
    torch.save(value, file, **kwargs)
    file.seek(0)
    return load(file)


def to_torch(torch, value, **kwargs):
    return torch.load(saved(value), weights_only=True, **kwargs)


def assert_equals_torch(torch, ours, theirs):
    assert type(ours).__name__ == type(theirs).__name__
    if isinstance(theirs, torch.Tensor):
        assert str(ours.dtype) == str(theirs.dtype) and tuple(ours.shape) == tuple(theirs.shape)
        assert ours.requires_grad == theirs.requires_grad
        if ours.numel():
            assert tuple(ours.stride()) == tuple(theirs.stride())
        assert str(ours.tolist()) == str(theirs.tolist())
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key in theirs:
            assert_equals_torch(torch, ours[key], theirs[key])
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_equals_torch(torch, a, b)
    elif isinstance(theirs, (torch.dtype, torch.device)):
        assert str(ours) == str(theirs)
    else:
        assert ours == theirs


@pytest.mark.parametrize("dtype", dtypes.ALL, ids=str)
@pytest.mark.parametrize("legacy_format", [False, True])
def test_torch_tensors_of_every_dtype(torch, dtype, legacy_format):
    if legacy_format and dtype.name in ("uint16", "uint32", "uint64"):
        pytest.skip("PyTorch itself cannot read these from its legacy format")
    theirs = torch.tensor(values(dtype).tolist() if dtype.name != "bfloat16" else values(dtypes.float32).tolist())
    theirs = theirs.to(getattr(torch, dtype.name))
    pair = [theirs, theirs.t(), theirs[1], theirs[0, 2], theirs[:, :0]]
    ours = from_torch(torch, pair, _use_new_zipfile_serialization=not legacy_format)
    assert_equals_torch(torch, ours, pair)
    assert same_memory(ours[0], ours[1]) and same_memory(ours[0], ours[2])
    if not legacy_format:
        back = to_torch(torch, ours)
        assert_equals_torch(torch, ours, back)
        assert back[1].data_ptr() == back[0].data_ptr() and back[2].data_ptr() != back[0].data_ptr()


def torch_objects(torch) -> dict:
    state = OrderedDict(weight=torch.arange(6.0).reshape(2, 3))
    state._metadata = OrderedDict({"": {"version": 2}})
    return {
        "state": state,
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "frozen": torch.nn.Parameter(torch.ones(2), requires_grad=False),
        "leaf": torch.ones(2, requires_grad=True),
        "expanded": torch.tensor([1.0, 2.0]).expand(3, 2),
        "overlapping": torch.arange(10).as_strided((4, 3), (2, 1), 1),
        "channels_last": torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 3),
        "none": [None, True, 1, -7, 2**70, 1.5, 2j, "é", b"ab\xff", (1, (2,)), {1, 2}, Counter("aab")],
        "types": [torch.float32, torch.bfloat16, torch.Size([1, 2]), torch.device("cuda", 1), torch.device("cpu")],
        7: {(1, "a"): OrderedDict(z=1, a=2)},
    }


@pytest.mark.parametrize("legacy_format", [False, True])
def test_torch_objects(torch, legacy_format):
    theirs = torch_objects(torch)
    ours = from_torch(torch, theirs, _use_new_zipfile_serialization=not legacy_format)
    assert_equals_torch(torch, ours, theirs)
    assert ours["state"]._metadata == theirs["state"]._metadata


def test_torch_reads_our_objects(torch, tmp_path):
    ours = from_torch(torch, torch_objects(torch))
    theirs = to_torch(torch, ours)
    assert_equals_torch(torch, ours, theirs)
    assert theirs["state"]._metadata == ours["state"]._metadata
    save(ours, tmp_path / "x.pt")
    assert_equals_torch(torch, ours, torch.load(tmp_path / "x.pt", weights_only=True))
    assert_equals_torch(torch, ours, torch.load(tmp_path / "x.pt", weights_only=True, mmap=True))


@pytest.mark.parametrize("value", PLAIN, ids=_title)
def test_torch_reads_our_plain_values(torch, value):
    assert_equals_torch(torch, value, to_torch(torch, value))


def test_torch_tensors_with_attributes(torch):
    tensor, parameter = torch.ones(2), torch.nn.Parameter(torch.ones(3))
    tensor.note, parameter.tags = "x", [1, 2]
    ours = from_torch(torch, [tensor, parameter, torch.nn.Buffer(torch.ones(1)), bytearray(b"ab"), b""])
    assert ours[0].note == "x" and ours[1].tags == [1, 2] and type(ours[1]) is Parameter
    assert ours[2].tolist() == [1.0] and ours[3:] == [bytearray(b"ab"), b""]


def test_torch_files_without_checksums(torch):
    torch.serialization.set_crc32_options(False)
    try:
        assert from_torch(torch, torch.ones(3)).tolist() == [1.0] * 3
    finally:
        torch.serialization.set_crc32_options(True)


def test_models_and_optimizers_exchange_state(torch):
    def train(xp, model, optimizer, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            model(xp.arange(12.0).reshape(4, 3) / 10).pow(2).sum().backward()
            optimizer.step()
        return [p.tolist() for p in model.parameters()]

    def build(xp):
        model = xp.nn.Sequential(xp.nn.Linear(3, 4), xp.nn.BatchNorm1d(4), xp.nn.Linear(4, 2))
        # A large eps: with the usual one, Adam makes steps of the rounding errors in gradients that should be zero.
        return model, xp.optim.Adam(model.parameters(), lr=0.01, eps=0.1)

    theirs, their_optimizer = build(torch)
    train(torch, theirs, their_optimizer, 2)
    ours, our_optimizer = build(framework)
    state = from_torch(torch, {"model": theirs.state_dict(), "optimizer": their_optimizer.state_dict()})
    ours.load_state_dict(state["model"])
    our_optimizer.load_state_dict(state["optimizer"])
    expected = train(torch, theirs, their_optimizer, 2)
    for a, b in zip(train(framework, ours, our_optimizer, 2), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)

    back, back_optimizer = build(torch)
    state = to_torch(torch, {"model": ours.state_dict(), "optimizer": our_optimizer.state_dict()})
    back.load_state_dict(state["model"])
    back_optimizer.load_state_dict(state["optimizer"])
    expected = train(framework, ours, our_optimizer, 1)
    for a, b in zip(train(torch, back, back_optimizer, 1), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_torch_objects_that_we_have_not(torch):
    lazy = torch.ones(2, dtype=torch.complex64).conj()
    for value, message in [
        (lazy, "resolve_conj"),
        (lazy.imag, "pending conj"),
        (torch.eye(2).to_sparse(), "_rebuild_sparse_tensor"),
        (torch.ones(2).to(torch.float8_e4m3fn), "float8_e4m3fn"),
        (torch.ones(2, device="meta"), "_rebuild_meta_tensor"),
        (torch.ones(2).untyped_storage(), "Storage stands where data is expected"),
        (np.ones(2), "numpy"),
        (torch.nn.Linear(1, 1), r"torch\.nn\.modules\.linear\.Linear"),
    ]:
        with pytest.raises(pickle.UnpicklingError, match=message):
            from_torch(torch, value)


# --- crafted files --------------------------------------------------------------------------------------------------
# Each function below returns the opcodes that leave one value on the pickle's stack.


def text(value: str) -> bytes:
    return pickle.BINUNICODE + struct.pack("<I", len(value.encode())) + value.encode()


def integer(value: int) -> bytes:
    size = value.bit_length() // 8 + 1
    return pickle.LONG1 + bytes([size]) + value.to_bytes(size, "little", signed=True)


def name(path: str) -> bytes:
    module, _, attribute = path.rpartition(".")
    return pickle.GLOBAL + f"{module}\n{attribute}\n".encode()


def group(*items: bytes) -> bytes:
    return pickle.MARK + b"".join(items) + pickle.TUPLE


def integers(*items: int) -> bytes:
    return group(*map(integer, items))


def a_list(*items: bytes) -> bytes:
    return pickle.EMPTY_LIST + pickle.MARK + b"".join(items) + pickle.APPENDS


def a_dict(*items: bytes) -> bytes:
    return pickle.EMPTY_DICT + pickle.MARK + b"".join(items) + pickle.SETITEMS


def call(path: str, *arguments: bytes) -> bytes:
    return name(path) + group(*arguments) + pickle.REDUCE


HOOKS = call("collections.OrderedDict")


def storage(kind="torch.FloatStorage", key="0", location="cpu", numel=4, tail=b"") -> bytes:
    return group(text("storage"), name(kind), text(key), text(location), integer(numel), tail) + pickle.BINPERSID


def tensor(
    memory=None, offset=None, size=None, stride=None, requires_grad=pickle.NEWFALSE, rest=HOOKS, version=2
) -> bytes:
    return call(
        f"torch._utils._rebuild_tensor_v{version}",
        storage() if memory is None else memory,
        integer(0) if offset is None else offset,
        integers(4) if size is None else size,
        integers(1) if stride is None else stride,
        requires_grad,
        rest,
    )


def crafted(body: bytes, records=None, folder="archive", start=b"\x80\x02", end=pickle.STOP, **extra) -> io.BytesIO:
    """A checkpoint with this pickle (and `data/0` of four floats), written by Python's zipfile."""
    records = {"data/0": np.arange(4, dtype=np.float32).tobytes()} if records is None else records
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        everything = {"data.pkl": start + body + end, "byteorder": b"little", **records, "version": b"3\n", **extra}
        for record, data in everything.items():
            if data is not None:
                out.writestr(f"{folder}/{record}", data)
    file.seek(0)
    return file


def test_the_crafting_tools_make_sound_files(torch):
    file = crafted(a_dict(text("a"), tensor(), text("b"), tensor(offset=integer(1), size=integers(3))))
    for reader in (load, lambda f: torch.load(f, weights_only=True)):
        file.seek(0)
        assert {key: t.tolist() for key, t in reader(file).items()} == {"a": [0, 1, 2, 3], "b": [1, 2, 3]}


def memoised(value: bytes, index: int) -> bytes:
    return value + pickle.BINPUT + bytes([index])


def again(index: int) -> bytes:
    return pickle.BINGET + bytes([index])


#: (1, 1) nested into itself 60 times: 2^60 items to hash.
NESTED = integer(1) + b"".join(memoised(b"", 0) + again(0) + pickle.TUPLE2 for _ in range(60))
COMMAND = text("touch PROOF")

PICKLES = {
    # names that run code
    "os.system": call("os.system", COMMAND),
    "posix.system": call("posix.system", COMMAND),
    "nt.system": call("nt.system", COMMAND),
    "subprocess": call("subprocess.Popen", COMMAND),
    "eval": call("builtins.eval", text("open('PROOF','w')")),
    "exec of Python 2": call("__builtin__.exec", text("open('PROOF','w')")),
    "import": call("builtins.__import__", text("os")),
    "getattr": call("builtins.getattr", name("collections.OrderedDict"), text("__class__")),
    "getattr chain": call("operator.attrgetter", text("__init__.__globals__")),
    "partial": call("functools.partial", name("torch.Size"), COMMAND),
    "apply": call("builtins.map", name("torch.Size"), a_list(COMMAND)),
    "dotted name": call("collections.OrderedDict.__class__", COMMAND),
    "dotted attribute": pickle.GLOBAL + b"collections\nOrderedDict.__init__\n" + group() + pickle.REDUCE,
    "torch.load": call("torch.load", text("PROOF")),
    "torch.hub.load": call("torch.hub.load", text("PROOF")),
    "torch._load_from_bytes": call("torch.storage._load_from_bytes", text("x")),
    "our own functions": call("framework.serialization.saving.save", integer(1), text("PROOF")),
    "numpy": call("numpy.core.multiarray._reconstruct", name("numpy.ndarray"), integers(0), text("b")),
    "pickle.loads": call("_pickle.loads", text("x")),
    "a name in a dict": a_dict(text("a"), name("posix.system")),
    "a name with control characters": call("\x1b[31m.system", COMMAND),
    "a name without an end": pickle.GLOBAL + b"x" * 1000,
    # calls of what is not to be called, or with odd arguments
    "call a string": text("x") + group() + pickle.REDUCE,
    "call a dtype": name("torch.float32") + group() + pickle.REDUCE,
    "call Tensor": call("torch.Tensor", integer(10**12)),
    "new Tensor": name("torch.Tensor") + group(integer(10**12)) + pickle.NEWOBJ,
    "call a storage class": call("torch.FloatStorage", integer(10**12)),
    "call with a list": name("torch.Size") + a_list() + pickle.REDUCE,
    "too few arguments": call("torch._utils._rebuild_tensor_v2"),
    "too many arguments": call("torch.device", text("cpu"), integer(1), integer(2)),
    "encode to rot13": call("_codecs.encode", text("a"), text("rot13")),
    "encode to zlib": call("_codecs.encode", text("a"), text("zlib")),
    "encode to a tensor": call("_codecs.encode", text("a"), tensor()),
    "encode what latin1 has not": call("_codecs.encode", text("€"), text("latin1")),
    "bytes of a length": call("builtins.bytes", integer(10**12)),
    "bytearray of a length": call("builtins.bytearray", integer(10**12)),
    "complex of text": call("builtins.complex", text("1j"), text("0")),
    "set of a tensor": call("builtins.set", a_list(tensor())),
    "set of a list": call("builtins.set", a_list(a_list())),
    "set of a text": call("builtins.set", text("abc")),
    "Counter of a list": call("collections.Counter", a_list(integer(1))),
    "OrderedDict of a dict": call("collections.OrderedDict", a_dict()),
    "OrderedDict of triples": call("collections.OrderedDict", a_list(integers(1, 2, 3))),
    "Size of text": call("torch.Size", text("abc")),
    "Size with a negative": call("torch.Size", integers(2, -1)),
    "device of another kind": call("torch.device", text("meta")),
    "device of a tensor": call("torch.device", tensor()),
    "device with a text index": call("torch.device", text("cuda"), text("0")),
    "device with a negative index": call("torch.device", text("cuda"), integer(-1)),
    "a function for a result": name("torch.Size"),
    "a function in a list": a_list(name("torch.Size")),
    "a storage for a result": storage(),
    "a storage class in a dict": a_dict(integer(1), name("torch.FloatStorage")),
    # filling what is not to be filled
    "set an item of a list": a_list(integer(1)) + integer(0) + integer(2) + pickle.SETITEM,
    "set an item of a tensor": tensor() + integer(10**9) + integer(2) + pickle.SETITEM,
    "set items of a tensor": tensor() + pickle.MARK + integer(10**9) + integer(2) + pickle.SETITEMS,
    "set an item of a function": name("torch.Size") + text("call") + integer(2) + pickle.SETITEM,
    "set an item of a storage": storage() + integer(0) + integer(2) + pickle.SETITEM,
    "a key without a value": pickle.EMPTY_DICT + pickle.MARK + integer(1) + pickle.SETITEMS,
    "append to a dict": a_dict() + integer(1) + pickle.APPEND,
    "append to a tensor": tensor() + integer(1) + pickle.APPEND,
    "extend a tuple": integers(1) + pickle.MARK + integer(1) + pickle.APPENDS,
    "attributes of a dict": a_dict() + a_dict(text("a"), integer(1)) + pickle.BUILD,
    "attributes of a tensor": tensor() + a_dict(text("_array"), integer(1)) + pickle.BUILD,
    "attributes of a function": name("torch.Size") + a_dict(text("call"), integer(1)) + pickle.BUILD,
    "methods of an OrderedDict": HOOKS + a_dict(text("items"), integer(1)) + pickle.BUILD,
    "class of an OrderedDict": HOOKS + a_dict(text("__class__"), name("torch.Tensor")) + pickle.BUILD,
    "attributes that are no dict": HOOKS + integer(1) + pickle.BUILD,
    "array of a tensor": call(
        "torch._tensor._rebuild_from_type_v2",
        name("torch._utils._rebuild_tensor_v2"),
        name("torch.Tensor"),
        group(storage(), integer(0), integers(4), integers(1), pickle.NEWFALSE, HOOKS),
        a_dict(text("_array"), integer(1)),
    ),
    "rebuild by any function": call(
        "torch._tensor._rebuild_from_type_v2", name("_codecs.encode"), name("torch.Tensor"), group(), a_dict()
    ),
    # keys
    "a list for a key": a_dict(a_list(), integer(1)),
    "a tensor for a key": a_dict(tensor(), integer(1)),
    "a key that takes forever to hash": a_dict(NESTED, integer(1)),
    "a set item that takes forever to hash": call("builtins.set", a_list(NESTED)),
    "a huge integer for a key": a_dict(integer(2**1000), integer(1)),
    # opcodes
    "stack global": text("posix") + text("system") + b"\x93",
    "inst": pickle.MARK + b"iposix\nsystem\n",
    "obj": pickle.MARK + name("torch.Size") + b"o",
    "extension": b"\x82\x01",
    "frame": b"\x95" + struct.pack("<Q", 2**60),
    "long bytes": b"\x8e" + struct.pack("<Q", 2**60),
    "bytearray": b"\x96" + struct.pack("<Q", 2**60),
    "next buffer": b"\x97",
    "text persistent id": b"Px\n",
    "duplicate": integer(1) + b"2",
    "four-byte long": b"\x8b" + struct.pack("<i", 2**31 - 1),
    "unknown opcode": b"\xff",
    "text longer than the file": pickle.BINUNICODE + struct.pack("<I", 2**32 - 1),
    "text that is not UTF-8": pickle.BINUNICODE + struct.pack("<I", 1) + b"\xff",
    "a reference to nothing": pickle.LONG_BINGET + struct.pack("<I", 2**32 - 1),
    "an empty stack": b"",
    "a tuple of too few": integer(1) + pickle.TUPLE3,
    "memo of nothing": pickle.BINPUT + b"\x00",
    "no mark": pickle.TUPLE,
    "marks only": pickle.MARK * 100_000,
    "persistent id of a text": text("0") + pickle.BINPERSID,
    "persistent id of a module": group(text("module"), name("torch.Tensor"), text("f"), text("s"), integer(1))
    + pickle.BINPERSID,
    "persistent id of a tensor": group(tensor(), name("torch.FloatStorage"), text("0"), text("cpu"), integer(4))
    + pickle.BINPERSID,
    # storages and tensors
    "more elements than the record": tensor(storage(numel=5)),
    "fewer elements than the record": tensor(storage(numel=3), size=integers(3)),
    "elements beyond all memory": tensor(storage(numel=2**61)),
    "elements that overflow": tensor(storage(numel=2**62 + 1)),
    "elements beyond an int64": tensor(storage(numel=2**64)),
    "negative elements": tensor(storage(numel=-4)),
    "another element size": tensor(storage("torch.DoubleStorage")),
    "a type that is none": tensor(storage("torch.Size")),
    "a quantized type": tensor(storage("torch.QInt8Storage")),
    "a missing record": tensor(storage(key="1")),
    "a path for a key": tensor(storage(key="../data/0")),
    "an absolute path for a key": tensor(storage(key="/etc/passwd")),
    "an odd location": tensor(storage(location="cuda:99999999999999999999")),
    "an unknown location": tensor(storage(location="\x1b[31m")),
    "one storage as two types": a_list(tensor(), tensor(storage("torch.IntStorage"))),
    "one storage as two sizes": a_list(tensor(), tensor(storage(numel=2))),
    "no storage": tensor(integer(0)),
    "a tensor for a storage": tensor(tensor()),
    "size beyond the storage": tensor(size=integers(5)),
    "offset beyond the storage": tensor(offset=integer(1)),
    "huge offset": tensor(offset=integer(2**62)),
    "negative offset": tensor(offset=integer(-1), size=integers(1)),
    "stride beyond the storage": tensor(size=integers(2), stride=integers(4)),
    "stride that overflows": tensor(size=integers(5), stride=integers(2**62)),
    "negative stride": tensor(offset=integer(3), stride=integers(-1)),
    "negative size": tensor(size=integers(-4)),
    "sizes that overflow": tensor(size=integers(2**32, 2**32), stride=integers(0, 0)),
    "an empty tensor with sizes that overflow": tensor(size=integers(0, 2**62, 2**62), stride=integers(1, 1, 1)),
    "fewer strides than sizes": tensor(size=integers(2, 2)),
    "a bool for a size": tensor(size=group(pickle.NEWTRUE)),
    "a float for a stride": tensor(stride=group(pickle.BINFLOAT + struct.pack(">d", 1.0))),
    "a list for a size": tensor(size=a_list(integer(4))),
    "1000 dimensions": tensor(size=integers(*[1] * 1000), stride=integers(*[1] * 1000)),
    "gradients of integers": tensor(storage("torch.IntStorage"), requires_grad=pickle.NEWTRUE),
    "requires_grad of a number": tensor(requires_grad=integer(1)),
    "bytes as floats": tensor(storage("torch.UntypedStorage"), rest=HOOKS + name("torch.float32"), version=3),
    "floats as bytes": tensor(rest=HOOKS + name("torch.uint16"), version=3),
    "a parameter of a number": call("torch._utils._rebuild_parameter", integer(1), pickle.NEWTRUE, HOOKS),
    "a parameter of integers": call(
        "torch._utils._rebuild_parameter", tensor(storage("torch.IntStorage")), pickle.NEWTRUE, HOOKS
    ),
}


@pytest.mark.parametrize("body", PICKLES.values(), ids=PICKLES.keys())
def test_hostile_pickles_are_refused(body, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("evil.pt").write_bytes(crafted(body).getvalue())
    with pytest.raises(CLEAN, match=r"^cannot load 'evil\.pt': ") as caught:
        load("evil.pt")
    assert not Path("PROOF").exists()
    assert len(str(caught.value)) < 1000 and str(caught.value).isprintable()


def test_a_refused_name_is_named_with_a_hint():
    with pytest.raises(pickle.UnpicklingError, match=r"'posix\.system', which is refused.*load it with PyTorch"):
        load(crafted(PICKLES["posix.system"]))


@pytest.mark.parametrize("start", [b"", b"\x80\x03"])
def test_a_pickle_needs_no_protocol_2(start):
    assert load(crafted(integer(7), start=start)) == 7


def test_damaged_frames_of_the_pickle():
    for kwargs in ({"start": b"\x80\x04"}, {"start": b"\x80\x05"}, {"end": b""}, {"start": b"", "end": b""}):
        with pytest.raises(pickle.UnpicklingError):
            load(crafted(integer(7), **kwargs))


def test_bools_are_made_sound():
    file = crafted(tensor(storage("torch.BoolStorage")), {"data/0": b"\x00\x01\x02\xff"})
    out = load(file)
    assert out._array.view(np.uint8).tolist() == [0, 1, 1, 1]


def test_a_large_memo_index_takes_no_memory():
    assert load(crafted(integer(7) + pickle.LONG_BINPUT + struct.pack("<I", 2**32 - 1))) == 7


def test_an_expanded_tensor_takes_no_memory():
    out = load(crafted(tensor(size=integers(2**40), stride=integers(0))))
    assert out.shape == (2**40,) and out[12345].item() == 0.0


def test_big_endian_files_are_swapped():
    for kind in ("Float", "Int", "Short", "ComplexFloat", "BFloat16", "Bool"):
        dtype = STORAGE_TYPES[f"{kind}Storage"]
        array = values(dtype).reshape(-1)[:4]
        width = dtype.itemsize // (2 if dtype.is_complex else 1)
        data = array.view(f"u{width}").byteswap().tobytes()
        out = load(crafted(tensor(storage(f"torch.{kind}Storage")), {"data/0": data}, byteorder=b"big"))
        np.testing.assert_array_equal(out._array, array)
    with pytest.raises(RuntimeError, match="byte order"):
        untyped = storage("torch.storage.UntypedStorage", numel=16)
        load(crafted(tensor(untyped, rest=HOOKS + name("torch.uint32"), version=3), byteorder=b"big"))


# --- hostile archives -----------------------------------------------------------------------------------------------


def rewritten(compression=zipfile.ZIP_STORED, names=None, body=None) -> io.BytesIO:
    """A sound checkpoint, its records written again in another way."""
    file = io.BytesIO()
    with zipfile.ZipFile(crafted(tensor() if body is None else body)) as sound, zipfile.ZipFile(file, "w") as out:
        for info in sound.infolist():
            out.writestr((names or {}).get(info.filename, info.filename), sound.read(info), compression)
    file.seek(0)
    return file


def patched(offset_in_entry: int, data: bytes, record=b"archive/data/0") -> io.BytesIO:
    """A sound checkpoint with some bytes of a record's entry in the table of contents replaced."""
    content = bytearray(crafted(tensor()).getvalue())
    entry = content.rindex(record) - 46
    assert content[entry : entry + 4] == b"PK\x01\x02"
    content[entry + offset_in_entry : entry + offset_in_entry + len(data)] = data
    return io.BytesIO(bytes(content))


def bomb() -> io.BytesIO:
    """A gigabyte of zeros in a megabyte of file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("archive/data.pkl", b"\x80\x02" + tensor(storage(numel=2**26)) + b".")
        with out.open("archive/data/0", "w", force_zip64=True) as record:
            for _ in range(256):
                record.write(bytes(2**20))
        out.writestr("archive/version", "3\n")
    return file


def overlapping() -> io.BytesIO:
    """1000 records that are all the same megabyte of the file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        tensors = [tensor(storage(key=str(i), numel=2**18)) for i in range(1000)]
        out.writestr("archive/data.pkl", b"\x80\x02" + a_list(*tensors) + b".")
        out.writestr("archive/version", "3\n")
        out.writestr("archive/data/000", bytes(2**20))
        same = out.getinfo("archive/data/000")
        for i in range(1000):
            info = zipfile.ZipInfo(f"archive/data/{i}")
            info.header_offset, info.CRC = same.header_offset, same.CRC
            info.file_size = info.compress_size = 2**20
            out.filelist.append(info)
    return file


ARCHIVES = {
    "deflated": lambda: rewritten(zipfile.ZIP_DEFLATED),
    "deflate bomb": bomb,
    "bzip2": lambda: rewritten(zipfile.ZIP_BZIP2),
    "unknown compression": lambda: patched(10, struct.pack("<H", 77)),
    "encrypted": lambda: patched(8, struct.pack("<H", 1)),
    "two sizes": lambda: patched(24, struct.pack("<I", 10**9)),
    "too large": lambda: patched(20, struct.pack("<II", 10**9, 10**9)),
    "wrong checksum": lambda: patched(16, struct.pack("<I", 12345)),
    "position beyond the file": lambda: patched(42, struct.pack("<I", 10**9)),
    "position inside a record": lambda: patched(42, struct.pack("<I", 40)),
    "overlapping records": overlapping,
    "no data.pkl": lambda: rewritten(names={"archive/data.pkl": "archive/data.pickle"}),
    "data.pkl without a folder": lambda: rewritten(names={"archive/data.pkl": "data.pkl"}),
    "data.pkl too deep": lambda: rewritten(names={"archive/data.pkl": "a/b/data.pkl"}),
    "two checkpoints": lambda: rewritten(names={"archive/byteorder": "other/data.pkl"}),
    "a record outside": lambda: rewritten(names={"archive/data/0": "../archive/data/0"}),
    "an absolute record": lambda: rewritten(names={"archive/data/0": "/etc/passwd"}),
    "a program": lambda: crafted(tensor(), **{"constants.pkl": b"x"}),
    "no version": lambda: crafted(tensor(), version=None),
    "a version from the future": lambda: crafted(tensor(), version=b"11\n"),
    "a version that is no number": lambda: crafted(tensor(), version=b"x\n"),
    "a version of many digits": lambda: crafted(tensor(), version=b"9" * 10_000),
    "an odd byte order": lambda: crafted(tensor(), byteorder=b"middle"),
    "an empty pickle": lambda: crafted(b"", start=b"", end=b""),
    "an empty archive": lambda: io.BytesIO(b"PK\x05\x06" + bytes(18)),
    "an archive of nothing": lambda: io.BytesIO(b"PK\x03\x04" + bytes(100)),
    "text": lambda: io.BytesIO(b"hello world\n"),
    "nothing": lambda: io.BytesIO(b""),
    "a pickle": lambda: io.BytesIO(pickle.dumps({"a": 1})),
    "a pickle of protocol 2": lambda: io.BytesIO(pickle.dumps({"a": 1}, 2)),
    "a tar archive": lambda: io.BytesIO(b"storages".ljust(257, b"\0") + b"ustar\x0000".ljust(1000, b"\0")),
}


@pytest.mark.parametrize("make", ARCHIVES.values(), ids=ARCHIVES.keys())
def test_hostile_archives_are_refused(make):
    with pytest.raises(CLEAN, match=r"^cannot load <BytesIO>: "):
        load(make())


def test_two_records_with_one_name_are_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("archive/data.pkl", b"\x80\x02" + integer(1) + b".")
        out.writestr("archive/version", "3\n")
        with pytest.warns(UserWarning, match="Duplicate"):
            out.writestr("archive/data.pkl", b"\x80\x02" + integer(2) + b".")
    file.seek(0)
    with pytest.raises(RuntimeError, match="two records with the same name"):
        load(file)


def test_a_long_pickle_is_refused(monkeypatch):
    monkeypatch.setattr("framework.serialization.loading.MAX_PICKLE_BYTES", 1000)
    with pytest.raises(RuntimeError, match="at most 1000 are read"):
        load(crafted(text("x" * 1000)))


def sample() -> tuple[bytes, dict]:
    value = {"weight": framework.arange(50.0).reshape(5, 10), "step": 3, "names": ["a", "b"], "t": framework.ones(3)}
    return saved(value).getvalue(), value


def assert_same(out, value):
    assert list(out) == list(value)
    for key, expected in value.items():
        if isinstance(expected, Tensor):
            np.testing.assert_array_equal(out[key]._array, expected._array)
        else:
            assert out[key] == expected


def test_every_truncation_is_refused():
    data, _ = sample()
    for length in range(len(data)):
        with pytest.raises(CLEAN, match=r"^cannot load "):
            load(io.BytesIO(data[:length]))


def test_every_flipped_bit_is_refused_or_harmless():
    data, value = sample()
    chosen = random.Random(0)
    refused = 0
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 1 << chosen.randrange(8)
        try:
            out = load(io.BytesIO(bytes(damaged)))
        except CLEAN:
            refused += 1
        else:
            assert_same(out, value)
    assert refused > len(data) // 3  # the rest is padding, dates and the like


def test_random_pickles_are_refused_or_plain():
    """Mutated pickles in sound archives: here no checksum stops them before they are read."""
    chosen = random.Random(1)
    whole = a_dict(
        text("a"),
        tensor(),
        text("b"),
        call("_codecs.encode", text("xy"), text("latin1")),
        integers(1, 2),
        a_list(integer(1)),
    )
    opcodes = bytes(set(b"".join(PICKLES.values())))
    for _ in range(2000):
        body = bytearray(whole)
        for _ in range(chosen.randrange(1, 6)):
            body[chosen.randrange(len(body))] = chosen.choice([chosen.randrange(256), chosen.choice(opcodes)])
        with contextlib.suppress(CLEAN):
            load(crafted(bytes(body)))


# --- the legacy format ----------------------------------------------------------------------------------------------


def old_file(body: bytes, keys=None, data=None, protocol=1001, system=None) -> io.BytesIO:
    parts = [pickle.dumps(protocol, 2), pickle.dumps({"little_endian": True} if system is None else system, 2)]
    parts += [b"\x80\x02" + body + b".", pickle.dumps(["0"] if keys is None else keys, 2)]
    content = struct.pack("<q", 4) + np.arange(4, dtype=np.float32).tobytes() if data is None else data
    return io.BytesIO(legacy.START + b"".join(parts) + content)


def old_storage(tail=pickle.NONE, **kwargs) -> bytes:
    return storage(tail=tail, **kwargs)


def test_legacy_files_and_views_of_storages():
    assert load(old_file(tensor(old_storage()))).tolist() == [0, 1, 2, 3]
    view = old_storage(group(text("1"), integer(1), integer(2)))
    whole, part = load(old_file(a_list(tensor(old_storage()), tensor(view, size=integers(2)))))
    assert part.tolist() == [1, 2] and same_memory(whole, part)


def test_a_legacy_file_may_follow_other_bytes():
    file = io.BytesIO(b"header" + old_file(tensor(old_storage())).getvalue())
    file.seek(6)
    assert load(file).tolist() == [0, 1, 2, 3]


OLD_FILES = {
    "gadget": lambda: old_file(call("posix.system", COMMAND)),
    "another protocol": lambda: old_file(integer(1), protocol=1002),
    "a tensor for a protocol": lambda: old_file(integer(1), protocol="x"),
    "big-endian": lambda: old_file(integer(1), keys=[], system={"little_endian": False}),
    "no system": lambda: old_file(integer(1), system=[1]),
    "unknown key": lambda: old_file(tensor(old_storage()), keys=["1"]),
    "missing key": lambda: old_file(tensor(old_storage()), keys=[]),
    "repeated key": lambda: old_file(tensor(old_storage()), keys=["0", "0"]),
    "keys that are no list": lambda: old_file(tensor(old_storage()), keys={"0": 1}),
    "keys that are no text": lambda: old_file(tensor(old_storage()), keys=[[]]),
    "false size": lambda: old_file(tensor(old_storage(numel=2**40))),
    "false sizes in sum": lambda: old_file(a_list(*[tensor(old_storage(key=str(i), numel=20)) for i in range(100)])),
    "another size in the data": lambda: old_file(tensor(old_storage()), data=struct.pack("<q", 5) + bytes(20)),
    "negative size in the data": lambda: old_file(tensor(old_storage()), data=struct.pack("<q", -1) + bytes(20)),
    "truncated data": lambda: old_file(tensor(old_storage()), data=struct.pack("<q", 4) + bytes(15)),
    "view outside": lambda: old_file(tensor(old_storage(group(text("1"), integer(1), integer(4))))),
    "negative view": lambda: old_file(tensor(old_storage(group(text("1"), integer(-1), integer(4))))),
    "odd view": lambda: old_file(tensor(old_storage(integer(1)))),
    "two types": lambda: old_file(a_list(tensor(old_storage()), tensor(old_storage(kind="torch.IntStorage")))),
    "no view": lambda: old_file(tensor(storage())),
}


@pytest.mark.parametrize("make", OLD_FILES.values(), ids=OLD_FILES.keys())
def test_hostile_legacy_files_are_refused(make):
    with pytest.raises(CLEAN, match=r"^cannot load "):
        load(make())


def test_damaged_legacy_files():
    """The format has no checksum: a flipped bit in the numbers goes unnoticed, but nothing else may happen."""
    data = old_file(a_dict(text("w"), tensor(old_storage()), text("n"), integer(3))).getvalue()
    for length in range(len(data)):
        with pytest.raises(CLEAN):
            load(io.BytesIO(data[:length]))
    chosen = random.Random(2)
    for _ in range(1000):
        damaged = bytearray(data)
        damaged[chosen.randrange(len(data))] ^= 1 << chosen.randrange(8)
        with contextlib.suppress(CLEAN):
            load(io.BytesIO(bytes(damaged)))


# --- memory and time ------------------------------------------------------------------------------------------------

COPIES = {
    "bytes": call("_codecs.encode", memoised(text("x" * 100_000), 1), memoised(text("latin1"), 2))
    + call("_codecs.encode", again(1), again(2)) * 100_000,
    "sets": memoised(a_list(*[pickle.BININT2 + struct.pack("<H", i) for i in range(10_000)]), 1)
    + call("builtins.set", again(1)) * 50_000,
    "sizes": memoised(integers(*range(10_000)), 1) + call("torch.Size", again(1)) * 50_000,
}


@pytest.mark.parametrize("body", COPIES.values(), ids=COPIES.keys())
def test_copying_again_and_again_is_refused(body):
    with pytest.raises(pickle.UnpicklingError, match="again and again"):
        load(crafted(body))


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory with Linux's resource limits")
def test_bombs_take_neither_memory_nor_time(tmp_path):
    """In a process that may take half a gigabyte more than it has, and 60 seconds."""
    bombs = {
        "deflate": bomb(),
        "overlap": overlapping(),
        **{key: crafted(body) for key, body in COPIES.items()},
        **{key.replace(" ", "_"): crafted(PICKLES[key]) for key in PICKLES if "memory" in key or "forever" in key},
        **{key.replace(" ", "_"): crafted(PICKLES[key]) for key in PICKLES if "longer" in key or "bytes" in key},
        "legacy": OLD_FILES["false size"](),
        "truncated": io.BytesIO(crafted(text("x" * 1_000_000)).getvalue()[:-5]),
    }
    for key, file in bombs.items():
        (tmp_path / f"{key}.pt").write_bytes(file.getvalue())
    program = """
        import pickle, resource, sys
        from pathlib import Path
        from framework.serialization import load
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + 2**29
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
        for path in sorted(Path(sys.argv[1]).glob("*.pt")):
            try:
                load(path)
            except (RuntimeError, pickle.UnpicklingError):
                print("refused", path.stem)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.replace("refused ", "").split()) == set(bombs)


def test_the_writer_knows_every_type():
    assert {dtype for dtype in dtypes.ALL if dtype not in pickler.UNTYPED} == set(STORAGE_TYPES.values())
