"""Manifests: a CSV, TSV or parquet file with a path and a label or a caption per row, and perhaps a split and a group.

Which column is which is guessed by the columns' names and what they hold, said, and changed with data.path_column,
data.label_column, data.target_column (captions), data.split_column and data.group_column. Paths are relative to the
manifest, or to a folder beside it. URLs are never followed.
"""

from dataclasses import dataclass
from pathlib import Path

from sonde.data.audio.sound import SUFFIXES as SOUND_SUFFIXES
from sonde.data.listing import Listing, split_named, text_array
from sonde.data.options import Options
from sonde.data.ragged import texts
from sonde.data.sources.class_folders import IMAGES, SOUNDS, holds, subfolders
from sonde.data.sources.conditions import with_test
from sonde.data.sources.multilabel import prepared as prepared_labels
from sonde.data.sources.named_files import ENDINGS, NamedFiles
from sonde.data.sources.roles import GROUPS, LABELS, SPLIT_NAMES, in_words, label_column, splits_in
from sonde.data.sources.text_columns import SUFFIXES, read_table, tables_in
from sonde.data.sources.text_tables import head
from sonde.errors import DataError, did_you_mean

PATHS = ("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img", "image_file")
CAPTIONS = ("caption", "captions", "description", "text", "sentence", "comment", "report")
"""Names of columns of texts that are to be written."""
FEWEST_WORDS, DIFFERENT = 3, 0.5
"""Mean number of words of captions, and the share of them that differ; less are labels."""
SAMPLE = 50
"""Rows that are looked at when guessing which column holds the paths."""

Table = dict[str, list[str]]


@dataclass(frozen=True)
class Columns:
    """Which column is which; "" where there is none."""

    path: str
    label: str
    caption: str
    """Column of texts that are to be written for the files; then there is no label."""
    split: str
    group: str

    @property
    def asked(self) -> str:
        """The column of labels or captions."""
        return self.caption or self.label


def sniff(path: Path) -> str | None:
    """Say why a path is a manifest: a table, or a folder with a table and no class folders."""
    file = _file(path)
    if file is None or not _may_list_files(file):
        return None
    return f"a table of paths and labels ({file.name})"


def lies_at(path: Path) -> bool:
    """Tell whether a table lies there that may be a manifest, where a person has named its column of paths."""
    return _file(path) is not None


def read(path: Path, options: Options) -> Listing:
    """List the images of a manifest in its own order; rows without file or label are named as bad.

    Args:
        path: the table, or the folder that holds it.
        options: may name the columns.

    Raises:
        DataError: the table is damaged, or it cannot be told which column is which.
    """
    file = _file(path)
    assert file is not None, "read follows sniff"
    files = NamedFiles(file.parent)
    read_from = prepared_labels(
        read_table(file, options.encoding, lambda first: any(map(files.names, first))), options, file
    )
    table = read_from.columns
    if not len(read_from):
        raise DataError(
            f"{file} holds a header ({', '.join(table) or 'without columns'}) and no row below it. "
            "Add one row per image or recording, with its path and its label."
        )
    columns = _columns(table, files, options, file)
    files = NamedFiles(file.parent)  # Counts nothing that was only looked at.
    kept: list[int] = []
    bad: list[tuple[str, str]] = []
    places: dict[int, Path] = {}
    for row, name in enumerate(table[columns.path]):
        there = files.find(name)
        problem = _problem(file.parent, name, there, table[columns.asked][row], is_caption=bool(columns.caption))
        if problem or there is None:
            bad.append((name or f"{read_from.place(row)} of {file.name}", problem))
        else:
            kept.append(row)
            places[row] = there
    content = tuple(places.values())
    splits = splits_in(read_from, columns.split, file, kept)
    groups = text_array([table[columns.group][row] for row in kept]) if columns.group else None
    asked = [table[columns.asked][row] for row in kept]
    kept_cells = {name: [cells[row] for row in kept] for name, cells in table.items()}
    option = "target_column" if columns.caption else "label_column"
    said = f"columns of {file.name}: {in_words(columns)} (change: --set data.{option}=NAME and so on)"
    notes = [said, *read_from.notes, *files.notes(file.name)]
    if columns.caption and groups is None and len(set(content)) < len(content):
        # Else a picture would be in training with one of its captions and in the test with another.
        groups = text_array([str(place) for place in content])
        notes.append(f"{len(set(content)):,} files have several captions each, and all of a file stay in one split")
    return Listing(
        name=file.stem if path.is_file() else path.resolve().name,
        format=f"manifest ({file.suffix.lower().removeprefix('.')})",
        reason=f"a table of paths and {'captions' if columns.caption else 'labels'} ({file.name}), {in_words(columns)}",
        names=text_array([table[columns.path][row] for row in kept]),
        truth=texts(asked) if columns.caption else text_array(asked),
        splits=text_array(with_test(splits, options.test_where, kept_cells, notes)),
        content=content,
        groups=groups,
        bad=tuple((str(text_array([name])[0]), problem) for name, problem in bad),
        notes=tuple(notes),
        modality="audio" if _are_sounds(content) else "image",
    )


