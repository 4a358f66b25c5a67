"""The head for one label out of several: logits, cross-entropy, and the share of right guesses."""

# B batch, C classes

from collections.abc import Callable
from typing import Any

import keras
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


def loss(label_smoothing: float) -> Callable[[Any, Any], Any]:
    """Return the mean cross-entropy of logits (B x C) against class numbers (B).

    Args:
        label_smoothing: share of the truth that is spread over all classes (Szegedy et al., 2016).
    """

    def cross_entropy(logits_BC: Any, truth_B: Any) -> Any:
        log_probabilities_BC = ops.log_softmax(logits_BC, axis=-1)
        truth_BC = ops.one_hot(truth_B, logits_BC.shape[-1], dtype="float32")
        target_BC = truth_BC * (1.0 - label_smoothing) + label_smoothing / logits_BC.shape[-1]
        return -ops.mean(ops.sum(target_BC * log_probabilities_BC, axis=-1))

    return cross_entropy


def score(logits_BC: Any, truth_B: Any) -> Any:
    """Return the share of examples whose largest logit is the truth."""
    right_B = ops.equal(ops.cast(ops.argmax(logits_BC, axis=-1), "int32"), ops.cast(truth_B, "int32"))
    return ops.mean(ops.cast(right_B, "float32"))
