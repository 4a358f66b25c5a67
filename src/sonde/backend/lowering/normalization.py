"""Normalisation as native torch operations."""

# B batch, C channels

from typing import Any

import torch
from torch.nn import functional

from sonde.backend.lowering.calls import Call, Run


def batch_norm(layer: Any) -> Call | None:
    """Return batch normalisation over the last axis, running statistics included.

    Keras keeps the biased variance of a batch where `functional.batch_norm` keeps the unbiased one, so the running
    statistics are updated here from what the native operation saved.
    """
    if layer.synchronized or layer.renorm or layer.axis not in (-1, layer.input_spec.ndim - 1):
        return None

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        scale = layer.gamma.value if layer.scale else None
        offset = layer.beta.value if layer.center else None
        mean, variance = layer.moving_mean.value, layer.moving_variance.value
        x_first = x.movedim(-1, 1)
        if not (run.training and layer.trainable):
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
