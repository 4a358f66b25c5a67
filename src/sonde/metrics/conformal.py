"""Conformal prediction: for each example a set of classes that holds the true one as often as was wanted.

Every class of every example gets a strangeness from its probabilities. On examples that the model was not trained on,
the strangeness of the true class is measured, and the threshold is a quantile of it; an example's set is every class
that is no stranger. If those examples and the new ones are drawn alike, the set holds the truth in at least the wanted
share of the cases, whatever the model, and for any number of examples (Vovk et al., 2005; Papadopoulos et al., 2002).

    limits = thresholds("lac", validation_probabilities, validation_truth, coverage=0.9)
    sets("lac", test_probabilities, limits)      # N x C, true where the class is in the set

Three choices of ours, all on the safe side, as each can only add a class to a set:

- The most probable class is always in the set, so that no set is empty. A model that is right more often than was
  wanted then covers more than was wanted.
- Nothing is drawn at random: the same file has the same set, whatever else is asked. Romano et al. drop the last class
  of an APS set at random to hit the wanted share exactly.
- Too few examples for the wanted share make the threshold infinite: the set is all classes, which is the truth.
"""

# N examples, C classes

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import betabinom

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Method:
    """One way to measure how strange a class is for an example."""

    strangeness: Callable[[Floats], Floats]
    """From N x C probabilities to N x C numbers from 0 to 1."""
    doc: str


def least_ambiguous(probabilities_NC: Floats) -> Floats:
    """Return how much probability each class lacks; the sets are the smallest on average.

    Source: Sadinle et al., "Least ambiguous set-valued classifiers with bounded error levels", 2019.
    """
    return 1.0 - probabilities_NC


def adaptive(probabilities_NC: Floats) -> Floats:
    """Return the probability of all classes that come before each class; hard examples get larger sets.

    Of equal probabilities the class with the smaller number comes first, as in the guess.

    Source: Romano et al., "Classification with valid and adaptive coverage", 2020, without the random part.
    """
    order_NC = np.argsort(-probabilities_NC, axis=1, kind="stable")
    sorted_NC = np.take_along_axis(probabilities_NC, order_NC, axis=1)
    before_NC = np.cumsum(sorted_NC, axis=1) - sorted_NC
    strange_NC = np.empty_like(before_NC)
    np.put_along_axis(strange_NC, order_NC, before_NC.clip(0.0, 1.0), axis=1)
    return strange_NC


METHODS: dict[str, Method] = {
    "lac": Method(least_ambiguous, "Every class above one probability; the smallest sets on average."),
    "aps": Method(adaptive, "The most probable classes up to one sum; larger sets for harder examples."),
}
"""The methods, in the order shown to users."""


def thresholds(
    method: str, probabilities_NC: ArrayLike, truth_N: ArrayLike, *, coverage: float, by_class: bool = False
) -> Floats:
    """Choose how strange a class may be and still be in the set.

    Args:
        method: a row of `METHODS`.
        probabilities_NC: of examples that the model was not trained on.
        truth_N: index of the true class of each.
        coverage: share of the sets that are to hold the truth, between 0 and 1.
        by_class: a threshold for each class from its own examples, so that each class is covered as was wanted
            (Vovk, 2012: Mondrian); it takes C times the examples.

    Returns:
        One threshold, or C of them; infinite where the examples are too few.
    """
    probabilities = np.asarray(probabilities_NC, np.float64)
    truth = np.asarray(truth_N, np.intp)
    assert 0 < coverage < 1 and truth.shape == probabilities.shape[:1], "N and N x C, a coverage between 0 and 1"
    strange_N = METHODS[method].strangeness(probabilities)[np.arange(len(truth)), truth]
    if not by_class:
        return np.array([_quantile(strange_N, coverage)])
    return np.array([_quantile(strange_N[truth == index], coverage) for index in range(probabilities.shape[1])])


def sets(method: str, probabilities_NC: ArrayLike, thresholds_C: ArrayLike) -> Bools:
    """Return which classes are in the set of each example; no row depends on another one.

    Args:
        method: a row of `METHODS`.
        probabilities_NC: of the examples.
        thresholds_C: what `thresholds` gave; one, or one for each class.

    Returns:
        N x C; each row holds at least the most probable class.
    """
    probabilities = np.asarray(probabilities_NC, np.float64)
    inside_NC: Bools = METHODS[method].strangeness(probabilities) <= np.asarray(thresholds_C, np.float64)
    inside_NC[np.arange(len(probabilities)), probabilities.argmax(axis=1)] = True
    return inside_NC


def covered(inside_NC: Bools, truth_N: ArrayLike) -> Bools:
    """Return whose set holds the truth.

    Args:
        inside_NC: what `sets` gave.
        truth_N: index of the true class of each example.
    """
    return inside_NC[np.arange(len(inside_NC)), np.asarray(truth_N, np.intp)]


def expected(examples: int, tested: int, *, coverage: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return between which shares of covered test examples a sound threshold lands by chance.

    The chance is twofold: which examples the threshold was chosen on, and which ones it is tested on. It is for a
    strangeness without ties and without our additions, both of which raise the upper end.

    Args:
        examples: how many the threshold was chosen on.
        tested: how many it is tested on.
        confidence: how often the share lands between the two.

    Source: Angelopoulos & Bates, "A gentle introduction to conformal prediction", 2021, appendix C.
    """
    rank = _rank(examples, coverage)
    if rank > examples:
        return 1.0, 1.0
    chance = betabinom(tested, rank, examples + 1 - rank)
    low, high = chance.ppf([(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low) / tested, float(high) / tested


def fewest(coverage: float) -> int:
    """Return how many examples a threshold needs at least to be finite."""
    return ceil(coverage / (1 - coverage) - 1e-9)


def _quantile(strange_N: Floats, coverage: float) -> float:
    rank = _rank(len(strange_N), coverage)
    return float(np.partition(strange_N, rank - 1)[rank - 1]) if rank <= len(strange_N) else float("inf")


def _rank(examples: int, coverage: float) -> int:
    # One more than there are, for the new example; 10 x 0.9 is 9, also in floating point.
    return max(1, ceil((examples + 1) * coverage - 1e-9))
