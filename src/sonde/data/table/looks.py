"""What rows look like on a contact sheet: a line of numbers as the model reads them, with their names."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonde.data.ragged import Ragged, Stored
from sonde.data.sheet import text_sheet
from sonde.data.table.spec import TableSpec


def sheet(spec: TableSpec, batch: Stored, labels: Sequence[str]) -> tuple[str, bytes]:
    """Return a contact sheet of a batch: the suffix of its file, and its content.

    Args:
        spec: how the batch became numbers.
        batch: float32, B x F.
        labels: of each.
    """
    assert not isinstance(batch, Ragged)
    return ".txt", text_sheet(row_pieces(spec.features, batch), labels).encode()


def row_pieces(features: Sequence[str], rows: NDArray[np.floating]) -> list[list[str]]:
    """Return rows of a table in pieces, as `text_sheet` takes them: each number as the model reads it, with its name.

    Args:
        features: names of the numbers, F.
        rows: N x F.
    """
    return [[f"{name}={value:.4g}" for name, value in zip(features, row, strict=True)] for row in rows.tolist()]
