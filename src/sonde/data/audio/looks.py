"""What recordings look like on a contact sheet: their spectrograms."""

from collections.abc import Sequence

from sonde.data.audio.spec import AudioSpec
from sonde.data.ragged import Ragged, Stored
from sonde.data.sheet import contact_sheet


def sheet(spec: AudioSpec, batch: Stored, labels: Sequence[str]) -> tuple[str, bytes]:
    """Return a contact sheet of a batch: the suffix of its file, and its content.

    Args:
        spec: how the batch became numbers.
        batch: decibels, B x T x F.
        labels: of each.
    """
    assert not isinstance(batch, Ragged)
    return ".png", contact_sheet(spec.pixels(batch), labels)
