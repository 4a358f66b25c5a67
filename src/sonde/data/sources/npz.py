"""NumPy archives: x_train, y_train, x_test, y_test, or images and labels, in one .npz file; never pickled objects."""

import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data.listing import SPELLINGS, Listing, numbered, split_named
from sonde.data.options import Options
from sonde.data.sources.arrays import as_labels, as_pixels, check_size
from sonde.errors import DataError

INPUTS = ("x", "images", "image", "data")
ANSWERS = ("y", "labels", "label", "targets", "target")
SPLIT = "|".join(SPELLINGS)
NAMES = {
    kind: re.compile(rf"(?:({SPLIT})_)?(?:{'|'.join(words)})(?:_({SPLIT}))?", re.IGNORECASE)
    for kind, words in (("inputs", INPUTS), ("answers", ANSWERS))
}
EXPECTED = "Expected arrays x_train, y_train, x_test, y_test, or images, labels (and perhaps split)."


def sniff(path: Path) -> str | None:
    """Say why a path is a NumPy archive."""
    if path.suffix.lower() != ".npz" or not path.is_file():
        return None
    return "an archive of NumPy arrays (.npz)"


def read(path: Path, options: Options) -> Listing:
    """Read the images and labels of a NumPy archive.

    Args:
        options: not used by this format.

    Raises:
        DataError: the archive is damaged, too large, holds pickled objects or no images.
    """
    places = _places(declared(path), path)
    images, answers, splits, names, notes = [], [], [], [], []
    try:
        with np.load(path, allow_pickle=False) as archive:
            for split, (inputs_key, answers_key) in places.items():
                pixels, note = as_pixels(archive[inputs_key], f"{path.name}: {inputs_key}")
                images.append(pixels)
                answers.append(as_labels(archive[answers_key], len(pixels), f"{path.name}: {answers_key}"))
                splits.append(_splits(archive, split, len(pixels), path))
                names.append(numbered(f"{path.name}:{inputs_key}", len(pixels)))
                notes += [note] if note else []
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged or cut off ({error}). Make or fetch it again.") from None
    shapes = {array.shape[1:] for array in images}
    if len(shapes) > 1:
        raise DataError(f"{path} holds images of different sizes: {sorted(shapes)}.")
    return Listing(
        name=path.stem,
        format="NumPy archive",
        reason=f"{sniff(path)} with {', '.join(key for pair in places.values() for key in pair)}",
        names=np.concatenate(names),
        truth=np.concatenate(answers),
        splits=np.concatenate(splits),
        content=np.concatenate(images),
        notes=tuple(notes),
    )


def declared(path: Path) -> dict[str, tuple[int, ...]]:
    """Read the arrays' headers inside the archive: their shapes, after a check of what they would take.

    Raises:
        DataError: the archive is damaged, too large, or holds pickled objects.
    """
    shapes = {}
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.filename.endswith(".npy"):
                    continue
                with archive.open(entry) as file:
                    version = np.lib.format.read_magic(file)
                    reader = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
                    if version[0] not in reader:
                        raise DataError(f"{path}: {entry.filename} is in an unknown version of the npy format.")
                    shape, _, dtype = reader[version[0]](file)
                if dtype.hasobject:
                    raise DataError(
                        f"{path}: {entry.filename} holds pickled Python objects, which may run anything when read. "
                        "Store plain arrays: numpy.savez(path, images=..., labels=...)."
                    )
                size = dtype.itemsize
                for side in shape:
                    size *= side
                # What the archive says of a member's size bounds what is unpacked; the header must agree with it.
                total += max(size, entry.file_size)
                check_size(total, str(path))
                shapes[entry.filename.removesuffix(".npy")] = shape
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path} is not a readable NumPy archive ({error}). Make or fetch it again.") from None
    return shapes


def _places(shapes: dict[str, tuple[int, ...]], path: Path) -> dict[str, tuple[str, str]]:
    """Return the names of inputs and answers by split, "" being the split of arrays that name none."""
    found: dict[str, dict[str, str]] = {}
    for key in shapes:
        for kind, pattern in NAMES.items():
            match = pattern.fullmatch(key)
            if match:
                found.setdefault(split_named(match[1] or match[2] or ""), {})[kind] = key
    whole = {split: (pair["inputs"], pair["answers"]) for split, pair in found.items() if len(pair) == 2}
    if not whole:
        there = ", ".join(f"{key} ({' x '.join(map(str, shape))})" for key, shape in sorted(shapes.items())[:12])
        raise DataError(f"{path} holds {there or 'no arrays'}, but no images with their labels. {EXPECTED}")
    if "" in whole and len(whole) > 1:
        raise DataError(f"{path} holds arrays both with and without a split in their names. {EXPECTED}")
    return {split: whole[split] for split in ("", "train", "validation", "test") if split in whole}


def _splits(archive: Any, split: str, count: int, path: Path) -> NDArray[np.str_]:
    if split or "split" not in archive:
        return np.full(count, split)
    words = as_labels(archive["split"], count, f"{path.name}: split")
    unknown = sorted({str(word) for word in np.unique(words) if word and not split_named(str(word))})
    if unknown:
        raise DataError(
            f"{path}: the array 'split' holds {', '.join(unknown[:5])}; expected train, validation or test."
        )
    return np.array([split_named(word) for word in words.tolist()])
