"""A residual network for small images that learns in few epochs, after the public speed records.

Its first layer is not trained: it turns the patches of the training images to their principal axes and evens these out
(whitening; Coates et al., 2011), which spares the network the slowest part of its learning. Kernels start near the
identity (Dirac initialisation; Zagoruyko and Komodakis, 2017). Pooling stands before ReLU, where it gives the same and
leaves ReLU a quarter of the work. Ideas: Page (2018, "How to train your ResNet") and Jordan (2024, arXiv 2404.00498).
"""

# B batch, H height, W width, C channels, P numbers in a patch

from collections.abc import Mapping
from typing import Annotated, Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray
from pydantic import Field

from sonde.config import Options as _Options
from sonde.models.features import Features, from_maps
from sonde.models.reads import Reads

STEM = "whitening"
"""Name of the first layer."""

PATCHES = 200_000
"""Most patches whose covariance is taken; more change the axes by less than their noise."""

FLOOR = 1e-2
"""Added to the variance along each axis, so that axes of mere noise are not blown up; images have variance 1."""


class Options(_Options):
    """Whitened patches, then stages of two 3x3 convolutions with batch norm, the second one residual."""

    width: Annotated[int, Field(ge=1, le=4096)] = 32
    """Channels of the first stage; each stage doubles them."""

    stages: Annotated[int, Field(ge=1, le=8)] = 3
    """Pairs of convolutions, each pair on half the height and width of the one before."""

    patch: Annotated[int, Field(ge=2, le=8)] = 3
    """Side of the patches that the first layer whitens, in pixels."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Share of features silenced before the head while training."""


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch of images.

    Args:
        inputs: symbolic tensor, batch x height x width x channels.
    """
    if len(reads.shape) != 3:
        raise ValueError("It reads images: height x width x channels.")
    stem = layers.Conv2D(
        _axes(options, inputs.shape[-1]),
        options.patch,
        padding="same",
        kernel_initializer="he_uniform",
        name=STEM,
    )
    x, stride, levels = stem(inputs), 1, {}
    levels[stride] = layers.Activation("relu", name="level_0")(x)
    x, stride = _halved(x, "0", stride)
    x = layers.Activation("relu", name="relu_0")(x)
    stem.kernel.trainable = False
    for stage in range(1, options.stages + 1):
        width = options.width * 2 ** (stage - 1)
        x = layers.Activation("relu", name=f"relu_{stage}a")(_convolution(x, width, f"{stage}a"))
        x = layers.Add(name=f"sum_{stage}")([x, _convolution(x, width, f"{stage}b")])
        if stage < options.stages:
            levels[stride] = layers.Activation("relu", name=f"level_{stage}")(x)
            x, stride = _halved(x, str(stage), stride)
        x = layers.Activation("relu", name=f"relu_{stage}b")(x)
    levels[stride] = x
    found = from_maps(levels, pool="max", dropout=options.dropout)
    # The head starts small, so that the first steps are about the features.
    return Features(layers.Rescaling(0.1, name="scale")(found.vector), levels=levels)


def fit(images_BHWC: NDArray[np.float32], options: Options) -> Mapping[str, NDArray[np.float32]]:
    """Return the weights that are taken from training images and then stay: the whitening kernel.

    Args:
        images_BHWC: prepared training images, a few thousand.

    Returns:
        By the name of the weight; each axis stands twice, with both signs, as ReLU cuts one off.
    """
    side, channels = options.patch, images_BHWC.shape[-1]
    # Images that are smaller than a patch get the border that the convolution gives them.
    missing = [max(0, side - length) for length in images_BHWC.shape[1:3]]
    padded_BHWC = np.pad(images_BHWC, [(0, 0), *((0, each) for each in missing), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded_BHWC, (side, side), axis=(1, 2))
    count = int(np.prod(windows.shape[:3]))
    # Only the patches that are chosen are copied: all of large images would take gigabytes.
    places = np.unravel_index(np.arange(0, count, max(1, count // PATCHES)), windows.shape[:3])
    patches_P = np.moveaxis(windows[places], 1, -1).reshape(-1, side * side * channels).astype(np.float64)
    variances, axes = np.linalg.eigh(patches_P.T @ patches_P / len(patches_P))
    largest_first = np.argsort(variances)[::-1][: _axes(options, channels) // 2]
    kernel = axes[:, largest_first] / np.sqrt(variances[largest_first] + FLOOR)
    both = np.concatenate([kernel, -kernel], axis=1).reshape(side, side, channels, -1)
    return {f"{STEM}/kernel": both.astype(np.float32)}


class NearIdentity(keras.initializers.Initializer):
    """Kernels that hand their input channels on, as far as there are outputs for them, and are random beyond.

    Args:
        seed: of the random part; one of Keras's own by default.
    """

    def __init__(self, seed: int | None = None):
        self._random = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform", seed=seed)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        kernel = np.array(keras.ops.convert_to_numpy(self._random(shape, dtype=dtype)))
        handed_on = min(shape[-2:])
        middle = tuple(side // 2 for side in shape[:-2])
        kernel[..., :handed_on] = 0.0
        kernel[middle][np.arange(handed_on), np.arange(handed_on)] = 1.0
        return keras.ops.convert_to_tensor(kernel, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Return what makes another one like it."""
        return {"seed": self._random.seed}


def _axes(options: Options, channels: int) -> int:
    """Return the channels of the first layer: both signs of every axis, rounded down to what runs fast, or all."""
    both = 2 * options.patch**2 * channels
    return min(both, 64) // 16 * 16 or both


def _convolution(x: Any, width: int, name: str) -> Any:
    x = layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer=NearIdentity(), name=f"conv_{name}")(
        x
    )
    return layers.BatchNormalization(momentum=0.7, epsilon=1e-5, scale=False, name=f"norm_{name}")(x)


def _halved(x: Any, name: str, stride: int) -> tuple[Any, int]:
    """Return a map at half the size where at least 4 places are left, and its stride."""
    return (layers.MaxPooling2D(2, name=f"half_{name}")(x), 2 * stride) if min(x.shape[1:3]) >= 4 else (x, stride)
