"""Draws galleries: examples in a grid, each with its captions, and under them what the overlays mean."""

from collections.abc import Sequence
from dataclasses import dataclass

from sonde.drawing.blocks import Block, grid, legend, nothing, padded, paragraph, placed, stack
from sonde.drawing.examples import Pixels, Sketch, Weights
from sonde.drawing.marks import SIZE, name, rect, text
from sonde.drawing.markup import join, tag
from sonde.drawing.names import width

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
