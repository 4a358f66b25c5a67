"""Rows of metrics that one class for each example and several labels share: means over classes, areas, each class.

They differ in how an example is counted (its tally), and in what a value of it is worth.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sonde.metrics import confusion, ranking
from sonde.metrics.metric import AnyMetric, Metric, Ranking, Sums, Worth

Tally = Callable[[Any], Sums]


def means(tally: Tally, worth: Worth) -> dict[str, AnyMetric]:
    """Return F1, precision and recall, each class counting the same."""
    return {
        "f1_macro": Metric(
            tally,
            confusion.f1_macro,
            title="F1, mean over classes",
            doc="Harmonic mean of precision and recall, each class counting the same.",
            is_counted=True,
            worth=worth,
        ),
        "precision_macro": Metric(
            tally,
            confusion.precision_macro,
            title="Precision, mean over classes",
            doc="Of the examples guessed as a class, the share that is one; each class counting the same.",
            is_counted=True,
            worth=worth,
        ),
        "recall_macro": Metric(
            tally,
            confusion.recall_macro,
            title="Recall, mean over classes",
            doc="Of the examples of a class, the share that is found; each class counting the same.",
            is_counted=True,
            worth=worth,
        ),
    }


def areas(worth: Worth) -> dict[str, AnyMetric]:
    """Return the means over classes of the areas under two curves."""
    return {
        "roc_auc": Ranking(
            ranking.Areas,
            ranking.roc_auc,
            title="ROC-AUC, one against the rest",
            doc="Chance that an example of a class is ranked above another one; 0.5 is chance; mean over classes.",
            worth=worth,
        ),
        "average_precision": Ranking(
            ranking.Areas,
            ranking.average_precision,
            title="Average precision",
            doc="Area under the precision-recall curve of a class against the rest; mean over classes.",
            worth=worth,
        ),
    }


def each(tally: Tally, docs: Mapping[str, str]) -> dict[str, AnyMetric]:
    """Return the scores of each class; they give R x C values, NaN where a class does not occur.

    Args:
        docs: the sentences on precision, recall and roc_auc.
    """
    of_class, of_guesses, of_sides = confusion.by_class(tally)
    return {
        "precision": Metric(
            tally,
            confusion.precision_by_class,
            title="Precision",
            doc=docs["precision"],
            is_counted=True,
            worth=of_guesses,
        ),
        "recall": Metric(
            tally,
            confusion.recall_by_class,
            title="Recall",
            doc=docs["recall"],
            is_share=True,
            is_counted=True,
            worth=of_class,
        ),
        "f1": Metric(
            tally,
            confusion.f1_by_class,
            title="F1",
            doc="Harmonic mean of precision and recall.",
            is_counted=True,
            worth=of_class,
        ),
        "roc_auc": Ranking(
            ranking.Areas,
            ranking.roc_auc_by_class,
            title="ROC-AUC",
            doc=docs["roc_auc"],
            worth=of_sides,
        ),
        "average_precision": Ranking(
            ranking.Areas,
            ranking.average_precision_by_class,
            title="Average precision",
            doc="Area under its precision-recall curve.",
            worth=of_class,
        ),
    }
