"""Columns of a table: which hold numbers, dates or categories, and what counts as missing.

    read_column(["3.5", "?", "4"])      array([3.5, nan, 4.0]) and no complaint

A column is an array: float64 with NaN where a number is missing, datetime64[s] with NaT, or text with "".
"""

# N rows

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = frozenset({"", "?", "-", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "."})
"""What stands for a missing number or date, in small letters."""

MISSING_WORDS = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null"})
"""What stands for a missing category; "none" and "-" may be one."""

LONGEST = 120
"""Letters of a category that are kept; what differs only behind them is the same."""

ODD_SHARE = 0.02
"""Share of cells that may be no number in a column of numbers; they count as missing, and it is said."""

LARGEST = 1e300
"""A number that is larger counts as infinite; differences of such numbers would be."""

DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|\+00:00)?")
SLANTED = re.compile(r"\d{4}/\d\d/\d\d")
OTHER_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
CODE = re.compile(r"0\d+")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
ZERO_COMMA = re.compile(r"[+-]?0,")

Column = NDArray[Any]


def read_column(cells: Sequence[str]) -> tuple[Column, str]:
    """Turn the cells of a column into numbers, dates or categories.

    Args:
        cells: texts, N.

    Returns:
        The column, and a sentence on what was peculiar ("" when nothing).
    """
    words = sorted({cell.strip() for cell in cells} - {""})
    present = [word for word in words if word.lower() not in MISSING]
    if (
        present
        and all(CODE.fullmatch(word) or word.isdecimal() for word in present)
        and any(CODE.fullmatch(word) for word in present)
    ):
        return as_words(cells), "holds codes with leading zeros, read as a category"
    numbers, note = _numbers(cells, present)
    if numbers is not None:
        return numbers, note
    dates = _dates(cells, present)
    if dates is not None:
        return dates, ""
    if present and all(OTHER_DATE.fullmatch(word) for word in present):
        return as_words(cells), "holds dates that can be read in two ways; write them as 2026-01-31 to use them"
    return as_words(cells), ""


def as_words(column: Column | Sequence[str]) -> NDArray[np.str_]:
    """Return a column as categories, "" where one is missing; the same value is the same text, however it was stored.

    Args:
        column: numbers, dates or texts, N.
    """
    array = np.asarray(column)
    if array.dtype.kind == "M":
        return np.where(np.isnat(array), "", np.datetime_as_string(array.astype("M8[s]"))).astype(np.str_)
    if array.dtype.kind == "f":
        values, places = np.unique(array, return_inverse=True)
        return np.array([_number_as_word(value) for value in values.tolist()], dtype=np.str_)[places]
    cells = [cell.strip()[:LONGEST].rstrip() for cell in array.tolist()]
    return np.array(["" if cell.lower() in MISSING_WORDS else cell for cell in cells], dtype=np.str_)


def as_numbers(column: Column) -> tuple[NDArray[np.float64], list[str]]:
    """Return a column as numbers, NaN where one is missing; a date is its days since 1970.

    Args:
        column: numbers, dates or texts, N.

    Returns:
        The numbers, and the different cells that are none.
    """
    array = np.asarray(column)
    if array.dtype.kind == "M":
        days = array.astype("M8[s]").astype(np.int64) / 86_400
        return np.where(np.isnat(array), np.nan, days), []
    if array.dtype.kind == "f":
        return np.asarray(array, dtype=np.float64), []
    cells = [str(cell) for cell in array.tolist()]
    present = sorted({cell.strip() for cell in cells if cell.strip().lower() not in MISSING})
    known = _known_numbers(present)
    numbers = np.array([known.get(cell.strip(), np.nan) for cell in cells], dtype=np.float64)
    return numbers, [word for word in present if word not in known]


def as_dates(column: Column) -> tuple[NDArray[np.datetime64], list[str]]:
    """Return a column as dates, NaT where one is missing.

    Args:
        column: dates or texts, N.

    Returns:
        The dates, and the different cells that are none.
    """
    array = np.asarray(column)
    if array.dtype.kind == "M":
        return array.astype("M8[s]"), []
    cells = [str(cell).strip() for cell in as_words(array).tolist()]
    known = {cell: date for cell in set(cells) if (date := _date(cell)) is not None}
    missing = np.datetime64("NaT", "s")
    odd = sorted(cell for cell in set(cells) - set(known) if cell.lower() not in MISSING)
    return np.array([known.get(cell, missing) for cell in cells], dtype="M8[s]"), odd


