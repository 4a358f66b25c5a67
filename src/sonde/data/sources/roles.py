"""Which column of a table is what: the names that usually say so, and how a guess is told."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sonde.data.listing import split_named
from sonde.data.options import Options
from sonde.data.sources.delimited import Table
from sonde.errors import DataError

LABELS = (
    "label",
    "class",
    "target",
    "category",
    "y",
    "class_name",
    "label_name",
    "species",
    "diagnosis",
    "answer",
    "labels",
    "tags",
)
"""Names of columns that hold labels, the likelier ones first."""
SPLIT_NAMES = ("split", "set", "subset", "partition", "fold", "usage")
GROUPS = ("group", "group_id", "patient", "patient_id", "subject", "subject_id", "person", "user_id", "speaker", "site")


def in_words(columns: Any) -> str:
    """Say which column is taken for what.

    Args:
        columns: names of columns by role; an empty one for a role that none has.
    """
    return ", ".join(f"{role} in '{name}'" for role, name in vars(columns).items() if name)


def told(options: Options) -> tuple[str, ...]:
    """Return the names of columns that the options tell."""
    columns = (options.path_column, options.split_column, options.group_column, options.series_column)
    several = (*options.label_column.split(","), *options.text_column.split("+"), options.time_column)
    return tuple(
        name for name in (*columns, *several, options.label_column, options.target_column) if name and name != "none"
    )


def label_column(table: Mapping[str, Sequence[str]], names: Sequence[str], taken: set[str], file: Path) -> str:
    """Return the column that holds the label.

    Args:
        table: cells by column.
        names: of columns that hold labels, in small letters, the likelier ones first.
        taken: columns that hold something else.

    Raises:
        DataError: it cannot be told.
    """
    free = [name for name in table if name not in taken]
    named = sorted((name for name in free if name.lower() in names), key=lambda name: names.index(name.lower()))
    if named:
        return named[0]
    # A label repeats: a column with as many values as rows is a number or a remark.
    repeating = [name for name in free if 2 <= len(set(table[name])) <= len(table[name]) / 2]
    candidates = free if len(free) == 1 else repeating
    if len(candidates) == 1:
        return candidates[0]
    raise DataError(
        f"It cannot be told which column of {file} holds the label; candidates: {', '.join(free) or 'none'}. "
        "Say it with --set data.label_column=NAME."
    )


def splits_in(table: Table, column: str, file: Path, rows: Iterable[int] | None = None) -> list[str]:
    """Return the splits that a column gives to rows, "" where it gives none.

    Args:
        column: the one that holds them; "" for none.
        rows: those that are meant; all where they are left out.

    Raises:
        DataError: a cell is no split's name.
    """
    chosen = range(len(table)) if rows is None else rows
    if not column:
        return ["" for _ in chosen]
    found = []
    for row in chosen:
        word = table.columns[column][row].strip()
        found.append(split_named(word))
        if word and not found[-1]:
            raise DataError(
                f"{file}: the column '{column}' holds {word[:40]} ({table.place(row)}); expected train, validation or "
                "test. Take it for no split with --set data.split_column=none."
            )
    return found
