"""Metrics that count right and wrong guesses: accuracy, precision, recall, F1, and top-k.

The guess is the most probable class. Definitions and the treatment of empty classes are those of scikit-learn with
`zero_division=0`, so that a resample scores what scikit-learn would say of the repeated examples.
"""

# N examples, C classes, R resamples

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sonde.metrics.sample import AnySample, Sample, Tally

Floats = NDArray[np.float64]


def confusion_matrix(sample: Sample) -> NDArray[np.int64]:
    """Count the examples by truth (rows) and guess (columns), C x C."""
    cells = sample.truth_N * sample.classes + sample.guess_N
    return np.bincount(cells, minlength=sample.classes**2).reshape(sample.classes, sample.classes)


def accuracy(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the share of examples whose guess is right, for each resample.

    Args:
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.
    """
    return _share(sample.correct_N, counts_RN)


def top_2_accuracy(sample: Sample, counts_RN: Floats) -> Floats:
    """Return the share of examples whose truth is among the two most probable classes; ties go to the first class."""
    return _share((sample.rank_of_truth_N < 2).astype(np.float64), counts_RN)


def top_5_accuracy(sample: Sample, counts_RN: Floats) -> Floats:
    """Return the share of examples whose truth is among the five most probable classes; ties go to the first class."""
    return _share((sample.rank_of_truth_N < 5).astype(np.float64), counts_RN)


def balanced_accuracy(sample: Sample, counts_RN: Floats) -> Floats:
    """Return the mean recall over the classes that occur in the truth, for each resample."""
    counted = sample.tally(counts_RN)
    return _mean_where(_ratio(counted.hits, counted.truths), counted.truths > 0)


def precision_macro(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the mean precision over the classes that occur in truth or guess; a class never guessed counts 0."""
    return _macro(_precision, sample.tally(counts_RN))


def recall_macro(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the mean recall over the classes that occur in truth or guess; a class that is only guessed counts 0."""
    return _macro(_recall, sample.tally(counts_RN))


def f1_macro(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the mean F1 over the classes that occur in truth or guess."""
    return _macro(_f1, sample.tally(counts_RN))


def precision_weighted(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the mean precision, each class weighted by its number of examples."""
    return _weighted(_precision, sample.tally(counts_RN))


def recall_weighted(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the mean recall, each class weighted by its number of examples; it equals accuracy."""
    return _weighted(_recall, sample.tally(counts_RN))


def f1_weighted(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the mean F1, each class weighted by its number of examples."""
    return _weighted(_f1, sample.tally(counts_RN))


def precision_by_class(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the precision of each class, R x C; 0 where it is never guessed, NaN where the truth lacks it."""
    return _where_it_occurs(_precision, sample.tally(counts_RN))


def recall_by_class(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the recall of each class, R x C; NaN where the truth lacks it."""
    return _where_it_occurs(_recall, sample.tally(counts_RN))


def f1_by_class(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the F1 of each class, R x C; NaN where the truth lacks it."""
    return _where_it_occurs(_f1, sample.tally(counts_RN))


def precision_positive(sample: Sample, counts_RN: Floats) -> Floats:
    """Return the precision of the positive class; 0 where it is never guessed."""
    return _precision(sample.tally(counts_RN))[:, sample.positive]


def recall_positive(sample: Sample, counts_RN: Floats) -> Floats:
    """Return the recall of the positive class; 0 where the truth lacks it."""
    return _recall(sample.tally(counts_RN))[:, sample.positive]


def f1_positive(sample: Sample, counts_RN: Floats) -> Floats:
    """Return the F1 of the positive class; 0 where neither truth nor guess holds it."""
    return _f1(sample.tally(counts_RN))[:, sample.positive]


def _precision(counted: Tally) -> Floats:
    return _ratio(counted.hits, counted.guesses)


def _recall(counted: Tally) -> Floats:
    return _ratio(counted.hits, counted.truths)


def _f1(counted: Tally) -> Floats:
    return _ratio(2 * counted.hits, counted.truths + counted.guesses)


def _macro(of_class: Callable[[Tally], Floats], counted: Tally) -> Floats:
    return _mean_where(of_class(counted), (counted.truths + counted.guesses) > 0)


def _weighted(of_class: Callable[[Tally], Floats], counted: Tally) -> Floats:
    return (of_class(counted) * counted.truths).sum(axis=1) / counted.truths.sum(axis=1)


def _where_it_occurs(of_class: Callable[[Tally], Floats], counted: Tally) -> Floats:
    return np.where(counted.truths > 0, of_class(counted), np.nan)


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _mean_where(values_RC: Floats, counts_RC: NDArray[np.bool_]) -> Floats:
    return (values_RC * counts_RC).sum(axis=1) / counts_RC.sum(axis=1)


def _share(hit_N: Floats, counts_RN: Floats) -> Floats:
    return counts_RN @ hit_N / counts_RN.sum(axis=1)
