"""Several labels for each example: in one cell, or in a column of 0 and 1 for each label.

    a cell         "cat|indoors" or "cat; indoors", which of the two is guessed and said
    columns        data.label_column = "cat,indoors", each of them 0 or 1 (or no and yes, false and true)

Either way the answer of an example is its labels joined by "|", and an empty text where it has none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sonde.errors import DataError, did_you_mean

BETWEEN = "|"
"""Stands between the labels of an answer."""
SEPARATORS = ("|", ";")
"""What is looked for between the labels of a cell; a comma occurs in too many names of one label."""
YES = frozenset({"1", "1.0", "true", "yes", "y", "x", "t"})
NO = frozenset({"0", "0.0", "false", "no", "n", "", "f", "-"})


@dataclass(frozen=True)
class Answers:
    """What stands in the columns of the labels."""

    cells: list[str]
    """Answer of each row."""
    several: bool
    """Whether they may hold several labels each, or none."""
    notes: tuple[str, ...] = ()
    """How that was recognised."""


def columns_named(said: str, table: Mapping[str, object]) -> tuple[str, ...]:
    """Return the columns that `data.label_column` names, where it names several; else none.

    Args:
        said: the option.
        table: columns by name.

    Raises:
        DataError: one of several is not there.
    """
    if "," not in said or said in table:
        return ()
    names = tuple(part.strip() for part in said.split(",") if part.strip())
    missing = [name for name in names if name not in table]
    if missing:
        raise DataError(
            f"data.label_column names the columns {', '.join(names)}, but there is none called '{missing[0]}'."
            f"{did_you_mean(missing[0], list(table))} There are: {', '.join(table)}."
        )
    return names


def read_columns(table: Mapping[str, Sequence[str]], names: Sequence[str], file: Path) -> Answers:
    """Return the answers that several columns of 0 and 1 make.

    Args:
        table: cells by column.
        names: the columns; each is a label.
        file: of the table, for the error.

    Raises:
        DataError: a cell is neither yes nor no, or a column's name cannot be a label; the text names both.
    """
    for name in names:
        if BETWEEN in name:
            raise DataError(f"{file}: the column '{name}' cannot be a label, since '{BETWEEN}' stands between labels.")
        strange = next((row for row, cell in enumerate(table[name], 1) if cell.strip().lower() not in YES | NO), None)
        if strange is not None:
            raise DataError(
                f"{file}: row {strange:,} of the column '{name}' holds '{table[name][strange - 1]}'. Columns of labels "
                "(--set data.label_column=A,B,C) hold 0 or 1 in every row."
            )
    rows = zip(*([cell.strip().lower() in YES for cell in table[name]] for name in names), strict=True)
    cells = [BETWEEN.join(name for name, has in zip(names, row, strict=True) if has) for row in rows]
    none = sum(not cell for cell in cells)
    note = f"several labels for each example, from {len(names)} columns of 0 and 1"
    return Answers(cells, True, (note + (f"; {none:,} examples have none" if none else ""),))


def read_cells(cells: Sequence[str], separator: str = "") -> Answers:
    """Return the answers of a column whose cells may hold several labels each.

    Args:
        cells: of the column.
        separator: what stands between the labels; empty guesses it, "none" takes each cell as one label.
    """
    found = separator if separator else guess_separator(cells)
    if not found or separator == "none":
        return Answers(list(cells), False)
    joined = [BETWEEN.join(dict.fromkeys(part.strip() for part in cell.split(found) if part.strip())) for cell in cells]
    none = sum(not cell for cell in joined)
    note = f"several labels for each example, with '{found}' between them (data.label_separator=none takes each as one)"
    return Answers(joined, True, (note + (f"; {none:,} examples have none" if none else ""),))


def guess_separator(cells: Sequence[str]) -> str:
    """Return what stands between the labels of the cells, or an empty text where each cell is one label.

    Labels that stand in several cells speak for it: where every part belongs to one cell alone, as in "skin; upper" and
    "hair; lower", it is a part of the name.

    Args:
        cells: of the column.
    """
    different = set(cells)
    for separator in SEPARATORS:
        parts = [{part.strip() for part in cell.split(separator) if part.strip()} for cell in different]
        if not any(len(each) > 1 for each in parts):
            continue
        known = set().union(*parts)
        shared = sum(len(each) for each in parts) > len(known)
        if shared and len(known) <= len(different):
            return separator
    return ""
