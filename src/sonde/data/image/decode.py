"""Turns an image file of any usual kind into uint8 pixels of one size; every file is taken for hostile.

What is done, in this order: the number of pixels is checked in the header; a JPEG is decoded at the smallest scale that
is still twice the target; 16-bit grey becomes 8-bit (65535 is white); transparency is laid on white; CMYK and palettes
become RGB; the EXIF rotation is applied; the largest centred part with the target's shape is cut out and resized
(averaging areas when it shrinks, linear when it grows).
"""

# H height, W width, C channels (1 grey, 3 red green blue)

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from sonde.data.bounded import LARGEST_FILE, file_size
from sonde.errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""Pillow's names of the formats that are read; its other decoders are never tried on a stranger's file."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
"""Endings, in small letters, by which a file is listed as an image."""

LARGEST_PIXELS = 64_000_000
"""Above this an image is refused before decoding; the largest phone cameras make 50 million in common use."""

PILLOW_LIMIT = 178_000_000
"""Pillow itself refuses more than this (twice its MAX_IMAGE_PIXELS)."""

SIXTEEN_AT_ONCE = 1 << 20
"""Pixels of 16 bits that are turned into 8 bits at a time: the numbers on the way are four times as wide."""

MOST_WINDOWS = 64
"""Windows that an image is read in at most."""

ORIENTATION = 0x0112
"""The EXIF tag that says how the camera was held."""

# `warnings` has one global state: two threads that change it at once would leave it changed.
_quiet = threading.Lock()


def read_image(path: Path, size: tuple[int, int], channels: int, *, largest_pixels: int) -> NDArray[np.uint8]:
    """Decode one image file to a given size.

    Args:
        size: height and width of the result, in pixels.
        channels: 1 for grey, 3 for colour.
        largest_pixels: an image with more is refused before it is decoded.

    Returns:
        uint8, height x width x channels.

    Raises:
        DataError: the file is missing, empty, too large, damaged or no image; the text is name and reason.
    """
    with _naming_problems(path):
        return fit(_upright(path, size, largest_pixels), size, channels)


def read_windows(path: Path, size: tuple[int, int], channels: int, *, largest_pixels: int) -> NDArray[np.uint8]:
    """Decode the whole of an image file, in windows of a given size that overlap; see `read_image`.

    Returns:
        uint8, K x height x width x channels, in the order of `windows`.

    Raises:
        DataError: as for `read_image`, or it is so long that there would be too many.
    """
    with _naming_problems(path):
        pixels_HWC = _upright(path, size, largest_pixels)
        parts = windows(pixels_HWC.shape, size)
        if len(parts) > MOST_WINDOWS:
            height, width = pixels_HWC.shape[:2]
            raise DataError(
                f"{path.name} is {height} x {width}, which takes {len(parts):,} windows of the model's shape to cover, "
                f"more than {MOST_WINDOWS}; cut it into shorter pieces"
            )
        return np.stack([fit(pixels_HWC[part], size, channels) for part in parts])


