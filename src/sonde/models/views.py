"""Test-time augmentation: a model predicts several views of an image, and the mean of its outputs counts.

Outputs that lie on the pixels of the image, as those of a mask, are turned back first.
"""

# B batch, H height, W width, C channels

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sonde.backend import Batch, Predicts

Name = Literal["one", "flip", "shift", "flip-and-shift"]
"""A row of `VIEWS`."""

Images = NDArray[np.float32]
View = Callable[[Images], Images]


@dataclass(frozen=True)
class Views:
    """One row of the table of views."""

    sentence: str
    """For the report, after "each prediction is"."""
    views: tuple[tuple[float, View, View], ...]
    """Weight of each view, the view, and what turns maps of its outputs back; the weights add up to 1."""


def _same(images_BHWC: Images) -> Images:
    return images_BHWC


def _flipped(images_BHWC: Images) -> Images:
    return np.ascontiguousarray(images_BHWC[:, :, ::-1])


def _shifted(step: int) -> View:
    """Return a view moved along the diagonal by a pixel; the border is repeated."""

    def view(images_BHWC: Images) -> Images:
        wide = np.pad(images_BHWC, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        height, width = images_BHWC.shape[1:3]
        return np.ascontiguousarray(wide[:, 1 + step : 1 + step + height, 1 + step : 1 + step + width])

    return view


def _both(first: View, second: View) -> View:
    return lambda images_BHWC: second(first(images_BHWC))


_UP, _DOWN = _shifted(1), _shifted(-1)

VIEWS: dict[str, Views] = {
    "one": Views("that for the image as it is", ((1.0, _same, _same),)),
    "flip": Views("the mean over the image and its mirror image", ((0.5, _same, _same), (0.5, _flipped, _flipped))),
    "shift": Views(
        "the mean over the image (half) and the image moved by a pixel along the diagonal, both ways",
        ((0.5, _same, _same), (0.25, _UP, _DOWN), (0.25, _DOWN, _UP)),
    ),
    "flip-and-shift": Views(
        "the mean over six views: the image and its mirror image (half), and both moved by a pixel along the diagonal",
        (
            (0.25, _same, _same),
            (0.25, _flipped, _flipped),
            (0.125, _UP, _DOWN),
            (0.125, _DOWN, _UP),
            (0.125, _both(_flipped, _UP), _both(_DOWN, _flipped)),
            (0.125, _both(_flipped, _DOWN), _both(_UP, _flipped)),
        ),
    ),
}
"""What a prediction can be the mean of (test-time augmentation, as in Krizhevsky et al., 2012)."""


class Viewed:
    """What predicts the mean over views."""

    def __init__(self, engine: Predicts, views: Views, *, on_pixels: bool = False):
        self._engine = engine
        self._views = views.views
        self._on_pixels = on_pixels

    def predict(self, inputs: Batch) -> dict[str, NDArray[np.float32]]:
        """Return the mean outputs over the views of each image; see `Predicts.predict`."""
        mean: dict[str, NDArray[np.float32]] = {}
        for weight, view, back in self._views:
            outputs = self._engine.predict({**inputs, "inputs": view(inputs["inputs"])})
            for name, values in outputs.items():
                part = np.float32(weight) * (back(values) if self._on_pixels else values)
                mean[name] = mean[name] + part if name in mean else part
        return mean
