"""Draws embedding and masking, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import FLAGS, SMALL, Drawn


@st.composite
def embedding(draw: st.DrawFn) -> Drawn:
    rows, shape = draw(st.integers(2, 4)), draw(st.sampled_from([(), (5,), (2, 3)]))
    return Drawn(partial(layers.Embedding, rows, draw(SMALL), mask_zero=draw(FLAGS), name="layer"), shape, below=rows)


@st.composite
def masking(draw: st.DrawFn) -> Drawn:
    return Drawn(partial(layers.Masking, draw(st.sampled_from([0.0, 1, -2.5])), name="layer"), (3, draw(SMALL)))


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Embedding: embedding(),
    layers.Masking: masking(),
}
