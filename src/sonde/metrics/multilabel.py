"""Metrics of several labels for each example: micro figures, exact matches, wrong cells, and how far the chances hold.

A label is given where its probability reaches its threshold. Means over labels (`f1_macro` and its like) and the areas
are those of `confusion` and `ranking`, each label against its absence; a label that occurs in neither truth nor guess
is left out of a mean.
"""

# N examples, K labels, R resamples, B bins

import numpy as np
from numpy.typing import NDArray

from sonde.metrics import confusion, ranking
from sonde.metrics.metric import Metric, Needs
from sonde.metrics.probability import BINS, LARGEST_LOSS, SMALLEST, bin_of
from sonde.metrics.sample import LabelSample

Floats = NDArray[np.float64]


def f1_micro(sample: LabelSample, counts_RN: Floats) -> Floats:
    """Return the F1 over all labels and examples together; 0 where there is neither truth nor guess.

    Args:
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.
    """
    counted = sample.tally(counts_RN)
    return _share(2 * counted.hits, counted.truths + counted.guesses)


def precision_micro(sample: LabelSample, counts_RN: Floats) -> Floats:
    """Return the share of the given labels that are right; 0 where none is given."""
    counted = sample.tally(counts_RN)
    return _share(counted.hits, counted.guesses)


def recall_micro(sample: LabelSample, counts_RN: Floats) -> Floats:
    """Return the share of the true labels that are given; 0 where there is none."""
    counted = sample.tally(counts_RN)
    return _share(counted.hits, counted.truths)


def hamming_loss(sample: LabelSample, counts_RN: Floats) -> Floats:
    """Return the share of wrong cells: labels that are given and should not be, or missing and should be given."""
    wrong_N = (sample.answered != sample.truth_NK).mean(axis=1)
    return counts_RN @ wrong_N / counts_RN.sum(axis=1)


def label_log_loss(sample: LabelSample, counts_RN: Floats) -> Floats:
    """Return the mean negative natural logarithm of the chance given to what each label is, over all cells."""
    right_NK = np.where(sample.truth_NK, sample.probabilities_NK, 1 - sample.probabilities_NK)
    loss_N = -np.log(np.clip(right_NK, SMALLEST, 1 - SMALLEST)).mean(axis=1)
    return counts_RN @ loss_N / counts_RN.sum(axis=1)


def label_brier(sample: LabelSample, counts_RN: Floats) -> Floats:
    """Return the mean squared distance of a label's chance to what it is, over all cells.

    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950; the half that is usual for two
    outcomes.
    """
    loss_N = np.square(sample.probabilities_NK - sample.truth_NK).mean(axis=1)
    return counts_RN @ loss_N / counts_RN.sum(axis=1)


def label_calibration_error(sample: LabelSample, counts_RN: Floats) -> Floats:
    """Return the mean distance between a label's chance and how often it is there, over 15 bins of the chance.

    Args:
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.

    Source: the calibration error of Guo et al., 2017, for yes-or-no answers.
    """
    examples, labels = sample.truth_NK.shape
    places = np.arange(examples)[:, None] * BINS + bin_of(sample.probabilities_NK.ravel()).reshape(examples, labels)
    excess = (sample.truth_NK - sample.probabilities_NK).ravel()
    excess_NB = np.bincount(places.ravel(), weights=excess, minlength=examples * BINS).reshape(examples, BINS)
    return np.abs(counts_RN @ excess_NB).sum(axis=1) / (counts_RN.sum(axis=1) * labels)


def _share(above_RK: Floats, below_RK: Floats) -> Floats:
    above_R, below_R = above_RK.sum(axis=1), below_RK.sum(axis=1)
    return np.divide(above_R, below_R, out=np.zeros_like(above_R), where=below_R > 0)


_COUNTS: Needs = "counts of the confusion matrix"
_PROBABILITIES: Needs = "probabilities"

LABEL_METRICS: dict[str, Metric] = {
    "f1_micro": Metric(
        f1_micro,
        "F1, all labels together",
        "Harmonic mean of precision and recall over all labels of all examples; frequent labels count more.",
        _COUNTS,
    ),
    "precision_micro": Metric(
        precision_micro,
        "Precision, all labels together",
        "Of the labels that are given, the share that is right.",
        _COUNTS,
    ),
    "recall_micro": Metric(
        recall_micro, "Recall, all labels together", "Of the labels that are true, the share that is given.", _COUNTS
    ),
    "f1_macro": Metric(
        confusion.f1_macro,
        "F1, mean over classes",
        "Harmonic mean of precision and recall, each class counting the same.",
        _COUNTS,
    ),
    "precision_macro": Metric(
        confusion.precision_macro,
        "Precision, mean over classes",
        "Of the examples guessed as a class, the share that is one; each class counting the same.",
        _COUNTS,
    ),
    "recall_macro": Metric(
        confusion.recall_macro,
        "Recall, mean over classes",
        "Of the examples of a class, the share that is found; each class counting the same.",
        _COUNTS,
    ),
    "subset_accuracy": Metric(
        confusion.accuracy,
        "Exact matches",
        "Share of examples all of whose labels are right, with none too many and none missing.",
        _COUNTS,
        is_share=True,
    ),
    "hamming_loss": Metric(
        hamming_loss,
        "Hamming loss",
        "Share of wrong decisions over all labels of all examples.",
        _COUNTS,
        better="lower",
        is_share=True,
    ),
    "roc_auc": Metric(
        ranking.roc_auc,
        "ROC-AUC, one against the rest",
        "Chance that an example of a class is ranked above another one; 0.5 is chance; mean over classes.",
        _PROBABILITIES,
    ),
    "average_precision": Metric(
        ranking.average_precision,
        "Average precision",
        "Area under the precision-recall curve of a class against the rest; mean over classes.",
        _PROBABILITIES,
    ),
    "label_log_loss": Metric(
        label_log_loss,
        "Log loss of a label",
        "Mean negative natural logarithm of the chance given to what each label is.",
        _PROBABILITIES,
        better="lower",
        high=LARGEST_LOSS,
    ),
    "label_brier": Metric(
        label_brier,
        "Brier score of a label",
        "Mean squared distance of a label's chance to what it is (0 to 1).",
        _PROBABILITIES,
        better="lower",
    ),
    "label_calibration_error": Metric(
        label_calibration_error,
        "Calibration error of a label",
        "Mean distance between a label's chance and how often it is there, over 15 bins of the chance.",
        _PROBABILITIES,
        better="lower",
        is_inflated=True,
    ),
}
"""The scores of several labels for each example, in the order shown to users."""

PER_LABEL: dict[str, Metric] = {
    "precision": Metric(
        confusion.precision_by_class, "Precision", "Of the examples given the label, the share that has it.", _COUNTS
    ),
    "recall": Metric(
        confusion.recall_by_class,
        "Recall",
        "Of the examples that have the label, the share that is given it.",
        _COUNTS,
        is_share=True,
    ),
    "f1": Metric(confusion.f1_by_class, "F1", "Harmonic mean of precision and recall.", _COUNTS),
    "roc_auc": Metric(
        ranking.roc_auc_by_class,
        "ROC-AUC",
        "Chance that an example with the label is ranked above one without.",
        _PROBABILITIES,
    ),
    "average_precision": Metric(
        ranking.average_precision_by_class,
        "Average precision",
        "Area under its precision-recall curve.",
        _PROBABILITIES,
    ),
}
"""The scores of each label; their functions give R x K values, NaN where a label does not occur."""
