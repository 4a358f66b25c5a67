"""Draws the parts that all pictures share: the sheet, text, axes and marks.

A picture stands alone on white: every mark carries its colours as attributes, which any SVG reader understands. Inside
the report the same marks follow the page, because style rules for their classes (`report.css`) rank above attributes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from sonde.evaluation.plots.markup import Attributes, Child, Markup, join, number, tag
from sonde.evaluation.plots.names import cut, one_line, width

INK, MUTED, GRID, AXIS, ACCENT, AGAINST, FAINT, PAPER = (
    "#1b1f23", "#5a636c", "#e4e7ea", "#98a1a9", "#0b5d8c", "#c44e10", "#b9c1c8", "#ffffff",
)  # fmt: skip
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"

STYLES: dict[str, Attributes] = {
    "p-paper": {"fill": PAPER},
    "p-text": {"fill": INK},
    "p-muted": {"fill": MUTED},
    "p-strong": {"fill": ACCENT, "font-weight": "600"},
    "p-reversed": {"fill": PAPER},
    "p-grid": {"stroke": GRID, "fill": "none"},
    "p-axis": {"stroke": AXIS, "fill": "none"},
    "p-main": {"stroke": ACCENT, "stroke-width": 2.25, "fill": "none", "stroke-linejoin": "round"},
    "p-second": {"stroke": INK, "stroke-width": 1.4, "fill": "none", "stroke-linejoin": "round"},
    "p-third": {"stroke": FAINT, "stroke-width": 1, "fill": "none", "stroke-linejoin": "round"},
    "p-dot": {"fill": ACCENT},
    "p-dot-second": {"fill": INK},
    "p-fill": {"fill": ACCENT},
    "p-fill-second": {"fill": FAINT},
    "p-for": {"fill": ACCENT},
    "p-against": {"fill": AGAINST},
    "p-ring": {"fill": PAPER, "stroke": ACCENT, "stroke-width": 2},
    "p-ring-second": {"fill": PAPER, "stroke": INK, "stroke-width": 1.2},
}
"""Every mark's look by its class; `report.css` has a rule for each."""


@dataclass(frozen=True)
class Scale:
    """A straight line from values to coordinates."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value."""
        return self.start + (value - self.low) / ((self.high - self.low) or 1.0) * (self.end - self.start)


def sheet(size: tuple[float, float], key: str, title: str, description: str, children: Sequence[Child]) -> Markup:
    """Return a whole SVG picture.

    Args:
        size: width and height; the picture scales to the room it gets.
        key: a word that is unique among the pictures of a page.
        title: what it shows.
        description: what it says, for those who cannot see it.
        children: the marks.
    """
    wide, high = size
    return tag(
        "svg",
        tag("title", one_line(title), attributes={"id": f"{key}-title"}),
        tag("desc", one_line(description, longest=1000), attributes={"id": f"{key}-desc"}),
        mark("rect", "p-paper", {"width": wide, "height": high}),
        *children,
        attributes={
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {number(wide)} {number(high)}",
            "width": wide,
            "height": high,
            "class": "plot",
            "role": "img",
            "aria-labelledby": f"{key}-title {key}-desc",
            "font-family": FONT,
            "font-size": 12.5,
        },
    )


def mark(name: str, style: str, attributes: Attributes, *children: Child) -> Markup:
    """Return one SVG element in one of the `STYLES`; attributes given here rank above the style's."""
    return tag(name, *children, attributes={"class": style, **STYLES[style], **attributes})


def text(x: float, y: float, words: str, style: str = "p-text", *, anchor: str = "start", size: float = 12.5) -> Markup:
    """Return a line of text.

    Args:
        x: where it is anchored.
        y: its base line.
        words: what it says; escaped.
        style: one of `STYLES`.
        anchor: "start", "middle" or "end".
        size: of the font.
    """
    return mark(
        "text",
        style,
        {
            "x": x,
            "y": y,
            "text-anchor": None if anchor == "start" else anchor,
            "font-size": None if size == 12.5 else size,
        },
        words,
    )


