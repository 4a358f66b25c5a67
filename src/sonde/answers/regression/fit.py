"""What a trained model learns from validation of its own errors: how wide an interval must be to hold the target.

Split conformal prediction: on examples that the model was not trained on, it is measured how far the target lies
outside of what is predicted, and intervals are widened by a quantile of that. If those examples and the new ones are
drawn alike, an interval holds the target in at least the wanted share of the cases, whatever the model (Vovk et al.,
2005; Lei et al., "Distribution-free predictive inference for regression", 2018). Around a single number every interval
is equally wide; around predicted quantiles it is as wide as these lie apart (Romano et al., "Conformalized quantile
regression", 2019). That validation also chose the epoch takes a little from the promise; the test split is the check.
"""

# N examples, Q quantiles

from math import ceil
from typing import Any

import numpy as np

from sonde.answers.answer import Fitting, Kept
from sonde.answers.regression.fitted import Interval
from sonde.answers.regression.target import Floats, NumberTarget
from sonde.data.target import Column

LEAST = 1e-6
"""Root mean squared error, in standard deviations, below which nothing is told apart."""


def fit(target: NumberTarget, kept: Kept, truth: Column, fitting: Fitting) -> dict[str, Any]:
    """Return what validation tells of the errors, as the model's folder holds it.

    Args:
        target: brings numbers back to their unit.
        kept: "numbers" of the validation examples, N x Q.
        truth: their targets, N x 2.
        fitting: the options, and what came before.
    """
    numbers_NQ, learned_N = np.asarray(kept["numbers"], np.float64), np.asarray(truth, np.float64)[:, 0]
    if fitting.seen:
        return _as_its_members(fitting)
    error_N = learned_N - numbers_NQ[:, target.middle]
    spread = max(LEAST, float(np.sqrt(np.square(error_N).mean()))) if len(error_N) else 1.0
    found = radius(outside(numbers_NQ, learned_N), fitting.own.coverage)
    interval = None if found is None else Interval(coverage=fitting.own.coverage, radius=found, examples=len(error_N))
    return {
        "spread": spread,
        "interval": None if interval is None else interval.model_dump(mode="json"),
        "fitted_on": fitting.fitted_on,
    }


def outside(numbers_NQ: Floats, learned_N: Floats) -> Floats:
    """Return how far a target lies outside of the outermost quantiles, below 0 inside; of one number, how far off."""
    return np.maximum(numbers_NQ[:, 0] - learned_N, learned_N - numbers_NQ[:, -1])


def radius(outside_N: Floats, coverage: float) -> float | None:
    """Return how much intervals are widened on both sides; None where there are too few examples for the coverage.

    Args:
        outside_N: of each validation example.
        coverage: share of new examples whose target is to lie in its interval.
    """
    # Less what rounding may have added to a whole number.
    place = ceil((len(outside_N) + 1) * coverage - 1e-9)
    return float(np.sort(outside_N)[place - 1]) if 0 < place <= len(outside_N) else None


def _as_its_members(fitting: Fitting) -> dict[str, Any]:
    """Return the widest interval of the members: validation was trained on, and would flatter the whole."""
    spread = max((member.spread for member in fitting.members), default=1.0)
    known = [member.interval for member in fitting.members if member.interval is not None]
    interval = None
    if known and len(known) == len(fitting.members):
        widest = max(each.radius for each in known)
        interval = Interval(coverage=known[0].coverage, radius=widest, examples=0).model_dump(mode="json")
    return {"spread": spread, "interval": interval, "fitted_on": "left out"}
