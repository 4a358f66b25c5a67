"""What recordings look like: their spectrograms."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sonde.data.audio.spec import AudioSpec
from sonde.data.ragged import Ragged, Stored
from sonde.data.sheet import contact_sheet
from sonde.drawing import Spectrogram


def sheet(spec: AudioSpec, batch: Stored, labels: Sequence[str]) -> tuple[str, bytes]:
    """Return a contact sheet of a batch: the suffix of its file, and its content.

    Args:
        spec: how the batch became numbers.
        batch: decibels, B x T x F.
        labels: of each.
    """
    assert not isinstance(batch, Ragged)
    return ".png", contact_sheet(spec.pixels(batch), labels)


def sketch(raw: Any) -> Spectrogram | None:
    """Return what is shown of one raw recording; None where it is no spectrogram."""
    array = np.asarray(raw)
    return Spectrogram(array) if array.ndim == 2 else None
