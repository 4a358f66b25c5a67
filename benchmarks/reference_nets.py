"""The six nets that `engine.py` trains, as a Keras user would write them; sonde runs these very models.

handwritten.py holds the same nets in plain PyTorch. No net has dropout, so that everybody does the same arithmetic.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers
from nets import (
    CNN_WIDTHS,
    DECODER_BLOCKS,
    DEPTHWISE,
    ENCODER_BLOCKS,
    EPSILON,
    HEADS,
    LSTM_WIDTH,
    RESNET_8,
    RESNET_18,
    WIDTH,
    positions,
)

Build = Callable[[tuple[int, ...], int], keras.Model]
"""(shape of one example, classes) -> a model that gives logits."""


def named(model: keras.Model) -> keras.Model:
    """Return a model whose output has the name that heads read it by.

    Args:
        model: one of `BUILDS`.
    """
    return keras.Model(model.inputs[0], {"logits": model.outputs[0]}, name=model.name)


def cnn(shape: tuple[int, ...], classes: int) -> keras.Model:
    """Build a small CNN of convolution, batch normalisation, ReLU and pooling.

    Args:
        shape: height x width x channels.
        classes: numbers that come out.
    """
    model = keras.Sequential([keras.Input(shape)])
    for width in CNN_WIDTHS:
        for _ in range(2):
            model.add(layers.Conv2D(width, 3, padding="same", use_bias=False))
            model.add(layers.BatchNormalization())
            model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(_logits(classes))
    return model


def resnet8(shape: tuple[int, ...], classes: int) -> keras.Model:
    """Build a residual network of three blocks for small images (He et al., 2016, section 4.2).

    Args:
        shape: height x width x channels.
        classes: numbers that come out.
    """
    return _resnet(shape, classes, *RESNET_8)


def resnet18(shape: tuple[int, ...], classes: int) -> keras.Model:
    """Build ResNet-18 (He et al., 2016) with the 3x3 stem without pooling that small images need.

    Args:
        shape: height x width x channels.
        classes: numbers that come out.
    """
    return _resnet(shape, classes, *RESNET_18)


def _resnet(shape: tuple[int, ...], classes: int, widths: tuple[int, ...], blocks: int) -> keras.Model:
    inputs = keras.Input(shape)
    x = layers.Activation("relu")(_convolution(inputs, widths[0]))
    for stage, width in enumerate(widths):
        for block in range(blocks):
            x = _residual(x, width, 2 if stage > 0 and block == 0 else 1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, _logits(classes)(x))


def _residual(x: Any, width: int, strides: int) -> Any:
    shortcut = x
    if strides != 1 or x.shape[-1] != width:
        shortcut = _convolution(x, width, size=1, strides=strides)
    x = layers.Activation("relu")(_convolution(x, width, strides=strides))
    x = layers.Add()([_convolution(x, width), shortcut])
    return layers.Activation("relu")(x)


def _convolution(x: Any, width: int, *, size: int = 3, strides: int = 1) -> Any:
    x = layers.Conv2D(width, size, strides=strides, padding="same", use_bias=False)(x)
    return layers.BatchNormalization()(x)


def depthwise(shape: tuple[int, ...], classes: int) -> keras.Model:
    """Build a CNN of depthwise separable convolutions (after Howard et al., 2017).

    Args:
        shape: height x width x channels.
        classes: numbers that come out.
    """
    inputs = keras.Input(shape)
    x = layers.ReLU()(_convolution(inputs, 32))
    for width, strides in DEPTHWISE:
        x = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.ReLU()(_convolution(x, width, size=1))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, _logits(classes)(x))


def lstm(shape: tuple[int, ...], classes: int) -> keras.Model:
    """Build two LSTM layers (Hochreiter and Schmidhuber, 1997) whose last state is classified.

    Args:
        shape: time x features.
        classes: numbers that come out.
    """
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.LSTM(LSTM_WIDTH, return_sequences=True),
            layers.LSTM(LSTM_WIDTH),
            _logits(classes),
        ]
    )


def encoder(shape: tuple[int, ...], classes: int) -> keras.Model:
    """Build a transformer encoder (Vaswani et al., 2017) with the norms first and mean pooling.

    Args:
        shape: tokens x features.
        classes: numbers that come out.
    """
    inputs = keras.Input(shape)
    x = layers.Dense(WIDTH)(inputs) + positions(shape[0])
    for _ in range(ENCODER_BLOCKS):
        x = _attend(x, causal=False)
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization(epsilon=EPSILON)(x))
    return keras.Model(inputs, _logits(classes)(x))


def decoder(shape: tuple[int, ...], classes: int) -> keras.Model:
    """Build a causal transformer that guesses each next token (after Radford et al., 2019).

    Args:
        shape: the number of tokens alone.
        classes: the vocabulary.
    """
    inputs = keras.Input(shape, dtype="int32")
    x = layers.Embedding(classes, WIDTH)(inputs) + positions(shape[0])
    for _ in range(DECODER_BLOCKS):
        x = _attend(x, causal=True)
    return keras.Model(inputs, _logits(classes)(layers.LayerNormalization(epsilon=EPSILON)(x)))


def _attend(x: Any, *, causal: bool) -> Any:
    attended = layers.LayerNormalization(epsilon=EPSILON)(x)
    attended = layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(attended, attended, use_causal_mask=causal)
    x = layers.Add()([x, attended])
    hidden = layers.LayerNormalization(epsilon=EPSILON)(x)
    hidden = layers.Dense(4 * WIDTH, activation="gelu")(hidden)
    return layers.Add()([x, layers.Dense(WIDTH)(hidden)])


def _logits(classes: int) -> Any:
    # Logits in float32 under every policy, as the Keras guide to mixed precision advises.
    return layers.Dense(classes, dtype="float32", name="answer")


BUILDS: dict[str, Build] = {
    "cnn": cnn,
    "resnet8": resnet8,
    "resnet18": resnet18,
    "depthwise": depthwise,
    "lstm": lstm,
    "encoder": encoder,
    "decoder": decoder,
}
"""Every net by its name."""
