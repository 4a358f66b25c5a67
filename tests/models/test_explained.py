"""What each method promises on small models of the zoo: a weight for every place, or why it does not apply."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from descriptions import described
from sonde import backend, data
from sonde.answers import ANSWERS
from sonde.answers.classification.fitted import Fitted
from sonde.answers.classification.target import ClassTarget
from sonde.data.audio.spec import AudioSpec
from sonde.data.audio.spec import Options as AudioOptions
from sonde.data.ragged import texts
from sonde.data.series import spec as series
from sonde.data.table.spec import CategoryColumn, NumberColumn, TableSpec
from sonde.data.text.spec import TextSpec
from sonde.drawing import Text
from sonde.errors import ConfigError
from sonde.evaluation.explanations import EXPLANATIONS, Subject
from sonde.evaluation.explanations.explain import Explanation, explain_one
from sonde.evaluation.explanations.of_files import draw, row_of
from sonde.evaluation.trained_model import TrainedModel
from sonde.models import options_of
from sonde.models.assemble import Blueprint, build
from sonde.models.predicting import predicting_engine
from sonde.models.reads import reads_of

CLASSES = ("ant", "bee & <b>", "cat")
IMAGE = data.ImageSpec(height=12, width=10, channels=3, mean=(0.5,) * 3, std=(0.25,) * 3)
AUDIO = AudioSpec.of(AudioOptions(sample_rate=8000, seconds=0.3, bands=20)).model_copy(
    update={"mean": (-40.0,) * 20, "std": (20.0,) * 20}
)
WORDS = ["free", "call", "now", "win", "a", "prize", "today", "hello", "see", "you", "later"]
TEXT = TextSpec(tokens="words", vocabulary="\n".join(WORDS), length=32)
TABLE = TableSpec(
    numbers=(
        NumberColumn(name="age", median=40.0, knots=(20.0, 60.0), heights=(-1.0, 1.0)),
        NumberColumn(name="height", median=1.7, knots=(1.5, 2.0), heights=(-1.0, 1.0)),
    ),
    categories=(CategoryColumn(name="city", values=("Bonn", "Rome")),),
)


def subject(spec: Any, model: str, modality: str, options: dict[str, Any]) -> Subject:
    """Return a fresh model of the zoo as what is explained; its head is made large, so that answers differ."""
    module = backend.use("torch")
    blueprint = Blueprint(model, "classification", reads_of(spec), len(CLASSES), options_of(model)(**options))
    keras_model = build(blueprint, seed=3)
    head = keras_model.get_layer("answer")
    head.kernel.assign(head.kernel * 10)
    task = ANSWERS["classification"].tasks[modality]
    said = described(model, {}, reads_of(spec), task=task, classes=CLASSES)
    engine = predicting_engine(module, keras_model, "classification")
    trained = TrainedModel(engine, said, spec, ClassTarget(CLASSES), Fitted(), model=keras_model, module=module)
    return Subject(trained, modality)


def raw_of(modality: str, *, ragged: bool = False) -> Any:
    """Return two raw examples."""
    rng = np.random.default_rng(0)
    if modality == "image":
        return rng.integers(0, 256, (2, 12, 10, 3)).astype(np.uint8)
    if modality == "audio":
        return rng.uniform(-80, 0, (2, AUDIO.frames, 20)).astype(np.float32)
    if modality == "text":
        return texts(["Hello <script>, call now to win a prize!", "see you later"])
    if modality == "table":
        kind = [("age", "f8"), ("height", "f8"), ("city", "U10"), ("name", "U10")]
        return np.array([(25.0, 1.9, "Rome", "x"), (np.nan, 1.6, "", "y")], dtype=kind)
    if ragged:
        return data.Ragged.of([rng.normal(size=(length, 2)).astype(np.float32) for length in (13, 21)])
    return rng.normal(size=(2, 20, 2)).astype(np.float32)


def learned(raw: Any) -> Any:
    """Return the spec of some series."""
    return series.learn(raw, SimpleNamespace(stored=raw, encoding=""), series.Options())  # type: ignore[arg-type]


SERIES, RAGGED = learned(raw_of("series")), learned(raw_of("series", ragged=True))

CASES: dict[str, tuple[Any, str, str, dict[str, Any], set[str]]] = {
    "cnn": (IMAGE, "cnn", "image", {"width": 4, "stages": 2}, set()),
    "mlp": (IMAGE, "mlp", "image", {"width": 8, "depth": 1}, {"grad-cam"}),
    "sound": (AUDIO, "dscnn", "audio", {}, set()),
    "sound in steps": (AUDIO, "rnn", "audio", {"width": 8, "depth": 1}, {"grad-cam"}),
    "words": (TEXT, "transformer", "text", {"width": 8, "depth": 2, "heads": 2}, set()),
    "windows of words": (TEXT, "textcnn", "text", {}, {"attention"}),
    "n-grams": (TEXT, "bag", "text", {"width": 8, "buckets": 64}, {"integrated-gradients", "attention"}),
    "series": (SERIES, "rnn", "series", {"width": 8, "depth": 1}, {"grad-cam"}),
    "series of any length": (RAGGED, "rnn", "series", {"width": 8, "depth": 1}, {"grad-cam"}),
    "rows": (TABLE, "mlp", "table", {"width": 8, "depth": 1}, set()),
}
"""Spec, model, modality, options, and the methods that do not apply."""


def explained(case: str, row: int = 0, **more: Any) -> tuple[Subject, Explanation]:
    """Explain one example of a case."""
    spec, model, modality, options, _ = CASES[case]
    its = subject(spec, model, modality, options)
    raw = raw_of(modality, ragged=spec is RAGGED)
    return its, explain_one(its, raw[row : row + 1], name="dir/<i>one</i>\n.x", **more)


def places(explanation: Explanation) -> tuple[int, ...]:
    """Return how many places a picture has."""
    shown = explanation.picture
    for name in ("values_TF", "values_HWC", "values_TC"):
        if hasattr(shown, name):
            shape: tuple[int, ...] = getattr(shown, name).shape
            return {"values_TF": shape, "values_HWC": shape[:2], "values_TC": shape[:1]}[name]
    return (len(shown.pieces) if isinstance(shown, Text) else len(shown.columns),)  # type: ignore[union-attr]


@pytest.mark.parametrize("row", [0, 1])
@pytest.mark.parametrize("case", CASES)
def test_every_method_gives_a_weight_for_every_place_or_says_why_not(case: str, row: int) -> None:
    _, explanation = explained(case, row)
    assert set(explanation.found) == set(EXPLANATIONS[explanation.modality])
    for method, found in explanation.found.items():
        assert bool(found.reason) == (method in CASES[case][4]), (method, found.reason)
        if found.reason:
            assert found.weights is None and not found.reason.endswith(".")
        else:
            assert found.weights is not None and found.weights.shape == places(explanation), method
            assert np.isfinite(found.weights).all() and found.sentence.endswith(".")
        if method == "integrated-gradients" and not found.reason:
            assert found.facts["complete"], found.facts
            assert float(found.weights.sum()) == pytest.approx(  # type: ignore[union-attr]
                found.facts["difference"] - found.facts["gap"], rel=1e-3, abs=1e-4
            )


@pytest.mark.parametrize("case", CASES)
def test_the_picture_is_whole_and_harmless_and_the_rest_is_plain(case: str) -> None:
    _, explanation = explained(case)
    picture = draw(explanation, "explained-1")
    root = ElementTree.fromstring(picture)
    assert root[0].tag.endswith("title") and len(root[1].text or "") > 20
    assert "<script" not in picture and "<b>" not in picture and "<i>" not in picture
    assert not re.search(r"\b(nan|inf|None)\b", re.sub(r'href="[^"]*"', "", picture))
    row = row_of(explanation, Path("one.svg"))
    assert json.loads(json.dumps(row, allow_nan=False)) == row


def test_occlusion_of_a_word_is_what_the_logit_loses_without_it() -> None:
    its, explanation = explained("n-grams", 1)
    raw = texts(["see you later", "you later", "see later", "see you"])
    target = CLASSES.index(explanation.about)
    logits = its.outputs(its.spec.encode(raw))[:, target]
    assert explanation.found["occlusion"].weights == pytest.approx(logits[0] - logits[1:], abs=1e-5)


def test_occlusion_of_a_column_is_what_the_logit_loses_where_it_is_missing() -> None:
    its, explanation = explained("rows")
    raw = np.repeat(raw_of("table")[:1], 2)
    raw["city"][1] = ""
    logits = its.outputs(its.spec.encode(raw))[:, CLASSES.index(explanation.about)]
    weights = explanation.found["occlusion"].weights
    assert weights is not None and weights[2] == pytest.approx(logits[0] - logits[1], abs=1e-5)
    # What a row lacks already cannot be taken away.
    other = explained("rows", 1)[1].found["occlusion"].weights
    assert other is not None and other[0] == 0 and other[2] == 0


def test_words_that_the_model_does_not_know_stand_in_brackets_as_they_were_written() -> None:
    _, explanation = explained("words")
    assert isinstance(explanation.picture, Text)
    assert "[script]" in explanation.picture.pieces and "call" in explanation.picture.pieces


def test_another_class_is_explained_otherwise() -> None:
    _, one = explained("cnn", about="ant")
    _, other = explained("cnn", about="cat")
    assert (one.about, other.about) == ("ant", "cat") and one.prediction == other.prediction
    weights: list[NDArray[np.float64] | None] = [each.found["integrated-gradients"].weights for each in (one, other)]
    assert weights[0] is not None and weights[1] is not None and not np.allclose(*weights)


def test_a_slip_in_a_name_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no class 'bat'\. Did you mean 'cat'\?"):
        explained("cnn", about="bat")
    with pytest.raises(ConfigError, match="Did you mean 'grad-cam'"):
        explained("cnn", only=("gradcam",))
    with pytest.raises(ConfigError, match=r"'attention' does not go with image; these do: grad-cam, integrated-grad"):
        explained("cnn", only=("attention",))


def test_a_model_that_counts_is_not_explained_by_a_gradient_of_nothing() -> None:
    its = subject(SERIES, "rnn", "series", {"width": 8, "depth": 1})
    its.__dict__["engine"] = SimpleNamespace(
        predict=lambda batch: {"logits": np.round(batch["inputs"].sum(axis=(1, 2)))[:, None] * np.ones(3)},
        gradient=lambda batch, of: np.zeros_like(batch["inputs"]),
    )
    raw = np.ones((1, 20, 2), dtype=np.float32)
    found = explain_one(its, raw, name="x", only=("integrated-gradients",)).found["integrated-gradients"]
    assert found.weights is None and "moves in jumps" in found.reason


def test_several_models_together_say_that_one_is_to_be_explained() -> None:
    its, _ = explained("cnn")
    together = Subject(replace(its.opened, model=None, module=None), "image")
    found = explain_one(together, raw_of("image")[:1], name="x").found
    assert all("explain one of them" in each.reason for each in found.values())
