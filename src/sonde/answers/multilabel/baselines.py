"""What a multilabel model must beat: how frequent each label is, and one simple classifier for each label.

The classifiers are those of one class (`classification.baselines`), each asked whether its label is there.
"""

# N examples, K labels

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers.answer import Contest
from sonde.answers.classification.baselines import METHODS
from sonde.answers.multilabel.predictions import Predictions, predictions
from sonde.answers.probability_file import rounded
from sonde.data import join
from sonde.metrics import temperature, thresholds

Floats = NDArray[np.float64]

FREQUENCIES = "label frequencies"
EACH = "for each label"
LABELS_AT_FULL = 8
"""Labels up to which each classifier reads all the examples it may; of more, each reads fewer, to keep the time."""
FEWEST = 500
"""Examples that each classifier reads at least."""
LEAST = 1e-9
"""Probability below which the logarithm is not followed."""


def guesses(contest: Contest) -> Mapping[str, Predictions]:
    """Let every baseline of a modality predict the labels of the test examples.

    Args:
        contest: what they learn from and predict.

    Returns:
        Predictions by the baseline's name.
    """
    truth_NK = np.asarray(contest.truth, np.int64)
    labels = contest.target.classes
    asked = contest.test if contest.checked is None else join([contest.checked.raw, contest.test])
    name, method = next(iter(METHODS[contest.modality].items()))
    each = max(FEWEST, contest.most * LABELS_AT_FULL // max(len(labels), LABELS_AT_FULL))
    columns = []
    for truth_N in truth_NK.T:
        if truth_N.min() == truth_N.max():
            columns.append(np.full(len(asked), float(truth_N[0])))
        else:
            columns.append(method(contest.train, truth_N, asked, 2, each)[:, 1])
    found = {
        FREQUENCIES: np.tile(truth_NK.mean(axis=0), (len(asked), 1)),
        f"{name}, {EACH}": np.stack(columns, axis=1),
    }
    made = {}
    for name, shares_NK in found.items():
        decision: tuple[float, ...] = (0.5,) * len(labels)
        if contest.checked is not None:
            apart = len(contest.checked.truth)
            # Tuned on validation as the model is: else it would be no fair comparison.
            checked = np.asarray(contest.checked.truth)
            decision = thresholds.best_thresholds(checked, shares_NK[:apart], contest.fitted.tuned_for)
        tested_NK = rounded(shares_NK[len(shares_NK) - len(contest.test) :])
        made[name] = predictions(contest.names, labels, np.asarray(contest.test_truth), tested_NK, decision)
    return made


def rehearse(target: Any, count: int) -> Predictions:
    """Return predictions like those to come, by which the time of scoring is reckoned."""
    labels = len(target.classes)
    # Every label has its example, as in the real ones, so that no score is skipped for want of one.
    truth_N = np.arange(count) % labels
    logits_NK = np.random.default_rng(0).normal(size=(count, labels))
    logits_NK[np.arange(count), truth_N] += 3
    shares_NK = temperature.apply(logits_NK, 1.0)
    truth_NK = np.eye(labels, dtype=np.uint8)[truth_N]
    return predictions([str(row) for row in range(count)], target.classes, truth_NK, shares_NK, (0.5,) * labels)


def average(members: Any, weights_M: Any) -> dict[str, Floats]:
    """Return logits of the weighted mean of the members' probabilities, each calibrated by its own temperature."""
    shares = [temperature.apply_labels(np.asarray(kept["logits"]), fitted.temperature) for fitted, kept in members]
    mean_NK = np.tensordot(np.asarray(weights_M), np.stack(shares), axes=1)
    logits_NK = np.log(np.maximum(mean_NK, LEAST)) - np.log(np.maximum(1 - mean_NK, LEAST))
    return {"logits": logits_NK.astype(np.float32)}


def likelihood(fitted: Any, kept: Any, truth: Any) -> Floats:
    """Return the probability that a member gives what each label of each example is."""
    shares_NK = temperature.apply_labels(np.asarray(kept["logits"]), fitted.temperature)
    return np.where(np.asarray(truth) > 0, shares_NK, 1 - shares_NK).reshape(-1)
