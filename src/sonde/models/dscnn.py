"""Depthwise separable convolutions over a spectrogram: small and fast, made for single words on small devices."""

from typing import Annotated, Any

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features, from_maps
from sonde.models.planes import as_picture, normed
from sonde.models.reads import Reads

FIRST = (10, 4)
"""Frames and bands that the first convolution sees, as in the paper."""


class Options(_Options):
    """One wide convolution, then blocks of a depthwise and a pointwise one (DS-CNN, Zhang et al., 2017: Hello Edge)."""

    width: Annotated[int, Field(ge=1, le=4096)] = 64
    """Channels; the paper has 64, 172 and 276."""

    blocks: Annotated[int, Field(ge=1, le=32)] = 4
    """Pairs of a depthwise and a pointwise convolution."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    """Share of features silenced before the head while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch.

    Args:
        inputs: symbolic tensor, batch x frames x bands.
    """
    x = as_picture(inputs, reads)
    first = layers.Conv2D(
        options.width,
        FIRST,
        strides=2,
        padding="same",
        use_bias=False,
        kernel_initializer="he_uniform",
        name="conv_0",
    )
    x = normed(x, first, "0")
    for block in range(1, options.blocks + 1):
        across = layers.DepthwiseConv2D(
            3, padding="same", use_bias=False, depthwise_initializer="he_uniform", name=f"depthwise_{block}"
        )
        along = layers.Conv2D(
            options.width, 1, use_bias=False, kernel_initializer="he_uniform", name=f"pointwise_{block}"
        )
        x = normed(normed(x, across, f"{block}a"), along, f"{block}b")
    return Features(from_maps({2: x}, dropout=options.dropout).vector)
