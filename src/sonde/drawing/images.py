"""Brings arrays of pixels into pictures: as small PNG files inside of the text, tinted by weights, and as outlines.

PNG is written here (ISO/IEC 15948) and not by a library, so that the same pixels give the same bytes everywhere.
"""

# H height, W width, C channels

import base64
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.drawing.marks import Box, runs
from sonde.drawing.markup import Attributes, Markup, number, tag

FOR, AGAINST = (11, 93, 140), (196, 78, 16)
"""Blue and orange, which all eyes tell apart; on images, where no style sheet reaches."""
TONES: tuple[tuple[int, int, int], ...] = (
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0), (240, 228, 66),
    (110, 110, 110),
)  # fmt: skip
"""Colours of the regions of a mask, for all kinds of colour vision (Okabe and Ito, 2008); after the last, the first."""
THUMBNAIL = 128
"""Pixels of an image's longer side at most; smaller ones are kept as they are and drawn with hard edges."""
TINY = 64
"""Longer side up to which the pixels of an enlarged image stay visible."""


def image(pixels: NDArray[np.uint8], box: Box) -> Markup:
    """Return an image, made small, that fills a box.

    Its pixels are H x W, or H x W x C with 1 (grey), 3 (colour) or 4 channels (colour and how much it covers).
    """
    x, y, wide, high = box
    attributes: Attributes = {
        "x": x,
        "y": y,
        "width": wide,
        "height": high,
        "href": thumbnail(pixels),
        "image-rendering": "pixelated" if is_tiny(pixels) else None,
        "preserveAspectRatio": "none",
    }
    return tag("image", attributes=attributes)


def thumbnail(pixels: NDArray[np.uint8]) -> str:
    """Return an image (see `image`) as a `data:` address, made small."""
    shaped = pixels[..., None] if pixels.ndim == 2 else pixels
    longest = max(shaped.shape[:2])
    if longest > THUMBNAIL:
        high, wide = (max(1, round(side * THUMBNAIL / longest)) for side in shaped.shape[:2])
        shaped = _shrunk(shaped, high, wide)
    return "data:image/png;base64," + base64.b64encode(_png(shaped)).decode("ascii")


def is_tiny(pixels: NDArray[Any]) -> bool:
    """Tell whether an image is so small that its pixels should stay visible when it is enlarged."""
    return max(pixels.shape[:2]) <= TINY


def grey(values_HW: NDArray[Any], *, low: float, high: float) -> NDArray[np.uint8]:
    """Return numbers as shades of grey, from nearly white at `low` to nearly black at `high`."""
    shares = np.clip((np.nan_to_num(values_HW.astype(np.float64)) - low) / max(high - low, 1e-9), 0, 1)
    return np.rint(255 * (1 - 0.92 * shares)).astype(np.uint8)


def tinted(pixels_HWC: NDArray[np.uint8], weights_HW: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image, pale and grey, under the colours of its weights: blue above zero, orange below.

    The largest weight covers most; one that is not a number covers nothing.
    """
    weights_HW = np.nan_to_num(weights_HW.astype(np.float64), posinf=0.0, neginf=0.0)
    grey_HW1 = pixels_HWC[..., :3].astype(np.float64).mean(axis=-1, keepdims=True)
    pale_HW3 = np.repeat(170 + grey_HW1 * (85 / 255), 3, axis=-1)
    # A few pixels with far larger weights would make all others vanish.
    largest = float(np.percentile(np.abs(weights_HW), 99.5)) or float(np.abs(weights_HW).max(initial=0.0))
    cover_HW1 = np.clip(np.abs(weights_HW) / (largest or 1.0), 0, 1)[..., None] * 0.92
    colours_HW3 = np.where(weights_HW[..., None] >= 0, np.array(FOR, float), np.array(AGAINST, float))
    return np.rint(pale_HW3 * (1 - cover_HW1) + colours_HW3 * cover_HW1).astype(np.uint8)


def coloured(regions_HW: NDArray[Any], cover: float) -> NDArray[np.uint8]:
    """Return a mask of region numbers in the colours of `TONES`; what is below zero stays clear."""
    small_HW = nearest(regions_HW)
    colours_HW3 = np.array(TONES, dtype=np.uint8)[small_HW % len(TONES)]
    alpha_HW1 = np.where(small_HW[..., None] >= 0, round(255 * cover), 0).astype(np.uint8)
    return np.concatenate([np.where(alpha_HW1 > 0, colours_HW3, 0).astype(np.uint8), alpha_HW1], axis=-1)


def outline(mask_HW: NDArray[Any], size: tuple[float, float]) -> str:
    """Return an SVG path along the edges of a mask that is stretched to a width and a height."""
    small_HW = nearest(mask_HW.astype(bool))
    x, y = size[0] / small_HW.shape[1], size[1] / small_HW.shape[0]
    framed = np.pad(small_HW, 1)
    across = framed[1:, 1:-1] != framed[:-1, 1:-1]
    down = (framed[1:-1, 1:] != framed[1:-1, :-1]).T
    path = [f"M{number(start * x)} {number(row * y)}h{number(length * x)}" for row, start, length in runs(across)]
    path += [f"M{number(row * x)} {number(start * y)}v{number(length * y)}" for row, start, length in runs(down)]
    return "".join(path)


def nearest(values_HW: NDArray[Any]) -> NDArray[Any]:
    """Return a map of numbers that must not be mixed, made small."""
    step = max(values_HW.shape) / THUMBNAIL
    if step <= 1:
        return values_HW
    rows, columns = (((np.arange(round(side / step)) + 0.5) * step).astype(int) for side in values_HW.shape)
    return values_HW[rows.clip(max=len(values_HW) - 1)][:, columns.clip(max=values_HW.shape[1] - 1)]


def _shrunk(pixels_HWC: NDArray[np.uint8], high: int, wide: int) -> NDArray[np.uint8]:
    """Return the means of blocks of pixels."""
    sums: NDArray[Any] = pixels_HWC
    counts = []
    for axis, parts in ((0, high), (1, wide)):
        starts = np.arange(parts) * pixels_HWC.shape[axis] // parts
        sums = np.add.reduceat(sums, starts, axis=axis, dtype=np.uint32)
        counts.append(np.diff(starts, append=pixels_HWC.shape[axis]))
    return np.rint(sums / np.outer(*counts)[..., None]).astype(np.uint8)


def _png(pixels_HWC: NDArray[np.uint8]) -> bytes:
    high, wide, channels = pixels_HWC.shape
    rows = np.ascontiguousarray(pixels_HWC, dtype=np.uint8)
    left, above = np.zeros_like(rows), np.zeros_like(rows)
    left[:, 1:], above[1:] = rows[:, :-1], rows[:-1]
    mean = ((left.astype(np.uint16) + above) // 2).astype(np.uint8)
    # Each row is written as its difference to one of four predictions, the one that leaves the smallest numbers.
    filtered = np.stack([rows, rows - left, rows - above, rows - mean]).reshape(4, high, wide * channels)
    kind = np.abs(filtered.view(np.int8).astype(np.int32)).sum(axis=2).argmin(axis=0)
    lines = np.concatenate([kind[:, None].astype(np.uint8), filtered[kind, np.arange(high)]], axis=1)
    header = struct.pack(">IIBBBBB", wide, high, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind_of + content + struct.pack(">I", zlib.crc32(kind_of + content))
        for kind_of, content in chunks
    )
