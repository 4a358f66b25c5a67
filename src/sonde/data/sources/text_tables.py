"""Reads the files that hold texts and their labels as columns: CSV, TSV, parquet, JSON lines, and lines of a label and
a text.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sonde.config.untrusted import Unsound, parse_json
from sonde.data.bounded import LARGEST_TABLE
from sonde.data.encodings import read_head, read_text
from sonde.data.sources.delimited import HEAD, SAMPLE, Table, numbered_lines
from sonde.data.sources.text_columns import SUFFIXES, head_table, read_table
from sonde.errors import DataError

JSON_LINES = (".jsonl", ".ndjson")
"""Endings, in small letters, of files with an object on each line."""

LONG_CELL = 60
"""Letters above which a cell of the first row is a value and no column's name."""

SEPARATORS = {"\t": "a tab", "|": "'|'", ";": "';'", ",": "a comma", " ": "a blank"}
"""What may stand between a label and a text, in the order in which they are tried, and how it is called."""

LONGEST_LABEL = 60
"""Letters of a label before a separator."""

FASTTEXT = "__label__"
"""What stands before a label in files for fastText."""


def read_file(path: Path, encoding: str = "", known: Sequence[str] = ()) -> Table:
    """Read a whole file.

    Args:
        path: a file that `head` recognised.
        encoding: what the user says it is; empty guesses it.
        known: names of columns; where one of them stands in the first row, that is the header.

    Raises:
        DataError: it is damaged, too large, or no text; the text names the place and the cure.
    """
    if path.suffix.lower() in SUFFIXES:
        return read_table(path, encoding, _is_headless, known)
    text, note = read_text(path, LARGEST_TABLE, encoding)
    return _parsed(text, path, (note,) if note else ())


def head(path: Path) -> Table | None:
    """Read the first rows of a file, or return None where it holds no rows."""
    if path.suffix.lower() in SUFFIXES:
        table = head_table(path, _is_headless)
        return None if table is not None and not len(table) and table.kind == "parquet" else table
    try:
        return _parsed(read_head(path, HEAD)[0], path, ())
    except (DataError, OSError):
        return None


def _is_headless(first: Sequence[str]) -> bool | None:
    return True if any(len(cell) > LONG_CELL for cell in first) else None


def _parsed(text: str, path: Path, notes: tuple[str, ...]) -> Table:
    return (_json_lines if path.suffix.lower() in JSON_LINES else _label_lines)(text, path, notes)


def _json_lines(text: str, path: Path, notes: tuple[str, ...]) -> Table:
    rows: list[dict[str, Any]] = []
    numbers = []
    for number, line in numbered_lines(text):
        if not line.strip():
            continue
        try:
            row = parse_json(line, finite=False)
        except Unsound as error:
            raise DataError(f"{path}: line {number:,}: {error}. Each line is one JSON object.") from None
        if not isinstance(row, dict):
            raise DataError(f'{path}: line {number:,} is no object, such as {{"text": "...", "label": "..."}}.')
        rows.append(row)
        numbers.append(number)
    names = list(dict.fromkeys(name for row in rows[:SAMPLE] for name in row))
    return Table(
        {name: [_as_cell(row.get(name)) for row in rows] for name in names}, numbers, "JSON lines", notes=notes
    )


def _as_cell(value: Any) -> str:
    if isinstance(value, list):
        return "|".join(_as_cell(each) for each in value)
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _label_lines(text: str, path: Path, notes: tuple[str, ...]) -> Table:
    lines = [(number, line) for number, line in numbered_lines(text) if line.strip()]
    separator = _separator([line for _, line in lines[:SAMPLE]])
    if not separator:
        raise DataError(
            f"{path} does not hold lines of a label and a text: no separator stands in each of them behind a label "
            f"that repeats ({', '.join(SEPARATORS.values())} were tried)."
        )
    labels, texts, numbers, bad = [], [], [], []
    for number, line in lines:
        label, found, rest = line.partition(separator)
        if found:
            labels.append(label.strip().removeprefix(FASTTEXT))
            texts.append(rest)
            numbers.append(number)
        else:
            bad.append((f"line {number} of {path.name}", f"has no {SEPARATORS[separator]} behind a label"))
    kind = f"lines of a label, {SEPARATORS[separator]}, and a text"
    return Table({"label": labels, "text": texts}, numbers, kind, notes=notes, bad=tuple(bad))


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