def is_missing(column: Column) -> NDArray[np.bool_]:
    """Return where a column has no value.

    Args:
        column: numbers, dates or texts, N.
    """
    if column.dtype.kind == "f":
        return np.asarray(np.isnan(column))
    return np.asarray(np.isnat(column)) if column.dtype.kind == "M" else column == ""


def table_of(columns: dict[str, Column]) -> NDArray[np.void]:
    """Put columns side by side as one structured array.

    Args:
        columns: arrays of N rows by their names, at least one.
    """
    count = len(next(iter(columns.values())))
    rows = np.empty(count, dtype=[(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        rows[name] = column
    return rows


def names_of(rows: NDArray[np.void]) -> tuple[str, ...]:
    """Return the names of the columns of a structured array."""
    return rows.dtype.names or ()


def as_bytes(rows: NDArray[np.void]) -> NDArray[np.uint8]:
    """Return the rows of a table as bytes that are the same for equal rows, however their columns are stored.

    Args:
        rows: structured, N.

    Returns:
        N x 8 for each column: a checksum of each cell's text.
    """
    digests = np.empty((len(rows), len(names_of(rows))), dtype="<u8")
    for place, name in enumerate(names_of(rows)):
        words, places = np.unique(as_words(rows[name]), return_inverse=True)
        checksums = [blake2b(str(word).encode("utf-8", "replace"), digest_size=8).digest() for word in words]
        digests[:, place] = np.frombuffer(b"".join(checksums), dtype="<u8")[places] if checksums else 0
    return digests.view(np.uint8)


def _numbers(cells: Sequence[str], present: list[str]) -> tuple[NDArray[np.float64] | None, str]:
    known = _known_numbers(present)
    note = ""
    if len(known) < len(present) and present:
        odd = [word for word in present if word not in known]
        stray = sum(cell.strip() in set(odd) for cell in cells)
        if not known or stray > ODD_SHARE * len(cells) or len(known) < 10:
            return None, ""
        note = f"{stray:,} cells are no numbers, such as '{odd[0][:LONGEST]}', and count as missing"
    if any("," in word for word in known):
        note = "numbers have a decimal comma"
    numbers = np.array([known.get(cell.strip(), np.nan) for cell in cells], dtype=np.float64)
    infinite = np.abs(numbers) > LARGEST
    if infinite.any():
        numbers[infinite] = np.nan
        note = f"{int(infinite.sum()):,} infinite numbers count as missing"
    return numbers, note


def _known_numbers(present: list[str]) -> dict[str, float]:
    """Return the number of each word that is one; with a decimal comma where that is what makes numbers of words."""
    known = {}
    for word in present:
        try:
            known[word] = float(word)
        except ValueError:
            continue
    others = [word for word in present if word not in known]
    # "1,234" may be twelve hundred and thirty-four: another number of digits tells, and a zero in front, as in "0,234".
    is_comma = others and all(DECIMAL_COMMA.fullmatch(word) for word in others)
    if is_comma and any(len(word.partition(",")[2]) != 3 or ZERO_COMMA.match(word) for word in others):
        known |= {word: float(word.replace(",", ".")) for word in others}
    return known


def _dates(cells: Sequence[str], present: list[str]) -> NDArray[np.datetime64] | None:
    if not present or any(_date(word) is None for word in present):
        return None
    return as_dates(np.array(cells, dtype=np.str_))[0]


def _date(word: str) -> np.datetime64 | None:
    if SLANTED.fullmatch(word):
        word = word.replace("/", "-")
    if not DATE.fullmatch(word):
        return None
    try:
        return np.datetime64(word[:19].removesuffix("Z"), "s")
    except ValueError:
        return None


def _number_as_word(number: float) -> str:
    if number != number:  # NaN is unequal to itself.
        return ""
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
