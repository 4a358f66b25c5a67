"""Rows of a table: their options, and how numbers, dates and categories become what a model reads.

What a model reads of a row is first the numbers (imputed, clipped and scaled), then an indicator for each column of
numbers that lacked some in training, then one code for each column of categories: 0 for a missing or unknown value.
All of it is learned from the training rows alone.
"""

# N rows, F numbers of a prepared row, K knots

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator
from scipy.stats import norm

from sonde.config import Options as OptionSet
from sonde.data.cache import Marks
from sonde.data.decoded import Decoded, marks
from sonde.data.listing import Listing
from sonde.data.ragged import Ragged, Stored
from sonde.data.spec import Spec
from sonde.data.table.columns import Column, as_dates, as_numbers, as_words, is_missing, names_of, table_of
from sonde.errors import DataError, did_you_mean

CLIPPED = 0.005
"""Share of the training rows below and above which numbers are clipped, under standard scaling."""
KNOTS = 48
"""Points of the quantile scaling; between two of them it is straight."""
MOST_COLUMNS = 5000
"""Columns of a table."""
MOST_KNOTS = 50_000
"""Knots of all columns together, and
"""
MOST_LETTERS = 2_000_000
"""bytes of all values together, so that the description of a model stays below its bound."""
COPIES = 0.5
"""Share of rows that equal another one from which on equal rows are chance and no copies."""


class Options(OptionSet):
    """Which columns are read as what, and how numbers are scaled."""

    categories: tuple[str, ...] = ()
    """Columns of numbers that are read as categories, such as codes; columns of words always are."""

    ignore: tuple[str, ...] = ()
    """Columns that are not read."""

    scaling: Literal["quantile", "standard"] = "quantile"
    """How numbers are scaled: by their rank among the training rows, to a bell; or clipped, to mean 0 and deviation
    1."""

    most_values: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """Values of a category that are told apart, the most frequent ones; the others count as unknown."""

    fewest: Annotated[int, Field(ge=1, le=1000)] = 2
    """Training rows that a value of a category must have; rarer ones count as unknown, so that unknown is learned."""


Name = Annotated[str, Field(min_length=1, max_length=500)]
Finite = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]
Scaled = Annotated[float, Field(allow_inf_nan=False, ge=-100.0, le=100.0)]


class NumberColumn(BaseModel):
    """How one column of numbers or dates is imputed and scaled."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: Name
    is_date: bool = False
    """A date is read as its days since 1970."""
    median: Finite
    """Stands for a missing number."""
    knots: Annotated[tuple[Finite, ...], Field(min_length=1, max_length=1000)]
    """Rising; what lies below the first or above the last is clipped."""
    heights: Annotated[tuple[Scaled, ...], Field(min_length=1, max_length=1000)]
    """What each knot becomes; numbers between two knots lie on the line between their heights."""
    has_indicator: bool = False
    """Whether the model is told where the number is missing."""

    @model_validator(mode="after")
    def _rises(self) -> "NumberColumn":
        if len(self.knots) != len(self.heights) or any(np.diff(self.knots) <= 0):
            raise ValueError("knots must rise, and have a height each")
        return self


class CategoryColumn(BaseModel):
    """The values of one column of categories; the code of a value is its place plus 1."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: Name
    values: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=200)], ...], Field(max_length=100_000)]

    @model_validator(mode="after")
    def _differs(self) -> "CategoryColumn":
        if len(set(self.values)) < len(self.values):
            raise ValueError("a value occurs twice")
        return self


