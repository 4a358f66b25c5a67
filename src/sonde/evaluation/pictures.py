"""What people are shown of a raw example: an image, a text, the lines of a series, a spectrogram, a row of a table."""

from typing import Any

import numpy as np

from sonde.data.ragged import text_of
from sonde.drawing import Lines, Pixels, Row, Sketch, Spectrogram, Text

MOST_LETTERS = 2000
"""Letters of a text that are kept for a picture."""


def picture(modality: str, raw: Any) -> Sketch | None:
    """Return what is shown of one raw example.

    Args:
        modality: a name in `data.MODALITIES`.
        raw: one example as `Examples.raw` holds it.

    Returns:
        The picture, or None where nothing is known of such examples.
    """
    if modality == "text":
        return Text((text_of(raw[: 4 * MOST_LETTERS])[:MOST_LETTERS],))
    if modality == "table":
        names = tuple(raw.dtype.names or ())
        return Row(names, tuple(_cell(raw[name]) for name in names))
    array = np.asarray(raw)
    if modality == "image" and array.ndim == 3 and array.dtype == np.uint8:
        return Pixels(array)
    if modality == "series" and array.ndim == 2:
        return Lines(array)
    return Spectrogram(array) if modality == "audio" and array.ndim == 2 else None


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{float(value):.6g}"
    return str(value)
