"""Class folders: a folder of images, or of recordings, per class, below train/, validation/ and test/ where the data
has own splits.
"""

import os
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sonde.data.audio.sound import SUFFIXES as SOUND_SUFFIXES
from sonde.data.image.decode import SUFFIXES
from sonde.data.listing import Listing, split_named, text_array
from sonde.data.options import Options
from sonde.data.sources.text_columns import tables_in
from sonde.errors import DataError


@dataclass(frozen=True)
class Kind:
    """What lies in the folders."""

    modality: str
    thing: str
    """What one file is called, such as "image"; an s makes it many."""
    suffixes: frozenset[str]
    """Endings of the files, in small letters."""

    @property
    def layout(self) -> str:
        """What every refusal of a layout ends with."""
        word = self.thing.upper()
        return (
            f"Lay it out as train/CLASS/{word} and test/CLASS/{word} (validation/ as well, if there is one), or as "
            f"CLASS/{word}, or name a table with a path and a label per row."
        )


IMAGES = Kind("image", "image", SUFFIXES)
SOUNDS = Kind("audio", "recording", SOUND_SUFFIXES)
TEXTS = Kind("text", "text", frozenset({".txt"}))


@dataclass
class Found:
    """What is gathered while walking through the folders."""

    paths: list[Path] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def sniff(path: Path, kind: Kind = IMAGES) -> str | None:
    """Say why a path is a tree of class folders.

    Args:
        kind: what lies in them.
    """
    if not path.is_dir():
        return None
    root = _inner(path, kind)
    splits = _split_folders(root, kind)
    if splits:
        classes = {folder.name for split in splits for folder in subfolders(split) if holds(folder, kind)}
        return f"{', '.join(split.name + '/' for split in splits)} with {_folders(classes, kind)}" if classes else None
    classes = {folder.name for folder in subfolders(root) if holds(folder, kind)}
    return _folders(classes, kind) if classes else None


def read(path: Path, options: Options, kind: Kind = IMAGES) -> Listing:
    """List the files of a tree of class folders, sorted by name.

    Args:
        options: not used by this format.
        kind: what lies in them.

    Raises:
        DataError: there are no such files, or it cannot be told which folders are classes and which are splits.
    """
    reason = sniff(path, kind) or "folders"
    root = _inner(path, kind)
    found = Found()
    if root != path:
        found.notes.append(f"everything lies in {root.relative_to(path)}/, which was taken for the data set")
    splits = _split_folders(root, kind)
    if splits:
        _refuse_two_of_a_kind(root, splits, kind)
    else:
        _refuse_doubtful_classes(path, root, kind)
    for folder in splits or [root]:
        _gather(folder, split_named(folder.name) if splits else "", found, kind)
    if splits:
        beside = [folder.name for folder in subfolders(root) if folder not in splits and holds(folder, kind)]
        if beside:
            found.notes.append(f"{', '.join(beside[:5])} beside {splits[0].name}/ is no split and was left alone")
    if not found.paths:
        things = f"{kind.thing.capitalize()}s end in {', '.join(sorted(kind.suffixes))}"
        raise DataError(f"{path} holds class folders, but not one {kind.thing}. {things}.")
    return Listing(
        name=path.resolve().name,
        format="folder of classes",
        reason=reason,
        names=text_array([file.relative_to(root).as_posix() for file in found.paths]),
        truth=text_array(found.answers),
        splits=text_array(found.splits),
        content=tuple(found.paths),
        notes=tuple(found.notes + _left_out(found, kind)),
        modality=kind.modality,
    )


def subfolders(path: Path) -> list[Path]:
    """Return the folders in a folder, sorted, without hidden ones and those that archives leave behind."""
    try:
        return sorted(entry for entry in path.iterdir() if entry.is_dir() and not _hidden(entry.name))
    except OSError as error:
        raise _unreadable(error) from None


def holds(folder: Path, kind: Kind = IMAGES) -> bool:
    """Tell whether a file of some kind lies anywhere below a folder, by the endings of the names.

    Args:
        folder: where to look.
    """
    return any(
        os.path.splitext(name)[1].lower() in kind.suffixes and not _hidden(name)
        for _, _, names in os.walk(folder, onerror=_refuse)
        for name in names
    )


def _gather(folder: Path, split: str, found: Found, kind: Kind) -> None:
    loose = [entry for entry in folder.iterdir() if entry.is_file() and entry.suffix.lower() in kind.suffixes]
    if loose:
        found.notes.append(
            f"{len(loose)} {kind.thing}s directly in {folder.name}/ stand in no class folder, have no label, and were "
            "left out"
        )
    for class_folder in subfolders(folder):
        before = len(found.paths)
        for place, inner, names in os.walk(class_folder, onerror=_refuse):
            inner[:] = sorted(name for name in inner if not _hidden(name))
            for name in sorted(names):
                suffix = os.path.splitext(name)[1].lower()
                if _hidden(name):
                    continue
                if suffix not in kind.suffixes:
                    found.others[suffix or "no ending"] += 1
                    continue
                found.paths.append(Path(place, name))
                found.answers.append(class_folder.name)
                found.splits.append(split)
        if len(found.paths) == before:
            found.empty.append(class_folder.relative_to(folder.parent if split else folder).as_posix())


