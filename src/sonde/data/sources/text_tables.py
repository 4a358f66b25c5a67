"""Reads the files that hold texts and their labels as columns: CSV, TSV, parquet, JSON lines, and lines of a label and
a text.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonde.config.untrusted import Unsound, parse_json
from sonde.data.encodings import decode, read_text
from sonde.data.sources.tables import LARGEST_TABLE, read_table
from sonde.errors import DataError

Table = dict[str, list[str]]

JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet", ".pq")
DELIMITED = (".csv", ".tsv")
"""Endings, in small letters, of tables with a delimiter."""

HEAD = 1 << 18
"""Bytes of a file that are looked at to recognise it."""

SAMPLE = 500
"""Rows that are looked at where something is guessed."""

LONG_CELL = 60
"""Letters above which a cell of the first row is a value and no column's name."""

SEPARATORS = {"\t": "a tab", "|": "'|'", ";": "';'", ",": "a comma", " ": "a blank"}
"""What may stand between a label and a text, in the order in which they are tried, and how it is called."""

LONGEST_LABEL = 60
"""Letters of a label before a separator."""

FASTTEXT = "__label__"
"""What stands before a label in files for fastText."""


@dataclass(frozen=True)
class Read:
    """What one file holds."""

    table: Table
    """Texts by column, all of the same length."""
    kind: str
    """In words, such as "JSON lines"."""
    notes: tuple[str, ...]
    places: tuple[str, ...]
    """Where each row stands, such as "line 7"."""
    bad: tuple[tuple[str, str], ...] = ()
    """Rows that cannot be used: place and reason."""


def read_file(path: Path, encoding: str = "") -> Read:
    """Read a whole file.

    Args:
        path: a file that `head` recognised.
        encoding: what the user says it is; empty guesses it.

    Raises:
        DataError: it is damaged, too large, or no text; the text names the place and the cure.
    """
    suffix = path.suffix.lower()
    if suffix in PARQUET:
        table = read_table(path, lambda cell: False)
        count = len(next(iter(table.values()), []))
        return Read(table, "parquet", (), tuple(f"row {row + 1}" for row in range(count)))
    text, note = read_text(path, LARGEST_TABLE, encoding)
    parse = _parser(suffix)
    return parse(text, path, (note,) if note else ())


def head(path: Path) -> Read | None:
    """Read the first rows of a file, or return None where it holds no rows.

    Args:
        path: any file.
    """
    suffix = path.suffix.lower()
    try:
        if suffix in PARQUET:
            return _parquet_head(path)
        with path.open("rb") as file:
            raw = file.read(HEAD)
        if len(raw) == HEAD:
            # Half a line, and perhaps half a letter, would be no fair sample.
            raw = raw[: raw.rfind(b"\n") + 1]
        return _parser(suffix)(_as_well_as_it_goes(raw, path.name), path, ())
    except (DataError, OSError):
        return None


def _as_well_as_it_goes(raw: bytes, name: str) -> str:
    """Decode what is to be recognised: commas and labels are seen in any encoding, and reading names a wrong one."""
    try:
        return decode(raw, name)[0]
    except DataError:
        if b"\0" in raw:
            raise
        return raw.decode("iso-8859-1")


def _parser(suffix: str) -> Callable[[str, Path, tuple[str, ...]], Read]:
    if suffix in JSON_LINES:
        return _json_lines
    return _delimited if suffix in DELIMITED else _label_lines


def _parquet_head(path: Path) -> Read | None:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            batch = next(file.iter_batches(batch_size=SAMPLE), None)
            rows = {} if batch is None else batch.to_pydict()
    except (pyarrow.ArrowException, OSError):
        return None
    table = {str(name): ["" if value is None else str(value) for value in values] for name, values in rows.items()}
    return Read(table, "parquet", (), ()) if any(table.values()) else None


