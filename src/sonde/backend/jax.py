"""JAX: the training step is compiled by XLA, and its state stays on the device between steps."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import numpy as np
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
    bounds,
    name_variables,
    refuse_whole_numbers,
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
    model: Model,
    loss: Loss,
    scores: Scores,
    settings: EngineSettings,
    *,
    recorded: Loss | None = None,
    varying: Mapping[str, tuple[int, ...]] | None = None,
) -> "JaxEngine":
    """Build the engine of a Keras model.

    Args:
        scores: what is shown while training.
        settings: optimizer, precision and seed.
        recorded: the loss to record; the one that is followed where none is given.
        varying: axes of what the loss reads whose size differs from batch to batch; they are filled up with zeros, as
            those of the inputs are, and a weight of zero counts for nothing.
    """
    return JaxEngine(model, (loss, recorded or loss), scores, settings, varying or {})


class JaxEngine:
    """A Keras model as pure functions of its state; the training step gives the old state's memory to the new one."""

    def __init__(
        self,
        model: Model,
        losses: tuple[Loss, Loss],
        scores: Scores,
        settings: EngineSettings,
        varying: Mapping[str, tuple[int, ...]],
    ):
        self._model = model
        self._wiring = Wiring(model)
        self._varying = self._wiring.varying(varying)
        self._loss, self._recorded = losses
        self._scores = scores
        self._told: tuple[str, ...] = ()
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
        self._compiled_step = jax.jit(self._pure_step, donate_argnums=0)
        self._compiled_part = jax.jit(self._add_part, donate_argnums=1)
        self._compiled_update = jax.jit(self._update, donate_argnums=0)
        self._compiled_predict = jax.jit(self._outputs)
        self._compiled_gradients: dict[tuple[Loss, str], Any] = {}
        self._sizes: dict[Any, dict[str, tuple[int, ...]]] = {}

    def step(self, batch: Batch, learning_rate: float) -> dict[str, float]:
        """Take one training step; see `Trains.step`."""
        step = self._step_in_parts if self._parts > 1 else self._compiled_step
        self._state, told = step(self._state, self._lengthened(batch), np.float32(learning_rate))
        # One array, so that there is one thing to wait for.
        return dict(zip(self._told, np.asarray(told).tolist(), strict=True))

    def predict(self, inputs: Batch) -> dict[str, NDArray[np.float32]]:
        """Return the outputs for a batch; see `Predicts.predict`.

        The batch is filled up to a power of two, so that few sizes need to be compiled.
        """
        given = {name: inputs[name] for name in self._wiring.inputs}
        count = len(next(iter(given.values())))
        missing = (1 << (count - 1).bit_length()) - count
        filled = {
            name: np.concatenate([each, np.zeros((missing, *each.shape[1:]), each.dtype)])
            for name, each in self._lengthened(given).items()
        }
        outputs = self._compiled_predict(self._state, filled)
        if not self._wiring.varies:
            return {name: np.array(each[:count]) for name, each in outputs.items()}
        sizes = self._unfilled(given)
        return {name: np.array(each[tuple(map(slice, sizes[name]))]) for name, each in outputs.items()}

    def gradient(self, batch: Batch, of: Loss, by: str = "inputs") -> NDArray[np.float32]:
        """Return the gradient of a scalar with respect to an input; see `Trains.gradient`."""
        refuse_whole_numbers(self._model.name, batch[by].dtype)
        if (of, by) not in self._compiled_gradients:
            self._compiled_gradients[of, by] = jax.jit(jax.grad(partial(self._scalar, of, by)))
        filled = self._lengthened(batch)
        gradient = np.array(self._compiled_gradients[of, by](filled[by], filled, self._state))
        return gradient[tuple(map(slice, batch[by].shape))]

    def read_state(self) -> State:
        """Copy the state out; see `Trains.read_state`."""
        return {
            name: np.array(value)
            for names, values in zip(self._names, self._state, strict=True)
            for name, value in zip(names, values, strict=True)
        }

    def write_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Copy a state in; see `Trains.write_state`."""
        self._state = tuple(
            [jax.numpy.array(state[name], dtype=old.dtype, copy=True) for name, old in zip(names, values, strict=True)]
            for names, values in zip(self._names, self._state, strict=True)
        )

    def _lengthened(self, batch: Batch) -> Batch:
        """Fill axes of varying length up with zeros, to two lengths for each doubling: each shape is compiled."""
        if not self._varying:
            return batch
        filled = dict(batch)
        for name, axes in self._varying.items():
            if name in filled:
                ends = [(0, _room(n) - n if axis in axes else 0) for axis, n in enumerate(filled[name].shape)]
                filled[name] = np.pad(filled[name], ends)
        return filled

    def _unfilled(self, inputs: Batch) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the outputs as they would be without filling up; nothing is computed for them."""
        key = tuple(each.shape for each in inputs.values())
        if key not in self._sizes:
            outputs = jax.eval_shape(self._outputs, self._state, inputs)
            self._sizes[key] = {name: each.shape for name, each in outputs.items()}
        return self._sizes[key]

    def _step_in_parts(self, state: Any, batch: Batch, learning_rate: Any) -> Any:
        """Do what `_pure_step` does, with one call for each part of the batch.

        Not one program with a loop: XLA runs convolutions in a loop ten times slower on a processor, and takes long to
        compile the parts written out one after the other.
        """
        trainable, fixed, slots, averages = state
        sums: Any = [np.zeros(each.shape, each.dtype) for each in trainable], fixed
        told, count = [], len(next(iter(batch.values())))
        for first, end in bounds(count, self._parts):
            part = {name: each[first:end] for name, each in batch.items()}
            sums, its = self._compiled_part(trainable, sums, part, np.float32((end - first) / count))
            told.append(its)
        gradient, fixed = sums
        new_state = self._compiled_update((trainable, fixed, slots, averages), gradient, learning_rate)
        return new_state, np.sum([np.asarray(each) for each in told], axis=0)

    def _pure_step(self, state: Any, batch: Tensors, learning_rate: Any) -> Any:
        trainable, fixed, slots, averages = state
        gradient, fixed, told = self._gradients(trainable, fixed, batch)
        return self._update((trainable, fixed, slots, averages), gradient, learning_rate), told

    def _add_part(self, trainable: Any, sums: Any, batch: Tensors, share: Any) -> Any:
        gradient, fixed = sums
        more, fixed, told = self._gradients(trainable, fixed, batch, share)
        return ([old + new for old, new in zip(gradient, more, strict=True)], fixed), told

    def _gradients(self, trainable: Any, fixed: Any, batch: Tensors, share: Any = 1.0) -> Any:
        """Return the gradient of a part of a batch, the new values of what is not trained, and losses and scores."""

        def objective(weights: Any) -> Any:
            found, new_fixed, penalties = self._model.stateless_call(
                weights, fixed, self._wiring.fed(batch), training=True, return_losses=True
            )
            outputs = self._named(found)
            loss, scores = self._loss(outputs, batch), self._scores(outputs, batch)
            self._told = (*LOSSES, *scores)
            part = 1.0 if isinstance(share, float) else batch["weights"].sum()
            told = [loss, self._recorded(outputs, batch), *(part * each for each in scores.values())]
            return loss + share * sum(penalties), (new_fixed, jax.numpy.stack(told))

        gradient, (new_fixed, told) = jax.grad(objective, has_aux=True)(trainable)
        return gradient, new_fixed, told

    def _update(self, state: Any, gradient: Any, learning_rate: Any) -> Any:
        """Return the state after the optimizer's update by a gradient."""
        trainable, fixed, slots, averages = state
        slots = [learning_rate if index == self._rate_index else slot for index, slot in enumerate(slots)]
        new_trainable, new_slots = self._optimizer.stateless_apply(slots, gradient, trainable)
        new_averages = self._average(averages, [*new_trainable, *fixed], slots[self._counter_index])
        return new_trainable, fixed, new_slots, new_averages

    def _average(self, averages: Any, values: Any, step: Any) -> Any:
        """Move the averages towards the values of the variables that are averaged; see `average_momentum`."""
        momentum = jax.numpy.minimum(self._momentum, (1.0 + step) / (10.0 + step))
        now = [values[place] for place in self._averaged_places]
        return [old + (1.0 - momentum) * (new - old) for old, new in zip(averages, now, strict=True)]

    def _outputs(self, state: Any, batch: Tensors) -> dict[str, Any]:
        outputs, _ = self._model.stateless_call(state[0], state[1], self._wiring.fed(batch), training=False)
        return self._named(outputs)

    def _named(self, outputs: Any) -> dict[str, Any]:
        return {name: each.astype("float32") for name, each in self._wiring.named(outputs).items()}

    def _scalar(self, of: Loss, by: str, values: Any, batch: Tensors, state: Any) -> Any:
        batch = {**batch, by: values}
        return of(self._outputs(state, batch), batch)


def _room(length: int) -> int:
    """Return the next of 16, 24, 32, 48, 64 and so on."""
    power = max(16, 1 << (length - 1).bit_length())
    return power * 3 // 4 if length <= power * 3 // 4 and power > 16 else power