def _may_list_files(file: Path) -> bool:
    """Tell whether the first rows name files, or a column is called as if it did; other tables are read as rows."""
    first = head(file)
    if first is None:
        return True  # Damaged: `read` says how.
    cells = (cell.lower() for column in first.columns.values() for cell in column[:SAMPLE])
    if any(name.lower() in PATHS for name in first.columns) or any(cell.endswith(ENDINGS) for cell in cells):
        return True
    files = NamedFiles(file.parent)
    return any(map(files.are_all, first.columns.values()))


def _are_sounds(files: tuple[Path, ...]) -> bool:
    """Tell whether most of the first files are recordings, by the endings of their names."""
    first = files[:SAMPLE]
    return 2 * sum(file.suffix.lower() in SOUND_SUFFIXES for file in first) > len(first)


def _file(path: Path) -> Path | None:
    if path.is_file():
        return path if path.suffix.lower() in SUFFIXES else None
    if not path.is_dir():
        return None
    tables = tables_in(path)
    if len(tables) != 1:
        return None
    # Two or more folders of images or recordings are classes; a table beside them is taken only when named itself.
    for kind in (IMAGES, SOUNDS):
        if sum(holds(folder, kind) for folder in subfolders(path)[:50]) >= 2:
            return None
    return tables[0]


def _columns(table: Table, files: NamedFiles, options: Options, file: Path) -> Columns:
    for option in ("path_column", "label_column", "target_column", "split_column", "group_column"):
        wanted = getattr(options, option)
        optional = option in ("split_column", "group_column")
        if wanted and wanted not in table and not (optional and wanted == "none"):
            raise DataError(
                f"data.{option} = '{wanted}', but {file} has no such column.{did_you_mean(wanted, table)} "
                f"Its columns: {', '.join(table)}."
            )
    path = options.path_column or _path_column(table, files, file)
    # One known word makes a column of such a name a split; an unknown word in it is then refused, not passed over.
    named = [name for name in table if name.lower() in SPLIT_NAMES]
    others = {name for name in named if not any(split_named(cell) for cell in set(table[name]))}
    split = _optional(options.split_column, table, SPLIT_NAMES, {path} | others)
    group = _optional(options.group_column, table, GROUPS, {path, split})
    caption = options.target_column or ("" if options.label_column else _caption_column(table, {path, split, group}))
    label = "" if caption else options.label_column or label_column(table, LABELS, {path, split, group}, file)
    return Columns(path, label, caption, split, group)


def _caption_column(table: Table, taken: set[str]) -> str:
    """Return the column of texts to be written: named so, or sentences that nearly all differ; "" for none."""
    free = [name for name in table if name not in taken]
    if any(name.lower() in LABELS for name in free):
        return ""
    named = [name for name in free if name.lower() in CAPTIONS]
    return next((name for name in named if _are_sentences(table[name])), "") or next(
        (name for name in free if len(free) == 1 and _are_sentences(table[name])), ""
    )


def _are_sentences(cells: list[str]) -> bool:
    present = [cell for cell in cells if cell]
    words = sum(len(cell.split()) for cell in present)
    return len(set(present)) > DIFFERENT * len(present) and words >= FEWEST_WORDS * len(present)


def _optional(wanted: str, table: Table, names: tuple[str, ...], taken: set[str]) -> str:
    if wanted:
        return "" if wanted == "none" else wanted
    return next((name for name in table if name.lower() in names and name not in taken), "")


def _path_column(table: Table, files: NamedFiles, file: Path) -> str:
    shares = {name: sum(files.find(cell) is not None for cell in cells[:SAMPLE]) for name, cells in table.items()}
    named = [name for name in table if name.lower() in PATHS]
    best = max([*named, *table], key=lambda name: shares[name], default="")
    if not best or (shares[best] == 0 and not named):
        raise DataError(
            f"No column of {file} holds paths of images that exist. Its columns: {', '.join(table)}. Paths are "
            f"relative to {file.parent}, or to a folder there; say which column holds them with "
            "--set data.path_column=NAME."
        )
    return best


def _problem(root: Path, name: str, there: Path | None, asked: str, *, is_caption: bool) -> str:
    if not name:
        return "has no path"
    if "://" in name:
        return "is a URL; sonde reads files only, fetch it first"
    if not asked:
        return "has no caption" if is_caption else "has no label"
    return "" if there else f"is not there (looked in {root})"
