"""Metrics that judge the order of the probabilities, one class against the rest: ROC-AUC and average precision.

Tied probabilities are treated as scikit-learn treats them: they are one threshold. One pass over the sorted counts
gives the true and false positives at each threshold that a positive example reaches; nothing else is needed, and both
areas are read from it.
"""

# N examples, C classes, R resamples, P positive groups (runs of equal probability that hold a positive example)

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonde.metrics.metric import Floats
from sonde.metrics.sample import AnySample, Order, Sample
from sonde.metrics.sums import mean_over_known


@dataclass(frozen=True)
class Thresholds:
    """What stands above each positive group of one class, counted in each resample."""

    positives_RP: Floats
    """Positive examples in the group."""
    positives_up_to_RP: Floats
    """Positive examples in the group or above it."""
    all_up_to_RP: NDArray[np.int32]
    """Examples in the group or above it."""
    all_above_RP: NDArray[np.int32]
    """Examples above the group."""
    positives_R: Floats
    negatives_R: Floats


class Areas:
    """Both areas of each class in each resample; a class is gone through when it is first asked for, and once."""

    def __init__(self, sample: AnySample, counts_RN: Floats) -> None:
        self.sample = sample
        self._counts_RN = counts_RN
        # A bootstrap spends its time here; 32-bit whole numbers take a third of the time of floats.
        self._whole_RN = counts_RN.astype(np.int32)
        self._found: dict[int, tuple[Floats, Floats]] = {}

    def of_class(self, index: int) -> tuple[Floats, Floats]:
        """Return the area under the ROC curve and the average precision of one class, R each."""
        if index not in self._found:
            at = _thresholds(self.sample.orders[index], self._counts_RN, self._whole_RN)
            self._found[index] = _roc_auc(at), _average_precision(at)
        return self._found[index]

    def of_all(self, which: int) -> Floats:
        """Return one of the two for each class, R x C.

        Args:
            which: 0 for the area under the ROC curve, 1 for the average precision.
        """
        return np.stack([self.of_class(index)[which] for index in range(self.sample.classes)], axis=1)


def roc_auc_by_class(areas: Areas) -> Floats:
    """Return the area under the ROC curve of each class against the rest, R x C.

    It is the chance that a random example of the class is ranked above a random other one, a tie counting half; NaN
    where a class has no positive or no negative example.
    """
    return areas.of_all(0)


def average_precision_by_class(areas: Areas) -> Floats:
    """Return the average precision of each class against the rest, R x C; NaN where a class has no example.

    Source: as defined by scikit-learn, the sum of precisions weighted by the steps in recall, without interpolation.
    """
    return areas.of_all(1)


def roc_auc(areas: Areas) -> Floats:
    """Return the mean one-vs-rest ROC-AUC over the classes that have positive and negative examples, else NaN.

    Source: Fawcett, "An introduction to ROC analysis", 2006.
    """
    return mean_over_known(roc_auc_by_class(areas))


def average_precision(areas: Areas) -> Floats:
    """Return the mean one-vs-rest average precision over the classes that occur in the truth."""
    return mean_over_known(average_precision_by_class(areas))


def average_precision_positive(areas: Areas) -> Floats:
    """Return the average precision of the positive class; NaN where the truth lacks it."""
    assert isinstance(areas.sample, Sample), "labels have no positive one"
    return areas.of_class(range(areas.sample.classes)[areas.sample.positive])[1]


def _thresholds(order: Order, counts_RN: Floats, whole_RN: NDArray[np.int32]) -> Thresholds:
    running_RN = np.empty((len(counts_RN), len(order.order_N) + 1), np.int32)
    running_RN[:, 0] = 0
    np.cumsum(whole_RN.take(order.order_N, axis=1), axis=1, dtype=np.int32, out=running_RN[:, 1:])
    if len(order.positives):
        positives_RP = np.add.reduceat(counts_RN.take(order.positives, axis=1), order.group_starts_P, axis=1)
    else:
        positives_RP = np.zeros((len(counts_RN), 0))
    positives_R = positives_RP.sum(axis=1)
    return Thresholds(
        positives_RP=positives_RP,
        positives_up_to_RP=positives_RP.cumsum(axis=1),
        all_up_to_RP=running_RN.take(order.ends_P, axis=1),
        all_above_RP=running_RN.take(order.begins_P, axis=1),
        positives_R=positives_R,
        negatives_R=running_RN[:, -1] - positives_R,
    )


def _roc_auc(at: Thresholds) -> Floats:
    # Twice the negatives above a group, its own once more: a tie is half a win.
    above_RP = at.all_up_to_RP + at.all_above_RP - (2 * at.positives_up_to_RP - at.positives_RP)
    won_R = (at.positives_RP * (at.negatives_R[:, None] - 0.5 * above_RP)).sum(axis=1)
    return _divide(won_R, at.positives_R * at.negatives_R)


def _average_precision(at: Thresholds) -> Floats:
    precision_RP = np.divide(
        at.positives_up_to_RP, at.all_up_to_RP, out=np.zeros_like(at.positives_RP), where=at.all_up_to_RP > 0
    )
    return _divide((at.positives_RP * precision_RP).sum(axis=1), at.positives_R)


def _divide(above_R: Floats, below_R: Floats) -> Floats:
    return np.divide(above_R, below_R, out=np.full_like(above_R, np.nan), where=below_R > 0)