def _delimited(text: str, path: Path, notes: tuple[str, ...]) -> Read:
    first = text.split("\n", 1)[0]
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max((",", ";", "\t"), key=first.count)
    rows, note = _rows(text, delimiter, path)
    if not rows:
        raise DataError(f"{path} is empty. Expected rows of a label and a text.")
    width = max(len(rows[0]), 1)
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise DataError(
                f"{path}: row {number:,} has {len(row)} values where the first has {width} "
                f"({', '.join(cell[:20] for cell in rows[0][:6])}). Put a value that holds "
                f"{SEPARATORS[delimiter]} in double quotes."
            )
    headless = _is_headless(rows)
    names = [f"column {number}" for number in range(1, width + 1)] if headless else [cell.strip() for cell in rows[0]]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path} has {names.count(twice)} columns called '{twice}'. Rename or remove all but one.")
    body = rows if headless else rows[1:]
    said = [*notes, *([note] if note else []), *([f"{path.name} has no header: its first row is a value"] * headless)]
    table = {name: [row[column] for row in body] for column, name in enumerate(names)}
    start = 1 if headless else 2
    return Read(table, path.suffix.lower()[1:], tuple(said), tuple(f"row {start + row}" for row in range(len(body))))


def _rows(text: str, delimiter: str, path: Path) -> tuple[list[list[str]], str]:
    """Return the rows with quotes as CSV has them, or as letters like all others where that does not come out even."""
    # Not `splitlines`, which also breaks a row at a form feed or at U+0085 inside a value.
    plain = [line.removesuffix("\r").split(delimiter) for line in text.split("\n") if line.strip("\r")]
    even = len({len(row) for row in plain}) == 1
    try:
        quoted = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    except csv.Error as error:
        if even:
            return plain, f"quotes in {path.name} are letters like all others, since they do not pair up"
        raise DataError(
            f"{path} is not a readable table ({error}). Double the quotes inside of a quoted value."
        ) from None
    if even and len(quoted) < len(plain):
        return plain, f"quotes in {path.name} are letters like all others, since they would join rows"
    return quoted, ""


def _is_headless(rows: Sequence[Sequence[str]]) -> bool:
    """Tell a first row of values from one of names: a number, a long cell, or what its own column holds again."""
    first, others = rows[0], rows[1 : SAMPLE + 1]
    if any(_is_number(cell) or len(cell) > LONG_CELL for cell in first):
        return True
    return any(cell and any(row[column] == cell for row in others) for column, cell in enumerate(first))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _json_lines(text: str, path: Path, notes: tuple[str, ...]) -> Read:
    rows: list[dict[str, Any]] = []
    places = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = parse_json(line, finite=False)
        except Unsound as error:
            raise DataError(f"{path}: line {number:,}: {error}. Each line is one JSON object.") from None
        if not isinstance(row, dict):
            raise DataError(f'{path}: line {number:,} is no object, such as {{"text": "...", "label": "..."}}.')
        rows.append(row)
        places.append(f"line {number}")
    names = list(dict.fromkeys(name for row in rows[:SAMPLE] for name in row))
    table = {name: [_as_cell(row.get(name)) for row in rows] for name in names}
    return Read(table, "JSON lines", notes, tuple(places))


def _as_cell(value: Any) -> str:
    if isinstance(value, list):
        return "|".join(_as_cell(each) for each in value)
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _label_lines(text: str, path: Path, notes: tuple[str, ...]) -> Read:
    lines = [(number, line.removesuffix("\r")) for number, line in enumerate(text.split("\n"), 1)]
    lines = [(number, line) for number, line in lines if line.strip()]
    separator = _separator([line for _, line in lines[:SAMPLE]])
    if not separator:
        raise DataError(
            f"{path} does not hold lines of a label and a text: no separator stands in each of them behind a label "
            f"that repeats ({', '.join(SEPARATORS.values())} were tried)."
        )
    labels, texts, places, bad = [], [], [], []
    for number, line in lines:
        label, found, rest = line.partition(separator)
        if found:
            labels.append(label.strip().removeprefix(FASTTEXT))
            texts.append(rest)
            places.append(f"line {number}")
        else:
            bad.append((f"line {number} of {path.name}", f"has no {SEPARATORS[separator]} behind a label"))
    kind = f"lines of a label, {SEPARATORS[separator]}, and a text"
    return Read({"label": labels, "text": texts}, kind, notes, tuple(places), tuple(bad))


def _separator(lines: list[str]) -> str:
    """Return what stands between labels and texts: it is in nearly all lines, and what is before it repeats."""
    for separator in SEPARATORS:
        parts = [line.partition(separator) for line in lines]
        labels = [label.strip() for label, found, rest in parts if found and rest.strip()]
        enough = len(labels) >= max(2, 0.98 * len(lines))
        # Of long lists the sample holds each label several times; of a handful of lines two may be all there is.
        few = len(set(labels)) <= max(2, len(labels) / 4)
        if enough and few and all(0 < len(label) <= LONGEST_LABEL for label in labels):
            return separator
    return ""
