"""Class folders of recordings: the same layouts as those of images, with WAV, FLAC, OGG and MP3 files."""

from pathlib import Path

from sonde.data.listing import Listing
from sonde.data.options import Options
from sonde.data.sources import class_folders


def sniff(path: Path) -> str | None:
    """Say why a path is a tree of class folders of recordings."""
    return class_folders.sniff(path, class_folders.SOUNDS)


def read(path: Path, options: Options) -> Listing:
    """List the recordings of a tree of class folders, sorted by name.

    Args:
        options: not used by this format.

    Raises:
        DataError: there are no recordings, or it cannot be told which folders are classes and which are splits.
    """
    return class_folders.read(path, options, class_folders.SOUNDS)
