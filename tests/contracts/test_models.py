"""What holds for every row of the table of models, on torch; `test_backends` holds it on the others."""

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic.fields import FieldInfo

from contracts import readme_model
from sonde import backend
from sonde.backend import weights_of
from sonde.backend.engine import WEIGHTS, EngineSettings
from sonde.config import Options, Setting, Settings, fill
from sonde.errors import ConfigError, ModelError
from sonde.models import MODELS, architecture, options_of

NAMES = [*MODELS, readme_model.NAME]
"""Every row, and the model that README's "Add a model" adds: what is promised there is tested with it."""
SMALL: dict[str, dict[str, Any]] = {
    "cnn": {"width": 8, "stages": 2},
    "mlp": {"width": 32},
    "resnet": {"width": 8},
    "rnn": {"width": 32},
}
"""Options that make a model quick to train; a model that is not here takes its defaults."""
SHAPES = [(8, 8, 1), (12, 12, 3), (9, 14, 1), (20, 6, 2), (28, 28, 1), (1, 1, 1)]
"""Smallest usual, colour, not square both ways, another number of channels, MNIST, and a single pixel."""
CLASSES = 4
MOST_STEPS = 500


@pytest.fixture(autouse=True)
def torch_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend.use("torch").start(threads=1)
    readme_model.install(tmp_path, monkeypatch)


def options(name: str, **more: Any) -> Options:
    known = options_of(name).model_fields
    return options_of(name)(**{key: value for key, value in {**SMALL.get(name, {}), **more}.items() if key in known})


def blueprint(name: str, shape: tuple[int, ...] = (12, 12, 1), **more: Any) -> Any:
    from sonde.models.assemble import Blueprint

    return Blueprint(name, "label", shape, CLASSES, options(name, **more))


def model_of(name: str, shape: tuple[int, ...] = (12, 12, 1), *, seed: int = 1, **more: Any) -> Any:
    from sonde.models.assemble import build

    return build(blueprint(name, shape, **more), seed=seed)


def engine_of(model: Any, **settings: Any) -> Any:
    from sonde.models.heads import label

    return backend.use("torch").build(model, label.loss(0.0), label.score, EngineSettings(**settings))


