"""The curves of a run as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .files import replacing

TRAIN, VAL, QUIET = "#2a6fbb", "#d1495b", "#8a8f98"


def plot_curves(rows: Sequence[dict[str, Any]], path: Path, title: str) -> None:
    """Loss, accuracy and learning rate over the epochs, written to ``path`` as PNG, all of it or nothing.

    ``rows`` are those of ``metrics.jsonl``. ImportError where matplotlib is not installed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    epochs = [row["epoch"] for row in rows]
    figure = Figure(figsize=(11, 4.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=12, fontweight="bold")
    loss, accuracy, rate = figure.subplots(1, 3, width_ratios=(3, 3, 2))

    _line(loss, epochs, rows, "train/loss", TRAIN, "train")
    _line(loss, epochs, rows, "val/loss", VAL, "validation")
    _log_scale(loss, [row[key] for row in rows for key in ("train/loss", "val/loss")])
    loss.legend(frameon=False)
    _style(loss, "Loss")

    _line(accuracy, epochs, rows, "val/acc1", VAL, "validation")
    best = max(range(len(rows)), key=lambda i: rows[i]["val/acc1"])
    accuracy.plot(epochs[best], rows[best]["val/acc1"], "o", color=VAL, markersize=6)
    accuracy.set_title(f"best {rows[best]['val/acc1']:.2f} %, epoch {epochs[best]}", loc="right", fontsize=9, color=VAL)
    _style(accuracy, "Accuracy, %")

    _line(rate, epochs, rows, "lr", QUIET, "")
    rate.set_ylim(bottom=0)
    _style(rate, "Learning rate")

    path.parent.mkdir(exist_ok=True)
    with replacing(path) as file:
        figure.savefig(file, format="png")


def _line(axes: Any, epochs: list[int], rows: Sequence[dict[str, Any]], key: str, color: str, label: str) -> None:
    marker = "o" if len(rows) == 1 else None
    axes.plot(epochs, [row[key] for row in rows], color=color, linewidth=1.8, marker=marker, label=label)


def _log_scale(axes: Any, values: Sequence[float]) -> None:
    """A logarithmic axis with plain numbers, if all values can stand on one."""
    from matplotlib.ticker import LogFormatter

    class PlainNumbers(LogFormatter):
        """Chooses which ticks get a number as its base does, but writes 0.6 for it."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:g}" if super().__call__(x, pos) else ""

    if min(values) > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(PlainNumbers())
        axes.yaxis.set_minor_formatter(PlainNumbers())


def _style(axes: Any, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel("epoch", fontsize=9)
    axes.tick_params(which="both", labelsize=8)
    axes.grid(color="#e6e8eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.get_major_locator().set_params(integer=True)
