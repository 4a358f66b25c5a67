"""Augmentations of images: geometric ones are matrices, which pixels and truths follow; others change pixel values.

The matrices (see `motion`) follow from the images' height and width, a strength and random numbers. Functions of pixels
take uint8 B x H x W x C, the strength and random numbers; they may change the images in place and return them.

See what they do:  sonde show DATA
"""

# B batch, H height, W width, C channels, K random numbers

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sonde.data.augment.augmentation import Augmentation
from sonde.data.augment.motion import Matrices, identities, mirror, move_pixels

Images = NDArray[np.uint8]
Draws = NDArray[np.float64]


def rotate_matrices(size: tuple[int, int], degrees: float, draws_BK: Draws) -> Matrices:
    """Return rotations around the centre of each image by up to so many degrees either way.

    Args:
        degrees: the largest turn.
        draws_BK: 1 number each.
    """
    middle_y, middle_x = (size[0] - 1) / 2, (size[1] - 1) / 2
    angles = np.deg2rad((2 * draws_BK[:, 0] - 1) * degrees)
    cos, sin = np.cos(angles), np.sin(angles)
    turns = identities(len(draws_BK))
    turns[:, 0, 0], turns[:, 0, 1], turns[:, 0, 2] = cos, sin, middle_x - cos * middle_x - sin * middle_y
    turns[:, 1, 0], turns[:, 1, 1], turns[:, 1, 2] = -sin, cos, middle_y + sin * middle_x - cos * middle_y
    return turns


def shift(images_BHWC: Images, share: float, draws_BK: Draws) -> Images:
    """Move each image by up to this share of its sides, in whole pixels; the border repeats.

    Args:
        draws_BK: 2 numbers each: down, right.
    """
    most_y, most_x = (round(share * side) for side in images_BHWC.shape[1:3])
    if most_y == most_x == 0:
        return images_BHWC
    return move_pixels(images_BHWC, _moves(images_BHWC.shape[1:3], share, draws_BK).astype(np.int64))


def shift_matrices(size: tuple[int, int], share: float, draws_BK: Draws) -> Matrices:
    """Return the matrices of `shift`."""
    moves = identities(len(draws_BK))
    moves[:, 0, 2], moves[:, 1, 2] = _moves(size, share, draws_BK)
    return moves


def _moves(size: tuple[int, ...], share: float, draws_BK: Draws) -> NDArray[np.float64]:
    """Return how many pixels each image moves right and down, 2 x B."""
    moves_2B = np.empty((2, len(draws_BK)))
    for place, side in ((1, size[0]), (0, size[1])):
        most = round(share * side)
        moves_2B[place] = np.floor(draws_BK[:, 1 - place] * (2 * most + 1)) - most
    return moves_2B


def crop(images_BHWC: Images, share: float, draws_BK: Draws) -> Images:
    """Cut out a random part whose sides are up to this share shorter, and enlarge it to the old size.

    Args:
        share: how much of a side may be lost.
        draws_BK: 3 numbers each: size, top, left.
    """
    height, width = images_BHWC.shape[1:3]
    begins_2B, sides_2B = _parts((height, width), share, draws_BK)
    cropped = np.empty_like(images_BHWC)
    places = zip(*begins_2B.astype(np.int64).tolist(), *sides_2B.astype(np.int64).tolist(), strict=True)
    for row, (left, top, wide, high) in enumerate(places):
        part = images_BHWC[row, top : top + high, left : left + wide]
        if high == height and wide == width:
            cropped[row] = part
        else:
            cv2.resize(part, (width, height), dst=cropped[row], interpolation=cv2.INTER_LINEAR)
    return cropped


def crop_matrices(size: tuple[int, int], share: float, draws_BK: Draws) -> Matrices:
    """Return the matrices of `crop`."""
    begins_2B, sides_2B = _parts(size, share, draws_BK)
    scales_2B = np.array(size[::-1])[:, None] / sides_2B
    enlarged = identities(len(draws_BK))
    enlarged[:, 0, 0], enlarged[:, 1, 1] = scales_2B
    # The edge of the first pixel, half before its middle, comes to the edge of the output.
    enlarged[:, 0, 2], enlarged[:, 1, 2] = (0.5 - begins_2B) * scales_2B - 0.5
    return enlarged


