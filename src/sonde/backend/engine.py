"""What every backend gives: an engine that steps, predicts and shows its whole state as named arrays.

The state of a run is a flat mapping of numpy arrays:

    weights/<variable path>      every variable of the model, the running statistics and seeds included
    optimizer/<variable path>    every slot of the optimizer, its step counter included
    moving_average/<path>        the average over the steps of every float variable of the model, if one is kept

Two engines with equal states take equal steps; that is what makes resuming exact.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sonde.errors import ModelError

State = dict[str, NDArray[Any]]

WEIGHTS = "weights/"
OPTIMIZER = "optimizer/"
AVERAGE = "moving_average/"
SEED = "seed_generator_state"
"""Keras ends the names of the states of its seed generators so."""


class Engine(Protocol):
    """A model, its loss and its optimizer on one backend."""

    def step(self, inputs: NDArray[Any], truth: NDArray[Any], learning_rate: float) -> tuple[float, float]:
        """Take one training step on a batch; returns the mean loss and the mean score before the update.

        The loss is the one to record, which may be another than the one whose gradient is followed; where the latter
        is not finite, it is returned instead.
        """

    def predict(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the model's outputs for a batch, in inference mode."""

    def input_gradient(self, inputs: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float32]:
        """Return the gradient of the mean loss with respect to the inputs, in inference mode.

        Raises ModelError where the inputs are whole numbers.
        """

    def read_state(self) -> State:
        """Copy the whole state out."""

    def write_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Copy a state in; names and shapes must be those of `read_state`."""


@dataclass(frozen=True)
class Precision:
    """The arithmetic of the training step, and why it was chosen."""

    value: str
    """fp32 or bf16."""
    reason: str


@dataclass(frozen=True)
class EngineSettings:
    """How an engine trains; the numbers come from the run's [training] table."""

    optimizer: str = "adamw"
    weight_decay: float = 0.0
    """Decoupled; never on biases and norms."""
    momentum: float = 0.9
    rest_factor: float = 1.0
    """Muon: factor on the learning rate of what AdamW updates: the head, embeddings, biases and norms."""
    bias_factor: float = 1.0
    """Muon: a further factor on that of biases and the offsets of norms."""
    clip_norm: float = 0.0
    """Largest global norm of the gradients; 0 for no bound."""
    average: float = 0.0
    """Momentum of the moving average of the model; 0 for none."""
    accumulate: int = 1
    """Equal parts that a batch passes through the network in; their gradients are averaged."""
    precision: str = "fp32"
    seed: int = 0
    head: str = "answer"
    """Name of the last layer; Muon leaves it to AdamW."""


Loss = Callable[[Any, Any], Any]
"""(outputs, truth) -> a scalar of the backend."""


def name_variables(prefix: str, variables: list[Any]) -> list[tuple[str, Any]]:
    """Pair each Keras variable with its name in the state.

    Args:
        prefix: `WEIGHTS` or `OPTIMIZER`.
        variables: Keras variables.

    Raises:
        ModelError: two have one name.
    """
    seeds = [id(variable) for variable in variables if variable.path.endswith(SEED)]
    # Keras numbers its seed generators by how many the process has made; here it is their place in the model.
    named = [
        (f"{prefix}seed_{seeds.index(id(each))}" if id(each) in seeds else prefix + each.path, each)
        for each in variables
    ]
    names = [name for name, _ in named]
    twice = sorted({name.removeprefix(prefix) for name in names if names.count(name) > 1})
    if twice:
        raise ModelError(
            f"Two weights of the model are called '{twice[0]}'. Give the layers, and the models inside of it, names of "
            "their own: weights are saved by name."
        )
    return named


def weights_of(state: Mapping[str, NDArray[Any]]) -> State:
    """Return the model's part of a state, without the prefix."""
    return {name.removeprefix(WEIGHTS): array for name, array in state.items() if name.startswith(WEIGHTS)}


def averaged_weights(state: Mapping[str, NDArray[Any]]) -> State:
    """Return a state whose weights and running statistics are replaced by their moving average, if it holds one.

    Args:
        state: what `Engine.read_state` returned.
    """
    return {
        name: state.get(AVERAGE + name.removeprefix(WEIGHTS), array) if name.startswith(WEIGHTS) else array
        for name, array in state.items()
    }


def variables_to_average(settings: EngineSettings, variables: list[Any]) -> list[Any]:
    """Return the variables that an engine keeps an average of: those of floats, the running statistics included.

    Averaged weights with the statistics of the last ones would be a model that never was.

    Args:
        settings: tells whether there is an average.
        variables: all Keras variables of the model.
    """
    return [each for each in variables if "float" in str(each.dtype)] if settings.average else []


def average_momentum(average: float, step: int) -> float:
    """Return the momentum of the moving average at a step; low at first, so that the initial weights are forgotten.

    Args:
        average: momentum in the long run.
        step: steps taken before this one.
    """
    return min(average, (1 + step) / (10 + step))


def refuse_whole_numbers(name: str, dtype: Any) -> None:
    """Raise where a gradient by the inputs is asked for and these are codes, such as the tokens of a text.

    Args:
        name: of the model.
        dtype: type of its inputs.

    Raises:
        ModelError: they are whole numbers.
    """
    if "int" in str(dtype):
        raise ModelError(
            f"The model '{name}' reads whole numbers, and between them there is no slope. Take the gradient by what "
            "its embedding makes of them: sonde.models.inside cuts a model behind it."
        )


def told_loss(trained: float, recorded: float) -> float:
    """Return the loss to record, or the trained one where that is not finite.

    Args:
        trained: the loss whose gradient was followed.
        recorded: the loss to record.
    """
    return recorded if math.isfinite(trained) else trained


def predict_all(
    engine: Engine,
    inputs: Any,
    prepare: Callable[[Any], NDArray[Any]],
    *,
    batch_size: int = 256,
) -> NDArray[np.float32]:
    """Return the model's outputs for stored inputs, batch by batch.

    Args:
        engine: the model.
        inputs: stored examples, N first: an array, or what has `lengths` and gives some of its examples by their rows.
            Those of like length then come together; the answers are in the examples' own order.
        prepare: turns a batch of them into what the model reads.
        batch_size: examples at a time; changes the time, not the answer.
    """
    lengths = getattr(inputs, "lengths", None)
    starts = range(0, len(inputs), batch_size)
    if lengths is None:
        return np.concatenate([engine.predict(prepare(inputs[first : first + batch_size])) for first in starts])
    rows = np.argsort(lengths, kind="stable")
    found = np.concatenate([engine.predict(prepare(inputs[rows[first : first + batch_size]])) for first in starts])
    outputs = np.empty_like(found)
    outputs[rows] = found
    return outputs
