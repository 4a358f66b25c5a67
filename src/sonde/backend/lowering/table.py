"""Every kind of layer that has a native equivalent."""

from keras import layers

from sonde.backend.lowering import (
    activations,
    convolution,
    linear,
    merging,
    noise,
    normalization,
    pooling,
    recurrence,
    shapes,
)
from sonde.backend.lowering.calls import Rule

LOWERED: dict[type, Rule] = {
    layers.Dense: linear.dense,
    layers.Conv2D: convolution.conv2d,
    layers.BatchNormalization: normalization.batch_norm,
    layers.MaxPooling2D: pooling.max_pool2d,
    layers.AveragePooling2D: pooling.average_pool2d,
    layers.GlobalAveragePooling2D: pooling.global_average_pool2d,
    layers.Activation: activations.activation,
    layers.ReLU: activations.relu,
    layers.Dropout: noise.dropout,
    layers.Flatten: shapes.flatten,
    layers.Reshape: shapes.reshape,
    layers.Add: merging.add,
    layers.SimpleRNN: recurrence.simple_rnn,
    layers.LSTM: recurrence.lstm,
    layers.GRU: recurrence.gru,
}
"""A rule for each kind of layer; it returns None for options it does not cover. Subclasses are other kinds."""
