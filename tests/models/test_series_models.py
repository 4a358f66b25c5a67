"""What holds for every model that reads series: finite answers, native operations, and padding that changes nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from batching import logits_of, stepped
from descriptions import described
from sonde import backend
from sonde.backend import EngineSettings
from sonde.errors import ModelError
from sonde.models import MODELS, options_of
from sonde.models.reads import Reads

SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"width": 16},
    "resnet": {"width": 4},
    "fcn": {"width": 8},
    "inceptiontime": {"width": 4, "depth": 4, "longest": 8},
    "lstm-fcn": {"width": 8, "units": 4},
    "minirocket": {"levels": 6},
    "rnn": {"width": 8, "depth": 1},
    "transformer": {"width": 16, "depth": 1},
}
NAMES = [name for name, row in MODELS.items() if "series" in row.reads]
UNEQUAL = [name for name in NAMES if name != "mlp"]
CLASSES = 3


@pytest.fixture(autouse=True)
def torch_backend() -> None:
    backend.use("torch").start(threads=1)


def blueprint(name: str, shape: tuple[int | None, ...], *, presence: bool = False, **more: Any) -> Any:
    from sonde.models.assemble import Blueprint

    known = options_of(name).model_fields
    options = {key: value for key, value in {**SMALL.get(name, {}), **more}.items() if key in known}
    return Blueprint(name, "classification", Reads(shape, presence=presence), CLASSES, options_of(name)(**options))


def engine_of(name: str, shape: tuple[int | None, ...], *, presence: bool = False, **more: Any) -> Any:
    from sonde.models.assemble import build
    from sonde.models.heads import classification

    model = build(blueprint(name, shape, presence=presence, **more), seed=1)
    # Levels of zero are those of a model that has not been taken from data; some that are not tell more.
    rng = np.random.default_rng(5)
    for variable in model.variables:
        if variable.path.endswith("/level"):
            variable.assign(rng.normal(size=variable.shape).astype(np.float32))
    return backend.use("torch").build(model, classification.loss({}), classification.scores, EngineSettings())


def series(length: int = 20, channels: int = 2, count: int = 5) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(count, length, channels)).astype(np.float32)


def padded(lengths: list[int], length: int, channels: int = 2) -> NDArray[np.float32]:
    """Return series of those lengths with a last channel that tells real steps; zeros stand at padding."""
    real = (np.arange(length) < np.array(lengths)[:, None])[..., None]
    long = np.zeros((len(lengths), length, channels), dtype=np.float32)
    values = series(max(lengths), channels, len(lengths))
    long[:, : values.shape[1]] = values
    return np.concatenate([long * real, real], axis=2).astype(np.float32)


def test_every_model_of_series_is_tried_here() -> None:
    assert set(NAMES) <= set(SMALL)


@pytest.mark.parametrize("shape", [(20, 1), (9, 12), (2, 1)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_it_gives_a_finite_logit_per_class_for_series_of_any_kind(name: str, shape: tuple[int, int]) -> None:
    engine = engine_of(name, shape)
    outputs = logits_of(engine, series(*shape))
    assert outputs.shape == (5, CLASSES) and np.isfinite(outputs).all()
    assert set(engine.fallbacks) <= {"pad"}


@pytest.mark.parametrize("name", UNEQUAL)
def test_padding_and_what_else_is_in_a_batch_change_no_answer(name: str) -> None:
    engine = engine_of(name, (None, 3), presence=True)
    lengths = [20, 7, 13, 1]
    short, long = logits_of(engine, padded(lengths, 20)), logits_of(engine, padded(lengths, 37))
    assert np.abs(short - short[:1])[1:].max() > 1e-3 and set(engine.fallbacks) <= {"pad"}
    assert long == pytest.approx(short, abs=1e-5)
    for row, length in enumerate(lengths):
        alone = padded(lengths, 20)[row : row + 1, :length]
        assert logits_of(engine, alone) == pytest.approx(short[row : row + 1], abs=1e-5)


@pytest.mark.parametrize("name", [name for name in UNEQUAL if name not in ("minirocket", "rnn", "transformer")])
def test_the_statistics_of_batch_norm_are_those_of_real_steps(name: str) -> None:
    states = []
    for length in (20, 50):
        engine = engine_of(name, (None, 3), presence=True, dropout=0.0)
        inputs, truth = padded([20, 7, 13, 2], length), np.array([0, 1, 2, 0], dtype=np.int32)
        losses = [stepped(engine, inputs, truth, 1e-3)[0] for _ in range(2)]
        states.append((losses, engine.read_state()))
    (first, state), (second, other) = states
    assert first == pytest.approx(second, abs=1e-4)
    moving = [key for key in state if "moving_" in key]
    assert moving and all(state[key] == pytest.approx(other[key], abs=1e-4) for key in moving)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "minirocket"])
def test_it_learns_a_handful_of_series(name: str) -> None:
    engine = engine_of(name, (20, 2), dropout=0.0)
    inputs, truth = series(count=6), (np.arange(6) % CLASSES).astype(np.int32)
    losses = [stepped(engine, inputs, truth, 5e-3)[0] for _ in range(150)]
    assert losses[-1] < 0.2 < losses[0]


def test_a_model_that_needs_one_length_says_what_brings_series_to_it() -> None:
    with pytest.raises(ModelError, match=r"one length, which --set series\.length=N brings series to"):
        engine_of("mlp", (None, 3), presence=True)


@pytest.mark.parametrize("name", ["fcn", "inceptiontime", "lstm-fcn", "minirocket"])
def test_what_is_no_series_is_refused(name: str) -> None:
    for shape in ((8,), (8, 8, 1)):
        with pytest.raises(ModelError, match="It reads series: steps x channels"):
            engine_of(name, shape)


@pytest.mark.parametrize("presence", [False, True])
@pytest.mark.parametrize("name", ["fcn", "resnet", "inceptiontime", "lstm-fcn", "minirocket"])
def test_it_comes_back_from_its_folder(name: str, presence: bool, tmp_path: Path) -> None:
    from sonde.backend import weights_of
    from sonde.models import model_folder
    from sonde.models.heads import classification

    shape = (None, 3) if presence else (20, 2)
    made, engine = blueprint(name, shape, presence=presence), engine_of(name, shape, presence=presence)
    inputs = padded([20, 7], 24) if presence else series()
    weights = weights_of(engine.read_state())
    options = made.options.model_dump(mode="json")
    said = described(name, options, made.reads, task="series-classification", input={})
    model_folder.save(tmp_path / "model", said, {each.path: weights[each.path] for each in engine._model.weights})
    loaded, _ = model_folder.load(tmp_path / "model")
    again = backend.use("torch").build(loaded, classification.loss({}), classification.scores, EngineSettings())
    assert np.array_equal(logits_of(again, inputs), logits_of(engine, inputs))
