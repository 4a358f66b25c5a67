"""Geometric augmentation as affine matrices, one for each example, which pixels and truths follow alike.

motion = shifted.then(mirrored)             matrices are multiplied, the earlier one acts first
images = warp(images_BHWC, motion)          pixels are interpolated once, however many motions were multiplied
masks = move_masks(masks_BHW, motion)       nearest pixel, same border as the images
boxes = move_boxes(boxes_BN4, motion)       and `points` for points

A matrix maps coordinates of the input to those of the output, as `cv2.warpAffine` expects it without WARP_INVERSE_MAP.
Whole numbers are centres of pixels: the first pixel of a row is at 0 and spans -0.5 to 0.5. Boxes are the exception:
they hold edges, as in COCO, so that the frame spans 0 to its width.
"""

# B batch, H height, W width, C channels, N points or boxes of an example

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from sonde.data.ragged import Ragged, Stored

Images = NDArray[Any]
Matrices = NDArray[np.float64]
Places = NDArray[np.int64]
Size = tuple[int, int] | Places
"""Height and width, which all images of a batch share; in time the steps of each example, B."""

SMALL = 1 << 14
"""Bytes; images below it are moved all at once, since a call for each would take longer than the work."""
MASKS = ("uint8", "int8", "uint16", "int16", "int32", "float32", "float64")
"""Types that OpenCV can move without interpolation."""


@dataclass(frozen=True, eq=False)
class Motion:
    """Where the content of each example of a batch goes."""

    source: Matrices | Callable[[], Matrices]
    """The matrices, or what computes them when they are first read: a classification never does."""
    before: Size
    """Size of the inputs."""
    after: Size
    """Size of the outputs."""

    @cached_property
    def matrices(self) -> Matrices:
        """From coordinates of the input to those of the output: B x 2 x 3, with x before y; in time a scale and an
        offset, B x 2.
        """
        return self.source() if callable(self.source) else self.source

    @cached_property
    def is_whole(self) -> bool:
        """Whether every example is at most mirrored and moved by whole pixels, so that nothing is interpolated."""
        straight = np.abs(self.matrices[..., :-1]) == (np.eye(2) if self.matrices.ndim == 3 else 1.0)
        offsets = self.matrices[..., -1]
        return bool(straight.all() and (np.rint(offsets) == offsets).all())

    def then(self, later: "Motion") -> "Motion":
        """Return the motion that is this one and then another.

        Unlike two warps in a row, it loses nothing that the first moves out of the frame and the second back into it.
        """
        assert self.after is later.before or np.array_equal(self.after, later.before)
        return Motion(lambda: _product(later.matrices, self.matrices), self.before, later.after)

    def inverse(self) -> "Motion":
        """Return the way back; exact where the motion is whole."""
        if self.matrices.ndim == 2:
            scale, offset = self.matrices.T
            return Motion(np.stack([1 / scale, -offset / scale], axis=1), self.after, self.before)
        (a, b, x), (c, d, y) = self.matrices.transpose(1, 2, 0)
        area = a * d - b * c
        back = np.array([[d, -b, b * y - d * x], [-c, a, c * x - a * y]]) / area
        return Motion(back.transpose(2, 0, 1), self.after, self.before)


def identities(count: int) -> Matrices:
    """Return identity matrices, to be filled in: B x 2 x 3."""
    matrices = np.zeros((count, 2, 3))
    matrices[:, 0, 0] = matrices[:, 1, 1] = 1.0
    return matrices


def _product(later: Matrices, earlier: Matrices) -> Matrices:
    if later.ndim == 2:
        scale, offset = later.T
        return np.stack([scale * earlier[:, 0], scale * earlier[:, 1] + offset], axis=1)
    # Written out, so that the bits are the same on every processor, with or without fused multiplication.
    product = later[:, :, 0:1] * earlier[:, 0:1] + later[:, :, 1:2] * earlier[:, 1:2]
    product[:, :, 2] += later[:, :, 2]
    return product


