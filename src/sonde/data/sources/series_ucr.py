"""The text files of the UCR archive (Dau et al., 2019): a series per line, its class first, and no header.

A line holds the label and then the values, parted by tabs, commas or blanks. Series that are shorter than the others
are filled up with NaN at the end, and missing values are NaN between others.
"""

# N series, T steps of time

import re
from pathlib import Path

import numpy as np

from sonde.data.bounded import LARGEST_TABLE, read_bytes
from sonde.data.listing import Listing
from sonde.data.options import Options
from sonde.data.sources.series_arrays import Found, left_out, paired, parted
from sonde.errors import DataError

SUFFIXES = (".tsv", ".txt", ".csv")
FEWEST = 8
"""Numbers in a line of a file whose name says no split; shorter lines are taken for rows of a table."""
HEAD = 1 << 16
"""Bytes that are looked at."""
PARTING = re.compile(r"[\t,;]| +")


def sniff(path: Path) -> str | None:
    """Say why a path is a UCR data set: lines of numbers without a header, in files called X_TRAIN and X_TEST."""
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        files = [path]
    elif path.is_dir():
        files = [file for file in sorted(path.iterdir()) if file.suffix.lower() in SUFFIXES and parted(file)[1]]
    else:
        return None
    fitting = [file for file in files[:8] if is_one(file)]
    return f"lines of a label and a series ({fitting[0].name})" if fitting else None


def read(path: Path, options: Options) -> Listing:
    """Read the series of a file and of those with the other splits beside it.

    Args:
        path: a file, or the folder that holds them.
        options: not used by this format.

    Raises:
        DataError: a line holds what is no number, or the folder holds several data sets.
    """
    files = {split: file for split, file in paired(path, SUFFIXES).items() if is_one(file)}
    found = Found()
    for split, file in sorted(files.items(), key=lambda each: ("", "train", "validation", "test").index(each[0])):
        read_file(file, found, split)
    found.notes += left_out(path, files.values(), SUFFIXES)
    name = parted(next(iter(files.values())))[0] or path.resolve().name
    return found.listing(name=name, kind="UCR text", reason=f"{sniff(path)}", path=path)


def read_file(file: Path, found: Found, split: str) -> None:
    """Add the series of one file to what was found.

    Args:
        file: lines of a label and a series.
        found: is added to.

    Raises:
        DataError: the file is too large, or a line holds what is no number.
    """
    lines = read_bytes(file, LARGEST_TABLE).decode("utf-8", "replace").split("\n")
    shorter = 0
    for number, line in enumerate(lines, 1):
        words = _words(line)
        if not words:
            continue
        try:
            values = np.array(["nan" if word in ("", "?") else word for word in words[1:]], dtype=np.float64)
        except ValueError as error:
            raise DataError(
                f"{file}: line {number:,} holds what is no number ({str(error)[:80]}). Repair or remove the line."
            ) from None
        known = np.flatnonzero(~np.isnan(values))
        end = int(known[-1]) + 1 if len(known) else len(values)
        shorter += end < len(values)
        found.add(values[:end, None], name=f"{file.name}:{number}", answer=_label(words[0]), split=split)
    if shorter:
        found.notes.append(f"{shorter:,} series of {file.name} end in missing values and were taken as shorter ones")


def is_one(file: Path) -> bool:
    """Tell whether a file begins with lines of numbers."""
    with file.open("rb") as opened:
        head = opened.read(HEAD).decode("utf-8", "replace")
    lines = head.split("\n")[:4]
    # The last one may be cut off in the middle of a number, which then is one all the same.
    rows = [_words(line) for line in lines if line.strip()]
    fewest = 2 if parted(file)[1] else FEWEST + 1
    return bool(rows) and all(len(row) >= fewest and all(_is_number(word) for word in row) for row in rows)


def _words(line: str) -> list[str]:
    line = line.strip(" \r\n")
    return [word.strip() for word in PARTING.split(line)] if line else []


def _is_number(word: str) -> bool:
    try:
        float(word or "nan")
    except ValueError:
        return word == "?"
    return True


def _label(word: str) -> str:
    """Return a class as whole numbers are written: 1.0000000e+00 is 1."""
    try:
        number = float(word)
    except ValueError:
        return word
    return str(int(number)) if number.is_integer() else word
