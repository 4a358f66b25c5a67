"""Texts with labels: CSV, TSV, parquet, JSON lines, or lines of a label and a text; one file, or one for each split.

Which column is which is guessed by the columns' names and what they hold, said, and changed with data.text_column,
data.label_column, data.split_column and data.group_column; several columns of text are joined with a plus, such as
data.text_column=title+body.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sonde.data.listing import Listing, split_named, text_array
from sonde.data.options import Options
from sonde.data.ragged import Ragged, texts
from sonde.data.sources.conditions import with_test
from sonde.data.sources.delimited import SAMPLE, UNNAMED
from sonde.data.sources.multilabel import prepared as prepared_labels
from sonde.data.sources.named_files import NamedFiles
from sonde.data.sources.roles import GROUPS, LABELS, SPLIT_NAMES, label_column, splits_in, told
from sonde.data.sources.text_tables import JSON_LINES, head, read_file
from sonde.errors import DataError, did_you_mean

TEXTS = ("text", "texts", "sentence", "content", "message", "sms", "tweet", "review", "reviewtext", "comment", "body",
         "question", "utterance", "query", "document", "post", "description", "abstract", "summary", "headline",
         "title")  # fmt: skip
"""Names of columns that hold texts, in the order in which they are preferred."""

MORE_LABELS = (*LABELS, "sentiment", "polarity", "topic", "intent", "emotion", "rating", "stars", "labels", "tags")
"""Names of columns that hold labels."""

OTHERS = ("id", "index", "idx", "number", "nr", "date", "time", "timestamp", "url", "user", "author", "")
"""Names of columns that a table of texts has beside them."""

FEWEST_WORDS = 3
"""Mean number of words from which a column with no telling name may be one of texts."""

MOST_SIGNS = 0.4
"""Share of letters among the signs of a column below which it is no text: series of numbers have fewer."""

FILES = 20
"""Rows whose cells are looked up: a column of files is a table of images or recordings."""

PLAIN = (".csv", ".tsv", ".parquet", ".pq", ".jsonl", ".ndjson", ".txt")
"""Endings of a file that may be alone in a folder."""

NO_DATA = (".md", ".rst", ".html", ".pdf", ".py", ".toml", ".yaml", ".yml", ".json", ".names", ".zip", ".gz", ".npz")
"""Endings of what lies beside data."""

Cells = dict[str, list[str]]


@dataclass(frozen=True)
class Columns:
    """Which column is which; "" where there is none."""

    text: tuple[str, ...]
    label: str
    split: str
    group: str

    def words(self) -> str:
        """Say which column is taken for what."""
        roles = {"text": " and ".join(f"'{name}'" for name in self.text)}
        roles |= {role: f"'{name}'" for role in ("label", "split", "group") if (name := getattr(self, role))}
        return ", ".join(f"{role} in {names}" for role, names in roles.items())


def sniff(path: Path) -> str | None:
    """Say why a path holds texts with labels."""
    files, _ = text_files(path)
    if not files:
        return None
    first = head(files[0][0])
    if first is None and files[0][0].suffix.lower() in JSON_LINES:
        # No other source reads these, and reading names the line that is damaged.
        return f"JSON lines ({', '.join(file.name for file, _ in files)})"
    if first is None or _is_table_of_texts(first.columns, files[0][0]):
        return None if first is None else f"{first.kind} ({', '.join(file.name for file, _ in files)})"
    return None


def read(path: Path, options: Options) -> Listing:
    """List the texts of one file, or of one for each split; rows without text or label are named as bad.

    Args:
        path: the file, or the folder that holds them.
        options: may name the columns and the encoding.

    Raises:
        DataError: a file is damaged or no text, or it cannot be told which column is which.
    """
    files, notes = text_files(path)
    assert files, "read follows sniff"
    held = [read_file(file, options.encoding, told(options)) for file, _ in files]
    held = [prepared_labels(each, options, file) for (file, _), each in zip(files, held, strict=True)]
    columns = _columns(held[0].columns, options, files[0][0])
    labels: list[str] = []
    words: list[str] = []
    splits: list[str] = []
    groups: list[str] = []
    names: list[str] = []
    bad: list[tuple[str, str]] = []
    cells: Cells = {name: [] for name in held[0].columns if all(name in each.columns for each in held)}
    for (file, split), each in zip(files, held, strict=True):
        _check_columns(each.columns, columns, file)
        notes += each.notes
        bad += each.bad
        for row in range(len(each)):
            place = each.place(row)
            text = "\n".join(filter(None, (each.columns[name][row].strip() for name in columns.text)))
            label = each.columns[columns.label][row].strip()
            if not text or not label:
                bad.append((f"{place} of {file.name}", "has no text" if not text else "has no label"))
                continue
            words.append(text)
            labels.append(label)
            splits += splits_in(each, columns.split, file, [row]) if columns.split else [split]
            groups.append(each.columns[columns.group][row].strip() if columns.group else "")
            names.append(f"{file.name} {place}")
            for name, column in cells.items():
                column.append(each.columns[name][row])
    if not words:
        raise DataError(f"{files[0][0]} holds no row with a text and a label ({columns.words()}).")
    if columns.words() != "text in 'text', label in 'label'":
        notes.append(f"columns: {columns.words()} (change: --set data.text_column=NAME and so on)")
    kinds = " and ".join(dict.fromkeys(each.kind for each in held))
    return Listing(
        name=path.resolve().name if path.is_dir() else path.stem,
        format=f"texts ({kinds})",
        reason=f"{', '.join(file.name for file, _ in files)}; {columns.words()}",
        names=text_array(names),
        truth=text_array(labels),
        splits=text_array(with_test(_with_training(splits, files, notes), options.test_where, cells, notes)),
        content=texts(words),
        groups=text_array(groups) if columns.group else None,
        bad=tuple((str(text_array([name])[0]), reason) for name, reason in bad),
        notes=tuple(notes),
        modality="text",
        text_columns=columns.text,
        encoding=options.encoding,
    )


def read_unlabelled(file: Path, known: tuple[str, ...], encoding: str = "") -> tuple[list[str], Ragged]:
    """Read the texts of a table for a trained model; labels in it are passed over, and need not be there.

    Args:
        file: a table, or JSON lines.
        known: columns that the model's training texts stood in; empty guesses the column.
        encoding: that the training texts were said to be in, or an empty text.

    Returns:
        A name for each row, and the texts, joined as in training.

    Raises:
        DataError: the file is damaged, lacks a column, or has a row without text; the text names the cure.
    """
    held = read_file(file, encoding, known)
    columns = tuple(held.columns)[:1] if len(held.columns) == 1 else known or _text_column(held.columns, file)
    missing = next((name for name in columns if name not in held.columns), None)
    if missing is not None:
        raise DataError(
            f"{file} has no column '{missing}', which the model's texts were read from."
            f"{did_you_mean(missing, held.columns)} Its columns: {', '.join(held.columns) or 'none'}. Rename the one "
            f"that holds the texts to '{missing}'."
        )
    joined = ["\n".join(filter(None, (held.columns[name][row].strip() for name in columns)))
              for row in range(len(held))]  # fmt: skip
    if not joined:
        raise DataError(f"{file} holds no row of text.")
    if "" in joined:
        raise DataError(f"{file}: {held.place(joined.index(''))} has no text. Write one, or remove the row.")
    return [f"{file} {held.place(row)}" for row in range(len(held))], texts(joined)


def text_files(path: Path) -> tuple[list[tuple[Path, str]], list[str]]:
    """Return the files of texts with the split that each is for, "" for none, and what there is to say of others."""
    if path.is_file():
        return [(path, "")], []
    if not path.is_dir():
        return [], []
    inside = sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
    inside = [entry for entry in inside if entry.suffix.lower() not in NO_DATA]
    families: dict[str, dict[str, Path]] = {}
    for file in inside:
        family, split = _family(file.name)
        if split:
            families.setdefault(family, {}).setdefault(split, file)
    if families:
        # Of several sets in one folder the one with most splits; of those the first by name.
        chosen = max(families.values(), key=len)
        order = {split: place for place, split in enumerate(("train", "validation", "test"))}
        files = [(chosen[split], split) for split in sorted(chosen, key=order.__getitem__)]
        beside = [file.name for file in inside if file not in chosen.values() and file.suffix.lower() in PLAIN]
        return files, [f"{', '.join(beside[:5])} beside {files[0][0].name} was left alone"] if beside else []
    plain = [file for file in inside if file.suffix.lower() in PLAIN]
    return ([(plain[0], "")], []) if len(plain) == 1 else ([], [])


def _family(name: str) -> tuple[str, str]:
    """Return a file's name without the word for its split, and the split, "" where there is none."""
    parts = re.split(r"([._\-\s]+)", name)
    for place, part in enumerate(parts):
        if split := split_named(part):
            return "".join([*parts[:place], "*", *parts[place + 1 :]]), split
    return name, ""


