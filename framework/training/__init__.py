"""What ``train.py`` is made of: configuration, loop, checkpoints, logs, plots, fine-tuning.

Nothing here knows a model or a data set by name: both are made by the command and passed in.
``import framework`` does not load this package; ``import framework.training`` does.
"""

from .checkpoint import load_checkpoint, load_weights, save_checkpoint
from .config import Config, config_from_dict, load_config, to_dict, to_yaml
from .errors import CheckpointError, ConfigError, Interrupted, NonFiniteLoss, TrainingError
from .finetune import freeze_all_but, load_backbone, train_mode
from .loop import evaluate, train_step
from .trainer import Trainer

__all__ = [
    "CheckpointError",
    "Config",
    "ConfigError",
    "Interrupted",
    "NonFiniteLoss",
    "Trainer",
    "TrainingError",
    "config_from_dict",
    "evaluate",
    "freeze_all_but",
    "load_backbone",
    "load_checkpoint",
    "load_config",
    "load_weights",
    "save_checkpoint",
    "to_dict",
    "to_yaml",
    "train_mode",
    "train_step",
]
