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
    OPTIMIZER,
    WEIGHTS,
    EngineSettings,
    Loss,
    Precision,
    State,
    average_momentum,
    name_variables,
    refuse_whole_numbers,
    told_loss,
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
    model: Model, loss: Loss, score: Loss, settings: EngineSettings, *, recorded: Loss | None = None
) -> "TorchEngine":
    """Build the engine of a Keras model.

    Args:
        model: a built functional or sequential model.
        loss: (outputs, truth) -> mean loss, made of `keras.ops`.
        score: (outputs, truth) -> mean score of the batch, shown while training.
        settings: optimizer, precision and seed.
        recorded: (outputs, truth) -> the loss that a step returns; the one it follows where none is given.
    """
    return TorchEngine(model, loss, score, settings, recorded or loss)


class TorchEngine:
    """A Keras model whose graph is walked with native torch operations on the Keras variables themselves."""

    def __init__(self, model: Model, loss: Loss, score: Loss, settings: EngineSettings, recorded: Loss):
        self._model = model
        self._loss = loss
        self._recorded = recorded
        self._score = score
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

    def step(self, inputs: NDArray[Any], truth: NDArray[Any], learning_rate: float) -> tuple[float, float]:
        """Take one training step; see `Engine.step`."""
        # Dropout is a pure function of (seed, step), so that no generator state needs to be kept for resuming.
        count = self._update.steps
        self._generator.manual_seed(_mix(self._settings.seed, count))
        parts = self._settings.accumulate
        assert len(inputs) % parts == 0, f"a batch of {len(inputs)} cannot be passed in {parts} equal parts"
        gradients: list[torch.Tensor | None] = [None] * len(self._variables)
        told = torch.zeros(3, device=self._device)
        for x, t in zip(self._tensor(inputs).chunk(parts), self._tensor(truth).chunk(parts), strict=True):
            found, its = self._gradients(x, t)
            gradients = [b if a is None else a if b is None else a + b for a, b in zip(gradients, found, strict=True)]
            told += its
        with torch.no_grad():
            if parts > 1:
                gradients = [None if each is None else each / parts for each in gradients]
            self._update.apply(gradients, learning_rate)
            self._average(count)
        trained, recorded, score = (told / parts).tolist()
        return told_loss(trained, recorded), score

    def _gradients(self, inputs: torch.Tensor, truth: torch.Tensor) -> tuple[list[torch.Tensor | None], torch.Tensor]:
        """Return the gradients of a mean loss, and the loss, the loss to record and the score."""
        with self._cast():
            outputs = self._forward(inputs, training=True).float()
        loss = self._loss(outputs, truth)
        own = self._model.losses if self._forward.may_have_losses else []
        total = loss + sum(own) if own else loss
        weights = [variable.value for variable in self._variables]
        gradients = torch.autograd.grad(total, weights, allow_unused=True) if weights else ()
        with torch.no_grad():
            recorded = loss if self._recorded is self._loss else self._recorded(outputs, truth)
            told = torch.stack([loss.detach(), recorded.detach(), self._score(outputs, truth).float()])
        return list(gradients), told

    def predict(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Return the outputs for a batch, in fp32; see `Engine.predict`."""
        with torch.no_grad():
            outputs: NDArray[np.float32] = self._forward(self._tensor(inputs), training=False).float().cpu().numpy()
        return outputs

    def input_gradient(self, inputs: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float32]:
        """Return the gradient of the loss with respect to the inputs; see `Engine.input_gradient`."""
        refuse_whole_numbers(self._model.name, inputs.dtype)
        tensor = self._tensor(inputs).requires_grad_()
        loss = self._loss(self._forward(tensor, training=False).float(), self._tensor(truth))
        # Features that are counted have no slope, and an answer may depend on nothing else.
        (gradient,) = torch.autograd.grad(loss, [tensor], allow_unused=True, materialize_grads=True)
        array: NDArray[np.float32] = gradient.cpu().numpy()
        return array

    def read_state(self) -> State:
        """Copy the state out; see `Engine.read_state`."""
        return {name: np.array(tensor.detach().cpu().numpy(), order="C") for name, tensor in self._tensors()}

    def write_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Copy a state in; see `Engine.write_state`."""
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
