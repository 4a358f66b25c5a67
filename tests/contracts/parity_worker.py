"""Runs in a process of its own with one backend, started by `parity`: what the models and the engine do there.

    python tests/contracts/parity_worker.py torch FOLDER parity engine

FOLDER/<backend>/<case>.npz holds a case's numbers, FOLDER/<backend>/<case>/ its trained model folder, and
FOLDER/<backend>/engine.json what `engine_checks` saw. torch goes first: its first weights, in FOLDER/start/, are
those that everybody starts from.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from batching import logits_of, stepped
from contracts import kinds
from contracts.kinds import KINDS
from descriptions import described
from sonde import backend
from sonde.backend.engine import OPTIMIZER, WEIGHTS, EngineSettings
from sonde.models import MODELS

SHAPE, CLASSES, EXAMPLES, BATCH, STEPS = (12, 12, 1), ("ant", "bee", "cat"), 33, 8, 10
"""Small, as compiling for these shapes takes most of the time."""
LEARNING_RATE, MOMENTUM = 0.02, 0.9

SMALL: dict[str, dict[str, Any]] = {
    "unet": {"width": 2, "depth": 2},
    "cnn": {"width": 4, "stages": 2},
    "mlp": {"width": 16, "depth": 2},
    "resnet": {"width": 4},
    "minirocket": {"levels": 3},
    "fcn": {"width": 4},
    "inceptiontime": {"width": 4, "depth": 2},
    "lstm-fcn": {"width": 4},
    "spectrogram-cnn": {"width": 4, "stages": 2},
    "dscnn": {"width": 8},
    "crnn": {"width": 4, "units": 8, "stages": 2},
    "textcnn": {"embedding": 8, "filters": 8},
    "bag": {"width": 32, "buckets": 64, "ngrams": 2},
    "rnn": {"width": 8, "embedding": 8},
    "transformer": {"width": 16, "depth": 1},
    "pretrained": {"width": 8, "depth": 1, "hidden": 16, "positions": 16, "pool": "mean"},
    "cnn-transformer": {"channels": 4, "width": 16, "depth": 1},
}
"""Options that make a model quick to compile; a model that is not here takes its defaults."""
OF = " of "
"""Between a model and what it reads, in the names of cases; a case without it reads images."""
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "rnn, gru": ("rnn", {"cell": "gru", "width": 8, "depth": 1}),
    "rnn, simple": ("rnn", {"cell": "simple", "width": 8, "depth": 1}),
    "rnn, gru of text": ("rnn of text", {"cell": "gru", "width": 8, "embedding": 8, "depth": 1}),
    "mlp, linear of table": ("mlp of table", {"width": 16, "depth": 2, "linear": True}),
    "transformer of patches of series": (
        "transformer of series of unequal length",
        {"width": 16, "depth": 1, "patch": 3, "pool": "attention"},
    ),
}
"""Options that bring other layers."""
BESIDES = {("rnn", "series of unequal length"), ("transformer", "text"), ("mlp", "table"), ("resnet", "series")}
"""What else a model reads that brings other layers; all pairs together take JAX a quarter of an hour to compile."""
PAIRS = [
    (name, name if key == "image" else f"{name}{OF}{key}")
    for name in MODELS
    for place, key in enumerate(kinds.read_by(name, MODELS[name].reads))
    if place == 0 or (name, key) in BESIDES
]
CASES = {**{case: (case, SMALL.get(name, {})) for name, case in PAIRS}, **VARIANTS}
"""Every model with the first of what it reads, and some with more; the rows of `MODELS` come by themselves."""


def split(model: str) -> tuple[str, str]:
    """Return a model's name, and what it reads: a row of `KINDS`.

    Args:
        model: such as "cnn" or "rnn of text".
    """
    name, _, key = model.partition(OF)
    return name, key or "image"


def examples(count: int = EXAMPLES, key: str = "image") -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Return inputs of about unit variance that differ a little by class, and their class numbers."""
    if key != "image":
        return kinds.examples(key, count, len(CLASSES), apart=0.5)
    rng = np.random.default_rng(0)
    truth = (np.arange(count) % len(CLASSES)).astype(np.int32)
    inputs = rng.normal(size=(count, *SHAPE)) + 0.5 * rng.normal(size=(len(CLASSES), *SHAPE))[truth]
    return inputs.astype(np.float32), truth


def batch_of(step: int) -> NDArray[np.intp]:
    """Return the rows of a step's batch; the steps go round and round through the examples."""
    return np.arange(step * BATCH, (step + 1) * BATCH) % EXAMPLES


def key_of(case: str) -> str:
    """Return what the model of a case reads: a row of `KINDS`."""
    return split(CASES[case][0])[1]


def options_in(case: str) -> dict[str, Any]:
    """Return a case's options, without dropout where the model has it: each backend draws its own.

    Args:
        case: a row of `CASES`.
    """
    from sonde.models import options_of

    model, options = CASES[case]
    known = options_of(split(model)[0]).model_fields
    return {**options, **{key: 0.0 for key in known if key.startswith("dropout")}}


def blueprint_of(model: str, options: dict[str, Any]) -> Any:
    """Return what a model of these examples is."""
    from sonde.models import options_of
    from sonde.models.assemble import Blueprint

    name, key = split(model)
    kind = KINDS[key]
    own, head = options_of(name)(**options), kinds.head_of(name, kind.shape)
    return Blueprint(name, kinds.answer_of(name), kind.reads, len(CLASSES), own, head)


