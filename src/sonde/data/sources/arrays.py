"""What the formats that hold whole arrays share: bounds on size, pixels as uint8 and labels as text."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data.bounded import LARGEST_ARRAY
from sonde.data.listing import text_array
from sonde.errors import DataError


def check_size(declared: int, where: str) -> None:
    """Refuse an array that declares more bytes than any data set of this kind.

    Args:
        declared: bytes.

    Raises:
        DataError: it is too large.
    """
    if declared > LARGEST_ARRAY:
        raise DataError(
            f"{where} declares {declared:,} bytes, more than the {LARGEST_ARRAY:,} that sonde reads as one array. "
            "Store the images as files in class folders instead; those are read piece by piece."
        )


def as_pixels(values: NDArray[Any], where: str) -> tuple[NDArray[np.uint8], str]:
    """Turn an array of images into uint8, N x height x width x channels.

    Args:
        values: N x H x W, N x H x W x C or N x C x H x W with 1 or 3 channels; whole numbers 0..255, or fractions 0..1.

    Returns:
        The pixels, and a sentence on what was converted ("" when nothing).

    Raises:
        DataError: the shape or the range is not that of images.
    """
    shape = values.shape
    notes = []
    if values.ndim == 3 and all(shape[1:]):
        values = values[..., None]
    elif values.ndim == 4 and shape[3] not in (1, 3) and shape[1] in (1, 3):
        values = values.transpose(0, 2, 3, 1)
        notes.append(f"{where}: channels stood first and were moved last")
    elif values.ndim != 4 or shape[3] not in (1, 3) or not all(shape[1:]):
        raise DataError(
            f"{where} has the shape {' x '.join(map(str, shape)) or 'of one number'}, which is not that of images. "
            "Expected N x height x width, with 1 or 3 channels at the end."
        )
    if values.dtype == np.uint8:
        return values, "; ".join(notes)
    if values.dtype.kind not in "iufb":
        raise DataError(f"{where} holds {values.dtype}, not pixels. Expected uint8 from 0 to 255.")
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if not 0 <= low <= high <= 255:
        raise DataError(f"{where} holds values from {low:g} to {high:g}. Expected 0 to 255, or fractions from 0 to 1.")
    if values.dtype.kind in "fb" and high <= 1:
        notes.append(f"{where}: fractions from 0 to 1 were stored as 0 to 255")
        values = np.rint(values.astype(np.float32) * 255)
    elif values.dtype.kind == "f":
        notes.append(f"{where}: fractional pixels were rounded")
        values = np.rint(values)
    return values.astype(np.uint8), "; ".join(notes)


def as_labels(values: NDArray[Any], count: int, where: str) -> NDArray[np.str_]:
    """Turn an array of labels into texts, one for each image.

    Args:
        values: N or N x 1 numbers or texts; numbers with decimals are written with the digits that tell them apart.
        count: how many images there are.

    Raises:
        DataError: the number or the kind is wrong.
    """
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(
            f"{where} has the shape {' x '.join(map(str, values.shape))}; expected one label for each image. "
            "(For one-hot labels store their argmax.)"
        )
    if len(values) != count:
        raise DataError(f"{where} holds {len(values):,} labels for {count:,} images; one of the two is incomplete.")
    if values.dtype.kind == "f" and np.all(values == np.floor(values)):
        values = values.astype(np.int64)
    if values.dtype.kind == "S":
        return text_array([word.decode("utf-8", "surrogateescape") for word in values.tolist()])
    if values.dtype.kind not in "fiuU":
        raise DataError(f"{where} holds {values.dtype}, which is no kind of label. Expected numbers or texts.")
    return values.astype(np.str_)
