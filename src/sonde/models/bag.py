"""A bag of words and hashed n-grams: the mean of their embeddings (Joulin et al., 2017, fastText).

Order counts inside an n-gram only. It learns in seconds what most short texts are about, and is the model to beat.
"""

# B batch, T tokens, D width

from typing import Annotated, Any

from keras import layers, ops
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.reads import Reads
from sonde.models.sequences import silence

PRIME = 40_503
"""Multiplies one number before the next is added; with 50,000 numbers no product leaves 31 bits."""

MOST_NUMBERS = 50_002
"""Tokens and buckets; above it a product could overflow, which each backend does in its own way."""


class Options(_Options):
    """Embeddings of words and n-grams, their mean, and dropout."""

    width: Annotated[int, Field(ge=1, le=4096)] = 64
    """Numbers that stand for a word or an n-gram."""

    ngrams: Annotated[int, Field(ge=1, le=5)] = 2
    """Longest run of words that has an embedding of its own; 1 reads single words."""

    buckets: Annotated[int, Field(ge=16, le=50_000)] = 32_768
    """Embeddings that the n-grams share by a hash of their words; time and memory grow with them."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.3
    """Share of the mean's numbers silenced before the head while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Any:
    """Return the features of a batch of texts.

    Args:
        inputs: symbolic tensor of tokens, batch x time, 0 for padding.
        options: width, ngrams, buckets and dropout.
        reads: how many tokens there are.
    """
    if reads.modality != "text":
        raise ValueError("It reads texts.")
    if reads.levels[0] > MOST_NUMBERS and options.ngrams > 1:
        raise ValueError(f"Its n-grams hash at most {MOST_NUMBERS:,} tokens.")
    present_BT = ops.not_equal(inputs, 0)
    total_BD, count_B1 = _summed(layers.Embedding(reads.levels[0], options.width, name="words")(inputs), present_BT)
    numbers_BT, whole_BT = inputs, present_BT
    for length in range(2, options.ngrams + 1):
        # The run that begins at a word: the one that was one word shorter, and the word behind it.
        behind_BT = _shifted(inputs, length - 1)
        numbers_BT = ops.mod(numbers_BT * PRIME + behind_BT, options.buckets)
        whole_BT = ops.logical_and(whole_BT, ops.not_equal(behind_BT, 0))
        x_BTD = layers.Embedding(options.buckets, options.width, name=f"runs_of_{length}")(numbers_BT)
        more_BD, more_B1 = _summed(x_BTD, whole_BT)
        total_BD, count_B1 = total_BD + more_BD, count_B1 + more_B1
    mean_BD = total_BD / ops.cast(ops.maximum(count_B1, 1.0), total_BD.dtype)
    return layers.Dropout(options.dropout, name="dropout")(mean_BD)


def _summed(x_BTD: Any, present_BT: Any) -> tuple[Any, Any]:
    # Counted in float32: bf16 has no 257.
    count_B1 = ops.sum(ops.cast(present_BT, "float32"), axis=1, keepdims=True)
    return ops.sum(silence(x_BTD, present_BT), axis=1), count_B1


def _shifted(numbers_BT: Any, steps: int) -> Any:
    """Return what stands so many steps behind; padding beyond the end."""
    filled_BT = ops.pad(numbers_BT, [[0, 0], [0, steps]])
    return filled_BT[:, steps:]
