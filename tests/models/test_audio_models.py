"""The models of recordings read spectrograms, and what is in them decides the answer."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from batching import logits_of, stepped
from sonde import backend
from sonde.backend.engine import EngineSettings
from sonde.errors import ModelError
from sonde.models import MODELS, options_of
from sonde.models.reads import Reads

NAMES = ["crnn", "spectrogram-cnn", "dscnn"]
SMALL: dict[str, dict[str, Any]] = {
    "crnn": {"width": 4, "units": 8},
    "spectrogram-cnn": {"width": 4, "stages": 2},
    "dscnn": {"width": 8, "blocks": 2},
}
SHAPES = [(43, 40), (98, 64), (5, 13), (1, 1), (300, 1), (1, 80)]


@pytest.fixture(autouse=True)
def torch_backend() -> None:
    backend.use("torch").start(threads=1)


def engine_of(name: str, shape: tuple[int, ...] = (43, 40), **more: Any) -> Any:
    from sonde.models.assemble import Blueprint, build
    from sonde.models.heads import classification

    blueprint = Blueprint(
        name, "classification", Reads(shape), 2, options_of(name)(**{**SMALL[name], "dropout": 0.0, **more})
    )
    return backend.use("torch").build(
        build(blueprint, seed=1), classification.loss({}), classification.scores, EngineSettings()
    )


def tones(shape: tuple[int, int] = (43, 40), count: int = 16) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return spectrograms of silence with a tone somewhere: low is class 0, high is class 1."""
    rng = np.random.default_rng(0)
    inputs = np.full((count, *shape), -1.0, np.float32) + 0.1 * rng.normal(size=(count, *shape)).astype(np.float32)
    truth = (np.arange(count) % 2).astype(np.int32)
    for row, kind in enumerate(truth):
        start, band = rng.integers(0, shape[0] - 8), 5 if kind == 0 else 30
        inputs[row, start : start + 8, band : band + 3] = 3.0
    return inputs, truth


def test_the_first_model_that_reads_recordings_is_the_default_and_others_read_them_too() -> None:
    readers = [name for name, row in MODELS.items() if "audio" in row.reads]
    assert readers[0] == "crnn" and {*NAMES, "rnn", "transformer"} <= set(readers)
    assert "image" in MODELS["crnn"].reads


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_spectrograms_of_any_size_give_finite_logits_with_native_operations(name: str, shape: tuple[int, int]) -> None:
    engine = engine_of(name, shape)
    logits = logits_of(engine, np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32))
    assert logits.shape == (3, 2) and np.isfinite(logits).all() and engine.fallbacks == ()


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_pitch_wherever_it_is_heard(name: str) -> None:
    engine, (inputs, truth) = engine_of(name), tones()
    losses = [1.0]
    while losses[-1] > 0.05 and len(losses) < 300:
        losses.append(stepped(engine, inputs, truth, 5e-3)[0])
    assert losses[-1] < 0.1
    for _ in range(30):  # Its norms' statistics follow.
        stepped(engine, inputs, truth, 0.0)
    assert (logits_of(engine, inputs).argmax(axis=1) == truth).all()


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("pool", ["attention", "mean", "max"])
def test_a_crnn_hears_the_order_of_sounds(cell: str, pool: str) -> None:
    rng = np.random.default_rng(0)
    inputs = 0.1 * rng.normal(size=(32, 24, 16)).astype(np.float32)
    truth = (np.arange(32) % 2).astype(np.int32)
    for row, kind in enumerate(truth):
        first, second = (2, 10) if kind == 0 else (10, 2)
        inputs[row, 3:9, first : first + 3] = inputs[row, 15:21, second : second + 3] = 3.0
    engine = engine_of("crnn", (24, 16), cell=cell, pool=pool)
    losses = [stepped(engine, inputs, truth, 1e-2)[0] for _ in range(80)]
    assert losses[-1] < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_picture_is_refused_with_the_cure(name: str) -> None:
    from sonde.models.assemble import Blueprint, build

    with pytest.raises(ModelError, match=r"cannot read inputs of shape \(None, 3\).*another model"):
        build(Blueprint(name, "classification", Reads((None, 3), presence=True), 2, options_of(name)()), seed=0)
