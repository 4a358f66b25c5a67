"""Draws layers that scale values, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import FLAGS, Drawn


@st.composite
def rescaling(draw: st.DrawFn) -> Drawn:
    scale = draw(st.sampled_from([1 / 255, 2, [0.5, 1.0, 2.0]]))
    layer = partial(layers.Rescaling, scale, draw(st.sampled_from([0.0, -1, [1.0, 2.0, 3.0]])), name="layer")
    return Drawn(layer, (2, 2, 3), below=draw(st.sampled_from([0, 256])))


@st.composite
def normalization(draw: st.DrawFn) -> Drawn:
    given = draw(st.sampled_from([{}, {"mean": 2.0, "variance": 4.0}, {"mean": [1.0, 2.0], "variance": [4.0, 0.0]}]))
    axis = draw(st.sampled_from([-1, 1, (1, 2), None] if not isinstance(given.get("mean"), list) else [-1, (1, 2)]))
    layer = partial(layers.Normalization, axis=axis, invert=draw(FLAGS), **given, name="layer")
    return Drawn(layer, (3, 2), below=draw(st.sampled_from([0, 0, 9])))


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Rescaling: rescaling(),
    layers.Normalization: normalization(),
}
