"""Solves the linear head of a model whose features are not trained: a ridge regression on what its head says.

The strength of the ridge is the one of least squared error when each example in turn is left out, which has a closed
form (Golub, Heath and Wahba, 1979). What comes out is scaled, so that its softmax means what it says on examples left
out. Features are brought to deviation 1 first.
"""

# N examples, F features, C classes, A strengths

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from sonde.backend import Batch, Trains, batches_of, joined, predictions
from sonde.backend.engine import Loss, State
from sonde.config import Options
from sonde.models.architectures import architecture
from sonde.models.assemble import Blueprint, build
from sonde.models.heads import HEADS
from sonde.models.heads import head as head_of
from sonde.models.predicting import predicting_engine

STRENGTHS = np.logspace(-3, 3, 10)
"""Strengths of the ridge that are tried; those of the authors of MiniRocket."""
MOST_AT_ONCE = 4_000
"""Examples up to which all strengths are tried on all of them; that takes time with the third power."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """A solved head."""

    kernel: NDArray[np.float32]
    """F x C."""
    bias: NDArray[np.float32]
    """C."""
    strength: float
    """Of the ridge."""
    left_out: NDArray[np.float32]
    """Logits of the examples that the strength was chosen on, each as it is answered when left out, N x C."""
    places: NDArray[np.int64]
    """Which examples those are, N."""


def solves(model: str, answer: str, options: Options) -> bool:
    """Tell whether the head of a model is solved for, so that it is not trained in steps.

    Args:
        model: a row of `MODELS`.
        answer: a row of `HEADS`.
        options: the model's own.
    """
    asks = getattr(architecture(model), "solves", None)
    return HEADS[answer].solves and asks is not None and bool(asks(options))


def is_solved(blueprint: Blueprint) -> bool:
    """Tell whether a model's head is solved for; see `solves`."""
    return solves(blueprint.name, blueprint.answer, blueprint.options)


def is_refitted(blueprint: Blueprint) -> bool:
    """Tell whether a model is solved once more on training and validation examples together, before it is saved."""
    return is_solved(blueprint) and bool(getattr(blueprint.options, "refit", False))


def solve_model(
    model: keras.Model,
    blueprint: Blueprint,
    module: ModuleType,
    examples: "Solvable",
    *,
    seed: int,
) -> Head:
    """Take a fresh model's fixed weights from training examples, and solve its head.

    Args:
        model: what `build` returned; it is changed.
        blueprint: what was built; `is_solved` is true of it.
        module: the backend's module, which computes the features.
        examples: the training examples.
        seed: chooses what is chosen.

    Returns:
        The solved head.
    """
    # Array by array, since a model's own `get_weights` has no names.
    weights = {each.path: keras.ops.convert_to_numpy(each.value) for each in model.variables}
    measure = architecture(blueprint.name).measure
    _assign(model, measure(examples.inputs, weights, blueprint.options, blueprint.reads, seed=seed))
    file = head_of(blueprint.answer)
    name = file.NAME
    inside = keras.Model(model.input, {"features": model.get_layer(name).input})
    engine = predicting_engine(module, inside, blueprint.answer)
    features = joined(predictions(engine, batches_of(examples.inputs, examples.prepare)))["features"]
    head = solve(features, examples.truth, blueprint.outputs, head=file, seed=seed)
    _assign(model, {f"{name}/kernel": head.kernel, f"{name}/bias": head.bias})
    return head


