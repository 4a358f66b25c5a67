"""Draws an explanation: the example, and for each method what speaks for the prediction in it and what against."""

# T time

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sonde.drawing import Axis, Block, Interval, Measure, Sketch, bars, grid, padded, paragraph, picture, stack
from sonde.drawing.blocks import Sign, legend
from sonde.drawing.images import grey, image
from sonde.drawing.marks import name, rect
from sonde.drawing.numbers_in_words import percent
from sonde.drawing.safe_text import one_line
from sonde.evaluation.explanations.found import Found

WIDE, EDGE, GAP = 440.0, 14.0, 16.0
MOST_MAPS, MOST_COLUMNS = 4, 30
"""Maps of attention and columns drawn."""


@dataclass(frozen=True)
class Explained:
    """An explanation, as it is drawn."""

    name: str
    heading: str
    """Prediction, confidence and truth, in words."""
    picture: Sketch | None
    found: Sequence[tuple[str, Found]]
    """Title of each method, and what it found."""


def heading(answer: str, confidence: float | None, *, truth: str = "", about: str = "") -> str:
    """Say what was predicted, whether that is true where it is known, and which other class is explained, if any."""
    told = one_line(answer, longest=60) + ("" if confidence is None else f" with {percent(confidence)}")
    if truth:
        told += ", which is right" if truth == answer else f"; the truth is {one_line(truth, longest=60)}"
    return told + (f"; explained is {one_line(about, longest=60)}" if about and about != answer else "")


def explanation(explained: Explained, key: str) -> str:
    """Draw an explanation; the key is unique among the pictures of a page."""
    applied = [(title, found) for title, found in explained.found if found.weights is not None]
    titles = [
        Block(WIDE, high, name((0, high - 6), words, WIDE, size=size))
        for words, high, size in ((explained.name, 17.0, 13.5), (explained.heading, 22.0, 12.5))
    ]
    blocks = [*titles, *([] if explained.picture is None else [_drawn(explained.picture, applied)])]
    weights = [found.weights for _, found in applied if found.weights is not None]
    kinds = (("p-fill", "speaks for it", 1), ("p-fill-other", "speaks against it", -1))
    signs = [
        Sign(Block(10, 10, rect((0, 0, 10, 10), style)), words, style="p-muted")
        for style, words, sign in kinds
        if any((sign * each > 0).any() for each in weights)
    ]
    blocks.append(legend(signs, WIDE))
    reasons = [f"{title} does not apply: {found.reason}." for title, found in explained.found if found.reason]
    blocks += [paragraph(reason, WIDE) for reason in reasons]
    drawn = padded(stack([block for block in blocks if block.high], gap=6), EDGE)
    return picture(drawn, key, f"{one_line(explained.name, longest=80)}: {explained.heading}")


def importance_bars(rows: Sequence[Mapping[str, Any]], metric: str, key: str = "explained-importance") -> str | None:
    """Draw what a score loses when each column of a table is shuffled, with the interval over the shuffles.

    Each row has column, mean, low and high, the most important first; the metric is named as people know it.
    """
    drawn = rows[:MOST_COLUMNS]
    losses = [Interval(float(row["mean"]), float(row["low"]), float(row["high"])) for row in drawn]
    measure = Measure(f"{metric} lost when shuffled", losses, Axis(least=1e-3), write="{:.3f}".format)
    block = bars([str(row["column"]) for row in drawn], [measure], wide=440, room=160)
    return picture(block, key, "Permutation importance of the columns") if drawn else None


def _drawn(example: Sketch, applied: Sequence[tuple[str, Found]]) -> Block:
    """Draw images two in a row, first as they are and then with the weights of each method, and others one by one."""
    columns = min(len(example.places), 2)
    wide = (WIDE - (columns - 1) * GAP) / columns
    plain = [("The example" if applied else "", Found())] if columns > 1 or not applied else []
    cells = []
    for title, found in (*plain, *applied):
        parts = [
            paragraph(title, wide, style="p-strong", size=12.5),
            paragraph(found.sentence, wide),
            example.block(wide, weights=found.weights),
            _maps(found),
        ]
        order = (0, 2, 1, 3) if columns > 1 else (0, 1, 2, 3)
        cells.append(stack([parts[at] for at in order if parts[at].high], gap=4))
    return grid(cells, columns=columns, gap=GAP)


def _maps(found: Found) -> Block:
    """Draw the weights between pieces: a row for each piece that looks, a column for each that is looked at."""
    maps, side = [], (WIDE + GAP) / MOST_MAPS - GAP
    for title, weights_TT in [each for each in found.maps if len(each[1]) > 1][:MOST_MAPS]:
        pixels = grey((weights_TT / max(float(weights_TT.max()), 1e-9)) ** 0.5, low=0.0, high=1.0)
        title_below = Block(side, 18, name((0, 14), title, side, size=10.5))
        maps.append(stack([Block(side, side, image(pixels, (0, 0, side, side))), title_below]))
    return grid(maps, columns=MOST_MAPS, gap=GAP)
