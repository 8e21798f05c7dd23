"""The machine and the versions that a measurement was made with."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from .worker import Hello


def describe(hellos: Mapping[str, Hello]) -> dict[str, str]:
    """The facts that a report begins with, by their names."""
    facts = {
        "CPU": f"{_cpu()}, {cores()} cores",
        "Python": f"{platform.python_version()}, NumPy {version('numpy')}",
    }
    for name, hello in hellos.items():
        threads = "threads by default" if hello.threads is None else f"{hello.threads} threads"
        facts[name] = f"{hello.version}, {threads}"
    if hasattr(os, "getloadavg"):
        facts["Load before"] = f"{os.getloadavg()[0]:.1f}"
    return facts


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
