"""What a training on masks is given, what is kept of the outputs of each batch, and the figures of a validation."""

# N examples, B batch, H height, W width, C classes, P pixels

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sonde.answers.answer import Kept, Plan
from sonde.answers.segmentation.options import Options
from sonde.answers.segmentation.target import NOT_SCORED, MaskTarget
from sonde.data.target import Batch, Column
from sonde.metrics import SEGMENTATION_METRICS, value_of
from sonde.metrics.segmentation import MaskSample

SHOWN = "pixel_accuracy"
"""Name of what a training step scores."""
MONITORS = ("mean_dice", "mean_iou", "pixel_accuracy")
"""Validation figures that an epoch can be chosen by, beside the loss; all of them are better when higher."""
THUMBNAIL = 128
"""Longer side, in pixels, of the small masks that are kept for the report."""
SMOOTH = 1e-5
"""Share of an image that keeps the Dice loss of a class without pixels from having no end."""


def plan(target: MaskTarget, truth: Column, own: Options, solved: bool) -> Plan:
    """Return what the head is built of and what its loss is told."""
    height, width = np.asarray(truth[:1]).shape[1:]
    return Plan(
        outputs=len(target.classes),
        head={"height": int(height), "width": int(width)},
        loss={"loss": own.loss},
        # What `figures` says of validation, so that the two curves are of one thing whatever is trained with.
        recorded={"loss": "dice+cross-entropy"},
    )


def keep(target: MaskTarget, outputs: Batch, truth: Column | None) -> Kept:
    """Reduce a batch to its counts, so that a test set of any size can be scored.

    Returns:
        Always "filled", the share of each class in the prediction, B x C, and "confidence", B. With truths "pixels",
        the counts of true (rows) and predicted classes, B x C*C; "loss", B; and small masks, "predicted" and "true",
        B x h x w. Without truths the "mask", uint8, B x H x W.
    """
    found = [_kept(target, logits, None if truth is None else truth[at]) for at, logits in enumerate(outputs["logits"])]
    return {name: np.stack([each[name] for each in found]) for name in found[0]}


def _kept(target: MaskTarget, logits_HWC: NDArray[Any], truth_HW: Any) -> dict[str, NDArray[Any]]:
    size, classes = logits_HWC.shape[:2], logits_HWC.shape[-1]
    logits_PC = np.asarray(logits_HWC, np.float32).reshape(-1, classes)
    given_P = logits_PC.argmax(axis=1).astype(np.uint8)
    shares_PC = logits_PC - logits_PC.max(axis=1, keepdims=True)
    np.exp(shares_PC, out=shares_PC)
    shares_PC /= shares_PC.sum(axis=1, keepdims=True)
    predicted = given_P.reshape(size)
    kept: dict[str, NDArray[Any]] = {
        "filled": (np.bincount(given_P, minlength=classes) / len(given_P)).astype(np.float32),
        "confidence": np.asarray(shares_PC.max(axis=1).mean(), np.float32),
    }
    if truth_HW is None:
        return {**kept, "mask": predicted}
    true_HW = target.classes_of(np.asarray(truth_HW))
    scored_P = true_HW.reshape(-1) != NOT_SCORED
    true_P, share_SC = true_HW.reshape(-1)[scored_P], shares_PC[scored_P]
    places = true_P.astype(np.int32) * classes + given_P[scored_P]
    return {
        **kept,
        "pixels": np.bincount(places, minlength=classes**2).astype(np.int32),
        "loss": np.asarray(_loss(share_SC, true_P), np.float64),
        "predicted": small(predicted),
        "true": small(true_HW),
    }


def _loss(shares_PC: NDArray[np.float32], true_P: NDArray[np.uint8]) -> float:
    """Return cross-entropy and Dice loss of one image, as the head adds them up."""
    if not len(true_P):
        return 0.0
    own_P = shares_PC[np.arange(len(true_P)), true_P]
    counts_C = np.bincount(true_P, minlength=shares_PC.shape[1])
    hits_C = np.bincount(true_P, weights=own_P, minlength=shares_PC.shape[1])
    room = SMOOTH * len(true_P)
    dice_C = (2 * hits_C + room) / (counts_C + shares_PC.sum(axis=0, dtype=np.float64) + room)
    entropy = float(-np.log(np.maximum(own_P, np.float32(1e-30))).mean(dtype=np.float64))
    return entropy + 1 - float(dice_C[counts_C > 0].mean())


def small(mask_HW: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a mask made small, with the nearest pixels."""
    height, width = mask_HW.shape
    share = min(1.0, THUMBNAIL / max(height, width))
    size = (max(1, round(width * share)), max(1, round(height * share)))
    if size == (width, height):
        return mask_HW.copy()
    return np.asarray(cv2.resize(mask_HW, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)


def counts_of(kept: Kept) -> NDArray[np.int64]:
    """Return the counts of pixels that were kept, N x C x C."""
    pixels = np.asarray(kept["pixels"])
    classes = round(pixels.shape[1] ** 0.5)
    return pixels.reshape(-1, classes, classes).astype(np.int64)


def figures(target: MaskTarget, kept: Kept, truth: Column, wanted: Sequence[str] = (SHOWN,)) -> dict[str, float]:
    """Return the loss and some figures of a validation.

    Args:
        target: not read; the counts are in its classes.
        kept: what `keep` gave with truths.
        truth: not read.
        wanted: names in `MONITORS`.
    """
    counts_NCC = counts_of(kept)
    weights_N = counts_NCC.sum(axis=(1, 2))
    losses = np.asarray(kept["loss"]) @ weights_N / max(1, weights_N.sum())
    sample = MaskSample(counts_NCC.astype(np.float64))
    return {
        "loss": float(losses),
        **{name: float(np.nan_to_num(value_of(SEGMENTATION_METRICS[name], sample))) for name in wanted},
    }


def numbers(target: MaskTarget, shape: Sequence[int | None]) -> int:
    """Return how many logits the model gives for an image of a shape: height, width and channels."""
    height, width = shape[0] or 1, shape[1] or 1
    return height * width * len(target.classes)