def _parts(size: tuple[int, int], share: float, draws_BK: Draws) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return left and top of a part of each image, and its width and height: whole pixels, each 2 x B."""
    whole_21 = np.array(size[::-1])[:, None]
    sides_2B = np.maximum(1, np.rint((1 - share * draws_BK[:, 0]) * whole_21))
    return np.floor(draws_BK[:, :0:-1].T * (whole_21 - sides_2B + 1)), sides_2B


def flip(images_BHWC: Images, probability: float, draws_BK: Draws) -> Images:
    """Mirror left and right with this probability.

    Args:
        probability: of each image to be mirrored.
        draws_BK: 1 number each.
    """
    return mirror(images_BHWC, np.flatnonzero(draws_BK[:, 0] < probability))


def flip_matrices(size: tuple[int, int], probability: float, draws_BK: Draws) -> Matrices:
    """Return the matrices of `flip`."""
    chosen = draws_BK[:, 0] < probability
    mirrored = identities(len(draws_BK))
    mirrored[:, 0, 0] = 1 - 2 * chosen
    mirrored[:, 0, 2] = (size[1] - 1) * chosen
    return mirrored


def erase(images_BHWC: Images, probability: float, draws_BK: Draws) -> Images:
    """Cover a random rectangle with one random colour (random erasing, Zhong et al., 2020).

    Args:
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
    in_places: bool = False
    """Whether the truth lies at places of the image, as a mask does, and follows what moves."""
    in_words: bool = False
    """Whether the truth is a text, such as a caption."""

    @property
    def of_signs(self) -> bool:
        """Whether the classes are called like digits or single letters, whose mirror image is another sign."""
        return all(name.isdecimal() or len(name) == 1 for name in self.classes)


def _off(look: Look) -> tuple[float, str]:
    return 0.0, "off unless asked for"


def _turn(look: Look) -> tuple[float, str]:
    return (15.0, "a mask turns with its image, and few images need more variety") if look.in_places else _off(look)


def _small_shift(look: Look) -> tuple[float, str]:
    return 0.08, "a small move changes no image's meaning"


def _flip_photos(look: Look) -> tuple[float, str]:
    if look.in_places:
        return 0.5, "a mask is mirrored with its image"
    if look.in_words:
        return 0.0, "a text may say left or right"
    if look.channels == 1:
        return 0.0, "grey images may be signs, whose mirror image means something else"
    if look.of_signs:
        return 0.0, "the classes are called like digits or letters"
    if min(look.height, look.width) < 24:
        return 0.0, "tiny images are seldom photographs"
    return 0.5, "colour photographs keep their meaning in a mirror"


TABLE: dict[str, Augmentation] = {
    "rotate": Augmentation(
        rotate_matrices,
        1,
        "Turns by up to this many degrees either way.",
        low=0.0,
        high=45.0,
        guess=_turn,
        kind="geometric",
    ),
    "shift": Augmentation(
        shift_matrices,
        2,
        "Moves by up to this share of the sides.",
        low=0.0,
        high=0.5,
        guess=_small_shift,
        kind="geometric",
        apply=shift,
    ),
    "crop": Augmentation(
        crop_matrices,
        3,
        "Cuts away up to this share of the sides and enlarges the rest.",
        low=0.0,
        high=0.9,
        guess=_off,
        kind="geometric",
        apply=crop,
    ),
    "flip": Augmentation(
        flip_matrices,
        1,
        "Mirrors left and right with this probability.",
        low=0.0,
        high=1.0,
        guess=_flip_photos,
        kind="geometric",
        apply=flip,
        mirrored=True,
    ),
    "erase": Augmentation(erase, 8, "Covers a random rectangle with this probability.", low=0.0, high=1.0, guess=_off),
}
"""Those of images, in the order in which they are applied and shown.

Shift comes before crop, so that what it moves in is the image's own content where there is some, and so that the part
has whole edges: `cv2.resize` takes a quarter of the time of `cv2.warpAffine`."""
