"""benchmarks/: what is compared and reported, the worker processes, the command line. Nothing here is about speed."""

import json
import textwrap

import pytest

from benchmarks import __main__ as command
from benchmarks import report
from benchmarks.case import find_cases
from benchmarks.imports import measure_imports
from benchmarks.results import Measurement, Result, disagreement, mean_speed
from benchmarks.runner import Runner

CASES = """
import os

from benchmarks.case import case


@case(repeats=2)
def agrees(torch):
    '''The same on both sides.'''
    x = torch.ones(3)
    return lambda: x * 2


@case()
def drifts(torch):
    '''The second step differs where the side is not ours.'''
    values = iter([1.0, 2.0 if torch.__name__ == "framework" else 2.001, 3.0])
    return lambda: torch.tensor(next(values, 4.0), dtype=torch.float64)


@case()
def raises(torch):
    '''Asks for what is not there.'''
    return torch.no_such_operator


@case()
def dies(torch):
    '''Ends its process.'''
    return lambda: os._exit(3)
"""


@pytest.fixture
def toy_cases(tmp_path, monkeypatch):
    """Cases by name, for two sides that are both our framework; worker processes find the files by sys.path."""
    package = tmp_path / "toy_cases"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "toys.py").write_text(textwrap.dedent(CASES))
    (tmp_path / "other_framework.py").write_text("from framework import *\nfrom framework import __version__\n")
    monkeypatch.syspath_prepend(tmp_path)
    return {case.name: case for case in find_cases("toy_cases")}


@pytest.fixture
def ours_alone(monkeypatch):
    """As where torch is not installed."""
    monkeypatch.setattr(command, "available_sides", lambda: {"ours": "framework"})


def result(name="mlp", ours=(1.0, 2.0, 4.0), theirs=(3.0, 4.0, 4.0), memory=(30_000_000, 60_000_000), **options):
    sides = {
        "ours": Measurement([*ours], first_step=0.5, peak_memory=memory[0], base_memory=20_000_000),
        "torch": Measurement([*theirs], first_step=0.25, peak_memory=memory[1], base_memory=20_000_000),
    }
    return Result(name, sides, **options)


# --- what is compared


@pytest.mark.parametrize(
    "ours, theirs",
    [
        ([[2.3], [2.2]], [[2.3000001], [2.2]]),
        ([[0.0]], [[0.0]]),
        ([[5.0, 1e-9, 5.0]], [[5.0, 2e-9, 5.0]]),  # a small element beside large ones
    ],
)
def test_values_that_agree(ours, theirs):
    assert disagreement(ours, theirs, 1e-5) is None


@pytest.mark.parametrize(
    "ours, theirs, message",
    [
        ([[2.3], [2.2]], [[2.3], [2.201]], "step 2: 2.2 and 2.201 (tolerance 1e-05)"),
        ([[1e6, 1.0, 2.0]], [[1e6, 1.0, 2.1]], "step 1: 2 and 2.1"),  # not hidden by the sum
        ([[float("nan")]], [[float("nan")]], "step 1: values that are not finite"),
        ([[1.0, 1.0]], [[1.0]], "step 1: results of different sizes"),
    ],
)
def test_values_that_differ(ours, theirs, message):
    assert message in disagreement(ours, theirs, 1e-5)


# --- what is reported


def test_ratios_are_those_of_the_rounds():
    one = result()
    assert one.ratios("torch") == [3.0, 2.0, 1.0]
    assert one.memory_ratio("torch") == 0.5
    assert one.ratios("jax") == []


def test_means_leave_out_failures_and_what_does_not_count():
    rows = [
        result(),
        result(ours=[1.0], theirs=[8.0]),
        result(ours=[1.0], theirs=[100.0], in_mean=False),
        result(ours=[1.0], theirs=[100.0], error="ours and torch differ"),
    ]
    assert mean_speed(rows, "torch") == pytest.approx(4.0)
    assert mean_speed([], "torch") is None


def test_report():
    rows = [
        result("full"),
        result("frozen", ours=[0.5, 0.5], theirs=[2.0, 2.0], relative_to="full"),
        result("broken", error="ours and torch differ at step 1: 1 and 2 (tolerance 1e-05)"),
    ]
    shown = report.text({"CPU": "one"}, rows, "torch")
    assert shown.startswith("- CPU: one\n\n| case ")
    assert "2.00 | 1.00..3.00 |    2.00 s |     4.00 s |              0.50 |     30 (+10) |      60 (+40) |" in shown
    assert "| broken |     failed |" in shown
    assert "broken: ours and torch differ at step 1: 1 and 2" in shown
    assert "frozen takes, of the time of full: ours 0.25, torch 0.50." in shown
    assert "Geometric mean of 2 cases: torch/ours 2.83." in shown


def test_report_of_ours_alone():
    shown = report.text({}, [Result("mlp", {"ours": Measurement([2e-3])})], None)
    assert "| mlp  | 2.00 ms |" in shown
    assert "torch" not in shown


