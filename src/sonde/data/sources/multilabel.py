"""Several labels for each example: in one cell, or in a column of 0 and 1 for each label.

    a cell         "cat|indoors" or "cat; indoors"; which of the two it is, is guessed and said
    columns        data.label_column = "cat,indoors", each of them 0 or 1 (or no and yes, false and true)

Either way the answer of an example is its labels joined by "|", and an empty text where it has none. Every source of
tables calls `prepared` on what it has read, and `survey` calls `recognised` on its listing. Between the two, cells of
several labels begin with "|", so that an example without any is not taken for one whose label is missing.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonde.data.listing import Listing, text_array
from sonde.data.options import Options
from sonde.data.sources.delimited import Table
from sonde.errors import DataError, did_you_mean

BETWEEN = "|"
"""Stands between the labels of an answer."""
SEPARATORS = ("|", ";")
"""What is looked for between the labels of a cell; a comma occurs in too many names of one label."""
USUAL = (
    "labels",
    "tags",
    "label",
    "classes",
    "class",
    "categories",
    "category",
    "topics",
    "genres",
    "target",
    "targets",
)
"""Names of columns whose cells are looked at for several labels, in small letters."""
YES = frozenset({"1", "1.0", "true", "yes", "y", "x", "t"})
NO = frozenset({"0", "0.0", "false", "no", "n", "", "f", "-"})
FEW = 10
"""Examples of a label below which examples are not stratified by it."""


def prepared(table: Table, options: Options, file: Path) -> Table:
    """Return a table in which one column holds all the labels of each row, where rows may have several.

    Args:
        options: may name the column, or several columns of 0 and 1.

    Raises:
        DataError: a named column is not there, or a cell is neither yes nor no.
    """
    said, columns = options.label_column, table.columns
    if "," in said and said not in columns:
        return _merged(table, said, file)
    usual = [name for name in columns if name.lower() in USUAL]
    for name in [said] if said in columns else usual:
        separator = options.label_separator or guess_separator([cell for cell in columns[name] if cell.strip()])
        if separator and separator != "none":
            labels = [BETWEEN + BETWEEN.join(_parts(cell, separator)) for cell in columns[name]]
            return replace(table, columns={**columns, name: labels})
    return table


def _merged(table: Table, said: str, file: Path) -> Table:
    """Put one column in the place of several of 0 and 1; its name is what was said."""
    names = [part.strip() for part in said.split(",") if part.strip()]
    columns = table.columns
    missing = [name for name in names if name not in columns]
    if missing:
        raise DataError(
            f"data.label_column names the columns {', '.join(names)}, but {file} has none called '{missing[0]}'."
            f"{did_you_mean(missing[0], list(columns))} Its columns: {', '.join(list(columns)[:40])}."
        )
    for name in names:
        if BETWEEN in name:
            raise DataError(f"{file}: the column '{name}' cannot be a label, since '{BETWEEN}' stands between labels.")
        strange = next((row for row, cell in enumerate(columns[name]) if cell.strip().lower() not in YES | NO), None)
        if strange is not None:
            raise DataError(
                f"{file}: {table.place(strange)} of the column '{name}' holds '{columns[name][strange]}'. "
                "Columns of labels (--set data.label_column=A,B,C) hold 0 or 1 in every row."
            )
    rows = zip(*([cell.strip().lower() in YES for cell in columns[name]] for name in names), strict=True)
    cells = [BETWEEN + BETWEEN.join(name for name, has in zip(names, row, strict=True) if has) for row in rows]
    others = {name: column for name, column in columns.items() if name not in names}
    return replace(table, columns={said: cells, **others})


def recognised(listing: Listing, options: Options) -> Listing:
    """Return a listing that knows whether its examples may have several labels.

    Args:
        listing: of a source of tables, with the cells as answers.
        options: may say what stands between labels.
    """
    if not isinstance(listing.truth, np.ndarray):
        return listing  # A text to be written may hold any sign.
    cells = listing.truth.tolist()
    marked = bool(cells) and all(cell.startswith(BETWEEN) for cell in cells)
    separator = BETWEEN if marked else options.label_separator or guess_separator(cells)
    if not separator or separator == "none":
        return listing
    joined = [BETWEEN.join(_parts(cell, separator)) for cell in cells]
    none = sum(not cell for cell in joined)
    note = "several labels for each example" + (f"; {none:,} examples have none" if none else "")
    if "," not in options.label_column:
        note += " (--set data.label_separator=none takes each cell as one label)"
    return replace(listing, truth=text_array(joined), several=True, notes=(*listing.notes, note))


def strata(answers: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return what splits of examples with several labels are stratified by: the rarest label of each.

    So rare labels fall into every split in proportion, and frequent ones nearly do. Combinations of labels would be
    mostly alone. A label with fewer than 10 examples is passed over.

    Args:
        answers: joined labels, N.

    Source: the idea of Sechidis et al., "On the stratification of multi-label data", 2011, in one pass.
    """
    split_up = [_parts(answer, BETWEEN) for answer in answers.tolist()]
    names, times = np.unique([name for each in split_up for name in each] or [""], return_counts=True)
    counts = dict(zip(names.tolist(), times.tolist(), strict=True))
    chosen = []
    for each in split_up:
        enough = [name for name in each if counts[name] >= FEW]
        chosen.append(min(enough, key=lambda name: (counts[name], name), default=""))
    return text_array(chosen)


def guess_separator(cells: Sequence[str]) -> str:
    """Return what stands between the labels of the cells, or an empty text where each cell is one label.

    Labels that stand in several cells speak for it: where every part belongs to one cell alone, as in "skin; upper" and
    "hair; lower", it is a part of the name.

    Args:
        cells: of the column.
    """
    different = set(cells)
    for separator in SEPARATORS:
        parts = [set(_parts(cell, separator)) for cell in different]
        if not any(len(each) > 1 for each in parts):
            continue
        known = set().union(*parts)
        shared = sum(len(each) for each in parts) > len(known)
        if shared and len(known) <= len(different):
            return separator
    return ""


def _parts(cell: str, separator: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in cell.split(separator) if part.strip()))
