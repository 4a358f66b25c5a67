"""Runs a Keras graph with native torch operations, on the Keras variables themselves.

Keras on torch copies images between layouts in every convolution, builds batch normalisation from many small
operations and loops over time in Python. Here each operation that has a native equivalent is replaced by it; the
rest run as Keras wrote them, and are named in `Lowered.fallbacks`.

Tensors keep Keras's meaning (channels last) between layers, so that any layer may fall back. A channels-last tensor
seen through `movedim` is what torch calls the channels_last memory format: changing the view copies nothing.
"""

from collections.abc import Callable
from typing import Any

import keras
import torch
from keras import Model, layers

from sonde.backend import torch_layers

Call = Callable[..., torch.Tensor]
"""(tensor or list of tensors, training, dropout generator) -> tensor."""

LOWERED: dict[type, Callable[[Any], Call | None]] = {
    layers.Dense: torch_layers.dense,
    layers.Conv2D: torch_layers.conv2d,
    layers.BatchNormalization: torch_layers.batch_norm,
    layers.MaxPooling2D: torch_layers.max_pool2d,
    layers.AveragePooling2D: torch_layers.average_pool2d,
    layers.GlobalAveragePooling2D: torch_layers.global_average_pool2d,
    layers.Activation: torch_layers.activation,
    layers.ReLU: torch_layers.relu,
    layers.Dropout: torch_layers.dropout,
    layers.Flatten: torch_layers.flatten,
    layers.Reshape: torch_layers.reshape,
    layers.Add: torch_layers.add,
    layers.SimpleRNN: torch_layers.simple_rnn,
    layers.LSTM: torch_layers.lstm,
    layers.GRU: torch_layers.gru,
}
"""A native equivalent for each kind of layer; a row returns None for options it does not cover."""


class Lowered:
    """A Keras model as a function of tensors."""

    def __init__(self, model: Model, dropout: torch.Generator):
        self._model = model
        self._dropout = dropout
        self._calls: dict[int, Call] = {}
        fallbacks = []
        whole = not _carries_masks(model)
        for operation in model.operations if whole else ():
            rule = LOWERED.get(type(operation))
            call = rule(operation) if rule else None
            if call is not None:
                self._calls[id(operation)] = call
            elif not isinstance(operation, layers.InputLayer):
                fallbacks.append(operation.name)
        self._whole = whole
        self.fallbacks: tuple[str, ...] = tuple(fallbacks) if whole else tuple(each.name for each in model.layers)

    def __call__(self, inputs: torch.Tensor, *, training: bool) -> torch.Tensor:
        """Run the model.

        Args:
            inputs: a batch, channels last.
            training: whether dropout and batch statistics are on.
        """
        if not self._whole:
            outputs: torch.Tensor = self._model(inputs, training=training)
            return outputs
        outputs = self._model._run_through_graph(inputs, operation_fn=lambda op: self._call_of(op, training))
        return outputs

    def _call_of(self, operation: Any, training: bool) -> Callable[..., Any]:
        native = self._calls.get(id(operation))
        if native is not None:
            # Keras hands over the arguments of the symbolic call; `training` among them is ours to decide.
            return lambda *args, **_: native(*args, training=training, dropout=self._dropout)
        if isinstance(operation, layers.Layer) and operation._call_has_training_arg:
            return lambda *args, **kwargs: operation(*args, **{**kwargs, "training": training})
        call: Callable[..., Any] = operation
        return call


def lower(model: Model, dropout: torch.Generator) -> Lowered:
    """Prepare a model for running with native operations.

    Args:
        model: a built functional or sequential model.
        dropout: where dropout takes its random numbers from.
    """
    functional = getattr(model, "_functional", None) if isinstance(model, keras.Sequential) else model
    return Lowered(functional if functional is not None else model, dropout)


def _carries_masks(model: Model) -> bool:
    """Tell whether some layer makes a mask; such a model runs as Keras wrote it, since native calls drop masks."""
    return any(
        isinstance(layer, layers.Masking) or getattr(layer, "mask_zero", False) or isinstance(layer, Model)
        for layer in model.layers
    )
