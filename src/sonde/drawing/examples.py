"""Draws examples as people see them, and what in them speaks for something (blue) and what against it (orange).

Nothing hangs on colour alone: in texts a bar stands below what is for and above what is against, over time it points up
or down, in rows it goes right or left. On images it is colour alone, so that each is drawn without it too.
"""

# T time, C channels, F bands, H height, W width

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sonde.drawing.axes import Scale
from sonde.drawing.bars import Interval, Measure, bars
from sonde.drawing.blocks import Block, Sign, paragraph, placed, stack
from sonde.drawing.images import grey, image, is_tiny, thumbnail, tinted
from sonde.drawing.layers import Frame, bins, curve
from sonde.drawing.marks import FONT, SIZE, Place, name, rect, straight, text
from sonde.drawing.markup import Child, Markup, join, tag
from sonde.drawing.page import element
from sonde.drawing.safe_text import cut, one_line, width

Weights = NDArray[Any]
"""One for each of an example's `places`: above zero for, below zero against."""

LEADING = 23.0
"""From one line of a text to the next."""
POINTS = 240
"""Steps of a series that are drawn; of more, the highest and the lowest of each few."""
STRIPS, ROWS = 6, 12
"""Channels and columns drawn at most."""
STRIP = 44.0
"""Height of a channel."""
LONGEST_TEXT, MOST_CELLS = 320, 8
"""Letters of a text and columns of a row that a page shows; the file that holds them is named there."""
SIDE = 136
"""Units of a drawing's side on a page."""


@dataclass(frozen=True, eq=False)
class Overlay:
    """Something that lies over an image."""

    marks: Callable[[tuple[int, int], Place], Markup]
    """Draws it over an image of H x W pixels that is shown at a width and a height."""
    signs: Sequence[Sign] = ()
    """Its entries in a legend."""


