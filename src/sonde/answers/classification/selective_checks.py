"""Checks on the test split what a model promises: prediction sets that hold the truth, and abstention where unsure.

Nothing is chosen here: the thresholds stand in the model's folder and come from validation (`classification.fit`).
"""

# N examples, C classes

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers.classification.fitted import Abstention, Fitted, Sets
from sonde.answers.classification.predictions import Predictions
from sonde.metrics import conformal, selective
from sonde.metrics.intervals import wilson
from sonde.metrics.thresholds import decide

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

POINTS = 60
"""Points of the curve that are kept in scores.json, evenly spread over the share answered."""
SIZES = ((1, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, 100), (101, 100_000))
"""How sizes of sets are grouped, the smallest and the largest of each group."""


def judge(fitted: Fitted, made: Predictions) -> dict[str, Any]:
    """Check everything that a model promises of its doubt.

    Returns:
        The entries "conformal" (where the model has thresholds of sets) and "abstention" of scores.json.
    """
    judged = {
        "abstention": judge_abstention(fitted.abstention, made.probabilities, made.truth, predicted_N=made.predicted)
    }
    if fitted.sets is not None:
        judged["conformal"] = judge_sets(fitted.sets, made.probabilities, made.truth, made.classes)
    return {**judged, "in_words": _in_words(judged)}


def _in_words(judged: Mapping[str, Any]) -> list[str]:
    """Return what the prediction sets and the abstention came to on the test split, for the terminal."""
    sets, abstention = judged.get("conformal") or {}, judged["abstention"]
    said = [f"Prediction sets: {sets['sentence']}"] if sets.get("sentence") else []
    if abstention["threshold"]:
        given, right = (
            "–" if each["value"] is None else f"{each['value']:.3f} ({each['low']:.3f} to {each['high']:.3f})"
            for each in (abstention["coverage"], abstention["accuracy"])
        )
        said.append(
            f"Predictions given (confidence from {abstention['threshold']:.3f}): {given} of the examples, right in "
            f"{right}."
        )
    return said


def judge_sets(sets: Sets, probabilities_NC: Floats, truth_N: Indices, classes: Sequence[str]) -> dict[str, Any]:
    """Count how often the sets hold the truth, and how large they are.

    Args:
        probabilities_NC: of the test examples.
        truth_N: index of the true class of each.

    Returns:
        Values for scores.json: what was wanted, and by method what was reached, with 95 % intervals.
    """
    by_method: dict[str, Any] = {}
    for method in sets.thresholds:
        inside_NC = conformal.sets(method, probabilities_NC, sets.limits(method))
        held_N = conformal.covered(inside_NC, truth_N)
        size_N = inside_NC.sum(axis=1)
        by_method[method] = {
            "reached": _share(held_N),
            "mean_size": float(size_N.mean()),
            "alone": float((size_N == 1).mean()),
            "sizes": _by_size(size_N, held_N),
            "per_class": {name: _share(held_N[truth_N == index]) for index, name in enumerate(classes)},
            "is_finite": all(np.isfinite(sets.limits(method))),
        }
    expected = None
    if not sets.is_by_class:
        expected = list(conformal.expected(sets.examples, len(truth_N), coverage=sets.coverage))
    made = {
        "wanted": sets.coverage,
        "method": sets.method,
        "by_class": sets.is_by_class,
        "examples": sets.examples,
        "apart": sets.is_apart,
        "expected": expected,
        "methods": by_method,
    }
    return {**made, "sentence": _sets_in_words(made)}


