"""Draws measures of named rows with their intervals: bars or dots, one column for each measure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any, Literal

import numpy as np

from sonde.drawing.axes import Axis, Scale, plain
from sonde.drawing.blocks import Block, nothing
from sonde.drawing.marks import area, dot, name, polyline, rect, straight, text
from sonde.drawing.markup import Child, Markup, join
from sonde.drawing.safe_text import one_line, widest

MOST_ROWS = 40
"""Rows drawn; how many there are is said."""


@dataclass(frozen=True)
class Interval:
    """A value with the interval around it; NaN where it is not known."""

    value: float = nan
    low: float = nan
    high: float = nan

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> "Interval":
        """Return what a mapping holds under "value", "low" and "high"; what is missing or None is not known."""
        given = [(values or {}).get(key) for key in ("value", "low", "high")]
        return cls(*(nan if each is None else float(each) for each in given))

    @property
    def is_known(self) -> bool:
        return isfinite(self.value)

    @property
    def ends(self) -> tuple[float, float]:
        """The interval, or the value twice where there is none."""
        return (self.low, self.high) if isfinite(self.low) and isfinite(self.high) else (self.value, self.value)


@dataclass(frozen=True)
class Measure:
    """A column: one measure of every row."""

    title: str
    values: Sequence[Interval]
    axis: Axis = field(default_factory=Axis)
    """A value beyond its ends is pointed at."""
    look: Literal["bars", "dots"] = "bars"
    write: Callable[[float], str] | None = plain
    """Writes each value at the right; None leaves it out."""
    mark: Interval = Interval()
    """A dashed line across all rows, such as a mean, with the band around it."""


def bars(
    names: Sequence[str],
    measures: Sequence[Measure],
    *,
    wide: float = 420.0,
    room: float = 112.0,
    first: bool = False,
    note: str = "",
) -> Block:
    """Return a row for each name, and in it each measure as a bar from zero or as a dot, with its interval.

    Names get room at the left, up to so much; 0 sets them above their values, for few rows with long names. The first
    row may be what the others are compared with, and a note stands below.
    """
    shown = names[:MOST_ROWS]
    if not shown or not measures:
        return nothing(wide)
    left, row = (widest(shown, most=room) + 16, 22.0) if room else (8.0, 40.0)
    top = 22.0 if any(measure.title for measure in measures) else 4.0
    bottom, column = top + row * len(shown) + 4, (wide - left) / len(measures)
    parts: list[Child] = []
    for at, measure in enumerate(measures):
        parts.append(_measure(measure, (left + at * column, column), (top, bottom, row), first=first))
    for at, label in enumerate(shown):
        place = (left - 8, top + (at + 0.5) * row + 4) if room else (left + 6, top + at * row + 13)
        parts.append(name(place, label, left - 12 if room else wide - left, anchor="end" if room else "start"))
    note = note or (f"the first {len(shown):,} of {len(names):,}" if len(names) > len(shown) else "")
    parts.append(text((left + 6, bottom + 33), note, "p-muted") if note else None)
    return Block(wide, bottom + (40 if note else 22), join(parts), _said(shown, measures))


def _measure(measure: Measure, span: tuple[float, float], rows: tuple[float, float, float], *, first: bool) -> Markup:
    (left, wide), (top, bottom, row) = span, rows
    values = measure.values[: int((bottom - top) / row)]
    written = [measure.write(each.value) if measure.write and each.is_known else "" for each in values]
    known = [end for each in (*values, measure.mark) for end in each.ends]
    room = widest(written, size=13) + 12 if any(written) else 0.0
    known += [0.0] if measure.look == "bars" else []
    across = measure.axis.scale(np.array(known), left + 6, left + wide - 16 - room)
    parts: list[Child] = [text((left + 6, top - 8), measure.title, "p-muted", size=12)]
    for tick in measure.axis.labels(across):
        parts.append(straight((across(tick), top), (across(tick), bottom)))
        parts.append(text((across(tick), bottom + 15), measure.axis.write(tick), "p-muted", anchor="middle"))
    if measure.mark.is_known:
        (start, end), at = map(across, measure.mark.ends), across(measure.mark.value)
        parts.append(rect((start, top, end - start, bottom - top), "p-fill", opacity=0.12) if end > start else None)
        parts.append(polyline([(at, top), (at, bottom)], "p-second", dashes="4 3"))
    for at, (each, words) in enumerate(zip(values, written, strict=True)):
        y, main = top + row * (at + 0.5) + (7 if row > 30 else 0), first and at == 0
        parts.append(_row(each, measure.look, across, y, main=main))
        style, place = "p-strong" if main else "p-text", (left + wide - 8, y + 4)
        parts.append(text(place, words, style, anchor="end") if words else None)
    parts.append(straight((across(0.0), top), (across(0.0), bottom), "p-axis") if measure.look == "bars" else None)
    return join(parts)


def _row(each: Interval, look: str, across: Scale, y: float, *, main: bool) -> Markup:
    value, style = each.value, "p-main" if main else "p-second"
    if not each.is_known:
        return text((across.start, y + 4), "none", "p-muted")
    if not across.low <= value <= across.high:
        tip, back = (across.start, 9) if value < across.low else (across.end, -9)
        return area(f"M{tip:g} {y:g}l{back} -4.5v9z", "p-dot-second")
    parts: list[Child] = []
    if look == "bars":
        start, end = sorted((across(0.0), across(value)))
        parts.append(rect((start, y - 6, end - start, 12), "p-fill" if value >= 0 else "p-fill-other", opacity=0.38))
    if each.ends != (value, value):
        low, high = map(across, each.ends)
        parts += [polyline([(end, y - 4), (end, y + 4)], style) for end in (low, high)]
        parts.append(polyline([(low, y), (high, y)], style))
    parts.append(dot(across(value), y, "p-dot" if main else "p-dot-second") if look == "dots" else None)
    return join(parts)


def _said(names: Sequence[str], measures: Sequence[Measure]) -> str:
    said = []
    for at, label in enumerate(names[:10]):
        values = [_written(measure, measure.values[at]) for measure in measures if measure.values[at].is_known]
        said.append(f"{one_line(label, longest=60)}: {', '.join(values) or 'none'}")
    return "; ".join(said) + "."


def _written(measure: Measure, each: Interval) -> str:
    write, (low, high) = measure.write or measure.axis.write, each.ends
    return f"{measure.title} {write(each.value)}" + (f" ({write(low)} to {write(high)})" if low < high else "")
