"""Blocks of attention and dense layers, with positions that turn queries and keys.

Norms come before what they feed (Xiong et al., 2020). A pair of numbers of a query or key is turned by an angle that
grows with the position (rotary positions; Su et al., 2021), so that how well two tokens go together depends on how far
they are apart, and no length is too long. On a grid, rows turn one half of the pairs and columns the other (Heo et al.,
2024).
"""

# B batch, T time, D width, N heads, K numbers of a head, P pairs of them that are turned

from typing import Any, NamedTuple

import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from sonde.models.sequences import Sequence

BASE = 10_000.0
"""The slowest pair turns once in about 2 pi times as many steps."""
POSITIONS = "positions"
"""Name of the layer that holds learned vectors of places, where a model has one."""
EPSILON = 1e-5
"""Added to the variance of a token by the norms."""


class Turns(NamedTuple):
    """Cosine and sine of the angles by which pairs are turned; both 1 x T x 1 x 1 x P."""

    cosine: Any
    sine: Any


def head_width(width: int, heads: int) -> int:
    """Return the numbers of a head: an equal share of the width, at least one pair.

    Args:
        width: numbers per token.
        heads: attentions side by side.
    """
    return max(2, width // heads)


def turns_along(x_BTD: Any, size: int) -> Turns:
    """Return the turns of the steps of a sequence, whose length need not be known.

    Args:
        x_BTD: symbolic tensor; only its length counts.
        size: numbers of a head.
    """
    # As ones added up, since a graph without a known length has no other numbers of its steps. bf16 has no 257.
    ones_1T = ops.ones_like(x_BTD[:1, :, 0], dtype="float32")
    positions_1T11P = ops.reshape(ops.cumsum(ones_1T, axis=1), (1, -1, 1, 1, 1)) - 1.0
    angles_1T11P = positions_1T11P * _speeds(size // 2)
    return Turns(ops.cos(angles_1T11P), ops.sin(angles_1T11P))


def turns_on_grid(height: int, width: int, size: int) -> Turns:
    """Return the turns of the places of a grid, row by row.

    Args:
        size: numbers of a head.
    """
    pairs = size // 2
    by_row, by_column = _speeds(pairs // 2), _speeds(pairs - pairs // 2)
    rows, columns = np.divmod(np.arange(height * width), width)
    angles = np.concatenate([rows[:, None] * by_row, columns[:, None] * by_column], axis=1)
    angles = angles.astype(np.float32)[None, :, None, None]
    return Turns(np.cos(angles), np.sin(angles))


def encoder(sequence: Sequence, turns: Turns, *, depth: int, heads: int, dropout: float) -> Sequence:
    """Return a sequence after blocks of attention and dense layers, and a last norm; padding is not 0 there.

    Args:
        turns: what `turns_along` or `turns_on_grid` gave for `head_width(width, heads)`.
        heads: attentions side by side in each.
        dropout: share of numbers silenced behind each half of a block while training.
    """
    x_BTD, present_BT = sequence.x_BTD, sequence.present_BT
    width = x_BTD.shape[-1]
    mask_B11T = looked_at(present_BT)
    for block in range(1, depth + 1):
        y_BTD = layers.LayerNormalization(epsilon=EPSILON, name=f"norm_{block}a")(x_BTD)
        y_BTD = attention(y_BTD, turns, mask_B11T, heads, f"attention_{block}")
        x_BTD = x_BTD + layers.Dropout(dropout, name=f"dropout_{block}a")(y_BTD)
        y_BTD = layers.LayerNormalization(epsilon=EPSILON, name=f"norm_{block}b")(x_BTD)
        y_BTD = layers.Dense(4 * width, activation="gelu", name=f"dense_{block}a")(y_BTD)
        y_BTD = layers.Dense(width, name=f"dense_{block}b")(y_BTD)
        x_BTD = x_BTD + layers.Dropout(dropout, name=f"dropout_{block}b")(y_BTD)
    return Sequence(layers.LayerNormalization(epsilon=EPSILON, name="norm")(x_BTD), present_BT)


def looked_at(present_BT: Any | None) -> Any | None:
    """Return who may be looked at, B x 1 x 1 x T: any token looks at every real one.

    Args:
        present_BT: true for real steps; None where all are.
    """
    return None if present_BT is None else ops.expand_dims(ops.expand_dims(present_BT, 1), 1)


def attention(
    x_BTD: Any, turns: Turns | None, mask_B11T: Any | None, heads: int, name: str, *, bias: bool = False
) -> Any:
    """Return what every token makes of those that it looks at, B x T x D.

    Args:
        turns: positions that turn queries and keys, or None.
        heads: attentions side by side.
        name: the layers' names begin with it.
        bias: whether queries, keys and values have one.
    """
    width = x_BTD.shape[-1]
    size = head_width(width, heads)
    of_all = layers.Dense(3 * heads * size, use_bias=bias, name=f"{name}_in")(x_BTD)
    qkv_BT3NK = layers.Reshape((-1, 3, heads, size), name=f"{name}_heads")(of_all)
    qk_BT2NK = qkv_BT3NK[:, :, :2] if turns is None else _turned(qkv_BT3NK[:, :, :2], turns)
    y_BTNK = ops.dot_product_attention(qk_BT2NK[:, :, 0], qk_BT2NK[:, :, 1], qkv_BT3NK[:, :, 2], mask=mask_B11T)
    y_BTD = layers.Reshape((-1, heads * size), name=f"{name}_joined")(y_BTNK)
    return layers.Dense(width, name=f"{name}_out")(y_BTD)


def _turned(x: Any, turns: Turns) -> Any:
    """Return pairs of numbers turned by their angles; the two of a pair stand half a head apart."""
    pairs = x.shape[-1] // 2
    cosine, sine = (ops.cast(each, x.dtype) for each in turns)
    first, second = x[..., :pairs], x[..., pairs : 2 * pairs]
    # The last number of an odd width is in no pair.
    rest = [x[..., 2 * pairs :]] if x.shape[-1] % 2 else []
    return ops.concatenate([first * cosine - second * sine, first * sine + second * cosine, *rest], axis=-1)


def _speeds(pairs: int) -> NDArray[np.float32]:
    """Return the angle per step of each pair, in radians, from 1 downwards."""
    return (BASE ** (-np.arange(pairs) / max(pairs, 1))).astype(np.float32)
