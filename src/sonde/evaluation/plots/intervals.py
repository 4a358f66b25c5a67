"""Draws scores with their intervals: class by class, and the model beside its baselines."""

from collections.abc import Mapping, Sequence
from typing import Any

from sonde.evaluation.plots import words
from sonde.evaluation.plots.markup import Markup, join
from sonde.evaluation.plots.names import one_line
from sonde.evaluation.plots.svg import Scale, footing, line, mark, name, nice_ticks, sheet, text, widest

MEASURES = {"precision": "Precision, %", "recall": "Recall, %", "f1": "F1, %"}
"""What is drawn of each class, in this order."""

MOST_CLASSES = 30
"""Classes drawn; of more, the weakest are (the report's table has all)."""

Score = Mapping[str, Any]
"""A score as `scores.json` holds it: value, low, high, n."""


def class_bars(per_class: Mapping[str, Mapping[str, Any]], *, wide: float = 420) -> str | None:
    """Draw precision, recall and F1 of each class with their intervals, the weakest F1 first.

    Args:
        per_class: scores by class and measure, each in [0, 1].
        wide: width of the picture.

    Returns:
        An SVG picture, or None where there is no class.
    """
    order = by_f1(per_class)
    shown = order[:MOST_CLASSES]
    if not shown:
        return None
    left = widest(shown, size=12.5, most=112.0) + 18
    column = (wide - left - 2) / len(MEASURES)
    top, row = 28.0, 22.0
    bottom = top + row * len(shown) + 4
    parts: list[Markup] = []
    for index, (measure, title) in enumerate(MEASURES.items()):
        across = Scale(0, 1, left + index * column + 6, left + (index + 1) * column - 16)
        parts += [text(across.start, 16, title, "p-text"), _halves(across, top, bottom)]
        parts += [_bar(per_class[label].get(measure), across, top + (at + 0.5) * row) for at, label in enumerate(shown)]
    parts += [
        name(left - 6, top + (at + 0.5) * row + 4, label, left - 14, anchor="end") for at, label in enumerate(shown)
    ]
    if len(order) > len(shown):
        parts.append(
            text(left + 6, bottom + 34, f"the weakest {len(shown)} of {len(order)} classes", "p-muted", size=11.5)
        )
    high = bottom + (44 if len(order) > len(shown) else 24)
    told = "".join(
        f" {one_line(label, longest=60)}: F1 {_said('f1', per_class[label].get('f1'))}." for label in shown[:5]
    )
    return sheet((wide, high), "plot-classes", "Scores of each class", f"The weakest first.{told}", parts)


