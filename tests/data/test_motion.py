"""Motions compose, turn back, and take pixels, masks, points and boxes to the same places."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray

from sonde.data.augment import motion as motions
from sonde.data.augment.motion import Motion, identities, move_boxes, move_masks, points, warp
from sonde.data.ragged import Ragged

SIDES = some.integers(1, 12)


def numbered(height: int, width: int, count: int = 1, channels: int = 3) -> NDArray[np.uint8]:
    """Return images of random numbers."""
    return np.random.default_rng(height * width).integers(0, 256, (count, height, width, channels), dtype=np.uint8)


def whole(height: int, width: int, moves: list[tuple[bool, bool, int, int]]) -> Motion:
    """Return motions that mirror across, mirror upside down, and then move right and down."""
    matrices = identities(len(moves))
    for matrix, (across, upside, right, down) in zip(matrices, moves, strict=True):
        matrix[0] = [-1, 0, width - 1 + right] if across else [1, 0, right]
        matrix[1] = [0, -1, height - 1 + down] if upside else [0, 1, down]
    return Motion(matrices, (height, width), (height, width))


def turned(degrees: float, scale: float, size: tuple[int, int], count: int = 1) -> Motion:
    """Return turns around the centre, enlarging too."""
    matrix = cv2.getRotationMatrix2D(((size[1] - 1) / 2, (size[0] - 1) / 2), degrees, scale)
    return Motion(np.tile(matrix, (count, 1, 1)), size, size)


MOVE = some.tuples(some.booleans(), some.booleans(), some.integers(-14, 14), some.integers(-14, 14))
MOVES = some.lists(MOVE, min_size=1, max_size=5)


@given(height=SIDES, width=SIDES, moves=MOVES, channels=some.sampled_from([1, 3]), small=some.booleans())
def test_whole_motions_are_copies_of_just_what_interpolation_would_give(
    height: int, width: int, moves: list[tuple[bool, bool, int, int]], channels: int, small: bool
) -> None:
    images, motion = numbered(height, width, len(moves), channels), whole(height, width, moves)
    assert motion.is_whole
    with pytest.MonkeyPatch.context() as patch:
        # Images of all sizes go one of two ways.
        patch.setattr(motions, "SMALL", 1 << 14 if small else 0)
        moved = warp(images.copy(), motion)
    for image, matrix, result in zip(images, motion.matrices, moved, strict=True):
        expected = cv2.warpAffine(
            image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        assert np.array_equal(result, expected.reshape(result.shape))


@given(height=SIDES, width=SIDES, moves=MOVES, dtype=some.sampled_from([*motions.MASKS, "bool"]))
def test_a_mask_stays_with_its_picture_pixel_for_pixel(
    height: int, width: int, moves: list[tuple[bool, bool, int, int]], dtype: str
) -> None:
    pictures, motion = numbered(height, width, len(moves), 1) // 2, whole(height, width, moves)
    masks = (pictures[..., 0] > 60) if dtype == "bool" else pictures[..., 0].astype(dtype)
    before = masks.copy()
    moved, expected = move_masks(masks, motion), warp(pictures.copy(), motion)[..., 0]
    assert moved.dtype == masks.dtype and np.array_equal(masks, before)
    assert np.array_equal(moved, expected > 60 if dtype == "bool" else expected.astype(dtype))


@given(height=SIDES, width=SIDES, moves=MOVES)
def test_what_comes_in_from_outside_can_be_named(
    height: int, width: int, moves: list[tuple[bool, bool, int, int]]
) -> None:
    motion, masks = whole(height, width, moves), numbered(height, width, len(moves), 1)[..., 0] // 2
    moved, repeated = move_masks(masks, motion, outside=255), move_masks(masks, motion)
    for mask, matrix, result in zip(masks, motion.matrices, moved, strict=True):
        expected = cv2.warpAffine(
            mask, matrix, (width, height), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=255
        )
        assert np.array_equal(result, expected)
    assert np.array_equal(moved[moved != 255], repeated[moved != 255])


@given(height=SIDES, width=SIDES, pairs=some.lists(some.tuples(MOVE, MOVE), min_size=1, max_size=5))
def test_a_product_does_what_one_motion_and_then_the_other_does(
    height: int, width: int, pairs: list[tuple[tuple[bool, bool, int, int], tuple[bool, bool, int, int]]]
) -> None:
    one, other = (whole(height, width, list(moves)) for moves in zip(*pairs, strict=True))
    masks = numbered(height, width, len(pairs), 1)[..., 0] // 2
    apart = move_masks(move_masks(masks, one, outside=255), other, outside=255)
    together = move_masks(masks, one.then(other), outside=255)
    # The product also brings back what the first alone would have lost outside of the frame.
    assert np.array_equal(apart[apart != 255], together[apart != 255])
    assert one.then(other).is_whole


@given(height=SIDES, width=SIDES, moves=MOVES)
def test_there_and_back_is_nowhere_and_a_mirror_twice_too(
    height: int, width: int, moves: list[tuple[bool, bool, int, int]]
) -> None:
    motion = whole(height, width, moves)
    assert np.array_equal(motion.then(motion.inverse()).matrices, identities(len(moves)))
    images, mirrors = numbered(height, width, len(moves)), whole(height, width, [(*m[:2], 0, 0) for m in moves])
    assert np.array_equal(warp(warp(images.copy(), mirrors), mirrors), images)
    assert np.array_equal(mirrors.then(mirrors).matrices, identities(len(moves)))


@pytest.mark.parametrize("degrees", [0.0, 17.0, -44.0, 90.0])
def test_turns_have_an_inverse_and_are_not_whole(degrees: float) -> None:
    motion = turned(degrees, 1.25, (40, 50), count=3)
    assert np.allclose(motion.then(motion.inverse()).matrices, identities(3), atol=1e-12) and not motion.is_whole


@pytest.mark.parametrize(("degrees", "scale"), [(15.0, 1.0), (-45.0, 1.2), (0.0, 1.7), (80.0, 0.8)])
def test_the_outline_of_a_mask_stays_with_its_picture_through_any_motion(degrees: float, scale: float) -> None:
    y, x = np.mgrid[:120, :100]
    mask = ((((y - 55) / 25) ** 2 + ((x - 52) / 18) ** 2) <= 1).astype(np.uint8)[None]
    motion = turned(degrees, scale, (120, 100))
    shown, followed = warp((mask * 200)[..., None], motion)[..., 0] >= 100, move_masks(mask, motion) == 1
    # The nearest pixel and half of the linear brightness differ by a fraction of a pixel along the outline.
    assert (shown & followed).sum() / (shown | followed).sum() > 0.97


def test_what_a_turn_lets_in_from_outside_can_be_named_too() -> None:
    mask, motion = np.ones((1, 30, 30), dtype=np.uint8), turned(45.0, 1.0, (30, 30))
    moved = move_masks(mask, motion, outside=255)
    assert np.all(moved[0, [0, 0, -1, -1], [0, -1, 0, -1]] == 255) and moved[0, 15, 15] == 1
    assert np.all(move_masks(mask, motion) == 1)


def test_an_example_moves_alike_in_any_batch() -> None:
    images, motion = numbered(30, 40, 6), turned(20.0, 1.1, (30, 40), count=6)
    motion.matrices[1::2] = whole(30, 40, [(True, False, 3, -2)]).matrices
    moved = warp(images.copy(), motion)
    for row in range(6):
        alone = Motion(motion.matrices[[row]], motion.before, motion.after)
        assert alone.is_whole == bool(row % 2)
        assert np.array_equal(warp(images[[row]].copy(), alone), moved[[row]])


def test_a_motion_may_lead_to_another_size() -> None:
    # A frame of 8 x 6 to one of 16 x 18: pixels become 2 x 3 pixels, whose edges, not centres, are multiples.
    matrices = np.array([[[2.0, 0.0, 0.5], [0.0, 3.0, 1.0]]])
    motion, mask = Motion(matrices, (6, 8), (18, 16)), numbered(6, 8, 1, 1)[..., 0]
    assert np.array_equal(move_masks(mask, motion), mask.repeat(3, axis=1).repeat(2, axis=2))
    assert np.array_equal(move_masks(move_masks(mask, motion), motion.inverse()), mask)
    boxes = np.array([[[0.0, 0.0, 8.0, 6.0], [1.0, 2.0, 3.0, 4.0]]])
    assert np.allclose(move_boxes(boxes, motion), [[[0, 0, 16, 18], [2, 6, 6, 12]]])
    wider = Motion(identities(1), (6, 8), (7, 10))
    assert np.array_equal(move_masks(mask, wider), np.pad(mask, ((0, 0), (0, 1), (0, 2)), mode="edge"))


def test_points_go_where_their_pixels_go() -> None:
    image = np.zeros((1, 41, 51, 1), dtype=np.uint8)
    image[0, 20:23, 30:33] = 255
    motion = turned(30.0, 1.0, (41, 51))
    moved = points(np.array([[[31.0, 21.0]]]), motion)
    y, x = np.nonzero(warp(image, motion)[0, :, :, 0] > 100)
    assert np.allclose([x.mean(), y.mean()], moved[0, 0], atol=0.3)
    assert np.allclose(points(moved, motion.inverse()), [[[31.0, 21.0]]])


@given(height=SIDES, width=SIDES, moves=MOVES)
def test_a_box_holds_just_the_pixels_that_it_held(
    height: int, width: int, moves: list[tuple[bool, bool, int, int]]
) -> None:
    motion = whole(height, width, moves)
    masks = np.zeros((len(moves), height, width), dtype=np.uint8)
    left, top = width // 3, height // 3
    masks[:, top : top + height // 2 + 1, left : left + width // 2 + 1] = 1
    edges = [[left, top, min(width, left + width // 2 + 1), min(height, top + height // 2 + 1)]]
    boxes = move_boxes(np.array([edges] * len(moves), dtype=np.float32), motion)
    assert isinstance(boxes, np.ndarray) and boxes.dtype == np.float32
    for mask, (box,) in zip(move_masks(masks, motion, outside=0), boxes, strict=True):
        left, top, right, bottom = box.astype(int)
        expected = np.zeros_like(mask)
        expected[top:bottom, left:right] = 1
        assert np.array_equal(mask, expected)


def test_each_example_has_as_many_boxes_as_it_has() -> None:
    motion = whole(10, 20, [(True, False, 0, 0), (False, False, 5, -3), (False, False, 0, 0)])
    boxes = Ragged(np.array([[1, 2, 4, 6], [0, 0, 18, 4]]), np.array([0, 1, 2, 2]))
    moved = move_boxes(boxes, motion)
    assert isinstance(moved, Ragged) and moved.lengths.tolist() == [1, 1, 0]
    # The second is cut to the frame on its right and its top.
    assert moved[0].tolist() == [[16, 2, 19, 6]] and moved[1].tolist() == [[5, 0, 20, 1]]
    free = move_boxes(boxes, motion, clip=False)
    assert free[1].tolist() == [[5, -3, 23, 1]]
    gone = move_boxes(np.array([[[0.0, 0.0, 3.0, 3.0]]]), whole(10, 20, [(False, False, -9, 0)]))
    assert gone[0, 0, 0] == gone[0, 0, 2]
    assert move_boxes(np.zeros((3, 0, 4)), motion).dtype == np.float64


def test_times_follow_a_motion_in_time() -> None:
    lengths = np.array([10, 20])
    faster = Motion(np.array([[0.5, 0.0], [1.0, 0.0]]), lengths, lengths)
    later = Motion(np.array([[1.0, 3.0], [1.0, -2.0]]), lengths, lengths)
    assert later.is_whole and not faster.is_whole
    both, times = faster.then(later), np.array([[4.0, 6.0], [4.0, 6.0]])
    assert np.array_equal(points(times, both), [[5, 6], [2, 4]])
    assert np.array_equal(points(points(times, both), both.inverse()), times)
    events = points(Ragged(np.array([4.0, 6.0, 8.0]), np.array([0, 1, 3])), both)
    assert events[0].tolist() == [5] and events[1].tolist() == [4, 6]
