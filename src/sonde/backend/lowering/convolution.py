"""Convolutions as native torch operations, over one, two or three axes.

Kernels stay as Keras lays them out: torch turns them into its own blocks at each call whatever their order, and laying
them out anew was within the noise (64 to 512 channels, 4 to 32 pixels, bf16).
"""

# B batch, C channels, I channels in, O channels out, M depth multiplier

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from sonde.backend.lowering.activations import ACTIVATIONS
from sonde.backend.lowering.calls import Call, Run
from sonde.backend.lowering.windows import around, as_image, same_padding, views

CONVOLVE: dict[int, Callable[..., torch.Tensor]] = {2: functional.conv2d, 3: functional.conv3d}
"""By the number of axes that torch sees."""
TRANSPOSED: dict[int, Callable[..., torch.Tensor]] = {2: functional.conv_transpose2d, 3: functional.conv_transpose3d}
"""The same for transposed convolution."""

Slide = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]
"""(input, channels first; kernel as Keras has it; bias) -> output, channels first."""


def convolution(layer: Any) -> Call | None:
    """Return a convolution, grouped ones included."""
    activate = ACTIVATIONS.get(layer.activation)
    if activate is None:
        return None
    is_depthwise = layer.kernel.shape[-2] == 1 < layer.groups
    slide = _slide(layer, layer.groups, layer.filters // layer.groups if is_depthwise else None)
    show, show_back = views(layer.rank, layer.data_format)

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        return activate(show_back(slide(show(x), layer.kernel.value, _bias(layer))))

    return call


def depthwise_convolution(layer: Any) -> Call | None:
    """Return a convolution of each channel by itself."""
    activate = ACTIVATIONS.get(layer.activation)
    if activate is None:
        return None
    slide = _slide(layer, *layer.kernel.shape[-2:])
    show, show_back = views(layer.rank, layer.data_format)

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        return activate(show_back(slide(show(x), _one_in(layer.kernel.value), _bias(layer))))

    return call


def separable_convolution(layer: Any) -> Call | None:
    """Return a convolution of each channel by itself, and one of all channels at each pixel."""
    activate = ACTIVATIONS.get(layer.activation)
    if activate is None:
        return None
    slide = _slide(layer, *layer.depthwise_kernel.shape[-2:])
    show, show_back = views(layer.rank, layer.data_format)

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        each = slide(show(x), _one_in(layer.depthwise_kernel.value), None)
        point = _channels_first(layer.pointwise_kernel.value)
        return activate(show_back(CONVOLVE[each.dim() - 2](each, point, _bias(layer))))

    return call


def transposed_convolution(layer: Any) -> Call | None:
    """Return a transposed convolution.

    Keras may cut one pixel more at the end of an axis than at its start, or fewer; torch cuts both alike and can cut
    fewer at the end (its output padding), so that at most one pixel is left to cut here.
    """
    activate = ACTIVATIONS.get(layer.activation)
    if activate is None:
        return None
    strides, dilation = as_image(layer.strides), as_image(layer.dilation_rate)
    starts, ends = (as_image(cuts, 0) for cuts in zip(*_cuts(layer), strict=True))
    extra = tuple(max(start - end, 0) for start, end in zip(starts, ends, strict=True))
    left = [(axis + 2, end - start) for axis, (start, end) in enumerate(zip(starts, ends, strict=True)) if end > start]
    transposed = TRANSPOSED[len(strides)]
    show, show_back = views(layer.rank, layer.data_format)

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        kernel = _channels_first(layer.kernel.value)
        y = transposed(show(x), kernel, _bias(layer), strides, starts, extra, 1, dilation)
        for axis, more in left:
            y = y.narrow(axis, 0, y.shape[axis] - more)
        return activate(show_back(y))

    return call


def _slide(layer: Any, groups: int, multiplier: int | None) -> Slide:
    """Return what slides a kernel over an input; the multiplier is how many channels depthwise makes of each."""
    strides, dilation = as_image(layer.strides), as_image(layer.dilation_rate)
    sizes = as_image(layer.kernel_size)
    window = tuple((size - 1) * step + 1 for size, step in zip(sizes, dilation, strict=True))
    convolve, padding = CONVOLVE[len(strides)], layer.padding

    def slide(x: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        native: int | tuple[int, ...] = 0
        if padding == "causal":
            x = functional.pad(x, (window[-1] - 1, 0))
        elif padding == "same":
            before, after = same_padding(x.shape[2:], window, strides)
            if before == after:
                native = before
            else:
                x = functional.pad(x, around(before, after))
        if is_point:
            # torch 2.13 writes beyond its memory in the gradient of strided 1x1 convolutions of few channels, channels
            # last, on processors without AVX-512. What is left of the image is the same, and so is the result.
            x = x[(slice(None), slice(None), *(slice(None, None, step) for step in strides))]
        return convolve(x, _channels_first(kernel), bias, steps, native, dilation, groups)

    is_point = max(window) == 1 < max(strides) and padding != "causal"
    steps = (1,) * len(strides) if is_point else strides
    is_quick = multiplier == 1 == max(strides + dilation) and max(sizes) <= 3
    return slide if multiplier is None or is_quick else _in_fp32(slide)


def _in_fp32(slide: Slide) -> Slide:
    """Return a depthwise convolution that stays in fp32 on the CPU.

    Forward and backward, oneDNN is 7 times slower in bf16 than in fp32 at a stride of 2, and half as fast with windows
    of 5, dilation or a depth multiplier; only for plain windows up to 3 pixels is bf16 the faster, by half.
    """

    def slide_in_fp32(x: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        if x.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return slide(x, kernel, bias)
        with torch.autocast("cpu", enabled=False):
            y = slide(x.float(), kernel, bias)
        return y.to(torch.get_autocast_dtype("cpu"))

    return slide_in_fp32


def _channels_first(kernel: torch.Tensor) -> torch.Tensor:
    """Show a kernel (window, I, O) as (O, I, window); that of a sequence as one pixel high."""
    first = kernel.movedim((-1, -2), (0, 1))
    if first.shape[0] == 1:
        # With one channel out, torch takes this order for its own channels-last one and then refuses the gradient
        # (one image, fp32, one thread: "slow_conv2d: grad_weight must be contiguous").
        first = first.contiguous()
    return first.unsqueeze(2) if first.dim() == 3 else first


def _one_in(kernel: torch.Tensor) -> torch.Tensor:
    """Show a kernel (window, C, M) as one for groups of one channel: (window, 1, CM)."""
    return kernel.flatten(-2).unsqueeze(-2)


def _bias(layer: Any) -> torch.Tensor | None:
    return layer.bias.value if layer.use_bias else None


def _cuts(layer: Any) -> list[tuple[int, int]]:
    """Return how many pixels Keras cuts at the start and the end of each axis; a negative cut adds them.

    They are cut from what torch makes by itself: (input - 1) * stride + window.
    """
    extra = layer.output_padding
    extras = [extra] * layer.rank if extra is None or isinstance(extra, int) else extra
    found = []
    for size, stride, dilation, more in zip(layer.kernel_size, layer.strides, layer.dilation_rate, extras, strict=True):
        window = (size - 1) * dilation + 1
        if layer.padding == "valid":
            found.append((0, -(max(stride - window, 0) if more is None else more)))
            continue
        # Keras counts from the other side: zeros around the input spread out, of which `window - 1` at each end is all.
        zeros = stride + window - 2 if more is None else window + window % 2 - 2 + more
        start = min(-(-zeros // 2), window - 1)
        found.append((window - 1 - start, window - 1 - (zeros - start)))
    return found
