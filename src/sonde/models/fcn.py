"""A fully convolutional network for series (Wang, Yan and Oates, 2017, arXiv 1611.06455): convolutions, a mean."""

from typing import Annotated, Any

from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features, from_steps
from sonde.models.reads import Reads
from sonde.models.sequences import Sequence, as_sequence
from sonde.models.temporal import convolved

SIZES = (8, 5, 3)
"""Steps that the kernels of the three convolutions cover."""


class Options(_Options):
    """Three convolutions over time with batch norm and ReLU, then the mean over time."""

    width: Annotated[int, Field(ge=1, le=4096)] = 128
    """Channels of the first and the last convolution; the one between has twice as many."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Share of features silenced before the head while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch of series.

    Args:
        inputs: symbolic tensor, batch x time x channels, the last of which may tell padding.
    """
    if reads.modality != "sequence":
        raise ValueError("It reads series: steps x channels.")
    return from_steps(stack(as_sequence(inputs, reads, 1), options.width), dropout=options.dropout)


def stack(sequence: Sequence, width: int) -> Sequence:
    """Return a sequence behind the three convolutions.

    Args:
        width: channels of the first and the last one.
    """
    for number, (size, times) in enumerate(zip(SIZES, (1, 2, 1), strict=True), 1):
        sequence = convolved(sequence, width * times, size, name=f"block_{number}")
    return sequence
