"""CUDA devices as torch.cuda names them; every question has a sensible answer without a GPU."""

from __future__ import annotations

from typing import Any

from . import backend


def is_available() -> bool:
    """Whether CuPy and a usable NVIDIA device are there."""
    return backend.cuda_device_count() > 0


def device_count() -> int:
    """The number of usable CUDA devices."""
    return backend.cuda_device_count()


def current_device() -> int:
    """The index of the device that CUDA work goes to; RuntimeError without one."""
    backend.require_cuda()
    return int(backend.cupy().cuda.Device().id)


def get_device_name(device: Any = None) -> str:
    """The product name of a device; RuntimeError without one."""
    where = backend.resolve("cuda" if device is None else device)
    name = backend.cupy().cuda.runtime.getDeviceProperties(where.index)["name"]
    return name.decode() if isinstance(name, bytes) else str(name)


def synchronize(device: Any = None) -> None:
    """Waits until all work on a device is done; nothing without a GPU in use."""
    if is_available():
        with backend.cupy().cuda.Device(backend.resolve("cuda" if device is None else device).index) as current:
            current.synchronize()


def memory_allocated(device: Any = None) -> int:
    """Bytes held by arrays on the device; 0 without a GPU."""
    return int(backend.cupy().get_default_memory_pool().used_bytes()) if is_available() else 0


def empty_cache() -> None:
    """Gives unused device memory back to the system."""
    if is_available():
        backend.cupy().get_default_memory_pool().free_all_blocks()


def manual_seed(seed: int) -> None:
    """Accepted: random numbers are drawn on the host from the default generator, whatever the device."""


def manual_seed_all(seed: int) -> None:
    """Accepted, as `manual_seed`."""
