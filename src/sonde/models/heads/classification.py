"""The head for one class out of several: logits, its losses, and the share of right predictions."""

# B batch, C classes

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from sonde.models.features import Features

NAME = "answer"
"""Name of the head's layer."""
OUTPUT = "logits"
"""Name of what it gives."""


SHARPNESS = np.logspace(-0.5, 2.5, 61)
"""Factors on the scores of a solved head that are tried."""

VARYING: dict[str, tuple[int, ...]] = {}
"""Axes of what the loss reads whose size differs from batch to batch."""


def outputs(features: Features, sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Add a dense layer that gives a logit per class or label, in float32 also under a bf16 policy.

    Args:
        sizes: "outputs" is the number of them.
    """
    return {"logits": keras.layers.Dense(sizes["outputs"], name=NAME, dtype="float32")(features.vector)}


def loss(options: Mapping[str, Any]) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Any]:
    """Return the weighted sum of the cross-entropies of logits (B x C) against class numbers (B).

    The class weights are not divided by their sum over the batch, so that the parts of a batch add up to the whole.

    Args:
        options: as far as they are given,
            label_smoothing: share of the truth that is spread over all classes (Szegedy et al., 2016);
            focus: above 0, the focal loss with this exponent: an example counts (1 - p)^focus, p being the probability
            of its truth, so that what is learned already counts little (Lin et al., 2017);
            weights: factor on the loss of each class's examples;
            shifts: added to the logits, in the loss alone; the logarithms of the classes' shares make it the
            logit-adjusted loss (Menon et al., "Long-tail learning via logit adjustment", 2021).
    """
    label_smoothing, focus = options.get("label_smoothing", 0.0), options.get("focus", 0.0)
    weights, shifts = options.get("weights", ()), options.get("shifts", ())

    def cross_entropy(outputs: Mapping[str, Any], batch: Mapping[str, Any]) -> Any:
        logits_BC, truth_B = outputs["logits"], batch["truth"]
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
        return ops.sum(batch["weights"] * each_B)

    return cross_entropy


def scores(outputs: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the share of examples whose largest logit is the truth."""
    given_B = ops.cast(ops.argmax(outputs["logits"], axis=-1), "int32")
    right_B = ops.equal(given_B, ops.cast(batch["truth"], "int32"))
    return {"accuracy": ops.mean(ops.cast(right_B, "float32"))}


def solve_targets(truth_N: NDArray[Any], outputs: int) -> NDArray[np.float64]:
    """Return +1 for the true class of each example and -1 for all others, N x C."""
    return np.where(truth_N[:, None] == np.arange(outputs), 1.0, -1.0)


def sharpness(scores_NC: NDArray[np.float64], truth_N: NDArray[Any]) -> float:
    """Return the factor on scores whose softmax has the least cross-entropy."""
    # Below the largest score, so that nothing is too large; scipy's own takes longer to begin than this to end.
    below_NC = scores_NC - scores_NC.max(axis=1, keepdims=True)
    right_N = below_NC[np.arange(len(truth_N)), truth_N]

    def loss(factor: float) -> float:
        return float((np.log(np.exp(factor * below_NC).sum(axis=1)) - factor * right_N).mean())

    return min(SHARPNESS.tolist(), key=loss)
