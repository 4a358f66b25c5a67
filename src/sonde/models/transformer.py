"""A transformer encoder over texts, series, frames of sound and patches of an image.

Images are cut into patches (Dosovitskiy et al., 2021), and long series too (Nie et al., 2023).
"""

# B batch, T time, D width, C channels, H height, W width of an image

from typing import Annotated, Any, Literal

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.attending import Turns, encoder, head_width, turns_along, turns_on_grid
from sonde.models.features import Features, from_steps
from sonde.models.reads import Reads
from sonde.models.sequences import Sequence, as_sequence, projected

PIXELS = 4
"""Side of an image's patches where nobody chose it."""
TOKENS = 128
"""Most patches that a series of known length is cut into where nobody chose theirs; time grows with the square."""


class Options(_Options):
    """Blocks of attention and dense layers, and what is made of their tokens for the head."""

    width: Annotated[int, Field(ge=2, le=8192)] = 128
    """Numbers per token."""

    depth: Annotated[int, Field(ge=1, le=24)] = 2
    """Blocks; time grows in step with them."""

    heads: Annotated[int, Field(ge=1, le=64)] = 4
    """Attentions side by side in each block, which share the width."""

    patch: Annotated[int, Field(ge=0, le=1024)] = 0
    """Side of an image's patches in pixels, or steps of a series or sound in one token; 0 makes 4 pixels, and at most
    128 tokens of a series of known length."""

    pool: Literal["mean", "max", "attention", "first"] = "mean"
    """What goes to the head: a mean, a maximum or a learned mean over all tokens, or the first one."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Share of numbers silenced behind the embedding and each half of a block while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch.

    Args:
        inputs: symbolic tensor of tokens (batch x time), numbers (batch x time x channels) or images (batch x height x
            width x channels).
        options: width, depth, heads, patch, pool and dropout.
    """
    sequence, turns = _of_image(inputs, options) if reads.modality == "image" else _of_steps(inputs, options, reads)
    dropped = layers.Dropout(options.dropout, name="dropout_embedding")(sequence.x_BTD)
    sequence = encoder(
        Sequence(dropped, sequence.present_BT),
        turns,
        depth=options.depth,
        heads=options.heads,
        dropout=options.dropout,
    )
    return from_steps(sequence, pool=options.pool)


def _of_image(inputs_BHWC: Any, options: Options) -> tuple[Sequence, Turns]:
    sides = tuple(min(options.patch or PIXELS, side) for side in inputs_BHWC.shape[1:3])
    cut = layers.Conv2D(options.width, sides, strides=sides, padding="same", name="projection")
    x_BHWD = cut(inputs_BHWC)
    _, height, width, _ = x_BHWD.shape
    tokens_BTD = layers.Reshape((height * width, options.width), name="tokens")(x_BHWD)
    return Sequence(tokens_BTD, None), turns_on_grid(height, width, head_width(options.width, options.heads))


def _of_steps(inputs: Any, options: Options, reads: Reads) -> tuple[Sequence, Turns]:
    sequence = as_sequence(inputs, reads, options.width)
    if reads.modality != "text":
        length = reads.shape[0]
        patch = options.patch or (1 if length is None else -(-length // TOKENS))
        sequence = projected(sequence, options.width, patch=patch)
    return sequence, turns_along(sequence.x_BTD, head_width(options.width, options.heads))
