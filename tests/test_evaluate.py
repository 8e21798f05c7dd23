"""evaluate.py: what it prints for a run, for a checkpoint, and when something is wrong."""

import pytest

import evaluate
import framework as ft
import train
from framework.training import trainer
from framework.training.checkpoint import load_checkpoint

MLP = """
model: {name: mlp, options: {hidden: [16]}}
data: {name: digits, classes: [3, 5, 8]}
optim: {name: adamw, lr: 0.01}
train: {epochs: 2, batch_size: 64}
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Call evaluate.py's main beside a finished run in the folder ``a``: exit code, output, errors."""
    (tmp_path / "mlp.yaml").write_text(MLP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trainer, "plot_curves", lambda rows, path, title: None)
    assert train.main(["--config", "mlp.yaml", "--run-dir", "a"]) == 0
    capsys.readouterr()

    def run(*arguments):
        try:
            code = evaluate.main(arguments)
        except SystemExit as stop:  # argparse
            code = stop.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_a_run_is_measured_at_its_best_checkpoint(run):
    best = load_checkpoint("a/checkpoints/best.pt")["best"]
    code, out, err = run("a")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"Model    mlp · a/checkpoints/best.pt · after epoch {best['epoch']}"
    assert lines[1] == "Data     digits · test 109 · 3 classes · on cpu"
    assert lines[2].startswith("Result   loss 0.")
    assert lines[2].endswith(f"  acc1 {best['value']:.2f}")
    table = [line.split() for line in lines[5:]]
    assert [row[0] for row in table] == ["3", "5", "8"]
    assert sum(int(row[1]) for row in table) == 109
    correct = sum(float(row[2]) / 100 * int(row[1]) for row in table)
    assert correct / 109 * 100 == pytest.approx(best["value"], abs=0.02)


def test_a_checkpoint_split_and_settings_can_be_chosen(run):
    code, out, _ = run("a/checkpoints/last.pt", "--split", "train", "train.batch_size=7", "data.workers=1")
    assert code == 0
    assert "last.pt · after epoch 2\nData     digits · train 430 · 3 classes" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nowhere",), 1, "error: checkpoint not found: nowhere"),
        (("mlp.yaml",), 1, "error: mlp.yaml cannot be read, it may be truncated or no checkpoint"),
        (("a", "optim.lr=1"), 2, "error: optim.lr is part of what was trained; only data.workers, device, train"),
        (("a", "device=gpu"), 2, "error: device must be auto, cpu or cuda"),
        (("a", "--split", "dev"), 2, "usage:"),
        ((), 2, "usage:"),
    ],
)
def test_what_is_wrong_is_said(run, arguments, code, message):
    result, out, err = run(*arguments)
    assert (result, out) == (code, "")
    assert err.startswith(message)


def test_a_model_that_is_broken_is_a_failure(run):
    state = load_checkpoint("a/checkpoints/best.pt")
    state["model"]["head.weight"] = ft.full_like(state["model"]["head.weight"], float("nan"))
    ft.save(state, "a/checkpoints/best.pt")
    code, _, err = run("a")
    assert (code, err) == (1, "error: the loss of a/checkpoints/best.pt is nan\n")


def test_the_table_names_the_lookalike_and_survives_an_empty_class():
    lines = evaluate.class_table(["cat", "mongoose", "dog"], [[8, 0, 2], [0, 0, 0], [1, 0, 4]])
    assert lines[0] == "\nClass     images    acc1  precision  most often taken for"
    assert lines[1] == "cat           10   80.00      88.89  dog (2)"
    assert lines[2] == "mongoose       0       -          -"
    assert lines[3] == "dog            5   80.00      66.67  cat (1)"
