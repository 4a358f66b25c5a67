"""What is laid over an image: outlines, coloured regions, boxes with labels."""

# H height, W width, N boxes

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.drawing.blocks import Block, Sign
from sonde.drawing.images import coloured, image, outline
from sonde.drawing.marks import Box, Place, area, rect, text
from sonde.drawing.markup import Markup, join
from sonde.drawing.names import cut, width


@dataclass(frozen=True, eq=False)
class Overlay:
    """Something that lies over an image."""

    marks: Callable[[tuple[int, int], Place], Markup]
    """Draws it over an image of H x W pixels that is shown at a width and a height."""
    signs: Sequence[Sign] = ()
    """Its entries in a legend."""


def contour(mask_HW: NDArray[Any], name: str = "", *, other: bool = False) -> Overlay:
    """Return the outline of a region, on a pale ground so that it is seen on any image."""

    def marks(shape: tuple[int, int], size: Place) -> Markup:
        path = outline(mask_HW, size)
        return join([area(path, "p-halo"), area(path, "p-other" if other else "p-main")])

    return Overlay(marks, _square(name, other))


def regions(mask_HW: NDArray[np.integer[Any]], names: Sequence[str] = (), *, cover: float = 0.55) -> Overlay:
    """Return a mask of numbers in a colour for each region, covering a share of the image; below zero it is clear."""
    present = [at for at in np.unique(mask_HW).tolist() if 0 <= at < len(names)]
    squares = [image(coloured(np.full((1, 1), at), 1.0), (0, 0, 10, 10)) for at in present]
    signs = [Sign(Block(10, 10, square), names[at]) for at, square in zip(present, squares, strict=True)]
    return Overlay(lambda shape, size: image(coloured(mask_HW, cover), (0, 0, *size)), signs)


def boxes(corners_N4: ArrayLike, labels: Sequence[str] = (), name: str = "", *, other: bool = False) -> Overlay:
    """Return boxes from left, top, right and bottom in pixels of the image, each with its label inside at the top."""

    def marks(shape: tuple[int, int], size: Place) -> Markup:
        corners = np.asarray(corners_N4, dtype=np.float64).reshape(-1, 4)
        corners = corners * np.array([size[0] / shape[1], size[1] / shape[0]] * 2)
        parts = []
        for at in np.flatnonzero(np.isfinite(corners).all(axis=1)).tolist():
            left, top, right, bottom = np.clip(corners[at], 0, [*size, *size]).tolist()
            box: Box = (left, top, right - left, bottom - top)
            parts += [rect(box, "p-halo"), rect(box, "p-other" if other else "p-main")]
            if at < len(labels):
                label = cut(labels[at], (size[0] - 6) / 10.5)
                wide = width(label) * 10.5 + 6
                x, y = max(min(left, size[0] - wide), 0.0), max(min(top, size[1] - 14), 0.0)
                parts.append(rect((x, y, wide, 14), "p-fill-other" if other else "p-fill"))
                parts.append(text((x + 3, y + 10.5), label, "p-reversed", size=10.5))
        return join(parts)

    return Overlay(marks, _square(name, other))


def _square(name: str, other: bool) -> list[Sign]:
    return [Sign(Block(10, 10, rect((1, 1, 8, 8), "p-other" if other else "p-main")), name)] if name else []
