"""Puts the weights of a pretrained text encoder into a fresh model of the form in `models.pretrained`.

Those of Hugging Face are read from safetensors files by their names; those of Keras presets by the library keras-hub.
"""

# V tokens, P positions, D width

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from sonde.config import Options
from sonde.errors import ModelError

THEIRS = {
    "bert": {
        "start": "bert.",
        "tokens": "embeddings.word_embeddings",
        "positions": "embeddings.position_embeddings",
        "segments": "embeddings.token_type_embeddings",
        "norm": "embeddings.LayerNorm",
        "block": "encoder.layer.{}.",
        "query": "attention.self.query",
        "key": "attention.self.key",
        "value": "attention.self.value",
        "out": "attention.output.dense",
        "norm_a": "attention.output.LayerNorm",
        "dense_a": "intermediate.dense",
        "dense_b": "output.dense",
        "norm_b": "output.LayerNorm",
    },
    "distilbert": {
        "start": "distilbert.",
        "tokens": "embeddings.word_embeddings",
        "positions": "embeddings.position_embeddings",
        "norm": "embeddings.LayerNorm",
        "block": "transformer.layer.{}.",
        "query": "attention.q_lin",
        "key": "attention.k_lin",
        "value": "attention.v_lin",
        "out": "attention.out_lin",
        "norm_a": "sa_layer_norm",
        "dense_a": "ffn.lin1",
        "dense_b": "ffn.lin2",
        "norm_b": "output_layer_norm",
    },
}
"""How Hugging Face's files name the layers."""
THEIRS["roberta"] = THEIRS["bert"] | {"start": "roberta."}

KERAS = {
    "norm": "embeddings_layer_norm",
    "block": "transformer_layer_{}/",
    "query": "self_attention_layer/query",
    "key": "self_attention_layer/key",
    "value": "self_attention_layer/value",
    "out": "self_attention_layer/attention_output",
    "norm_a": "self_attention_layer_norm",
    "dense_a": "feedforward_intermediate_dense",
    "dense_b": "feedforward_output_dense",
    "norm_b": "feedforward_layer_norm",
}
"""How keras-hub names them; blocks are counted from 0 by both."""
HEADED = ("query", "key", "value")

NAMES = {"embeddings": ("weight",), "gamma": ("weight", "gamma"), "beta": ("bias", "beta"), "kernel": ("weight",)}
"""What Hugging Face's files call a layer's weights; older ones name those of norms as Keras does."""

BEFORE = 2
"""Numbers before a vocabulary's own: padding and the unknown token."""
UNKNOWN = ("[UNK]", "<unk>")
"""What checkpoints call the unknown token."""

Take = Callable[[str, str, int], NDArray[np.float32]]
"""From a layer (a key of the tables above), a weight and a block, or -1, to the numbers; raises KeyError."""


@dataclass(frozen=True)
class Source:
    """Where the weights of an encoder lie."""

    folder: Path
    form: Literal["hugging-face", "keras"]
    known: tuple[str, ...]
    """The checkpoint's tokens, in the order of their numbers."""
    first_place: int
    """Row of the table of positions that is the first place's."""


def begin_with_checkpoint(model: keras.Model, options: Options, source: Source) -> None:
    """Let a fresh model begin with the weights of a checkpoint; its head stays as it was drawn.

    Args:
        model: what `build` returned for the model 'pretrained', with the checkpoint's tokens and sizes.
        options: the model's own.
        source: where they lie.

    Raises:
        ModelError: a file of weights is missing or damaged, or does not fit what the checkpoint says of itself.
    """
    take = (_from_keras if source.form == "keras" else _from_files)(options, source)
    try:
        found = _by_path(take, options, source)
    except KeyError as error:
        raise ModelError(f"{source.folder}: its weights lack {error}. Fetch the checkpoint again.") from None
    except (IndexError, ValueError) as error:
        raise ModelError(f"{source.folder}: its weights have other shapes than it says of itself ({error}).") from None
    variables = {each.path: each for each in model.weights}
    for path, array in found.items():
        if path not in variables or tuple(variables[path].shape) != array.shape:
            expected = tuple(variables[path].shape) if path in variables else "none"
            raise ModelError(
                f"{source.folder}: its weights of {path} are {array.shape}, and by what it says of itself they "
                f"would be {expected}."
            )
        variables[path].assign(array)


