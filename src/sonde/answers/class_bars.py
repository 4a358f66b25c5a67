"""Draws some scores of each class with their intervals, the weakest class first."""

from collections.abc import Mapping
from typing import Any

from sonde.drawing import Axis, Interval, Measure, bars, picture

MOST_CLASSES = 30
"""Classes drawn; of more, the weakest are (the report's tables have all)."""


def class_bars(per_class: Mapping[str, Mapping[str, Any]], measures: Mapping[str, str], *, by: str) -> str | None:
    """Draw the scores of each class; None without classes.

    Args:
        per_class: the scores of each class, as scores.json holds them.
        measures: which are drawn, and their titles, in this order.
        by: the one that tells which class is weak.
    """
    order = weakest_first(per_class, by)
    shown = order[:MOST_CLASSES]
    if not shown:
        return None
    axis = Axis(low=0, high=1, ticks=(0, 0.5, 1), write=lambda share: f"{100 * share:g}")
    drawn = [
        Measure(title, [Interval.of(per_class[label].get(measure)) for label in shown], axis, write=None)
        for measure, title in measures.items()
    ]
    note = f"the weakest {len(shown)} of {len(order)} classes" if len(order) > len(shown) else ""
    return picture(bars(shown, drawn, note=note), "plot-classes", "Scores of each class, the weakest first")


def weakest_first(per_class: Mapping[str, Mapping[str, Any]], by: str) -> list[str]:
    """Return the classes from the smallest score to the largest; those without one come last."""

    def key(label: str) -> float:
        value = (per_class[label].get(by) or {}).get("value")
        return 2.0 if value is None else float(value)

    return sorted(per_class, key=key)
