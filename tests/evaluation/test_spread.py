"""The spread over runs is Student's, and folds get the interval that knows of their overlap."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from sonde.evaluation.spread import Spread, spread


def test_the_interval_is_that_of_a_t_test() -> None:
    values = [0.91, 0.93, 0.90, 0.95, 0.92]
    found = spread(values)
    low, high = ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert (found.corrected_low, found.corrected_high) == (found.low, found.high)
    assert found.value == pytest.approx(np.mean(values)) and found.deviation == pytest.approx(np.std(values, ddof=1))


def test_overlapping_training_sets_widen_the_interval_as_nadeau_and_bengio_say() -> None:
    found = spread([0.9, 0.92, 0.94, 0.9, 0.91], overlap=0.25)
    assert found.low is not None and found.value is not None and found.corrected_low is not None
    assert (found.value - found.corrected_low) / (found.value - found.low) == pytest.approx((0.45 / 0.2) ** 0.5)


def test_the_corrected_interval_holds_the_truth_of_five_folds_about_as_often_as_it_says() -> None:
    # Scores of five folds, correlated as overlapping training sets make them: a shared part and an own part.
    rng = np.random.default_rng(0)
    plain = corrected = 0
    for _ in range(2000):
        shared, own = rng.normal(0, 0.447), rng.normal(0, 0.894, 5)
        found = spread((shared + own).tolist(), overlap=0.25)
        assert found.low is not None and found.high is not None
        assert found.corrected_low is not None and found.corrected_high is not None
        plain += found.low <= 0 <= found.high
        corrected += found.corrected_low <= 0 <= found.corrected_high
    # A correlation of 0.2 is what the correction assumes; the plain interval misses more than twice too often.
    assert plain / 2000 < 0.9 and 0.94 <= corrected / 2000 <= 0.96


def test_intervals_stay_within_what_a_score_can_be() -> None:
    found = spread([1.0, 0.9, 1.0], overlap=0.5, bounds=(0.0, 1.0))
    assert found.high == found.corrected_high == 1.0


def test_one_run_has_no_spread_and_missing_scores_are_left_out() -> None:
    assert spread([0.5, None]) == Spread(0.5, None, None, None, None, None, 1)
    assert spread([None]).n == 0
    assert spread([0.5, None, 0.7]).n == 2
