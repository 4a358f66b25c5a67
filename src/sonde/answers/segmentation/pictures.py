"""The pictures of a model of masks: the Dice and IoU of each class, the confusion of pixels, the Dice of each image."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sonde.answers.answer import Plot, Scored
from sonde.answers.class_bars import class_bars
from sonde.answers.segmentation.predictions import dice_of
from sonde.drawing import Axis, Panel, chart, histogram, matrix, picture
from sonde.drawing.safe_text import one_line

MEASURES = {"dice": "Dice, %", "iou": "IoU, %"}
"""What is drawn of each class, in this order."""
FEWEST = 10
"""Images from which on their Dice is drawn."""


def confusion(counts_CC: Any, classes: Sequence[str]) -> str:
    """Draw which class's pixels are predicted as which, as shares of the true class."""
    counts = np.asarray(counts_CC, dtype=np.int64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [one_line(label, longest=60) for label in classes]

    def tip(row: int, column: int) -> str:
        event = "recognised" if row == column else f"predicted as {names[column]}"
        return f"{names[row]} {event}: {shares[row, column]:.1%} of {counts[row].sum():,} pixels"

    percents = np.rint(100 * shares).astype(np.int64)
    drawn = matrix(percents, (classes, classes), shares_RC=shares, titles=("true class, %", "predicted class"), tip=tip)
    right = np.trace(counts) / max(1, counts.sum())
    return picture(drawn, "plot-confusion", "Confusion of pixels", f"{right:.1%} of the pixels lie on the diagonal.")


def each_image(scored: Scored, scores: Mapping[str, Any]) -> str | None:
    """Draw how the Dice is spread over the images; None where they are few."""
    dice_N = dice_of(scored.predictions.pixels)
    if len(dice_N) < FEWEST:
        return None
    panel = Panel([histogram(dice_N)], Axis("images", low=0, whole=True))
    return picture(chart([panel], Axis("mean Dice of an image")), "plot-each", "Dice of each image")


PICTURES: dict[str, Plot] = {
    "classes": Plot(
        lambda scored, scores: class_bars(scores["per_class"], MEASURES, by="dice"),
        "Each class",
        "Short bars are weak classes; long whiskers are classes in few images, or that vary much.",
    ),
    "confusion": Plot(
        lambda scored, scores: confusion(scores["confusion"], scores["classes"]),
        "Confusion of pixels",
        "Colour off the diagonal marks classes whose pixels are taken for each other; a row adds up to 100 %.",
    ),
    "each": Plot(
        each_image,
        "Each image",
        "A tail to the left is images that fail; see the worst predictions.",
    ),
}
"""In the order they are shown."""
