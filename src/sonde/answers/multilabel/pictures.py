"""The pictures of a multilabel model: each label, curves, reliability."""

from collections.abc import Mapping
from typing import Any

from sonde.answers.answer import Plot, Scored
from sonde.answers.classification.pictures import PICTURES as OF_CLASSES
from sonde.answers.classification.pictures import precision_recall_of, roc_of
from sonde.answers.classification.reliability_picture import reliability
from sonde.answers.multilabel.scores import before_scaling, sample
from sonde.metrics import curves, prepare_labels

Scores = Mapping[str, Any]


def _reliability(scored: Scored, scores: Scores) -> str | None:
    made = scored.predictions
    before = curves.label_reliability(prepare_labels(made.truth, before_scaling(made)))
    return reliability(before, curves.label_reliability(sample(made, scored.own)))


PICTURES: dict[str, Plot] = {
    "classes": Plot(
        OF_CLASSES["classes"].function,
        "Each label",
        "Short bars are weak labels; long whiskers are labels with few examples.",
    ),
    "roc": Plot(roc_of(sample), OF_CLASSES["roc"].title, OF_CLASSES["roc"].look_for),
    "precision-recall": Plot(
        precision_recall_of(sample), OF_CLASSES["precision-recall"].title, OF_CLASSES["precision-recall"].look_for
    ),
    "reliability": Plot(_reliability, OF_CLASSES["reliability"].title, OF_CLASSES["reliability"].look_for),
}
"""In the order they are shown."""
