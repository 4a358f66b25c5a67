"""What holds for every row of the table of models, on torch; `test_backends` holds it on the others."""

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic.fields import FieldInfo

from batching import logits_of, slopes_of, stepped
from contracts import kinds, readme_model
from contracts.further import cases
from contracts.kinds import KINDS
from descriptions import described
from sonde import backend
from sonde.backend import weights_of
from sonde.backend.engine import WEIGHTS, EngineSettings
from sonde.config import Options, Setting, Settings, fill
from sonde.errors import ConfigError, ModelError
from sonde.models import MODELS, architecture, options_of
from sonde.models.architectures import fits
from sonde.models.reads import Reads

NAMES = [*MODELS, readme_model.NAME]
"""README's "Add a model" is among them: what is promised there is tested with it."""
SMALL: dict[str, dict[str, Any]] = {
    "unet": {"width": 4, "depth": 2},
    "cnn": {"width": 8, "stages": 2},
    "mlp": {"width": 32},
    "resnet": {"width": 8},
    "fcn": {"width": 16},
    "inceptiontime": {"width": 8, "depth": 2},
    "lstm-fcn": {"width": 16},
    "spectrogram-cnn": {"width": 8},
    "dscnn": {"width": 16},
    "crnn": {"width": 8, "units": 16},
    "textcnn": {"embedding": 16, "filters": 8},
    "minirocket": {"levels": 3},
    "bag": {"ngrams": 2, "width": 32, "buckets": 64},
    "rnn": {"width": 16, "embedding": 16},
    "transformer": {"width": 16},
    "cnn-transformer": {"channels": 4, "width": 16},
}
"""Options that make a model quick to train, as far as it has them; the others are defaults."""
PAIRS = [(name, key) for name in MODELS for key in kinds.read_by(name, MODELS[name].reads)]
PAIRS += [(readme_model.NAME, "image")]
"""Every model with every kind of input that it reads."""
OF_IMAGES = [name for name in NAMES if (name, "image") in PAIRS]
SOLVED = [name for name in MODELS if name == "minirocket"]
"""Models whose features are measured, not learned, and whose head is solved: they take no steps."""
LEARNING = [pair for pair in PAIRS if pair[0] not in SOLVED]

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
    if "dropout" in more:
        more |= {key: more["dropout"] for key in known if key.startswith("dropout")}
    return options_of(name)(**{key: value for key, value in {**SMALL.get(name, {}), **more}.items() if key in known})


def blueprint(name: str, read: str | tuple[int, ...] = "", **more: Any) -> Any:
    """Return what a model is that reads a kind of input, images of a shape, or the first kind that it reads."""
    from sonde.models.assemble import Blueprint

    reads = Reads(read) if isinstance(read, tuple) else KINDS[read or kind_of(name)].reads
    head = kinds.head_of(name, reads.shape)
    return Blueprint(name, kinds.answer_of(name), reads, CLASSES, options(name, **more), head)


def kind_of(name: str) -> str:
    """Return the first kind of input that a model reads."""
    return next(key for each, key in PAIRS if each == name)


def model_of(name: str, read: str | tuple[int, ...] = "", *, seed: int = 1, **more: Any) -> Any:
    from sonde.models.assemble import build

    return build(blueprint(name, read, **more), seed=seed)


def engine_of(model: Any, **settings: Any) -> Any:
    from sonde.models.heads import head

    file = head(kinds.answer_of(model.name))
    return backend.use("torch").build(model, file.loss({}), file.scores, EngineSettings(**settings))


def examples(key: str = "image", count: int = 16) -> tuple[NDArray[Any], NDArray[np.int32]]:
    return kinds.examples(key, count, CLASSES)


def features_of(name: str, key: str, **more: Any) -> Any:
    """Return a model's features of a kind of input, and the input."""
    import keras

    reads = KINDS[key].reads
    inputs = keras.Input(reads.shape, dtype=reads.dtype, name="inputs")
    return inputs, architecture(name).features(inputs, options(name, **more), reads)


