"""Puts numbers into words: the same number looks the same everywhere in the report."""

from collections.abc import Mapping
from typing import Any

from sonde.metrics import PER_CLASS, TABLES, named

SHARES = frozenset(
    name for table in (*TABLES.values(), PER_CLASS) for name, each in table.items() if each.is_counted
) | {"top_2_accuracy", "top_5_accuracy", "expected_calibration_error", "label_calibration_error"}
"""Metrics shown in percent; areas, losses and distances are shown as they are."""

NOT_KNOWN = "–"


def title(metric: str) -> str:
    """Return a metric's name for people."""
    known = named(metric)
    return known.title if known else metric.replace("_", " ").capitalize()


def meaning(metric: str) -> str:
    """Return the one sentence that says what a metric means, and which way is better."""
    known = named(metric)
    return "" if known is None else known.doc + (" Lower is better." if known.better == "lower" else "")


def amount(metric: str, value: float | None) -> str:
    """Write one value of a metric, such as "98.3%" or "0.061"."""
    if value is None:
        return NOT_KNOWN
    return percent(value) if metric in SHARES else f"{value:.3f}"


def interval(metric: str, score: Mapping[str, Any]) -> str:
    """Write the interval of a score, such as "96.4 – 99.4%"."""
    low, high = score.get("low"), score.get("high")
    if low is None or high is None:
        return NOT_KNOWN
    if metric in SHARES:
        return f"{percent(low).removesuffix('%')} – {percent(high)}"
    return f"{low:.3f} – {high:.3f}"


def percent(share: float) -> str:
    """Write a share in percent; a share that is not whole never looks it."""
    text = f"{100 * share:.1f}"
    if (text == "100.0" and share < 1) or (text == "0.0" and share > 0):
        text = f"{100 * share:.2f}"
        text = ("> 99.99" if share > 0.5 else "< 0.01") if text in ("100.00", "0.00") else text
    return f"{text.removesuffix('.0') if share in (0.0, 1.0) else text}%"


def count(number: float, one: str, many: str = "") -> str:
    """Write a number with its noun, such as "1 file" or "1,200 files"."""
    return f"{int(number):,} {one if int(number) == 1 else many or one + 's'}"


def tick(metric: str, value: float) -> str:
    """Write a round value on an axis, such as "80%" or "0.5"."""
    return f"{100 * value:.6g}%" if metric in SHARES else f"{value:g}"


def level(scores: Mapping[str, Any]) -> str:
    """Write how much an interval covers, such as "95%"."""
    return f"{100 * float(scores.get('confidence') or 0.95):g}%"


def duration(seconds: float) -> str:
    """Write a time for people, such as "2 min 5 s"."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"


def listed(words: list[str]) -> str:
    """Join words as a sentence does: "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
