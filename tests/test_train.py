"""train.py and framework.training: runs, resuming, interruption, fine-tuning, and every error a user can meet."""

import csv
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

import datasets
import framework as ft
import train
from framework import nn
from framework.training import command, finetune, logs, loop, runfolder, trainer
from framework.training.build import build_optimizer, build_scheduler
from framework.training.checkpoint import load_checkpoint, load_weights, save_checkpoint
from framework.training.config import OptimConfig, SchedConfig, load_config
from framework.training.errors import CheckpointError, ConfigError, NonFiniteLoss
from framework.training.sampler import EpochBatchSampler
from framework.utils.data import DataLoader, TensorDataset

ROOT = Path(__file__).parent.parent
MLP = """
model: {name: mlp, options: {hidden: [16], dropout: 0.3}}
data: {name: digits, classes: [0, 1, 2]}
optim: {name: adamw, lr: 0.01}
sched: {warmup_epochs: 0.5}
train: {epochs: 3, batch_size: 128, label_smoothing: 0.1}
"""
CNN = """
run_dir: runs/pretrain
model: {name: small_cnn, options: {width: 4}}
data: {name: digits, classes: [0, 1, 2]}
optim: {name: sgd, lr: 0.05, momentum: 0.9}
train: {epochs: 1, batch_size: 128}
"""
FINETUNE = CNN.replace("run_dir: runs/pretrain", "").replace("[0, 1, 2]", "[5, 6, 7]")


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch, request):
    """An empty current folder with the configs, and no pictures: they take half a second each."""
    (tmp_path / "mlp.yaml").write_text(MLP)
    (tmp_path / "pretrain.yaml").write_text(CNN)
    (tmp_path / "finetune.yaml").write_text(FINETUNE)
    monkeypatch.chdir(tmp_path)
    if "pictures" not in request.fixturenames:
        monkeypatch.setattr(trainer, "plot_curves", lambda rows, path, title: None)
    return tmp_path


@pytest.fixture
def pictures():
    """Asked for by a test that wants the real plots."""


@pytest.fixture
def run(capsys):
    """Call train.py's main: its exit code, what it printed, what it said on stderr."""

    def run(*arguments):
        try:
            code = train.main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse
            code = stop.code
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def mlp(folder, *more):
    return ("--config", "mlp.yaml", "--run-dir", folder, *more)


def rows(folder):
    """The metrics, without the speed, which no two runs share."""
    with open(Path(folder, "metrics.csv"), newline="") as file:
        table = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    lines = [json.loads(line) for line in Path(folder, "metrics.jsonl").read_text().splitlines()]
    assert table == lines
    for row in table:
        del row["images_per_s"]
    return table


def same(a, b):
    if isinstance(a, ft.Tensor):
        return a.dtype == b.dtype and ft.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(Path(folder).rglob("*")) if path.is_file()}


def stop_at_step(monkeypatch, step, signum=signal.SIGINT):
    """Send ourselves a signal in the middle of the given step."""
    original, done = trainer.train_step, []

    def step_and_signal(*arguments, **options):
        done.append(1)
        if len(done) == step:
            signal.raise_signal(signum)
        return original(*arguments, **options)

    monkeypatch.setattr(trainer, "train_step", step_and_signal)


# A whole run


