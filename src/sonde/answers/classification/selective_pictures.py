"""Draws when a model had better abstain: accuracy against coverage, and the sizes of prediction sets."""

from collections.abc import Mapping
from typing import Any

from sonde.drawing import Axis, Interval, Measure, Panel, bars, chart, curve, picture, points, rule
from sonde.drawing.numbers_in_words import percent


def answered(abstention: Mapping[str, Any]) -> str | None:
    """Draw the accuracy of the predictions that are kept against how many are kept, the most confident first.

    Args:
        abstention: the entry of that name in scores.json.

    Source: the risk-coverage curve of El-Yaniv and Wiener, 2010. None where there is no curve.
    """
    reached = [(float(coverage), float(accuracy)) for coverage, accuracy, *_ in abstention.get("curve") or ()]
    if not reached:
        return None
    layers = [curve([share for share, _ in reached], [accuracy for _, accuracy in reached])]
    coverage, accuracy = (Interval.of(abstention.get(key)) for key in ("coverage", "accuracy"))
    if abstention.get("threshold") and coverage.is_known and accuracy.is_known:
        layers = [rule("threshold of this model", x=coverage.value), *layers]
        layers.append(points([coverage.value], [accuracy.value]))
    lowest = min(accuracy for _, accuracy in reached)
    axis = Axis("accuracy of the predictions kept", max(0.0, 1.1 * lowest - 0.105), 1.0, write=_tick)
    drawn = chart([Panel(layers, axis)], Axis("coverage: share of examples predicted", 0.0, 1.0, write=_tick))
    return picture(drawn, "plot-answered", "Accuracy against coverage")


def set_sizes(conformal: Mapping[str, Any]) -> str | None:
    """Draw how large the prediction sets are, and how often the sets of each size contain the truth.

    Args:
        conformal: the entry of that name in scores.json; None is returned where it has no sets.
    """
    rows = ((conformal.get("methods") or {}).get(conformal.get("method")) or {}).get("sizes") or []
    if not rows:
        return None
    wanted, axis = float(conformal["wanted"]), Axis(low=0.0, high=1.0, ticks=(0, 0.5, 1), write=_tick)
    shares = Measure("Of the examples", [Interval(float(row["share"])) for row in rows], axis, write=percent)
    reached = [Interval.of(row["reached"]) for row in rows]
    held = Measure("Contain the truth", reached, axis, "dots", percent, Interval(wanted))
    drawn = bars([_size(row) for row in rows], [shares, held], note=f"dashed: the coverage asked for, {wanted:.0%}")
    return picture(drawn, "plot-set-sizes", "Sizes of the prediction sets")


def _tick(share: float) -> str:
    return f"{100 * share:.6g}%"


def _size(row: Mapping[str, Any]) -> str:
    low, high = int(row["from"]), int(row["to"])
    return f"{low:,} class{'es' if low > 1 else ''}" if low == high else f"{low:,} to {high:,}"
