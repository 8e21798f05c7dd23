"""The configuration: defaults < YAML < command line, and every mistake named by its full key."""

from pathlib import Path

import pytest

from framework.training.config import Config, config_from_dict, load_config, to_dict, to_yaml
from framework.training.errors import ConfigError

CONFIGS = sorted((Path(__file__).parent.parent / "configs").glob("*.yaml"))
SMALL = "model: {name: mlp}\ndata: {name: digits}\n"


@pytest.fixture
def load(tmp_path):
    def load(text, *overrides):
        path = tmp_path / "run.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, overrides)

    return load


def test_command_line_beats_yaml_beats_defaults(load):
    config = load(SMALL + "optim: {lr: 0.5}\ntrain: {epochs: 7}\n", "optim.lr=0.25")
    assert (config.optim.lr, config.train.epochs, config.train.batch_size) == (0.25, 7, 64)


@pytest.mark.parametrize("text", ["1e-3", "0.001", "1.0e-3"])
def test_exponents_are_numbers_in_yaml_and_on_the_command_line(load, text):
    assert load(SMALL + f"optim: {{lr: {text}}}\n").optim.lr == 0.001
    assert load(SMALL, f"optim.lr={text}").optim.lr == 0.001


def test_lists_and_options_from_the_command_line(load):
    text = "model: {name: mlp, options: {dropout: 0.5, hidden: [1]}}\ndata: {name: digits, classes: [0, 1]}\n"
    config = load(text, "data.classes=[5,6,7]", "model.options.hidden=[8, 4]", "optim.betas=[0.9,0.99]")
    assert config.data.classes == [5, 6, 7]
    assert config.model.options == {"dropout": 0.5, "hidden": [8, 4]}
    assert config.optim.betas == [0.9, 0.99]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("optim.lrr=1", "command line: unknown key optim.lrr; did you mean optim.lr?"),
        ("optm.lr=1", "command line: unknown key optm; did you mean optim?"),
        ("epochs=3", "command line: unknown key epochs; did you mean train.epochs?"),
        ("train.zzz=3", "command line: unknown key train.zzz; train has: batch_size, epochs, label_smoothing"),
        ("train.mixup=0.2", "command line: unknown key train.mixup; train has: batch_size, epochs, label_smoothing"),
        ("train.epochs=1.5", "command line: train.epochs must be an integer, at least 1, got 1.5"),
        ("train.epochs=true", "command line: train.epochs must be an integer, at least 1, got True"),
        ("train.epochs=", "command line: train.epochs must be an integer, at least 1, got None"),
        ("train.epochs=ten", "command line: train.epochs must be an integer, at least 1, got 'ten'"),
        ("optim.lr=true", "command line: optim.lr must be a finite number above 0, got True"),
        ("optim.lr.x=3", "command line: optim.lr must be a finite number above 0, got {'x': 3}"),
        ("optim.nesterov=5", "command line: optim.nesterov must be true or false or null, got 5"),
        ("model.name=3", "command line: model.name must be text, got 3"),
        ("data.classes=[1,x]", "command line: data.classes must be a list, each item an integer or null, got [1, 'x']"),
        ("model.options=3", "command line: model.options must be a mapping without infinite numbers, got 3"),
        ("train=3", "command line: train must be a section of keys, got 3"),
        ("optim.lr", "command line: expected key=value, got 'optim.lr'"),
        ("=3", "command line: expected key=value, got '=3'"),
        ("optim.lr=[", "command line: optim.lr=[: not valid YAML"),
        ("model.name=${oc.env:HOME}", "command line: model.name holds ${...}, references are not supported"),
        ("optim.lr=0", "command line: optim.lr must be a finite number above 0, got 0"),
        ("optim.lr=-1", "command line: optim.lr must be a finite number above 0, got -1"),
        ("optim.lr=.nan", "command line: optim.lr must be a finite number above 0, got nan"),
        ("optim.lr=nan", "command line: optim.lr must be a finite number above 0, got 'nan'"),
        ("optim.eps=.inf", "command line: optim.eps must be a finite number or null, got inf"),
        ("optim.momentum=-.inf", "command line: optim.momentum must be a finite number or null, got -inf"),
        ("log.interval=.inf", "command line: log.interval must be a finite number above 0, got inf"),
        ("optim.betas=[0.9, .nan]", "command line: optim.betas must be two finite numbers or null, got [0.9, nan]"),
        ("model.options={a: [.inf]}", "command line: model.options must be a mapping without infinite numbers, got"),
        ("sched.min_lr=0.5", "sched.min_lr must be at most optim.lr = 0.1, got 0.5"),
        ("sched.warmup_epochs=11", "sched.warmup_epochs must be at most train.epochs = 10, got 11"),
        ("optim.betas=[0.9]", "command line: optim.betas must be two finite numbers or null, got [0.9]"),
        ("train.epochs=0", "command line: train.epochs must be an integer, at least 1, got 0"),
        ("train.batch_size=-1", "command line: train.batch_size must be an integer, at least 1, got -1"),
        ("train.label_smoothing=1", "command line: train.label_smoothing must be a number from 0 to below 1, got 1"),
        ("sched.name=cosin", "command line: sched.name must be constant or cosine, got 'cosin'"),
        ("save.monitor=acc", "command line: save.monitor must be one of train/loss, val/loss, val/acc1, val/acc5"),
        ("data.workers=-1", "command line: data.workers must be an integer, 0 or more, got -1"),
        ("seed=-1", "command line: seed must be an integer from 0 to 4294967295, got -1"),
        ("model.head_only=true", "model.head_only freezes the backbone, so it needs model.checkpoint"),
    ],
)
def test_a_wrong_override_is_named(load, override, message):
    with pytest.raises(ConfigError) as error:
        load(SMALL, override)
    assert str(error.value).startswith(message)
    assert error.value.exit_code == 2


