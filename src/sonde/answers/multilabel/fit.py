"""What a trained multilabel model learns from validation: temperature, and a threshold for each label."""

from typing import Any

import numpy as np

from sonde.answers.answer import Fitting, Kept
from sonde.answers.multilabel.target import LabelsTarget
from sonde.data.target import Column
from sonde.metrics import temperature as temperature_scaling
from sonde.metrics import thresholds


def fit(target: LabelsTarget, kept: Kept, truth: Column, fitting: Fitting) -> dict[str, Any]:
    """Return what validation tells, as the model folder holds it.

    Args:
        kept: logits of the validation examples, with the corrected bias.
        truth: 1 where an example has a label, N x K.
        fitting: the options, and what came before.
    """
    logits_NK, truth_NK = np.asarray(kept["logits"]), np.asarray(truth)
    if fitting.seen:
        # Validation would flatter it.
        return {"decision": _untuned(fitting, 1.0), "fitted_on": fitting.fitted_on}
    warmth, goal = temperature_scaling.fit_labels(logits_NK, truth_NK), fitting.own.tune_for
    decision = _untuned(fitting, warmth)
    if goal != "none":
        # Rounded as the test's are (predictions.parquet), so that the same logits fall on the same side.
        shares_NK = temperature_scaling.apply_labels(logits_NK, warmth).astype(np.float32).astype(np.float64)
        decision = thresholds.best_thresholds(truth_NK, shares_NK, goal)
    return {"temperature": warmth, "decision": decision, "tuned_for": goal, "fitted_on": fitting.fitted_on}


def _untuned(fitting: Fitting, warmth: float) -> tuple[float, ...]:
    """Return the thresholds where nothing is tuned: what the training asked for."""
    if fitting.plan is not None:
        # As the logits did before the correction was added to them.
        return tuple(float(1 / (1 + np.exp(-each / warmth))) for each in fitting.plan.correction)
    decisions = [each.decision for each in fitting.members if each.decision]
    if not decisions or len(decisions) < len(fitting.members):
        return ()
    return tuple(np.mean(decisions, axis=0).tolist())
