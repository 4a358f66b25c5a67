"""Unequal classes: when they are called so, and what a training that is told to even them out is given.

A model that is trained with weights, balanced batches or adjusted logits learns the chances of a world in which the
classes are more even. That world is known, and so is the way back: what has to be added to each logit so that the
probabilities hold in the data as it is (Elkan, "The foundations of cost-sensitive learning", 2001; Menon et al., 2021).
The answers are then decided as the training asked for, and the confidences still mean what they say.
"""

# N examples, C classes or labels

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

UNEQUAL = 3.0
"""Times the examples of the rarest class that the most frequent one has, from which on classes are called unequal."""

Weights = Literal["none", "sqrt", "balanced"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Balancing:
    """What makes a training see its classes more even than they are."""

    weights: tuple[float, ...] = ()
    """Factor on the loss of each class; () for none."""
    shifts: tuple[float, ...] = ()
    """What the loss adds to each logit; () for nothing."""
    correction: tuple[float, ...] = ()
    """What has to be added to each logit so that its probability holds in the data as it is; () for nothing."""


def ratio(counts: Mapping[str, int]) -> float:
    """Return how many times the examples of the rarest class the most frequent one has; 1 for less than two classes.

    Args:
        counts: examples of each class.
    """
    present = [count for count in counts.values() if count]
    return max(present) / min(present) if len(present) > 1 else 1.0


def in_words(counts: Mapping[str, int], helps: str) -> str:
    """Say that the classes are unequal and what helps, or return an empty text where they are not.

    Args:
        counts: training examples of each class.
        helps: options of the answer that is asked.
    """
    if ratio(counts) < UNEQUAL:
        return ""
    most, least = max(counts, key=lambda name: counts[name]), min(counts, key=lambda name: counts[name])
    return (
        f"the classes are unequal: '{most}' has {ratio(counts):.1f} times the training examples of '{least}' "
        f"({counts[most]:,} and {counts[least]:,}); what helps, as --set: {helps}"
    )


def class_weights(kind: Weights, counts_C: Sequence[int] | NDArray[np.int64]) -> tuple[float, ...]:
    """Return a factor on the loss of each class's examples, with a mean of 1 over the examples.

    Args:
        kind: "balanced" gives each class the same say, as scikit-learn's does; "sqrt" goes half of the way.
        counts_C: training examples of each class.

    Returns:
        One for each class; none for "none".
    """
    if kind == "none":
        return ()
    counts = np.maximum(np.asarray(counts_C, np.float64), 1)
    factors = 1 / counts if kind == "balanced" else 1 / np.sqrt(counts)
    return tuple((factors * counts.sum() / (factors * counts).sum()).tolist())


def label_weights(kind: Weights, positives_C: NDArray[np.int64], examples: int) -> tuple[float, ...]:
    """Return a factor on the loss where a label is true, so that its presence weighs as much as its absence.

    Args:
        kind: "balanced" is negatives over positives; "sqrt" the square root of that.
        positives_C: training examples that have each label.
        examples: training examples in all.
    """
    if kind == "none":
        return ()
    odds = _odds(positives_C, examples)
    return tuple((1 / odds if kind == "balanced" else 1 / np.sqrt(odds)).tolist())


def balance_classes(counts_C: NDArray[np.int64], *, weights: Weights, sampling: str, adjustment: float) -> Balancing:
    """Return what a training on one label for each example is given.

    Args:
        counts_C: training examples of each class.
        weights: a kind of `class_weights`.
        sampling: "balanced" where each epoch shows every class equally often.
        adjustment: strength of the logit adjustment; 1 is the one of the paper.
    """
    counts = np.maximum(np.asarray(counts_C, np.float64), 1)
    log_shares = np.log(counts / counts.sum())
    factors = class_weights(weights, counts_C)
    shifts = adjustment * log_shares if adjustment else np.zeros(len(counts))
    correction = shifts - (np.log(factors) if factors else 0.0)
    if sampling == "balanced":
        correction = correction + log_shares
    return Balancing(factors, tuple(shifts.tolist()) if adjustment else (), _centred(correction))


def balance_labels(positives_C: NDArray[np.int64], examples: int, *, weights: Weights, adjustment: float) -> Balancing:
    """Return what a training on several labels for each example is given.

    Args:
        positives_C: training examples that have each label.
        examples: training examples in all.
        weights: a kind of `label_weights`.
        adjustment: strength of the adjustment of each logit by the label's log odds.
    """
    factors = label_weights(weights, positives_C, examples)
    shifts = adjustment * np.log(_odds(positives_C, examples)) if adjustment else np.zeros(len(positives_C))
    correction = shifts - (np.log(factors) if factors else 0.0)
    correction_C = tuple(correction.tolist()) if np.abs(correction).max(initial=0.0) > 0 else ()
    return Balancing(factors, tuple(shifts.tolist()) if adjustment else (), correction_C)


def loss_options(own: Any, balance: Balancing) -> dict[str, Any]:
    """Return what the head's loss is told: smoothing, focus, and what balances the classes; what is off is left out.

    Args:
        own: the answer's options, with label_smoothing, loss and focal_gamma.
    """
    more = {
        "focus": own.focal_gamma if own.loss == "focal" else 0.0,
        "weights": balance.weights,
        "shifts": balance.shifts,
    }
    return {"label_smoothing": own.label_smoothing, **{name: value for name, value in more.items() if value}}


def _odds(positives_C: NDArray[np.int64], examples: int) -> Floats:
    # Held away from none and all, whose odds have no end.
    positives = np.clip(np.asarray(positives_C, np.float64), 0.5, examples - 0.5)
    return np.asarray(positives / (examples - positives), np.float64)


def _centred(values: Floats) -> tuple[float, ...]:
    """Return values with the mean 0, which the softmax does not see; none where all are equal."""
    if np.ptp(values) < 1e-12:
        return ()
    return tuple((values - values.mean()).tolist())
