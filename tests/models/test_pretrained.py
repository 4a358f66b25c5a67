"""Pretrained encoders: read from the forms in which they are published, they compute what their libraries compute."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import sonde
from batching import logits_of
from checkpoint_makers import DEPTH, HEADS, HIDDEN, JOINS, PAIRS, PIECES, POSITIONS, WIDTH, hugging_face
from sonde import backend, data
from sonde.config import from_words
from sonde.data.listing import Listing
from sonde.data.ragged import texts
from sonde.data.text import spec as text
from sonde.data.text.options import Options
from sonde.errors import ConfigError, DataError, ModelError
from sonde.evaluation.explanations import EXPLANATIONS
from sonde.models.reads import reads_of

FAMILIES = ("bert", "distilbert", "roberta")
TEXTS = ["The films was good, café", "bad", "the the the good film was unfilms good", ""]


@pytest.fixture(autouse=True)
def torch_backend() -> None:
    backend.use("torch").start(threads=1)


def plain_listing() -> Listing:
    listing = Listing.__new__(Listing)
    object.__setattr__(listing, "text_columns", ())
    return listing


def spec_of(folder: Path, **more: Any) -> text.TextSpec:
    guesses = data.guess_from_checkpoint(from_words({"model.weights": str(folder)}), "text")
    said = {key: each.value for key, each in guesses.part("text").items()} | more
    return text.adopt(texts(TEXTS), plain_listing(), Options(**said), str(folder))


def begun(folder: Path, spec: text.TextSpec, pool: str = "first") -> Any:
    from sonde.models import options_of
    from sonde.models.assemble import Blueprint, build
    from sonde.models.weights.text_encoders import Source, begin_with_checkpoint

    checkpoint = data.read_checkpoint(str(folder))
    options = options_of("pretrained")(**checkpoint.sizes.model_dump(), pool=pool)
    model = build(Blueprint("pretrained", "classification", reads_of(spec), 3, options), seed=1)
    source = Source(checkpoint.folder, checkpoint.form, checkpoint.tokens.known, checkpoint.first_place)
    begin_with_checkpoint(model, options, source)
    return model


def behind(model: Any, tokens_BT: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return what the encoder says of each token."""
    import keras

    last = keras.Model(model.inputs[0], model.get_layer(f"norm_{DEPTH}b").output)
    return keras.ops.convert_to_numpy(last(tokens_BT))


def keras_preset(folder: Path, family: str) -> Path:
    import keras_hub

    kinds = {"bert": "Bert", "distilbert": "DistilBert", "roberta": "Roberta"}
    known = PAIRS if family == "roberta" else PIECES
    made = getattr(keras_hub.models, f"{kinds[family]}Backbone")(
        len(known), DEPTH, HEADS, WIDTH, HIDDEN, max_sequence_length=POSITIONS
    )
    made.save_to_preset(str(folder))
    kind = getattr(keras_hub.tokenizers, f"{kinds[family]}Tokenizer")
    if family == "roberta":
        tokens = kind({token: number for number, token in enumerate(PAIRS)}, [" ".join(pair) for pair in JOINS])
    else:
        tokens = kind(list(PIECES), lowercase=True)
    tokens.save_to_preset(str(folder))
    return folder


