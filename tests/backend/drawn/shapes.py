"""Draws layers that move values, with their options and the shapes of what they read."""

from functools import partial
from itertools import permutations
from typing import Any

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import SIDES, SMALL, Drawn

ORDERS = st.sampled_from(["channels_last", "channels_first"])
PAIR = st.tuples(st.integers(0, 2), st.integers(0, 2))


@st.composite
def identity(draw: st.DrawFn) -> Drawn:
    return Drawn(partial(layers.Identity, name="layer"), (3,), inputs=draw(st.integers(1, 2)))


@st.composite
def flatten(draw: st.DrawFn) -> Drawn:
    shape = draw(st.sampled_from([(), (4,), (2, 3, 4)]))
    return Drawn(partial(layers.Flatten, data_format=draw(ORDERS), name="layer"), shape)


@st.composite
def reshape(draw: st.DrawFn) -> Drawn:
    return Drawn(
        partial(layers.Reshape, draw(st.sampled_from([(12,), (-1, 2), (3, -1), (2, 3, 2)])), name="layer"), (4, 3)
    )


@st.composite
def permute(draw: st.DrawFn) -> Drawn:
    return Drawn(partial(layers.Permute, draw(st.sampled_from([*permutations((1, 2, 3))])), name="layer"), (2, 3, 4))


@st.composite
def repeat_vector(draw: st.DrawFn) -> Drawn:
    return Drawn(partial(layers.RepeatVector, draw(SMALL), name="layer"), (3,))


@st.composite
def bordered(draw: st.DrawFn, kind: Any, axes: int, *, has_order: bool = True) -> Drawn:
    """Draw padding or cropping."""
    borders = draw(SMALL | (PAIR if axes == 1 else st.tuples(*[PAIR] * axes)))
    order = draw(ORDERS) if has_order else "channels_last"
    layer = partial(kind, borders, **({"data_format": order} if has_order else {}), name="layer")
    return Drawn(layer, _shape(order, tuple(draw(st.integers(7, 8)) for _ in range(axes))))


@st.composite
def up_sampling(draw: st.DrawFn, kind: Any, axes: int) -> Drawn:
    below = draw(st.sampled_from([0, 0, 9]))
    size = draw(SMALL if axes == 1 else SMALL | st.tuples(*[SMALL] * axes))
    order = draw(ORDERS) if axes > 1 else "channels_last"
    # Keras interpolates whole numbers in fractions and rounds.
    method = draw(st.sampled_from(["nearest", "bilinear", "bicubic"])) if axes == 2 and not below else "nearest"
    options = ({"data_format": order} if axes > 1 else {}) | ({"interpolation": method} if axes == 2 else {})
    layer = partial(kind, size, **options, name="layer")
    shape = _shape(order, tuple(draw(SIDES) for _ in range(axes)))
    return Drawn(layer, shape, is_covered=method != "bicubic", below=below)


@st.composite
def time_distributed(draw: st.DrawFn) -> Drawn:
    make, shape, is_covered = draw(
        st.sampled_from(
            [
                (partial(layers.Dense, 2, activation="relu"), (3,), True),
                (partial(layers.Conv2D, 2, 2, padding="same"), (4, 4, 1), True),
                (partial(layers.LSTM, 2), (3, 2), True),
                (partial(layers.BatchNormalization, momentum=0.5), (3,), True),
                (partial(_twice, partial(layers.Dense, 2)), (2, 3), True),
                (partial(_twice, partial(layers.BatchNormalization, momentum=0.5)), (2, 3), True),
                (partial(layers.Dense, 2, activation="sparsemax"), (3,), False),
                (partial(layers.RandomFlip, seed=1), (4, 4, 1), False),
            ]
        )
    )
    is_random = make.func is layers.RandomFlip
    return Drawn(
        lambda: layers.TimeDistributed(make(), name="layer"),
        (draw(SMALL), *shape),
        is_covered=is_covered,
        is_random=is_random,
    )


def _twice(make: Any) -> Any:
    return layers.TimeDistributed(make())


def _shape(order: str, sides: tuple[int, ...]) -> tuple[int, ...]:
    return (2, *sides) if order == "channels_first" else (*sides, 2)


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Identity: identity(),
    layers.Flatten: flatten(),
    layers.Reshape: reshape(),
    layers.Permute: permute(),
    layers.RepeatVector: repeat_vector(),
    layers.ZeroPadding1D: bordered(layers.ZeroPadding1D, 1),
    layers.ZeroPadding2D: bordered(layers.ZeroPadding2D, 2),
    layers.ZeroPadding3D: bordered(layers.ZeroPadding3D, 3),
    layers.Cropping1D: bordered(layers.Cropping1D, 1, has_order=False),
    layers.Cropping2D: bordered(layers.Cropping2D, 2),
    layers.Cropping3D: bordered(layers.Cropping3D, 3),
    layers.UpSampling1D: up_sampling(layers.UpSampling1D, 1),
    layers.UpSampling2D: up_sampling(layers.UpSampling2D, 2),
    layers.UpSampling3D: up_sampling(layers.UpSampling3D, 3),
    layers.TimeDistributed: time_distributed(),
}
