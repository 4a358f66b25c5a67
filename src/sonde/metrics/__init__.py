"""Scores of truth against probabilities: one visible table, in the order shown to users.

A metric is a plain function of a prepared sample and of counts: how often each example occurs in each resample. Ones
for the plain value, a thousand rows of bootstrap counts for an interval, in one call.

    sample = metrics.prepare(truth, probabilities)
    metrics.METRICS["accuracy"].function(sample, np.ones((1, len(sample))))

scikit-learn is the oracle of every row (tests/contracts/test_metrics.py); calling it a thousand times for each metric
would take minutes.
"""

import numpy as np
from numpy.typing import ArrayLike

from sonde.metrics import confusion, curves, probability, ranking, temperature, thresholds
from sonde.metrics.metric import Metric, Needs
from sonde.metrics.multilabel import LABEL_METRICS, PER_LABEL
from sonde.metrics.sample import AnySample, LabelSample, Sample, prepare, prepare_labels

__all__ = [
    "LABEL_METRICS",
    "METRICS",
    "PER_CLASS",
    "PER_LABEL",
    "TABLES",
    "AnySample",
    "LabelSample",
    "Metric",
    "Sample",
    "applicable",
    "curves",
    "named",
    "prepare",
    "prepare_labels",
    "temperature",
    "thresholds",
    "value",
    "value_of",
]

_COUNTS: Needs = "counts of the confusion matrix"
_PROBABILITIES: Needs = "probabilities"

METRICS: dict[str, Metric] = {
    "f1_positive": Metric(
        confusion.f1_positive,
        "F1 of the rare class",
        "Harmonic mean of precision and recall of the class that is searched for, evaluation.positive.",
        _COUNTS,
        is_of_positive=True,
    ),
    "precision_positive": Metric(
        confusion.precision_positive,
        "Precision of the rare class",
        "Of the examples guessed as the class that is searched for, the share that is one.",
        _COUNTS,
        is_of_positive=True,
    ),
    "recall_positive": Metric(
        confusion.recall_positive,
        "Recall of the rare class",
        "Of the examples of the class that is searched for, the share that is found.",
        _COUNTS,
        is_of_positive=True,
    ),
    "average_precision_positive": Metric(
        ranking.average_precision_positive,
        "Average precision of the rare class",
        "Area under the precision-recall curve of the class that is searched for; no threshold changes it.",
        _PROBABILITIES,
        is_of_positive=True,
    ),
    "accuracy": Metric(confusion.accuracy, "Accuracy", "Share of examples guessed right.", _COUNTS, is_share=True),
    "balanced_accuracy": Metric(
        confusion.balanced_accuracy,
        "Balanced accuracy",
        "Mean recall of the classes; a rare class counts as much as a frequent one.",
        _COUNTS,
    ),
    "top_2_accuracy": Metric(
        confusion.top_2_accuracy,
        "Top-2 accuracy",
        "Share of examples whose class is among the two most probable.",
        _PROBABILITIES,
        is_share=True,
        fewest_classes=3,
    ),
    "top_5_accuracy": Metric(
        confusion.top_5_accuracy,
        "Top-5 accuracy",
        "Share of examples whose class is among the five most probable.",
        _PROBABILITIES,
        is_share=True,
        fewest_classes=6,
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
    "f1_weighted": Metric(
        confusion.f1_weighted, "F1, weighted", "F1 of the classes, each weighted by its number of examples.", _COUNTS
    ),
    "precision_weighted": Metric(
        confusion.precision_weighted,
        "Precision, weighted",
        "Precision of the classes, each weighted by its number of examples.",
        _COUNTS,
    ),
    "recall_weighted": Metric(
        confusion.recall_weighted,
        "Recall, weighted",
        "Recall of the classes, each weighted by its number of examples; it equals accuracy.",
        _COUNTS,
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
    "log_loss": Metric(
        probability.log_loss,
        "Log loss",
        "Mean negative natural logarithm of the probability given to the truth.",
        _PROBABILITIES,
        better="lower",
        high=probability.LARGEST_LOSS,
    ),
    "brier": Metric(
        probability.brier,
        "Brier score",
        "Mean squared distance of the probabilities to the truth, summed over classes (0 to 2).",
        _PROBABILITIES,
        better="lower",
        high=2.0,
    ),
    "expected_calibration_error": Metric(
        probability.expected_calibration_error,
        "Expected calibration error",
        "Mean distance between confidence and accuracy, over 15 bins of confidence.",
        _PROBABILITIES,
        better="lower",
        is_inflated=True,
    ),
}
"""The scores of a classifier, in the order shown to users."""

PER_CLASS: dict[str, Metric] = {
    "precision": Metric(
        confusion.precision_by_class,
        "Precision",
        "Of the examples guessed as the class, the share that is one.",
        _COUNTS,
    ),
    "recall": Metric(
        confusion.recall_by_class,
        "Recall",
        "Of the examples of the class, the share that is found.",
        _COUNTS,
        is_share=True,
    ),
    "f1": Metric(confusion.f1_by_class, "F1", "Harmonic mean of precision and recall.", _COUNTS),
    "roc_auc": Metric(
        ranking.roc_auc_by_class,
        "ROC-AUC",
        "Chance that an example of the class is ranked above another one.",
        _PROBABILITIES,
    ),
    "average_precision": Metric(
        ranking.average_precision_by_class,
        "Average precision",
        "Area under its precision-recall curve.",
        _PROBABILITIES,
    ),
}
"""The scores of each class against the rest; their functions give R x C values, NaN where a class does not occur."""


TABLES: dict[str, dict[str, Metric]] = {"label": METRICS, "labels": LABEL_METRICS}
"""The table of each answer."""


def applicable(classes: int, *, has_positive: bool = False) -> dict[str, Metric]:
    """Return the metrics that say something for a number of classes.

    Args:
        classes: how many classes the model knows.
        has_positive: whether one of two classes is named as the one that is searched for.
    """
    return {
        name: metric
        for name, metric in METRICS.items()
        if classes >= metric.fewest_classes and (not metric.is_of_positive or (has_positive and classes == 2))
    }


def named(name: str) -> Metric | None:
    """Return the row of a metric by its name, from whichever table has it, or None.

    Args:
        name: a key of one of the `TABLES`.
    """
    return next((table[name] for table in TABLES.values() if name in table), None)


def value(name: str, truth_N: ArrayLike, probabilities_NC: ArrayLike) -> float:
    """Compute one metric of one label for each example, without an interval.

    Args:
        name: a name in `METRICS`.
        truth_N: index of the true class of each example.
        probabilities_NC: probability of each class for each example.
    """
    return value_of(METRICS[name], prepare(truth_N, probabilities_NC))


def value_of(metric: Metric, sample: AnySample) -> float:
    """Compute one metric of a prepared sample, without an interval.

    Args:
        metric: a row of the table that the sample is for.
        sample: the prepared examples.
    """
    return float(metric.function(sample, np.ones((1, len(sample))))[0])
