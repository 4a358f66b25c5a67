"""Draws scores with their intervals: of each class, of the model beside its baselines, of several runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from sonde.drawing import Axis, Interval, Measure, bars, picture
from sonde.evaluation.plots import words

MEASURES = {"precision": "Precision, %", "recall": "Recall, %", "f1": "F1, %"}
"""What is drawn of each class, in this order."""
MOST_CLASSES, MOST_RUNS = 30, 40
"""Classes and runs drawn; of more classes, the weakest are (the report's tables have all)."""

Score = Mapping[str, Any]
"""A score as `scores.json` holds it: value, low, high, n."""


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


def beside_baselines(rows: Sequence[tuple[str, Score]], metric: str) -> str | None:
    """Draw the score of the model, which is the first row, beside those of the baselines; None without any."""
    known = [(label, score) for label, score in _intervals(rows) if score.is_known]
    if not known:
        return None
    low, high = _focus([score for _, score in known])
    axis = Axis(low=low, high=high, write=lambda value: words.tick(metric, value))
    drawn = bars([label for label, _ in known], [_measure(metric, known, axis)], wide=400, room=0, first=True)
    return picture(drawn, "plot-baselines", f"{words.title(metric)} beside the baselines")


def beside_one_another(
    rows: Sequence[tuple[str, Score]], metric: str, mean: Score | None, *, first: bool = False, key: str = "runs"
) -> str | None:
    """Draw a score of each run with its interval over the test examples; None where no run has it.

    The mean, a spread as folds.json holds it, is a line with a band behind the runs. The first row may be what the
    others are compared with.
    """
    known = [(label, score) for label, score in _intervals(rows) if score.is_known][:MOST_RUNS]
    if not known:
        return None
    spread = mean or {}
    band = {"value": spread.get("value"), "low": spread.get("corrected_low"), "high": spread.get("corrected_high")}
    axis = Axis(write=lambda value: words.tick(metric, value))
    measure = _measure(metric, known, axis, mark=Interval.of(band))
    drawn = bars([label for label, _ in known], [measure], wide=440, room=170, first=first)
    return picture(drawn, f"plot-{key}", f"{words.title(metric)} of each run")


def _intervals(rows: Sequence[tuple[str, Score]]) -> list[tuple[str, Interval]]:
    return [(label, Interval.of(score)) for label, score in rows]


def _measure(metric: str, rows: Sequence[tuple[str, Interval]], axis: Axis, mark: Interval | None = None) -> Measure:
    scores, title = [score for _, score in rows], words.title(metric)
    return Measure(title, scores, axis, "dots", lambda value: words.amount(metric, value), mark or Interval())


def _focus(scores: Sequence[Interval]) -> tuple[float, float]:
    """Return bounds that show the model and the baseline nearest to it; what lies far off is only pointed at."""
    model, *others = scores
    nearest = sorted(others, key=lambda score: abs(score.value - model.value))[:1]
    ends = [end for score in (model, *nearest) for end in score.ends]
    low, high = min(ends), max(ends)
    room = (high - low) * 0.6 or 0.02 * (abs(high) or 1.0)
    return (max(low - room, 0.0), min(high + room, 1.0)) if low >= 0 and high <= 1 else (low - room, high + room)
