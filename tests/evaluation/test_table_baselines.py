"""The baselines of tables read the same columns as the model, gaps, categories and all."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from evaluation_makers import guess_baselines
from sonde.answers.classification.baselines import METHODS
from sonde.data.table.columns import table_of

Rows = NDArray[np.void]


def make(count: int, *, seed: int) -> tuple[Rows, NDArray[np.int64]]:
    """Return rows whose class is whether a number is far from 0, turned round by a category; some are missing."""
    rng = np.random.default_rng(seed)
    x, kind = rng.normal(size=count), rng.choice(np.array(["left", "right", ""]), count)
    truth = (np.abs(x) > 0.7) ^ (kind == "right")
    x[rng.random(count) < 0.1] = np.nan
    return table_of({"x": x, "noise": rng.normal(size=count), "kind": kind}), truth.astype(np.int64)


def accuracy(probabilities: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    return float((probabilities.argmax(axis=1) == truth).mean())


def test_boosting_finds_what_a_line_cannot() -> None:
    (train, train_truth), (test, test_truth) = make(600, seed=0), make(400, seed=1)
    guesses = guess_baselines("table", train, train_truth, test, classes=2)
    assert list(guesses) == ["majority class", "logistic regression", "gradient boosting"]
    for probabilities in guesses.values():
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert accuracy(guesses["gradient boosting"], test_truth) > 0.85
    assert (
        accuracy(guesses["gradient boosting"], test_truth) > accuracy(guesses["logistic regression"], test_truth) + 0.15
    )


def test_boosting_on_numbers_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    features, truth = rng.normal(size=(200, 3)), rng.integers(0, 3, 200)
    rows = table_of({f"x{place}": features[:, place] for place in range(3)})
    own = HistGradientBoostingClassifier(early_stopping=False, random_state=0).fit(features[:150], truth[:150])
    guess = METHODS["table"]["gradient boosting"](rows[:150], truth[:150], rows[150:], 3, 1000)
    np.testing.assert_allclose(guess, own.predict_proba(features[150:]), atol=1e-9)


def test_a_category_with_more_values_than_trees_can_split_is_read_all_the_same() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"town {number}" for number in rng.integers(0, 400, 2000)])
    truth = np.array([int(word.split()[1]) % 2 for word in words])
    rows = table_of({"town": words})
    for name in ("logistic regression", "gradient boosting"):
        guess = METHODS["table"][name](rows[:1500], truth[:1500], rows[1500:], 2, 10_000)
        assert guess.shape == (500, 2) and np.isfinite(guess).all()


@pytest.mark.parametrize("name", ["logistic regression", "gradient boosting"])
def test_one_class_in_training_is_what_is_guessed(name: str) -> None:
    rows, _ = make(30, seed=0)
    guess = METHODS["table"][name](rows, np.ones(30, np.int64), rows[:4], 3, 100)
    assert guess.tolist() == [[0.0, 1.0, 0.0]] * 4


def test_test_rows_may_hold_their_columns_in_another_order() -> None:
    rows, truth = make(200, seed=0)
    turned = table_of({name: rows[name] for name in ("kind", "x", "noise")})
    for name in ("logistic regression", "gradient boosting"):
        first, second = (METHODS["table"][name](rows, truth, test, 2, 1000) for test in (rows, turned))
        np.testing.assert_array_equal(first, second)
