"""LeNet-5 (LeCun et al., 1998), with ReLU and max pooling as it is taught today."""

from typing import Annotated, Any

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features
from sonde.models.reads import Reads


class Options(_Options):
    """Two convolutions with pooling and two dense layers."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    """Share of units silenced before the head while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch of images.

    Args:
        inputs: symbolic tensor, batch x height x width x channels; padded to at least 16 pixels a side.
    """
    if len(reads.shape) != 3:
        raise ValueError("It reads images: height x width x channels.")
    short = [max(0, 16 - side) for side in inputs.shape[1:3]]
    x = inputs
    if any(short):
        x = layers.ZeroPadding2D([(gap // 2, gap - gap // 2) for gap in short], name="pad")(x)
    x = layers.Conv2D(6, 5, padding="same", activation="relu", kernel_initializer="he_uniform", name="conv_1")(x)
    x = layers.MaxPooling2D(2, name="pool_1")(x)
    x = layers.Conv2D(16, 5, activation="relu", kernel_initializer="he_uniform", name="conv_2")(x)
    x = layers.MaxPooling2D(2, name="pool_2")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(120, activation="relu", kernel_initializer="he_uniform", name="dense_1")(x)
    x = layers.Dense(84, activation="relu", kernel_initializer="he_uniform", name="dense_2")(x)
    return Features(layers.Dropout(options.dropout, name="dropout")(x))
