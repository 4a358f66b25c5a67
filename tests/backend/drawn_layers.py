"""Strategies that draw a layer of each kind that is lowered, with its options and the shape of what it reads."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from hypothesis import strategies as st
from keras import layers

ACTIVATIONS = st.sampled_from(["linear", "relu", "sigmoid", "tanh", "silu", "elu", "selu", "gelu", "softplus"])
UNCOVERED = st.just("mish")
FLAGS = st.booleans()
SMALL = st.integers(1, 3)
SIDES = st.integers(3, 7)


@dataclass(frozen=True)
class Drawn:
    """A layer's maker, the shape of one of its inputs, and how it is to be run."""

    make: Callable[[], Any]
    """Keras draws seeds from Python's generator when a layer is made, which hypothesis forbids while it draws."""
    shape: tuple[int, ...]
    inputs: int = 1
    is_covered: bool = True
    """Whether a native equivalent is expected; otherwise the layer runs as Keras wrote it."""


@st.composite
def dense(draw: st.DrawFn) -> Drawn:
    activation = draw(ACTIVATIONS | UNCOVERED)
    layer = partial(layers.Dense, draw(SMALL), activation=activation, use_bias=draw(FLAGS), name="layer")
    return Drawn(layer, draw(st.sampled_from([(4,), (3, 4), (2, 3, 4)])), is_covered=activation != "mish")


@st.composite
def conv2d(draw: st.DrawFn) -> Drawn:
    groups, dilation, padding = draw(st.sampled_from([1, 2])), draw(st.sampled_from([1, (1, 2)])), draw(_paddings())
    layer = partial(
        layers.Conv2D,
        groups * draw(SMALL),
        (draw(SMALL), draw(SMALL)),
        # Keras allows strides or dilation, not both.
        strides=(draw(SMALL), draw(SMALL)) if dilation == 1 else 1,
        padding=padding,
        dilation_rate=dilation,
        groups=groups,
        activation=draw(ACTIVATIONS),
        use_bias=draw(FLAGS),
        name="layer",
    )
    return Drawn(layer, (draw(st.integers(5, 8)), draw(st.integers(5, 8)), groups * draw(SMALL)))


@st.composite
def batch_normalization(draw: st.DrawFn) -> Drawn:
    shape = draw(st.sampled_from([(3,), (4, 3), (2, 5, 3), (1, 1, 3)]))
    axis = draw(st.sampled_from([-1, len(shape), 1]))
    layer = partial(
        layers.BatchNormalization,
        axis=axis,
        momentum=draw(st.sampled_from([0.0, 0.6, 0.99])),
        epsilon=draw(st.sampled_from([1e-3, 1e-2])),
        center=draw(FLAGS),
        scale=draw(FLAGS),
        trainable=draw(FLAGS),
        name="layer",
    )
    return Drawn(layer, shape, is_covered=axis in (-1, len(shape)))


@st.composite
def max_pooling2d(draw: st.DrawFn) -> Drawn:
    layer = partial(
        layers.MaxPooling2D, (draw(SMALL), draw(SMALL)), draw(_strides()), padding=draw(_paddings()), name="layer"
    )
    return Drawn(layer, (draw(SIDES), draw(SIDES), 2))


@st.composite
def average_pooling2d(draw: st.DrawFn) -> Drawn:
    padding = draw(_paddings())
    layer = partial(
        layers.AveragePooling2D, (draw(SMALL), draw(SMALL)), draw(_strides()), padding=padding, name="layer"
    )
    return Drawn(layer, (draw(SIDES), draw(SIDES), 2), is_covered=padding == "valid")


@st.composite
def global_average_pooling2d(draw: st.DrawFn) -> Drawn:
    return Drawn(
        partial(layers.GlobalAveragePooling2D, keepdims=draw(FLAGS), name="layer"), (draw(SIDES), draw(SIDES), 2)
    )


@st.composite
def activation(draw: st.DrawFn) -> Drawn:
    name = draw(ACTIVATIONS | UNCOVERED)
    return Drawn(partial(layers.Activation, name, name="layer"), (3, 4), is_covered=name != "mish")


