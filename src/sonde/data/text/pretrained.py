"""Reads what a text encoder is that others have pretrained: its tokens, its sizes, and where its weights lie.

    checkpoint = read_checkpoint("bert-base-uncased/")       a folder
    checkpoint = read_checkpoint("hf://OWNER/NAME")          or what is fetched into one
    checkpoint.tokens.kind, checkpoint.sizes.width

Two forms are known: that of Hugging Face (config.json, tokenizer.json or vocab.txt, model.safetensors), and that of
Keras presets (config.json, assets/tokenizer, model.weights.h5).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sonde.config import Setting, Settings
from sonde.config.untrusted import Unsound, parse_json
from sonde.data.bounded import LARGEST_TEXT, read_bytes
from sonde.data.text.tokens import UNKNOWN_PIECE
from sonde.errors import DataError, SondeError

HUGGING_FACE, KAGGLE = "hf://", "kaggle://"
FETCHED = ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt",
           "*.safetensors", "*.safetensors.index.json")  # fmt: skip
"""What is fetched of a repository; no pickle among it."""

BROUGHT = ("text.tokens", "text.lower", "text.strip_accents", "augment.drop")
"""What a checkpoint decides, beside its sizes."""

Family = Literal["bert", "distilbert", "roberta"]
KERAS: dict[str, Family] = {
    "BertBackbone": "bert",
    "DistilBertBackbone": "distilbert",
    "RobertaBackbone": "roberta",
}
"""Families by the class that a Keras preset names."""
EPSILON: dict[Family, float] = {"bert": 1e-12, "distilbert": 1e-12, "roberta": 1e-5}
"""Added to the variance by the norms, where a checkpoint does not say."""


VALUES = ("width", "depth", "heads", "hidden")
"""Sizes that every description names, each in its own words."""


class Sizes(BaseModel):
    """What an encoder is, before it has weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Family
    width: int = Field(ge=2, le=8192)
    """Numbers per token."""
    depth: int = Field(ge=1, le=48)
    """Blocks."""
    heads: int = Field(ge=1, le=128)
    """Attentions in each."""
    hidden: int = Field(ge=1, le=65536)
    """Numbers between the two dense layers of a block."""
    positions: int = Field(ge=4, le=8192)
    """Most tokens of a text, those around it among them."""
    gelu: Literal["exact", "tanh"]
    """How the activation is computed."""
    epsilon: float = Field(gt=0, le=1e-2)
    """Added to the variance by the norms."""


@dataclass(frozen=True)
class Tokens:
    """How an encoder cuts texts."""

    kind: Literal["word-pieces", "byte-pair"]
    known: tuple[str, ...]
    """Every token, in the order of its number."""
    around: tuple[str, str]
    """The tokens before and behind each text."""
    joins: tuple[tuple[str, str], ...] = ()
    """Byte pairs: what is joined, in this order."""
    lower: bool = False
    """Whether capital letters are read as small ones."""
    strip_accents: bool = False
    """Whether letters are read without their marks."""
    blank_before: bool = False
    """Byte pairs: whether a text's first word is read as if a blank stood before it."""


@dataclass(frozen=True)
class Checkpoint:
    """A pretrained encoder on the disk."""

    folder: Path
    form: Literal["hugging-face", "keras"]
    sizes: Sizes
    tokens: Tokens
    first_place: int = 0
    """Row of the table of positions that is the first place's."""


def read_checkpoint(name: str) -> Checkpoint:
    """Read what a checkpoint is; its weights are read by `models.weights.text_encoders`.

    Args:
        name: a folder, hf://OWNER/NAME, or kaggle://OWNER/MODEL/keras/VARIATION.

    Raises:
        DataError: it is not there, cannot be fetched, or is not of a known kind.
    """
    folder = _located(name)
    said = _read_json(folder / "config.json")
    form: Literal["hugging-face", "keras"] = "keras" if "class_name" in said else "hugging-face"
    try:
        found = _described(folder, said, form)
    # What holds other kinds of values than such a file ever does, somewhere inside.
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"The description of the checkpoint {folder} is damaged ({type(error).__name__}: {error}). Fetch it again."
        ) from None
    _refuse_without_weights(folder, form)
    return found


