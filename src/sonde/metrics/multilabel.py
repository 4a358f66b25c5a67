"""Metrics of several labels for each example: micro figures, exact matches, wrong cells, and how far the chances hold.

A label is given where its probability reaches its threshold. Means over labels (`f1_macro` and its like) and the areas
are those of `confusion` and `ranking`, each label against its absence; a label that occurs in neither truth nor guess
is left out of a mean.
"""

# N examples, K labels, R resamples, B bins

import numpy as np

from sonde.metrics import by_class, confusion
from sonde.metrics.metric import AnyMetric, Metric, Sums
from sonde.metrics.probability import BINS, LARGEST_LOSS, SMALLEST, bin_of, calibration_error
from sonde.metrics.sample import LabelSample
from sonde.metrics.sums import mean, with_ones


def wrong_shares(sample: LabelSample) -> Sums:
    """Return the share of an example's labels given that should not be, or missing that should, and a one, N x 2."""
    return with_ones((sample.answered != sample.truth_NK).mean(axis=1))


def label_log_losses(sample: LabelSample) -> Sums:
    """Return the mean negative natural logarithm of the chance given to what each label is, and a one, N x 2."""
    right_NK = np.where(sample.truth_NK, sample.probabilities_NK, 1 - sample.probabilities_NK)
    return with_ones(-np.log(np.clip(right_NK, SMALLEST, 1 - SMALLEST)).mean(axis=1))


def label_briers(sample: LabelSample) -> Sums:
    """Return the mean squared distance of a label's chance to what it is, and a one, N x 2.

    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950; the half that is usual for two
    outcomes.
    """
    return with_ones(np.square(sample.probabilities_NK - sample.truth_NK).mean(axis=1))


def label_excesses(sample: LabelSample) -> Sums:
    """Return how far what the labels are exceeds their chance, in the chance's bin, and their number, N x (B + 1).

    Source: the calibration error of Guo et al., 2017, for yes-or-no answers.
    """
    examples, labels = sample.truth_NK.shape
    places = np.arange(examples)[:, None] * BINS + bin_of(sample.probabilities_NK.ravel()).reshape(examples, labels)
    excess = (sample.truth_NK - sample.probabilities_NK).ravel()
    excess_NB = np.bincount(places.ravel(), weights=excess, minlength=examples * BINS).reshape(examples, BINS)
    return np.concatenate([excess_NB, np.full((examples, 1), float(labels))], axis=1)


LABEL_METRICS: dict[str, AnyMetric] = {
    "f1_micro": Metric(
        confusion.tally_of_labels,
        confusion.f1_micro,
        title="F1, all labels together",
        doc="Harmonic mean of precision and recall over all labels of all examples; frequent labels count more.",
        is_counted=True,
        worth=confusion.EVEN_OF_LABELS,
    ),
    "precision_micro": Metric(
        confusion.tally_of_labels,
        confusion.precision_micro,
        title="Precision, all labels together",
        doc="Of the labels that are given, the share that is right.",
        is_counted=True,
        worth=confusion.EVEN_OF_LABELS,
    ),
    "recall_micro": Metric(
        confusion.tally_of_labels,
        confusion.recall_micro,
        title="Recall, all labels together",
        doc="Of the labels that are true, the share that is given.",
        is_counted=True,
        worth=confusion.EVEN_OF_LABELS,
    ),
    **by_class.means(confusion.tally_of_labels, confusion.EVEN_OF_LABELS),
    "subset_accuracy": Metric(
        confusion.right,
        mean,
        title="Exact matches",
        doc="Share of examples all of whose labels are right, with none too many and none missing.",
        is_share=True,
        is_counted=True,
    ),
    "hamming_loss": Metric(
        wrong_shares,
        mean,
        title="Hamming loss",
        doc="Share of wrong decisions over all labels of all examples.",
        better="lower",
        is_share=True,
        is_counted=True,
    ),
    **by_class.areas(confusion.EVEN_OF_LABELS),
    "label_log_loss": Metric(
        label_log_losses,
        mean,
        title="Log loss of a label",
        doc="Mean negative natural logarithm of the chance given to what each label is.",
        better="lower",
        high=LARGEST_LOSS,
        worth=confusion.EVEN_OF_LABELS,
    ),
    "label_brier": Metric(
        label_briers,
        mean,
        title="Brier score of a label",
        doc="Mean squared distance of a label's chance to what it is (0 to 1).",
        better="lower",
        worth=confusion.EVEN_OF_LABELS,
    ),
    "label_calibration_error": Metric(
        label_excesses,
        calibration_error,
        title="Calibration error of a label",
        doc="Mean distance between a label's chance and how often it is there, over 15 bins of the chance.",
        better="lower",
        is_inflated=True,
        worth=confusion.EVEN_OF_LABELS,
    ),
}
"""The scores of several labels for each example, in the order shown to users."""

PER_LABEL = by_class.each(
    confusion.tally_of_labels,
    {
        "precision": "Of the examples given the label, the share that has it.",
        "recall": "Of the examples that have the label, the share that is given it.",
        "roc_auc": "Chance that an example with the label is ranked above one without.",
    },
)
"""The scores of each label; their functions give R x K values, NaN where a label does not occur."""
