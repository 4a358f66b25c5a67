"""Integrated gradients (Sundararajan et al., 2017): how much each number of an input adds to a logit.

The gradient is averaged along the straight line from a baseline to the input and multiplied by their difference. The
parts then add up to the difference of the logit at the two ends (completeness, section 3 of the paper), up to the error
of the sum that stands for the integral. The number of steps is doubled until that error is small, and what is left of
it, the gap, is part of every result.
"""

# B batch, S steps; X whatever shape an input has

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FIRST_STEPS, MOST_STEPS = 16, 512
"""Steps that are tried first, and the most."""
AT_ONCE = 16
"""Points whose gradients are computed together; always as many, so that compiling backends compile once."""
TOLERANCE = 0.01
"""Gap that is called small, as a share of the difference."""
SMALLEST = 0.1
"""Differences of the logit below this one are compared with this one."""

Batch = NDArray[Any]
Gradient = Callable[[Batch], Batch]
"""B points -> the gradient of the logit at each; B is always `AT_ONCE`."""
Value = Callable[[Batch], NDArray[np.floating[Any]]]
"""B points -> the logit at each."""


@dataclass(frozen=True)
class Integral:
    """What each number of an input adds, and how exactly the parts add up."""

    parts_X: NDArray[np.float64]
    difference: float
    """Logit at the input less that at the baseline."""
    gap: float
    """Difference less the sum of the parts."""
    steps: int

    @property
    def is_complete(self) -> bool:
        """Whether the gap is small."""
        return abs(self.gap) <= TOLERANCE * max(abs(self.difference), SMALLEST)


def integrate(
    gradient: Gradient, value: Value, input_X: Batch, baseline_X: Batch, *, most_steps: int = MOST_STEPS
) -> Integral:
    """Compute integrated gradients, with as many steps as completeness asks for.

    Args:
        gradient: of the logit, at several points.
        value: the logit, at several points.
        input_X: where the logit is explained.
        baseline_X: what it is compared with, of the same shape.
        most_steps: steps after which the gap stays what it is.

    Returns:
        The parts with the smallest gap that was found.
    """
    at_input, at_baseline = value(np.stack([input_X, baseline_X]))
    difference = float(at_input) - float(at_baseline)
    best, steps = None, FIRST_STEPS
    while best is None or (not best.is_complete and steps <= most_steps):
        mean_X = _mean_gradient(gradient, input_X, baseline_X, steps)
        parts_X = mean_X * (input_X.astype(np.float64) - baseline_X)
        found = Integral(parts_X, difference, difference - float(parts_X.sum()), steps)
        best = found if best is None or abs(found.gap) < abs(best.gap) else best
        steps *= 2
    return best


def _mean_gradient(gradient: Gradient, input_X: Batch, baseline_X: Batch, steps: int) -> NDArray[np.float64]:
    """Average over the middles of equal steps; a ReLU's kink at the very baseline has no part in it."""
    total_X = np.zeros(input_X.shape, dtype=np.float64)
    shares_S = (np.arange(steps) + 0.5) / steps
    for first in range(0, steps, AT_ONCE):
        shares = shares_S[first : first + AT_ONCE].reshape(-1, *[1] * input_X.ndim)
        points = (baseline_X + shares * (input_X - baseline_X)).astype(input_X.dtype)
        total_X += gradient(points).astype(np.float64).sum(axis=0)
    return total_X / steps
