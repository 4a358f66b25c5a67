"""What a model of images must beat: a linear model that reads coarse pixels."""

# N examples, C classes, B images, H height, W width, K channels, F features

import cv2
import numpy as np
from numpy.typing import NDArray

from sonde.answers.baselines.linear_classifier import MOST_ANSWERS, logistic, shares, subset

Floats = NDArray[np.float64]

MOST_FEATURES = 1024
"""Height times width times channels of the images that the linear model reads."""


def logistic_regression_on_pixels(
    train_inputs: NDArray[np.uint8],
    train_truth_N: NDArray[np.int64],
    test_inputs: NDArray[np.uint8],
    classes: int,
    most: int,
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
        return shares(train_truth_N, len(test_inputs), classes)
    chosen = subset(train_truth_N, min(most, MOST_ANSWERS // classes))
    test_BF = pixel_features(test_inputs, np.arange(len(test_inputs)))
    return logistic(pixel_features(train_inputs, chosen), train_truth_N[chosen], test_BF, classes)


def pixel_features(inputs: NDArray[np.uint8], places: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return images shrunk to at most 1,024 numbers each, from 0 to 1, B x F."""
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
