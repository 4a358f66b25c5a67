"""Writes the gallery of the worst mistakes, whatever it is that was read."""

from sonde.drawing import Pixels, Row, Spectrogram, Text
from sonde.drawing.images import is_tiny, thumbnail
from sonde.drawing.marks import FONT
from sonde.drawing.markup import Markup, tag
from sonde.drawing.names import one_line
from sonde.evaluation.plots import Mistake
from sonde.evaluation.plots.gallery import caption
from sonde.evaluation.plots.words import percent
from sonde.evaluation.report.facts import Facts
from sonde.evaluation.report.page import element, section, sentences
from sonde.evaluation.report.pointers import name

LONGEST_TEXT = 320
"""Letters of a text that are shown; the file that holds it is named below it."""
CELL = 136
"""Units of a drawing's side."""
MOST_CELLS = 8
"""Columns of a row that are shown."""


def mistakes(facts: Facts) -> Markup | None:
    """Return the gallery of the worst mistakes."""
    if not facts.mistakes:
        return None
    told = (
        "The wrong answers in which the model gave the truth the least chance. Look for wrong labels first: they are "
        "often found here. "
        "predictions.parquet in the run's folder holds every test example."
    )
    # Words and rows need more room than a thumbnail.
    read = any(isinstance(each.picture, Text | Row) for each in facts.mistakes)
    gallery = element("div", "gallery readings" if read else "gallery", *map(_mistake, facts.mistakes))
    return section("mistakes", "Worst mistakes", sentences(told), gallery)


def _mistake(mistake: Mistake) -> Markup:
    truth = f" ({percent(mistake.truth_probability)})" if mistake.truth_probability is not None else ""
    return element(
        "figure",
        "mistake",
        _picture(mistake),
        tag(
            "figcaption",
            element("span", "guess", name(mistake.guess), " ", tag("b", percent(mistake.confidence))),
            element("span", "truth", "truth: ", name(mistake.truth), truth),
            element("span", "file", name(mistake.name)),
        ),
    )


def _picture(mistake: Mistake) -> Markup:
    picture = mistake.picture
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
            "alt": caption(mistake),
            "width": image.shape[1],
            "height": image.shape[0],
            "class": "tiny" if is_tiny(image) else None,
        }
        return tag("img", attributes=attributes)
    drawn = picture.block(CELL, high=CELL)
    attributes = {"viewBox": f"0 0 {CELL} {CELL}", "class": "drawing", "role": "img", "font-family": FONT}
    return tag("svg", tag("title", caption(mistake)), drawn.marks, attributes=attributes)
