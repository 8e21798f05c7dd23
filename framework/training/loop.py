"""One training step and one evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from .. import Tensor, no_grad
from .. import device as Device
from ..nn import Module
from ..nn import functional as F
from ..optim import Optimizer
from .errors import NonFiniteLoss


def train_step(
    model: Module,
    images: Tensor,
    labels: Tensor,
    optimizer: Optimizer,
    label_smoothing: float = 0.0,
) -> float:
    """Forward, backward and one optimizer step; the mean loss of the batch before that step.

    NonFiniteLoss, with the weights as they were, when the loss is NaN or infinite.
    """
    loss = F.cross_entropy(model(images), labels, label_smoothing=label_smoothing)
    value = loss.item()
    if not math.isfinite(value):
        raise NonFiniteLoss(f"the loss is {value}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return value


def evaluate(
    model: Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    device: Device,
    stop: Callable[[], bool] = lambda: False,
    confusion: list[list[int]] | None = None,
) -> dict[str, float] | None:
    """``loss`` (mean cross-entropy) and ``acc1`` in percent, ``acc5`` too with more than five classes.

    Runs in eval mode without gradients. ``stop()`` is asked after each batch; None if it said yes.
    In ``confusion[label][predicted]``, where given, the images are counted.
    """
    model.eval()
    loss_sum, seen, correct1, correct5, classes = 0.0, 0, 0, 0, 0
    with no_grad():
        for images, labels in batches:
            images, labels = images.to(device), labels.to(device)
            scores = model(images)
            classes = scores.shape[1]
            loss_sum += F.cross_entropy(scores, labels, reduction="sum").item()
            top = scores.topk(min(5, classes), dim=1)[1]
            hits = top == labels.unsqueeze(1)
            correct1 += int(hits[:, 0].sum().item())
            correct5 += int(hits.sum().item())
            seen += len(labels)
            if confusion is not None:
                for label, predicted in zip(labels.tolist(), top[:, 0].tolist(), strict=True):
                    confusion[label][predicted] += 1
            if stop():
                return None
    metrics = {"loss": loss_sum / seen, "acc1": 100 * correct1 / seen}
    if classes > 5:
        metrics["acc5"] = 100 * correct5 / seen
    return metrics
