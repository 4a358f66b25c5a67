"""Draws convolutions, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import ACTIVATION_NAMES, FLAGS, PADDINGS, SMALL, Drawn


@st.composite
def conv2d(draw: st.DrawFn) -> Drawn:
    groups, dilation, padding = draw(st.sampled_from([1, 2])), draw(st.sampled_from([1, (1, 2)])), draw(PADDINGS)
    layer = partial(
        layers.Conv2D,
        groups * draw(SMALL),
        (draw(SMALL), draw(SMALL)),
        # Keras allows strides or dilation, not both.
        strides=(draw(SMALL), draw(SMALL)) if dilation == 1 else 1,
        padding=padding,
        dilation_rate=dilation,
        groups=groups,
        activation=draw(ACTIVATION_NAMES),
        use_bias=draw(FLAGS),
        name="layer",
    )
    return Drawn(layer, (draw(st.integers(5, 8)), draw(st.integers(5, 8)), groups * draw(SMALL)))


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Conv2D: conv2d(),
}