def examples(count: int = 16, shape: tuple[int, ...] = (12, 12, 1)) -> tuple[NDArray[Any], NDArray[np.int32]]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, *shape)).astype(np.float32), (np.arange(count) % CLASSES).astype(np.int32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_it_gives_a_finite_logit_per_class_for_images_of_any_kind(name: str, shape: tuple[int, ...]) -> None:
    model, (inputs, _) = model_of(name, shape), examples(3, shape)
    outputs = engine_of(model).predict(inputs)
    assert model.output_shape == (None, CLASSES)
    assert outputs.shape == (3, CLASSES) and outputs.dtype == np.float32 and np.isfinite(outputs).all()


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_depends_on_its_own_image_alone(name: str) -> None:
    engine, (inputs, _) = engine_of(model_of(name)), examples(5)
    whole = engine.predict(inputs)
    assert np.abs(whole[1:] - whole[:1]).max() > 1e-3
    # Another batch size adds the same products in another order.
    assert engine.predict(inputs[2:3]) == pytest.approx(whole[2:3], abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_every_trainable_weight_gets_a_finite_gradient(name: str) -> None:
    # The momentum of the first step is the gradient times the learning rate.
    engine, (inputs, truth) = engine_of(model_of(name), optimizer="sgd"), examples()
    trainable = {variable.path for variable in engine._variables}
    engine.step(inputs, truth, 1.0)
    slots = {key: array for key, array in engine.read_state().items() if key.endswith("_momentum")}
    assert len(slots) == len(trainable)
    assert [key for key, array in slots.items() if not np.isfinite(array).all()] == []
    assert [key for key, array in slots.items() if not array.any()] == []


@pytest.mark.parametrize("name", NAMES)
def test_its_layers_have_names_of_their_own_choice(name: str) -> None:
    # Keras numbers what is not named by how much the process has made before, so two builds would differ.
    first, second = ([layer.name for layer in model_of(name).layers] for _ in range(2))
    assert first == second and len(set(first)) == len(first)
    paths = [[variable.path for variable in model_of(name).weights] for _ in range(2)]
    assert paths[0] == paths[1] and len(set(paths[0])) == len(paths[0])


@pytest.mark.parametrize("name", NAMES)
def test_the_names_of_a_state_do_not_depend_on_what_the_process_built_before(name: str) -> None:
    first, second = (engine_of(model_of(name, dropout=0.5), seed=3) for _ in range(2))
    state = first.read_state()
    assert list(second.read_state()) == list(state)
    second.write_state(state)
    inputs, truth = examples()
    assert first.step(inputs, truth, 0.01) == second.step(inputs, truth, 0.01)


@pytest.mark.parametrize("name", NAMES)
def test_it_overfits_sixteen_examples_of_noise(name: str) -> None:
    engine, (inputs, truth) = engine_of(model_of(name, dropout=0.0)), examples()
    losses = [engine.step(inputs, truth, 5e-3)[0]]
    # A model of few weights needs some hundred steps, and one that cannot learn never gets there.
    while losses[-1] >= 0.05 and len(losses) < MOST_STEPS:
        losses.append(engine.step(inputs, truth, 5e-3)[0])
    assert losses[-1] < 0.1 < 1.0 < losses[0]
    for _ in range(30):  # One that learns fast is ahead of the statistics that its norms keep.
        engine.step(inputs, truth, 0.0)
    assert (engine.predict(inputs).argmax(axis=1) == truth).all()


@pytest.mark.parametrize("name", NAMES)
def test_its_first_weights_are_a_function_of_the_seed_alone(name: str) -> None:
    random.seed(5)
    before = random.getstate()
    first, again, other = (weights_of(engine_of(model_of(name, seed=seed)).read_state()) for seed in (1, 1, 2))
    assert random.getstate() == before
    assert all(np.array_equal(first[key], again[key]) for key in first)
    # A kernel may start as the identity.
    drawn = [key for key, array in first.items() if "kernel" in key and not np.isin(array, (0.0, 1.0)).all()]
    assert drawn and all(not np.array_equal(first[key], other[key]) for key in drawn)


@pytest.mark.parametrize("name", NAMES)
def test_dropout_is_on_in_a_step_and_off_in_a_prediction(name: str) -> None:
    if "dropout" not in options_of(name).model_fields:
        pytest.skip("it has no dropout")
    silenced, plain = (engine_of(model_of(name, dropout=rate)) for rate in (0.5, 0.0))
    plain.write_state(silenced.read_state())
    inputs, truth = examples()
    outputs = silenced.predict(inputs)
    assert np.array_equal(outputs, plain.predict(inputs))
    # At rate 0 the weights stay, so that two losses differ by the draw alone.
    losses = [silenced.step(inputs, truth, 0.0)[0] for _ in range(2)]
    assert losses[0] != losses[1]
    assert plain.step(inputs, truth, 0.0)[0] == plain.step(inputs, truth, 0.0)[0]


VARIANTS = [(name, {}) for name in NAMES] + [("rnn", {"cell": "gru"}), ("rnn", {"cell": "simple"})]
"""Every model, and those of their options that bring other kinds of weights."""


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "lion", "muon"])
@pytest.mark.parametrize(("name", "more"), VARIANTS, ids=str)
def test_weight_decay_shrinks_kernels_alone(name: str, more: dict[str, Any], optimizer: str) -> None:
    after, (inputs, truth) = [], examples()
    for decay in (0.0, 0.5):
        engine = engine_of(model_of(name, dropout=0.0, **more), optimizer=optimizer, weight_decay=decay)
        engine.step(inputs, truth, 0.01)
        after.append(weights_of(engine.read_state()))
    trained = {variable.path for variable in engine._variables}
    decayed = {key for key in after[0] if not np.array_equal(after[0][key], after[1][key])}
    assert decayed == {key for key in after[0] if key.endswith("kernel") and key in trained}
    assert after[0].keys() - decayed


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple"])
def test_muon_leaves_biases_and_the_head_to_adamw(cell: str) -> None:
    state = engine_of(model_of("rnn", cell=cell, depth=1), optimizer="muon").read_state()
    by_adamw = {key.rsplit("/", 1)[1] for key in state if key.endswith("_velocity")}
    layer = f"recurrent_1_{'simple_rnn' if cell == 'simple' else cell}_cell"
    assert by_adamw == {f"{layer}_bias_velocity", "answer_bias_velocity", "answer_kernel_velocity"}


@pytest.mark.parametrize("name", NAMES)
def test_it_comes_back_from_its_folder_bit_for_bit(name: str, tmp_path: Path) -> None:
    from sonde.models import folder

    # Trained a little, so that running statistics and biases are no longer what they start as.
    engine, (inputs, truth) = engine_of(model_of(name)), examples()
    engine.step(inputs, truth, 0.01)
    weights, own = weights_of(engine.read_state()), blueprint(name)
    names = [variable.path for variable in engine._model.weights]
    classes = tuple(f"class {number}" for number in range(CLASSES))
    description = folder.Description(
        sonde="0", task="image-label", answer="label", model=name, options=own.options.model_dump(mode="json"),
        input_shape=own.input_shape, input={"mean": [0.5]}, classes=classes, temperature=1.5,
    )  # fmt: skip
    folder.save(tmp_path / "model", description, {key: weights[key] for key in names})
    loaded, read = folder.load(tmp_path / "model")
    again = engine_of(loaded)
    assert read == description
    assert np.array_equal(again.predict(inputs), engine.predict(inputs))
    assert {key: array.tobytes() for key, array in weights_of(again.read_state()).items() if key in names} == {
        key: weights[key].tobytes() for key in names
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_rebuilt_model_owns_its_weights_and_trains_on(name: str) -> None:
    from sonde.models.assemble import rebuild

    engine, (inputs, truth) = engine_of(model_of(name, dropout=0.0)), examples()
    weights = weights_of(engine.read_state())
    kept = {key: array.copy() for key, array in weights.items()}
    again = engine_of(rebuild(blueprint(name, dropout=0.0), weights))
    assert [engine.step(inputs, truth, 0.01) for _ in range(3)] == [again.step(inputs, truth, 0.01) for _ in range(3)]
    assert all(np.array_equal(weights[key], kept[key]) for key in weights)


@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 14, 3)], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_its_shapes_are_known_before_it_has_weights(name: str, shape: tuple[int, ...]) -> None:
    from sonde.models.assemble import tensor_shapes

    weights = {variable.path: tuple(variable.shape) for variable in model_of(name, shape).weights}
    assert tensor_shapes(blueprint(name, shape)) == weights


