"""Normalisation as native torch operations."""

# B batch, T time, C channels

from typing import Any

import keras
import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from sonde.backend.lowering.calls import Call, Run

SMALLEST_NORM = 1e-12
"""Below it, a vector is divided by this instead of by its length, as in Keras."""


def batch_norm(layer: Any) -> Call | None:
    """Return batch normalisation, running statistics included.

    Keras keeps the biased variance of a batch where `functional.batch_norm` keeps the unbiased one, so the running
    statistics are updated here from what the native operation saved.
    """
    if layer.synchronized or layer.renorm:
        return None
    rank = layer.input_spec.ndim
    axis = layer.axis % rank
    has_rows = rank == 3 and axis == 2

    def call(run: Run, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        scale, offset = _affine(layer)
        mean, variance = layer.moving_mean.value, layer.moving_variance.value
        if mask is not None and run.training and layer.trainable:
            if not has_rows:
                return layer(x, training=True, mask=mask)
            return _masked_batch_norm(layer, x, mask)
        # The steps of a sequence are rows: normalising them as such reads memory as it lies, three times as fast.
        by_row = has_rows and x.is_contiguous()
        x_first = x.flatten(0, 1) if by_row else x.movedim(axis, 1)
        if run.training and layer.trainable:
            y, saved_mean, saved_inverse = torch.native_batch_norm(
                x_first, scale, offset, None, None, True, 0.0, layer.epsilon
            )
            with torch.no_grad():
                batch_variance = saved_inverse.float().pow(-2).sub_(layer.epsilon)
                mean.lerp_(saved_mean.float(), 1 - layer.momentum)
                variance.lerp_(batch_variance, 1 - layer.momentum)
        else:
            y = functional.batch_norm(x_first, mean, variance, scale, offset, False, 0.0, layer.epsilon)
        return y.view(x.shape) if by_row else y.movedim(1, axis)

    return call


def _masked_batch_norm(layer: Any, x_BTC: torch.Tensor, mask_BT: torch.Tensor) -> torch.Tensor:
    """Normalise by the statistics of the steps that a mask leaves, as Keras weighs them."""
    scale, offset = _affine(layer)
    x = x_BTC.float()
    weights_BT1 = mask_BT.unsqueeze(-1).to(x.dtype)
    count = weights_BT1.sum() + keras.config.epsilon()
    mean_C = (x * weights_BT1).sum((0, 1)) / count
    apart_BTC = x - mean_C
    variance_C = (apart_BTC.square() * weights_BT1).sum((0, 1)) / count
    with torch.no_grad():
        layer.moving_mean.value.lerp_(mean_C, 1 - layer.momentum)
        layer.moving_variance.value.lerp_(variance_C, 1 - layer.momentum)
    factor_C = torch.rsqrt(variance_C + layer.epsilon) * (1.0 if scale is None else scale)
    y = apart_BTC * factor_C if offset is None else torch.addcmul(offset, apart_BTC, factor_C)
    return y.to(x_BTC.dtype)


def layer_norm(layer: Any) -> Call | None:
    """Return layer normalisation over the last axes."""
    count = last_axes(layer)
    if layer.rms_scaling or count is None:
        return None

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        scale, offset = _affine(layer)
        return normalized(x, count, scale, offset, layer.epsilon)

    return call


def normalized(
    x: torch.Tensor, count: int, scale: torch.Tensor | None, offset: torch.Tensor | None, epsilon: float
) -> torch.Tensor:
    """Normalise over the last axes.

    The native operation adds the slopes of scale and offset up in the type of the numbers on a CPU: in bfloat16, over
    8,192 rows, they were off by 10 and 23 %. There scale and offset are operations of their own, whose slopes add up in
    float32 (off by 0.3 and 0.1 %, at about the same speed).

    Args:
        count: how many of its last axes to normalise over.
        scale: of those axes' shape, or None.
        offset: likewise.
        epsilon: what is added to the variance.
    """
    shape = x.shape[-count:]
    if not (x.device.type == "cpu" and x.dtype == torch.bfloat16):
        return functional.layer_norm(x, shape, scale, offset, epsilon)
    y = functional.layer_norm(x, shape, None, None, epsilon)
    if scale is None:
        return y if offset is None else y + offset.to(y.dtype)
    return y * scale.to(y.dtype) if offset is None else torch.addcmul(offset.to(y.dtype), y, scale.to(y.dtype))


def rms_norm(layer: Any) -> Call | None:
    """Return the scaling by the root of the mean square over the last axes."""
    count = last_axes(layer)
    if count is None:
        return None

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        return rms_normalized(x, count, layer.scale.value, layer.epsilon)

    return call


def rms_normalized(x: torch.Tensor, count: int, scale: torch.Tensor | None, epsilon: float) -> torch.Tensor:
    """Scale by the root of the mean square over the last axes.

    Args:
        count: how many of its last axes to take the mean over.
        scale: of those axes' shape, or None.
        epsilon: what is added to the mean.
    """
    if x.device.type != "cpu":
        return functional.rms_norm(x, x.shape[-count:], scale, epsilon)
    rows = x.flatten(-count) if count > 1 else x
    y: torch.Tensor = _Rms.apply(rows, epsilon)
    return y.view(x.shape) if scale is None else y.view(x.shape) * scale.to(x.dtype)


class _Rms(torch.autograd.Function):
    """Rows over the root of their mean square, whose slope is layer normalisation's with a mean of zero.

    torch makes it of small operations on a CPU. This takes a third of their time (64 x 128 rows of 128, forward and
    backward with the scale: 8.5 ms against 14.7).
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, epsilon: float) -> torch.Tensor:
        """Return the rows, scaled."""
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
        inverse = length.square_().div_(x.shape[-1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, inverse)
        return x * inverse.to(x.dtype)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, slope: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Return the slope of the rows."""
        x, inverse = ctx.saved_tensors
        # A scale of ones in float32 is what lets bfloat16 rows have statistics in float32.
        none, ones = torch.zeros_like(inverse), inverse.new_ones(x.shape[-1:])
        found, _, _ = torch.ops.aten.native_layer_norm_backward(
            slope, x, x.shape[-1:], none, inverse, ones, None, [True, False, False]
        )
        # Layer normalisation's would also take out what moves the mean.
        mean = slope.mean(-1, keepdim=True, dtype=torch.float32)
        return found.add_(mean.mul_(inverse)), None


def group_norm(layer: Any) -> Call | None:
    """Return group normalisation."""
    rank = layer.input_spec.ndim
    axis = layer.axis % rank
    if axis == 0:
        return None
    # Where memory runs over the channels first, torch is fast in images only; a sequence is an image of width one.
    is_sequence = rank == 3 and axis == 2

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        scale, offset = _affine(layer)
        x_first = x.unsqueeze(2).movedim(3, 1) if is_sequence else x.movedim(axis, 1)
        # With an offset and no scale, the slope of torch's own (2.13) fails.
        if scale is None and offset is not None:
            y = torch.group_norm(x_first, layer.groups, None, None, layer.epsilon)
            y = y + offset.to(y.dtype).view(-1, *[1] * (y.ndim - 2))
        else:
            y = torch.group_norm(x_first, layer.groups, scale, offset, layer.epsilon)
        return y.movedim(1, 3).squeeze(2) if is_sequence else y.movedim(1, axis)

    return call


def unit_norm(layer: Any) -> Call | None:
    """Return the scaling of vectors to length one."""
    axes = tuple(layer.axis) if isinstance(layer.axis, list) else layer.axis

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        return functional.normalize(x, dim=axes, eps=SMALLEST_NORM)  # type: ignore[arg-type]

    return call


def last_axes(layer: Any) -> int | None:
    """Return how many axes a built layer normalises over, if they are the last ones in their order.

    Args:
        layer: a layer with a list of axes.
    """
    (shape,) = layer._build_shapes_dict.values()
    axes = [axis % len(shape) for axis in layer.axis]
    are_last = axes == list(range(len(shape) - len(axes), len(shape))) and 0 not in axes
    return len(axes) if are_last else None


def _affine(layer: Any) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Return a layer's scale and offset, as far as it has them."""
    return layer.gamma.value if layer.scale else None, layer.beta.value if layer.center else None
