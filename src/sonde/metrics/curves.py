"""The points of ROC, precision-recall and reliability curves, few enough to draw.

Plotting is done elsewhere; a curve here is plain arrays. Values beside it come from `ranking` and `probability`.
"""

# N examples, P points

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonde.metrics.probability import BINS, bin_of
from sonde.metrics.sample import AnySample, LabelSample, Sample

MOST_POINTS = 200
"""A curve of more points is thinned; the eye cannot tell, and a report of 100 classes stays small."""


@dataclass(frozen=True)
class Curve:
    """The points of a line, in the order they are joined."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy, by equal-width bins of the top confidence; empty bins are NaN."""

    edges: NDArray[np.float64]
    """The edges of the bins, one more than bins."""
    confidence: NDArray[np.float64]
    """Mean confidence in each bin."""
    accuracy: NDArray[np.float64]
    """Share of right guesses in each bin."""
    counts: NDArray[np.int64]
    """Examples in each bin."""


def roc(sample: AnySample, index: int) -> Curve | None:
    """Return the ROC curve of one class against the rest: false positive rate (x), true positive rate (y).

    Args:
        sample: the prepared examples.

    Returns:
        At most 200 points from (0, 0) to (1, 1); None where the class has no positive or no negative example.
    """
    hits, alarms = _counts_at_thresholds(sample, index)
    if hits[-1] == 0 or alarms[-1] == 0:
        return None
    return _thin(np.append(0.0, alarms / alarms[-1]), np.append(0.0, hits / hits[-1]))


def precision_recall(sample: AnySample, index: int) -> Curve | None:
    """Return the precision-recall curve of one class against the rest: recall (x), precision (y).

    It starts at recall 0 with the precision of the highest threshold, and is to be drawn in steps.

    Args:
        sample: the prepared examples.

    Returns:
        At most 200 points with rising recall; None where the class has no positive example.
    """
    hits, alarms = _counts_at_thresholds(sample, index)
    if hits[-1] == 0:
        return None
    precision = hits / (hits + alarms)
    return _thin(np.append(0.0, hits / hits[-1]), np.append(precision[0], precision))


def reliability(sample: Sample) -> Reliability:
    """Return the bins of the reliability diagram, the same ones that the calibration error uses.

    Args:
        sample: the prepared examples.
    """
    return _binned(sample.confidence_N, sample.likely_correct_N)


def label_reliability(sample: LabelSample) -> Reliability:
    """Return the bins of a label's chance against how often it is there, over all labels of all examples.

    Args:
        sample: the prepared examples.
    """
    return _binned(sample.probabilities_NK.ravel(), sample.truth_NK.ravel().astype(np.float64))


def _binned(stated: NDArray[np.float64], came_true: NDArray[np.float64]) -> Reliability:
    bins_N = bin_of(stated)
    counts = np.bincount(bins_N, minlength=BINS)
    filled = counts > 0
    empty = np.full(BINS, np.nan)
    confidence = np.bincount(bins_N, weights=stated, minlength=BINS)
    right = np.bincount(bins_N, weights=came_true, minlength=BINS)
    return Reliability(
        edges=np.linspace(0, 1, BINS + 1),
        confidence=np.divide(confidence, counts, out=empty.copy(), where=filled),
        accuracy=np.divide(right, counts, out=empty.copy(), where=filled),
        counts=counts.astype(np.int64),
    )


def _counts_at_thresholds(sample: AnySample, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count true and false positives at each threshold, from the highest; tied probabilities are one threshold."""
    order_N = sample.orders[index].order_N
    is_positive_N, probability_N = sample.column(index)
    score_N = probability_N[order_N]
    last_N = np.append(score_N[1:] != score_N[:-1], True)
    positive_N = is_positive_N[order_N]
    return np.cumsum(positive_N)[last_N].astype(np.float64), np.cumsum(~positive_N)[last_N].astype(np.float64)


def _thin(x: NDArray[np.float64], y: NDArray[np.float64]) -> Curve:
    """Keep points at even steps along the line, so that steep parts keep as many as flat ones; the ends stay."""
    if len(x) > MOST_POINTS:
        along = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
        wanted = np.searchsorted(along, np.linspace(0, along[-1], MOST_POINTS - 1))
        kept = np.unique(np.append(wanted.clip(max=len(x) - 1), len(x) - 1))
        kept[0] = 0
        x, y = x[kept], y[kept]
    return Curve(x, y)
