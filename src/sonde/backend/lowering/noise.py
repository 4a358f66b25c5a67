"""Dropout and noise, drawn from the engine's generator."""

# B batch

from typing import Any

import torch

from sonde.backend.lowering.calls import Call, Run


def dropout(layer: Any) -> Call | None:
    """Return dropout that draws from the engine's generator."""
    if layer.noise_shape is not None or not 0 <= layer.rate < 1:
        return None
    keep = 1.0 - layer.rate

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        if not run.training or layer.rate == 0:
            return x
        kept = torch.empty(x.shape, dtype=x.dtype, device=x.device).bernoulli_(keep, generator=run.generator)
        return x * kept.div_(keep)

    return call
