"""What a classifier must beat: the classes' shares, which read nothing, and simple models of each modality.

All give probabilities for the test examples, so that every metric judges them as it judges the model. Where the model
decides by offsets that were tuned on validation, they decide by offsets tuned there too; else it would be no fair
comparison.
"""

# N examples, C classes

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers.answer import Contest
from sonde.answers.baselines.audio_baselines import logistic_regression_on_mean_spectrum
from sonde.answers.baselines.image_baselines import logistic_regression_on_pixels
from sonde.answers.baselines.linear_classifier import shares, subset
from sonde.answers.baselines.series_baselines import nearest_neighbour
from sonde.answers.baselines.table_baselines import gradient_boosting, logistic_regression_on_columns
from sonde.answers.baselines.text_baselines import tf_idf_with_linear_svm
from sonde.answers.classification.predictions import Predictions, predictions
from sonde.answers.probability_file import rounded
from sonde.data import join
from sonde.metrics import temperature, thresholds

Floats = NDArray[np.float64]
Method = Callable[[Any, NDArray[np.int64], Any, int, int], Floats]
"""From train inputs, train truth, test inputs, the number of classes and the most examples to N x C probabilities."""

TRIVIAL = "majority class"
MOST_SOLVED = 2_000
"""Training examples that a model which is solved at once reads as a baseline."""

METHODS: dict[str, dict[str, Method]] = {
    "image": {"logistic regression on pixels": logistic_regression_on_pixels},
    "text": {"TF-IDF with a linear SVM": tf_idf_with_linear_svm},
    "audio": {"logistic regression on the mean spectrum": logistic_regression_on_mean_spectrum},
    "series": {"nearest neighbour": nearest_neighbour},
    "table": {"logistic regression": logistic_regression_on_columns, "gradient boosting": gradient_boosting},
}
"""What a model of each modality is compared with beside the trivial one, in the order shown; the simplest first."""


def guesses(contest: Contest) -> Mapping[str, Predictions]:
    """Let every baseline of a modality predict the test examples.

    Args:
        contest: what they learn from and predict.

    Returns:
        Predictions by the baseline's name.
    """
    classes = contest.target.classes
    truth_N = np.asarray(contest.truth, np.int64)
    tuned = contest.checked is not None
    asked = contest.test if contest.checked is None else join([contest.checked.raw, contest.test])
    found: dict[str, Floats] = {TRIVIAL: shares(truth_N, len(asked), len(classes))}
    for name, method in METHODS[contest.modality].items():
        found[name] = method(contest.train, truth_N, asked, len(classes), contest.most)
    for name, solve in contest.models.items():
        kept = solve(subset(truth_N, min(contest.most, MOST_SOLVED)), asked)
        found[name] = temperature.apply(np.asarray(kept["logits"]), 1.0)
    made = {}
    for name, each_NC in found.items():
        decision: tuple[float, ...] = ()
        if tuned:
            assert contest.checked is not None
            apart, own = len(contest.checked.truth), contest.own
            positive = classes.index(own.positive) if own.positive in classes else None
            decision = thresholds.best_offsets(
                np.asarray(contest.checked.truth), each_NC[:apart], contest.fitted.tuned_for, positive=positive
            )
        tested_NC = rounded(each_NC[len(each_NC) - len(contest.test) :])
        made[name] = predictions(contest.names, classes, np.asarray(contest.test_truth), tested_NC, decision=decision)
    return made


def rehearse(target: Any, count: int) -> Predictions:
    """Return predictions like those to come, by which the time of scoring is reckoned."""
    classes = len(target.classes)
    # Every class has its example, as in the real ones, so that no score is skipped for want of one.
    truth_N = np.arange(count) % classes
    logits_NC = np.random.default_rng(0).normal(size=(count, classes))
    logits_NC[np.arange(count), truth_N] += 3
    return predictions([str(row) for row in range(count)], target.classes, truth_N, temperature.apply(logits_NC, 1.0))


def average(members: Any, weights_M: Any) -> dict[str, Floats]:
    """Return logits of the weighted mean of the members' probabilities, each calibrated by its own temperature."""
    probabilities = [temperature.apply(np.asarray(kept["logits"]), fitted.temperature) for fitted, kept in members]
    mean_NC = np.tensordot(np.asarray(weights_M), np.stack(probabilities), axes=1)
    return {"logits": np.log(np.maximum(mean_NC, LEAST)).astype(np.float32)}


LEAST = 1e-9
"""Probability below which the logarithm is not followed."""


def likelihood(fitted: Any, kept: Any, truth: Any) -> Floats:
    """Return the probability that a member gives the true class of each example."""
    probabilities_NC = temperature.apply(np.asarray(kept["logits"]), fitted.temperature)
    return probabilities_NC[np.arange(len(probabilities_NC)), np.asarray(truth)]
