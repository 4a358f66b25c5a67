"""Augmentations of images: each takes uint8 B x H x W x C, its strength and random numbers, and gives images.

The images it takes are its own: it may change them in place and give them back, or give others.

See what they do:  sonde show DATA
"""

# B batch, H height, W width, C channels, K random numbers

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sonde.data.augment.augmentation import Augmentation

Images = NDArray[np.uint8]
Draws = NDArray[np.float64]
Places = NDArray[np.int64]

SMALL = 1 << 14
"""Bytes; images below it are moved all at once, since a call for each would take longer than the work."""


def rotate(images_BHWC: Images, degrees: float, draws_BK: Draws) -> Images:
    """Turn each image around its centre by up to so many degrees either way; the border repeats.

    Args:
        images_BHWC: images.
        degrees: the largest turn.
        draws_BK: 1 number each.
    """
    height, width = images_BHWC.shape[1:3]
    angles = np.deg2rad((2 * draws_BK[:, 0] - 1) * degrees)
    cos, sin = np.cos(angles), np.sin(angles)
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    turns = np.empty((len(images_BHWC), 2, 3))
    turns[:, 0, 0], turns[:, 0, 1], turns[:, 0, 2] = cos, sin, middle_x - cos * middle_x - sin * middle_y
    turns[:, 1, 0], turns[:, 1, 1], turns[:, 1, 2] = -sin, cos, middle_y + sin * middle_x - cos * middle_y
    turned = np.empty_like(images_BHWC)
    for row, image in enumerate(images_BHWC):
        cv2.warpAffine(
            image,
            turns[row],
            (width, height),
            dst=turned[row],
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return turned


def crop(images_BHWC: Images, share: float, draws_BK: Draws) -> Images:
    """Cut out a random part whose sides are up to this share shorter, and enlarge it to the old size.

    Args:
        images_BHWC: images.
        share: how much of a side may be lost.
        draws_BK: 3 numbers each: size, top, left.
    """
    height, width = images_BHWC.shape[1:3]
    kept = 1 - share * draws_BK[:, 0]
    heights = np.maximum(1, np.rint(kept * height)).astype(np.int64)
    widths = np.maximum(1, np.rint(kept * width)).astype(np.int64)
    tops = (draws_BK[:, 1] * (height - heights + 1)).astype(np.int64)
    lefts = (draws_BK[:, 2] * (width - widths + 1)).astype(np.int64)
    cropped = np.empty_like(images_BHWC)
    places = zip(tops.tolist(), heights.tolist(), lefts.tolist(), widths.tolist(), strict=True)
    for row, (top, high, left, wide) in enumerate(places):
        part = images_BHWC[row, top : top + high, left : left + wide]
        if high == height and wide == width:
            cropped[row] = part
        else:
            cv2.resize(part, (width, height), dst=cropped[row], interpolation=cv2.INTER_LINEAR)
    return cropped


def shift(images_BHWC: Images, share: float, draws_BK: Draws) -> Images:
    """Move each image by up to this share of its sides, in whole pixels; the border repeats.

    Args:
        images_BHWC: images.
        share: the largest move.
        draws_BK: 2 numbers each: down, right.
    """
    height, width = images_BHWC.shape[1:3]
    most_y, most_x = round(share * height), round(share * width)
    if most_y == most_x == 0:
        return images_BHWC
    downs = (draws_BK[:, 0] * (2 * most_y + 1)).astype(np.int64) - most_y
    rights = (draws_BK[:, 1] * (2 * most_x + 1)).astype(np.int64) - most_x
    small = images_BHWC[0].nbytes < SMALL
    return (_move_together if small else _move_singly)(images_BHWC, downs, rights)


def _move_together(images_BHWC: Images, downs_B: Places, rights_B: Places) -> Images:
    """Widen all images, and pick for each new row the part of an old one that moves to it."""
    count, height, width, channels = images_BHWC.shape
    most = int(np.abs(rights_B).max())
    tall = images_BHWC.reshape(count * height, width, channels)
    wide = cv2.copyMakeBorder(tall, 0, 0, most, most, cv2.BORDER_REPLICATE).reshape(-1)
    length, stride = width * channels, (width + 2 * most) * channels
    # A row is one item to numpy, and may begin at any byte: one small copy for each row, and nothing else.
    row = np.dtype((np.void, length))
    rows = np.ndarray((len(wide) - length + 1,), dtype=row, buffer=wide.data, strides=(1,))
    sources_BH = np.clip(np.arange(height) - downs_B[:, None], 0, height - 1) + np.arange(count)[:, None] * height
    picked = rows[sources_BH * stride + (most - rights_B[:, None]) * channels]
    return picked.view(np.uint8).reshape(images_BHWC.shape)


def _move_singly(images_BHWC: Images, downs_B: Places, rights_B: Places) -> Images:
    height, width = images_BHWC.shape[1:3]
    moved = np.empty_like(images_BHWC)
    for row, (down, right) in enumerate(zip(downs_B.tolist(), rights_B.tolist(), strict=True)):
        top, bottom, left, further = max(down, 0), max(-down, 0), max(right, 0), max(-right, 0)
        part = images_BHWC[row, bottom : height - top, further : width - left]
        cv2.copyMakeBorder(part, top, bottom, left, further, cv2.BORDER_REPLICATE, dst=moved[row])
    return moved


def flip(images_BHWC: Images, probability: float, draws_BK: Draws) -> Images:
    """Mirror left and right with this probability.

    Args:
        images_BHWC: images.
        probability: of each image to be mirrored.
        draws_BK: 1 number each.
    """
    height, width, channels = images_BHWC.shape[1:]
    chosen = np.flatnonzero(draws_BK[:, 0] < probability)
    if len(chosen):
        # All rows of all images as one tall image: OpenCV mirrors it ten times as fast as numpy reverses an axis.
        tall = images_BHWC[chosen].reshape(len(chosen) * height, width, channels)
        cv2.flip(tall, 1, dst=tall)
        images_BHWC[chosen] = tall.reshape(len(chosen), height, width, channels)
    return images_BHWC


def erase(images_BHWC: Images, probability: float, draws_BK: Draws) -> Images:
    """Cover a random rectangle with one random colour (random erasing, Zhong et al., 2020).

    Args:
        images_BHWC: images.
        probability: of each image to lose a rectangle of 2 to 33 % of its area.
        draws_BK: 8 numbers each: whether, area, shape, top, left, three for the colour.
    """
    height, width, channels = images_BHWC.shape[1:]
    area = (0.02 + 0.31 * draws_BK[:, 1]) * height * width
    ratio = np.exp((2 * draws_BK[:, 2] - 1) * np.log(1 / 0.3))
    heights = np.clip(np.rint(np.sqrt(area * ratio)), 1, height).astype(np.int64)
    widths = np.clip(np.rint(np.sqrt(area / ratio)), 1, width).astype(np.int64)
    tops = (draws_BK[:, 3] * (height - heights + 1)).astype(np.int64)
    lefts = (draws_BK[:, 4] * (width - widths + 1)).astype(np.int64)
    colours = (draws_BK[:, 5 : 5 + channels] * 256).astype(np.uint8)
    for row in np.flatnonzero(draws_BK[:, 0] < probability).tolist():
        top, left = tops[row], lefts[row]
        images_BHWC[row, top : top + heights[row], left : left + widths[row]] = colours[row]
    return images_BHWC


@dataclass(frozen=True)
class Look:
    """What a default is guessed from, for images."""

    height: int
    width: int
    channels: int
    classes: tuple[str, ...]

    @property
    def of_signs(self) -> bool:
        """Whether the classes are called like digits or single letters, whose mirror image is another sign."""
        return all(name.isdecimal() or len(name) == 1 for name in self.classes)


def _off(look: Look) -> tuple[float, str]:
    return 0.0, "off unless asked for"


def _small_shift(look: Look) -> tuple[float, str]:
    return 0.08, "a small move changes no image's meaning"


def _flip_photos(look: Look) -> tuple[float, str]:
    if look.channels == 1:
        return 0.0, "grey images may be signs, whose mirror image means something else"
    if look.of_signs:
        return 0.0, "the classes are called like digits or letters"
    if min(look.height, look.width) < 24:
        return 0.0, "tiny images are seldom photographs"
    return 0.5, "colour photographs keep their meaning in a mirror"


TABLE: dict[str, Augmentation] = {
    "rotate": Augmentation(rotate, 1, "Turns by up to this many degrees either way.", low=0.0, high=45.0, guess=_off),
    "crop": Augmentation(
        crop, 3, "Cuts away up to this share of the sides and enlarges the rest.", low=0.0, high=0.9, guess=_off
    ),
    "shift": Augmentation(shift, 2, "Moves by up to this share of the sides.", low=0.0, high=0.5, guess=_small_shift),
    "flip": Augmentation(
        flip,
        1,
        "Mirrors left and right with this probability.",
        low=0.0,
        high=1.0,
        guess=_flip_photos,
        mirrored=True,
    ),
    "erase": Augmentation(erase, 8, "Covers a random rectangle with this probability.", low=0.0, high=1.0, guess=_off),
}
"""Those of images, in the order in which they are applied and shown."""
