"""Text encoders that others have pretrained, whose weights are trained further.

BERT (Devlin et al., 2019), DistilBERT (Sanh et al., 2019) and RoBERTa (Liu et al., 2019) are one form: the sum of a
token's and its place's vector, a norm, and blocks whose norms come behind what they add. `weights.text_encoders`
puts their weights in; afterwards a model is whole without the checkpoint.
"""

# B batch, T time, D width

from typing import Annotated, Any, Literal

from keras import layers, ops
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.attending import POSITIONS, attention, looked_at
from sonde.models.features import Features, from_steps
from sonde.models.reads import Reads
from sonde.models.sequences import Sequence


class Options(_Options):
    """What an encoder begins with, its sizes, which that gives, and what is made of its tokens for the head."""

    weights: str = ""
    """Whose weights it begins with, and their tokens and sizes: a folder, hf://OWNER/NAME (Hugging Face) or
    kaggle://OWNER/MODEL/keras/NAME (Keras presets)."""

    family: Literal["bert", "distilbert", "roberta"] = "bert"
    """Whose form it has."""

    width: Annotated[int, Field(ge=2, le=8192)] = 128
    """Numbers per token."""

    depth: Annotated[int, Field(ge=1, le=48)] = 2
    """Blocks."""

    heads: Annotated[int, Field(ge=1, le=128)] = 2
    """Attentions side by side in each block, which share the width."""

    hidden: Annotated[int, Field(ge=1, le=65536)] = 512
    """Numbers between the two dense layers of a block."""

    positions: Annotated[int, Field(ge=4, le=8192)] = 512
    """Most tokens of a text."""

    gelu: Literal["exact", "tanh"] = "exact"
    """How the activation is computed."""

    epsilon: Annotated[float, Field(gt=0, le=1e-2)] = 1e-12
    """Added to the variance of a token by the norms."""

    pool: Literal["first", "mean", "max", "attention"] = "first"
    """What goes to the head: the token before the text, or a mean, a maximum or a learned mean over all."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Share of numbers silenced behind the embedding, each half of a block and the pooling while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch.

    Args:
        inputs: symbolic tensor of tokens, batch x time.
    """
    if reads.modality != "text":
        raise ValueError("It reads texts.")
    epsilon = options.epsilon
    present_BT = ops.not_equal(inputs, 0)
    x_BTD = layers.Embedding(reads.cardinalities[0], options.width, name="embedding")(inputs)
    x_BTD = x_BTD + layers.Embedding(options.positions, options.width, name=POSITIONS)(_places(inputs, options))
    x_BTD = layers.LayerNormalization(epsilon=epsilon, name="norm")(x_BTD)
    x_BTD = layers.Dropout(options.dropout, name="dropout_embedding")(x_BTD)
    mask_B11T = looked_at(present_BT)
    for block in range(1, options.depth + 1):
        y_BTD = attention(x_BTD, None, mask_B11T, options.heads, f"attention_{block}", bias=True)
        x_BTD = x_BTD + layers.Dropout(options.dropout, name=f"dropout_{block}a")(y_BTD)
        x_BTD = layers.LayerNormalization(epsilon=epsilon, name=f"norm_{block}a")(x_BTD)
        y_BTD = layers.Dense(options.hidden, name=f"dense_{block}a")(x_BTD)
        y_BTD = ops.gelu(y_BTD, approximate=options.gelu == "tanh")
        y_BTD = layers.Dense(options.width, name=f"dense_{block}b")(y_BTD)
        x_BTD = x_BTD + layers.Dropout(options.dropout, name=f"dropout_{block}b")(y_BTD)
        x_BTD = layers.LayerNormalization(epsilon=epsilon, name=f"norm_{block}b")(x_BTD)
    sequence = Sequence(x_BTD, present_BT)
    return from_steps(sequence, pool=options.pool, dropout=options.dropout, name="dropout_pool")


def _places(inputs_BT: Any, options: Options) -> Any:
    """Return the place of each token, from 0; padding beyond the last position shares it."""
    # As ones added up, since a graph without a known length has no other numbers of its steps.
    places_BT = ops.cumsum(ops.ones_like(inputs_BT, dtype="int32"), axis=1) - 1
    return ops.minimum(places_BT, options.positions - 1)
