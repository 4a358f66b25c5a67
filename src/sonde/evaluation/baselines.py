"""What the model must beat: a guess that reads nothing, and a linear model that reads coarse pixels.

Both give probabilities for the test examples, so that every metric judges them as it judges the model.
"""

# N examples, C classes, B images, H height, W width, K channels, F features

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.data import Stored
from sonde.evaluation.audio_baselines import logistic_regression_on_mean_spectrum
from sonde.evaluation.linear import MOST_ANSWERS, logistic, subset
from sonde.evaluation.series_baselines import minirocket, nearest_neighbour
from sonde.evaluation.table_baselines import gradient_boosting, logistic_regression_on_columns
from sonde.evaluation.text_baselines import tf_idf_with_linear_svm

Floats = NDArray[np.float64]
Baseline = Callable[[Any, NDArray[np.int64], Any, int, int], Floats]
"""From train inputs, train truth, test inputs, the number of classes and the most examples to N x C probabilities."""

MOST_FEATURES = 1024
"""Height times width times channels of the images that the linear model reads."""
MOST_EXAMPLES = 20_000
"""Training examples that the linear model reads; on Fashion-MNIST 0.836 in 3 s, with 5,000 of them 0.818 in 1 s."""


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
    chosen = subset(train_truth_N, min(most, MOST_ANSWERS // classes))
    test_BF = _features(test_inputs, np.arange(len(test_inputs)))
    return logistic(_features(train_inputs, chosen), train_truth_N[chosen], test_BF, classes)


BASELINES: dict[str, dict[str, Baseline]] = {
    "image": {
        "majority class": majority_class,
        "logistic regression on pixels": logistic_regression_on_pixels,
    },
    "text": {
        "majority class": majority_class,
        "TF-IDF with a linear SVM": tf_idf_with_linear_svm,
    },
    "audio": {
        "majority class": majority_class,
        "logistic regression on the mean spectrum": logistic_regression_on_mean_spectrum,
    },
    "series": {
        "majority class": majority_class,
        "nearest neighbour": nearest_neighbour,
        "MiniRocket": minirocket,
    },
    "table": {
        "majority class": majority_class,
        "logistic regression": logistic_regression_on_columns,
        "gradient boosting": gradient_boosting,
    },
}
"""What a model of each modality is compared with, in the order shown."""


def guess_baselines(
    modality: str,
    train_inputs: Stored,
    train_truth_N: ArrayLike,
    test_inputs: Stored,
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
