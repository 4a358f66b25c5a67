"""What every augmentation promises: uint8 in and out, the same shape, and draws that depend on the example alone."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from sonde import config, data
from sonde.data.augment.draws import uniform, uniforms
from sonde.data.augment.motion import identities, move_boxes, move_masks, warp
from sonde.data.image.augment import TABLE, Look, shift
from sonde.errors import ConfigError

NAMES = list(TABLE)
SHAPES = [(9, 9, 1), (9, 9, 3), (12, 7, 3), (5, 16, 1), (1, 1, 1), (1, 1, 3), (1, 8, 3), (33, 2, 1)]


def images(shape: tuple[int, int, int], count: int = 24) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, *shape), dtype=np.uint8)


def changed(
    batch: NDArray[np.uint8], name: str, strength: float, *, seed: int = 3, epoch: int = 2, rows: NDArray | None = None
) -> NDArray[np.uint8]:
    rows = np.arange(len(batch)) if rows is None else rows
    result, motion = data.augment(
        batch.copy(), {name: strength}, seed=seed, epoch=epoch, indices_B=rows, modality="image"
    )
    assert (motion is not None) == (TABLE[name].kind == "geometric" and strength != TABLE[name].neutral)
    return result


@pytest.mark.parametrize(("name", "shape"), list(product(NAMES, SHAPES)))
def test_type_and_shape_stay_at_any_strength(name: str, shape: tuple[int, int, int]) -> None:
    row = TABLE[name]
    for strength in (row.low, (row.low + row.high) / 2, row.high):
        batch = images(shape)
        before = batch.copy()
        result = changed(batch, name, strength)
        assert result.dtype == np.uint8 and result.shape == batch.shape
        assert np.array_equal(batch, before)
        assert not np.shares_memory(result, batch)


@pytest.mark.parametrize("name", NAMES)
def test_the_neutral_strength_changes_nothing(name: str) -> None:
    batch = images((12, 7, 3))
    row = TABLE[name]
    assert np.array_equal(changed(batch, name, row.neutral), batch)
    draws = uniform(name, row.draws, seed=0, epoch=1, indices_B=np.arange(len(batch)))
    if row.kind == "geometric":
        assert np.array_equal(row.function((12, 7), row.neutral, draws), identities(len(batch)))
    if change := row.apply or (row.function if row.kind == "values" else None):
        assert np.array_equal(change(batch.copy(), row.neutral, draws), batch)


@pytest.mark.parametrize("name", NAMES)
def test_full_strength_changes_most_images(name: str) -> None:
    batch = images((12, 12, 3))
    result = changed(batch, name, TABLE[name].high)
    assert np.mean(np.any(result != batch, axis=(1, 2, 3))) > 0.8


@pytest.mark.parametrize("shape", [(9, 12, 3), (30, 20, 1), (80, 90, 3)])
def test_shifting_moves_every_pixel_alike_at_any_size(shape: tuple[int, int, int]) -> None:
    batch = images(shape)
    height, width = shape[:2]
    draws = uniform("shift", 2, seed=0, epoch=1, indices_B=np.arange(len(batch)))
    result = shift(batch.copy(), 0.3, draws)
    most_y, most_x = round(0.3 * height), round(0.3 * width)
    for image, moved, (down, right) in zip(batch, result, draws, strict=True):
        rows = np.clip(np.arange(height) - (int(down * (2 * most_y + 1)) - most_y), 0, height - 1)
        columns = np.clip(np.arange(width) - (int(right * (2 * most_x + 1)) - most_x), 0, width - 1)
        assert np.array_equal(moved, image[rows][:, columns])


@pytest.mark.parametrize("name", NAMES)
def test_seed_epoch_and_place_decide_and_nothing_else(name: str) -> None:
    batch = np.repeat(images((12, 12, 3), 1), 24, axis=0)
    strength = TABLE[name].high / 2
    result = changed(batch, name, strength)
    assert np.array_equal(result, changed(batch, name, strength))
    assert not np.array_equal(result, changed(batch, name, strength, seed=4))
    assert not np.array_equal(result, changed(batch, name, strength, epoch=3))
    assert not np.array_equal(result, changed(batch, name, strength, rows=np.arange(24) + 24))


def test_drawing_for_several_names_at_once_gives_each_its_own_numbers() -> None:
    rows = np.array([5, 0, 2**40])
    both = uniforms({"flip": (1, 3), "erase": (8, 4)}, seed=7, indices_B=rows)
    assert np.array_equal(both["flip"], uniform("flip", 1, seed=7, epoch=3, indices_B=rows))
    assert np.array_equal(both["erase"], uniform("erase", 8, seed=7, epoch=4, indices_B=rows))
    assert both["erase"].shape == (3, 8) and uniforms({}, seed=7, indices_B=rows) == {}
    # Numbers of today, since a resumed run must draw what the stopped one would have drawn.
    assert both["flip"][:, 0].tolist() == [0.23383395498837745, 0.8889124729029614, 0.19385784683029783]


@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_changed_alike_alone_and_in_any_batch(name: str) -> None:
    batch = images((12, 9, 3), 50)
    strength = TABLE[name].high * 0.7
    whole = changed(batch, name, strength)
    order = np.random.default_rng(0).permutation(50)
    assert np.array_equal(changed(batch[order], name, strength, rows=order), whole[order])
    for start in range(0, 50, 7):
        rows = np.arange(start, min(start + 7, 50))
        assert np.array_equal(changed(batch[rows], name, strength, rows=rows), whole[rows])
    assert np.array_equal(changed(batch[[17]], name, strength, rows=np.array([17])), whole[[17]])


@pytest.mark.parametrize("name", NAMES)
def test_the_guessed_default_is_in_range_and_has_a_reason(name: str) -> None:
    row = TABLE[name]
    for look in (Look(8, 8, 1, ("0", "1")), Look(64, 64, 3, ("daisy", "rose")), Look(32, 32, 3, ("3", "7"))):
        strength, reason = row.guess(look)
        assert row.low <= strength <= row.high and len(reason) > 5
    assert row.low <= row.neutral <= row.high and row.doc.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_a_strength_out_of_range_or_of_the_wrong_type_is_refused_with_the_range(name: str) -> None:
    row = TABLE[name]
    for value in (row.high + 0.1, row.low - 0.1, float("nan"), True, "much"):
        settings = config.Settings({f"augment.{name}": config.Setting(value, "file", place="run.toml, line 9")})
        with pytest.raises(ConfigError, match=f"run.toml, line 9.*augment.{name}.*at most {row.high:g}"):
            data.fill_augment(settings, "image")


def test_an_unknown_augmentation_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'rotate'"):
        data.fill_augment(config.from_assignments(["augment.rotat=3"]), "image")


def test_what_nobody_sets_is_off() -> None:
    strengths = data.fill_augment(config.from_assignments(["augment.flip=1"]), "image")
    assert strengths == {"rotate": 0.0, "crop": 0.0, "shift": 0.0, "flip": 1.0, "erase": 0.0}


def test_digits_and_grey_images_are_not_mirrored_and_colour_photographs_are() -> None:
    flip = TABLE["flip"].guess
    assert flip(Look(64, 64, 3, ("daisy", "rose")))[0] == 0.5
    assert flip(Look(64, 64, 1, ("daisy", "rose")))[0] == 0
    assert flip(Look(32, 32, 3, ("0", "1", "7")))[0] == 0
    assert flip(Look(16, 16, 3, ("daisy", "rose")))[0] == 0


def test_of_two_epochs_exactly_one_mirrors_an_image_at_one_half() -> None:
    images = np.random.default_rng(0).integers(0, 256, (200, 4, 5, 1), dtype=np.uint8)
    rows = np.arange(200)

    def mirrored(epoch: int, probability: float = 0.5) -> NDArray[np.bool_]:
        strengths = {"flip": probability}
        seen, _ = data.augment(images.copy(), strengths, seed=3, epoch=epoch, indices_B=rows, modality="image")
        return np.array([not np.array_equal(a, b) for a, b in zip(seen, images, strict=True)])

    assert np.array_equal(mirrored(1), ~mirrored(2)) and np.array_equal(mirrored(3), ~mirrored(4))
    assert not np.array_equal(mirrored(1), mirrored(3)) and 70 < mirrored(1).sum() < 130
    # Other probabilities keep their share in each epoch.
    assert all(10 < mirrored(epoch, 0.15).sum() < 55 for epoch in (1, 2)) and mirrored(2, 1.0).all()


GEOMETRIC = [name for name in NAMES if TABLE[name].kind == "geometric"]
COMBINED = [{name: TABLE[name].high / 2} for name in GEOMETRIC] + [
    {"shift": 0.2, "flip": 0.5},
    {"shift": 0.2, "crop": 0.4},
    {"shift": 0.2, "crop": 0.4, "flip": 0.5, "erase": 0.0},
    {"rotate": 30.0, "shift": 0.1, "crop": 0.3, "flip": 0.5},
]


def discs(count: int = 12, height: int = 96, width: int = 112) -> NDArray[np.uint8]:
    """Return masks that are 1 in an ellipse somewhere near the middle."""
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:height, :width]
    masks = []
    for _ in range(count):
        (middle_y, middle_x), (high, wide) = rng.uniform(0.4, 0.6, 2) * (height, width), rng.uniform(12, 24, 2)
        masks.append(((y - middle_y) / high) ** 2 + ((x - middle_x) / wide) ** 2 <= 1)
    return np.array(masks, dtype=np.uint8)


@pytest.mark.parametrize("strengths", COMBINED, ids="+".join)
def test_masks_and_boxes_follow_what_is_drawn_of_them(strengths: dict[str, float]) -> None:
    masks, rows = discs(), np.arange(12)
    pictures = (masks * 200)[..., None]
    moved, motion = data.augment(pictures.copy(), strengths, modality="image", seed=1, epoch=2, indices_B=rows)
    assert motion is not None and isinstance(moved, np.ndarray)
    shown, followed = moved[..., 0] >= 100, move_masks(masks, motion) == 1
    if motion.is_whole:
        assert np.array_equal(moved[..., 0], move_masks(masks, motion) * 200)
    shared = (shown & followed).sum(axis=(1, 2)) / np.maximum(1, (shown | followed).sum(axis=(1, 2)))
    # An edge that runs through a pixel may be rounded to either side: about one pixel in twenty along the outline.
    assert shared[shown.any(axis=(1, 2))].min() > 0.95

    def edges(mask: NDArray[np.bool_]) -> list[list[float]]:
        y, x = np.nonzero(mask)
        return [[x.min(), y.min(), x.max() + 1, y.max() + 1]]

    boxes = move_boxes(np.array([edges(mask == 1) for mask in masks], dtype=np.float64), motion)
    assert isinstance(boxes, np.ndarray)
    # A half pixel of interpolation, enlarged at most tenfold; a rotated box has room around a rotated ellipse.
    slack = 0.0 if motion.is_whole else 0.51 * np.abs(motion.matrices[:, :, :2]).max()
    for box, mask in zip(boxes[:, 0], shown, strict=True):
        if mask.any():
            left, top, right, bottom = edges(mask)[0]
            assert box[0] <= left + slack and box[1] <= top + slack
            assert box[2] >= right - slack and box[3] >= bottom - slack
            if "rotate" not in strengths:
                assert np.abs(box - [left, top, right, bottom]).max() <= slack


@pytest.mark.parametrize("strengths", COMBINED, ids="+".join)
def test_pixels_go_where_the_matrices_say(strengths: dict[str, float]) -> None:
    y, x = np.mgrid[:64, :80]
    waves = (128 + 60 * np.sin(x / 6) + 60 * np.cos(y / 9))[None, ..., None].astype(np.uint8).repeat(8, axis=0)
    moved, motion = data.augment(waves.copy(), strengths, modality="image", seed=1, epoch=2, indices_B=np.arange(8))
    assert motion is not None and isinstance(moved, np.ndarray)
    warped = warp(waves.copy(), motion)
    # cv2.resize and cv2.warpAffine round differently, and what is cut out repeats its own border, for half a pixel.
    assert np.abs(moved.astype(int) - warped).mean() <= (0.5 if "crop" in strengths else 0.0)


def test_what_moves_nothing_has_no_motion_and_what_moves_alike_is_one_motion() -> None:
    batch, rows = images((12, 9, 3)), np.arange(24)

    def motion(strengths: dict[str, float]) -> data.Motion | None:
        return data.augment(batch.copy(), strengths, modality="image", seed=1, epoch=2, indices_B=rows)[1]

    assert motion({}) is None and motion({"erase": 1.0, "flip": 0.0}) is None
    shifted, flipped, both = motion({"shift": 0.3}), motion({"flip": 0.5}), motion({"flip": 0.5, "shift": 0.3})
    assert shifted is not None and flipped is not None and both is not None and both.is_whole
    assert np.array_equal(both.matrices, shifted.then(flipped).matrices)
    assert both.before == both.after == (12, 9) and both.matrices.shape == (24, 2, 3)


@pytest.mark.parametrize("strengths", COMBINED, ids="+".join)
def test_combined_motions_do_not_depend_on_the_batch(strengths: dict[str, float]) -> None:
    batch = images((33, 40, 3), 20)

    def changed_at(rows: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        result, motion = data.augment(batch[rows].copy(), strengths, modality="image", seed=1, epoch=2, indices_B=rows)
        assert motion is not None and isinstance(result, np.ndarray)
        return result, motion.matrices

    whole, matrices = changed_at(np.arange(20))
    for rows in (np.array([7]), np.array([19, 3, 11])):
        assert np.array_equal(changed_at(rows)[0], whole[rows]) and np.array_equal(changed_at(rows)[1], matrices[rows])
