"""What an engine does on one backend, as numbers for `test_backends` to judge; run by `parity_worker`.

Every check builds as few engines as it can, since JAX compiles a step for each.
"""

import random
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from parity_worker import BATCH, batch_of, blueprint_of, engine_of, examples, save_model

import batching
from batching import logits_of, stepped
from sonde import backend
from sonde.backend import averaged_weights, batches_of, joined, predictions, weights_of
from sonde.backend.engine import WEIGHTS, EngineSettings, average_momentum
from sonde.backend.optimizers import OPTIMIZERS
from sonde.models.assemble import build
from sonde.models.heads import classification

CNN = {"width": 2, "stages": 1, "dropout": 0.3}
MLP = {"width": 16, "depth": 1, "dropout": 0.0}
GRU = {"cell": "gru", "width": 8, "depth": 1, "dropout": 0.0}
AVERAGE, CLIP_NORM, SMOOTHING = 0.9, 0.01, 0.1


def all_of(name: str, folder: Path) -> dict[str, Any]:
    """Run every check on one backend.

    Args:
        name: a row of `BACKENDS`.
        folder: where arrays and a model folder are written.

    Returns:
        Plain numbers and words, by what was checked.
    """
    return {
        **seeded_builds(name),
        **exact_states(name),
        **plain_steps(name),
        **clipping(name),
        "input_gradient_error": input_gradient_error(name),
        **token_level(name),
        **bfloat16(name, folder),
        "optimizers": optimizer_steps(name, folder),
    }


def seeded_builds(name: str) -> dict[str, Any]:
    """Build a linear model with one seed, with it again, and with another one."""
    module, blueprint = backend.use(name), blueprint_of("mlp", {"depth": 0})
    before = random.getstate()
    models = [build(blueprint, seed=seed, policy=module.dtype_policy("fp32")) for seed in (1, 1, 2)]
    engines = [
        module.build(model, classification.loss({}), classification.scores, EngineSettings()) for model in models
    ]
    first, again, other = (weights_of(engine.read_state()) for engine in engines)
    return {
        "changed_by_building_again": unequal(first, again),
        "changed_by_another_seed": unequal(first, other),
        "python_random_untouched": random.getstate() == before,
    }


def steps(engine: Any, first: int, count: int, rate: float = 0.01) -> list[float]:
    """Take some steps; returns their losses."""
    inputs, truth = examples()
    rows = [batch_of(step) for step in range(first, first + count)]
    return [stepped(engine, inputs[each], truth[each], rate)[0] for each in rows]


def unequal(a: dict[str, NDArray[Any]], b: dict[str, NDArray[Any]]) -> list[str]:
    """Return the names whose arrays differ in a bit or in type, or that only one of two states has."""
    bits = [{key: (str(array.dtype), array.tobytes()) for key, array in each.items()} for each in (a, b)]
    return sorted(key for key in {**a, **b} if bits[0].get(key) != bits[1].get(key))


def exact_states(name: str) -> dict[str, Any]:
    """Go back to an earlier state, in the same engine and in a fresh one, and take the same step again."""
    settings = EngineSettings(weight_decay=0.1, clip_norm=1.0, average=AVERAGE, seed=3)
    engine = engine_of(name, "cnn", CNN, settings)
    average = weights_of(engine.read_state())
    for step in range(3):
        steps(engine, step, 1)
        now, momentum = weights_of(engine.read_state()), average_momentum(AVERAGE, step)
        average = {key: momentum * average[key] + (1 - momentum) * now[key] for key in now}
    early = engine.read_state()
    kept = weights_of(averaged_weights(early))
    trained = [key for key in kept if "moving_" not in key and "seed" not in key]
    floats = [key for key in kept if "seed" not in key]
    losses, late = steps(engine, 3, 2), engine.read_state()
    engine.write_state(early)
    written = engine.read_state()
    again, late_again = steps(engine, 3, 2), engine.read_state()
    fresh = engine_of(name, "cnn", CNN, settings, seed=2)
    fresh.write_state(early)
    logits_of(fresh, examples()[0][:5])
    anew, late_anew = steps(fresh, 3, 2), fresh.read_state()
    without_rate = steps(fresh, 3, 1, rate=0.0) + steps(fresh, 3, 1, rate=0.0)
    after = {key: array for key, array in weights_of(fresh.read_state()).items() if key in trained}
    return {
        "changed_by_reading_and_writing": unequal(early, written),
        "changed_by_going_back": unequal(late, late_again),
        "changed_by_a_fresh_engine": unequal(late, late_anew),
        "losses_in_turn": [losses, again, anew],
        "average_error": max(float(np.abs(kept[key] - average[key]).max()) for key in floats),
        "average_moves": max(float(np.abs(kept[key] - weights_of(early)[key]).max()) for key in trained),
        "average_of_statistics_moves": max(
            float(np.abs(kept[key] - weights_of(early)[key]).max()) for key in kept if "moving_" in key
        ),
        "changed_by_rate_zero": unequal(after, {key: weights_of(late_anew)[key] for key in trained}),
        "losses_of_two_draws_of_dropout": without_rate,
        "batch_size_error": batch_size_error(engine),
    }