def theirs(folder: Path, tokens_BT: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return what the library keras-hub says of each token."""
    import keras
    import keras_hub

    backbone = keras_hub.models.Backbone.from_preset(str(folder))
    inputs = {"token_ids": np.maximum(tokens_BT - 2, 0), "padding_mask": (tokens_BT > 0).astype(np.int32)}
    if "segment_ids" in backbone.input:
        inputs["segment_ids"] = np.zeros_like(tokens_BT)
    out = backbone(inputs)
    return keras.ops.convert_to_numpy(out["sequence_output"] if isinstance(out, dict) else out)


@pytest.mark.parametrize("form", ["hugging-face", "keras"])
@pytest.mark.parametrize("family", FAMILIES)
def test_it_computes_what_keras_hub_computes(family: str, form: str, tmp_path: Path) -> None:
    if form == "keras":
        folder = keras_preset(tmp_path / "made", family)
    else:
        # The library takes the tangent for BERT's activation whatever the file says, and leaves RoBERTa's segment out.
        folder = hugging_face(tmp_path / "made", family, **({"hidden_act": "gelu_new"} if family == "bert" else {}))
        if family == "roberta":
            without_segment(folder)
    spec = spec_of(folder)
    tokens_BT = spec.prepare(spec.encode(texts(TEXTS)))
    ours, expected = behind(begun(folder, spec), tokens_BT), theirs(folder, tokens_BT)
    real = tokens_BT > 0
    assert np.abs(ours[real] - expected[real]).max() < 2e-5
    assert np.abs(expected[real]).max() > 0.5


def without_segment(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    held = load_file(folder / "model.safetensors")
    held["roberta.embeddings.token_type_embeddings.weight"][:] = 0
    save_file(held, folder / "model.safetensors")


@pytest.mark.parametrize("whole", [False, True], ids=["files", "tokenizer.json"])
@pytest.mark.parametrize("family", FAMILIES)
def test_texts_are_cut_as_the_library_cuts_them(family: str, whole: bool, tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    folder = hugging_face(tmp_path / "made", family, whole=whole)
    reference = Tokenizer.from_file(str(hugging_face(tmp_path / "other", family, whole=True) / "tokenizer.json"))
    spec = spec_of(folder)
    encoded = spec.encode(texts(TEXTS))
    known = PAIRS if family == "roberta" else PIECES
    first, last = ("<s>", "</s>") if family == "roberta" else ("[CLS]", "[SEP]")
    for row, each in enumerate(TEXTS):
        ids = [known.index(first), *reference.encode(each, add_special_tokens=False).ids, known.index(last)]
        assert (encoded[row] - 2).tolist() == ids
    again = text.TextSpec.from_dict(spec.to_dict())
    assert np.array_equal(again.encode(texts(TEXTS)).values, encoded.values)


@pytest.mark.parametrize("pool", ["first", "mean", "max", "attention"])
def test_padding_changes_no_answer_and_all_layers_run_natively(pool: str, tmp_path: Path) -> None:
    from sonde.backend.engine import EngineSettings
    from sonde.models.heads import classification

    spec = spec_of(folder := hugging_face(tmp_path / "made", "bert"))
    built = backend.use("torch").build(
        begun(folder, spec, pool), classification.loss({}), classification.scores, EngineSettings()
    )
    tokens_BT = spec.prepare(spec.encode(texts(TEXTS)))
    wide_BT = np.pad(tokens_BT, ((0, 0), (0, 30)))
    assert np.abs(logits_of(built, tokens_BT) - logits_of(built, wide_BT)).max() < 1e-5
    assert built.fallbacks == ()


def test_a_text_that_is_too_long_keeps_what_stands_around_it(tmp_path: Path) -> None:
    spec = spec_of(hugging_face(tmp_path / "made", "bert"), length=6)
    (row,) = spec.named(spec.encode(texts(["the film was good, bad"])))
    assert row == ["[CLS]", "the", "film", "was", "good", "[SEP]"]
    with pytest.raises(DataError, match="more than the encoder reads: 48 tokens"):
        spec_of(tmp_path / "made", length=64)


def test_what_a_checkpoint_brings_cannot_be_said_otherwise(tmp_path: Path) -> None:
    folder = hugging_face(tmp_path / "made", "bert")
    with pytest.raises(DataError, match=r'brings text.tokens = "word-pieces"; leave out text.tokens'):
        spec_of(folder, tokens="words")
    with pytest.raises(DataError, match=r"brings text.lower = true"):
        spec_of(folder, lower=False)
    with pytest.raises(DataError, match=r"Word pieces come with weights: --set model\.weights"):
        text.learn(texts(TEXTS), plain_listing(), Options(tokens="word-pieces"))


def changed(folder: Path, name: str, content: str | bytes | None) -> Path:
    if content is None:
        (folder / name).unlink()
    elif isinstance(content, bytes):
        (folder / name).write_bytes(content)
    else:
        (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("config.json", None, "There is no config.json"),
        ("config.json", "{", "it is not JSON"),
        ("config.json", "[1]", "a JSON object was expected"),
        ("config.json", '{"model_type": "t5"}', "holds a 't5'; text encoders of the kinds bert"),
        ("config.json", '{"model_type": "bert"}', "lacks 'hidden_size'"),
        ("vocab.txt", None, "There is no vocab.txt"),
        ("vocab.txt", "a\nb\n", "lacks [CLS] and [SEP] and [UNK]"),
        ("vocab.txt", "[CLS]\n[SEP]\n[UNK]\na\na\n", "twice"),
        ("vocab.txt", b"\xff\xfe\x00", "not text in UTF-8"),
        ("tokenizer.json", '{"model": {"type": "Unigram", "vocab": []}}', "'Unigram' are not known"),
        ("tokenizer.json", '{"model": {"type": "WordPiece", "vocab": {"a": 4}}}', "from 0 without gaps"),
        ("tokenizer.json", '{"model": {"type": "WordPiece", "vocab": {"a": 0}}}', "known as BERT has them"),
        ("tokenizer.json", '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}', "byte pairs are known as"),
        ("tokenizer.json", '{"model": []}', "tokens of the kind '' are not known"),
        ("tokenizer.json", '{"model": "WordPiece"}', "is damaged (AttributeError"),
        ("config.json", '{"model_type": "bert", "hidden_size": "16"}', "lacks 'num_hidden_layers'"),
        ("config.json", '{"class_name": "BertBackbone", "config": []}', "is damaged (TypeError"),
        ("config.json", '{"a": ' + "9" * 5000 + "}", "a number of 5,000 digits"),
        ("model.safetensors", None, "has no weights in a file *.safetensors. Save them so"),
    ],
)  # fmt: skip
def test_a_damaged_checkpoint_is_refused_by_the_files_name(
    name: str, content: str | bytes | None, said: str, tmp_path: Path
) -> None:
    folder = changed(hugging_face(tmp_path / "made", "bert"), name, content)
    with pytest.raises(DataError, match=re.escape(said)):
        data.read_checkpoint(str(folder))


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_a_description_from_before_kinds_were_named_is_read(family: str, tmp_path: Path) -> None:
    folder = hugging_face(tmp_path / "made", family, whole=True)
    now = data.read_checkpoint(str(folder)).tokens
    said = json.loads((folder / "tokenizer.json").read_text())
    del said["model"]["type"]
    (folder / "tokenizer.json").write_text(json.dumps(said))
    assert data.read_checkpoint(str(folder)).tokens == now


def test_what_the_config_of_the_tokens_says_is_followed(tmp_path: Path) -> None:
    folder = hugging_face(tmp_path / "made", "bert", layer_norm_eps=1e-6)
    changed(folder, "tokenizer_config.json", '{"do_lower_case": true, "strip_accents": false}')
    found = data.read_checkpoint(str(folder))
    assert found.tokens.lower and not found.tokens.strip_accents and found.sizes.epsilon == 1e-6


def test_joins_of_what_is_no_token_are_refused(tmp_path: Path) -> None:
    folder = hugging_face(tmp_path / "made", "roberta")
    changed(folder, "merges.txt", "#version: 0.2\nt q\n")
    with pytest.raises(DataError, match="byte pairs are joined to what is not among its tokens"):
        data.read_checkpoint(str(folder))


def test_sizes_that_make_no_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="activation 'relu' is not known"):
        data.read_checkpoint(str(hugging_face(tmp_path / "a", "bert", hidden_act="relu")))
    with pytest.raises(DataError, match="width is not possible"):
        data.read_checkpoint(str(hugging_face(tmp_path / "b", "bert", hidden_size=1 << 30)))
    with pytest.raises(DataError, match="3 heads cannot share 16"):
        data.read_checkpoint(str(hugging_face(tmp_path / "c", "bert", num_attention_heads=3)))
    with pytest.raises(DataError, match=r"There is no folder nowhere-to-be. model.weights takes a folder, hf://"):
        data.read_checkpoint("nowhere-to-be")


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    folder = hugging_face(tmp_path / "made", "bert")
    spec = spec_of(folder)
    changed(folder, "model.safetensors", b"12345678")
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        begun(folder, spec)
    changed(folder, "model.safetensors", None)
    changed(folder, "pytorch_model.bin", b"")
    with pytest.raises(DataError, match=r"no weights in a file \*.safetensors \(pytorch_model.bin may hold code"):
        begun(folder, spec)
    hugging_face(folder, "bert", intermediate_size=48)
    with pytest.raises(ModelError, match=r"dense_1a/kernel are \(16, 24\), and by what it says"):
        begun(folder, spec)
    hugging_face(folder, "bert", num_hidden_layers=3)
    with pytest.raises(ModelError, match=r"its weights lack 'encoder.layer.2"):
        begun(folder, spec)


def test_the_model_and_its_checkpoint_go_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hugging_face(tmp_path / "made", "bert")
    lines = [f"the film was {'good' if row % 2 else 'bad'} {row},{row % 2}" for row in range(40)]
    (tmp_path / "films.csv").write_text("\n".join(["text,label", *lines]) + "\n")
    with pytest.raises(ConfigError, match=r"'pretrained' begins with weights of others: --set model\.weights=FOLDER"):
        sonde.train("films.csv", model="pretrained")
    with pytest.raises(ConfigError, match=r"model\.weights is for the model 'pretrained'; leave out --model=bag"):
        sonde.train("films.csv", model="bag", set=["model.weights=made"])
    with pytest.raises(DataError, match=r"model\.weights brings model\.heads = 2; leave out model\.heads = 4"):
        sonde.train("films.csv", set=["model.weights=made", "model.heads=4"])
    with pytest.raises(DataError, match=r"text\.length = 2 leaves no room"):
        sonde.train("films.csv", set=["model.weights=made", "text.length=2"])
    with pytest.raises(DataError, match=r"--set model\.weights=nowhere: There is no folder nowhere"):
        sonde.train("films.csv", set=["model.weights=nowhere"])
    assert not (tmp_path / "runs").exists()
    with pytest.raises(
        DataError, match=r"model\.weights = 'made' is for data that .* are known for: text\. Leave it out"
    ):
        sonde.show("digits", set=["model.weights=made"])


def without_prefix(held: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name.removeprefix("bert."): array for name, array in held.items()}]


def with_old_names(held: dict[str, Any]) -> list[dict[str, Any]]:
    old = {".LayerNorm.weight": ".LayerNorm.gamma", ".LayerNorm.bias": ".LayerNorm.beta"}
    return [{next((n.replace(a, b) for a, b in old.items() if n.endswith(a)), n): each for n, each in held.items()}]


def in_parts(held: dict[str, Any]) -> list[dict[str, Any]]:
    names = sorted(held)
    return [{name: held[name] for name in names[first::2]} for first in (0, 1)]


def in_half(held: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: array.astype(np.float16) for name, array in held.items()}]


@pytest.mark.parametrize("written", [without_prefix, with_old_names, in_parts, in_half], ids=lambda each: each.__name__)
def test_weights_are_found_however_they_are_written(written: Any, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    folder = hugging_face(tmp_path / "made", "bert")
    spec = spec_of(folder)
    tokens_BT = spec.prepare(spec.encode(texts(TEXTS)))
    expected = behind(begun(folder, spec), tokens_BT)
    held = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    for number, part in enumerate(written(held), 1):
        save_file(part, folder / f"model-{number}.safetensors")
    gap = np.abs(behind(begun(folder, spec), tokens_BT) - expected).max()
    assert 0 < gap < 0.02 if written is in_half else gap == 0


def test_one_option_trains_a_pretrained_encoder_and_the_run_is_whole_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = hugging_face(tmp_path / "made", "bert")
    rng = np.random.default_rng(0)
    rows = ["text,label"]
    for number in range(240):
        good = number % 2
        words = [*rng.choice(["the", "film", "was", "films", str(number)], 4), "good" if good else "bad"]
        rows.append(f"{' '.join(rng.permutation(words))},{'yes' if good else 'no'}")
    (tmp_path / "films.csv").write_text("\n".join(rows) + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    quick = ("training.precision=fp32", "training.threads=1", "evaluation.resamples=100", "evaluation.explain=2")
    run = sonde.train("films.csv", epochs=30, set=["model.weights=made", "training.learning_rate=0.003", *quick])
    assert run.read_json(run.scores_file)["test"]["accuracy"]["value"] > 0.9
    assert run.settings().value("model.weights") == "made"
    assert "weights" not in run.read_json(run.model / "model.json")["options"]
    shutil.rmtree(folder)
    (answer,) = sonde.predict(run.path, ["the film was good"])
    assert answer["prediction"] == "yes"
    (explained,) = sonde.explain(run.path, ["the film was good"])
    methods = {each["method"]: each for each in explained["methods"]}
    assert set(methods) == set(EXPLANATIONS["text"])
    assert not any("does_not_apply" in each for each in methods.values())
    before = run.read_json(run.scores_file)["test"]
    assert sonde.evaluate(run.path)["test"] == before
    file = str(run.settings_file)
    again = sonde.train(file, model="bag", epochs=1, name="again", set=["model.width=8"])
    assert again.settings().value("text.tokens") == "words" and not again.settings().value("model.weights")
    hugging_face(tmp_path / "other", "roberta", seed=3)
    other = sonde.train(file, epochs=1, name="other", set=["model.weights=other"])
    assert other.settings().value("text.tokens") == "byte-pair"
    assert other.settings().value("model.family") == "roberta"
