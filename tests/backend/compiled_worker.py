"""Runs in a process of its own with tensorflow or jax, since Keras allows one backend in each: what their steps do.

    python tests/backend/compiled_worker.py tensorflow

The last line that it prints is what it saw, as JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from batching import batch_of, named, stepped
from contracts.parity_worker import engine_of, examples
from sonde import backend
from sonde.backend.engine import EngineSettings

BATCH = 16
CNN = {"width": 2, "stages": 1, "dropout": 0.0}
MLP = {"width": 16, "depth": 1, "dropout": 0.0}


def some(first: int = 0, count: int = BATCH) -> tuple[Any, Any]:
    """Return some inputs and their truth."""
    inputs, truth = examples()
    return inputs[first : first + count], truth[first : first + count]


def gap(a: dict[str, Any], b: dict[str, Any]) -> float:
    """Return the largest difference of two states, each array relative to its own largest value."""
    assert set(a) == set(b)
    return max(float(np.abs(a[key] - b[key]).max() / max(np.abs(a[key]).max(), 1e-6)) for key in a if a[key].size)


def accumulation(name: str) -> dict[str, Any]:
    """Take steps in one, two and four parts from the same weights."""
    states, told = {}, {}
    for parts in (1, 2, 4):
        engine = engine_of(name, "mlp", MLP, EngineSettings(clip_norm=1.0, average=0.9, accumulate=parts))
        told[parts] = [stepped(engine, *some(), 0.01) for _ in range(3)]
        states[parts] = engine.read_state()
    return {
        "gaps": [gap(states[1], states[parts]) for parts in (2, 4)],
        "told": told,
        "steps": {parts: int(state["optimizer/optimizer/iteration"]) for parts, state in states.items()},
    }


def statistics_and_bits(name: str) -> dict[str, Any]:
    """Compare a step in two parts with a second engine's, and with two steps at rate zero."""
    settings = EngineSettings(accumulate=2)
    first, again = (engine_of(name, "cnn", {**CNN, "dropout": 0.3}, settings) for _ in range(2))
    seen = []
    for engine in (first, again):
        losses = [stepped(engine, *some(), 0.01)[0] for _ in range(2)]
        seen.append((losses, {key: array.tobytes() for key, array in engine.read_state().items()}))
    halves = engine_of(name, "cnn", CNN, EngineSettings())
    parts = engine_of(name, "cnn", CNN, settings)
    for start in (0, BATCH // 2):
        stepped(halves, *some(start, BATCH // 2), 0.0)
    stepped(parts, *some(), 0.0)
    moved = [
        {key: array for key, array in engine.read_state().items() if "/moving_" in key} for engine in (halves, parts)
    ]
    assert moved[0]
    return {"same_bits": seen[0] == seen[1], "statistics_gap": gap(*moved)}


def native_batch_norm() -> dict[str, Any]:
    """Take steps of networks with batch normalisation as TensorFlow has it, and as Keras writes it."""
    import keras

    from sonde.backend import tensorflow as module
    from sonde.backend import tensorflow_layers
    from sonde.models.heads import classification

    found: dict[str, Any] = {}
    cases: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
        "images": ((12, 12, 1), {}),
        "sequences": ((12, 12), {"scale": False, "momentum": 0.7}),
        "vectors": ((144,), {"center": False}),
        "frozen": ((12, 12, 1), {"trainable": False}),
        "small epsilon": ((144,), {"epsilon": 1e-6}),
    }
    table = dict(tensorflow_layers.NATIVE)
    for case, (shape, options) in cases.items():
        seen = []
        for rows in (table, {}):
            tensorflow_layers.NATIVE.clear()
            tensorflow_layers.NATIVE.update(rows)
            x = entry = keras.Input(shape)
            # Without a bias, whose gradient would be nothing but rounding.
            x = keras.layers.Dense(
                4, use_bias=False, kernel_initializer=keras.initializers.RandomNormal(stddev=0.3, seed=1)
            )(x)
            norm = keras.layers.BatchNormalization(**options)
            x = keras.layers.Flatten()(keras.layers.Activation("tanh")(norm(x)))
            x = keras.layers.Dense(3, kernel_initializer=keras.initializers.RandomNormal(stddev=0.3, seed=2))(x)
            engine = module.build(
                named(keras.Model(entry, x)),
                classification.loss({}),
                classification.scores,
                EngineSettings(optimizer="sgd"),
            )
            inputs, truth = some()
            for _ in range(3):
                stepped(engine, inputs.reshape(-1, *shape), truth, 0.05)
            graph = engine._compiled_step.get_concrete_function(
                {name: module.tf.constant(each) for name, each in batch_of(inputs.reshape(-1, *shape), truth).items()},
                module.tf.constant(np.float32(0.05)),
            ).graph
            kinds = {operation.type for operation in graph.get_operations()}
            state = engine.read_state()
            # Keras numbers the layers of a process.
            seen.append({str(place): array for place, array in enumerate(state.values())})
            found.setdefault(case, {}).setdefault("fused", []).append("FusedBatchNormV3" in kinds)
            found[case]["left"] = "call" in vars(norm)
        found[case]["gap"] = gap(*seen)
    tensorflow_layers.NATIVE.update(table)
    return found


def precision() -> dict[str, Any]:
    """Choose a precision with trials that take given times, and with a wrong one."""
    from sonde.backend import tensorflow as module
    from sonde.backend import tensorflow_precision, trials

    found: dict[str, Any] = {}
    for times in ((2.0, 1.0), (1.1, 1.0), (1.0, 4.0)):
        trials.fastest = lambda first, second, times=times: times  # type: ignore[misc, assignment]
        for work in ("convolution", "recurrence", "matrix product"):
            chosen = module.choose_precision(work=work)
            found[f"{work}, {times[0] / times[1]:.2f}"] = [chosen.value, chosen.reason]
    trials.fastest = lambda first, second: (9.0, 1.0)  # type: ignore[assignment]
    operation, *shapes = tensorflow_precision.TRIALS["convolution"]
    half = module.tf.bfloat16

    def broken(cast: Any, *leaves: Any) -> Any:
        outputs = operation(cast, *leaves)
        return outputs * 2 if outputs.dtype == half else outputs

    tensorflow_precision.TRIALS["convolution"] = (broken, *shapes)
    chosen = module.choose_precision(work="convolution")
    found["wrong"] = [chosen.value, chosen.reason]
    return found


def main(name: str) -> None:
    """Print what was seen on one backend.

    Args:
        name: tensorflow or jax.
    """
    module = backend.use(name)
    module.start(threads=1)
    found = {"accumulation": accumulation(name), **statistics_and_bits(name)}
    if name == "tensorflow":
        found |= {"batch_norm": native_batch_norm(), "precision": precision()}
    else:
        found["precision"] = {
            work: module.choose_precision(work=work).value for work in ("convolution", "recurrence", "matrix product")
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
