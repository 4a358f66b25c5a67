"""The decision that is tuned: the best place found by a search is the best of all places, and probabilities stay."""

# N examples, C classes

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as oracle

from sonde.metrics import METRICS, prepare, thresholds, value_of

ORACLES = {
    "f1": lambda truth, guess: oracle.f1_score(truth, guess, zero_division=0),
    "balanced_accuracy": oracle.balanced_accuracy_score,
    "accuracy": oracle.accuracy_score,
}
GOALS = list(thresholds.GOALS)


def two_classes(seed: int, *, examples: int = 120, share: float = 0.2) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return truth and tied probabilities of a rare class."""
    rng = np.random.default_rng(seed)
    truth = rng.random(examples) < share
    truth[:12] = True
    return truth, np.round(np.clip(rng.normal(0.2 + 0.25 * truth, 0.15), 0.0, 1.0), 2)


def classes(seed: int, *, examples: int = 200, kinds: int = 4) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return truth and probabilities of unequal classes, which lean towards the frequent ones."""
    rng = np.random.default_rng(seed)
    shares = np.array([0.6, 0.2, 0.12, 0.08])[:kinds]
    truth = rng.choice(kinds, examples, p=shares / shares.sum())
    logits = rng.normal(size=(examples, kinds)) + np.log(shares) * 1.5
    logits[np.arange(examples), truth] += 1.5
    shares_NC = np.exp(logits)
    return truth, shares_NC / shares_NC.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("seed", range(5))
def test_no_threshold_is_better_than_the_one_that_is_found(goal: str, seed: int) -> None:
    truth, probability = two_classes(seed)
    found = thresholds.best_threshold(truth, probability, goal)
    best = max(ORACLES[goal](truth, probability >= at) for at in np.linspace(0, 1.01, 500))
    assert ORACLES[goal](truth, probability >= found) == pytest.approx(best, abs=1e-12)
    assert 0 <= found <= 1


@pytest.mark.parametrize("goal", GOALS)
def test_the_goals_are_what_scikit_learn_says(goal: str) -> None:
    truth, probability = two_classes(1)
    guess = probability >= 0.3
    args = [np.array([float((truth & guess).sum())]), np.array([float(guess.sum())]), float(truth.sum()), len(truth)]
    assert thresholds.GOALS[goal](*args)[0] == pytest.approx(ORACLES[goal](truth, guess), abs=1e-12)


def test_a_threshold_stays_where_examples_are_few_or_nothing_is_better() -> None:
    truth, probability = two_classes(0)
    few = np.zeros(len(truth), bool)
    few[: thresholds.FEWEST - 1] = True
    assert thresholds.best_threshold(few, probability, "f1") == 0.5
    clear = np.where(truth, 0.9, 0.1)
    assert thresholds.best_threshold(truth, clear, "f1") == 0.5
    # Of equally good places the one nearest to one half is taken.
    assert thresholds.best_threshold(truth, np.where(truth, 0.4, 0.1), "f1") == pytest.approx(0.25)


def test_the_best_threshold_for_f1_of_calibrated_chances_is_half_of_the_best_f1() -> None:
    # Lipton et al., 2014. With 40,000 examples the places near the best differ by less than 0.02.
    rng = np.random.default_rng(0)
    probability = rng.beta(0.4, 2.0, 40_000)
    truth = rng.random(40_000) < probability
    found = thresholds.best_threshold(truth, probability, "f1")
    assert found == pytest.approx(oracle.f1_score(truth, probability >= found) / 2, abs=0.02)


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("positive", [0, 1])
def test_offsets_of_two_classes_are_a_threshold(goal: str, positive: int) -> None:
    truth, probability = two_classes(2)
    shares = np.stack([1 - probability, probability], axis=1)[:, :: 1 if positive == 1 else -1]
    numbers = np.where(truth, positive, 1 - positive)
    offsets = thresholds.best_offsets(numbers, shares, goal, positive=positive)
    found = thresholds.best_threshold(truth, probability, goal)
    assert thresholds.threshold_of(offsets, positive) == pytest.approx(found, abs=1e-9)
    assert ((thresholds.decide(shares, offsets) == positive) == (probability >= found)).all()


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("seed", range(4))
def test_offsets_never_lose_on_the_examples_they_are_tuned_on(goal: str, seed: int) -> None:
    truth, probabilities = classes(seed)
    name = {"f1": "f1_macro"}.get(goal, goal)
    offsets = thresholds.best_offsets(truth, probabilities, goal)
    decided = thresholds.decide(probabilities, offsets)
    before = value_of(METRICS[name], prepare(truth, probabilities))
    after = value_of(METRICS[name], prepare(truth, probabilities, decided_N=decided))
    assert after >= before
    if goal != "accuracy":
        assert after > before + 0.02  # These classes are unequal on purpose.