def test_a_run_leaves_its_folder_complete(run, pictures):
    code, out, err = run(*mlp("runs/a", "train.epochs=2"))
    assert (code, err) == (0, "")
    files = {str(path.relative_to("runs/a")) for path in Path("runs/a").rglob("*") if path.is_file()}
    assert files == {
        "config.yaml",
        "env.json",
        "log.txt",
        "metrics.csv",
        "metrics.jsonl",
        "result.json",
        "checkpoints/best.pt",
        "checkpoints/last.pt",
        "plots/curves.png",
    }
    assert Path("runs/a/plots/curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert Path("runs/a/log.txt").read_text(encoding="utf-8") == out
    assert load_config("runs/a/config.yaml").train.epochs == 2
    assert [(row["epoch"], row["step"]) for row in rows("runs/a")] == [(1, 4), (2, 8)]
    assert list(rows("runs/a")[0]) == ["epoch", "step", "train/loss", "val/loss", "val/acc1", "lr"]
    result = json.loads(Path("runs/a/result.json").read_text())
    assert (result["status"], result["epoch"], result["step"]) == ("finished", 2, 8)
    assert result["best"]["value"] == max(row["val/acc1"] for row in rows("runs/a"))
    assert json.loads(Path("runs/a/env.json").read_text())["seed"] == 0


def test_the_console(run):
    _, out, _ = run(*mlp("runs/a", "train.epochs=1"))
    lines = out.splitlines()
    assert lines[0] == "Run      runs/a   (seed 0)"
    assert lines[1].startswith("Device   cpu · numpy ")
    assert lines[2] == "Data     digits · train 428 · val 109 · 3 classes"
    assert lines[3] == "Model    mlp · 1.1 k params (1.1 k trainable)"
    assert lines[4] == "Optim    adamw lr 0.01 · cosine, 0.5 warm-up epochs"
    assert lines[5].startswith("Epoch 1/1  lr ")
    for part in ("train/loss ", "val/loss ", "val/acc1 ", " img/s  ", "  *best"):
        assert part in lines[5]
    assert lines[6].startswith("Done     1 epoch, ")
    assert "\r" not in out


def test_acc5_appears_with_more_than_five_classes(run):
    run(*mlp("runs/a", "train.epochs=1", "data.classes=null"))
    assert "val/acc5" in rows("runs/a")[0]


def test_runs_are_reproducible_and_depend_on_the_seed(run):
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(*mlp(folder, f"seed={seed}"))
    assert rows("a") == rows("b")
    assert rows("a") != rows("c")
    a, b = load_checkpoint("a/checkpoints/last.pt"), load_checkpoint("b/checkpoints/last.pt")
    assert same(a, b)


def test_worker_processes_do_not_change_the_result(run):
    run(*mlp("a", "train.epochs=1"))
    run(*mlp("b", "train.epochs=1", "data.workers=2"))
    assert rows("a") == rows("b")


def test_a_dry_run_that_is_stopped_does_not_name_a_folder(run, monkeypatch):
    stop_at_step(monkeypatch, 1)
    code, out, err = run("--config", "mlp.yaml", "--dry-run")
    assert (code, err, "Run      none, this is a dry run" in out) == (130, "", True)
    assert out.endswith("Dry run  stopped; nothing was kept\n")


def test_a_dry_run_keeps_nothing(run, pictures, workplace):
    before = snapshot(workplace)
    code, out, _ = run("--config", "mlp.yaml", "--dry-run")
    assert code == 0
    assert "nothing was kept" in out
    assert snapshot(workplace) == before


def test_print_config_prints_a_valid_config(run, workplace):
    code, out, _ = run("--config", "mlp.yaml", "optim.lr=0.5", "--print-config")
    assert code == 0
    (workplace / "printed.yaml").write_text(out)
    assert load_config("printed.yaml") == load_config("mlp.yaml", ["optim.lr=0.5"])


def test_a_folder_in_use_is_refused(run):
    run(*mlp("a", "train.epochs=1"))
    before = snapshot("a")
    code, _, err = run(*mlp("a"))
    assert code == 2
    assert err == "error: run folder a is not empty: go on with --resume a, or choose --run-dir DIR\n"
    assert snapshot("a") == before


@pytest.mark.parametrize("file", ["notes.txt", "config.yaml", "checkpoints/weights.pt", "checkpoints/me/x"])
def test_a_folder_with_other_files_is_refused_without_advice_to_resume(run, file):
    Path("a", file).parent.mkdir(parents=True)
    Path("a", file).write_text("mine")
    before = snapshot("a")
    code, _, err = run(*mlp("a"))
    assert (code, "resume" in err, snapshot("a") == before) == (2, False, True)
    assert err.startswith("error: run folder a holds something else (")
    assert file.split("/")[-1] in err or "checkpoints/me" in err


def test_a_run_folder_that_cannot_be_one(run):
    assert run(*mlp("mlp.yaml"))[::2] == (2, "error: run folder mlp.yaml is a file: choose another --run-dir\n")
    code, _, err = run("--config", "mlp.yaml", "run_dir=mlp.yaml/x")
    assert (code, err) == (2, "error: run folder mlp.yaml/x cannot be made: Not a directory\n")


def test_two_runs_cannot_share_a_folder(run):
    with runfolder.claimed(Path("a")):
        code, _, err = run(*mlp("a"))
    assert (code, err) == (2, "error: run folder a is in use by a run that has not ended\n")


# Stopping and going on


@pytest.mark.parametrize("killed", ["in its first epoch", "while writing its first checkpoint", "while starting"])
def test_a_run_killed_before_its_first_checkpoint_starts_over(run, monkeypatch, killed):
    run(*mlp("whole"))
    if killed == "while starting":
        Path("a/checkpoints").mkdir(parents=True)
        Path("a/config.yaml.tmp").write_text("mod")
    else:
        with monkeypatch.context() as patch:
            name = "train_step" if "epoch" in killed else "save_checkpoint"
            patch.setattr(trainer, name, lambda *_: signal.raise_signal(signal.SIGINT) or signal.raise_signal(2))
            code, _, err = run(*mlp("a", "seed=5"))
        assert (code, err) == (130, "Stopped without saving\n")
        Path("a/checkpoints/best.pt.tmp").write_text("PK")
        code, _, err = run("--resume", "a")
        again = "python train.py --config a/config.yaml --run-dir a"
        assert (code, err) == (1, f"error: a has no checkpoint yet; start that run again with: {again}\n")
    code, out, _ = run(*mlp("a"))
    assert (code, "Again    the run that was in this folder had not saved a checkpoint\n" in out) == (0, True)
    assert rows("a") == rows("whole")
    assert Path("a/log.txt").read_text(encoding="utf-8") == out


def test_the_advice_for_a_run_without_checkpoint_works(run):
    assert run(*mlp("a", "optim.name=sgd", "optim.lr=1e30"))[0] == 1
    assert run("--config", "a/config.yaml", "--run-dir", "a", "optim.lr=1")[0] == 0


def test_a_run_killed_between_best_and_last_resumes_from_best(run):
    run(*mlp("whole"))
    run(*mlp("a"))
    Path("a/checkpoints/last.pt").unlink()
    assert run("--resume", "a")[0] == 0
    assert rows("a") == rows("whole")


def test_a_finished_run_is_left_alone(run):
    run(*mlp("a", "train.epochs=2"))
    before = snapshot("a")
    for more in ((), ("train.epochs=2",), ("data.workers=2",)):
        code, out, _ = run("--resume", "a", *more)
        assert (code, snapshot("a") == before) == (0, True)
        assert out == (
            "a is already finished (2 epochs): nothing to do\n   Go on: python train.py --resume a train.epochs=4\n"
        )
    code, _, err = run("--resume", "a", "train.epochs=1", "sched.warmup_epochs=0.5")
    assert (code, snapshot("a") == before) == (2, True)
    assert err == (
        "error: train.epochs is 1, but a/checkpoints/last.pt is in epoch 2 already:"
        " leave train.epochs as it was, or make it larger\n"
    )


def test_a_run_killed_after_its_last_checkpoint_writes_its_last_files(run):
    run(*mlp("a", "train.epochs=2"))
    Path("a/result.json").unlink()
    code, out, _ = run("--resume", "a")
    assert (code, "Done     2 epochs" in out) == (0, True)
    assert json.loads(Path("a/result.json").read_text())["status"] == "finished"


def test_going_on_from_best_says_what_is_replaced(run):
    run(*mlp("whole"))
    run(*mlp("a", "train.epochs=3"))
    run(*mlp("b", "train.epochs=3", "save.mode=min"))  # its best is its first epoch
    assert load_checkpoint("b/checkpoints/best.pt")["epoch"] == 1
    code, out, _ = run("--resume", "b/checkpoints/best.pt")
    assert code == 0
    assert "\nAgain    epochs 2 to 3: their rows in metrics.csv and checkpoints/last.pt are replaced\n" in out
    assert rows("b") == rows("whole")


@pytest.mark.parametrize("step", [1, 4, 6])  # the first, the last of an epoch, in the middle of the second
def test_a_run_resumed_after_ctrl_c_ends_like_one_never_stopped(run, monkeypatch, step):
    run(*mlp("whole"))
    with monkeypatch.context() as patch:
        stop_at_step(patch, step)
        code, out, _ = run(*mlp("stopped"))
    assert code == 130
    epoch = (step - 1) // 4 + 1
    assert f"Interrupted at epoch {epoch} step {step}: saved checkpoints/last.pt\n" in out
    assert out.endswith("   Continue: python train.py --resume stopped\n")
    assert json.loads(Path("stopped/result.json").read_text())["status"] == "interrupted"
    assert run("--resume", "stopped")[0] == 0
    assert rows("stopped") == rows("whole")
    for name in ("last", "best"):
        a = load_checkpoint(f"whole/checkpoints/{name}.pt")
        b = load_checkpoint(f"stopped/checkpoints/{name}.pt")
        assert same(a, b)


def test_a_run_may_be_stopped_many_times_and_while_evaluating(run, monkeypatch):
    run(*mlp("whole"))
    original = trainer.evaluate

    def evaluate_and_signal(*arguments):
        signal.raise_signal(signal.SIGTERM)
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "evaluate", evaluate_and_signal)
        code, out, _ = run(*mlp("stopped"))
        assert (code, "Terminated at epoch 1 step 4" in out) == (143, True)
    for _ in range(3):
        with monkeypatch.context() as patch:
            stop_at_step(patch, 2)
            assert run("--resume", "stopped")[0] == 130
    assert run("--resume", "stopped")[0] == 0
    assert rows("stopped") == rows("whole")
    assert same(load_checkpoint("whole/checkpoints/last.pt"), load_checkpoint("stopped/checkpoints/last.pt"))


