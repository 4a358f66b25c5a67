"""A class for each pixel: the numbers in the masks as classes, and whether the data can carry the task at all.

In the data a mask is uint8, height x width, with the numbers of its file, such as 0 and 255. It is kept as it is, so
that a large set stays mapped from the disk; each batch is turned into classes when it is made.
"""

# B batch, N examples, H height, W width, C classes

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers.names import names_in, some
from sonde.answers.segmentation.options import Options
from sonde.data import Dataset, Listing
from sonde.data.augment.motion import move_masks
from sonde.data.cache import let_go
from sonde.data.image.decode import SUFFIXES
from sonde.data.target import Batch, Column, Moment
from sonde.errors import DataError, ModelError

KIND = "segmentation"
NOT_SCORED = 255
"""What stands for a pixel that is neither learned nor scored, once numbers are classes."""
FEWEST = 6
"""Examples in all below which nothing can be said."""
AT_ONCE = 64
"""Masks that are looked through at a time."""
MOST_NAMED = 12
"""Classes that are named on the terminal."""


@dataclass(frozen=True)
class MaskTarget:
    """Classes of pixels, and the number in the files that stands for each."""

    classes: tuple[str, ...]
    """In the order of their numbers, C."""
    values: tuple[int, ...]
    """The number in the files of each class, C."""
    ignored: int = -1
    """The number whose pixels are left out; -1 for none."""

    @cached_property
    def table(self) -> NDArray[np.uint8]:
        """Return the class of each number of a file, 256; `NOT_SCORED` where it has none."""
        table = np.full(256, NOT_SCORED, dtype=np.uint8)
        table[list(self.values)] = np.arange(len(self.values), dtype=np.uint8)
        if self.ignored >= 0:
            table[self.ignored] = NOT_SCORED
        return table

    def classes_of(self, masks_BHW: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the class of each pixel, `NOT_SCORED` where it is left out."""
        return self.table[masks_BHW]

    def encode(self, raw: Column) -> Column:
        """Return masks as they are, once every number in them is found to be that of a class (DataError)."""
        unknown = sorted(set(values_in(raw)) - {*self.values, self.ignored})
        if unknown:
            known = ", ".join(map(str, self.values[:MOST_NAMED]))
            raise DataError(
                f"A mask holds the number {unknown[0]}, which is none of the model's {len(self.values)} classes "
                f"({known}). To leave its pixels out: --set segmentation.ignored={unknown[0]}."
            )
        return raw

    def collate(self, truth: Column, moment: Moment) -> Batch:
        """Return the class of each pixel as int32, and equal weights, 0 where it is left out; B x H x W each."""
        classes_BHW = self.classes_of(np.asarray(truth))
        scored_BHW = classes_BHW != NOT_SCORED
        each = np.float32(1) / np.float32(max(1, int(scored_BHW.sum())))
        numbers = np.where(scored_BHW, classes_BHW, 0).astype(np.int32)
        return {"truth": numbers, "weights": scored_BHW.astype(np.float32) * each}

    def move(self, truth: Column, motion: Any) -> Column:
        """Move masks as their images were moved; what comes in from outside is the border's class, as in the image."""
        return truth if motion is None else move_masks(np.asarray(truth), motion)

    def decode(self, outputs: Batch, inputs: Batch) -> Column:
        """Return masks with the numbers of the files, uint8, B x H x W."""
        return self.values_of(outputs["logits"].argmax(axis=-1))

    def values_of(self, classes_BHW: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the number that stands for each pixel's class in files."""
        return np.array(self.values, dtype=np.uint8)[classes_BHW]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"kind": KIND, "classes": list(self.classes), "values": list(self.values), "ignored": self.ignored}


def learn(truth: Column, options: Options) -> MaskTarget:
    """Return the target of the numbers in the training masks, in their order, or of the classes that are named.

    Raises:
        DataError: there are more names than numbers and the numbers are no places in them, or more numbers than 255.
    """
    values, names = [value for value in values_in(truth) if value != options.ignored], options.classes
    if len(values) < 2 and len(names) < 2:
        raise DataError(
            f"Beside segmentation.ignored = {options.ignored}, the training masks hold {_counted(values)}; a class of "
            "each pixel needs two. Leave segmentation.ignored out, or draw the other classes too."
        )
    if max(len(values), len(names)) >= NOT_SCORED:
        raise DataError(
            "There are 255 or more numbers in the masks or names of classes: perhaps the masks are shades of a picture."
        )
    if not names:
        return MaskTarget(tuple(map(str, values)), tuple(values), options.ignored)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"The class '{twice}' is named twice; each line of classes.txt names another one.")
    if not values or max(values) < len(names):
        places = [place for place in range(len(names)) if place != options.ignored]
        return MaskTarget(tuple(names[place] for place in places), tuple(places), options.ignored)
    if len(values) == len(names):
        return MaskTarget(names, tuple(values), options.ignored)
    raise DataError(
        f"{len(names)} classes are named, and the masks hold the numbers {', '.join(map(str, values[:MOST_NAMED]))}. "
        "Name one for each number, or one for every number from 0 on."
    )


