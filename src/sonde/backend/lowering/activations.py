"""Activations as native torch operations."""

# B batch

from collections.abc import Callable
from typing import Any

import keras
import torch
from torch.nn import functional

from sonde.backend.lowering.calls import Call

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


def activation(layer: Any) -> Call | None:
    """Return an activation layer."""
    activate = ACTIVATIONS.get(layer.activation)
    # ruff sees a lambda that only hands on; this one drops what activations do not take.
    return None if activate is None else lambda run, x: activate(x)


def relu(layer: Any) -> Call | None:
    """Return a ReLU layer without slope, threshold or bound."""
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        return None
    return lambda run, x: torch.relu(x)
