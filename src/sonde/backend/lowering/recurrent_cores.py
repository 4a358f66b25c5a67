"""What runs over time in a recurrent layer: torch's own recurrences where they are fused, and ours elsewhere.

torch's LSTM is one fused operation on every device, 1.1 to 1.6 times as fast to train as ours, and is taken wherever no
step is skipped. Its other recurrences are fused on CUDA alone; on a CPU those of `through_time` train a GRU 1.1 to 1.4
times as fast, and a recurrence without gates 1.05 to 1.2 times.
"""

# B batch, T time, F features, U units, G gates

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sonde.backend.lowering import through_time
from sonde.backend.lowering.through_time import Order, Weights


def lstm(x_BTF: Tensor, states: list[Tensor], weights: Weights, order: Order) -> tuple[Tensor, ...]:
    """Run long short-term memory; Keras's order of the gates is torch's.

    Args:
        states: hidden and carry state before the first step, B x U each.
        weights: gates in the order input, forget, candidate, output.
        order: which steps are taken, and from which end.

    Returns:
        Outputs B x T x U in the order of the data, and both states after the last step.
    """
    if order.skipped_BT is not None or not _is_fused_here(x_BTF):
        return through_time.lstm(x_BTF, states, weights, order)
    return _fused(torch.lstm, x_BTF, states, _flat(weights), order.backwards)


def gru(x_BTF: Tensor, states: list[Tensor], weights: Weights, order: Order) -> tuple[Tensor, ...]:
    """Run a gated recurrent unit whose reset gate acts after the product.

    Args:
        states: the state before the first step, B x U.
        weights: gates in the order update, reset, candidate.
        order: which steps are taken, and from which end.

    Returns:
        Outputs B x T x U in the order of the data, and the state after the last step.
    """
    if order.skipped_BT is not None or not x_BTF.is_cuda:
        return through_time.gru(x_BTF, states, weights, order)
    return fused_gru(x_BTF, states, weights, order)


def fused_gru(x_BTF: Tensor, states: list[Tensor], weights: Weights, order: Order) -> tuple[Tensor, ...]:
    """Run torch's own GRU, whose gates are in the order reset, update, candidate; no step may be skipped.

    Args:
        states: the state before the first step, B x U.
        weights: gates in the order update, reset, candidate.
        order: from which end steps are taken.

    Returns:
        Outputs B x T x U in the order of the data, and the state after the last step.
    """
    assert order.skipped_BT is None
    units = len(weights.recurrent)

    def reset_first(each: Tensor) -> Tensor:
        return torch.cat([each[..., units : 2 * units], each[..., :units], each[..., 2 * units :]], dim=-1)

    ordered = Weights(*(each if each is None else reset_first(each) for each in weights))
    return _fused(torch.gru, x_BTF, states, _flat(ordered), order.backwards)


def simple(
    x_BTF: Tensor, states: list[Tensor], weights: Weights, order: Order, *, activation: str
) -> tuple[Tensor, ...]:
    """Run a recurrence without gates.

    Args:
        states: the state before the first step, B x U.
        order: which steps are taken, and from which end.

    Returns:
        Outputs B x T x U in the order of the data, and the state after the last step.
    """
    if order.skipped_BT is not None or not x_BTF.is_cuda:
        return through_time.simple(x_BTF, states, weights, order, activation=activation)
    return fused_simple(x_BTF, states, weights, order, activation=activation)


def fused_simple(
    x_BTF: Tensor, states: list[Tensor], weights: Weights, order: Order, *, activation: str
) -> tuple[Tensor, ...]:
    """Run torch's own recurrence without gates; no step may be skipped.

    Args:
        states: the state before the first step, B x U.
        order: from which end steps are taken.

    Returns:
        Outputs B x T x U in the order of the data, and the state after the last step.
    """
    assert order.skipped_BT is None
    native = {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}[activation]
    return _fused(native, x_BTF, states, _flat(weights), order.backwards)


def _is_fused_here(x_BTF: Tensor) -> bool:
    """Tell whether torch's LSTM runs in the type that autocast asks for: without AVX-512 there is none in bf16."""
    if x_BTF.is_cuda or not torch.is_autocast_enabled("cpu"):
        return True
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _flat(weights: Weights) -> list[Tensor]:
    """Return the kernels as torch lays them out, GU x F and GU x U, and two biases, GU each.

    The copies cost 0.3 % of a step.
    """
    kernels = [weights.kernel.T.contiguous(), weights.recurrent.T.contiguous()]
    if weights.bias is None:
        return kernels
    biases = weights.bias if weights.bias.ndim == 2 else (weights.bias, torch.zeros_like(weights.bias))
    return [*kernels, *biases]


def _fused(
    native: Callable[..., Any], x_BTF: Tensor, states: list[Tensor], flat: list[Tensor], backwards: bool
) -> tuple[Tensor, ...]:
    x_BTF = x_BTF.flip(1) if backwards else x_BTF
    first = [each.unsqueeze(0) for each in states]
    # Without `training` the CPU's operation keeps nothing for the way back. Before it: layers, dropout; behind it:
    # two ways, batch first.
    rest = (len(flat) == 4, 1, 0.0, torch.is_grad_enabled(), False, True)
    y_BTU, *last = native(x_BTF, tuple(first) if native is torch.lstm else first[0], flat, *rest)
    return y_BTU.flip(1) if backwards else y_BTU, *(each.squeeze(0) for each in last)
