"""An image read as a sequence: each row of pixels is one step of a recurrent network."""

from typing import Annotated, Any, Literal

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options

CELLS = {"lstm": layers.LSTM, "gru": layers.GRU, "simple": layers.SimpleRNN}


class Options(_Options):
    """Recurrent layers over the rows; the last step goes to the head."""

    cell: Literal["lstm", "gru", "simple"] = "lstm"
    """Kind of recurrence: LSTM, GRU or a simple tanh network."""

    width: Annotated[int, Field(ge=1, le=8192)] = 128
    """Units of each recurrent layer."""

    depth: Annotated[int, Field(ge=1, le=16)] = 2
    """Recurrent layers on top of each other."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Share of units silenced behind each recurrent layer while training."""


def features(inputs: Any, options: Options) -> Any:
    """Return the features of a batch of images.

    Args:
        inputs: symbolic tensor, batch x height x width x channels; a row holds width x channels numbers.
        options: cell, width, depth and dropout.
    """
    if len(inputs.shape) != 4:
        raise ValueError("It reads images: height x width x channels.")
    _, height, width, channels = inputs.shape
    x = layers.Reshape((height, width * channels), name="rows")(inputs)
    for block in range(1, options.depth + 1):
        recurrent = CELLS[options.cell](
            options.width, return_sequences=block < options.depth, name=f"recurrent_{block}"
        )
        x = layers.Dropout(options.dropout, name=f"dropout_{block}")(recurrent(x))
    return x
