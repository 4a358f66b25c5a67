"""What `predict` gives for each image: a mask as a file of its own, and what fills it."""

# N examples, C classes, H height, W width

import io
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sonde.answers.answer import Chosen, Kept
from sonde.answers.fitted import FittedValues
from sonde.answers.segmentation.predictions import in_shares
from sonde.answers.segmentation.target import MaskTarget
from sonde.config.disk import write_atomically
from sonde.data.image.decode import LARGEST_PIXELS, centred, upright_size


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


def deliver(target: MaskTarget, kept: Kept, files: Sequence[str], folder: Path) -> list[dict[str, Any]]:
    """Write the mask of each image as a PNG file in the image's own size, with the numbers of the training masks.

    What the model does not see of an image, beside the centred part that it reads, is given the number of what is
    ignored where there is one, else the border's number goes on.

    Args:
        target: names the numbers.
        kept: what `keep` gave without truths.
        files: the images.
        folder: where to write.

    Returns:
        For each image its "mask", the path of the file.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    found = []
    for file, mask_HW in zip(files, np.asarray(kept["mask"]), strict=True):
        size = upright_size(Path(file), largest_pixels=LARGEST_PIXELS)
        values = target.values_of(mask_HW)
        height, width = (part.stop - part.start for part in centred(size, mask_HW.shape))
        part = Image.fromarray(values).resize((width, height), Image.Resampling.NEAREST)
        rows_, columns = centred(size, mask_HW.shape)
        beside = ((rows_.start, size[0] - rows_.stop), (columns.start, size[1] - columns.stop))
        whole = (
            np.pad(np.asarray(part), beside, constant_values=target.ignored)
            if target.ignored >= 0
            else np.pad(np.asarray(part), beside, mode="edge")
        )
        path = folder / f"{_name(file)}.png"
        write_atomically(path, _png(whole))
        found.append({"mask": str(path)})
    return found


def _name(file: str) -> str:
    """Return a name for the mask of an image: its own, and what tells images of one name in several folders apart."""
    return f"{Path(file).stem[:100]}-{zlib.crc32(str(Path(file).resolve()).encode('utf-8', 'surrogateescape')):08x}"


def _png(values_HW: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values_HW).save(buffer, "PNG")
    return buffer.getvalue()


def _mask(row: Mapping[str, Any]) -> str:
    return str(row.get("mask", ""))


COLUMNS = {
    "filled with": lambda row: str(row["in_words"]),
    "confidence": lambda row: f"{row['confidence']:.3f}",
    "mask": _mask,
}
"""How the terminal shows a row."""
