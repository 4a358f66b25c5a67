"""Dense layers as native torch operations."""

# B batch, F features

from typing import Any

import torch
from torch.nn import functional

from sonde.backend.lowering.activations import ACTIVATIONS
from sonde.backend.lowering.calls import Call, Run


def dense(layer: Any) -> Call | None:
    """Return a dense layer as one linear operation."""
    activate = ACTIVATIONS.get(layer.activation)
    if activate is None or getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        return None

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        bias = layer.bias.value if layer.use_bias else None
        return activate(functional.linear(x, layer.kernel.value.T, bias))

    return call
