"""Class folders of texts: the same layouts as those of images, with one .txt file for each text."""

from dataclasses import replace
from pathlib import Path

from sonde.data.listing import Listing
from sonde.data.options import Options
from sonde.data.sources import class_folders


def sniff(path: Path) -> str | None:
    """Say why a path is a tree of class folders of texts."""
    return class_folders.sniff(path, class_folders.TEXTS)


def read(path: Path, options: Options) -> Listing:
    """List the texts of a tree of class folders, sorted by name.

    Args:
        options: may name the encoding.

    Raises:
        DataError: there are no texts, or it cannot be told which folders are classes and which are splits.
    """
    return replace(class_folders.read(path, options, class_folders.TEXTS), encoding=options.encoding)
