"""CUDA settings: kept, and without effect; products are computed in full float32."""

from __future__ import annotations

from types import SimpleNamespace

from .. import cuda as _cuda

matmul = SimpleNamespace(
    allow_tf32=False,
    allow_fp16_reduced_precision_reduction=True,
    allow_bf16_reduced_precision_reduction=True,
)


def is_built() -> bool:
    """Whether CuPy finds a usable device: there is no build of the framework with or without CUDA."""
    return _cuda.is_available()
