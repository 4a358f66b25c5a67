"""One form for all that is read step by step: texts, series, frames of a spectrogram, rows of an image.

    sequence = as_sequence(inputs, reads, width)
    x_BTD, present_BT = sequence.x_BTD, sequence.present_BT
    features_BD = masked_mean(x_BTD, present_BT)

Where examples differ in length, `present_BT` is true for real steps and false for padding, and nothing that is made
with the functions here depends on how much padding there is. Where all are of one length it is None.
"""

# B batch, T time, D width, C channels, H height, W width of an image

from dataclasses import dataclass
from typing import Any

from keras import layers, ops

from sonde.models.reads import Reads

NOWHERE = -1e9
"""Stands for minus infinity where padding is compared with what is real; finite, so that it cannot make a NaN."""


@dataclass(frozen=True)
class Sequence:
    """Steps of numbers, and which of them are real."""

    x_BTD: Any
    """Symbolic tensor; 0 at padding."""
    present_BT: Any | None
    """Symbolic tensor of booleans; None where every step is real."""


def as_sequence(inputs: Any, reads: Reads, width: int) -> Sequence:
    """Turn what a model reads into a sequence.

    Args:
        inputs: symbolic tensor of `reads`: B x T tokens, B x T x C numbers, or B x H x W x C pixels.
        reads: what is known of it.
        width: numbers that stand for a token of a text; what is numbers already stays what it is (see `projected`).

    Returns:
        Tokens as their embeddings; series and frames as they are, without the channel that tells padding; an image row
        by row.

    Raises:
        ValueError: the input is of another kind.
    """
    if reads.modality == "text":
        present_BT = ops.not_equal(inputs, 0)
        # Uniform within 0.05, Keras's own: rows of unit length would drown the rest of a small network at first.
        x_BTD = layers.Embedding(reads.cardinalities[0], width, name="embedding")(inputs)
        return Sequence(silence(x_BTD, present_BT), present_BT)
    if reads.modality == "sequence":
        return _steps(inputs, reads)
    if reads.modality == "image":
        height, wide, channels = reads.shape
        assert height is not None and wide is not None and channels is not None, "images are of one size"
        return Sequence(layers.Reshape((height, wide * channels), name="rows")(inputs), None)
    raise ValueError("It reads what comes in steps: texts, series, sounds or images.")


def projected(sequence: Sequence, width: int, *, patch: int = 1, name: str = "projection") -> Sequence:
    """Return a sequence whose steps, or patches of several steps, are mapped to `width` numbers; padding stays 0.

    Args:
        sequence: any; zeros fill up its last patch.
        width: numbers per step of what is returned.
    """
    x_BTD, present_BT = sequence.x_BTD, sequence.present_BT
    if patch == 1:
        x_BTD = layers.Dense(width, name=name)(x_BTD)
        return Sequence(silence(x_BTD, present_BT), present_BT)
    # Patches begin where the sequence does, so that padding behind its end shifts none of them.
    filled_BTD = layers.ZeroPadding1D((0, patch - 1), name=f"{name}_filled")(silence(x_BTD, present_BT))
    x_BTD = layers.Conv1D(width, patch, strides=patch, name=name)(filled_BTD)
    if present_BT is None:
        return Sequence(x_BTD, None)
    filled_BT1 = ops.pad(ops.expand_dims(ops.cast(present_BT, "float32"), -1), [[0, 0], [0, patch - 1], [0, 0]])
    present_BT = ops.greater(ops.max_pool(filled_BT1, patch, strides=patch)[..., 0], 0.5)
    return Sequence(silence(x_BTD, present_BT), present_BT)


def silence(x_BTD: Any, present_BT: Any | None) -> Any:
    """Return a sequence with zeros at padding.

    Args:
        present_BT: true for real steps; None where all are.
    """
    return x_BTD if present_BT is None else ops.where(ops.expand_dims(present_BT, -1), x_BTD, 0.0)


def masked_mean(x_BTD: Any, present_BT: Any | None) -> Any:
    """Return the mean over real steps, B x D; zeros where there is none.

    Args:
        present_BT: true for real steps; None where all are.
    """
    if present_BT is None:
        return ops.mean(x_BTD, axis=1)
    total_BD = ops.sum(silence(x_BTD, present_BT), axis=1)
    # Counted in float32: bf16 has no 257.
    count_B1 = ops.maximum(ops.sum(ops.cast(present_BT, "float32"), axis=1, keepdims=True), 1.0)
    return total_BD / ops.cast(count_B1, total_BD.dtype)


def masked_max(x_BTD: Any, present_BT: Any | None) -> Any:
    """Return the largest over real steps, B x D; zeros where there is none.

    Args:
        present_BT: true for real steps; None where all are.
    """
    if present_BT is None:
        return ops.max(x_BTD, axis=1)
    largest_BD = ops.max(ops.where(ops.expand_dims(present_BT, -1), x_BTD, NOWHERE), axis=1)
    return ops.where(ops.any(present_BT, axis=1, keepdims=True), largest_BD, 0.0)


def attention_pool(x_BTD: Any, present_BT: Any | None, *, name: str = "attention") -> Any:
    """Return a mean over real steps with learned weights, B x D; zeros where there is none.

    A step's weight is a small network's score of it, evened out over the steps (Yang et al., 2016, section 2.2).

    Args:
        present_BT: true for real steps; None where all are.
        name: the layers' names begin with it.
    """
    if x_BTD.shape[1] == 1:
        # Every mean of one step is that step, and Keras warns of weights over one.
        return masked_mean(x_BTD, present_BT)
    hidden_BTD = layers.Dense(x_BTD.shape[-1], activation="tanh", name=f"{name}_hidden")(x_BTD)
    scores_BT1 = layers.Dense(1, use_bias=False, name=f"{name}_score")(hidden_BTD)
    if present_BT is None:
        return ops.sum(ops.softmax(scores_BT1, axis=1) * x_BTD, axis=1)
    present_BT1 = ops.expand_dims(present_BT, -1)
    weights_BT1 = ops.softmax(ops.where(present_BT1, scores_BT1, NOWHERE), axis=1)
    # Once more, for examples without a real step: their weights are even and must count for nothing.
    return ops.sum(ops.where(present_BT1, weights_BT1 * x_BTD, 0.0), axis=1)


def first_step(x_BTD: Any, present_BT: Any | None) -> Any:
    """Return the first step, B x D; zeros where there is none.

    Args:
        present_BT: true for real steps, which come first; None where all are.
    """
    return silence(x_BTD, present_BT)[:, 0]


def _steps(inputs: Any, reads: Reads) -> Sequence:
    if not reads.presence:
        return Sequence(inputs, None)
    # A presence is 1 or 0 and nothing between.
    present_BT = ops.greater(inputs[..., -1], 0.5)
    # Padding is 0 already, unless an augmentation has added something to all of the batch.
    return Sequence(silence(inputs[..., :-1], present_BT), present_BT)
