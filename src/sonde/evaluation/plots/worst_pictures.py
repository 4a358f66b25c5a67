"""Draws the predictions that miss the target most."""

from collections.abc import Sequence

from sonde.answers.facts import Shown
from sonde.drawing import Tile, gallery, picture
from sonde.drawing.safe_text import one_line


def worst_gallery(shown: Sequence[Shown]) -> str | None:
    """Draw the worst predictions, worst first: picture, prediction, confidence and target; None without any."""
    tiles = [
        Tile(
            each.picture,
            each.predicted,
            each.note if each.confidence is None else f"{each.confidence:.1%}",
            (f"target: {each.truth}", each.name),
            tip=caption(each),
        )
        for each in shown
    ]
    return picture(gallery(tiles), "plot-worst", "The worst predictions") if tiles else None


def caption(shown: Shown) -> str:
    """Return what one of them shows, in words."""
    truth, predicted = (one_line(label, longest=60) for label in (shown.truth, shown.predicted))
    sure = "" if shown.confidence is None else f" with {shown.confidence:.1%}"
    return f"{one_line(shown.name, longest=80)}: {truth}, predicted as {predicted}{sure}"
