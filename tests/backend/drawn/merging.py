"""Draws layers that make one tensor of several, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import Drawn


@st.composite
def add(draw: st.DrawFn) -> Drawn:
    return Drawn(
        partial(layers.Add, name="layer"), draw(st.sampled_from([(4,), (2, 3)])), inputs=draw(st.integers(2, 3))
    )


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Add: add(),
}
