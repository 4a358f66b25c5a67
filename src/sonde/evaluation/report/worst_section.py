"""Writes the gallery of the worst predictions, whatever it is that was read and asked."""

from collections.abc import Sequence

from sonde.answers.facts import Facts, Shown
from sonde.drawing import Tile, gallery
from sonde.drawing.marks import FONT
from sonde.drawing.markup import Markup, tag
from sonde.drawing.numbers_in_words import percent
from sonde.drawing.page import element, name, section, sentences
from sonde.evaluation.plots.worst_pictures import caption

PANELS = 330.0
"""Units of the width of pictures beside one another."""


def worst(facts: Facts) -> Markup | None:
    """Return the gallery of the worst predictions."""
    if not facts.worst:
        return None
    told = (
        "The predictions that miss the target most. Look for wrong targets first: they are often found here. "
        "predictions.parquet in the run's folder holds every test example."
    )
    return section("worst", "Worst predictions", sentences(told), _gallery(facts.worst))


def typical(facts: Facts) -> Markup | None:
    """Return the gallery of usual predictions, where the answer shows any."""
    if not facts.typical:
        return None
    told = "Those in the middle: half of the test examples are predicted better, half worse."
    return section("typical", "Typical predictions", sentences(told), _gallery(facts.typical))


def _gallery(shown: Sequence[Shown]) -> Markup:
    # Words and rows need more room than a thumbnail, and so do several pictures of one example.
    read = any((each.picture is not None and each.picture.is_read) or each.panels for each in shown)
    return element("div", "gallery readings" if read else "gallery", *map(_one, shown))


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


def _panels(shown: Shown) -> Markup:
    """Return pictures of one example beside one another, with their titles."""
    tiles = [Tile(each, title) for title, each in shown.panels.items()]
    drawn = gallery(tiles, columns=len(tiles), wide=PANELS)
    box = f"0 0 {drawn.wide:g} {drawn.high:g}"
    attributes = {"viewBox": box, "class": "panels", "role": "img", "font-family": FONT}
    return tag("svg", tag("title", caption(shown)), drawn.marks, attributes=attributes)


def _picture(shown: Shown) -> Markup:
    if shown.panels:
        return _panels(shown)
    return element("div", "missing", "no picture") if shown.picture is None else shown.picture.on_page(caption(shown))
