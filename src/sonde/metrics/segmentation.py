"""Metrics of masks: pixel accuracy, intersection over union, and Dice, from each example's counts of pixels.

All examples' pixels are counted together before a ratio is taken, as in the benchmarks, so that a large mask counts
more than a small one. A class in neither truth nor prediction has no value and is left out of a mean; one that is only
predicted has 0.

    totals = Totals(SEGMENTATION_METRICS, keep=True)
    for truth, predicted in batches:
        totals.add(prepare_masks(truth, predicted, classes=21, ignored=255))
    intervals.score_totals(totals, bootstrap=Bootstrap(seed=0))

The sums are three numbers for each class and example: a thousand masks of 21 classes are half a megabyte.
"""

# N examples, C classes, R resamples

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.metrics.confusion import (
    divided,
    f1_macro,
    guesses_by_class,
    hits,
    hits_by_class,
    mean_where,
    truths_by_class,
)
from sonde.metrics.metric import Floats, Metric, Sums, Worth


@dataclass(frozen=True, eq=False)
class MaskSample:
    """For each example how many of its pixels are of one class and predicted as another."""

    confusion_NCC: Floats
    """Truth in rows, prediction in columns."""

    def __len__(self) -> int:
        return len(self.confusion_NCC)


def prepare_masks(
    truth: Sequence[ArrayLike], prediction: Sequence[ArrayLike], *, classes: int, ignored: int | None = None
) -> MaskSample:
    """Count the pixels of masks.

    Args:
        truth: the class of each pixel, for each example; sizes may differ from example to example.
        prediction: likewise, each in its truth's size.
        classes: how many there are, numbered from 0.
        ignored: a number in the truth whose pixels are not scored.
    """
    counted = [_pixels(np.asarray(a), np.asarray(b), classes, ignored) for a, b in zip(truth, prediction, strict=True)]
    assert counted, "one mask at least"
    return MaskSample(np.stack(counted))


def _pixels(truth: NDArray[Any], prediction: NDArray[Any], classes: int, ignored: int | None) -> Floats:
    assert truth.shape == prediction.shape, "a prediction in its truth's size"
    scored = np.full(truth.shape, True) if ignored is None else truth != ignored
    truth_P, prediction_P = truth[scored].astype(np.intp), prediction[scored].astype(np.intp)
    for each in (truth_P, prediction_P):
        assert not len(each) or (each.min() >= 0 and each.max() < classes), "pixels must be an index of a class"
    cells = np.bincount(truth_P * classes + prediction_P, minlength=classes**2)
    return cells.reshape(classes, classes).astype(np.float64)


def tally_of_pixels(sample: MaskSample) -> Sums:
    """Return each class's hit, true and predicted pixels of each example, and a one, N x (3 C + 1)."""
    confusion_NCC = sample.confusion_NCC
    hits_NC = np.diagonal(confusion_NCC, axis1=1, axis2=2)
    sides = (hits_NC, confusion_NCC.sum(axis=2), confusion_NCC.sum(axis=1), np.ones((len(sample), 1)))
    return np.concatenate(sides, axis=1)


def examples_with(sample: MaskSample) -> Sums:
    """Return a one for each class that an example's truth holds, N x C."""
    return (sample.confusion_NCC.sum(axis=2) > 0).astype(np.float64)


def _as_they_are(totals_RC: Floats) -> Floats:
    return totals_RC


def pixel_accuracy(totals_RK: Floats) -> Floats:
    """Return the share of pixels whose class is right; NaN where there is none."""
    pixels_R = truths_by_class(totals_RK).sum(axis=1)
    return np.divide(hits(totals_RK), pixels_R, out=np.full_like(pixels_R, np.nan), where=pixels_R > 0)


def iou_by_class(totals_RK: Floats) -> Floats:
    """Return the intersection over union of each class, R x C; NaN where neither truth nor prediction holds it.

    Source: Jaccard, "The distribution of the flora in the alpine zone", 1912.
    """
    return np.where(_occurs(totals_RK), _iou(totals_RK), np.nan)


def dice_by_class(totals_RK: Floats) -> Floats:
    """Return the Dice coefficient of each class, R x C; NaN where neither truth nor prediction holds it.

    Source: Dice, "Measures of the amount of ecologic association between species", 1945.
    """
    both_RC = truths_by_class(totals_RK) + guesses_by_class(totals_RK)
    return np.where(_occurs(totals_RK), divided(2 * hits_by_class(totals_RK), both_RC), np.nan)


def mean_iou(totals_RK: Floats) -> Floats:
    """Return the mean intersection over union of the classes that truth or prediction holds."""
    return mean_where(_iou(totals_RK), _occurs(totals_RK))


def _iou(totals_RK: Floats) -> Floats:
    hits_RC = hits_by_class(totals_RK)
    return divided(hits_RC, truths_by_class(totals_RK) + guesses_by_class(totals_RK) - hits_RC)


def _occurs(totals_RK: Floats) -> NDArray[np.bool_]:
    return truths_by_class(totals_RK) + guesses_by_class(totals_RK) > 0


_EXAMPLES_WITH = Worth(examples_with, trials=_as_they_are, size=_as_they_are)

SEGMENTATION_METRICS: dict[str, Metric] = {
    "mean_iou": Metric(
        tally_of_pixels,
        mean_iou,
        title="Mean IoU",
        doc="Shared pixels of truth and prediction over those of either, mean over the classes that occur.",
    ),
    "mean_dice": Metric(
        tally_of_pixels,
        f1_macro,
        title="Mean Dice",
        doc="Twice the shared pixels over those of truth and prediction together, mean over the classes that occur.",
    ),
    "pixel_accuracy": Metric(
        tally_of_pixels,
        pixel_accuracy,
        title="Pixel accuracy",
        doc="Share of pixels whose class is right; a large background makes it high.",
    ),
}
"""The scores of masks, in the order shown to users."""

PER_MASK_CLASS: dict[str, Metric] = {
    "iou": Metric(
        tally_of_pixels,
        iou_by_class,
        title="IoU",
        doc="Pixels that truth and prediction share, over those of either.",
        worth=_EXAMPLES_WITH,
    ),
    "dice": Metric(
        tally_of_pixels,
        dice_by_class,
        title="Dice",
        doc="Twice the pixels that truth and prediction share, over those of both together.",
        worth=_EXAMPLES_WITH,
    ),
}
"""The scores of each class of masks, R x C values; NaN where neither truth nor prediction holds the class."""
