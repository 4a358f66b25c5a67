"""Writes the gallery of the worst predictions, whatever it is that was read and asked."""

from sonde.answers.facts import Facts, Shown
from sonde.drawing import Pixels, Row, Spectrogram, Text
from sonde.drawing.images import is_tiny, thumbnail
from sonde.drawing.marks import FONT
from sonde.drawing.markup import Markup, tag
from sonde.drawing.names import one_line
from sonde.drawing.page import element, name, section, sentences
from sonde.drawing.words import percent
from sonde.evaluation.plots.gallery import caption

LONGEST_TEXT = 320
"""Letters of a text that are shown; the file that holds it is named below it."""
CELL = 136
"""Units of a drawing's side."""
MOST_CELLS = 8
"""Columns of a row that are shown."""


def worst(facts: Facts) -> Markup | None:
    """Return the gallery of the worst predictions."""
    if not facts.worst:
        return None
    told = (
        "The predictions that miss the target most. Look for wrong targets first: they are often found here. "
        "predictions.parquet in the run's folder holds every test example."
    )
    # Words and rows need more room than a thumbnail.
    read = any(isinstance(each.picture, Text | Row) for each in facts.worst)
    gallery = element("div", "gallery readings" if read else "gallery", *map(_one, facts.worst))
    return section("worst", "Worst predictions", sentences(told), gallery)


def _one(shown: Shown) -> Markup:
    sure = None if shown.confidence is None else tag("b", percent(shown.confidence))
    truth = f" ({percent(shown.truth_confidence)})" if shown.truth_confidence is not None else ""
    return element(
        "figure",
        "mistake",
        _picture(shown),
        tag(
            "figcaption",
            element("span", "guess", name(shown.predicted), " " if sure else None, sure),
            element("span", "truth", "target: ", name(shown.truth), truth),
            element("span", "file", shown.note) if shown.note else None,
            element("span", "file", name(shown.name)),
        ),
    )


def _picture(shown: Shown) -> Markup:
    picture = shown.picture
    if picture is None:
        return element("div", "missing", "no picture")
    if isinstance(picture, Text):
        return element("blockquote", "", one_line(" ".join(picture.pieces), longest=LONGEST_TEXT))
    if isinstance(picture, Row):
        cells = list(zip(picture.columns, picture.values, strict=True))[:MOST_CELLS]
        rows = [
            element("div", "", tag("dt", one_line(column, longest=40)), tag("dd", one_line(value or "–", longest=40)))
            for column, value in cells
        ]
        return element("dl", "cells", *rows)
    if isinstance(picture, Pixels | Spectrogram):
        image = picture.pixels if isinstance(picture, Spectrogram) else picture.values_HWC
        attributes = {
            "src": thumbnail(image),
            "alt": caption(shown),
            "width": image.shape[1],
            "height": image.shape[0],
            "class": "tiny" if is_tiny(image) else None,
        }
        return tag("img", attributes=attributes)
    drawn = picture.block(CELL, high=CELL)
    attributes = {"viewBox": f"0 0 {CELL} {CELL}", "class": "drawing", "role": "img", "font-family": FONT}
    return tag("svg", tag("title", caption(shown)), drawn.marks, attributes=attributes)
