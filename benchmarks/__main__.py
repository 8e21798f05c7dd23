"""`python -m benchmarks`: time the cases in our framework and in torch, in turn, and print ratios.

Exit codes: 0 measured, 1 a case failed or its results differ, 2 wrong usage, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from . import imports, report
from .case import Case, find_cases
from .machine import describe
from .results import OURS, Result
from .runner import Runner, SideError

REFERENCE = "torch"
ROUNDS, TURN_SECONDS = 9, 0.25
QUICK_ROUNDS, QUICK_TURN_SECONDS = 3, 0.03


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    cases = find_cases()
    if options.list:
        _list(cases)
        return 0
    for path in filter(None, (options.json, options.markdown)):
        if not path.absolute().parent.is_dir():
            parser.error(f"no folder for {path}")
    chosen, with_imports = _choose(parser, cases, options.case, options.quick)
    sides = available_sides()
    if REFERENCE not in sides:
        print(f"{REFERENCE} is not installed: these are our own times alone, without ratios")
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    runner = Runner(sides, rounds, QUICK_TURN_SECONDS if options.quick else TURN_SECONDS, fresh=not options.quick)
    facts: dict[str, str] = {}
    results: list[Result] = []
    stopped = False
    try:
        facts = describe(runner.start())
        _measure(runner, chosen, with_imports, sides, rounds, results)
    except SideError as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; what was measured until here:", file=sys.stderr)
        stopped = True
    finally:
        runner.stop()
    if results:
        _publish(facts, results, REFERENCE if REFERENCE in sides else None, options.json, options.markdown)
    return 130 if stopped else int(any(result.error for result in results))


def _list(cases: Sequence[Case]) -> None:
    width = max(len(case.name) for case in cases)
    for case in cases:
        print(f"{case.name:<{width}}  {case.description}{'' if case.quick else ' (not in --quick)'}")
    print(f"{imports.NAME:<{width}}  {imports.DESCRIPTION}")


def available_sides() -> dict[str, str]:
    """The module to import for each side; torch's side only where torch is installed."""
    sides = {OURS: "framework"}
    if importlib.util.find_spec(REFERENCE) is not None:
        sides[REFERENCE] = REFERENCE
    return sides


def _measure(
    runner: Runner, cases: Sequence[Case], with_imports: bool, sides: dict[str, str], rounds: int, results: list[Result]
) -> None:
    """Fill `results`, one by one, so that Ctrl-C leaves what there is."""
    total = rounds * (len(cases) + with_imports)
    with tqdm(total=total, disable=None, unit="round", leave=False) as bar:
        for case in cases:
            bar.set_description(case.name)
            _keep(runner.run(case, bar.update), bar, results, rounds)
        if with_imports:
            bar.set_description(imports.NAME)
            _keep(imports.measure_imports(sides, rounds, bar.update), bar, results, rounds)


def _keep(result: Result, bar: tqdm, results: list[Result], rounds: int) -> None:
    results.append(result)
    bar.update(len(results) * rounds - bar.n)  # a case that failed has skipped its rounds
    if bar.disable:  # no terminal: whole lines
        print(report.line(result, REFERENCE), file=sys.stderr, flush=True)


def _publish(
    facts: dict[str, str], results: list[Result], reference: str | None, json: Path | None, markdown: Path | None
) -> None:
    content = report.text(facts, results, reference)
    print(content, end="")
    if json:
        report.write(json, report.as_json(facts, results, reference))
    if markdown:
        report.write(markdown, content)


def _choose(
    parser: argparse.ArgumentParser, cases: Sequence[Case], wanted: Sequence[str], quick: bool
) -> tuple[list[Case], bool]:
    """The cases to run, and whether to time imports. What is named is run with `--quick` too."""
    if not wanted:
        return [case for case in cases if case.quick or not quick], True
    names = [*(case.name for case in cases), imports.NAME]
    for part in wanted:
        if not any(part in name for name in names):
            near = difflib.get_close_matches(part, names, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            parser.error(f"no case has {part!r} in its name{hint} (--list shows them)")
    chosen = [case for case in cases if any(part in case.name for part in wanted)]
    return chosen, any(part in imports.NAME for part in wanted)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time our framework and torch in turn, in separate processes, and print ratios (torch / ours).",
        allow_abbrev=False,
    )
    parser.add_argument("--quick", action="store_true", help="a rough look: short turns, no large cases, no memory")
    parser.add_argument("--case", action="append", default=[], metavar="NAME", help="cases with NAME in their name")
    parser.add_argument("--rounds", type=_rounds, metavar="N", help=f"default {ROUNDS}, with --quick {QUICK_ROUNDS}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything that was measured")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the report")
    parser.add_argument("--list", action="store_true", help="show the cases and stop")
    return parser


def _rounds(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {value!r}")
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
