"""Draws an explanation: the example, and for each method what speaks for the answer in it and what against."""

# T time

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.evaluation.explanations.found import Found
from sonde.evaluation.pictures import Picture, Pixels, Spectrogram, in_words
from sonde.evaluation.plots.markup import Child, Markup, join, tag
from sonde.evaluation.plots.names import one_line
from sonde.evaluation.plots.shown import Box, height_of, is_tiny, legend, shown, thumbnail, weighed, wrapped
from sonde.evaluation.plots.svg import Scale, footing, line, mark, name, nice_ticks, sheet, text, widest
from sonde.evaluation.plots.words import percent

WIDE, EDGE, GAP = 640.0, 14.0, 18.0
CELLS = 3
"""Images in a row, the example itself among them."""
MAP = 112.0
"""Side of a map of attention."""
MOST_MAPS = 4
MOST_COLUMNS = 30
"""Columns of a table whose importance is drawn."""


@dataclass(frozen=True)
class Explained:
    """An explanation, as it is drawn."""

    name: str
    heading: str
    """Answer, confidence and truth, in words."""
    picture: Picture | None
    found: Sequence[tuple[str, Found]]
    """Title of each method, and what it found."""


def heading(answer: str, confidence: float, *, truth: str = "", about: str = "") -> str:
    """Say what was answered, and what is explained where that is another class.

    Args:
        answer: of the model.
        confidence: its probability.
        truth: what is true, where that is known.
        about: the class that is explained.
    """
    told = f"{one_line(answer, longest=60)} with {percent(confidence)}"
    if truth:
        told += ", which is right" if truth == answer else f"; the truth is {one_line(truth, longest=60)}"
    return told + (f"; explained is {one_line(about, longest=60)}" if about and about != answer else "")


def explanation(explained: Explained, key: str) -> str:
    """Draw an explanation.

    Args:
        explained: what is drawn.
        key: a word that is unique among the pictures of a page.

    Returns:
        An SVG picture.
    """
    parts: list[Child] = [
        name(EDGE, 24, explained.name, WIDE - 2 * EDGE, size=13.5),
        name(EDGE, 44, explained.heading, WIDE - 2 * EDGE),
    ]
    y = 58.0
    picture = explained.picture
    applied = [(title, found) for title, found in explained.found if found.weights is not None]
    if picture is not None:
        draw = _side_by_side if isinstance(picture, Pixels | Spectrogram) else _one_below_the_other
        drawn, y = draw(picture, applied, y)
        parts.append(drawn)
    signs = [found.weights for _, found in applied if found.weights is not None]
    kinds = [kind for kind, sign in (("for", 1), ("against", -1)) if any((sign * each > 0).any() for each in signs)]
    if kinds:
        parts.append(legend(EDGE, y + 12, kinds))
        y += 26
    for title, found in explained.found:
        if found.reason:
            lines, y = _sentence(f"{title} does not apply: {found.reason}.", EDGE, y + 4, WIDE - 2 * EDGE)
            parts.append(lines)
    told = " ".join(f"{title}: {found.reason or found.sentence}" for title, found in explained.found)
    shows = f"The {in_words(picture)}. " if picture is not None else ""
    title = f"{one_line(explained.name, longest=80)}: {explained.heading}"
    return sheet((WIDE, y + EDGE), key, title, f"{shows}{told}", parts)


def importance_bars(rows: Sequence[Mapping[str, Any]], metric: str, key: str = "explained-importance") -> str | None:
    """Draw what a score loses when each column of a table is shuffled, with the interval over the shuffles.

    Args:
        rows: column, mean, low and high; the most important first.
        metric: name of the score, for people.
        key: a word that is unique among the pictures of a page.
    """
    drawn = rows[:MOST_COLUMNS]
    if not drawn:
        return None
    left = widest([str(row["column"]) for row in drawn], size=12.5, most=200.0) + 18
    ends = [float(row[end]) for row in drawn for end in ("low", "high")]
    across = Scale(min(0.0, *ends), max(1e-3, *ends), left + 6, WIDE - 70)
    bottom = 8 + 22.0 * len(drawn)
    ticks = nice_ticks(across.low, across.high, 5)
    parts: list[Child] = [
        mark(
            "line", "p-axis" if tick == 0 else "p-grid", {"x1": across(tick), "x2": across(tick), "y1": 4, "y2": bottom}
        )
        for tick in ticks
    ]
    for at, row in enumerate(drawn):
        y, mean = 8 + 22.0 * (at + 0.5), float(row["mean"])
        start, end = sorted((across(0), across(mean)))
        reach = [across(float(row[side])) for side in ("low", "high")]
        bar = {"x": start, "width": max(end - start, 0.5)}
        parts += [
            name(left - 6, y + 4, str(row["column"]), left - 14, anchor="end"),
            mark("rect", "p-fill", {**bar, "y": y - 6, "height": 12, "fill-opacity": 0.38}),
            line([(reach[0], y), (reach[1], y)], "p-second"),
            text(WIDE - 8, y + 4, f"{mean:.3f}", "p-text", anchor="end"),
        ]  # fmt: skip
    parts.append(
        footing(across, ticks, [f"{tick:g}" for tick in ticks], y=bottom, title=f"{metric} lost when shuffled")
    )
    told = "; ".join(
        f"{one_line(str(row['column']), longest=60)} {row['mean']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
        for row in drawn[:8]
    )
    return sheet((WIDE, bottom + 44), key, "Permutation importance of the columns", f"{metric} lost: {told}.", parts)


