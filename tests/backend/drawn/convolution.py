"""Draws convolutions, with their options and the shapes of what they read."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import ACTIVATION_NAMES, FLAGS, PADDINGS, SMALL, UNCOVERED, Drawn

ORDERS = st.sampled_from(["channels_last", "channels_last", "channels_first"])


@st.composite
def convolution(draw: st.DrawFn, kind: Any, axes: int) -> Drawn:
    padding = draw(st.sampled_from(["valid", "same", "causal"]) if axes == 1 else PADDINGS)
    groups, options = draw(st.sampled_from([1, 2])), draw(_windows(axes))
    # Keras itself cannot train one filter on one image: torch refuses the gradient of its kernel's layout.
    filters = groups * draw(st.integers(2, 3))
    layer = partial(kind, filters, padding=padding, groups=groups, **options)
    return _drawn(draw, layer, axes, options, channels=groups * draw(SMALL))


@st.composite
def depthwise_convolution(draw: st.DrawFn, kind: Any, axes: int) -> Drawn:
    options = draw(_windows(axes, alike=axes == 2))
    layer = partial(kind, padding=draw(PADDINGS), depth_multiplier=draw(SMALL), **options)
    return _drawn(draw, layer, axes, options, channels=draw(SMALL))


@st.composite
def separable_convolution(draw: st.DrawFn, kind: Any, axes: int) -> Drawn:
    options = draw(_windows(axes, alike=axes == 2))
    layer = partial(kind, draw(SMALL), padding=draw(PADDINGS), depth_multiplier=draw(SMALL), **options)
    return _drawn(draw, layer, axes, options, channels=draw(SMALL))


@st.composite
def transposed_convolution(draw: st.DrawFn, kind: Any, axes: int) -> Drawn:
    options = draw(_windows(axes, wide=True))
    strides = options["strides"]
    extra = draw(st.none() | st.tuples(*(st.integers(0, stride - 1) for stride in strides)))
    layer = partial(kind, draw(SMALL), padding=draw(PADDINGS), output_padding=extra, **options)
    return _drawn(draw, layer, axes, options, channels=draw(SMALL))


@st.composite
def _windows(draw: st.DrawFn, axes: int, *, wide: bool = False, alike: bool = False) -> dict[str, Any]:
    """Draw what every convolution takes. Keras allows strides or dilation, not both."""
    sizes, steps = (st.integers(1, 5) if wide else SMALL), st.tuples(*[SMALL] * axes)
    dilates = draw(FLAGS)
    strides = (1,) * axes if dilates else draw(steps)
    return {
        "kernel_size": draw(st.tuples(*[sizes] * axes)),
        # TensorFlow has no unequal strides for depthwise convolution, and its rule holds on every backend.
        "strides": strides[:1] * axes if alike else strides,
        "dilation_rate": draw(steps) if dilates else (1,) * axes,
        "data_format": draw(ORDERS),
        "activation": draw(ACTIVATION_NAMES | st.just("log_softmax") | UNCOVERED),
        "use_bias": draw(FLAGS),
        "name": "layer",
    }


def _drawn(draw: st.DrawFn, layer: Any, axes: int, options: dict[str, Any], *, channels: int) -> Drawn:
    # As wide as the widest window with holes: 3 pixels, 3 apart.
    sides = tuple(draw(st.integers(7, 9)) for _ in range(axes))
    is_first = options["data_format"] == "channels_first"
    shape = (channels, *sides) if is_first else (*sides, channels)
    return Drawn(layer, shape, is_covered=options["activation"] != "sparsemax")


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.Conv1D: convolution(layers.Conv1D, 1),
    layers.Conv2D: convolution(layers.Conv2D, 2),
    layers.Conv3D: convolution(layers.Conv3D, 3),
    layers.DepthwiseConv1D: depthwise_convolution(layers.DepthwiseConv1D, 1),
    layers.DepthwiseConv2D: depthwise_convolution(layers.DepthwiseConv2D, 2),
    layers.SeparableConv1D: separable_convolution(layers.SeparableConv1D, 1),
    layers.SeparableConv2D: separable_convolution(layers.SeparableConv2D, 2),
    layers.Conv1DTranspose: transposed_convolution(layers.Conv1DTranspose, 1),
    layers.Conv2DTranspose: transposed_convolution(layers.Conv2DTranspose, 2),
    layers.Conv3DTranspose: transposed_convolution(layers.Conv3DTranspose, 3),
}
