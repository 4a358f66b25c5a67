"""The prepared sample: truth and guesses of one model, with everything that resampling would sort or look up again.

A bootstrap asks every metric a thousand times about the same examples, each time counted differently. So what does
not depend on the counts is worked out once, here: who is guessed, in which order the examples stand for each class,
where their probabilities are tied. A metric then only adds up counts.
"""

# N examples, C classes, R resamples, P positive groups (runs of equal probability that hold a positive example)

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

SUM_TOLERANCE = 1e-3
"""Probabilities of an example may miss the sum of one by this much; bf16 outputs miss it by some 1e-4."""


@dataclass(frozen=True)
class Ranking:
    """The examples in falling order of one class's probability, and where its positive examples stand in it."""

    order_N: NDArray[np.intp]
    positives: NDArray[np.intp]
    """The positive examples, in that order."""
    group_starts_P: NDArray[np.intp]
    """Where each positive group starts among `positives`."""
    begins_P: NDArray[np.intp]
    """How many examples of the order stand before each positive group."""
    ends_P: NDArray[np.intp]
    """How many examples of the order stand before the end of each positive group."""


@dataclass(frozen=True, eq=False)
class Sample:
    """The truth and the probabilities of one set of examples, with cached look-ups."""

    truth_N: NDArray[np.intp]
    probabilities_NC: NDArray[np.float64]

    @property
    def classes(self) -> int:
        """Return the number of classes the model knows."""
        return self.probabilities_NC.shape[1]

    def __len__(self) -> int:
        return len(self.truth_N)

    @cached_property
    def guess_N(self) -> NDArray[np.intp]:
        """Return the most probable class of each example; of tied ones the first."""
        return self.probabilities_NC.argmax(axis=1)

    @cached_property
    def correct_N(self) -> NDArray[np.float64]:
        """Return 1.0 where the guess is the truth."""
        return (self.guess_N == self.truth_N).astype(np.float64)

    @cached_property
    def confidence_N(self) -> NDArray[np.float64]:
        """Return the probability of the guess."""
        return self.probabilities_NC.max(axis=1)

    @cached_property
    def probability_of_truth_N(self) -> NDArray[np.float64]:
        """Return the probability that was given to the true class."""
        return self.probabilities_NC[np.arange(len(self)), self.truth_N]

    @cached_property
    def rank_of_truth_N(self) -> NDArray[np.intp]:
        """Return how many classes come before the true one; of tied classes the first comes first, as in the guess."""
        truth_N1 = self.probability_of_truth_N[:, None]
        earlier_NC = np.arange(self.classes) < self.truth_N[:, None]
        before_NC = (self.probabilities_NC > truth_N1) | ((self.probabilities_NC == truth_N1) & earlier_NC)
        return before_NC.sum(axis=1)

    @cached_property
    def rankings(self) -> tuple[Ranking, ...]:
        """Return the order of the examples for each class."""
        return tuple(_rank(self.truth_N == index, self.probabilities_NC[:, index]) for index in range(self.classes))


def prepare(truth_N: ArrayLike, probabilities_NC: ArrayLike) -> Sample:
    """Make the sample that metrics read.

    Args:
        truth_N: index of the true class of each example, 0 to C-1.
        probabilities_NC: probability of each class for each example; rows sum to one.
    """
    truth = np.asarray(truth_N, np.intp)
    probabilities = np.ascontiguousarray(probabilities_NC, np.float64)
    assert probabilities.ndim == 2 and truth.shape == probabilities.shape[:1] and len(truth), "N and N x C, N > 0"
    assert np.isfinite(probabilities).all() and probabilities.min() >= 0, "probabilities must be finite and >= 0"
    assert np.abs(probabilities.sum(axis=1) - 1).max() < SUM_TOLERANCE, "probabilities must sum to one"
    assert truth.min() >= 0 and truth.max() < probabilities.shape[1], "truth must be an index of a class"
    return Sample(truth, probabilities)


def sums_by_class(counts_RN: NDArray[np.float64], class_N: NDArray[np.intp], classes: int) -> NDArray[np.float64]:
    """Add up the counts of each class's examples.

    Args:
        counts_RN: how often each example occurs in each resample.
        class_N: class of each example.
        classes: number of classes C.

    Returns:
        R x C sums.
    """
    order_N = np.argsort(class_N, kind="stable")
    present, starts = np.unique(class_N[order_N], return_index=True)
    sums_RC = np.zeros((len(counts_RN), classes))
    if len(present):
        sums_RC[:, present] = np.add.reduceat(counts_RN.take(order_N, axis=1), starts, axis=1)
    return sums_RC


def _rank(positive_N: NDArray[np.bool_], score_N: NDArray[np.float64]) -> Ranking:
    order_N = np.argsort(-score_N, kind="stable")
    sorted_N = score_N[order_N]
    begins = np.flatnonzero(np.concatenate(([True], sorted_N[1:] != sorted_N[:-1])))
    ends = np.append(begins[1:], len(order_N))
    places = np.flatnonzero(positive_N[order_N])
    group_of_place = np.searchsorted(begins, places, side="right") - 1
    groups, group_starts_P = np.unique(group_of_place, return_index=True)
    return Ranking(order_N, order_N[places], group_starts_P, begins[groups], ends[groups])