def windows(have: tuple[int, ...], want: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Return windows as large as the centred part that a model reads which together cover an image: rows and columns.

    Neighbours share a quarter of them at least, since what is near a border is predicted worst.
    """
    part = centred(have, want)
    rows, columns = (
        [slice(start, start + each.stop - each.start) for start in _starts(whole, each.stop - each.start)]
        for whole, each in zip(have[:2], part, strict=True)
    )
    return [(row, column) for row in rows for column in columns]


def _starts(whole: int, part: int) -> list[int]:
    step = max(1, part - -(-part // 4))
    count = -(-(whole - part) // step) + 1
    return [(whole - part) * place // max(1, count - 1) for place in range(count)]


def _upright(path: Path, size: tuple[int, int], largest_pixels: int) -> NDArray[np.uint8]:
    """Decode an image to its own size as it is meant to be seen, a JPEG perhaps to twice the target."""
    with path.open("rb") as file:
        image = _open(file, path.name, largest_pixels)
        if image.format == "PNG":
            # Pillow skips the checksums of a PNG's pixels while it decodes.
            image.verify()
            file.seek(0)
            image = _open(file, path.name, largest_pixels)
        if image.format == "JPEG":
            # Twice the target: a scale that just covers it would smear the last, partly filled block.
            scale = 2 * max(size) / min(image.size)
            image.draft(None, (ceil(image.width * scale), ceil(image.height * scale)))
        image.load()
        return _turn(_pixels(image, path.name), _orientation(image))


def upright_size(path: Path, *, largest_pixels: int) -> tuple[int, int]:
    """Return height and width of an image as it is meant to be seen.

    Args:
        largest_pixels: an image with more is refused.

    Raises:
        DataError: the file cannot be read.
    """
    with _naming_problems(path), path.open("rb") as file:
        image = _open(file, path.name, largest_pixels)
        turned = image.format != "PNG" and _orientation(image) >= 5
        return image.size if turned else (image.height, image.width)


def fit(pixels_HWC: NDArray[np.uint8], size: tuple[int, int], channels: int) -> NDArray[np.uint8]:
    """Cut out the largest centred part that has the target's shape, and resize it.

    Args:
        pixels_HWC: uint8 with 1 or 3 channels.
        channels: 1 or 3; colour becomes grey by luminance (ITU-R BT.601).
    """
    have_h, have_w, have_c = pixels_HWC.shape
    want_h, want_w = size
    if (have_h, have_w) != size:
        # Cutting before resizing keeps a 1 x 100,000 strip from growing to gigabytes on the way.
        part = np.ascontiguousarray(pixels_HWC[centred((have_h, have_w), size)])
        cut_h, cut_w = part.shape[:2]
        shrinks = cut_h >= want_h and cut_w >= want_w
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        pixels_HWC = cv2.resize(part, (want_w, want_h), interpolation=how).reshape(want_h, want_w, have_c)
    if have_c == 3 and channels == 1:
        return cv2.cvtColor(np.ascontiguousarray(pixels_HWC), cv2.COLOR_RGB2GRAY)[..., None]
    if have_c == 1 and channels == 3:
        return np.repeat(pixels_HWC, 3, axis=2)
    return np.ascontiguousarray(pixels_HWC)


def read_mask(path: Path, size: tuple[int, int], *, largest_pixels: int, of: Path | None = None) -> NDArray[np.uint8]:
    """Decode a mask to the size of its image: the same centred part, and the nearest pixel.

    Args:
        path: an image file with a number from 0 to 255 for each pixel: grey, black and white, or a palette, whose
            places are the numbers.
        size: height and width of the result, in pixels.
        largest_pixels: a mask with more is refused before it is decoded.
        of: the image's own file, whose size the mask must have.

    Returns:
        uint8, height x width.

    Raises:
        DataError: it cannot be read, is in colour, has larger numbers, or not the size of its image.
    """
    with _naming_problems(path), path.open("rb") as file:
        image = _open(file, path.name, largest_pixels)
        if image.format == "PNG":
            image.verify()
            file.seek(0)
            image = _open(file, path.name, largest_pixels)
        image.load()
        mask_HW = _numbers(image, path.name)
        wanted = mask_HW.shape if of is None else upright_size(of, largest_pixels=largest_pixels)
        if mask_HW.shape != wanted:
            raise DataError(
                f"{path.name} is {mask_HW.shape[0]} x {mask_HW.shape[1]} and its image {wanted[0]} x {wanted[1]}; a "
                "mask has the size of its image"
            )
        part = mask_HW[centred(mask_HW.shape, size)]
        if part.shape == size:
            return np.ascontiguousarray(part)
        # The exact one takes the middle of each pixel, as averaging areas does; the other would move all to the left.
        how = cv2.INTER_NEAREST_EXACT
        return np.asarray(cv2.resize(np.ascontiguousarray(part), size[::-1], interpolation=how), np.uint8)


def _numbers(image: Image.Image, name: str) -> NDArray[np.uint8]:
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8) * np.uint8(255)
    values = np.asarray(image)
    if image.mode in ("LA", "La"):
        values = values[..., 0]
    elif values.ndim == 3:
        if not (values[..., :3] == values[..., :1]).all():
            raise DataError(f"{name} is in colour; a mask holds one number for each pixel (grey, or a palette)")
        values = values[..., 0]
    if image.mode == "F" or values.min() < 0 or values.max() > 255:
        raise DataError(f"{name} holds numbers beyond 0 to 255, and a mask's numbers are that of a class each")
    return values.astype(np.uint8)


def centred(have: tuple[int, ...], want: tuple[int, int]) -> tuple[slice, slice]:
    """Return the largest centred part of an image of one size that has the shape of another: rows and columns."""
    (have_h, have_w), (want_h, want_w) = have[:2], want
    cut_h = min(have_h, max(1, round(have_w * want_h / want_w)))
    cut_w = min(have_w, max(1, round(have_h * want_w / want_h)))
    top, left = (have_h - cut_h) // 2, (have_w - cut_w) // 2
    return slice(top, top + cut_h), slice(left, left + cut_w)


@contextmanager
def _naming_problems(path: Path) -> Iterator[None]:
    try:
        if not path.is_file():
            raise DataError(f"{path.name} {_no_file(path)}")
        if file_size(path, LARGEST_FILE) == 0:
            raise DataError(f"{path.name} is empty (0 bytes)")
        yield
    except DataError:
        raise
    except PermissionError:
        raise DataError(f"{path.name} may not be read (permission denied)") from None
    except (Image.DecompressionBombError, MemoryError):
        raise DataError(f"{path.name} has too many pixels to be decoded") from None
    except Exception as error:  # Decoders meet hostile bytes here, and raise nearly every kind.
        raise DataError(f"{path.name} {_reason(error)}") from None


def _no_file(path: Path) -> str:
    if path.is_dir():
        return f"is a folder; name the files in it, such as {path.name or '.'}/*.png"
    if path.exists():
        return "is a device or a pipe; save the image to a file and name that"
    if any(sign in str(path) for sign in "*?["):
        return "is a pattern that matched no file; check the folder and the ending, and leave quotes away"
    return f"is not there (looked in {path.parent}); check the path"


def _open(file: BinaryIO, name: str, largest_pixels: int) -> Image.Image:
    """Read the header, and refuse what would be too large to decode."""
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(file, formats=FORMATS)
    width, height = image.size
    if width * height > largest_pixels:
        raise DataError(
            f"{name} has {width:,} x {height:,} pixels, more than image.largest_pixels = {largest_pixels:,}"
        )
    return image


def _orientation(image: Image.Image) -> int:
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            orientation = image.getexif().get(ORIENTATION, 1)
        except Exception:  # A damaged EXIF block does not make the picture unreadable.
            return 1
    return orientation if orientation in range(1, 9) else 1


def _pixels(image: Image.Image, name: str) -> NDArray[np.uint8]:
    if image.mode == "F":
        raise DataError(f"{name} holds fractional pixels, whose black and white nobody can know")
    if image.mode.startswith("I"):
        return _from_sixteen_bits(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        grey = image.mode in ("L", "LA", "La", "1")
        return _array(Image.alpha_composite(white, rgba).convert("L" if grey else "RGB"))
    return _array(image.convert("L" if image.mode in ("1", "L") else "RGB"))


def _from_sixteen_bits(image: Image.Image) -> NDArray[np.uint8]:
    pixels = np.empty((image.height, image.width, 1), dtype=np.uint8)
    rows = max(1, SIXTEEN_AT_ONCE // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        values = np.asarray(band).astype(np.int32).clip(0, 65535)
        pixels[top : top + rows, :, 0] = (values + 128) // 257
    return pixels


def _array(image: Image.Image) -> NDArray[np.uint8]:
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _turn(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Apply the EXIF orientation: 2 mirrored, 3 upside down, 4 both; 5 to 8 the same, transposed."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    mirrored = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation, ())
    return np.flip(pixels, axis=mirrored) if mirrored else pixels


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "is not an image that sonde reads (JPEG, PNG, WebP, BMP, GIF, TIFF)"
    text = " ".join(str(error).split())[:200]
    return f"is damaged or cut off ({text or type(error).__name__})"
