"""Small pretrained encoders on the disk, in the forms in which they are published; their weights are drawn."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "##s", "was", "good", "bad", ",", "cafe", "un")
LETTERS = ("Ġ", "t", "h", "e", "f", "i", "l", "m", "s", "g", "o", "d", "b", "a", "w")
JOINS = (("Ġ", "t"), ("h", "e"), ("Ġt", "he"), ("g", "o"), ("o", "d"), ("go", "od"), ("i", "l"))
PAIRS = ("<s>", "<pad>", "</s>", "<unk>", *LETTERS, *("".join(pair) for pair in JOINS), "<mask>")
WIDTH, DEPTH, HEADS, HIDDEN, POSITIONS = 16, 2, 2, 24, 48


def hugging_face(folder: Path, family: str, *, whole: bool = False, seed: int = 0, **more: Any) -> Path:
    """Write a checkpoint as Hugging Face's library does.

    Args:
        folder: where to; it is made.
        family: bert, distilbert or roberta.
        whole: write one tokenizer.json instead of the vocabulary's own files.
        seed: of the weights.
        more: further entries of config.json.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = PAIRS if family == "roberta" else PIECES
    (folder / "config.json").write_text(json.dumps(_config(family, len(known)) | more))
    _write_tokens(folder, family, whole)
    save_file(_weights(family, len(known), seed), folder / "model.safetensors")
    return folder


def _config(family: str, known: int) -> dict[str, Any]:
    common = {"model_type": family, "vocab_size": known}
    if family == "distilbert":
        sizes = {"dim": WIDTH, "n_layers": DEPTH, "n_heads": HEADS, "hidden_dim": HIDDEN, "dropout": 0.1}
        return common | sizes | {"activation": "gelu", "max_position_embeddings": POSITIONS}
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": DEPTH, "num_attention_heads": HEADS}
    more = {"intermediate_size": HIDDEN, "hidden_act": "gelu", "hidden_dropout_prob": 0.1}
    return common | sizes | more | {"max_position_embeddings": POSITIONS + (2 if family == "roberta" else 0)}


def _write_tokens(folder: Path, family: str, whole: bool) -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    if family == "roberta":
        numbers = {token: number for number, token in enumerate(PAIRS)}
        if not whole:
            (folder / "vocab.json").write_text(json.dumps(numbers))
            lines = ["#version: 0.2", *(" ".join(pair) for pair in JOINS)]
            (folder / "merges.txt").write_text("\n".join(lines) + "\n")
            return
        tokenizer = Tokenizer(models.BPE(vocab=numbers, merges=list(JOINS)))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.save(str(folder / "tokenizer.json"))
        return
    if not whole:
        (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n")
        (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
        return
    numbers = {token: number for number, token in enumerate(PIECES)}
    tokenizer = Tokenizer(models.WordPiece(vocab=numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))


def _weights(family: str, known: int, seed: int) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    distil = family == "distilbert"
    rows = {"word_embeddings": known, "position_embeddings": POSITIONS + (2 if family == "roberta" else 0)}
    if not distil:
        rows["token_type_embeddings"] = 1 if family == "roberta" else 2
    shapes = {f"embeddings.{name}.weight": (count, WIDTH) for name, count in rows.items()}
    norms = ["embeddings.LayerNorm"]
    for block in range(DEPTH):
        start = f"transformer.layer.{block}." if distil else f"encoder.layer.{block}."
        square = (
            ("q_lin", "k_lin", "v_lin", "out_lin")
            if distil
            else ("self.query", "self.key", "self.value", "output.dense")
        )
        dense = {f"{start}attention.{name}": (WIDTH, WIDTH) for name in square}
        first, second = ("ffn.lin1", "ffn.lin2") if distil else ("intermediate.dense", "output.dense")
        dense |= {start + first: (HIDDEN, WIDTH), start + second: (WIDTH, HIDDEN)}
        for name, shape in dense.items():
            shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
        both = ("sa_layer_norm", "output_layer_norm") if distil else ("attention.output.LayerNorm", "output.LayerNorm")
        norms += [start + name for name in both]
    if family == "bert":
        shapes |= {"pooler.dense.weight": (WIDTH, WIDTH), "pooler.dense.bias": (WIDTH,)}
    drawn = {name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    for name in norms:
        drawn[f"{name}.weight"] = rng.normal(1, 0.2, WIDTH).astype(np.float32)
        drawn[f"{name}.bias"] = rng.normal(0, 0.2, WIDTH).astype(np.float32)
    return {f"{family}.{name}": array for name, array in drawn.items()}
