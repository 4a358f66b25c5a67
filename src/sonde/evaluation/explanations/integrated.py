"""Integrated gradients (Sundararajan et al., 2017): how much each number of an input adds to a logit.

The gradient is averaged along the straight line from a baseline to the input and multiplied by their difference. The
parts then add up to the difference of the logit at the two ends (completeness, section 3 of the paper), up to the error
of the sum that stands for the integral. Steps stand closer where the logit changes faster: a layer norm behind words of
nearly nothing turns around within a hundredth of the way. Their number is doubled until the error is small, and what is
left of it, the gap, is part of every result.
"""

# B batch, S steps, G places of the grid; X whatever shape an input has

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
GRID = np.sort(np.concatenate([np.linspace(0, 1, 65), np.geomspace(1e-6, 0.9 / 64, 31)]))
"""Where the logit is asked for, to see where it changes: evenly, and closer near the baseline; 96 places."""

Batch = NDArray[Any]
Gradient = Callable[[Batch], Batch]
"""B points -> the gradient of the logit at each; B is always `AT_ONCE`."""
Value = Callable[[Batch], NDArray[np.floating[Any]]]
"""B points -> the logit at each; B is always `AT_ONCE`."""


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
        input_X: where the logit is explained.
        baseline_X: what it is compared with, of the same shape.
        most_steps: steps after which the gap stays what it is.

    Returns:
        The parts with the smallest gap that was found.
    """
    values_G = np.concatenate(
        [value(_between(input_X, baseline_X, part)) for part in np.split(GRID, len(GRID) // AT_ONCE)]
    )
    difference = float(values_G[-1]) - float(values_G[0])
    best, steps = None, FIRST_STEPS
    while best is None or (not best.is_complete and steps <= most_steps):
        mean_X = _mean_gradient(gradient, input_X, baseline_X, _ends(values_G.astype(np.float64), steps))
        parts_X = mean_X * (input_X.astype(np.float64) - baseline_X)
        found = Integral(parts_X, difference, difference - float(parts_X.sum()), steps)
        best = found if best is None or abs(found.gap) < abs(best.gap) else best
        steps *= 2
    return best


def _between(input_X: Batch, baseline_X: Batch, shares_S: NDArray[np.float64]) -> Batch:
    """Return points on the way from the baseline to the input."""
    shares = shares_S.reshape(-1, *[1] * input_X.ndim)
    points: Batch = (baseline_X + shares * (input_X - baseline_X)).astype(input_X.dtype)
    return points


def _ends(values_G: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """Return where steps begin and end: each has the same part of half the way and half the change of the logit."""
    change = np.abs(np.diff(values_G))
    total = float(change.sum())
    weight = np.diff(GRID) + (change / total if total > 0 else np.diff(GRID))
    gone = np.concatenate([[0.0], np.cumsum(weight)])
    return np.interp(np.linspace(0, gone[-1], steps + 1), gone, GRID)


def _mean_gradient(
    gradient: Gradient, input_X: Batch, baseline_X: Batch, ends: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Average over the middles of steps; a ReLU's kink at the very baseline has no part in it."""
    total_X = np.zeros(input_X.shape, dtype=np.float64)
    middles_S, lengths_S = (ends[1:] + ends[:-1]) / 2, np.diff(ends)
    for first in range(0, len(middles_S), AT_ONCE):
        points = _between(input_X, baseline_X, middles_S[first : first + AT_ONCE])
        slopes = gradient(points).astype(np.float64)
        total_X += np.tensordot(lengths_S[first : first + AT_ONCE], slopes, axes=1)
    return total_X
