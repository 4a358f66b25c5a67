"""What images look like: on a contact sheet, and one by one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sonde.data.image.spec import ImageSpec
from sonde.data.ragged import Ragged, Stored
from sonde.data.sheet import contact_sheet
from sonde.drawing import Pixels


def sheet(spec: ImageSpec, batch: Stored, labels: Sequence[str]) -> tuple[str, bytes]:
    """Return a contact sheet of a batch: the suffix of its file, and its content.

    Args:
        spec: how the batch became numbers.
        batch: uint8, B x H x W x C.
        labels: of each.
    """
    assert not isinstance(batch, Ragged)
    return ".png", contact_sheet(batch, labels)


def sketch(raw: Any) -> Pixels | None:
    """Return what is shown of one raw image; None where it is not of 8 bits."""
    array = np.asarray(raw)
    return Pixels(array) if array.ndim == 3 and array.dtype == np.uint8 else None
