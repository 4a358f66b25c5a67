"""The models of texts: padding never changes an answer, and they see what they are for."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from batching import logits_of
from sonde import backend
from sonde.backend.engine import EngineSettings
from sonde.errors import ModelError
from sonde.models import options_of
from sonde.models.reads import Reads

NAMES = ("textcnn", "bag")
SMALL: dict[str, dict[str, Any]] = {"textcnn": {"embedding": 12, "filters": 6}, "bag": {"width": 8, "buckets": 64}}
LEVELS = 30


@pytest.fixture(autouse=True)
def torch_backend() -> None:
    backend.use("torch").start(threads=1)


def blueprint(name: str, levels: int = LEVELS, **more: Any) -> Any:
    from sonde.models.assemble import Blueprint

    return Blueprint(
        name, "classification", Reads((None,), "int32", (levels,)), 3, options_of(name)(**{**SMALL[name], **more})
    )


def engine(name: str, **more: Any) -> Any:
    from sonde.models.assemble import build
    from sonde.models.heads import classification

    model = build(blueprint(name, **more), seed=1)
    return backend.use("torch").build(model, classification.loss({}), classification.scores, EngineSettings())


def padded(rows: list[list[int]], length: int) -> NDArray[np.int32]:
    return np.array([[*row, *[0] * (length - len(row))] for row in rows], dtype=np.int32)


TEXTS = [[2, 3, 4, 5, 6, 7, 8], [9, 10], [3], [2, 2, 2, 29, 28]]


@pytest.mark.parametrize("more", [{}, {"ngrams": 1}, {"ngrams": 4}, {"shortest": 1, "longest": 9}], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_padding_and_company_change_no_answer(name: str, more: dict[str, Any]) -> None:
    known = options_of(name).model_fields
    built = engine(name, **{key: value for key, value in more.items() if key in known})
    together = logits_of(built, padded(TEXTS, 8))
    assert np.abs(logits_of(built, padded(TEXTS, 24)) - together).max() < 1e-5
    alone = np.concatenate([logits_of(built, padded([row], max(len(row), 1))) for row in TEXTS])
    assert np.abs(alone - together).max() < 1e-5
    assert np.abs(together[0] - together[1]).max() > 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_every_layer_runs_natively_on_torch(name: str) -> None:
    assert engine(name).fallbacks == ()


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_text_has_a_finite_answer(name: str) -> None:
    assert np.isfinite(logits_of(engine(name), np.zeros((2, 8), dtype=np.int32))).all()


def test_a_bag_of_words_knows_no_order_and_one_of_pairs_does() -> None:
    forth, back = padded([[2, 3, 4, 5]], 8), padded([[5, 4, 3, 2]], 8)
    words, pairs = engine("bag", ngrams=1), engine("bag", ngrams=2)
    assert np.abs(logits_of(words, forth) - logits_of(words, back)).max() < 1e-6
    assert np.abs(logits_of(pairs, forth) - logits_of(pairs, back)).max() > 1e-5


def test_windows_of_words_find_the_same_pattern_anywhere() -> None:
    built = engine("textcnn", shortest=1, longest=1)
    first, last = padded([[7, 2, 2, 2]], 8), padded([[2, 2, 2, 7]], 8)
    assert np.abs(logits_of(built, first) - logits_of(built, last)).max() < 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_images_are_refused(name: str) -> None:
    from sonde.models.assemble import Blueprint, build

    with pytest.raises(ModelError, match=r"It reads texts\."):
        build(Blueprint(name, "classification", Reads((8, 8, 1)), 3, options_of(name)()), seed=0)


def test_more_tokens_than_the_hash_can_hold_are_refused() -> None:
    from sonde.models.assemble import build

    with pytest.raises(ModelError, match="hash at most 50,002 tokens"):
        build(blueprint("bag", levels=60_000, ngrams=2), seed=0)


@pytest.mark.parametrize("name", NAMES)
def test_embeddings_may_begin_with_word_vectors_of_the_same_width(name: str) -> None:
    from sonde.models.assemble import build
    from sonde.models.weights.word_vectors import begin_with_vectors

    width = {"textcnn": 12, "bag": 8}[name]
    model = build(blueprint(name), seed=1)
    vectors = np.random.default_rng(0).normal(size=(LEVELS, width)).astype(np.float32)
    begin_with_vectors(model, vectors)
    tables = [layer.get_weights()[0] for layer in model.layers if layer.name in ("embedding", "words")]
    assert len(tables) == 1 and (tables[0] == vectors).all()
    with pytest.raises(ModelError, match=rf"have 5 numbers and the embeddings of '{name}' {width}\. Set .*=5"):
        begin_with_vectors(model, vectors[:, :5])
    with pytest.raises(ModelError, match="has no embeddings of tokens"):
        begin_with_vectors(model, vectors[:7])
