"""Metrics that count right and wrong guesses: accuracy, precision, recall, F1, and top-k.

The guess is the most probable class. Definitions and the treatment of empty classes are those of scikit-learn with
`zero_division=0`, so that a resample scores what scikit-learn would say of the repeated examples.

Accuracy and top-k are means of hits. All others are values of one tally: for each class the hits, the truths and the
guesses, and last the number of examples, R x (3 C + 1).
"""

# N examples, C classes, R resamples, K = 3 C + 1 sums of a tally

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.metrics.metric import Floats, Sums, Worth, count, last_sum
from sonde.metrics.sample import AnySample, LabelSample, Sample
from sonde.metrics.sums import scattered, with_ones


def confusion_matrix(sample: Sample) -> NDArray[np.int64]:
    """Count the examples by truth (rows) and guess (columns), C x C."""
    cells = sample.truth_N * sample.classes + sample.guess_N
    return np.bincount(cells, minlength=sample.classes**2).reshape(sample.classes, sample.classes)


def tally(sample: Sample) -> Sums:
    """Return for each example where it is a hit, a truth and a guess, and a one, N x (3 C + 1)."""
    return _tally(sample, first=0)


def tally_from_positive(sample: Sample) -> Sums:
    """Return `tally` with the classes turned round until the positive one is the first."""
    return _tally(sample, first=sample.positive)


def _tally(sample: Sample, *, first: int) -> Sums:
    classes = sample.classes
    truth_N, guess_N = (sample.truth_N - first) % classes, (sample.guess_N - first) % classes
    places = (truth_N, classes + truth_N, 2 * classes + guess_N, np.full_like(truth_N, 3 * classes))
    amounts_N4 = np.ones((len(sample), 4))
    amounts_N4[:, 0] = sample.correct_N
    return scattered(np.stack(places, axis=1), 3 * classes + 1, amounts_N4)


def tally_of_labels(sample: LabelSample) -> Sums:
    """Return for each example at which labels it is a hit, a truth and a guess, and a one, N x (3 C + 1)."""
    truths, guesses = sample.truth_NK.astype(np.float64), sample.answered.astype(np.float64)
    return np.concatenate([truths * guesses, truths, guesses, count(sample)], axis=1)


def right(sample: AnySample) -> Sums:
    """Return a one where the whole answer is right, and a one, N x 2."""
    return with_ones(sample.correct_N)


def in_top_2(sample: Sample) -> Sums:
    """Return a one where the truth is among the two most probable classes, ties to the first, and a one, N x 2."""
    return with_ones(sample.rank_of_truth_N < 2)


def in_top_5(sample: Sample) -> Sums:
    """Return a one where the truth is among the five most probable classes, ties to the first, and a one, N x 2."""
    return with_ones(sample.rank_of_truth_N < 5)


def balanced_accuracy(totals_RK: Floats) -> Floats:
    """Return the mean recall over the classes that occur in the truth."""
    return mean_where(_recall(totals_RK), truths_by_class(totals_RK) > 0)


def precision_macro(totals_RK: Floats) -> Floats:
    """Return the mean precision over the classes that occur in truth or guess; a class never guessed counts 0."""
    return _macro(_precision, totals_RK)


def recall_macro(totals_RK: Floats) -> Floats:
    """Return the mean recall over the classes that occur in truth or guess; a class that is only guessed counts 0."""
    return _macro(_recall, totals_RK)


def f1_macro(totals_RK: Floats) -> Floats:
    """Return the mean F1 over the classes that occur in truth or guess."""
    return _macro(_f1, totals_RK)


def precision_weighted(totals_RK: Floats) -> Floats:
    """Return the mean precision, each class weighted by its number of examples."""
    return _weighted(_precision, totals_RK)


def recall_weighted(totals_RK: Floats) -> Floats:
    """Return the mean recall, each class weighted by its number of examples; it equals accuracy."""
    return _weighted(_recall, totals_RK)


def f1_weighted(totals_RK: Floats) -> Floats:
    """Return the mean F1, each class weighted by its number of examples."""
    return _weighted(_f1, totals_RK)


def precision_micro(totals_RK: Floats) -> Floats:
    """Return the share of all guesses that are right; 0 where there is none."""
    return _over_all(_precision, totals_RK)


def recall_micro(totals_RK: Floats) -> Floats:
    """Return the share of all truths that are guessed; 0 where there is none."""
    return _over_all(_recall, totals_RK)


def f1_micro(totals_RK: Floats) -> Floats:
    """Return the F1 over all classes together; 0 where there is neither truth nor guess."""
    return _over_all(_f1, totals_RK)


def precision_by_class(totals_RK: Floats) -> Floats:
    """Return the precision of each class, R x C; 0 where it is never guessed, NaN where the truth lacks it."""
    return _where_it_occurs(_precision, totals_RK)


def recall_by_class(totals_RK: Floats) -> Floats:
    """Return the recall of each class, R x C; NaN where the truth lacks it."""
    return _where_it_occurs(_recall, totals_RK)


def f1_by_class(totals_RK: Floats) -> Floats:
    """Return the F1 of each class, R x C; NaN where the truth lacks it."""
    return _where_it_occurs(_f1, totals_RK)


