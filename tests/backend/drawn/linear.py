"""Draws dense layers, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import ACTIVATION_NAMES, FLAGS, SMALL, UNCOVERED, Drawn

EQUATIONS = {
    "ab,bc->ac": ((4,), 3, ["c"]),
    "abc,cd->abd": ((3, 4), (None, 2), ["d"]),
    "...x,xy->...y": ((3, 4), 2, ["y"]),
    "abc,cde->abde": ((3, 4), (None, 2, 3), ["de", "e", "d"]),
    "abcd,cde->abe": ((3, 2, 4), (None, 5), ["e"]),
    "abcd,cdef->abef": ((3, 2, 4), (None, 2, 3), ["ef", "f"]),
    "abc,bd->adc": ((3, 4), (2, 4), ["d", "dc"]),
    "abc,bc->ab": ((3, 4), (3,), ["b"]),
}
"""Equation -> shape of an input, output shape, bias axes it may have. The last few are more than one matrix product."""


@st.composite
def dense(draw: st.DrawFn) -> Drawn:
    activation = draw(ACTIVATION_NAMES | UNCOVERED)
    layer = partial(layers.Dense, draw(SMALL), activation=activation, use_bias=draw(FLAGS), name="layer")
    return Drawn(layer, draw(st.sampled_from([(4,), (3, 4), (2, 3, 4)])), is_covered=activation != "sparsemax")


@st.composite
def einsum_dense(draw: st.DrawFn) -> Drawn:
    equation = draw(st.sampled_from(sorted(EQUATIONS)))
    shape, output, biases = EQUATIONS[equation]
    bias_axes, activation = draw(st.none() | st.sampled_from(biases)), draw(ACTIVATION_NAMES | UNCOVERED)
    layer = partial(layers.EinsumDense, equation, output, activation=activation, bias_axes=bias_axes, name="layer")
    return Drawn(layer, shape, is_covered=activation != "sparsemax")


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Dense: dense(),
    layers.EinsumDense: einsum_dense(),
}
