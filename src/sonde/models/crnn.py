"""Convolutions, then a recurrence over time: what is heard, and in which order; an image is read from top to bottom."""

# B batch, T time or height, F frequency or width, C channels, D width of the recurrence

from typing import Annotated, Any, Literal

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features, from_steps
from sonde.models.planes import as_picture, halved, normed
from sonde.models.reads import Reads
from sonde.models.sequences import Sequence

CELLS = {"gru": layers.GRU, "lstm": layers.LSTM}


class Options(_Options):
    """Convolutions that keep the time, then recurrent layers that read both ways along it (Choi et al., 2017)."""

    width: Annotated[int, Field(ge=1, le=4096)] = 16
    """Channels of the first convolution; each stage doubles them."""

    stages: Annotated[int, Field(ge=1, le=8)] = 3
    """Convolutions, each of which halves the bands; the first two halve the frames too."""

    cell: Literal["gru", "lstm"] = "gru"
    """Kind of recurrence."""

    units: Annotated[int, Field(ge=1, le=4096)] = 64
    """Units of each direction of the recurrence."""

    depth: Annotated[int, Field(ge=1, le=8)] = 1
    """Recurrent layers on top of each other."""

    pool: Literal["attention", "mean", "max"] = "attention"
    """What goes to the head: a learned mean over time, a mean or a maximum."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    """Share of features silenced behind each recurrent layer while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch.

    Args:
        inputs: symbolic tensor, batch x frames x bands, or batch x height x width x channels.
        options: width, stages, cell, units, depth, pool and dropout.
    """
    x_BTFC = as_picture(inputs, reads, images=True)
    for stage in range(1, options.stages + 1):
        convolution = layers.Conv2D(
            options.width * 2 ** (stage - 1),
            3,
            padding="same",
            use_bias=False,
            kernel_initializer="he_uniform",
            name=f"conv_{stage}",
        )
        x_BTFC = halved(normed(x_BTFC, convolution, str(stage)), f"pool_{stage}", time=stage <= 2)
    _, time, bands, channels = x_BTFC.shape
    x_BTD = layers.Reshape((time, bands * channels), name="steps")(x_BTFC)
    for layer in range(1, options.depth + 1):
        recurrent = CELLS[options.cell](options.units, return_sequences=True, name=f"recurrent_{layer}")
        x_BTD = layers.Bidirectional(recurrent, name=f"both_{layer}")(x_BTD)
        x_BTD = layers.Dropout(options.dropout, name=f"dropout_{layer}")(x_BTD)
    # Of a single step every mean is that step, and Keras warns of weights over one.
    return from_steps(Sequence(x_BTD, None), pool=options.pool if time > 1 else "mean")
