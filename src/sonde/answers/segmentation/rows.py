"""What `predict` gives for each image: a mask as a file of its own, and what fills it."""

# N examples, C classes, H height, W width

import io
import zlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sonde.answers.answer import Chosen, Kept
from sonde.answers.fitted import FittedValues
from sonde.answers.segmentation.predictions import in_shares
from sonde.answers.segmentation.target import MaskTarget
from sonde.config.disk import write_atomically
from sonde.data.image.decode import LARGEST_PIXELS, upright_size, windows


def rows(target: MaskTarget, fitted: FittedValues, kept: Kept) -> list[dict[str, Any]]:
    """Return what is predicted for each image, as plain values: its largest class, and the share of each."""
    made = []
    for filled_C, confidence in zip(np.asarray(kept["filled"]), np.asarray(kept["confidence"]).tolist(), strict=True):
        shares = {name: float(share) for name, share in zip(target.classes, filled_C, strict=True) if share > 0}
        made.append(
            {
                "prediction": target.classes[int(filled_C.argmax())],
                "confidence": float(confidence),
                "classes": dict(sorted(shares.items(), key=lambda pair: -pair[1])),
                "in_words": in_shares(target.classes, filled_C),
            }
        )
    return made


def choose(target: MaskTarget, fitted: FittedValues, kept: Kept) -> list[Chosen]:
    """Return the class that fills most of each prediction, whose mean logit an explanation is about."""
    # How much it fills is no probability of being right, so that none is told.
    return [Chosen(place, target.classes[place]) for place in np.asarray(kept["filled"]).argmax(axis=1).tolist()]


def unite(target: MaskTarget, kept: Kept, places: Sequence[Sequence[int]], files: Sequence[str]) -> Kept:
    """Put the masks of the windows of each image together.

    Where windows overlap, each pixel is taken from the one whose border is farther away.

    Args:
        kept: what `keep` gave without truths, of all windows.
        places: of each image's windows, in the order of `windows`.

    Returns:
        As `keep`, of each image; its mask covers it in the scale of the model, and differs in size.
    """
    masks, confidence = np.asarray(kept["mask"]), np.asarray(kept["confidence"])
    wholes = [_whole(masks[list(each)], Path(file)) for each, file in zip(places, files, strict=True)]
    classes = len(target.classes)
    found = {
        "mask": wholes,
        "filled": np.stack([np.bincount(mask.reshape(-1), minlength=classes) / mask.size for mask in wholes]),
        "confidence": np.array([confidence[list(each)].mean() for each in places]),
    }
    return cast(Kept, found)


def _whole(masks_KHW: NDArray[np.uint8], file: Path) -> NDArray[np.uint8]:
    if len(masks_KHW) == 1:
        return masks_KHW[0]
    size = masks_KHW.shape[1], masks_KHW.shape[2]
    parts = windows(upright_size(file, largest_pixels=LARGEST_PIXELS), size)
    axes = [_shares([part[axis] for part in parts], size[axis]) for axis in (0, 1)]
    whole = np.empty([max(stop for _, stop, _ in axis.values()) for axis in axes], np.uint8)
    for mask_HW, part in zip(masks_KHW, parts, strict=True):
        (top, bottom, down), (left, right, along) = (axis[each.start] for axis, each in zip(axes, part, strict=True))
        whole[top:bottom, left:right] = mask_HW[top - down : bottom - down, left - along : right - along]
    return whole


def _shares(parts: Sequence[slice], size: int) -> dict[int, tuple[int, int, int]]:
    """Return by the start of each window along an axis from where to where it is taken, and where it begins."""
    length = parts[0].stop - parts[0].start
    starts = sorted({part.start for part in parts})
    begins = [round(start * size / length) for start in starts]
    ends = [(begin + size + after) // 2 for begin, after in pairwise(begins)] + [begins[-1] + size]
    return {
        start: (first, last, begin)
        for start, first, last, begin in zip(starts, [0, *ends[:-1]], ends, begins, strict=True)
    }


def deliver(target: MaskTarget, kept: Kept, files: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    """Write the mask of each image as a PNG file in the image's own size, with the numbers of the training masks.

    Args:
        target: names the numbers.
        kept: what `unite` gave.
        folder: where to write.

    Returns:
        For each image its "mask", the path of the file.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    found = []
    masks: Any = kept["mask"]
    for file, mask_HW in zip(files, masks, strict=True):
        height, width = upright_size(Path(file), largest_pixels=LARGEST_PIXELS)
        whole = Image.fromarray(target.values_of(mask_HW)).resize((width, height), Image.Resampling.NEAREST)
        path = folder / f"{_name(file)}.png"
        write_atomically(path, _png(whole))
        found.append({"mask": str(path)})
    return found


def _name(file: str) -> str:
    """Return a name for the mask of an image: its own, and what tells images of one name in several folders apart."""
    return f"{Path(file).stem[:100]}-{zlib.crc32(str(Path(file).resolve()).encode('utf-8', 'surrogateescape')):08x}"


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _mask(row: Mapping[str, Any]) -> str:
    return str(row.get("mask", ""))


COLUMNS = {
    "filled with": lambda row: str(row["in_words"]),
    "confidence": lambda row: f"{row['confidence']:.3f}",
    "mask": _mask,
}
"""How the terminal shows a row."""
