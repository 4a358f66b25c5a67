"""Pooling as native torch operations."""

# B batch, H height, W width, C channels

from typing import Any

import torch
from torch.nn import functional

from sonde.backend.lowering.calls import Call, Run
from sonde.backend.lowering.convolution import pad_same


def max_pool2d(layer: Any) -> Call | None:
    """Return 2-D max pooling."""
    if layer.data_format != "channels_last":
        return None

    def call(run: Run, x_BHWC: torch.Tensor) -> torch.Tensor:
        x_BCHW, padding = pad_same(x_BHWC.movedim(-1, 1), layer.padding, layer.pool_size, layer.strides, -torch.inf)
        return functional.max_pool2d(x_BCHW, layer.pool_size, layer.strides, padding).movedim(1, -1)

    return call


def average_pool2d(layer: Any) -> Call | None:
    """Return 2-D average pooling; with `same` padding, which does not count the border, it falls back."""
    if layer.data_format != "channels_last" or layer.padding != "valid":
        return None

    def call(run: Run, x_BHWC: torch.Tensor) -> torch.Tensor:
        return functional.avg_pool2d(x_BHWC.movedim(-1, 1), layer.pool_size, layer.strides).movedim(1, -1)

    return call


def global_average_pool2d(layer: Any) -> Call | None:
    """Return the mean over height and width."""
    if layer.data_format != "channels_last":
        return None
    return lambda run, x_BHWC: x_BHWC.mean(dim=(1, 2), keepdim=layer.keepdims)
