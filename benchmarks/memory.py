"""Resident memory of this process, in bytes."""

from __future__ import annotations

import sys
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

STATUS = Path("/proc/self/status")


def peak_rss() -> int | None:
    """The most memory this process has held; None where the system does not tell.

    Linux's VmHWM counts this program alone, whereas `ru_maxrss` of a new process begins at its parent's size.
    """
    if (peak := _status("VmHWM:")) is not None:
        return peak
    if resource is None:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _status(field: str) -> int | None:
    if not STATUS.exists():
        return None
    for line in STATUS.read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    return None