class TableSpec(Spec):
    """How a row becomes numbers and codes; part of every saved model."""

    kind: Literal["table"] = "table"
    numbers: Annotated[tuple[NumberColumn, ...], Field(max_length=MOST_COLUMNS)]
    categories: Annotated[tuple[CategoryColumn, ...], Field(max_length=MOST_COLUMNS)]
    encoding: Annotated[str, Field(max_length=40)] = ""
    """That the training tables were said to be in; new files are read as such."""

    @model_validator(mode="after")
    def _has_columns(self) -> "TableSpec":
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise ValueError("there must be columns, each once")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that are read: numbers first, then categories."""
        return (*(each.name for each in self.numbers), *(each.name for each in self.categories))

    @property
    def shape(self) -> tuple[int]:
        """How many numbers a prepared row has."""
        return (len(self.numbers) + len(self._indicated) + len(self.categories),)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """How many codes each column of categories has, the unknown included."""
        return tuple(len(each.values) + 1 for each in self.categories)

    @property
    def features(self) -> tuple[str, ...]:
        """A name for each number of a prepared row."""
        missing = tuple(f"{each.name} is missing" for each in self._indicated)
        return (*(each.name for each in self.numbers), *missing, *(each.name for each in self.categories))

    @property
    def _indicated(self) -> tuple[NumberColumn, ...]:
        return tuple(each for each in self.numbers if each.has_indicator)

    def encode(self, raw: Stored) -> NDArray[np.float32]:
        """Turn rows into what the model reads.

        Args:
            raw: structured, N, with a field for each column; further fields are not read.

        Returns:
            float32, N x F.

        Raises:
            DataError: a column is missing, or a cell of numbers holds none; the text names it.
        """
        assert not isinstance(raw, Ragged)
        self._refuse_missing(names_of(raw), "The data")
        encoded = np.empty((len(raw), self.shape[0]), dtype=np.float32)
        gaps = []
        for place, column in enumerate(self.numbers):
            values = _numbers_in(raw[column.name], column)
            gap = np.isnan(values)
            encoded[:, place] = np.interp(np.where(gap, column.median, values), column.knots, column.heights)
            if column.has_indicator:
                gaps.append(gap)
        for place, gap in enumerate(gaps, len(self.numbers)):
            encoded[:, place] = gap
        for place, category in enumerate(self.categories, len(self.numbers) + len(gaps)):
            codes = {value: code for code, value in enumerate(category.values, 1)}
            words, places = np.unique(as_words(raw[category.name]), return_inverse=True)
            encoded[:, place] = np.array([codes.get(word, 0) for word in words.tolist()], dtype=np.float32)[places]
        return encoded

    def prepare(self, inputs: Stored, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Return a batch of encoded rows as it is.

        Args:
            inputs: float32, B x F.
            out: where the result is written; a new array when left out.
        """
        assert not isinstance(inputs, Ragged)
        if out is None:
            return np.array(inputs, dtype=np.float32)
        out[:] = inputs
        return out

    def read(self, path: str) -> tuple[list[str], NDArray[np.void]]:
        """Read the rows of a file, with the columns by name in any order.

        Returns:
            A name for each row, and the rows; values that training never saw are kept, and count as unknown.

        Raises:
            DataError: the file cannot be read, lacks a column or has no row, or a cell of numbers holds none.
        """
        from sonde.data.sources.labelled_rows import read_rows

        table = read_rows(Path(path), self.encoding, self.columns)
        self._refuse_missing(tuple(table.columns), path)
        rows = table_of({name: self._column(name, table.columns[name], path, table.place) for name in self.columns})
        if not len(rows):
            raise DataError(f"{path} holds no row below its header.")
        return [f"{path} {table.place(row)}" for row in range(len(rows))], rows

    def _column(self, name: str, cells: list[str], path: str, place: Callable[[int], str]) -> Column:
        if all(name != each.name for each in self.numbers):
            return as_words(cells)
        number = next(each for each in self.numbers if each.name == name)
        words = np.array(cells, dtype=np.str_)
        column, odd = as_dates(words) if number.is_date else as_numbers(words)
        if odd:
            row = next(row for row, cell in enumerate(cells) if cell.strip() == odd[0])
            kind = "date, such as 2026-01-31" if number.is_date else "number"
            raise DataError(
                f"{path}: {place(row)} holds '{odd[0][:80]}' in the column '{name}', which is no {kind}. Correct it, "
                "or leave the cell empty for a missing value."
            )
        return column

    def _refuse_missing(self, there: tuple[str, ...], where: str) -> None:
        missing = [name for name in self.columns if name not in there]
        if missing:
            some = ", ".join(f"'{name}'" for name in missing[:5]) + (" and others" if len(missing) > 5 else "")
            raise DataError(
                f"{where} lacks {'the column' if len(missing) == 1 else 'columns'} {some}, which the model reads."
                f"{did_you_mean(missing[0], there)} It has: {', '.join(there[:20]) or 'none'}. Name the columns in the "
                "first row as in the training data; a column that is there may be empty."
            )


