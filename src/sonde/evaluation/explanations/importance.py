"""Permutation importance (Breiman, 2001; Fisher et al., 2019): what a score loses when a column is shuffled.

The column keeps its values and loses what they have to do with the answer. Columns that say the same stand in for each
other: either may then look unimportant.
"""

# N examples, F columns, R repeats

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

REPEATS = 10
"""Shuffles of each column."""

T_QUANTILE = {5: 2.776, 10: 2.262, 20: 2.093, 30: 2.045}
"""97.5 % quantiles of Student's t for the mean of so many repeats."""


@dataclass(frozen=True)
class Importance:
    """What the score loses without one column."""

    column: str
    mean: float
    low: float
    high: float
    """Ends of the 95 % interval of the mean over the shuffles; it does not cover the choice of the examples."""


def importances(
    columns: Sequence[str],
    score_without: Callable[[int, NDArray[np.int64]], float],
    score: float,
    *,
    examples: int,
    seed: int = 0,
    repeats: int = REPEATS,
) -> tuple[Importance, ...]:
    """Shuffle each column several times and see what the score loses.

    Args:
        score_without: (number of a column, an order of the examples) -> the score with that column in that order.
        score: the score as it is; higher is better.
        examples: N.
        repeats: shuffles of each column; a key of `T_QUANTILE`.

    Returns:
        The columns, the most important first.
    """
    found = []
    for number, column in enumerate(columns):
        losses = [
            score - score_without(number, np.random.default_rng([seed, number, repeat]).permutation(examples))
            for repeat in range(repeats)
        ]
        mean, half = float(np.mean(losses)), T_QUANTILE[repeats] * float(np.std(losses, ddof=1)) / sqrt(repeats)
        found.append(Importance(column, mean, mean - half, mean + half))
    return tuple(sorted(found, key=lambda each: -each.mean))
