"""Metrics that judge the probabilities themselves: log loss, Brier score and expected calibration error."""

# N examples, C classes, R resamples, B bins

import numpy as np
from numpy.typing import NDArray

from sonde.metrics.sample import Sample, sums_by_class

Floats = NDArray[np.float64]

SMALLEST = float(np.finfo(np.float64).eps)
"""Probabilities are held this far from 0 and 1 before the logarithm, as scikit-learn does."""
LARGEST_LOSS = float(-np.log(SMALLEST))
"""So one example costs at most 36.04."""
BINS = 15
"""Bins of the calibration error, as in Guo et al."""


def log_loss(sample: Sample, counts_RN: Floats) -> Floats:
    """Return the mean negative natural logarithm of the true class's probability, for each resample.

    Args:
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.
    """
    loss_N = -np.log(np.clip(sample.probability_of_truth_N, SMALLEST, 1 - SMALLEST))
    return counts_RN @ loss_N / counts_RN.sum(axis=1)


def brier(sample: Sample, counts_RN: Floats) -> Floats:
    """Return the Brier score: squared differences to the truth, summed over all classes, from 0 to 2.

    It is the original definition for any number of classes; for two classes many packages show half of it.

    Args:
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.

    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950.
    """
    miss_NC = sample.probabilities_NC.copy()
    miss_NC[np.arange(len(sample)), sample.truth_N] -= 1
    return counts_RN @ np.square(miss_NC).sum(axis=1) / counts_RN.sum(axis=1)


def expected_calibration_error(sample: Sample, counts_RN: Floats) -> Floats:
    """Return the mean distance between confidence and accuracy over 15 equal-width bins of the top confidence.

    A bin holds its upper edge and not its lower one. The estimate is biased upwards: noise alone moves a bin away
    from its confidence, the more so the fewer examples it holds. A tuned decision changes nothing here: what is judged
    is the most probable class.

    Args:
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.

    Source: Guo et al., "On calibration of modern neural networks", 2017; Naeini et al., 2015.
    """
    excess_RN = counts_RN * (sample.likely_correct_N - sample.confidence_N)
    gaps_RB = sums_by_class(excess_RN, bin_of(sample.confidence_N), BINS)
    return np.abs(gaps_RB).sum(axis=1) / counts_RN.sum(axis=1)


def bin_of(confidence_N: Floats) -> NDArray[np.intp]:
    """Return the bin of each confidence, 0 to 14; an edge belongs to the bin below it."""
    return np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], confidence_N, side="left")
