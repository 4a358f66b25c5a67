"""Operations of `keras.ops` as native torch operations, where Keras on torch is slower by more than a call.

For two numbers or tensors Keras turns a number into a tensor at each call; a power or a bound that is a tensor is
computed value by value (262,144 values on one core: 2.7 ms for a square against 0.03 ms). Means and norms of bfloat16
go through float32 and back, and pooling copies images between layouts. The rest runs as Keras wrote it.
"""

# B batch, H height, W width, C channels

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import keras
import torch
from torch.nn import functional

from sonde.backend.lowering import attention
from sonde.backend.lowering.activations import elementwise, rectifier
from sonde.backend.lowering.calls import Call, Rule, Run
from sonde.backend.lowering.normalization import normalized, rms_normalized
from sonde.backend.lowering.pooling import average_pool, max_pool

USUAL = (torch.float32, torch.bfloat16)
"""Types of numbers for which torch does what Keras asks of it; others run as Keras wrote them."""


def pair(native: Callable[[Any, Any], torch.Tensor]) -> Rule:
    """Return the rule of an operation on two tensors, or on a tensor and a number.

    Args:
        native: the torch operation.
    """

    def rule(operation: Any) -> Call:
        written = operation.call

        def call(run: Run, x1: Any, x2: Any) -> Any:
            if (_is_usual(x1) and _is_usual_or_number(x2)) or (_is_usual(x2) and _is_usual_or_number(x1)):
                return native(x1, x2)
            return written(x1, x2)

        return call

    return rule


def power(operation: Any) -> Call:
    """Return a tensor to the power of a number."""
    written = operation.call

    def call(run: Run, x1: Any, x2: Any) -> Any:
        return torch.pow(x1, x2) if _is_usual(x1) and isinstance(x2, int | float) else written(x1, x2)

    return call


def clip(operation: Any) -> Call | None:
    """Return the bounding of values by two numbers."""
    low, high, written = operation.x_min, operation.x_max, operation.call
    if not (isinstance(low, int | float) and isinstance(high, int | float)):
        return None
    return lambda run, x: torch.clamp(x, low, high) if _is_usual(x) else written(x)


def mean(operation: Any) -> Call | None:
    """Return the mean over axes."""
    axis, keepdims, written = operation.axis, operation.keepdims, operation.call
    if axis in ((), []):
        return None
    return lambda run, x: torch.mean(x, axis, keepdims) if _is_usual(x) else written(x)


def matmul(operation: Any) -> Call:
    """Return a matrix product; under autocast what it multiplies may be of unlike types."""
    written = operation.call

    def call(run: Run, x1: Any, x2: Any) -> Any:
        if _is_usual(x1) and _is_usual(x2) and (x1.dtype == x2.dtype or torch.is_autocast_enabled(x1.device.type)):
            return torch.matmul(x1, x2)
        return written(x1, x2)

    return call


def softmax(operation: Any) -> Call | None:
    """Return softmax over an axis."""
    axis, written = operation.axis, operation.call
    if axis is None:
        return None
    return lambda run, x: torch.softmax(x, axis) if _is_usual(x) else written(x)


def normalize(operation: Any) -> Call | None:
    """Return the scaling of vectors to a length of one."""
    axis, written = operation.axis, operation.call
    epsilon = keras.config.epsilon() if operation.epsilon is None else operation.epsilon
    if operation.order != 2 or axis is None:
        return None
    return lambda run, x: functional.normalize(x, dim=axis, eps=epsilon) if _is_usual(x) else written(x)


def layer_normalization(operation: Any) -> Call | None:
    """Return layer normalisation over the last axis."""
    written = operation.call
    epsilon = keras.config.epsilon() if operation.epsilon is None else operation.epsilon
    if operation.rms_scaling:
        return None

    def call(run: Run, x: Any, gamma: Any = None, beta: Any = None) -> Any:
        weights = [each for each in (gamma, beta) if each is not None]
        if _is_usual(x) and all(map(_is_usual, weights)) and _is_last(operation.axis, x.ndim):
            return normalized(x, 1, gamma, beta, epsilon)
        return written(x, gamma, beta)

    return call


def rms_normalization(operation: Any) -> Call:
    """Return the scaling by the root of the mean square over the last axis."""
    written = operation.call
    epsilon = keras.config.epsilon() if operation.epsilon is None else operation.epsilon

    def call(run: Run, x: Any, scale: Any = None) -> Any:
        if _is_usual(x) and (scale is None or _is_usual(scale)) and _is_last(operation.axis, x.ndim):
            return rms_normalized(x, 1, scale, epsilon)
        return written(x, scale)

    return call


