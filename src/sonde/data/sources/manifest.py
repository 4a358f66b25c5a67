"""Manifests: a CSV, TSV or parquet file with a path and a label per row, and perhaps a split and a group.

Which column is which is guessed by the columns' names and what they hold, said, and changed with data.path_column,
data.label_column, data.split_column and data.group_column. Paths are relative to the manifest. URLs are never followed.
"""

from dataclasses import dataclass
from pathlib import Path

from sonde.data.audio.sound import SUFFIXES as SOUND_SUFFIXES
from sonde.data.image.decode import SUFFIXES as IMAGE_SUFFIXES
from sonde.data.listing import Listing, split_named, text_array
from sonde.data.options import Options
from sonde.data.sources.class_folders import IMAGES, SOUNDS, holds, subfolders
from sonde.data.sources.conditions import with_test
from sonde.data.sources.multilabel import prepared as prepared_labels
from sonde.data.sources.roles import GROUPS, LABELS, SPLIT_NAMES, in_words, label_column, splits_in
from sonde.data.sources.text_columns import SUFFIXES, read_table, tables_in
from sonde.data.sources.text_tables import head
from sonde.errors import DataError, did_you_mean

PATHS = ("path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "img", "image_file")
SAMPLE = 50
"""Rows that are looked at when guessing which column holds the paths."""

Table = dict[str, list[str]]


@dataclass(frozen=True)
class Columns:
    """Which column is which; "" where there is none."""

    path: str
    label: str
    split: str
    group: str


def sniff(path: Path) -> str | None:
    """Say why a path is a manifest: a table, or a folder with a table and no class folders.

    Args:
        path: what the user named.
    """
    file = _file(path)
    if file is None or not _may_list_files(file):
        return None
    return f"a table of paths and labels ({file.name})"


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
    root = file.parent
    read_from = prepared_labels(
        read_table(file, options.encoding, lambda first: any(_is_image(root, cell) for cell in first)), options, file
    )
    table = read_from.columns
    if not len(read_from):
        raise DataError(
            f"{file} holds a header ({', '.join(table) or 'without columns'}) and no row below it. "
            "Add one row per image or recording, with its path and its label."
        )
    columns = _columns(table, root, options, file)
    kept: list[int] = []
    bad: list[tuple[str, str]] = []
    for row, name in enumerate(table[columns.path]):
        problem = _problem(root, name, table[columns.label][row])
        if problem:
            bad.append((name or f"{read_from.place(row)} of {file.name}", problem))
        else:
            kept.append(row)
    splits = splits_in(read_from, columns.split, file, kept)
    groups = text_array([table[columns.group][row] for row in kept]) if columns.group else None
    content = tuple(_place(root, table[columns.path][row]) for row in kept)
    kept_cells = {name: [cells[row] for row in kept] for name, cells in table.items()}
    said = f"columns of {file.name}: {in_words(columns)} (change: --set data.label_column=NAME and so on)"
    notes = [said, *read_from.notes]
    slanted = [place for place, row in enumerate(kept) if "\\" in table[columns.path][row]]
    turned = sum("\\" not in content[place].name for place in slanted)
    if turned:
        notes.append(f"{turned:,} paths of {file.name} with backslashes (Windows) were read with slashes")
    return Listing(
        name=file.stem if path.is_file() else path.resolve().name,
        format=f"manifest ({file.suffix.lower().removeprefix('.')})",
        reason=f"{sniff(path)}, {in_words(columns)}",
        names=text_array([table[columns.path][row] for row in kept]),
        truth=text_array([table[columns.label][row] for row in kept]),
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
    endings = (*IMAGE_SUFFIXES, *SOUND_SUFFIXES)
    return any(name.lower() in PATHS for name in first.columns) or any(cell.endswith(endings) for cell in cells)


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


def _columns(table: Table, root: Path, options: Options, file: Path) -> Columns:
    for option in ("path_column", "label_column", "split_column", "group_column"):
        wanted = getattr(options, option)
        optional = option in ("split_column", "group_column")
        if wanted and wanted not in table and not (optional and wanted == "none"):
            raise DataError(
                f"data.{option} = '{wanted}', but {file} has no such column.{did_you_mean(wanted, table)} "
                f"Its columns: {', '.join(table)}."
            )
    path = options.path_column or _path_column(table, root, file)
    # One known word makes a column of such a name a split; an unknown word in it is then refused, not passed over.
    named = [name for name in table if name.lower() in SPLIT_NAMES]
    others = {name for name in named if not any(split_named(cell) for cell in set(table[name]))}
    split = _optional(options.split_column, table, SPLIT_NAMES, {path} | others)
    group = _optional(options.group_column, table, GROUPS, {path, split})
    label = options.label_column or label_column(table, LABELS, {path, split, group}, file)
    return Columns(path, label, split, group)


def _optional(wanted: str, table: Table, names: tuple[str, ...], taken: set[str]) -> str:
    if wanted:
        return "" if wanted == "none" else wanted
    return next((name for name in table if name.lower() in names and name not in taken), "")


def _path_column(table: Table, root: Path, file: Path) -> str:
    shares = {name: sum(_is_image(root, cell) for cell in cells[:SAMPLE]) for name, cells in table.items()}
    named = [name for name in table if name.lower() in PATHS]
    best = max([*named, *table], key=lambda name: shares[name], default="")
    if not best or (shares[best] == 0 and not named):
        raise DataError(
            f"No column of {file} holds paths of images that exist. Its columns: {', '.join(table)}. Paths are "
            f"relative to {root}; say which column holds them with --set data.path_column=NAME."
        )
    return best


def _problem(root: Path, name: str, label: str) -> str:
    if not name:
        return "has no path"
    if "://" in name:
        return "is a URL; sonde reads files only, fetch it first"
    if not label:
        return "has no label"
    if "\0" in name or not _is_file(_place(root, name)):
        return f"is not there (looked in {root})"
    return ""


def _is_image(root: Path, cell: str) -> bool:
    # Below 4 letters no image's name is possible (a.png has 5), and most cells are numbers and labels.
    return 4 <= len(cell) <= 4096 and "\0" not in cell and "." in cell and _is_file(_place(root, cell))


def _place(root: Path, cell: str) -> Path:
    """Return the file that a cell means; the backslashes of Windows are slashes where that is what exists."""
    path = root / cell
    if "\\" in cell and not _is_file(path):
        turned = root / cell.replace("\\", "/")
        return turned if _is_file(turned) else path
    return path


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # A name longer than the system allows.
        return False
