"""Draws activations, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import FLAGS, UNCOVERED, Drawn
from sonde.backend.lowering.activations import ACTIVATIONS

SLOPES = st.sampled_from([0.0, 0.1, 2.0])
BOUNDS = st.sampled_from([None, 0.0, 0.5, 6.0])
SHAPES = st.sampled_from([(4,), (3, 4), (2, 3, 4)])
COVERED = st.sampled_from(sorted(each.__name__ for each in ACTIVATIONS))


@st.composite
def activation(draw: st.DrawFn) -> Drawn:
    name = draw(COVERED | UNCOVERED)
    return Drawn(partial(layers.Activation, name, name="layer"), (3, 4), is_covered=name != "sparsemax")


@st.composite
def relu(draw: st.DrawFn) -> Drawn:
    threshold = draw(st.sampled_from([0.0, 0.4]))
    layer = partial(layers.ReLU, max_value=draw(BOUNDS), negative_slope=draw(SLOPES), threshold=threshold, name="layer")
    return Drawn(layer, draw(SHAPES))


@st.composite
def leaky_relu(draw: st.DrawFn) -> Drawn:
    return Drawn(partial(layers.LeakyReLU, draw(SLOPES), name="layer"), draw(SHAPES))


@st.composite
def elu(draw: st.DrawFn) -> Drawn:
    return Drawn(partial(layers.ELU, draw(st.sampled_from([1.0, 0.3])), name="layer"), draw(SHAPES))


@st.composite
def prelu(draw: st.DrawFn) -> Drawn:
    shape = draw(SHAPES)
    shared = [axis for axis in range(1, len(shape) + 1) if draw(FLAGS)]
    return Drawn(partial(layers.PReLU, shared_axes=shared or None, name="layer"), shape)


@st.composite
def softmax(draw: st.DrawFn) -> Drawn:
    axis = draw(st.sampled_from([-1, 1, [2], [1, -1]]))
    return Drawn(partial(layers.Softmax, axis=axis, name="layer"), (3, 4))


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Activation: activation(),
    layers.ReLU: relu(),
    layers.LeakyReLU: leaky_relu(),
    layers.ELU: elu(),
    layers.PReLU: prelu(),
    layers.Softmax: softmax(),
}
