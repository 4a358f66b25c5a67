"""A small convolutional network with batch norm: pairs of convolutions, each pair halving the image."""

from typing import Annotated, Any

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features, from_maps
from sonde.models.reads import Reads


class Options(_Options):
    """Pairs of 3x3 convolutions with batch norm and ReLU, each pair followed by 2x2 max pooling (VGG-style)."""

    width: Annotated[int, Field(ge=1, le=4096)] = 32
    """Channels of the first stage; each stage doubles them."""

    stages: Annotated[int, Field(ge=1, le=8)] = 3
    """Pairs of convolutions; time grows less than in step, since each works on a quarter of the pixels."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    """Share of features silenced before the head while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch of images.

    Args:
        inputs: symbolic tensor, batch x height x width x channels.
    """
    x, stride, levels = inputs, 1, {}
    for stage in range(1, options.stages + 1):
        for half in ("a", "b"):
            name = f"{stage}{half}"
            width = options.width * 2 ** (stage - 1)
            x = layers.Conv2D(
                width, 3, padding="same", use_bias=False, kernel_initializer="he_uniform", name=f"conv_{name}"
            )(x)
            # Momentum 0.9: runs on small data have too few steps for Keras's 0.99 to settle.
            x = layers.BatchNormalization(momentum=0.9, name=f"norm_{name}")(x)
            x = layers.Activation("relu", name=f"relu_{name}")(x)
        levels[stride] = x
        if min(x.shape[1:3]) >= 4:
            x = layers.MaxPooling2D(2, name=f"pool_{stage}")(x)
            stride *= 2
            levels[stride] = x
    return from_maps(levels, dropout=options.dropout)
