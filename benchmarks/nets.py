"""What the reference nets of engine.py have in common in Keras and in PyTorch: their sizes and their examples.

reference_nets.py has them in Keras, handwritten.py in PyTorch; no framework is imported here.
"""

# N examples, T tokens, D width

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CNN_WIDTHS = (32, 64, 128)
"""Channels of the small CNN: two convolutions of each, then half the height and width."""
RESNET_8, RESNET_18 = ((16, 32, 64), 1), ((64, 128, 256, 512), 2)
"""Channels of each stage, and residual blocks in a stage."""
DEPTHWISE = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1))
"""Channels and stride of each depthwise separable block, behind a stem of 32 channels."""
LSTM_WIDTH = 128
WIDTH, HEADS = 128, 4
"""Of both transformers; the hidden layer of a block is four times as wide."""
ENCODER_BLOCKS, DECODER_BLOCKS = 2, 4
EPSILON = 1e-5
"""Of the layer norms."""


@dataclass(frozen=True)
class Net:
    """One reference net and what it is trained on."""

    title: str
    shape: tuple[int, ...]
    """One example, channels last."""
    classes: int
    batch: int
    """Examples in a step."""
    work: str = "convolution"
    """What it mostly does, by which sonde chooses its precision."""

    @property
    def reads_tokens(self) -> bool:
        """Tell whether it reads token numbers and guesses each next one."""
        return len(self.shape) == 1

    @property
    def reads_images(self) -> bool:
        """Tell whether it reads images: height x width x channels."""
        return len(self.shape) == 3


NETS: dict[str, Net] = {
    "cnn": Net("small CNN, 6 convolutions", (32, 32, 3), 10, 256),
    "resnet8": Net("ResNet-8", (32, 32, 3), 10, 128),
    "resnet18": Net("ResNet-18", (32, 32, 3), 10, 32),
    "depthwise": Net("depthwise separable CNN", (32, 32, 3), 10, 128),
    "lstm": Net("2-layer LSTM-128", (28, 28), 10, 256, "recurrence"),
    "encoder": Net("2-layer transformer encoder", (128, 32), 10, 64, "matrix product"),
    "decoder": Net("4-layer causal transformer", (128,), 256, 32, "matrix product"),
}
"""The reference nets, in the order of the table."""


def examples(net: Net, count: int) -> tuple[NDArray[np.generic], NDArray[np.int32]]:
    """Return examples without meaning: inputs as float32 or tokens as int32, and their answers as int32.

    Args:
        net: a row of `NETS`.
        count: how many.
    """
    rng = np.random.default_rng(0)
    if net.reads_tokens:
        tokens = rng.integers(net.classes, size=(count, net.shape[0] + 1), dtype=np.int32)
        return np.ascontiguousarray(tokens[:, :-1]), np.ascontiguousarray(tokens[:, 1:])
    truth = rng.integers(net.classes, size=count, dtype=np.int32)
    return rng.standard_normal((count, *net.shape), dtype=np.float32), truth


def positions(count: int) -> NDArray[np.float32]:
    """Return fixed waves that tell tokens their places (Vaswani et al., 2017, section 3.5): T x D.

    Args:
        count: tokens.
    """
    place_T1 = np.arange(count)[:, None]
    speed_D = 10_000.0 ** (-np.arange(0, WIDTH, 2) / WIDTH)
    return np.concatenate([np.sin(place_T1 * speed_D), np.cos(place_T1 * speed_D)], axis=1).astype(np.float32)
