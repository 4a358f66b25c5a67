"""Tables of numbers and categories: a CSV, TSV or parquet file with a label in each row; one file, or one per split.

Which column holds the label, the split and the group is guessed by the columns' names and what they hold, said, and
changed with data.label_column, data.split_column and data.group_column. All other columns are read.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonde.data.listing import Listing, split_named, text_array
from sonde.data.options import Options
from sonde.data.sources.conditions import with_test
from sonde.data.sources.delimited import Table, is_number
from sonde.data.sources.multilabel import prepared as prepared_labels
from sonde.data.sources.roles import GROUPS, LABELS, SPLIT_NAMES, in_words, splits_in, told
from sonde.data.sources.text_columns import SUFFIXES, read_table, tables_in
from sonde.data.table.columns import Column, read_column, table_of
from sonde.data.table.guesses import left_out, telling
from sonde.errors import DataError, did_you_mean

MORE_LABELS = (*LABELS, "outcome", "survived", "result", "type", "quality", "churn", "income", "default", "response",
               "status", "grade", "risk", "variety")  # fmt: skip
"""Names of columns that hold labels, in small letters, the likelier ones first."""

QUANTITIES = (
    "price",
    "cost",
    "value",
    "amount",
    "sales",
    "income",
    "score",
    "yield",
    "demand",
    "consumption",
    "strength",
)
"""Names of a last column of numbers that is what is asked, even where the first column could hold classes."""

MOST_CLASSES = 50
"""Different values of a column from which on it holds no classes."""

NUMBERS = 0.95
"""Share of numbers from which on a column holds numbers; what is none is then said, and not taken for a word."""

Cells = dict[str, list[str]]


@dataclass(frozen=True)
class Columns:
    """Which column is which; "" where there is none."""

    label: str
    split: str
    group: str


def sniff(path: Path) -> str | None:
    """Say why a path holds rows of a table: one table, or one for each split."""
    files = _files(path)
    return f"a table with a row for each example ({', '.join(file.name for file, _ in files)})" if files else None


def read(path: Path, options: Options) -> Listing:
    """Read the rows of a table; rows without a label are named as bad.

    Args:
        path: a .csv, .tsv or .parquet file, or the folder that holds one, or one for each split.
        options: may name the columns.

    Raises:
        DataError: a table is damaged, or it cannot be told which column holds the label.
    """
    files = _files(path)
    assert files, "read follows sniff"
    held = {file: prepared_labels(read_rows(file, options.encoding, told(options)), options, file) for file, _ in files}
    first = files[0][0]
    if not any(len(table) for table in held.values()):
        raise DataError(f"{first} holds a header ({', '.join(held[first].columns)}) and no row below it. Add rows.")
    columns = _columns(held[first].columns, options, first)
    files, notes = _with_label(files, held, columns)
    cells = _together(files, held)
    labels = [word.strip() for word in cells[columns.label]]
    names = [f"{file.name} {held[file].place(row)}" for file, _ in files for row in range(len(held[file]))]
    kept = [row for row, label in enumerate(labels) if label]
    if not kept:
        raise DataError(f"{first} holds no row with a label ({in_words(columns)}).")
    splits = _splits(files, held, columns)
    read_as = {name for name in cells if name not in vars(columns).values()}
    rows, more = _rows({name: [cells[name][row] for row in kept] for name in cells if name in read_as}, first)
    kept_cells = {name: [column[row] for row in kept] for name, column in cells.items()}
    notes = [
        f"columns of {first.name}: {in_words(columns)} (change: --set data.label_column=NAME and so on)",
        *(note for file, _ in files for note in held[file].notes),
        *notes,
        *more,
    ]
    listing = Listing(
        name=path.resolve().name if path.is_dir() else path.stem,
        format=f"table ({first.suffix.lower().removeprefix('.')})",
        reason=f"{len(kept):,} rows of {len(read_as)} columns, {in_words(columns)}",
        names=text_array([names[row] for row in kept]),
        truth=text_array([labels[row] for row in kept]),
        splits=text_array(with_test([splits[row] for row in kept], options.test_where, kept_cells, notes)),
        content=rows,
        groups=text_array([cells[columns.group][row] for row in kept]) if columns.group else None,
        bad=tuple((names[row], "has no label") for row, label in enumerate(labels) if not label),
        notes=(),
        modality="table",
        encoding=options.encoding,
    )
    return _with_notes(listing, notes)


def read_rows(path: Path, encoding: str = "", known: Sequence[str] = ()) -> Table:
    """Read a file as one list of texts for each column, whose names are the first row where that is no example.

    Args:
        encoding: that it is said to be in; empty guesses it.
        known: names of columns; where one of them stands in the first row, that is the header.

    Raises:
        DataError: the file is damaged, too large or of another kind, or its rows have different lengths.
    """
    if path.suffix.lower() not in SUFFIXES or not os.path.isfile(path):
        what = "is not there" if not os.path.exists(path) else "is no table"
        raise DataError(f"{path} {what}. Give a file that ends in {', '.join(SUFFIXES)}, with a row for each example.")
    return read_table(path, encoding, known=known)


def _files(path: Path) -> list[tuple[Path, str]]:
    """Return the tables with the split that each one's name says, "" where there is one table alone."""
    if path.is_file():
        return [(path, "")] if path.suffix.lower() in SUFFIXES else []
    if not path.is_dir():
        return []
    tables = tables_in(path)
    named = [(file, split_named(file.stem)) for file in tables]
    if len(tables) > 1 and all(split for _, split in named) and len({split for _, split in named}) == len(tables):
        return named
    return [(tables[0], "")] if len(tables) == 1 else []


