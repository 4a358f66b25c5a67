"""Sets parts of a picture below and beside one another, and makes a whole picture of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sonde.drawing.marks import FONT, SIZE, name, rect, text
from sonde.drawing.markup import Attributes, Child, Markup, join, number, tag
from sonde.drawing.safe_text import cut, one_line, widest, width, wrapped

LEADING = 15.0
"""From one line of a paragraph to the next."""


@dataclass(frozen=True)
class Block:
    """Marks in a frame of their own, from (0, 0) to (wide, high)."""

    wide: float
    high: float
    marks: Markup
    says: str = ""
    """What is seen in it, for those who cannot see it."""


@dataclass(frozen=True)
class Sign:
    """One entry of a legend."""

    sample: Block
    name: str
    note: str = ""
    """A number beside the name."""
    style: str = "p-text"


def stack(blocks: Sequence[Block], *, gap: float = 0.0) -> Block:
    """Return blocks one below the other."""
    return grid(blocks, columns=1, gap=gap)


def grid(blocks: Sequence[Block], *, columns: int, gap: float = 0.0) -> Block:
    """Return blocks row by row, each column as wide as the widest block, each row as high as its highest."""
    pitch = max((block.wide for block in blocks), default=0.0) + gap
    parts, y = [], 0.0
    for first in range(0, len(blocks), columns):
        row = blocks[first : first + columns]
        parts += [placed(block, at * pitch, y) for at, block in enumerate(row)]
        y += max(block.high for block in row) + gap
    wide = min(columns, len(blocks)) * pitch - gap
    return Block(max(wide, 0.0), max(y - gap, 0.0), join(parts), " ".join(block.says for block in blocks if block.says))


def placed(block: Block, x: float, y: float) -> Markup:
    """Return a block's marks at a place."""
    if not block.marks or (x, y) == (0, 0):
        return block.marks
    return tag("g", block.marks, attributes={"transform": f"translate({number(x)} {number(y)})"})


def padded(block: Block, edge: float) -> Block:
    """Return a block with room on all sides."""
    return Block(block.wide + 2 * edge, block.high + 2 * edge, placed(block, edge, edge), block.says)


def paragraph(words: str, wide: float, *, style: str = "p-muted", size: float = 11.5, most: int = 100) -> Block:
    """Return a text broken into lines, of which an ellipsis ends the last that may be; no words take no room."""
    lines = wrapped(words, wide, size=size)
    lines = lines if len(lines) <= most else [*lines[: most - 1], cut(f"{lines[most - 1]} …", wide / size)]
    marks = join(text((0, 12 + LEADING * at), each, style, size=size) for at, each in enumerate(lines))
    return Block(wide, LEADING * len(lines) + (2 if lines else 0), marks, words)


def legend(signs: Sequence[Sign], wide: float, *, most: int = 8) -> Block:
    """Return what signs mean, in as many lines as they need; of more than `most`, how many more there are."""
    more = f"and {len(signs) - most:,} more" if len(signs) > most else ""
    parts: list[Child] = []
    x, y = 0.0, 0.0
    for sign in signs[:most]:
        size = 13.5 if sign.style == "p-strong" else 12.0
        room = widest([sign.name], size=size, most=min(200.0, wide - 34)) + 0.5
        noted = width(sign.note) * size + 6 if sign.note else 0.0
        whole = sign.sample.wide + 6 + room + noted
        if x and x + whole > wide:
            x, y = 0.0, y + 18
        parts.append(placed(sign.sample, x, y + 9 - sign.sample.high / 2))
        x += sign.sample.wide + 6
        parts.append(name((x, y + 13), sign.name, room, sign.style, size=12))
        parts.append(text((x + room + 6, y + 13), sign.note, sign.style, size=12) if sign.note else None)
        x += room + noted + 16
    if more and x + widest([more]) > wide:
        x, y = 0.0, y + 18
    parts.append(text((x, y + 13), more, "p-muted") if more else None)
    return Block(wide, y + 18 if signs else 0.0, join(parts))


def nothing(wide: float, *, high: float = 60.0, words: str = "nothing to show") -> Block:
    """Return an empty frame that says why it is empty."""
    frame = rect((0.5, 0.5, wide - 1, high - 1), "p-grid")
    return Block(wide, high, join([frame, text((wide / 2, high / 2 + 4), words, "p-muted", anchor="middle")]), words)


def picture(block: Block, key: str, title: str, says: str = "") -> Markup:
    """Return a whole SVG picture, which scales to the room it gets.

    The key is a word that is unique among the pictures of a page. Those who cannot see the picture are told its title,
    and what is seen in it: what the blocks say themselves where nothing else is given.
    """
    attributes: Attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {number(block.wide)} {number(block.high)}",
        "width": block.wide,
        "height": block.high,
        "class": "plot",
        "role": "img",
        "aria-labelledby": f"{key}-title {key}-desc",
        "font-family": FONT,
        "font-size": SIZE,
    }
    return tag(
        "svg",
        tag("title", one_line(title), attributes={"id": f"{key}-title"}),
        tag("desc", one_line(says or block.says, longest=1000), attributes={"id": f"{key}-desc"}),
        rect((0, 0, block.wide, block.high), "p-paper"),
        block.marks,
        attributes=attributes,
    )
