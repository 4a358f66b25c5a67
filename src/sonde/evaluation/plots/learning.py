"""Draws how the training went: loss and score for each epoch, the best epoch, the learning rate."""

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any

from sonde.drawing import Axis, Panel, chart, curve, picture, points, rule
from sonde.metrics import words

Records = Sequence[Mapping[str, Any]]
"""Records of `history.jsonl`."""


def loss_curves(history: Records) -> str | None:
    """Draw the loss on training and validation examples per epoch, and below it the learning rate; None without any."""
    rates = [_number(record.get("learning_rate")) for record in history]
    losses = [loss for split in ("train", "validation") for loss in _series(history, split, "loss")]
    axis = Axis("Loss", low=None if any(loss < 0 for loss in losses) else 0.0)
    rate = curve([record["epoch"] for record in history], rates, look="second")
    below = Panel([rate], Axis("learning rate", low=0.0, write="{:.2g}".format), high=42)
    return _curves(history, "loss", axis, [below] if any(map(isfinite, rates)) else [])


def metric_curves(history: Records, metric: str) -> str | None:
    """Draw a metric on training and validation examples per epoch; None where no epoch has it."""
    # Below two points apart, an axis from end to end would make noise look like progress; above 1 is nothing to win.
    axis = Axis(words.title(metric), least=0.02, limits=(-1e9, 1.0), write=lambda value: words.tick(metric, value))
    return _curves(history, metric, axis, [])


def best_epoch(history: Records) -> Mapping[str, Any] | None:
    """Return the record of the epoch whose weights were kept: the last that says it is the best."""
    return next((record for record in reversed(history) if record.get("best")), None)


def _curves(history: Records, metric: str, axis: Axis, below: list[Panel]) -> str | None:
    epochs = [float(record["epoch"]) for record in history]
    train, validation = _series(history, "train", metric), _series(history, "validation", metric)
    if not any(map(isfinite, train + validation)):
        return None
    best = best_epoch(history)
    layers = [curve(epochs, train, "training", look="second", dashes="5 3"), curve(epochs, validation, "validation")]
    if best is not None:
        value = dict(zip(epochs, validation, strict=True))[float(best["epoch"])]
        layers = [
            rule(f"best: epoch {best['epoch']}", x=best["epoch"]),
            *layers,
            points([best["epoch"]], [value], ringed=True),
        ]
    drawn = chart([Panel(layers, axis, high=200 if below else 282), *below], Axis("epoch", whole=True))
    return picture(drawn, f"plot-{metric}", f"{axis.title} per epoch")


def _series(history: Records, split: str, metric: str) -> list[float]:
    return [_number((record.get(split) or {}).get(metric)) for record in history]


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return float(value) if is_number else nan