def precision_positive(totals_RK: Floats) -> Floats:
    """Return the precision of the first class; 0 where it is never guessed."""
    return _precision(totals_RK)[:, 0]


def recall_positive(totals_RK: Floats) -> Floats:
    """Return the recall of the first class; 0 where the truth lacks it."""
    return _recall(totals_RK)[:, 0]


def f1_positive(totals_RK: Floats) -> Floats:
    """Return the F1 of the first class; 0 where neither truth nor guess holds it."""
    return _f1(totals_RK)[:, 0]


def hits(totals_RK: Floats) -> Floats:
    """Return how many guesses are right, R."""
    return hits_by_class(totals_RK).sum(axis=1)


def hits_by_class(totals_RK: Floats) -> Floats:
    """Return how many guesses of each class are right, R x C."""
    return totals_RK[:, : _classes(totals_RK)]


def truths_by_class(totals_RK: Floats) -> Floats:
    """Return how many examples each class has, R x C."""
    classes = _classes(totals_RK)
    return totals_RK[:, classes : 2 * classes]


def guesses_by_class(totals_RK: Floats) -> Floats:
    """Return how many examples are guessed as each class, R x C."""
    classes = _classes(totals_RK)
    return totals_RK[:, 2 * classes : 3 * classes]


def balanced_size(totals_RK: Floats) -> Floats:
    """Return how many examples a mean over classes is worth: classes times the harmonic mean of their sizes."""
    sizes = zip(truths_by_class(totals_RK), last_sum(totals_RK), strict=True)
    return np.array([_balanced(size_C[size_C > 0], examples) for size_C, examples in sizes])


def _balanced(size_C: Floats, examples: float) -> float:
    # The same example counts for several labels, but is one example all the same.
    return min(float(examples), float(len(size_C) ** 2 / (1 / size_C).sum())) if len(size_C) else 1.0


def _size_of_first(totals_RK: Floats) -> Floats:
    return np.maximum(truths_by_class(totals_RK)[:, 0], 1.0)


def _guesses_at_least_one(totals_RK: Floats) -> Floats:
    return np.maximum(guesses_by_class(totals_RK), 1.0)


def _smaller_side(totals_RK: Floats) -> Floats:
    size_RC = truths_by_class(totals_RK)
    return np.minimum(size_RC, totals_RK[:, -1:] - size_RC)


def by_class(tally: Callable[[Any], Sums]) -> tuple[Worth, Worth, Worth]:
    """Return what a value of each class is worth: its examples, those guessed as it, its examples or all others."""
    sides = (truths_by_class, _guesses_at_least_one, _smaller_side)
    of_truths, of_guesses, of_sides = (Worth(tally, trials=side, size=truths_by_class) for side in sides)
    return of_truths, of_guesses, of_sides


EVEN = Worth(tally, trials=balanced_size, right=hits)
"""What a mean over the classes is worth."""
EVEN_OF_LABELS = Worth(tally_of_labels, trials=balanced_size)
"""What a mean over the labels is worth."""
POSITIVE = Worth(tally_from_positive, trials=_size_of_first, paired=balanced_size)
"""What a figure of the positive class is worth."""


def _precision(totals_RK: Floats) -> Floats:
    return divided(hits_by_class(totals_RK), guesses_by_class(totals_RK))


def _recall(totals_RK: Floats) -> Floats:
    return divided(hits_by_class(totals_RK), truths_by_class(totals_RK))


def _f1(totals_RK: Floats) -> Floats:
    return divided(2 * hits_by_class(totals_RK), truths_by_class(totals_RK) + guesses_by_class(totals_RK))


def _macro(of_class: Callable[[Floats], Floats], totals_RK: Floats) -> Floats:
    occurs_RC = truths_by_class(totals_RK) + guesses_by_class(totals_RK) > 0
    return mean_where(of_class(totals_RK), occurs_RC)


def _weighted(of_class: Callable[[Floats], Floats], totals_RK: Floats) -> Floats:
    truths_RC = truths_by_class(totals_RK)
    return (of_class(totals_RK) * truths_RC).sum(axis=1) / truths_RC.sum(axis=1)


def _over_all(of_class: Callable[[Floats], Floats], totals_RK: Floats) -> Floats:
    """Return a figure of all classes as if they were one."""
    sides = (hits_by_class, truths_by_class, guesses_by_class)
    sums_R4 = np.stack([*(side(totals_RK).sum(axis=1) for side in sides), last_sum(totals_RK)], axis=1)
    return of_class(sums_R4)[:, 0]


def _where_it_occurs(of_class: Callable[[Floats], Floats], totals_RK: Floats) -> Floats:
    return np.where(truths_by_class(totals_RK) > 0, of_class(totals_RK), np.nan)


def divided(above: Floats, below: Floats) -> Floats:
    """Return a ratio, 0 where what is below is 0."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def mean_where(values_RC: Floats, occurs_RC: NDArray[np.bool_]) -> Floats:
    """Return the mean over the classes that occur; NaN where none does."""
    occur_R = occurs_RC.sum(axis=1)
    sum_R = (values_RC * occurs_RC).sum(axis=1)
    return np.divide(sum_R, occur_R, out=np.full_like(sum_R, np.nan), where=occur_R > 0)


def _classes(totals_RK: Floats) -> int:
    return (totals_RK.shape[1] - 1) // 3
