"""Names that programs and libraries touch in passing exist and answer sensibly."""

from __future__ import annotations

import importlib

import pytest

import framework as torch


def test_backends():
    cudnn = importlib.import_module("framework.backends.cudnn")
    assert cudnn is torch.backends.cudnn
    cudnn.benchmark = True
    with cudnn.flags(benchmark=False, deterministic=True):
        assert not cudnn.benchmark and cudnn.deterministic
    assert cudnn.benchmark and not cudnn.deterministic
    cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = False
    for place in (torch.backends.mps, torch.backends.mkl, torch.backends.openmp, cudnn):
        assert place.is_available() is False


def test_settings_are_kept():
    torch.use_deterministic_algorithms(True)
    assert torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    assert not torch.are_deterministic_algorithms_enabled()
    torch.set_float32_matmul_precision("high")
    assert torch.get_float32_matmul_precision() == "high"
    torch.set_float32_matmul_precision("highest")
    with pytest.raises(ValueError, match="'highest', 'high' or 'medium'"):
        torch.set_float32_matmul_precision("low")


def test_programs_run_as_they_are():
    model = torch.nn.Linear(2, 2)
    assert torch.compile(model) is model
    assert torch.compile(mode="max-autotune")(len) is len
    assert torch.jit.script(model) is model
    assert torch.jit.ignore(len) is len and torch.jit.ignore(drop=True)(len) is len
    assert not (torch.jit.is_scripting() or torch.jit.is_tracing() or torch.compiler.is_compiling())
    assert not (torch.distributed.is_available() or torch.distributed.is_initialized())
    assert torch.version.cuda is None and torch.version.__version__ == torch.__version__
