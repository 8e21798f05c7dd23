"""What a case is, and where the cases are found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

#: Builds a case with the module it is given (framework or torch) and returns its step.
Build = Callable[[ModuleType], Callable[[], Any]]


@dataclass(frozen=True)
class Case:
    """One thing to time.

    `build(torch)` runs once after `torch.manual_seed(0)` and returns the step, a function without arguments. What the
    step returns (a tensor or a number) is compared between the sides, to `tolerance`, relative to its largest element.
    A step that does its work `repeats` times says so, and the time shown is that of one. `quick` cases are those that
    `--quick` runs. The report also gives the time relative to that of the case named `relative_to`, on each side.
    """

    name: str
    module: str
    description: str
    build: Build
    tolerance: float
    repeats: int
    quick: bool
    relative_to: str | None


def case(
    *, tolerance: float = 1e-5, repeats: int = 1, quick: bool = True, relative_to: str | None = None
) -> Callable[[Build], Case]:
    """Make a :class:`Case` of a build function; its name and the first line of its docstring become the case's."""

    def register(build: Build) -> Case:
        description = (build.__doc__ or "").strip().partition("\n")[0]
        return Case(build.__name__, build.__module__, description, build, tolerance, repeats, quick, relative_to)

    return register


def training_step(model: Any, criterion: Any, optimizer: Any, x: Any, y: Any) -> Callable[[], Any]:
    """The step of a training case: forward, backward and an update on one batch; it returns the loss."""

    def step() -> Any:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def find_cases(package: str = "benchmarks.cases") -> list[Case]:
    """Every case of a package: its files by name, the cases of a file in the order they are written."""
    folder = importlib.import_module(package).__path__
    found: list[Case] = []
    for info in sorted(pkgutil.iter_modules(folder), key=lambda info: info.name):
        module = importlib.import_module(f"{package}.{info.name}")
        found += [value for value in vars(module).values() if isinstance(value, Case)]
    return found
