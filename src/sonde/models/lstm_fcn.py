"""LSTM-FCN (Karim et al., 2018, arXiv 1709.05206): a fully convolutional network with a small LSTM beside it.

The LSTM of the paper does not go along time: it reads each channel as one step that holds the whole series (the
"dimension shuffle"). Where lengths differ there is no such step, and it goes along time.
"""

from typing import Annotated, Any

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.fcn import stack
from sonde.models.features import Features, from_steps
from sonde.models.reads import Reads
from sonde.models.sequences import as_sequence


class Options(_Options):
    """Three convolutions over time and their mean, and beside them an LSTM; both go to the head."""

    width: Annotated[int, Field(ge=1, le=4096)] = 128
    """Channels of the first and the last convolution; the one between has twice as many."""

    units: Annotated[int, Field(ge=1, le=4096)] = 8
    """Units of the LSTM."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.8
    """Share of the LSTM's units silenced while training; the paper takes this much."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch of series.

    Args:
        inputs: symbolic tensor, batch x time x channels, the last of which may tell padding.
    """
    if reads.modality != "sequence":
        raise ValueError("It reads series: steps x channels.")
    sequence = as_sequence(inputs, reads, 1)
    lstm = layers.LSTM(options.units, name="lstm")
    if sequence.present_BT is None:
        read = lstm(layers.Permute((2, 1), name="shuffle")(sequence.x_BTD))
    else:
        read = lstm(sequence.x_BTD, mask=sequence.present_BT)
    read = layers.Dropout(options.dropout, name="dropout")(read)
    found = from_steps(stack(sequence, options.width))
    # The LSTM says nothing of a step: it has read the series as a whole.
    return Features(layers.Concatenate(name="both")([found.vector, read]), found.steps)
