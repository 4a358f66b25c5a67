"""Pairs of texts: CSV, TSV, parquet or JSON lines with a text to read and the text to write for it; one file, or one
for each split.

The columns are "source" and "target", or the like (`SOURCES`, `TARGETS`), in any letters; others are named with
data.text_column and data.target_column.
"""

from pathlib import Path

from sonde.data.listing import Listing, text_array
from sonde.data.options import Options
from sonde.data.ragged import texts
from sonde.data.sources.conditions import with_test
from sonde.data.sources.delimited import Table
from sonde.data.sources.roles import GROUPS, SPLIT_NAMES, splits_in, told
from sonde.data.sources.text_tables import head, read_file
from sonde.data.sources.texts import text_files
from sonde.errors import DataError, did_you_mean

SOURCES = ("source", "src", "source_text")
"""Names of columns that hold what is read, in small letters."""
TARGETS = ("target", "tgt", "target_text", "translation")
"""Names of columns that hold what is to be written."""
NAMES = (*SOURCES, *TARGETS)
SAMPLE, FEWEST, DIFFERENT = 500, 20, 0.2
"""Rows that are looked at; how many there must be for a judgement; share of different targets above which they are
texts to be written, and no classes."""


def sniff(path: Path) -> str | None:
    """Say why a path holds pairs of texts: its first file has a column of each kind."""
    files, _ = text_files(path)
    first = head(files[0][0]) if files else None
    if first is None or not (_first(first, SOURCES) and _first(first, TARGETS)):
        return None
    if not _are_many(first.columns[_first(first, TARGETS)]):
        return None  # A few words that repeat are classes, whatever their column is called.
    return f"{first.kind} ({', '.join(file.name for file, _ in files)})"


def read(path: Path, options: Options) -> Listing:
    """List the pairs of one file, or of one for each split; rows without either text are named as bad.

    Args:
        path: the file, or the folder that holds them.
        options: may name the columns and the encoding.

    Raises:
        DataError: a file is damaged or no text, or a column is not there.
    """
    files, notes = text_files(path)
    if not files:
        raise DataError(
            f"{path} holds no table of texts: a .csv, .tsv, .parquet or .jsonl file with a pair in each row."
        )
    held = [read_file(file, options.encoding, (*told(options), *NAMES)) for file, _ in files]
    source = _column(held[0], options.text_column, SOURCES, "text_column", files[0][0])
    target = _column(held[0], options.target_column, TARGETS, "target_column", files[0][0])
    split = _beside(held[0], options.split_column, SPLIT_NAMES, "split_column", files[0][0])
    group = _beside(held[0], options.group_column, GROUPS, "group_column", files[0][0])
    read_from: list[str] = []
    to_write: list[str] = []
    splits: list[str] = []
    groups: list[str] = []
    names: list[str] = []
    bad: list[tuple[str, str]] = []
    cells: dict[str, list[str]] = {name: [] for name in held[0].columns if all(name in each.columns for each in held)}
    for (file, of_file), each in zip(files, held, strict=True):
        for name, option in ((source, "text_column"), (target, "target_column")):
            _column(each, name, (), option, file)
        notes += each.notes
        bad += each.bad
        for row in range(len(each)):
            pair = each.columns[source][row].strip(), each.columns[target][row].strip()
            if not all(pair):
                bad.append((f"{each.place(row)} of {file.name}", f"has no {'target' if pair[0] else 'source'} text"))
                continue
            read_from.append(pair[0])
            to_write.append(pair[1])
            splits += splits_in(each, split, file, [row]) if split in each.columns else [of_file]
            groups.append(each.columns[group][row].strip() if group in each.columns else "")
            names.append(f"{file.name} {each.place(row)}")
            for name, column in cells.items():
                column.append(each.columns[name][row])
    if not names:
        raise DataError(f"{files[0][0]} holds no row with both texts (source in '{source}', target in '{target}').")
    words = f"source in '{source}', target in '{target}'"
    return Listing(
        name=path.resolve().name if path.is_dir() else path.stem,
        format=f"pairs of texts ({' and '.join(dict.fromkeys(each.kind for each in held))})",
        reason=f"{', '.join(file.name for file, _ in files)}; {words}",
        names=text_array(names),
        truth=texts(to_write),
        splits=text_array(with_test(splits, options.test_where, cells, notes)),
        content=texts(read_from),
        groups=text_array(groups) if group else None,
        bad=tuple((str(text_array([name])[0]), reason) for name, reason in bad),
        notes=tuple(notes),
        modality="text",
        text_columns=(source,),
        encoding=options.encoding,
    )


def _are_many(cells: list[str]) -> bool:
    """Tell whether texts differ from row to row, or are too few to tell."""
    present = [cell.strip() for cell in cells[:SAMPLE] if cell.strip()]
    return len(present) < FEWEST or len(set(present)) > DIFFERENT * len(present)


def _first(table: Table, names: tuple[str, ...]) -> str:
    """Return the column that has one of some names, the likelier ones first, or an empty text."""
    found = [name for name in table.columns if name.lower() in names]
    return min(found, key=lambda name: names.index(name.lower()), default="")


def _column(table: Table, wanted: str, names: tuple[str, ...], option: str, file: Path) -> str:
    name = wanted or _first(table, names)
    if name not in table.columns:
        said = f"data.{option} = '{wanted}', but {file} has no such column." if wanted else (
            f"It cannot be told which column of {file} holds the {'target' if option == 'target_column' else 'source'} "
            f"text. Say it with --set data.{option}=NAME."
        )  # fmt: skip
        hint = did_you_mean(wanted, table.columns) if wanted else ""
        raise DataError(f"{said}{hint} Its columns: {', '.join(table.columns) or 'none'}.")
    return name


def _beside(table: Table, wanted: str, names: tuple[str, ...], option: str, file: Path) -> str:
    if wanted == "none":
        return ""
    return _column(table, wanted, (), option, file) if wanted else _first(table, names)
