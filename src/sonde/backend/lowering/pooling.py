"""Pooling as native torch operations, over one, two or three axes."""

# B batch, T time, C channels

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from sonde.backend.lowering.calls import Call, Run
from sonde.backend.lowering.windows import around, as_image, same_padding, views

MAXIMUM: dict[int, Callable[..., torch.Tensor]] = {2: functional.max_pool2d, 3: functional.max_pool3d}
"""By the number of axes that torch sees."""
AVERAGE: dict[int, Callable[..., torch.Tensor]] = {2: functional.avg_pool2d, 3: functional.avg_pool3d}
ADAPTIVE_MAXIMUM: dict[int, Callable[..., torch.Tensor]] = {
    2: functional.adaptive_max_pool2d,
    3: functional.adaptive_max_pool3d,
}
ADAPTIVE_AVERAGE: dict[int, Callable[..., torch.Tensor]] = {
    2: functional.adaptive_avg_pool2d,
    3: functional.adaptive_avg_pool3d,
}


def max_pool(layer: Any) -> Call | None:
    """Return max pooling, which pads without a copy.

    Torch pads both ends alike, with minus infinity, and in its ceiling mode lets the last window hang over the end. For
    strides above 1 that is `same` with the odd pixel at the end. For a stride of 1, where no window may hang over, the
    odd pixel goes to both ends and the first window is dropped.
    """
    sizes, strides = as_image(layer.pool_size), as_image(layer.strides)
    pool, is_same = MAXIMUM[len(sizes)], layer.padding == "same"
    show, show_back = views(len(layer.pool_size), layer.data_format)

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        if not is_same:
            return show_back(pool(show(x), sizes, strides))
        seen = show(x)
        before, after = same_padding(seen.shape[2:], sizes, strides)
        ends = tuple(b if stride > 1 else a for b, a, stride in zip(before, after, strides, strict=True))
        y = pool(seen, sizes, strides, ends, 1, True)
        for axis, (end, b) in enumerate(zip(ends, before, strict=True), start=2):
            if end > b:
                y = y.narrow(axis, 1, y.shape[axis] - 1)
        return show_back(y)

    return call


def average_pool(layer: Any) -> Call | None:
    """Return average pooling; even padding does not count.

    Where the padding is uneven, Keras on torch repeats the border and counts it, unlike on its other backends. The
    layer has to agree with the Keras that saves, loads and exports it here, so this does the same.
    """
    sizes, strides = as_image(layer.pool_size), as_image(layer.strides)
    pool, is_same = AVERAGE[len(sizes)], layer.padding == "same"
    show, show_back = views(len(layer.pool_size), layer.data_format)

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        seen = show(x)
        native: int | tuple[int, ...] = 0
        if is_same:
            before, after = same_padding(seen.shape[2:], sizes, strides)
            if before == after:
                native = before
            else:
                seen = functional.pad(seen, around(before, after), mode="replicate")
        return show_back(pool(seen, sizes, strides, native, count_include_pad=False))

    return call


def adaptive_max_pool(layer: Any) -> Call | None:
    """Return max pooling to a given size."""
    return _adaptive(layer, ADAPTIVE_MAXIMUM)


def adaptive_average_pool(layer: Any) -> Call | None:
    """Return average pooling to a given size."""
    return _adaptive(layer, ADAPTIVE_AVERAGE)


def _adaptive(layer: Any, table: dict[int, Callable[..., torch.Tensor]]) -> Call:
    sizes = as_image(layer.output_size)
    pool = table[len(sizes)]
    show, show_back = views(len(layer.output_size), layer.data_format)
    return lambda run, x: show_back(pool(show(x), sizes))


def global_max_pool(layer: Any) -> Call | None:
    """Return the maximum over all axes but batch and channels; equal maxima share the gradient, as in Keras."""
    axes = _inner_axes(layer)
    return lambda run, x: x.amax(dim=axes, keepdim=layer.keepdims)


def global_average_pool(layer: Any) -> Call | None:
    """Return the mean over all axes but batch and channels."""
    axes = _inner_axes(layer)

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        return _mean(x, axes, layer.keepdims)

    return call


def global_average_pool1d(layer: Any) -> Call | None:
    """Return the mean over time, over the steps that a mask keeps where there is one."""
    axes = _inner_axes(layer)
    (time,) = axes
    channels = 3 - time

    def call(run: Run, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        if mask is None:
            return _mean(x, axes, layer.keepdims)
        kept = mask.bool().unsqueeze(channels)
        total = torch.where(kept, x, 0).sum(dim=axes, keepdim=layer.keepdims)
        # Whole numbers: bf16 counts to 256 only.
        return total / kept.sum(dim=axes, keepdim=layer.keepdims)

    return call


def _mean(x: torch.Tensor, axes: tuple[int, ...], keepdims: bool) -> torch.Tensor:
    """Return a mean whose gradient is a view: that of `torch.mean` is divided pixel by pixel, 5 times the time."""
    count = 1
    for axis in axes:
        count *= x.shape[axis]
    return x.sum(dim=axes, keepdim=keepdims) / count


def _inner_axes(layer: Any) -> tuple[int, ...]:
    """Return all axes but batch and channels."""
    rank = layer.input_spec.ndim
    return tuple(range(2, rank)) if layer.data_format == "channels_first" else tuple(range(1, rank - 1))
