"""Metrics that judge the order of the probabilities, one class against the rest: ROC-AUC and average precision.

Tied probabilities are treated as scikit-learn treats them: they are one threshold. One pass over the sorted counts
gives the true and false positives at each threshold that a positive example reaches; nothing else is needed.
"""

# N examples, C classes, R resamples, P positive groups (runs of equal probability that hold a positive example)

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonde.metrics.sample import AnySample, Ranking, Sample

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Thresholds:
    """What stands above each positive group of one class, counted in each resample."""

    positives_RP: Floats
    """Positive examples in the group."""
    positives_up_to_RP: Floats
    """Positive examples in the group or above it."""
    all_up_to_RP: Floats
    """Examples in the group or above it."""
    all_above_RP: Floats
    """Examples above the group."""
    positives_R: Floats
    negatives_R: Floats


def roc_auc_by_class(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the area under the ROC curve of each class against the rest, R x C.

    It is the chance that a random example of the class is ranked above a random other one, a tie counting half.

    Args:
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.

    Returns:
        R x C areas; NaN where a class has no positive or no negative example.
    """
    return np.stack([_roc_auc(_thresholds(ranking, counts_RN)) for ranking in sample.rankings], axis=1)


def average_precision_by_class(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the average precision of each class against the rest, R x C, without interpolation.

    Args:
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.

    Returns:
        R x C values; NaN where a class has no positive example.
    """
    return np.stack([_average_precision(_thresholds(ranking, counts_RN)) for ranking in sample.rankings], axis=1)


def areas_by_class(sample: AnySample, counts_RN: Floats) -> tuple[Floats, Floats]:
    """Return `roc_auc_by_class` and `average_precision_by_class`, in half the time that both take.

    Args:
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.

    Returns:
        R x C areas under the ROC curves, and R x C average precisions.
    """
    found = []
    for ranking in sample.rankings:
        at = _thresholds(ranking, counts_RN)
        found.append((_roc_auc(at), _average_precision(at)))
    areas, precisions = zip(*found, strict=True)
    return np.stack(areas, axis=1), np.stack(precisions, axis=1)


def roc_auc(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the mean one-vs-rest ROC-AUC over the classes that have positive and negative examples, else NaN.

    Args:
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.

    Source: Fawcett, "An introduction to ROC analysis", 2006.
    """
    return mean_over_known(roc_auc_by_class(sample, counts_RN))


def average_precision(sample: AnySample, counts_RN: Floats) -> Floats:
    """Return the mean one-vs-rest average precision over the classes that occur in the truth.

    Args:
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.

    Source: as defined by scikit-learn, the sum of precisions weighted by the steps in recall.
    """
    return mean_over_known(average_precision_by_class(sample, counts_RN))


def average_precision_positive(sample: Sample, counts_RN: Floats) -> Floats:
    """Return the average precision of the positive class; NaN where the truth lacks it.

    Args:
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.
    """
    return _average_precision(_thresholds(sample.rankings[sample.positive], counts_RN))


def _thresholds(ranking: Ranking, counts_RN: Floats) -> Thresholds:
    # A bootstrap spends its time here; 32-bit whole numbers take a third of the time of floats.
    sorted_RN = counts_RN.astype(np.int32).take(ranking.order_N, axis=1)
    running_RN = np.zeros((len(counts_RN), len(ranking.order_N) + 1), np.int32)
    np.cumsum(sorted_RN, axis=1, dtype=np.int32, out=running_RN[:, 1:])
    if len(ranking.positives):
        positives_RP = np.add.reduceat(counts_RN[:, ranking.positives], ranking.group_starts_P, axis=1)
    else:
        positives_RP = np.zeros((len(counts_RN), 0))
    positives_R = positives_RP.sum(axis=1)
    return Thresholds(
        positives_RP=positives_RP,
        positives_up_to_RP=positives_RP.cumsum(axis=1),
        all_up_to_RP=running_RN[:, ranking.ends_P].astype(np.float64),
        all_above_RP=running_RN[:, ranking.begins_P].astype(np.float64),
        positives_R=positives_R,
        negatives_R=running_RN[:, -1] - positives_R,
    )


def _roc_auc(at: Thresholds) -> Floats:
    negatives_up_to_RP = at.all_up_to_RP - at.positives_up_to_RP
    negatives_above_RP = at.all_above_RP - (at.positives_up_to_RP - at.positives_RP)
    beaten_RP = at.negatives_R[:, None] - 0.5 * (negatives_up_to_RP + negatives_above_RP)
    won_R = (at.positives_RP * beaten_RP).sum(axis=1)
    return _divide(won_R, at.positives_R * at.negatives_R)


def _average_precision(at: Thresholds) -> Floats:
    precision_RP = np.divide(
        at.positives_up_to_RP, at.all_up_to_RP, out=np.zeros_like(at.positives_RP), where=at.all_up_to_RP > 0
    )
    return _divide((at.positives_RP * precision_RP).sum(axis=1), at.positives_R)


def _divide(above_R: Floats, below_R: Floats) -> Floats:
    return np.divide(above_R, below_R, out=np.full_like(above_R, np.nan), where=below_R > 0)


def mean_over_known(values_RC: Floats) -> Floats:
    """Return the mean over the classes whose value is known; NaN where none is.

    Args:
        values_RC: a value for each resample and class.
    """
    known_RC = ~np.isnan(values_RC)
    return _divide(np.where(known_RC, values_RC, 0.0).sum(axis=1), known_RC.sum(axis=1).astype(np.float64))
