"""Scores several labels for each example: all together, each label with its threshold, calibration."""

# N examples, K labels

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers import balancing
from sonde.answers.answer import FITTED_ON, Scored, Worst
from sonde.answers.multilabel.options import Options
from sonde.answers.multilabel.predictions import Predictions
from sonde.answers.multilabel.target import LabelsTarget
from sonde.metrics import LABEL_METRICS, PER_LABEL, AnyMetric, LabelSample, prepare_labels
from sonde.metrics.intervals import Score, score_each, score_sample

CALIBRATION = ("label_calibration_error", "label_log_loss", "label_brier")
"""Metrics that temperature scaling is meant to improve; shown before and after it."""
GOALS = {"f1": "f1_macro", "balanced_accuracy": "recall_macro", "accuracy": "hamming_loss"}
"""The metric that shows what the thresholds were tuned for."""
COMPARED = ("subset_accuracy", "label_log_loss", "f1_macro")
"""Metrics that a comparison shows beside the headline."""
HEADLINE = "f1_micro"


def metrics(target: LabelsTarget, own: Options) -> Mapping[str, AnyMetric]:
    """Return the metrics of several labels."""
    return LABEL_METRICS


def headline(target: LabelsTarget, own: Options) -> str:
    """Return the metric that stands first."""
    return HEADLINE


def sample(made: Predictions, own: Options) -> LabelSample:
    """Return what the metrics read: truth, probabilities and thresholds."""
    return prepare_labels(made.truth, made.probabilities, np.asarray(made.decision))


def figure(own: LabelSample) -> NDArray[np.float64]:
    """Return 1 for each example all of whose labels are right, else 0."""
    return own.correct_N


def judge(scored: Scored, test: Mapping[str, Score]) -> dict[str, Any]:
    """Return what scores.json holds of the labels beside the metrics.

    Args:
        scored: the model's predictions, and how they are judged.
    """
    made, fitted, bootstrap = scored.predictions, scored.fitted, scored.bootstrap
    own = sample(made, scored.own)
    calibrating = {name: LABEL_METRICS[name] for name in CALIBRATION}
    before = score_sample(prepare_labels(made.truth, before_scaling(made)), calibrating, bootstrap=bootstrap)
    each = score_each(own, PER_LABEL, bootstrap=bootstrap)
    ratio = balancing.ratio(scored.counts)
    return {
        "classes": list(made.classes),
        "fitted_on": FITTED_ON[fitted.fitted_on],
        "ratio": ratio,
        "unequal": ratio >= balancing.UNEQUAL,
        "decision": _decision(scored, test),
        "per_class": {
            name: {
                "n": int(own.truth_NK[:, index].sum()),
                "given": int(own.answered[:, index].sum()),
                "threshold": float(own.thresholds_K[index]),
                **{metric: score.to_dict() for metric, score in each[index].items()},
            }
            for index, name in enumerate(made.classes)
        },
        "labels_each": {"mean": float(own.truth_NK.sum(axis=1).mean()), "none": int((~own.truth_NK.any(axis=1)).sum())},
        "calibration": {
            "temperature": fitted.temperature,
            "before": {name: score.to_dict() for name, score in before.items()},
            "after": {name: test[name].to_dict() for name in CALIBRATION},
        },
    }


def before_scaling(made: Predictions) -> NDArray[np.float64]:
    """Return the probabilities before temperature scaling; those after it where no others are known."""
    return made.probabilities if made.raw is None else made.raw


def _decision(scored: Scored, test: Mapping[str, Score]) -> dict[str, Any] | None:
    """Return the thresholds, and the score with one half for all; None where nothing was tuned."""
    fitted, made = scored.fitted, scored.predictions
    if not fitted.decision:
        return None
    goal = GOALS.get(fitted.tuned_for, HEADLINE)
    halves = prepare_labels(made.truth, made.probabilities)
    without = score_sample(halves, {goal: LABEL_METRICS[goal]}, bootstrap=scored.bootstrap)
    how = (
        f"tuned for the {fitted.tuned_for.replace('_', ' ')} of each label on {FITTED_ON[fitted.fitted_on]}"
        if fitted.tuned_for != "none"
        else "as the training was told to balance the labels"
    )
    return {
        "tuned_for": fitted.tuned_for,
        "metric": goal,
        "values": dict(zip(made.classes, made.decision, strict=True)),
        "with": test[goal].to_dict(),
        "without": without[goal].to_dict(),
        "sentence": f"Each label is given from a probability of its own on ({how}); the probabilities are not changed.",
    }


def worst(scored: Scored) -> list[Worst]:
    """Pick the examples with the label of which the model was surest and wrong."""
    made, own = scored.predictions, sample(scored.predictions, scored.own)
    sure_NK = np.where(own.answered, own.probabilities_NK, 1 - own.probabilities_NK)
    sure_NK = np.where(own.answered != own.truth_NK, sure_NK, -1.0)
    surest_N = sure_NK.max(axis=1)
    rows = np.flatnonzero(own.correct_N == 0)
    chosen = rows[np.argsort(-surest_N[rows], kind="stable")][: scored.mistakes]
    return [
        Worst(
            row=int(row),
            name=made.names[row],
            predicted=_named(made, own.answered[row]),
            truth=_named(made, own.truth_NK[row]),
            confidence=float(surest_N[row]),
        )
        for row in chosen
    ]


def _named(made: Predictions, has_K: NDArray[np.bool_]) -> str:
    return ", ".join(made.classes[index] for index in np.flatnonzero(has_K)) or "no label"
