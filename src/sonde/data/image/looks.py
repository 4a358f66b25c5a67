"""What images look like on a contact sheet."""

from collections.abc import Sequence

from sonde.data.image.spec import ImageSpec
from sonde.data.ragged import Ragged, Stored
from sonde.data.sheet import contact_sheet


def sheet(spec: ImageSpec, batch: Stored, labels: Sequence[str]) -> tuple[str, bytes]:
    """Return a contact sheet of a batch: the suffix of its file, and its content.

    Args:
        spec: how the batch became numbers.
        batch: uint8, B x H x W x C.
        labels: of each.
    """
    assert not isinstance(batch, Ragged)
    return ".png", contact_sheet(batch, labels)
