"""Draws layers that move values, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import Drawn


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


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Flatten: flatten(),
    layers.Reshape: reshape(),
}
