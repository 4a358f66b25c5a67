"""Reads CSV, TSV and parquet files as columns of text, whole and bounded."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

from sonde.data.listing import split_named
from sonde.data.sources.arrays import LARGEST_BYTES, read_exactly
from sonde.errors import DataError

SUFFIXES = (".csv", ".tsv", ".parquet", ".pq")
"""Endings, in small letters, of what is taken for a table."""

LARGEST_TABLE = 1 << 30
"""Bytes; a list of ten million images has about this size."""

MOST_CELLS = 1 << 27
"""Of a parquet file, where a value that repeats takes no room: 100 columns of over a million rows."""


def tables_in(path: Path) -> list[Path]:
    """Return the tables that lie directly in a folder, sorted, with one called train before all others.

    Args:
        path: a folder.
    """
    tables = [entry for entry in path.iterdir() if entry.suffix.lower() in SUFFIXES and entry.is_file()]
    return sorted(tables, key=lambda file: (split_named(file.stem) != "train", file))


def read_table(path: Path, is_value: Callable[[str], bool]) -> dict[str, list[str]]:
    """Read a table as one list of texts per column; a missing value is an empty text.

    Args:
        path: a .csv, .tsv or .parquet file.
        is_value: says of a cell of the first row whether it is a value already, and so no column's name.

    Raises:
        DataError: the file is damaged, too large, or its rows have different lengths.
    """
    if path.suffix.lower() in (".parquet", ".pq"):
        return _parquet(path)
    return _delimited(path, is_value)


def _parquet(path: Path) -> dict[str, list[str]]:
    import pyarrow
    import pyarrow.parquet

    try:
        facts = pyarrow.parquet.read_metadata(path)
        size = sum(facts.row_group(number).total_byte_size for number in range(facts.num_row_groups))
        if size > LARGEST_BYTES or path.stat().st_size > LARGEST_TABLE:
            raise DataError(f"{path} declares {size:,} bytes, more than any table of examples has.")
        if facts.num_rows * facts.num_columns > MOST_CELLS:
            raise DataError(
                f"{path} declares {facts.num_rows:,} rows of {facts.num_columns:,} columns, more cells than the "
                f"{MOST_CELLS:,} that are read. Leave out rows or columns."
            )
        _refuse_equal_names(path, facts.schema.to_arrow_schema().names)
        columns = pyarrow.parquet.read_table(path).to_pydict()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a readable parquet file ({error}). Write it again.") from None
    return {str(name): ["" if value is None else str(value) for value in values] for name, values in columns.items()}


def _delimited(path: Path, is_value: Callable[[str], bool]) -> dict[str, list[str]]:
    try:
        text = read_exactly(path, LARGEST_TABLE).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {error.start:,}). Save it as UTF-8.") from None
    first = text.split("\n", 1)[0]
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max((",", ";", "\t"), key=first.count)
    try:
        # Not `splitlines`, which also breaks a row at a form feed or at U+2028 inside a value.
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error as error:
        raise DataError(f"{path} is not a readable table ({error}).") from None
    if not rows:
        raise DataError(f"{path} is empty. Expected a header and rows below it.")
    if any(is_value(cell) for cell in rows[0]):
        names = [f"column {number}" for number in range(1, len(rows[0]) + 1)]
    else:
        names = [name.strip() for name in rows.pop(0)]
    _refuse_equal_names(path, names)
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise DataError(
                f"{path}: row {number:,} has {len(row)} values where there are {len(names)} columns "
                f"({', '.join(names[:6])}). Put a value that holds '{delimiter}' in double quotes."
            )
    return {name: [row[column].strip() for row in rows] for column, name in enumerate(names)}


def _refuse_equal_names(path: Path, names: list[str]) -> None:
    # Spreadsheets leave several columns without a name; nobody can ask for those.
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise DataError(
            f"{path} has {names.count(twice)} columns called '{twice}', and it is unclear which one is meant. "
            "Rename or remove all but one."
        )
