"""Draws the mistakes that the model made with the most confidence."""

from collections.abc import Sequence

from sonde.evaluation.plots.evidence import Mistake
from sonde.evaluation.plots.markup import Markup, join, tag
from sonde.evaluation.plots.names import one_line
from sonde.evaluation.plots.shown import Box, shown
from sonde.evaluation.plots.svg import mark, name, sheet, text

COLUMNS, CELL, CAPTION, GAP = 4, 136.0, 58.0, 14.0


def mistakes_gallery(mistakes: Sequence[Mistake]) -> str | None:
    """Draw the worst mistakes: picture, truth, guess and confidence.

    Args:
        mistakes: worst first.

    Returns:
        An SVG picture, or None where there are no mistakes.
    """
    if not mistakes:
        return None
    columns = min(COLUMNS, len(mistakes))
    rows = -(-len(mistakes) // columns)
    wide, high = columns * (CELL + GAP) + GAP, rows * (CELL + CAPTION + GAP) + GAP
    parts = [
        _one(mistake, (GAP + index % columns * (CELL + GAP), GAP + index // columns * (CELL + CAPTION + GAP)))
        for index, mistake in enumerate(mistakes)
    ]
    told = " ".join(f"{caption(mistake)}." for mistake in mistakes[:5])
    return sheet((wide, high), "plot-mistakes", "The worst mistakes", told, parts)


def caption(mistake: Mistake) -> str:
    """Return what a mistake's picture shows, in words."""
    truth, guess = (one_line(label, longest=60) for label in (mistake.truth, mistake.guess))
    return f"{one_line(mistake.name, longest=80)}: {truth}, taken for {guess} with {mistake.confidence:.1%}"


def _one(mistake: Mistake, place: tuple[float, float]) -> Markup:
    x, y = place
    return tag(
        "g",
        tag("title", caption(mistake)),
        mark("rect", "p-grid", {"x": x, "y": y, "width": CELL, "height": CELL}),
        shown(mistake.picture, Box(x + 1, y + 1, CELL - 2, CELL - 2)),
        join(
            [
                name(x, y + CELL + 17, mistake.guess, CELL - 52, size=12.5),
                text(x + CELL, y + CELL + 17, f"{mistake.confidence:.1%}", "p-strong", anchor="end", size=12.5),
                text(x, y + CELL + 33, "truth:", "p-muted", size=12),
                name(x + 38, y + CELL + 33, mistake.truth, CELL - 40, size=12),
                name(x, y + CELL + 49, mistake.name, CELL, size=10.5),
            ]
        ),
    )
