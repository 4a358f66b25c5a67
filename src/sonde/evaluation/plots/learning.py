"""Draws how the training went: loss and score for each epoch, the best epoch, the learning rate."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from sonde.evaluation.plots import words
from sonde.evaluation.plots.markup import Markup, join
from sonde.evaluation.plots.svg import Scale, footing, line, mark, nice_ticks, ruler, sheet, text

WIDE, LEFT, RIGHT, TOP = 400, 60, 86, 26
"""Width of the picture and its margins; the right one holds the lines' names."""

Records = Sequence[Mapping[str, Any]]
Points = list[tuple[float, float]]


def loss_curves(history: Records) -> str | None:
    """Draw the loss on training and validation examples per epoch, and the learning rate below.

    Args:
        history: records of `history.jsonl`.

    Returns:
        An SVG picture, or None where no epoch has a loss.
    """
    rate = [
        (float(record["epoch"]), float(record["learning_rate"]))
        for record in history
        if _is_number(record.get("learning_rate"))
    ]
    return _curves(history, "loss", "Loss", rate)


def metric_curves(history: Records, metric: str) -> str | None:
    """Draw a metric on training and validation examples per epoch.

    Args:
        history: records of `history.jsonl`.
        metric: its name in the records.

    Returns:
        An SVG picture, or None where no epoch has this metric.
    """
    return _curves(history, metric, words.title(metric), [])


def best_epoch(history: Records) -> Mapping[str, Any] | None:
    """Return the record of the epoch whose weights were kept: the last that says it is the best."""
    return next((record for record in reversed(history) if record.get("best")), None)


def _curves(history: Records, metric: str, title: str, rate: Points) -> str | None:
    train, validation = (_series(history, split, metric) for split in ("train", "validation"))
    values = [value for _, value in train + validation]
    if not values:
        return None
    floor_at, end = (230.0 if rate else 290.0), WIDE - RIGHT
    epochs = [epoch for epoch, _ in train + validation + rate]
    across = Scale(min(epochs), max(epochs), LEFT, end) if max(epochs) > min(epochs) else _single(epochs[0], end)
    low, high = _bounds(values, from_zero=metric == "loss")
    up = Scale(low, high, floor_at, TOP)
    ticks = nice_ticks(low, high, 5)
    best = best_epoch(history)
    bottom = 290.0
    parts = [
        text(LEFT, 14, title, "p-text", size=13),
        ruler(up, ticks, [words.tick(metric, tick) for tick in ticks], across=(LEFT, end)),
        _best(across, best, bottom) if best else None,
        _curve(train, across, up, main=False),
        _curve(validation, across, up, main=True),
        _ends(train, validation, across, up),
        _best_dot(best, validation, across, up) if best else None,
        _rate_strip(rate, across, (248.0, bottom)) if rate else None,
        footing(across, *_epoch_ticks(across, min(epochs), max(epochs)), y=bottom, title="epoch"),
    ]
    return sheet((WIDE, 330), f"plot-{metric}", f"{title} per epoch", _words(title, train, validation, best), parts)


