"""The pictures of predicted numbers: predicted against target, the errors, and the intervals against the targets."""

# N examples

from collections.abc import Mapping
from typing import Any

import numpy as np

from sonde.answers.answer import Plot, Scored
from sonde.drawing import Axis, Panel, bins, chart, histogram, picture, points, rule

Scores = Mapping[str, Any]

MOST_BINS, FEWEST_IN_BIN = 10, 8
"""Groups that test examples are put into by their prediction, and how many a group needs to say something."""


def _predicted(scored: Scored, scores: Scores) -> str | None:
    made = scored.predictions
    low = float(min(made.truth.min(), made.predicted.min()))
    high = float(max(made.truth.max(), made.predicted.max()))
    room = 0.03 * (high - low) or 1.0
    low, high = low - room if low < 0 or low - room > 0 else 0.0, high + room
    layers = [points(made.truth, made.predicted, "a test example"), rule("predicted = target")]
    panel = Panel(layers, Axis("predicted", low=low, high=high), high=345)
    return picture(chart([panel], Axis("target", low=low, high=high)), "plot-predicted", "Predicted against target")


def _residuals(scored: Scored, scores: Scores) -> str | None:
    made = scored.predictions
    panel = Panel([points(made.predicted, made.error, "a test example"), rule("no error", y=0.0)], Axis("error"), 250)
    drawn = chart([panel], Axis("predicted"))
    return picture(drawn, "plot-residuals", "Errors over the prediction")


def _errors(scored: Scored, scores: Scores) -> str | None:
    made = scored.predictions
    layers = [histogram(made.error, "test examples"), rule("no error", x=0.0)]
    drawn = chart([Panel(layers, Axis("test examples", low=0.0, whole=True), high=200)], Axis("error"))
    return picture(drawn, "plot-errors", "Sizes of the errors")


def _coverage(scored: Scored, scores: Scores) -> str | None:
    """Draw how often intervals hold the target, from the lowest predictions to the highest."""
    made = scored.predictions
    groups = min(MOST_BINS, len(made) // FEWEST_IN_BIN)
    if made.interval is None or groups < 2:
        return None
    low_N, high_N = made.interval
    held_N = (low_N <= made.truth) & (made.truth <= high_N)
    order = np.argsort(made.predicted, kind="stable")
    shares = [float(held_N[part].mean()) for part in np.array_split(order, groups)]
    layers = [bins(np.arange(groups + 1) / groups, shares, "hold the target"), rule("wanted", y=made.coverage)]
    write = "{:.0%}".format
    panel = Panel(layers, Axis("intervals that hold the target", low=0.0, high=1.0, write=write), high=200)
    drawn = chart([panel], Axis("test examples, from the lowest prediction to the highest", 0.0, 1.0, write=write))
    return picture(drawn, "plot-coverage", "Coverage of the intervals by prediction")


PICTURES: dict[str, Plot] = {
    "predicted": Plot(
        _predicted,
        "Predicted against target",
        "Points on the dashed line are right. A cloud flatter than it is a model that keeps near the mean.",
    ),
    "residuals": Plot(
        _residuals,
        "Errors over the prediction",
        "A bend is a relation that the model misses; a funnel is an error that grows with the number.",
    ),
    "errors": Plot(
        _errors,
        "Sizes of the errors",
        "A peak beside zero is a bias; a long tail is a few examples that are far off.",
    ),
    "coverage": Plot(
        _coverage,
        "Coverage by prediction",
        "Bars well below the dashed line are a range of predictions whose intervals are too narrow.",
    ),
}
"""In the order they are shown."""
