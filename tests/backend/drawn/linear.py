"""Draws dense layers, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import ACTIVATION_NAMES, FLAGS, SMALL, UNCOVERED, Drawn


@st.composite
def dense(draw: st.DrawFn) -> Drawn:
    activation = draw(ACTIVATION_NAMES | UNCOVERED)
    layer = partial(layers.Dense, draw(SMALL), activation=activation, use_bias=draw(FLAGS), name="layer")
    return Drawn(layer, draw(st.sampled_from([(4,), (3, 4), (2, 3, 4)])), is_covered=activation != "mish")


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Dense: dense(),
}