def pool(of_layer: Rule) -> Rule:
    """Return the rule of a pooling operation.

    Args:
        of_layer: the rule of the layer that pools in the same way.
    """

    def rule(operation: Any) -> Call:
        made: dict[int, Call | None] = {}
        order = keras.config.image_data_format() if operation.data_format is None else operation.data_format

        def call(run: Run, inputs: Any) -> Any:
            axes = inputs.ndim - 2
            if axes not in made:
                sizes = _for_each_axis(operation.pool_size, axes)
                strides = sizes if operation.strides is None else _for_each_axis(operation.strides, axes)
                layer = SimpleNamespace(pool_size=sizes, strides=strides, padding=operation.padding, data_format=order)
                made[axes] = of_layer(layer)
            native = made[axes]
            return operation.call(inputs) if native is None or not _is_usual(inputs) else native(run, inputs)

        return call

    return rule


def relu(operation: Any) -> Call:
    """Return `keras.activations.relu` with what it has of slope, threshold and bound."""
    return elementwise(rectifier(operation.negative_slope, operation.max_value, operation.threshold))


def _larger(x1: Any, x2: Any) -> torch.Tensor:
    return torch.maximum(*_tensors(x1, x2))


def _smaller(x1: Any, x2: Any) -> torch.Tensor:
    return torch.minimum(*_tensors(x1, x2))


def _tensors(x1: Any, x2: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a tensor and a number as two tensors of one type: where they are equal, they share the slope."""
    if not isinstance(x1, torch.Tensor):
        return torch.scalar_tensor(x1, dtype=x2.dtype, device=x2.device), x2
    return x1, x2 if isinstance(x2, torch.Tensor) else torch.scalar_tensor(x2, dtype=x1.dtype, device=x1.device)


def _is_usual(x: Any) -> bool:
    return isinstance(x, torch.Tensor) and x.dtype in USUAL


def _is_usual_or_number(x: Any) -> bool:
    return isinstance(x, int | float) or _is_usual(x)


def _is_last(axis: Any, rank: int) -> bool:
    """Tell whether an axis, or the only one of several, is the last."""
    axes = axis if isinstance(axis, list | tuple) else [axis]
    return len(axes) == 1 and axes[0] in (-1, rank - 1)


def _for_each_axis(size: Any, axes: int) -> tuple[int, ...]:
    return (size,) * axes if isinstance(size, int) else tuple(size)


def _kind(operate: Callable[..., Any], shape: tuple[int, ...] = (2, 2)) -> type:
    """Return the class of an operation, which Keras does not export."""
    return type(operate(keras.Input(shape))._keras_history.operation)


OPERATIONS: dict[type, Rule] = {
    _kind(lambda x: keras.ops.add(x, 1)): pair(torch.add),
    _kind(lambda x: keras.ops.subtract(x, 1)): pair(torch.sub),
    _kind(lambda x: keras.ops.multiply(x, 1)): pair(torch.mul),
    _kind(lambda x: keras.ops.divide(x, 1)): pair(torch.div),
    _kind(lambda x: keras.ops.maximum(x, 1)): pair(_larger),
    _kind(lambda x: keras.ops.minimum(x, 1)): pair(_smaller),
    _kind(lambda x: keras.ops.power(x, 2)): power,
    _kind(lambda x: keras.ops.clip(x, 0, 1)): clip,
    _kind(keras.ops.mean): mean,
    _kind(lambda x: keras.ops.matmul(x, x)): matmul,
    _kind(keras.ops.softmax): softmax,
    _kind(keras.ops.normalize): normalize,
    _kind(keras.ops.layer_normalization): layer_normalization,
    _kind(keras.ops.rms_normalization): rms_normalization,
    _kind(lambda x: keras.ops.max_pool(x, 1), (2, 2, 1)): pool(max_pool),
    _kind(lambda x: keras.ops.average_pool(x, 1), (2, 2, 1)): pool(average_pool),
    _kind(lambda x: keras.ops.dot_product_attention(x, x, x), (2, 2, 2)): attention.of_products,
    _kind(keras.activations.relu): relu,
}
"""A rule for each kind of operation; what its call does not cover runs as Keras wrote it."""
