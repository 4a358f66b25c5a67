"""Reads text with a delimiter, CSV and TSV in all their dialects, as columns that know the line each row begins on.

    table = read_delimited(Path("houses.csv"))
    table.columns["city"][7], table.place(7)      "Ulm", "line 9"

Cells are texts without the blanks around them. Quotes are those of RFC 4180; where they do not pair up, they are
letters like all others. What was decided of a file, and is not what everybody would expect, is said in its notes.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sonde.data.bounded import LARGEST_TABLE
from sonde.data.encodings import read_head, read_text
from sonde.errors import DataError

DELIMITERS = {",": "a comma", ";": "';'", "\t": "a tab", "|": "'|'"}
"""What may stand between cells, and how it is called; of two that do equally well the first."""

HEAD = 1 << 18
"""Bytes of a file that are looked at to recognise it, and letters that tell the delimiter."""

SAMPLE = 500
"""Rows that are looked at to tell a header."""

LONGEST_CELL = 1 << 22
"""Letters of a cell; the longest novels have 3 million. A quote that is not closed makes longer ones."""

MOST_COLUMNS = 1 << 16
"""Columns; spreadsheets have a quarter of them."""

MOST_CELLS = 1 << 27
"""Cells of a table: 100 columns of over a million rows."""

DECLARED = re.compile(r'sep=([^"\r\n])(?:\r\n|\r|\n|$)', re.IGNORECASE)
"""First line by which Excel is told the delimiter."""

LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")

UNNAMED = re.compile(r"column \d+")
"""Name of a column that has none."""

NO_NUMBERS = frozenset({"nan", "inf", "infinity"})
"""What Python takes for a number, and a header for a name."""

Headless = Callable[[Sequence[str]], bool | None]
"""From the cells of the first row to whether they are values and no names; None where that is to be guessed."""


@dataclass(frozen=True)
class Table:
    """Columns of text, and where each row stands."""

    columns: dict[str, list[str]]
    """Cells by name, of N rows; a missing value is an empty text."""
    numbers: Sequence[int]
    """The line on which each row begins, or its number where the file has no lines, from 1; N."""
    kind: str
    """What it was read from, such as "csv"."""
    unit: str = "line"
    notes: tuple[str, ...] = ()
    bad: tuple[tuple[str, str], ...] = ()
    """Rows that cannot be used: place and reason."""
    has_header: bool = True

    def __len__(self) -> int:
        return len(self.numbers)

    def place(self, row: int) -> str:
        """Return where a row stands, such as "line 9"."""
        return f"{self.unit} {self.numbers[row]}"


def read_delimited(
    path: Path, encoding: str = "", headless: Headless | None = None, known: Sequence[str] = ()
) -> Table:
    """Read a whole file.

    Args:
        path: text with a delimiter; that of a .tsv file is a tab where it has one.
        encoding: what the user says it is; empty guesses it.
        headless: says of the first row whether it is one of values.
        known: names of columns; where one of them stands in the first row, that is the header.

    Raises:
        DataError: it is empty, too large, no text, or its rows have different lengths; the text names the line.
    """
    text, note = read_text(path, LARGEST_TABLE, encoding)

    def is_headless(first: Sequence[str]) -> bool | None:
        return (headless(first) if headless else None) if {*known}.isdisjoint(first) else False

    return _parse(text, path, is_headless, (note,) if note else ())


def head_delimited(path: Path, headless: Headless | None = None) -> Table:
    """Read the first rows of a file, to see what it holds.

    Raises:
        DataError: as for `read_delimited`.
        OSError: the file cannot be read.
    """
    text, is_cut = read_head(path, HEAD)
    return _parse(text, path, headless, (), is_cut=is_cut)


def numbered_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text with their numbers from 1, blank ones too.

    They end at line feeds, with a carriage return before them or not, and at carriage returns where there is no line
    feed; never at a form feed or at U+2028, as those of `str.splitlines` do.
    """
    end = "\r" if "\r" in text and "\n" not in text else "\n"
    for number, line in enumerate(text.split(end), 1):
        yield number, line.removesuffix("\r")


