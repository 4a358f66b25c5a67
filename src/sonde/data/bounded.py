"""The largest files of each kind that are read, and the way in: a regular file of at most so many bytes."""

import stat
from pathlib import Path

from sonde.errors import DataError

LARGEST_FILE = 1 << 29
"""Bytes of one image or recording."""

LARGEST_TEXT = 1 << 26
"""Bytes of one text, and of the description or the vocabulary of a model."""

LARGEST_TABLE = 1 << 30
"""Bytes of a file of text that holds many examples; a list of ten million images has about this size."""

LARGEST_ARRAY = 8 << 30
"""Bytes that one array may declare; CIFAR-10 has 184 million."""

LARGEST_VECTORS = 12 << 30
"""Bytes of word vectors; 2 million words with 300 numbers take 2.4 GB in float32, and 5 GB as text."""


def file_size(path: Path, limit: int) -> int:
    """Return the bytes of a file that may be opened.

    Args:
        limit: most bytes that it may have.

    Raises:
        DataError: it is not there, is a folder, a device or a pipe, which might never end, or is larger.
    """
    try:
        facts = path.stat()
    except FileNotFoundError:
        raise DataError(f"{path.name} is not there (looked in {path.parent})") from None
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror}); check its permissions") from None
    if not stat.S_ISREG(facts.st_mode):
        what = "a folder" if stat.S_ISDIR(facts.st_mode) else "a device or a pipe"
        raise DataError(f"{path.name} is {what}; name a file")
    if facts.st_size > limit:
        raise DataError(
            f"{path.name} has {facts.st_size:,} bytes, and at most {limit:,} are read of such a file; divide it, or "
            "leave out what is not needed"
        )
    return facts.st_size


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a whole file.

    Args:
        limit: most bytes that it may have.

    Raises:
        DataError: as for `file_size`, or it may not be read.
    """
    size = file_size(path, limit)
    try:
        with path.open("rb") as file:
            # What grows meanwhile is read up to where it ended.
            return file.read(size)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror}); check its permissions") from None
