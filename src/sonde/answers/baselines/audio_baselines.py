"""What a model of recordings must beat: a linear model that reads how loud each band is, and how much it changes."""

# N examples, B examples that are read, T frames, M mel bands, F features

import numpy as np
from numpy.typing import NDArray

from sonde.answers.baselines.linear_classifier import MOST_ANSWERS, logistic, subset

BLOCK = 512
"""Recordings whose features are taken together."""


def logistic_regression_on_mean_spectrum(
    train_raw: NDArray[np.float32],
    train_truth_N: NDArray[np.int64],
    test_raw: NDArray[np.float32],
    classes: int,
    most: int = 20_000,
) -> NDArray[np.float64]:
    """Fit a logistic regression to mean and deviation over time of each mel band; it hears no order in time.

    Args:
        train_raw: decibels, B x T x M.
        train_truth_N: index of the class of each training example.
        test_raw: decibels of the test examples.
        classes: number of classes C.
        most: training examples that it reads at most.

    Returns:
        N x C probabilities of the test examples; 0 for classes without a training example.
    """
    chosen = subset(train_truth_N, min(most, MOST_ANSWERS // classes))
    kinds, counts = np.unique(train_truth_N[chosen], return_counts=True)
    if len(kinds) < 2:
        probabilities_NC = np.zeros((len(test_raw), classes))
        probabilities_NC[:, kinds] = counts / counts.sum()
        return probabilities_NC
    train_BF, test_NF = band_features(train_raw, chosen), band_features(test_raw, np.arange(len(test_raw)))
    # Of one scale, else the solver is far from its end after its steps.
    scale_F = np.maximum(train_BF.std(axis=0), 1e-3)
    return logistic(train_BF / scale_F, train_truth_N[chosen], test_NF / scale_F, classes)


def band_features(raw: NDArray[np.float32], places: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return mean and deviation over time of each band, B x 2M."""
    blocks = []
    for start in range(0, len(places), BLOCK):
        decibels_BTM = np.asarray(raw[places[start : start + BLOCK]], dtype=np.float64)
        blocks.append(np.concatenate([decibels_BTM.mean(axis=1), decibels_BTM.std(axis=1)], axis=1))
    return np.concatenate(blocks)
