"""The scores of a classifier, one label for each example: the tables, and which of their rows say something when."""

# R resamples, C classes

from sonde.metrics import by_class, confusion, probability, ranking
from sonde.metrics.metric import AnyMetric, Metric, Ranking
from sonde.metrics.sums import mean

METRICS: dict[str, AnyMetric] = {
    "f1_positive": Metric(
        confusion.tally_from_positive,
        confusion.f1_positive,
        title="F1 of the rare class",
        doc="Harmonic mean of precision and recall of the class that is searched for, classification.positive.",
        is_counted=True,
        worth=confusion.POSITIVE,
    ),
    "precision_positive": Metric(
        confusion.tally_from_positive,
        confusion.precision_positive,
        title="Precision of the rare class",
        doc="Of the examples guessed as the class that is searched for, the share that is one.",
        is_counted=True,
        worth=confusion.POSITIVE,
    ),
    "recall_positive": Metric(
        confusion.tally_from_positive,
        confusion.recall_positive,
        title="Recall of the rare class",
        doc="Of the examples of the class that is searched for, the share that is found.",
        is_counted=True,
        worth=confusion.POSITIVE,
    ),
    "average_precision_positive": Ranking(
        ranking.Areas,
        ranking.average_precision_positive,
        title="Average precision of the rare class",
        doc="Area under the precision-recall curve of the class that is searched for; no threshold changes it.",
        worth=confusion.POSITIVE,
    ),
    "accuracy": Metric(
        confusion.right,
        mean,
        title="Accuracy",
        doc="Share of examples guessed right.",
        is_share=True,
        is_counted=True,
    ),
    "balanced_accuracy": Metric(
        confusion.tally,
        confusion.balanced_accuracy,
        title="Balanced accuracy",
        doc="Mean recall of the classes; a rare class counts as much as a frequent one.",
        is_counted=True,
        worth=confusion.EVEN,
    ),
    "top_2_accuracy": Metric(
        confusion.in_top_2,
        mean,
        title="Top-2 accuracy",
        doc="Share of examples whose class is among the two most probable.",
        is_share=True,
    ),
    "top_5_accuracy": Metric(
        confusion.in_top_5,
        mean,
        title="Top-5 accuracy",
        doc="Share of examples whose class is among the five most probable.",
        is_share=True,
    ),
    **by_class.means(confusion.tally, confusion.EVEN),
    "f1_weighted": Metric(
        confusion.tally,
        confusion.f1_weighted,
        title="F1, weighted",
        doc="F1 of the classes, each weighted by its number of examples.",
        is_counted=True,
        worth=confusion.EVEN,
    ),
    "precision_weighted": Metric(
        confusion.tally,
        confusion.precision_weighted,
        title="Precision, weighted",
        doc="Precision of the classes, each weighted by its number of examples.",
        is_counted=True,
        worth=confusion.EVEN,
    ),
    "recall_weighted": Metric(
        confusion.tally,
        confusion.recall_weighted,
        title="Recall, weighted",
        doc="Recall of the classes, each weighted by its number of examples; it equals accuracy.",
        is_share=True,
        is_counted=True,
    ),
    **by_class.areas(confusion.EVEN),
    "log_loss": Metric(
        probability.log_losses,
        mean,
        title="Log loss",
        doc="Mean negative natural logarithm of the probability given to the truth.",
        better="lower",
        high=probability.LARGEST_LOSS,
        worth=confusion.EVEN,
    ),
    "brier": Metric(
        probability.briers,
        mean,
        title="Brier score",
        doc="Mean squared distance of the probabilities to the truth, summed over classes (0 to 2).",
        better="lower",
        high=2.0,
        worth=confusion.EVEN,
    ),
    "expected_calibration_error": Metric(
        probability.excesses,
        probability.calibration_error,
        title="Expected calibration error",
        doc="Mean distance between confidence and accuracy, over 15 bins of confidence.",
        better="lower",
        is_inflated=True,
        worth=confusion.EVEN,
    ),
}
"""The scores of a classifier, in the order shown to users."""

PER_CLASS = by_class.each(
    confusion.tally,
    {
        "precision": "Of the examples guessed as the class, the share that is one.",
        "recall": "Of the examples of the class, the share that is found.",
        "roc_auc": "Chance that an example of the class is ranked above another one.",
    },
)
"""The scores of each class against the rest; they give R x C values, NaN where a class does not occur."""

CALIBRATION = ("expected_calibration_error", "log_loss", "brier")
"""Metrics that temperature scaling is meant to improve; shown before and after it."""
OF_POSITIVE = ("f1_positive", "precision_positive", "recall_positive", "average_precision_positive")
"""Metrics of one of two classes; they are left out where none is named as the one that is searched for."""
FEWEST_CLASSES = {"top_2_accuracy": 3, "top_5_accuracy": 6}
"""With fewer classes these say nothing (top-5 of five is always 1) and are left out."""


def applicable(classes: int, *, has_positive: bool = False) -> dict[str, AnyMetric]:
    """Return the metrics that say something for a number of classes.

    Args:
        classes: how many classes the model knows.
        has_positive: whether one of two classes is named as the one that is searched for.
    """
    return {
        name: metric
        for name, metric in METRICS.items()
        if classes >= FEWEST_CLASSES.get(name, 2) and (name not in OF_POSITIVE or (has_positive and classes == 2))
    }
