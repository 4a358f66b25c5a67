"""Guesses which columns of a table are left out: row numbers, names, constants, and those that give the label away.

What is looked at is said; nothing is learned from it. Columns are looked at without the data's own test split.
"""

# N rows

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonde.config import Setting, Settings
from sonde.data.listing import Listing
from sonde.data.ragged import Ragged
from sonde.data.table.columns import Column, as_words, is_missing, names_of

IDS = re.compile(r"(?:.*[ _-])?(?:id|ids|uuid|guid|index|idx|key|nr|no|number|row)|(?:unnamed: ?)\d+|.*[a-z](?:Id|ID)")
"""Names of columns that number the rows."""

DISTINCT = 0.9
"""Share of different values from which on a column of words names the rows."""

REPEATED = 5
"""Rows for each value from which on it says something that a value goes with one label only."""

FEWEST = 10
"""Rows below which a column is not judged by its values."""

SHOWN = 12
"""Columns that are named in a reason."""


def guess(listing: Listing) -> Settings:
    """Guess which columns are not read, with the reason for each."""
    found = left_out(listing)
    named = [f"'{name}' {reason}" for name, reason in found.items()]
    more = f", and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    nothing = "no column numbers the rows, is constant or repeats the label"
    if len(reasons := _reasons(listing)) and all(reasons.values()):
        nothing = "every column numbers the rows, is constant or repeats the label, so that none can be left out"
    why = ", ".join(named[:SHOWN]) + more if named else nothing
    return Settings({"table.ignore": Setting(list(found), "guessed", reason=why)})


def left_out(listing: Listing) -> dict[str, str]:
    """Return the columns that say nothing, or too much, with the reason."""
    reasons = _reasons(listing)
    found = {name: reason for name, reason in reasons.items() if reason}
    # A table of nothing but such columns is for its owner to judge.
    return found if len(found) < len(reasons) else {}


def _reasons(listing: Listing) -> dict[str, str]:
    rows, answers = _looked_at(listing)
    return {name: _reason(name, rows[name], answers) for name in names_of(rows)}


def telling(listing: Listing) -> tuple[str, ...]:
    """Return a sentence on each column that nearly gives the label away, and is read all the same."""
    rows, answers = _looked_at(listing)
    aside = left_out(listing)
    notes = []
    for name in names_of(rows):
        if name not in aside and len(rows) >= FEWEST and _decides(rows[name], answers):
            notes.append(
                f"each value of the column '{name}' goes with one label only; see that it is known before the label is "
                f"(leave it out: --set 'table.ignore=[\"{name}\"]', with the other columns to leave out)"
            )
    dates = [name for name in names_of(rows) if rows[name].dtype.kind == "M" and name not in aside]
    if dates and not np.any(listing.splits != ""):
        notes.append(
            f"the rows have dates ('{dates[0]}'): splits made at random test on days that were trained on; a column "
            "with train and test by date is nearer to use"
        )
    return tuple(notes)


def _looked_at(listing: Listing) -> tuple[NDArray[np.void], NDArray[np.str_]]:
    rows = listing.stored
    assert rows is not None and not isinstance(rows, Ragged)
    kept = listing.splits != "test"
    truth = np.asarray(listing.truth)
    return (rows, truth) if kept.all() else (rows[kept], truth[kept])


def _reason(name: str, column: Column, answers: NDArray[np.str_]) -> str:
    missing = is_missing(column)
    known = column[~missing]
    if len(known) == 0:
        return "is empty"
    different = np.unique(known)
    if len(different) == 1 and (not missing.any() or column.dtype.kind == "U"):
        return "" if missing.any() else "has one value only"
    if len(column) < FEWEST:
        return ""
    if len(different) == len(column):
        if column.dtype.kind == "f" and _counts(np.asarray(column, dtype=np.float64)):
            return "counts the rows"
        is_whole = column.dtype.kind == "f" and bool(np.all(np.floor(np.asarray(known, np.float64)) == known))
        if IDS.fullmatch(name) and (is_whole or column.dtype.kind == "U"):
            return "differs in every row and is named like a number of rows"
    if column.dtype.kind == "U" and len(different) > DISTINCT * len(known) and len(known) >= 2 * FEWEST:
        return f"holds {len(different):,} different texts in {len(known):,} rows"
    if not missing.any() and _repeats(column, answers):
        return "is the label in other words"
    return ""


def _counts(column: NDArray[np.float64]) -> bool:
    """Tell whether a column is a row number: each number is one more than the one before, or they are all there."""
    in_order = np.sort(column)
    return bool(np.all(np.diff(in_order) == 1)) and bool(in_order[0] in (0, 1) or np.all(np.diff(column) == 1))


def _repeats(column: Column, answers: NDArray[np.str_]) -> bool:
    """Tell whether every value goes with one label, and every label with one value."""
    values = as_words(column)
    pairs = len(_pairs(values, answers))
    # Where most numbers occur once, any two columns of them pair so.
    return 2 <= pairs == len(np.unique(values)) == len(np.unique(answers)) and 2 * pairs <= len(answers)


def _decides(column: Column, answers: NDArray[np.str_]) -> bool:
    """Tell whether every value goes with one label, and occurs often enough to mean it."""
    values = as_words(column)
    different = len(np.unique(values))
    return 2 <= different <= len(values) / REPEATED and len(_pairs(values, answers)) == different


def _pairs(values: NDArray[np.str_], answers: NDArray[np.str_]) -> Sequence[object]:
    by_value, by_answer = (np.unique(each, return_inverse=True)[1] for each in (values, answers))
    return np.unique(np.stack([by_value, by_answer]), axis=1)[0].tolist()
