"""Convolutions, then a transformer over what they found: on images, and on spectrograms frame by frame.

After the compact convolutional transformer (Hassani et al., 2021): convolutions know that neighbours belong together,
which a transformer would have to learn from more images than there are, and a learned mean stands for the whole.
"""

# B batch, T time, D width, C channels, H height, W width of an image

from typing import Annotated, Any

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.attending import encoder, head_width, turns_along, turns_on_grid
from sonde.models.features import Features, from_steps
from sonde.models.reads import Reads
from sonde.models.sequences import Sequence, projected
from sonde.models.stems import convolved


class Options(_Options):
    """Stages of convolutions, and blocks of attention and dense layers on the places that are left."""

    stages: Annotated[int, Field(ge=1, le=6)] = 2
    """Convolutions, each on half the height and width of the one before."""

    channels: Annotated[int, Field(ge=1, le=1024)] = 32
    """Channels of the first convolution; each stage doubles them."""

    width: Annotated[int, Field(ge=2, le=8192)] = 128
    """Numbers per token of the transformer."""

    depth: Annotated[int, Field(ge=1, le=24)] = 2
    """Blocks of the transformer; time grows in step with them."""

    heads: Annotated[int, Field(ge=1, le=64)] = 4
    """Attentions side by side in each block, which share the width."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Share of numbers silenced behind the convolutions and each half of a block while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch.

    Args:
        inputs: symbolic tensor of images (batch x height x width x channels) or of a spectrogram's frames (batch x time
            x frequencies).
        options: stages, channels, width, depth, heads and dropout.
    """
    x_BHWC, present_BH = convolved(inputs, reads, width=options.channels, stages=options.stages)
    _, height, width, channels = x_BHWC.shape
    size = head_width(options.width, options.heads)
    if reads.modality == "image":
        # Every place is a token; of a spectrogram, whose pitch means more than its place, every frame.
        tokens = Sequence(layers.Reshape((height * width, channels), name="places")(x_BHWC), None)
        turns = turns_on_grid(height, width, size)
    else:
        tokens = Sequence(layers.Reshape((-1, width * channels), name="frames")(x_BHWC), present_BH)
        turns = turns_along(tokens.x_BTD, size)
    x_BTD, present_BT = projected(tokens, options.width).x_BTD, tokens.present_BT
    x_BTD = layers.Dropout(options.dropout, name="dropout_embedding")(x_BTD)
    found = encoder(
        Sequence(x_BTD, present_BT), turns, depth=options.depth, heads=options.heads, dropout=options.dropout
    )
    return from_steps(found, pool="attention")