def test_a_full_disk_leaves_the_last_checkpoint_and_the_run_goes_on_from_it(run, monkeypatch):
    run(*mlp("whole"))
    original = trainer.save_checkpoint

    def full(state, path):
        if state["epoch"] == 2:
            raise OSError(28, "No space left on device", str(path))
        original(state, path)

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "save_checkpoint", full)
        code, _, err = run(*mlp("stopped"))
    assert (code, err.startswith("error: No space left on device: stopped/checkpoints/")) == (1, True)
    assert load_checkpoint("stopped/checkpoints/last.pt")["epoch"] == 1
    assert len(rows("stopped")) == 2  # the second row is beyond the checkpoint, and is dropped and written again
    assert run("--resume", "stopped")[0] == 0
    assert rows("stopped") == rows("whole")


def test_what_resume_accepts(run):
    run(*mlp("runs/20260101-000000-mlp-digits", "train.epochs=1"))
    folder = "runs/20260101-000000-mlp-digits"
    for arguments in (
        ("--resume",),
        ("--resume", "train.epochs=2"),
        ("--resume", folder, "train.epochs=3"),
        ("--resume", f"{folder}/checkpoints/last.pt", "train.epochs=4"),
        ("--config", "mlp.yaml", "train.epochs=5", "--resume"),
        ("--config", "mlp.yaml", "train.epochs=6", "--resume", "--run-dir", folder),
    ):
        assert run(*arguments)[0] == 0
    assert [row["epoch"] for row in rows(folder)] == [1, 2, 3, 4, 5, 6]
    assert load_config(f"{folder}/config.yaml").train.epochs == 6


