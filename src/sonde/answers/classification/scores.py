"""Scores one class for each example: each class, confusion, calibration, the tuned decision, sets and abstention."""

# N examples, C classes

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers import balancing
from sonde.answers.answer import FITTED_ON, Scored, Worst
from sonde.answers.classification import selective_checks
from sonde.answers.classification.fitted import Fitted
from sonde.answers.classification.options import Options
from sonde.answers.classification.predictions import Predictions
from sonde.answers.classification.target import ClassTarget
from sonde.errors import ConfigError, did_you_mean
from sonde.metrics import CALIBRATION, METRICS, PER_CLASS, AnyMetric, Sample, applicable, prepare, thresholds
from sonde.metrics.confusion import confusion_matrix
from sonde.metrics.intervals import Score, score_each, score_sample

GOALS = {"f1": "f1_macro", "balanced_accuracy": "balanced_accuracy", "accuracy": "accuracy"}
"""The metric that shows what a decision was tuned for; with a positive class its own F1."""
COMPARED = ("accuracy", "log_loss", "f1_macro")
"""Metrics that a comparison shows beside the headline."""


def positive_class(own: Options, classes: Sequence[str]) -> int | None:
    """Return the index of the positive class, or None where none is named.

    Raises:
        ConfigError: there is no such class, or there are more than two.
    """
    if not own.positive:
        return None
    if own.positive not in classes:
        raise ConfigError(
            f"classification.positive = '{own.positive}' is none of the classes."
            f"{did_you_mean(own.positive, classes)} They are: {', '.join(classes[:20])}."
        )
    if len(classes) != 2:
        raise ConfigError(
            f"classification.positive = '{own.positive}' needs two classes, and there are {len(classes)}. Leave it "
            'empty; the report scores each class (--set classification.positive="").'
        )
    return list(classes).index(own.positive)


def metrics(target: ClassTarget, own: Options) -> Mapping[str, AnyMetric]:
    """Return the metrics that say something for the classes."""
    return applicable(len(target.classes), has_positive=positive_class(own, target.classes) is not None)


def headline(target: ClassTarget, own: Options) -> str:
    """Return the metric that stands first: accuracy, or the F1 of the positive class where one is named."""
    return "accuracy" if positive_class(own, target.classes) is None else "f1_positive"


def sample(made: Predictions, own: Options) -> Sample:
    """Return what the metrics read: truth, probabilities, and what is decided from them."""
    decided = made.predicted if made.decision else None
    place = made.classes.index(own.positive) if own.positive in made.classes else -1
    return prepare(made.truth, made.probabilities, decided_N=decided, positive=place)


def figure(own: Sample) -> NDArray[np.float64]:
    """Return 1 for each example that is predicted right, else 0."""
    return own.correct_N


def judge(scored: Scored, test: Mapping[str, Score]) -> dict[str, Any]:
    """Return what scores.json holds of the classes beside the metrics.

    Args:
        scored: the model's predictions, and how they are judged.
    """
    made, fitted, bootstrap = scored.predictions, scored.fitted, scored.bootstrap
    own = sample(made, scored.own)
    place = positive_class(scored.own, made.classes)
    calibrating = {name: METRICS[name] for name in METRICS if name in CALIBRATION}
    before = score_sample(prepare(made.truth, before_scaling(made)), calibrating, bootstrap=bootstrap)
    per_class = score_each(own, PER_CLASS, bootstrap=bootstrap)
    ratio = balancing.ratio(scored.counts)
    return {
        "classes": list(made.classes),
        "positive": None if place is None else made.classes[place],
        "fitted_on": FITTED_ON[fitted.fitted_on],
        "ratio": ratio,
        "unequal": ratio >= balancing.UNEQUAL,
        "decision": _decision(scored, place, test),
        "per_class": {
            name: {"n": int((made.truth == index).sum()), **plain(per_class[index])}
            for index, name in enumerate(made.classes)
        },
        "confusion": confusion_matrix(own).tolist(),
        "calibration": {
            "temperature": fitted.temperature,
            "before": plain(before),
            "after": {name: test[name].to_dict() for name in CALIBRATION},
        },
        **selective_checks.judge(fitted, made),
    }


def before_scaling(made: Predictions) -> NDArray[np.float64]:
    """Return the probabilities before temperature scaling; those after it where no others are known."""
    return made.probabilities if made.raw is None else made.raw


