"""Native torch equivalents of Keras layers: each takes a built layer and returns what computes it, or None.

None means that the layer's options are not covered and that it runs as Keras wrote it.
"""

# B batch, H height, W width, C channels, T time, F features, U units, G gates

from collections.abc import Callable
from typing import Any

import keras
import torch
from torch.nn import functional

Call = Callable[..., torch.Tensor]

ACTIVATIONS: dict[Any, Callable[[torch.Tensor], torch.Tensor]] = {
    keras.activations.linear: lambda x: x,
    keras.activations.relu: torch.relu,
    keras.activations.sigmoid: torch.sigmoid,
    keras.activations.tanh: torch.tanh,
    keras.activations.silu: functional.silu,
    keras.activations.elu: functional.elu,
    keras.activations.selu: functional.selu,
    keras.activations.gelu: functional.gelu,
    keras.activations.softplus: functional.softplus,
}
"""Activations whose torch function has the same definition and defaults."""


def dense(layer: Any) -> Call | None:
    """Return a dense layer as one linear operation."""
    activate = ACTIVATIONS.get(layer.activation)
    if activate is None or getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        return None

    def call(x: torch.Tensor, *, training: bool, dropout: torch.Generator) -> torch.Tensor:
        bias = layer.bias.value if layer.use_bias else None
        return activate(functional.linear(x, layer.kernel.value.T, bias))

    return call


def conv2d(layer: Any) -> Call | None:
    """Return a 2-D convolution; strides with `same` padding are padded as Keras does, more at the end."""
    activate = ACTIVATIONS.get(layer.activation)
    if activate is None or layer.data_format != "channels_last" or getattr(layer, "lora_enabled", False):
        return None
    window = [(size - 1) * step + 1 for size, step in zip(layer.kernel_size, layer.dilation_rate, strict=True)]

    def call(x_BHWC: torch.Tensor, *, training: bool, dropout: torch.Generator) -> torch.Tensor:
        x_BCHW, padding = _pad_same(x_BHWC.movedim(-1, 1), layer.padding, window, layer.strides, 0.0)
        kernel = layer.kernel.value.permute(3, 2, 0, 1)
        bias = layer.bias.value if layer.use_bias else None
        y_BCHW = functional.conv2d(x_BCHW, kernel, bias, layer.strides, padding, layer.dilation_rate, layer.groups)
        return activate(y_BCHW).movedim(1, -1)

    return call


def batch_norm(layer: Any) -> Call | None:
    """Return batch normalisation over the last axis, running statistics included.

    Keras keeps the biased variance of a batch where `functional.batch_norm` keeps the unbiased one, so the running
    statistics are updated here from what the native operation saved.
    """
    if layer.synchronized or layer.renorm or layer.axis not in (-1, layer.input_spec.ndim - 1):
        return None

    def call(x: torch.Tensor, *, training: bool, dropout: torch.Generator) -> torch.Tensor:
        scale = layer.gamma.value if layer.scale else None
        offset = layer.beta.value if layer.center else None
        mean, variance = layer.moving_mean.value, layer.moving_variance.value
        x_first = x.movedim(-1, 1)
        if not (training and layer.trainable):
            return functional.batch_norm(x_first, mean, variance, scale, offset, False, 0.0, layer.epsilon).movedim(
                1, -1
            )
        y, saved_mean, saved_inverse = torch.native_batch_norm(
            x_first, scale, offset, None, None, True, 0.0, layer.epsilon
        )
        with torch.no_grad():
            batch_variance = saved_inverse.float().pow(-2) - layer.epsilon
            mean.lerp_(saved_mean.float(), 1 - layer.momentum)
            variance.lerp_(batch_variance, 1 - layer.momentum)
        return y.movedim(1, -1)

    return call