@pytest.mark.parametrize(("name", "key"), cases(PAIRS))
def test_a_body_gives_what_its_row_says(name: str, key: str) -> None:
    row, is_image = MODELS[name], KINDS[key].modality == "image"
    _, found = features_of(name, key)
    if name == "rnn" and is_image:
        # Of an image its last step is read alone, unless it is told to pool all of them.
        assert found.gives == ("vector",)
        _, found = features_of(name, key, pool="mean")
    assert {each for each in row.gives if is_image or each != "levels"} <= set(found.gives)
    assert len(found.vector.shape) == 2 and found.vector.shape[1]
    if found.steps:
        assert len(found.steps.x_BTD.shape) == 3 and found.steps.x_BTD.shape[2]
        assert (found.steps.present_BT is None) == (None not in KINDS[key].shape)
    strides = list(found.levels)
    assert strides == sorted(strides)
    for stride, x_BHWC in found.levels.items():
        side = KINDS["image"].shape[0]
        assert side and x_BHWC.shape[1] in (side // stride, -(-side // stride)) and x_BHWC.shape[1] == x_BHWC.shape[2]


@pytest.mark.parametrize(("name", "key"), cases([pair for pair in PAIRS if None in KINDS[pair[1]].shape]))
def test_nothing_that_a_body_gives_depends_on_padding(name: str, key: str) -> None:
    import keras

    inputs, found = features_of(name, key, dropout=0.0)
    given = {"vector": found.vector}
    if found.steps:
        given |= {"steps": found.steps.x_BTD, "present": keras.ops.cast(found.steps.present_BT, "float32")}
    engine = engine_of(keras.Model({"inputs": inputs}, given))
    x, _ = examples(key, 6)
    short = engine.predict({"inputs": x})
    long = engine.predict({"inputs": np.pad(x, [(0, 0), (0, 7)] + [(0, 0)] * (x.ndim - 2))})
    assert long["vector"] == pytest.approx(short["vector"], abs=1e-5)
    if found.steps:
        length = short["steps"].shape[1]
        assert long["steps"][:, :length] == pytest.approx(short["steps"], abs=1e-5)
        assert not long["steps"][:, length:].any() and not long["present"][:, length:].any()
        assert not short["steps"][short["present"] == 0].any()


def test_a_head_that_needs_what_a_body_does_not_give_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from sonde.models.heads import HEADS, Head

    assert fits("cnn", "levels") and not fits("bag", "steps")
    monkeypatch.setitem(HEADS, "classification", Head("levels"))
    wanted = r"The model 'mlp' gives no levels, .* Models that do: unet, cnn, fast, resnet \(sonde list models\)"
    with pytest.raises(ModelError, match=wanted):
        model_of("mlp")
    # Its row gives levels, but not of series.
    with pytest.raises(ModelError, match="It gives no levels of such inputs"):
        model_of("resnet", "series")


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", OF_IMAGES)
def test_it_gives_a_finite_logit_per_class_for_images_of_any_kind(name: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    model, inputs = model_of(name, shape), rng.normal(size=(3, *shape)).astype(np.float32)
    outputs = logits_of(engine_of(model), inputs)
    assert model.output_shape == (None, CLASSES)
    assert outputs.shape == (3, CLASSES) and outputs.dtype == np.float32 and np.isfinite(outputs).all()


@pytest.mark.parametrize(("name", "key"), cases(PAIRS))
def test_an_answer_depends_on_its_own_example_alone(name: str, key: str) -> None:
    engine, (inputs, _) = engine_of(model_of(name, key)), examples(key, 5)
    whole = logits_of(engine, inputs)
    assert np.abs(whole[1:] - whole[:1]).max() > 1e-3
    # Another batch size adds the same products in another order.
    assert logits_of(engine, inputs[2:3]) == pytest.approx(whole[2:3], abs=1e-5)


@pytest.mark.parametrize(("name", "key"), cases(PAIRS))
def test_every_trainable_weight_gets_a_finite_gradient(name: str, key: str) -> None:
    # The momentum of the first step is the gradient times the learning rate.
    engine, (inputs, truth) = engine_of(model_of(name, key), optimizer="sgd"), examples(key)
    trainable = {variable.path for variable in engine._variables}
    stepped(engine, inputs, truth, 1.0)
    slots = {key: array for key, array in engine.read_state().items() if key.endswith("_momentum")}
    assert len(slots) == len(trainable)
    assert [key for key, array in slots.items() if not np.isfinite(array).all()] == []
    assert [key for key, array in slots.items() if not array.any()] == []


@pytest.mark.parametrize(("name", "key"), cases(PAIRS))
def test_its_layers_have_names_of_their_own_choice(name: str, key: str) -> None:
    # Keras numbers what is not named by how much the process has made before, so two builds would differ.
    first, second = ([layer.name for layer in model_of(name, key).layers] for _ in range(2))
    assert first == second and len(set(first)) == len(first)
    paths = [[variable.path for variable in model_of(name, key).weights] for _ in range(2)]
    assert paths[0] == paths[1] and len(set(paths[0])) == len(paths[0])


@pytest.mark.parametrize(("name", "key"), cases(PAIRS))
def test_the_names_of_a_state_do_not_depend_on_what_the_process_built_before(name: str, key: str) -> None:
    first, second = (engine_of(model_of(name, key, dropout=0.5), seed=3) for _ in range(2))
    state = first.read_state()
    assert list(second.read_state()) == list(state)
    second.write_state(state)
    inputs, truth = examples(key)
    assert stepped(first, inputs, truth, 0.01) == stepped(second, inputs, truth, 0.01)


@pytest.mark.parametrize(("name", "key"), cases(LEARNING))
def test_it_overfits_sixteen_examples_of_noise(name: str, key: str) -> None:
    engine, (inputs, truth) = engine_of(model_of(name, key, dropout=0.0)), examples(key)
    losses = [stepped(engine, inputs, truth, 5e-3)[0]]
    # A model of few weights needs some hundred steps, and one that cannot learn never gets there.
    while losses[-1] >= 0.05 and len(losses) < MOST_STEPS:
        losses.append(stepped(engine, inputs, truth, 5e-3)[0])
    assert losses[-1] < 0.1 < 1.0 < losses[0]
    for _ in range(30):  # One that learns fast is ahead of the statistics that its norms keep.
        stepped(engine, inputs, truth, 0.0)
    assert (logits_of(engine, inputs).argmax(axis=-1) == truth).all()


@pytest.mark.parametrize(("name", "key"), cases(LEARNING))
def test_its_first_weights_are_a_function_of_the_seed_alone(name: str, key: str) -> None:
    random.seed(5)
    before = random.getstate()
    first, again, other = (weights_of(engine_of(model_of(name, key, seed=seed)).read_state()) for seed in (1, 1, 2))
    assert random.getstate() == before
    assert all(np.array_equal(first[key], again[key]) for key in first)
    # A kernel may start as the identity.
    drawn = [key for key, array in first.items() if "kernel" in key and not np.isin(array, (0.0, 1.0)).all()]
    assert drawn and all(not np.array_equal(first[key], other[key]) for key in drawn)


@pytest.mark.parametrize(("name", "key"), cases(PAIRS))
def test_dropout_is_on_in_a_step_and_off_in_a_prediction(name: str, key: str) -> None:
    if "dropout" not in options_of(name).model_fields:
        pytest.skip("it has no dropout")
    silenced, plain = (engine_of(model_of(name, key, dropout=rate)) for rate in (0.5, 0.0))
    plain.write_state(silenced.read_state())
    inputs, truth = examples(key)
    outputs = logits_of(silenced, inputs)
    assert np.array_equal(outputs, logits_of(plain, inputs))
    # At rate 0 the weights stay, so that two losses differ by the draw alone.
    losses = [stepped(silenced, inputs, truth, 0.0)[0] for _ in range(2)]
    assert losses[0] != losses[1]
    assert stepped(plain, inputs, truth, 0.0)[0] == stepped(plain, inputs, truth, 0.0)[0]


VARIANTS = [(name, {}) for name in NAMES] + [("rnn", {"cell": "gru"}), ("rnn", {"cell": "simple"})]
"""Every model, and those of their options that bring other kinds of weights."""


@pytest.mark.parametrize(
    "optimizer", ["adamw", *(pytest.param(name, marks=pytest.mark.further) for name in ("sgd", "lion", "muon"))]
)
@pytest.mark.parametrize(("name", "more"), VARIANTS, ids=str)
def test_weight_decay_shrinks_kernels_and_embeddings_alone(name: str, more: dict[str, Any], optimizer: str) -> None:
    after, (inputs, truth) = [], examples(kind_of(name))
    for decay in (0.0, 0.5):
        engine = engine_of(model_of(name, dropout=0.0, **more), optimizer=optimizer, weight_decay=decay)
        stepped(engine, inputs, truth, 0.01)
        after.append(weights_of(engine.read_state()))
    trained = {variable.path for variable in engine._variables}
    decayed = {key for key in after[0] if not np.array_equal(after[0][key], after[1][key])}
    assert decayed == {key for key in after[0] if key.endswith(("kernel", "embeddings")) and key in trained}
    assert after[0].keys() - decayed


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple"])
def test_muon_leaves_biases_and_the_head_to_adamw(cell: str) -> None:
    state = engine_of(model_of("rnn", cell=cell, depth=1), optimizer="muon").read_state()
    by_adamw = {key.rsplit("/", 1)[1] for key in state if key.endswith("_velocity")}
    layer = f"recurrent_1_{'simple_rnn' if cell == 'simple' else cell}_cell"
    assert by_adamw == {f"{layer}_bias_velocity", "answer_bias_velocity", "answer_kernel_velocity"}


@pytest.mark.parametrize(("name", "key"), cases(PAIRS))
def test_it_comes_back_from_its_folder_bit_for_bit(name: str, key: str, tmp_path: Path) -> None:
    from sonde.models import model_folder

    # Trained a little, so that running statistics and biases are no longer what they start as.
    engine, (inputs, truth) = engine_of(model_of(name, key)), examples(key)
    stepped(engine, inputs, truth, 0.01)
    weights, own = weights_of(engine.read_state()), blueprint(name, key)
    names = [variable.path for variable in engine._model.weights]
    classes = tuple(f"class {number}" for number in range(CLASSES))
    options = own.options.model_dump(mode="json")
    told = {"answer": own.answer, "head": own.head, "task": f"image-{own.answer}"}
    description = described(name, options, own.reads, input={"mean": [0.5]}, classes=classes, **told)
    model_folder.save(tmp_path / "model", description, {key: weights[key] for key in names})
    loaded, read = model_folder.load(tmp_path / "model")
    again = engine_of(loaded)
    assert read == description
    assert np.array_equal(logits_of(again, inputs), logits_of(engine, inputs))
    assert {key: array.tobytes() for key, array in weights_of(again.read_state()).items() if key in names} == {
        key: weights[key].tobytes() for key in names
    }


@pytest.mark.parametrize(("name", "key"), cases(PAIRS))
def test_a_rebuilt_model_owns_its_weights_and_trains_on(name: str, key: str) -> None:
    from sonde.models.assemble import rebuild

    engine, (inputs, truth) = engine_of(model_of(name, key, dropout=0.0)), examples(key)
    weights = weights_of(engine.read_state())
    kept = {key: array.copy() for key, array in weights.items()}
    again = engine_of(rebuild(blueprint(name, key, dropout=0.0), weights))
    assert [stepped(engine, inputs, truth, 0.01) for _ in range(3)] == [
        stepped(again, inputs, truth, 0.01) for _ in range(3)
    ]
    assert all(np.array_equal(weights[key], kept[key]) for key in weights)


@pytest.mark.parametrize(("name", "key"), cases(PAIRS))
def test_its_shapes_are_known_before_it_has_weights(name: str, key: str) -> None:
    from sonde.models.assemble import tensor_shapes

    weights = {variable.path: tuple(variable.shape) for variable in model_of(name, key).weights}
    assert tensor_shapes(blueprint(name, key)) == weights


@pytest.mark.parametrize(("name", "key"), cases(PAIRS))
def test_torch_runs_it_with_native_operations(name: str, key: str) -> None:
    assert set(engine_of(model_of(name, key)).fallbacks) <= {"pad"}


@pytest.mark.parametrize("shape", [(0, 8, 1), (8, 0, 3), (8, 8, 0), ()], ids=str)
@pytest.mark.parametrize("name", OF_IMAGES)
def test_an_input_with_nothing_in_it_is_refused_with_the_cure(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"cannot read inputs of shape .*--set image\.size=\[32,32\].*sonde list"):
        model_of(name, shape)


UNREAD = [
    (name, key)
    for name in NAMES
    for key, kind in KINDS.items()
    if kind.looks not in {KINDS[its].looks for each, its in PAIRS if each == name}
]
"""Every model with every kind of input that does not look like one that it reads."""


@pytest.mark.parametrize(("name", "key"), UNREAD)
def test_an_input_that_it_does_not_read_is_refused_with_the_cure(name: str, key: str) -> None:
    with pytest.raises(ModelError, match=r"cannot read inputs of shape .*\. Take .*sonde list models"):
        model_of(name, key)


@pytest.mark.parametrize("name", kinds.NEEDS_ONE_LENGTH)
def test_a_model_that_needs_one_length_refuses_what_varies(name: str) -> None:
    with pytest.raises(ModelError, match=r"cannot read inputs of shape \(None, 3\)"):
        model_of(name, "series of unequal length")


def test_a_model_of_series_that_needs_one_length_says_how_to_get_it() -> None:
    with pytest.raises(ModelError, match=r"one length, which --set series\.length=N brings series to"):
        model_of("mlp", "series of unequal length")


PADDED = [(name, key) for name, key in PAIRS if KINDS[key].length]
"""Every model with every kind of input whose length varies."""


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("name", "key"), cases(PADDED))
def test_more_padding_never_changes_an_answer(name: str, key: str, training: bool) -> None:
    engine, (inputs, truth) = engine_of(model_of(name, key, dropout=0.0), optimizer="sgd"), examples(key)
    for _ in range(3 * training):  # Norms and biases then say something of padding, if they can.
        stepped(engine, inputs, truth, 0.02)
    whole = logits_of(engine, inputs)
    for more in (1, 7, 20):
        padded = np.pad(inputs, [(0, 0), (0, more)] + [(0, 0)] * (inputs.ndim - 2))
        assert logits_of(engine, padded) == pytest.approx(whole, abs=1e-5 * max(1.0, float(np.abs(whole).max())))


@pytest.mark.parametrize(("name", "key"), cases(PADDED))
def test_more_padding_never_changes_a_gradient(name: str, key: str) -> None:
    slopes = []
    inputs, truth = examples(key)
    for more in (0, 5):
        engine = engine_of(model_of(name, key, dropout=0.0), optimizer="sgd", momentum=0.9)
        stepped(engine, np.pad(inputs, [(0, 0), (0, more)] + [(0, 0)] * (inputs.ndim - 2)), truth, 1.0)
        slopes.append({k: v for k, v in engine.read_state().items() if k.endswith("_momentum")})
    largest = max(float(np.abs(each).max()) for each in slopes[0].values())
    assert all(slopes[1][k] == pytest.approx(each, abs=1e-4 * largest) for k, each in slopes[0].items())


@pytest.mark.parametrize(("name", "key"), cases(PADDED))
def test_an_example_is_answered_alike_alone_and_beside_longer_ones(name: str, key: str) -> None:
    engine, (inputs, _) = engine_of(model_of(name, key)), examples(key)
    whole = logits_of(engine, inputs)
    real = inputs != 0 if inputs.ndim == 2 else inputs[..., -1] > 0
    for row in (1, 2, 3):
        alone = logits_of(engine, inputs[row : row + 1, : int(real[row].sum())])
        assert alone == pytest.approx(whole[row : row + 1], abs=1e-5 * max(1.0, float(np.abs(whole).max())))


@pytest.mark.parametrize(("name", "key"), cases(PADDED))
def test_an_example_with_nothing_in_it_gets_a_finite_answer(name: str, key: str) -> None:
    engine, (inputs, truth) = engine_of(model_of(name, key)), examples(key)
    inputs[1] = 0
    assert np.isfinite(logits_of(engine, inputs)).all() and np.isfinite(logits_of(engine, inputs[1:2, :1])).all()
    assert np.isfinite(stepped(engine, inputs, truth, 0.01)[0])
    assert all(np.isfinite(array).all() for array in engine.read_state().values())


def test_codes_have_no_slope() -> None:
    engine, (inputs, truth) = engine_of(model_of("rnn", "text")), examples("text")
    with pytest.raises(ModelError, match=r"'rnn' reads whole numbers, and between them there is no slope\. Take the"):
        slopes_of(engine, inputs, truth)


def test_a_refusal_leaves_keras_as_it_was() -> None:
    import keras

    from sonde.models.assemble import Blueprint, build

    random.seed(6)
    before = random.getstate()
    with pytest.raises(ModelError):
        build(Blueprint("cnn", "classification", Reads((8,)), 2, options("cnn")), seed=1, policy="mixed_bfloat16")
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
    if field.annotation is str:
        return [None, 1, True, ["a"]]  # Any text may be a name, such as that of weights.
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

    # Some say something of one kind of input alone, such as the size of embeddings.
    read = [key for each, key in PAIRS if each == name]
    sizes = [option for option, field in options_of(name).model_fields.items() if field.annotation is int]
    for option in sizes:
        # A kernel's length may be rounded to an odd one.
        larger = [{option: getattr(options(name), option) + more} for more in (1, 2)]
        changed = (
            tensor_shapes(blueprint(name, key, **more)) != tensor_shapes(blueprint(name, key))
            for key in read
            for more in larger
        )
        assert any(changed), option


def test_a_state_of_another_model_is_told_by_its_names() -> None:
    state = engine_of(model_of("cnn")).read_state()
    assert all(key.startswith((WEIGHTS, "optimizer/")) for key in state)
    with pytest.raises(KeyError):
        engine_of(model_of("mlp")).write_state(state)
