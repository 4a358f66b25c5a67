"""Dense layers on the flattened input: the model to beat with anything that knows about images."""

from typing import Annotated, Any

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.embeddings import embedded
from sonde.models.features import Features
from sonde.models.reads import Reads

BESIDE = "beside"
"""Name of the layer that puts the inputs behind the features."""


class Options(_Options):
    """Dense layers with ReLU and dropout."""

    width: Annotated[int, Field(ge=1, le=65_536)] = 256
    """Units of each hidden layer."""

    depth: Annotated[int, Field(ge=0, le=64)] = 2
    """Hidden layers; 0 makes a linear classifier."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    """Share of units silenced behind each hidden layer while training."""

    linear: bool = False
    """Whether a linear model of the inputs, which begins as a ridge regression, stands beside the hidden layers."""


def begins_linear(options: Options) -> bool:
    """Tell whether the last of the features are the inputs, for which the head is solved before training."""
    return options.linear


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch of inputs.

    Args:
        inputs: symbolic tensor, batch x any shape; of a table the categories stand last, as codes.
        options: width, depth, dropout and the linear model.
    """
    if None in reads.shape:
        raise ValueError("It needs inputs of one length, which --set series.length=N brings series to")
    row_of_table = reads.modality == "flat" and bool(reads.cardinalities)
    x = flat = embedded(inputs, reads) if row_of_table else layers.Flatten(name="flatten")(inputs)
    for block in range(1, options.depth + 1):
        x = layers.Dense(options.width, activation="relu", kernel_initializer="he_uniform", name=f"dense_{block}")(x)
        x = layers.Dropout(options.dropout, name=f"dropout_{block}")(x)
    if not options.linear:
        return Features(x)
    if not row_of_table:
        # Numbers as they are: bf16 has three digits, and a straight line may have more.
        flat = layers.Flatten(name="linear", dtype="float32")(inputs)
    return Features(layers.Concatenate(name=BESIDE, dtype="float32")([x, flat]))