@pytest.mark.parametrize(
    "seconds, shown",
    [(2.5, "2.50 s"), (0.0456, "45.6 ms"), (1.234e-6, "1.23 µs"), (5e-7, "0.50 µs"), (1e-3, "1.00 ms"), (None, "-")],
)
def test_seconds(seconds, shown):
    assert report.seconds_text(seconds) == shown


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "report.md"
    report.write(path, "old")
    with pytest.raises(UnicodeEncodeError):
        report.write(path, "new \ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


# --- the workers


def test_worker_processes(toy_cases):
    rounds = []
    runner = Runner({"ours": "framework", "torch": "other_framework"}, rounds=2, turn_seconds=1e-4, fresh=False)
    try:
        good = runner.run(toy_cases["agrees"], lambda: rounds.append(1))
        assert good.error is None
        assert [len(side.seconds) for side in good.sides.values()] == [2, 2] == [len(rounds)] * 2
        assert good.sides["ours"].peak_memory is None  # the process is shared with other cases

        differs = runner.run(toy_cases["drifts"])
        assert differs.error == "ours and torch differ at step 2: 2 and 2.001 (tolerance 1e-05)"
        assert differs.ratios("torch") == []
    finally:
        runner.stop()


def test_failures_are_reported_and_end_nothing_else(toy_cases):
    runner = Runner({"ours": "framework"}, rounds=1, turn_seconds=1e-4, fresh=True)
    try:
        missing = runner.run(toy_cases["raises"])
        assert missing.error.startswith("ours: AttributeError: module 'framework' has no attribute 'no_such_operator'")
        assert "Traceback" in missing.details
        assert runner.run(toy_cases["dies"]).error == "ours: the process ended with exit code 3"
        good = runner.run(toy_cases["agrees"])
        assert good.error is None
        assert good.sides["ours"].peak_memory >= good.sides["ours"].base_memory > 0
    finally:
        runner.stop()


def test_imports():
    measured = measure_imports({"ours": "framework"}, rounds=1)
    assert measured.error is None and not measured.in_mean
    assert set(measured.sides) == {"ours", "numpy"}
    assert all(side.seconds[0] > 0 and side.peak_memory > 0 for side in measured.sides.values())
    assert "times as long as NumPy's" in report.text({}, [measured], None)


def test_import_that_fails():
    measured = measure_imports({"ours": "no_such_module"}, rounds=1)
    assert measured.error == "import no_such_module: ModuleNotFoundError: No module named 'no_such_module'"


# --- the command


def test_cases_are_described_once():
    cases = find_cases()
    assert len({case.name for case in cases}) == len(cases)
    assert all(case.description for case in cases)
    assert all(case.relative_to in {None, *(other.name for other in cases)} for case in cases)


def test_list(capsys):
    assert command.main(["--list"]) == 0
    shown = capsys.readouterr().out
    for name in ("add_16x16", "scalar_expression", "mlp_step", "resnet18_cifar_step", "frozen_backbone_step", "import"):
        assert name in shown


def test_one_case_without_torch(ours_alone, tmp_path, capsys):
    paths = ["--json", str(tmp_path / "a.json"), "--markdown", str(tmp_path / "a.md")]
    assert command.main(["--quick", "--rounds", "1", "--case", "small_slice", *paths]) == 0
    shown = capsys.readouterr().out
    first, _, rest = shown.partition("\n")
    assert first == "torch is not installed: these are our own times alone, without ratios"
    assert (tmp_path / "a.md").read_text() == rest
    [row] = json.loads((tmp_path / "a.json").read_text())["results"]
    assert row["name"] == "small_slice" and row["error"] is None
    assert len(row["sides"]["ours"]["seconds"]) == 1


def test_one_case_with_torch(tmp_path, capsys):
    pytest.importorskip("torch", reason="the comparison needs torch")
    path = tmp_path / "a.json"
    assert command.main(["--quick", "--rounds", "1", "--case", "add_16x16_grad", "--json", str(path)]) == 0
    [row] = json.loads(path.read_text())["results"]
    assert row["error"] is None and row["ratio"]["median"] > 0
    assert "Geometric mean of 1 case:" in capsys.readouterr().out


def test_a_failed_case_gives_exit_code_1(ours_alone, monkeypatch, capsys):
    monkeypatch.setattr(Runner, "run", lambda self, case, on_round: Result(case.name, error="ours: broken"))
    assert command.main(["--quick", "--case", "small_slice"]) == 1
    assert "small_slice: ours: broken" in capsys.readouterr().out


def test_interrupted(ours_alone, monkeypatch, capsys):
    def run(self, case, on_round):
        if case.name == "small_stack":
            raise KeyboardInterrupt
        return Result(case.name, {"ours": Measurement([1.0])})

    monkeypatch.setattr(Runner, "run", run)
    assert command.main(["--quick", "--case", "small_"]) == 130
    shown = capsys.readouterr()
    assert "| small_cat | 1.00 s |" in shown.out
    assert "Stopped" in shown.err


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--case", "mlp_stepp"], "no case has 'mlp_stepp' in its name; did you mean mlp_step?"),
        (["--rounds", "0"], "expected a whole number of at least 1, got '0'"),
        (["--rounds", "x"], "expected a whole number of at least 1, got 'x'"),
        (["--json", "/no/such/folder/a.json"], "no folder for /no/such/folder/a.json"),
    ],
)
def test_wrong_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
