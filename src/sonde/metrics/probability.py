"""Metrics that judge the probabilities themselves: log loss, Brier score and expected calibration error.

The first two are means over examples, `sums.mean` of what they cost.
"""

# N examples, C classes, R resamples, B bins

import numpy as np
from numpy.typing import NDArray

from sonde.metrics.metric import Floats, Sums
from sonde.metrics.sample import Sample
from sonde.metrics.sums import scattered, with_ones

SMALLEST = float(np.finfo(np.float64).eps)
"""Probabilities are held this far from 0 and 1 before the logarithm, as scikit-learn does."""
LARGEST_LOSS = float(-np.log(SMALLEST))
"""So one example costs at most 36.04."""
BINS = 15
"""Bins of the calibration error, as in Guo et al."""


def log_losses(sample: Sample) -> Sums:
    """Return the negative natural logarithm of the true class's probability, and a one, N x 2."""
    return with_ones(-np.log(np.clip(sample.probability_of_truth_N, SMALLEST, 1 - SMALLEST)))


def briers(sample: Sample) -> Sums:
    """Return the squared differences to the truth, summed over all classes, from 0 to 2, and a one, N x 2.

    It is the original definition for any number of classes; for two classes many packages show half of it.

    Source: Brier, "Verification of forecasts expressed in terms of probability", 1950.
    """
    miss_NC = sample.probabilities_NC.copy()
    miss_NC[np.arange(len(sample)), sample.truth_N] -= 1
    return with_ones(np.square(miss_NC).sum(axis=1))


def excesses(sample: Sample) -> Sums:
    """Return how far being right exceeds the confidence, in the confidence's bin, and a one, N x (B + 1).

    A bin holds its upper edge and not its lower one. A tuned decision changes nothing here: what is judged is the most
    probable class.
    """
    excess_N = sample.likely_correct_N - sample.confidence_N
    places = (bin_of(sample.confidence_N), np.full(len(sample), BINS))
    return scattered(np.stack(places, axis=1), BINS + 1, np.stack([excess_N, np.ones(len(sample))], axis=1))


def calibration_error(totals_RK: Floats) -> Floats:
    """Return the mean distance between confidence and accuracy over 15 equal-width bins of the top confidence.

    The estimate is biased upwards: noise alone moves a bin away from its confidence, the more so the fewer examples it
    holds.

    Args:
        totals_RK: the bins' sums of `excesses`, and last the number of what was binned.

    Source: Guo et al., "On calibration of modern neural networks", 2017; Naeini et al., 2015.
    """
    return np.abs(totals_RK[:, :-1]).sum(axis=1) / totals_RK[:, -1]


def bin_of(confidence_N: Floats) -> NDArray[np.intp]:
    """Return the bin of each confidence, 0 to 14; an edge belongs to the bin below it."""
    return np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], confidence_N, side="left")
