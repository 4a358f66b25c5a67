"""A bag of words and hashed n-grams: the weighted mean of their embeddings (after Joulin et al., 2017, fastText).

Order counts inside an n-gram only. It learns in seconds what most short texts are about, and is the model to beat.
"""

# B batch, T tokens, D width, V tokens of the vocabulary

from typing import Annotated, Any, Literal

import keras
import numpy as np
from keras import layers, ops
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features
from sonde.models.reads import Reads
from sonde.models.sequences import silence

PRIME = 40_503
"""Multiplies one number before the next is added; with 50,000 numbers no product leaves 31 bits."""

MOST_NUMBERS = 50_002
"""Tokens and buckets; above it a product could overflow, which each backend does in its own way."""

WEIGHTS = "weights"
"""Name of the layer that holds a weight for each token."""


class Options(_Options):
    """Embeddings of words and n-grams, their mean with a weight for each word, and dropout."""

    width: Annotated[int, Field(ge=1, le=4096)] = 64
    """Numbers that stand for a word or an n-gram."""

    ngrams: Annotated[int, Field(ge=1, le=5)] = 1
    """Longest run of words that has an embedding of its own; 1 reads single words."""

    buckets: Annotated[int, Field(ge=16, le=50_000)] = 32_768
    """Embeddings that the n-grams share by a hash of their words; time and memory grow with them."""

    norm: Literal["root", "mean"] = "root"
    """What the sum of the embeddings is divided by: the root of the sum of the squared weights, so that the answers on
    longer texts are surer, or the sum of the weights."""

    weighted: bool = True
    """Give each word a weight that is learned, and begins lower for the most frequent ones."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.3
    """Share of the mean's numbers silenced before the head while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch of texts.

    Args:
        inputs: symbolic tensor of tokens, batch x time, 0 for padding.
        options: width, ngrams, buckets, weights and dropout.
        reads: how many tokens there are.
    """
    if reads.modality != "text":
        raise ValueError("It reads texts.")
    if reads.cardinalities[0] > MOST_NUMBERS and options.ngrams > 1:
        raise ValueError(f"Its n-grams hash at most {MOST_NUMBERS:,} tokens.")
    # Counted in float32: bf16 has no 257.
    weights_BT1 = ops.expand_dims(ops.cast(ops.not_equal(inputs, 0), "float32"), -1)
    x_BTD = _embedding(reads.cardinalities[0], options.width, "words")(inputs)
    if options.weighted:
        own = layers.Embedding(
            reads.cardinalities[0], 1, embeddings_initializer=ByRank(), name=WEIGHTS, dtype="float32"
        )
        weights_BT1 = weights_BT1 * own(inputs)
    total_BD, size_B1 = _summed(x_BTD, weights_BT1, options)
    numbers_BT, runs_BT1 = inputs, weights_BT1
    for length in range(2, options.ngrams + 1):
        # The run that begins at a word: the one that was one word shorter, and the word behind it.
        behind_BT = _shifted(inputs, length - 1)
        numbers_BT = ops.mod(numbers_BT * PRIME + behind_BT, options.buckets)
        runs_BT1 = silence(runs_BT1, ops.not_equal(behind_BT, 0))
        x_BTD = _embedding(options.buckets, options.width, f"runs_of_{length}")(numbers_BT)
        more_BD, more_B1 = _summed(x_BTD, runs_BT1, options)
        total_BD, size_B1 = total_BD + more_BD, size_B1 + more_B1
    # Weights that have become small or negative shall not blow the result up.
    size_B1 = ops.maximum(size_B1, 1.0)
    size_B1 = ops.sqrt(size_B1) if options.norm == "root" else size_B1
    return Features(layers.Dropout(options.dropout, name="dropout")(total_BD / ops.cast(size_B1, total_BD.dtype)))


def _embedding(levels: int, width: int, name: str) -> Any:
    # Near zero, so that a word which training hardly saw says hardly anything: on SST-2 half a point over Keras's 0.05.
    near_zero = keras.initializers.RandomUniform(-0.001, 0.001)
    return layers.Embedding(levels, width, embeddings_initializer=near_zero, name=name)


class ByRank(keras.initializers.Initializer):
    """Weights that grow with the logarithm of a token's number.

    A vocabulary begins with its most frequent token, and the share of texts that hold a word falls about in step with
    its rank (Zipf, 1949): the logarithm of the rank then is the inverse document frequency, but for a constant.
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        ranks = np.maximum(np.arange(shape[0]), 1).reshape(-1, *[1] * (len(shape) - 1))
        return keras.ops.convert_to_tensor(np.broadcast_to(1 + np.log(ranks), shape).astype(np.float32), dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Return what makes another one like it."""
        return {}


def _summed(x_BTD: Any, weights_BT1: Any, options: Options) -> tuple[Any, Any]:
    sizes_BT1 = ops.square(weights_BT1) if options.norm == "root" else weights_BT1
    return ops.sum(x_BTD * ops.cast(weights_BT1, x_BTD.dtype), axis=1), ops.sum(sizes_BT1, axis=1)


def _shifted(numbers_BT: Any, steps: int) -> Any:
    """Return what stands so many steps behind; padding beyond the end."""
    filled_BT = ops.pad(numbers_BT, [[0, 0], [0, steps]])
    return filled_BT[:, steps:]