def name(x: float, y: float, words: str, room: float, *, anchor: str = "start", size: float = 12.5) -> Markup:
    """Return a name from the data, cut to its room; where it was cut, a tooltip holds the whole.

    Args:
        x: where it is anchored.
        y: its base line.
        words: the name.
        room: the width it may take.
        anchor: "start", "middle" or "end".
        size: of the font.
    """
    short = cut(words, room / size)
    whole = one_line(words)
    tip = tag("title", whole) if short != whole else None
    # A name in a right-to-left script must not reorder what stands beside it.
    attributes: Attributes = {
        "x": x,
        "y": y,
        "text-anchor": None if anchor == "start" else anchor,
        "font-size": None if size == 12.5 else size,
        "unicode-bidi": None if short.isascii() else "isolate",
    }
    return mark("text", "p-text", attributes, short, tip)


def line(points: Sequence[tuple[float, float]], style: str, *, dashes: str | None = None) -> Markup:
    """Return a line through points, without those that it passes straight through.

    Args:
        points: coordinates, in order.
        style: one of `STYLES`.
        dashes: such as "4 3"; None for a whole line.
    """
    written = " ".join(f"{number(x)},{number(y)}" for x, y in _bends(points))
    return mark("polyline", style, {"points": written, "stroke-dasharray": dashes})


def ruler(scale: Scale, ticks: Sequence[float], labels: Sequence[str], *, across: tuple[float, float]) -> Markup:
    """Return a vertical axis: a faint line and a label for each tick.

    Args:
        scale: from value to y.
        ticks: values.
        labels: one for each tick.
        across: where the lines begin and end; the labels stand left of them.
    """
    start, end = across
    return join(
        part
        for tick, label in zip(ticks, labels, strict=True)
        for part in (
            mark("line", "p-grid", {"x1": start, "x2": end, "y1": scale(tick), "y2": scale(tick)}),
            text(start - 6, scale(tick) + 4, label, "p-muted", anchor="end", size=11.5),
        )
    )


def footing(scale: Scale, ticks: Sequence[float], labels: Sequence[str], *, y: float, title: str) -> Markup:
    """Return a horizontal axis with its labels and its title below.

    Args:
        scale: from value to x.
        ticks: values.
        labels: one for each tick.
        y: where the axis lies.
        title: what it measures.
    """
    return join(
        [
            mark("line", "p-axis", {"x1": scale.start, "x2": scale.end, "y1": y, "y2": y}),
            *(
                text(scale(tick), y + 16, label, "p-muted", anchor="middle", size=11.5)
                for tick, label in zip(ticks, labels, strict=True)
            ),
            text((scale.start + scale.end) / 2, y + 34, title, "p-muted", anchor="middle", size=11.5),
        ]
    )


def nice_ticks(low: float, high: float, count: int = 4, *, whole: bool = False) -> list[float]:
    """Return round values between two bounds, 1, 2 or 5 times a power of ten apart.

    Args:
        low: the smallest value.
        high: the largest value.
        count: about how many.
        whole: whether only whole numbers make sense, as for epochs.
    """
    if not (isfinite(low) and isfinite(high)) or high <= low:
        return [low]
    raw = (high - low) / count
    power = 10.0 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    step = max(1.0, round(step)) if whole else step
    first = ceil(low / step - 1e-9)
    return [round(index * step, 12) for index in range(first, floor(high / step + 1e-9) + 1)]


def widest(labels: Sequence[str], *, size: float, most: float) -> float:
    """Return the room that the widest of some names takes, at most `most`."""
    return min(most, max((width(one_line(label)) for label in labels), default=0.0) * size)


def _bends(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    # A tenth of a unit is finer than any screen shows; ROC curves of 10,000 examples shrink a hundredfold.
    kept: list[tuple[float, float]] = []
    for x, y in points:
        point = (round(x, 1), round(y, 1))
        if kept and point == kept[-1]:
            continue
        if len(kept) >= 2 and _straight(kept[-2], kept[-1], point):
            kept[-1] = point
        else:
            kept.append(point)
    return kept


def _straight(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    cross = (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])
    ahead = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])
    return abs(cross) < 1e-9 and ahead >= 0
