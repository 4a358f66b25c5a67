"""A transformer decoder on the steps of a body: it writes a text token by token, looking at what was read.

Its layers are called in two ways, on the same weights:

    logits_BTV = taught(features.steps, teacher_BT, sizes)     while training: all places of a text at once
    memory, step = memory_model(model), step_model(model)      while writing: one place, with the keys and values before

Blocks have their norms first (Xiong et al., 2020). What was read comes with sines of each step's distance from both of
its ends, since a body may know distances between steps and nothing else.

Source: Vaswani et al., "Attention is all you need", 2017.
"""

# B batch, T time of what is written, S time of what was read, D width, N heads, K numbers of a head, V vocabulary,
# L longest text that is written

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from sonde.models.attending import EPSILON, head_width
from sonde.models.sequences import Sequence

PADDING, BEGIN, END = 0, 1, 2
"""Tokens that stand for no text: behind its end, before its first token, and for its end."""
TABLES = ("decoder_tokens", "decoder_places")
"""Layers that make vectors of what is written, and not of what is read."""
ANSWER = "answer"
"""Name of the last layer."""
SPEEDS = (2.0 ** -np.arange(0, 10, 1.25)).astype(np.float32)
"""Radians by which the sines turn from step to step: from 1 downwards, so that some 3,000 steps are told apart."""
MOST_BLOCKS, MOST_HEADS, LONGEST, WIDEST = 24, 64, 8192, 10_000_000
"""Bounds of the sizes, which may come from anybody's model folder."""

Named = Callable[[str, Callable[[str], Any]], Any]
"""From a layer's name and what makes it to the layer: a fresh one, or that of a model."""
Own = Callable[[int, Any, Any], tuple[Any, Any]]
"""From a block and the keys and values of the tokens at hand to those of all tokens that may be looked at."""


@dataclass(frozen=True)
class Sizes:
    """What a decoder is built of."""

    outputs: int
    """Tokens that it can write, V."""
    width: int
    depth: int
    heads: int
    length: int
    """Tokens of a text at most, L."""
    dropout: float = 0.0

    @classmethod
    def of(cls, values: Mapping[str, Any], width: int) -> "Sizes":
        """Read sizes, which may be anybody's.

        Raises:
            ValueError: one is missing or out of range.
        """
        whole = {"outputs": WIDEST, "depth": MOST_BLOCKS, "heads": MOST_HEADS, "length": LONGEST}
        for name, most in whole.items():
            if type(values.get(name)) is not int or not 1 <= values[name] <= most:
                raise ValueError(f"The decoder's {name} is no whole number from 1 to {most:,}")
        dropout = values.get("dropout", 0.0)
        if not isinstance(dropout, float | int) or not 0 <= dropout < 1:
            raise ValueError("The decoder's dropout is no number from 0 to below 1")
        numbers = {name: int(values[name]) for name in whole}
        return cls(width=width, dropout=float(dropout), **numbers)


def taught(read: Sequence, teacher_BT: Any, sizes: Sizes) -> Any:
    """Return the logits of each token, given those before it and what was read, B x T x V in float32.

    Args:
        teacher_BT: symbolic int32 tokens, each one place late, so that none is seen before it is to be written.
    """
    return _all_places(lambda name, make: make(name), teacher_BT, _memory(read, sizes), sizes)


def likelihood_model(model: keras.Model, tokens: Sequence_[int]) -> keras.Model:
    """Return a model of an example alone whose "logits", B x 1, are the log-likelihood of one text.

    Args:
        model: with a decoder on top; the weights are its own.
        tokens: of the text, its end among them where it has one.
    """
    sizes = sizes_of(model)
    seen_BS = model.get_layer("memory_seen").output
    memory = [model.get_layer(f"memory_{block}_heads").output for block in range(1, sizes.depth + 1)]
    truth_1T = np.asarray([[*tokens]], np.int32)
    late_1T = np.concatenate([[[BEGIN]], truth_1T[:, :-1]], axis=1)
    # Made of what was read, and of no input, so that the graph can be cut anywhere before it.
    teacher_BT = ops.cast(ops.zeros_like(seen_BS[:, :1]), "int32") + late_1T.astype(np.int32)
    logits_BTV = _all_places(lambda name, make: model.get_layer(name), teacher_BT, (memory, seen_BS), sizes)
    # The two before the end stand in no text, and are not chosen among.
    true_1TV = np.eye(sizes.outputs, dtype=np.float32)[truth_1T][:, :, END:]
    logs_BT = ops.sum(ops.log_softmax(logits_BTV[:, :, END:], axis=-1) * true_1TV, axis=-1)
    return keras.Model(model.input["inputs"], {"logits": ops.sum(logs_BT, axis=1, keepdims=True)}, name="likelihood")


