"""What a model of masks must beat: the commonest class everywhere, and a linear model that looks at each pixel alone.

The linear model reads a pixel's colour and that of its surroundings at a few scales, so that it knows shades and
coarse places, and no shapes.
"""

# N examples, C classes, H height, W width, K channels, F features, P pixels

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sonde.answers.answer import Contest
from sonde.answers.baselines.linear_classifier import linear_model
from sonde.answers.segmentation.predictions import Predictions
from sonde.answers.segmentation.target import AT_ONCE, NOT_SCORED, MaskTarget
from sonde.data.cache import let_go
from sonde.data.target import Column

COMMONEST = "commonest class everywhere"
LINEAR = "logistic regression on each pixel"
SCALES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Standard deviations, in pixels, of the Gaussian blurs that tell a pixel's surroundings."""
MOST_PIXELS = 40_000
"""Pixels that the linear model learns from, evenly spread over the training images."""
MOST_ANSWERS = 400_000
"""Pixels times classes that it learns from, so that many classes do not take minutes."""


def guesses(contest: Contest) -> Mapping[str, Predictions]:
    """Let every baseline predict the test examples, one image at a time.

    Args:
        contest: what they learn from and predict.

    Returns:
        Predictions by the baseline's name.
    """
    target, classes = contest.target, len(contest.target.classes)
    pixels_C = sum(
        (
            np.bincount(_classes(target, contest.truth, row), minlength=256)[:classes]
            for row in range(len(contest.truth))
        ),
        np.zeros(classes, np.int64),
    )
    commonest = int(np.argmax(pixels_C))
    features_PF, truth_P = _learned_from(contest)
    model = linear_model(features_PF, truth_P) if len(np.unique(truth_P)) > 1 else None
    counts: dict[str, list[NDArray[np.int64]]] = {COMMONEST: [], **({} if model is None else {LINEAR: []})}
    for row in range(len(contest.test)):
        true_P = _classes(target, contest.test_truth, row)
        counts[COMMONEST].append(_counts(true_P, np.full(len(true_P), commonest), classes))
        if model is not None:
            given_P = model(pixel_features(np.asarray(contest.test[row])))
            counts[LINEAR].append(_counts(true_P, given_P, classes))
        if row % AT_ONCE == 0:
            let_go(contest.test)
            let_go(contest.test_truth)
    unknown_N = np.full(len(contest.test), np.nan)
    return {
        name: Predictions(tuple(contest.names), target.classes, np.stack(each), unknown_N)
        for name, each in counts.items()
    }


def _classes(target: MaskTarget, truth: Column, row: int) -> NDArray[np.uint8]:
    return target.classes_of(np.asarray(truth[row])).reshape(-1)


def _counts(true_P: NDArray[Any], given_P: NDArray[Any], classes: int) -> NDArray[np.int64]:
    scored_P = true_P != NOT_SCORED
    places = true_P[scored_P].astype(np.int64) * classes + given_P[scored_P]
    return np.bincount(places, minlength=classes**2).reshape(classes, classes)


def _learned_from(contest: Contest) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return features and classes of some pixels of some training images, evenly spread."""
    count = len(contest.truth)
    images = np.unique(np.linspace(0, count - 1, min(count, contest.most, 200)).round().astype(int))
    most = min(MOST_PIXELS, MOST_ANSWERS // len(contest.target.classes))
    each = max(1, most // len(images))
    features, truths = [], []
    for row in images.tolist():
        true_P = _classes(contest.target, contest.truth, row)
        scored_P = np.flatnonzero(true_P != NOT_SCORED)
        # Drawn, as a regular step would meet the same columns of each image.
        chosen = np.random.default_rng(row).permutation(scored_P)[:each]
        features.append(pixel_features(np.asarray(contest.train[row]))[chosen])
        truths.append(true_P[chosen].astype(np.int64))
    return np.concatenate(features), np.concatenate(truths)


def pixel_features(image_HWK: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return each pixel's colour, that of its surroundings at a few scales, and how much these vary, P x F."""
    colour = image_HWK.astype(np.float32) / 255
    height, width = colour.shape[:2]
    parts = [colour]
    for scale in SCALES:
        parts.append(cv2.GaussianBlur(colour, (0, 0), scale, borderType=cv2.BORDER_REFLECT).reshape(colour.shape))
    mean, square = (cv2.GaussianBlur(each, (0, 0), 2.0) for each in (colour, colour**2))
    parts.append(np.sqrt(np.maximum(square - mean**2, 0)).reshape(colour.shape))
    return np.concatenate([part.reshape(height * width, -1) for part in parts], axis=1)


def rehearse(target: Any, count: int) -> Predictions:
    """Return predictions like those to come, by which the time of scoring is reckoned."""
    classes = len(target.classes)
    pixels = np.random.default_rng(0).integers(0, 100, (count, classes, classes)) + 1000 * np.eye(classes, dtype=int)
    return Predictions(tuple(map(str, range(count))), target.classes, pixels, np.full(count, 0.9))


def average(members: Any, weights_M: Any) -> dict[str, NDArray[np.float32]]:
    """Return logits of the weighted mean of the members' probabilities."""
    total: Any = 0.0
    for (_, outputs), weight in zip(members, weights_M, strict=True):
        logits = np.asarray(outputs["logits"], np.float32)
        shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
        total = total + np.float32(weight) * shares / shares.sum(axis=-1, keepdims=True)
    return {"logits": np.log(np.maximum(total, LEAST)).astype(np.float32)}


LEAST = np.float32(1e-9)
"""Probability below which the logarithm is not followed."""
