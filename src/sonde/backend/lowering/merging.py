"""Layers that make one tensor of several."""

# B batch

from collections.abc import Callable, Sequence
from functools import reduce
from string import ascii_lowercase
from typing import Any

import torch
from torch.nn import functional

from sonde.backend.lowering.calls import Call, Run

Merge = Callable[[list[torch.Tensor]], torch.Tensor]

SMALLEST_NORM = 1e-7
"""Below it, a vector is divided by this instead of by its length, as in Keras."""


def add(layer: Any) -> Call | None:
    """Return the sum of inputs."""
    return _merged(layer, lambda inputs: reduce(torch.add, inputs))


def subtract(layer: Any) -> Call | None:
    """Return the difference of two inputs."""
    return _merged(layer, lambda inputs: inputs[0] - inputs[1])


def average(layer: Any) -> Call | None:
    """Return the mean of inputs."""
    return _merged(layer, lambda inputs: reduce(torch.add, inputs) / len(inputs))


def multiply(layer: Any) -> Call | None:
    """Return the product of inputs."""
    return _merged(layer, lambda inputs: reduce(torch.mul, inputs), heeds_masks=True)


def maximum(layer: Any) -> Call | None:
    """Return the largest of inputs."""
    return _merged(layer, lambda inputs: reduce(torch.maximum, inputs), heeds_masks=True)


def minimum(layer: Any) -> Call | None:
    """Return the smallest of inputs."""
    return _merged(layer, lambda inputs: reduce(torch.minimum, inputs), heeds_masks=True)


def concatenate(layer: Any) -> Call | None:
    """Return inputs joined along an axis."""
    return lambda run, inputs: torch.cat(inputs, layer.axis)


def dot(layer: Any) -> Call | None:
    """Return the products of two inputs, summed over an axis of each."""
    axes = layer.axes if isinstance(layer.axes, list | tuple) else (layer.axes, layer.axes)
    if 0 in axes:  # The batch: Keras's own error says so.
        return None

    def call(run: Run, inputs: list[torch.Tensor]) -> torch.Tensor:
        first, second = inputs
        if layer.normalize:
            first, second = (
                functional.normalize(x, dim=axis, eps=SMALLEST_NORM) for x, axis in zip(inputs, axes, strict=True)
            )
        y = torch.einsum(dot_equation((first.ndim, second.ndim), axes), first, second)
        return y.unsqueeze(-1) if y.ndim == 1 else y

    return call


def dot_equation(ranks: tuple[int, int], axes: Sequence[int]) -> str:
    """Return the einsum equation of a product summed over an axis of each of two batches.

    Args:
        ranks: how many axes each has, the batch's included.
        axes: the axis of each that is summed over.
    """
    shared = ascii_lowercase[0] + ascii_lowercase[1]
    free = iter(ascii_lowercase[2:])
    names = [[shared[0], *(next(free) for _ in range(rank - 1))] for rank in ranks]
    for its, axis in zip(names, axes, strict=True):
        its[axis] = shared[1]
    kept = [name for its in names for name in its[1:] if name != shared[1]]
    first, second = ("".join(its) for its in names)
    return f"{first},{second}->{shared[0]}{''.join(kept)}"


def _merged(layer: Any, merge: Merge, *, heeds_masks: bool = False) -> Call:
    """Return a call that lines inputs up by their first axes, as Keras does, and merges them.

    Args:
        heeds_masks: whether Keras leaves values out that are masked; with a mask it then runs as Keras wrote it.
    """
    lines_up = layer._reshape_required

    def call(run: Run, inputs: list[torch.Tensor]) -> torch.Tensor:
        if heeds_masks and any(hasattr(x, "_keras_mask") for x in inputs):
            merged: torch.Tensor = layer.call(inputs)
            return merged
        return merge(_lined_up(inputs) if lines_up else inputs)

    return call


def _lined_up(inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Give each input as many axes as the widest has, after the batch's."""
    rank = max(x.ndim for x in inputs)
    return [x[(slice(None), *[None] * (rank - x.ndim))] if x.ndim < rank else x for x in inputs]