def _series(history: Records, split: str, metric: str) -> Points:
    values = [(float(record["epoch"]), (record.get(split) or {}).get(metric)) for record in history]
    return [(epoch, float(value or 0.0)) for epoch, value in values if _is_number(value)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _single(epoch: float, end: float) -> Scale:
    return Scale(epoch - 1, epoch + 1, LEFT, end)


def _bounds(values: list[float], *, from_zero: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    if from_zero and low >= 0:
        return 0.0, (high * 1.04 or 1.0)
    # Below two points apart, an axis from end to end would make noise look like progress.
    room = max((high - low) * 0.06, (0.02 - (high - low)) / 2 if high <= 1 else 0.0) or 0.02 * abs(high) or 1.0
    # A score ends at 1: space above would look like something to be won.
    return low - room, (min(high + room, 1.0) if high <= 1.0 < high + room else high + room)


def _epoch_ticks(across: Scale, first: float, last: float) -> tuple[list[float], list[str]]:
    ticks = nice_ticks(across.low, across.high, 5, whole=True)
    ticks = [tick for tick in ticks if first <= tick <= last] or [first]
    if across.low == 1 and 1 not in ticks and (len(ticks) < 2 or ticks[0] - 1 > 0.4 * (ticks[1] - ticks[0])):
        ticks = [1.0, *ticks]
    return ticks, [f"{tick:g}" for tick in ticks]


def _curve(points: Points, across: Scale, up: Scale, *, main: bool) -> Markup:
    places = [(across(epoch), up(value)) for epoch, value in points]
    dots = [
        mark("circle", "p-dot" if main else "p-dot-second", {"cx": x, "cy": y, "r": 2.6 if main else 1.9})
        for x, y in places
        if len(places) <= 30
    ]
    return join([line(places, "p-main" if main else "p-second", dashes=None if main else "5 3"), *dots])


def _ends(train: Points, validation: Points, across: Scale, up: Scale) -> Markup:
    named = [(points, word, style) for points, word, style in (
        (train, "train", "p-text"), (validation, "validation", "p-strong")) if points]  # fmt: skip
    heights = [up(points[-1][1]) for points, _, _ in named]
    if len(heights) == 2 and abs(heights[0] - heights[1]) < 14:
        middle, sign = sum(heights) / 2, 1 if heights[0] >= heights[1] else -1
        heights = [middle + 7 * sign, middle - 7 * sign]
    return join(
        text(across(points[-1][0]) + 7, height + 4, word, style, size=12)
        for (points, word, style), height in zip(named, heights, strict=True)
    )


def _best(across: Scale, best: Mapping[str, Any], bottom: float) -> Markup:
    x = across(float(best["epoch"]))
    right = x > (across.start + across.end) / 2
    return join(
        [
            mark("line", "p-axis", {"x1": x, "x2": x, "y1": TOP - 6, "y2": bottom, "stroke-dasharray": "2 3"}),
            text(x + (4 if not right else -4), TOP - 3, f"best: epoch {best['epoch']}", "p-muted",
                 anchor="end" if right else "start", size=11.5),
        ]
    )  # fmt: skip


def _best_dot(best: Mapping[str, Any], validation: Points, across: Scale, up: Scale) -> Markup | None:
    value = dict(validation).get(float(best["epoch"]))
    return None if value is None else mark(
        "circle", "p-ring", {"cx": across(float(best["epoch"])), "cy": up(value), "r": 4.5}
    )  # fmt: skip


def _rate_strip(rate: Points, across: Scale, ends: tuple[float, float]) -> Markup:
    top, bottom = ends
    highest = max(value for _, value in rate) or 1.0
    up = Scale(0.0, highest, bottom, top)
    places = [(across(epoch), up(value)) for epoch, value in rate]
    return join(
        [
            mark("line", "p-grid", {"x1": LEFT, "x2": across.end, "y1": top, "y2": top}),
            text(LEFT - 6, top + 4, f"{highest:.2g}", "p-muted", anchor="end", size=11.5),
            line(places, "p-second"),
            *(mark("circle", "p-dot-second", {"cx": x, "cy": y, "r": 1.9}) for x, y in places if len(places) == 1),
            text(across.end + 7, bottom - 14, "learning", "p-muted", size=11.5),
            text(across.end + 7, bottom - 1, "rate", "p-muted", size=11.5),
        ]
    )


def _words(title: str, train: Points, validation: Points, best: Mapping[str, Any] | None) -> str:
    told = [
        f"{split} {points[0][1]:.4g} in epoch {points[0][0]:g} to {points[-1][1]:.4g} in epoch {points[-1][0]:g}"
        for split, points in (("training", train), ("validation", validation))
        if points
    ]
    return f"{title}: {'; '.join(told)}." + (f" Best epoch: {best['epoch']}." if best else "")
