"""The data formats that sonde reads, and how it tells which one lies at a path."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

from sonde.config.disk import located
from sonde.data.audio.sound import SUFFIXES as SOUND_SUFFIXES
from sonde.data.image.decode import SUFFIXES
from sonde.data.listing import Listing
from sonde.data.options import Options
from sonde.data.sources import (
    builtin,
    cifar,
    class_folders,
    idx,
    labelled_rows,
    manifest,
    mask_folders,
    npz,
    patterns,
    series_csv,
    series_npz,
    series_ts,
    series_ucr,
    sounds,
    text_folders,
    text_pairs,
    texts,
)
from sonde.data.sources.builtin import BUILTIN
from sonde.data.sources.multilabel import recognised
from sonde.data.sources.source import Source
from sonde.data.sources.text_columns import tables_in
from sonde.errors import DataError, did_you_mean, shortened

__all__ = ["BUILTIN", "SOURCES", "Source", "survey"]

SOURCES: dict[str, Source] = {
    "builtin": Source(
        "A built-in data set: digits, breast-cancer, wine or diabetes.", builtin.sniff, builtin.read, ("image", "table")
    ),
    "idx": Source(
        "A folder of IDX files, gzip or not, such as train-images-idx3-ubyte.gz (MNIST family).", idx.sniff, idx.read
    ),
    "cifar": Source("The folder of the CIFAR-10 or CIFAR-100 binary version.", cifar.sniff, cifar.read),
    "series-ts": Source(
        "A .ts file of time series (sktime, aeon), or a folder with X_TRAIN.ts and X_TEST.ts.",
        series_ts.sniff,
        series_ts.read,
        ("series",),
    ),
    "series-ucr": Source(
        "Text files of a label and a series per line without a header, such as X_TRAIN.tsv and X_TEST.tsv (UCR).",
        series_ucr.sniff,
        series_ucr.read,
        ("series",),
    ),
    "series-table": Source(
        "A .csv, .tsv or .parquet file of series: columns numbered by time, or a row for each step of a series.",
        series_csv.sniff,
        series_csv.read,
        ("series",),
    ),
    "series-npz": Source(
        "An .npz file with x_train, y_train, x_test, y_test of N x steps.",
        series_npz.sniff,
        series_npz.read,
        ("series",),
    ),
    "npz": Source(
        "An .npz file with x_train, y_train, x_test, y_test, or with images and labels.", npz.sniff, npz.read
    ),
    "mask-folders": Source(
        "A folder of images beside one of masks, such as images/ and masks/, perhaps below train/, validation/ and "
        "test/; classes.txt may name the classes.",
        mask_folders.sniff,
        mask_folders.read,
    ),
    "text-pairs": Source(
        "A .csv, .tsv, .parquet or .jsonl file with the columns source and target, a text in each; or one such file "
        "for each split.",
        text_pairs.sniff,
        text_pairs.read,
        ("text",),
    ),
    "texts": Source(
        "A .csv, .tsv, .parquet or .jsonl file with a text and a label per row, or lines of both; or one such file for "
        "each split.",
        texts.sniff,
        texts.read,
        ("text",),
    ),
    "manifest": Source(
        "A .csv, .tsv or .parquet file with a path and a label per row, and perhaps a split and a group.",
        manifest.sniff,
        manifest.read,
        ("image", "audio"),
    ),
    "file-names": Source(
        "A folder of recordings whose names hold the label, such as 7_theo_3.wav (data.pattern says how).",
        patterns.sniff,
        patterns.read,
        ("audio",),
    ),
    "sounds": Source(
        "A folder with one folder of recordings per class, perhaps below train/, validation/ and test/.",
        sounds.sniff,
        sounds.read,
        ("audio",),
    ),
    "class-folders": Source(
        "A folder with one folder of images per class, perhaps below train/, validation/ and test/.",
        class_folders.sniff,
        class_folders.read,
    ),
    "text-folders": Source(
        "A folder with one folder of .txt files per class, perhaps below train/, validation/ and test/.",
        text_folders.sniff,
        text_folders.read,
        ("text",),
    ),
    "rows": Source(
        "A .csv, .tsv or .parquet file with numbers, dates or categories and a label per row; or one such file for "
        "each split.",
        labelled_rows.sniff,
        labelled_rows.read,
        ("table",),
    ),
    "series-said-table": Source(
        "Any such table, where the task is said to read series: all numbers of a row are the steps of one.",
        series_csv.sniff_any,
        series_csv.read,
        ("series",),
    ),
    "series-said-npz": Source(
        "Any .npz file, where the task is said to read series: N x steps x channels.",
        series_npz.sniff_any,
        series_npz.read,
        ("series",),
    ),
}
"""Every format, in the order in which they are tried and shown."""

COLUMNS = ("path_column", "label_column", "split_column", "group_column", "test_where")
"""Options that only what has columns or fields reads."""

WITH_COLUMNS = ("manifest", "file-names", "text-pairs", "texts", "rows", "series-table", "series-said-table")

ONE_LABEL = (
    "series-ts",
    "series-ucr",
    "series-npz",
    "series-said-npz",
    "builtin",
    "idx",
    "cifar",
    "mask-folders",
    "sounds",
    "class-folders",
    "text-folders",
    "text-pairs",
    "file-names",
)
"""Formats whose examples have one label each, whatever letters it is made of."""

ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")


def survey(source: str, options: Options, modality: str = "") -> Listing:
    """Recognise what lies at a path and list its examples, without decoding them all.

    Args:
        source: a path, or the name of a built-in data set.
        options: may name a table's columns, or the pattern of file names.
        modality: what the examples are, where a person has said so; empty recognises it.

    Returns:
        The listing, which says the format and why it was recognised.

    Raises:
        DataError: nothing is there, nothing fits, or what is there is damaged; the text says what was found and what
            would have been recognised.
    """
    # "./digits" is a folder, "digits" the built-in set; a Path would not know the difference.
    if source in BUILTIN:
        return _noting_columns(builtin.read(Path(source), options), options)
    path = located(source)
    if "://" in source:
        raise DataError(
            f"'{source}' is a URL. sonde reads local files only: fetch and unpack it, then name the folder."
        )
    # Not `Path.exists`, which fails on a name that is longer than the system allows.
    if not os.path.exists(path):
        raise DataError(_missing(source, path))
    if not path.is_file() and not path.is_dir():
        raise DataError(
            f"'{source}' is neither a file nor a folder, but a device or a pipe. sonde reads data more than once: "
            "write it to a file or a folder, then name that."
        )
    try:
        if options.pattern:
            return patterns.read(path, options)
        if options.path_column and manifest.lies_at(path):
            return recognised(manifest.read(path, options), options)
        if options.target_column and not manifest.sniff(path):
            return text_pairs.read(path, options)
        for name, row in SOURCES.items():
            if name == "text-pairs" and options.label_column:
                continue  # A label is asked, and no text.
            if name != "builtin" and (not modality or modality in row.modalities) and row.sniff(path):
                listing = row.read(path, options)
                listing = listing if name in ONE_LABEL else recognised(listing, options)
                return listing if name in WITH_COLUMNS else _noting_columns(listing, options)
    except PermissionError as error:
        raise DataError(f"Cannot read {error.filename}: permission denied. Change its permissions.") from None
    raise DataError(_unrecognised(path))


def _noting_columns(listing: Listing, options: Options) -> Listing:
    unused = [f"data.{name} = '{getattr(options, name)}'" for name in COLUMNS if getattr(options, name)]
    if not unused:
        return listing
    note = f"{', '.join(unused)} was not used: only a table (.csv, .tsv, .parquet) has columns, not a {listing.format}"
    return replace(listing, notes=(*listing.notes, note))


def _missing(source: str, path: Path) -> str:
    try:
        siblings = [str(path.parent / entry.name) for entry in path.parent.iterdir() if not entry.name.startswith(".")]
    except OSError:
        siblings = []
    hint = did_you_mean(source, [*BUILTIN, *siblings])
    return f"There is no data at '{shortened(source)}'.{hint} Give a path, or a built-in name: {', '.join(BUILTIN)}."


def _unrecognised(path: Path) -> str:
    formats = "\n".join(f"  {name}: {row.doc}" for name, row in SOURCES.items())
    return f"{_what_is_there(path)}\nsonde recognises:\n{formats}"


def _what_is_there(path: Path) -> str:
    if path.is_file():
        if idx.NAME.fullmatch(path.name):
            return f"{path} is one file of an IDX data set. Name the folder that holds them all: {path.parent}"
        if path.suffix.lower() in ARCHIVES:
            return f"{path} is an archive. Unpack it first, then give the folder."
        return (
            f"{path} is a single {path.suffix.lower() or 'unnamed'} file, in no format that sonde reads as a data set."
        )
    entries = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
    if not entries:
        return f"{path} is an empty folder."
    kinds = Counter(entry.suffix.lower() or "no ending" for entry in entries if entry.is_file())
    folders = sum(entry.is_dir() for entry in entries)
    found = [f"{count} {kind}" for kind, count in kinds.most_common(5)]
    found += [f"{folders} folder{'s' if folders != 1 else ''} without images"] if folders else []
    text = f"{path} holds {', '.join(found)}, which is no data set that sonde reads."
    if any(kind in SUFFIXES for kind in kinds):
        text += " Its images have no labels: put those of each class in a folder with the class's name."
    if any(kind in SOUND_SUFFIXES for kind in kinds):
        text += (
            " Its recordings have no labels: put those of each class in a folder with the class's name, or say how "
            "their names are made, such as --set 'data.pattern={label}_{speaker}_{take}.wav'."
        )
    tables = tables_in(path)
    if len(tables) > 1:
        text += f" Name the table that lists the images itself, such as {tables[0]}."
    return text
