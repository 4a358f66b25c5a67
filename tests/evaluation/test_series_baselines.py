"""What holds for the baselines of series: the nearest neighbour, and MiniRocket."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from evaluation_makers import guess_baselines
from sonde import backend
from sonde.answers.baselines.series_baselines import nearest_neighbour
from sonde.answers.classification.baselines import METHODS
from sonde.data.ragged import Ragged
from sonde.evaluation.solved_baselines import SOLVED

RNG = np.random.default_rng(0)
TRUTH = np.arange(60) % 3
SERIES = (np.sin(np.arange(30)[None, :] * (0.3 + 0.3 * TRUTH)[:, None]) + RNG.normal(0, 0.4, (60, 30))).astype(
    np.float32
)
SERIES = SERIES[..., None]


def test_the_nearest_neighbour_is_that_of_scikit_learn() -> None:
    train, test = SERIES[:40], SERIES[40:]
    oracle = KNeighborsClassifier(1).fit(train[..., 0], TRUTH[:40]).predict(test[..., 0])
    found = nearest_neighbour(train, TRUTH[:40], test, 3, 1000)
    assert np.array_equal(found.argmax(axis=1), oracle)
    assert np.allclose(found.sum(axis=1), 1) and found.min() > 0 and 1 / 3 < found.max() < 1


def test_neighbours_are_found_far_from_zero_too() -> None:
    near, far = (nearest_neighbour(each[:40], TRUTH[:40], each[40:], 3, 1000) for each in (SERIES, SERIES + 10_000))
    assert np.array_equal(near.argmax(axis=1), far.argmax(axis=1))


def test_series_of_other_lengths_and_with_gaps_are_compared_too() -> None:
    gaps = SERIES.copy()
    gaps[::7, 3:6] = np.nan
    stretched = Ragged.of([each[:: 1 + row % 2] for row, each in enumerate(gaps)])
    found = nearest_neighbour(stretched[:40], TRUTH[:40], stretched[40:], 3, 1000)
    assert np.mean(found.argmax(axis=1) == TRUTH[40:]) > 0.7


@pytest.mark.parametrize("ragged", [False, True])
def test_every_baseline_of_series_gives_probabilities(ragged: bool) -> None:
    backend.use("torch").start(threads=1)
    stored = Ragged.of([each[: 30 - row % 5] for row, each in enumerate(SERIES)]) if ragged else SERIES
    guesses = guess_baselines("series", stored[:40], TRUTH[:40], stored[40:], classes=3)  # type: ignore[arg-type]
    assert list(guesses) == ["majority class", *METHODS["series"], *SOLVED["series"]]
    for each in guesses.values():
        assert each.shape == (20, 3) and np.allclose(each.sum(axis=1), 1)
    assert np.mean(guesses["MiniRocket"].argmax(axis=1) == TRUTH[40:]) > 0.9