def _columns(cells: Cells, options: Options, file: Path) -> Columns:
    for option in ("label_column", "split_column", "group_column"):
        wanted = getattr(options, option)
        if wanted and wanted not in cells and not (option != "label_column" and wanted == "none"):
            raise DataError(
                f"data.{option} = '{wanted}', but {file} has no such column.{did_you_mean(wanted, cells)} "
                f"Its columns: {', '.join(list(cells)[:40])}."
            )
    splits = [name for name in cells if name.lower() in SPLIT_NAMES and _are_splits(cells[name])]
    split = _optional(options.split_column, splits)
    group = _optional(options.group_column, [name for name in cells if name.lower() in GROUPS and _groups(cells[name])])
    label = options.label_column or _label(cells, {split, group}, file)
    return Columns(label, split, group)


def _optional(wanted: str, found: list[str]) -> str:
    return ("" if wanted == "none" else wanted) if wanted else next(iter(found), "")


def _are_splits(cells: list[str]) -> bool:
    return any(split_named(cell) for cell in set(cells))


def _groups(cells: list[str]) -> bool:
    # A patient or a site has several rows; a number for each row groups nothing.
    return len(set(cells)) < len(cells)


def _label(cells: Cells, taken: set[str], file: Path) -> str:
    free = [name for name in cells if name not in taken]
    named = [name for name in free if name.lower() in MORE_LABELS and len(set(cells[name])) > 1]
    # A column y of coordinates is called as a label is, and holds none.
    named.sort(key=lambda name: (not _may_be_label(cells[name]), MORE_LABELS.index(name.lower())))
    if named:
        return named[0]
    # By custom the label is last, or else first; and of numbers alone it is last.
    last, first = (free[-1], free[0]) if len(free) > 1 else ("", "")
    is_number_asked = bool(last) and _are_numbers(cells[last])
    if last and (_may_be_label(cells[last]) or (is_number_asked and last.lower() in QUANTITIES)):
        return last
    if first and _may_be_label(cells[first]):
        return first
    if is_number_asked:
        return last
    raise DataError(
        f"It cannot be told which column of {file} holds the label; candidates: {', '.join(free[:20]) or 'none'}. "
        "Say it with --set data.label_column=NAME."
    )


def _may_be_label(cells: list[str]) -> bool:
    words = {cell.strip() for cell in cells} - {""}
    few = 2 <= len(words) <= min(MOST_CLASSES, max(2, len(cells) // 3))
    whole = all(not is_number(word) or float(word).is_integer() for word in words)
    return few and whole


def _are_numbers(cells: list[str]) -> bool:
    words = [word for cell in cells if (word := cell.strip())]
    return len(set(words)) > 1 and sum(map(is_number, words)) >= NUMBERS * len(words)


def _with_label(
    files: list[tuple[Path, str]], held: dict[Path, Table], columns: Columns
) -> tuple[list[tuple[Path, str]], list[str]]:
    """Leave out files without the label, such as a test split that is for a contest."""
    first, notes, kept = files[0][0], [], []
    for file, split in files:
        if columns.label not in held[file].columns:
            notes.append(f"{file.name} has no column '{columns.label}' and is left out")
            continue
        kept.append((file, split))
        lacking = [name for name in held[first].columns if name not in held[file].columns]
        if lacking:
            raise DataError(
                f"{file} lacks the column '{lacking[0]}', which {first.name} has. The tables of one data set must have "
                "the same columns."
            )
    return kept, notes


def _together(files: list[tuple[Path, str]], held: dict[Path, Table]) -> Cells:
    names = held[files[0][0]].columns
    return {name: [cell for file, _ in files for cell in held[file].columns[name]] for name in names}


def _splits(files: list[tuple[Path, str]], held: dict[Path, Table], columns: Columns) -> list[str]:
    if columns.split:
        return [split for file, _ in files for split in splits_in(held[file], columns.split, file)]
    return [split for file, split in files for _ in range(len(held[file]))]


def _rows(cells: Cells, file: Path) -> tuple[NDArray[np.void], list[str]]:
    columns: dict[str, Column] = {}
    notes = []
    for name, column in cells.items():
        columns[name], note = read_column(column)
        if note:
            notes.append(f"column '{name}': {note}")
    if not columns:
        raise DataError(f"{file} has no column beside the label. A table needs at least one that tells something.")
    return table_of(columns), notes


def _with_notes(listing: Listing, notes: list[str]) -> Listing:
    aside = left_out(listing)
    labelled = [f"column '{name}' {reason}, and is left out (read it: --set 'table.ignore=[]')" for name, reason in
                aside.items() if reason == "is the label in other words"]  # fmt: skip
    return replace(listing, notes=(*notes, *labelled, *telling(listing)))