def batch_size_error(engine: Any) -> float:
    """Return how far the outputs in batches of 1, 7 and 32 are from those in one batch."""
    inputs, _ = examples()
    whole = logits_of(engine, inputs)
    parts = [
        joined(predictions(engine, batches_of(inputs, np.asarray, batch_size=size)))["logits"] for size in (1, 7, 32)
    ]
    return max(float(np.abs(part - whole).max() / np.abs(whole).max()) for part in parts)


def plain_steps(name: str) -> dict[str, Any]:
    """Take steps of plain gradient descent at several rates from one state; compare the loss with numpy's."""
    settings = EngineSettings(optimizer="sgd", momentum=0.0)
    engine = engine_of(name, "mlp", MLP, settings, smoothing=SMOOTHING)
    inputs, truth = (each[:BATCH] for each in examples())
    outputs = logits_of(engine, inputs).astype(np.float64)
    start, moves = engine.read_state(), {}
    for rate in (0.1, 0.2, 0.0):
        engine.write_state(start)
        loss, score = stepped(engine, inputs, truth, rate)
        after = engine.read_state()
        moves[rate] = np.concatenate([(start[key] - after[key]).ravel() for key in start if key.startswith(WEIGHTS)])
    log_probabilities = outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))
    exact = np.eye(outputs.shape[1])[truth]
    target = exact * (1 - SMOOTHING) + SMOOTHING / outputs.shape[1]
    recording = engine_of(name, "mlp", MLP, settings, smoothing=SMOOTHING, recorded=classification.loss({}))
    recording.write_state(start)
    recorded = stepped(recording, inputs, truth, 0.1)[0]
    moved = recording.read_state()
    engine.write_state(start)
    stepped(engine, inputs, truth, 0.1)
    return {
        "recorded_loss_and_numpys": [recorded, float(-(exact * log_probabilities).sum(axis=1).mean())],
        "changed_by_recording_another_loss": unequal(moved, engine.read_state()),
        "loss_and_numpys": [loss, float(-(target * log_probabilities).sum(axis=1).mean())],
        "score_and_numpys": [score, float((outputs.argmax(axis=1) == truth).mean())],
        "move": float(np.abs(moves[0.1]).max()),
        "doubled_rate_error": float(np.abs(moves[0.2] - 2 * moves[0.1]).max() / np.abs(moves[0.2]).max()),
        "move_at_rate_zero": float(np.abs(moves[0.0]).max()),
    }


def clipping(name: str) -> dict[str, Any]:
    """Take a step at rate 1 with a small bound on the gradients; returns how long it was."""
    engine = engine_of(name, "mlp", MLP, EngineSettings(optimizer="sgd", momentum=0.0, clip_norm=CLIP_NORM))
    before = weights_of(engine.read_state())
    steps(engine, 0, 1, rate=1.0)
    after = weights_of(engine.read_state())
    moved = np.sqrt(sum(np.square(after[key] - before[key]).sum() for key in before))
    return {"clipped_norm_and_bound": [float(moved), CLIP_NORM]}


def input_gradient_error(name: str) -> float:
    """Compare the slope of the loss along a random direction with a central difference, in a smooth model."""
    engine = engine_of(name, "rnn", GRU, EngineSettings())
    inputs, truth = (each[:BATCH] for each in examples())
    direction = np.random.default_rng(5).normal(size=inputs.shape).astype(np.float32)

    def loss(shift: float) -> float:
        outputs = logits_of(engine, inputs + np.float32(shift) * direction).astype(np.float64)
        log_probabilities = outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))
        return float(-log_probabilities[np.arange(len(truth)), truth].mean())

    # 0.01: the rounding of float32 outputs (1e-7) and the cubic term (1e-4) then weigh about the same.
    slope = (loss(0.01) - loss(-0.01)) / 0.02
    gradient = engine.gradient(batching.batch_of(inputs, truth), classification.loss({}))
    return abs(float((gradient * direction).sum()) - slope) / abs(slope)


