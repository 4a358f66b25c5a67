"""Draws precision, recall and F1 of each class with their intervals."""

from collections.abc import Mapping
from typing import Any

from sonde.drawing import Axis, Interval, Measure, bars, picture

MEASURES = {"precision": "Precision, %", "recall": "Recall, %", "f1": "F1, %"}
"""What is drawn of each class, in this order."""
MOST_CLASSES = 30
"""Classes drawn; of more, the weakest are (the report's tables have all)."""


def class_bars(per_class: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Draw precision, recall and F1 of each class with their intervals, the weakest F1 first; None without classes."""
    order = by_f1(per_class)
    shown = order[:MOST_CLASSES]
    if not shown:
        return None
    axis = Axis(low=0, high=1, ticks=(0, 0.5, 1), write=lambda share: f"{100 * share:g}")
    measures = [
        Measure(title, [Interval.of(per_class[label].get(measure)) for label in shown], axis, write=None)
        for measure, title in MEASURES.items()
    ]
    note = f"the weakest {len(shown)} of {len(order)} classes" if len(order) > len(shown) else ""
    return picture(bars(shown, measures, note=note), "plot-classes", "Scores of each class, the weakest first")


def by_f1(per_class: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the classes from the smallest F1 to the largest; those without one come last."""

    def key(label: str) -> float:
        value = (per_class[label].get("f1") or {}).get("value")
        return 2.0 if value is None else float(value)

    return sorted(per_class, key=key)
