"""Draws marks: texts, names from data, lines and areas, each in one of a few looks.

A picture stands alone on white: every mark carries its colours as attributes, which any SVG reader understands. Inside
of a page the same marks follow the page, light or dark, because style rules for their classes rank above attributes.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sonde.drawing.markup import Attributes, Child, Markup, join, number, tag
from sonde.drawing.safe_text import cut, one_line

INK, MUTED, GRID, AXIS, ACCENT, OTHER, FAINT, PAPER = (
    "#1b1f23", "#5a636c", "#e4e7ea", "#98a1a9", "#0b5d8c", "#c44e10", "#b9c1c8", "#ffffff",
)  # fmt: skip
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"
SIZE = 12.5
"""Of letters; those of "p-muted" are smaller by themselves."""
SHADES = 12
"""Steps of a map's shades; cells of one shade are one path, so that thousands of them stay below 100 kB."""

STYLES: dict[str, Attributes] = {
    "p-paper": {"fill": PAPER},
    "p-text": {"fill": INK},
    "p-muted": {"fill": MUTED, "font-size": 11.5},
    "p-strong": {"fill": ACCENT, "font-weight": "600"},
    "p-reversed": {"fill": PAPER},
    "p-grid": {"stroke": GRID, "fill": "none"},
    "p-axis": {"stroke": AXIS, "fill": "none"},
    "p-main": {"stroke": ACCENT, "stroke-width": 2.25, "fill": "none", "stroke-linejoin": "round"},
    "p-second": {"stroke": INK, "stroke-width": 1.4, "fill": "none", "stroke-linejoin": "round"},
    "p-third": {"stroke": FAINT, "stroke-width": 1, "fill": "none", "stroke-linejoin": "round"},
    "p-other": {"stroke": OTHER, "stroke-width": 2, "fill": "none", "stroke-linejoin": "round"},
    "p-halo": {"stroke": PAPER, "stroke-width": 4.5, "fill": "none", "stroke-linejoin": "round"},
    "p-specks": {"stroke": ACCENT, "stroke-width": 4, "fill": "none", "stroke-linecap": "round"},
    "p-dot": {"fill": ACCENT},
    "p-dot-second": {"fill": INK},
    "p-ring": {"fill": PAPER, "stroke": INK, "stroke-width": 1.3},
    "p-fill": {"fill": ACCENT},
    "p-fill-other": {"fill": OTHER},
}
"""Every mark's look by its class; the style sheet of a page has a rule for each."""


def mark(name: str, style: str, attributes: Attributes, *children: Child) -> Markup:
    """Return one SVG element in one of the `STYLES`; attributes given here rank above the style's."""
    return tag(name, *children, attributes={"class": style, **STYLES[style], **attributes})


Place = tuple[float, float]
"""x and y."""
Box = tuple[float, float, float, float]
"""x, y, width and height."""


def text(at: Place, words: str, style: str = "p-text", *, anchor: str = "start", size: float | None = None) -> Markup:
    """Return a line of text, whose base line begins, has its middle or ends (`anchor`) at a place."""
    return mark("text", style, _place(at, anchor, size), words)


def name(
    at: Place, words: str, room: float, style: str = "p-text", *, anchor: str = "start", size: float = SIZE
) -> Markup:
    """Return a name from the data, cut to the width it may take; where it was cut, a tooltip holds the whole."""
    short, whole = cut(words, room / size), one_line(words)
    # A name in a right-to-left script must not reorder what stands beside it.
    isolated = None if short.isascii() else "isolate"
    attributes = {**_place(at, anchor, None if size == SIZE else size), "unicode-bidi": isolated}
    return mark("text", style, attributes, short, tag("title", whole) if short != whole else None)


def sideways(at: Place, inside: Markup) -> Markup:
    """Return marks around (0, 0) moved to a place and turned, so that a text reads upwards."""
    return tag("g", inside, attributes={"transform": f"translate({number(at[0])} {number(at[1])}) rotate(-90)"})


def rect(box: Box, style: str, *, opacity: float | None = None) -> Markup:
    """Return a rectangle from x, y, width and height; one that is too thin to be seen is widened to half a unit."""
    x, y, wide, high = box
    size = {"width": max(wide, 0.5), "height": max(high, 0.5)}
    return mark("rect", style, {"x": x, "y": y, **size, "fill-opacity": opacity})


def dot(x: float, y: float, style: str = "p-dot", *, radius: float = 3.4) -> Markup:
    """Return a filled or ringed circle."""
    return mark("circle", style, {"cx": x, "cy": y, "r": radius})


def polyline(places: Sequence[Place], style: str, *, dashes: str | None = None) -> Markup:
    """Return a line through places; dashes are such as "4 3"."""
    # A tenth of a unit is finer than any screen shows.
    written = " ".join(f"{number(round(x, 1))},{number(round(y, 1))}" for x, y in places)
    return mark("polyline", style, {"points": written, "stroke-dasharray": dashes})


def straight(start: Place, end: Place, style: str = "p-grid") -> Markup:
    """Return a straight line from one place to another."""
    return mark("line", style, {"x1": start[0], "x2": end[0], "y1": start[1], "y2": end[1]})


def area(path: str, style: str, *, opacity: float | None = None) -> Markup:
    """Return what an SVG path encloses or, in a style of lines, the path itself."""
    return mark("path", style, {"d": path, "fill-opacity": opacity})


def shaded(shades_RC: NDArray[np.int64], cell: tuple[float, float], style: str = "p-fill") -> Markup:
    """Return the cells of a map, each of a width and a height, in shades from 0 (nothing) to `SHADES`."""
    wide, high = cell
    paths = []
    for shade in np.unique(shades_RC[shades_RC > 0]).tolist():
        places = [(start * wide, row * high, length * wide) for row, start, length in runs(shades_RC == shade)]
        cells = "".join(f"M{number(x)} {number(y)}h{number(w)}v{number(high)}H{number(x)}z" for x, y, w in places)
        paths.append(area(cells, style, opacity=shade / SHADES))
    return join(paths)


def runs(flags_RC: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """Yield the stretches of True in each row: row, where it begins, and how long it is."""
    edges = np.diff(np.pad(flags_RC, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    for (row, start), (_, end) in zip(starts.tolist(), ends.tolist(), strict=True):
        yield row, start, end - start


def _place(at: Place, anchor: str, size: float | None) -> dict[str, str | float | None]:
    place = {"x": at[0], "y": at[1], "text-anchor": None if anchor == "start" else anchor}
    return place if size is None else {**place, "font-size": size}
