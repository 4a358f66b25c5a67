"""The nets of reference_nets.py in plain PyTorch: as a tutorial would write them, and as an expert would.

The tutorial's are modules that PyTorch ships, trained in fp32. The expert's differ where it pays: one product for
queries, keys and values with `scaled_dot_product_attention`, the channels_last memory format, bf16 autocast and a fused
optimizer; see `train_steps`. Parameters are as many as in Keras; only `nn.LSTM` has two biases where Keras has one.
"""

# B batch, T tokens, D width, H heads

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from reference_nets import (
    CNN_WIDTHS,
    DECODER_BLOCKS,
    DEPTHWISE,
    ENCODER_BLOCKS,
    HEADS,
    LSTM_WIDTH,
    RESNET_8,
    RESNET_18,
    WIDTH,
    positions,
)