@pytest.mark.parametrize("name", NAMES)
def test_torch_runs_it_with_native_operations(name: str) -> None:
    assert set(engine_of(model_of(name, (8, 8, 1))).fallbacks) <= {"pad"}


@pytest.mark.parametrize("shape", [(0, 8, 1), (8, 0, 3), (8, 8, 0), ()], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_an_input_with_nothing_in_it_is_refused_with_the_cure(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"cannot read inputs of shape .*--set image\.size=\[32,32\].*sonde list"):
        model_of(name, shape)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "mlp"])
def test_an_input_that_is_no_image_is_refused_with_the_cure(name: str) -> None:
    for shape in ((8,), (8, 8), (4, 4, 4, 1)):
        with pytest.raises(
            ModelError, match=r"cannot read inputs of shape .*\. Take larger inputs .*sonde list models"
        ):
            model_of(name, shape)


def test_a_refusal_leaves_keras_as_it_was() -> None:
    import keras

    from sonde.models.assemble import Blueprint, build

    random.seed(6)
    before = random.getstate()
    with pytest.raises(ModelError):
        build(Blueprint("cnn", "label", (8,), 2, options("cnn")), seed=1, policy="mixed_bfloat16")
    assert (random.getstate(), keras.config.dtype_policy().name) == (before, "float32")


def test_an_unknown_model_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ModelError, match=r"no model called 'resnt'. Did you mean 'resnet'\? \(sonde list models"):
        architecture("resnt")


def limits(field: FieldInfo) -> dict[str, float]:
    """Return the bounds of a number, such as {"ge": 1, "le": 64}."""
    bounds = [(bound, rule) for rule in field.metadata for bound in ("ge", "gt", "le", "lt") if hasattr(rule, bound)]
    return {bound: getattr(rule, bound) for bound, rule in bounds}


def nonsense(field: FieldInfo) -> list[Any]:
    """Return values that an option must refuse: beyond each bound, and of other types."""
    if field.annotation not in (int, float):
        return [None, 1, "", "nonsense"]
    step = 1 if field.annotation is int else 1e-6
    beyond = {"ge": -step, "gt": 0, "le": step, "lt": 0}
    wrong = [value + beyond[bound] for bound, value in limits(field).items()]
    return [*wrong, math.nan, math.inf, -math.inf, "1", None, True, [1], *([1.5] if field.annotation is int else [])]


@pytest.mark.parametrize("name", NAMES)
def test_every_option_has_a_sentence_and_two_bounds_and_refuses_nonsense(name: str) -> None:
    assert (options_of(name).__doc__ or "").endswith(".") and MODELS[name].sentence.endswith(".") and MODELS[name].reads
    for key, field in options_of(name).model_fields.items():
        assert (field.description or "").endswith("."), key
        if field.annotation in (int, float):
            assert len(limits(field)) == 2, f"{key} needs a lower and an upper bound"
        for value in nonsense(field):
            settings = Settings({f"model.{key}": Setting(value, "file", place="run.toml, line 3")})
            with pytest.raises(ConfigError, match=rf"run\.toml, line 3: model\.{key} = .* is not possible: expected"):
                fill(options_of(name), "model", settings)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_answered_with_the_nearest_one(name: str) -> None:
    known = max(options_of(name).model_fields, key=len)
    settings = Settings({f"model.{known}x": Setting(0.1, "command line", place=f"--set model.{known}x=0.1")})
    with pytest.raises(ConfigError, match=rf"\[model\] has no option called '{known}x'. Did you mean '{known}'\?"):
        fill(options_of(name), "model", settings)


@pytest.mark.parametrize("name", NAMES)
def test_its_options_change_it(name: str) -> None:
    from sonde.models.assemble import tensor_shapes

    plain = tensor_shapes(blueprint(name))
    sizes = [key for key, field in options_of(name).model_fields.items() if field.annotation is int]
    for key in sizes:
        assert tensor_shapes(blueprint(name, **{key: getattr(options(name), key) + 1})) != plain, key


def test_a_state_of_another_model_is_told_by_its_names() -> None:
    state = engine_of(model_of("cnn")).read_state()
    assert all(key.startswith((WEIGHTS, "optimizer/")) for key in state)
    with pytest.raises(KeyError):
        engine_of(model_of("mlp")).write_state(state)
