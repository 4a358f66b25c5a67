"""The head for several labels at once: a logit for each, its losses, and the F1 over all labels of a batch."""

# B batch, K labels

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

NAME = "answer"
"""Name of the head's layer."""


def logits(features: Any, labels: int) -> Any:
    """Add a dense layer that gives a logit per label, in float32 also under a bf16 policy.

    Args:
        features: symbolic tensor, batch x width.
        labels: number of labels.
    """
    return keras.layers.Dense(labels, name=NAME, dtype="float32")(features)


def loss(
    label_smoothing: float,
    *,
    focus: float = 0.0,
    weights: Sequence[float] = (),
    shifts: Sequence[float] = (),
) -> Callable[[Any, Any], Any]:
    """Return the mean binary cross-entropy of logits (B x K) against 0 and 1 (B x K).

    Args:
        label_smoothing: how far 0 and 1 are moved towards one half, as a share of the way.
        focus: above 0, the focal loss with this exponent (Lin et al., 2017).
        weights: factor on the loss of the examples that have the label, for each label; none for 1.
        shifts: added to the logits, in the loss alone.
    """

    def binary_cross_entropy(logits_BK: Any, truth_BK: Any) -> Any:
        truth_BK = ops.cast(truth_BK, "float32")
        shifted_BK = logits_BK + ops.convert_to_tensor(np.asarray(shifts, np.float32)) if len(shifts) else logits_BK
        target_BK = truth_BK * (1.0 - label_smoothing) + 0.5 * label_smoothing
        log_yes_BK, log_no_BK = _log_sigmoid(shifted_BK), _log_sigmoid(-shifted_BK)
        yes_BK, no_BK = target_BK, 1.0 - target_BK
        if focus:
            # Held below 0: the slope of a power below 1 has no end there.
            yes_BK = yes_BK * ops.power(ops.maximum(1.0 - ops.exp(log_yes_BK), 1e-6), focus)
            no_BK = no_BK * ops.power(ops.maximum(1.0 - ops.exp(log_no_BK), 1e-6), focus)
        each_BK = -(yes_BK * log_yes_BK + no_BK * log_no_BK)
        if len(weights):
            factors = ops.convert_to_tensor(np.asarray(weights, np.float32))
            each_BK = each_BK * (1.0 + truth_BK * (factors - 1.0))
        return ops.mean(each_BK)

    return binary_cross_entropy


def score(logits_BK: Any, truth_BK: Any) -> Any:
    """Return the F1 over all labels of a batch, at one half; 1 where nothing is true and nothing is given."""
    truth_BK = ops.cast(truth_BK, "float32")
    given_BK = ops.cast(ops.greater_equal(logits_BK, 0.0), "float32")
    both = 2.0 * ops.sum(truth_BK * given_BK)
    all_of_both = ops.sum(truth_BK) + ops.sum(given_BK)
    return ops.where(all_of_both > 0, both / ops.maximum(all_of_both, 1.0), 1.0)


def _log_sigmoid(logits_BK: Any) -> Any:
    # Not the name of one of the three backends' own operations: all of them give the same bits for this one.
    return ops.minimum(logits_BK, 0.0) - ops.log1p(ops.exp(-ops.abs(logits_BK)))
