"""Weights of averaged probabilities: how much each of several classifiers counts, found on validation examples.

The mean of several models' probabilities is a linear opinion pool; its weights are those of a mixture whose parts are
known, so that the steps of Dempster, Laird & Rubin ("Maximum likelihood from incomplete data via the EM algorithm",
1977) find the only maximum.
"""

# M models, N examples

import numpy as np
from numpy.typing import ArrayLike, NDArray

STEPS, STILL = 1000, 1e-7
"""Most steps, and the change of every weight below which they end."""
EQUAL = 10.0
"""Examples that speak for equal weights: on few examples no model is given all the weight, or none."""
LEAST = 1e-12
"""Probability of the truth below which a model is not judged any worse."""


def fit(likelihood_MN: ArrayLike) -> NDArray[np.float64]:
    """Find the weights with the greatest likelihood of the truth.

    Args:
        likelihood_MN: the probability that each model gave the truth of each example it was not trained on.

    Returns:
        Weights, M, above 0 and with the sum 1.
    """
    likelihood = np.maximum(np.asarray(likelihood_MN, np.float64), LEAST)
    assert likelihood.ndim == 2 and likelihood.shape[0] > 0, "M x N, at least one model"
    models, examples = likelihood.shape
    weights_M = np.full(models, 1 / models)
    for _ in range(STEPS):
        share_MN = weights_M[:, None] * likelihood
        found_M = (share_MN / share_MN.sum(axis=0)).sum(axis=1) + EQUAL / models
        found_M /= examples + EQUAL
        moved = float(np.abs(found_M - weights_M).max())
        weights_M = found_M
        if moved < STILL:
            break
    return weights_M
