"""What people are shown of a raw example: an image, a text, the lines of a series, a spectrogram, a row of a table.

Nothing is drawn here; `plots.shown` draws each kind, with or without weights.
"""

# T time, C channels, F bands, H height, W width

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data.ragged import text_of

MOST_LETTERS = 2000
"""Letters of a text that are kept for a picture."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """An image."""

    values_HWC: NDArray[np.uint8]
    """1 or 3 channels."""


@dataclass(frozen=True)
class Text:
    """A text in pieces: tokens that have a weight each, or the whole as one piece."""

    pieces: tuple[str, ...]
    apart: bool = True
    """Whether a blank stands between pieces."""


@dataclass(frozen=True, eq=False)
class Lines:
    """A series, a line for each channel."""

    values_TC: NDArray[np.floating[Any]]
    """NaN where a value is missing."""


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """A recording, as time and frequency."""

    values_TF: NDArray[np.floating[Any]]
    """Decibels, the lowest band first."""


@dataclass(frozen=True)
class Row:
    """A row of a table."""

    columns: tuple[str, ...]
    values: tuple[str, ...]
    """As text; empty where missing."""


Picture = Pixels | Text | Lines | Spectrogram | Row


def picture(modality: str, raw: Any) -> Picture | None:
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


def in_words(shown: Picture) -> str:
    """Say what a picture shows, for those who cannot see it.

    Args:
        shown: what is to be told of.
    """
    if isinstance(shown, Text):
        return "text: " + (" " if shown.apart else "").join(shown.pieces)
    if isinstance(shown, Row):
        return "row: " + ", ".join(f"{name} {value or '(missing)'}" for name, value in _pairs(shown))
    if isinstance(shown, Pixels):
        return f"image of {shown.values_HWC.shape[1]} x {shown.values_HWC.shape[0]} pixels"
    if isinstance(shown, Lines):
        steps, channels = shown.values_TC.shape
        return f"series of {steps:,} steps" + (f" in {channels:,} channels" if channels > 1 else "")
    return "spectrogram of {:,} frames and {:,} bands".format(*shown.values_TF.shape)


def _pairs(row: Row) -> list[tuple[str, str]]:
    return list(zip(row.columns, row.values, strict=True))


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{float(value):.6g}"
    return str(value)
