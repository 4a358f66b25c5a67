"""Temperature scaling: one number that makes a trained classifier's probabilities mean what they say.

Logits are divided by a temperature that is fitted on validation examples. The guess and its order never change; only
the confidence does.

Source: Guo et al., "On calibration of modern neural networks", 2017.
"""

# N examples, C classes, K labels

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_expit, log_softmax, softmax

COLDEST, HOTTEST = 0.05, 20.0
"""The temperatures that are searched."""
FEWEST = 20
"""With fewer examples the temperature stays 1."""


def fit(logits_NC: ArrayLike, truth_N: ArrayLike) -> float:
    """Find the temperature with the least log loss.

    A weak prior (the logarithm of the temperature is standard normal, worth one example or less) is added. Where
    every guess is right, ever colder would be ever better on these examples, and the first mistake on others would
    cost without bound; the prior keeps such a fit near 1. Beyond some 200 examples it changes nothing that shows.

    Args:
        logits_NC: outputs before the softmax, of examples that the model was not trained on.
        truth_N: index of the true class of each example.

    Returns:
        A temperature between 0.05 and 20; 1.0 for fewer than 20 examples.
    """
    logits = np.asarray(logits_NC, np.float64)
    truth = np.asarray(truth_N, np.intp)
    assert logits.ndim == 2 and truth.shape == logits.shape[:1], "logits are N x C, truth is N"
    assert np.isfinite(logits).all(), "logits must be finite"
    if len(truth) < FEWEST:
        return 1.0
    rows = np.arange(len(truth))
    return _search(lambda warmth: log_softmax(logits / warmth, axis=1)[rows, truth], len(truth))


def fit_labels(logits_NK: ArrayLike, truth_NK: ArrayLike) -> float:
    """Find the temperature with the least log loss where each label is a yes-or-no answer of its own.

    One temperature for all labels, with the prior of `fit`.

    Args:
        logits_NK: outputs before the sigmoid, of examples that the model was not trained on.
        truth_NK: 1 where an example has a label.

    Returns:
        A temperature between 0.05 and 20; 1.0 for fewer than 20 examples.
    """
    logits = np.asarray(logits_NK, np.float64)
    signs = np.where(np.asarray(truth_NK) > 0, 1.0, -1.0)
    assert logits.ndim == 2 and signs.shape == logits.shape, "logits and truth are N x K"
    assert np.isfinite(logits).all(), "logits must be finite"
    if len(logits) < FEWEST:
        return 1.0
    return _search(lambda warmth: log_expit(signs * logits / warmth).mean(axis=1), len(logits))


def _search(likelihood: Callable[[float], NDArray[np.float64]], examples: int) -> float:
    def cost(log_temperature: float) -> float:
        return float(-likelihood(float(np.exp(log_temperature))).mean() + 0.5 * log_temperature**2 / examples)

    bounds = (np.log(COLDEST), np.log(HOTTEST))
    found = minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    # A search that ends no better than where it could have stayed must not move the probabilities.
    return float(np.exp(found.x)) if found.fun < cost(0.0) else 1.0


def apply(logits_NC: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Turn logits into probabilities at a temperature.

    Args:
        logits_NC: outputs before the softmax.
        temperature: above 0; 1 leaves the softmax as it is.
    """
    assert temperature > 0, "a temperature is above 0"
    return softmax(np.asarray(logits_NC, np.float64) / temperature, axis=1)


def apply_labels(logits_NK: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Turn logits of labels into probabilities at a temperature, each label by itself.

    Args:
        logits_NK: outputs before the sigmoid.
        temperature: above 0; 1 leaves the sigmoid as it is.
    """
    assert temperature > 0, "a temperature is above 0"
    return np.asarray(expit(np.asarray(logits_NK, np.float64) / temperature))
