"""Draws an example as people see it, and what speaks for a class in it and what against.

What speaks for a class is blue, what against it orange, which all eyes tell apart; and nothing hangs on colour alone:
in texts a bar stands below what is for and above what is against, over time it points up or down, in rows it goes right
or left. On images, and only there, it is colour alone, so that each is drawn without it too.
"""

# T time, C channels, F bands, H height, W width; P the places of a picture

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sonde.evaluation.pictures import Lines, Picture, Pixels, Row, Spectrogram, Text
from sonde.evaluation.plots.markup import Child, Markup, join, tag
from sonde.evaluation.plots.names import cut, one_line, width
from sonde.evaluation.plots.svg import Scale, line, mark, name, text

FOR, AGAINST = (11, 93, 140), (196, 78, 16)
"""Colours on images, where no style sheet reaches."""
SIZE, LEADING = 12.5, 23.0
"""Of a text's letters, and from one of its lines to the next."""
POINTS = 240
"""Steps of a series that are drawn; of more, the highest and the lowest of each few."""
STRIPS, ROWS = 6, 12
"""Channels and columns drawn at most."""
STRIP, BAR = 44.0, 20.0
"""Height of a channel, and of a row of a table."""
THUMBNAIL = 128
"""Pixels of a picture's longer side at most; smaller ones are kept as they are and drawn with hard edges."""


@dataclass(frozen=True)
class Box:
    """Where something is drawn."""

    x: float
    y: float
    wide: float
    high: float


