"""Scores of numbers: where they say nothing, how unlike scales are dealt with, and intervals without an upper end."""

import json

import numpy as np
import pytest
from sklearn import metrics as oracle

from sonde.metrics import value_of
from sonde.metrics.intervals import Bootstrap, paired_samples, score_sample
from sonde.metrics.regression import REGRESSION_METRICS, applicable_to, prepare_regression

DRAWN = Bootstrap(seed=0, resamples=200)


def _numbers(examples: int, *, noise: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(10, 3, examples)
    return truth, truth + rng.normal(0, noise, examples)


def test_what_is_not_predicted_is_not_scored() -> None:
    truth, given = _numbers(10)
    plain = applicable_to(prepare_regression(truth, given))
    assert set(REGRESSION_METRICS) - set(plain) == {"pinball_loss", "coverage", "interval_width"}
    median = prepare_regression(truth, given, quantiles=[0.5], at_quantiles=given[:, None])
    assert set(REGRESSION_METRICS) - set(applicable_to(median)) == {"coverage", "interval_width"}
    held = prepare_regression(truth, given, interval=(given - 1, given + 1))
    assert set(REGRESSION_METRICS) - set(applicable_to(held)) == {"pinball_loss"}


def test_the_pinball_loss_of_the_median_is_half_the_absolute_error() -> None:
    truth, given = _numbers(50)
    sample = prepare_regression(truth, given, quantiles=[0.5], at_quantiles=given[:, None])
    assert value_of(REGRESSION_METRICS["pinball_loss"], sample) == pytest.approx(
        value_of(REGRESSION_METRICS["mae"], sample) / 2
    )


def test_an_interval_that_is_given_goes_before_the_outermost_quantiles() -> None:
    truth, given = np.array([1.0, 2.0]), np.array([[0.0, 3.0], [0.0, 3.0]])
    sample = prepare_regression(truth, truth, quantiles=[0.1, 0.9], at_quantiles=given)
    assert value_of(REGRESSION_METRICS["interval_width"], sample) == 3.0
    narrow = prepare_regression(
        truth, truth, quantiles=[0.1, 0.9], at_quantiles=given, interval=([1.0, 1.0], [1.5, 1.5])
    )
    assert value_of(REGRESSION_METRICS["interval_width"], narrow) == 0.5
    assert value_of(REGRESSION_METRICS["coverage"], narrow) == 0.5


def test_crossed_ends_hold_nothing_and_have_no_width() -> None:
    sample = prepare_regression([1.0], [1.0], interval=([2.0], [0.0]))
    assert (
        value_of(REGRESSION_METRICS["coverage"], sample) == value_of(REGRESSION_METRICS["interval_width"], sample) == 0
    )


def test_r2_says_nothing_of_a_truth_that_does_not_vary() -> None:
    assert np.isnan(value_of(REGRESSION_METRICS["r2"], prepare_regression([0.1] * 7, np.arange(7.0))))
    truth = np.stack([np.full(9, 1e6), np.arange(9.0)], axis=1)
    of_both = value_of(REGRESSION_METRICS["r2"], prepare_regression(truth, truth + 1))
    assert of_both == pytest.approx(oracle.r2_score(truth[:, 1], truth[:, 1] + 1), abs=1e-12)


@pytest.mark.parametrize(("center", "digits"), [(0.0, 1e-6), (1e5, 1e-12)])
def test_a_centre_keeps_the_digits_of_r2(center: float, digits: float) -> None:
    truth, given = _numbers(300)
    expected = oracle.r2_score(truth, given)
    sample = prepare_regression(truth + 1e5, given + 1e5, center=center)
    assert value_of(REGRESSION_METRICS["r2"], sample) == pytest.approx(expected, abs=digits)


def test_one_example_leaves_an_error_without_an_upper_end_and_json_without_infinity() -> None:
    found = score_sample(prepare_regression([1.0], [1.5]), {"mae": REGRESSION_METRICS["mae"]}, bootstrap=DRAWN)["mae"]
    assert (found.value, found.low, found.high) == (0.5, 0.0, np.inf)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False)) == {"value": 0.5, "low": 0.0, "high": None, "n": 1}


@pytest.mark.parametrize("name", ["mae", "rmse", "r2", "median_absolute_error"])
def test_intervals_of_errors_hold_the_truth_about_as_often_as_they_say(name: str) -> None:
    row = {name: REGRESSION_METRICS[name]}
    whole = value_of(row[name], prepare_regression(*_numbers(200_000, seed=1)))
    held = 0
    for seed in range(100):
        found = score_sample(prepare_regression(*_numbers(150, seed=2 + seed)), row, bootstrap=DRAWN)[name]
        held += found.low <= whole <= found.high  # type: ignore[operator]
    assert held >= 87  # Of 100 at 95 %, fewer have a chance of one in a thousand.


def test_a_paired_difference_of_errors_finds_the_better_model() -> None:
    truth, good = _numbers(300)
    bad = good + np.random.default_rng(5).normal(0, 1, 300)
    a, b = prepare_regression(truth, good), prepare_regression(truth, bad)
    found = paired_samples(REGRESSION_METRICS["mae"], a, b, bootstrap=DRAWN)
    assert found.high is not None and found.high < 0
    same = paired_samples(REGRESSION_METRICS["mae"], a, a, bootstrap=DRAWN)
    assert (same.value, same.low, same.high) == (0, 0, 0)


@pytest.mark.parametrize(("truth", "prediction"), [([], []), ([1.0], [1.0, 2.0]), ([np.nan], [1.0]), ([1.0], [np.inf])])
def test_impossible_numbers_are_refused(truth: list[float], prediction: list[float]) -> None:
    with pytest.raises(AssertionError):
        prepare_regression(truth, prediction)
