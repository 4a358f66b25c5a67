"""Scores masks: all classes together, each class, the confusion of pixels; and picks what the report shows."""

# N examples, C classes

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers.answer import FITTED_ON, Scored, Worst
from sonde.answers.segmentation.options import Options
from sonde.answers.segmentation.predictions import Predictions, dice_of, in_shares, truth_in_words
from sonde.answers.segmentation.target import NOT_SCORED, MaskTarget
from sonde.drawing.examples import Overlay
from sonde.drawing.gallery import regions
from sonde.metrics import PER_MASK_CLASS, SEGMENTATION_METRICS, AnyMetric
from sonde.metrics.intervals import Score, score_each
from sonde.metrics.segmentation import MaskSample

COMPARED = ("mean_iou", "pixel_accuracy")
"""Metrics that a comparison shows beside the headline."""
HEADLINE = "mean_dice"
TYPICAL = 6
"""Examples around the median that the report shows."""
COVER = 0.5
"""Share of an image that the colours over it cover."""


def metrics(target: MaskTarget, own: Options) -> Mapping[str, AnyMetric]:
    """Return the metrics of masks."""
    return SEGMENTATION_METRICS


def headline(target: MaskTarget, own: Options) -> str:
    """Return the metric that stands first."""
    return HEADLINE


def sample(made: Predictions, own: Options) -> MaskSample:
    """Return what the metrics read: the counts of pixels of each example."""
    return MaskSample(made.pixels.astype(np.float64))


def figure(own: MaskSample) -> NDArray[np.float64]:
    """Return the mean Dice of each example over the classes that it holds."""
    return dice_of(own.confusion_NCC)


def judge(scored: Scored, test: Mapping[str, Score]) -> dict[str, Any]:
    """Return what scores.json holds of masks beside the metrics.

    Args:
        scored: the model's predictions, and how they are judged.
    """
    made = scored.predictions
    each = score_each(sample(made, scored.own), PER_MASK_CLASS, bootstrap=scored.bootstrap)
    confusion_CC = made.pixels.sum(axis=0)
    pixels = max(1, int(confusion_CC.sum()))
    return {
        "classes": list(made.classes),
        "fitted_on": FITTED_ON[scored.fitted.fitted_on],
        "per_class": {
            name: {
                "n": int((made.pixels[:, at].sum(axis=1) > 0).sum()),
                "share": float(confusion_CC[at].sum() / pixels),
                "given": float(confusion_CC[:, at].sum() / pixels),
                **{metric: score.to_dict() for metric, score in each[at].items()},
            }
            for at, name in enumerate(made.classes)
        },
        "confusion": confusion_CC.tolist(),
        "each_dice": {
            f"{share:.0%}": float(value)
            for share, value in zip(SHARES, np.quantile(dice_of(made.pixels), SHARES), strict=True)
        },
    }


SHARES = (0.0, 0.1, 0.5, 0.9, 1.0)
"""Quantiles of the examples' Dice that scores.json holds."""


def worst(scored: Scored) -> list[Worst]:
    """Pick the examples with the smallest Dice."""
    order = np.argsort(dice_of(scored.predictions.pixels), kind="stable")
    # Of few examples a third: the rest are no worse than usual.
    most = min(scored.mistakes, max(1, len(order) // 3))
    return [_shown(scored, int(row)) for row in order[:most]]


def typical(scored: Scored) -> list[Worst]:
    """Pick the examples around the median."""
    order = np.argsort(dice_of(scored.predictions.pixels), kind="stable")
    most = min(TYPICAL, max(1, len(order) // 3))
    first = (len(order) - most + 1) // 2
    return [_shown(scored, int(row)) for row in order[first : first + most]]


def _shown(scored: Scored, row: int) -> Worst:
    made = scored.predictions
    pixels_CC, confidence = made.pixels[row], float(made.confidence[row])
    given_C = pixels_CC.sum(axis=0)
    return Worst(
        row=row,
        name=made.names[row],
        predicted=in_shares(made.classes, given_C / max(1, given_C.sum())),
        truth=truth_in_words(made, row),
        confidence=None if np.isnan(confidence) else confidence,
        note=f"Dice {float(dice_of(pixels_CC[None])[0]):.3f}",
        panels=panels(made, row),
    )


def panels(made: Predictions, row: int) -> dict[str, list[Overlay]]:
    """Return what lies over an example, beside one another: its target, and the prediction."""
    if made.true is None or made.predicted is None:
        return {}
    true_HW, given_HW = made.true[row].astype(np.int64), made.predicted[row].astype(np.int64)
    # A pixel that is left out is clear in both.
    hidden_HW = true_HW == NOT_SCORED
    found = {"target": true_HW, "prediction": given_HW}
    over = {title: [regions(np.where(hidden_HW, -1, mask), made.classes, cover=COVER)] for title, mask in found.items()}
    return {"image": [], **over}


def telling(scored: Scored, most: int) -> list[int]:
    """Return the places of the worst examples and of typical ones, in turns."""
    bad, usual = ([each.row for each in part] for part in (worst(scored), typical(scored)))
    turns = [row for pair in zip(bad, usual, strict=False) for row in pair] + bad + usual
    return list(dict.fromkeys(turns))[:most]
