"""What the model must beat: a guess that reads nothing, and a linear model that reads coarse pixels.

Both give probabilities for the test examples, so that every metric judges them as it judges the model.
"""

# N examples, C classes, B images, H height, W width, K channels, F features

import warnings
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]
Baseline = Callable[[NDArray[np.uint8], NDArray[np.int64], NDArray[np.uint8], int, int], Floats]
"""From train inputs, train truth, test inputs, the number of classes and the most examples to N x C probabilities."""

MOST_FEATURES = 1024
"""Height times width times channels of the images that the linear model reads."""
MOST_EXAMPLES = 20_000
"""Training examples that the linear model reads; on Fashion-MNIST 0.836 in 3 s, with 5,000 of them 0.818 in 1 s."""
MOST_ANSWERS = 1_000_000
"""Examples times classes that it reads: its time grows with both. 100 classes leave 10,000 examples."""
MOST_STEPS = 100
"""Steps of the linear model's solver; 200 cost twice the time and changed the accuracy by under half a point."""


def majority_class(
    train_inputs: NDArray[np.uint8],
    train_truth_N: NDArray[np.int64],
    test_inputs: NDArray[np.uint8],
    classes: int,
    most: int = MOST_EXAMPLES,
) -> Floats:
    """Guess the most frequent class of the training examples, with the classes' shares as probabilities.

    Args:
        train_inputs: not read.
        train_truth_N: index of the class of each training example.
        test_inputs: only their number is read.
        classes: number of classes C.
        most: not read; all examples are counted.

    Returns:
        N x C probabilities of the test examples.
    """
    shares_C = np.bincount(train_truth_N, minlength=classes) / len(train_truth_N)
    return np.tile(shares_C, (len(test_inputs), 1))


def logistic_regression_on_pixels(
    train_inputs: NDArray[np.uint8],
    train_truth_N: NDArray[np.int64],
    test_inputs: NDArray[np.uint8],
    classes: int,
    most: int = MOST_EXAMPLES,
) -> Floats:
    """Fit a multinomial logistic regression to images shrunk to at most 1,024 numbers.

    It reads some 20,000 training examples unless told otherwise, each class in proportion, spread evenly over the
    split; nothing is drawn at random. The solver stops after 100 steps, converged or not: a baseline, not a contest.

    Args:
        train_inputs: B x H x W x K images.
        train_truth_N: index of the class of each training example.
        test_inputs: images of the same shape.
        classes: number of classes C.
        most: training examples that it reads at most.

    Returns:
        N x C probabilities of the test examples; 0 for classes without a training example.
    """
    if len(np.unique(train_truth_N)) < 2:
        return majority_class(train_inputs, train_truth_N, test_inputs, classes)
    chosen = _subset(train_truth_N, min(most, MOST_ANSWERS // classes))
    features_BF = _features(train_inputs, chosen)
    centre_F = features_BF.mean(axis=0)
    model = LogisticRegression(max_iter=MOST_STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features_BF - centre_F, train_truth_N[chosen])
    probabilities_NC = np.zeros((len(test_inputs), classes))
    test_BF = _features(test_inputs, np.arange(len(test_inputs)))
    probabilities_NC[:, model.classes_] = model.predict_proba(test_BF - centre_F)
    return probabilities_NC / probabilities_NC.sum(axis=1, keepdims=True)


BASELINES: dict[str, dict[str, Baseline]] = {
    "image": {
        "majority class": majority_class,
        "logistic regression on pixels": logistic_regression_on_pixels,
    },
}
"""What a model of each modality is compared with, in the order shown."""


def guess_baselines(
    modality: str,
    train_inputs: NDArray[np.uint8],
    train_truth_N: ArrayLike,
    test_inputs: NDArray[np.uint8],
    *,
    classes: int,
    most: int = MOST_EXAMPLES,
) -> dict[str, Floats]:
    """Let every baseline of a modality guess the test examples.

    Args:
        modality: a name in `BASELINES`.
        train_inputs: stored training examples, as the data set holds them.
        train_truth_N: index of the class of each training example.
        test_inputs: stored test examples.
        classes: number of classes C.
        most: training examples that a baseline which fits something reads at most.

    Returns:
        N x C test probabilities by the baseline's name.
    """
    truth = np.asarray(train_truth_N, np.int64)
    assert len(truth) == len(train_inputs) > 0, "one truth for each training example"
    table = BASELINES[modality]
    return {name: guess(train_inputs, truth, test_inputs, classes, most) for name, guess in table.items()}


def _subset(truth_N: NDArray[np.int64], most: int) -> NDArray[np.intp]:
    """Choose at most so many examples, evenly spread over each class, every class at least once."""
    if len(truth_N) <= most:
        return np.arange(len(truth_N))
    chosen = []
    for index in np.unique(truth_N):
        places = np.flatnonzero(truth_N == index)
        wanted = max(1, len(places) * most // len(truth_N))
        chosen.append(places[np.linspace(0, len(places) - 1, wanted).round().astype(np.intp)])
    return np.sort(np.concatenate(chosen))


def _features(inputs: NDArray[np.uint8], places: NDArray[np.intp]) -> NDArray[np.float32]:
    height, width, channels = inputs.shape[1:]
    factor = min(1.0, (MOST_FEATURES / (height * width * channels)) ** 0.5)
    small = (max(1, int(width * factor)), max(1, int(height * factor)))
    features_BF = np.empty((len(places), small[0] * small[1] * channels), np.float32)
    for row, place in enumerate(places):
        image: NDArray[np.uint8] = np.asarray(inputs[place])
        if factor < 1:
            image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.uint8)
        features_BF[row] = image.reshape(-1)
    features_BF /= 255
    return features_BF
