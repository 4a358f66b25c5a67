"""What rows look like: cells with their names, on a contact sheet as the numbers that the model reads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data.ragged import Ragged, Stored
from sonde.data.sheet import text_sheet
from sonde.data.table.spec import TableSpec
from sonde.drawing import Row


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


def sketch(raw: Any) -> Row:
    """Return what is shown of one raw row, one record of a structured array: each cell with its name."""
    names = tuple(raw.dtype.names or ())
    return Row(names, tuple(_cell(raw[name]) for name in names))


def explained(spec: Any, raw: Any) -> Row:
    """Return the cells that weights can stand at, of one raw row: those of the columns that the spec reads.

    Args:
        spec: the model's; that of an ensemble names no columns, and then all are shown.
        raw: structured, 1.
    """
    return sketch(raw[list(columns(spec) or raw.dtype.names)][0])


def columns(spec: Any) -> tuple[str, ...]:
    """Return the names of the columns that a spec reads; none for an ensemble's, whose members read their own."""
    return tuple(getattr(spec, "columns", ()))


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{float(value):.6g}"
    return str(value)