def begin_linear(
    model: keras.Model, blueprint: Blueprint, module: ModuleType, examples: "Solvable", *, seed: int
) -> None:
    """Let a fresh model begin as a ridge regression of its inputs, if its architecture has a place for one.

    The hidden layers then learn what a straight line leaves, and what is a line is exact from the first step on (as a
    wide part beside a deep one: Cheng et al., "Wide & deep learning", 2016).

    Args:
        model: what `build` returned; its head is changed.
        module: the backend's module, which computes the features.
        examples: the training examples.
        seed: chooses what is chosen.
    """
    file, architect = head_of(blueprint.answer), architecture(blueprint.name)
    begins = getattr(architect, "begins_linear", None)
    if begins is None or not begins(blueprint.options) or not HEADS[blueprint.answer].solves:
        return
    inside = keras.Model(model.input, {"features": model.get_layer(architect.BESIDE).input[-1]})
    engine = predicting_engine(module, inside, blueprint.answer)
    features = joined(predictions(engine, batches_of(examples.inputs, examples.prepare)))["features"]
    line = solve(features, examples.truth, blueprint.outputs, head=file, seed=seed)
    kernel = np.zeros(model.get_layer(file.NAME).kernel.shape, np.float32)
    kernel[-features.shape[1] :] = line.kernel
    _assign(model, {f"{file.NAME}/kernel": kernel, f"{file.NAME}/bias": np.resize(line.bias, kernel.shape[1])})


def solved_weights(
    blueprint: Blueprint, module: ModuleType, examples: "Solvable", *, seed: int
) -> dict[str, NDArray[Any]]:
    """Build a model, solve it, and return its weights by name.

    Args:
        blueprint: what to build; `is_solved` is true of it.
        examples: what it is solved on.
        seed: of the model, and of what is chosen.
    """
    return solved(blueprint, module, examples, seed=seed)[0]


def solved(
    blueprint: Blueprint, module: ModuleType, examples: "Solvable", *, seed: int
) -> tuple[dict[str, NDArray[Any]], Head]:
    """Build a model, solve it, and return its weights by name, and the head; see `solved_weights`.

    Args:
        blueprint: what to build; `is_solved` is true of it.
        examples: what it is solved on.
        seed: of the model, and of what is chosen.
    """
    model = build(blueprint, seed=seed)
    head = solve_model(model, blueprint, module, examples, seed=seed)
    return {each.path: np.array(keras.ops.convert_to_numpy(each.value)) for each in model.weights}, head


@dataclass(frozen=True)
class Solvable:
    """Training examples, as far as a model's weights can be taken from them."""

    inputs: Any
    """Encoded examples, N: an array or ragged."""
    prepare: Callable[[Any], NDArray[Any]]
    """Turns a batch of them into what the model reads."""
    truth: Any
    """As the target encodes it, N."""


def solve(
    features_NF: NDArray[np.float32], truth: NDArray[Any], outputs: int, *, head: ModuleType, seed: int = 0
) -> Head:
    """Solve a head for features.

    Args:
        features_NF: of the training examples.
        truth: as the target encodes it, N.
        head: the file of the head, which says what is solved for.
        seed: chooses the examples on which the strength is chosen, where there are more than a few thousand.
    """
    mean_F = features_NF.mean(axis=0, dtype=np.float64)
    std_F = features_NF.std(axis=0, dtype=np.float64)
    std_F[std_F < 1e-9] = 1.0
    target_NC = head.solve_targets(truth, outputs)
    some = np.arange(len(truth))
    if len(some) > MOST_AT_ONCE:
        some = np.sort(np.random.default_rng(seed).permutation(len(some))[:MOST_AT_ONCE])
    # Single precision suffices for the products, which are the most of the time; what follows is solved in double.
    scaled_NF = ((features_NF[some] - mean_F) / std_F).astype(np.float32)
    dual_NC, left_out_NC, strength = _leave_one_out(scaled_NF, target_NC[some])
    offset_C = target_NC[some].mean(axis=0)
    if len(some) == len(truth):
        slope_FC = scaled_NF.T.astype(np.float64) @ dual_NC - scaled_NF.mean(axis=0, dtype=np.float64)[
            :, None
        ] * dual_NC.sum(axis=0)
    else:
        offset_C = target_NC.mean(axis=0)
        slope_FC = _primal(features_NF, mean_F, std_F, target_NC - offset_C, strength)
    factor = head.sharpness(left_out_NC, truth[some])
    kernel_FC = factor * slope_FC / std_F[:, None]
    bias_C = factor * offset_C - mean_F @ kernel_FC
    kernel, bias, left_out = (each.astype(np.float32) for each in (kernel_FC, bias_C, factor * left_out_NC))
    return Head(kernel, bias, strength, left_out, some)


