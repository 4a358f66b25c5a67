"""A layer applied to each step of time, as one call for all of them."""

# B batch, T time

from collections.abc import Mapping
from typing import Any

import torch
from keras import layers

from sonde.backend.lowering.calls import Call, Rule, Run

REMEMBERS = (layers.BatchNormalization, layers.SpectralNormalization)
"""Layers whose training looks at the whole batch, or changes them: those see the steps one after another."""


def time_distributed(layer: Any, rules: Mapping[type, Rule]) -> Call | None:
    """Return a native layer that takes the steps of time as further examples of the batch.

    Args:
        layer: a built `TimeDistributed`.
        rules: those for the layer inside of it.
    """
    inner = layer.layer
    rule = rules.get(type(inner))
    if rule is None or inner.compute_dtype != layer.compute_dtype:
        return None
    if getattr(inner, "lora_enabled", False) or getattr(inner, "quantization_mode", None):
        return None
    # State and a shape of noise speak of the batch of one step.
    if any(getattr(inner, name, None) for name in ("stateful", "return_state", "noise_shape")):
        return None
    native = rule(inner)
    if native is None:
        return None
    remembers = any(isinstance(each, REMEMBERS) for each in inner._flatten_layers())

    def call(run: Run, inputs: torch.Tensor) -> torch.Tensor:
        if remembers and run.training:
            return torch.stack([native(run, x) for x in inputs.unbind(1)], dim=1)
        y: torch.Tensor = native(run, inputs.flatten(0, 1))
        return y.unflatten(0, inputs.shape[:2])

    return call
