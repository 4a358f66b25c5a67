"""The linear classifier of the baselines, and the examples that it reads."""

# N examples, B examples that are read, C classes, F features

import warnings
from collections.abc import Callable

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
    model = _fitted(train_BF - centre_F, truth_B)
    probabilities_NC = np.zeros((len(test_NF), classes))
    probabilities_NC[:, model.classes_] = model.predict_proba(test_NF - centre_F)
    return probabilities_NC / probabilities_NC.sum(axis=1, keepdims=True)


def linear_model(
    train_BF: NDArray[np.floating], truth_B: NDArray[np.int64]
) -> Callable[[NDArray[np.floating]], NDArray[np.int64]]:
    """Fit such a regression to scaled features, and return what gives the class of others, N x F.

    For what comes in parts, such as the pixels of one image after the other.
    """
    centre_F, spread_F = train_BF.mean(axis=0), train_BF.std(axis=0)
    scale_F = np.where(spread_F > 0, spread_F, 1)
    model = _fitted((train_BF - centre_F) / scale_F, truth_B)
    # Two classes have one row, whose sign decides.
    slopes_FC = (model.coef_ / scale_F).T.astype(train_BF.dtype)
    offsets_C = (model.intercept_ - centre_F @ slopes_FC).astype(train_BF.dtype)

    def classes_of(features_NF: NDArray[np.floating]) -> NDArray[np.int64]:
        scores_NC = features_NF @ slopes_FC + offsets_C
        places = (scores_NC[:, 0] > 0).astype(int) if scores_NC.shape[1] == 1 else scores_NC.argmax(axis=1)
        return np.asarray(model.classes_[places], np.int64)

    return classes_of


def _fitted(features_BF: NDArray[np.floating], truth_B: NDArray[np.int64]) -> LogisticRegression:
    model = LogisticRegression(max_iter=MOST_STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(features_BF, truth_B)


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
