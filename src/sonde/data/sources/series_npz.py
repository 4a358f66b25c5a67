"""Series in a NumPy archive: x_train, y_train, x_test, y_test of N x T, or N x T x C, in one .npz file.

Series of different lengths are filled up behind their ends, with arrays length_train and length_test beside them.
"""

# N series, T steps of time, C channels

import re
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonde.data.listing import SPELLINGS, Listing, split_named
from sonde.data.options import Options
from sonde.data.sources import npz
from sonde.data.sources.arrays import as_labels
from sonde.data.sources.series_arrays import Found
from sonde.errors import DataError

INPUTS = ("x", "series", "inputs", "data", "signals")
EXPECTED = "Expected x_train, y_train, x_test, y_test, or series, labels: N x steps, or N x steps x channels."
SPLIT = "|".join(SPELLINGS)
NAMES = {
    kind: re.compile(rf"(?:({SPLIT})_)?(?:{'|'.join(words)})(?:_({SPLIT}))?", re.IGNORECASE)
    for kind, words in (("inputs", INPUTS), ("answers", npz.ANSWERS), ("lengths", ("length", "lengths")))
}


def sniff(path: Path) -> str | None:
    """Say why a path is an archive of series: its inputs have two axes, or are called series."""
    file = file_of(path)
    if file is None:
        return None
    try:
        shapes = npz.declared(file)
    except DataError:
        return None  # The format of images names what is wrong with it.
    places = _places(shapes)
    inputs = [pair["inputs"] for pair in places.values() if "inputs" in pair]
    surely = [key for key in inputs if len(shapes[key]) == 2 or "series" in key.lower() or "signals" in key.lower()]
    if not surely or len(surely) < len(inputs):
        return None
    return f"an archive of NumPy arrays ({file.name}) with {surely[0]} of {' x '.join(map(str, shapes[surely[0]]))}"


def sniff_any(path: Path) -> str | None:
    """Say why a path can be read as an archive of series, where a person has said that it is one."""
    file = file_of(path) if path.is_file() else None
    return f"an archive of NumPy arrays ({file.name})" if file else None


def read(path: Path, options: Options) -> Listing:
    """Read the series and labels of a NumPy archive.

    Args:
        path: the .npz file, or a folder that holds one alone.
        options: not used by this format.

    Raises:
        DataError: the archive is damaged, too large, holds pickled objects or no series.
    """
    file = file_of(path)
    assert file is not None, "read follows sniff"
    shapes = npz.declared(file)
    places = {split: keys for split, keys in _places(shapes).items() if {"inputs", "answers"} <= keys.keys()}
    if not places:
        there = ", ".join(f"{key} ({' x '.join(map(str, shape))})" for key, shape in sorted(shapes.items())[:12])
        raise DataError(f"{file} holds {there or 'no arrays'}, but no series with their labels. {EXPECTED}")
    found = Found()
    try:
        with np.load(file, allow_pickle=False) as archive:
            for split in sorted(places, key=("", "train", "validation", "test").index):
                keys = places[split]
                series = as_series(archive[keys["inputs"]], f"{file.name}: {keys['inputs']}")
                labels = as_labels(archive[keys["answers"]], len(series), f"{file.name}: {keys['answers']}")
                lengths = _lengths(archive[keys["lengths"]], series, file) if "lengths" in keys else None
                for row, each in enumerate(series):
                    found.add(
                        each if lengths is None else each[: lengths[row]],
                        name=f"{file.name}:{keys['inputs']}[{row}]", answer=str(labels[row]), split=split,
                    )  # fmt: skip
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{file} is damaged or cut off ({error}). Make or fetch it again.") from None
    name = file.stem if path.is_file() else path.resolve().name
    return found.listing(
        name=name, kind="NumPy archive of series", reason=f"an archive of NumPy arrays ({file.name})", path=file
    )


def file_of(path: Path) -> Path | None:
    """Return the archive that a path means: itself, or the only one in a folder."""
    if path.is_file():
        return path if path.suffix.lower() == ".npz" else None
    files = sorted(path.glob("*.npz")) if path.is_dir() else []
    return files[0] if len(files) == 1 else None


def as_series(values: NDArray[np.generic], where: str) -> NDArray[np.float64]:
    """Return an array of series with an axis of channels.

    Args:
        values: N x T or N x T x C numbers.

    Raises:
        DataError: it has other axes, or holds no numbers.
    """
    if values.dtype.kind not in "iufb":
        raise DataError(f"{where} holds {values.dtype}, not numbers. {EXPECTED}")
    if values.ndim not in (2, 3):
        raise DataError(
            f"{where} has the shape {' x '.join(map(str, values.shape))}, which is not that of series. {EXPECTED}"
        )
    return (values[..., None] if values.ndim == 2 else values).astype(np.float64)


def _lengths(values: NDArray[np.generic], series_NTC: NDArray[np.float64], file: Path) -> list[int]:
    lengths = values.astype(np.int64).tolist() if values.dtype.kind in "iu" else []
    if len(lengths) != len(series_NTC) or not all(0 < length <= series_NTC.shape[1] for length in lengths):
        raise DataError(f"{file}: its lengths are not a whole number from 1 to {series_NTC.shape[1]} for each series.")
    return lengths


def _places(shapes: dict[str, tuple[int, ...]]) -> dict[str, dict[str, str]]:
    """Return the names of inputs, answers and lengths by split, "" being that of arrays that name none."""
    found: dict[str, dict[str, str]] = {}
    for key in shapes:
        for kind, pattern in NAMES.items():
            match = pattern.fullmatch(key)
            if match:
                found.setdefault(split_named(match[1] or match[2] or ""), {})[kind] = key
    return found
