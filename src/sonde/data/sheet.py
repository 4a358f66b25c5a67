"""Draws a contact sheet: images side by side with a line of text below each."""

from collections.abc import Sequence
from io import BytesIO
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sonde.data.ragged import Stored

TILE = 96
"""Pixels; small images are enlarged by whole numbers to about this side, so that their pixels stay visible."""

SERIES_TILE = (160, 96)
"""Width and height in pixels of a drawn series."""
STRIPS = 6
"""Channels of a series that are drawn, each below the other."""
LINE = 16
GAP = 6
PAPER, INK = (255, 255, 255), (40, 40, 40)


def contact_sheet(images_NHWC: NDArray[np.uint8], labels: Sequence[str], *, columns: int = 8) -> bytes:
    """Draw images with their labels as one PNG.

    Args:
        images_NHWC: uint8 with 1 or 3 channels.
        labels: a short text for each image; what does not fit is cut.
        columns: images in a row.

    Returns:
        The PNG's bytes.
    """
    assert len(images_NHWC) == len(labels)
    height, width, channels = images_NHWC.shape[1:]
    zoom = max(1, round(TILE / max(height, width)))
    tile_w, tile_h = max(width * zoom, 48), height * zoom
    columns = max(1, min(columns, len(labels)))
    rows = max(1, ceil(len(labels) / columns))
    size = (GAP + columns * (tile_w + GAP), GAP + rows * (tile_h + LINE + GAP))
    sheet = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(11)
    for number, (pixels, label) in enumerate(zip(images_NHWC, labels, strict=True)):
        left = GAP + number % columns * (tile_w + GAP)
        top = GAP + number // columns * (tile_h + LINE + GAP)
        picture = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        picture = picture.resize((width * zoom, height * zoom), Image.Resampling.NEAREST)
        sheet.paste(picture, (left + (tile_w - width * zoom) // 2, top))
        pen.text((left, top + tile_h + 1), _cut(str(label), font, tile_w), fill=INK, font=font)
    buffer = BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def text_sheet(pieces: Sequence[Sequence[str]], labels: Sequence[str]) -> str:
    """Write texts in pieces, one on a line with its label before it.

    Args:
        pieces: of each text.
        labels: of each text.

    Returns:
        Lines; a bar stands between pieces, and what cannot be printed is a question mark.
    """
    lines = (f"{label}\t{'|'.join(row)}" for label, row in zip(labels, pieces, strict=True))
    shown = ("".join(sign if sign.isprintable() or sign == "\t" else "?" for sign in line) for line in lines)
    return "".join(f"{line}\n" for line in shown)


def series_tiles(series: Stored) -> NDArray[np.uint8]:
    """Draw series as grey pictures, each channel in a strip of its own, over the range of its own values.

    Args:
        series: N series of T x C numbers, of one length or ragged; at most `STRIPS` channels are drawn.

    Returns:
        uint8, N x height x width x 1.
    """
    return np.stack([_series_tile(np.asarray(series[row])) for row in range(len(series))])


def _series_tile(series_TC: NDArray[np.floating]) -> NDArray[np.uint8]:
    wide, high = SERIES_TILE
    tile = Image.new("L", (wide, high), 255)
    pen = ImageDraw.Draw(tile)
    channels = min(series_TC.shape[1], STRIPS)
    strip = high / channels
    for channel in range(channels):
        line = np.nan_to_num(series_TC[:, channel].astype(np.float64))
        low, high_value = float(line.min(initial=0.0)), float(line.max(initial=0.0))
        shares = (line - low) / ((high_value - low) or 1.0)
        x = np.linspace(2, wide - 3, len(line)) if len(line) > 1 else np.array([2.0])
        y = strip * channel + 2 + (strip - 5) * (1 - shares)
        points = list(zip(x.tolist(), y.tolist(), strict=True))
        # A lone step is a line of one pixel.
        pen.line(points if len(points) > 1 else [points[0], (points[0][0] + 1, points[0][1])], fill=40)
    return np.asarray(tile)[..., None]


def row_pieces(features: Sequence[str], rows: NDArray[np.floating]) -> list[list[str]]:
    """Return rows of a table in pieces, as `text_sheet` takes them: each number as the model reads it, with its name.

    Args:
        features: names of the numbers, F.
        rows: N x F.
    """
    return [[f"{name}={value:.4g}" for name, value in zip(features, row, strict=True)] for row in rows.tolist()]


def _cut(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