def _with_training(splits: list[str], files: list[tuple[Path, str]], notes: list[str]) -> list[str]:
    """Train on the validation file where a folder has one and a test file, but none for training."""
    if {split for _, split in files} != {"validation", "test"}:
        return splits
    notes.append(
        f"there is no training file: {files[0][0].name} is trained on, and the validation split is made from it"
    )
    return ["" if split == "validation" else split for split in splits]


def _is_table_of_texts(table: Cells, file: Path) -> bool:
    """Tell a table of texts from one of numbers and categories with a column of names in it, and from one of files."""
    cells = {name: [cell for cell in column[:SAMPLE] if cell.strip()] for name, column in table.items()}
    files = NamedFiles(file.parent)
    if any(files.names(cell) for column in cells.values() for cell in column[:FILES]):
        return False
    if any(map(files.are_all, cells.values())):
        return False
    wordy = [name for name in cells if _letters(cells[name]) > MOST_SIGNS]
    texts_like = [name for name in wordy if _mean_words(cells[name]) >= FEWEST_WORDS and _distinct(cells[name]) > 0.3]
    named = [
        name for name in wordy if name.lower() in TEXTS and (_mean_words(cells[name]) >= 1.5 or _foreign(cells[name]))
    ]
    usual = {*SPLIT_NAMES, *GROUPS, *MORE_LABELS, *OTHERS, *TEXTS}
    # Beside columns with names, one without numbers the rows.
    usual |= {name for name in cells if UNNAMED.fullmatch(name)} if not all(map(UNNAMED.fullmatch, cells)) else set()
    others = [name for name in cells if name not in texts_like and name.lower() not in usual]
    return bool((named and len(others) <= 4) or (texts_like and len(others) <= 1))


