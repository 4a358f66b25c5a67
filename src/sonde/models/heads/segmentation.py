"""The head for a class of each pixel: the decoder of a U-Net, Dice and cross-entropy, and the share of right pixels.

From the coarsest level on, a map is enlarged, put beside the level of its new size, and mixed by a convolution
(Ronneberger et al., "U-Net", 2015).
"""

# B batch, H height, W width, C classes

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from keras import layers, ops

from sonde.models.features import Features

NAME = "answer"
"""Name of the head's layer."""
OUTPUT = "logits"
"""Name of what it gives."""
VARYING: dict[str, tuple[int, ...]] = {}
"""Axes of what the loss reads whose size differs from batch to batch."""
SMOOTH = 1e-5
"""Share of an image that keeps the Dice of a class without pixels from having no end."""


def outputs(features: Features, sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Add a decoder that gives a logit per class for each pixel, in float32 also under a bf16 policy.

    Args:
        sizes: "outputs" is the number of classes, "height" and "width" those of the mask.
    """
    strides = sorted(features.levels, reverse=True)
    x = features.levels[strides[0]]
    for coarse, fine in pairwise(strides):
        skip = features.levels[fine]
        name = f"up_{fine}"
        # Fewer channels before there are four times as many places.
        x = layers.Conv2D(skip.shape[-1], 1, use_bias=False, name=f"{name}_narrow")(x)
        x = _enlarged(x, coarse // fine, skip.shape[1:3], name)
        x = layers.Concatenate(name=f"{name}_beside")([x, skip])
        x = layers.Conv2D(
            skip.shape[-1], 3, padding="same", use_bias=False, kernel_initializer="he_uniform", name=f"{name}_conv"
        )(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
        x = layers.Activation("relu", name=f"{name}_relu")(x)
    logits = layers.Conv2D(sizes["outputs"], 1, name=NAME, dtype="float32")(x)
    return {"logits": _enlarged(logits, strides[-1], (sizes["height"], sizes["width"]), "full")}


def _enlarged(x: Any, factor: int, size: Any, name: str) -> Any:
    """Enlarge a map to a size that its stride does not divide: what is missing or too much is right and below."""
    if factor > 1:
        x = layers.UpSampling2D(factor, interpolation="nearest", name=f"{name}_enlarged")(x)
    missing = [want - have for want, have in zip(size, x.shape[1:3], strict=True)]
    if any(each > 0 for each in missing):
        x = layers.ZeroPadding2D([(0, max(each, 0)) for each in missing], name=f"{name}_padded")(x)
    if any(each < 0 for each in missing):
        x = layers.Cropping2D([(0, max(-each, 0)) for each in missing], name=f"{name}_cut")(x)
    return x


def loss(options: Mapping[str, Any]) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Any]:
    """Return the loss of logits (B x H x W x C) against classes (B x H x W): cross-entropy, Dice loss, or their sum.

    The Dice loss is one minus the mean soft Dice of the classes that an image's truth holds, of each image by itself,
    and counts as its weights do, so that the parts of a batch add up to the whole (Milletari et al., "V-Net", 2016).

    Args:
        options: "loss": "dice+cross-entropy", "cross-entropy" or "dice".
    """
    parts = options.get("loss", "dice+cross-entropy").split("+")

    def masks(outputs: Mapping[str, Any], batch: Mapping[str, Any]) -> Any:
        logits, weights_BHW = outputs["logits"], batch["weights"]
        logs_BHWC = ops.log_softmax(logits, axis=-1)
        truth_BHWC = ops.one_hot(batch["truth"], logits.shape[-1], dtype="float32")
        total = 0.0
        if "cross-entropy" in parts:
            total = total - ops.sum(weights_BHW[..., None] * truth_BHWC * logs_BHWC)
        if "dice" in parts:
            shares_BHWC = weights_BHW[..., None] * ops.exp(logs_BHWC)
            hits_BC = ops.sum(shares_BHWC * truth_BHWC, axis=(1, 2))
            true_BC = ops.sum(weights_BHW[..., None] * truth_BHWC, axis=(1, 2))
            each_B = ops.sum(weights_BHW, axis=(1, 2))
            room_B1 = SMOOTH * each_B[:, None] + 1e-12
            dice_BC = (2.0 * hits_BC + room_B1) / (true_BC + ops.sum(shares_BHWC, axis=(1, 2)) + room_B1)
            there_BC = ops.cast(true_BC > 0, "float32")
            mean_B = ops.sum(dice_BC * there_BC, axis=1) / ops.maximum(ops.sum(there_BC, axis=1), 1.0)
            total = total + ops.sum(each_B * (1.0 - mean_B))
        return total

    return masks


def scores(outputs: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the share of pixels whose largest logit is the truth, of those that count."""
    given_BHW = ops.cast(ops.argmax(outputs["logits"], axis=-1), "int32")
    right_BHW = ops.cast(ops.equal(given_BHW, ops.cast(batch["truth"], "int32")), "float32")
    weights_BHW = batch["weights"]
    return {"pixel_accuracy": ops.sum(weights_BHW * right_BHW) / ops.maximum(ops.sum(weights_BHW), 1e-12)}