def _counted(values: list[int]) -> str:
    return f"one number alone, {values[0]}" if values else "no number"


def target_from(values: Mapping[str, Any]) -> MaskTarget:
    """Rebuild a target from a model folder, which may be anybody's; raises ModelError."""
    names, numbers, ignored = names_in(values, "classes"), values.get("values"), values.get("ignored")
    if (
        not isinstance(numbers, list | tuple)
        or not 2 <= len(numbers) <= NOT_SCORED
        or len(numbers) != len(names)
        or not all(_is_number(each) and each >= 0 for each in numbers)
        or len(set(numbers)) < len(numbers)
        or not isinstance(ignored, int)
        or not _is_number(ignored)
    ):
        raise ModelError("Its target names no different number from 0 to 255 for each class of its masks.")
    return MaskTarget(names, tuple(numbers), ignored)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -1 <= value <= 255


def values_in(masks: Column) -> list[int]:
    """Return the numbers that masks hold, ascending; they may be mapped from the disk."""
    found = np.zeros(256, dtype=bool)
    for start in range(0, len(masks), AT_ONCE):
        found[np.asarray(masks[start : start + AT_ONCE])] = True
        let_go(masks)
    return [int(value) for value in np.flatnonzero(found)]


def recognise(listing: Listing) -> str:
    """Say that each image has a mask."""
    files = listing.truth_files
    if not files or any(file.suffix.lower() not in SUFFIXES for file in files):
        return ""
    return "a mask each"


def strata(truth: Column) -> NDArray[np.str_]:
    """Return the same for all: masks hold several classes each."""
    return np.zeros(len(truth), dtype="<U1")


def count(truth: Column) -> Mapping[str, int]:
    """Return nothing: pixels are counted, and not examples."""
    return {}


def in_words(target: MaskTarget) -> dict[str, str]:
    """Return the classes for the terminal."""
    pairs = zip(target.classes, target.values, strict=True)
    named = [name if name == str(value) else f"{name} ({value})" for name, value in pairs]
    more = ", ..." if len(named) > MOST_NAMED else ""
    told = {"classes": f"{len(named)} by number in the masks: {', '.join(named[:MOST_NAMED])}{more}"}
    return told if target.ignored < 0 else {**told, "left out": f"pixels of the number {target.ignored}"}


def check(dataset: Dataset) -> tuple[str, ...]:
    """Refuse data that cannot carry the task, and say what it carries badly.

    Raises:
        DataError: too few examples, an empty split, or masks of one number alone.
    """
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    total = sum(len(examples) for examples in splits.values())
    if total < FEWEST:
        raise DataError(
            f"The data set '{dataset.name}' has only {total} images with a mask in all. Training, choosing and testing "
            "need some of their own each."
        )
    for name in ("validation", "test"):
        if not len(splits[name]):
            raise DataError(f"The {name} split is empty. Add images to it, or remove it and it is made.")
    values = {name: set(values_in(examples.truth)) for name, examples in splits.items()}
    if len(values["train"]) < 2:
        raise DataError(
            f"All training masks hold one number alone, {next(iter(values['train']))}; there is nothing to tell apart."
        )
    missing = sorted(values["train"] - values["test"])
    notes = [f"numbers without a pixel in the test masks, of which scores say nothing: {some(list(map(str, missing)))}"]
    few = [f"only {len(dataset.test)} test images: intervals are wide"] if len(dataset.test) < 10 else []
    return (*few, *(notes if missing else []))
