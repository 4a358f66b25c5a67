"""A layer that counts: how much of a series looks like each of 84 patterns, laid over it at several dilations.

What a pattern answers is compared with levels, and the share of the steps at which it stands above each of them is what
comes out: the features of MiniRocket (Dempster, Schmidt and Webb, 2021, arXiv 2012.08791). All dilations are one
layer, since there may be 32 of them, and a graph of as many layers takes longer to build than to compute.
"""

# B batch, T time, C channels, K kernels, F features, J taps, D dilations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

TAPS = 9
CHOSEN = tuple(combinations(range(TAPS), 3))
"""The taps of each pattern that weigh 2; the other six weigh -1."""
KERNELS = len(CHOSEN)


def order(number: int) -> NDArray[np.int64]:
    """Return the places in `CHOSEN` of a dilation's kernels: first those that count every step, then the others.

    Args:
        number: of the dilation; the two halves change places with it.
    """
    places = np.arange(KERNELS)
    return np.concatenate([places[1 - number % 2 :: 2], places[number % 2 :: 2]])


def patterns(number: int) -> NDArray[np.float32]:
    """Return the kernels of a dilation, J x K.

    Args:
        number: of the dilation.
    """
    weights_KJ = np.full((KERNELS, TAPS), -1, dtype=np.float32)
    for kernel, place in enumerate(order(number)):
        weights_KJ[kernel, list(CHOSEN[place])] = 2
    return np.ascontiguousarray(weights_KJ.T)


class KernelShares(keras.layers.Layer):
    """Shares of the steps above levels, shifted and scaled; nothing in it is trained.

    The features of a dilation stand together, and in these those of one level of each kernel. The first half of the
    kernels counts every step. The second leaves out as many steps at both ends as a kernel would there read beyond
    the series.

    Args:
        dilations: steps between the taps of a kernel, and the number of its levels.
        channels: gives which channels each kernel reads, 1 or 0, D x C x K.
        name: of the layer.
    """

    def __init__(self, dilations: Sequence[tuple[int, int]], channels: Any, name: str):
        super().__init__(name=name, trainable=False, dtype="float32")
        self.dilations = tuple((int(dilation), int(levels)) for dilation, levels in dilations)
        self.channels = keras.initializers.get(channels)
        self.width = KERNELS * sum(levels for _, levels in self.dilations)

    def build(self, input_shape: Any) -> None:
        """Make the choice of channels, the levels, and what the shares are shifted and scaled by.

        Args:
            input_shape: of the series, or of the series and their presence.
        """
        shape = (len(self.dilations), _first(input_shape)[-1], KERNELS)
        self.reads = self.add_weight(shape=shape, initializer=self.channels, trainable=False, name="reads")
        for name, initial in (("level", "zeros"), ("mean", "zeros"), ("factor", "ones")):
            weight = self.add_weight(shape=(self.width,), initializer=initial, trainable=False, name=name)
            setattr(self, name, weight)

    def call(self, inputs: Any) -> Any:
        """Return the shares, B x F.

        Args:
            inputs: x_BTC, or a list of x_BTC and present_BT, which is 1 for real steps and 0 for padding behind them.
        """
        x_BTC, present_BT = inputs if isinstance(inputs, list | tuple) else (inputs, None)
        half, place, shares = KERNELS // 2, 0, []
        for number, (dilation, levels) in enumerate(self.dilations):
            kernel_JCK = ops.multiply(patterns(number)[:, None], ops.cast(self.reads[number] > 0, "float32"))
            answers_BTK = ops.conv(x_BTC, kernel_JCK, padding="same", dilation_rate=dilation)
            counted_B2T = _counted(x_BTC, present_BT, dilation * (TAPS // 2))
            steps_B21 = ops.maximum(ops.sum(counted_B2T, axis=2, keepdims=True), 1.0)
            for _ in range(levels):
                above_BTK = ops.cast(ops.greater(answers_BTK, self.level[place : place + KERNELS]), "float32")
                both_B2K = ops.matmul(counted_B2T, above_BTK) / steps_B21
                shares += [both_B2K[:, 0, :half], both_B2K[:, 1, half:]]
                place += KERNELS
        return (ops.concatenate(shares, axis=-1) - self.mean) * self.factor

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, int]:
        """Return the shape of the shares.

        Args:
            input_shape: of the series, or of the series and their presence.
        """
        return (_first(input_shape)[0], self.width)

    def get_config(self) -> dict[str, Any]:
        """Return what makes another one like it."""
        channels = keras.initializers.serialize(self.channels)
        return {"dilations": self.dilations, "channels": channels, "name": self.name}


def _counted(x_BTC: Any, present_BT: Any | None, reach: int) -> Any:
    """Return which steps count: of real ones all, and those whose kernel stays within the series; B x 2 x T."""
    batch, steps = ops.shape(x_BTC)[0], ops.shape(x_BTC)[1]
    places_1T = ops.expand_dims(ops.arange(steps, dtype="float32"), 0)
    if present_BT is None:
        lengths_B1 = ops.zeros((batch, 1), dtype="float32") + ops.cast(steps, "float32")
    else:
        lengths_B1 = ops.sum(ops.cast(present_BT, "float32"), axis=1, keepdims=True)
    real_BT = ops.less(places_1T, lengths_B1)
    inner_BT = ops.logical_and(
        ops.greater_equal(places_1T, float(reach)), ops.less(places_1T, lengths_B1 - float(reach))
    )
    return ops.cast(ops.stack([real_BT, inner_BT], axis=1), "float32")


def _first(shape: Any) -> Any:
    """Return the shape of the series, alone or first of several."""
    return shape[0] if isinstance(shape[0], list | tuple) else shape
