"""The decision that is tuned on validation examples: a threshold for each label, or an offset for each class.

The probabilities stay what they are, calibrated; only what is answered changes:

    label     the class with the largest log probability plus offset
    labels    each label whose probability reaches its threshold

A search over all places where an answer changes finds the best one on the examples it is given. Of equally good places
the one nearest to no change is taken, and what has too few examples is left alone: the best place on five examples is
mostly chance. For F1 the best threshold of calibrated probabilities is half of the best F1, so below 0.5 (Lipton,
Elkan & Naryanaswamy, "Optimal thresholding of classifiers to maximize F1 measure", 2014).
"""

# N examples, C classes, K labels

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

FEWEST = 10
"""Validation examples of a class or label below which its threshold is not moved."""
ROUNDS = 5
"""Most passes over the classes; two are mostly enough."""
LEAST_GAIN = 1e-9
SMALLEST = 1e-12
"""Probabilities are held this far from 0 before the logarithm."""
LARGEST_OFFSET = 30.0
"""Logarithm; an offset beyond it can only come from probabilities of 0 and 1."""
MOST_WORK = 2_000_000_000
"""Examples times classes squared up to which offsets are searched: 10,000 examples of 400 classes, about a minute."""


def decide(probabilities_NC: ArrayLike, offsets_C: Sequence[float]) -> NDArray[np.intp]:
    """Return the class with the largest log probability plus offset.

    Args:
        probabilities_NC: probability of each class for each example.
        offsets_C: one for each class; none at all takes the most probable class.
    """
    probabilities = np.asarray(probabilities_NC, np.float64)
    if not len(offsets_C):
        return probabilities.argmax(axis=1)
    return (_log(probabilities) + np.asarray(offsets_C, np.float64)).argmax(axis=1)


def threshold_of(offsets_C: Sequence[float], positive: int) -> float:
    """Return the probability from which on the positive one of two classes is answered.

    Args:
        positive: index of the one that is searched for.
    """
    first, second = float(offsets_C[positive]), float(offsets_C[1 - positive])
    return float(1 / (1 + np.exp(first - second)))


def f1(hits: Floats, guesses: Floats, positives: float, examples: float) -> Floats:
    """Return the F1 for each way of guessing.

    Args:
        guesses: guessed examples.
        positives: positive examples in all.
        examples: examples in all.
    """
    return 2 * hits / np.maximum(guesses + positives, 1)


def balanced_accuracy(hits: Floats, guesses: Floats, positives: float, examples: float) -> Floats:
    """Return the mean of the recall of what is positive and of what is not; see `f1`."""
    negatives = examples - positives
    return (hits / max(positives, 1) + (negatives - (guesses - hits)) / max(negatives, 1)) / 2


def accuracy(hits: Floats, guesses: Floats, positives: float, examples: float) -> Floats:
    """Return the share of right answers; see `f1`."""
    return (hits + (examples - positives) - (guesses - hits)) / examples


GOALS: dict[str, Callable[[Floats, Floats, float, float], Floats]] = {
    "f1": f1,
    "balanced_accuracy": balanced_accuracy,
    "accuracy": accuracy,
}
"""What a decision can be tuned for."""


def best_threshold(positive_N: ArrayLike, probability_N: ArrayLike, goal: str, *, start: float = 0.5) -> float:
    """Find the threshold of one yes-or-no answer that is best on some examples.

    Args:
        positive_N: whether each example is positive.
        probability_N: the probability that each is given.
        goal: a name in `GOALS`.
        start: the threshold to keep where nothing is better, or where examples are too few.

    Returns:
        A threshold between 0 and 1: midway between two neighbouring probabilities.
    """
    positive, probability = np.asarray(positive_N, bool), np.asarray(probability_N, np.float64)
    if min(int(positive.sum()), int((~positive).sum())) < FEWEST:
        return start
    order = np.argsort(-probability, kind="stable")
    falling = probability[order]
    # After how many examples a threshold may lie: none, and wherever the probability changes.
    ends = np.concatenate([[0], np.flatnonzero(np.diff(falling)) + 1, [len(falling)]])
    hits = np.concatenate([[0], np.cumsum(positive[order])])[ends].astype(np.float64)
    values = GOALS[goal](hits, ends.astype(np.float64), float(positive.sum()), float(len(positive)))
    edges = np.concatenate([[1.0], falling, [0.0]])
    thresholds = (edges[ends] + edges[ends + 1]) / 2
    now = np.searchsorted(-falling, -start, side="right")
    before = GOALS[goal](
        np.array([float(positive[order][:now].sum())]), np.array([float(now)]), float(positive.sum()), len(positive)
    )[0]
    best = float(values.max())
    if best <= before + LEAST_GAIN:
        return start
    good = thresholds[values >= best - LEAST_GAIN]
    return float(good[np.abs(good - start).argmin()])