def token_level(name: str) -> dict[str, Any]:
    """Take steps of a model that answers for each token, whole and in ragged parts, with batches of several lengths."""
    whole, states, losses, scores = token_engine(name, 1), {}, {}, {}
    start = whole.read_state()
    for parts in (1, 2, 3, 10):
        engine = token_engine(name, parts) if parts > 1 else whole
        engine.write_state(start)
        losses[parts] = [engine.step(token_batch(length), 0.5)["loss"] for length in TOKENS]
        states[parts] = weights_of(engine.read_state())
        engine.write_state(start)
        scores[parts] = [engine.step(token_batch(length), 0.0)["right"] for length in TOKENS]
    logits = whole.predict(token_batch(TOKENS[0]))["logits"]
    alone = whole.predict({"inputs": token_batch(TOKENS[0])["inputs"][:2, :3]})["logits"]
    return {
        "token_losses": losses,
        "token_scores": scores,
        "token_gap": max(
            float(np.abs(states[parts][key] - states[1][key]).max()) for parts in states for key in states[1]
        ),
        "token_moves": max(float(np.abs(states[1][key] - array).max()) for key, array in weights_of(start).items()),
        "token_shapes": [list(logits.shape), list(alone.shape)],
        "token_alone_gap": float(np.abs(alone - logits[:2, :3]).max()),
    }


TOKENS, TOKEN_EXAMPLES, WORDS, KINDS_OF_TOKEN = (5, 17, 9), 7, 11, 4
"""Lengths of the batches, which lie below and above what JAX fills them up to; examples in each; sizes of the model."""


def token_engine(name: str, parts: int) -> Any:
    """Build an engine whose outputs, truth and weights are as long as its inputs."""
    import keras
    from keras import ops

    def loss(outputs: Any, batch: Any) -> Any:
        truth_BTV = ops.one_hot(batch["truth"], KINDS_OF_TOKEN, dtype="float32")
        each_BT = -ops.sum(truth_BTV * ops.log_softmax(outputs["logits"], axis=-1), axis=-1)
        return ops.sum(batch["weights"] * each_BT)

    def right(outputs: Any, batch: Any) -> Any:
        found_BT = ops.cast(ops.argmax(outputs["logits"], axis=-1), "int32")
        hits_BT = ops.cast(ops.equal(found_BT, ops.cast(batch["truth"], "int32")), "float32")
        return {"right": ops.sum(batch["weights"] * hits_BT) / ops.maximum(ops.sum(batch["weights"]), 1e-12)}

    random = keras.initializers.RandomNormal(stddev=0.5, seed=3)
    inputs = keras.Input((None,), dtype="int32", name="inputs")
    x_BTD = keras.layers.Embedding(WORDS, 6, embeddings_initializer=random, name="words")(inputs)
    logits = keras.layers.Dense(KINDS_OF_TOKEN, kernel_initializer=random, name="answer")(x_BTD)
    settings = EngineSettings(optimizer="sgd", momentum=0.9, accumulate=parts)
    return backend.use(name).build(
        keras.Model({"inputs": inputs}, {"logits": logits}),
        loss,
        right,
        settings,
        varying={"truth": (1,), "weights": (1,)},
    )


def token_batch(length: int) -> dict[str, NDArray[Any]]:
    """Return tokens of unequal length; the first two examples are ignored as a whole."""
    rng = np.random.default_rng(length)
    counted = np.arange(length) < rng.integers(1, length + 1, size=(TOKEN_EXAMPLES, 1))
    counted[:2] = False
    shape = (TOKEN_EXAMPLES, length)
    return {
        "inputs": rng.integers(1, WORDS, shape).astype(np.int32),
        "truth": rng.integers(0, KINDS_OF_TOKEN, shape).astype(np.int32),
        "weights": (counted / counted.sum()).astype(np.float32),
    }


def bfloat16(name: str, folder: Path) -> dict[str, Any]:
    """Train a few steps in bf16 and save the model."""
    engine = engine_of(name, "cnn", CNN, EngineSettings(precision="bf16"))
    losses = steps(engine, 0, 3)
    weights = weights_of(engine.read_state())
    np.savez(folder / "bf16.npz", outputs=logits_of(engine, examples()[0]))
    save_model(folder / "bf16", "cnn", CNN, engine)
    return {
        "bf16_losses": losses,
        "bf16_types": sorted({str(array.dtype) for key, array in weights.items() if "seed" not in key}),
    }


def optimizer_steps(name: str, folder: Path) -> list[str]:
    """Write the weights after a few steps of each optimizer, from the same first weights; returns their names."""
    rng = np.random.default_rng(7)
    for optimizer in OPTIMIZERS:
        settings = EngineSettings(optimizer=optimizer, weight_decay=0.1, clip_norm=1.0)
        engine = engine_of(name, "mlp", MLP, settings)
        state = engine.read_state()
        if optimizer == next(iter(OPTIMIZERS)):
            shapes = {key: state[key].shape for key in sorted(state) if key.startswith(WEIGHTS)}
            start = {key: rng.normal(0, 0.3, size=shape).astype(np.float32) for key, shape in shapes.items()}
        engine.write_state({**state, **start})
        losses = steps(engine, 0, 5, rate=0.01)
        np.savez(folder / f"{optimizer}.npz", losses=losses, **weights_of(engine.read_state()))
    return list(OPTIMIZERS)
