"""CIFAR-10 and CIFAR-100, binary version: records of one or two label bytes and 3 x 32 x 32 pixels.

The format is described on https://www.cs.toronto.edu/~kriz/cifar.html under "Binary version".
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonde.data.bounded import LARGEST_ARRAY, read_bytes
from sonde.data.listing import Listing, numbered
from sonde.data.options import Options
from sonde.errors import DataError

PIXELS = 3 * 32 * 32
INNER = ("cifar-10-batches-bin", "cifar-100-binary")
"""The folders that the official archives unpack to."""


def sniff(path: Path) -> str | None:
    """Say why a path is the CIFAR binary version."""
    labels = _folder(path)[1]
    if not labels:
        return None
    return "data_batch_*.bin of CIFAR-10" if labels == 1 else "train.bin and fine_label_names.txt of CIFAR-100"


def read(path: Path, options: Options) -> Listing:
    """Read the records of CIFAR-10 or CIFAR-100 with the names of their classes.

    Args:
        path: the folder, or the one above it.
        options: not used by this format.

    Raises:
        DataError: a file does not consist of whole records, or a label has no name.
    """
    folder, label_bytes = _folder(path)
    files = sorted(folder.glob("data_batch_*.bin")) if label_bytes == 1 else [folder / "train.bin"]
    test = folder / ("test_batch.bin" if label_bytes == 1 else "test.bin")
    classes = _names(folder / ("batches.meta.txt" if label_bytes == 1 else "fine_label_names.txt"))
    images, answers, splits, names = [], [], [], []
    for file in files + ([test] if test.is_file() else []):
        pixels, labels = _records(file, label_bytes)
        images.append(pixels)
        answers.append(_spell(labels, classes, file))
        splits.append(np.full(len(pixels), "test" if file == test else "train"))
        names.append(numbered(file.name, len(pixels)))
    return Listing(
        name=path.resolve().name,
        format="CIFAR-10 binary" if label_bytes == 1 else "CIFAR-100 binary",
        reason=sniff(path) or "",
        names=np.concatenate(names),
        truth=np.concatenate(answers),
        splits=np.concatenate(splits),
        content=np.concatenate(images),
        notes=() if label_bytes == 1 else ("the 100 fine labels are used, not the 20 coarse ones",),
    )


def _folder(path: Path) -> tuple[Path, int]:
    """Return the folder with the records and their number of label bytes, 0 where there are none."""
    for folder in (path, *(path / name for name in INNER)):
        if (folder / "data_batch_1.bin").is_file():
            return folder, 1
        if (folder / "train.bin").is_file() and (folder / "fine_label_names.txt").is_file():
            return folder, 2
    return path, 0


def _records(file: Path, label_bytes: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    raw = np.frombuffer(read_bytes(file, LARGEST_ARRAY), dtype=np.uint8)
    record = label_bytes + PIXELS
    if len(raw) == 0 or len(raw) % record:
        raise DataError(
            f"{file} has {len(raw):,} bytes, which are not whole records of {record:,}: it is damaged or cut off. "
            "Fetch it again."
        )
    rows = raw.reshape(-1, record)
    pixels = rows[:, label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(pixels), rows[:, label_bytes - 1]


def _names(file: Path) -> list[str]:
    if not file.is_file():
        return []
    text = read_bytes(file, 1_000_000).decode("utf-8", "replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _spell(labels: NDArray[np.uint8], classes: list[str], file: Path) -> NDArray[np.str_]:
    if not classes:
        return labels.astype(np.str_)
    if labels.max() >= len(classes):
        raise DataError(f"{file} holds label {labels.max()}, but only {len(classes)} classes are named: it is damaged.")
    return np.array(classes)[labels]