def best_offsets(
    truth_N: ArrayLike, probabilities_NC: ArrayLike, goal: str, *, positive: int | None = None
) -> tuple[float, ...]:
    """Find offsets of the classes' log probabilities that are best on some examples.

    Args:
        truth_N: index of the true class of each example.
        probabilities_NC: probability of each class for each example.
        goal: a name in `GOALS`; with F1 the mean over the classes counts, or that of the positive class alone.
        positive: index of the one of two classes that is searched for, if one is named.

    Returns:
        One for each class; none at all where nothing is better than the most probable class, or the examples are too
        few or too many. It goes through the classes one after the other and finds the best offset of each exactly,
        until none moves.
    """
    truth, probabilities = np.asarray(truth_N, np.intp), np.asarray(probabilities_NC, np.float64)
    examples, classes = probabilities.shape
    if classes == 2:
        chosen = 1 if positive is None else positive
        return _offsets_of_two(truth == chosen, probabilities[:, chosen], goal, chosen, positive is None)
    if examples * classes**2 > MOST_WORK:
        return ()
    logs_NC = _log(probabilities)
    offsets_C, counts_C = np.zeros(classes), np.bincount(truth, minlength=classes)
    moved = False
    for _ in range(ROUNDS):
        before = offsets_C.copy()
        for index in np.flatnonzero(counts_C >= FEWEST):
            offsets_C[index] = _best_offset(truth, logs_NC + offsets_C, int(index), goal) + offsets_C[index]
        if np.array_equal(before, offsets_C):
            break
        moved = True
    offsets_C = np.clip(offsets_C, -LARGEST_OFFSET, LARGEST_OFFSET)
    return tuple(float(offset) for offset in offsets_C) if moved else ()


def best_thresholds(truth_NK: ArrayLike, probabilities_NK: ArrayLike, goal: str) -> tuple[float, ...]:
    """Find a threshold for each label that is best on some examples; see `best_threshold`.

    Args:
        truth_NK: 1 where an example has a label.
        probabilities_NK: probability of each label for each example.
        goal: a name in `GOALS`.
    """
    truth, probabilities = np.asarray(truth_NK) > 0, np.asarray(probabilities_NK, np.float64)
    return tuple(best_threshold(truth[:, k], probabilities[:, k], goal) for k in range(truth.shape[1]))


def _log(probabilities_NC: Floats) -> Floats:
    return np.log(np.maximum(probabilities_NC, SMALLEST))


def _offsets_of_two(
    positive_N: NDArray[np.bool_], probability_N: Floats, goal: str, index: int, is_mean: bool
) -> tuple[float, ...]:
    """Turn the best threshold of one of two classes into offsets."""
    if goal == "f1" and is_mean:
        logs = _log(np.stack([1 - probability_N, probability_N], axis=1))
        if min(int(positive_N.sum()), int((~positive_N).sum())) < FEWEST:
            return ()
        offset = _best_offset(positive_N.astype(np.intp), logs, 1, goal)
    else:
        threshold = best_threshold(positive_N, probability_N, goal)
        threshold = min(max(threshold, SMALLEST), 1 - SMALLEST)
        offset = float(np.log(1 - threshold) - np.log(threshold))
    if not offset:
        return ()
    offset = float(np.clip(offset, -LARGEST_OFFSET, LARGEST_OFFSET))
    return (0.0, offset) if index == 1 else (offset, 0.0)


def _best_offset(truth_N: NDArray[np.intp], scores_NC: Floats, index: int, goal: str) -> float:
    """Return what to add to one class's scores: examples go over to it in the order of how far it is behind."""
    others_NC = scores_NC.copy()
    others_NC[:, index] = -np.inf
    rival_N = others_NC.argmax(axis=1)
    behind_N = others_NC.max(axis=1) - scores_NC[:, index]
    order = np.argsort(behind_N, kind="stable")
    behind, truth, rival = behind_N[order], truth_N[order], rival_N[order]
    counts_C = np.bincount(truth_N, minlength=scores_NC.shape[1]).astype(np.float64)
    gained = truth == index
    lost = truth == rival
    if goal == "accuracy":
        steps = gained.astype(np.float64) - lost
    elif goal == "balanced_accuracy":
        steps = gained / counts_C[index] - lost / np.maximum(counts_C[rival], 1)
    else:
        steps = _steps_of_f1(gained, lost, rival, counts_C, counts_C[index])
    values = np.concatenate([[0.0], np.cumsum(steps)])
    # Between equals nothing can be cut; the first of a tie is the rival's or the class's, as argmax has it.
    ends = np.concatenate([[0], np.flatnonzero(np.diff(behind) > 0) + 1, [len(behind)]])
    edges = np.concatenate([[behind[0] - 1.0], behind, [behind[-1] + 1.0]])
    cuts = (edges[ends] + edges[ends + 1]) / 2
    now = values[np.searchsorted(behind, 0.0, side="right" if index == 0 else "left")]
    best = values[ends].max()
    if best <= now + LEAST_GAIN:
        return 0.0
    good = cuts[values[ends] >= best - LEAST_GAIN]
    return float(good[np.abs(good).argmin()])


def _steps_of_f1(
    gained: NDArray[np.bool_], lost: NDArray[np.bool_], rival: NDArray[np.intp], counts_C: Floats, own: float
) -> Floats:
    """Return how the sum of the classes' F1 changes as one example after the other goes over to a class."""
    taken = np.arange(1, len(gained) + 1)
    of_class = np.concatenate([[0.0], 2 * np.cumsum(gained) / (own + taken)])
    steps = np.diff(of_class)
    for other in np.unique(rival):
        places = np.flatnonzero(rival == other)
        hits = lost[places].sum() - np.concatenate([[0], np.cumsum(lost[places])])
        guesses = len(places) - np.arange(len(places) + 1)
        of_other = 2 * hits / np.maximum(counts_C[other] + guesses, 1)
        # A class that the truth lacks counts nothing, whatever is guessed.
        steps[places] += np.diff(of_other) if counts_C[other] else 0.0
    return steps