def test_resuming_from_an_earlier_checkpoint_drops_the_rows_after_it(run):
    run(*mlp("a"))
    earlier = load_checkpoint("a/checkpoints/last.pt")
    assert [row["epoch"] for row in rows("a")] == [1, 2, 3]
    run(*mlp("b", "train.epochs=3"))
    Path("b/checkpoints/best.pt").replace("a/checkpoints/epoch.pt")
    epoch = load_checkpoint("a/checkpoints/epoch.pt")["epoch"]
    Path("a/metrics.jsonl").write_text(Path("a/metrics.jsonl").read_text() + '{"epoch": 4, "st')  # killed mid-line
    assert run("--resume", "a/checkpoints/epoch.pt")[0] == 0
    assert [row["epoch"] for row in rows("a")] == [1, 2, 3]
    assert epoch <= 3
    assert same(load_checkpoint("a/checkpoints/last.pt"), earlier)


@pytest.mark.parametrize("setting", ["optim.lr=0.5", "seed=3", "model.options.hidden=[8]", "train.batch_size=64"])
def test_a_resumed_run_keeps_its_settings(run, setting):
    run(*mlp("a", "train.epochs=1"))
    before = snapshot("a")
    code, _, err = run("--resume", "a", setting)
    assert code == 2
    assert err.startswith(f"error: {setting.split('=')[0].replace('.hidden', '')} is ")
    assert "a resumed run keeps its settings" in err
    assert snapshot("a") == before


# Checkpoints that do not fit


@pytest.mark.parametrize("keep", [0, 10, 2000, -1])
def test_a_truncated_checkpoint_is_refused_and_nothing_overwritten(run, keep):
    run(*mlp("a", "train.epochs=1"))
    path = Path("a/checkpoints/last.pt")
    path.write_bytes(path.read_bytes()[:keep])
    before = snapshot("a")
    code, _, err = run("--resume", "a", "train.epochs=2")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("error: a/checkpoints/last.pt cannot be read, it may be truncated or no checkpoint: ")
    assert snapshot("a") == before


