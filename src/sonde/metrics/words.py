"""Puts the values of metrics into words: in percent what is a share, as they are areas, losses and distances."""

from collections.abc import Mapping
from typing import Any

from sonde.drawing.numbers_in_words import NOT_KNOWN, percent
from sonde.metrics import ALL_TABLES, AnyMetric, Metric, named


def _is_share(metric: AnyMetric) -> bool:
    """Tell whether a metric is shown in percent: from 0 to 1, and better when higher or counted in examples."""
    shown = metric.better == "higher" or metric.is_counted or metric.is_inflated
    return isinstance(metric, Metric) and (metric.low, metric.high) == (0.0, 1.0) and shown


PEOPLE = ("Brier", "Hamming")
"""Whom metrics are named after: their names stay as they are within a sentence."""
SHARES = frozenset(name for table in ALL_TABLES.values() for name, metric in table.items() if _is_share(metric))
"""Metrics shown in percent."""


def number(value: float) -> str:
    """Write a value that is no share: three decimals, or four digits where it is large."""
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def title(metric: str) -> str:
    """Return a metric's name for people."""
    known = named(metric)
    return known.title if known else metric.replace("_", " ").capitalize()


def in_sentence(metric: str) -> str:
    """Return a metric's name as it stands within a sentence: "mean absolute error", but "F1, weighted" and "BLEU"."""
    first, blank, rest = title(metric).partition(" ")
    is_word = first[1:].islower() and first not in PEOPLE
    return f"{first.lower() if is_word else first}{blank}{rest}"


def meaning(metric: str) -> str:
    """Return the one sentence that says what a metric means, and which way is better."""
    known = named(metric)
    return "" if known is None else known.doc + (" Lower is better." if known.better == "lower" else "")


def amount(metric: str, value: float | None) -> str:
    """Write one value of a metric, such as "98.3%" or "0.061"."""
    if value is None:
        return NOT_KNOWN
    return percent(value) if metric in SHARES else number(value)


def interval(metric: str, score: Mapping[str, Any]) -> str:
    """Write the interval of a score, such as "96.4 – 99.4%"."""
    low, high = score.get("low"), score.get("high")
    if low is None or high is None:
        return NOT_KNOWN
    if metric in SHARES:
        return f"{percent(low).removesuffix('%')} – {percent(high)}"
    return f"{number(low)} – {number(high)}"


def tick(metric: str, value: float) -> str:
    """Write a round value on an axis, such as "80%" or "0.5"."""
    return f"{100 * value:.6g}%" if metric in SHARES else f"{value:g}"
