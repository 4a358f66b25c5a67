"""Gives Keras layers the single operation that TensorFlow has for them, while a training step is traced.

    with native_layers(model):
        outputs = model(inputs, training=True)

Keras writes batch normalisation as some twenty passes over the data, half of the time of a small network in bf16; the
native operation needs a quarter of their time. Long short-term memory stays as Keras has it: on a processor
`BlockLSTMV2` and an unrolled loop were measured at 0.9 and 1.15 times its speed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf
from keras import Model

LEAST_EPSILON = 1.001e-5
"""cuDNN computes with no smaller one."""


@contextmanager
def native_layers(model: Model) -> Iterator[None]:
    """Run the layers that `NATIVE` names, nested ones included, in its way; afterwards they are Keras's again.

    Args:
        model: a Keras model; its weights stay where they are.
    """
    replaced = [layer for layer in model._flatten_layers() if type(layer) in NATIVE]
    for layer in replaced:
        # On the object, where it stands before the method of the class; Keras goes on doing all that is around a call.
        layer.call = NATIVE[type(layer)](layer)
    try:
        yield
    finally:
        for layer in replaced:
            del layer.call


def _batch_norm(layer: Any) -> Callable[..., Any]:
    """Return batch normalisation over the last axis, running statistics included.

    Keras keeps the biased variance of a batch and the operation returns the unbiased one.
    """
    as_keras = layer.call

    def call(inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if not (training and layer.trainable) or mask is not None or not _is_native(layer, inputs):
            return as_keras(inputs, training=training, mask=mask)
        channels = inputs.shape[-1]
        ones, zeros = tf.ones([channels], tf.float32), tf.zeros([channels], tf.float32)
        result = tf.raw_ops.FusedBatchNormV3(
            x=tf.reshape(inputs, [-1, 1, 1, channels]) if len(inputs.shape) != 4 else inputs,
            scale=tf.convert_to_tensor(layer.gamma.value) if layer.scale else ones,
            offset=tf.convert_to_tensor(layer.beta.value) if layer.center else zeros,
            mean=zeros,
            variance=ones,
            epsilon=layer.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.size(inputs) // channels, tf.float32)
        _move(layer.moving_mean, result.batch_mean, layer.momentum)
        _move(layer.moving_variance, result.batch_variance * (count - 1.0) / count, layer.momentum)
        outputs = tf.reshape(result.y, tf.shape(inputs)) if len(inputs.shape) != 4 else result.y
        return tf.ensure_shape(outputs, inputs.shape)

    return call


def _is_native(layer: Any, inputs: Any) -> bool:
    """Tell whether the operation computes what the layer does."""
    rank = len(inputs.shape)
    plain = not (layer.synchronized or layer.renorm) and layer.axis in (-1, rank - 1)
    fits = rank > 1 and inputs.dtype in (tf.float32, tf.bfloat16) and inputs.dtype == layer.compute_dtype
    return plain and fits and layer.epsilon >= LEAST_EPSILON


def _move(variable: Any, value: Any, momentum: float) -> None:
    variable.assign(variable.value * momentum + value * (1.0 - momentum))


NATIVE: dict[type, Callable[[Any], Callable[..., Any]]] = {keras.layers.BatchNormalization: _batch_norm}
"""From a layer's class to what returns its native call; the layer itself decides at the call whether it may be used."""