def plain(scores: Mapping[str, Score]) -> dict[str, Any]:
    """Return scores as plain values for JSON."""
    return {name: each.to_dict() for name, each in scores.items()}


def _decision(scored: Scored, positive: int | None, test: Mapping[str, Score]) -> dict[str, Any] | None:
    """Return what was tuned, in words and numbers, and the score without it; None where nothing was."""
    fitted, made = scored.fitted, scored.predictions
    if not made.decision:
        if fitted.tuned_for == "none":
            return None
        goal = fitted.tuned_for.replace("_", " ")
        told = f"Tuned for {goal}: on {FITTED_ON[fitted.fitted_on]} nothing is better than the most probable class."
        return {"tuned_for": fitted.tuned_for, "values": {}, "sentence": told}
    goal = (
        "f1_positive" if fitted.tuned_for == "f1" and positive is not None else GOALS.get(fitted.tuned_for, "accuracy")
    )
    undecided = prepare(made.truth, made.probabilities, positive=-1 if positive is None else positive)
    without = score_sample(undecided, {goal: METRICS[goal]}, bootstrap=scored.bootstrap)
    return {
        "tuned_for": fitted.tuned_for,
        "metric": goal,
        "values": dict(zip(made.classes, made.decision, strict=True)),
        "with": test[goal].to_dict(),
        "without": without[goal].to_dict(),
        "sentence": decision_in_words(made, fitted, positive),
    }


def decision_in_words(made: Predictions, fitted: Fitted, positive: int | None) -> str:
    """Say how a tuned model decides."""
    how = (
        f"tuned for {fitted.tuned_for.replace('_', ' ')} on {FITTED_ON[fitted.fitted_on]}"
        if fitted.tuned_for != "none"
        else "as the training was told to balance the classes"
    )
    if len(made.classes) == 2:
        index = 1 if positive is None else positive
        threshold = thresholds.threshold_of(made.decision, index)
        return (
            f"'{made.classes[index]}' is predicted from a probability of {threshold:.3g} on, not from one half "
            f"({how}). The probabilities themselves are not changed."
        )
    return (
        f"The prediction is the class with the largest log probability plus an offset of its own ({how}). "
        "The probabilities themselves are not changed."
    )


def worst(scored: Scored) -> list[Worst]:
    """Pick the mistakes that gave the true class the least probability."""
    made = scored.predictions
    truth_N, predicted_N, probabilities_NC = made.truth, made.predicted, made.probabilities
    rows = np.arange(len(truth_N))
    wrong = rows[predicted_N != truth_N]
    chosen = wrong[np.argsort(probabilities_NC[wrong, truth_N[wrong]], kind="stable")][: scored.mistakes]
    return [
        Worst(
            row=int(row),
            name=made.names[row],
            predicted=made.classes[predicted_N[row]],
            truth=made.classes[truth_N[row]],
            confidence=float(probabilities_NC[row, predicted_N[row]]),
            truth_confidence=float(probabilities_NC[row, truth_N[row]]),
        )
        for row in chosen
    ]


def telling(scored: Scored, most: int) -> list[int]:
    """Choose test examples to explain: mistakes that are surest, and right predictions spread over the classes.

    Returns:
        Their places, a right one and a wrong one in turns; every second one is wrong, as far as there are such.
    """
    made = scored.predictions
    truth_N, predicted_N = made.truth, made.predicted
    rows = np.arange(len(truth_N))
    sure_N = made.probabilities[rows, predicted_N]
    wrong_rows = rows[predicted_N != truth_N]
    wrong = wrong_rows[np.argsort(-sure_N[wrong_rows], kind="stable")][: most // 2].tolist()
    right: list[int] = []
    # The middle one of each class by confidence: neither the easiest nor the luckiest.
    for number in np.unique(truth_N).tolist():
        its = rows[(truth_N == number) & (predicted_N == number)]
        if len(its):
            right.append(int(its[np.argsort(-sure_N[its], kind="stable")][len(its) // 2]))
    count = min(len(right), most - len(wrong))
    chosen = [right[round(at * (len(right) - 1) / max(count - 1, 1))] for at in range(count)]
    turns = [row for pair in zip(chosen, wrong, strict=False) for row in pair]
    return turns + [row for row in (*chosen, *wrong) if row not in turns]