def test_a_missing_checkpoint(run):
    assert run("--resume", "nowhere") == (1, "", "error: checkpoint not found: nowhere\n")
    code, _, err = run("--resume")
    assert (code, "nothing to resume: no runs/*/checkpoints/last.pt" in err) == (1, True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "is not a checkpoint: it holds a list"),
        ({"model": {}}, "is not a checkpoint of a training run: it has no format_version, optimizer"),
    ],
)
def test_a_foreign_file_is_refused(run, content, message):
    run(*mlp("a", "train.epochs=1"))
    ft.save(content, "a/checkpoints/last.pt")
    code, _, err = run("--resume", "a")
    assert code == 1
    assert message in err


def test_a_checkpoint_of_another_model_is_refused(run):
    run(*mlp("a", "train.epochs=1"))
    state = load_checkpoint("a/checkpoints/last.pt")
    state["model"]["features.0.weight"] = ft.zeros(3, 3)
    del state["model"]["head.bias"]
    ft.save(state, "a/checkpoints/last.pt")
    before = snapshot("a")
    code, _, err = run("--resume", "a", "train.epochs=2")
    assert code == 1
    assert "holds another model than MLP: no head.bias, features.0.weight is (3, 3) and not (16, 64)" in err
    assert snapshot("a") == before


def test_a_checkpoint_of_a_newer_format_is_refused():
    with pytest.raises(CheckpointError, match="checkpoint not found: nowhere"):
        load_checkpoint("nowhere")


def test_torch_reads_our_checkpoints_without_trusting_them(run):
    torch = pytest.importorskip("torch", reason="reads our file with PyTorch")
    run(*mlp("a", "train.epochs=1"))
    ours = load_checkpoint("a/checkpoints/last.pt")
    theirs = torch.load("a/checkpoints/last.pt", weights_only=True)
    assert theirs["config"] == ours["config"]
    assert theirs["model"]["head.weight"].tolist() == ours["model"]["head.weight"].tolist()


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.pt"
    save_checkpoint({"a": ft.ones(2)}, path)
    before = path.read_bytes()

    def fails(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="Input/output"):
        save_checkpoint({"a": ft.zeros(2)}, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.glob("x.pt*")] == ["x.pt"]


# A loss that is not a number


def test_a_loss_that_is_not_finite_names_the_step(run):
    code, _, err = run(*mlp("a", "optim.name=sgd", "optim.lr=1e30"))
    assert code == 1
    assert err.startswith("error: the loss is nan at epoch 1 step 2; no checkpoint was written yet")
    assert json.loads(Path("a/result.json").read_text())["status"] == "failed"


def test_numbers_that_overflow_are_not_announced_by_numpy(run):
    more = ("optim.lr=1e20", "optim.momentum=null", "train.batch_size=64", "model.options.width=16")
    code, _, err = run("--config", "pretrain.yaml", "--run-dir", "a", *more)  # pytest makes errors of warnings
    assert (code, err.count("\n"), err.startswith("error: the loss is nan")) == (1, 1, True)


def test_a_loss_that_is_not_finite_leaves_the_last_checkpoint(run, monkeypatch):
    def poison(self, epoch):
        if epoch == 1:
            self.images[:] = float("nan")

    run(*mlp("whole", "train.epochs=3"))
    with monkeypatch.context() as patch:
        patch.setattr(datasets.Digits, "set_epoch", poison)
        code, _, err = run(*mlp("a", "train.epochs=3"))
    assert code == 1
    assert "the loss is nan at epoch 2 step 5; a/checkpoints/last.pt is from before that" in err
    assert load_checkpoint("a/checkpoints/last.pt")["epoch"] == 1
    assert run("--resume", "a")[0] == 0
    assert rows("a") == rows("whole")


def test_the_step_with_a_bad_loss_changes_nothing():
    model = nn.Linear(2, 2)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = ft.optim.SGD(model.parameters(), lr=1.0)
    with pytest.raises(NonFiniteLoss, match="the loss is nan"):
        loop.train_step(model, ft.full((1, 2), float("nan")), ft.tensor([0]), optimizer)
    assert same(dict(model.state_dict()), before)


