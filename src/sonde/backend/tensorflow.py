"""TensorFlow: the training step is one compiled graph of the Keras model."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf
from keras import Model
from numpy.typing import NDArray

from sonde.backend.engine import (
    AVERAGE,
    LOSSES,
    OPTIMIZER,
    WEIGHTS,
    Batch,
    EngineSettings,
    Loss,
    Precision,
    Scores,
    State,
    Tensors,
    Wiring,
    name_variables,
    refuse_whole_numbers,
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
    model: Model,
    loss: Loss,
    scores: Scores,
    settings: EngineSettings,
    *,
    recorded: Loss | None = None,
    varying: Mapping[str, tuple[int, ...]] | None = None,
) -> "TensorFlowEngine":
    """Build the engine of a Keras model.

    Args:
        scores: what is shown while training.
        settings: optimizer, precision and seed.
        recorded: the loss to record; the one that is followed where none is given.
        varying: axes of what the loss reads whose size differs from batch to batch.
    """
    return TensorFlowEngine(model, (loss, recorded or loss), scores, settings, varying or {})


class TensorFlowEngine:
    """A Keras model in compiled graphs: one for the training step, one for outputs, one for each gradient."""

    def __init__(
        self,
        model: Model,
        losses: tuple[Loss, Loss],
        scores: Scores,
        settings: EngineSettings,
        varying: Mapping[str, tuple[int, ...]],
    ):
        # Deterministic operations ask for a seed; nothing of sonde draws from it.
        tf.random.set_seed(settings.seed)
        self._model = model
        self._wiring = Wiring(model)
        self._varying = self._wiring.varying(varying)
        self._loss, self._recorded = losses
        self._scores = scores
        self._told: tuple[str, ...] = ()
        self._variables = list(model.trainable_variables)
        self._optimizer = build_optimizer(settings, self._variables)
        self._named = name_variables(WEIGHTS, model.variables) + name_variables(OPTIMIZER, self._optimizer.variables)
        self._momentum = settings.average
        self._parts = settings.accumulate
        self._averaged = variables_to_average(settings, model.variables)
        self._averages = [tf.Variable(each.value, trainable=False) for each in self._averaged]
        pairs = zip(self._averaged, self._averages, strict=True)
        self._named += [(AVERAGE + variable.path, average) for variable, average in pairs]
        read = {name: tf.TensorSpec([None, *shape[1:]], kind) for name, (shape, kind) in self._wiring.specs.items()}
        # Keras layers are written without AutoGraph, and so is what is here.
        self._compiled_step = tf.function(self._trace_step, reduce_retracing=True, autograph=False)
        self._compiled_predict = tf.function(self._outputs, input_signature=[read], autograph=False)
        self._compiled_gradients: dict[tuple[Loss, str], Any] = {}
        self._is_bound = not self._varying

    def step(self, batch: Batch, learning_rate: float) -> dict[str, float]:
        """Take one training step; see `Trains.step`."""
        if not self._is_bound:
            self._bind(batch)
        # As tensors, not numbers: a number would be a constant of the graph, and a new one would trace it anew.
        rate = tf.constant(learning_rate, tf.float32)
        told = self._compiled_step({name: tf.constant(array) for name, array in batch.items()}, rate).numpy()
        return dict(zip(self._told, told.tolist(), strict=True))

    def predict(self, inputs: Batch) -> dict[str, NDArray[np.float32]]:
        """Return the outputs for a batch; see `Predicts.predict`."""
        outputs = self._compiled_predict({name: tf.constant(inputs[name]) for name in self._wiring.inputs})
        return {name: each.numpy() for name, each in outputs.items()}

    def gradient(self, batch: Batch, of: Loss, by: str = "inputs") -> NDArray[np.float32]:
        """Return the gradient of a scalar with respect to an input; see `Trains.gradient`."""
        refuse_whole_numbers(self._model.name, batch[by].dtype)
        if (of, by) not in self._compiled_gradients:
            traced = partial(self._trace_gradient, of=of, by=by)
            self._compiled_gradients[of, by] = tf.function(traced, reduce_retracing=True, autograph=False)
        compiled = self._compiled_gradients[of, by]
        gradient: NDArray[np.float32] = compiled({name: tf.constant(array) for name, array in batch.items()}).numpy()
        return gradient

    def read_state(self) -> State:
        """Copy the state out; see `Trains.read_state`."""
        return {name: np.array(variable.numpy()) for name, variable in self._named}

    def write_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Copy a state in; see `Trains.write_state`."""
        for name, variable in self._named:
            variable.assign(state[name])

    def _bind(self, batch: Batch) -> None:
        """Trace the step for batches of any size and length: it would be traced anew for each of the first shapes."""
        specs = {}
        for name, array in batch.items():
            axes = {0, *self._varying.get(name, ())}
            sizes = [None if axis in axes else size for axis, size in enumerate(array.shape)]
            specs[name] = tf.TensorSpec(sizes, array.dtype)
        signature = [specs, tf.TensorSpec([], tf.float32)]
        self._compiled_step = tf.function(self._trace_step, input_signature=signature, autograph=False)
        self._is_bound = True

    def _outputs(self, batch: Tensors, training: bool = False) -> dict[str, Any]:
        outputs = self._wiring.named(self._model(self._wiring.fed(batch), training=training))
        return {name: tf.cast(each, tf.float32) for name, each in outputs.items()}

    def _trace_step(self, batch: Tensors, learning_rate: Any) -> Any:
        """Return losses and scores of a step in one tensor, so that they are waited for once."""
        gradients, told = self._sums(batch) if self._parts > 1 else self._trace_part(batch)
        step = tf.cast(self._optimizer.iterations.value, tf.float32)
        self._optimizer.learning_rate.assign(learning_rate)
        self._optimizer.apply(gradients, self._variables)
        # As in `average_momentum`.
        momentum = tf.minimum(self._momentum, (1.0 + step) / (10.0 + step))
        for variable, average in zip(self._averaged, self._averages, strict=True):
            average.assign_add((1.0 - momentum) * (variable.value - average))
        return told

    def _trace_part(self, batch: Tensors, share: Any = 1.0) -> Any:
        """Return the gradients of a part of a batch, and what it adds to the losses and scores."""
        with tf.GradientTape() as tape:
            with native_layers(self._model):
                outputs = self._outputs(batch, training=True)
            loss = self._loss(outputs, batch)
            total = loss + share * sum(self._model.losses) if self._model.losses else loss
        gradients = tape.gradient(total, [variable.value for variable in self._variables])
        scores = self._scores(outputs, batch)
        self._told = (*LOSSES, *scores)
        recorded = loss if self._recorded is self._loss else self._recorded(outputs, batch)
        part = 1.0 if isinstance(share, float) else tf.reduce_sum(batch["weights"])
        return gradients, tf.stack([loss, recorded, *(part * each for each in scores.values())])

    def _sums(self, batch: Tensors) -> Any:
        """Return the sums over the parts of a batch of what `_trace_part` returns, one part after the other."""
        count = tf.shape(next(iter(batch.values())))[0]
        parts = tf.minimum(self._parts, count)
        connected = [True] * len(self._variables)

        def add_part(part: Any, sums: Any, told: Any) -> Any:
            # As in `bounds`.
            first, end = count * part // parts, count * (part + 1) // parts
            share = tf.cast(end - first, tf.float32) / tf.cast(count, tf.float32)
            gradients, new_told = self._trace_part({name: each[first:end] for name, each in batch.items()}, share)
            # Keras tells of a weight that the loss does not depend on by its missing gradient.
            connected[:] = [gradient is not None for gradient in gradients]
            added = [old if new is None else old + new for old, new in zip(sums, gradients, strict=True)]
            return part + 1, added, told.write(part, new_told)

        zeros = [tf.zeros(variable.shape, variable.dtype) for variable in self._variables]
        # How many scores there are is known once a part is traced.
        start = zeros, tf.TensorArray(tf.float32, size=parts, infer_shape=False)
        # A loop of the graph: it is traced once, however many parts there are. One part at a time saves the memory.
        _, sums, told = tf.while_loop(
            lambda part, sums, told: part < parts, add_part, (0, *start), parallel_iterations=1
        )
        known = [each if has_slope else None for each, has_slope in zip(sums, connected, strict=True)]
        return known, tf.reduce_sum(tf.reshape(told.concat(), (-1, len(self._told))), axis=0)

    def _trace_gradient(self, batch: Tensors, *, of: Loss, by: str) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(batch[by])
            value = of(self._outputs(batch), batch)
        # Features that are counted have no slope.
        return tape.gradient(value, batch[by], unconnected_gradients=tf.UnconnectedGradients.ZERO)
