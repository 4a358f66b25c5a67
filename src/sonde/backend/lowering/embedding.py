"""Embedding and masking as native torch operations."""

# B batch, T time, F features

from typing import Any

import torch
from torch.nn import functional

from sonde.backend.lowering.calls import Call, Run

INDICES = (torch.int32, torch.int64)


def embedding(layer: Any) -> Call | None:
    """Return the lookup of rows in a table; as in Keras, a negative index counts from the end."""
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        return None
    rows = layer.input_dim

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        indices = x if x.dtype in INDICES else x.to(torch.int32)
        indices = torch.where(indices < 0, indices + rows, indices)
        return functional.embedding(indices, layer.embeddings.value)

    return call


def masking(layer: Any) -> Call | None:
    """Return the silencing of steps that hold nothing but the mask's value; the mask is noted by what called this."""
    value = layer.mask_value
    if not isinstance(value, int | float):
        return None

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        return x.masked_fill((x == value).all(-1, keepdim=True), 0)

    return call