def _foreign(cells: list[str]) -> bool:
    """Tell whether many signs are beyond ASCII: such languages may write without blanks."""
    together = "".join(cells[:50])
    return sum(not sign.isascii() for sign in together) > len(together) / 3


def _letters(cells: list[str]) -> float:
    together = "".join(cells[:50])
    return sum(sign.isalpha() or not sign.isascii() for sign in together) / max(len(together), 1)


def _mean_words(cells: list[str]) -> float:
    return float(np.mean([len(cell.split()) for cell in cells])) if cells else 0.0


def _distinct(cells: list[str]) -> float:
    return len(set(cells)) / len(cells) if cells else 0.0


def _columns(table: Cells, options: Options, file: Path) -> Columns:
    text = _named_text(table, options.text_column, file) or _text_column(table, file)
    for option in ("label_column", "split_column", "group_column"):
        wanted = getattr(options, option)
        if wanted and wanted not in table and not (option != "label_column" and wanted == "none"):
            raise DataError(_no_column(option, wanted, table, file))
    lower = {name: name.lower() for name in table}
    splits = [name for name in table if lower[name] in SPLIT_NAMES and any(map(split_named, set(table[name])))]
    split = _optional(options.split_column, [name for name in splits if name not in text])
    group = _optional(options.group_column, [name for name in table if lower[name] in GROUPS and name not in text])
    label = options.label_column or label_column(table, MORE_LABELS, {*text, split, group}, file)
    return Columns(text, label, split, group)


def _optional(wanted: str, found: list[str]) -> str:
    if wanted:
        return "" if wanted == "none" else wanted
    return next(iter(found), "")


def _no_column(option: str, wanted: str, table: Cells, file: Path) -> str:
    return (
        f"data.{option} = '{wanted}', but {file} has no such column.{did_you_mean(wanted, table)} "
        f"Its columns: {', '.join(table)}."
    )


def _named_text(table: Cells, wanted: str, file: Path) -> tuple[str, ...]:
    if not wanted or wanted in table:
        return (wanted,) if wanted else ()
    several = tuple(wanted.split("+"))
    for name in several:
        if name not in table:
            raise DataError(_no_column("text_column", name, table, file))
    return several


def _text_column(table: Cells, file: Path) -> tuple[str, ...]:
    named = sorted((name for name in table if name.lower() in TEXTS), key=lambda name: TEXTS.index(name.lower()))
    if named:
        return (named[0],)
    means = {name: _mean_words(cells[:SAMPLE]) for name, cells in table.items()}
    best = max(means, key=means.__getitem__, default="")
    if means.get(best, 0.0) <= 1:
        raise DataError(
            f"It cannot be told which column of {file} holds the text; its columns: {', '.join(table) or 'none'}. "
            "Say it with --set data.text_column=NAME."
        )
    return (best,)


def _check_columns(table: Cells, columns: Columns, file: Path) -> None:
    for name in (*columns.text, columns.label, *filter(None, (columns.split, columns.group))):
        if name not in table:
            raise DataError(
                f"{file} has no column '{name}', which the first file has.{did_you_mean(name, table)} "
                f"Its columns: {', '.join(table) or 'none'}."
            )
