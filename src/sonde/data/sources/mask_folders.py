"""Mask folders: a folder of images beside one of masks, whose names match, below train/, validation/ and test/ or not.

images/5.png beside masks/5.png                              ISBI 2012
training/images/21_training.tif beside training/1st_manual/21_manual1.gif      DRIVE
images/train/cat.jpg beside labels/train/cat.png
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sonde.data.image.decode import SUFFIXES
from sonde.data.listing import Listing, split_named, text_array
from sonde.data.options import Options
from sonde.data.sources.class_folders import subfolders
from sonde.errors import DataError

IMAGES = ("images", "imgs", "jpegimages", "pictures", "photos", "inputs")
"""Names of folders of images, in small letters and in the plural; the singular is as good."""
MASKS = (
    "1st_manuals", "labels", "annotations", "segmentations", "segmentationclass", "groundtruths", "ground_truths",
    "gts", "manuals", "targets", "masks",
)  # fmt: skip
"""Names of folders of masks, likewise, the likelier ones first: `mask` beside `1st_manual` is what a camera sees."""
MASK_SUFFIXES = frozenset({".png", ".tif", ".tiff", ".gif", ".bmp"})
"""Endings of masks: formats that keep every number as it is."""
NAMES = "classes.txt"
"""The file that names the classes, one in a line, in the order of their numbers."""
WORDS = re.compile(
    r"(?:^|(?<=[^a-z]))(?:masks?|labels?|seg|segmentation|manual\d*|training|test|images?|img|gt|groundtruth|"
    r"annotations?|labelids|labeltrainids|leftimg8bit|gtfine)(?=[^a-z]|$)"
)
"""Words in a name that say what the file is, and not of which image."""


@dataclass(frozen=True)
class Pair:
    """A folder of images and the folder of their masks."""

    images: Path
    masks: Path
    split: str
    """Of `listing.SPLITS`, or an empty text."""


def sniff(path: Path) -> str | None:
    """Say why a path is a folder of images beside one of masks."""
    pairs = _pairs(path) if path.is_dir() else []
    # One name that matches may be chance; where most do not, they are no masks.
    matched = [pair for pair in pairs if 2 * len(_matched(pair)) >= len(_files(pair.images, SUFFIXES))]
    if not matched:
        return None
    shown = [f"{pair.images.relative_to(path)}/ beside {pair.masks.relative_to(path)}/" for pair in pairs]
    return "; ".join(shown)


def read(path: Path, options: Options) -> Listing:
    """List the images that have a mask, sorted by name; those without are named.

    Args:
        options: not used by this format.

    Raises:
        DataError: two folders mean the same split, or no image has a mask.
    """
    pairs, notes = _pairs(path), list[str]()
    of_split: dict[str, Path] = {}
    for pair in pairs:
        if pair.split in of_split:
            raise DataError(
                f"{path} holds {of_split[pair.split].relative_to(path)}/ and {pair.images.relative_to(path)}/, which "
                "both mean the same split. Move them into one folder, or move away what does not belong to it."
            )
        of_split[pair.split] = pair.images
    images, masks, splits, bad = list[Path](), list[Path](), list[str](), list[tuple[str, str]]()
    for pair in pairs:
        mask_of = _matched(pair)
        for file in _files(pair.images, SUFFIXES):
            if file not in mask_of:
                bad.append((file.relative_to(path).as_posix(), f"has no mask of its name in {pair.masks.name}/"))
                continue
            images.append(file)
            masks.append(mask_of[file])
            splits.append(pair.split)
        alone = sorted(set(_files(pair.masks, MASK_SUFFIXES)) - set(mask_of.values()))
        if alone:
            notes.append(f"{len(alone):,} masks in {pair.masks.name}/ have no image, such as {alone[0].name}")
    if not images:
        raise DataError(
            f"No image of {path} has a mask of its name. images/5.jpg needs masks/5.png (or .tif, .gif, .bmp)."
        )
    names = _class_names(path)
    return Listing(
        name=path.resolve().name,
        format="images beside masks",
        reason=sniff(path) or "folders",
        names=text_array([file.relative_to(path).as_posix() for file in images]),
        # A mask is no text: the files hold them.
        truth=text_array([""] * len(images)),
        splits=text_array(splits),
        content=tuple(images),
        bad=tuple(bad),
        notes=tuple(notes),
        truth_files=tuple(masks),
        said={"classes": names} if names else {},
    )


def _class_names(path: Path) -> list[str]:
    file = path / NAMES
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines() if file.is_file() else []
    except (OSError, UnicodeDecodeError):
        raise DataError(f"{file} cannot be read; it holds the name of a class in each line, in UTF-8.") from None
    return [line.strip() for line in lines if line.strip()]


def _pairs(path: Path) -> list[Pair]:
    """Return the folders that go together: in the folder itself, in those of its splits, or in splits within each."""
    folders = subfolders(path)
    if found := _beside(folders):
        images, masks = found
        inner = [(each, split_named(each.name)) for each in subfolders(images)]
        within = [
            Pair(each, masks / each.name, split)
            for each, split in inner
            if split and _files(each, SUFFIXES) and _files(masks / each.name, MASK_SUFFIXES)
        ]
        if within:
            return within
        return [Pair(images, masks, "")] if _files(images, SUFFIXES) and _files(masks, MASK_SUFFIXES) else []
    pairs = []
    for folder in folders:
        split, found = split_named(folder.name), _beside(subfolders(folder))
        if split and found and _files(found[0], SUFFIXES) and _files(found[1], MASK_SUFFIXES):
            pairs.append(Pair(*found, split))
    return pairs


def _beside(folders: list[Path]) -> tuple[Path, Path] | None:
    named = {folder.name.lower().removesuffix("s") + "s": folder for folder in folders}
    images = next((named[name] for name in IMAGES if name in named), None)
    masks = next((named[name] for name in MASKS if name in named), None)
    return None if images is None or masks is None else (images, masks)


def _files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in suffixes and not file.name.startswith(".") and file.is_file()
    )


def _matched(pair: Pair) -> Mapping[Path, Path]:
    """Return the mask of each image that has one: of the same name, or of the same but for words such as "mask"."""
    masks = _files(pair.masks, MASK_SUFFIXES)
    exact = {file.stem: file for file in masks}
    keys: dict[str, list[Path]] = {}
    for file in masks:
        keys.setdefault(_key(file), []).append(file)
    found = {}
    for file in _files(pair.images, SUFFIXES):
        like = keys.get(_key(file), [])
        mask = exact.get(file.stem) or (like[0] if len(like) == 1 else None)
        if mask is not None:
            found[file] = mask
    return found


def _key(file: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "-", WORDS.sub("", file.stem.lower())).strip("-")
