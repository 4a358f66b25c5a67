"""Draws dropout and noise, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import Drawn


@st.composite
def dropout(draw: st.DrawFn) -> Drawn:
    rate, noise_shape = draw(st.sampled_from([0.0, 0.5, 1.0])), draw(st.sampled_from([None, (None, 1, 4)]))
    layer = partial(layers.Dropout, rate, noise_shape=noise_shape, name="layer")
    return Drawn(layer, (3, 4), is_covered=rate < 1 and noise_shape is None, is_random=0 < rate < 1)


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Dropout: dropout(),
}
