"""A residual network for small images (He et al., 2016, section 4.2): 6n+2 layers in three stages.

Series are read by the one of Wang et al. (2017), with three convolutions over time in each block.
"""

from typing import Annotated, Any

from keras import layers
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features, from_maps, from_steps
from sonde.models.reads import Reads
from sonde.models.sequences import as_sequence
from sonde.models.series_resnet import stages


class Options(_Options):
    """Residual blocks of two 3x3 convolutions; the second and third stage halve the image."""

    # Keras walks a model's graph by recursion, and 48 blocks go beyond what Python allows.
    blocks: Annotated[int, Field(ge=1, le=24)] = 1
    """Residual blocks in each of the three stages; 1 makes ResNet-8, 3 ResNet-20, 18 ResNet-110."""

    width: Annotated[int, Field(ge=1, le=4096)] = 32
    """Channels of the first stage; each stage doubles them. Of series twice as many, doubled once."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Share of features silenced before the head while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch of images or series.

    Args:
        inputs: symbolic tensor, batch x height x width x channels or batch x time x channels.
    """
    if reads.modality == "sequence":
        # 64 channels at the default width, as in the paper.
        sequence = stages(as_sequence(inputs, reads, 1), blocks=options.blocks, width=2 * options.width)
        return from_steps(sequence, dropout=options.dropout)
    x = _convolution(inputs, options.width, 1, "stem")
    x = layers.Activation("relu", name="stem_relu")(x)
    levels = {}
    for stage in range(3):
        for block in range(options.blocks):
            strides = 2 if stage > 0 and block == 0 else 1
            x = _residual(x, options.width * 2**stage, strides, f"block_{stage + 1}_{block + 1}")
        levels[2**stage] = x
    return from_maps(levels, dropout=options.dropout)


def _residual(x: Any, width: int, strides: int, name: str) -> Any:
    shortcut = x
    if strides != 1 or x.shape[-1] != width:
        shortcut = _convolution(x, width, strides, f"{name}_shortcut", size=1)
    x = layers.Activation("relu", name=f"{name}_relu_a")(_convolution(x, width, strides, f"{name}_a"))
    x = _convolution(x, width, 1, f"{name}_b")
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.Activation("relu", name=f"{name}_relu_b")(x)


def _convolution(x: Any, width: int, strides: int, name: str, size: int = 3) -> Any:
    x = layers.Conv2D(
        width,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_uniform",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