def store(listing: Listing, options: Options, contents: str) -> Decoded:
    """Take the columns of a listing that are to be read, each as what it is to be read as.

    Args:
        options: which columns are categories, and which are ignored.

    Raises:
        DataError: no column is left, or too many are.
    """
    raw = listing.stored
    assert raw is not None and not isinstance(raw, Ragged)
    left = [name for name in names_of(raw) if name not in options.ignore]
    if not left or len(left) > MOST_COLUMNS:
        what = "no column is left to read" if not left else f"{len(left):,} columns are more than {MOST_COLUMNS:,}"
        raise DataError(
            f"{listing.name}: {what} (table.ignore leaves out: {', '.join(options.ignore[:20]) or 'none'}). "
            "Change it with --set 'table.ignore=[...]'."
        )
    rows = table_of({name: as_words(raw[name]) if name in options.categories else raw[name] for name in left})
    found, notes = _marks(rows)
    return Decoded(rows, found, np.arange(len(rows)), listing.bad, notes, contents)


def _marks(rows: NDArray[np.void]) -> tuple[Marks, tuple[str, ...]]:
    """Return checksums of the rows, equal where one is a copy of another.

    Rows of few values equal each other by chance, above all those with gaps. They are copies where one of their values
    occurs in no other row, and where that does not hold for most rows.
    """
    found = marks(rows)
    _, places, counts = np.unique(found, return_inverse=True, return_counts=True)
    equal_N = counts[places]
    rarest_N = np.full(len(rows), len(rows))
    for name in names_of(rows):
        _, values, times = np.unique(as_words(rows[name]), return_inverse=True, return_counts=True)
        rarest_N = np.where(is_missing(rows[name]), rarest_N, np.minimum(rarest_N, times[values]))
    is_copy = (equal_N > 1) & (rarest_N == equal_N)
    note = ""
    if is_copy.mean() > COPIES:
        note = f"{is_copy.mean():.0%} of the rows equal another one, as few values allow, and are not taken for copies"
        is_copy[:] = False
    # Multiples of an odd number differ from row to row, in every bit.
    own = np.arange(1, len(rows) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return np.where(is_copy, found, found ^ own).astype("<u8"), (note,) if note else ()


def learn(raw: Stored, listing: Listing | None, options: Options) -> TableSpec:
    """Learn medians, scales and values from the training rows.

    Args:
        raw: structured training rows, as `store` gave them.
        listing: all that there is, whose columns the options may name; None where nothing is to be checked.
        options: how numbers are scaled, and which values count.

    Raises:
        DataError: an option names a column that is not there, or so many values are told apart that no model could hold
            them.
    """
    assert not isinstance(raw, Ragged)
    if listing is not None:
        _refuse_unknown(listing, options)
    columns = {name: raw[name] for name in names_of(raw)}
    spec = TableSpec(
        numbers=tuple(
            _number(name, each, options.scaling, knots=max(4, min(KNOTS, MOST_KNOTS // len(columns))))
            for name, each in columns.items()
            if each.dtype.kind in "fM"
        ),
        categories=tuple(_category(name, each, options) for name, each in columns.items() if each.dtype.kind == "U"),
        encoding=listing.encoding if listing is not None else "",
    )
    letters = sum(len(value.encode()) + 4 for each in spec.categories for value in each.values)
    if letters > MOST_LETTERS:
        raise DataError(
            f"The categories hold {sum(spec.cardinalities):,} values of {letters:,} letters, more than the "
            f"{MOST_LETTERS:,} that a model keeps. Tell fewer apart with --set table.most_values=100, or leave "
            "columns out with --set 'table.ignore=[...]'."
        )
    return spec


def _refuse_unknown(listing: Listing, options: Options) -> None:
    rows = listing.stored
    assert rows is not None and not isinstance(rows, Ragged)
    names = names_of(rows)
    for option in ("categories", "ignore"):
        unknown = [name for name in getattr(options, option) if name not in names]
        if unknown:
            raise DataError(
                f"table.{option} names '{unknown[0]}', but {listing.name} has no such column."
                f"{did_you_mean(unknown[0], names)} Its columns: {', '.join(names[:40])}."
            )


def _number(name: str, column: Column, scaling: str, *, knots: int) -> NumberColumn:
    values = as_numbers(column)[0]
    known = np.sort(values[~np.isnan(values)])
    places, heights = _scale(known, scaling, knots) if len(known) else ((0.0,), (0.0,))
    return NumberColumn(
        name=name,
        is_date=column.dtype.kind == "M",
        median=float(np.median(known)) if len(known) else 0.0,
        knots=places,
        heights=heights,
        has_indicator=bool(is_missing(column).any()),
    )


def _scale(sorted_N: NDArray[np.float64], scaling: str, most: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the knots and heights of a scaling, which maps the training numbers to about mean 0 and deviation 1."""
    low, high = np.quantile(sorted_N, [CLIPPED, 1 - CLIPPED])
    if high <= low:
        # Nearly all numbers are one: what differs is still told apart.
        low, high = sorted_N[0], sorted_N[-1]
    if high <= low:
        return (float(low),), (0.0,)
    if scaling == "standard":
        shares = (np.clip(sorted_N, low, high) - low) / (high - low)
        heights = (np.array([0.0, 1.0]) - shares.mean()) / shares.std()
        return (float(low), float(high)), tuple(float(each) for each in np.clip(heights, -100, 100))
    shares = np.linspace(0, 1, min(most, len(sorted_N)))
    knots = np.unique(np.quantile(sorted_N, shares))
    # The middle of the ranks of a number, so that one which occurs often lies where its bulk does.
    first, last = np.searchsorted(sorted_N, knots), np.searchsorted(sorted_N, knots, side="right")
    ranks = (first + last) / (2 * len(sorted_N))
    bell = norm.ppf(np.clip(ranks, 0.5 / len(sorted_N), 1 - 0.5 / len(sorted_N)))
    heights = np.interp(sorted_N, knots, bell)
    bell = np.maximum.accumulate((bell - heights.mean()) / (heights.std() or 1.0))
    return tuple(knots.tolist()), tuple(np.clip(bell, -100, 100).tolist())


def _category(name: str, column: Column, options: Options) -> CategoryColumn:
    words, counts = np.unique(as_words(column), return_counts=True)
    order = np.lexsort((words, -counts))
    kept = [str(words[place]) for place in order if words[place] != "" and counts[place] >= options.fewest]
    return CategoryColumn(name=name, values=tuple(kept[: options.most_values]))


def _numbers_in(column: Column, number: NumberColumn) -> NDArray[np.float64]:
    if number.is_date and column.dtype.kind == "U":
        column, odd = as_dates(column)
        values = as_numbers(column)[0]
    else:
        values, odd = as_numbers(column)
    if odd:
        raise DataError(
            f"The column '{number.name}' holds '{odd[0][:80]}' where the model reads a "
            f"{'date' if number.is_date else 'number'}. Correct it, or leave the cell empty for a missing value."
        )
    return values
