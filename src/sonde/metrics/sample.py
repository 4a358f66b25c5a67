"""The prepared sample: truth and guesses of one model, with everything that resampling would sort or look up again.

A bootstrap asks every metric a thousand times about the same examples, each time counted differently. So what does
not depend on the counts is worked out once, here: who is guessed, in which order the examples stand for each class,
where their probabilities are tied. A metric then only adds up counts.
"""

# N examples, C classes, K labels, R resamples, P positive groups (runs of equal probability with a positive example)

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.metrics.metric import Floats

SUM_TOLERANCE = 1e-3
"""Probabilities of an example may miss the sum of one by this much; bf16 outputs miss it by some 1e-4."""


@dataclass(frozen=True)
class Order:
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
    decided_N: NDArray[np.intp] | None = None
    """What is guessed, where a tuned decision guesses another class than the most probable one."""
    positive: int = -1
    """The class that the metrics of a positive class are about; the last one where nothing is said."""

    @property
    def classes(self) -> int:
        """Return the number of classes the model knows."""
        return self.probabilities_NC.shape[1]

    def __len__(self) -> int:
        return len(self.truth_N)

    @cached_property
    def likely_N(self) -> NDArray[np.intp]:
        """Return the most probable class of each example; of tied ones the first."""
        return self.probabilities_NC.argmax(axis=1)

    @property
    def guess_N(self) -> NDArray[np.intp]:
        """Return the class that is guessed: what was decided, else the most probable one."""
        return self.likely_N if self.decided_N is None else self.decided_N

    @property
    def answered(self) -> NDArray[np.intp]:
        """Return the guesses, as every kind of sample has them."""
        return self.guess_N

    @cached_property
    def correct_N(self) -> NDArray[np.float64]:
        """Return 1.0 where the guess is the truth."""
        return (self.guess_N == self.truth_N).astype(np.float64)

    @cached_property
    def likely_correct_N(self) -> NDArray[np.float64]:
        """Return 1.0 where the most probable class is the truth, whatever was decided."""
        return (self.likely_N == self.truth_N).astype(np.float64)

    @cached_property
    def confidence_N(self) -> NDArray[np.float64]:
        """Return the probability of the most probable class."""
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
    def orders(self) -> tuple[Order, ...]:
        """Return the order of the examples for each class."""
        return tuple(_rank(*self.column(index)) for index in range(self.classes))

    def column(self, index: int) -> tuple[NDArray[np.bool_], Floats]:
        """Return which examples are of a class, and the probability that each is given for it."""
        return self.truth_N == index, self.probabilities_NC[:, index]


@dataclass(frozen=True, eq=False)
class LabelSample:
    """The truth and the probabilities of examples that may have several labels each, or none."""

    truth_NK: NDArray[np.bool_]
    probabilities_NK: Floats
    thresholds_K: Floats
    """Probability from which on a label is given."""

    @property
    def classes(self) -> int:
        """Return the number of labels the model knows."""
        return self.probabilities_NK.shape[1]

    def __len__(self) -> int:
        return len(self.truth_NK)

    @cached_property
    def answered(self) -> NDArray[np.bool_]:
        """Return which labels each example is given, N x K."""
        return self.probabilities_NK >= self.thresholds_K

    @cached_property
    def correct_N(self) -> Floats:
        """Return 1.0 where every label is right."""
        return (self.answered == self.truth_NK).all(axis=1).astype(np.float64)

    @cached_property
    def orders(self) -> tuple[Order, ...]:
        """Return the order of the examples for each label."""
        return tuple(_rank(*self.column(index)) for index in range(self.classes))

    def column(self, index: int) -> tuple[NDArray[np.bool_], Floats]:
        """Return which examples have a label, and the probability that each is given for it."""
        return self.truth_NK[:, index], self.probabilities_NK[:, index]


AnySample = Sample | LabelSample
"""What a metric that reads either kind of answer is given."""


def prepare(
    truth_N: ArrayLike, probabilities_NC: ArrayLike, *, decided_N: ArrayLike | None = None, positive: int = -1
) -> Sample:
    """Make the sample that metrics read.

    Args:
        truth_N: index of the true class of each example, 0 to C-1.
        probabilities_NC: probability of each class for each example; rows sum to one.
        decided_N: index of the class that is guessed, where it is not always the most probable one.
        positive: the class that the metrics of a positive class are about.
    """
    truth = np.asarray(truth_N, np.intp)
    probabilities = np.ascontiguousarray(probabilities_NC, np.float64)
    assert probabilities.ndim == 2 and truth.shape == probabilities.shape[:1] and len(truth), "N and N x C, N > 0"
    assert np.isfinite(probabilities).all() and probabilities.min() >= 0, "probabilities must be finite and >= 0"
    assert np.abs(probabilities.sum(axis=1) - 1).max() < SUM_TOLERANCE, "probabilities must sum to one"
    assert truth.min() >= 0 and truth.max() < probabilities.shape[1], "truth must be an index of a class"
    decided = None if decided_N is None else np.asarray(decided_N, np.intp)
    assert decided is None or decided.shape == truth.shape, "one decision for each example"
    return Sample(truth, probabilities, decided, positive)


def prepare_labels(truth_NK: ArrayLike, probabilities_NK: ArrayLike, thresholds_K: ArrayLike = 0.5) -> LabelSample:
    """Make the sample that the metrics of several labels read.

    Args:
        truth_NK: 1 where an example has a label.
        probabilities_NK: probability of each label for each example, each between 0 and 1.
        thresholds_K: probability from which on a label is given, one for each label or one for all.
    """
    probabilities = np.ascontiguousarray(probabilities_NK, np.float64)
    truth = np.asarray(truth_NK) > 0
    assert probabilities.ndim == 2 and truth.shape == probabilities.shape and len(truth), "N x K twice, N > 0"
    assert np.isfinite(probabilities).all(), "probabilities must be finite"
    assert probabilities.min() >= 0 and probabilities.max() <= 1, "probabilities are between 0 and 1"
    thresholds = np.broadcast_to(np.asarray(thresholds_K, np.float64), probabilities.shape[1:])
    return LabelSample(truth, probabilities, thresholds)


def _rank(positive_N: NDArray[np.bool_], score_N: NDArray[np.float64]) -> Order:
    order_N = np.argsort(-score_N, kind="stable")
    sorted_N = score_N[order_N]
    begins = np.flatnonzero(np.concatenate(([True], sorted_N[1:] != sorted_N[:-1])))
    ends = np.append(begins[1:], len(order_N))
    places = np.flatnonzero(positive_N[order_N])
    group_of_place = np.searchsorted(begins, places, side="right") - 1
    groups, group_starts_P = np.unique(group_of_place, return_index=True)
    return Order(order_N, order_N[places], group_starts_P, begins[groups], ends[groups])
