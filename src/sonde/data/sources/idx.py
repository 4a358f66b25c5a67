"""IDX: the files of the MNIST family, such as train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz.

The format: two zero bytes, the type (8 is uint8), the number of dimensions, each dimension as a big-endian 32-bit
number, then the values (Yann LeCun's MNIST page).
"""

import gzip
import re
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonde.data.listing import Listing, numbered, split_named
from sonde.data.options import Options
from sonde.data.sources.arrays import as_labels, as_pixels, check_size
from sonde.errors import DataError

NAME = re.compile(r"(train|t10k|test|val|valid|validation)-(images|labels)[-.]idx[134]-ubyte(\.gz)?", re.IGNORECASE)
UINT8 = 8


def sniff(path: Path) -> str | None:
    """Say why a path is a folder of IDX files."""
    found = _files(path)
    images = [file.name for (_, kind), file in found.items() if kind == "images"]
    return f"IDX files ({', '.join(images)})" if images else None


def read(path: Path, options: Options) -> Listing:
    """Read the images and labels of a folder of IDX files.

    Args:
        options: not used by this format.

    Raises:
        DataError: a file is damaged, or images and labels do not match.
    """
    files = _files(path)
    images, answers, splits, names, notes = [], [], [], [], []
    for split in ("train", "validation", "test"):
        if (split, "images") not in files:
            continue
        file = files[split, "images"]
        if (split, "labels") not in files:
            raise DataError(
                f"{file} has no labels beside it; expected {file.name.replace('images-idx3', 'labels-idx1')}."
            )
        pixels, note = as_pixels(_array(file), file.name)
        labels = _array(files[split, "labels"])
        images.append(pixels)
        answers.append(as_labels(labels, len(pixels), files[split, "labels"].name))
        splits.append(np.full(len(pixels), split))
        names.append(numbered(file.name, len(pixels)))
        notes += [note] if note else []
    shapes = {array.shape[1:] for array in images}
    if len(shapes) > 1:
        raise DataError(f"The IDX files in {path} hold images of different sizes: {sorted(shapes)}.")
    return Listing(
        name=path.resolve().name,
        format="IDX files (MNIST family)",
        reason=sniff(path) or "",
        names=np.concatenate(names),
        truth=np.concatenate(answers),
        splits=np.concatenate(splits),
        content=np.concatenate(images) if len(images) > 1 else images[0],
        notes=tuple(notes),
    )


def _files(path: Path) -> dict[tuple[str, str], Path]:
    if not path.is_dir():
        return {}
    found: dict[tuple[str, str], Path] = {}
    # Sorted, a plain file comes before its .gz: it is taken when both are there.
    for file in sorted(path.iterdir()):
        match = NAME.fullmatch(file.name)
        if match and file.is_file():
            found.setdefault((split_named(match[1]), match[2].lower()), file)
    return found


def _array(path: Path) -> NDArray[np.uint8]:
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            start = file.read(4)
            if len(start) < 4 or start[:2] != b"\0\0":
                raise DataError(f"{path} is not an IDX file: it does not start with two zero bytes. Fetch it again.")
            if start[2] != UINT8 or start[3] not in (1, 3, 4):
                raise DataError(
                    f"{path} holds type {start[2]} in {start[3]} dimensions; sonde reads uint8 in 1, 3 or 4."
                )
            shape = struct.unpack(f">{start[3]}I", file.read(4 * start[3]))
            size = 1
            for side in shape:
                size *= side
            check_size(size, str(path))
            content = file.read(size)
            if len(content) != size or file.read(1):
                there = "more" if len(content) == size else f"{len(content):,}"
                raise DataError(f"{path} declares {size:,} values and holds {there}: it is damaged. Fetch it again.")
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise DataError(f"{path} is damaged or cut off ({error}). Fetch it again.") from None
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