def engine_of(
    name: str,
    model: str,
    options: dict[str, Any],
    settings: EngineSettings,
    *,
    smoothing: float = 0.0,
    seed: int = 1,
    recorded: Any = None,
) -> Any:
    """Build a model's engine as a training does, but for the first weights.

    They are drawn by numpy: the same on each backend, and JAX need not compile the drawing of each shape.

    Args:
        name: the backend.
        model: a row of `MODELS`, and what it reads if that is no image: "rnn of text".
        options: the model's options.
        settings: optimizer, precision and seed of dropout.
        smoothing: label smoothing.
        seed: of the first weights.
        recorded: loss that a step returns; the one it follows where none is given.
    """
    from sonde.models.assemble import rebuild, tensor_shapes
    from sonde.models.heads import head

    module, blueprint, rng = backend.use(name), blueprint_of(model, options), np.random.default_rng(seed)
    # Around 1, as the scales of batch norm are; kernels are small, so 0.3 keeps the outputs near 1 too.
    weights = {
        key: rng.normal("gamma" in key or "variance" in key, 0.1 if len(shape) < 2 else 0.3, shape).astype(np.float32)
        for key, shape in tensor_shapes(blueprint).items()
    }
    keras_model = rebuild(blueprint, weights, policy=module.dtype_policy(settings.precision))
    file = head(blueprint.answer)
    loss = file.loss({"label_smoothing": smoothing} if smoothing else {})
    return module.build(keras_model, loss, file.scores, settings, recorded=recorded)


def engine_from(name: str, path: Path, settings: EngineSettings) -> Any:
    """Build the engine of a model folder.

    Args:
        name: the backend.
        path: the folder.
        settings: of the engine.
    """
    from sonde.models import model_folder
    from sonde.models.heads import head

    module = backend.use(name)
    keras_model, description = model_folder.load(path)
    file = head(description.answer)
    return module.build(keras_model, file.loss({}), file.scores, settings)


def save_model(path: Path, model: str, options: dict[str, Any], engine: Any) -> None:
    """Write an engine's model as a training does at its end.

    Args:
        path: the folder to write.
        model: a row of `MODELS`, and what it reads if that is no image: "rnn of text".
        options: the model's options.
        engine: what holds its weights.
    """
    from sonde.models import model_folder
    from sonde.models.assemble import tensor_shapes

    blueprint = blueprint_of(model, options)
    told = {"answer": blueprint.answer, "head": dict(blueprint.head), "task": f"image-{blueprint.answer}"}
    description = described(blueprint.name, options, blueprint.reads, input={}, classes=CLASSES, **told)
    weights = backend.weights_of(engine.read_state())
    model_folder.save(path, description, {each: weights[each] for each in tensor_shapes(blueprint)})


def measure(name: str, case: str, folder: Path) -> None:
    """Write a case's outputs, gradients, statistics and losses, from the weights that torch began with.

    Args:
        name: the backend.
        case: a row of `CASES`.
        folder: where to write; holds `start/` unless the backend is torch.
    """
    model, options = CASES[case][0], options_in(case)
    settings = EngineSettings(optimizer="sgd", momentum=MOMENTUM)
    if name == "torch":
        save_model(folder / "start" / case, model, options, engine_of(name, model, options, settings))
    engine = engine_from(name, folder / "start" / case, settings)
    inputs, truth = examples(key=split(model)[1])
    found: dict[str, Any] = {"outputs": logits_of(engine, inputs)}
    losses = []
    for step in range(STEPS):
        rows = batch_of(step)
        losses.append(stepped(engine, inputs[rows], truth[rows], LEARNING_RATE))
        if step == 0:
            found |= after_first_step(engine.read_state())
    found["losses"], found["scores"] = np.array(losses).T
    found["trained_outputs"] = logits_of(engine, inputs)
    np.savez(folder / name / f"{case}.npz", **found)
    save_model(folder / name / case, model, options, engine)


def after_first_step(state: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the gradients, read from the momentum of sgd, and the running statistics."""
    slots = {key: array for key, array in state.items() if key.startswith(OPTIMIZER) and key.endswith("_momentum")}
    gradients = {key.rsplit("/", 1)[1].removesuffix("_momentum"): array for key, array in slots.items()}
    statistics = {key: array for key, array in state.items() if "/moving_" in key}
    return {
        **{f"gradient/{key}": -array / np.float32(LEARNING_RATE) for key, array in gradients.items()},
        **{f"statistics/{key.removeprefix(WEIGHTS)}": array for key, array in statistics.items()},
    }


def outputs_of_torch_models(name: str, folder: Path) -> dict[str, NDArray[np.float32]]:
    """Return what this backend answers with each model that torch has trained, by case.

    Args:
        name: this backend.
        folder: where torch has written its model folders.
    """
    engines = {case: engine_from(name, folder / "torch" / case, EngineSettings()) for case in CASES}
    return {case: logits_of(engine, examples(key=key_of(case))[0]) for case, engine in engines.items()}


def main(name: str, folder: Path, parts: list[str]) -> None:
    """Do what was asked for with one backend.

    Args:
        name: a row of `BACKENDS`.
        folder: where everything is written.
        parts: "parity", "exchange" and "engine", or some of them.
    """
    backend.use(name).start(threads=1)
    (folder / name).mkdir(parents=True, exist_ok=True)
    if "parity" in parts:
        for case in CASES:
            measure(name, case, folder)
        versions = {package: version(package) for package in ("keras", backend.BACKENDS[name].package, "numpy")}
        (folder / name / "versions.json").write_text(json.dumps(versions))
    if "exchange" in parts:
        np.savez(folder / name / "exchange.npz", **outputs_of_torch_models(name, folder))
    if "engine" in parts:
        import engine_checks

        found = engine_checks.all_of(name, folder / name)
        (folder / name / "engine.json").write_text(json.dumps(found, allow_nan=False))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
