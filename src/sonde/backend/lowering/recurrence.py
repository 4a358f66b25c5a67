"""Recurrent layers as native torch operations."""

# B batch, T time, F features, U units, G gates

from typing import Any

import keras
import torch

from sonde.backend.lowering.calls import Call, Run


def simple_rnn(layer: Any) -> Call | None:
    """Return a simple recurrent layer (tanh or relu) as one native operation."""
    native = {keras.activations.tanh: torch.rnn_tanh, keras.activations.relu: torch.rnn_relu}
    if layer.activation not in native or not _plain_recurrence(layer):
        return None

    def call(run: Run, x_BTF: torch.Tensor) -> torch.Tensor:
        cell = layer.cell
        flat = _flat_weights(cell, cell.bias.value if cell.use_bias else None, None)
        y_BTU, _ = native[layer.activation](*_recurrent_arguments(layer, x_BTF, flat))
        return _time_output(layer, y_BTU)

    return call


def lstm(layer: Any) -> Call | None:
    """Return an LSTM as one native operation; Keras's gate order (i, f, c, o) is torch's."""
    if not _usual_gates(layer) or not _plain_recurrence(layer):
        return None

    def call(run: Run, x_BTF: torch.Tensor) -> torch.Tensor:
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

    def call(run: Run, x_BTF: torch.Tensor) -> torch.Tensor:
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
