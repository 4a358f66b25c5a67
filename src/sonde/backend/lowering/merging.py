"""Layers that make one tensor of several."""

# B batch

from typing import Any

import torch

from sonde.backend.lowering.calls import Call, Run


def add(layer: Any) -> Call | None:
    """Return the sum of inputs of one rank; of several, which Keras lines up by their first axes, it falls back."""
    if layer._reshape_required:
        return None

    def call(run: Run, inputs: list[torch.Tensor]) -> torch.Tensor:
        total = inputs[0]
        for each in inputs[1:]:
            total = total + each
        return total

    return call
