"""What every augmentation of series promises: the same shape, and draws that depend on the example alone."""

from itertools import product

import numpy as np
import pytest

from sonde import data
from sonde.data.augment.motion import points
from sonde.data.ragged import Ragged, Stored
from sonde.data.series.augment import TABLE, Look

NAMES = list(TABLE)
LENGTHS = [(20,), (20, 7, 1, 2, 13)]


def batch(lengths: tuple[int, ...], count: int = 15) -> Stored:
    rng = np.random.default_rng(1)
    series = [rng.normal(size=(lengths[row % len(lengths)], 2)).astype(np.float32) for row in range(count)]
    return Ragged.of(series) if len(lengths) > 1 else np.stack(series)


def copied(stored: Stored) -> Stored:
    return Ragged(stored.values.copy(), stored.offsets) if isinstance(stored, Ragged) else stored.copy()


def changed(stored: Stored, name: str, strength: float, *, rows: np.ndarray | None = None, epoch: int = 2) -> Stored:
    rows = np.arange(len(stored)) if rows is None else rows
    strengths = {name: strength}
    result, motion = data.augment(copied(stored), strengths, modality="series", seed=3, epoch=epoch, indices_B=rows)
    assert (motion is not None) == (TABLE[name].kind == "geometric" and strength != TABLE[name].neutral)
    return result


@pytest.mark.parametrize(("name", "lengths"), list(product(NAMES, LENGTHS)))
def test_type_lengths_and_channels_stay_at_any_strength(name: str, lengths: tuple[int, ...]) -> None:
    row = TABLE[name]
    for strength in (row.low, (row.low + row.high) / 2, row.high):
        before, result = batch(lengths), changed(batch(lengths), name, strength)
        assert type(result) is type(before) and result.dtype == np.float32 and len(result) == len(before)
        assert all(result[place].shape == before[place].shape for place in range(len(before)))
        assert all(np.isfinite(result[place]).all() for place in range(len(before)))


@pytest.mark.parametrize(("name", "lengths"), list(product(NAMES, LENGTHS)))
def test_the_neutral_strength_changes_nothing_and_the_highest_most_series(name: str, lengths: tuple[int, ...]) -> None:
    row, before = TABLE[name], batch(lengths)
    draws = np.full((len(before), row.draws), 0.3)
    change = row.apply or row.function
    same, other = change(copied(before), row.neutral, draws), changed(before, name, row.high)
    assert all(np.array_equal(same[place], before[place]) for place in range(len(before)))
    long = [place for place in range(len(before)) if len(before[place]) > 3]
    assert np.mean([not np.array_equal(other[place], before[place]) for place in long]) > 0.8


@pytest.mark.parametrize(("name", "lengths"), list(product(NAMES, LENGTHS)))
def test_a_series_is_changed_alike_alone_and_in_any_batch(name: str, lengths: tuple[int, ...]) -> None:
    stored, strength = batch(lengths), TABLE[name].high * 0.7
    whole = changed(stored, name, strength)
    order = np.random.default_rng(0).permutation(len(stored))
    turned = changed(stored[order], name, strength, rows=order)
    assert all(np.array_equal(turned[place], whole[row]) for place, row in enumerate(order.tolist()))
    assert not np.array_equal(changed(stored, name, strength, epoch=3)[0], whole[0])


@pytest.mark.parametrize("lengths", LENGTHS)
def test_a_moment_goes_where_the_matrix_of_its_window_says(lengths: tuple[int, ...]) -> None:
    stored = batch(lengths)
    for series in (stored[row] for row in range(len(stored))):
        series[:] = np.arange(len(series))[:, None]
    result, motion = data.augment(
        copied(stored), {"window": 0.5}, modality="series", seed=3, epoch=2, indices_B=np.arange(len(stored))
    )
    assert motion is not None and motion.matrices.shape == (len(stored), 2)
    # Each value is the time that it was read at, so that moved it is the place where it stands.
    moved = points(result, motion)
    for row in range(len(stored)):
        assert np.allclose(moved[row], np.arange(len(stored[row]))[:, None], atol=1e-4)


def test_jitter_is_as_wide_as_its_strength() -> None:
    still = np.zeros((200, 50, 1), dtype=np.float32)
    noise = changed(still, "jitter", 0.5)
    assert isinstance(noise, np.ndarray)
    assert abs(noise.std() - 0.5) < 0.02 and abs(noise.mean()) < 0.02
    assert abs(np.corrcoef(noise[0, :, 0], noise[1, :, 0])[0, 1]) < 0.5


def test_warping_keeps_both_ends_and_a_window_keeps_the_range() -> None:
    ramp = np.tile(np.linspace(0, 1, 30, dtype=np.float32)[None, :, None], (20, 1, 1))
    warped, cut = changed(ramp, "warp", 1.0), changed(ramp, "window", 0.5)
    assert isinstance(warped, np.ndarray) and isinstance(cut, np.ndarray)
    assert np.allclose(warped[:, [0, -1]], ramp[:, [0, -1]], atol=1e-5) and np.all(np.diff(warped[..., 0]) > 0)
    kept = cut[:, -1, 0] - cut[:, 0, 0]
    assert np.all((kept > 0.49) & (kept <= 1.0001)) and kept.std() > 0.05


@pytest.mark.parametrize("name", NAMES)
def test_the_guessed_default_is_in_range_and_has_a_reason(name: str) -> None:
    row = TABLE[name]
    strength, reason = row.guess(Look(length=40, examples=100))
    assert row.low <= strength <= row.high and len(reason) > 5
    assert row.low <= row.neutral <= row.high and row.doc.endswith(".")
