"""Draws pooling, with their options and the shapes of what they read."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import FLAGS, PADDINGS, SIDES, SMALL, Drawn

ORDERS = st.sampled_from(["channels_last", "channels_last", "channels_first"])


@st.composite
def pooling(draw: st.DrawFn, kind: Any, axes: int) -> Drawn:
    order = draw(ORDERS)
    strides = draw(st.none() | st.integers(1, 4) | st.tuples(*[SMALL] * axes))
    size = draw(st.tuples(*[st.integers(1, 4)] * axes))
    layer = partial(kind, size, strides, padding=draw(PADDINGS), data_format=order, name="layer")
    return Drawn(layer, _shape(draw, axes, order, least=4))


@st.composite
def adaptive_pooling(draw: st.DrawFn, kind: Any, axes: int) -> Drawn:
    order = draw(ORDERS)
    size = draw(SMALL | st.tuples(*[st.integers(1, 8)] * axes))
    return Drawn(partial(kind, size, data_format=order, name="layer"), _shape(draw, axes, order))


@st.composite
def global_pooling(draw: st.DrawFn, kind: Any, axes: int) -> Drawn:
    order = draw(ORDERS)
    return Drawn(
        partial(kind, data_format=order, keepdims=draw(FLAGS), name="layer"), _shape(draw, axes, order, least=1)
    )


def _shape(draw: st.DrawFn, axes: int, order: str, least: int = 3) -> tuple[int, ...]:
    sides = tuple(draw(SIDES.map(lambda side: max(side, least))) for _ in range(axes))
    return (2, *sides) if order == "channels_first" else (*sides, 2)


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.MaxPooling1D: pooling(layers.MaxPooling1D, 1),
    layers.MaxPooling2D: pooling(layers.MaxPooling2D, 2),
    layers.MaxPooling3D: pooling(layers.MaxPooling3D, 3),
    layers.AveragePooling1D: pooling(layers.AveragePooling1D, 1),
    layers.AveragePooling2D: pooling(layers.AveragePooling2D, 2),
    layers.AveragePooling3D: pooling(layers.AveragePooling3D, 3),
    layers.AdaptiveMaxPooling1D: adaptive_pooling(layers.AdaptiveMaxPooling1D, 1),
    layers.AdaptiveMaxPooling2D: adaptive_pooling(layers.AdaptiveMaxPooling2D, 2),
    layers.AdaptiveMaxPooling3D: adaptive_pooling(layers.AdaptiveMaxPooling3D, 3),
    layers.AdaptiveAveragePooling1D: adaptive_pooling(layers.AdaptiveAveragePooling1D, 1),
    layers.AdaptiveAveragePooling2D: adaptive_pooling(layers.AdaptiveAveragePooling2D, 2),
    layers.AdaptiveAveragePooling3D: adaptive_pooling(layers.AdaptiveAveragePooling3D, 3),
    layers.GlobalMaxPooling1D: global_pooling(layers.GlobalMaxPooling1D, 1),
    layers.GlobalMaxPooling2D: global_pooling(layers.GlobalMaxPooling2D, 2),
    layers.GlobalMaxPooling3D: global_pooling(layers.GlobalMaxPooling3D, 3),
    layers.GlobalAveragePooling1D: global_pooling(layers.GlobalAveragePooling1D, 1),
    layers.GlobalAveragePooling2D: global_pooling(layers.GlobalAveragePooling2D, 2),
    layers.GlobalAveragePooling3D: global_pooling(layers.GlobalAveragePooling3D, 3),
}
