"""A layer that counts: the share of the steps at which each channel of a sequence stands above each of its levels.

It is the "proportion of positive values" of MiniRocket (Dempster et al., 2021, arXiv 2012.08791), which says in one
number how much of a series looks like a pattern.
"""

# B batch, T time, K channels, L levels

from typing import Any

import keras
from keras import ops


class Proportions(keras.layers.Layer):
    """Shares of the steps above levels, shifted and scaled; nothing in it is trained.

    The first half of the channels counts every step. The second leaves out `reach` steps at both ends, where a kernel
    would have read beyond the series.

    Args:
        levels: how many each channel has.
        reach: steps at both ends that the second half of the channels leaves out.
        name: of the layer.
    """

    def __init__(self, levels: int, reach: int, name: str):
        super().__init__(name=name, trainable=False, dtype="float32")
        self.levels = levels
        self.reach = reach

    def build(self, input_shape: Any) -> None:
        """Make the levels and what the shares are shifted and scaled by.

        Args:
            input_shape: of the sequence, or of the sequence and its presence.
        """
        channels = _first(input_shape)[-1]
        shape = (self.levels, channels)
        self.level = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="level")
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.factor = self.add_weight(shape=shape, initializer="ones", trainable=False, name="factor")

    def call(self, inputs: Any) -> Any:
        """Return the shares, B x (levels x channels).

        Args:
            inputs: x_BTK, or a list of x_BTK and present_BT, which is 1 for real steps and 0 for padding behind them.
        """
        x_BTK, present_BT = inputs if isinstance(inputs, list | tuple) else (inputs, None)
        weights_B2T = self.weights_of(x_BTK, present_BT)
        half = x_BTK.shape[-1] // 2
        shares = []
        for number in range(self.levels):
            above_BTK = ops.cast(ops.greater(x_BTK, self.level[number]), "float32")
            both_B2K = ops.matmul(weights_B2T, above_BTK)
            share_BK = ops.concatenate([both_B2K[:, 0, :half], both_B2K[:, 1, half:]], axis=-1)
            shares.append((share_BK - self.mean[number]) * self.factor[number])
        return ops.concatenate(shares, axis=-1)

    def weights_of(self, x_BTK: Any, present_BT: Any | None) -> Any:
        """Return what each step counts for: in a mean over all, and in one over those that are `reach` from both ends.

        Args:
            x_BTK: the sequence.
            present_BT: 1 for real steps; None where all are.

        Returns:
            B x 2 x T; zeros where there is no such step.
        """
        batch, steps = ops.shape(x_BTK)[0], ops.shape(x_BTK)[1]
        places_1T = ops.expand_dims(ops.arange(steps, dtype="float32"), 0)
        if present_BT is None:
            lengths_B1 = ops.zeros((batch, 1), dtype="float32") + ops.cast(steps, "float32")
        else:
            lengths_B1 = ops.sum(ops.cast(present_BT, "float32"), axis=1, keepdims=True)
        real_BT = ops.less(places_1T, lengths_B1)
        inner_BT = ops.logical_and(
            ops.greater_equal(places_1T, float(self.reach)), ops.less(places_1T, lengths_B1 - self.reach)
        )
        counted_B2T = ops.cast(ops.stack([real_BT, inner_BT], axis=1), "float32")
        return counted_B2T / ops.maximum(ops.sum(counted_B2T, axis=2, keepdims=True), 1.0)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, int]:
        """Return the shape of the shares.

        Args:
            input_shape: of the sequence, or of the sequence and its presence.
        """
        batch, _, channels = _first(input_shape)
        return (batch, self.levels * channels)

    def get_config(self) -> dict[str, Any]:
        """Return what makes another one like it."""
        return {"levels": self.levels, "reach": self.reach, "name": self.name}


def _first(shape: Any) -> Any:
    """Return the shape of the sequence, alone or first of several."""
    return shape[0] if isinstance(shape[0], list | tuple) else shape
