"""What series look like: lines, on a contact sheet as small pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from sonde.data.ragged import Stored
from sonde.data.series.spec import SeriesSpec
from sonde.data.sheet import contact_sheet
from sonde.drawing import Lines

SERIES_TILE = (160, 96)
"""Width and height in pixels of a drawn series."""

STRIPS = 6
"""Channels of a series that are drawn, each below the other."""


def sheet(spec: SeriesSpec, batch: Stored, labels: Sequence[str]) -> tuple[str, bytes]:
    """Return a contact sheet of a batch: the suffix of its file, and its content.

    Args:
        spec: how the batch became numbers.
        batch: float32, B x T x C or ragged.
        labels: of each.
    """
    return ".png", contact_sheet(series_tiles(batch), labels)


def series_tiles(series: Stored) -> NDArray[np.uint8]:
    """Draw series as grey pictures, each channel in a strip of its own, over the range of its own values.

    Args:
        series: N series of T x C numbers, of one length or ragged; at most `STRIPS` channels are drawn.

    Returns:
        uint8, N x height x width x 1.
    """
    return np.stack([_series_tile(np.asarray(series[row])) for row in range(len(series))])


def _series_tile(series_TC: NDArray[np.floating]) -> NDArray[np.uint8]:
    wide, high = SERIES_TILE
    tile = Image.new("L", (wide, high), 255)
    pen = ImageDraw.Draw(tile)
    channels = min(series_TC.shape[1], STRIPS)
    strip = high / channels
    for channel in range(channels):
        line = np.nan_to_num(series_TC[:, channel].astype(np.float64))
        low, high_value = float(line.min(initial=0.0)), float(line.max(initial=0.0))
        shares = (line - low) / ((high_value - low) or 1.0)
        x = np.linspace(2, wide - 3, len(line)) if len(line) > 1 else np.array([2.0])
        y = strip * channel + 2 + (strip - 5) * (1 - shares)
        points = list(zip(x.tolist(), y.tolist(), strict=True))
        # A lone step is a line of one pixel.
        pen.line(points if len(points) > 1 else [points[0], (points[0][0] + 1, points[0][1])], fill=40)
    return np.asarray(tile)[..., None]


def sketch(raw: Any) -> Lines | None:
    """Return what is shown of one raw series, T x C; None where it has another shape."""
    array = np.asarray(raw)
    return Lines(array) if array.ndim == 2 else None
