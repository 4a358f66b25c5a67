"""Finds the file that a cell of a table names: beside the table, in a folder beside it, or without its ending.

files = NamedFiles(Path("data"))
files.find("a.png")          data/a.png, or data/images/a.png
files.find("train\\\\a.png")    the same as train/a.png, where that is what exists
files.find("a")              data/a.png, where one file alone is called so
"""

import os
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from sonde.data.audio.sound import SUFFIXES as SOUND_SUFFIXES
from sonde.data.image.decode import SUFFIXES as IMAGE_SUFFIXES

ENDINGS = (*IMAGE_SUFFIXES, *SOUND_SUFFIXES)
"""Of the files that tables name."""
MOST_FOLDERS = 50
"""Folders beside a table that are looked into."""
SAMPLE = 50
"""Cells of a column that are looked up."""
LONGEST = 4096
"""Letters of a path."""


class NamedFiles:
    """The images and recordings around a table."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.folders: Counter[str] = Counter()
        """Files that were found in each folder beside the table."""
        self.without_ending = 0
        """Files that were found by a name without its ending."""
        self.slanted = 0
        """Files that were found by slashes in place of the backslashes of Windows."""

    def find(self, cell: str) -> Path | None:
        """Return the file that a cell names, and count how it was found; None where there is none, or several."""
        if not cell or "\0" in cell or len(cell) > LONGEST:
            return None
        if is_file(self._root / cell):
            return self._root / cell
        if "\\" in cell and is_file(turned := self._root / cell.replace("\\", "/")):
            self.slanted += 1
            return turned
        for folder in self._beside:
            if is_file(folder / cell):
                self.folders[folder.name] += 1
                return folder / cell
        found = self._stems.get(cell, [])
        if len(found) != 1:
            return None
        self.without_ending += 1
        return found[0]

    def names(self, cell: str) -> bool:
        """Tell whether a cell, with its ending, names a file."""
        return len(cell) >= 4 and "." in cell and "\0" not in cell and len(cell) <= LONGEST and self._is_there(cell)

    def are_all(self, column: Sequence[str]) -> bool:
        """Tell whether each of the first cells names a file, with its ending or without."""
        first = [cell for cell in column[:SAMPLE] if cell]
        return len(set(first)) > 1 and all(self.find(cell) for cell in first)

    def notes(self, table: str) -> list[str]:
        """Say how files were found, where that was not by their paths from the table."""
        said = [f"{count:,} files that {table} names were found in {name}/" for name, count in self.folders.items()]
        if self.without_ending:
            said.append(f"{self.without_ending:,} files that {table} names without their endings were found")
        if self.slanted:
            said.append(f"{self.slanted:,} paths of {table} with backslashes (Windows) were read with slashes")
        return said

    def _is_there(self, cell: str) -> bool:
        turned = cell.replace("\\", "/")
        return any(is_file(folder / each) for folder in (self._root, *self._beside) for each in {cell, turned})

    @cached_property
    def _beside(self) -> list[Path]:
        return [Path(entry.path) for entry in _entries(self._root) if entry.is_dir()][:MOST_FOLDERS]

    @cached_property
    def _stems(self) -> dict[str, list[Path]]:
        """Files of the folder and of those beside the table by their names without ending."""
        found: dict[str, list[Path]] = {}
        for folder in (self._root, *self._beside):
            for entry in _entries(folder):
                stem, ending = os.path.splitext(entry.name)
                if ending.lower() in ENDINGS:
                    found.setdefault(stem, []).append(Path(entry.path))
        return found


def is_file(path: Path) -> bool:
    """Tell whether a file is there; a name that is longer than the system allows is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as found:
            return sorted((entry for entry in found if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError:
        return []
