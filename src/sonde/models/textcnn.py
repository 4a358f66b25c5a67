"""Convolutions over words, and the largest answer of each anywhere in the text (Kim, 2014)."""

# B batch, T tokens, D width, F filters

from typing import Annotated, Any

from keras import layers, ops
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features, from_steps
from sonde.models.reads import Reads
from sonde.models.sequences import Sequence, as_sequence


class Options(_Options):
    """Embeddings, windows of several lengths over them, and dropout."""

    embedding: Annotated[int, Field(ge=1, le=4096)] = 128
    """Numbers that stand for a token."""

    filters: Annotated[int, Field(ge=1, le=4096)] = 100
    """Patterns that are looked for with each length of window."""

    shortest: Annotated[int, Field(ge=1, le=32)] = 3
    """Tokens in the shortest window."""

    longest: Annotated[int, Field(ge=1, le=32)] = 5
    """Tokens in the longest window; there is one of each length between."""

    dropout_embedding: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    """Share of the embeddings' numbers silenced while training."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.5
    """Share of the patterns' answers silenced before the head while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch of texts.

    Args:
        inputs: symbolic tensor of tokens, batch x time, 0 for padding.
        reads: how many tokens there are.
    """
    if reads.modality != "text":
        raise ValueError("It reads texts.")
    sequence = as_sequence(inputs, reads, options.embedding)
    x_BTD = layers.Dropout(options.dropout_embedding, name="dropout_embedding")(sequence.x_BTD)
    found = []
    for length in range(options.shortest, max(options.shortest, options.longest) + 1):
        # Padded like the text itself, with zeros, so that a window at the end sees the same however long the batch is.
        windows = layers.Conv1D(
            options.filters, length, padding="same", kernel_initializer="he_uniform", name=f"windows_of_{length}"
        )
        y_BTF = layers.Activation("relu", name=f"relu_{length}")(windows(x_BTD))
        found.append(from_steps(Sequence(y_BTF, sequence.present_BT), pool="max"))
    best_BF = ops.concatenate([each.vector for each in found], axis=-1)
    windows_BTF = ops.concatenate([each.steps.x_BTD for each in found if each.steps], axis=-1)
    steps = Sequence(windows_BTF, sequence.present_BT)
    return Features(layers.Dropout(options.dropout, name="dropout")(best_BF), steps)
