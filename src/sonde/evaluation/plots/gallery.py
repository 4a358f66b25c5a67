"""Draws the mistakes that the model made with the most confidence."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sonde.evaluation.plots.evidence import Mistake
from sonde.evaluation.plots.markup import Markup, join, tag
from sonde.evaluation.plots.names import one_line
from sonde.evaluation.plots.svg import mark, name, sheet, text

THUMBNAIL = 128
"""Pixels of a thumbnail's longer side at most; smaller pictures are kept as they are and drawn with hard edges."""

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


def thumbnail(picture: NDArray[np.uint8]) -> str:
    """Return an image as a `data:` address, made small.

    Args:
        picture: height x width x channels with 1 or 3 channels, or height x width.
    """
    flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
    image = Image.fromarray(np.ascontiguousarray(flat, dtype=np.uint8))
    if max(image.size) > THUMBNAIL:
        image.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def is_tiny(picture: NDArray[np.uint8]) -> bool:
    """Tell whether a picture is so small that its pixels should stay visible when it is enlarged."""
    return max(picture.shape[:2]) <= 64


def _one(mistake: Mistake, place: tuple[float, float]) -> Markup:
    x, y = place
    return tag(
        "g",
        tag("title", caption(mistake)),
        mark("rect", "p-grid", {"x": x, "y": y, "width": CELL, "height": CELL}),
        _picture(mistake, place),
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


def _picture(mistake: Mistake, place: tuple[float, float]) -> Markup:
    x, y = place
    if mistake.picture is None:
        return text(x + CELL / 2, y + CELL / 2, "no picture", "p-muted", anchor="middle")
    return tag(
        "image",
        attributes={
            "x": x + 1,
            "y": y + 1,
            "width": CELL - 2,
            "height": CELL - 2,
            "href": thumbnail(mistake.picture),
            "image-rendering": "pixelated" if is_tiny(mistake.picture) else None,
        },
    )
