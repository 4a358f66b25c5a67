"""What convolution and pooling share: the view of a tensor that torch wants, and the padding that Keras wants.

Sequences are seen as images one pixel high. Torch has a channels-last layout for images and for volumes only, and the
native convolution of a sequence took up to twice as long (measured in fp32, 32 to 64 channels over 128 steps).
"""

# B batch, C channels

from collections.abc import Callable, Iterable
from functools import lru_cache

import torch

View = Callable[[torch.Tensor], torch.Tensor]


def views(axes: int, data_format: str) -> tuple[View, View]:
    """Return what shows a layer's input as torch wants it, channels first, and what shows its output as Keras does.

    Both copy nothing. Where Keras has the channels last, what torch sees is in its channels-last layout.

    Args:
        axes: how many axes a window moves along: 1, 2 or 3.
        data_format: `channels_last` or `channels_first`, of the Keras layer.
    """
    if data_format == "channels_first":
        if axes == 1:
            return (lambda x: x.unsqueeze(2)), (lambda y: y.squeeze(2))
        return (lambda x: x), (lambda y: y)
    if axes == 1:
        return (lambda x: x.unsqueeze(1).movedim(-1, 1)), (lambda y: y.movedim(1, -1).squeeze(1))
    return (lambda x: x.movedim(-1, 1)), (lambda y: y.movedim(1, -1))


def as_image(sizes: Iterable[int], height: int = 1) -> tuple[int, ...]:
    """Return a number for each axis that torch sees, the height of a sequence included.

    Args:
        sizes: pool size, strides or the like, one for each axis of the Keras layer.
        height: what it is for the height of a sequence.
    """
    found = tuple(sizes)
    return (height, *found) if len(found) == 1 else found


@lru_cache(maxsize=1024)
def same_padding(
    sides: tuple[int, ...], window: tuple[int, ...], strides: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return how many pixels `same` pads before and after each axis; an odd one goes to the end.

    Args:
        sides: the input's size along each axis.
        window: the window's, holes of dilation included.
        strides: how far it moves.
    """
    totals = [
        max((-(-side // stride) - 1) * stride + width - side, 0)
        for side, width, stride in zip(sides, window, strides, strict=True)
    ]
    before = tuple(total // 2 for total in totals)
    return before, tuple(total - each for total, each in zip(totals, before, strict=True))


def around(before: Iterable[int], after: Iterable[int]) -> list[int]:
    """Return padding in the order of `functional.pad`: the last axis first.

    Args:
        before: pixels before each axis.
        after: pixels after it.
    """
    pairs = list(zip(before, after, strict=True))
    return [size for pair in reversed(pairs) for size in pair]
