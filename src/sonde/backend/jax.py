"""JAX: the training step is compiled by XLA, and its state stays on the device between steps."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
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


def start(*, threads: int) -> None:
    """Do nothing: XLA takes its threads from the cores that the process may use.

    Args:
        threads: processor cores; recorded by the caller.
    """


def dtype_policy(precision: str) -> str:
    """Return the Keras policy to build a model under."""
    return "mixed_bfloat16" if precision == "bf16" else "float32"


def choose_precision(*, work: str = "convolution") -> Precision:
    """Choose bf16 on a GPU or TPU, fp32 on a processor.

    Args:
        work: what the model mostly does; the answer is the same for all of it.
    """
    if jax.default_backend() != "cpu":
        return Precision("bf16", f"the {jax.default_backend()} computes it natively")
    # A small CNN was measured at 0.97 times the speed of fp32 on a processor with native bf16 (jax 0.10).
    return Precision("fp32", "XLA gains nothing from bf16 on a processor")


def facts() -> dict[str, Any]:
    """Return the device and the largest memory this process has used, in MB."""
    return {"device": str(jax.devices()[0].device_kind), "memory_mb": peak_memory_mb()}


def build(
    model: Model, loss: Loss, score: Loss, settings: EngineSettings, *, recorded: Loss | None = None
) -> "JaxEngine":
    """Build the engine of a Keras model.

    Args:
        model: a built Keras model.
        loss: (outputs, truth) -> mean loss, made of `keras.ops`.
        score: (outputs, truth) -> mean score of the batch, shown while training.
        settings: optimizer, precision and seed.
        recorded: (outputs, truth) -> the loss that a step returns; the one it follows where none is given.
    """
    return JaxEngine(model, loss, score, settings, recorded or loss)


class JaxEngine:
    """A Keras model as pure functions of its state; the training step gives the old state's memory to the new one."""

    def __init__(self, model: Model, loss: Loss, score: Loss, settings: EngineSettings, recorded: Loss):
        self._model = model
        self._loss = loss
        self._recorded = recorded
        self._score = score
        self._optimizer = build_optimizer(settings, list(model.trainable_variables))
        weights = [*model.trainable_variables, *model.non_trainable_variables]
        averaged = variables_to_average(settings, weights)
        self._averaged_places = [place for place, each in enumerate(weights) if any(each is one for one in averaged)]
        self._momentum = settings.average
        self._parts = settings.accumulate
        groups = (model.trainable_variables, model.non_trainable_variables, self._optimizer.variables, averaged)
        prefixes = (WEIGHTS, WEIGHTS, OPTIMIZER, AVERAGE)
        self._names = tuple(
            [name for name, _ in name_variables(prefix, list(group))]
            for prefix, group in zip(prefixes, groups, strict=True)
        )
        # A copy, since donated memory must belong to nobody else; the Keras variables keep their first values.
        self._state = tuple([jax.numpy.array(each.value, copy=True) for each in group] for group in groups)
        rate = [variable is self._optimizer._learning_rate for variable in self._optimizer.variables]
        self._rate_index = rate.index(True)
        counter = [variable is self._optimizer._iterations for variable in self._optimizer.variables]
        self._counter_index = counter.index(True)
        self._varying = [axis for axis, size in enumerate(model.inputs[0].shape) if axis and size is None]
        self._compiled_step = jax.jit(self._pure_step, donate_argnums=0)
        self._compiled_part = jax.jit(self._add_part, donate_argnums=1)
        self._compiled_update = jax.jit(self._update, donate_argnums=0)
        self._compiled_predict = jax.jit(self._outputs)
        self._compiled_gradient = jax.jit(jax.grad(self._loss_of_inputs, argnums=1))

    def step(self, inputs: NDArray[Any], truth: NDArray[Any], learning_rate: float) -> tuple[float, float]:
        """Take one training step; see `Engine.step`."""
        assert len(inputs) % self._parts == 0, f"{len(inputs)} examples cannot be cut into {self._parts} equal parts"
        inputs = self._lengthened(inputs)
        step = self._step_in_parts if self._parts > 1 else self._compiled_step
        self._state, told = step(self._state, inputs, truth, np.float32(learning_rate))
        # One array, so that there is one thing to wait for.
        loss, recorded, score = np.asarray(told)
        return told_loss(float(loss), float(recorded)), float(score)

    def predict(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the outputs for a batch; see `Engine.predict`.

        The batch is filled up to a power of two, so that few sizes need to be compiled.
        """
        count, inputs = len(inputs), self._lengthened(inputs)
        room = 1 << (count - 1).bit_length()
        filled = np.concatenate([inputs, np.zeros((room - count, *inputs.shape[1:]), inputs.dtype)])
        return np.array(self._compiled_predict(self._state, filled)[:count])

    def input_gradient(self, inputs: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float32]:
        """Return the gradient of the loss with respect to the inputs; see `Engine.input_gradient`."""
        refuse_whole_numbers(self._model.name, inputs.dtype)
        gradient = np.array(self._compiled_gradient(self._state, self._lengthened(inputs), truth))
        return gradient[tuple(map(slice, inputs.shape))]

    def read_state(self) -> State:
        """Copy the state out; see `Engine.read_state`."""
        return {
            name: np.array(value)
            for names, values in zip(self._names, self._state, strict=True)
            for name, value in zip(names, values, strict=True)
        }

    def write_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Copy a state in; see `Engine.write_state`."""
        self._state = tuple(
            [jax.numpy.array(state[name], dtype=old.dtype, copy=True) for name, old in zip(names, values, strict=True)]
            for names, values in zip(self._names, self._state, strict=True)
        )

    def _lengthened(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Fill axes of varying length up with padding, to two lengths for each doubling: each shape is compiled."""
        ends = [(0, _room(size) - size if axis in self._varying else 0) for axis, size in enumerate(inputs.shape)]
        return np.pad(inputs, ends) if self._varying else inputs

    def _step_in_parts(self, state: Any, inputs: Any, truth: Any, learning_rate: Any) -> Any:
        """Do what `_pure_step` does, with one call for each part of the batch.

        Not one program with a loop: XLA runs convolutions in a loop ten times slower on a processor, and takes long to
        compile the parts written out one after the other.
        """
        trainable, fixed, slots, averages = state
        sums: Any = [np.zeros(each.shape, each.dtype) for each in trainable], fixed, np.zeros(3, np.float32)
        pairs = zip(np.split(inputs, self._parts), np.split(truth, self._parts), strict=True)
        for part_inputs, part_truth in pairs:
            sums = self._compiled_part(trainable, sums, part_inputs, part_truth)
        gradient, fixed, told = sums
        share = np.float32(1 / self._parts)
        new_state = self._compiled_update((trainable, fixed, slots, averages), gradient, learning_rate, share)
        return new_state, np.asarray(told) * share

    def _pure_step(self, state: Any, inputs: Any, truth: Any, learning_rate: Any) -> Any:
        trainable, fixed, slots, averages = state
        gradient, fixed, told = self._gradients(trainable, fixed, inputs, truth)
        return self._update((trainable, fixed, slots, averages), gradient, learning_rate), told

    def _add_part(self, trainable: Any, sums: Any, inputs: Any, truth: Any) -> Any:
        gradient, fixed, told = sums
        more, fixed, more_told = self._gradients(trainable, fixed, inputs, truth)
        return [old + new for old, new in zip(gradient, more, strict=True)], fixed, told + more_told

    def _gradients(self, trainable: Any, fixed: Any, inputs: Any, truth: Any) -> Any:
        """Return the gradient, the new values of what is not trained, and loss, recorded loss and score."""

        def objective(weights: Any) -> Any:
            outputs, new_fixed, penalties = self._model.stateless_call(
                weights, fixed, inputs, training=True, return_losses=True
            )
            outputs = outputs.astype("float32")
            loss = self._loss(outputs, truth)
            told = jax.numpy.stack([loss, self._recorded(outputs, truth), self._score(outputs, truth)])
            return loss + sum(penalties), (new_fixed, told)

        gradient, (new_fixed, told) = jax.grad(objective, has_aux=True)(trainable)
        return gradient, new_fixed, told

    def _update(self, state: Any, gradient: Any, learning_rate: Any, share: Any = 1.0) -> Any:
        """Return the state after the optimizer's update by the gradient times `share`."""
        trainable, fixed, slots, averages = state
        slots = [learning_rate if index == self._rate_index else slot for index, slot in enumerate(slots)]
        gradient = [each * share for each in gradient]
        new_trainable, new_slots = self._optimizer.stateless_apply(slots, gradient, trainable)
        new_averages = self._average(averages, [*new_trainable, *fixed], slots[self._counter_index])
        return new_trainable, fixed, new_slots, new_averages

    def _average(self, averages: Any, values: Any, step: Any) -> Any:
        """Move the averages towards the values of the variables that are averaged; see `average_momentum`."""
        momentum = jax.numpy.minimum(self._momentum, (1.0 + step) / (10.0 + step))
        now = [values[place] for place in self._averaged_places]
        return [old + (1.0 - momentum) * (new - old) for old, new in zip(averages, now, strict=True)]

    def _outputs(self, state: Any, inputs: Any) -> Any:
        outputs, _ = self._model.stateless_call(state[0], state[1], inputs, training=False)
        return outputs.astype("float32")

    def _loss_of_inputs(self, state: Any, inputs: Any, truth: Any) -> Any:
        return self._loss(self._outputs(state, inputs), truth)


def _room(length: int) -> int:
    """Return the next of 16, 24, 32, 48, 64 and so on."""
    power = max(16, 1 << (length - 1).bit_length())
    return power * 3 // 4 if length <= power * 3 // 4 and power > 16 else power
