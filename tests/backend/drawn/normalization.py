"""Draws normalisation, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import FLAGS, Drawn

EPSILONS = st.sampled_from([1e-3, 1e-2])


@st.composite
def batch_normalization(draw: st.DrawFn) -> Drawn:
    shape = draw(st.sampled_from([(3,), (4, 3), (2, 5, 3), (1, 1, 3), (2, 2, 2, 3)]))
    layer = partial(
        layers.BatchNormalization,
        axis=draw(st.sampled_from([-1, len(shape), 1])),
        momentum=draw(st.sampled_from([0.0, 0.6, 0.99])),
        epsilon=draw(EPSILONS),
        center=draw(FLAGS),
        scale=draw(FLAGS),
        trainable=draw(FLAGS),
        name="layer",
    )
    return Drawn(layer, shape)


@st.composite
def layer_normalization(draw: st.DrawFn) -> Drawn:
    axis, is_covered = draw(st.sampled_from([(-1, True), (2, False), (3, True), ([2, 3], True), ([-2, -1], True)]))
    center, scale = draw(FLAGS), draw(FLAGS)
    layer = partial(
        layers.LayerNormalization, axis=axis, epsilon=draw(EPSILONS), center=center, scale=scale, name="layer"
    )
    # Keras itself normalises the last axis where it is given one other, and needs it to be as long.
    return Drawn(layer, (4, 5, 5), is_covered=is_covered)


@st.composite
def group_normalization(draw: st.DrawFn) -> Drawn:
    shape = draw(st.sampled_from([(4,), (3, 4), (4, 3, 4), (4, 2, 2, 4)]))
    axes = [-1, len(shape)] if shape[0] != 4 else [-1, len(shape), 1]
    layer = partial(
        layers.GroupNormalization,
        groups=draw(st.sampled_from([1, 2, -1])),
        axis=draw(st.sampled_from(axes)),
        epsilon=draw(EPSILONS),
        center=draw(FLAGS),
        scale=draw(FLAGS),
        name="layer",
    )
    return Drawn(layer, shape)


@st.composite
def rms_normalization(draw: st.DrawFn) -> Drawn:
    axis, is_covered = draw(st.sampled_from([(-1, True), (1, False), (3, True), ([2, 3], True), ([-2, -1], True)]))
    return Drawn(
        partial(layers.RMSNormalization, axis=axis, epsilon=draw(EPSILONS), name="layer"),
        (5, 4, 5),
        is_covered=is_covered,
    )


@st.composite
def unit_normalization(draw: st.DrawFn) -> Drawn:
    return Drawn(partial(layers.UnitNormalization, axis=draw(st.sampled_from([-1, 1, [1, 2]])), name="layer"), (3, 4))


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.BatchNormalization: batch_normalization(),
    layers.LayerNormalization: layer_normalization(),
    layers.GroupNormalization: group_normalization(),
    layers.RMSNormalization: rms_normalization(),
    layers.UnitNormalization: unit_normalization(),
}