def judge_abstention(
    abstention: Abstention, probabilities_NC: Floats, truth_N: Indices, *, predicted_N: NDArray[np.intp] | None = None
) -> dict[str, Any]:
    """Score what is answered above the model's threshold, and above every other one.

    Args:
        probabilities_NC: of the test examples.
        truth_N: index of the true class of each.
        predicted_N: what is answered, where it is not the most probable class.

    Returns:
        Values for scores.json, with 95 % intervals.
    """
    predicted_N = probabilities_NC.argmax(axis=1) if predicted_N is None else predicted_N
    confidence_N = probabilities_NC[np.arange(len(predicted_N)), predicted_N]
    correct_N = predicted_N == truth_N
    answered_N = confidence_N >= abstention.threshold
    points = selective.curve(confidence_N, correct_N)
    kept = np.unique(np.searchsorted(points.answered_P, np.linspace(0, 1, POINTS)[1:] - 1e-12))
    return {
        "threshold": abstention.threshold,
        "reason": abstention.reason,
        "coverage": _share(answered_N),
        "accuracy": _share(correct_N[answered_N]),
        "area": selective.area(confidence_N, correct_N),
        "curve": [
            [float(points.answered_P[at]), float(points.accuracy_P[at]), float(points.thresholds_P[at])] for at in kept
        ],
    }


def sets_and_abstention(fitted: Fitted, classes: Sequence[str], probabilities_NC: Floats) -> list[dict[str, Any]]:
    """Return for each example its prediction set, the most probable class first, and whether the model abstains.

    Args:
        fitted: where it has no thresholds of sets, the rows hold no set.
        classes: in order.
        probabilities_NC: of the examples; no row depends on another one.
    """
    sets = fitted.sets
    # Rounded as on validation, so that an example on the threshold falls on the same side.
    rounded = np.asarray(probabilities_NC, np.float32).astype(np.float64)
    predicted_N = decide(rounded, fitted.decision)
    confidence_N = rounded[np.arange(len(rounded)), predicted_N]
    rows: list[dict[str, Any]] = [{"abstains": bool(each < fitted.abstention.threshold)} for each in confidence_N]
    if sets is not None:
        inside_NC = conformal.sets(sets.method, rounded, sets.limits())
        inside_NC[np.arange(len(rounded)), predicted_N] = (
            True  # What is predicted is in its set, as it only adds to it.
        )
        for row, inside_C, probabilities_C in zip(rows, inside_NC, rounded, strict=True):
            places = np.flatnonzero(inside_C)
            order = places[np.argsort(-probabilities_C[places], kind="stable")]
            row["set"] = [classes[place] for place in order]
    return rows


def _share(hits_N: NDArray[np.bool_]) -> dict[str, Any]:
    if not len(hits_N):
        return {"value": None, "low": None, "high": None, "n": 0}
    low, high = wilson(float(hits_N.sum()), len(hits_N))
    value = float(hits_N.mean())
    # Wilson's interval of a share of 0 or 1 misses it by rounding.
    return {"value": value, "low": min(low, value), "high": max(high, value), "n": len(hits_N)}


def _by_size(size_N: NDArray[np.int64], held_N: NDArray[np.bool_]) -> list[dict[str, Any]]:
    rows = []
    for low, high in SIZES:
        chosen = (size_N >= low) & (size_N <= high)
        if chosen.any():
            largest = int(size_N[chosen].max())
            rows.append({"from": low, "to": largest, "share": float(chosen.mean()), "reached": _share(held_N[chosen])})
    return rows


def _sets_in_words(made: Mapping[str, Any]) -> str:
    used = made["methods"][made["method"]]
    reached, wanted = used["reached"], made["wanted"]
    if reached["value"] is None:
        return ""
    told = f"{reached['value']:.1%} of the sets hold the truth, where {wanted:.0%} was wanted"
    if not used["is_finite"] and not made["by_class"]:
        return (
            f"{made['examples']} validation examples are too few for a coverage of {wanted:g} "
            f"(at least {conformal.fewest(wanted)}), so that every set holds all classes."
        )
    expected = made["expected"]
    if expected is None:
        lowest = min(
            (each for each in used["per_class"].values() if each["value"] is not None), key=lambda each: each["value"]
        )
        return f"{told} of each class; the class covered least has {lowest['value']:.1%} of {lowest['n']:,}."
    low, high = expected
    chance = f"chance alone leaves {low:.1%} to {high:.1%}"
    if reached["value"] < low:
        return f"{told}: the coverage target was missed ({chance}). These examples differ from the validation split."
    if reached["value"] > high:
        return f"{told}: the coverage target was exceeded ({chance})."
    return f"{told}: the coverage target was met ({chance})."