def reading_model(model: keras.Model) -> keras.Model:
    """Return the part of a trained model that reads: from an example to its steps."""
    return keras.Model(model.input["inputs"], {"outputs": model.get_layer("memory_norm").output}, name="reading")


def _all_places(named: Named, teacher_BT: Any, memory: tuple[list[Any], Any], sizes: Sizes) -> Any:
    """Return the logits of all places of a text at once, none of which sees those behind it, B x T x V."""
    ones_BT = ops.ones_like(teacher_BT, dtype="float32")
    places_BT = ops.minimum(ops.cumsum(ones_BT, axis=1) - 1.0, float(sizes.length - 1))
    order_T = ops.cumsum(ones_BT[0], axis=0)
    before_11TT = ops.greater_equal(ops.reshape(order_T, (1, 1, -1, 1)), ops.reshape(order_T, (1, 1, 1, -1)))
    return _written(named, (teacher_BT, ops.cast(places_BT, "int32")), memory, sizes, (before_11TT, _as_they_are))


def memory_model(model: keras.Model) -> keras.Model:
    """Return the part of a trained model that reads: keys and values of what was read for each block, and its steps.

    Args:
        model: with a decoder on top; the weights are its own.
    """
    sizes = sizes_of(model)
    names = {f"memory_{block}": f"memory_{block}_heads" for block in range(1, sizes.depth + 1)}
    outputs = {name: model.get_layer(layer).output for name, layer in names.items()}
    outputs["seen"] = model.get_layer("memory_seen").output
    return keras.Model({"inputs": model.input["inputs"]}, outputs, name="memory")


def step_model(model: keras.Model) -> keras.Model:
    """Return the part of a trained model that writes one token, given the keys and values of those before it.

    It reads "token" and "place" (B x 1), "filled" (B x L; 1 where a token was written), "keys" and "values" (B x blocks
    x L x N x K), and what the memory model gives. It gives "logits" (B x V) and the new "keys" and "values" (B x blocks
    x N x K).

    Args:
        model: with a decoder on top; the weights are its own.
    """
    sizes = sizes_of(model)
    size = head_width(sizes.width, sizes.heads)
    whole = (sizes.depth, sizes.length, sizes.heads, size)
    fed = {
        "token": keras.Input((1,), dtype="int32", name="token"),
        "place": keras.Input((1,), dtype="int32", name="place"),
        "filled": keras.Input((sizes.length,), name="filled"),
        "keys": keras.Input(whole, name="keys"),
        "values": keras.Input(whole, name="values"),
        "seen": keras.Input((None,), name="seen"),
    }
    memory = [keras.Input((None, 2, sizes.heads, size), name=f"memory_{block}") for block in range(1, sizes.depth + 1)]
    fresh: list[tuple[Any, Any]] = []

    def own(block: int, keys_B1NK: Any, values_B1NK: Any) -> tuple[Any, Any]:
        fresh.append((keys_B1NK, values_B1NK))
        kept = fed["keys"][:, block - 1], fed["values"][:, block - 1]
        return ops.concatenate([kept[0], keys_B1NK], axis=1), ops.concatenate([kept[1], values_B1NK], axis=1)

    # The token itself stands behind those that were kept.
    looked_BL = ops.concatenate([fed["filled"], ops.ones_like(fed["filled"][:, :1])], axis=1)
    looked_B11L = ops.greater(ops.expand_dims(ops.expand_dims(looked_BL, 1), 1), 0.5)
    logits_B1V = _written(
        lambda name, make: model.get_layer(name),
        (fed["token"], fed["place"]),
        (memory, fed["seen"]),
        sizes,
        (looked_B11L, own),
    )
    keys, values = zip(*fresh, strict=True)
    given = {
        "logits": logits_B1V[:, 0],
        "keys": ops.concatenate(keys, axis=1),
        "values": ops.concatenate(values, axis=1),
    }
    names = {f"memory_{block}": each for block, each in enumerate(memory, 1)}
    return keras.Model({**fed, **names}, given, name="step")


def sizes_of(model: keras.Model) -> Sizes:
    """Return the sizes of a model's decoder, as its layers tell them."""
    _, _, heads, _ = model.get_layer("decoder_1_heads").target_shape
    table, places = model.get_layer("decoder_tokens"), model.get_layer("decoder_places")
    depth = sum(layer.name.startswith("memory_") and layer.name.endswith("_heads") for layer in model.layers)
    return Sizes(table.input_dim, table.output_dim, depth, heads, places.input_dim)