def refuse_equal_names(names: Sequence[str], path: Path) -> None:
    """Refuse a table in which two columns have one name.

    Raises:
        DataError: they have.
    """
    twice = next(((name, count) for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise DataError(
            f"{path} has {twice[1]} columns called '{twice[0]}', and it is unclear which one is meant. "
            "Rename or remove all but one."
        )


def is_number(cell: str) -> bool:
    """Tell whether a cell holds a number: 1_000 is one for Python alone, and nan and inf may be names."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell.strip().lower().lstrip("+-") not in NO_NUMBERS


@dataclass
class _Reading:
    """The rows of a text under one law of quotes and one delimiter."""

    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fault: str = ""
    """Why it ends before the text does."""
    cure: str = ""

    @property
    def is_even(self) -> bool:
        return not self.fault and len({len(row) for row in self.rows}) == 1


def _parse(text: str, path: Path, headless: Headless | None, notes: tuple[str, ...], *, is_cut: bool = False) -> Table:
    text, skipped, delimiter, said = _without_preamble(text, path.name)
    if not delimiter:
        delimiter, why = _delimiter(text, path, is_cut)
        said += [why] if why else []
    reading = _reading(text, delimiter, path.name, is_cut)
    reading.lines = [line + skipped for line in reading.lines] if skipped else reading.lines
    if reading.fault:
        raise DataError(f"{path} is not a readable table: {reading.fault}. {reading.cure}")
    if not reading.rows:
        raise DataError(f"{path} is empty. Expected a header and rows below it.")
    rows, lines = reading.rows, reading.lines
    has_header = not _is_headless(rows, headless)
    names = [f"column {place}" for place in range(1, len(rows[0]) + 1)]
    if has_header:
        names = [cell.strip() or name for cell, name in zip(rows[0], names, strict=True)]
    refuse_equal_names(names, path)
    _refuse_uneven(path, reading, names, delimiter)
    if has_header:
        rows, lines, again = _below_header(rows, lines, path.name)
        said += again
    else:
        said.append(f"{path.name} has no header: its first row is a value")
    return Table(
        columns={name: [row[place].strip() for row in rows] for place, name in enumerate(names)},
        numbers=lines,
        kind=path.suffix.lower().removeprefix("."),
        notes=(*notes, *said, *reading.notes),
        has_header=has_header,
    )


def _without_preamble(text: str, name: str) -> tuple[str, int, str, list[str]]:
    """Return a text without what stands before the table, how many lines that were, and the delimiter it declares."""
    if declared := DECLARED.match(text):
        return text[declared.end() :], 1, declared[1], [f"{name} says itself that its delimiter is '{declared[1]}'"]
    if not text.startswith("#"):
        return text, 0, "", []
    lines = [first] if (first := LINE.match(text)) else []
    while lines[-1][0].startswith("#") and lines[-1].end() < len(text):
        following = LINE.match(text, lines[-1].end())
        assert following is not None, "a line may be empty"
        lines.append(following)
    below, comments = lines[-1][0], lines[:-1]
    # A header may begin with # as well: then it has as many cells as the line below it.
    if comments and any(0 < below.count(sign) == comments[-1][0].count(sign) for sign in DELIMITERS):
        comments.pop()
    if not comments or below.startswith("#"):
        return text, 0, "", []
    count = len(comments)
    what = f"lines 1 to {count} of {name} begin" if count > 1 else f"line 1 of {name} begins"
    note = f"{what} with #, and {'are' if count > 1 else 'is'} passed over"
    return text[comments[-1].end() :], count, "", [note]


def _delimiter(text: str, path: Path, is_cut: bool) -> tuple[str, str]:
    """Return what stands between cells, and a sentence on why, empty where it is what the file's ending promises."""
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    sample = text
    if len(text) > HEAD:
        end = max(text.rfind("\n", 0, HEAD), text.rfind("\r", 0, HEAD)) + 1
        sample, is_cut = text[: end or HEAD], True
    first = io.StringIO(sample, newline="").readline()
    there = [sign for sign in DELIMITERS if sign in first]
    if usual == "\t" and "\t" in there:
        return "\t", ""
    chosen, why = (there or [usual])[0], "no other one stands in its first line"
    if len(there) > 1:
        readings = {sign: _reading(sample, sign, path.name, is_cut) for sign in there}
        even = {sign: len(each.rows[0]) for sign, each in readings.items() if each.is_even and len(each.rows[0]) > 1}
        if len(even) > 1 and "," in even and not re.search(r"(?<!\d),|,(?!\d)", sample):
            del even[","]
            chosen, why = max(even, key=even.__getitem__), "its commas stand between digits, as decimal points do"
        elif even:
            chosen = max(even, key=even.__getitem__)
            why = f"each row then has {even[chosen]} cells"
        else:
            chosen, why = max(there, key=first.count), "it stands most often in its first line"
    return chosen, "" if chosen == usual else f"the delimiter of {path.name} is {DELIMITERS[chosen]}: {why}"


def _reading(text: str, delimiter: str, name: str, is_cut: bool) -> _Reading:
    """Return the rows with quotes as RFC 4180 has them, or as letters where that alone makes rows of one length."""
    quoted = _attempt(text, delimiter, name, is_cut)
    # In a file with tabs, quotes are often letters: two of them that are far apart may pair up by chance.
    if '"' not in text or (quoted.is_even and delimiter != "\t"):
        return quoted
    if not quoted.is_even and f'{delimiter} "' in text:
        spaced = _attempt(text, delimiter, name, is_cut, spaced=True)
        if spaced.is_even:
            return spaced
    plain = _attempt(text, delimiter, name, is_cut, quoting=csv.QUOTE_NONE)
    if plain.is_even and (not quoted.is_even or len(plain.rows) > len(quoted.rows)):
        why = quoted.fault or ("they would join rows" if len(plain.rows) > len(quoted.rows) else "they do not pair up")
        return replace(plain, notes=[*plain.notes, f"quotes in {name} are letters like all others, since {why}"])
    return quoted


def _attempt(
    text: str, delimiter: str, name: str, is_cut: bool, *, spaced: bool = False, quoting: int = csv.QUOTE_MINIMAL
) -> _Reading:
    reading, start, cells = _Reading(), 1, 0
    # newline="" leaves line ends in cells as they are; a row ends at any of the three usual ends.
    source = io.StringIO(text, newline="")
    reader = csv.reader(source, delimiter=delimiter, quoting=quoting, skipinitialspace=spaced, strict=True)  # type: ignore[arg-type]
    try:
        with _long_cells():
            for row in reader:
                if row:
                    reading.rows.append(row)
                    reading.lines.append(start)
                    cells += len(row)
                if len(row) > MOST_COLUMNS or cells > MOST_CELLS:
                    reading.fault, reading.cure = _too_large(len(row), cells, start)
                    break
                start = reader.line_num + 1
    except csv.Error as error:
        reading.fault, reading.cure = _fault(str(error), start)
        if is_cut and "never closed" in reading.fault:
            reading.fault = ""  # It may be closed behind what is looked at.
    _leave_out_blank(reading, name)
    _leave_out_last(reading, name)
    return reading


@contextmanager
def _long_cells() -> Iterator[None]:
    """Let cells be as long as texts are; csv's bound of 131,072 letters is one for the whole process."""
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _too_large(columns: int, cells: int, line: int) -> tuple[str, str]:
    if columns > MOST_COLUMNS:
        return (
            f"line {line:,} has {columns:,} cells, and at most {MOST_COLUMNS:,} columns are read",
            "Leave columns out, or write arrays as .npz.",
        )
    return f"it has more than {MOST_CELLS:,} cells up to line {line:,}", "Leave out rows or columns."


def _fault(error: str, line: int) -> tuple[str, str]:
    if "field larger" in error:
        return (
            f"line {line:,} begins a cell of more than {LONGEST_CELL:,} letters",
            "Shorten it; if it is no such text, a quote before it is not closed.",
        )
    cure = "Double the quotes inside of a quoted value."
    if "end of data" in error:
        return f"a quote that line {line:,} opens is never closed", cure
    return f"the quotes of line {line:,} do not pair up", cure


def _leave_out_blank(reading: _Reading, name: str) -> None:
    """Leave out rows of delimiters alone, above the table and where they have another number of cells."""
    top = next((place for place, row in enumerate(reading.rows) if any(cell.strip() for cell in row)), 0)
    width = len(reading.rows[top]) if reading.rows else 0
    blank = {
        place
        for place, row in enumerate(reading.rows)
        if place < top or (len(row) != width and not any(cell.strip() for cell in row))
    }
    if not blank:
        return
    places = [reading.lines[place] for place in sorted(blank)]
    more = f" and {len(blank) - 1:,} more" if len(blank) > 1 else ""
    what = "hold no value, and are passed over" if more else "holds no value, and is passed over"
    reading.notes.append(f"line {places[0]:,}{more} of {name} {what}")
    reading.rows = [row for place, row in enumerate(reading.rows) if place not in blank]
    reading.lines = [line for place, line in enumerate(reading.lines) if place not in blank]


def _leave_out_last(reading: _Reading, name: str) -> None:
    """Leave out a last column without name and values: it is there where rows end in a delimiter."""
    rows = reading.rows
    width = len(rows[1]) if len(rows) > 1 else 0
    if width < 2 or any(len(row) != width or row[-1].strip() for row in rows[1:]):
        return
    if len(rows[0]) == width - 1 or (len(rows[0]) == width and not rows[0][-1].strip()):
        reading.rows = [row[: width - 1] for row in rows]
        reading.notes.append(f"behind the last delimiter in the rows of {name} stands nothing, and no column is read")


def _is_headless(rows: list[list[str]], headless: Headless | None) -> bool:
    """Tell a first row of values from one of names: by its numbers, or by what its own columns hold again."""
    first = [cell.strip() for cell in rows[0]]
    decided = headless(first) if headless else None
    if decided is not None:
        return decided
    # No column is called 0,5 either.
    words = [place for place, cell in enumerate(first) if cell and not is_number(cell.replace(",", ".", 1))]
    others = [row for row in rows[1 : SAMPLE + 1] if len(row) == len(first)]
    again = [place for place in words if any(row[place].strip() == first[place] for row in others if row != rows[0])]
    if numbers := [cell for place, cell in enumerate(first) if cell and place not in words]:
        # Columns without names are numbered by those who write them, and steps of time have no other names.
        counted = [str(start + place) for start in (0, 1) for place in range(len(numbers))]
        from_0, from_1 = counted[: len(numbers)], counted[len(numbers) :]
        if not words:
            return numbers != from_0
        return len(numbers) < 3 or numbers not in (from_0, from_1) or bool(again)
    return bool(words) and 2 * len(again) >= len(words)


def _below_header(rows: list[list[str]], lines: list[int], name: str) -> tuple[list[list[str]], list[int], list[str]]:
    """Return the rows below the header, without the header that stands again where files were joined."""
    header = rows[0]
    again = {place for place, row in enumerate(rows) if place and row == header and len(header) > 1}
    if not again:
        return rows[1:], lines[1:], []
    kept = [place for place in range(1, len(rows)) if place not in again]
    more = f" and {len(again) - 1:,} more" if len(again) > 1 else ""
    note = f"the header of {name} stands again on line {lines[min(again)]:,}{more}, which is no row"
    return [rows[place] for place in kept], [lines[place] for place in kept], [note]


def _refuse_uneven(path: Path, reading: _Reading, names: list[str], delimiter: str) -> None:
    for row, line in zip(reading.rows, reading.lines, strict=True):
        if len(row) != len(names):
            some = ", ".join(name[:20] for name in names[:6]) + (", ..." if len(names) > 6 else "")
            sign = DELIMITERS.get(delimiter, f"'{delimiter}'")
            raise DataError(
                f"{path}: line {line:,} has {len(row)} values where there are {len(names)} columns ({some}). Put a "
                f"value that holds {sign} in double quotes."
            )
