"""Puts inputs, an architecture's features and the answer's head together, with seeded weights."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import keras
import numpy as np
from keras.src.backend.common import global_state
from numpy.typing import NDArray

from sonde.config import Options
from sonde.errors import ModelError
from sonde.models.architectures import architecture, refuse_unfit
from sonde.models.heads import HEADS, head
from sonde.models.reads import Reads

LARGER = "larger inputs (images: --set image.size=[32,32])"
"""What helps where an input is too small."""


@dataclass(frozen=True)
class Blueprint:
    """What a model is, before it has weights."""

    name: str
    """A row of `MODELS`."""
    answer: str
    """A row of `HEADS`."""
    reads: Reads
    """Its input."""
    outputs: int
    """Number of logits."""
    options: Options
    """The model's own Options."""
    head: Mapping[str, Any] = field(default_factory=dict)
    """What else the head is told of its sizes."""


def build(blueprint: Blueprint, *, seed: int, policy: str = "float32") -> keras.Model:
    """Build a Keras model with fresh weights.

    Args:
        seed: start of the initial weights; Python's generator is left as it was.
        policy: Keras dtype policy of the layers but the head.

    Returns:
        A functional model from named inputs to the head's named outputs, float32.

    Raises:
        ModelError: there is no such model, the input is too small for it, or it does not give what the head needs.
    """
    features, reads = architecture(blueprint.name).features, blueprint.reads
    file = head(blueprint.answer)
    needs = HEADS[blueprint.answer].needs
    refuse_unfit(blueprint.name, needs)
    random_before, policy_before = random.getstate(), keras.config.dtype_policy()
    try:
        if not reads.shape or any(size is not None and size < 1 for size in reads.shape):
            raise ValueError("There is nothing along one of the axes.")
        # Keras draws the seeds of its initializers from Python's generator. Its own `set_random_seed` would also
        # import every framework that is installed.
        random.seed(seed)
        keras.config.set_dtype_policy(policy)
        inputs = keras.Input(reads.shape, dtype=reads.dtype, name="inputs")
        found = features(inputs, blueprint.options, reads)
        if needs not in found.gives:
            raise ValueError(f"It gives no {needs} of such inputs with these options")
        sizes = {"outputs": blueprint.outputs, **blueprint.head}
        beside = file.inputs(sizes) if hasattr(file, "inputs") else {}
        outputs = file.outputs(replace(found, beside=beside), sizes)
        return keras.Model({"inputs": inputs, **beside}, outputs, name=blueprint.name)
    except ValueError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise ModelError(
            f"The model '{blueprint.name}' cannot read inputs of shape {reads.shape}: {reason}. "
            f"Take {LARGER} or another model (sonde list models)."
        ) from error
    finally:
        random.setstate(random_before)
        keras.config.set_dtype_policy(policy_before)


def fit_to_data(model: keras.Model, blueprint: Blueprint, inputs: Callable[[], NDArray[np.float32]]) -> None:
    """Set those weights of a fresh model that its architecture takes from training data, if it does.

    Args:
        model: what `build` returned.
        inputs: returns prepared training examples, a few thousand; called only where they are needed.
    """
    fit = getattr(architecture(blueprint.name), "fit", None)
    for path, array in {} if fit is None else fit(inputs(), blueprint.options).items():
        (variable,) = (each for each in model.variables if each.path == path)
        variable.assign(array)


def tensor_shapes(blueprint: Blueprint) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a model's weights without allocating them.

    That is what lets a model folder be refused before its options can ask for more memory than its file holds.
    """
    with keras.StatelessScope():
        try:
            return {variable.path: tuple(variable.shape) for variable in build(blueprint, seed=0).weights}
        finally:
            # Variables made in a stateless scope are allocated when it closes, unless they are forgotten first.
            global_state.set_global_attribute("uninitialized_variables", [])


def rebuild(blueprint: Blueprint, weights: Mapping[str, Any], *, policy: str = "float32") -> keras.Model:
    """Build a Keras model around weights that exist.

    None is drawn, since JAX compiles the drawing for each shape anew: two seconds for each kernel of a `cnn`.

    Args:
        weights: an array for each name of `tensor_shapes`.
        policy: Keras dtype policy of the layers but the head.
    """
    with keras.StatelessScope():
        model = build(blueprint, seed=0, policy=policy)
        # Variables made in a stateless scope take their first values when it closes.
        for variable in model.weights:
            variable._initializer = partial(_given, weights[variable.path])
    return model


def _given(array: Any, shape: tuple[int, ...], dtype: str) -> Any:
    # A copy, since torch would train in the caller's memory.
    return keras.ops.convert_to_tensor(np.array(array), dtype=dtype)
