"""TensorFlow: the training step is one compiled graph of the Keras model."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from keras import Model
from numpy.typing import NDArray

from sonde.backend.engine import (
    AVERAGE,
    OPTIMIZER,
    WEIGHTS,
    EngineSettings,
    Loss,
    Precision,
    State,
    name_variables,
    refuse_whole_numbers,
    told_loss,
    variables_to_average,
)
from sonde.backend.machine import peak_memory_mb
from sonde.backend.optimizers import build_optimizer
from sonde.backend.tensorflow_layers import native_layers
from sonde.backend.tensorflow_precision import bfloat16_pays


def start(*, threads: int) -> None:
    """Set what holds for the whole process: threads and deterministic operations.

    Args:
        threads: processor cores that one operation may use.
    """
    try:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    except RuntimeError:  # TensorFlow has computed something already and keeps the threads that it has.
        pass
    tf.config.experimental.enable_op_determinism()


def dtype_policy(precision: str) -> str:
    """Return the Keras policy to build a model under."""
    return "mixed_bfloat16" if precision == "bf16" else "float32"


def choose_precision(*, work: str = "convolution") -> Precision:
    """Choose bf16 on a GPU, and on a processor where a short trial finds it right and faster; else fp32.

    Args:
        work: what the model mostly does: convolution, recurrence or matrix product.
    """
    return bfloat16_pays(work)


def facts() -> dict[str, Any]:
    """Return the device and the largest memory this process has used, in MB."""
    gpus = tf.config.list_physical_devices("GPU")
    return {"device": gpus[0].name if gpus else "cpu", "memory_mb": peak_memory_mb()}


def build(
    model: Model, loss: Loss, score: Loss, settings: EngineSettings, *, recorded: Loss | None = None
) -> "TensorFlowEngine":
    """Build the engine of a Keras model.

    Args:
        model: a built Keras model.
        loss: (outputs, truth) -> mean loss, made of `keras.ops`.
        score: (outputs, truth) -> mean score of the batch, shown while training.
        settings: optimizer, precision and seed.
        recorded: (outputs, truth) -> the loss that a step returns; the one it follows where none is given.
    """
    return TensorFlowEngine(model, loss, score, settings, recorded or loss)


class TensorFlowEngine:
    """A Keras model in compiled graphs: one for the training step, one for outputs, one for the input's gradient."""

    def __init__(self, model: Model, loss: Loss, score: Loss, settings: EngineSettings, recorded: Loss):
        # Deterministic operations ask for a seed; nothing of sonde draws from it.
        tf.random.set_seed(settings.seed)
        self._model = model
        self._loss = loss
        self._recorded = recorded
        self._score = score
        self._variables = list(model.trainable_variables)
        self._optimizer = build_optimizer(settings, self._variables)
        self._named = name_variables(WEIGHTS, model.variables) + name_variables(OPTIMIZER, self._optimizer.variables)
        self._momentum = settings.average
        self._parts = settings.accumulate
        self._averaged = variables_to_average(settings, model.variables)
        self._averages = [tf.Variable(each.value, trainable=False) for each in self._averaged]
        pairs = zip(self._averaged, self._averages, strict=True)
        self._named += [(AVERAGE + variable.path, average) for variable, average in pairs]
        self._batch = tf.TensorSpec([None, *model.inputs[0].shape[1:]], model.inputs[0].dtype)
        # Keras layers are written without AutoGraph, and so is what is here.
        self._compiled_step = tf.function(self._trace_step, reduce_retracing=True, autograph=False)
        self._compiled_predict = tf.function(self._outputs, input_signature=[self._batch], autograph=False)
        self._compiled_gradient = tf.function(self._trace_gradient, reduce_retracing=True, autograph=False)
        self._is_bound = None not in self._batch.shape[1:]

    def step(self, inputs: NDArray[Any], truth: NDArray[Any], learning_rate: float) -> tuple[float, float]:
        """Take one training step; see `Engine.step`."""
        assert len(inputs) % self._parts == 0, f"{len(inputs)} examples cannot be cut into {self._parts} equal parts"
        # As tensors, not numbers: a number would be a constant of the graph, and a new one would trace it anew.
        rate = tf.constant(learning_rate, tf.float32)
        if not self._is_bound:
            self._bind(truth)
        loss, recorded, score = self._compiled_step(tf.constant(inputs), tf.constant(truth), rate).numpy()
        return told_loss(float(loss), float(recorded)), float(score)

    def predict(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the outputs for a batch; see `Engine.predict`."""
        outputs: NDArray[np.float32] = self._compiled_predict(inputs).numpy()
        return outputs

    def input_gradient(self, inputs: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float32]:
        """Return the gradient of the loss with respect to the inputs; see `Engine.input_gradient`."""
        refuse_whole_numbers(self._model.name, inputs.dtype)
        gradient: NDArray[np.float32] = self._compiled_gradient(tf.constant(inputs), tf.constant(truth)).numpy()
        return gradient

    def read_state(self) -> State:
        """Copy the state out; see `Engine.read_state`."""
        return {name: np.array(variable.numpy()) for name, variable in self._named}

    def write_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Copy a state in; see `Engine.write_state`."""
        for name, variable in self._named:
            variable.assign(state[name])

    def _bind(self, truth: NDArray[Any]) -> None:
        """Trace the step for batches of any size and length: it would be traced anew for each of the first shapes."""
        signature = [self._batch, tf.TensorSpec([None, *truth.shape[1:]], truth.dtype), tf.TensorSpec([], tf.float32)]
        self._compiled_step = tf.function(self._trace_step, input_signature=signature, autograph=False)
        self._is_bound = True

    def _outputs(self, inputs: Any, training: bool = False) -> Any:
        return tf.cast(self._model(inputs, training=training), tf.float32)

    def _trace_step(self, inputs: Any, truth: Any, learning_rate: Any) -> Any:
        """Return loss, recorded loss and score of a step in one tensor, so that they are waited for once."""
        gradients, told = self._sums(inputs, truth) if self._parts > 1 else self._trace_part(inputs, truth)
        step = tf.cast(self._optimizer.iterations.value, tf.float32)
        self._optimizer.learning_rate.assign(learning_rate)
        self._optimizer.apply(gradients, self._variables)
        # As in `average_momentum`.
        momentum = tf.minimum(self._momentum, (1.0 + step) / (10.0 + step))
        for variable, average in zip(self._averaged, self._averages, strict=True):
            average.assign_add((1.0 - momentum) * (variable.value - average))
        return told

    def _trace_part(self, inputs: Any, truth: Any) -> Any:
        """Return the gradients of one part of a batch, and its loss, recorded loss and score."""
        with tf.GradientTape() as tape:
            with native_layers(self._model):
                outputs = self._outputs(inputs, training=True)
            loss = self._loss(outputs, truth)
            total = loss + sum(self._model.losses) if self._model.losses else loss
        gradients = tape.gradient(total, [variable.value for variable in self._variables])
        told = tf.stack([loss, self._recorded(outputs, truth), self._score(outputs, truth)])
        return gradients, told

    def _sums(self, inputs: Any, truth: Any) -> Any:
        """Return the means over the parts of a batch of what `_trace_part` returns, one part after the other."""
        size = tf.shape(inputs)[0] // self._parts
        connected = [True] * len(self._variables)

        def add_part(part: Any, sums: Any, told: Any) -> Any:
            rows = slice(part * size, (part + 1) * size)
            gradients, new_told = self._trace_part(inputs[rows], truth[rows])
            # Keras tells of a weight that the loss does not depend on by its missing gradient.
            connected[:] = [gradient is not None for gradient in gradients]
            added = [old if new is None else old + new for old, new in zip(sums, gradients, strict=True)]
            return part + 1, added, told + new_told

        start = [tf.zeros(variable.shape, variable.dtype) for variable in self._variables], tf.zeros(3)
        # A loop of the graph: it is traced once, however many parts there are. One part at a time saves the memory.
        _, sums, told = tf.while_loop(
            lambda part, sums, told: part < self._parts, add_part, (0, *start), parallel_iterations=1
        )
        means = [each / self._parts if known else None for each, known in zip(sums, connected, strict=True)]
        return means, told / self._parts

    def _trace_gradient(self, inputs: Any, truth: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = self._loss(self._outputs(inputs), truth)
        # Features that are counted have no slope.
        return tape.gradient(loss, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)