def shown(picture: Picture | None, box: Box) -> Markup:
    """Draw an example inside of a box.

    Args:
        picture: what is shown; None says that there is none.
        box: the room; what does not fit is left out.
    """
    if picture is None:
        return text(box.x + box.wide / 2, box.y + box.high / 2, "no picture", "p-muted", anchor="middle")
    if isinstance(picture, Pixels | Spectrogram):
        return _image(raster(picture), box, stretched=isinstance(picture, Spectrogram))
    if isinstance(picture, Text):
        return _text_lines(picture, box)
    if isinstance(picture, Lines):
        return _strips(picture.values_TC, box)
    most = max(1, int(box.high // 15))
    cells = list(zip(picture.columns, picture.values, strict=True))[:most]
    return join(
        part
        for at, (column, value) in enumerate(cells)
        for part in (
            name(box.x + 4, box.y + 13 + 15 * at, column, box.wide * 0.58, size=10.5),
            name(box.x + box.wide - 4, box.y + 13 + 15 * at, value or "–", box.wide * 0.36, anchor="end", size=10.5),
        )
    )


def height_of(picture: Picture, wide: float) -> float:
    """Return the height that an example takes with its weights.

    Args:
        picture: what is shown.
        wide: the width that it is given.
    """
    if isinstance(picture, Text):
        return LEADING * len(_broken(picture, wide)) + 4
    if isinstance(picture, Lines):
        return STRIP * (min(picture.values_TC.shape[1], STRIPS) + 1)
    if isinstance(picture, Row):
        return BAR * min(len(picture.columns), ROWS) + 4
    pixels = picture.values_HWC.shape[:2] if isinstance(picture, Pixels) else picture.values_TF.shape[::-1]
    return min(wide, wide * pixels[0] / pixels[1]) if isinstance(picture, Pixels) else wide * 0.5


def weighed(picture: Picture, weights: NDArray[Any], box: Box) -> Markup:
    """Draw an example with what speaks for a class in it and what against.

    Args:
        picture: what is shown.
        weights: one for each pixel (H x W), piece, step (T), place of a spectrogram (T x F) or column; above zero for,
            below zero against.
        box: the room; `height_of` says how high it should be.
    """
    if isinstance(picture, Pixels | Spectrogram):
        flat = weights if isinstance(picture, Pixels) else weights.T[::-1]
        return _image(tinted(raster(picture), flat), box, stretched=isinstance(picture, Spectrogram))
    if isinstance(picture, Text):
        return _tinted_words(picture, weights, box)
    if isinstance(picture, Lines):
        return _over_time(picture, weights, box)
    return _bars(picture, weights, box)


def raster(picture: Pixels | Spectrogram) -> NDArray[np.uint8]:
    """Return the pixels of an image, H x W x C, or of a spectrogram: time to the right, low bands below, loud dark.

    Args:
        picture: what is shown.
    """
    if isinstance(picture, Pixels):
        return picture.values_HWC
    values = np.nan_to_num(picture.values_TF.astype(np.float64))
    low, high = np.percentile(values, (5, 99.5))
    shares = np.clip((values - low) / max(high - low, 1e-9), 0, 1)
    return np.rint(255 * (1 - 0.92 * shares)).astype(np.uint8).T[::-1, :, None]


def tinted(image_HWC: NDArray[np.uint8], weights_HW: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an image, pale and grey, under the colours of its weights; the largest weight covers most.

    Args:
        image_HWC: 1 or 3 channels.
        weights_HW: above zero for, below zero against.
    """
    grey_HW1 = image_HWC[..., :3].astype(np.float64).mean(axis=-1, keepdims=True)
    pale_HW3 = np.repeat(170 + grey_HW1 * (85 / 255), 3, axis=-1)
    # A few pixels with far larger weights would make all others vanish.
    largest = float(np.percentile(np.abs(weights_HW), 99.5)) or float(np.abs(weights_HW).max(initial=0.0))
    cover_HW1 = np.clip(np.abs(weights_HW) / (largest or 1.0), 0, 1)[..., None] * 0.92
    colours_HW3 = np.where(weights_HW[..., None] >= 0, np.array(FOR, float), np.array(AGAINST, float))
    return np.rint(pale_HW3 * (1 - cover_HW1) + colours_HW3 * cover_HW1).astype(np.uint8)


def thumbnail(image: NDArray[np.uint8]) -> str:
    """Return an image as a `data:` address, made small.

    Args:
        image: height x width x channels with 1 or 3 channels, or height x width.
    """
    flat = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
    made = Image.fromarray(np.ascontiguousarray(flat, dtype=np.uint8))
    if max(made.size) > THUMBNAIL:
        made.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    made.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def is_tiny(image: NDArray[np.uint8]) -> bool:
    """Tell whether an image is so small that its pixels should stay visible when it is enlarged."""
    return max(image.shape[:2]) <= 64


def wrapped(words: str, wide: float, *, size: float = 11.5) -> list[str]:
    """Break a sentence into lines of a width.

    Args:
        words: the sentence; line breaks in it are blanks.
        wide: the room.
        size: of the letters.
    """
    lines: list[str] = []
    for word in one_line(words, longest=2000).split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer) * size <= wide:
            lines[-1] = longer
        else:
            lines.append(cut(word, wide / size))
    return lines


def _image(image: NDArray[np.uint8], box: Box, *, stretched: bool) -> Markup:
    return tag(
        "image",
        attributes={
            "x": box.x,
            "y": box.y,
            "width": box.wide,
            "height": box.high,
            "href": thumbnail(image),
            "image-rendering": "pixelated" if is_tiny(image) else None,
            "preserveAspectRatio": "none" if stretched else None,
        },
    )


def _broken(picture: Text, wide: float) -> list[list[tuple[int, str, float]]]:
    """Return the lines of a text: for each piece its number, its words and where it begins."""
    lines: list[list[tuple[int, str, float]]] = [[]]
    x, blank = 0.0, 0.33 * SIZE
    for number, piece in enumerate(picture.pieces):
        # A blank at the front of a piece is room before it: SVG leaves such blanks out.
        front = blank if lines[-1] and (picture.apart or piece[:1].isspace()) else 0.0
        words = cut(piece.strip(), wide / SIZE) if piece.strip() else " "
        room = width(words) * SIZE
        if lines[-1] and x + front + room > wide:
            lines.append([])
            x = front = 0.0
        lines[-1].append((number, words, x + front))
        x += front + room
    return lines


def _tinted_words(picture: Text, weights: NDArray[Any], box: Box) -> Markup:
    largest = float(np.abs(weights).max(initial=0.0)) or 1.0
    parts: list[Child] = []
    for at, pieces in enumerate(_broken(picture, box.wide)):
        base = box.y + LEADING * at + 16
        for number, words, x in pieces:
            share = float(weights[number]) / largest
            parts += [_tint(share, box.x + x, base, width(words) * SIZE), text(box.x + x, base, words)]
    return join(parts)


def _tint(share: float, x: float, base: float, wide: float) -> Markup | None:
    """Draw the ground of a word, and a bar below it for what is for, above it for what is against."""
    if abs(share) < 0.04:
        return None
    style, high = "p-for" if share > 0 else "p-against", 1.0 + 2.5 * abs(share)
    ground = {
        "x": x,
        "y": base - 12.0,
        "width": wide,
        "height": 15.5,
        "fill-opacity": round(0.06 + 0.22 * abs(share), 2),
    }
    bar = {"x": x, "y": base + 3.5 if share > 0 else base - 12.0 - high, "width": wide, "height": high}
    return join([mark("rect", style, ground), mark("rect", style, bar)])


def _text_lines(picture: Text, box: Box) -> Markup:
    """Draw the beginning of a text, without weights."""
    size = 10.5
    words = (" " if picture.apart else "").join(picture.pieces)
    lines = wrapped(words, box.wide - 8, size=size)
    most = max(1, int((box.high - 6) // 14))
    if len(lines) > most:
        lines = [*lines[: most - 1], cut(f"{lines[most - 1]} …", (box.wide - 8) / size)]
    return join(text(box.x + 4, box.y + 14 + 14 * at, line_, size=size) for at, line_ in enumerate(lines))


def _strips(values_TC: NDArray[Any], box: Box) -> Markup:
    """Draw each channel in a strip of its own, over its own range."""
    channels = min(values_TC.shape[1], STRIPS)
    high = box.high / channels
    return join(
        _line_of(values_TC[:, channel], Box(box.x, box.y + high * channel + 3, box.wide, high - 6))
        for channel in range(channels)
    )


def _line_of(values_T: NDArray[Any], box: Box) -> Markup:
    known = values_T[np.isfinite(values_T)]
    if not len(known):
        return text(box.x + box.wide / 2, box.y + box.high / 2, "all missing", "p-muted", anchor="middle", size=10.5)
    up = Scale(float(known.min()), float(known.max()), box.y + box.high, box.y)
    across = Scale(0, max(len(values_T) - 1, 1), box.x, box.x + box.wide)
    runs: list[list[tuple[float, float]]] = [[]]
    for step in _drawn_steps(values_T):
        if np.isfinite(values_T[step]):
            runs[-1].append((across(step), up(float(values_T[step]))))
        elif runs[-1]:
            runs.append([])
    # A lone point between gaps is drawn as a short line.
    return join(line(run if len(run) > 1 else [run[0], (run[0][0] + 1, run[0][1])], "p-second") for run in runs if run)


def _drawn_steps(values_T: NDArray[Any]) -> list[int]:
    """Return the steps to draw: all, or of each few the first, the lowest and the highest."""
    if len(values_T) <= POINTS:
        return list(range(len(values_T)))
    steps: set[int] = {0, len(values_T) - 1}
    for few in np.array_split(np.arange(len(values_T)), POINTS // 2):
        part = values_T[few]
        if np.isfinite(part).all():
            steps |= {int(few[part.argmin()]), int(few[part.argmax()])}
        else:
            steps |= set(few.tolist())
    return sorted(steps)


def _over_time(picture: Lines, weights_T: NDArray[Any], box: Box) -> Markup:
    """Draw the lines, and below them the weights over time, up for what is for and down for what is against."""
    lines = Box(box.x, box.y, box.wide, box.high - STRIP)
    middle, half = box.y + box.high - STRIP / 2, STRIP / 2 - 3
    largest = float(np.abs(weights_T).max(initial=0.0)) or 1.0
    across = Scale(0, len(weights_T), box.x, box.x + box.wide)
    few = np.array_split(np.arange(len(weights_T)), min(POINTS, len(weights_T)))
    ends = [(across(part[0]), across(part[-1] + 1), float(weights_T[part].mean()) / largest) for part in few]
    parts = [_strips(picture.values_TC, lines)]
    for style, sign in (("p-for", 1.0), ("p-against", -1.0)):
        area = "".join(_step(start, end, middle - half * sign * max(sign * share, 0.0)) for start, end, share in ends)
        parts.append(mark("path", style, {"d": f"M{box.x:.1f} {middle:.1f}{area}V{middle:.1f}Z"}))
    parts.append(mark("line", "p-axis", {"x1": box.x, "x2": box.x + box.wide, "y1": middle, "y2": middle}))
    return join(parts)


def _step(start: float, end: float, y: float) -> str:
    return f"L{start:.1f} {y:.1f}H{end:.1f}"


def _bars(picture: Row, weights: NDArray[Any], box: Box) -> Markup:
    order = np.argsort(-np.abs(weights), kind="stable")[:ROWS]
    largest = float(np.abs(weights).max(initial=0.0)) or 1.0
    across = Scale(-1, 1, box.x + box.wide * 0.52, box.x + box.wide - 4)
    parts: list[Child] = []
    for at, column in enumerate(order.tolist()):
        y, share = box.y + BAR * at, float(weights[column]) / largest
        left, right = sorted((across(0), across(share)))
        value, bar = (
            picture.values[column] or "–",
            {"x": left, "y": y + 4, "width": max(right - left, 0.5), "height": 12},
        )
        parts += [
            name(box.x, y + 14, picture.columns[column], box.wide * 0.28, size=11.5),
            name(box.x + box.wide * 0.5, y + 14, value, box.wide * 0.2, anchor="end", size=11.5),
            mark("rect", "p-for" if share >= 0 else "p-against", bar),
        ]
    foot = box.y + BAR * len(order)
    parts.append(mark("line", "p-axis", {"x1": across(0), "x2": across(0), "y1": box.y, "y2": foot}))
    return join(parts)


def legend(x: float, y: float, kinds: Sequence[str] = ("for", "against")) -> Markup:
    """Draw what the two colours mean.

    Args:
        x: where it begins.
        y: its base line.
        kinds: of "for" and "against", what occurs.
    """
    parts: list[Child] = []
    for kind in kinds:
        words = f"speaks {kind} it"
        parts += [
            mark("rect", f"p-{kind}", {"x": x, "y": y - 9, "width": 10, "height": 10}),
            text(x + 15, y, words, "p-muted", size=11.5),
        ]
        x += 15 + width(words) * 11.5 + 18
    return join(parts)
