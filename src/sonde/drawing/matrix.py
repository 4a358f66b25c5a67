"""Draws matrices: numbers on coloured cells, or of many rows and columns a map of shades with thinned names."""

from collections.abc import Callable, Sequence
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.drawing.axes import plain
from sonde.drawing.blocks import Block, nothing
from sonde.drawing.marks import SHADES, Place, name, rect, shaded, sideways, text
from sonde.drawing.markup import Child, Markup, join, tag
from sonde.drawing.safe_text import one_line, widest

# R rows, C columns

MOST_WITH_NUMBERS = 12
"""Rows or columns up to which each cell holds its number; beyond, it would be smaller than can be read on a phone."""
MOST_CELLS = 80
"""Cells of a map's side; of more, each drawn cell is the strongest of its few."""
NAMES = 112.0
"""Room for names at most."""


def matrix(
    values_RC: ArrayLike,
    names: tuple[Sequence[str], Sequence[str]],
    *,
    shares_RC: ArrayLike | None = None,
    titles: tuple[str, str] = ("", ""),
    tip: Callable[[int, int], str] | None = None,
    wide: float = 420.0,
) -> Block:
    """Return a matrix with the names of its rows and columns, and titles that say what these are.

    A cell is coloured by its share, up to 1, in the other colour below zero; without shares by its value over the
    largest. Values that are not finite are missing. The tip of a row and column is said when the cell is pointed at.
    """
    values = np.array(values_RC, dtype=np.float64, ndmin=2).reshape(len(names[0]), len(names[1]))
    if not values.size:
        return nothing(wide)
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    shares = values / largest if shares_RC is None else np.array(shares_RC, dtype=np.float64).reshape(values.shape)
    shares = np.clip(np.where(np.isfinite(values), np.nan_to_num(shares), 0.0), -1, 1)
    few = max(values.shape) <= MOST_WITH_NUMBERS
    size = 12.5 if few else 10.5
    left = 20 + widest(names[0], size=size, most=NAMES if few else 90.0) + 10
    cell = min(76.0, (wide - left - 4) / values.shape[1])
    tall = cell if few else min(max(cell, 9.0), wide / values.shape[0])
    turned = not few or widest(names[1], size=size) > cell - 6
    top = 24 + (widest(names[1], size=size, most=96.0) + 8 if turned else 20)
    inside = (cell * values.shape[1], tall * values.shape[0])
    parts: list[Child] = [
        text((left + inside[0] / 2, 14), titles[1], "p-muted", anchor="middle") if titles[1] else None,
        sideways((14, top + inside[1] / 2), text((0, 0), titles[0], "p-muted", anchor="middle")) if titles[0] else None,
    ]
    for at in range(0, len(names[0]), 1 if few else ceil(12.0 / tall)):
        parts.append(name((left - 8, top + (at + 0.5) * tall + 4), names[0][at], left - 28, anchor="end", size=size))
    for at in range(0, len(names[1]), 1 if few else ceil(12.0 / cell)):
        x = left + (at + 0.5) * cell
        if turned:
            parts.append(sideways((x + 4, top - 8), name((0, 0), names[1][at], 96.0, size=size)))
        else:
            parts.append(name((x, top - 8), names[1][at], cell - 4, anchor="middle"))
    cells = _numbers(values, shares, cell, tip) if few else _map(values, shares, inside)
    parts.append(tag("g", cells, attributes={"transform": f"translate({left:.2f} {top:.2f})"}))
    return Block(left + inside[0] + 4, top + inside[1] + 6, join(parts), _said(values, names))


def _numbers(
    values: NDArray[np.float64], shares: NDArray[np.float64], side: float, tip: Callable[[int, int], str] | None
) -> Markup:
    cells = []
    for row, column in np.ndindex(*values.shape):
        value, share = float(values[row, column]), float(shares[row, column])
        words = "–" if not np.isfinite(value) else plain(value) if value else "·"
        # A single mistake must be seen: the weakest colour of a cell with something in it is not the paper's.
        box = (column * side + 0.75, row * side + 0.75, side - 1.5, side - 1.5)
        ground = rect(box, "p-fill" if share >= 0 else "p-fill-other", opacity=0.07 + 0.93 * abs(share))
        style = "p-muted" if words in "–·" else "p-reversed" if abs(share) > 0.55 else "p-text"
        size = min(12.5 if side >= 34 else 11.0, (side - 3) / (0.6 * len(words)))
        place = ((column + 0.5) * side, (row + 0.5) * side + 4.3)
        number = text(place, words, style, anchor="middle", size=size)
        told = tag("title", tip(row, column)) if tip else None
        cells.append(tag("g", told, ground if words not in "–·" else None, number))
    return join(cells)


def _map(values: NDArray[np.float64], shares: NDArray[np.float64], size: Place) -> Markup:
    strong = np.maximum(np.ceil(np.sqrt(np.abs(shares)) * SHADES), 2 * (np.nan_to_num(values) != 0))
    parts: list[Child] = [rect((0, 0, *size), "p-grid")]
    for style, sign in (("p-fill", 1), ("p-fill-other", -1)):
        shades = np.where(shares * sign > 0 if sign < 0 else shares >= 0, strong, 0).astype(np.int64)
        for axis, count in enumerate(values.shape):
            if count > MOST_CELLS:
                shades = np.maximum.reduceat(shades, np.arange(MOST_CELLS) * count // MOST_CELLS, axis=axis)
        parts.append(shaded(shades, (size[0] / shades.shape[1], size[1] / shades.shape[0]), style))
    return join(parts)


def _said(values: NDArray[np.float64], names: tuple[Sequence[str], Sequence[str]]) -> str:
    known = np.flatnonzero(np.isfinite(values))
    largest = known[np.argsort(-np.abs(values.ravel()[known]), kind="stable")][:8]
    cells = [divmod(int(at), values.shape[1]) for at in largest]
    rows, columns = ([one_line(each, longest=40) for each in axis] for axis in names)
    told = "; ".join(f"{rows[row]} and {columns[column]}: {plain(float(values[row, column]))}" for row, column in cells)
    return f"{len(rows):,} x {len(columns):,} cells, the largest: {told}."
