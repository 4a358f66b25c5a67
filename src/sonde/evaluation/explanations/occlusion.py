"""Occlusion (Zeiler and Fergus, 2014): what a logit loses when a piece of the input is taken away.

It asks the model for nothing but answers, so that it works where there is no gradient, such as for counts of features
or for a table's categories.
"""

# T time, W windows

import numpy as np
from numpy.typing import NDArray

WINDOWS = 24
"""Windows that a series is covered with; each is twice as wide as the step between them."""


def windows(length: int, *, count: int = WINDOWS) -> list[tuple[int, int]]:
    """Return overlapping windows over a series: where each begins and ends.

    Args:
        count: about how many windows.
    """
    step = max(1, -(-length // count))
    return [
        (max(0, start - step // 2), min(length, start + step + (step + 1) // 2)) for start in range(0, length, step)
    ]


def over_time(losses_W: NDArray[np.floating], places: list[tuple[int, int]], length: int) -> NDArray[np.float64]:
    """Return the mean loss of the windows that cover each step.

    Args:
        losses_W: what the logit lost without each window.
        places: where the windows begin and end.
    """
    total_T, covered_T = np.zeros(length), np.zeros(length)
    for loss, (start, end) in zip(losses_W, places, strict=True):
        total_T[start:end] += loss
        covered_T[start:end] += 1
    return total_T / np.maximum(covered_T, 1)