@pytest.mark.parametrize("goal", GOALS)
def test_one_offset_is_the_best_of_all(goal: str) -> None:
    truth, probabilities = classes(8, kinds=3)
    scores = np.log(probabilities)
    name = {"f1": "f1_macro"}.get(goal, goal)

    def reached(offset: float) -> float:
        decided = (scores + np.array([0.0, offset, 0.0])).argmax(axis=1)
        return value_of(METRICS[name], prepare(truth, probabilities, decided_N=decided))

    found = reached(thresholds._best_offset(truth, scores, 1, goal))
    assert found == pytest.approx(max(reached(offset) for offset in np.linspace(-6, 6, 2001)), abs=1e-9)


def test_a_class_with_too_few_examples_keeps_its_place() -> None:
    truth, probabilities = classes(1)
    truth = np.where(truth == 3, 0, truth)
    truth[:5] = 3
    offsets = thresholds.best_offsets(truth, probabilities, "f1")
    assert offsets and offsets[3] == 0.0


def test_too_much_work_is_left_alone() -> None:
    # 20 examples of 10,001 classes: a search would go through 2e9 places.
    truth, probabilities = np.zeros(20, int), np.full((20, 10_001), 1 / 10_001)
    assert thresholds.best_offsets(truth, probabilities, "f1") == ()


def test_no_offsets_take_the_most_probable_class() -> None:
    _, probabilities = classes(0)
    assert (thresholds.decide(probabilities, ()) == probabilities.argmax(axis=1)).all()
    assert (thresholds.decide(probabilities, [1.0] * 4) == probabilities.argmax(axis=1)).all()


def test_a_decision_changes_guesses_and_no_metric_of_probabilities() -> None:
    truth, probabilities = classes(3)
    decided = thresholds.decide(probabilities, thresholds.best_offsets(truth, probabilities, "balanced_accuracy"))
    plain, tuned = prepare(truth, probabilities), prepare(truth, probabilities, decided_N=decided)
    for name in ("roc_auc", "average_precision", "log_loss", "brier", "expected_calibration_error"):
        assert value_of(METRICS[name], plain) == value_of(METRICS[name], tuned)
    assert value_of(METRICS["balanced_accuracy"], plain) < value_of(METRICS["balanced_accuracy"], tuned)


@pytest.mark.parametrize("positive", [0, 1])
def test_the_figures_of_the_rare_class_are_scikit_learns(positive: int) -> None:
    truth, probability = two_classes(4)
    shares = np.stack([1 - probability, probability], axis=1)
    sample = prepare(truth.astype(int), shares, positive=positive)
    for name, function in (
        ("f1", oracle.f1_score),
        ("precision", oracle.precision_score),
        ("recall", oracle.recall_score),
    ):
        expected = function(truth.astype(int), shares.argmax(axis=1), pos_label=positive, zero_division=0)
        assert value_of(METRICS[f"{name}_positive"], sample) == pytest.approx(expected, abs=1e-12)
    expected = oracle.average_precision_score(truth == positive, shares[:, positive])
    assert value_of(METRICS["average_precision_positive"], sample) == pytest.approx(expected, abs=1e-12)