def _leave_one_out(x_NF: NDArray[np.float32], target_NC: Floats) -> tuple[Floats, Floats, float]:
    """Choose the strength; returns the solution in the examples, what each is answered when left out, the strength."""
    count = len(x_NF)
    gram_NN = (x_NF @ x_NF.T).astype(np.float64)
    means_N = gram_NN.mean(axis=0)
    gram_NN += means_N.mean() - means_N - means_N[:, None]
    centred_NC = target_NC - target_NC.mean(axis=0)
    values_N, axes_NN = linalg.eigh(gram_NN, overwrite_a=True, check_finite=False)
    values_N = np.maximum(values_N, 0.0)
    turned_NC, squares_NN = axes_NN.T @ centred_NC, axes_NN**2
    best: tuple[float, Floats, Floats, float] | None = None
    for strength in STRENGTHS.tolist():
        dual_NC = axes_NN @ (turned_NC / (values_N + strength)[:, None])
        # An example's own weight in its answer; the constant's is 1/N.
        own_N = squares_NN @ (values_N / (values_N + strength)) + 1 / count
        errors_NC = strength * dual_NC / np.maximum(1 - own_N, 1e-12)[:, None]
        error = float((errors_NC**2).mean())
        if best is None or error < best[0]:
            best = (error, dual_NC, target_NC - errors_NC, strength)
    assert best is not None
    return best[1:]


def _primal(
    features_NF: NDArray[np.float32], mean_F: Floats, std_F: Floats, centred_NC: Floats, strength: float
) -> Floats:
    """Solve for a given strength where there are more examples than features, in pieces that fit into memory."""
    count = features_NF.shape[1]
    gram_FF, moment_FC = np.zeros((count, count), dtype=np.float32), np.zeros((count, centred_NC.shape[1]))
    for first in range(0, len(features_NF), 2048):
        x_BF = ((features_NF[first : first + 2048] - mean_F) / std_F).astype(np.float32)
        gram_FF += x_BF.T @ x_BF
        moment_FC += x_BF.T.astype(np.float64) @ centred_NC[first : first + 2048]
    whole_FF = gram_FF.astype(np.float64)
    whole_FF[np.diag_indices(count)] += strength
    return linalg.cho_solve(linalg.cho_factor(whole_FF, overwrite_a=True, check_finite=False), moment_FC)


def _assign(model: keras.Model, weights: dict[str, NDArray[Any]]) -> None:
    variables = {variable.path: variable for variable in model.variables}
    for path, array in weights.items():
        variables[path].assign(array)


class Solved:
    """An engine whose model is solved: its steps tell the loss of a batch and change nothing."""

    def __init__(self, engine: Trains):
        self._engine = engine

    def step(self, batch: Batch, learning_rate: float) -> Mapping[str, float]:
        """Return losses and scores of a batch; see `Trains.step`."""
        return self._engine.step(batch, 0.0)

    def predict(self, inputs: Batch) -> Batch:
        """Return the outputs for a batch; see `Predicts.predict`."""
        return self._engine.predict(inputs)

    def gradient(self, batch: Batch, of: Loss, by: str = "inputs") -> NDArray[np.float32]:
        """Return the gradient with respect to an input, zero for counted features; see `Trains.gradient`."""
        return self._engine.gradient(batch, of, by)

    def read_state(self) -> State:
        """Copy the whole state out; see `Trains.read_state`."""
        return self._engine.read_state()

    def write_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Copy a state in; see `Trains.write_state`."""
        self._engine.write_state(state)
