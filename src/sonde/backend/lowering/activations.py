"""Activations as native torch operations."""

# B batch, F features

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import torch
from torch.nn import functional

from sonde.backend.lowering.calls import Call, Run

Activation = Callable[[torch.Tensor], torch.Tensor]


def sparse_plus(x: torch.Tensor) -> torch.Tensor:
    """Return 0 below -1, x above 1, and the parabola that joins them smoothly."""
    return torch.where(x <= -1, 0.0, torch.where(x < 1, 0.25 * (x + 1).square(), x))


ACTIVATIONS: dict[Any, Activation] = {
    keras.activations.linear: lambda x: x,
    keras.activations.relu: torch.relu,
    keras.activations.sigmoid: torch.sigmoid,
    keras.activations.tanh: torch.tanh,
    keras.activations.silu: functional.silu,
    keras.activations.elu: functional.elu,
    keras.activations.selu: functional.selu,
    keras.activations.gelu: functional.gelu,
    keras.activations.softplus: functional.softplus,
    keras.activations.relu6: functional.relu6,
    keras.activations.leaky_relu: partial(functional.leaky_relu, negative_slope=0.2),
    keras.activations.hard_sigmoid: functional.hardsigmoid,
    keras.activations.hard_silu: functional.hardswish,
    keras.activations.hard_tanh: functional.hardtanh,
    keras.activations.hard_shrink: functional.hardshrink,
    keras.activations.soft_shrink: functional.softshrink,
    keras.activations.tanh_shrink: functional.tanhshrink,
    keras.activations.softsign: functional.softsign,
    keras.activations.log_sigmoid: functional.logsigmoid,
    keras.activations.sparse_sigmoid: lambda x: functional.hardtanh(0.5 * (x + 1), 0.0, 1.0),
    keras.activations.sparse_plus: sparse_plus,
    keras.activations.squareplus: lambda x: 0.5 * (x + (x.square() + 4.0).sqrt()),
    keras.activations.mish: functional.mish,
    keras.activations.celu: functional.celu,
    keras.activations.glu: functional.glu,
    keras.activations.exponential: torch.exp,
    keras.activations.softmax: partial(torch.softmax, dim=-1),
    keras.activations.log_softmax: partial(torch.log_softmax, dim=-1),
}
"""Activations whose torch function has the same definition and defaults."""

MASKED = -1e9
"""What softmax sees in place of a masked value, as in Keras."""


def activation(layer: Any) -> Call | None:
    """Return an activation layer."""
    activate = ACTIVATIONS.get(layer.activation)
    return None if activate is None else elementwise(activate)


def elementwise(activate: Activation) -> Call:
    """Return a call that applies a function to its only input.

    Args:
        activate: a function of one tensor.
    """
    return lambda run, x: activate(x)


def relu(layer: Any) -> Call | None:
    """Return a ReLU layer, with what it has of slope, threshold and bound."""
    return elementwise(rectifier(layer.negative_slope, layer.max_value, layer.threshold))


def rectifier(slope: float, bound: float | None, threshold: float) -> Activation:
    """Return what lets values above a threshold through, cut at a bound, and slopes below the threshold.

    Args:
        slope: what a value below the threshold is worth, as a share of its distance from it.
        bound: the highest value; None for no bound.
        threshold: values up to it count as below.
    """
    rising: Activation
    if threshold:
        above: Activation = partial(functional.threshold, threshold=threshold, value=0.0)
        rising = above if bound is None else lambda x: above(x).clamp(0.0, bound)
    else:
        rising = torch.relu if bound is None else lambda x: functional.hardtanh(x, 0.0, bound)
    if not slope:
        return rising
    if bound is None and not threshold:
        return partial(functional.leaky_relu, negative_slope=slope)
    return lambda x: rising(x) - slope * torch.relu(threshold - x)


def leaky_relu(layer: Any) -> Call | None:
    """Return a leaky ReLU layer."""
    return elementwise(partial(functional.leaky_relu, negative_slope=layer.negative_slope))


def elu(layer: Any) -> Call | None:
    """Return an ELU layer."""
    return elementwise(partial(functional.elu, alpha=layer.alpha))


def prelu(layer: Any) -> Call | None:
    """Return a ReLU layer with learned slopes, by parts: `functional.prelu` takes a third longer."""
    return lambda run, x: torch.relu(x) - layer.alpha.value.to(x.dtype) * torch.relu(-x)


def softmax(layer: Any) -> Call | None:
    """Return softmax over one axis, or over several as one; what is masked gets no share."""
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]

    def call(run: Run, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        if mask is None:
            return _softmax(x, axes)
        hidden = ~mask if mask.dtype == torch.bool else mask <= 0.5
        return _softmax(x.masked_fill(hidden, MASKED), axes).masked_fill(hidden, 0.0)

    return call


def _softmax(x: torch.Tensor, axes: Sequence[int]) -> torch.Tensor:
    if len(axes) == 1:
        return torch.softmax(x, axes[0])
    return torch.exp(x - torch.logsumexp(x, axes, keepdim=True))