def _by_path(take: Take, options: Any, source: Source) -> dict[str, NDArray[np.float32]]:
    """Return the weights by the names that `models.pretrained` gives them."""
    known = len(source.known)
    tokens_VD = take("tokens", "embeddings", -1)
    if len(tokens_VD) < known:
        raise ModelError(f"{source.folder} has vectors of {len(tokens_VD):,} tokens, and {known:,} tokens.")
    first_VD = np.zeros((BEFORE, tokens_VD.shape[1]), dtype=np.float32)
    its_own = next((each for each in UNKNOWN if each in source.known), None)
    if its_own is not None:
        first_VD[-1] = tokens_VD[source.known.index(its_own)]
    found = {"embedding/embeddings": np.concatenate([first_VD, tokens_VD[:known]])}
    positions_PD = take("positions", "embeddings", -1)
    positions_PD = positions_PD[source.first_place :][: options.positions]
    # A text is all of the first segment, whose vector is the same at every place.
    try:
        positions_PD = positions_PD + take("segments", "embeddings", -1)[0]
    except KeyError:
        if options.family == "bert":
            raise
    found["positions/embeddings"] = positions_PD
    norms: dict[str, tuple[str, int]] = {"norm": ("norm", -1)}
    denses: dict[str, tuple[str, int]] = {}
    for block in range(options.depth):
        norms |= {f"norm_{block + 1}{half}": (f"norm_{half}", block) for half in "ab"}
        denses |= {f"dense_{block + 1}{half}": (f"dense_{half}", block) for half in "ab"}
        denses[f"attention_{block + 1}_out"] = ("out", block)
        for weight in ("kernel", "bias"):
            three = [take(each, weight, block) for each in ("query", "key", "value")]
            found[f"attention_{block + 1}_in/{weight}"] = np.concatenate(three, axis=-1)
    for name, (layer, block) in norms.items():
        found |= {f"{name}/{weight}": take(layer, weight, block) for weight in ("gamma", "beta")}
    for name, (layer, block) in denses.items():
        found |= {f"{name}/{weight}": take(layer, weight, block) for weight in ("kernel", "bias")}
    return found


def _from_files(options: Any, source: Source) -> Take:
    files = sorted(source.folder.glob("*.safetensors"))
    names = THEIRS[options.family]
    places: dict[str, tuple[Path, str]] = {}
    for file in files:
        try:
            with safe_open(file, framework="numpy") as archive:
                places |= {name.removeprefix(names["start"]): (file, name) for name in archive.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise ModelError(f"{file} is not a readable safetensors file ({error}).") from None

    def take(layer: str, weight: str, block: int) -> NDArray[np.float32]:
        start = names["block"].format(block) if block >= 0 else ""
        wanted = [f"{start}{names[layer]}.{each}" for each in NAMES.get(weight, (weight,))]
        name = next((each for each in wanted if each in places), None)
        if name is None:
            raise KeyError(wanted[0])
        file, whole = places[name]
        try:
            with safe_open(file, framework="numpy") as archive:
                array = archive.get_tensor(whole).astype(np.float32)
        # numpy has no bfloat16, unless another library brings it.
        except (SafetensorError, TypeError) as error:
            raise ModelError(
                f"{file}: {whole} cannot be read ({error}). Save the checkpoint in float32 or float16."
            ) from None
        # They hold a layer's weights as outputs x inputs.
        return array.T if weight == "kernel" else array

    return take


def _from_keras(options: Any, source: Source) -> Take:
    try:
        import keras_hub
    except ImportError:
        raise ModelError("Keras presets need the extra [pretrained]: pip install 'sonde[pretrained]'.") from None
    try:
        backbone = keras_hub.models.Backbone.from_preset(str(source.folder))
    # Whatever the library finds wrong with its own files.
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ModelError(f"{source.folder} is no Keras preset that can be loaded: {reason}") from None
    arrays = {each.path: keras.ops.convert_to_numpy(each.value) for each in backbone.weights}
    start = {"bert": "", "distilbert": "token_and_position_embedding/", "roberta": "embeddings/"}
    tables = {"tokens": "token_embedding", "positions": "position_embedding", "segments": "segment_embedding"}
    width = options.width

    def take(layer: str, weight: str, block: int) -> NDArray[np.float32]:
        if layer in tables:
            return arrays[f"{start[options.family]}{tables[layer]}/embeddings"]
        name = (KERAS["block"].format(block) if block >= 0 else "") + f"{KERAS[layer]}/{weight}"
        array = arrays[name]
        if layer == "out" and weight == "kernel":
            return array.reshape(-1, width)
        # Queries, keys and values are kept head by head.
        return array.reshape(width, -1) if array.ndim == 3 else array.reshape(-1) if layer in HEADED else array

    return take
