"""A convolutional network over a spectrogram, which asks what is heard anywhere in time."""

# B batch, T time, F frequency, C channels

from typing import Annotated, Any

from keras import layers, ops
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features
from sonde.models.planes import as_picture, halved, normed
from sonde.models.reads import Reads
from sonde.models.sequences import Sequence


class Options(_Options):
    """Pairs of 3x3 convolutions, then mean and maximum over time of what is heard (CNN10, Kong et al., 2020)."""

    width: Annotated[int, Field(ge=1, le=4096)] = 16
    """Channels of the first convolution; each pair behind it doubles them."""

    stages: Annotated[int, Field(ge=1, le=8)] = 3
    """Pairs of convolutions, each on half the frames and bands of the one before."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    """Share of features silenced before the head while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch.

    Args:
        inputs: symbolic tensor, batch x frames x bands.
    """
    x_BTFC = normed(as_picture(inputs, reads), _convolution(options.width, "0"), "0")
    for stage in range(1, options.stages + 1):
        x_BTFC = halved(x_BTFC, f"pool_{stage}")
        for half in ("a", "b"):
            name = f"{stage}{half}"
            x_BTFC = normed(x_BTFC, _convolution(options.width * 2**stage, name), name)
    x_BTC = ops.mean(x_BTFC, axis=2)
    # The loudest moment says what was heard, the mean for how long; silence dilutes the second alone.
    x_BC = ops.max(x_BTC, axis=1) + ops.mean(x_BTC, axis=1)
    return Features(layers.Dropout(options.dropout, name="dropout")(x_BC), Sequence(x_BTC, None))


def _convolution(width: int, name: str) -> layers.Layer:
    return layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer="he_uniform", name=f"conv_{name}")
