"""Makes a contact sheet: images side by side with a line of text below each, or texts one below the other."""

from collections.abc import Sequence
from io import BytesIO
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

TILE = 96
"""Pixels; small images are enlarged by whole numbers to about this side, so that their pixels stay visible."""

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


def _cut(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
