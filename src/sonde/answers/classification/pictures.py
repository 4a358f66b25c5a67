"""The pictures of a classification: confusion, each class, curves, reliability, abstention and prediction sets."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sonde.answers.answer import Plot, Scored
from sonde.answers.class_bars import class_bars
from sonde.answers.classification.confusion_picture import confusion_matrix
from sonde.answers.classification.curve_pictures import precision_recall, roc
from sonde.answers.classification.reliability_picture import reliability
from sonde.answers.classification.scores import before_scaling, sample
from sonde.answers.classification.selective_pictures import answered, set_sizes
from sonde.metrics import AnySample, curves, prepare

Scores = Mapping[str, Any]
MEASURES = {"precision": "Precision, %", "recall": "Recall, %", "f1": "F1, %"}
"""What is drawn of each class, in this order."""


def areas(scores: Scores, metric: str) -> dict[str, float | None]:
    """Return an area of each class, as scores.json holds it."""
    per_class = scores.get("per_class") or {}
    return {label: (each.get(metric) or {}).get("value") for label, each in per_class.items()}


def roc_of(sample: Callable[[Any, Any], AnySample]) -> Callable[[Scored, Scores], str | None]:
    """Return what draws a ROC curve for each class of what is scored, from what its metrics read."""

    def drawn(scored: Scored, scores: Scores) -> str | None:
        own = sample(scored.predictions, scored.own)
        found = {name: curves.roc(own, index) for index, name in enumerate(scored.predictions.classes)}
        return roc(found, areas(scores, "roc_auc"))

    return drawn


def precision_recall_of(sample: Callable[[Any, Any], AnySample]) -> Callable[[Scored, Scores], str | None]:
    """Return what draws precision over recall for each class of what is scored; see `roc_of`."""

    def drawn(scored: Scored, scores: Scores) -> str | None:
        own = sample(scored.predictions, scored.own)
        found = {name: curves.precision_recall(own, index) for index, name in enumerate(scored.predictions.classes)}
        return precision_recall(found, areas(scores, "average_precision"))

    return drawn


def _reliability(scored: Scored, scores: Scores) -> str | None:
    made = scored.predictions
    before = curves.reliability(prepare(made.truth, before_scaling(made)))
    return reliability(before, curves.reliability(sample(made, scored.own)))


PICTURES: dict[str, Plot] = {
    "confusion": Plot(
        lambda scored, scores: confusion_matrix(np.asarray(scores["confusion"]), scores["classes"]),
        "Confusion matrix",
        "Colour off the diagonal marks classes that are taken for each other; it follows the share of the row.",
    ),
    "classes": Plot(
        lambda scored, scores: class_bars(scores["per_class"], MEASURES, by="f1"),
        "Each class",
        "Short bars are weak classes; long whiskers are classes with few examples.",
    ),
    "roc": Plot(
        roc_of(sample),
        "ROC curves",
        "A curve that stays away from the upper left corner is a class that no threshold separates cleanly.",
    ),
    "precision-recall": Plot(
        precision_recall_of(sample),
        "Precision and recall",
        "See where precision falls as more of a class is to be found.",
    ),
    "reliability": Plot(
        _reliability,
        "Reliability",
        "Below the diagonal the model is surer than it is right, above it less sure. Whiskers show what may be chance.",
    ),
    "answered": Plot(
        lambda scored, scores: answered(scores.get("abstention") or {}),
        "Accuracy against coverage",
        "See how many examples the model would have to abstain on for the rest to be as right as is needed.",
    ),
    "set-sizes": Plot(
        lambda scored, scores: set_sizes(scores.get("conformal") or {}),
        "Sizes of the prediction sets",
        "Large sets are examples of which the model knows little; see whether the sets of each size contain the truth.",
    ),
}
"""In the order they are shown."""