# Wrong names in a config


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.name=resnt18", "model: unknown model 'resnt18'; did you mean 'resnet18'?"),
        ("model.options.hiden=[3]", "model: model 'mlp' has no option 'hiden'; did you mean 'hidden'?"),
        ("data.classes=[1]", "data.classes must be two or more, got [1]: there is nothing to tell apart"),
        ("data.name=digit", "data: unknown dataset 'digit'"),
        ("data.classes=[1,12]", "data: classes should be different digits from 0 to 9"),
        ("optim.name=adamww", "optim.name: unknown optimizer 'adamww'; did you mean 'adamw'?"),
        ("optim.momentum=0.9", "optim.momentum: adamw has no option 'momentum'"),
        ("optim.weight_decay=-1", "optim: Invalid weight_decay value"),
        ("optim.lrr=1", "command line: unknown key optim.lrr; did you mean optim.lr?"),
        ("device=gpu", "device must be auto, cpu or cuda, got 'gpu'"),
        ("save.monitor=val/acc5", "save.monitor is val/acc5, but there are only 3 classes"),
        ("model.checkpoint=nowhere.pt", "model.checkpoint: nowhere.pt does not exist"),
    ],
)
def test_a_wrong_name_is_one_clear_line_and_no_folder(run, override, message):
    code, out, err = run(*mlp("a", override))
    assert code == (1 if "checkpoint" in override else 2)
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"error: {message}")
    assert not Path("a").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--config FILE is required (or --resume)"),
        (("--config", "mlp.yaml", "--resume", "a", "--run-dir", "b"), "leave out --run-dir"),
        (("--config", "mlp.yaml", "--resume", "--dry-run"), "--dry-run starts a new run"),
        (("--config", "mlp.yaml", "--nonsense"), "unrecognized arguments: --nonsense"),
        (("--config", "nowhere.yaml"), "config file not found: nowhere.yaml"),
    ],
)
def test_wrong_usage(run, arguments, message):
    code, _, err = run(*arguments)
    assert code == 2
    assert message in err


# Fine-tuning


@pytest.fixture
def pretrained(run):
    assert run("--config", "pretrain.yaml")[0] == 0
    return "runs/pretrain/checkpoints/best.pt"


def split(weights):
    head = {key: value for key, value in weights.items() if key.startswith("fc.")}
    return head, {key: value for key, value in weights.items() if key not in head}


def test_a_linear_probe_trains_the_head_alone(run, pretrained):
    code, out, _ = run(
        *("--config", "finetune.yaml", "--run-dir", "probe"),
        f"model.checkpoint={pretrained}",
        "model.head_only=true",
    )
    assert code == 0
    assert "Model    small_cnn · 1.2 k params (99 trainable) · new head, backbone frozen from runs/pretrain" in out
    old_head, old_body = split(load_weights(pretrained))
    new_head, new_body = split(load_weights("probe/checkpoints/last.pt"))
    assert same(old_body, new_body)  # running statistics included
    assert not same(old_head, new_head)


def test_fine_tuning_starts_from_the_backbone_with_a_new_head_and_trains_all(run, pretrained):
    run(
        *("--config", "finetune.yaml", "--run-dir", "tune", "optim.lr=1e-30", "optim.momentum=null"),
        f"model.checkpoint={pretrained}",
    )
    old_head, old_body = split(load_weights(pretrained))
    new_head, new_body = split(load_weights("tune/checkpoints/last.pt"))
    assert not same(old_head, new_head)
    for key, value in old_body.items():
        moved = "running" in key or "num_batches" in key  # statistics move even where the weights barely do
        assert same(value, new_body[key]) != moved


def test_a_resumed_probe_does_not_need_the_backbone_again(run, pretrained, monkeypatch):
    arguments = ("--config", "finetune.yaml", f"model.checkpoint={pretrained}", "model.head_only=true")
    run(*arguments, "--run-dir", "whole")
    with monkeypatch.context() as patch:
        stop_at_step(patch, 2)
        run(*arguments, "--run-dir", "stopped")
    Path(pretrained).unlink()
    assert run("--resume", "stopped")[0] == 0
    assert rows("stopped") == rows("whole")


def test_a_missing_backbone_says_what_makes_it(run):
    code, _, err = run("--config", "finetune.yaml", "model.checkpoint=runs/pretrain/checkpoints/best.pt")
    assert code == 1
    assert err == (
        "error: model.checkpoint: runs/pretrain/checkpoints/best.pt does not exist;"
        " make it with: python train.py --config pretrain.yaml\n"
    )