def max_pool2d(layer: Any) -> Call | None:
    """Return 2-D max pooling."""
    if layer.data_format != "channels_last":
        return None

    def call(x_BHWC: torch.Tensor, *, training: bool, dropout: torch.Generator) -> torch.Tensor:
        x_BCHW, padding = _pad_same(x_BHWC.movedim(-1, 1), layer.padding, layer.pool_size, layer.strides, -torch.inf)
        return functional.max_pool2d(x_BCHW, layer.pool_size, layer.strides, padding).movedim(1, -1)

    return call


def average_pool2d(layer: Any) -> Call | None:
    """Return 2-D average pooling; with `same` padding, which does not count the border, it falls back."""
    if layer.data_format != "channels_last" or layer.padding != "valid":
        return None

    def call(x_BHWC: torch.Tensor, *, training: bool, dropout: torch.Generator) -> torch.Tensor:
        return functional.avg_pool2d(x_BHWC.movedim(-1, 1), layer.pool_size, layer.strides).movedim(1, -1)

    return call


def global_average_pool2d(layer: Any) -> Call | None:
    """Return the mean over height and width."""
    if layer.data_format != "channels_last":
        return None
    return lambda x_BHWC, *, training, dropout: x_BHWC.mean(dim=(1, 2), keepdim=layer.keepdims)


def activation(layer: Any) -> Call | None:
    """Return an activation layer."""
    activate = ACTIVATIONS.get(layer.activation)
    # ruff sees a lambda that only hands on; this one drops what activations do not take.
    return None if activate is None else lambda x, *, training, dropout: activate(x)  # noqa: PLW0108


def relu(layer: Any) -> Call | None:
    """Return a ReLU layer without slope, threshold or bound."""
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        return None
    return lambda x, *, training, dropout: torch.relu(x)  # noqa: PLW0108


def dropout(layer: Any) -> Call | None:
    """Return dropout that draws from the engine's generator."""
    if layer.noise_shape is not None or not 0 <= layer.rate < 1:
        return None
    keep = 1.0 - layer.rate

    def call(x: torch.Tensor, *, training: bool, dropout: torch.Generator) -> torch.Tensor:
        if not training or layer.rate == 0:
            return x
        kept = torch.empty(x.shape, dtype=x.dtype, device=x.device).bernoulli_(keep, generator=dropout)
        return x * kept.div_(keep)

    return call


def flatten(layer: Any) -> Call | None:
    """Return flattening of all axes but the first."""
    if layer.data_format != "channels_last":
        return None
    return lambda x, *, training, dropout: x.reshape(x.shape[0], -1)


def reshape(layer: Any) -> Call | None:
    """Return reshaping of all axes but the first."""
    return lambda x, *, training, dropout: x.reshape(x.shape[0], *layer.target_shape)


def add(layer: Any) -> Call | None:
    """Return the sum of inputs of one rank; of several, which Keras lines up by their first axes, it falls back."""
    if layer._reshape_required:
        return None

    def call(inputs: list[torch.Tensor], *, training: bool, dropout: torch.Generator) -> torch.Tensor:
        total = inputs[0]
        for each in inputs[1:]:
            total = total + each
        return total

    return call


def simple_rnn(layer: Any) -> Call | None:
    """Return a simple recurrent layer (tanh or relu) as one native operation."""
    native = {keras.activations.tanh: torch.rnn_tanh, keras.activations.relu: torch.rnn_relu}
    if layer.activation not in native or not _plain_recurrence(layer):
        return None

    def call(x_BTF: torch.Tensor, *, training: bool, dropout: torch.Generator) -> torch.Tensor:
        cell = layer.cell
        flat = _flat_weights(cell, cell.bias.value if cell.use_bias else None, None)
        y_BTU, _ = native[layer.activation](*_recurrent_arguments(layer, x_BTF, flat))
        return _time_output(layer, y_BTU)

    return call