def _described(folder: Path, said: Mapping[str, Any], form: Literal["hugging-face", "keras"]) -> Checkpoint:
    sizes = _sizes(folder, said, form)
    around = ("<s>", "</s>") if sizes.family == "roberta" else ("[CLS]", "[SEP]")
    tokens = (_keras_tokens if form == "keras" else _their_tokens)(folder, sizes.family, around)
    known = set(tokens.known)
    if len(known) != len(tokens.known) or any(not each or "\n" in each for each in known):
        raise DataError(f"{folder}: its tokens are damaged; some are empty, twice there, or more than one line.")
    needed = around if tokens.kind == "byte-pair" else (*around, UNKNOWN_PIECE)
    if missing := [each for each in needed if each not in known]:
        raise DataError(f"{folder}: the vocabulary lacks {' and '.join(missing)}, which every text needs.")
    if any(not {*pair, "".join(pair)} <= known for pair in tokens.joins):
        raise DataError(f"{folder}: byte pairs are joined to what is not among its tokens.")
    return Checkpoint(folder, form, sizes, tokens, _first_place(said, sizes.family) if form == "hugging-face" else 0)


def _refuse_without_weights(folder: Path, form: str) -> None:
    if any(folder.glob("model.weights.*" if form == "keras" else "*.safetensors")):
        return
    if form == "keras":
        raise DataError(f"{folder} has no model.weights.h5. Save the preset again, or fetch it again.")
    others = [each.name for each in sorted(folder.glob("*.bin"))]
    more = f" ({', '.join(others)} may hold code that would be run, and is not read)" if others else ""
    raise DataError(
        f"{folder} has no weights in a file *.safetensors{more}. Save them so: "
        "model.save_pretrained(folder, safe_serialization=True)."
    )


def guess_from_checkpoint(said: Settings, modality: str) -> Settings:
    """Return what follows for a run from the checkpoint that it names: model, sizes and tokens; else nothing.

    Args:
        said: what was said; model.weights may be among it.
        modality: what is read; only for texts are there any.

    Raises:
        DataError: see `read_checkpoint`.
    """
    name = said.value("model.weights")
    if modality != "text" or not name or not isinstance(name, str):
        return Settings()
    place = said["model.weights"].place
    try:
        checkpoint = read_checkpoint(name)
    except SondeError as error:
        raise DataError(f"{place}: {error}" if place else str(error)) from None
    values: dict[str, Any] = {"run.model": "pretrained"}
    if said.value("run.model", "pretrained") == "pretrained":
        for key, value in checkpoint.sizes.model_dump().items():
            values[f"model.{key}"] = value
            if (other := said.value(f"model.{key}", value)) != value:
                raise DataError(f"model.weights brings model.{key} = {value}; leave out model.{key} = {other}.")
    values |= {f"text.{key}": getattr(checkpoint.tokens, key) for key in ("lower", "strip_accents")}
    values["text.tokens"] = checkpoint.tokens.kind
    # It would leave out what stands around a text too, which the encoder was never without.
    values["augment.drop"] = 0.0
    return Settings({key: Setting(each, "guessed", reason="as the checkpoint is") for key, each in values.items()})


def brought(file: Settings, said: Settings) -> list[str]:
    """Return the options of a run file that its checkpoint brought, where another checkpoint or model is said now.

    Args:
        file: of a run file.
        said: on the command line.
    """
    before, now = file.value("model.weights"), said.value("model.weights")
    other_model = said.value("run.model", "pretrained") != "pretrained"
    other = now is not None and now != before
    if not before or not (other or other_model):
        return []
    keys = [*BROUGHT, *(f"model.{key}" for key in Sizes.model_fields), *(["model.weights"] if other_model else [])]
    return [key for key in keys if key in file and key not in said]


def _located(name: str) -> Path:
    # There may be no such user, or a name longer than the system allows.
    with suppress(OSError, RuntimeError):
        folder = Path(name).expanduser()
        if folder.is_dir():
            return folder
    if name.startswith(HUGGING_FACE):
        return _fetched_repository(name.removeprefix(HUGGING_FACE))
    if name.startswith(KAGGLE):
        return _fetched_preset(name.removeprefix(KAGGLE))
    raise DataError(
        f"There is no folder {name}. model.weights takes a folder, hf://OWNER/NAME, or a Keras preset such as "
        "kaggle://keras/bert/keras/bert_tiny_en_uncased."
    )


