"""Runs in a process of its own with one backend: what the models and the engine do there, written into a folder.

    python tests/contracts/parity_worker.py torch FOLDER parity engine

FOLDER/<backend>/<case>.npz holds a case's numbers, FOLDER/<backend>/<case>/ its trained model folder, and
FOLDER/<backend>/engine.json what `engine_checks` saw. torch goes first: its first weights, in FOLDER/start/, are
those that everybody starts from.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde import backend
from sonde.backend.engine import WEIGHTS, EngineSettings

SHAPE, CLASSES, EXAMPLES, BATCH, STEPS = (12, 12, 1), ("ant", "bee", "cat"), 33, 8, 10
"""Small, as compiling for these shapes takes most of the time."""
LEARNING_RATE, MOMENTUM = 0.02, 0.9

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "cnn": ("cnn", {"width": 4, "stages": 2, "dropout": 0.0}),
    "mlp": ("mlp", {"width": 16, "depth": 2, "dropout": 0.0}),
    "lenet": ("lenet", {"dropout": 0.0}),
    "resnet": ("resnet", {"width": 4, "dropout": 0.0}),
    "rnn": ("rnn", {"width": 8, "dropout": 0.0}),
    "rnn, gru": ("rnn", {"cell": "gru", "width": 8, "depth": 1, "dropout": 0.0}),
    "rnn, simple": ("rnn", {"cell": "simple", "width": 8, "depth": 1, "dropout": 0.0}),
}
"""Every model, without dropout: each backend draws it from a generator of its own."""


def examples(count: int = EXAMPLES) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return inputs of about unit variance that differ a little by class, and their class numbers."""
    rng = np.random.default_rng(0)
    truth = (np.arange(count) % len(CLASSES)).astype(np.int32)
    inputs = rng.normal(size=(count, *SHAPE)) + 0.5 * rng.normal(size=(len(CLASSES), *SHAPE))[truth]
    return inputs.astype(np.float32), truth


def batch_of(step: int) -> NDArray[np.intp]:
    """Return the rows of a step's batch; the steps go round and round through the examples."""
    return np.arange(step * BATCH, (step + 1) * BATCH) % EXAMPLES


def engine_of(
    name: str, model: str, options: dict[str, Any], *, settings: EngineSettings, smoothing: float = 0.0, seed: int = 1
) -> Any:
    """Build a model's engine as a training does.

    Args:
        name: the backend.
        model: a row of `MODELS`.
        options: the model's options.
        settings: optimizer, precision and seed of dropout.
        smoothing: label smoothing.
        seed: of the first weights.
    """
    from sonde.models import options_of
    from sonde.models.assemble import Blueprint, build
    from sonde.models.heads import label

    module = backend.use(name)
    blueprint = Blueprint(model, "label", SHAPE, len(CLASSES), options_of(model)(**options))
    keras_model = build(blueprint, seed=seed, policy=module.dtype_policy(settings.precision))
    return module.build(keras_model, label.loss(smoothing), label.score, settings)


def save_model(path: Path, model: str, options: dict[str, Any], engine: Any) -> None:
    """Write the model folder of what an engine has trained."""
    from sonde.models import folder, options_of
    from sonde.models.assemble import Blueprint, tensor_shapes

    description = folder.Description(
        sonde="0", task="image-label", answer="label", model=model, options=options, input_shape=SHAPE, input={},
        classes=CLASSES,
    )  # fmt: skip
    weights = backend.weights_of(engine.read_state())
    names = tensor_shapes(Blueprint(model, "label", SHAPE, len(CLASSES), options_of(model)(**options)))
    folder.save(path, description, {each: weights[each] for each in names})


def measure(name: str, case: str, folder: Path) -> None:
    """Write a case's outputs, gradients, losses and weights, from the weights that torch began with.

    Args:
        name: the backend.
        case: a row of `CASES`.
        folder: where to write; holds `start/` unless the backend is torch.
    """
    model, options = CASES[case]
    settings = EngineSettings(optimizer="sgd", momentum=MOMENTUM)
    engine = engine_of(name, model, options, settings=settings)
    start = folder / "start" / f"{case}.npz"
    if name == "torch":
        start.parent.mkdir(exist_ok=True)
        np.savez(start, **backend.weights_of(engine.read_state()))
    with np.load(start) as first:
        engine.write_state({**engine.read_state(), **{WEIGHTS + key: first[key] for key in first.files}})
    inputs, truth = examples()
    found: dict[str, Any] = {"outputs": engine.predict(inputs)}
    rows = batch_of(0)
    found["input_gradient"] = engine.input_gradient(inputs[rows], truth[rows])
    before, losses = backend.weights_of(engine.read_state()), []
    for step in range(STEPS):
        rows = batch_of(step)
        losses.append(engine.step(inputs[rows], truth[rows], LEARNING_RATE))
        if step == 0:
            after = backend.weights_of(engine.read_state())
    # Nesterov's first step moves by rate x (1 + momentum) x gradient.
    moved = {key: (before[key] - after[key]) / (LEARNING_RATE * (1 + MOMENTUM)) for key in before}
    found |= {f"gradient/{key}": array for key, array in moved.items() if "moving_" not in key}
    found |= {f"statistics/{key}": array for key, array in after.items() if "moving_" in key}
    found["losses"], found["scores"] = np.array(losses).T
    found["trained_outputs"] = engine.predict(inputs)
    np.savez(folder / name / f"{case}.npz", **found)
    save_model(folder / name / case, model, options, engine)


def outputs_of_others(name: str, folder: Path) -> dict[str, NDArray[np.float32]]:
    """Return what this backend answers with each model that another backend has trained so far.

    Args:
        name: this backend.
        folder: where the others have written their model folders.
    """
    from sonde.models.folder import load
    from sonde.models.heads import label

    module = backend.use(name)
    found = {}
    for other in backend.BACKENDS:
        for case in CASES:
            if other != name and (folder / other / case).is_dir():
                model, _ = load(folder / other / case)
                engine = module.build(model, label.loss(0.0), label.score, EngineSettings())
                found[f"{other}/{case}"] = engine.predict(examples()[0])
    return found


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
    if "exchange" in parts:
        np.savez(folder / name / "exchange.npz", **outputs_of_others(name, folder))
    if "engine" in parts:
        import engine_checks

        found = engine_checks.all_of(name, folder / name)
        (folder / name / "engine.json").write_text(json.dumps(found, allow_nan=False))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
