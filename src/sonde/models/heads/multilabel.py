"""The head for several labels at once: the logits of classification, a loss for each label, an F1 over all of them."""

# B batch, K labels

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from sonde.models.heads.classification import NAME, OUTPUT, SHARPNESS, VARYING, outputs

__all__ = ["NAME", "OUTPUT", "VARYING", "loss", "outputs", "scores", "sharpness", "solve_targets"]


def loss(options: Mapping[str, Any]) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Any]:
    """Return the weighted sum of the binary cross-entropies of logits (B x K) against 0 and 1 (B x K).

    Args:
        options: as far as they are given,
            label_smoothing: how far 0 and 1 are moved towards one half, as a share of the way;
            focus: above 0, the focal loss with this exponent (Lin et al., 2017);
            weights: factor on the loss of the examples that have the label, for each label;
            shifts: added to the logits, in the loss alone.
    """
    label_smoothing, focus = options.get("label_smoothing", 0.0), options.get("focus", 0.0)
    weights, shifts = options.get("weights", ()), options.get("shifts", ())

    def binary_cross_entropy(outputs: Mapping[str, Any], batch: Mapping[str, Any]) -> Any:
        logits_BK, truth_BK = outputs["logits"], ops.cast(batch["truth"], "float32")
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
        return ops.sum(batch["weights"] * each_BK)

    return binary_cross_entropy


def scores(outputs: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the F1 over all labels of a batch, at one half; 1 where nothing is true and nothing is given."""
    truth_BK = ops.cast(batch["truth"], "float32")
    given_BK = ops.cast(ops.greater_equal(outputs["logits"], 0.0), "float32")
    both = 2.0 * ops.sum(truth_BK * given_BK)
    all_of_both = ops.sum(truth_BK) + ops.sum(given_BK)
    return {"f1_micro": ops.where(all_of_both > 0, both / ops.maximum(all_of_both, 1.0), 1.0)}


def _log_sigmoid(logits_BK: Any) -> Any:
    # Not the name of one of the three backends' own operations: all of them give the same bits for this one.
    return ops.minimum(logits_BK, 0.0) - ops.log1p(ops.exp(-ops.abs(logits_BK)))


def solve_targets(truth_NK: NDArray[Any], outputs: int) -> NDArray[np.float64]:
    """Return +1 where an example has a label and -1 where it has not, N x K."""
    return np.where(truth_NK > 0.5, 1.0, -1.0)


def sharpness(scores_NK: NDArray[np.float64], truth_NK: NDArray[Any]) -> float:
    """Return the factor on scores whose sigmoid has the least cross-entropy."""

    def loss(factor: float) -> float:
        return float(np.logaddexp(0, np.where(truth_NK > 0.5, -factor, factor) * scores_NK).mean())

    return min(SHARPNESS.tolist(), key=loss)
