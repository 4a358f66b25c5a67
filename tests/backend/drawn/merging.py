"""Draws layers that make one tensor of several, with their options and the shapes of what they read."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import FLAGS, Drawn

OTHER_SHAPES = st.sampled_from([(), ((3,),), ((1, 3),), ((2, 1), (3,))])
"""Beside inputs of (2, 3): none, or some that broadcast; those of a lower rank are lined up by their first axes."""


@st.composite
def merged(draw: st.DrawFn, kind: Any) -> Drawn:
    others = draw(OTHER_SHAPES)
    return Drawn(partial(kind, name="layer"), (2, 3), inputs=draw(st.integers(1 if others else 2, 3)), others=others)


@st.composite
def subtracted(draw: st.DrawFn) -> Drawn:
    other = draw(st.sampled_from([(2, 3), (3,), (1, 3)]))
    return Drawn(partial(layers.Subtract, name="layer"), (2, 3), others=(other,))


@st.composite
def concatenated(draw: st.DrawFn) -> Drawn:
    axis = draw(st.sampled_from([-1, 1, 2, 3]))
    shape, other = (2, 3, 2), [2, 3, 2]
    other[axis if axis < 0 else axis - 1] = 4
    return Drawn(
        partial(layers.Concatenate, axis=axis, name="layer"),
        shape,
        inputs=draw(st.integers(1, 2)),
        others=(tuple(other),),
    )


@st.composite
def dotted(draw: st.DrawFn) -> Drawn:
    shape, other, axes = draw(
        st.sampled_from(
            [
                ((4,), (4,), 1),
                ((4,), (4,), -1),
                ((3, 4), (5, 4), 2),
                ((3, 4), (5, 4), -1),
                ((4, 3), (5, 4), (1, 2)),
                ((3, 4), (4,), (2, 1)),
                ((4,), (3, 4), (1, -1)),
                ((2, 3, 4), (4, 5), (-1, 1)),
                ((4, 3), (2, 4, 5), (1, 2)),
            ]
        )
    )
    return Drawn(partial(layers.Dot, axes, normalize=draw(FLAGS), name="layer"), shape, others=(other,))


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Add: merged(layers.Add),
    layers.Subtract: subtracted(),
    layers.Multiply: merged(layers.Multiply),
    layers.Average: merged(layers.Average),
    layers.Maximum: merged(layers.Maximum),
    layers.Minimum: merged(layers.Minimum),
    layers.Concatenate: concatenated(),
    layers.Dot: dotted(),
}