def _fetched_repository(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise DataError("Checkpoints of Hugging Face need the extra [text]: pip install 'sonde[text]'.") from None
    try:
        return Path(snapshot_download(name, allow_patterns=list(FETCHED)))
    # Whatever the library, its servers and the network between find wrong.
    except Exception as error:
        raise _not_fetched(HUGGING_FACE + name, error) from None


def _fetched_preset(name: str) -> Path:
    try:
        import kagglehub
    except ImportError:
        raise DataError("Keras presets need the extra [pretrained]: pip install 'sonde[pretrained]'.") from None
    try:
        return Path(kagglehub.model_download(name))
    except Exception as error:  # As above.
        raise _not_fetched(KAGGLE + name, error) from None


def _not_fetched(name: str, error: Exception) -> DataError:
    reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
    return DataError(
        f"{name} could not be fetched: {reason}. Check the name and the connection, or fetch the folder elsewhere and "
        "name it."
    )


def _sizes(folder: Path, said: Mapping[str, Any], form: str) -> Sizes:
    family = KERAS.get(str(said.get("class_name"))) if form == "keras" else said.get("model_type")
    if family not in KERAS.values():
        what = said.get("class_name") if form == "keras" else said.get("model_type")
        raise DataError(
            f"{folder} holds a '{what}'; text encoders of the kinds {', '.join(KERAS.values())} can be trained further."
        )
    try:
        values = _keras_values(said, family) if form == "keras" else _their_values(said, family)
        sizes = Sizes.model_validate({"family": family, **values})
    except KeyError as error:
        raise DataError(f"{folder / 'config.json'} lacks {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(f"{folder / 'config.json'}: {first['loc'][0]} is not possible: {first['msg']}.") from None
    if sizes.width % sizes.heads:
        raise DataError(f"{folder / 'config.json'}: {sizes.heads} heads cannot share {sizes.width} numbers.")
    return sizes


def _their_values(said: Mapping[str, Any], family: Any) -> dict[str, Any]:
    distil = family == "distilbert"
    activation = said.get("activation" if distil else "hidden_act", "gelu")
    if activation not in ("gelu", "gelu_new", "gelu_pytorch_tanh"):
        raise DataError(f"The checkpoint's activation '{activation}' is not known; gelu and gelu_new are.")
    if said.get("position_embedding_type", "absolute") != "absolute":
        raise DataError("The checkpoint's positions are relative; absolute ones are known.")
    names = ("dim", "n_layers", "n_heads", "hidden_dim") if distil else (
        "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")  # fmt: skip
    return {
        **dict(zip(VALUES, (said[name] for name in names), strict=True)),
        "positions": said["max_position_embeddings"] - _first_place(said, family),
        "gelu": "exact" if activation == "gelu" else "tanh",
        "epsilon": said.get("layer_norm_eps", EPSILON[family]),
    }


def _first_place(said: Mapping[str, Any], family: str) -> int:
    """Return the row of the first place: RoBERTa's padding has a place of its own, and those before it are not used."""
    return int(said.get("pad_token_id", 1)) + 1 if family == "roberta" else 0


def _keras_values(said: Mapping[str, Any], family: Any) -> dict[str, Any]:
    inner = said["config"]
    names = ("hidden_dim", "num_layers", "num_heads", "intermediate_dim")
    return {
        **dict(zip(VALUES, (inner[name] for name in names), strict=True)),
        "positions": inner["max_sequence_length"],
        # The library computes BERT's activation by the tangent, and the others' exactly.
        "gelu": "tanh" if family == "bert" else "exact",
        "epsilon": EPSILON[family],
    }


def _their_tokens(folder: Path, family: str, around: tuple[str, str]) -> Tokens:
    whole, said = folder / "tokenizer.json", folder / "tokenizer_config.json"
    if whole.is_file():
        return _from_library(whole, around)
    if family == "roberta":
        return _byte_pairs(folder / "vocab.json", folder / "merges.txt", around)
    cleans = _read_json(said) if said.is_file() else {}
    lower, accents = bool(cleans.get("do_lower_case", True)), cleans.get("strip_accents")
    accents = lower if accents is None else bool(accents)
    return Tokens("word-pieces", _lines(folder / "vocab.txt"), around, lower=lower, strip_accents=accents)


def _keras_tokens(folder: Path, family: str, around: tuple[str, str]) -> Tokens:
    place = folder / "assets" / "tokenizer"
    if family == "roberta":
        return _byte_pairs(place / "vocabulary.json", place / "merges.txt", around)
    inner = _read_json(folder / "tokenizer.json").get("config") or {}
    lower, accents = (bool(inner.get(each, False)) for each in ("lowercase", "strip_accents"))
    return Tokens("word-pieces", _lines(place / "vocabulary.txt"), around, lower=lower, strip_accents=accents)


def _from_library(file: Path, around: tuple[str, str]) -> Tokens:
    """Read the description that the library `tokenizers` writes."""
    said = _read_json(file)
    model, cleans, cuts = (said.get(name) or {} for name in ("model", "normalizer", "pre_tokenizer"))
    # Files from before 2020, as those of the best-known models are, do not name the kind.
    kind = model.get("type") or (
        "BPE" if "merges" in model else "WordPiece" if "max_input_chars_per_word" in model else ""
    )
    if kind not in ("WordPiece", "BPE"):
        raise DataError(f"{file}: tokens of the kind '{kind}' are not known; WordPiece and BPE are.")
    added = {each["content"]: each["id"] for each in said.get("added_tokens") or []}
    known = _in_order(file, {**model["vocab"], **added})
    if kind == "BPE":
        if cuts.get("type") != "ByteLevel" or cleans:
            raise DataError(f"{file}: byte pairs are known as RoBERTa has them: of bytes (ByteLevel), of plain text.")
        blank = bool(cuts.get("add_prefix_space", False))
        return Tokens("byte-pair", known, around, _pairs(file, model.get("merges") or []), blank_before=blank)
    usual = model.get("continuing_subword_prefix", "##") == "##" and model.get("unk_token", "[UNK]") == UNKNOWN_PIECE
    if cleans.get("type") != "BertNormalizer" or cuts.get("type") != "BertPreTokenizer" or not usual:
        raise DataError(
            f"{file}: word pieces are known as BERT has them (BertNormalizer, BertPreTokenizer, ##, [UNK]), and these "
            "are cut otherwise."
        )
    lower, accents = bool(cleans.get("lowercase", True)), cleans.get("strip_accents")
    accents = lower if accents is None else bool(accents)
    return Tokens("word-pieces", known, around, lower=lower, strip_accents=accents)


def _byte_pairs(vocabulary: Path, merges: Path, around: tuple[str, str]) -> Tokens:
    lines = [line for line in _lines(merges) if not line.startswith("#version")]
    known = _in_order(vocabulary, _read_json(vocabulary))
    return Tokens("byte-pair", known, around, _pairs(merges, lines))


def _pairs(file: Path, said: list[Any]) -> tuple[tuple[str, str], ...]:
    pairs = [tuple(each.split(" ")) if isinstance(each, str) else tuple(each) for each in said]
    if any(len(pair) != 2 for pair in pairs):
        raise DataError(f"{file}: the joins of its byte pairs are damaged; each is of two tokens.")
    return tuple((str(first), str(second)) for first, second in pairs)


def _in_order(file: Path, numbers: Mapping[str, Any]) -> tuple[str, ...]:
    known = sorted(numbers, key=lambda token: numbers[token])
    if [numbers[token] for token in known] != list(range(len(known))):
        raise DataError(f"{file}: its tokens are damaged; their numbers do not run from 0 without gaps.")
    return tuple(known)


def _lines(file: Path) -> tuple[str, ...]:
    text = _read(file)
    return tuple((text.removesuffix("\n")).split("\n"))


def _read_json(file: Path) -> dict[str, Any]:
    try:
        said = parse_json(_read(file), finite=False)
    except Unsound as error:
        raise DataError(f"{file} cannot be read: {error}. Fetch the checkpoint again.") from None
    if not isinstance(said, dict):
        raise DataError(f"{file} is not a description: a JSON object was expected.")
    return said


def _read(file: Path) -> str:
    if not file.is_file():
        raise DataError(
            f"There is no {file.name} in {file.parent}. A checkpoint is a folder as Hugging Face's or Keras's "
            "libraries save it."
        )
    try:
        return read_bytes(file, LARGEST_TEXT).decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise DataError(f"{file} is not text in UTF-8.") from None
