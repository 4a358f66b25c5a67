"""Keras's preprocessing layers that scale values, as native torch operations."""

from typing import Any

import keras
import torch

from sonde.backend.lowering.calls import Call, Run


def rescaling(layer: Any) -> Call | None:
    """Return scaling and shifting; whole numbers become fractions."""
    if keras.config.image_data_format() == "channels_first" and not isinstance(layer.scale, int | float):
        return None
    scale, offset = _constant(layer.scale), _constant(layer.offset)
    shifts = isinstance(offset, torch.Tensor) or offset != 0

    def call(run: Run, inputs: torch.Tensor) -> torch.Tensor:
        x = inputs if inputs.is_floating_point() else inputs.float()
        return x * scale + offset if shifts else x * scale

    return call


def normalization(layer: Any) -> Call | None:
    """Return values shifted and scaled by a mean and a variance that were given or learned beforehand."""
    smallest = keras.config.epsilon()

    def call(run: Run, inputs: torch.Tensor) -> torch.Tensor:
        spread = layer.variance.sqrt().clamp(min=smallest)
        return inputs * spread + layer.mean if layer.invert else (inputs - layer.mean) / spread

    return call


def _constant(value: Any) -> Any:
    """Return a number as it is, several of them as a tensor."""
    if isinstance(value, int | float):
        return float(value)
    return keras.ops.convert_to_tensor(value, dtype="float32")
