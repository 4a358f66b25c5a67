"""Baselines guess what they should, the same each time, and cope with odd data."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from evaluation_makers import guess_baselines
from sonde.answers.baselines.image_baselines import MOST_FEATURES, pixel_features
from sonde.answers.baselines.linear_classifier import subset
from sonde.answers.classification.baselines import METHODS

LINEAR = "logistic regression on pixels"


def _digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    digits = load_digits()
    return (digits.images / 16 * 255).astype(np.uint8)[..., None], digits.target.astype(np.int64)


def test_the_majority_class_has_the_shares_of_the_training_split() -> None:
    train = np.zeros((4, 2, 2, 1), np.uint8)
    found = guess_baselines("image", train, [0, 2, 2, 0], np.zeros((3, 2, 2, 1), np.uint8), classes=4)["majority class"]
    assert found.tolist() == [[0.5, 0, 0.5, 0]] * 3


def test_logistic_regression_reads_digits_well_and_always_the_same() -> None:
    inputs, truth = _digits()
    first, second = (
        guess_baselines("image", inputs[:1200], truth[:1200], inputs[1200:], classes=10)[LINEAR] for _ in range(2)
    )
    assert (first.argmax(axis=1) == truth[1200:]).mean() > 0.9
    assert (first == second).all()


@pytest.mark.parametrize("name", METHODS["image"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 500, 1), (64, 48, 3)])
def test_every_baseline_gives_probabilities_for_any_shape(name: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    train = rng.integers(0, 256, (12, *shape), np.uint8)
    found = METHODS["image"][name](train, np.arange(12, dtype=np.int64) % 3, train[:5], 4, 1000)
    assert found.shape == (5, 4) and found.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-12)
    assert (found[:, 3] == 0).all() and (found >= 0).all()


def test_one_class_in_training_leaves_the_majority_guess() -> None:
    inputs = np.zeros((3, 4, 4, 1), np.uint8)
    assert guess_baselines("image", inputs, [1, 1, 1], inputs, classes=2)[LINEAR].tolist() == [[0, 1]] * 3


def test_the_linear_baseline_reads_no_more_examples_than_it_may() -> None:
    inputs, truth = _digits()
    few, some, all_of_them = (
        guess_baselines("image", inputs[:1200], truth[:1200], inputs[1200:], classes=10, most=most)[LINEAR]
        for most in (100, 1000, 10_000)
    )
    right = [(found.argmax(axis=1) == truth[1200:]).mean() for found in (few, some, all_of_them)]
    assert 0.5 < right[0] < right[1] - 0.02 and right[2] > 0.9
    assert (few != some).any() and (some != all_of_them).any()


def test_of_many_examples_each_class_is_read_in_proportion_and_at_least_once() -> None:
    truth = np.array([0] * 900 + [1] * 99 + [2])
    chosen = subset(truth, 100)
    assert np.bincount(truth[chosen]).tolist() == [90, 9, 1]
    assert len(set(chosen.tolist())) == 100


def test_large_images_are_shrunk_to_the_stated_number_of_features() -> None:
    features = pixel_features(np.full((2, 128, 96, 3), 51, np.uint8), np.array([0, 1]))
    assert 900 <= features.shape[1] <= MOST_FEATURES
    assert features == pytest.approx(np.full(features.shape, 0.2), abs=1e-6)
