"""Not answering where the model is unsure: the curve, its area, and thresholds that keep what they promise."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from sonde.metrics import selective


def _draw(rng: np.random.Generator, examples: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Confidences, and guesses that are right with probability 0.6 to 1, growing with the confidence."""
    confidence_N = rng.random(examples)
    return confidence_N, rng.random(examples) < 0.6 + 0.4 * confidence_N


def test_the_curve_tells_share_and_accuracy_at_every_threshold() -> None:
    points = selective.curve([0.9, 0.5, 0.7, 0.7], [True, False, True, False])
    assert points.thresholds_P.tolist() == [0.9, 0.7, 0.5]
    assert points.answered_P.tolist() == [0.25, 0.75, 1.0]
    assert points.accuracy_P == pytest.approx([1.0, 2 / 3, 0.5])


def test_the_area_is_the_mean_error_over_all_numbers_of_answers() -> None:
    # Errors among the 1, 2, 3, 4 surest: 0, 1/2, 1/3, 2/4.
    assert selective.area([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0]) == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)


def test_ties_count_as_the_mean_over_all_orders() -> None:
    confidence, correct = np.array([0.9, 0.5, 0.5, 0.5, 0.1]), np.array([1, 1, 0, 0, 1])
    areas = []
    for order in itertools.permutations((1, 2, 3)):
        broken = confidence.copy()
        broken[list(order)] += [2e-3, 1e-3, 0]
        areas.append(selective.area(broken, correct))
    assert selective.area(confidence, correct) == pytest.approx(np.mean(areas))


def test_a_constant_confidence_has_the_error_rate_as_its_area() -> None:
    assert selective.area(np.full(50, 0.3), np.arange(50) % 5 > 0) == pytest.approx(0.2)


def test_the_guaranteed_accuracy_is_kept_in_nearly_all_draws() -> None:
    rng = np.random.default_rng(0)
    missed = made = 0
    for _ in range(200):
        choice = selective.at_accuracy(*_draw(rng, 600), wanted=0.8)
        made += choice.is_sure
        # The true accuracy of answers above t is the mean of 0.6 + 0.4 c over c from t to 1.
        missed += choice.is_sure and 0.6 + 0.2 * (1 + choice.threshold) < 0.8
    # Promised for 95 of 100; above 17 of 200 the promise would be broken with a probability above 0.99.
    assert made > 150 and missed <= 17


def test_a_guaranteed_threshold_answers_as_much_as_it_can() -> None:
    choice = selective.at_accuracy(*_draw(np.random.default_rng(1), 20_000), wanted=0.9)
    assert choice.is_sure and choice.threshold == pytest.approx(0.5, abs=0.06)
    assert choice.answered == pytest.approx(1 - choice.threshold, abs=0.02) and choice.accuracy == pytest.approx(
        0.9, abs=0.015
    )


def test_few_examples_give_a_threshold_that_admits_to_be_a_guess() -> None:
    confidence = np.linspace(1, 0, 40)
    choice = selective.at_accuracy(confidence, np.arange(40) < 30, wanted=0.95)
    assert not choice.is_sure
    assert choice.accuracy is not None and choice.accuracy >= 0.95 and choice.answered == pytest.approx(31 / 40)


def test_where_nothing_reaches_the_accuracy_only_certainty_is_answered() -> None:
    choice = selective.at_accuracy(np.linspace(0, 0.9, 100), np.arange(100) % 2, wanted=0.9)
    assert choice == selective.Choice(selective.NEVER, 0.0, None, is_sure=False)


def test_a_perfect_model_answers_everything_when_there_are_enough_examples() -> None:
    choice = selective.at_accuracy(np.linspace(0.2, 1, 1000), np.ones(1000), wanted=0.99)
    assert choice.is_sure and choice.answered == 1.0 and choice.accuracy == 1.0


@pytest.mark.parametrize("wanted", [0.1, 0.5, 0.9, 1.0])
def test_the_wanted_share_is_answered_at_least_and_ties_together(wanted: float) -> None:
    confidence = np.repeat([0.9, 0.6, 0.3], [2, 5, 3])
    choice = selective.at_share(confidence, np.ones(10), wanted=wanted)
    assert choice.answered >= wanted
    assert choice.answered == min(share for share in (0.2, 0.7, 1.0) if share >= wanted)
