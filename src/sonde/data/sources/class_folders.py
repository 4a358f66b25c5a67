"""Class folders: a folder of images per class, below train/, validation/ and test/ where the data has own splits."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sonde.data.decode import SUFFIXES
from sonde.data.image import Options
from sonde.data.listing import Listing, split_named, text_array
from sonde.errors import DataError


@dataclass
class Found:
    """What is gathered while walking through the folders."""

    paths: list[Path] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


def sniff(path: Path) -> str | None:
    """Say why a path is a tree of class folders.

    Args:
        path: what the user named.
    """
    if not path.is_dir():
        return None
    root = _inner(path)
    splits = _split_folders(root)
    if splits:
        classes = {folder.name for split in splits for folder in subfolders(split) if holds_images(folder)}
        return f"{', '.join(split.name + '/' for split in splits)} with {_folders(classes)}" if classes else None
    classes = {folder.name for folder in subfolders(root) if holds_images(folder)}
    return _folders(classes) if classes else None


def read(path: Path, options: Options) -> Listing:
    """List the images of a tree of class folders, sorted by name.

    Args:
        path: the folder.
        options: not used by this format.

    Raises:
        DataError: there are no images, or the splits hold no training images.
    """
    reason = sniff(path) or "folders"
    root = _inner(path)
    found = Found()
    if root != path:
        found.notes.append(f"everything lies in {root.relative_to(path)}/, which was taken for the data set")
    splits = _split_folders(root)
    for folder in splits or [root]:
        _gather(folder, split_named(folder.name) if splits else "", found)
    if splits:
        beside = [folder.name for folder in subfolders(root) if folder not in splits and holds_images(folder)]
        if beside:
            found.notes.append(f"{', '.join(beside[:5])} beside {splits[0].name}/ is no split and was left alone")
    if not found.paths:
        raise DataError(f"{path} holds class folders, but not one image. Images end in {', '.join(sorted(SUFFIXES))}.")
    return Listing(
        name=path.resolve().name,
        format="folder of classes",
        reason=reason,
        names=text_array([file.relative_to(root).as_posix() for file in found.paths]),
        answers=text_array(found.answers),
        splits=text_array(found.splits),
        content=tuple(found.paths),
        notes=tuple(found.notes + _left_out(found)),
    )


def subfolders(path: Path) -> list[Path]:
    """Return the folders in a folder, sorted, without hidden ones and those that archives leave behind.

    Args:
        path: a folder.
    """
    try:
        return sorted(entry for entry in path.iterdir() if entry.is_dir() and not _hidden(entry.name))
    except OSError as error:
        raise _unreadable(error) from None


def holds_images(folder: Path) -> bool:
    """Tell whether an image lies anywhere below a folder, by the endings of the names.

    Args:
        folder: where to look.
    """
    return any(
        os.path.splitext(name)[1].lower() in SUFFIXES and not _hidden(name)
        for _, _, names in os.walk(folder, onerror=_refuse)
        for name in names
    )


def _gather(folder: Path, split: str, found: Found) -> None:
    loose = [entry for entry in folder.iterdir() if entry.is_file() and entry.suffix.lower() in SUFFIXES]
    if loose:
        found.notes.append(
            f"{len(loose)} images directly in {folder.name}/ stand in no class folder, have no label, and were left out"
        )
    for class_folder in subfolders(folder):
        before = len(found.paths)
        for place, inner, names in os.walk(class_folder, onerror=_refuse):
            inner[:] = sorted(name for name in inner if not _hidden(name))
            for name in sorted(names):
                suffix = os.path.splitext(name)[1].lower()
                if _hidden(name):
                    continue
                if suffix not in SUFFIXES:
                    found.others[suffix or "no ending"] += 1
                    continue
                found.paths.append(Path(place, name))
                found.answers.append(class_folder.name)
                found.splits.append(split)
        if len(found.paths) == before:
            found.empty.append(class_folder.relative_to(folder.parent if split else folder).as_posix())


def _left_out(found: Found) -> list[str]:
    notes = []
    if found.empty:
        notes.append(f"folders without an image: {', '.join(found.empty[:5])}{' ...' if len(found.empty) > 5 else ''}")
    if found.others:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in found.others.most_common(5))
        notes.append(f"files that are no images by their name were left alone: {kinds}")
    return notes


def _inner(path: Path) -> Path:
    """Step into the only folder of a folder, as archives leave it, while that one does not hold the images itself."""
    for _ in range(3):
        inside = subfolders(path)
        if len(inside) != 1 or not any(holds_images(folder) for folder in subfolders(inside[0])):
            break
        if split_named(inside[0].name) or _has_loose(inside[0]):
            break
        path = inside[0]
    return path


def _has_loose(folder: Path) -> bool:
    return any(entry.suffix.lower() in SUFFIXES for entry in folder.iterdir())


def _split_folders(root: Path) -> list[Path]:
    """Return train/, validation/, test/ below a folder when there is a train/ that holds folders."""
    named = [folder for folder in subfolders(root) if split_named(folder.name)]
    trains = [folder for folder in named if split_named(folder.name) == "train"]
    if len(trains) != 1 or not any(holds_images(folder) for folder in subfolders(trains[0])):
        return []
    return named


def _folders(classes: set[str]) -> str:
    some = ", ".join(sorted(classes)[:5]) + (", ..." if len(classes) > 5 else "")
    return f"{len(classes)} folder{'s' if len(classes) != 1 else ''} of images ({some})"


def _refuse(error: OSError) -> None:
    # Without this, os.walk passes over a folder that it cannot look into, in silence.
    raise _unreadable(error) from None


def _unreadable(error: OSError) -> DataError:
    return DataError(f"Cannot look into {error.filename}: {error.strerror}. Change its permissions, or move it away.")


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
