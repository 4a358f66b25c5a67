"""What the training of a number is given, what is kept of its outputs, and the figures of a validation."""

# N examples, Q quantiles

from collections.abc import Sequence

import numpy as np

from sonde.answers.answer import Kept, Plan
from sonde.answers.regression.options import Options
from sonde.answers.regression.target import NumberTarget, in_order
from sonde.data.target import Batch, Column
from sonde.errors import ConfigError
from sonde.metrics import REGRESSION_METRICS, value_of
from sonde.metrics.regression import prepare_regression

SHOWN = "r2"
"""Name of what a training step scores."""
MONITORS = ("r2",)
"""Validation figures that an epoch can be chosen by, beside the loss."""


def plan(target: NumberTarget, truth: Column, own: Options, solved: bool) -> Plan:
    """Return what the head is built of and what its loss is told.

    Raises:
        ConfigError: the head is solved for at once, and cannot give quantiles.
    """
    if solved and target.quantiles:
        raise ConfigError(
            "regression.loss = 'quantiles' is not possible here: this model's head is solved for, not trained. Leave "
            "it out, or take another --model (sonde list models)."
        )
    # What is recorded is what a validation's loss is: of a single number the squared error, whatever is followed.
    recorded = {"quantiles": list(target.quantiles)} if target.quantiles else {}
    followed = {"huber": own.huber_distance} if own.loss == "huber" and not solved else recorded
    return Plan(outputs=outputs(target), loss=followed, recorded=recorded)


def outputs(target: NumberTarget) -> int:
    """Return the size of the head's last axis."""
    return max(1, len(target.quantiles))


def keep(target: NumberTarget, outputs: Batch, truth: Column | None) -> Kept:
    """Keep the numbers as they are learned, quantiles in rising order, N x Q."""
    return {"numbers": in_order(outputs["numbers"])}


def figures(target: NumberTarget, kept: Kept, truth: Column, wanted: Sequence[str] = (SHOWN,)) -> dict[str, float]:
    """Return the loss and the share of explained variance of a validation, both on the scale that is learned.

    Args:
        target: tells whether quantiles are predicted.
        kept: "numbers", N x Q.
        truth: N x 2.
        wanted: names in `MONITORS`.
    """
    numbers_NQ, learned_N = np.asarray(kept["numbers"], np.float64), np.asarray(truth, np.float64)[:, 0]
    under_NQ = learned_N[:, None] - numbers_NQ
    shares_Q = np.array(target.quantiles)
    each_NQ = np.maximum(shares_Q * under_NQ, (shares_Q - 1) * under_NQ) if len(shares_Q) else np.square(under_NQ)
    found = {"loss": float(each_NQ.mean())}
    if SHOWN in wanted:
        # As many standard deviations off as a float32 can hold is a training that diverged: the loss says so.
        known = np.isfinite(numbers_NQ).all()
        explained = np.nan
        if known:
            sample = prepare_regression(learned_N, numbers_NQ[:, target.middle], center=float(learned_N.mean()))
            explained = value_of(REGRESSION_METRICS[SHOWN], sample)
        found[SHOWN] = float(np.nan_to_num(explained))
    return found