def warp(
    images_BHWC: Images,
    motion: Motion,
    *,
    interpolation: Literal["linear", "nearest"] = "linear",
    outside: float | None = None,
) -> Images:
    """Move each image, interpolating once; motions by whole pixels are plain copies, with the same result.

    Args:
        images_BHWC: images; they may be changed in place and returned.
        motion: of as many examples, and of their size.
        interpolation: how values between pixels are read.
        outside: the value of what comes in from outside the image; None repeats the border.
    """
    assert images_BHWC.shape[1:3] == motion.before and len(images_BHWC) == len(motion.matrices)
    images_BHWC = np.ascontiguousarray(images_BHWC)
    if motion.is_whole and motion.before == motion.after and len(images_BHWC):
        moved = _move_whole(images_BHWC, motion)
        if outside is not None:
            moved[_came_in(motion)] = outside
        return moved
    height, width = _of_image(motion.after)
    flags = {"linear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST}[interpolation]
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    value = [0.0 if outside is None else outside] * 4
    moved = np.empty((len(images_BHWC), height, width, images_BHWC.shape[3]), dtype=images_BHWC.dtype)
    for image, matrix, output in zip(images_BHWC, np.ascontiguousarray(motion.matrices), moved, strict=True):
        cv2.warpAffine(image, matrix, (width, height), output, flags, border, value)
    return moved


def move_masks(masks_BHW: NDArray[Any], motion: Motion, *, outside: float | None = None) -> NDArray[Any]:
    """Move masks with their images; they stay aligned pixel for pixel. The input is not changed.

    Args:
        masks_BHW: a class, an instance or yes/no for each pixel, of bool or a type in `MASKS`.
        outside: the value of pixels that come in from outside, such as an ignored class. None repeats the border, as
            the images do, so that the mask names what the pixels show.
    """
    numbers = masks_BHW.view(np.uint8) if masks_BHW.dtype == np.bool_ else masks_BHW
    assert numbers.dtype.name in MASKS, f"OpenCV moves no {numbers.dtype}"
    moved = warp(numbers[..., None].copy(), motion, interpolation="nearest", outside=outside)
    return moved[..., 0].view(masks_BHW.dtype)


def points(xy: Stored, motion: Motion) -> Stored:
    """Move points; they may leave the frame.

    Args:
        xy: B x N x 2, or ragged with a number of points of its own for each example. In time, every number is a time
            in steps: B x N or B x N x anything.

    Returns:
        The same kind; floats keep their type, integers become float64.
    """
    values, matrices = _by_value(xy, motion)
    if matrices.ndim == 2:
        beside = (len(values), *[1] * (values.ndim - 1))
        return _like(xy, values * matrices[:, 0].reshape(beside) + matrices[:, 1].reshape(beside))
    across, down = values.T
    return _like(xy, matrices[:, :, 0] * across[:, None] + matrices[:, :, 1] * down[:, None] + matrices[:, :, 2])


def move_boxes(boxes: Stored, motion: Motion, *, clip: bool = True) -> Stored:
    """Move boxes: each becomes the smallest upright box around its moved corners.

    Args:
        boxes: left, top, right and bottom edges in pixels, B x N x 4, or ragged with a number of boxes of its own for
            each example; the frame spans 0 to its width.
        clip: cut boxes to the frame; one that has left it keeps no area, and is the caller's to drop.

    Returns:
        The same kind; floats keep their type, integers become float64.
    """
    edges, matrices = _by_value(boxes, motion)
    # From edges to centres of pixels, which the matrices are about.
    corners = edges.reshape(-1, 2, 2) - 0.5
    parts = matrices[:, None, :, :2] * corners[:, :, None, :]
    moved = np.stack([parts.min(axis=1).sum(axis=2), parts.max(axis=1).sum(axis=2)], axis=1) + matrices[:, None, :, 2]
    moved += 0.5
    if clip:
        np.clip(moved, 0, np.array(_of_image(motion.after)[::-1], dtype=np.float64), out=moved)
    return _like(boxes, moved.reshape(-1, 4))


def _by_value(stored: Stored, motion: Motion) -> tuple[NDArray[np.float64], Matrices]:
    """Return the values of all examples in one array, and for each the matrix of its example."""
    assert len(stored) == len(motion.matrices)
    counts = stored.lengths if isinstance(stored, Ragged) else np.full(len(stored), stored.shape[1])
    values = stored.values if isinstance(stored, Ragged) else stored.reshape(-1, *stored.shape[2:])
    return values.astype(np.float64), np.repeat(motion.matrices, counts, axis=0)


def _like(stored: Stored, values: NDArray[np.float64]) -> Stored:
    kept = values.astype(stored.dtype) if stored.dtype.kind == "f" else values
    return Ragged(kept, stored.offsets) if isinstance(stored, Ragged) else kept.reshape(stored.shape)


def _of_image(size: Size) -> tuple[int, int]:
    assert isinstance(size, tuple)
    return size


def _move_whole(images_BHWC: Images, motion: Motion) -> Images:
    """Move by whole pixels, then mirror."""
    scales_2B, offsets_2B = _upright(motion)
    mirrored_2B, moves_2B = scales_2B < 0, offsets_2B.astype(np.int64)
    most_21 = np.array(_of_image(motion.after)[::-1])[:, None] - 1
    # A mirrored image is shifted first: an offset of width - 1 is the mirror alone, a smaller one a shift to the right.
    np.subtract(most_21, moves_2B, out=moves_2B, where=mirrored_2B)
    if moves_2B.any():
        images_BHWC = move_pixels(images_BHWC, np.clip(moves_2B, -most_21, most_21))
    for row, across, upside in zip(range(len(images_BHWC)), *mirrored_2B.tolist(), strict=True):
        if across or upside:
            # OpenCV's names for the axes: 1 left and right, 0 top and bottom, -1 both.
            cv2.flip(images_BHWC[row], -1 if across and upside else int(across), dst=images_BHWC[row])
    return images_BHWC


def _came_in(motion: Motion) -> NDArray[np.bool_]:
    """Return which pixels of whole motions come from outside of their images, B x H x W."""
    (height, width), (scales_2B, offsets_2B) = _of_image(motion.before), _upright(motion)
    x_BW, y_BH = (
        scale_B[:, None] * (np.arange(side) - offset_B[:, None])
        for side, scale_B, offset_B in zip((width, height), scales_2B, offsets_2B, strict=True)
    )
    return ((y_BH < 0) | (y_BH >= height))[:, :, None] | ((x_BW < 0) | (x_BW >= width))[:, None, :]


def _upright(motion: Motion) -> tuple[Matrices, Matrices]:
    """Return the scales and offsets across and down, each 2 x B."""
    numbers_23B = motion.matrices.transpose(1, 2, 0)
    return numbers_23B.diagonal().T, numbers_23B[:, 2]


def move_pixels(images_BHWC: Images, moves_2B: Places) -> Images:
    """Move each image by whole pixels, by less than its sides; the border repeats.

    Args:
        moves_2B: how far right and down.
    """
    small = images_BHWC[0].nbytes < SMALL
    return (_move_together if small else _move_singly)(images_BHWC, moves_2B)


def mirror(images_BHWC: Images, chosen: Places) -> Images:
    """Mirror some images left and right, in place."""
    height, width, channels = images_BHWC.shape[1:]
    if not len(chosen):
        return images_BHWC
    if images_BHWC[0].nbytes < SMALL or not images_BHWC.flags.c_contiguous:
        # All rows of all images as one tall image: OpenCV mirrors it ten times as fast as numpy reverses an axis.
        tall = images_BHWC[chosen].reshape(len(chosen) * height, width, channels)
        cv2.flip(tall, 1, dst=tall)
        images_BHWC[chosen] = tall.reshape(len(chosen), height, width, channels)
        return images_BHWC
    for row in chosen.tolist():
        cv2.flip(images_BHWC[row], 1, dst=images_BHWC[row])
    return images_BHWC


def _move_together(images_BHWC: Images, moves_2B: Places) -> Images:
    """Widen all images, and pick for each new row the part of an old one that moves to it."""
    count, height, width, channels = images_BHWC.shape
    rights_B, downs_B = moves_2B
    most_x, most_y = np.abs(moves_2B).max(axis=1).tolist()
    tall = images_BHWC.reshape(count * height, width, channels)
    wide = cv2.copyMakeBorder(tall, 0, 0, most_x, most_x, cv2.BORDER_REPLICATE).reshape(-1)
    pixel = channels * wide.itemsize
    length, stride = width * pixel, (width + 2 * most_x) * pixel
    # A row is one item to numpy, and may begin at any byte: one small copy for each row, and nothing else.
    row = np.dtype((np.void, length))
    rows = np.ndarray((wide.nbytes - length + 1,), dtype=row, buffer=wide.data, strides=(1,))
    # Where the rows of a moved image begin is a stretch of one list, which is read off instead of computed.
    begins = np.clip(np.arange(-most_y, height + most_y), 0, height - 1) * stride
    stretches = np.ndarray((2 * most_y + 1, height), dtype=begins.dtype, buffer=begins.data, strides=begins.strides * 2)
    places_BH = stretches.take(most_y - downs_B, axis=0)
    places_BH += (np.arange(count) * (height * stride) + (most_x - rights_B) * pixel)[:, None]
    return rows[places_BH].view(images_BHWC.dtype).reshape(images_BHWC.shape)


def _move_singly(images_BHWC: Images, moves_2B: Places) -> Images:
    """Copy what stays of each image to its place, and repeat its border."""
    height, width = images_BHWC.shape[1:3]
    moved = np.empty_like(images_BHWC)
    for image, output, right, down in zip(images_BHWC, moved, *moves_2B.tolist(), strict=True):
        top, bottom, left, further = max(down, 0), max(-down, 0), max(right, 0), max(-right, 0)
        part = image[bottom : height - top, further : width - left]
        cv2.copyMakeBorder(part, top, bottom, left, further, cv2.BORDER_REPLICATE, output)
    return moved
