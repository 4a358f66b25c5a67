"""Unequal classes: said, evened out as scikit-learn does, and the way back to the data as it is."""

# N examples, C classes

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.utils.class_weight import compute_class_weight

from sonde.answers import balancing
from sonde.answers.classification.target import FIXES

COUNTS = np.array([60, 30, 10])


def test_balanced_weights_are_scikit_learns() -> None:
    truth = np.repeat(np.arange(3), COUNTS)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=truth)
    assert balancing.class_weights("balanced", COUNTS) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["sqrt", "balanced"])
def test_the_mean_weight_of_an_example_is_one(kind: balancing.Weights) -> None:
    weights = np.array(balancing.class_weights(kind, COUNTS))
    assert (weights * COUNTS).sum() / COUNTS.sum() == pytest.approx(1.0)
    ratio = {"sqrt": 6**0.5, "balanced": 6.0}[kind]
    assert weights[2] / weights[0] == pytest.approx(ratio)


def test_weights_of_a_label_are_negatives_over_positives() -> None:
    assert balancing.label_weights("balanced", np.array([20, 50]), 100) == pytest.approx((4.0, 1.0))
    assert balancing.label_weights("sqrt", np.array([20, 50]), 100) == pytest.approx((2.0, 1.0))
    assert balancing.label_weights("none", np.array([20, 50]), 100) == ()
    assert np.isfinite(balancing.label_weights("balanced", np.array([0, 100]), 100)).all()


def test_nothing_asked_is_nothing_done() -> None:
    plain = balancing.balance_classes(COUNTS, weights="none", sampling="natural", adjustment=0.0)
    assert plain == balancing.Balancing()
    plain = balancing.balance_labels(COUNTS, 100, weights="none", adjustment=0.0)
    assert plain == balancing.Balancing()


@pytest.mark.parametrize("weights", ["none", "sqrt", "balanced"])
@pytest.mark.parametrize("sampling", ["natural", "balanced"])
@pytest.mark.parametrize("adjustment", [0.0, 1.0, 1.7])
def test_the_way_back_gives_the_chances_of_the_data_as_it_is(
    weights: balancing.Weights, sampling: str, adjustment: float
) -> None:
    # A model that reads nothing learns, under weights, sampling and shifts, logits whose softmax is the share of each
    # class in what it is shown. With the way back they must be the shares of the data.
    balance = balancing.balance_classes(COUNTS, weights=weights, sampling=sampling, adjustment=adjustment)
    shown = np.array([1 / 3] * 3) if sampling == "balanced" else COUNTS / COUNTS.sum()
    seen = shown * (np.array(balance.weights) if balance.weights else 1.0)
    learned = np.log(seen / seen.sum()) - (np.array(balance.shifts) if balance.shifts else 0.0)
    corrected = learned + (np.array(balance.correction) if balance.correction else 0.0)
    assert softmax(corrected) == pytest.approx(COUNTS / COUNTS.sum())


@pytest.mark.parametrize("weights", ["none", "sqrt", "balanced"])
@pytest.mark.parametrize("adjustment", [0.0, 1.0, 0.5])
def test_the_way_back_of_labels_gives_their_frequencies(weights: balancing.Weights, adjustment: float) -> None:
    positives = np.array([60, 30, 5])
    balance = balancing.balance_labels(positives, 100, weights=weights, adjustment=adjustment)
    odds = positives / (100 - positives) * (np.array(balance.weights) if balance.weights else 1.0)
    learned = np.log(odds) - (np.array(balance.shifts) if balance.shifts else 0.0)
    corrected = learned + (np.array(balance.correction) if balance.correction else 0.0)
    assert expit(corrected) == pytest.approx(positives / 100)


def test_the_shifts_of_the_paper_are_the_logarithms_of_the_shares() -> None:
    balance = balancing.balance_classes(COUNTS, weights="none", sampling="natural", adjustment=1.0)
    assert balance.shifts == pytest.approx(np.log([0.6, 0.3, 0.1]))


def test_unequal_classes_are_said_with_what_helps() -> None:
    said = balancing.in_words({"ham": 3900, "spam": 600}, FIXES)
    assert "'ham' has 6.5 times the training examples of 'spam' (3,900 and 600)" in said
    assert "classification.class_weights=balanced" in said and "classification.tune_for=f1" in said
    assert balancing.in_words({"a": 29, "b": 10}, FIXES) == "" and balancing.in_words({"a": 10}, FIXES) == ""
    assert balancing.ratio({"a": 30, "b": 10, "c": 0}) == 3.0
