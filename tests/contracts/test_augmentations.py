"""What every augmentation promises: uint8 in and out, the same shape, and draws that depend on the example alone."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from sonde import config, data
from sonde.data.augment.draws import uniform
from sonde.data.image.augment import TABLE, Look
from sonde.errors import ConfigError

NAMES = list(TABLE)
SHAPES = [(9, 9, 1), (9, 9, 3), (12, 7, 3), (5, 16, 1), (1, 1, 1), (1, 1, 3), (1, 8, 3), (33, 2, 1)]


def images(shape: tuple[int, int, int], count: int = 24) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, *shape), dtype=np.uint8)


def changed(
    batch: NDArray[np.uint8], name: str, strength: float, *, seed: int = 3, epoch: int = 2, rows: NDArray | None = None
) -> NDArray[np.uint8]:
    rows = np.arange(len(batch)) if rows is None else rows
    return data.augment(batch.copy(), {name: strength}, seed=seed, epoch=epoch, indices_B=rows, modality="image")


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
    assert np.array_equal(row.function(batch.copy(), row.neutral, draws), batch)


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
    result = TABLE["shift"].function(batch.copy(), 0.3, draws)
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
        seen = data.augment(images.copy(), {"flip": probability}, seed=3, epoch=epoch, indices_B=rows, modality="image")
        return np.array([not np.array_equal(a, b) for a, b in zip(seen, images, strict=True)])

    assert np.array_equal(mirrored(1), ~mirrored(2)) and np.array_equal(mirrored(3), ~mirrored(4))
    assert not np.array_equal(mirrored(1), mirrored(3)) and 70 < mirrored(1).sum() < 130
    # Other probabilities keep their share in each epoch.
    assert all(10 < mirrored(epoch, 0.15).sum() < 55 for epoch in (1, 2)) and mirrored(2, 1.0).all()
