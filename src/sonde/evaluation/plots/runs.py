"""Draws several runs beside one another: folds or seeds around their mean, or an ensemble above its members."""

from collections.abc import Mapping, Sequence
from typing import Any

from sonde.evaluation.plots import words
from sonde.evaluation.plots.markup import Markup, join
from sonde.evaluation.plots.names import one_line
from sonde.evaluation.plots.svg import Scale, footing, line, mark, name, nice_ticks, sheet, text, widest

MOST_RUNS = 40
"""Runs drawn; the table has all."""
WIDE, ROW, TOP, NAMES = 560.0, 22.0, 8.0, 170.0

Score = Mapping[str, Any]
"""A score as `scores.json` holds it: value, low, high, n."""


def beside_one_another(
    rows: Sequence[tuple[str, Score]],
    metric: str,
    mean: Mapping[str, Any] | None,
    *,
    first: bool = False,
    key: str = "runs",
) -> str | None:
    """Draw a score of each run with its interval over the test examples.

    Args:
        rows: name and score of each run.
        metric: what is measured, by its name in `metrics.METRICS`.
        mean: a spread as folds.json holds it, drawn as a line with a band behind the runs; or None.
        first: whether the first row is what the others are compared with.
        key: tells the pictures of a page apart.

    Returns:
        An SVG picture, or None where no run has the score.
    """
    known = [(label, score) for label, score in rows if score.get("value") is not None][:MOST_RUNS]
    if not known:
        return None
    ends = [end for _, score in known for end in _ends(score)] + [end for end in _band(mean) if end is not None]
    room = 0.06 * (max(ends) - min(ends) or 0.1)
    left = widest([label for label, _ in known], size=12.5, most=NAMES) + 18
    across = Scale(min(ends) - room, max(ends) + room, left, WIDE - 62)
    bottom = TOP + ROW * len(known) + 6
    ticks = nice_ticks(across.low, across.high, 5)
    parts = [
        *(mark("line", "p-grid", {"x1": across(tick), "x2": across(tick), "y1": TOP, "y2": bottom}) for tick in ticks),
        _middle(mean, across, bottom),
        *(
            _row(label, score, metric, across, TOP + (at + 0.5) * ROW, main=first and at == 0)
            for at, (label, score) in enumerate(known)
        ),
        footing(across, ticks, [words.tick(metric, tick) for tick in ticks], y=bottom, title=words.title(metric)),
    ]
    told = "; ".join(
        f"{one_line(label, longest=60)} {words.amount(metric, score['value'])}" for label, score in known[:20]
    )
    return sheet(
        (WIDE, bottom + 42),
        f"plot-{key}",
        f"{words.title(metric)} of each run",
        f"{words.title(metric)} by run: {told}.",
        parts,
    )


def _band(mean: Mapping[str, Any] | None) -> tuple[float | None, float | None]:
    return ((mean or {}).get("corrected_low"), (mean or {}).get("corrected_high"))


def _middle(mean: Mapping[str, Any] | None, across: Scale, bottom: float) -> Markup | None:
    if mean is None or mean.get("value") is None:
        return None
    low, high = _band(mean)
    at = across(float(mean["value"]))
    band = None
    if low is not None and high is not None:
        start, end = across(low), across(high)
        band = mark("rect", "p-fill", {"x": start, "y": TOP, "width": max(end - start, 0.5), "height": bottom - TOP,
                                       "fill-opacity": 0.12})  # fmt: skip
    return join([band, line([(at, TOP), (at, bottom)], "p-second", dashes="4 3")])


def _row(label: str, score: Score, metric: str, across: Scale, y: float, *, main: bool) -> Markup:
    style = "p-main" if main else "p-second"
    low, high = _ends(score)
    return join(
        [
            name(across.start - 8, y + 4, label, across.start - 16, anchor="end"),
            line([(across(low), y), (across(high), y)], style),
            mark(
                "circle", "p-dot" if main else "p-dot-second", {"cx": across(float(score["value"])), "cy": y, "r": 3.4}
            ),
            text(across.end + 10, y + 4, words.amount(metric, float(score["value"])), "p-strong" if main else "p-text"),
        ]
    )


def _ends(score: Score) -> tuple[float, float]:
    value = float(score["value"])
    low, high = score.get("low"), score.get("high")
    return value if low is None else float(low), value if high is None else float(high)
