"""PyTorch: the Keras graph run with native torch operations, under bf16 autocast where that pays."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from keras import Model
from numpy.typing import NDArray

from sonde.backend import lowering
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
    average_momentum,
    bounds,
    name_variables,
    refuse_whole_numbers,
    variables_to_average,
)
from sonde.backend.machine import keep_freed_memory, peak_memory_mb
from sonde.backend.torch_optimizers import Update
from sonde.backend.torch_precision import bfloat16_pays


def start(*, threads: int) -> None:
    """Set what holds for the whole process: threads and deterministic algorithms.

    Args:
        threads: processor cores that one operation may use.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=False)
    # Filling each new tensor with NaN would show a read of what was never written, and costs a sixth of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False
    keep_freed_memory()


def dtype_policy(precision: str) -> str:
    """Return the Keras policy to build a model under; torch keeps fp32 and casts in the step."""
    return "float32"


def choose_precision(*, work: str = "convolution") -> Precision:
    """Choose bf16 where a short trial finds it right and faster, else fp32.

    Args:
        work: what the model mostly does: convolution, recurrence or matrix product.
    """
    return bfloat16_pays(_device(), work)


def facts() -> dict[str, Any]:
    """Return the device and the largest memory this process has used, in MB."""
    device = _device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return {"device": name, "memory_mb": peak_memory_mb()}


def build(
    model: Model,
    loss: Loss,
    scores: Scores,
    settings: EngineSettings,
    *,
    recorded: Loss | None = None,
    varying: Mapping[str, tuple[int, ...]] | None = None,
) -> "TorchEngine":
    """Build the engine of a Keras model.

    Args:
        scores: what is shown while training.
        settings: optimizer, precision and seed.
        recorded: the loss to record; the one that is followed where none is given.
        varying: axes of what the loss reads whose size differs from batch to batch; nothing is compiled here for one.
    """
    return TorchEngine(model, loss, scores, settings, recorded or loss)


class TorchEngine:
    """A Keras model whose graph is walked with native torch operations on the Keras variables themselves."""

    def __init__(self, model: Model, loss: Loss, scores: Scores, settings: EngineSettings, recorded: Loss):
        self._model = model
        self._wiring = Wiring(model)
        self._loss = loss
        self._recorded = recorded
        self._scores = scores
        self._settings = settings
        self._device = _device()
        self._variables = list(model.trainable_variables)
        self._generator = torch.Generator(device=self._device)
        self._forward = lowering.lower(model, self._generator)
        self._update = Update(settings, self._variables)
        self._named = name_variables(WEIGHTS, model.variables)
        self._named += name_variables(OPTIMIZER, self._update.optimizer.variables)
        self._averaged = variables_to_average(settings, model.variables)
        self._averages = [variable.value.detach().clone() for variable in self._averaged]

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """Names of the layers that run as Keras wrote them, for want of a native equivalent."""
        return self._forward.fallbacks

    def step(self, batch: Batch, learning_rate: float) -> dict[str, float]:
        """Take one training step; see `Trains.step`."""
        # Dropout is a pure function of (seed, step), so that no generator state needs to be kept for resuming.
        count = self._update.steps
        self._generator.manual_seed(_mix(self._settings.seed, count))
        tensors = self._tensors_of(batch)
        examples = len(next(iter(batch.values())))
        gradients: list[torch.Tensor | None] = [None] * len(self._variables)
        told: dict[str, torch.Tensor] = {}
        for first, end in bounds(examples, self._settings.accumulate):
            share = (end - first) / examples
            part = tensors if share == 1.0 else {name: tensor[first:end] for name, tensor in tensors.items()}
            found, its = self._gradients(part, share)
            gradients = [b if a is None else a if b is None else a + b for a, b in zip(gradients, found, strict=True)]
            told = {name: told[name] + each for name, each in its.items()} if told else its
        with torch.no_grad():
            self._update.apply(gradients, learning_rate)
            self._average(count)
        # One tensor, so that there is one thing to wait for.
        return dict(zip(told, torch.stack(list(told.values())).tolist(), strict=True))

    def _gradients(self, batch: Tensors, share: float) -> tuple[list[torch.Tensor | None], dict[str, torch.Tensor]]:
        """Return the gradients of a part of a batch, and what it adds to the losses and scores."""
        with self._cast():
            outputs = self._outputs(batch, training=True)
        loss = self._loss(outputs, batch)
        own = self._model.losses if self._forward.may_have_losses else []
        total = loss + share * sum(own) if own else loss
        weights = [variable.value for variable in self._variables]
        gradients = torch.autograd.grad(total, weights, allow_unused=True) if weights else ()
        with torch.no_grad():
            recorded = loss if self._recorded is self._loss else self._recorded(outputs, batch)
            scores = {name: each.float() for name, each in self._scores(outputs, batch).items()}
            if share < 1.0:
                scores = {name: batch["weights"].sum() * each for name, each in scores.items()}
        losses = zip(LOSSES, (loss.detach(), recorded.detach()), strict=True)
        return list(gradients), {**dict(losses), **scores}

    def predict(self, inputs: Batch) -> dict[str, NDArray[np.float32]]:
        """Return the outputs for a batch, in fp32; see `Predicts.predict`."""
        given = {name: self._tensor(inputs[name]) for name in self._wiring.inputs}
        with torch.no_grad():
            return {name: each.cpu().numpy() for name, each in self._outputs(given, training=False).items()}

    def gradient(self, batch: Batch, of: Loss, by: str = "inputs") -> NDArray[np.float32]:
        """Return the gradient of a scalar with respect to an input; see `Trains.gradient`."""
        refuse_whole_numbers(self._model.name, batch[by].dtype)
        tensors = self._tensors_of(batch)
        tensors[by].requires_grad_()
        value = of(self._outputs(tensors, training=False), tensors)
        # Features that are counted have no slope, and an answer may depend on nothing else.
        (gradient,) = torch.autograd.grad(value, [tensors[by]], allow_unused=True, materialize_grads=True)
        array: NDArray[np.float32] = gradient.cpu().numpy()
        return array

    def _outputs(self, batch: Tensors, *, training: bool) -> dict[str, torch.Tensor]:
        outputs = self._wiring.named(self._forward(self._wiring.fed(batch), training=training))
        return {name: each.float() for name, each in outputs.items()}

    def read_state(self) -> State:
        """Copy the state out; see `Trains.read_state`."""
        return {name: np.array(tensor.detach().cpu().numpy(), order="C") for name, tensor in self._tensors()}

    def write_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Copy a state in; see `Trains.write_state`."""
        with torch.no_grad():
            for name, tensor in self._tensors():
                tensor.copy_(torch.from_numpy(np.asarray(state[name])))

    def _tensors(self) -> list[tuple[str, torch.Tensor]]:
        averages = zip(self._averaged, self._averages, strict=True)
        own = [(name, variable.value) for name, variable in self._named]
        return own + [(AVERAGE + variable.path, average) for variable, average in averages]

    def _average(self, step: int) -> None:
        if self._averages:
            now = [variable.value.detach() for variable in self._averaged]
            torch._foreach_lerp_(self._averages, now, 1.0 - average_momentum(self._settings.average, step))

    def _tensors_of(self, batch: Batch) -> dict[str, torch.Tensor]:
        return {name: self._tensor(array) for name, array in batch.items()}

    def _tensor(self, array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device, non_blocking=True)

    @contextmanager
    def _cast(self) -> Iterator[None]:
        enabled = self._settings.precision == "bf16"
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=enabled):
            yield


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _mix(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0] >> 1)
