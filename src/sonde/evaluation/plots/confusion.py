"""Draws which class is taken for which: a matrix for few classes, a map and the commonest confusions for many."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.evaluation.plots.markup import Markup, join, number, tag
from sonde.evaluation.plots.names import one_line
from sonde.evaluation.plots.svg import mark, name, sheet, text, widest

# C classes; rows are the truth, columns the guess
MOST_WITH_NUMBERS = 12
"""Classes up to which each cell holds its count; beyond, numbers would be smaller than can be read on a phone."""

MOST_PAIRS = 12
"""Confused pairs that are named where there are no numbers."""

STEPS = 12
"""Shades of the map for many classes; cells of a shade are one path, so that 100 classes stay below 100 kB."""

WIDE = 500.0


def confusion_matrix(counts_CC: ArrayLike, classes: Sequence[str]) -> str:
    """Draw the confusion matrix: counts, coloured by their share of the row.

    Args:
        counts_CC: examples by truth (row) and guess (column).
        classes: names of the classes, C.

    Returns:
        An SVG picture.
    """
    counts = np.asarray(counts_CC, dtype=np.int64).reshape(len(classes), len(classes))
    few = len(classes) <= MOST_WITH_NUMBERS
    return _with_numbers(counts, classes) if few else _with_pairs(counts, classes)


def confused_pairs(counts_CC: ArrayLike, most: int = MOST_PAIRS) -> list[tuple[int, int, int, float]]:
    """Return the commonest confusions, the most examples first.

    Args:
        counts_CC: examples by truth and guess.
        most: how many to return.

    Returns:
        For each: index of the truth, index of the guess, examples, and their share of that truth.
    """
    counts = np.array(counts_CC, dtype=np.int64, ndmin=2)
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    shares = _shares(counts)
    order = np.lexsort((-shares.ravel(), -wrong.ravel()))[:most]
    pairs = [divmod(int(index), len(counts)) for index in order if wrong.ravel()[index]]
    return [(row, column, int(wrong[row, column]), float(shares[row, column])) for row, column in pairs]


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def _with_numbers(counts: NDArray[np.int64], classes: Sequence[str]) -> str:
    shares = _shares(counts)
    left = widest(classes, size=12.5, most=112.0) + 34
    cell = min(76.0, (WIDE - left - 4) / len(classes))
    turned = widest(classes, size=12.5, most=1000.0) > cell - 6
    top = 26 + (widest(classes, size=12.5, most=96.0) + 8 if turned else 20)
    size = 12.5 if cell >= 34 else 11.0
    wide, high = left + cell * len(classes) + 4, top + cell * len(classes) + 6
    parts = [
        text(left + cell * len(classes) / 2, 14, "guess", "p-muted", anchor="middle"),
        _sideways(14, top + cell * len(classes) / 2, "truth"),
    ]
    for row, truth in enumerate(classes):
        middle = top + (row + 0.5) * cell
        parts.append(name(left - 8, middle + 4, truth, left - 34, anchor="end"))
        parts.append(_column_name(left + (row + 0.5) * cell, top - 8, truth, cell, turned=turned))
        for column, guess in enumerate(classes):
            told = f"{one_line(truth, longest=80)} taken for {one_line(guess, longest=80)}"
            told = f"{one_line(truth, longest=80)} recognised" if row == column else told
            tip = f"{told}: {counts[row, column]:,} of {counts[row].sum():,} ({shares[row, column]:.1%})"
            box = (left + column * cell, top + row * cell, cell)
            parts.append(_cell(box, int(counts[row, column]), float(shares[row, column]), tip=tip, size=size))
    return sheet((wide, high), "plot-confusion", "Confusion matrix", _words(counts, classes), parts)


def _cell(box: tuple[float, float, float], count: int, share: float, *, tip: str, size: float) -> Markup:
    x, y, side = box
    strong = share > 0.55
    # A single mistake must be seen: the weakest colour of a cell with something in it is not the paper's.
    shade = 0.07 + 0.93 * share
    style = "p-reversed" if strong else ("p-muted" if count == 0 else "p-text")
    return tag(
        "g",
        tag("title", tip),
        mark("rect", "p-fill", {"x": x + 0.75, "y": y + 0.75, "width": side - 1.5, "height": side - 1.5, "rx": 1.5,
                                "fill-opacity": shade}) if count else None,
        text(x + side / 2, y + side / 2 + 4.3, f"{count:,}" if count else "·", style, anchor="middle",
             size=size if len(str(count)) < 5 else size - 2.5),
    )  # fmt: skip


def _column_name(x: float, y: float, words: str, cell: float, *, turned: bool) -> Markup:
    if not turned:
        return name(x, y, words, cell - 4, anchor="middle")
    inside = name(0, 0, words, 96)
    return tag("g", inside, attributes={"transform": f"translate({number(x + 4)} {number(y)}) rotate(-90)"})


def _sideways(x: float, y: float, words: str) -> Markup:
    inside = text(0, 0, words, "p-muted", anchor="middle")
    return tag("g", inside, attributes={"transform": f"translate({number(x)} {number(y)}) rotate(-90)"})


def _with_pairs(counts: NDArray[np.int64], classes: Sequence[str]) -> str:
    wide, left, side = 420.0, 24.0, 388.0
    top, cell = 24.0, 388.0 / len(classes)
    pairs = confused_pairs(counts)
    start = top + side + 30
    parts = [
        text(left + side / 2, 14, f"guess ({len(classes)} classes, in the order of the table)", "p-muted",
             anchor="middle"),
        _sideways(14, top + side / 2, "truth"),
        mark("rect", "p-grid", {"x": left, "y": top, "width": side, "height": side}),
        _map(_shares(counts), counts, (left, top, cell)),
        text(left, start, "Most confused pairs" if pairs else "No example was confused.", "p-text", size=13),
        *(_pair(pair, classes, counts, (left, start + 22 + index * 21)) for index, pair in enumerate(pairs)),
    ]  # fmt: skip
    high = start + 14 + 21 * len(pairs)
    return sheet((wide, high), "plot-confusion", "Confusion matrix", _words(counts, classes), parts)


def _map(shares: NDArray[np.float64], counts: NDArray[np.int64], place: tuple[float, float, float]) -> Markup:
    left, top, cell = place
    shades = np.where(counts > 0, np.maximum(np.ceil(np.sqrt(shares) * STEPS), 2), 0).astype(int)
    paths = []
    for shade in range(1, STEPS + 1):
        rows, columns = np.nonzero(shades == shade)
        cells = "".join(
            f"M{number(left + column * cell)} {number(top + row * cell)}h{number(cell)}v{number(cell)}h-{number(cell)}z"
            for row, column in zip(rows, columns, strict=True)
        )
        if cells:
            paths.append(mark("path", "p-fill", {"d": cells, "fill-opacity": shade / STEPS}))
    return join(paths)


def _pair(
    pair: tuple[int, int, int, float], classes: Sequence[str], counts: NDArray[np.int64], place: tuple[float, float]
) -> Markup:
    row, column, count, share = pair
    x, y = place
    return join(
        [
            name(x + 124, y, classes[row], 124, anchor="end", size=12),
            text(x + 136, y, "→", "p-muted", anchor="middle", size=12),
            name(x + 148, y, classes[column], 124, size=12),
            mark("rect", "p-fill", {"x": x + 278, "y": y - 9, "width": max(40 * share, 1), "height": 10,
                                    "fill-opacity": 0.55}),
            text(x + 388, y, f"{count:,} of {counts[row].sum():,}", "p-muted", anchor="end", size=11.5),
        ]
    )  # fmt: skip


def _words(counts: NDArray[np.int64], classes: Sequence[str]) -> str:
    right, total = int(np.trace(counts)), int(counts.sum())
    said = f"{right:,} of {total:,} examples of {len(classes)} classes lie on the diagonal."
    for row, column, count, _ in confused_pairs(counts, 3):
        truth, guess = one_line(classes[row], longest=60), one_line(classes[column], longest=60)
        said += f" {truth} is taken for {guess} {count:,} times."
    return said
