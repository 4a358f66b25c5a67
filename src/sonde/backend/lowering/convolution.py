"""Convolutions as native torch operations."""

# B batch, H height, W width, C channels

from typing import Any

import torch
from torch.nn import functional

from sonde.backend.lowering.activations import ACTIVATIONS
from sonde.backend.lowering.calls import Call, Run


def conv2d(layer: Any) -> Call | None:
    """Return a 2-D convolution; strides with `same` padding are padded as Keras does, more at the end."""
    activate = ACTIVATIONS.get(layer.activation)
    if activate is None or layer.data_format != "channels_last" or getattr(layer, "lora_enabled", False):
        return None
    window = [(size - 1) * step + 1 for size, step in zip(layer.kernel_size, layer.dilation_rate, strict=True)]

    def call(run: Run, x_BHWC: torch.Tensor) -> torch.Tensor:
        x_BCHW, padding = pad_same(x_BHWC.movedim(-1, 1), layer.padding, window, layer.strides, 0.0)
        kernel = layer.kernel.value.permute(3, 2, 0, 1)
        bias = layer.bias.value if layer.use_bias else None
        y_BCHW = functional.conv2d(x_BCHW, kernel, bias, layer.strides, padding, layer.dilation_rate, layer.groups)
        return activate(y_BCHW).movedim(1, -1)

    return call


def pad_same(
    x_BCHW: torch.Tensor, padding: str, window: Any, strides: Any, value: float
) -> tuple[torch.Tensor, tuple[int, int]]:
    """Pad for `same`, the odd pixel at the end; returns the tensor and what the native operation is to pad itself."""
    if padding == "valid":
        return x_BCHW, (0, 0)
    totals = [
        max((-(-size // step) - 1) * step + width - size, 0)
        for size, step, width in zip(x_BCHW.shape[2:], strides, window, strict=True)
    ]
    if all(total % 2 == 0 for total in totals):
        return x_BCHW, (totals[0] // 2, totals[1] // 2)
    (top, left), (height, width) = (total // 2 for total in totals), totals
    return functional.pad(x_BCHW, (left, width - left, top, height - top), value=value), (0, 0)
