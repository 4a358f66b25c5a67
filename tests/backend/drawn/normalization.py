"""Draws normalisation, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import FLAGS, Drawn


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


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.BatchNormalization: batch_normalization(),
}