@st.composite
def relu(draw: st.DrawFn) -> Drawn:
    bound, slope, threshold = draw(st.sampled_from([(None, 0, 0), (1.0, 0, 0), (None, 0.1, 0), (None, 0, 0.5)]))
    layer = partial(layers.ReLU, max_value=bound, negative_slope=slope, threshold=threshold, name="layer")
    return Drawn(layer, (3, 4), is_covered=(bound, slope, threshold) == (None, 0, 0))


@st.composite
def dropout(draw: st.DrawFn) -> Drawn:
    rate, noise_shape = draw(st.sampled_from([0.0, 0.5, 1.0])), draw(st.sampled_from([None, (None, 1, 4)]))
    layer = partial(layers.Dropout, rate, noise_shape=noise_shape, name="layer")
    return Drawn(layer, (3, 4), is_covered=rate < 1 and noise_shape is None)


@st.composite
def flatten(draw: st.DrawFn) -> Drawn:
    order = draw(st.sampled_from(["channels_last", "channels_first"]))
    shape = draw(st.sampled_from([(), (4,), (2, 3, 4)]))
    return Drawn(partial(layers.Flatten, data_format=order, name="layer"), shape, is_covered=order == "channels_last")


@st.composite
def reshape(draw: st.DrawFn) -> Drawn:
    return Drawn(
        partial(layers.Reshape, draw(st.sampled_from([(12,), (-1, 2), (3, -1), (2, 3, 2)])), name="layer"), (4, 3)
    )


@st.composite
def add(draw: st.DrawFn) -> Drawn:
    return Drawn(
        partial(layers.Add, name="layer"), draw(st.sampled_from([(4,), (2, 3)])), inputs=draw(st.integers(2, 3))
    )


@st.composite
def simple_rnn(draw: st.DrawFn) -> Drawn:
    name = draw(st.sampled_from(["tanh", "relu", "sigmoid"]))
    odd = draw(_odd_recurrence())
    layer = partial(layers.SimpleRNN, draw(SMALL), activation=name, **odd, **_sequences(draw), name="layer")
    return Drawn(layer, (draw(SIDES), 2), is_covered=name != "sigmoid" and not odd)


@st.composite
def lstm(draw: st.DrawFn) -> Drawn:
    name, odd = draw(st.sampled_from(["sigmoid", "sigmoid", "hard_sigmoid"])), draw(_odd_recurrence())
    layer = partial(layers.LSTM, draw(SMALL), recurrent_activation=name, **odd, **_sequences(draw), name="layer")
    return Drawn(layer, (draw(SIDES), 2), is_covered=name == "sigmoid" and not odd)


@st.composite
def gru(draw: st.DrawFn) -> Drawn:
    reset_after, odd = draw(st.sampled_from([True, True, False])), draw(_odd_recurrence())
    layer = partial(layers.GRU, draw(SMALL), reset_after=reset_after, **odd, **_sequences(draw), name="layer")
    return Drawn(layer, (draw(SIDES), 2), is_covered=reset_after and not odd)


def _paddings() -> st.SearchStrategy[str]:
    return st.sampled_from(["valid", "same"])


def _strides() -> st.SearchStrategy[Any]:
    return st.none() | st.integers(1, 4) | st.tuples(SMALL, SMALL)


def _odd_recurrence() -> st.SearchStrategy[dict[str, bool]]:
    return st.sampled_from([{}, {}, {}, {"go_backwards": True}, {"unroll": True}])


def _sequences(draw: st.DrawFn) -> dict[str, bool]:
    return {"return_sequences": draw(FLAGS), "use_bias": draw(FLAGS)}


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Dense: dense(),
    layers.Conv2D: conv2d(),
    layers.BatchNormalization: batch_normalization(),
    layers.MaxPooling2D: max_pooling2d(),
    layers.AveragePooling2D: average_pooling2d(),
    layers.GlobalAveragePooling2D: global_average_pooling2d(),
    layers.Activation: activation(),
    layers.ReLU: relu(),
    layers.Dropout: dropout(),
    layers.Flatten: flatten(),
    layers.Reshape: reshape(),
    layers.Add: add(),
    layers.SimpleRNN: simple_rnn(),
    layers.LSTM: lstm(),
    layers.GRU: gru(),
}
"""A strategy for each row of `LOWERED`."""
