"""Draws galleries: examples in a grid with their captions, what lies over images, and what that means."""

# H height, W width, N boxes

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.drawing.blocks import Block, Sign, grid, legend, nothing, padded, paragraph, placed, stack
from sonde.drawing.examples import Overlay, Pixels, Sketch, Weights
from sonde.drawing.images import coloured, image, outline
from sonde.drawing.marks import SIZE, Box, Place, area, name, rect, text
from sonde.drawing.markup import Markup, join, tag
from sonde.drawing.safe_text import cut, width

GAP = 12.0
MOST_TILES = 60
"""Tiles drawn; how many there are is said."""
SMALL = 10.5
"""Letters of the lines below a name."""


@dataclass(frozen=True, eq=False)
class Tile:
    """One example of a gallery."""

    example: Sketch | None
    """None says that there is no picture."""
    name: str = ""
    value: str = ""
    """Beside the name, such as a confidence."""
    notes: Sequence[str] = ()
    """Small lines below."""
    weights: Weights | None = None
    """A heat map over the example; see `examples.Weights`."""
    tip: str = ""
    """What it says when it is pointed at."""


def gallery(tiles: Sequence[Tile], *, columns: int = 3, wide: float = 420.0) -> Block:
    """Return tiles row by row; three in a row can be read on a phone."""
    if not tiles:
        return nothing(wide)
    more = f"the first {MOST_TILES} of {len(tiles):,}" if len(tiles) > MOST_TILES else ""
    tiles, columns = tiles[:MOST_TILES], min(columns, len(tiles))
    side = (wide - GAP) / columns - GAP if columns > 1 else wide / 2
    overlays = [each for tile in tiles if isinstance(tile.example, Pixels) for each in tile.example.overlays]
    signs = {sign.name: sign for overlay in overlays for sign in overlay.signs}
    drawn = grid([_tile(tile, side) for tile in tiles], columns=columns, gap=GAP)
    inside = wide - 2 * GAP
    below = [legend(list(signs.values()), inside, most=20), paragraph(more, inside)]
    return padded(stack([drawn, *(block for block in below if block.high)], gap=GAP / 2), GAP)


def contour(mask_HW: NDArray[Any], name: str = "", *, other: bool = False) -> Overlay:
    """Return the outline of a region, on a pale ground so that it is seen on any image."""

    def marks(shape: tuple[int, int], size: Place) -> Markup:
        path = outline(mask_HW, size)
        return join([area(path, "p-halo"), area(path, "p-other" if other else "p-main")])

    return Overlay(marks, _square(name, other))


def regions(mask_HW: NDArray[np.integer[Any]], names: Sequence[str] = (), *, cover: float = 0.55) -> Overlay:
    """Return a mask of numbers in a colour for each region, covering a share of the image; below zero it is clear."""
    present = [at for at in np.unique(mask_HW).tolist() if 0 <= at < len(names)]
    squares = [image(coloured(np.full((1, 1), at), 1.0), (0, 0, 10, 10)) for at in present]
    signs = [Sign(Block(10, 10, square), names[at]) for at, square in zip(present, squares, strict=True)]
    return Overlay(lambda shape, size: image(coloured(mask_HW, cover), (0, 0, *size)), signs)


def boxes(corners_N4: ArrayLike, labels: Sequence[str] = (), name: str = "", *, other: bool = False) -> Overlay:
    """Return boxes from left, top, right and bottom in pixels of the image, each with its label inside at the top."""

    def marks(shape: tuple[int, int], size: Place) -> Markup:
        corners = np.asarray(corners_N4, dtype=np.float64).reshape(-1, 4)
        corners = corners * np.array([size[0] / shape[1], size[1] / shape[0]] * 2)
        parts = []
        for at in np.flatnonzero(np.isfinite(corners).all(axis=1)).tolist():
            left, top, right, bottom = np.clip(corners[at], 0, [*size, *size]).tolist()
            box: Box = (left, top, right - left, bottom - top)
            parts += [rect(box, "p-halo"), rect(box, "p-other" if other else "p-main")]
            if at < len(labels):
                label = cut(labels[at], (size[0] - 6) / 10.5)
                wide = width(label) * 10.5 + 6
                x, y = max(min(left, size[0] - wide), 0.0), max(min(top, size[1] - 14), 0.0)
                parts.append(rect((x, y, wide, 14), "p-fill-other" if other else "p-fill"))
                parts.append(text((x + 3, y + 10.5), label, "p-reversed", size=10.5))
        return join(parts)

    return Overlay(marks, _square(name, other))


def _tile(tile: Tile, side: float) -> Block:
    inside = nothing(side - 2, high=side - 2, words="no picture")
    if tile.example is not None:
        inside = tile.example.block(side - 2, high=side - 2, weights=tile.weights)
    room = side - (width(tile.value) * SIZE + 8 if tile.value else 0)
    parts = [
        tag("title", tile.tip) if tile.tip else None,
        rect((0, 0, side, side), "p-grid"),
        placed(inside, 1, 1),
        name((0, side + 17), tile.name, room) if tile.name else None,
        text((side, side + 17), tile.value, "p-strong", anchor="end") if tile.value else None,
        *(name((0, side + 32 + 15 * at), note, side, size=SMALL) for at, note in enumerate(tile.notes)),
    ]
    high = side + (22 if tile.name else 4) + 15 * len(tile.notes)
    says = tile.tip or " ".join(filter(None, [tile.name, tile.value, *tile.notes, inside.says]))
    return Block(side, high, tag("g", join(parts)), f"{says}.")


def _square(name: str, other: bool) -> list[Sign]:
    return [Sign(Block(10, 10, rect((1, 1, 8, 8), "p-other" if other else "p-main")), name)] if name else []
