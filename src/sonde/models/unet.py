"""The encoder of a U-Net (Ronneberger et al., 2015): pairs of convolutions, each pair at half the size of the last.

The decoder, with its skip connections, is the head that reads the levels: `models.heads.segmentation`.
"""

from typing import Annotated, Any

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features, from_maps
from sonde.models.reads import Reads


class Options(_Options):
    """Pairs of 3x3 convolutions with batch norm and ReLU, one pair at each size."""

    width: Annotated[int, Field(ge=1, le=1024)] = 16
    """Channels at full size; each halving doubles them, up to 16 times as many."""

    depth: Annotated[int, Field(ge=1, le=8)] = 5
    """Sizes, each half the one before; 5 lets a pixel know some 140 pixels around it."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Share of the channels silenced at the smallest size while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch of images: a map at each size.

    Args:
        inputs: symbolic tensor, batch x height x width x channels.
    """
    x, levels = inputs, {}
    for at in range(options.depth):
        if at:
            if min(x.shape[1:3]) < 4:
                break
            x = layers.MaxPooling2D(2, name=f"half_{at}")(x)
        width = options.width * min(2**at, 16)
        for half in ("a", "b"):
            name = f"{at + 1}{half}"
            x = layers.Conv2D(
                width, 3, padding="same", use_bias=False, kernel_initializer="he_uniform", name=f"conv_{name}"
            )(x)
            # Momentum 0.9: small data has too few steps for Keras's 0.99 to settle.
            x = layers.BatchNormalization(momentum=0.9, name=f"norm_{name}")(x)
            x = layers.Activation("relu", name=f"relu_{name}")(x)
        levels[2**at] = x
    coarsest = max(levels)
    levels[coarsest] = layers.SpatialDropout2D(options.dropout, name="silenced")(levels[coarsest])
    return from_maps(levels, dropout=0.0)