def _side_by_side(picture: Picture, found: Sequence[tuple[str, Found]], y: float) -> tuple[Markup, float]:
    """Draw images in a row: the example as it is, then under the colours of each method."""
    count = 2 if isinstance(picture, Spectrogram) else CELLS
    wide = (WIDE - 2 * EDGE - (count - 1) * GAP) / count
    high = height_of(picture, wide)
    # The largest image of the shape that fits.
    across = wide if isinstance(picture, Spectrogram) else min(wide, high * _aspect(picture))
    parts: list[Child] = []
    bottoms = [y]
    for at, (title, finding) in enumerate([("The example", None), *found]):
        row_top = bottoms[-1] if at % count == 0 and at else (y if at < count else bottoms[0])
        if at % count == 0 and at:
            bottoms = [row_top]
            y = row_top
        x = EDGE + (at % count) * (wide + GAP)
        box = Box(x, y + 20, across, high)
        weights = None if finding is None else finding.weights
        parts += [
            text(x, y + 13, title, "p-strong"),
            shown(picture, box) if weights is None else weighed(picture, weights, box),
            mark("rect", "p-grid", {"x": box.x, "y": box.y, "width": box.wide, "height": box.high}),
        ]
        words, below = _sentence("" if finding is None else finding.sentence, x, y + 26 + high, wide)
        parts.append(words)
        bottoms.append(max(bottoms[-1], below + 8))
    return join(parts), bottoms[-1]


def _aspect(picture: Picture) -> float:
    assert isinstance(picture, Pixels)
    return picture.values_HWC.shape[1] / picture.values_HWC.shape[0]


def _one_below_the_other(picture: Picture, found: Sequence[tuple[str, Found]], y: float) -> tuple[Markup, float]:
    """Draw texts, series and rows once for each method, over the whole width."""
    wide = WIDE - 2 * EDGE
    high = height_of(picture, wide)
    if not found:
        plain = shown(picture, Box(EDGE, y, wide, high))
        return plain, y + high
    parts: list[Child] = []
    for title, finding in found:
        assert finding.weights is not None
        words, below = _sentence(finding.sentence, EDGE, y + 16, wide)
        parts += [text(EDGE, y + 13, title, "p-strong"), words]
        y = below + 6
        parts.append(weighed(picture, finding.weights, Box(EDGE, y, wide, high)))
        y += high + 10
        if finding.maps:
            maps, y = _maps(finding.maps, y)
            parts.append(maps)
    return join(parts), y


def _maps(maps: Sequence[tuple[str, NDArray[np.float64]]], y: float) -> tuple[Markup, float]:
    """Draw the weights between pieces: a row for each piece that looks, a column for each that is looked at."""
    square = [(title, weights) for title, weights in maps if len(weights) > 1][:MOST_MAPS]
    parts: list[Child] = []
    for at, (title, weights_TT) in enumerate(square):
        x = EDGE + at * (MAP + GAP)
        shares = np.sqrt(weights_TT / max(float(weights_TT.max()), 1e-9))
        pixels = np.rint(255 * (1 - 0.92 * shares)).astype(np.uint8)
        box = {"x": x, "y": y + 4, "width": MAP, "height": MAP}
        image: dict[str, Any] = {
            **box,
            "href": thumbnail(pixels),
            "image-rendering": "pixelated" if is_tiny(pixels) else None,
        }
        parts += [
            tag("image", attributes=image),
            mark("rect", "p-grid", box),
            name(x, y + MAP + 18, title, MAP, size=10.5),
        ]
    return join(parts), y + MAP + 30 if square else y


def _sentence(words: str, x: float, y: float, wide: float) -> tuple[Markup, float]:
    lines = wrapped(words, wide) if words else []
    return join(text(x, y + 12 + 15 * at, each, "p-muted", size=11.5) for at, each in enumerate(lines)), y + 15 * len(
        lines
    )
