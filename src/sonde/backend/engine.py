"""What every backend gives: an engine that steps, predicts and shows its whole state as named arrays.

The state of a run is a flat mapping of numpy arrays:

    weights/<variable path>      every variable of the model, the running statistics and seeds included
    optimizer/<variable path>    every slot of the optimizer, its step counter included
    moving_average/<path>        the average over the steps of every float variable of the model, if one is kept

Two engines with equal states take equal steps; that is what makes resuming exact.
"""

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


Batch = Mapping[str, NDArray[Any]]
"""Named arrays with the batch on their first axis, as in `data.target`: what a model reads, and what a loss reads."""

Tensors = Mapping[str, Any]
"""Named tensors of the backend: the outputs of a model, or the arrays of a batch."""

Loss = Callable[[Tensors, Tensors], Any]
"""(outputs, batch) -> a scalar of the backend: a sum of the batch's weights times losses, made of `keras.ops`."""

Scores = Callable[[Tensors, Tensors], Mapping[str, Any]]
"""(outputs, batch) -> scalars by name; those of the parts of a batch are averaged by their weights."""


class Predicts(Protocol):
    """What answers for a batch."""

    def predict(self, inputs: Batch) -> Batch:
        """Return the model's outputs by name, float32, in inference mode; arrays that it does not read are ignored."""


class Trains(Predicts, Protocol):
    """A model, its loss and its optimizer on one backend."""

    def step(self, batch: Batch, learning_rate: float) -> Mapping[str, float]:
        """Take one training step on a batch.

        Returns:
            Of the model before the update: "loss", whose gradient was followed, "recorded", the loss to record, which
            may be another one, and the head's scores by name.
        """

    def gradient(self, batch: Batch, of: Loss, by: str = "inputs") -> NDArray[np.float32]:
        """Return the gradient of a scalar with respect to an array that the model reads, in inference mode.

        Args:
            batch: what the model reads, and all else that the scalar depends on.
            of: the scalar. What varies from call to call comes with the batch and `of` stays the same function: JAX
                compiles it once.

        Raises:
            ModelError: the array holds whole numbers.
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
    """Parts that a batch passes through the network in, one after the other; their gradients are added."""
    precision: str = "fp32"
    seed: int = 0
    head: str = "answer"
    """Name of the last layer; Muon leaves it to AdamW."""


LOSSES = ("loss", "recorded")
"""What a step tells of beside the head's scores."""


def input_names(model: Any) -> tuple[str, ...]:
    """Return the names of what a model reads; of a single array without a name, "inputs"."""
    return _names(getattr(model, "_inputs_struct", None), "inputs")


def output_names(model: Any) -> tuple[str, ...]:
    """Return the names of what a model gives; of a single array without a name, "outputs"."""
    return _names(getattr(model, "_outputs_struct", None), "outputs")


def _names(struct: Any, usual: str) -> tuple[str, ...]:
    return tuple(sorted(struct)) if isinstance(struct, dict) else (usual,)


class Wiring:
    """How named arrays go into a Keras model and come out of it."""

    def __init__(self, model: Any):
        self.inputs, self.outputs = input_names(model), output_names(model)
        self._is_named = isinstance(getattr(model, "_inputs_struct", None), dict)
        tensors = model._inputs_struct if self._is_named else {self.inputs[0]: model.inputs[0]}
        self.specs = {name: (tuple(tensors[name].shape), str(tensors[name].dtype)) for name in self.inputs}
        """Shape, None where it varies, and type of each input."""
        given = model._outputs_struct if isinstance(getattr(model, "_outputs_struct", None), dict) else None
        outputs = given or {self.outputs[0]: model.outputs[0]}
        self.varies = any(None in outputs[name].shape[1:] for name in self.outputs)
        """Whether an output's size beyond the batch depends on the inputs'."""

    def fed(self, batch: Tensors) -> Any:
        """Return what the model is called with."""
        return {name: batch[name] for name in self.inputs} if self._is_named else batch[self.inputs[0]]

    def named(self, outputs: Any) -> dict[str, Any]:
        """Return what the model gave, by name."""
        return dict(outputs) if isinstance(outputs, dict) else {self.outputs[0]: outputs}

    def varying(self, more: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        """Return the axes of each array whose size differs from batch to batch, beside the first.

        Args:
            more: those of arrays that the loss reads.
        """
        own = {
            name: tuple(a for a, size in enumerate(shape) if a and size is None)
            for name, (shape, _) in self.specs.items()
        }
        return {name: axes for name, axes in {**more, **own}.items() if axes}


def bounds(count: int, parts: int) -> list[tuple[int, int]]:
    """Return where the parts of a batch begin and end: of sizes that differ by one at most, none empty.

    Args:
        count: examples.
        parts: how many parts are wanted.
    """
    parts = min(parts, count)
    return [(count * part // parts, count * (part + 1) // parts) for part in range(parts)]


def name_variables(prefix: str, variables: list[Any]) -> list[tuple[str, Any]]:
    """Pair each Keras variable with its name in the state.

    Args:
        prefix: `WEIGHTS` or `OPTIMIZER`.

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
    """Return a state whose weights and running statistics are replaced by their moving average, if it holds one."""
    return {
        name: state.get(AVERAGE + name.removeprefix(WEIGHTS), array) if name.startswith(WEIGHTS) else array
        for name, array in state.items()
    }


def variables_to_average(settings: EngineSettings, variables: list[Any]) -> list[Any]:
    """Return the variables that an engine keeps an average of: those of floats, the running statistics included.

    Averaged weights with the statistics of the last ones would be a model that never was.

    Args:
        settings: tells whether there is an average.
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

    Raises:
        ModelError: they are whole numbers.
    """
    if "int" in str(dtype):
        raise ModelError(
            f"The model '{name}' reads whole numbers, and between them there is no slope. Take the gradient by what "
            "its embedding makes of them: sonde.models.inside cuts a model behind it."
        )
