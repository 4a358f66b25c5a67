"""A recurrent network over texts, series, frames of sound and rows of an image: one step after the other."""

# B batch, T time, D width

from typing import Annotated, Any, Literal

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features, from_steps
from sonde.models.reads import Reads
from sonde.models.sequences import Sequence, as_sequence

CELLS = {"lstm": layers.LSTM, "gru": layers.GRU, "simple": layers.SimpleRNN}


class Options(_Options):
    """Recurrent layers, and what is made of their steps for the head."""

    cell: Literal["lstm", "gru", "simple"] = "lstm"
    """Kind of recurrence: LSTM, GRU or a simple tanh network."""

    width: Annotated[int, Field(ge=1, le=8192)] = 128
    """Units of each recurrent layer, and of each direction where there are two."""

    depth: Annotated[int, Field(ge=1, le=16)] = 2
    """Recurrent layers on top of each other."""

    direction: Literal["auto", "forward", "both"] = "auto"
    """Whether each layer reads from the start alone or from both ends; auto reads images forward and all else both."""

    pool: Literal["auto", "last", "mean", "max", "attention"] = "auto"
    """What goes to the head: the last step, or a mean, a maximum or a learned mean over all; auto takes the last one of
    images and the learned mean of all else."""

    embedding: Annotated[int, Field(ge=1, le=4096)] = 128
    """Numbers that stand for a token of a text; nothing else has embeddings."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Share of units silenced behind each recurrent layer, and of a text's embeddings, while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch.

    Args:
        inputs: symbolic tensor of tokens (batch x time), numbers (batch x time x channels) or images (batch x height x
            width x channels, read row by row).
        options: cell, width, depth, direction, pool, embedding and dropout.
    """
    sequence = as_sequence(inputs, reads, options.embedding)
    x_BTD, present_BT = sequence.x_BTD, sequence.present_BT
    if reads.modality == "text":
        x_BTD = layers.Dropout(options.dropout, name="dropout_embedding")(x_BTD)
    is_image = reads.modality == "image"
    both = not is_image if options.direction == "auto" else options.direction == "both"
    pool = ("last" if is_image else "attention") if options.pool == "auto" else options.pool
    for block in range(1, options.depth + 1):
        goes_on = block < options.depth or pool != "last"
        x_BTD = _recurrent(Sequence(x_BTD, present_BT), options, block, both=both, goes_on=goes_on)
        x_BTD = layers.Dropout(options.dropout, name=f"dropout_{block}")(x_BTD)
    # The last layer has returned its last step alone.
    return Features(x_BTD) if pool == "last" else from_steps(Sequence(x_BTD, present_BT), pool=pool)


def _recurrent(sequence: Sequence, options: Options, block: int, *, both: bool, goes_on: bool) -> Any:
    layer = CELLS[options.cell](options.width, return_sequences=goes_on, name=f"recurrent_{block}")
    if both:
        layer = layers.Bidirectional(layer, name=f"both_{block}")
    if sequence.present_BT is None:
        return layer(sequence.x_BTD)
    return layer(sequence.x_BTD, mask=sequence.present_BT)
