"""Draws dropout and noise, with their options and the shapes of what they read."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import Drawn

RATES = st.sampled_from([0.0, 0.5, 1.0])


@st.composite
def dropout(draw: st.DrawFn) -> Drawn:
    rate, noise_shape = draw(RATES), draw(st.sampled_from([None, (None, 1, 4)]))
    return Drawn(partial(layers.Dropout, rate, noise_shape=noise_shape, name="layer"), (3, 4), is_random=0 < rate < 1)


@st.composite
def spatial_dropout(draw: st.DrawFn, kind: Any, rank: int) -> Drawn:
    rate, options = (
        draw(RATES),
        {} if rank == 1 else {"data_format": draw(st.sampled_from(["channels_last", "channels_first"]))},
    )
    return Drawn(partial(kind, rate, **options, name="layer"), (3,) * rank + (2,), is_random=0 < rate < 1)


@st.composite
def gaussian_noise(draw: st.DrawFn) -> Drawn:
    stddev = draw(RATES)
    return Drawn(partial(layers.GaussianNoise, stddev, name="layer"), (3, 4), is_random=stddev > 0)


@st.composite
def without_a_share(draw: st.DrawFn, kind: Any) -> Drawn:
    """Draws a layer that cannot lose everything: Keras then divides by zero."""
    rate = draw(RATES)
    return Drawn(partial(kind, rate, name="layer"), (3, 4), is_covered=rate < 1, is_random=rate > 0)


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Dropout: dropout(),
    layers.SpatialDropout1D: spatial_dropout(layers.SpatialDropout1D, 1),
    layers.SpatialDropout2D: spatial_dropout(layers.SpatialDropout2D, 2),
    layers.SpatialDropout3D: spatial_dropout(layers.SpatialDropout3D, 3),
    layers.GaussianNoise: gaussian_noise(),
    layers.GaussianDropout: without_a_share(layers.GaussianDropout),
    layers.AlphaDropout: without_a_share(layers.AlphaDropout),
}
