"""Batches for tests of engines: every example counts alike."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data.target import equal_weights


def batch_of(inputs: NDArray[Any], truth: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return what a step reads.

    Args:
        inputs: B first.
        truth: class numbers, B, or one number for each of several places or labels.
    """
    return {"inputs": inputs, "truth": truth, "weights": equal_weights(*truth.shape)}


def stepped(engine: Any, inputs: NDArray[Any], truth: NDArray[Any], rate: float) -> tuple[float, float]:
    """Take a step; returns the recorded loss and the first score."""
    told = dict(engine.step(batch_of(inputs, truth), rate))
    trained, recorded = told.pop("loss"), told.pop("recorded")
    return recorded if np.isfinite(trained) else trained, next(iter(told.values()))


def logits_of(engine: Any, inputs: NDArray[Any]) -> NDArray[np.float32]:
    """Return the logits for a batch."""
    logits: NDArray[np.float32] = engine.predict({"inputs": inputs})["logits"]
    return logits


def maps_of(engine: Any, inputs: NDArray[Any]) -> NDArray[np.float32]:
    """Return what a model without logits gives for a batch, such as the weights of an attention."""
    maps: NDArray[np.float32] = engine.predict({"inputs": inputs})["outputs"]
    return maps


def slopes_of(engine: Any, inputs: NDArray[Any], classes: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the gradient of the logits of some classes with respect to the inputs."""
    from sonde.models.inside import chosen_output

    slopes: NDArray[np.float32] = engine.gradient({"inputs": inputs, "chosen": classes}, chosen_output("logits"))
    return slopes


def named(model: Any) -> Any:
    """Return a Keras model of one tensor with the name that heads read it by."""
    import keras

    return keras.Model(model.inputs[0], {"logits": model.outputs[0]}, name=model.name)
