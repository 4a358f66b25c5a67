"""Conformal sets hold the truth as often as was promised, whatever the model, and never promise what they cannot."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from sonde.metrics import conformal, temperature

Floats = NDArray[np.float64]
DRAWS = 400
every_method = pytest.mark.parametrize("method", conformal.METHODS)


def _draw(rng: np.random.Generator, examples: int, *, classes: int = 5) -> tuple[Floats, NDArray[np.intp]]:
    """Probabilities of a poor, far too sure model, and the truth, whose classes are unequally hard."""
    logits_NC = rng.normal(scale=1.5, size=(examples, classes))
    honest_NC = temperature.apply(logits_NC * np.linspace(1.5, 0.2, classes), 1)
    truth_N = (honest_NC.cumsum(axis=1) < rng.random((examples, 1))).sum(axis=1).clip(max=classes - 1)
    return temperature.apply(2.5 * logits_NC, 1), truth_N


@every_method
@pytest.mark.parametrize("coverage", [0.7, 0.9])
@pytest.mark.parametrize("examples", [19, 80])
def test_over_many_draws_the_truth_is_covered_as_often_as_was_wanted(
    method: str, coverage: float, examples: int
) -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(DRAWS):
        probabilities_NC, truth_N = _draw(rng, examples + 1)
        limits = conformal.thresholds(method, probabilities_NC[:-1], truth_N[:-1], coverage=coverage)
        hits += int(conformal.covered(conformal.sets(method, probabilities_NC[-1:], limits), truth_N[-1:])[0])
    # One new example in each draw, so that the draws are independent: at least the share, but for chance below 1e-4.
    assert hits >= binom.ppf(1e-4, DRAWS, coverage)


def test_without_ties_the_share_is_met_and_not_exceeded() -> None:
    rng = np.random.default_rng(1)
    hits, examples = 0, 99
    for _ in range(DRAWS):
        probabilities_NC, truth_N = _draw(rng, examples + 1)
        limits = conformal.thresholds("lac", probabilities_NC[:-1], truth_N[:-1], coverage=0.9)
        hits += int(1 - probabilities_NC[-1, truth_N[-1]] <= limits[0])
    assert binom.ppf(1e-4, DRAWS, 0.9) <= hits <= binom.ppf(1 - 1e-4, DRAWS, 0.9 + 1 / (examples + 1))


@every_method
def test_with_a_threshold_for_each_class_each_class_is_covered(method: str) -> None:
    rng = np.random.default_rng(2)
    hits, seen = np.zeros(5), np.zeros(5)
    for _ in range(60):
        (known_NC, known_N), (new_NC, new_N) = _draw(rng, 250), _draw(rng, 50)
        limits = conformal.thresholds(method, known_NC, known_N, coverage=0.8, by_class=True)
        inside = conformal.covered(conformal.sets(method, new_NC, limits), new_N)
        hits += np.bincount(new_N, weights=inside, minlength=5)
        seen += np.bincount(new_N, minlength=5)
    # The 50 new examples of a draw share their thresholds; twice the binomial deviation allows for it.
    assert (hits / seen > 0.8 - 3 * 2 * np.sqrt(0.16 / seen)).all()


def test_one_threshold_for_all_leaves_the_hard_class_uncovered_which_is_why_there_can_be_one_for_each() -> None:
    rng = np.random.default_rng(3)
    (known_NC, known_N), (new_NC, new_N) = _draw(rng, 4000), _draw(rng, 4000)
    shares = []
    for by_class in (False, True):
        limits = conformal.thresholds("lac", known_NC, known_N, coverage=0.8, by_class=by_class)
        inside = conformal.covered(conformal.sets("lac", new_NC, limits), new_N)
        shares.append(min(inside[new_N == index].mean() for index in range(5)))
    assert shares[0] < shares[1] - 0.03


def test_a_threshold_is_the_strangeness_of_the_right_rank() -> None:
    # 9 examples, 80 %: the 8th smallest of 10 places.
    probabilities = np.array([[p, 1 - p] for p in np.linspace(0.9, 0.1, 9)])
    limits = conformal.thresholds("lac", probabilities, np.zeros(9, int), coverage=0.8)
    assert limits == pytest.approx([0.8])


@every_method
def test_too_few_examples_put_every_class_into_every_set(method: str) -> None:
    probabilities_NC, truth_N = _draw(np.random.default_rng(4), 8)
    limits = conformal.thresholds(method, probabilities_NC, truth_N, coverage=0.9)
    assert np.isinf(limits).all() and conformal.sets(method, probabilities_NC, limits).all()
    assert conformal.fewest(0.9) == 9 and conformal.fewest(0.95) == 19 and conformal.fewest(0.5) == 1


@every_method
def test_no_examples_at_all_promise_nothing(method: str) -> None:
    limits = conformal.thresholds(method, np.empty((0, 3)), np.empty(0, int), coverage=0.5, by_class=True)
    assert np.isinf(limits).all() and limits.shape == (3,)


@every_method
def test_one_class_is_always_the_whole_set(method: str) -> None:
    limits = conformal.thresholds(method, np.ones((30, 1)), np.zeros(30, int), coverage=0.9)
    assert conformal.sets(method, np.ones((4, 1)), limits).all()


@every_method
def test_equal_probabilities_are_covered_too(method: str) -> None:
    truth_N = np.arange(60) % 3
    flat_NC = np.full((60, 3), 1 / 3)
    limits = conformal.thresholds(method, flat_NC, truth_N, coverage=0.9)
    assert conformal.covered(conformal.sets(method, flat_NC, limits), truth_N).mean() >= 0.9


@every_method
def test_the_set_of_an_example_does_not_depend_on_what_else_is_asked(method: str) -> None:
    rng = np.random.default_rng(5)
    known_NC, known_N = _draw(rng, 100)
    new_NC, _ = _draw(rng, 40)
    limits = conformal.thresholds(method, known_NC, known_N, coverage=0.9)
    together = conformal.sets(method, new_NC, limits)
    alone = np.concatenate([conformal.sets(method, row[None], limits) for row in new_NC])
    order = rng.permutation(40)
    assert (together == alone).all() and (conformal.sets(method, new_NC[order], limits) == together[order]).all()


@every_method
def test_a_set_is_never_empty_and_holds_the_guess(method: str) -> None:
    probabilities_NC, _ = _draw(np.random.default_rng(6), 50)
    inside = conformal.sets(method, probabilities_NC, np.array([0.0]))
    assert inside[np.arange(50), probabilities_NC.argmax(axis=1)].all()


@every_method
def test_more_coverage_never_takes_a_class_away(method: str) -> None:
    probabilities_NC, truth_N = _draw(np.random.default_rng(7), 300)
    before = np.zeros((300, 5), bool)
    for coverage in (0.5, 0.8, 0.9, 0.99):
        limits = conformal.thresholds(method, probabilities_NC, truth_N, coverage=coverage)
        after = conformal.sets(method, probabilities_NC, limits)
        assert (after >= before).all()
        before = after


def test_an_adaptive_set_is_the_most_probable_classes_up_to_the_threshold() -> None:
    probabilities = np.array([[0.1, 0.5, 0.1, 0.3]])
    # Before each class come: 0.8 (of the two equal ones the first comes first), 0, 0.9 and 0.5.
    assert conformal.adaptive(probabilities) == pytest.approx(np.array([[0.8, 0.0, 0.9, 0.5]]))
    assert conformal.sets("aps", probabilities, [0.6]).tolist() == [[False, True, False, True]]


def test_the_range_that_chance_allows_is_that_of_simulated_thresholds() -> None:
    rng = np.random.default_rng(8)
    examples, tested = 60, 100
    shares = []
    for _ in range(2000):
        strange = rng.random(examples + tested)
        limit = np.sort(strange[:examples])[conformal._rank(examples, 0.9) - 1]
        shares.append((strange[examples:] <= limit).mean())
    low, high = conformal.expected(examples, tested, coverage=0.9)
    assert np.quantile(shares, [0.025, 0.975]) == pytest.approx([low, high], abs=0.011)
    assert conformal.expected(3, 100, coverage=0.9) == (1.0, 1.0)