def lstm(layer: Any) -> Call | None:
    """Return an LSTM as one native operation; Keras's gate order (i, f, c, o) is torch's."""
    if not _usual_gates(layer) or not _plain_recurrence(layer):
        return None

    def call(x_BTF: torch.Tensor, *, training: bool, dropout: torch.Generator) -> torch.Tensor:
        cell = layer.cell
        flat = _flat_weights(cell, cell.bias.value if cell.use_bias else None, None)
        x, hidden, *rest = _recurrent_arguments(layer, x_BTF, flat)
        y_BTU, _, _ = torch.lstm(x, (hidden, hidden), *rest)
        return _time_output(layer, y_BTU)

    return call


def gru(layer: Any) -> Call | None:
    """Return a GRU with `reset_after` as one native operation; Keras's gates are (z, r, h), torch's (r, z, n)."""
    if not _usual_gates(layer) or not layer.reset_after or not _plain_recurrence(layer):
        return None

    def call(x_BTF: torch.Tensor, *, training: bool, dropout: torch.Generator) -> torch.Tensor:
        cell = layer.cell
        biases = [cell.bias.value[0], cell.bias.value[1]] if cell.use_bias else [None, None]
        flat = _flat_weights(cell, biases[0], biases[1], swap=layer.units)
        y_BTU, _ = torch.gru(*_recurrent_arguments(layer, x_BTF, flat))
        return _time_output(layer, y_BTU)

    return call


def _usual_gates(layer: Any) -> bool:
    return layer.activation is keras.activations.tanh and layer.recurrent_activation is keras.activations.sigmoid


def _plain_recurrence(layer: Any) -> bool:
    return not (
        layer.return_state
        or layer.go_backwards
        or layer.stateful
        or layer.unroll
        or layer.dropout
        or layer.recurrent_dropout
    )


def _flat_weights(
    cell: Any, bias: torch.Tensor | None, recurrent_bias: torch.Tensor | None, *, swap: int = 0
) -> list[torch.Tensor]:
    """Return (input kernel, recurrent kernel, two biases) as torch lays them out: GU x F, GU x U, GU, GU."""

    def order(w: torch.Tensor) -> torch.Tensor:
        return torch.cat([w[swap : 2 * swap], w[:swap], w[2 * swap :]]) if swap else w

    kernels = [order(cell.kernel.value.T).contiguous(), order(cell.recurrent_kernel.value.T).contiguous()]
    if bias is None:
        return kernels
    second = torch.zeros_like(bias) if recurrent_bias is None else recurrent_bias
    return [*kernels, order(bias).contiguous(), order(second).contiguous()]


def _recurrent_arguments(layer: Any, x_BTF: torch.Tensor, flat: list[torch.Tensor]) -> tuple[Any, ...]:
    """Return torch's arguments: input, state, weights, has biases, layers, dropout, training, two-way, batch first."""
    hidden = x_BTF.new_zeros(1, x_BTF.shape[0], layer.units)
    # Without `training` the CPU kernel keeps nothing for the backward pass.
    return x_BTF, hidden, flat, len(flat) == 4, 1, 0.0, torch.is_grad_enabled(), False, True


def _time_output(layer: Any, y_BTU: torch.Tensor) -> torch.Tensor:
    return y_BTU if layer.return_sequences else y_BTU[:, -1]


def _pad_same(
    x_BCHW: torch.Tensor, padding: str, window: Any, strides: Any, value: float
) -> tuple[torch.Tensor, tuple[int, int]]:
    """Pad for `same`, the odd pixel at the end; returns the tensor and what the native operation is to pad itself."""
    if padding == "valid":
        return x_BCHW, (0, 0)
    totals = [
        max((-(-size // step) - 1) * step + width - size, 0)
        for size, step, width in zip(x_BCHW.shape[2:], strides, window, strict=True)
    ]
    if all(total % 2 == 0 for total in totals):
        return x_BCHW, (totals[0] // 2, totals[1] // 2)
    (top, left), (height, width) = (total // 2 for total in totals), totals
    return functional.pad(x_BCHW, (left, width - left, top, height - top), value=value), (0, 0)