def test_an_override_may_not_come_twice(load):
    with pytest.raises(ConfigError, match=r"command line: optim\.lr comes twice"):
        load(SMALL, "optim.lr=1", "optim.lr=2")
    with pytest.raises(ConfigError, match="command line: optim contradicts an earlier override"):
        load(SMALL, "optim.lr=1", "optim={momentum: 0.9}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SMALL + "train:\n  epochs: 1\n  epochs: 2\n", "line 5: duplicate key train.epochs"),
        (SMALL + "optim: {lr: 1, lrr: 2}\n", "unknown key optim.lrr; did you mean optim.lr?"),
        (SMALL + "optim:\n  lr: {{ lr }}\n", "line 4: a key must be a word, not a list or a mapping"),
        (SMALL + "train: [1]\n", "train must be a section of keys, got [1]"),
        (SMALL + "train:\n", "train must be a section of keys, got None"),
        (SMALL + "seed: null\n", "seed must be an integer from 0 to 4294967295, got None"),
        (SMALL + "1: 2\n", "unknown key 1; the top level has:"),
        (SMALL + "seed: ${train.epochs}\n", "seed holds ${...}"),
        ("a: [1,\nb: }", "not valid YAML: line 2, column"),
        ("- 1\n- 2\n", "expected keys and values, got '- 1'"),
        ("just text", "expected keys and values, got 'just text'"),
        ("!!python/object/apply:os.system ['true']", "expected keys and values"),
        ("seed: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("a: &a {b: *a}", "YAML aliases (*name) are not supported"),
        ("a: " + "[" * 800 + "]" * 800, "nested too deeply"),
        ("", "missing data.name, model.name"),
        ("data: {name: digits}", "missing model.name"),
        ("model: {name: mlp}", "missing data.name"),
    ],
)
def test_a_wrong_file_is_named_with_the_mistake(load, text, message):
    with pytest.raises(ConfigError) as error:
        load(text)
    assert "run.yaml: " in str(error.value)
    assert message in str(error.value)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"config file not found: .*nowhere\.yaml"):
        load_config(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "binary.yaml")


def test_yaml_and_dict_give_the_same_configuration_back(load):
    config = load(SMALL, "optim.lr=1e-5", "optim.betas=[0.9, 0.99]", "model.options.hidden=[8]", "data.classes=[1, 2]")
    assert load(to_yaml(config)) == config
    assert config_from_dict(to_dict(config), "checkpoint") == config


def test_every_config_in_the_repository_loads():
    assert [path.stem for path in CONFIGS] == [
        "digits_cnn",
        "digits_finetune",
        "digits_linear_probe",
        "digits_mlp",
        "digits_pretrain",
        "digits_resnet18",
    ]
    for path in CONFIGS:
        assert isinstance(load_config(path), Config)
