"""Reads CSV, TSV and parquet files as columns of text, whole and bounded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sonde.data.bounded import LARGEST_ARRAY, LARGEST_TABLE, file_size
from sonde.data.listing import split_named
from sonde.data.sources.delimited import (
    MOST_CELLS,
    SAMPLE,
    Headless,
    Table,
    head_delimited,
    read_delimited,
    refuse_equal_names,
)
from sonde.errors import DataError

DELIMITED = (".csv", ".tsv")
PARQUET = (".parquet", ".pq")
SUFFIXES = (*DELIMITED, *PARQUET)
"""Endings, in small letters, of what is taken for a table."""

EXACT = 1 << 53
"""Whole numbers below it are themselves in a column of float64."""


def tables_in(path: Path) -> list[Path]:
    """Return the tables that lie directly in a folder, sorted, with one called train before all others."""
    tables = [entry for entry in path.iterdir() if entry.suffix.lower() in SUFFIXES and entry.is_file()]
    return sorted(tables, key=lambda file: (split_named(file.stem) != "train", file))


def read_table(path: Path, encoding: str = "", headless: Headless | None = None, known: Sequence[str] = ()) -> Table:
    """Read a table as one list of texts per column; a missing value is an empty text.

    Args:
        encoding: what the user says of a file of text; empty guesses it.
        headless: says of the first row whether it is one of values.
        known: names of columns; where one of them stands in the first row, that is the header.

    Raises:
        DataError: the file is damaged, too large, or its rows have different lengths.
    """
    if path.suffix.lower() in PARQUET:
        return _parquet(path)
    return read_delimited(path, encoding, headless, known)


def head_table(path: Path, headless: Headless | None = None) -> Table | None:
    """Read the first rows of a table, or return None where it has none, or is damaged."""
    try:
        return _parquet_head(path) if path.suffix.lower() in PARQUET else head_delimited(path, headless)
    except (DataError, OSError):
        return None


def _parquet(path: Path) -> Table:
    import pyarrow
    import pyarrow.parquet

    file_size(path, LARGEST_TABLE)
    try:
        facts = pyarrow.parquet.read_metadata(path)
        size = sum(facts.row_group(number).total_byte_size for number in range(facts.num_row_groups))
        if size > LARGEST_ARRAY:
            raise DataError(f"{path} declares {size:,} bytes, more than any table of examples has.")
        if facts.num_rows * facts.num_columns > MOST_CELLS:
            # A value that repeats takes no room in the file.
            raise DataError(
                f"{path} declares {facts.num_rows:,} rows of {facts.num_columns:,} columns, more cells than the "
                f"{MOST_CELLS:,} that are read. Leave out rows or columns."
            )
        refuse_equal_names(facts.schema.to_arrow_schema().names, path)
        columns = pyarrow.parquet.read_table(path).to_pydict()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a readable parquet file ({error}). Write it again.") from None
    return _of_values(columns)


def _parquet_head(path: Path) -> Table | None:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            batch = next(file.iter_batches(batch_size=SAMPLE), None)
            return None if batch is None else _of_values(batch.to_pydict())
    except pyarrow.ArrowException:
        return None


def _of_values(columns: dict[str, list[Any]]) -> Table:
    count = len(next(iter(columns.values()), []))
    return Table(
        columns={
            str(name) or f"column {place}": [_as_text(value) for value in values]
            for place, (name, values) in enumerate(columns.items(), 1)
        },
        numbers=range(1, count + 1),
        kind="parquet",
        unit="row",
    )


def _as_text(value: Any) -> str:
    """Return a value as a person would write it: a column of whole numbers with gaps is one of floats, 1.0 and NaN."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return str(int(value))
    return str(value)
