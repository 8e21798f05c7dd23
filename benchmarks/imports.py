"""How long `import` takes: each module in a new interpreter, in turn."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from .results import Measurement, Result
from .runner import SideError

NAME = "import"
DESCRIPTION = "import of the framework, in a new interpreter, beside torch and numpy"

ROOT = Path(__file__).parent.parent
#: The time is that of the import statement alone, not of the interpreter's start.
PROGRAM = """
import time
start = time.perf_counter()
import {module}
seconds = time.perf_counter() - start
from benchmarks.memory import peak_rss
print(seconds, peak_rss())
"""


def measure_imports(sides: Mapping[str, str], rounds: int, on_round: Callable[[], object] = lambda: None) -> Result:
    """Import time and memory of each side's module and of numpy. It does not count in the geometric mean."""
    modules = {**sides, "numpy": "numpy"}
    result = Result(NAME, {name: Measurement() for name in modules}, in_mean=False)
    try:
        for module in modules.values():
            _import(module)  # brings the files into the system's cache, and compiles them once
        for _ in range(rounds):
            for name, module in modules.items():
                seconds, peak = _import(module)
                result.sides[name].seconds.append(seconds)
                result.sides[name].peak_memory = peak
            on_round()
    except SideError as failure:
        result.error, result.details = str(failure), failure.details
    return result


def _import(module: str) -> tuple[float, int | None]:
    command = [sys.executable, "-c", PROGRAM.format(module=module)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise SideError(f"import {module}: {last or f'exit code {done.returncode}'}", done.stderr)
    seconds, peak = done.stdout.split()
    return float(seconds), None if peak == "None" else int(peak)
