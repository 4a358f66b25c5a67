"""Layers that move, cut, fill or repeat values."""

# B batch

from typing import Any

from sonde.backend.lowering.calls import Call


def flatten(layer: Any) -> Call | None:
    """Return flattening of all axes but the first."""
    if layer.data_format != "channels_last":
        return None
    return lambda run, x: x.reshape(x.shape[0], -1)


def reshape(layer: Any) -> Call | None:
    """Return reshaping of all axes but the first."""
    return lambda run, x: x.reshape(x.shape[0], *layer.target_shape)
