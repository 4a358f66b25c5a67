"""Draws which class is predicted for which: a matrix, and of many classes the pairs that are confused most."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.drawing import Axis, Interval, Measure, bars, matrix, paragraph, picture, stack
from sonde.drawing.matrix import MOST_WITH_NUMBERS
from sonde.drawing.numbers_in_words import percent
from sonde.drawing.safe_text import cut, one_line

# C classes; rows are the truth, columns the prediction

MOST_PAIRS = 12
"""Confused pairs that are named."""


def confusion_matrix(counts_CC: ArrayLike, classes: Sequence[str]) -> str:
    """Draw the confusion matrix: counts by true class (row) and predicted class, coloured by their share of the row."""
    counts = np.asarray(counts_CC, dtype=np.int64).reshape(len(classes), len(classes))
    shares = _shares(counts)
    names = [one_line(label, longest=60) for label in classes]

    def tip(row: int, column: int) -> str:
        event = "recognised" if row == column else f"predicted as {names[column]}"
        return f"{names[row]} {event}: {counts[row, column]:,} of {counts[row].sum():,} ({shares[row, column]:.1%})"

    drawn = matrix(counts, (classes, classes), shares_RC=shares, titles=("true class", "predicted class"), tip=tip)
    pairs = confused_pairs(counts)
    if len(classes) > MOST_WITH_NUMBERS and pairs:
        times = Measure("Examples", [Interval(count) for _, _, count, _ in pairs], Axis(low=0, whole=True))
        part = [Interval(share) for *_, share in pairs]
        share = Measure("Share", part, Axis(low=0, write="{:.0%}".format), write=percent)
        rows = [f"{cut(names[row], 7.4)} → {cut(names[column], 7.4)}" for row, column, *_ in pairs]
        title = paragraph("Most confused: true class → predicted class", 420, style="p-text", size=13)
        drawn = stack([drawn, title, bars(rows, [times, share], room=205)], gap=8)
    says = f"{np.trace(counts):,} of {counts.sum():,} examples of {len(classes)} classes lie on the diagonal."
    for row, column, count, _ in pairs[:3]:
        says += f" {names[row]} is predicted as {names[column]} {count:,} times."
    return picture(drawn, "plot-confusion", "Confusion matrix", says)


def confused_pairs(counts_CC: ArrayLike, most: int = MOST_PAIRS) -> list[tuple[int, int, int, float]]:
    """Return the commonest confusions, the most examples first.

    Returns:
        For each: index of the true class, index of the predicted class, examples, and their share of the true class.
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
