"""Augmentations of time series: each takes float32 series, scaled to deviation 1, its strength and random numbers.

The series are B x T x C, or ragged; what they are filled up with is added later. See Um et al. (2017, arXiv
1706.00527) for jitter, scaling and time warping, and Le Guennec et al. (2016) for window slicing.

See what they do:  sonde show DATA
"""

# B batch, T steps of time, C channels, K random numbers

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonde.data.augment.augmentation import Augmentation
from sonde.data.augment.draws import mix
from sonde.data.augment.motion import Matrices
from sonde.data.ragged import Ragged, Stored

Draws = NDArray[np.float64]
Floats = NDArray[np.float32]

KNOTS = 4
"""Places along a series where its clock is made faster or slower."""


@dataclass(frozen=True)
class Look:
    """What a default is guessed from."""

    length: int
    """Steps of the middle series by length."""
    examples: int


def jitter(batch: Stored, spread: float, draws_BK: Draws) -> Stored:
    """Add normal noise to every value.

    Args:
        spread: its deviation, in deviations of the training data.
        draws_BK: 1 number each, from which the noise of a series follows.
    """
    if spread == 0:
        return batch
    return _each(batch, draws_BK, lambda series, draws: series + np.float32(spread) * _normal(draws[0], series.shape))


def scaling(batch: Stored, spread: float, draws_BK: Draws) -> Stored:
    """Make each series larger or smaller as a whole, by a factor whose logarithm is up to so much either way.

    Args:
        draws_BK: 1 number each.
    """
    factors = np.exp((2 * draws_BK[:, 0] - 1) * spread).astype(np.float32)
    if isinstance(batch, Ragged):
        return Ragged(batch.values * np.repeat(factors, batch.lengths)[:, None], batch.offsets)
    return batch * factors[:, None, None]


def window(batch: Stored, share: float, draws_BK: Draws) -> Stored:
    """Cut out a random piece that is up to this share shorter, and stretch it to the old length.

    Args:
        share: how much of a series may be lost.
        draws_BK: 2 numbers each: size, beginning.
    """
    if share == 0:
        return batch

    def cut(series: Floats, draws: Draws) -> Floats:
        last = len(series) - 1
        kept = last * (1 - share * draws[0])
        return _read_at(series, np.linspace(0, kept, len(series)) + (last - kept) * draws[1])

    return _each(batch, draws_BK, cut)


def window_matrices(steps_B: NDArray[np.int64], share: float, draws_BK: Draws) -> Matrices:
    """Return the matrices of `window`, B x 2."""
    lasts_B = steps_B - 1
    scales_B = 1 / (1 - share * draws_BK[:, 0])
    begins_B = (lasts_B - lasts_B / scales_B) * draws_BK[:, 1]
    # A series of one step stays as it is.
    return np.stack([np.where(lasts_B > 0, scales_B, 1.0), -begins_B * scales_B], axis=1)


def warp(batch: Stored, strength: float, draws_BK: Draws) -> Stored:
    """Let time run faster in some parts and slower in others; beginning and end stay.

    This is not affine, so no matrix describes it, and truths that lie in time do not follow it.

    Args:
        strength: the largest logarithm of the pace at a knot.
        draws_BK: as many numbers each as there are knots.
    """
    if strength == 0:
        return batch

    def warped(series: Floats, draws: Draws) -> Floats:
        last = len(series) - 1
        if last < 2:
            return series
        paces = np.exp((2 * draws - 1) * strength)
        pace = np.interp(np.linspace(0, 1, last), np.linspace(0, 1, KNOTS), paces)
        times = np.concatenate([[0.0], np.cumsum(pace)])
        return _read_at(series, times * (last / times[-1]))

    return _each(batch, draws_BK, warped)


def _off(look: Look) -> tuple[float, str]:
    return 0.0, "off unless asked for"


TABLE: Mapping[str, Augmentation] = {
    "window": Augmentation(
        window_matrices, 2, "Cuts out a piece up to this share shorter and stretches it to the old length.",
        low=0.0, high=0.9, guess=_off, kind="geometric", apply=window,
    ),
    "warp": Augmentation(
        warp, KNOTS, "Lets time run faster and slower by up to this logarithm.", low=0.0, high=2.0, guess=_off
    ),
    "scaling": Augmentation(
        scaling, 1, "Multiplies a series by a factor whose logarithm is up to this.", low=0.0, high=2.0, guess=_off
    ),
    "jitter": Augmentation(
        jitter, 1, "Adds normal noise of this deviation, in deviations of the data.", low=0.0, high=2.0, guess=_off
    ),
}  # fmt: skip
"""Every augmentation of series, in the order in which they are applied and shown."""


def _each(batch: Stored, draws_BK: Draws, change: Callable[[Floats, Draws], Floats]) -> Stored:
    changed = [change(batch[row], draws) for row, draws in enumerate(draws_BK)]
    if isinstance(batch, Ragged):
        return Ragged(np.concatenate(changed).astype(np.float32), batch.offsets)
    return np.stack(changed).astype(np.float32)


def _read_at(series_TC: Floats, times_T: NDArray[np.float64]) -> Floats:
    """Return a series read at other times, on the lines between its steps."""
    last = len(series_TC) - 1
    if last < 1:
        return series_TC
    before = np.clip(times_T.astype(np.int64), 0, last - 1)
    share = (times_T - before).astype(np.float32)[:, None]
    return series_TC[before] * (1 - share) + series_TC[before + 1] * share


def _normal(draw: float, shape: tuple[int, ...]) -> Floats:
    """Return normal numbers that follow from one number (Box and Muller, 1958)."""
    count = int(np.prod(shape))
    # As an array, since numpy warns of the overflow of single numbers.
    state_1 = mix(np.array([int(draw * 2.0**53)], dtype=np.uint64))
    bits: NDArray[np.uint64] = mix(np.asarray(state_1 + np.arange(2 * count, dtype=np.uint64), dtype=np.uint64))
    numbers = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    normal = np.sqrt(-2 * np.log(numbers[:count])) * np.cos(2 * np.pi * numbers[count:])
    return normal.reshape(shape).astype(np.float32)
