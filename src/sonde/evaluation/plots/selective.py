"""Draws when a model had better not answer: accuracy over the share answered, and the sizes of prediction sets."""

from collections.abc import Mapping, Sequence
from typing import Any

from sonde.evaluation.plots.markup import Markup, join
from sonde.evaluation.plots.svg import Scale, footing, line, mark, nice_ticks, ruler, sheet, text
from sonde.evaluation.plots.words import percent

WIDE, HIGH, LEFT, TOP, SIDE, TALL = 410, 340, 46, 30, 340, 250
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
ROW, NAME = 30.0, 92


def answered(said: Mapping[str, Any]) -> str | None:
    """Draw the accuracy of the answers that are given over how many are given, the surest first.

    Args:
        said: the entry "abstention" of scores.json.

    Returns:
        An SVG picture (risk-coverage curve: El-Yaniv & Wiener, 2010), or None where there is no curve.
    """
    points = [(float(share), float(accuracy)) for share, accuracy, *_ in said.get("curve") or ()]
    if not points:
        return None
    low, high = _focus([accuracy for _, accuracy in points])
    across, up = Scale(0, 1, LEFT, LEFT + SIDE), Scale(low, high, TOP + TALL, TOP)
    ticks = nice_ticks(low, high)
    parts = [
        text(LEFT - 36, TOP - 15, "↑ accuracy of the answers given", "p-muted", size=11.5),
        ruler(up, ticks, [f"{100 * tick:.6g}%" for tick in ticks], across=(LEFT, LEFT + SIDE)),
        line([(across(share), up(accuracy)) for share, accuracy in points], "p-main"),
        _chosen(said, across, up),
        footing(across, TICKS, [f"{tick:.0%}" for tick in TICKS], y=TOP + TALL, title="share of examples answered"),
    ]
    told = "; ".join(f"{percent(accuracy)} right where {share:.0%} are answered" for share, accuracy in _few(points))
    return sheet((WIDE, HIGH), "plot-answered", "Accuracy of the answers given", f"{told}.", parts)


def set_sizes(said: Mapping[str, Any]) -> str | None:
    """Draw how large the prediction sets are, and how often the sets of each size hold the truth.

    Args:
        said: the entry "conformal" of scores.json.

    Returns:
        An SVG picture, or None where there are no sets.
    """
    rows = ((said.get("methods") or {}).get(said.get("method")) or {}).get("sizes") or []
    if not rows:
        return None
    wanted = float(said["wanted"])
    middle = LEFT + NAME - 6.0
    shares = Scale(0, 1, middle, middle + 120)
    held = Scale(0, 1, middle + 142, WIDE - 24)
    bottom = TOP + ROW * len(rows)
    parts = [
        text(shares.start, TOP - 12, "share of examples", "p-muted", size=11.5),
        text(held.start, TOP - 12, "hold the truth", "p-muted", size=11.5),
        line([(held(wanted), TOP), (held(wanted), bottom)], "p-axis", dashes="2 3"),
        *(_size_row(row, shares, held, TOP + ROW * at) for at, row in enumerate(rows)),
        footing(held, (0.0, 0.5, 1.0), ("0%", "50%", "100%"), y=bottom + 4, title=f"wanted: {wanted:.0%}"),
    ]
    told = "; ".join(f"{_size(row)}: {percent(row['share'])} of examples, {_held(row)}" for row in rows)
    return sheet((WIDE, bottom + 46), "plot-set-sizes", "Sizes of the prediction sets", f"{told}.", parts)


def _focus(values: Sequence[float]) -> tuple[float, float]:
    low = min(values)
    return (max(0.0, low - 0.1 * (1 - low) - 0.005), 1.0)


def _chosen(said: Mapping[str, Any], across: Scale, up: Scale) -> Markup | None:
    share, accuracy = ((said.get(key) or {}).get("value") for key in ("coverage", "accuracy"))
    if not said.get("threshold") or share is None or accuracy is None:
        return None
    x, y = across(float(share)), up(float(accuracy))
    left = share > 0.6
    return join(
        [
            line([(x, TOP), (x, TOP + TALL)], "p-axis", dashes="2 3"),
            mark("circle", "p-dot", {"cx": x, "cy": y, "r": 4.5}),
            text(x - 8 if left else x + 8, TOP + TALL - 10, "this model's threshold", "p-strong", size=12,
                 anchor="end" if left else "start"),
        ]
    )  # fmt: skip


def _few(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [min(points, key=lambda point: abs(point[0] - share)) for share in (0.25, 0.5, 0.75, 1.0)]


def _size_row(row: Mapping[str, Any], shares: Scale, held: Scale, y: float) -> Markup:
    middle, reached = y + ROW / 2, row["reached"]
    bar = {"x": shares.start, "y": middle - 7, "width": max(shares(row["share"]) - shares.start, 0.5), "height": 14,
           "fill-opacity": 0.38}  # fmt: skip
    parts = [
        text(shares.start - 8, middle + 4, _size(row), anchor="end"),
        mark("rect", "p-fill", bar),
        text(shares.start + 4, middle + 4, percent(row["share"]), size=11.5),
    ]
    if reached["value"] is not None:
        parts += [
            line([(held(reached["low"]), middle), (held(reached["high"]), middle)], "p-second"),
            mark("circle", "p-dot-second", {"cx": held(reached["value"]), "cy": middle, "r": 3.6}),
        ]
    return join(parts)


def _size(row: Mapping[str, Any]) -> str:
    low, high = int(row["from"]), int(row["to"])
    return f"{low:,} class{'es' if low > 1 else ''}" if low == high else f"{low:,} to {high:,}"


def _held(row: Mapping[str, Any]) -> str:
    value = row["reached"]["value"]
    return "none" if value is None else f"{percent(value)} of them hold the truth"
