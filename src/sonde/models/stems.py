"""Convolutions in front of what reads step by step: the first half of hybrid models, on images and on spectrograms."""

# B batch, H height of an image or time of a spectrogram, W its width or frequencies, C channels

from typing import Any

from keras import layers, ops

from sonde.models.reads import Reads
from sonde.models.sequences import as_sequence

SHORTEST = 4
"""Sides below it are not halved any more."""


def convolved(inputs: Any, reads: Reads, *, width: int, stages: int) -> tuple[Any, Any | None]:
    """Return the image or the spectrogram after stages of a 3x3 convolution, ReLU and 2x2 max pooling.

    What is padding stays 0 through all stages, and pooling begins where the sequence does, so that more of it changes
    nothing. There is no norm over the batch for the same reason: padding would be in its means.

    Args:
        inputs: symbolic tensor of images (B x H x W x C) or of a spectrogram's frames (B x T x F).
        width: channels of the first stage; each stage doubles them.

    Returns:
        B x H x W x C, and which of H are real: None where all are.

    Raises:
        ValueError: the inputs are neither.
    """
    if reads.modality not in ("image", "sequence"):
        raise ValueError("It reads images or spectrograms.")
    x, present_BH = inputs, None
    if reads.modality == "sequence":
        sequence = as_sequence(inputs, reads, width)
        x, present_BH = ops.expand_dims(sequence.x_BTD, -1), sequence.present_BT
    for stage in range(1, stages + 1):
        x = layers.Conv2D(
            width * 2 ** (stage - 1), 3, padding="same", kernel_initializer="he_uniform", name=f"conv_{stage}"
        )(x)
        x = _silence(layers.Activation("relu", name=f"relu_{stage}")(x), present_BH)
        # A length that varies is halved always: whether it is short differs from batch to batch.
        strides = tuple(2 if side is None or side >= SHORTEST else 1 for side in x.shape[1:3])
        if strides != (1, 1):
            x = layers.MaxPooling2D(strides, padding="same", name=f"pool_{stage}")(x)
            present_BH = present_BH if strides[0] == 1 else _halved(present_BH)
    return x, present_BH


def _silence(x_BHWC: Any, present_BH: Any | None) -> Any:
    if present_BH is None:
        return x_BHWC
    return ops.where(ops.expand_dims(ops.expand_dims(present_BH, -1), -1), x_BHWC, 0.0)


def _halved(present_BH: Any | None) -> Any | None:
    if present_BH is None:
        return None
    real_BH1 = ops.expand_dims(ops.cast(present_BH, "float32"), -1)
    return ops.greater(ops.max_pool(real_BH1, 2, strides=2, padding="same")[..., 0], 0.5)
