"""The head for one label out of several: logits, its losses, and the share of right guesses."""

# B batch, C classes

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

NAME = "answer"
"""Name of the head's layer."""


def logits(features: Any, classes: int) -> Any:
    """Add a dense layer that gives a logit per class, in float32 also under a bf16 policy.

    Args:
        features: symbolic tensor, batch x width.
        classes: number of classes.
    """
    return keras.layers.Dense(classes, name=NAME, dtype="float32")(features)


def loss(
    label_smoothing: float,
    *,
    focus: float = 0.0,
    weights: Sequence[float] = (),
    shifts: Sequence[float] = (),
) -> Callable[[Any, Any], Any]:
    """Return the mean cross-entropy of logits (B x C) against class numbers (B).

    The weights are not divided by their sum over the batch, so that a batch passed in parts gives the same gradient.

    Args:
        label_smoothing: share of the truth that is spread over all classes (Szegedy et al., 2016).
        focus: above 0, the focal loss with this exponent: an example counts (1 - p)^focus, p being the probability of
            its truth, so that what is learned already counts little (Lin et al., 2017).
        weights: factor on the loss of each class's examples; none for 1.
        shifts: added to the logits, in the loss alone; the logarithms of the classes' shares make it the logit-adjusted
            loss (Menon et al., "Long-tail learning via logit adjustment", 2021).
    """

    def cross_entropy(logits_BC: Any, truth_B: Any) -> Any:
        shifted_BC = logits_BC + ops.convert_to_tensor(np.asarray(shifts, np.float32)) if len(shifts) else logits_BC
        log_probabilities_BC = ops.log_softmax(shifted_BC, axis=-1)
        truth_BC = ops.one_hot(truth_B, logits_BC.shape[-1], dtype="float32")
        target_BC = truth_BC * (1.0 - label_smoothing) + label_smoothing / logits_BC.shape[-1]
        if focus:
            # Held below 0: the slope of a power below 1 has no end there.
            miss_BC = ops.maximum(1.0 - ops.exp(log_probabilities_BC), 1e-6)
            target_BC = target_BC * ops.power(miss_BC, focus)
        each_B = -ops.sum(target_BC * log_probabilities_BC, axis=-1)
        if len(weights):
            each_B = each_B * ops.sum(truth_BC * ops.convert_to_tensor(np.asarray(weights, np.float32)), axis=-1)
        return ops.mean(each_B)

    return cross_entropy


def score(logits_BC: Any, truth_B: Any) -> Any:
    """Return the share of examples whose largest logit is the truth."""
    right_B = ops.equal(ops.cast(ops.argmax(logits_BC, axis=-1), "int32"), ops.cast(truth_B, "int32"))
    return ops.mean(ops.cast(right_B, "float32"))
