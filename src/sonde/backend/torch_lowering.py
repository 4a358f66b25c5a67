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
        as_written = _carries_masks(model) or _mixes_types(model)
        for operation in model.operations:
            call = None if as_written else _native(operation)
            if call is not None:
                self._calls[id(operation)] = call
            elif not isinstance(operation, layers.InputLayer):
                fallbacks.append(operation.name)
        self.fallbacks: tuple[str, ...] = tuple(fallbacks)

    def __call__(self, inputs: Any, *, training: bool) -> torch.Tensor:
        """Run the model.

        Args:
            inputs: a batch, channels last; several of them as the model takes them.
            training: whether dropout and batch statistics are on.
        """
        # To Keras this is one call of the model: losses that layers add gather, and layers inside of layers, which
        # nobody passes `training`, find it in the context.
        context = self._model._get_call_context()
        context.set_value("training", training)
        try:
            outputs = self._model._run_through_graph(
                self._model._standardize_inputs(inputs), operation_fn=lambda op: self._call_of(op, training)
            )
        finally:
            self._model._maybe_reset_call_context()
        return outputs[0] if isinstance(outputs, list | tuple) and len(outputs) == 1 else outputs

    def _call_of(self, operation: Any, training: bool) -> Callable[..., Any]:
        as_written: Callable[..., Any] = operation
        if isinstance(operation, layers.Layer) and operation._call_has_training_arg:
            # Keras hands over the arguments of the symbolic call; `training` among them is ours to decide.
            as_written = lambda *args, **kwargs: operation(*args, **{**kwargs, "training": training})  # noqa: E731
        native = self._calls.get(id(operation))
        if native is None:
            return as_written

        def call(x: Any, **kwargs: Any) -> Any:
            return as_written(x, **kwargs) if _is_masked(x) else native(x, training=training, dropout=self._dropout)

        return call


def lower(model: Model, dropout: torch.Generator) -> Lowered:
    """Prepare a model for running with native operations.

    Args:
        model: a built functional or sequential model.
        dropout: where dropout takes its random numbers from.
    """
    functional = getattr(model, "_functional", None) if isinstance(model, keras.Sequential) else model
    return Lowered(functional if functional is not None else model, dropout)


def _native(operation: Any) -> Call | None:
    """Return what computes an operation natively, or None where its kind or something about it is not covered."""
    rule = LOWERED.get(type(operation))
    if rule is None or operation.activity_regularizer is not None:
        return None
    # A call with more than its input: a first state, a mask.
    for node in operation._inbound_nodes:
        arguments = node.arguments
        more = [value for name, value in arguments.kwargs.items() if name != "training" and value is not None]
        if more or len(arguments.args) != 1:
            return None
    return rule(operation)


def _carries_masks(model: Model) -> bool:
    """Tell whether some layer makes a mask; such a model runs as Keras wrote it, since native calls drop masks."""
    return any(
        isinstance(layer, layers.Masking | Model) or getattr(layer, "mask_zero", False)
        for layer in model._flatten_layers(include_self=False)
    )


def _mixes_types(model: Model) -> bool:
    """Tell whether some layer computes in another type than float32; Keras then casts what each one reads."""
    return any(
        keras.backend.is_float_dtype(layer.compute_dtype) and layer.compute_dtype != "float32"
        for layer in model._flatten_layers(include_self=False)
    )


def _is_masked(x: Any) -> bool:
    """Tell whether a layer of the user's own has put a mask on a tensor, or on one of several."""
    return any(getattr(each, "_keras_mask", None) is not None for each in (x if isinstance(x, list | tuple) else [x]))