def test_a_backbone_of_another_model_is_refused(run, pretrained):
    code, _, err = run(
        "--config", "finetune.yaml", "--run-dir", "a", f"model.checkpoint={pretrained}", "model.options.width=8"
    )
    assert code == 1
    assert "holds another model than SmallCNN: stage1.0.weight is (4, 1, 3, 3) and not (8, 1, 3, 3)" in err
    assert not Path("a").exists()


def test_a_backbone_may_be_a_bare_state_dict_with_another_head(tmp_path):
    source = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 9))
    ft.save(source.state_dict(), tmp_path / "w.pt")
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    head = model[1].weight.clone()
    finetune.load_backbone(model, tmp_path / "w.pt", "1")
    assert same(model[0].weight.detach(), source[0].weight.detach())
    assert same(model[1].weight.detach(), head.detach())
    ft.save({"a": 1}, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="holds no model weights: 'a' is a int, not a tensor"):
        finetune.load_backbone(model, tmp_path / "w.pt", "1")


def test_frozen_batch_norm_stays_in_eval_mode():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Sequential(nn.BatchNorm2d(2), nn.Dropout(0.5)))
    finetune.freeze_all_but(model, "2")
    assert [p.requires_grad for p in model.parameters()] == [False] * 4 + [True] * 2
    finetune.train_mode(model.eval())
    frozen, trained, dropout = model[1], model[2][0], model[2][1]
    assert (model.training, frozen.training, trained.training, dropout.training) == (True, False, True, True)


# Parts


def test_evaluation_is_in_eval_mode_without_gradients():
    seen = []

    class Scores(nn.Module):
        def forward(self, x):
            seen.append((self.training, ft.is_grad_enabled()))
            return x

    # Class 0 first, right twice of three; of six classes, the label is among the top five except in the last row.
    scores = ft.tensor([[9.0, 5, 4, 3, 2, 1], [9.0, 5, 4, 3, 2, 1], [9.0, 5, 4, 3, 2, 1]])
    data = TensorDataset(scores, ft.tensor([0, 0, 5]))
    metrics = loop.evaluate(Scores().train(), DataLoader(data, batch_size=2), ft.device("cpu"))
    assert seen == [(False, False), (False, False)]
    assert metrics["acc1"] == pytest.approx(200 / 3)
    assert metrics["acc5"] == pytest.approx(200 / 3)
    expected = nn.functional.cross_entropy(scores, ft.tensor([0, 0, 5])).item()
    assert metrics["loss"] == pytest.approx(expected, rel=1e-6)


def test_the_order_of_an_epoch_depends_on_seed_and_epoch_alone():
    sampler = EpochBatchSampler(10, 4, seed=1)
    first = list(sampler)
    assert sorted(index for batch in first for index in batch) == list(range(10))
    assert [len(batch) for batch in first] == [4, 4, 2]
    assert list(sampler) == first
    sampler.start(1)
    assert list(sampler) != first
    sampler.start(0, skip=1)
    assert list(sampler) == first[1:]
    assert len(sampler) == 2
    assert list(EpochBatchSampler(10, 4, seed=2)) != first


def test_the_schedule_warms_up_and_falls_as_a_cosine():
    def values(name):
        optimizer = build_optimizer([nn.Parameter(ft.zeros(1))], OptimConfig(lr=0.4))
        config = SchedConfig(name, warmup_epochs=1, warmup_lr=0.0, min_lr=0.1)
        scheduler = build_scheduler(optimizer, config, 0.4, steps_per_epoch=4, epochs=2)
        seen = []
        for _ in range(8):
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return seen

    assert values("constant") == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4, 0.4, 0.4])
    assert values("cosine") == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.356066, 0.25, 0.143934], rel=1e-5)


def test_an_optimizer_gets_only_what_is_trained_and_only_its_own_options():
    frozen, trained = nn.Parameter(ft.zeros(1), requires_grad=False), nn.Parameter(ft.zeros(1))
    optimizer = build_optimizer([frozen, trained], OptimConfig(name="adam", lr=0.1, betas=[0.8, 0.9]))
    assert [p is trained for p in optimizer.param_groups[0]["params"]] == [True]
    assert list(optimizer.param_groups[0]["betas"]) == [0.8, 0.9]
    with pytest.raises(ConfigError, match=r"optim\.betas: sgd has no option 'betas'"):
        build_optimizer([trained], OptimConfig(name="sgd", betas=[0.8, 0.9]))


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.04, "0.0s"), (9.94, "9.9s"), (9.96, "10s"), (783, "13m03s"), (3725, "1h02m")]
)
def test_durations(seconds, expected):
    assert logs.duration(seconds) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(15, "00:15"), (783.4, "13:03"), (3723, "1:02:03")])