def _memory(read: Sequence, sizes: Sizes) -> tuple[list[Any], Any]:
    """Return keys and values of what was read for each block, B x S x 2 x N x K, and which steps are real."""
    x_BSD = read.x_BTD
    ones_BS = ops.ones_like(x_BSD[:, :, 0], dtype="float32")
    seen_BS = ones_BS if read.present_BT is None else ops.cast(read.present_BT, "float32")
    seen_BS = layers.Identity(name="memory_seen", dtype="float32")(seen_BS)
    from_start_BS = ops.cumsum(seen_BS, axis=1)
    from_end_BS = ops.sum(seen_BS, axis=1, keepdims=True) - from_start_BS
    turns = [ops.expand_dims(each, -1) * SPEEDS for each in (from_start_BS, from_end_BS)]
    sines = [wave(each) for each in turns for wave in (ops.sin, ops.cos)]
    both_BSD = ops.concatenate([x_BSD, *(ops.cast(each, x_BSD.dtype) for each in sines)], axis=-1)
    x_BSD = layers.Dense(sizes.width, name="memory")(both_BSD)
    x_BSD = layers.LayerNormalization(epsilon=EPSILON, name="memory_norm")(x_BSD)
    size = head_width(sizes.width, sizes.heads)
    made = []
    for block in range(1, sizes.depth + 1):
        flat = layers.Dense(2 * sizes.heads * size, use_bias=False, name=f"memory_{block}")(x_BSD)
        made.append(layers.Reshape((-1, 2, sizes.heads, size), name=f"memory_{block}_heads")(flat))
    return made, seen_BS


def _written(named: Named, tokens: tuple[Any, Any], memory: tuple[list[Any], Any], sizes: Sizes, own: Any) -> Any:
    """Return logits, B x T x V, of tokens with their places; `own` is who may be looked at among them, and `Own`."""
    looked, extend = own
    size = head_width(sizes.width, sizes.heads)
    seen_B11S = ops.greater(ops.expand_dims(ops.expand_dims(memory[1], 1), 1), 0.5)

    def norm(name: str, x: Any) -> Any:
        return named(name, lambda name: layers.LayerNormalization(epsilon=EPSILON, name=name))(x)

    def dense(name: str, x: Any, width: int, activation: str | None = None, *, bias: bool = True) -> Any:
        make = lambda name: layers.Dense(width, activation=activation, use_bias=bias, name=name)  # noqa: E731
        return named(name, make)(x)

    def silenced(name: str, x: Any) -> Any:
        return named(name, lambda name: layers.Dropout(sizes.dropout, name=name))(x)

    def heads(name: str, x: Any, *shape: int) -> Any:
        return named(name, lambda name: layers.Reshape((-1, *shape), name=name))(x)

    def looking(name: str, query: Any, pair: tuple[Any, Any], mask: Any) -> Any:
        y_BTNK = ops.dot_product_attention(query, *pair, mask=mask)
        return dense(f"{name}_out", heads(f"{name}_joined", y_BTNK, sizes.heads * size), sizes.width)

    x_BTD = named("decoder_tokens", lambda name: layers.Embedding(sizes.outputs, sizes.width, name=name))(tokens[0])
    x_BTD += named("decoder_places", lambda name: layers.Embedding(sizes.length, sizes.width, name=name))(tokens[1])
    x_BTD = silenced("decoder_dropout", x_BTD)
    for block in range(1, sizes.depth + 1):
        name = f"decoder_{block}"
        flat = dense(f"{name}_in", norm(f"{name}_norm_a", x_BTD), 3 * sizes.heads * size, bias=False)
        qkv = heads(f"{name}_heads", flat, 3, sizes.heads, size)
        pair = extend(block, qkv[:, :, 1], qkv[:, :, 2])
        y_BTD = looking(name, qkv[:, :, 0], pair, looked)
        x_BTD = x_BTD + silenced(f"{name}_dropout_a", y_BTD)
        flat = dense(f"{name}_query", norm(f"{name}_norm_b", x_BTD), sizes.heads * size, bias=False)
        query = heads(f"{name}_query_heads", flat, sizes.heads, size)
        pair = memory[0][block - 1][:, :, 0], memory[0][block - 1][:, :, 1]
        y_BTD = looking(f"{name}_read", query, pair, seen_B11S)
        x_BTD = x_BTD + silenced(f"{name}_dropout_b", y_BTD)
        y_BTD = dense(f"{name}_dense_a", norm(f"{name}_norm_c", x_BTD), 4 * sizes.width, "gelu")
        x_BTD = x_BTD + silenced(f"{name}_dropout_c", dense(f"{name}_dense_b", y_BTD, sizes.width))
    last = lambda name: layers.Dense(sizes.outputs, name=name, dtype="float32")  # noqa: E731
    return named(ANSWER, last)(norm("decoder_norm", x_BTD))


def _as_they_are(block: int, keys: Any, values: Any) -> tuple[Any, Any]:
    return keys, values
