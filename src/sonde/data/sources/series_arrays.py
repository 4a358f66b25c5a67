"""What the formats of time series share: from single series to a listing, and files that belong together by name."""

# T steps of time, C channels

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data.listing import Listing, split_named, text_array
from sonde.data.ragged import Ragged, Stored
from sonde.data.sources.arrays import check_size
from sonde.data.sources.delimited import is_number
from sonde.errors import DataError

ENDING = re.compile(
    r"(?P<base>.*?)[-_. ]?(?P<split>train|training|test|testing|val|valid|validation|dev)", re.IGNORECASE
)
"""A file's name without suffix where it ends with its split, as in GunPoint_TRAIN."""

GAPS = frozenset({"", "?", "na", "n/a", "nan", "null", "none", "inf", "+inf", "-inf"})
"""What stands for a missing value of a series in a table, in small letters; no series has an infinite one."""


@dataclass
class Found:
    """Series that were read so far, one behind the other."""

    series: list[NDArray[np.float32]] = field(default_factory=list)
    """T x C each, NaN where a value is missing."""
    answers: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    """Empty, or one for each."""
    bad: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    encoding: str = ""
    """That its files were said to be in."""

    def add(self, series_TC: NDArray[Any], *, name: str, answer: str, split: str, group: str | None = None) -> None:
        """Take one series, or note why it cannot be used.

        Args:
            name: how a person can find it.
            split: train, validation, test or "".
            group: what it belongs to; None where the data has no groups.
        """
        problem = self._problem(series_TC, answer)
        if problem:
            self.bad.append((name, problem))
            return
        self.series.append(tamed(series_TC))
        self.names.append(name)
        self.answers.append(answer)
        self.splits.append(split)
        if group is not None:
            self.groups.append(group)

    def _problem(self, series_TC: NDArray[Any], answer: str) -> str:
        if not answer:
            return "has no label"
        if series_TC.ndim != 2 or not series_TC.size:
            return "holds no values"
        if not np.isfinite(series_TC).any():
            return "holds missing values only"
        if self.series and series_TC.shape[1] != self.series[0].shape[1]:
            return f"has {series_TC.shape[1]} channels where the first series has {self.series[0].shape[1]}"
        return ""

    def listing(self, *, name: str, kind: str, reason: str, path: Path) -> Listing:
        """Return all of it as a listing.

        Args:
            kind: the recognised format, in words.

        Raises:
            DataError: there is no series that can be used.
        """
        if not self.series:
            why = f" The first: {self.bad[0][0]} {self.bad[0][1]}." if self.bad else ""
            raise DataError(f"{path} holds no series that can be used.{why}")
        return Listing(
            name=name,
            format=kind,
            reason=reason,
            names=text_array(self.names),
            truth=text_array(self.answers),
            splits=text_array(self.splits),
            content=together(self.series, str(path)),
            groups=text_array(self.groups) if self.groups else None,
            bad=tuple((str(text_array([who])[0]), why) for who, why in self.bad),
            notes=(*self.notes, described(self.series)),
            modality="series",
            encoding=self.encoding,
        )


def is_value(cell: str) -> bool:
    """Tell whether a cell holds a number or says that one is missing."""
    return cell.lower() in GAPS or is_number(cell)


def as_number(cell: str) -> float:
    """Return the number in a cell for which `is_value` holds, NaN where it is missing."""
    return np.nan if cell.lower() in GAPS else float(cell)


def tamed(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return numbers as float32; what is infinite, or becomes it, is missing."""
    with np.errstate(over="ignore"):
        small = np.asarray(values).astype(np.float32)
    return np.where(np.isfinite(small), small, np.float32(np.nan))


def together(series: Sequence[NDArray[np.float32]], where: str) -> Stored:
    """Return series as one array where all have one length, else ragged.

    Args:
        series: T x C each, at least one.

    Raises:
        DataError: they are larger than one array may be.
    """
    check_size(sum(each.nbytes for each in series), where)
    if len({len(each) for each in series}) == 1:
        return np.stack(series)
    return Ragged.of(list(series))


def described(series: Sequence[NDArray[np.float32]]) -> str:
    """Say how long the series are and how many channels they have.

    Args:
        series: T x C each, at least one.
    """
    lengths = sorted({len(each) for each in series})
    channels = series[0].shape[1]
    steps = f"{lengths[0]:,} steps" if len(lengths) == 1 else f"{lengths[0]:,} to {lengths[-1]:,} steps"
    return f"{len(series):,} series of {steps}, {channels:,} channel{'s' if channels != 1 else ''}"


def paired(path: Path, suffixes: Sequence[str]) -> dict[str, Path]:
    """Return the files of one data set by their split: "X_TRAIN.ts" and "X_TEST.ts".

    Args:
        path: one of the files, or the folder that holds them.
        suffixes: endings of the format, in small letters.

    Returns:
        By split; "" for a file whose name says none. Empty where there are no such files.

    Raises:
        DataError: the folder holds several data sets, and none of them has its name.
    """
    sets: dict[str, dict[str, Path]] = {}
    for file in _files(path if path.is_dir() else path.parent, suffixes):
        base, split = parted(file)
        sets.setdefault(base, {})[split] = file
    if path.is_file():
        base, split = parted(path)
        # A file that is named itself stands for its data set, with the other splits beside it.
        return sets.get(base, {}) if split else ({"": path} if path.suffix.lower() in suffixes else {})
    if len(sets) > 1:
        name = path.resolve().name.lower()
        own = [base for base in sets if base.lower() == name]
        if not own:
            some = ", ".join(str(next(iter(files.values()))) for files in list(sets.values())[:4])
            raise DataError(f"{path} holds several data sets. Name one of their files, such as {some}.")
        sets = {own[0]: sets[own[0]]}
    return next(iter(sets.values()), {})


def left_out(path: Path, taken: Iterable[Path], suffixes: Sequence[str]) -> list[str]:
    """Say which other data sets of the format lie in a folder and are not read.

    Args:
        suffixes: endings of the format, in small letters.
    """
    if not path.is_dir():
        return []
    others = sorted({file.name for file in _files(path, suffixes)} - {file.name for file in taken})
    if not others:
        return []
    return [f"{', '.join(others[:4])} in {path} belong to another data set and are not read; name one to read it"]


def parted(file: Path) -> tuple[str, str]:
    """Return a file's name without its split, and the split or "".

    Args:
        file: such as GunPoint_TRAIN.ts.
    """
    match = ENDING.fullmatch(file.stem)
    return (match["base"], split_named(match["split"])) if match else (file.stem, "")


def _files(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.suffix.lower() in suffixes and entry.is_file())
