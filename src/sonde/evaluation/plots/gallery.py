"""Draws the mistakes that the model made with the most confidence."""

from collections.abc import Sequence

from sonde.drawing import Tile, gallery, picture
from sonde.drawing.names import one_line
from sonde.evaluation.plots.evidence import Mistake


def mistakes_gallery(mistakes: Sequence[Mistake]) -> str | None:
    """Draw the worst mistakes, worst first: picture, prediction, confidence and truth; None without any."""
    tiles = [
        Tile(each.picture, each.guess, f"{each.confidence:.1%}", (f"truth: {each.truth}", each.name), tip=caption(each))
        for each in mistakes
    ]
    return picture(gallery(tiles), "plot-mistakes", "The worst mistakes") if tiles else None


def caption(mistake: Mistake) -> str:
    """Return what a mistake's picture shows, in words."""
    truth, guess = (one_line(label, longest=60) for label in (mistake.truth, mistake.guess))
    return f"{one_line(mistake.name, longest=80)}: {truth}, predicted as {guess} with {mistake.confidence:.1%}"
