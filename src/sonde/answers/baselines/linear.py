"""The linear classifier of the baselines, and the examples that it reads."""

# N examples, B examples that are read, C classes, F features

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

MOST_ANSWERS = 1_000_000
"""Examples times classes that it reads: its time grows with both. 100 classes leave 10,000 examples."""
MOST_STEPS = 100
"""Steps of its solver; 200 cost twice the time and changed the accuracy on images by under half a point."""


def logistic(
    train_BF: NDArray[np.floating], truth_B: NDArray[np.int64], test_NF: NDArray[np.floating], classes: int
) -> NDArray[np.float64]:
    """Fit a multinomial logistic regression; it stops after 100 steps, converged or not: a baseline, not a contest.

    Args:
        train_BF: features of the training examples; two classes at least.
        truth_B: index of the class of each.
        test_NF: features of the test examples.
        classes: number of classes C.

    Returns:
        N x C probabilities; 0 for classes without a training example.
    """
    centre_F = train_BF.mean(axis=0)
    model = LogisticRegression(max_iter=MOST_STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train_BF - centre_F, truth_B)
    probabilities_NC = np.zeros((len(test_NF), classes))
    probabilities_NC[:, model.classes_] = model.predict_proba(test_NF - centre_F)
    return probabilities_NC / probabilities_NC.sum(axis=1, keepdims=True)


def subset(truth_N: NDArray[np.int64], most: int) -> NDArray[np.intp]:
    """Choose at most so many examples, evenly spread over each class, every class at least once.

    Args:
        truth_N: index of the class of each example.
        most: how many at most, where there are no more classes.
    """
    if len(truth_N) <= most:
        return np.arange(len(truth_N))
    chosen = []
    for index in np.unique(truth_N):
        places = np.flatnonzero(truth_N == index)
        wanted = max(1, len(places) * most // len(truth_N))
        chosen.append(places[np.linspace(0, len(places) - 1, wanted).round().astype(np.intp)])
    return np.sort(np.concatenate(chosen))


def shares(truth_N: NDArray[np.int64], count: int, classes: int) -> NDArray[np.float64]:
    """Return the classes' shares of the training examples as the probabilities of each of `count` examples."""
    return np.tile(np.bincount(truth_N, minlength=classes) / len(truth_N), (count, 1))