class Sketch(Protocol):
    """What people are shown of an example."""

    @property
    def places(self) -> tuple[int, ...]:
        """The shape of weights for it."""

    def block(self, wide: float, *, high: float | None = None, weights: Weights | None = None) -> Block:
        """Return it drawn to a width, and to a height where one is given: what does not fit is left out."""

    @property
    def is_read(self) -> bool:
        """Whether it is words, which need more room on a page than a small picture."""

    def on_page(self, says: str) -> Markup:
        """Return it as a part of a page, small; with what it shows in words, for those who do not see it."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """An image, and what lies over it."""

    values_HWC: NDArray[np.uint8]
    """1 or 3 channels."""
    overlays: Sequence[Overlay] = ()

    @property
    def places(self) -> tuple[int, ...]:
        return self.values_HWC.shape[:2]

    def block(self, wide: float, *, high: float | None = None, weights: Weights | None = None) -> Block:
        """Return the largest image of its shape that fits; without a height none is higher than wide."""
        rows, columns = self.values_HWC.shape[:2]
        scale = min(wide / columns, (high or wide) / rows)
        size = (columns * scale, rows * scale)
        shown = self.values_HWC if weights is None else tinted(self.values_HWC, weights)
        marks = join([image(shown, (0, 0, *size)), *(each.marks((rows, columns), size) for each in self.overlays)])
        drawn = Block(*size, marks, f"Image of {columns} x {rows} pixels.")
        if high is None:
            return drawn
        return Block(wide, high, placed(drawn, (wide - size[0]) / 2, (high - size[1]) / 2), drawn.says)

    is_read = False

    def on_page(self, says: str) -> Markup:
        """Return the image without what lies over it."""
        return _thumbnail(self.values_HWC, says)


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """A recording, as time and frequency."""

    values_TF: NDArray[np.floating[Any]]
    """Decibels, the lowest band first."""

    @property
    def places(self) -> tuple[int, ...]:
        return self.values_TF.shape

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """H x W x 1: time to the right, low bands below, what is loud dark."""
        low, high = np.percentile(np.nan_to_num(self.values_TF), (5, 99.5))
        return grey(self.values_TF, low=float(low), high=float(high)).T[::-1, :, None]

    def block(self, wide: float, *, high: float | None = None, weights: Weights | None = None) -> Block:
        """Return it stretched; without a height, to half its width."""
        shown = self.pixels if weights is None else tinted(self.pixels, weights.T[::-1])
        high = high or wide * 0.5
        says = "Spectrogram of {:,} frames and {:,} bands.".format(*self.values_TF.shape)
        return Block(wide, high, image(shown, (0, 0, wide, high)), says)

    is_read = False

    def on_page(self, says: str) -> Markup:
        """Return it as an image."""
        return _thumbnail(self.pixels, says)


@dataclass(frozen=True)
class Text:
    """A text in pieces: tokens that have a weight each, or the whole as one piece."""

    pieces: tuple[str, ...]
    apart: bool = True
    """Whether a blank stands between pieces."""

    @property
    def places(self) -> tuple[int, ...]:
        return (len(self.pieces),)

    @property
    def whole(self) -> str:
        return (" " if self.apart else "").join(self.pieces)

    def block(self, wide: float, *, high: float | None = None, weights: Weights | None = None) -> Block:
        """Return its words; to a height and without weights its beginning, in small letters."""
        if weights is None and high is not None:
            small = paragraph(self.whole, wide - 8, style="p-text", size=10.5, most=int((high - 6) // 15) or 1)
            return Block(wide, high, placed(small, 4, 2), f"Text: {self.whole}")
        weights = np.zeros(len(self.pieces)) if weights is None else weights
        largest = float(np.abs(weights).max(initial=0.0)) or 1.0
        parts: list[Child] = []
        lines = self._broken(wide)
        for base, pieces in zip(np.arange(len(lines)) * LEADING + 16, lines, strict=True):
            for number, words, x in pieces:
                parts.append(_tint(float(weights[number]) / largest, x, base, width(words) * SIZE))
                parts.append(text((x, base), words))
        return Block(wide, LEADING * len(lines) + 4, join(parts), f"Text: {self.whole}")

    def _broken(self, wide: float) -> list[list[tuple[int, str, float]]]:
        """Return lines: for each piece its number, its words and where it begins."""
        lines: list[list[tuple[int, str, float]]] = [[]]
        x, blank = 0.0, 0.33 * SIZE
        for number, piece in enumerate(self.pieces):
            # A blank at the front of a piece is room before it: SVG leaves such blanks out.
            front = blank if lines[-1] and (self.apart or piece[:1].isspace()) else 0.0
            words = cut(piece.strip(), wide / SIZE) if piece.strip() else " "
            room = width(words) * SIZE
            if lines[-1] and x + front + room > wide:
                lines.append([])
                x = front = 0.0
            lines[-1].append((number, words, x + front))
            x += front + room
        return lines

    is_read = True

    def on_page(self, says: str) -> Markup:
        """Return its beginning."""
        return element("blockquote", "", one_line(" ".join(self.pieces), longest=LONGEST_TEXT))


@dataclass(frozen=True, eq=False)
class Lines:
    """A series, each channel in a strip of its own and over its own range."""

    values_TC: NDArray[np.floating[Any]]
    """NaN where a value is missing."""

    @property
    def places(self) -> tuple[int, ...]:
        return self.values_TC.shape[:1]

    def block(self, wide: float, *, high: float | None = None, weights: Weights | None = None) -> Block:
        """Return a strip for each channel; with weights one more for them, up for what is for and down for against."""
        length, channels = self.values_TC.shape
        drawn, last = min(channels, STRIPS), STRIP * (weights is not None)
        strip = STRIP if high is None else (high - last) / max(drawn, 1)
        strips = [self._strip(channel, wide, strip) for channel in range(drawn)]
        if weights is not None:
            steps = np.linspace(0, len(weights), min(POINTS, len(weights)) + 1).astype(int)
            means = np.add.reduceat(weights, steps[:-1]) / np.diff(steps) / (np.abs(weights).max() or 1.0)
            frame = Frame(Scale(0, len(weights), 0.0, wide), Scale(-1, 1, STRIP - 3, 3.0))
            foot = straight((0, STRIP / 2), (wide, STRIP / 2), "p-axis")
            strips.append(Block(wide, STRIP, join([bins(steps, means).marks(frame), foot])))
        whole = stack(strips)
        says = f"Series of {length:,} steps" + (f" in {channels:,} channels." if channels > 1 else ".")
        return Block(wide, whole.high, whole.marks, says)

    def _strip(self, channel: int, wide: float, high: float) -> Block:
        values = self.values_TC[:, channel]
        known = values[np.isfinite(values)]
        if not len(known):
            return Block(wide, high, text((wide / 2, high / 2), "all missing", "p-muted", anchor="middle"))
        up = Scale(float(known.min()), float(known.max()), high - 3, 3.0)
        frame = Frame(Scale(0, max(len(values) - 1, 1), 0.0, wide), up, POINTS)
        return Block(wide, high, curve(np.arange(len(values)), values, look="second").marks(frame))

    is_read = False

    def on_page(self, says: str) -> Markup:
        """Return the strips, drawn to a square."""
        attributes = {"viewBox": f"0 0 {SIDE} {SIDE}", "class": "drawing", "role": "img", "font-family": FONT}
        return tag("svg", tag("title", says), self.block(SIDE, high=SIDE).marks, attributes=attributes)


@dataclass(frozen=True)
class Row:
    """A row of a table."""

    columns: tuple[str, ...]
    values: tuple[str, ...]
    """As text; empty where missing."""

    @property
    def places(self) -> tuple[int, ...]:
        return (len(self.columns),)

    @property
    def cells(self) -> list[tuple[str, str]]:
        return [(column, value or "–") for column, value in zip(self.columns, self.values, strict=True)]

    def block(self, wide: float, *, high: float | None = None, weights: Weights | None = None) -> Block:
        """Return its cells in small letters; with weights those with the largest, right for what is for."""
        says = "Row: " + ", ".join(f"{column} {value}" for column, value in self.cells)
        parts: list[Child] = []
        if weights is not None:
            order = np.argsort(-np.abs(weights), kind="stable")[:ROWS].tolist()
            names = [f"{self.cells[at][0]}: {self.cells[at][1]}" for at in order]
            shares = Measure("", [Interval(float(weights[at])) for at in order], write="{:+.3g}".format)
            return replace(bars(names, [shares], wide=wide, room=wide * 0.45), says=says)
        shown = self.cells[: max(1, int(high // 15)) if high else ROWS]
        for at, (column, value) in enumerate(shown):
            y = 15.0 * at + 13
            parts.append(name((4, y), column, wide * 0.58, size=10.5))
            parts.append(name((wide - 4, y), value, wide * 0.36, anchor="end", size=10.5))
        return Block(wide, high or 15.0 * len(shown) + 4, join(parts), says)

    is_read = True

    def on_page(self, says: str) -> Markup:
        """Return its first cells."""
        rows = [
            element("div", "", tag("dt", one_line(column, longest=40)), tag("dd", one_line(value, longest=40)))
            for column, value in self.cells[:MOST_CELLS]
        ]
        return element("dl", "cells", *rows)


def _thumbnail(pixels_HWC: NDArray[np.uint8], says: str) -> Markup:
    high, wide = pixels_HWC.shape[:2]
    attributes = {"src": thumbnail(pixels_HWC), "alt": says, "width": wide, "height": high}
    return tag("img", attributes={**attributes, "class": "tiny" if is_tiny(pixels_HWC) else None})


def _tint(share: float, x: float, base: float, wide: float) -> Markup | None:
    """Draw the ground of a word, and a bar below it for what is for, above it for what is against."""
    if not abs(share) >= 0.04:
        return None
    style, high = "p-fill" if share > 0 else "p-fill-other", 1.0 + 2.5 * abs(share)
    bar = (x, base + 3.5 if share > 0 else base - 12.0 - high, wide, high)
    return join([rect((x, base - 12, wide, 15.5), style, opacity=0.06 + 0.22 * abs(share)), rect(bar, style)])