def _left_out(found: Found, kind: Kind) -> list[str]:
    notes = []
    if found.empty:
        one = "an image" if kind is IMAGES else f"a {kind.thing}"
        notes.append(f"folders without {one}: {', '.join(found.empty[:5])}{' ...' if len(found.empty) > 5 else ''}")
    if found.others:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in found.others.most_common(5))
        notes.append(f"files that are no {kind.thing}s by their name were left alone: {kinds}")
    return notes


def _inner(path: Path, kind: Kind) -> Path:
    """Step into the only folder of a folder, as archives leave it, while that one does not hold the files itself."""
    for _ in range(3):
        inside = subfolders(path)
        if len(inside) != 1 or not any(holds(folder, kind) for folder in subfolders(inside[0])):
            break
        if split_named(inside[0].name) or _has_loose(inside[0], kind):
            break
        path = inside[0]
    return path


def _has_loose(folder: Path, kind: Kind) -> bool:
    return any(entry.suffix.lower() in kind.suffixes for entry in folder.iterdir())


def _split_folders(root: Path, kind: Kind) -> list[Path]:
    """Return train/, validation/, test/ below a folder: with a train/ that holds folders, or with nothing beside."""
    inside = subfolders(root)
    named = [folder for folder in inside if split_named(folder.name)]
    deep = [folder for folder in named if any(holds(inner, kind) for inner in subfolders(folder))]
    if any(split_named(folder.name) == "train" for folder in deep):
        return named
    alone = deep and all(folder in deep or not holds(folder, kind) for folder in inside)
    return deep if alone else []


def _refuse_two_of_a_kind(root: Path, splits: list[Path], kind: Kind) -> None:
    of_split: dict[str, list[str]] = {}
    for folder in filter(partial(holds, kind=kind), splits):
        of_split.setdefault(split_named(folder.name), []).append(f"{folder.name}/")
    for split, names in of_split.items():
        if len(names) > 1:
            raise DataError(
                f"{root} holds {' and '.join(names)}, which both mean the {split} split. Move them into one folder, "
                f"or rename or move away what does not belong to it."
            )


def _refuse_doubtful_classes(path: Path, root: Path, kind: Kind) -> None:
    """Refuse folders that are more likely splits than classes: each would become a class, and the scores be wrong."""
    classes = [folder for folder in subfolders(root) if holds(folder, kind)]
    tables = tables_in(root) or tables_in(path)
    beside = f" There is a table beside them: try {tables[0]} itself." if tables else ""
    words = [f"{folder.name}/" for folder in classes if split_named(folder.name)]
    if words:
        raise DataError(
            f"{root} holds {', '.join(words[:5])}, named like a split, and no training split with one folder per "
            f"class: the labels cannot be told.{beside} {kind.layout} A class that is really called so needs another "
            "name."
        )
    if len(classes) == 1 and len(tables) > 1:
        raise DataError(
            f"{path} holds {len(tables)} tables ({', '.join(file.name for file in tables[:5])}) and one folder of "
            f"{kind.thing}s, {classes[0].name}/. Name the table that lists the {kind.thing}s itself, such as "
            f"{tables[0]}."
        )
    if len(classes) < 2 or any(_has_loose(folder, kind) for folder in classes):
        return
    inner = {frozenset(each.name for each in subfolders(folder) if holds(each, kind)) for folder in classes}
    shared = next(iter(inner)) if len(inner) == 1 else frozenset()
    # One shared folder is harmless: cat/images/ and dog/images/.
    if len(shared) > 1:
        raise DataError(
            f"{root} holds {', '.join(folder.name + '/' for folder in classes[:5])} and each of them the same folders: "
            f"{', '.join(sorted(shared)[:5])}. It cannot be told which are the classes.{beside} {kind.layout}"
        )


def _folders(classes: set[str], kind: Kind) -> str:
    some = ", ".join(sorted(classes)[:5]) + (", ..." if len(classes) > 5 else "")
    return f"{len(classes)} folder{'s' if len(classes) != 1 else ''} of {kind.thing}s ({some})"


def _refuse(error: OSError) -> None:
    # Without this, os.walk passes over a folder that it cannot look into, in silence.
    raise _unreadable(error) from None


def _unreadable(error: OSError) -> DataError:
    return DataError(f"Cannot look into {error.filename}: {error.strerror}. Change its permissions, or move it away.")


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
