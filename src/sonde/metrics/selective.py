"""Selective classification: how right the answers are when the least sure ones are not given.

    curve = selective.curve(confidence, correct)      # share answered against accuracy, threshold by threshold
    selective.at_accuracy(confidence, correct, wanted=0.99)

An example is answered where its confidence is at or above a threshold. Equal confidences cannot be told apart by one,
so they are answered together.
"""

# N examples, P points (distinct confidences)

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta

Floats = NDArray[np.float64]

LEVELS = 20
"""Shares of answered examples among which a threshold with a guarantee is looked for."""
FEWEST = 20
"""Answered examples below which nothing is said of their accuracy."""
NEVER = 1.0
"""The threshold that lets only certainty through."""


@dataclass(frozen=True)
class Curve:
    """What each threshold gives, the strictest first."""

    thresholds_P: Floats
    answered_P: Floats
    """Share of the examples at or above the threshold; the last is 1."""
    accuracy_P: Floats
    """Share of the answered ones that are right."""


@dataclass(frozen=True)
class Choice:
    """A threshold that was chosen on examples."""

    threshold: float
    answered: float
    """Share of those examples at or above it."""
    accuracy: float | None
    """Their accuracy; None where none is answered."""
    is_sure: bool
    """Whether the accuracy is guaranteed for new examples drawn alike, and not only seen on these."""


def curve(confidence_N: ArrayLike, correct_N: ArrayLike) -> Curve:
    """Return share answered and accuracy at every threshold.

    Args:
        confidence_N: confidence of each guess.
        correct_N: whether it is right.

    Source: El-Yaniv & Wiener, "On the foundations of noise-free selective classification", 2010.
    """
    confidence = np.asarray(confidence_N, np.float64)
    order_N = np.argsort(-confidence, kind="stable")
    sorted_N = confidence[order_N]
    last_N = np.append(sorted_N[1:] != sorted_N[:-1], True)
    count_P = np.arange(1, len(sorted_N) + 1)[last_N]
    right_P = np.cumsum(np.asarray(correct_N, np.float64)[order_N])[last_N]
    return Curve(sorted_N[last_N], count_P / len(sorted_N), right_P / count_P)


def area(confidence_N: ArrayLike, correct_N: ArrayLike) -> float:
    """Return the area under the risk-coverage curve: the mean error among the k surest answers, over all k.

    0 is perfect; without any order it is the error rate. Equal confidences count as in random order.

    Args:
        confidence_N: confidence of each guess.
        correct_N: whether it is right.

    Source: Geifman et al., "Bias-reduced uncertainty estimation for deep neural classifiers", 2019.
    """
    points = curve(confidence_N, correct_N)
    total = len(np.asarray(correct_N))
    count_P = np.rint(points.answered_P * total)
    wrong_P = (1 - points.accuracy_P) * count_P
    # Among tied ones the expected number of mistakes grows evenly from the end of one group to that of the next.
    every_N = np.arange(1, total + 1)
    wrong_N = np.interp(every_N, np.append(0.0, count_P), np.append(0.0, wrong_P))
    return float((wrong_N / every_N).mean())


def at_accuracy(confidence_N: ArrayLike, correct_N: ArrayLike, *, wanted: float, confidence: float = 0.95) -> Choice:
    """Choose the threshold that answers most while its answers are as right as is wanted.

    With enough examples the accuracy is guaranteed: the exact binomial bound of the mistakes (Clopper & Pearson, 1934)
    holds at 20 shares fixed beforehand, together with the stated confidence (after Geifman & El-Yaniv, 2017, with a
    correction for all that is tried, as the search is guided by the data). With fewer, the threshold is the lowest that
    reached the accuracy on these examples, which is flattering, and says so.

    Args:
        confidence_N: confidence of each guess.
        correct_N: whether it is right.
        confidence: how sure the guarantee is.

    Returns:
        The choice; its threshold is 1 where no 20 answers reach the accuracy.
    """
    points = curve(confidence_N, correct_N)
    total = len(np.asarray(correct_N))
    count_P = np.rint(points.answered_P * total)
    wrong_P = np.rint((1 - points.accuracy_P) * count_P)
    for level in range(LEVELS, 0, -1):
        at = int(np.searchsorted(count_P, ceil(level * total / LEVELS)))
        if _most_wrong(wrong_P[at], count_P[at], (1 - confidence) / LEVELS) <= 1 - wanted:
            return _choice(points, at, is_sure=True)
    reached = np.flatnonzero((points.accuracy_P >= wanted) & (count_P >= FEWEST))
    if len(reached):
        return _choice(points, int(reached[-1]), is_sure=False)
    return Choice(NEVER, 0.0, None, is_sure=False)


def at_share(confidence_N: ArrayLike, correct_N: ArrayLike, *, wanted: float) -> Choice:
    """Choose the threshold that answers the surest examples, at least the wanted share of them.

    Args:
        confidence_N: confidence of each guess.
        correct_N: whether it is right; it does not change the threshold.
        wanted: share of examples to be answered.
    """
    points = curve(confidence_N, correct_N)
    at = int(np.searchsorted(points.answered_P, wanted - 1e-12))
    return _choice(points, min(at, len(points.answered_P) - 1), is_sure=False)


def _choice(points: Curve, at: int, *, is_sure: bool) -> Choice:
    threshold, share, accuracy = (
        float(each[at]) for each in (points.thresholds_P, points.answered_P, points.accuracy_P)
    )
    return Choice(threshold, share, accuracy, is_sure)


def _most_wrong(wrong: float, count: float, doubt: float) -> float:
    """Return the share of mistakes that is exceeded only with the given doubt."""
    return 1.0 if wrong >= count else float(beta.ppf(1 - doubt, wrong + 1, count - wrong))
