"""What every augmentation of recordings promises: decibels in and out, one shape, draws that are each one's own."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from sonde import data
from sonde.data.audio.augment import TABLE, Look
from sonde.data.augment.draws import uniform
from sonde.data.augment.motion import points

NAMES = list(TABLE)
SHAPES = [(43, 40), (9, 3), (1, 1), (1, 20), (30, 1)]


def spectrograms(shape: tuple[int, int] = (43, 40), count: int = 24) -> NDArray[np.float32]:
    """Return spectrograms between -80 and 0 decibels, with silence at both ends."""
    rng = np.random.default_rng(1)
    batch = rng.uniform(-60, 0, (count, *shape)).astype(np.float32)
    quiet = shape[0] // 4
    batch[:, :quiet] = batch[:, shape[0] - quiet :] = -80
    return batch


def changed(
    batch: NDArray[np.float32],
    name: str,
    strength: float,
    *,
    seed: int = 3,
    rows: NDArray[np.int64] | None = None,
    pool: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    rows = np.arange(len(batch)) if rows is None else rows
    pool = spectrograms(batch.shape[1:]) if pool is None else pool
    mixed = data.mix_others(batch.copy(), pool, {name: strength}, modality="audio", moment=(seed, 2), indices_B=rows)
    result, motion = data.augment(mixed, {name: strength}, modality="audio", seed=seed, epoch=2, indices_B=rows)
    assert isinstance(result, np.ndarray)
    assert (motion is not None) == (TABLE[name].kind == "geometric" and strength != TABLE[name].neutral)
    return result


@pytest.mark.parametrize(("name", "shape"), list(product(NAMES, SHAPES)), ids=str)
def test_type_and_shape_stay_and_numbers_stay_finite_at_any_strength(name: str, shape: tuple[int, int]) -> None:
    row = TABLE[name]
    for strength in (row.low, (row.low + row.high) / 2, row.high):
        result = changed(spectrograms(shape), name, strength)
        assert result.dtype == np.float32 and result.shape == (24, *shape) and np.isfinite(result).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_neutral_strength_changes_nothing_and_the_full_one_most(name: str) -> None:
    batch = spectrograms()
    assert np.array_equal(changed(batch, name, TABLE[name].neutral), batch)
    draws = uniform(name, TABLE[name].draws, seed=0, epoch=1, indices_B=np.arange(len(batch)))
    given = (batch.copy(), batch[::-1].copy()) if TABLE[name].mixes else batch.copy()
    change = TABLE[name].apply or TABLE[name].function
    assert np.allclose(change(given, TABLE[name].neutral, draws), batch, atol=1e-4)
    assert np.mean(np.any(changed(batch, name, TABLE[name].high) != batch, axis=(1, 2))) > 0.8


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_changed_alike_alone_and_in_any_batch(name: str) -> None:
    batch, strength = spectrograms(count=30), 0.7 * TABLE[name].high
    whole = changed(batch, name, strength)
    order = np.random.default_rng(0).permutation(30)
    assert np.array_equal(changed(batch[order], name, strength, rows=order), whole[order])
    assert np.array_equal(changed(batch[[17]], name, strength, rows=np.array([17])), whole[[17]])
    assert not np.array_equal(changed(batch, name, strength, seed=4), whole)


def test_a_shift_moves_all_bands_by_whole_frames_and_lets_silence_in() -> None:
    batch = spectrograms()
    for before, after in zip(batch, changed(batch, "shift", 0.5), strict=True):
        moves = [
            move
            for move in range(-22, 23)
            if np.array_equal(after[max(0, move) : 43 + min(0, move)], before[max(0, -move) : 43 - max(0, move)])
        ]
        assert moves and np.all((after == -80) | np.isin(after, before))


def test_a_sound_goes_where_the_matrices_of_stretch_and_shift_say() -> None:
    clicks, frames = np.full((24, 101, 4), -80, dtype=np.float32), np.arange(101)
    clicks[:] -= 0.02 * (frames[:, None] - 50) ** 2
    strengths, rows = {"stretch": 0.2, "shift": 0.2}, np.arange(24)
    result, motion = data.augment(clicks, strengths, modality="audio", seed=3, epoch=2, indices_B=rows)
    assert motion is not None and motion.matrices.shape == (24, 2) and isinstance(result, np.ndarray)
    moved = points(np.full((24, 1), 50.0), motion)
    # The loudest frame is the one nearest to where the loudest moment has gone.
    assert np.abs(result[:, :, 0].argmax(axis=1) - moved[:, 0]).max() <= 1.0
    assert np.ptp(moved) > 10
    _, around = data.augment(spectrograms(), {"stretch": 0.2}, modality="audio", seed=3, epoch=2, indices_B=rows)
    assert around is not None and np.allclose(points(np.full((24, 1), 21.0), around), 21.0)


def test_gain_changes_what_is_heard_and_leaves_silence() -> None:
    batch = spectrograms()
    result = changed(batch, "gain", 10.0)
    heard = batch > -80
    differences = np.where(heard & (result > -80), result - batch, np.nan)
    assert np.nanmax(np.nanstd(differences, axis=(1, 2))) < 1e-4 and np.nanmax(np.abs(differences)) <= 10
    assert np.all(result >= -80)


@pytest.mark.parametrize("name", ["noise", "mix"])
def test_what_is_added_makes_nothing_quieter_and_stays_below_the_loudest(name: str) -> None:
    batch = spectrograms()
    result = changed(batch, name, 1.0)
    assert np.all(result >= batch - 1e-3) and np.all(result.max(axis=(1, 2)) < batch.max(axis=(1, 2)) + 10)
    # Two powers add up: what is far below leaves the louder as it is, what is equal gives 3 decibels more.
    from sonde.data.audio.augment import _together

    levels = np.float32([[0, 0, -50]]), np.float32([[0, -10, 0]])
    assert np.allclose(_together(*levels), [[3.0103, 0.4139, 0.00004]], atol=1e-3)


def test_masks_cover_no_more_than_two_ranges_of_the_longest_length() -> None:
    batch = spectrograms()
    for name, axis in (("mask_time", 2), ("mask_bands", 1)):
        whole = np.all(changed(batch, name, 0.25) != batch, axis=axis)
        assert whole.any() and whole.sum(axis=1).max() <= 2 * round(0.25 * batch.shape[3 - axis])


def test_mixing_takes_from_the_pool_and_no_other_augmentation_does() -> None:
    batch, pool = spectrograms(count=4), spectrograms(count=4) - 30
    assert not np.array_equal(changed(batch, "mix", 1.0), changed(batch, "mix", 1.0, pool=pool[:1] * 0 - 80))
    assert [name for name, row in TABLE.items() if row.mixes] == ["mix"]


@pytest.mark.parametrize("name", NAMES)
def test_the_guessed_default_is_in_range_and_has_a_reason(name: str) -> None:
    row = TABLE[name]
    strength, reason = row.guess(Look(seconds=1.0, classes=("0", "1")))
    assert row.low <= strength <= row.high and row.low <= row.neutral <= row.high
    assert len(reason) > 5 and row.doc.endswith(".")
