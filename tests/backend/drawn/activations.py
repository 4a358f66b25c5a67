"""Draws activations, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import ACTIVATION_NAMES, UNCOVERED, Drawn


@st.composite
def activation(draw: st.DrawFn) -> Drawn:
    name = draw(ACTIVATION_NAMES | UNCOVERED)
    return Drawn(partial(layers.Activation, name, name="layer"), (3, 4), is_covered=name != "mish")


@st.composite
def relu(draw: st.DrawFn) -> Drawn:
    bound, slope, threshold = draw(st.sampled_from([(None, 0, 0), (1.0, 0, 0), (None, 0.1, 0), (None, 0, 0.5)]))
    layer = partial(layers.ReLU, max_value=bound, negative_slope=slope, threshold=threshold, name="layer")
    return Drawn(layer, (3, 4), is_covered=(bound, slope, threshold) == (None, 0, 0))


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Activation: activation(),
    layers.ReLU: relu(),
}
