"""InceptionTime (Ismail Fawaz et al., 2020, arXiv 1909.04939): kernels of several lengths side by side, with shortcuts.

The paper averages five such networks; here one is one, and `sonde ensemble` averages.
"""

from typing import Annotated, Any

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features, from_steps
from sonde.models.reads import Reads
from sonde.models.sequences import Sequence, as_sequence
from sonde.models.temporal import added, convolved, normed, pooled

EACH = 3
"""Modules between two shortcuts."""


class Options(_Options):
    """Modules of three convolutions of different lengths and a pooling, every third with a shortcut."""

    width: Annotated[int, Field(ge=1, le=4096)] = 32
    """Channels of each of a module's four branches, and of what the convolutions read."""

    depth: Annotated[int, Field(ge=1, le=24)] = 6
    """Modules on top of each other; time grows in step with it."""

    longest: Annotated[int, Field(ge=4, le=1024)] = 40
    """Steps that the longest kernels cover; the others cover a half and a quarter of that."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Share of features silenced before the head while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch of series.

    Args:
        inputs: symbolic tensor, batch x time x channels, the last of which may tell padding.
    """
    if reads.modality != "sequence":
        raise ValueError("It reads series: steps x channels.")
    sequence = as_sequence(inputs, reads, 1)
    kept = sequence
    for number in range(1, options.depth + 1):
        sequence = _module(sequence, options, f"module_{number}")
        if number % EACH == 0:
            shortcut = convolved(kept, 4 * options.width, 1, name=f"shortcut_{number}", activation="linear")
            kept = sequence = added(sequence, shortcut, name=f"shortcut_{number}")
    return from_steps(sequence, dropout=options.dropout)


def _module(sequence: Sequence, options: Options, name: str) -> Sequence:
    narrow = sequence
    if sequence.x_BTD.shape[-1] > options.width:
        narrow = Sequence(_plain(sequence.x_BTD, options.width, 1, f"{name}_narrow"), sequence.present_BT)
    # Kernels of odd length have a middle.
    sizes = [max(1, options.longest // part // 2 * 2 + 1) for part in (1, 2, 4)]
    branches = [
        _plain(narrow.x_BTD, options.width, size, f"{name}_{place}") for place, size in zip("abc", sizes, strict=True)
    ]
    beside = pooled(sequence, 3, name=f"{name}_pool")
    branches.append(_plain(beside.x_BTD, options.width, 1, f"{name}_d"))
    whole = layers.Concatenate(name=f"{name}_all")(branches)
    return normed(Sequence(whole, sequence.present_BT), name=name)


def _plain(x_BTD: Any, width: int, size: int, name: str) -> Any:
    return layers.Conv1D(width, size, padding="same", use_bias=False, kernel_initializer="he_uniform", name=name)(x_BTD)
