"""Each category of a table gets a vector that is learned, and numbers stay what they are."""

from typing import Any

import numpy as np
import pytest

from batching import logits_of, stepped
from sonde import backend
from sonde.models.reads import Reads


@pytest.fixture(scope="module", autouse=True)
def torch_backend() -> None:
    backend.use("torch").start(threads=1)


def build(levels: tuple[int, ...], numbers: int) -> Any:
    from sonde.models import options_of
    from sonde.models.assemble import Blueprint, build

    shape = (numbers + len(levels),)
    return build(
        Blueprint("mlp", "classification", Reads(shape, cardinalities=levels), 3, options_of("mlp")(width=8)), seed=0
    )


def test_the_width_of_a_vector_grows_with_the_values_and_stays_below_them() -> None:
    from sonde.models.embeddings import WIDEST, width_of

    assert [width_of(level) for level in (1, 2, 3, 4, 11, 10_000)] == [1, 1, 2, 2, 6, WIDEST]


def test_numbers_come_through_and_codes_become_rows_of_their_tables() -> None:
    import keras

    from sonde.models.embeddings import embedded

    reads = Reads((4,), cardinalities=(3, 300))
    inputs = keras.Input((4,))
    model = keras.Model(inputs, embedded(inputs, reads))
    rows = np.array([[0.5, -2.0, 2, 299], [1.5, 3.0, 0, 257]], np.float32)
    out = np.array(model(rows).detach())
    assert out.shape == (2, 2 + 2 + 50)
    tables = {layer.name: layer.get_weights()[0] for layer in model.layers if layer.name.startswith("category")}
    expected = np.concatenate([rows[:, :2], tables["category_1"][[2, 0]], tables["category_2"][[299, 257]]], axis=1)
    np.testing.assert_array_equal(out, expected)


def test_a_value_that_training_never_saw_begins_in_the_middle_of_the_others() -> None:
    model = build((5, 300), 1)
    for name in ("category_1", "category_2"):
        table = model.get_layer(name).get_weights()[0]
        assert (table[0] == 0).all() and (table[1:] != 0).all()
        assert (table[1:] ** 2).sum(axis=1).mean() == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize(("levels", "numbers"), [((), 3), ((4,), 0), ((4, 2), 3)])
def test_a_table_of_numbers_of_categories_or_of_both_can_be_read(levels: tuple[int, ...], numbers: int) -> None:
    model = build(levels, numbers)
    assert model({"inputs": np.zeros((5, numbers + len(levels)), np.float32)})["logits"].shape == (5, 3)


def test_the_step_runs_natively_and_learns_what_only_a_category_tells() -> None:
    from sonde.backend import EngineSettings
    from sonde.models.heads import head as head_of

    rng = np.random.default_rng(0)
    codes = rng.integers(0, 6, 240)
    rows = np.stack([rng.normal(size=240), codes], axis=1).astype(np.float32)
    truth = (codes % 3).astype(np.int32)
    module, head = backend.use("torch"), head_of("classification")
    settings = EngineSettings(optimizer="adamw", head=head.NAME)
    engine = module.build(build((6,), 1), head.loss({}), head.scores, settings)
    assert not engine.fallbacks
    for _ in range(60):
        stepped(engine, rows, truth, 0.02)
    assert (logits_of(engine, rows).argmax(axis=1) == truth).mean() > 0.98
