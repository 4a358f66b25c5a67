"""Draws scores with their intervals: of the model beside its baselines, of several runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from sonde.drawing import Axis, Interval, Measure, bars, picture
from sonde.metrics import words

MOST_RUNS = 40
"""Runs that are drawn."""

Score = Mapping[str, Any]
"""A score as `scores.json` holds it: value, low, high, n."""


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