def test_clock(seconds, expected):
    assert logs.clock(seconds) == expected


@pytest.mark.parametrize(("number", "expected"), [(0.1, "0.1"), (0.0005, "5e-4"), (0.01, "0.01"), (1e-5, "1e-5")])
def test_short_numbers(number, expected):
    assert logs.short(number) == expected


# As a process


def start(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[:3]])}
    command = [sys.executable, str(ROOT / "train.py"), *arguments]
    return subprocess.Popen(command, env=environment, **options)


def test_ctrl_c_on_a_process_with_workers_and_no_terminal():
    arguments = ("--config", "mlp.yaml", "--run-dir", "a", "train.epochs=5000", "data.workers=2")
    with start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        for _ in range(600):
            if Path("a/checkpoints/last.pt").exists() or process.poll() is not None:
                break
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, b"")
    assert b"\r" not in out
    assert b"Continue: python train.py --resume a\n" in out


@pytest.mark.parametrize("arguments", [("--config", "mlp.yaml"), ("--config", "mlp.yaml", "--print-config")])
def test_a_reader_that_has_gone_ends_the_command_silently(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    with start(*arguments, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, b"")


def test_ctrl_c_that_ends_the_reader_too_saves_and_still_says_how_to_go_on(run, monkeypatch):
    def closed(*values, **options):
        if options.get("file") is not sys.stderr:
            raise BrokenPipeError
        print(*values, **options)

    with monkeypatch.context() as patch:
        patch.setattr(command, "print", closed, raising=False)
        stop_at_step(patch, 2)
        code, _, err = run(*mlp("a"))
    assert code == 130
    assert err.endswith("saved checkpoints/last.pt\n   Continue: python train.py --resume a\n")
    assert run("--resume", "a")[0] == 0


def test_ctrl_c_while_the_libraries_are_loaded_is_silent(workplace):
    (workplace / "datasets.py").write_text("print('loading', flush=True)\nimport time\ntime.sleep(60)\n")
    (workplace / "train.py").write_text((ROOT / "train.py").read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, "train.py", "--config", "mlp.yaml"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"loading\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, b"")


def test_a_terminal_gets_a_bar():
    code, text = on_terminal(120, "train.epochs=1", "train.batch_size=1")
    assert code == 0
    assert "\rEpoch 1/1 [" in text
    assert "evaluating" in text
    assert "/428 " in text
    assert "  loss " in text


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_no_line_is_wider_than_the_terminal(width):
    more = ("train.epochs=2", "train.batch_size=16", "data.classes=null", "optim.weight_decay=0.01")
    code, text = on_terminal(width, *more)
    assert code == 0
    lines = [line.rpartition("\r")[2].replace("\x1b[K", "") for line in text.replace("\r\n", "\n").split("\n")]
    assert max(map(len, lines)) <= width
    assert max(len(state) for line in text.splitlines() for state in line.split("\r")) <= width + len("\x1b[K")
    first = next(line for line in lines if line.startswith("Epoch 1/2"))
    shown = [name for name in ("train", "val", "lr", "acc1", "acc5", "ETA", "img/s") if f"{name} " in first + " "]
    assert (
        shown
        == {
            60: ["train", "val", "acc1"],
            80: ["lr", "acc1"],
            100: ["lr", "acc1", "acc5"],
            120: ["lr", "acc1", "acc5", "ETA"],
        }[width]
    )
    kept = Path("a/log.txt").read_text(encoding="utf-8").splitlines()  # in full
    assert all(part in kept[5] for part in ("  lr ", "train/loss ", "val/acc5 ", " img/s  ", "  ETA "))


def on_terminal(width, *more):
    controller, terminal = pty.openpty()
    termios.tcsetwinsize(controller, (40, width))
    process = start("--config", "mlp.yaml", "--run-dir", "a", *more, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    while True:
        try:
            piece = os.read(controller, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not piece:
            break
        shown += piece
    os.close(controller)
    return process.wait(timeout=30), shown.decode()
