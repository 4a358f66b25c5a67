"""Files of series that a trained model is to read; labels in them are passed over."""

# T steps of time, C channels

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonde.data.bounded import LARGEST_ARRAY, file_size
from sonde.data.ragged import Stored
from sonde.data.sources import npz, series_csv, series_ts, series_ucr
from sonde.data.sources.delimited import read_delimited
from sonde.data.sources.series_arrays import Found, as_number, is_value, parted, tamed, together
from sonde.data.sources.series_npz import EXPECTED, as_series
from sonde.data.sources.text_columns import SUFFIXES as TABLES
from sonde.errors import DataError, shortened

TEXTS = (".csv", ".tsv", ".txt")
KINDS = ".ts, .npz, .npy, .csv, .tsv and .txt"


def read_series(path: Path, *, channels: int, steps: int | None = None, encoding: str = "") -> tuple[list[str], Stored]:
    """Read all series of one file.

    Args:
        path: a .ts file; an .npz or .npy file of N x T x C, N x T or T x C; or a text file of numbers, with a row for
            each step and a column for each channel, or a row for each series of one channel, with its label before it
            or not; or a table of series with a header, as training reads them.
        steps: that the model reads; None where lengths vary.
        encoding: that the training tables were said to be in.

    Returns:
        A name for each series, and the raw series.

    Raises:
        DataError: the file or one of its series cannot be read, or they have other channels.
    """
    suffix = path.suffix.lower()
    if suffix not in (".ts", ".npz", ".npy", *TEXTS, *TABLES):
        raise DataError(f"{shortened(path.name)} is no file of series; those that are read end in {KINDS}.")
    if not os.path.isfile(path):
        what = "is no file" if os.path.exists(path) else f"is not there (looked in {shortened(str(path.parent))})"
        raise DataError(f"{shortened(path.name)} {what}; check the path.")
    file_size(path, LARGEST_ARRAY)
    if found := _found(path, channels, steps, encoding):
        if found.bad or not found.series:
            # An answer that is left out would pass unseen.
            first = "holds no series that can be read" if not found.bad else " ".join(found.bad[0])
            raise DataError(f"{path.name}: {first}. Repair or remove it.")
        series, names = found.series, found.names
    elif suffix in (".npz", ".npy"):
        arrays = _arrays(path)
        series = [tamed(each) for _, array in arrays for each in _divided(array, path, channels)]
        names = [f"{path.name}[{row}]" for row in range(len(series))]
    elif suffix in TEXTS:
        series = [tamed(each) for each in _divided(_text(path), path, channels)]
        names = [f"{path.name}[{row}]" for row in range(len(series))]
    else:
        raise DataError(f"{path.name} holds no table of series: columns that tell series and time, or numbered by it.")
    odd = next((each for each in series if each.shape[1] != channels), None)
    if odd is not None:
        raise DataError(f"{path.name} holds series of {odd.shape[1]} channels; the model reads {channels}.")
    return (names if len(series) > 1 else [str(path)]), together(series, path.name)


def _found(path: Path, channels: int, steps: int | None, encoding: str) -> Found | None:
    """Read a format whose series may have labels; None for plain arrays of numbers."""
    suffix, found = path.suffix.lower(), Found()
    if suffix == ".ts":
        series_ts.read_file(path, found, "", labelled=False)
    elif suffix in TABLES and series_csv.sniff(path):
        series_csv.read_unlabelled(path, found, encoding)
    elif suffix in TEXTS and channels == 1 and series_ucr.is_one(path) and _begins_with_labels(path, steps):
        series_ucr.read_file(path, found, "")
    else:
        return None
    return found


def _begins_with_labels(path: Path, steps: int | None) -> bool:
    """Tell whether the first number of each row is a class: the name or the length says so, or the numbers do."""
    if parted(path)[1]:
        return True
    values = _text(path)
    if steps is not None:
        return values.shape[1] == steps + 1
    whole_NT = np.isnan(values) | (values == np.floor(values))
    return bool(whole_NT[:, 0].all() and len(np.unique(values[:, 0])) > 1 and not whole_NT[:, 1:].all(axis=0).any())


def _arrays(path: Path) -> list[tuple[str, NDArray[np.generic]]]:
    try:
        if path.suffix.lower() == ".npy":
            return [(path.name, np.load(path, allow_pickle=False))]
        shapes = npz.declared(path)
        keys = [key for key, shape in shapes.items() if len(shape) in (2, 3)]
        if len(keys) != 1:
            raise DataError(f"{path.name} holds {len(keys)} arrays of series where one is expected. {EXPECTED}")
        with np.load(path, allow_pickle=False) as archive:
            return [(keys[0], archive[keys[0]])]
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path.name} cannot be read as a NumPy file ({error}).") from None


def _divided(values: NDArray[np.generic], path: Path, channels: int) -> list[NDArray[np.float64]]:
    """Return the series of an array: N x T x C, or two axes that are one series or several of one channel."""
    if values.ndim == 1:
        values = values[None, :]
    if values.ndim == 2 and values.shape[1] == channels and (channels > 1 or len(values) > 1):
        values = values[None]  # A row for each step.
    return list(as_series(values, path.name))


def _text(path: Path) -> NDArray[np.float64]:
    # Numbers that count up may be names of columns elsewhere; here they are values.
    table = read_delimited(path, headless=lambda first: True if all(map(is_value, first)) else None)
    for name, cells in table.columns.items():
        bad = next((row for row, cell in enumerate(cells) if not is_value(cell)), None)
        if bad is not None:
            raise DataError(
                f"{path.name} is no table of numbers: {table.place(bad)} of the column '{name}' holds "
                f"'{cells[bad][:40]}'."
            )
    if not len(table):
        raise DataError(f"{path.name} is no table of numbers: it has no rows.")
    columns = [[as_number(cell) for cell in cells] for cells in table.columns.values()]
    return np.array(columns, dtype=np.float64).T
