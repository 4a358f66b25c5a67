"""Layers that move, cut, fill or repeat values."""

# B batch, T time, F features

from typing import Any

import torch
from torch.nn import functional

from sonde.backend.lowering.calls import Call, Run
from sonde.backend.lowering.windows import around, as_image, views


def identity(layer: Any) -> Call | None:
    """Return what is given."""
    return lambda run, inputs: inputs


def flatten(layer: Any) -> Call | None:
    """Return flattening of all axes but the first; channels come last in it, wherever they were."""
    if layer.data_format == "channels_first":
        return lambda run, x: (x.movedim(1, -1) if x.dim() > 1 else x).reshape(x.shape[0], -1)
    return lambda run, x: x.reshape(x.shape[0], -1)


def reshape(layer: Any) -> Call | None:
    """Return reshaping of all axes but the first."""
    target = tuple(-1 if size is None else size for size in layer.target_shape)
    return lambda run, x: x.reshape(x.shape[0], *target)


def permute(layer: Any) -> Call | None:
    """Return a view with the axes in another order."""
    axes = (0, *layer.dims)
    return lambda run, x: x.permute(axes)


def repeat_vector(layer: Any) -> Call | None:
    """Return a view that repeats features over time."""
    return lambda run, x_BF: x_BF.unsqueeze(1).expand(-1, layer.n, -1)


def zero_padding(layer: Any) -> Call | None:
    """Return padding with zeros."""
    pairs = _pairs(layer.padding)
    sizes = around(*zip(*pairs, strict=True))
    if layer.data_format == "channels_last":
        sizes = [0, 0, *sizes]
    return lambda run, x: functional.pad(x, sizes)


def cropping(layer: Any) -> Call | None:
    """Return a view without the border."""
    pairs = _pairs(layer.cropping)
    # A sequence has no other order than channels last.
    first = 2 if getattr(layer, "data_format", "channels_last") == "channels_first" else 1

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        for axis, (start, end) in enumerate(pairs, start=first):
            x = x.narrow(axis, start, x.shape[axis] - start - end)
        return x

    return call


def up_sampling(layer: Any) -> Call | None:
    """Return each value repeated along each axis, or for images linear interpolation between them."""
    size = layer.size
    sizes = (size,) if isinstance(size, int) else tuple(size)
    method = getattr(layer, "interpolation", "nearest")
    if method not in ("nearest", "bilinear"):
        return None
    factors = as_image(sizes)
    show, show_back = views(len(sizes), getattr(layer, "data_format", "channels_last"))

    def call(run: Run, inputs: torch.Tensor) -> torch.Tensor:
        x = show(inputs)
        if x.is_floating_point():
            # Four times as fast as repeating along each axis in turn, forward and backward.
            sides = [side * factor for side, factor in zip(x.shape[2:], factors, strict=True)]
            return show_back(functional.interpolate(x, sides, mode=method))
        for axis, factor in enumerate(factors, start=2):
            x = x.repeat_interleave(factor, axis)
        return show_back(x)

    return call


def _pairs(borders: Any) -> tuple[tuple[int, int], ...]:
    """Return (before, after) for each axis; Keras keeps the one pair of a sequence bare."""
    bare = isinstance(borders[0], int)
    return (tuple(borders),) if bare else tuple(tuple(each) for each in borders)
