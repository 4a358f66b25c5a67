"""Draws pooling, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import FLAGS, PADDINGS, SIDES, SMALL, Drawn, pool_strides


@st.composite
def max_pooling2d(draw: st.DrawFn) -> Drawn:
    layer = partial(
        layers.MaxPooling2D, (draw(SMALL), draw(SMALL)), draw(pool_strides()), padding=draw(PADDINGS), name="layer"
    )
    return Drawn(layer, (draw(SIDES), draw(SIDES), 2))


@st.composite
def average_pooling2d(draw: st.DrawFn) -> Drawn:
    padding = draw(PADDINGS)
    layer = partial(
        layers.AveragePooling2D, (draw(SMALL), draw(SMALL)), draw(pool_strides()), padding=padding, name="layer"
    )
    return Drawn(layer, (draw(SIDES), draw(SIDES), 2), is_covered=padding == "valid")


@st.composite
def global_average_pooling2d(draw: st.DrawFn) -> Drawn:
    return Drawn(
        partial(layers.GlobalAveragePooling2D, keepdims=draw(FLAGS), name="layer"), (draw(SIDES), draw(SIDES), 2)
    )


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.MaxPooling2D: max_pooling2d(),
    layers.AveragePooling2D: average_pooling2d(),
    layers.GlobalAveragePooling2D: global_average_pooling2d(),
}