def by_f1(per_class: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the classes from the smallest F1 to the largest; those without one come last."""

    def key(label: str) -> float:
        value = (per_class[label].get("f1") or {}).get("value")
        return 2.0 if value is None else float(value)

    return sorted(per_class, key=key)


def beside_baselines(rows: Sequence[tuple[str, Score]], metric: str, *, wide: float = 400) -> str | None:
    """Draw the model's score beside those of the baselines, each with its interval.

    Args:
        rows: name and score; the first is the model.
        metric: what is measured, by its name in `metrics.METRICS`.
        wide: width of the picture.

    Returns:
        An SVG picture, or None where nothing has a score.
    """
    known = [(label, score) for label, score in rows if score.get("value") is not None]
    if not known:
        return None
    low, high = _focus([score for _, score in known])
    across, row, top = Scale(low, high, 12, wide - 76), 40.0, 2.0
    bottom = top + row * len(known) + 6
    ticks = nice_ticks(low, high, 5)
    parts = [
        *(mark("line", "p-grid", {"x1": across(tick), "x2": across(tick), "y1": top, "y2": bottom}) for tick in ticks),
        *(
            _interval_row((label, score), metric, across, top + (at + 0.5) * row, main=at == 0)
            for at, (label, score) in enumerate(known)
        ),
        footing(across, ticks, [words.tick(metric, tick) for tick in ticks], y=bottom, title=words.title(metric)),
    ]
    told = "; ".join(f"{one_line(label, longest=60)} {_said(metric, score)}" for label, score in known)
    title = f"{words.title(metric)} beside the baselines"
    return sheet((wide, bottom + 42), "plot-baselines", title, f"{told}.", parts)


def _focus(scores: Sequence[Score]) -> tuple[float, float]:
    """Return bounds that show the model and the baseline nearest to it; what lies far off is only pointed at."""
    model, *others = scores
    nearest = sorted(others, key=lambda score: abs(float(score["value"]) - float(model["value"])))[:1]
    ends = [end for score in (model, *nearest) for end in _ends(score)]
    low, high = min(ends), max(ends)
    room = (high - low) * 0.6 or 0.02 * (abs(high) or 1.0)
    return (max(low - room, 0.0), min(high + room, 1.0)) if low >= 0 and high <= 1 else (low - room, high + room)


def _interval_row(row: tuple[str, Score], metric: str, across: Scale, y: float, *, main: bool) -> Markup:
    label, score = row
    value, middle = float(score["value"]), y + 12
    drawn = _whiskers(_ends(score), across, middle, main=main) if across.low <= value <= across.high else None
    dot = mark("circle", "p-dot" if main else "p-dot-second", {"cx": across(value), "cy": middle, "r": 3.6})
    return join(
        [
            name(across.start, y + 1, label, across.end - across.start),
            *((drawn, dot) if drawn else (_off_the_edge(across, middle, left=value < across.low),)),
            text(across.end + 14, middle + 4, words.amount(metric, value), "p-strong" if main else "p-text", size=13),
        ]
    )


def _whiskers(ends: tuple[float, float], across: Scale, y: float, *, main: bool) -> Markup:
    style = "p-main" if main else "p-second"
    low, high = (across(min(max(end, across.low), across.high)) for end in ends)
    caps = [line([(end, y - 5), (end, y + 5)], style) for end in (low, high)]
    return join([*caps, line([(low, y), (high, y)], style)])


def _off_the_edge(across: Scale, y: float, *, left: bool) -> Markup:
    tip = across.start if left else across.end
    back = 9 if left else -9
    return mark("path", "p-dot-second", {"d": f"M{tip:g} {y:g}l{back} -4.5v9z"})


def _bar(score: Score | None, across: Scale, y: float) -> Markup:
    if not score or score.get("value") is None:
        return text(across.start, y + 4, "none", "p-muted", size=11.5)
    value = float(score["value"])
    low, high = _ends(score)
    return join(
        [
            mark("rect", "p-fill", {"x": across.start, "y": y - 6, "width": max(across(value) - across.start, 0.5),
                                    "height": 12, "fill-opacity": 0.38}),
            line([(across(low), y), (across(high), y)], "p-second"),
            *(line([(across(end), y - 3.5), (across(end), y + 3.5)], "p-second") for end in (low, high)),
        ]
    )  # fmt: skip


def _halves(across: Scale, top: float, bottom: float) -> Markup:
    lines = [
        mark("line", "p-axis" if tick == 0 else "p-grid",
             {"x1": across(tick), "x2": across(tick), "y1": top, "y2": bottom})
        for tick in (0.0, 0.5, 1.0)
    ]  # fmt: skip
    labels = [
        text(across(tick), bottom + 14, f"{100 * tick:g}", "p-muted", anchor="middle", size=11.5)
        for tick in (0.0, 0.5, 1.0)
    ]
    return join([*lines, *labels])


def _ends(score: Score) -> tuple[float, float]:
    value = float(score["value"])
    low, high = score.get("low"), score.get("high")
    return value if low is None else float(low), value if high is None else float(high)


def _said(metric: str, score: Score | None) -> str:
    if not score or score.get("value") is None:
        return "not known"
    return f"{words.amount(metric, float(score['value']))} ({words.interval(metric, score)})"
